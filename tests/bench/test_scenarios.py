"""The scenarios and fits that ship, and scenario files of users."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from rearguard import sensors
from rearguard.bench.walking.quick import Record, Walk
from rearguard.bench.walking.score import score
from rearguard.bench.world import fit, scenario
from rearguard.bench.world.scenario import MustNot, Scenario
from rearguard.config import Config
from rearguard.errors import InputError

NAMES = scenario.names()
SINGLE = ("ultrasonic", "tf-luna", "ld06", "sound")  # one sensor each; "sound" is that of the outdoor belt, alone
BELTS = (*SINGLE, "outdoor")
LONGEST_S = 60.0  # of a walk in this test
SEED = 0

EXPECTED = (
    "arm-swing", "bob-and-pitch", "box", "child", "cold", "corridor", "corrupt", "covered", "crosstalk", "fence",
    "frozen", "furniture", "ghosts", "glass-door", "hang", "hedge", "hot", "kerb", "narrow-door", "object",
    "open-field", "open-field-bursts", "person-approaching", "person-crossing", "person-following",
    "person-overtaking", "person-standing", "pole", "pole-beside", "pole-passed", "rain", "shopping-crowd",
    "silent", "sofa", "stand-near-wall", "step-down", "sudden", "sunlight", "turn", "unplugged", "walking-forward",
    "wall", "wall-30-degrees", "wall-60-degrees", "wall-fast", "wall-slow", "weak-answers",
)  # fmt: skip

WALK = """
title = "A wall"
says = "STOP is felt."

[[wall]]
from = [-6.0, 4.5]
to = [6.0, 4.5]

