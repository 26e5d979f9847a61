"""What sensors hear and see: the facts that the models are fixed by, and the geometry beneath."""

from __future__ import annotations

from math import inf, radians

import numpy as np
import pytest

from rearguard.bench.sensing import sonar
from rearguard.bench.sensing.models import Fitted, model
from rearguard.bench.walking.truth import truth
from rearguard.bench.world import fit
from rearguard.bench.world.air import Air, Luck
from rearguard.bench.world.gait import Gait
from rearguard.bench.world.things import Disc, Poses, Wall, World
from rearguard.bench.world.walker import GRID_S, Habits, Walker
from rearguard.bench.world.way import Hand, Stretch, Way
from rearguard.core.reading import CLEAR, OK, WEAK, Scan
from rearguard.core.threat import PROFILES
from rearguard.sensors import Sonar, hcsr04

PART: Sonar = hcsr04.Config(driver="hcsr04", trigger_pin=23, echo_pin=24).senses()
DEFAULT = PROFILES["default"]
STILL = Gait(0, 0, 0, 0, 0, 0)


def pose(heading_deg: float = 0.0, height_m: float = 0.9, pitch_deg: float = 0.0) -> Poses:
    one = np.ones(1)
    return Poses(0 * one, 0 * one, 0 * one, radians(heading_deg) * one, height_m * one, radians(pitch_deg) * one)


def heard(thing: Wall | Disc, where: Poses | None = None, luck_db: float = 0.0) -> float:
    return float(sonar.heard(PART, (thing,), where or pose(), sonar.AIR_DB_PER_M, np.full(1, luck_db))[0])


def wall(y_m: float, **more: object) -> Wall:
    return Wall(-6.0, y_m, 6.0, y_m)._replace(**more)


@pytest.mark.parametrize("y_m", [0.3, 1.0, 2.6, 4.0])
def test_a_wall_that_it_faces_is_heard_as_far_as_the_part_measures(y_m: float) -> None:
    assert heard(wall(y_m)) == pytest.approx(y_m)


@pytest.mark.parametrize(
    ("turn_deg", "y_m", "seen"), [(9, 1.4, True), (11, 1.6, False), (6, 3.0, True), (9, 3.0, False)]
)
def test_a_panel_must_face_it_within_10_degrees_up_to_1_45_m_and_less_beyond(
    turn_deg: float, y_m: float, seen: bool
) -> None:
    assert (heard(wall(y_m), pose(turn_deg)) < inf) is seen


@pytest.mark.parametrize(("y_m", "seen"), [(2.3, True), (2.6, False)])
def test_a_rod_is_lost_at_some_2_45_m(y_m: float, seen: bool) -> None:
    assert (heard(Disc(0.0, y_m, 0.01)) < inf) is seen


@pytest.mark.parametrize(("y_m", "seen"), [(2.0, True), (2.6, False)])
def test_a_coat_is_lost_long_before_a_wall(y_m: float, seen: bool) -> None:
    assert (heard(Disc(0.0, y_m, 0.2, "coat")) < inf) is seen


def test_a_wall_at_30_degrees_throws_the_sound_elsewhere() -> None:
    assert heard(wall(1.5), pose(30)) == inf


def test_a_thing_below_the_beam_is_not_heard() -> None:
    assert heard(wall(1.5, top_m=0.15)) == inf
    assert heard(wall(1.5, top_m=0.8)) < inf


def test_the_nearest_of_what_is_loud_enough_is_told() -> None:
    things = (wall(3.0), Disc(0.0, 1.2, 0.0375))
    assert float(sonar.heard(PART, things, pose(), 1.3, np.zeros(1))[0]) == pytest.approx(1.2 - 0.0375)


def test_what_appears_later_is_not_there_before() -> None:
    assert heard(wall(1.0, from_s=5.0)) == inf
    assert heard(Disc(0.0, 1.0, 0.1, appears_s=5.0)) == inf


def test_a_ray_meets_the_nearest_thing_and_goes_through_glass() -> None:
    world = World((wall(3.0), wall(2.0, of="glass"), Disc(1.0, 1.0, 0.2)))
    r, cosine, which = world.cast(pose(2.0), np.radians([0.0, 43.0, 178.0]))
    assert r[0] == pytest.approx([3.0 / np.cos(radians(2.0)), np.sqrt(2) - 0.2, inf], abs=1e-3)
    assert which[0].tolist() == [0, 2, -1]
    assert cosine[0][0] == pytest.approx(np.cos(radians(2.0)))


def test_a_ray_looks_over_what_is_lower() -> None:
    r, _, _ = World((wall(1.0, top_m=0.8), wall(3.0))).cast(pose(), np.zeros(1))
    assert r[0][0] == 3.0
    r, _, _ = World((wall(1.0, top_m=0.8), wall(3.0))).cast(pose(pitch_deg=-7.0), np.zeros(1))
    assert r[0][0] == 1.0


def still(seconds: float = 3.0) -> tuple[Way, Stretch]:
    way = Way(Walker(Habits(0.6), True, 100.0), STILL, 0.0, 0.0, 0.0, False)
    return way, way.ahead(round(seconds / GRID_S))


