"""`rearguard bench`: live in a terminal that is put back as it was, in plain lines elsewhere, and its journal."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from bench_help import FakeKeys, made, wall
from rearguard.bench.looking.picture import HEIGHT, Picture
from rearguard.bench.looking.view import AGAIN, Pace, show
from rearguard.bench.walking.outcome import Outcome
from rearguard.bench.walking.walk import Walk
from rearguard.bench.world import fit, scenario
from rearguard.cli import main
from rearguard.core.threat import PROFILES

SHORT = """
title = "A wall near by"
says = "It is felt in time."
lasts_s = 6.0
[walker]
pace_mps = 0.6
sets_off_s = 0.0
[[wall]]
from = [-3.0, 2.5]
to = [3.0, 2.5]
[must]
stop = "in time"
[must_not]
contact = true
"""
UNSEEN = SHORT.replace("to = [3.0, 2.5]", "to = [3.0, 2.5]\ntop_m = 0.1")


@pytest.fixture
def short(tmp_path: Path) -> str:
    path = tmp_path / "short.toml"
    path.write_text(SHORT)
    return str(path)


def a_walk(lasts_s: float = 2.0, name: str = "ultrasonic") -> tuple[Walk, Outcome]:
    walk = Walk(
        made(lasts_s=lasts_s, walker={"sets_off_s": 0.0}, wall=[wall(2.5)]), fit.load(name), PROFILES["default"]
    )
    return walk, Outcome(walk, None)


def test_piped_it_prints_plain_lines_and_ends_with_what_the_walk_came_to(
    short: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", short, "--fast", "--fit", "ultrasonic"]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    table = out.splitlines()
    assert max(map(len, table)) <= 80
    words = [word for line in table for word in line.split()]
    assert words.index("self-test") < words.index("ready") < words.index("STOP") < words.index("goodbye")
    assert table[0] == "A wall near by. It is felt in time."
    assert "No contact." in out
    assert table[-1] == "As the scenario states."


def test_what_the_scenario_states_and_is_not_so_ends_with_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kerb.toml"
    path.write_text(UNSEEN)
    words = ["bench", str(path), "--fast", "--fit", "ultrasonic"]
    assert main(words) == 1
    out = capsys.readouterr().out
    assert "CONTACT" in out
    assert "Not as the scenario states: " in out
    path.write_text(UNSEEN + '[limit]\nall = "It is low."\n')
    scenario.load.cache_clear()
    assert main(words) == 0
    assert "Limit: It is low.\n" in capsys.readouterr().out


def test_who_ignores_the_belt_is_expected_to_run_into_things(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", short, "--fast", "--fit", "ultrasonic", "--ignore"]) == 0
    out = capsys.readouterr().out
    assert "CONTACT" in out
    assert out.endswith("As the scenario states.\n")


def test_the_cautious_profile_stops_sooner(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    def room(profile: str) -> float:
        main(["bench", short, "--fast", "--fit", "ultrasonic", "--profile", profile])
        return float(capsys.readouterr().out.split("first felt: ")[1].split(" m")[0])

    assert room("cautious") > room("default") + 0.1


def test_the_list_names_every_scenario_and_fit_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    for name in scenario.names():
        assert f"{name} {scenario.load(name).title}" in " ".join(out.split())
    assert lines[-1] == "  " + ", ".join(fit.names())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "there is no scenario 'nowhere'; there are: "),
        (["{tmp}/none.toml"], "none.toml: cannot be read: No such file"),
        (["--fit", "nothing"], "there is no fit 'nothing'; there are: both, "),
        (["--config", "{tmp}/none.toml"], "none.toml: there is no such file"),
        (["--seed", "-1"], "--seed -1: allowed: 0 or more"),
        (["--record", "{tmp}/file/journal"], "file/journal: cannot be written to: Not a directory"),
        (["--web", "nowhere"], "there is no scenario 'nowhere'"),
    ],
)
def test_what_cannot_be_walked_is_one_line_and_exit_code_1(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["bench", "--fast", *(word.format(tmp=tmp_path) for word in words)]) == 1
    out, err = capsys.readouterr()
    assert said in err
    assert err.startswith("rearguard: ")
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.parametrize(("missing", "words"), [("rich", []), ("numpy", []), ("uvicorn", ["--web"])])
def test_without_its_packages_it_says_what_to_install(
    missing: str, words: list[str], mocker, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = [name for name in sys.modules if name.startswith("rearguard.bench")]
    parts = [name for name in sys.modules if name.startswith(f"{missing}.")]
    mocker.patch.dict("sys.modules", {missing: None})
    for name in [*ours, *parts]:
        del sys.modules[name]
    assert main(["bench", "--fast", *words]) == 1
    err = capsys.readouterr().err
    assert f"needs the {missing} package, which a belt does without; on a laptop: pipx install rearguard" in err


def test_the_journal_of_a_walk_replays_to_the_alerts_that_were_felt(
    short: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "journals" / "of-today"
    words = ["bench", short, "--fast", "--fit", "both", "--profile", "cautious", "--record", str(folder)]
    assert main(words) == 0
    journal = folder / "journal-000001.jsonl"
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == f"Journal: {journal}"
    felt = [line for line in journal.read_text().splitlines() if '"level"' in line]
    assert main(["replay", str(journal)]) == 0
    assert capsys.readouterr().out.splitlines() == felt
    assert any('"stop"' in line for line in felt)


@pytest.mark.parametrize(("name", "fine"), [("turn", True), ("corridor", True), ("first-walk", False)])
def test_the_picture_fits_80_columns_and_24_lines_with_and_without_unicode(name: str, fine: bool) -> None:
    walk = Walk(scenario.load(name), fit.load("both"), PROFILES["default"])
    picture = Picture(walk, fine, hints=True)
    console = Console(width=80, no_color=True, record=True, file=StringIO(), legacy_windows=not fine)
    pictures = 0
    for i, moment in enumerate(walk.run()):
        picture.add(moment)
        if i % 100 == 99:
            pictures += 1
            console.print(picture.drawn())
        if i == 500:
            break
    text = console.export_text()
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == HEIGHT * pictures
    assert HEIGHT < 24
    for word in (walk.scenario.title, "range", "closes", "left to right", "room", "to stop", "/^\\", "space pauses"):
        assert word in text
    assert ("•" in text) is fine


def printed(drawn: RenderableType) -> str:
    console = Console(width=80, no_color=True, file=StringIO(), record=True)
    console.print(drawn)
    return console.export_text()


def test_the_plan_turns_with_the_wearer() -> None:
    turned = {"sets_off_s": 0.0, "turns_dps": 90.0, "turns_until_s": 1.0, "pace_mps": 0.1}
    chosen = made(lasts_s=3.0, walker=turned, wall=[{"from": [2.0, -6.0], "to": [2.0, 6.0]}])  # to the right, at first
    walk = Walk(chosen, fit.load("ultrasonic"), PROFILES["default"])
    picture = Picture(walk, True)
    shown = []
    for moment in walk.run():
        picture.add(moment)
        if moment.walking and moment.way.first in (0, 200):
            shown.append(printed(picture.drawn()))
    before, after = shown
    assert before.count("║") > 10
    assert before.count("═") == 1  # in the legend
    assert after.count("═") > 20
    assert after.count("║") == 0


def test_space_pauses_a_walk_and_it_takes_so_much_longer() -> None:
    told: list[bool] = []
    keys = FakeKeys((0.5, " "), (10.5, " "))
    pace = Pace(keys, False, keys.now)
    assert pace.wait(0.4, told.append) is None
    assert keys.passed() == pytest.approx(0.4)
    assert pace.wait(1.0, told.append) is None
    assert told == [True, False]
    assert keys.passed() == pytest.approx(11.0)


def test_a_picture_that_stands_shows_the_motors_as_they_were() -> None:
    walk, _ = a_walk()
    picture = Picture(walk, True, hints=True)
    moments = walk.run()
    picture.add(next(moments))
    moving, stands = printed(picture.drawn()), printed(picture.drawn(paused=True))
    assert "● ○ ○" in moving  # the self-test
    assert stands.replace("paused: space goes on", "space pauses") == moving
    moments.close()


def test_a_paused_walk_says_so_and_goes_on_where_it_was() -> None:
    walk, outcome = a_walk()
    keys = FakeKeys((1.0, "x"), (3.0, " "), (4.0, "x"), (63.0, " "))
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=30, no_color=True)
    assert show(walk, outcome, keys, False, console, keys.now) is None
    assert "paused: space goes on" in out.getvalue()
    assert keys.passed() == pytest.approx(walk.clock.now() + 60.0, abs=0.2)


@pytest.mark.parametrize("key", ["q", AGAIN])
def test_a_walk_can_be_ended_or_begun_again_even_while_it_is_paused(key: str) -> None:
    for pressed in ([(1.0, key)], [(1.0, " "), (2.0, key)]):
        walk, outcome = a_walk()
        port = [part.port for part in walk.config.sensors.values() if hasattr(part, "port")]
        keys = FakeKeys(*pressed)
        console = Console(file=StringIO(), force_terminal=True, width=80, height=30)
        assert show(walk, outcome, keys, False, console, keys.now) == key
        assert walk.clock.now() < 1.5
        assert outcome.text(whole=False).endswith("contact.")
        assert not any(Path(name).exists() for name in port)
