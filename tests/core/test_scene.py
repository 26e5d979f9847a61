"""A sweep turned into things, and things followed: what will be hit, and what only passes by."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, degrees
from random import Random

import pytest

from core.worlds import DEFAULT, GRID_DEG, MOTORS, SWEEP, SWEEP_S, Post, Wall, first, levels, play, sweep, sweeps, times
from rearguard.core.pipeline import SWATH_M, Pipeline, Tick
from rearguard.core.reading import Scan
from rearguard.core.scene import ScanTracker, things
from rearguard.core.threat import Level

CORRIDOR = [Wall(-0.6, -2.0, -0.6, 20.0), Wall(0.6, -2.0, 0.6, 20.0)]
AHEAD = 75  # index of bearing 0


def points(**ranges: float) -> Scan:
    """A sweep with returns only at the grid's indices that are named p1, p2 and so on."""
    seen = {int(name[1:]): r for name, r in ranges.items()}
    return Scan(SWEEP.name, 0.0, GRID_DEG, tuple(seen.get(i) for i in range(len(GRID_DEG))))


def guard(inputs: Sequence[Scan], until_s: float) -> list[Tick]:
    return play(Pipeline([SWEEP], MOTORS, DEFAULT), inputs, until_s)


def walked(world: Sequence[Wall | Post], speed: float, stop_s: float, seed: int | None = None) -> list[Tick]:
    noise = None if seed is None else Random(seed)
    return guard(sweeps(lambda t: world, speed, stop_s, noise), stop_s - 0.01)


def test_one_point_is_no_thing() -> None:
    assert things(points(p75=1.0), SWEEP, SWATH_M) == []


def test_two_adjacent_points_are_a_thing() -> None:
    (thing,) = things(points(p75=1.0, p76=1.01), SWEEP, SWATH_M)
    assert thing.compact
    assert thing.x_m == pytest.approx(0.007, abs=0.001)
    assert thing.y_m == pytest.approx(1.01, abs=0.001)  # the second nearest, so that one stray point moves nothing


def test_one_return_in_between_may_fail() -> None:
    assert len(things(points(p74=1.0, p76=1.0), SWEEP, SWATH_M)) == 1
    assert things(points(p73=1.0, p76=1.0), SWEEP, SWATH_M) == []


def test_two_points_at_different_depths_are_two_stray_points() -> None:
    assert things(points(p75=1.0, p76=2.0), SWEEP, SWATH_M) == []


def test_returns_outside_the_sensors_range_are_none() -> None:
    assert things(points(p75=0.01, p76=0.01, p90=12.5, p91=12.5), SWEEP, SWATH_M) == []


def test_of_a_wide_thing_only_what_stands_in_the_way_counts() -> None:
    assert things(sweep(0.0, CORRIDOR), SWEEP, SWATH_M) == []
    (end,) = things(sweep(0.0, [Wall(-3.0, 2.0, 3.0, 2.0)]), SWEEP, SWATH_M)
    assert not end.compact
    assert end.y_m == pytest.approx(2.0, abs=0.001)
    assert end.half_m == pytest.approx(SWATH_M, abs=0.03)


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_corridor_walls_are_no_stop_while_the_end_is_far(seed: int | None) -> None:
    ticks = walked([*CORRIDOR, Wall(-0.6, 15.0, 0.6, 15.0)], 1.0, 10.0, seed)
    assert levels(ticks) == {Level.CLEAR}


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_the_end_of_the_corridor_is_a_stop_where_the_design_says(seed: int | None) -> None:
    ticks = walked([*CORRIDOR, Wall(-0.6, 6.0, 0.6, 6.0)], 1.0, 5.5, seed)
    stop_s = first(ticks, lambda tick: tick.alert.level is Level.STOP)
    assert 6.0 - stop_s == pytest.approx(0.95 + 1 / 3 + 0.45, abs=1.0 * SWEEP_S + 0.03)  # a sweep may just be over
    assert levels(ticks, stop_s) == {Level.STOP}
    assert first(ticks, lambda tick: tick.alert.level is Level.NOTICE) < stop_s - 0.7


@pytest.mark.parametrize("side", [-1, 1])
def test_a_post_beside_the_way_is_seen_and_not_felt(side: int) -> None:
    ticks = walked([Post(side * 0.75, 6.0, 0.1)], 1.0, 7.0)
    assert levels(ticks) == {Level.CLEAR}
    near = [track for tick in ticks for track in tick.tracks if track.distance_m < 2.8]
    assert near
    assert all(track.mild for track in near)


@pytest.mark.parametrize("x_m", [-0.3, 0.0, 0.3])
def test_a_post_in_the_way_is_a_stop(x_m: float) -> None:
    ticks = walked([Post(x_m, 6.0, 0.05)], 1.0, 5.6)
    assert 6.0 - first(ticks, lambda tick: tick.alert.level is Level.STOP) > 1.6


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("speed", [1.0, -1.2])
def test_a_person_who_crosses_3_m_behind_is_no_stop(speed: float, seed: int | None) -> None:
    noise = None if seed is None else Random(seed)
    inputs = sweeps(lambda t: [Post(speed * (t - 2.0), 3.0, 0.2)], 0.0, 4.0, noise)
    ticks = guard(inputs, 3.9)
    assert any(tick.tracks for tick in ticks)
    assert Level.STOP not in levels(ticks)


