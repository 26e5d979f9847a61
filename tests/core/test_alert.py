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
    return judge.decide([(track, inf, 0.0) for track in tracks], now_s)


def felt(*script: tuple[float, Sequence[Track]]) -> list[tuple[float, Level]]:
    """Every change of level, with its time, when each of the scenes is looked at every 10 ms up to its end."""
    judge, changes, start = Judge(DEFAULT), [(-inf, Level.CLEAR)], 0.0
    for end, tracks in script:
        for t in times(start, end, 0.01):
            level, _ = decide(judge, tracks, t)
            if level is not changes[-1][1]:
                changes.append((t, level))
        start = end
    return changes[1:]


def half_a_second_after(right_until_s: float) -> object:
    """When a level that was right until then must go: counted from the last look that found it, or the next one."""
    return pytest.approx(right_until_s + 0.5 - 0.005, abs=0.006)


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
    raised, released = felt((1.0, [track(1.0, 1.0)]), (3.0, []))
    assert raised == (0.0, Level.STOP)
    assert released == (half_a_second_after(1.0), Level.CLEAR)


def test_each_level_is_released_half_a_second_after_it_was_last_right() -> None:
    changes = felt((1.0, [track(1.0, 1.0)]), (1.2, [track(WARN_M - 0.1, 1.0)]), (3.0, []))
    assert changes[1:] == [(half_a_second_after(1.0), Level.WARN), (half_a_second_after(1.2), Level.CLEAR)]


def test_every_stage_of_a_release_is_woken_for() -> None:
    judge, now, found = Judge(DEFAULT), 1.2, []
    decide(judge, [track(1.0, 1.0)], 1.0)
    decide(judge, [track(NOTICE_M - 0.1, 1.0)], 1.1)
    decide(judge, [], now)
    while judge.wake_s() < inf:
        assert judge.wake_s() > now
        now = judge.wake_s()
        found.append(decide(judge, [], now)[0])
    assert list(dict.fromkeys(found)) == [Level.NOTICE, Level.CLEAR]
    assert now <= 1.7


@pytest.mark.parametrize(("edge", "level"), [(STOP_M, Level.STOP), (WARN_M, Level.WARN), (NOTICE_M, Level.NOTICE)])
def test_release_needs_15_cm_more_than_it_took_to_raise(edge: float, level: Level) -> None:
    raise_, keep, release = ([track(edge + more, 1.0)] for more in (-0.01, 0.14, 0.16))
    changes = felt((1.0, raise_), (5.0, keep), (9.0, release))
    assert changes == [(0.0, level), (half_a_second_after(5.0), Level(level - 1))]


def test_a_danger_that_flickers_is_felt_without_a_break() -> None:
    judge = Judge(DEFAULT)
    for i, t in enumerate(times(0.0, 10.0, 0.1)):
        assert decide(judge, [] if i % 5 else [track(1.0, 1.0)], t)[0] is Level.STOP


def test_the_judge_asks_to_be_woken_when_a_release_is_due_and_not_for_nothing() -> None:
    judge = Judge(DEFAULT)
    decide(judge, [], 1.0)
    assert judge.wake_s() == inf
    decide(judge, [track(1.0, 1.0)], 2.0)
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
