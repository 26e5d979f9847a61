"""Whether a sensor can be believed: each fault, what raises it, what does not, and when it ends."""

from __future__ import annotations

from random import Random

import pytest

from core.worlds import DEFAULT, LASER, MOTORS, SONAR, SONAR_S, echoes, fault, first, last, ok, play, says, times
from rearguard.core.pipeline import Pipeline, Tick
from rearguard.core.reading import Input, Reading, SensorSpec, Status

PERIODS = {SONAR.name: SONAR_S, LASER.name: 0.01}
QUIET = [Status.NO_DATA, None]  # it says that it heard nothing, or says nothing
END_S = 0.5
SLOW, SLOW_S = SONAR._replace(round_s=0.1), 0.1  # an A02YYUW


def guard(inputs: list[Input], until_s: float, *specs: SensorSpec) -> list[Tick]:
    return play(Pipeline(specs or [SONAR], MOTORS, DEFAULT), inputs, until_s)


def still(start_s: float, stop_s: float, sensor: str = "rear", seed: int = 1) -> list[Input]:
    """A sensor that works, in front of a wall."""
    return echoes(lambda t: 2.0, start_s, stop_s, sensor=sensor, noise=Random(seed))


def gone(ticks: list[Tick], name: str) -> float:
    """When a fault was no longer told, for good."""
    return first(ticks, lambda tick: tick.t_s > last(ticks, fault(name)))


def ended(ticks: list[Tick], name: str, good_s: float) -> bool:
    """Whether a fault ended half a second after its cause: between the last bad answer and the first good one."""
    return good_s - SONAR_S + END_S - 1e-6 <= gone(ticks, name) <= good_s + END_S + 1e-6


def faults(ticks: list[Tick]) -> set[str]:
    return {name for tick in ticks for name in tick.alert.faults}


def test_a_sensor_that_works_has_no_fault() -> None:
    assert faults(guard(still(0.0, 20.0), 20.0)) == set()


def test_an_empty_field_is_no_fault() -> None:
    assert faults(guard(says(Status.CLEAR, 0.0, 20.0) + says(Status.WEAK, 0.03, 20.0), 20.0)) == set()


@pytest.mark.parametrize("quiet", QUIET)
def test_a_silent_sensor_is_felt_after_250_ms(quiet: Status | None) -> None:
    inputs = still(0.0, 3.0) + (says(quiet, 3.0, 6.0) if quiet else [])
    ticks = guard(inputs, 5.9)
    assert first(ticks, fault("rear:no_data")) == pytest.approx(2.94 + 0.25)
    assert first(ticks, lambda tick: tick.t_s > 3.0 and any(tick.frame.duties)) < 2.94 + 0.30
    assert fault("rear:no_data")(ticks[-1])


def test_an_echo_missed_now_and_then_is_no_fault() -> None:
    inputs = [item for i, item in enumerate(still(0.0, 20.0)) if i % 4]
    assert faults(guard(inputs, 19.9)) == set()


@pytest.mark.parametrize("quiet_s", [0.6, 1.0, 2.45, 3.33, 4.71])
def test_no_data_ends_half_a_second_after_the_first_answer(quiet_s: float) -> None:
    back = 3.0 + quiet_s
    ticks = guard(still(0.0, 3.0) + still(back, back + 3.0), back + 2.9)
    assert ended(ticks, "rear:no_data", back)


@pytest.mark.parametrize("spec", [SONAR, SONAR._replace(startup_s=2.5)])
def test_a_sensor_may_take_its_time_to_start_up_but_no_longer(spec: SensorSpec) -> None:
    ticks = play(Pipeline([spec], MOTORS, DEFAULT), [], 110.0, start_s=100.0)
    assert first(ticks, fault("rear:no_data")) == pytest.approx(100.0 + spec.startup_s)
    assert faults(guard(still(spec.startup_s - 0.01, 10.0), 9.9, spec)) == set()


@pytest.mark.parametrize("away_s", [0.1, 0.9, 2.45, 4.71])
def test_a_lost_device_is_felt_at_once_until_half_a_second_after_it_is_back(away_s: float) -> None:
    back = 3.0 + away_s
    ticks = guard([*still(0.0, 3.0), Reading("rear", 3.0, Status.LOST), *still(back, back + 3.0)], back + 2.9)
    assert first(ticks, fault("rear:lost")) == 3.0
    assert ended(ticks, "rear:lost", back)


