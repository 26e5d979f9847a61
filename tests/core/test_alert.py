"""The one place that decides: worst wins, raised at once, released slowly."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from random import Random

import pytest

from core.worlds import DEFAULT, LASER, LASER_S, MOTORS, SONAR, SONAR_S, echoes, last, play, times, track
from rearguard.core.alert import Judge
from rearguard.core.pipeline import Pipeline
from rearguard.core.reading import SensorSpec
from rearguard.core.threat import Level
from rearguard.core.track import Track

STOP_M = 0.95 + 1 / 3 + 0.45  # at 1 m/s
WARN_M, NOTICE_M = STOP_M + 0.5, STOP_M + 1.0


def decide(judge: Judge, tracks: Sequence[Track], now_s: float = 0.0) -> tuple[Level, Track | None]:
    return judge.decide([(track, inf) for track in tracks], now_s)


def held(judge: Judge, tracks: Sequence[Track], start_s: float, stop_s: float) -> list[tuple[float, Level]]:
    """Every change of level while the same tracks are seen each 10 ms: (seconds from the start, level)."""
    changes: list[tuple[float, Level]] = []
    for t in times(start_s, stop_s, 0.01):
        level, _ = decide(judge, tracks, t)
        if not changes or changes[-1][1] is not level:
            changes.append((round(t - start_s, 3), level))
    return changes


def test_nothing_seen_is_clear() -> None:
    assert decide(Judge(DEFAULT), []) == (Level.CLEAR, None)


@pytest.mark.parametrize("order", [1, -1])
def test_the_worst_of_all_wins_in_whatever_order_they_come(order: int) -> None:
    tracks = [track(NOTICE_M - 0.1, 1.0, "a"), track(STOP_M - 0.1, 1.0, "b"), track(WARN_M - 0.1, 1.0, "c")][::order]
    level, worst = decide(Judge(DEFAULT), tracks)
    assert level is Level.STOP
    assert worst is not None
    assert worst.sensor == "b"


def test_a_fast_thing_further_away_outranks_a_slow_one_nearby() -> None:
    level, worst = decide(Judge(DEFAULT), [track(1.0, 0.2, "slow"), track(2.5, 1.5, "fast")])
    assert (level, worst and worst.sensor) == (Level.STOP, "fast")


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearest_of_equals_is_the_one_that_is_told(order: int) -> None:
    tracks = [track(1.2, 1.0, "a"), track(0.9, 1.0, "b"), track(1.0, 1.0, "c")][::order]
    assert decide(Judge(DEFAULT), tracks)[1] == track(0.9, 1.0, "b")


@pytest.mark.parametrize("before", [[], [track(NOTICE_M - 0.1, 1.0)], [track(WARN_M - 0.1, 1.0)]])
def test_stop_is_raised_at_once_whatever_was_felt_before(before: list[Track]) -> None:
    judge = Judge(DEFAULT)
    decide(judge, before, 0.0)
    assert decide(judge, [track(STOP_M - 0.01, 1.0)], 0.0)[0] is Level.STOP


def test_stop_is_raised_at_once_while_it_is_being_released() -> None:
    judge = Judge(DEFAULT)
    decide(judge, [track(1.0, 1.0)], 0.0)
    decide(judge, [], 0.1)
    assert decide(judge, [], 0.65)[0] is Level.CLEAR
    assert decide(judge, [track(1.0, 1.0)], 0.66)[0] is Level.STOP


def test_release_takes_half_a_second() -> None:
    judge = Judge(DEFAULT)
    decide(judge, [track(1.0, 1.0)], 0.0)
    assert held(judge, [], 1.0, 3.0) == [(0.0, Level.STOP), (0.5, Level.CLEAR)]


def test_release_goes_to_the_worst_that_was_seen_meanwhile() -> None:
    judge = Judge(DEFAULT)
    decide(judge, [track(1.0, 1.0)], 0.0)
    decide(judge, [track(WARN_M - 0.1, 1.0)], 1.0)
    decide(judge, [], 1.2)
    assert held(judge, [], 1.5, 3.0) == [(0.0, Level.WARN), (0.5, Level.CLEAR)]


def test_the_second_half_of_a_release_is_woken_for_as_well() -> None:
    judge = Judge(DEFAULT)
    decide(judge, [track(1.0, 1.0)], 0.0)
    decide(judge, [track(NOTICE_M - 0.1, 1.0)], 1.0)
    decide(judge, [], 1.2)
    assert decide(judge, [], 1.5)[0] is Level.NOTICE
    assert judge.wake_s() <= 2.0
    assert decide(judge, [], judge.wake_s())[0] is Level.CLEAR


@pytest.mark.parametrize(("edge", "level"), [(STOP_M, Level.STOP), (WARN_M, Level.WARN), (NOTICE_M, Level.NOTICE)])
def test_release_needs_15_cm_more_than_it_took_to_raise(edge: float, level: Level) -> None:
    judge = Judge(DEFAULT)
    assert decide(judge, [track(edge - 0.01, 1.0)], 0.0)[0] is level
    assert held(judge, [track(edge + 0.14, 1.0)], 0.1, 5.0) == [(0.0, level)]
    assert held(judge, [track(edge + 0.16, 1.0)], 5.0, 9.0) == [(0.0, level), (0.5, Level(level - 1))]


def test_a_danger_that_flickers_is_felt_without_a_break() -> None:
    judge = Judge(DEFAULT)
    for i, t in enumerate(times(0.0, 10.0, 0.1)):
        assert decide(judge, [] if i % 5 else [track(1.0, 1.0)], t)[0] is Level.STOP


def test_the_judge_asks_to_be_woken_when_a_release_is_due() -> None:
    judge = Judge(DEFAULT)
    decide(judge, [track(1.0, 1.0)], 0.0)
    assert judge.wake_s() == inf
    decide(judge, [], 2.0)
    assert judge.wake_s() == 2.5
    assert decide(judge, [], judge.wake_s())[0] is Level.CLEAR
    assert judge.wake_s() == inf


def test_while_a_level_is_held_its_track_is_told() -> None:
    judge = Judge(DEFAULT)
    seen = track(1.0, 1.0, bearing_deg=40.0)
    decide(judge, [seen], 0.0)
    assert decide(judge, [], 0.2) == (Level.STOP, seen)
    assert decide(judge, [], 0.8) == (Level.CLEAR, None)


BEHIND = [track(2.0, -0.8, "a"), track(3.0, -0.9, "b")]


def test_walking_forward_mutes_a_notice() -> None:
    coming = track(NOTICE_M - 0.1, 1.0, "c")
    assert decide(Judge(DEFAULT), [coming])[0] is Level.NOTICE
    assert decide(Judge(DEFAULT), [*BEHIND, coming])[0] is Level.CLEAR


@pytest.mark.parametrize(("distance_m", "level"), [(WARN_M - 0.1, Level.WARN), (STOP_M - 0.1, Level.STOP)])
def test_walking_forward_mutes_no_warning_and_no_stop(distance_m: float, level: Level) -> None:
    assert decide(Judge(DEFAULT), [*BEHIND, track(distance_m, 1.0, "c")])[0] is level


def test_one_thing_that_falls_behind_is_no_walk_forward() -> None:
    tracks = [track(2.0, -0.8, "a"), track(NOTICE_M - 0.1, 1.0, "b"), track(NOTICE_M + 0.3, 1.0, "c")]
    assert decide(Judge(DEFAULT), tracks)[0] is Level.NOTICE


def stopping(t: float, brake_s: float) -> float:
    """Distance to a wall 3.5 m away for a walk of 1 m/s that brakes with 1.5 m/s^2 from `brake_s` on."""
    braked = min(max(t - brake_s, 0.0), 1.0 / 1.5)
    return 3.5 - min(t, brake_s) - braked + 0.75 * braked**2


@pytest.mark.parametrize(("spec", "period_s"), [(SONAR, SONAR_S), (LASER, LASER_S)])
@pytest.mark.parametrize("seed", range(5))
def test_standing_by_a_wall_is_quiet_within_a_second_of_a_stop(seed: int, spec: SensorSpec, period_s: float) -> None:
    brake_s = 3.5 - STOP_M + 0.2 + 0.75
    still_s = brake_s + 1.0 / 1.5
    inputs = echoes(lambda t: stopping(t, brake_s), 0.0, 9.0, period_s=period_s, sensor=spec.name, noise=Random(seed))
    ticks = play(Pipeline([spec], MOTORS, DEFAULT), inputs, 8.9)
    assert any(tick.alert.level is Level.STOP for tick in ticks)
    assert stopping(still_s, brake_s) == pytest.approx(0.45, abs=0.01)
    assert last(ticks, lambda tick: tick.alert.level > Level.CLEAR) < still_s + 1.0
