"""What a track is not believed for: hands, scattered echoes, who steps into the beam, what was hardly seen."""

from __future__ import annotations

from math import pi, sin

import pytest

from core.worlds import DEFAULT, MOTORS, SONAR, SONAR_S, SWEEP, Post, echoes, levels, play, sweeps, times
from rearguard.core.pipeline import Pipeline
from rearguard.core.reading import Input, Reading, SensorSpec, Status
from rearguard.core.scene import ScanTracker
from rearguard.core.threat import Level, judge, stop_distance
from rearguard.core.track import REACH_S, YOUNG_MPS, BeamTracker, Track


def swinging(least_m: float, period_s: float = SONAR_S) -> list[Input]:
    """A hand that comes behind the back for a third of a second in each stride, for 12 s."""
    found: list[Input] = []
    for t in times(0.0, 12.0, period_s):
        back_m = 0.2 * sin(pi * 1.8 * t)
        status = Status.CLEAR if back_m < 0.06 else Status.OK if back_m >= least_m else Status.TOO_CLOSE
        found.append(Reading("rear", t, status, back_m if status is Status.OK else None))
    return found


@pytest.mark.parametrize("least_m", [0.02, 0.2])
def test_a_hand_that_swings_behind_the_back_is_no_danger(least_m: float) -> None:
    pipeline = Pipeline([SONAR._replace(min_range_m=least_m)], MOTORS, DEFAULT)
    assert levels(play(pipeline, swinging(least_m), 11.9)) == {Level.CLEAR}


def test_a_hand_that_swings_before_a_lidar_is_no_danger() -> None:
    def world(t: float) -> list[Post]:
        back_m = 0.2 * sin(pi * 1.8 * t)
        return [Post(0.0, back_m, 0.04)] if back_m > 0.06 else []

    pipeline = Pipeline([SWEEP], MOTORS, DEFAULT)
    assert levels(play(pipeline, sweeps(world, 0.0, 12.0, None), 11.9)) == {Level.CLEAR}


def test_what_turns_up_within_reach_and_stays_is_felt_after_all() -> None:
    tracker = BeamTracker(SONAR)
    seen = []
    for t in times(0.0, 1.5, SONAR_S):
        tracker.update(t, 0.25 - 0.05 * t)
        seen += [t] if tracker.tracks(t) else []
    assert seen[0] == pytest.approx(2 * SONAR_S + REACH_S, abs=SONAR_S)


def test_what_came_from_further_out_is_followed_within_reach() -> None:
    tracker = BeamTracker(SONAR)
    for t in times(0.0, 2.6, SONAR_S):
        tracker.update(t, 0.8 - 0.3 * t)
        assert bool(tracker.tracks(t)) is (t >= 2 * SONAR_S)


@pytest.mark.parametrize(("off_m", "seen"), [(0.02, 1), (0.05, 0)])
def test_three_echoes_are_believed_only_when_they_lie_close_to_one_line(off_m: float, seen: int) -> None:
    tracker = BeamTracker(SONAR)
    for t, d in ((0.0, 1.5), (0.06, 1.45 + off_m), (0.12, 1.4)):
        tracker.update(t, d)
    assert len(tracker.tracks(0.12)) == seen


def test_a_fourth_echo_makes_up_for_their_scatter() -> None:
    tracker = BeamTracker(SONAR)
    for t, d in ((0.0, 1.5), (0.06, 1.5), (0.12, 1.4), (0.18, 1.35)):
        tracker.update(t, d)
    assert len(tracker.tracks(0.18)) == 1


def test_what_comes_faster_than_two_who_walk_needs_four() -> None:
    tracker = BeamTracker(SONAR)
    seen = []
    for t in times(0.0, 0.3, SONAR_S):
        tracker.update(t, 3.0 - 3.0 * t)
        seen.append(len(tracker.tracks(t)))
    assert seen == [0, 0, 0, 1, 1]


def test_who_steps_into_the_beam_seems_to_come_no_faster_than_a_walk() -> None:
    tracker = BeamTracker(SONAR)
    for t, d in ((0.0, 2.0), (0.06, 1.9), (0.12, 1.8)):
        tracker.update(t, d)
    (track,) = tracker.tracks(0.12)
    assert track.closing_mps == YOUNG_MPS


def test_what_was_hardly_seen_comes_no_nearer_unseen() -> None:
    tracker = BeamTracker(SONAR)
    for t, d in ((0.0, 2.0), (0.06, 1.95), (0.12, 1.9)):
        tracker.update(t, d)
    (track,) = tracker.tracks(0.32)
    assert track.distance_m == pytest.approx(1.9, abs=0.01)


def test_what_is_sure_to_pass_beside_the_way_is_not_felt_at_all() -> None:
    tracker = ScanTracker(SWEEP, 0.4)
    pipeline = Pipeline([SWEEP], MOTORS, DEFAULT)
    inputs = sweeps(lambda t: [Post(0.8, 4.0, 0.04)], 0.6, 6.0, None)
    for scan in inputs:
        tracker.update(scan, scan.t_s)
    assert levels(play(pipeline, inputs, 5.9)) == {Level.CLEAR}


def test_a_seldom_heard_thing_is_judged_as_it_will_be_halfway_to_the_next_reading() -> None:
    just_beyond = Track("rear", stop_distance(1.0, DEFAULT) + 0.02, 1.0, 0.0, 0.0)
    assert judge(just_beyond, DEFAULT, Level.CLEAR, float("inf")) is Level.WARN
    assert judge(just_beyond, DEFAULT, Level.CLEAR, float("inf"), 0.03) is Level.STOP


@pytest.mark.parametrize(("round_s", "level"), [(0.0, Level.WARN), (0.06, Level.STOP)])
def test_the_round_of_a_sensor_says_how_seldom_it_is_heard(round_s: float, level: Level) -> None:
    spec: SensorSpec = SONAR._replace(round_s=round_s)
    last_m = stop_distance(1.0, DEFAULT) + 0.02
    inputs = echoes(lambda t: last_m + 0.96 - t, 0.0, 1.0)
    ticks = play(Pipeline([spec], MOTORS, DEFAULT), inputs, 0.96)
    assert ticks[-1].alert.level is level