def test_a_lost_device_is_not_called_silent_as_well() -> None:
    ticks = guard([*still(0.0, 3.0), Reading("rear", 3.0, Status.LOST)], 9.0)
    assert faults(ticks) == {"rear:lost"}
    assert all(fault("rear:lost")(tick) for tick in ticks if tick.t_s >= 3.0)


def garbled(share: int, start_s: float, stop_s: float) -> list[Input]:
    """A working sensor of whose answers every `share`-th is rejected from `start_s` to `stop_s`."""
    items = still(0.0, stop_s + 5.0)
    return [
        Reading("rear", item.t_s, Status.INVALID) if start_s <= item.t_s < stop_s and i % share == 0 else item
        for i, item in enumerate(items)
    ]


@pytest.mark.parametrize("share", [1, 2, 3, 4])
def test_more_than_a_fifth_of_nonsense_is_a_fault(share: int) -> None:
    ticks = guard(garbled(share, 3.0, 6.0), 10.9)
    assert 3.0 <= first(ticks, fault("rear:implausible")) < 4.0


@pytest.mark.parametrize("share", [6, 10, 30])
def test_less_than_a_fifth_of_nonsense_is_none(share: int) -> None:
    assert faults(guard(garbled(share, 3.0, 30.0), 34.9)) == set()


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_bad_answers_are_no_fault_even_of_a_slow_sensor(count: int) -> None:
    inputs = echoes(lambda t: 2.0, 0.0, 8.0, period_s=0.2, noise=Random(1))
    for i in range(count):
        inputs[20 + i] = Reading("rear", inputs[20 + i].t_s, Status.INVALID)
    assert "rear:implausible" not in faults(guard(inputs, 7.9))


def test_implausible_ends_half_a_second_after_its_share_has_sunk() -> None:
    items = still(0.0, 9.0)
    for i in range(50, 53):  # 3.00 to 3.12 s, three of the last five answers, then of ever more
        items[i] = Reading("rear", items[i].t_s, Status.INVALID)
    items = [item for item in items if item.t_s < 2.0 or item.t_s > 2.99]
    ticks = guard(items, 8.9)
    # The share sinks to a fifth with the fifteenth answer: 3.00 + 14 * 0.06 s.
    assert ended(ticks, "rear:implausible", 3.84)


@pytest.mark.parametrize("distance", [None, -1.0, 4.01, 1e9, float("inf"), float("nan")])
def test_a_distance_that_cannot_be_is_nonsense_whatever_the_sensor_calls_it(distance: float | None) -> None:
    inputs = still(0.0, 3.0) + [ok(t, distance) for t in times(3.0, 5.0, SONAR_S)]
    ticks = guard(inputs, 4.9)
    assert first(ticks, fault("rear:implausible")) < 4.0
    assert fault("rear:no_data")(ticks[-1])  # for nonsense is no answer


def test_a_sensor_that_repeats_itself_while_another_sees_motion_is_frozen() -> None:
    stuck = echoes(lambda t: 2.0, 0.0, 3.0, sensor="stuck", noise=Random(2))
    stuck += [ok(t, 1.234, "stuck") for t in times(3.0, 8.0, SONAR_S)]
    moving = echoes(lambda t: 3.9 - 0.7 * max(t - 5.0, 0.0), 0.0, 8.0, noise=Random(1))
    ticks = guard(stuck + moving, 7.9, SONAR, SONAR._replace(name="stuck"))
    assert 6.0 < first(ticks, fault("stuck:frozen")) < 6.6  # a second of motion, once motion is seen
    assert "rear:frozen" not in faults(ticks)


def test_a_sensor_that_stops_dead_from_a_walk_is_frozen_on_its_own_evidence() -> None:
    walk = echoes(lambda t: 3.8 - 0.9 * t, 0.0, 2.0, noise=Random(1))
    ticks = guard(walk + [ok(t, 2.013) for t in times(2.0, 4.0, SONAR_S)], 3.9)
    assert 2.25 <= first(ticks, fault("rear:frozen")) < 2.25 + 2 * SONAR_S


