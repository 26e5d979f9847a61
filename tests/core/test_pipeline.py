"""The whole core, one step after the other: what goes in, and what the wearer gets."""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan
from random import Random

import pytest

from core.worlds import (
    DEFAULT,
    GRID_DEG,
    MOTORS,
    SONAR,
    SONAR_S,
    SWEEP,
    SWEEP_S,
    Post,
    echoes,
    fault,
    first,
    last,
    levels,
    ok,
    play,
    pressed,
    report,
    says,
    sweeps,
    times,
)
from rearguard.core.pipeline import Pipeline, Tick
from rearguard.core.reading import Cue, Input, Reading, Scan, SensorSpec, Status
from rearguard.core.threat import Level, max_speed

LEFT = SONAR._replace(name="left", bearing_deg=-40.0)
RIGHT = SONAR._replace(name="right", bearing_deg=40.0)
PAUSE_S = 20.0


def guard(inputs: list[Input], until_s: float, *specs: SensorSpec) -> list[Tick]:
    return play(Pipeline(specs or [SONAR], MOTORS, DEFAULT), inputs, until_s)


def approach(stop_s: float, sensor: str = "rear", start_s: float = 0.0) -> list[Input]:
    """0.8 m/s from 3.6 m."""
    return echoes(lambda t: 3.6 - 0.8 * (t - start_s), start_s, stop_s, sensor=sensor)


def still(start_s: float, stop_s: float, sensor: str = "rear") -> list[Input]:
    return echoes(lambda t: 2.0, start_s, stop_s, sensor=sensor, noise=Random(1))


def silence(ticks: list[Tick], start_s: float, stop_s: float) -> float:
    """The longest time without a pulse."""
    felt = [start_s, *(tick.t_s for tick in ticks if start_s <= tick.t_s <= stop_s and any(tick.frame.duties)), stop_s]
    return max(b - a for a, b in pairwise(felt))


def test_a_walk_toward_a_wall_is_noticed_warned_of_and_stopped_in_this_order() -> None:
    ticks = guard(approach(4.0), 3.9, SONAR._replace(proved_range_m=4.0))
    reached = [first(ticks, lambda tick, level=level: tick.alert.level is level) for level in Level]  # type: ignore[misc]
    assert reached == sorted(reached)
    stop_m = 0.8 * 0.95 + 0.8**2 / 3 + 0.45
    for level, ahead_s in ((Level.STOP, 0.0), (Level.WARN, 0.5), (Level.NOTICE, 1.0)):
        assert 3.6 - 0.8 * reached[level] == pytest.approx(stop_m + ahead_s * 0.8, abs=0.8 * SONAR_S)


def test_the_alert_tells_where_how_near_and_how_fast() -> None:
    ticks = guard(approach(2.9, "left"), 2.85, LEFT)
    alert = ticks[-1].alert
    assert alert.bearing_deg == -40.0
    assert alert.distance_m == pytest.approx(3.6 - 0.8 * ticks[-1].t_s, abs=0.01)
    assert alert.closing_mps == pytest.approx(0.8, abs=0.01)


def test_a_dead_left_sensor_is_felt_and_the_right_one_goes_on_guarding() -> None:
    dead = [*still(0.0, 3.0, "left"), Reading("left", 3.0, Status.LOST)]
    ticks = guard([*dead, *approach(6.5, "right", 3.0)], 6.4, LEFT, RIGHT)
    assert first(ticks, lambda tick: tick.frame.buzzer) < 3.3
    alone = guard(approach(6.5, "right", 3.0), 6.4, RIGHT)
    stop_s = first(ticks, lambda tick: tick.alert.level is Level.STOP)
    assert stop_s == first(alone, lambda tick: tick.alert.level is Level.STOP)
    assert fault("left:lost")(ticks[-1])
    assert ticks[-1].alert.level is Level.STOP


def test_sensors_that_were_not_announced_are_taken_up() -> None:
    ticks = guard(approach(4.0, "new"), 3.9, SONAR)
    assert ticks[-1].alert.level is Level.STOP
    assert ticks[-1].alert.bearing_deg == 0.0
    assert fault("rear:no_data")(ticks[-1])
    assert first(guard(still(0.0, 3.0, "new"), 5.0), fault("new:no_data")) == pytest.approx(2.94 + 0.25)


