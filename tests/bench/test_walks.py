"""Walks: who walks, who obeys, and what it comes to."""

from __future__ import annotations

from random import Random

import msgspec
import numpy as np
import pytest

from rearguard.bench.judging.agreement import Agreement
from rearguard.bench.walking import quick
from rearguard.bench.walking.quick import Felt, Record, Walk
from rearguard.bench.walking.score import Walked, score
from rearguard.bench.walking.truth import truth
from rearguard.bench.world import fit, scenario
from rearguard.bench.world.gait import Gait
from rearguard.bench.world.scenario import Must, MustNot, Scenario, WalkerTable, WallTable
from rearguard.bench.world.things import Wall
from rearguard.bench.world.walker import GRID_S, Habits, Skin, Walker
from rearguard.bench.world.way import Stretch, Way
from rearguard.core.reading import Input
from rearguard.core.threat import CLEAR, NOTICE, PROFILES, STOP, WARN, Level, stop_distance

DEFAULT = PROFILES["default"]
BELT = fit.load("ultrasonic")
TO_A_WALL = Scenario(
    title="", says="", lasts_s=12.0, walker=WalkerTable(pace_mps=0.6), wall=(WallTable(from_=(-6, 4), to=(6, 4)),),
    must=Must(stop="in time"), must_not=MustNot(contact=True),
)  # fmt: skip


class Scripted:
    """A guard that says what it is told to, when it is told to."""

    def __init__(self, *felt: tuple[float, Level]) -> None:
        self._felt = [Felt(t, level, (), None) for t, level in felt]
        self.wake_s = self._felt[0].t_s if self._felt else float("inf")

    def take(self, inputs: tuple[Input, ...], now_s: float) -> Felt | None:
        if not self._felt or now_s < self._felt[0].t_s:
            return None
        felt = self._felt.pop(0)
        self.wake_s = self._felt[0].t_s if self._felt else float("inf")
        return felt._replace(t_s=now_s)


def walked(*felt: tuple[float, Level], obeys: bool = True, route: Scenario = TO_A_WALL, seed: int = 1) -> Record:
    return Walk(route, BELT, DEFAULT, seed, obeys, guard=Scripted(*felt)).run()


def scored(*felt: tuple[float, Level], obeys: bool = True, route: Scenario = TO_A_WALL) -> Walked:
    return score(walked(*felt, obeys=obeys, route=route), route, obeys=obeys)


def due_s() -> float:
    """When STOP is due on the way to the wall."""
    return scored_time(walked(obeys=False))


def scored_time(record: Record) -> float:
    return float(np.argmax(record.truth.gap_m <= record.truth.needed_m)) * GRID_S


def test_the_same_seed_is_the_same_walk_and_another_is_not() -> None:
    first, same, other = (Walk(TO_A_WALL, BELT, DEFAULT, seed).run() for seed in (3, 3, 4))
    assert first.felt == same.felt
    assert (first.way.y_m == same.way.y_m).all()
    assert first.felt != other.felt


@pytest.mark.parametrize("name", ["wall", "person-standing", "hang", "arm-swing"])
def test_how_far_ahead_the_way_is_worked_out_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def felt() -> tuple[Felt, ...]:
        return Walk(scenario.load(name), BELT, DEFAULT, 5).run().felt

    usual = felt()
    monkeypatch.setattr(quick, "CALM", 37)
    monkeypatch.setattr(quick, "BUSY", 11)
    assert [f[1:3] for f in felt()] == [f[1:3] for f in usual]
    assert [f.t_s for f in felt()] == pytest.approx([f.t_s for f in usual], abs=1e-6)


def test_who_ignores_the_belt_walks_into_the_wall() -> None:
    assert scored(obeys=False).contact
    assert scored((3.0, STOP), obeys=False).contact


def test_who_obeys_stops_after_a_reaction_at_the_next_footfall() -> None:
    for seed in range(30):
        habits = Habits.drawn(0.6, Random(f"walker {seed}"))
        record = walked((4.0, STOP), seed=seed)
        pace = record.way.pace_mps
        braking = np.flatnonzero(np.diff(pace) < 0)[0] * GRID_S
        assert 4.0 + habits.react_s < braking < 4.0 + 0.08 + habits.react_s + 0.6
        took = np.flatnonzero(pace[400:] == 0.0)[0] * GRID_S + 4.0 - braking
        assert took == pytest.approx(0.6 / habits.brake_mps2, abs=0.03)


def test_warn_slows_and_a_notice_does_not() -> None:
    assert walked((2.5, NOTICE), obeys=True).way.pace_mps[550] == pytest.approx(0.6, rel=0.03)
    assert walked((2.5, WARN), obeys=True).way.pace_mps[550] == pytest.approx(0.36, rel=0.03)


def test_after_a_false_stop_the_walker_looks_back_and_walks_on() -> None:
    record = walked((2.0, STOP), (2.5, CLEAR))
    assert record.way.pace_mps[350] == 0.0
    assert record.way.pace_mps[700] == pytest.approx(0.6, rel=0.03)


def test_before_a_wall_the_walker_stays() -> None:
    record = walked((due_s(), STOP), (due_s() + 1.0, CLEAR))
    assert record.way.pace_mps[-1] == 0.0
    assert record.truth.room_m.min() > 0.3