@pytest.mark.parametrize(("belt", "far", "status"), [("ultrasonic", 4.5, CLEAR), ("tf-luna", 8.5, WEAK)])
def test_ideal_readings_are_the_geometry(belt: str, far: float, status: object) -> None:
    ((name, part),) = fit.load(belt).sensors.items()
    ideal = model(Fitted(name, part, Air(), (1, 0), 10.0, ideal=True))
    way, stretch = still()
    answers = [item for _, item in ideal.read(way, stretch, (wall(2.0),))]
    assert len(answers) == pytest.approx(3.0 / ideal.period_s, abs=1)
    assert {item.status for item in answers} == {OK}
    assert {round(item.distance_m, 3) for item in answers} == {2.0}
    assert {item.status for _, item in ideal.read(way, stretch, (wall(far),))} == {status}


def test_an_ideal_sweep_sees_the_wall_at_every_bearing() -> None:
    ((name, part),) = fit.load("ld06").sensors.items()
    way, stretch = still(1.0)
    scans = [
        item for _, item in model(Fitted(name, part, Air(), (1, 0), 10.0, ideal=True)).read(way, stretch, (wall(2.0),))
    ]
    for scan in scans:
        assert isinstance(scan, Scan)
        ahead = [(b, r) for b, r in zip(scan.bearings_deg, scan.ranges_m, strict=True) if abs(b) < 45]
        assert all(r == pytest.approx(2.0 / np.cos(radians(b)), abs=1e-6) for b, r in ahead)


@pytest.mark.parametrize(("kind", "alone"), [("isolated", True), ("bursts", False), ("phantoms", False)])
def test_false_and_missed_echoes_come_as_often_as_told(kind: str, alone: bool) -> None:
    luck = Luck(Air(false_echoes=kind), 200_000, 4.0, (7, 0))
    false = np.isfinite(luck.false)
    assert false.mean() == pytest.approx(0.03, rel=0.1)
    assert luck.missed.mean() == pytest.approx(0.05, rel=0.1)
    follows = (false[1:] & false[:-1]).sum() / false.sum()
    assert follows < 0.05 if alone else follows > 0.5
    assert luck.false[false].min() >= 0.2
    assert luck.false[false].max() <= 4.0


def test_luck_belongs_to_the_seed() -> None:
    first, same, other = (Luck(Air(), 100, 4.0, (seed, 0)) for seed in (1, 1, 2))
    assert (first.gauss == same.gauss).all()
    assert (first.gauss != other.gauss).any()


@pytest.mark.parametrize(("celsius", "shown"), [(-5.0, 2.0 * 343.42 / 328.27), (35.0, 2.0 * 343.42 / 352.51)])
def test_cold_air_makes_all_seem_further_off(celsius: float, shown: float) -> None:
    ((name, part),) = fit.load("ultrasonic").sensors.items()
    air = Air(temperature_c=celsius, false_echoes="none", missed_share=0.0)
    way, stretch = still(30.0)
    seen = [
        item.distance_m for _, item in model(Fitted(name, part, air, (1, 0), 40.0)).read(way, stretch, (wall(2.0),))
    ]
    assert np.mean(seen) == pytest.approx(shown - 0.004, abs=0.001)


def test_a_hand_is_behind_the_back_for_part_of_each_stride_only() -> None:
    walker = Walker(Habits(1.0), True, 0.0)
    way = Way(walker, Gait(), 0.0, 0.0, 0.0, False)
    stretch = way.ahead(600)
    _, y = Hand(stretch, 1, 0.02).at(stretch.t_s)
    back = (y - stretch.y_m)[300:]
    assert 0.15 < back.max() <= 0.2
    assert 0.3 < (back > 0).mean() < 0.5


def known(thing: Wall | Disc, pace_mps: float = 0.6, heading_deg: float = 0.0):
    one = np.ones(1)
    zero = 0 * one
    stretch = Stretch(0, zero, zero, zero, radians(heading_deg) * one, pace_mps * one, pace_mps * one, zero)
    return truth(stretch, (thing,), DEFAULT)


def test_the_oracle_knows_the_distance_along_the_way_to_what_the_body_meets() -> None:
    assert known(wall(2.0)).gap_m[0] == 2.0
    assert known(Wall(-1.0, 1.0, 1.0, 3.0)).gap_m[0] == pytest.approx(2.0 - 0.25)
    assert known(Wall(0.3, 1.0, 0.3, 9.0)).gap_m[0] == inf
    assert known(Disc(0.3, 2.0, 0.1)).gap_m[0] == pytest.approx(2.0 - np.sqrt(0.1**2 - 0.05**2))
    assert known(Disc(0.4, 2.0, 0.1)).gap_m[0] == inf


def test_the_oracle_counts_the_speed_that_somebody_brings() -> None:
    coming = known(Disc(0.0, 5.0, 0.2, vy=-1.2))
    assert coming.closing_mps[0] == pytest.approx(1.8)
    assert coming.gap_m[0] == pytest.approx(4.8)
    assert known(Disc(0.0, 2.0, 0.2, vy=0.6)).gap_m[0] == inf
    assert known(Disc(3.0, 4.0, 0.2, vx=-1.2)).gap_m[0] == inf
    assert known(Disc(3.0, 3.0, 0.2, vx=-0.6)).gap_m[0] == pytest.approx(3.0 * np.sqrt(2) - 0.2, abs=0.01)
