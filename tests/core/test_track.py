"""One beam followed: how fast it notices, what it ignores, when it lets go."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from statistics import fmean

import pytest

from core.worlds import DEFAULT, LASER, LASER_S, MOTORS, SONAR, SONAR_S, echoes, levels, play, says, times
from rearguard.core.pipeline import Pipeline
from rearguard.core.reading import Reading, SensorSpec, Status
from rearguard.core.threat import Level
from rearguard.core.track import YOUNG_MPS, BeamTracker, Track


def fed(spec: SensorSpec, points: list[tuple[float, float | None]]) -> BeamTracker:
    tracker = BeamTracker(spec)
    for t, distance in points:
        tracker.update(t, distance)
    return tracker


def walk(start_m: float, speed_mps: float, stop_s: float, period_s: float = SONAR_S) -> list[tuple[float, float]]:
    return [(t, start_m - speed_mps * t) for t in times(0.0, stop_s, period_s)]


def only(tracker: BeamTracker, now_s: float) -> Track:
    (track,) = tracker.tracks(now_s)
    return track


@pytest.mark.parametrize("speed", [0.0, 0.4, 1.0, 1.85, -0.8])
def test_closing_speed_is_right_within_centimetres_under_5_mm_noise(speed: float) -> None:
    errors = []
    for seed in range(200):
        random = Random(seed)
        points = [(t, d + random.gauss(0.0, 0.005)) for t, d in walk(2.2, speed, 0.6)]
        errors.append(only(fed(SONAR, points), points[-1][0]).closing_mps - speed)
    assert abs(fmean(errors)) < 0.005
    assert max(map(abs, errors)) < 0.06


def test_distance_and_speed_of_a_clean_walk_are_those_of_the_walk() -> None:
    track = only(fed(SONAR, walk(3.0, 1.0, 0.9)), 0.84)
    assert track.distance_m == pytest.approx(3.0 - 0.84, abs=0.001)
    assert track.closing_mps == pytest.approx(1.0, abs=0.005)
    assert (track.sensor, track.bearing_deg, track.arrived, track.mild) == ("rear", 0.0, False, 0)


def test_a_sudden_obstacle_is_seen_at_the_third_echo_of_a_60_ms_sensor() -> None:
    tracker = fed(SONAR, [(t, None) for t in times(0.0, 3.0, SONAR_S)])
    seen = []
    for t in times(3.0, 3.3, SONAR_S):
        tracker.update(t, 1.5 - (t - 3.0))
        seen.append(len(tracker.tracks(t)))
    assert seen == [0, 0, 1, 1, 1]


def test_an_obstacle_that_steps_in_front_of_a_wall_is_seen_as_soon() -> None:
    tracker = fed(SONAR, [(t, 3.5) for t in times(0.0, 3.0, SONAR_S)])
    for i in range(3):
        assert only(tracker, 3.0).distance_m == pytest.approx(3.5)
        tracker.update(3.0 + SONAR_S * i, 1.5)
    assert only(tracker, 3.12).distance_m == pytest.approx(1.5)


def test_a_sudden_obstacle_is_seen_within_50_ms_by_a_100_hz_sensor_but_not_at_once() -> None:
    tracker = fed(LASER, [(t, None) for t in times(0.0, 3.0, LASER_S)])
    seen_after = None
    for i in range(10):
        tracker.update(3.0 + LASER_S * i, 1.5 - LASER_S * i)
        if seen_after is None and tracker.tracks(3.0 + LASER_S * i):
            seen_after = i * LASER_S
    assert seen_after is not None
    assert 0.04 <= seen_after <= 0.05 + 1e-9


def test_a_burst_of_30_ms_is_not_believed_even_of_a_sensor_just_switched_on() -> None:
    tracker, seen = BeamTracker(LASER), []
    for i in range(6):
        tracker.update(LASER_S * i, 1.5)
        seen.append(len(tracker.tracks(LASER_S * i)))
    assert seen[:4] == [0, 0, 0, 0]
    assert seen[5] == 1


def test_isolated_false_echoes_do_not_move_a_track() -> None:
    random = Random(3)
    clean, dirty = BeamTracker(SONAR), BeamTracker(SONAR)
    for i, (t, d) in enumerate(walk(3.5, 0.3, 10.0)):
        false = i > 5 and i % 4 == 0
        clean.update(t, None if false else d)
        dirty.update(t, random.uniform(0.05, d - 0.3) if false else d)
        assert dirty.tracks(t) == clean.tracks(t)


def test_ten_minutes_of_false_and_missed_echoes_raise_nothing() -> None:
    for seed in range(3):
        random = Random(seed)
        inputs = []
        for t in times(0.0, 600.0, SONAR_S):
            chance = random.random()
            if chance < 0.03:
                inputs.append(Reading("rear", t, Status.OK, random.uniform(0.02, 4.0)))
            elif chance < 0.07:
                inputs.append(Reading("rear", t, Status.NO_DATA))
            else:
                inputs.append(Reading("rear", t, Status.OK, 2.0 + random.gauss(0.0, 0.005)))
        pipeline = Pipeline([SONAR], MOTORS, DEFAULT)
        assert {pipeline.step([item], item.t_s).alert.level for item in inputs} == {Level.CLEAR}


@pytest.mark.parametrize("between", [Status.OK, Status.CLEAR])
def test_one_too_close_by_itself_is_a_false_echo_like_any_other(between: Status) -> None:
    pipeline = Pipeline([SONAR], MOTORS, DEFAULT)
    far = 3.0 if between is Status.OK else None
    inputs = [Reading("rear", t, between, far) for t in times(0.0, 6.0, SONAR_S)]
    inputs[50] = Reading("rear", inputs[50].t_s, Status.TOO_CLOSE)
    assert levels(play(pipeline, inputs, 5.9)) == {Level.CLEAR}


def test_a_fast_approach_keeps_its_track_from_first_sight_to_contact() -> None:
    tracker = BeamTracker(SONAR)
    for i, (t, d) in enumerate(walk(4.0, 2.0, 1.98)):
        tracker.update(t, d)
        if i >= 2:
            track = only(tracker, t)
            assert track.distance_m == pytest.approx(d, abs=0.01)
            believed = 2.0 if i >= 4 else YOUNG_MPS
            assert track.closing_mps == pytest.approx(believed, abs=0.02)


def test_braking_as_hard_as_anyone_can_keeps_the_track() -> None:
    tracker = fed(SONAR, walk(3.0, 1.5, 0.6))
    for t in times(0.6, 0.96, SONAR_S):  # 4 m/s^2
        tracker.update(t, 3.0 - 1.5 * t + 2.0 * (t - 0.6) ** 2)
        assert only(tracker, t).distance_m == pytest.approx(3.0 - 1.5 * t + 2.0 * (t - 0.6) ** 2, abs=0.10)


def test_missed_echoes_are_coasted_over() -> None:
    tracker = fed(SONAR, walk(3.0, 1.0, 0.9))
    for t in (0.90, 0.96, 1.02):
        tracker.update(t, None)
        assert only(tracker, t).distance_m == pytest.approx(3.0 - t, abs=0.01)
    tracker.update(1.08, 1.92)
    assert only(tracker, 1.08).closing_mps == pytest.approx(1.0, abs=0.01)


def test_what_falls_behind_is_not_coasted_away() -> None:
    tracker = fed(SONAR, walk(1.0, -1.0, 0.9))
    assert only(tracker, 1.2).distance_m == pytest.approx(1.84, abs=0.001)


def test_a_track_ends_when_nothing_is_there_any_more() -> None:
    tracker = fed(SONAR, walk(3.0, 0.3, 0.9))  # the last echo at 0.84 s
    seen = []
    for t in times(0.9, 1.3, SONAR_S):
        tracker.update(t, None)
        seen.append((round(t - 0.84, 2), len(tracker.tracks(t))))
    assert seen == [(0.06, 1), (0.12, 1), (0.18, 1), (0.24, 1), (0.30, 0), (0.36, 0), (0.42, 0)]


def test_two_missed_echoes_of_a_slow_sensor_do_not_end_a_track() -> None:
    tracker = fed(SONAR, walk(3.0, 0.3, 1.5, 0.15))
    last = 1.35
    tracker.update(last + 0.15, None)
    tracker.update(last + 0.30, None)
    assert len(tracker.tracks(last + 0.30)) == 1


def test_after_a_gap_a_track_starts_anew() -> None:
    tracker = fed(SONAR, walk(3.0, 1.0, 0.9))
    seen = []
    for t in times(1.5, 1.7, SONAR_S):
        tracker.update(t, 3.0 - t)
        seen.append(len(tracker.tracks(t)))
    assert seen == [0, 0, 1]


def test_silence_ends_a_track_at_the_moment_that_was_announced() -> None:
    for offset in (0.0, 1.0, 12.34, 1000.1):
        tracker = fed(SONAR, [(offset + t, d) for t, d in walk(3.0, 0.3, 0.9)])
        due = tracker.expiry_s()
        assert len(tracker.tracks(due - 0.001)) == 1
        assert tracker.tracks(due) == ()


def test_gone_is_gone_only_if_it_did_not_come_close() -> None:
    far = play(Pipeline([SONAR], MOTORS, DEFAULT), echoes(lambda t: 3.0 - 0.5 * t, 0.0, 2.0), 1.99)
    assert far[-1].tracks[0].arrived is False
    tracker = fed(SONAR, walk(3.0, 0.5, 2.0) + [(t, None) for t in times(2.0, 3.0, SONAR_S)])
    assert tracker.tracks(3.0) == ()


GONE = [Status.TOO_CLOSE, Status.CLEAR, Status.NO_DATA, Status.WEAK]


@pytest.mark.parametrize("status", GONE)
@pytest.mark.parametrize("speed", [0.2, 0.6, 1.2])
@pytest.mark.parametrize(("spec", "period_s"), [(SONAR, SONAR_S), (LASER, LASER_S)])
def test_what_came_close_and_vanished_has_arrived(
    spec: SensorSpec, period_s: float, speed: float, status: Status
) -> None:
    near_s = (1.2 - max(spec.min_range_m, 0.1)) / speed  # an ultrasonic board may go blind at 10 cm
    inputs = echoes(lambda t: 1.2 - speed * t, 0.0, near_s, period_s=period_s, sensor=spec.name)
    inputs += says(status, near_s + period_s, near_s + 4.0, period_s, spec.name)
    ticks = play(Pipeline([spec], MOTORS, DEFAULT), inputs, near_s + 2.9)
    assert levels(ticks, near_s) == {Level.STOP}
    assert ticks[-1].tracks[0].arrived


@pytest.mark.parametrize("status", [Status.CLEAR, Status.NO_DATA])
def test_an_arrival_of_which_nothing_more_is_heard_ends_after_5_s(status: Status) -> None:
    inputs = echoes(lambda t: 1.0 - 0.5 * t, 0.0, 1.8) + says(status, 1.8, 9.0)
    ticks = play(Pipeline([SONAR], MOTORS, DEFAULT), inputs, 8.9)
    held = [tick.t_s for tick in ticks if any(track.arrived for track in tick.tracks)]
    assert 2.0 < held[0] < 2.4
    assert held[-1] - held[0] < 5.0
    assert Level.STOP in levels(ticks, 6.9, 7.0)
    assert ticks[-1].alert.level is Level.CLEAR


def test_an_arrival_is_released_by_something_seen_further_out() -> None:
    tracker = fed(SONAR, walk(1.0, 0.5, 1.8) + [(t, None) for t in times(1.8, 2.4, SONAR_S)])
    assert only(tracker, 2.4).arrived
    for t, d in ((2.40, 0.50), (2.46, 0.53), (2.52, 0.56)):
        assert only(tracker, t).arrived
        tracker.update(t, d)
    assert not only(tracker, 2.52).arrived
    assert only(tracker, 2.52).distance_m == pytest.approx(0.56, abs=0.01)


def test_a_wall_that_drops_below_the_minimum_range_at_a_standstill_is_still_there() -> None:
    points = [(t, 0.20) for t in times(0.0, 3.0, LASER_S)]  # TOO_CLOSE comes as the minimum range
    tracker = fed(LASER, points)
    assert only(tracker, 2.99).arrived


def test_bearing_is_the_mounts_until_the_sensor_tells_its_own() -> None:
    tracker = BeamTracker(SONAR._replace(bearing_deg=-30.0))
    for t, d in walk(3.0, 1.0, 0.3):
        tracker.update(t, d)
    assert only(tracker, 0.3).bearing_deg == -30.0
    tracker.update(0.3, 2.7, 12.0)
    assert only(tracker, 0.3).bearing_deg == 12.0


def test_two_echoes_of_one_moment_are_taken_like_one() -> None:
    tracker = fed(SONAR, [point for t, d in walk(3.0, 1.0, 0.6) for point in ((t, d), (t, d))])
    assert only(tracker, 0.54).closing_mps == pytest.approx(1.0, abs=0.02)


def test_the_track_says_how_sure_it_is() -> None:
    points = walk(3.0, 1.0, 0.6)
    sds = [only(fed(SONAR, points[:n]), points[n - 1][0]).closing_sd_mps for n in range(3, 8)]
    assert all(later < earlier for earlier, later in pairwise(sds))


def test_a_new_track_does_not_inherit_the_too_close_of_the_one_before() -> None:
    spec = SONAR._replace(min_range_m=0.2)
    tracker = BeamTracker(spec)
    for i in range(10):
        tracker.update(i * SONAR_S, 0.2)  # TOO_CLOSE
    for i in range(20, 23):
        tracker.update(i * SONAR_S, 0.29)  # after a silence, three that agree: a thing just beyond the least range
    tracker.update(23 * SONAR_S, 0.2)  # a single TOO_CLOSE
    assert [track.arrived for track in tracker.tracks(23 * SONAR_S)] == [False]
