"""HC-SR04: what its pins say, edge by edge."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from contract.rigs import Bench, break_pin
from rearguard.core.reading import Reading, Scan, Status
from rearguard.errors import DeviceLostError, DeviceOpenError

DELAY_S = 0.00045  # from trigger to the start of the echo


def echo(rig: Any, width_s: float) -> None:
    """From now on every ping is answered by an echo of that width."""
    rig.emulator.edges = lambda t_s, _: [(t_s + DELAY_S, True), (t_s + DELAY_S + width_s, False)]


def ping(rig: Any) -> Reading:
    """One ping, and the rest of its turn."""
    found: list[Reading | Scan] = rig.listen(rig.config.turn_s)
    assert len(found) == 1
    assert isinstance(found[0], Reading)
    return found[0]


def states(pin: Any) -> list[float]:
    return [state.state for state in pin.states]


@pytest.mark.parametrize("temperature_c", [-5.0, 20.0, 35.0])
def test_distance_follows_the_speed_of_sound_at_the_temperature(temperature_c: float, bench: Bench) -> None:
    rig = bench.open("hcsr04", temperature_c=temperature_c)
    echo(rig, 0.010)
    there_and_back_m = (331.3 + 0.606 * temperature_c) * 0.010
    reading = ping(rig)
    assert reading.status is Status.OK
    assert reading.distance_m == pytest.approx(there_and_back_m / 2, abs=1e-4)


def test_the_reading_has_the_time_of_the_falling_edge(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    echo(rig, 0.007)
    reading = ping(rig)
    assert reading.t_s == pytest.approx(rig.pings[-1] + DELAY_S + 0.007, abs=1e-9)


@pytest.mark.parametrize("no_echo_s", [0.030, 0.038, 0.047, 0.058])
def test_a_clone_that_holds_its_line_when_nothing_comes_back_is_clear(no_echo_s: float, bench: Bench) -> None:
    rig = bench.open("hcsr04")
    rig.emulator.no_echo_s = no_echo_s
    assert {ping(rig).status for _ in range(5)} == {Status.CLEAR}
    assert rig.sensor.stuck == 0


@pytest.mark.parametrize(
    ("distance_m", "status"),
    [
        (0.003, Status.TOO_CLOSE),
        (0.019, Status.TOO_CLOSE),
        (0.021, Status.OK),
        (3.99, Status.OK),
        (4.01, Status.CLEAR),
    ],
)
def test_what_is_nearer_than_2_cm_is_too_close_and_beyond_4_m_is_clear(
    distance_m: float, status: Status, bench: Bench
) -> None:
    rig = bench.open("hcsr04")
    echo(rig, distance_m / rig.config.metres_per_s())
    assert ping(rig).status is status


def test_no_edge_at_all_is_no_data(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    rig.emulator.silent = True
    assert ping(rig).status is Status.NO_DATA


def test_an_echo_that_does_not_end_is_no_data(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    rig.emulator.hangs = True
    reading = ping(rig)
    assert reading.status is Status.NO_DATA
    assert reading.t_s <= bench.clock.now()


def test_the_trigger_is_one_pulse_of_ten_microseconds_for_each_ping(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    echo(rig, 0.01)
    rig.pins[0].clear_states()
    before = bench.clock.now()
    rig.listen(3 * rig.config.turn_s)
    assert states(rig.pins[0]) == [0, 1, 0, 1, 0, 1, 0]
    assert rig.pings[0] - before == pytest.approx(1e-5, abs=1e-9)


def test_a_hung_echo_line_is_pulled_low_and_counted(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    rig.view = lambda _: 1.0
    rig.emulator.hangs = True
    assert ping(rig).status is Status.NO_DATA
    assert rig.sensor.stuck == 0, "not known before the next ping"
    trigger, line = rig.pins
    line.clear_states()
    trigger.clear_states()
    rig.emulator.hangs = False
    told, reading = rig.listen(rig.config.turn_s)
    assert told.status is Status.INVALID, "that it hung is told"
    assert states(line)[:2] == [True, 0], "driven low by us"
    assert line.function == "input", "and let go again"
    assert len(states(trigger)) == 3, "then one ping"
    assert reading.status is Status.OK
    assert reading.distance_m == pytest.approx(1.0, abs=0.03)
    assert rig.sensor.stuck == 1


def test_a_line_that_hangs_after_every_ping_is_counted_every_time_and_never_a_distance(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    rig.emulator.hangs = True
    found = [item.status for _ in range(6) for item in rig.listen(rig.config.turn_s)]
    assert found == [Status.NO_DATA, *[Status.INVALID, Status.NO_DATA] * 5]
    assert rig.sensor.stuck == 5


@pytest.mark.parametrize("wait_s", [0.003, 0.03, 0.25])
def test_freeing_a_hung_line_stays_within_the_deadline(wait_s: float, bench: Bench) -> None:
    rig = bench.open("hcsr04")
    rig.emulator.hangs = True
    for _ in range(3):
        deadline = bench.clock.now() + wait_s
        rig.sensor.read(deadline)
        assert bench.clock.now() <= deadline


def test_an_echo_that_comes_after_its_read_has_ended_is_not_taken_for_the_next_one(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    rig.emulator.edges = lambda t_s, _: [(t_s + 0.021, True), (t_s + 0.026, False)]  # 0.86 m, had it been in time
    [first] = rig.sensor.read(bench.clock.now() + 0.25)
    assert first.status is Status.NO_DATA
    bench.clock.sleep(0.04)
    assert not rig.pins[1].state, "the late echo has come and gone"
    rig.cut = True
    assert ping(rig).status is Status.NO_DATA


def test_edges_older_than_the_trigger_are_not_taken_for_its_echo_even_when_told_after_it(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    older = [(-0.010, True), (-0.005, False)]  # handed on late by a busy machine, with the times they had
    answer = [(DELAY_S, True), (DELAY_S + 0.010, False)]
    rig.emulator.edges = lambda t_s, _: [(t_s + after_s, level) for after_s, level in older + answer]
    reading = ping(rig)
    assert reading.distance_m == pytest.approx(0.010 * rig.config.metres_per_s(), abs=1e-4)


def test_a_stray_fall_before_the_echo_does_not_end_it(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    rig.emulator.edges = lambda t_s, _: [(t_s + 1e-4, False), (t_s + DELAY_S, True), (t_s + DELAY_S + 0.01, False)]
    assert ping(rig).distance_m == pytest.approx(0.010 * rig.config.metres_per_s(), abs=1e-4)


def test_pings_of_one_sensor_are_a_cycle_of_60_ms_apart(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    bus, _ = bench.bus(rig)
    bench.run(bus, 1.0)
    assert len(rig.pings) > 10
    assert min(after - before for before, after in pairwise(rig.pings)) >= 0.060 - 1e-9


def test_the_nearest_thing_in_the_cone_is_what_is_measured(bench: Bench) -> None:
    rig = bench.open("hcsr04", bearing_deg=40.0)
    rig.view = lambda bearing: 0.3 if abs(bearing - 40.0) > 10.0 else 0.9 if bearing > 45.0 else 1.5
    assert ping(rig).distance_m == pytest.approx(0.9, abs=0.03)


def test_close_leaves_both_pins_as_inputs_that_nobody_listens_to(bench: Bench) -> None:
    rig = bench.open("hcsr04")
    rig.sensor.close()
    assert [pin.function for pin in rig.pins] == ["input", "input"]
    assert [pin.when_changed for pin in rig.pins] == [None, None]


@pytest.mark.parametrize("pin", [0, 1])
def test_either_pin_failing_in_a_ping_is_a_lost_device(pin: int, bench: Bench) -> None:
    rig = bench.open("hcsr04")
    break_pin(rig.pins[pin])
    with pytest.raises(DeviceLostError, match="rear"):
        rig.sensor.read(bench.clock.now() + 0.25)


@pytest.mark.parametrize("pin", [0, 1])
def test_either_pin_failing_at_open_is_told_and_the_other_is_let_go(pin: int, bench: Bench) -> None:
    rig = bench.rig("hcsr04")
    break_pin(rig.pins[pin])
    with pytest.raises(DeviceOpenError, match="rear"):
        rig.sensor.open()
    assert rig.pins[1 - pin].function == "input"
