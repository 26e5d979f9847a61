"""OE of a PCA9685, held by the guard: low while the board is as it was told to be, high in every other case."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from errno import EREMOTEIO
from typing import Any

import pytest

from contract.chips import I2cBus, Pca9685
from contract.rigs import Bench
from rearguard.belt.pca9685 import Belt, ChannelMotor, Config
from rearguard.errors import DeviceLostError, DeviceOpenError

OE = 22
ON, OFF = 0, 1
CONFIG = Config(driver="pca9685", enable_pin=OE, motor={"back": ChannelMotor(bearing_deg=0.0, channel=3)})


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> I2cBus:
    bus = I2cBus()
    bus.chips[0x40] = Pca9685()
    monkeypatch.setattr("smbus2.SMBus", bus.smbus)
    return bus


@pytest.fixture
def belt(bus: I2cBus, bench: Bench) -> Iterator[Belt]:
    belt = Belt(CONFIG, bench.host)
    yield belt
    belt.close()


def oe(bench: Bench) -> int:
    return int(bench.factory.pin(OE).state)


def test_it_is_high_until_the_chip_is_known_to_do_as_it_is_told(belt: Belt, bench: Bench) -> None:
    belt.open()
    assert oe(bench) == OFF
    belt.write((0.0,), 1.0)
    assert oe(bench) == ON


def test_a_chip_that_answers_no_more_is_switched_off_whatever_it_was_told_last(
    belt: Belt, bus: I2cBus, bench: Bench
) -> None:
    belt.open()
    belt.write((1.0,), 1.0)
    bus.error = EREMOTEIO
    with pytest.raises(DeviceLostError):
        belt.write((0.0,), 1.1)
    assert oe(bench) == OFF
    bus.error = None
    belt.write((0.0,), 1.2)
    assert oe(bench) == ON


def test_it_goes_high_first_when_the_belt_is_closed_even_if_the_bus_is_dead(
    belt: Belt, bus: I2cBus, bench: Bench
) -> None:
    belt.open()
    belt.write((1.0,), 1.0)
    bus.error = EREMOTEIO
    levels: list[int] = []
    bench.factory.pin(OE).close = lambda: levels.append(oe(bench))
    belt.close()
    assert levels == [OFF], "high when it is let go; from then on the resistor holds it"


def test_a_board_that_does_not_open_leaves_the_pin_to_others(belt: Belt, bus: I2cBus, bench: Bench) -> None:
    bus.chips.clear()
    for _ in range(2):
        with pytest.raises(DeviceOpenError, match="no PCA9685 answers"):
            belt.open()
    bench.factory.reserve_pins(bus, OE)  # raises where it is still taken


def test_a_pin_that_somebody_else_holds_is_refused_by_its_key(belt: Belt, bench: Bench) -> None:
    bench.factory.reserve_pins(bench, OE)
    with pytest.raises(DeviceOpenError, match=r"^belt\.enable_pin = 22: pin GPIO22 is already in use by <"):
        belt.open()


def test_a_chip_that_runs_from_before_is_put_to_rest_though_its_pin_is_refused(
    belt: Belt, bus: I2cBus, bench: Bench
) -> None:
    belt.open()
    belt.write((1.0,), 1.0)
    registers = bytes(bus.chips[0x40].registers)
    belt.close()
    bus.chips[0x40].registers[:] = registers  # as a guard that was killed leaves them
    assert bus.chips[0x40].duty(3) == 1.0
    bench.factory.reserve_pins(bench, OE)
    with pytest.raises(DeviceOpenError):
        belt.open()
    assert bus.chips[0x40].duty(3) == 0.0
    assert bus.handles == 0


@pytest.mark.parametrize("missing", ["chip", "library"])
def test_a_pin_that_is_refused_is_what_is_told_though_the_chip_cannot_be_reached_either(
    missing: str, belt: Belt, bus: I2cBus, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.chips.clear()
    if missing == "library":
        monkeypatch.setitem(sys.modules, "smbus2", None)
    bench.factory.reserve_pins(bench, OE)
    with pytest.raises(DeviceOpenError, match="already in use"):
        belt.open()
    assert bus.handles == 0


def eight(bench: Bench) -> Belt:
    motors = {f"m{i}": ChannelMotor(bearing_deg=10.0 * i, channel=i) for i in range(8)}
    belt = Belt(Config(driver="pca9685", enable_pin=OE, strength=0.5, motor=motors), bench.host)
    belt.open()
    for now in (5.0, 5.01, 5.02, 5.1):
        belt.write([1.0] * 8, now)
    return belt


def test_motors_that_it_switched_off_start_in_turn_and_with_a_kick(bus: I2cBus, bench: Bench) -> None:
    belt = eight(bench)
    bus.error = EREMOTEIO
    with pytest.raises(DeviceLostError):
        belt.write([1.0] * 8, 5.25)
    bus.error = None
    assert belt.write([1.0] * 8, 5.5) == pytest.approx(5.51)
    assert [bus.chips[0x40].duty(i) for i in range(8)] == [0, 0, 1, 1, 1, 0, 0, 0]
    belt.close()


def test_motors_that_it_could_not_switch_on_again_start_in_turn_once_it_can(
    bus: I2cBus, bench: Bench, mocker: Any
) -> None:
    belt = eight(bench)
    bus.error = EREMOTEIO
    with pytest.raises(DeviceLostError):
        belt.write([1.0] * 8, 5.25)
    bus.error = None
    mocker.patch.object(type(bench.factory.pin(OE)), "_set_state", side_effect=OSError(5, "no"))
    for now in (5.5, 5.51, 5.52):
        with pytest.raises(DeviceLostError, match="enable_pin"):
            belt.write([1.0] * 8, now)
    mocker.stopall()
    assert belt.write([1.0] * 8, 5.75) == pytest.approx(5.76)
    assert [bus.chips[0x40].duty(i) for i in range(8)] == [0, 0, 1, 1, 1, 0, 0, 0]
    belt.close()


def test_a_pin_that_cannot_be_driven_is_told_as_a_board_that_is_lost(belt: Belt, bench: Bench, mocker: Any) -> None:
    belt.open()
    mocker.patch.object(type(bench.factory.pin(OE)), "_set_state", side_effect=OSError(5, "no"))
    with pytest.raises(DeviceLostError, match=r"^belt\.enable_pin = 22: "):
        belt.write((1.0,), 1.0)
    mocker.stopall()


def test_the_pin_is_noted_as_one_that_rests_high() -> None:
    assert CONFIG.at_rest() == {OE: OFF}
    assert Config(driver="pca9685", motor=CONFIG.motor).at_rest() == {}