def test_every_sensor_is_unheard_until_it_answers() -> None:
    pipeline = Pipeline([LEFT, RIGHT], MOTORS, DEFAULT)
    assert pipeline.unheard() == ["left", "right"]
    pipeline.step([Reading("left", 0.0, Status.CLEAR), Reading("right", 0.0, Status.NO_DATA)], 0.0)
    assert pipeline.unheard() == ["right"]


def outcome(status: Status, distance_m: float | None = None) -> tuple[Level, tuple[str, ...], bool, bool]:
    """Level, faults, whether a track is there and whether it arrived, 2 s after a walk to 1.2 m went on as `status`."""
    inputs = approach(3.0) + [Reading("rear", t, status, distance_m) for t in times(3.0, 5.0, SONAR_S)]
    tick = guard(inputs, 4.9)[-1]
    return tick.alert.level, tick.alert.faults, bool(tick.tracks), any(track.arrived for track in tick.tracks)


def test_each_status_leads_to_an_outcome_of_its_own() -> None:
    assert outcome(Status.OK, 1.2) == (Level.CLEAR, ("rear:frozen",), True, False)
    assert outcome(Status.CLEAR) == (Level.CLEAR, (), False, False)
    assert outcome(Status.WEAK) == (Level.CLEAR, (), False, False)
    assert outcome(Status.TOO_CLOSE) == (Level.STOP, (), True, True)
    assert outcome(Status.NO_DATA) == (Level.CLEAR, ("rear:no_data",), False, False)
    assert outcome(Status.INVALID) == (Level.CLEAR, ("rear:implausible", "rear:no_data"), False, False)
    assert outcome(Status.LOST) == (Level.CLEAR, ("rear:lost",), False, False)


@pytest.mark.parametrize(("status", "ends_s"), [(Status.CLEAR, 0.30), (Status.WEAK, 0.30), (Status.NO_DATA, 0.50)])
def test_an_answer_without_an_echo_ends_a_track_sooner_than_silence(status: Status, ends_s: float) -> None:
    ticks = guard(approach(3.0) + says(status, 3.0, 5.0), 4.9)  # the last echo at 2.94 s
    gone_s = first(ticks, lambda tick: tick.t_s > 1.0 and not tick.tracks)
    assert gone_s == pytest.approx(2.94 + ends_s, abs=1e-6)


def test_a_distance_below_the_minimum_range_is_taken_as_too_close() -> None:
    near = [ok(t, 0.01) for t in times(4.4, 9.0, SONAR_S)]
    told = [guard(approach(4.4) + end, 8.9)[-1].alert for end in (near, says(Status.TOO_CLOSE, 4.4, 9.0))]
    assert told[0] == told[1]
    assert told[0].faults == ("rear:blocked",)


def test_a_reading_older_than_250_ms_does_not_count() -> None:
    pipeline = Pipeline([SONAR], MOTORS, DEFAULT)
    for item in approach(3.0):
        tick = pipeline.step([item], item.t_s + 0.26)
    assert (tick.tracks, tick.alert.level, tick.alert.faults) == ((), Level.CLEAR, ("rear:no_data",))
    assert pipeline.unheard() == ["rear"]


def test_a_reading_just_under_250_ms_old_counts_at_its_own_time() -> None:
    pipeline = Pipeline([SONAR], MOTORS, DEFAULT)
    for item in approach(2.0):
        tick = pipeline.step([item], item.t_s + 0.24)
    assert tick.tracks[0].closing_mps == pytest.approx(0.8, abs=0.005)
    assert tick.tracks[0].distance_m == pytest.approx(3.6 - 0.8 * tick.t_s, abs=0.01)


@pytest.mark.parametrize("t_s", [nan, inf, 1e12])
def test_a_reading_from_the_future_counts_as_of_now(t_s: float) -> None:
    pipeline = Pipeline([SONAR], MOTORS, DEFAULT)
    for item in approach(1.0):
        tick = pipeline.step([item._replace(t_s=t_s)], item.t_s)
    assert tick.tracks[0].closing_mps == pytest.approx(0.8, abs=0.005)