def test_skin_tells_the_levels_by_place_and_rhythm() -> None:
    skin = Skin()
    off, one, all_ = (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 1.0, 1.0)
    assert skin.feel(one, 0.0) is NOTICE
    assert skin.feel(off, 0.2) is NOTICE
    assert skin.feel(one, 0.37) is WARN
    assert skin.feel(off, 0.9) is CLEAR
    assert skin.feel(all_, 1.0) is STOP
    assert skin.feel(off, 1.08) is STOP
    assert skin.feel(off, 1.5) is CLEAR


def test_a_gait_moves_the_sensor_as_far_as_told() -> None:
    way = Way(Walker(Habits(1.0), True, 0.0), Gait(), 0.0, 0.0, 0.0, False)
    stretch = way.ahead(1000)
    poses = way.poses(stretch, np.arange(300, 1000), 0.0)
    assert np.ptp(np.degrees(poses.heading)) == pytest.approx(10.0, rel=0.15)
    assert np.ptp(poses.height_m) == pytest.approx(0.04, rel=0.15)
    assert np.ptp(poses.x_m) == pytest.approx(0.04, rel=0.15)
    assert np.ptp(stretch.speed_mps[300:]) == pytest.approx(0.15, rel=0.05)


def test_walking_forward_and_turning_lead_where_they_should() -> None:
    def end(**more: object) -> Stretch:
        table = WalkerTable(pace_mps=0.5, sets_off_s=0.0, **more)  # type: ignore[arg-type]
        return Walk(Scenario(title="", says="", lasts_s=8.0, walker=table), BELT, DEFAULT, 1, obeys=False).run().way

    assert end(forward=True).y_m[-1] == pytest.approx(-end().y_m[-1], rel=0.02)
    turned = end(turns_dps=60.0, turns_from_s=2.0, turns_until_s=3.5)
    assert turned.course[-1] == pytest.approx(np.pi / 2)
    assert turned.x_m[-1] > 1.5


def test_a_stop_that_comes_in_time_is_neither_missed_nor_false() -> None:
    found = scored((due_s(), STOP), (due_s() + 3.0, CLEAR))
    assert (found.dangers, found.missed, found.false_stops, found.contact, found.broken) == (1, 0, 0, False, ())
    (stop,) = found.stops
    assert stop.late_s == pytest.approx(0.0, abs=0.02)
    assert stop.felt_m == pytest.approx(stop_distance(stop.closing_mps, DEFAULT), abs=0.02)
    assert stop.ttc_s == pytest.approx(stop.felt_m / stop.closing_mps)


@pytest.mark.parametrize(("late_s", "missed"), [(0.3, 0), (0.7, 1)])
def test_a_stop_that_comes_half_a_second_late_is_missed_and_its_lateness_told(late_s: float, missed: int) -> None:
    found = scored((due_s() + late_s, STOP), obeys=False)
    assert found.missed == missed
    assert found.stops[0].late_s == pytest.approx(late_s, abs=0.02)


def test_a_stop_that_never_comes_is_missed_and_said_so() -> None:
    found = scored(obeys=False)
    assert (found.dangers, found.missed, found.stops) == (1, 1, ())
    assert found.broken == ("STOP was missed",)  # that who heeds nothing runs into the wall is no news
    assert score(walked(obeys=False), TO_A_WALL).broken == ("STOP was missed", "contact")


@pytest.mark.parametrize(("level", "stops", "others"), [(STOP, 1, 0), (WARN, 0, 1), (NOTICE, 0, 1)])
def test_what_is_felt_far_from_anything_is_false(level: Level, stops: int, others: int) -> None:
    found = scored((1.5, level), (2.0, CLEAR), obeys=False)
    assert (found.false_stops, found.false_others) == (stops, others)


def test_a_stop_again_at_once_is_chatter() -> None:
    t = due_s()
    assert scored((t, STOP), (t + 0.5, CLEAR), (t + 1.0, STOP), obeys=False).chatter == 1


def test_a_walk_too_fast_for_its_sensor_deserves_a_notice() -> None:
    record = walked((2.0, NOTICE), obeys=False)
    assert score(record, TO_A_WALL).false_others == 1
    assert score(record, TO_A_WALL, fastest_mps=0.5).false_others == 0


def test_two_that_must_agree_raise_nothing_alone() -> None:
    pair = fit.load("pair")
    route = msgspec.structs.replace(scenario.load("open-field-bursts"), lasts_s=600.0)
    phantoms = msgspec.structs.replace(route, air=msgspec.structs.replace(route.air, false_echoes="phantoms"))
    alone = sum(score(Walk(phantoms, pair, DEFAULT, s).run(), phantoms).false_stops for s in range(3))
    guards = [Agreement(pair, DEFAULT) for _ in range(3)]
    agreed = [Walk(phantoms, pair, DEFAULT, s, guard=guard).run() for s, guard in enumerate(guards)]
    assert alone > 5
    assert sum(score(record, phantoms).false_stops for record in agreed) < alone / 5
    met = Walk(TO_A_WALL, pair, DEFAULT, 1, guard=Agreement(pair, DEFAULT)).run()
    assert any(f.level is STOP for f in met.felt)


def test_the_oracle_sees_the_wall_where_it_is() -> None:
    record = walked(obeys=False)
    again = truth(record.way, (Wall(-6, 4, 6, 4),), DEFAULT)
    assert (again.gap_m == record.truth.gap_m).all()
    assert record.truth.gap_m[300] == pytest.approx(4.0 - record.way.y_m[300])