[must]
stop = "in time"
"""


def fitted(belt: str) -> Config:
    """A fit that ships, or the A02YYUW of the outdoor belt by itself."""
    if belt != "sound":
        return fit.load(belt)
    whole = fit.load("outdoor")
    return msgspec.structs.replace(whole, sensors={belt: whole.sensors[belt]})


def drivers(belt: str) -> list[str]:
    return [part.driver for part in fitted(belt).sensors.values()]


def walked(name: str, belt: str, seed: int = SEED) -> tuple[Scenario, Record]:
    route = scenario.load(name)
    route = msgspec.structs.replace(route, lasts_s=min(route.lasts_s, LONGEST_S))
    worn = fitted(belt)
    return route, Walk(route, worn, worn.profile, seed).run()


def refusal(folder: Path, text: str) -> str:
    """What is said of a scenario file with this text, without the path that it begins with."""
    path = folder / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        scenario.load(str(path))
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    return said.removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_reads_like_sentences_and_states_something(name: str) -> None:
    route = scenario.load(name)
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", name)
    assert route.name == name
    assert re.fullmatch(r"[A-Z0-9].*[^.]", route.title)
    assert re.fullmatch(r"[A-Z0-9].*\.", route.says)
    must = route.must
    states = (must.stop, must.contact_least_s, must.sudden_within_s, must.fault, must.armed_within_s)
    assert any(states) or route.must_not != MustNot()


def test_what_a_wearer_may_meet_is_there() -> None:
    assert len(NAMES) >= 32
    assert set(EXPECTED) <= set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if scenario.load(name).limit])
def test_a_limit_names_drivers_and_says_why_in_one_sentence(name: str) -> None:
    limit = scenario.load(name).limit
    assert set(limit) <= {*sensors.names(), "all"}
    for why in limit.values():
        assert re.fullmatch(r"[A-Z][^!?]*\.", why)


def test_every_scenario_can_be_met_by_some_fit_or_by_none_at_all() -> None:
    for name in NAMES:
        route = scenario.load(name)
        blind = [belt for belt in fit.names() if route.declared(drivers(belt))]
        assert len(blind) < len(fit.names()) or set(route.limit) in ({"all"}, set(sensors.names())), name


@pytest.mark.parametrize("belt", ["ultrasonic", "pair", "tf-luna", "ld06", "both", "outdoor"])
def test_a_fit_is_a_belt_whose_sensors_all_look_straight_back(belt: str) -> None:
    worn = fit.load(belt)
    assert worn.pin_factory == "mock"
    assert not worn.journal.enabled
    assert {part.bearing_deg for part in worn.sensors.values()} == {0.0}


@pytest.mark.parametrize(
    ("name", "belt"),
    [(name, belt) for name in NAMES for belt in BELTS if not scenario.load(name).declared(drivers(belt))],
)
def test_a_walk_holds_what_its_scenario_states(name: str, belt: str) -> None:
    route, record = walked(name, belt)
    assert score(record, route, fit=belt, seed=SEED).broken == ()


@pytest.mark.parametrize("belt", SINGLE)
def test_the_same_seed_gives_the_same_walk(belt: str) -> None:
    (_, one), (_, same), (_, other) = (walked("child", belt, seed) for seed in (3, 3, 4))
    assert one.felt == same.felt
    assert one.way.y_m.tolist() == same.way.y_m.tolist()
    assert one.way.y_m.tolist() != other.way.y_m.tolist()


def test_a_stop_before_any_was_due_is_none_that_came_late() -> None:
    route, record = walked("sudden", "outdoor", seed=1005)
    found = score(record, route, fit="outdoor", seed=1005)
    assert found.stops == ()
    assert found.broken == ()


def test_a_kerb_is_touched_for_no_sensor_sees_it() -> None:
    route, record = walked("kerb", "both")
    assert route.declared(drivers("both")) == route.limit["all"]
    assert score(record, route).contact


def test_what_one_driver_cannot_see_is_no_limit_of_a_belt_with_another_that_can() -> None:
    route = scenario.load("glass-door")
    assert route.declared(["ld06"]) == route.limit["ld06"]
    assert route.declared(["ld06", "hcsr04"]) is None


def test_a_fence_that_a_closed_probe_hardly_hears_is_no_limit_of_a_belt_with_a_beam_that_sees_it() -> None:
    route = scenario.load("fence")
    assert route.declared(drivers("sound")) == route.limit["a02yyuw"]
    assert route.declared(drivers("outdoor")) is None


def test_a_scenario_of_the_user_is_loaded_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(WALK)
    assert scenario.load(str(path)).title == "A wall"


def test_an_unknown_scenario_is_answered_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"no scenario 'wal'; there are: .*\bwall\b.*; or give a TOML file"):
        scenario.load("wal")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(InputError) as caught:
        scenario.load(str(path))
    assert str(caught.value) == f"{path}: cannot be read: No such file or directory"


def test_bad_toml_is_told_with_its_line(tmp_path: Path) -> None:
    said = refusal(tmp_path, WALK + "pace_mps = = 1\n")
    assert said.startswith("not valid TOML: ")
    assert f"line {WALK.count(chr(10)) + 1}" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            WALK + "[walker]\npace = 0.6\n",
            r"walker\.pace = 0\.6: unknown key \(did you mean pace_mps\?\); allowed: .*stops_s.*",
        ),
        (WALK + "[walker]\npace_mps = 9.0\n", r"walker\.pace_mps = 9\.0: allowed: a number from 0 to 5"),
        (WALK + '[walker]\nhands = "high"\n', r"walker\.hands = 'high': allowed: still, beside, behind"),
        (WALK + "[air]\nsun = 2\n", r"air\.sun = 2: allowed: a number from 0 to 1"),
        (WALK + "[[post]]\nat = [0.0, 3.0]\n", r"post\[0\]\.diameter_m: this key is missing; allowed: a number .*"),
        (WALK + '[[trouble]]\nis = "asleep"\n', r"trouble\[0\]\.is = 'asleep': allowed: silent, frozen, .*"),
        (WALK.replace("-6.0", "-6000.0"), r"wall\[0\]\.from\[0\] = -6000\.0: allowed: a number from -1000 to 1000"),
        (WALK.replace("from = ", "form = "), r"wall\[0\]\.form = .*: unknown key \(did you mean from\?\); .*"),
    ],
)
def test_a_mistake_is_told_with_its_key_its_value_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    assert re.fullmatch(said, refusal(tmp_path, text))