def test_a_clock_set_back_by_more_than_a_second_begins_anew() -> None:
    pipeline = Pipeline([SONAR], MOTORS, DEFAULT)
    play(pipeline, approach(3.9), 3.9)
    tick = pipeline.step([], 2.0)
    assert (tick.t_s, tick.tracks, tick.alert.level, any(tick.frame.duties)) == (2.0, (), Level.CLEAR, False)
    ticks = play(pipeline, approach(5.9, start_s=2.0), 5.9, start_s=2.0)
    assert levels(ticks) == set(Level)
    assert {name for tick in ticks for name in tick.alert.faults} == set()


def test_a_clock_that_slips_back_a_little_stands_still() -> None:
    pipeline = Pipeline([SONAR], MOTORS, DEFAULT)
    ticks = play(pipeline, approach(3.9), 3.9)
    assert ticks[-1].alert.level is Level.STOP
    tick = pipeline.step([], 3.4)
    assert (tick.t_s, tick.alert.level) == (ticks[-1].t_s, Level.STOP)


@pytest.mark.parametrize("now_s", [nan, inf, -inf])
def test_a_clock_that_tells_no_time_stands_still(now_s: float) -> None:
    pipeline = Pipeline([SONAR], MOTORS, DEFAULT)
    assert pipeline.step([], now_s).t_s == 0.0
    pipeline.step([], 7.0)
    assert pipeline.step([], now_s).t_s == 7.0


def test_a_report_raises_a_fault_and_another_ends_it() -> None:
    inputs = [*still(0.0, 9.0), report(2.0, "belt", "write", True), report(5.0, "belt", "write", False)]
    ticks = guard(inputs, 8.9)
    assert first(ticks, fault("belt:write")) == 2.0
    assert first(ticks, lambda tick: tick.frame.buzzer) == 2.0
    assert all(fault("belt:write")(tick) is (2.0 <= tick.t_s < 5.0) for tick in ticks)


def test_faults_of_all_sources_are_told_together_in_order() -> None:
    inputs = [report(1.0, "power", "low", True), report(1.0, "belt", "write", True), Reading("rear", 1.0, Status.LOST)]
    assert guard(inputs, 1.0)[-1].alert.faults == ("belt:write", "power:low", "rear:lost")


def test_a_pause_is_confirmed_never_silent_and_over_after_20_s() -> None:
    danger = echoes(lambda t: 1.5 - 0.8 * (t % 1.5), 0.0, 40.0)
    ticks = guard([*danger, pressed(3.0, Cue.PAUSE)], 30.0)
    paused = [tick for tick in ticks if tick.alert.paused]
    assert (paused[0].t_s, paused[-1].t_s) == (3.0, pytest.approx(3.0 + PAUSE_S, abs=SONAR_S))
    assert paused[-1].t_s < 3.0 + PAUSE_S
    assert any(paused[0].frame.duties)
    assert Level.STOP in levels(paused)  # judged and shown all the same
    assert silence(ticks, 3.0, 3.0 + PAUSE_S) < 5.0
    assert first(ticks, lambda tick: tick.t_s > 3.0 and not tick.alert.paused) == 3.0 + PAUSE_S


def test_the_end_of_a_pause_is_felt() -> None:
    ticks = guard([*says(Status.CLEAR, 0.0, 40.0), pressed(3.0, Cue.PAUSE)], 30.0)
    in_turn = [tick.frame.duties for tick in ticks if tick.t_s >= 3.0 + PAUSE_S and any(tick.frame.duties)]
    assert list(dict.fromkeys(in_turn)) == [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]


def test_a_second_press_ends_the_pause_and_a_third_begins_another() -> None:
    presses = [pressed(t, Cue.PAUSE) for t in (3.0, 8.0, 12.0)]
    ticks = guard([*says(Status.CLEAR, 0.0, 40.0), *presses], 39.9)
    for tick in ticks:
        assert tick.alert.paused is (3.0 <= tick.t_s < 8.0 or 12.0 <= tick.t_s < 12.0 + PAUSE_S)


def test_a_stop_that_lasts_through_a_pause_is_felt_when_it_is_over() -> None:
    ticks = guard(
        [*still(0.0, 1.0), *says(Status.TOO_CLOSE, 1.0, 9.0), *(pressed(t, Cue.PAUSE) for t in (1.5, 3))], 3.9
    )
    after = [tick for tick in ticks if tick.t_s >= 3.0]
    assert {tick.alert.level for tick in after} == {Level.STOP}
    assert silence(ticks, 3.0, 3.9) < 0.3