def test_a_person_who_crosses_before_the_walker_gets_there_is_no_stop() -> None:
    inputs = sweeps(lambda t: [Post(1.2 * (t - 1.0), 4.5, 0.2)], 0.6, 4.0)
    ticks = guard(inputs, 3.9)
    assert any(tick.tracks for tick in ticks)
    assert Level.STOP not in levels(ticks)


def test_a_person_who_walks_up_from_behind_counts_with_the_speed_they_bring() -> None:
    inputs = sweeps(lambda t: [Post(0.1, 5.0 - 1.2 * t, 0.2)], 0.0, 4.0)
    stop_s = first(guard(inputs, 3.9), lambda tick: tick.alert.level is Level.STOP)
    gap = 4.8 - 1.2 * stop_s
    assert gap == pytest.approx(1.2 * 0.95 + 1.2**2 / 3 + 0.45, abs=1.2 * SWEEP_S + 0.05)


@pytest.mark.parametrize("x_m", [-1.2, -0.3, 0.3, 1.2])
def test_the_wearers_right_is_positive(x_m: float) -> None:
    ticks = walked([Post(x_m, 3.0, 0.1)], 0.4, 1.0)
    (track,) = ticks[-1].tracks
    assert track.bearing_deg == pytest.approx(degrees(atan2(x_m, 3.0 - 0.36)), abs=2.0)
    assert (track.bearing_deg > 0) is (x_m > 0)


def test_closing_speed_of_a_wall_is_right_under_noise() -> None:
    for seed in range(20):
        ticks = walked([Wall(-3.0, 4.0, 3.0, 4.0)], 0.8, 1.5, seed)
        (track,) = ticks[-1].tracks
        assert track.closing_mps == pytest.approx(0.8, abs=0.12)
        assert track.distance_m == pytest.approx(4.0 - 0.8 * ticks[-1].t_s, abs=0.05)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lone_false_points_of_a_lidar_raise_nothing(seed: int) -> None:
    random, inputs = Random(seed), []
    for t in times(0.0, 30.0, SWEEP_S):
        ranges = [r + random.gauss(0.0, 0.015) if r else None for r in sweep(t, [Wall(-4.0, 5.0, 4.0, 5.0)]).ranges_m]
        for i in range(len(ranges)):
            if random.random() < 0.05:
                ranges[i] = None
        ranges[random.randrange(len(ranges))] = random.uniform(0.02, 0.10)
        inputs.append(Scan(SWEEP.name, t, GRID_DEG, tuple(ranges)))
    assert levels(guard(inputs, 29.9)) == {Level.CLEAR}


def test_two_things_at_once_are_two_tracks_nearest_first() -> None:
    ticks = walked([Post(-0.5, 4.0, 0.1), Post(0.5, 2.5, 0.1)], 0.3, 1.0)
    near, far = ticks[-1].tracks
    assert near.distance_m < far.distance_m
    assert near.bearing_deg > 0 > far.bearing_deg


def test_a_thing_that_is_seen_no_more_is_forgotten() -> None:
    inputs = sweeps(lambda t: [Post(0.0, 3.0, 0.1)] if t < 0.95 else [], 0.0, 2.0)
    ticks = guard(inputs, 1.9)
    assert first(ticks, lambda tick: tick.t_s > 1.0 and not tick.tracks) == pytest.approx(1.3)


def test_a_thing_that_comes_too_close_to_be_seen_has_arrived() -> None:
    inputs = sweeps(lambda t: [Post(0.0, 2.0 - 0.8 * t, 0.1)] if t < 2.25 else [], 0.0, 5.0)  # to 10 cm
    assert levels(guard(inputs, 4.9), 2.0, 4.9) == {Level.STOP}


def test_a_thing_beside_the_way_has_not_arrived_when_it_goes_out_of_sight() -> None:
    ticks = walked([Post(0.8, 2.5, 0.1)], 0.8, 6.0)
    assert levels(ticks) <= {Level.CLEAR, Level.NOTICE}
    assert not any(track.arrived for tick in ticks for track in tick.tracks)


def test_silence_ends_every_track_at_the_moment_that_was_announced() -> None:
    for offset in (0.0, 1.0, 12.34, 1000.1):
        tracker = ScanTracker(SWEEP, SWATH_M)
        for t in times(0.0, 1.0, SWEEP_S):
            tracker.update(sweep(offset + t, [Post(0.0, 3.0, 0.1)]), offset + t)
        due = tracker.expiry_s()
        assert len(tracker.tracks(due - 0.001)) == 1
        assert tracker.tracks(due) == ()
