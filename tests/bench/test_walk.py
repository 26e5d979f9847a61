"""A walk through the whole firmware: what the wearer feels, what goes wrong on the way, and what it leaves behind."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bench_help import CALM_AIR, made, wall
from rearguard.bench.walking.moment import Moment
from rearguard.bench.walking.outcome import Outcome, limit_of
from rearguard.bench.walking.quick import HANG_S, RESTART_S
from rearguard.bench.walking.walk import Walk
from rearguard.bench.world import fit, scenario
from rearguard.bench.world.scenario import Scenario
from rearguard.config import Config
from rearguard.core.reading import Cue
from rearguard.core.threat import PROFILES, STOP

BARE = " without masks"


def bare(belt: Config) -> Config:
    """A LiDAR that is told of no part of the body: what lies over it is not taken for a hand."""
    parts = {name: msgspec.structs.replace(part, body=()) for name, part in belt.sensors.items()}
    return msgspec.structs.replace(belt, sensors=parts)


def walked(chosen: Scenario, name: str, seed: int = 1, obeys: bool = True) -> tuple[list[Moment], Outcome]:
    """A whole walk, and what it came to."""
    belt = bare(fit.load(name.removesuffix(BARE))) if name.endswith(BARE) else fit.load(name)
    walk = Walk(chosen, belt, PROFILES["default"], seed, obeys)
    outcome = Outcome(walk, limit_of(chosen, belt))
    moments = []
    for moment in walk.run():
        outcome.add(moment)
        moments.append(moment)
    return moments, outcome


def test_the_walker_meets_a_person_and_a_wall_and_touches_neither() -> None:
    moments, outcome = walked(scenario.load("first-walk"), "both")
    assert outcome.broken() == []
    assert outcome.code() == 0
    assert "STOP 2 times" in outcome.text()
    assert not outcome.contact
    assert any(moment.level is STOP and all(moment.duties) for moment in moments)


def test_who_ignores_the_belt_runs_into_the_wall_though_stop_was_felt() -> None:
    moments, outcome = walked(scenario.load("wall"), "ultrasonic", obeys=False)
    assert outcome.contact
    assert outcome.walked().missed == 0
    assert outcome.code() == 0
    assert "CONTACT" in outcome.text()
    stops = [moment.room_m for moment in moments if moment.level is STOP]
    assert stops[0] > 1.5


@pytest.mark.parametrize("name", ["both", "tf-luna"])
def test_the_same_seed_walks_the_same_walk(name: str) -> None:
    chosen = made(lasts_s=2.0, walker={"sets_off_s": 0.0}, wall=[wall(2.0)])

    def told(seed: int) -> list[object]:
        moments, _ = walked(chosen, name, seed)
        return [(m.t_s, m.y_m, m.alert, m.duties, m.buzzer, m.heard) for m in moments]

    first = told(7)
    assert told(7) == first
    assert told(8) != first


def test_the_wearer_waits_for_ready_and_is_told_goodbye() -> None:
    moments, _ = walked(made(lasts_s=3.0), "both")
    cues = [m.cue for m in moments]
    assert cues.index(Cue.SELF_TEST) < cues.index(Cue.READY) < cues.index(Cue.GOODBYE)
    begun = next(i for i, m in enumerate(moments) if m.walking)
    assert Cue.READY not in cues[begun:]
    assert all(m.y_m == 0.0 and m.walk_s == 0.0 for m in moments[:begun])
    assert moments[begun].walk_s == pytest.approx(0.01)
    assert not any(m.walking for m in moments[cues.index(Cue.GOODBYE) :])
    assert not any(moments[-1].duties)


TROUBLES = [
    ("ultrasonic", "silent", {"rear:no_data"}, 0.3),
    ("ultrasonic", "unplugged", {"rear:no_data"}, 0.3),  # nobody can tell that it is gone
    ("ultrasonic", "corrupt", {"rear:no_data", "rear:implausible"}, 0.3),
    ("ultrasonic", "covered", {"rear:blocked"}, 3.3),
    ("tf-luna", "silent", {"rear:no_data"}, 0.3),
    ("tf-luna", "unplugged", {"rear:lost"}, 0.3),
    ("tf-luna", "corrupt", {"rear:implausible"}, 0.3),
    ("tf-luna", "frozen", {"rear:frozen"}, 0.4),
    ("tf-luna", "covered", {"rear:blocked"}, 3.3),
    ("ld06", "silent", {"scan:no_data"}, 0.3),
    ("ld06", "unplugged", {"scan:lost"}, 0.3),
    ("ld06", "corrupt", {"scan:no_data", "scan:implausible"}, 0.3),
    ("ld06", "frozen", {"scan:frozen"}, 0.4),
    ("ld06 without masks", "covered", {"scan:blocked"}, 3.3),
]


@pytest.mark.parametrize(("name", "trouble", "faults", "within_s"), TROUBLES)
def test_trouble_on_the_wire_is_felt_as_what_it_is_and_in_time(
    name: str, trouble: str, faults: set[str], within_s: float
) -> None:
    begins = 2.0 if trouble == "frozen" else 0.8  # only who walks can tell that a sensor froze
    chosen = made(
        lasts_s=begins + within_s + 0.2,
        air=CALM_AIR,
        walker={"pace_mps": 0.7, "sets_off_s": 0.0},
        wall=[wall(4.0)],
        trouble=[{"is": trouble, "from_s": begins}],
    )
    moments, outcome = walked(chosen, name, obeys=False)
    told = [m for m in moments if m.walking and set(m.alert.faults) & faults]
    assert told, outcome.text()
    assert 0.0 <= told[0].walk_s - begins <= within_s
    if trouble != "covered":  # of which the motors tell as STOP, until it is sure
        assert told[0].word == "FAULT"
        assert sum(duty > 0.0 for duty in told[0].duties) > 1, "they start a few at a time"
        assert told[0].buzzer


def test_a_sensor_that_is_plugged_in_again_is_heard_again() -> None:
    chosen = made(lasts_s=3.0, air=CALM_AIR, trouble=[{"is": "unplugged", "from_s": 0.5, "until_s": 1.0}])
    for name in ("tf-luna", "ld06"):
        moments, _ = walked(chosen, name)
        walking = [m for m in moments if m.walking]
        assert any(m.alert.faults for m in walking if m.walk_s < 1.0)
        assert not any(m.alert.faults for m in walking if m.walk_s > 2.5)


def test_a_guard_that_hangs_is_ended_and_guards_again_in_time_for_the_wall() -> None:
    chosen = made(
        lasts_s=9.0,
        walker={"pace_mps": 0.6, "sets_off_s": 0.0},
        wall=[wall(4.5)],
        trouble=[{"is": "hang", "from_s": 1.0}],
        must={"stop": "in time", "armed_within_s": 4.0},
        must_not={"contact": True},
    )
    moments, outcome = walked(chosen, "ultrasonic")
    down = [m for m in moments if not m.guarding]
    assert down[0].walk_s == pytest.approx(1.0, abs=0.02)
    assert down[-1].walk_s - down[0].walk_s == pytest.approx(HANG_S + RESTART_S, abs=0.05)
    assert {m.word for m in down} == {"down"}
    assert not any(down[-1].duties)
    assert outcome.broken() == []
    assert any(m.level is STOP for m in moments)


def test_a_walk_that_is_cut_short_leaves_no_port_behind() -> None:
    belt = fit.load("both")
    walk = Walk(made(), belt, belt.profile)
    port = Path(walk.config.sensors["scan"].port)
    moments = walk.run()
    next(moments)
    assert port.is_symlink()
    moments.close()
    assert not port.parent.exists()


def test_another_belt_can_be_walked() -> None:
    from rearguard.config import DEFAULT

    _, outcome = walked(made(lasts_s=9.0, wall=[wall(3.0)], must={"stop": "in time"}), str(DEFAULT))
    assert outcome.broken() == []
    assert not outcome.contact


def test_what_is_broken_is_told_and_is_no_failure_where_it_is_a_declared_limit() -> None:
    unseen = {"lasts_s": 3.5, "walker": {"sets_off_s": 0.0}, "wall": [wall(1.5, top_m=0.1)]}
    unseen |= {"must": {"stop": "in time"}, "must_not": {"contact": True}}
    _, outcome = walked(made(**unseen), "ultrasonic")
    assert outcome.code() == 1
    assert "Not as the scenario states: STOP was missed; contact." in outcome.text().replace("\n", " ")
    _, limited = walked(made(**unseen, limit={"all": "It is lower than the belt."}), "ultrasonic")
    assert limited.code() == 0
    _, ignored = walked(made(**unseen), "ultrasonic", obeys=False)
    assert ignored.code() == 1
    assert "contact" not in ignored.broken()
