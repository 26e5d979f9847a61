"""`make bench`: the simulated walk, and how it looks where there is no colour, no width and no terminal."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from rearguard.bench.view import WIDTH, _picture
from rearguard.bench.walk import Summary, Walk
from rearguard.bench.walker import Walker
from rearguard.bench.world import Person, Wall, World
from rearguard.cli import main
from rearguard.core.threat import Level


def test_the_walker_meets_a_person_and_a_wall_and_touches_neither(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--fast"]) == 0
    out = capsys.readouterr().out
    assert "STOP 2 times" in out
    assert out.rstrip().endswith("No contact.")


def test_piped_it_prints_plain_lines_that_fit_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    main(["bench", "--fast"])
    out = capsys.readouterr().out
    assert out.isascii()
    table = out.splitlines()
    assert max(map(len, table)) <= 80
    words = [word for line in table for word in line.split()]
    assert words.index("self-test") < words.index("ready") < words.index("STOP") < words.index("goodbye")


def test_the_same_seed_walks_the_same_walk(capsys: pytest.CaptureFixture[str]) -> None:
    def walked(seed: str) -> str:
        main(["bench", "--fast", "--seed", seed])
        return capsys.readouterr().out

    assert walked("7") == walked("7")


@pytest.mark.parametrize("fine", [True, False])
def test_the_picture_fits_80_columns_with_and_without_unicode(fine: bool) -> None:
    walk = Walk(None, 1)
    summary = Summary()
    console = Console(width=80, no_color=True, record=True, file=StringIO(), legacy_windows=False)
    for i, moment in enumerate(walk.run()):
        summary.add(moment)
        if i % 200 == 0:
            console.print(_picture(walk, moment, (True,) * 5, [moment.room_m], fine))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    for word in ("from above", "range", "closes", "belt", "STOP", "CLEAR"):
        assert word in text
    assert summary.felt[Level.STOP] == 2
    assert WIDTH < 80


def test_without_rich_it_says_what_to_install(mocker, capsys: pytest.CaptureFixture[str]) -> None:
    mocker.patch.dict("sys.modules", {"rearguard.bench.view": None, "rich": None, "rich.console": None})
    assert main(["bench", "--fast"]) == 1
    assert "pip install 'rearguard[bench]'" in capsys.readouterr().err


def test_another_belt_can_be_walked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rearguard.config import DEFAULT

    assert main(["bench", "--fast", "--config", str(DEFAULT)]) == 0
    assert "No contact" in capsys.readouterr().out


def test_a_ray_meets_the_nearest_thing() -> None:
    world = World((Wall(-1.0, 3.0, 1.0, 3.0),), (Person(0.0, 2.0, 1.0, 0.0),))
    assert world.view(0.0, 0.0, 0.0)(0.0) == pytest.approx(2.0 - 0.22)
    assert world.view(0.0, 0.0, 5.0)(0.0) == pytest.approx(3.0)
    assert world.view(0.0, 0.0, 5.0)(45.0) is None
    assert world.room(0.0, 1.0, 5.0) == pytest.approx(2.0)


def test_bearings_are_positive_to_the_wearers_right() -> None:
    world = World((), (Person(1.0, 1.0, 0.0, 0.0),))
    assert world.view(0.0, 0.0, 0.0)(45.0) is not None
    assert world.view(0.0, 0.0, 0.0)(-45.0) is None


def test_the_walker_stops_after_reaction_and_braking() -> None:
    walker = Walker(0.8)
    walker.going, walker.speed_mps = True, 0.8
    t = 0.0
    while t < 3.0:
        walker.feel((1.0, 1.0), t)
        walker.move(t, 0.01, 0.5)
        t += 0.01
    assert walker.speed_mps == 0.0
    assert walker.y_m == pytest.approx(0.8 * 0.75 + 0.8**2 / 3.0, abs=0.02)