def stops_dead(spec: SensorSpec, period_s: float, repeats: int) -> list[Tick]:
    """A walk of 0.9 m/s, then the same millimetres `repeats` times over, then values that change."""
    walk = echoes(lambda t: 3.8 - 0.9 * t, 0.0, 2.0, period_s=period_s, noise=Random(1))
    begin = len(walk) * period_s
    stuck = [ok(begin + i * period_s, 2.013) for i in range(1 + repeats)]
    after = begin + len(stuck) * period_s
    rest = [ok(t, 2.012 + 0.001 * (i % 2)) for i, t in enumerate(times(after, after + 2.0, period_s))]
    return guard(walk + stuck + rest, after + 1.9, spec)


@pytest.mark.parametrize("repeats", [1, 2, 3])
def test_a_slow_sensor_may_repeat_itself_three_times_just_after_the_wearer_stops(repeats: int) -> None:
    assert faults(stops_dead(SLOW, SLOW_S, repeats)) == set()


def test_a_slow_sensor_that_repeats_itself_once_more_after_a_walk_is_frozen() -> None:
    ticks = stops_dead(SLOW, SLOW_S, 4)
    assert first(ticks, fault("rear:frozen")) == pytest.approx(2.0 + 4 * SLOW_S)
    assert fault("rear:frozen")(ticks[-1]) is False


@pytest.mark.parametrize("spec", [SONAR, SONAR._replace(round_s=SONAR_S)])
def test_a_round_of_60_ms_leaves_a_frozen_sensor_to_be_told_after_250_ms(spec: SensorSpec) -> None:
    ticks = stops_dead(spec, SONAR_S, 5)
    assert first(ticks, fault("rear:frozen")) == pytest.approx(round(2.0 / SONAR_S) * SONAR_S + 5 * SONAR_S)
    assert faults(stops_dead(spec, SONAR_S, 4)) == set()


def test_a_still_thing_seen_by_one_sensor_alone_is_not_frozen() -> None:
    assert faults(guard([ok(t, 1.5) for t in times(0.0, 30.0, SONAR_S)], 29.9)) == set()


def test_a_still_thing_and_a_brief_motion_elsewhere_are_not_frozen() -> None:
    moving = echoes(lambda t: 3.9 - 0.7 * min(max(t - 5.0, 0.0), 0.6), 0.0, 9.0, noise=Random(1))
    stuck = [ok(t, 1.5, "wall") for t in times(0.0, 9.0, SONAR_S)]
    assert faults(guard(moving + stuck, 8.9, SONAR, SONAR._replace(name="wall"))) == set()


def test_an_empty_field_beside_a_motion_is_not_frozen() -> None:
    moving = echoes(lambda t: 3.9 - 0.5 * t, 0.0, 6.0, noise=Random(1))
    empty = says(Status.CLEAR, 0.0, 6.0, sensor="wide")
    assert faults(guard(moving + empty, 5.9, SONAR, SONAR._replace(name="wide"))) == set()


def test_frozen_ends_half_a_second_after_the_values_change_again() -> None:
    walk = echoes(lambda t: 3.8 - 0.9 * t, 0.0, 2.0, noise=Random(1))
    stuck = [ok(t, 2.013) for t in times(2.0, 5.0, SONAR_S)]
    ticks = guard(walk + stuck + still(5.0, 9.0), 8.9)
    assert ended(ticks, "rear:frozen", 5.0)


def shirt(start_s: float, stop_s: float, close: bool) -> list[Input]:
    """Cloth over the sensor: below its minimum range, or a few centimetres away and breathing."""
    if close:
        return says(Status.TOO_CLOSE, start_s, stop_s)
    return echoes(lambda t: 0.08, start_s, stop_s, noise=Random(1))


@pytest.mark.parametrize("close", [True, False])
def test_a_shirt_over_the_sensor_is_felt_as_a_fault_after_3_s_and_ends_when_it_is_off(close: bool) -> None:
    ticks = guard(still(0.0, 3.0) + shirt(3.0, 9.0, close) + still(9.0, 12.0), 11.9)
    assert first(ticks, fault("rear:blocked")) == pytest.approx(6.0, abs=SONAR_S)
    assert ended(ticks, "rear:blocked", 9.0)


def test_something_close_that_moves_is_not_a_shirt() -> None:
    ticks = guard(echoes(lambda t: 0.05 + 0.02 * (t % 5.0), 0.0, 20.0), 19.9)
    assert "rear:blocked" not in faults(ticks)


def test_a_second_and_a_half_at_a_wall_is_not_a_shirt() -> None:
    ticks = guard(still(0.0, 3.0) + shirt(3.0, 4.5, True) + still(4.5, 9.0), 8.9)
    assert "rear:blocked" not in faults(ticks)