def test_a_fault_is_felt_through_a_pause() -> None:
    ticks = guard([*still(0.0, 4.0), pressed(2.0, Cue.PAUSE)], 6.0)
    assert first(ticks, lambda tick: tick.frame.buzzer and tick.frame.duties == (1.0, 1.0, 1.0)) < 4.3


def test_walking_faster_than_the_sensor_can_see_is_felt_as_a_notice() -> None:
    fastest = max_speed(SONAR.proved_range_m, DEFAULT)
    for factor, expected in ((0.9, {Level.CLEAR}), (1.1, {Level.CLEAR, Level.NOTICE})):
        v = factor * fastest
        ticks = guard(echoes(lambda t, v=v: 3.98 - v * t, 0.0, 1.0), 0.9)  # type: ignore[misc]
        assert levels(ticks) == expected


def test_a_blocked_sensor_is_a_fault_and_no_longer_a_stop() -> None:
    ticks = guard([*still(0.0, 2.0), *says(Status.TOO_CLOSE, 2.0, 9.0)], 8.9)
    assert levels(ticks, 3.0, 4.9) == {Level.STOP}
    assert last(ticks, lambda tick: tick.alert.level is Level.STOP) == pytest.approx(5.5, abs=0.2)
    assert fault("rear:blocked")(ticks[-1])


@pytest.mark.parametrize("covered", [0, 100])  # so many of the 151 bearings, from the left
def test_a_shirt_over_half_a_lidar_turns_nothing_beside_the_way_into_a_stop(covered: int) -> None:
    shirt = (0.10,) * covered
    inputs: list[Input] = []
    for scan in sweeps(lambda t: [Post(0.8, 6.0, 0.1)], 0.8, 8.0):
        inputs.append(scan._replace(ranges_m=shirt + scan.ranges_m[covered:]))
    ticks = guard(inputs, 7.9, SWEEP)
    assert any(track.bearing_deg > 20.0 for tick in ticks for track in tick.tracks)
    assert levels(ticks) <= {Level.CLEAR, Level.NOTICE}


@pytest.mark.parametrize(
    ("bearings", "ranges"),
    [((), ()), ((0.0,), (1.0,)), (GRID_DEG, (1.0, 1.0)), ((0.0, nan), (1.0, 1.0)), ((0.0, inf), (1.0, 1.0))],
)
def test_a_sweep_that_is_not_whole_is_nonsense(bearings: tuple[float, ...], ranges: tuple[float, ...]) -> None:
    ticks = guard([Scan("sweep", t, bearings, ranges) for t in times(0.0, 2.0, SWEEP_S)], 1.9, SWEEP)
    assert ticks[-1].alert.faults == ("sweep:implausible", "sweep:no_data")


def test_an_empty_sweep_is_an_empty_field() -> None:
    inputs: list[Input] = [Scan("sweep", t, GRID_DEG, (None,) * len(GRID_DEG)) for t in times(0.0, 5.0, SWEEP_S)]
    ticks = guard(inputs, 4.9, SWEEP)
    assert {(tick.alert.level, tick.alert.faults) for tick in ticks} == {(Level.CLEAR, ())}


def test_a_late_answer_of_a_lost_device_does_not_bring_it_back() -> None:
    ticks = guard([*still(0.0, 3.0), Reading("rear", 3.0, Status.LOST)], 3.0)
    pipeline = Pipeline([SONAR], MOTORS, DEFAULT)
    play(pipeline, [*still(0.0, 3.0), Reading("rear", 3.0, Status.LOST)], 3.5)
    assert pipeline.step([ok(3.01, 2.0)], 3.6).alert.faults == ticks[-1].alert.faults == ("rear:lost",)


def test_a_sweep_of_numbers_that_are_none_is_no_empty_field() -> None:
    """All ranges NaN or negative: the sensor speaks nonsense, and that is felt."""
    guard = Pipeline([SensorSpec("scan")], MOTORS, DEFAULT)
    ranges = tuple((nan, -1.0, inf, None)[i % 4] for i in range(len(GRID_DEG)))
    for i in range(10):
        tick = guard.step([Scan("scan", i * 0.1, GRID_DEG, ranges)], i * 0.1)
    assert "scan:implausible" in tick.alert.faults
