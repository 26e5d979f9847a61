"""OE of a PCA9685, held by the guard: low while the board is as it was told to be, high in every other case."""

from __future__ import annotations

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
    with pytest.raises(DeviceOpenError, match=r"^belt\.enable_pin = 22: "):
        belt.open()


def test_a_pin_that_cannot_be_driven_is_told_as_a_board_that_is_lost(belt: Belt, bench: Bench, mocker: Any) -> None:
    belt.open()
    mocker.patch.object(type(bench.factory.pin(OE)), "_set_state", side_effect=OSError(5, "no"))
    with pytest.raises(DeviceLostError, match=r"^belt\.enable_pin = 22: "):
        belt.write((1.0,), 1.0)
    mocker.stopall()


def test_the_pin_is_noted_as_one_that_rests_high() -> None:
    assert CONFIG.at_rest() == {OE: OFF}
    assert Config(driver="pca9685", motor=CONFIG.motor).at_rest() == {}
