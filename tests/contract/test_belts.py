"""What every motor board driver must do. A new file in belt/ is tested here with no change."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from contract.chips import Drv2605, I2cBus, Pca9685
from contract.rigs import PINS, Bench
from rearguard import belt as belts
from rearguard.belt import NEVER, BeltConfig, Motor
from rearguard.errors import DeviceLostError
from rearguard.host import Pin

DRIVERS = belts.names()
PLACES = {"right": 60.0, "left": -60.0, "back": 0.0}  # not in their order on the belt
L, B, R = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)

every_driver = pytest.mark.parametrize("driver", DRIVERS)


def config_of(driver: str) -> Any:
    """Three motors, each with a pin or a channel for every field that wants one."""
    config_type, pins, channels = belts.load(driver).Config, iter(PINS), iter((7, 0, 15))
    motor_type = msgspec.inspect.type_info(config_type).fields
    motor = next(f.type.value_type.cls for f in motor_type if f.name == "motor")
    wanted = {f.name: pins if f.type == Pin else channels for f in msgspec.structs.fields(motor) if f.required}
    del wanted["bearing_deg"]
    motors = {
        name: {"bearing_deg": bearing, **{key: next(free) for key, free in wanted.items()}}
        for name, bearing in PLACES.items()
    }
    return msgspec.convert({"driver": driver, "motor": motors}, config_type)


class Rig:
    """A belt, and what its outputs carry."""

    def __init__(self, driver: str, bench: Bench, bus: I2cBus) -> None:
        self.config, self._bench, self._bus = config_of(driver), bench, bus
        if any(hasattr(motor, "bus") for _, motor in self.config.motors()):  # each behind a multiplexer
            bus.channels = {number: {0x5A: Drv2605()} for number in self.config.channels().values()}
        self.belt: Any = belts.load(driver).Belt(self.config, bench.host)

    def outputs(self) -> list[float]:
        """Left to right: of pins or channels where there are some, else as recorded."""
        pins, channels = self.config.pins(), self.config.channels()
        taken = pins or channels
        if taken:
            order = [name for name, _ in self.config.motors()]
            numbers = [next(taken[key] for key in taken if f".{name}." in key) for name in order]
            return [float(self._bench.factory.pin(n).state) if pins else self._carried(n) for n in numbers]
        return list(self.belt.written[-1][1]) if self.belt.written else [0.0] * len(PLACES)

    def _carried(self, channel: int) -> float:
        chips = self._bus.channels.get(channel)
        return float(chips[0x5A].duty() if chips else self._bus.chips[0x40].duty(channel))


@pytest.fixture
def rig(driver: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Any:
    bus = I2cBus()
    bus.chips[0x40] = Pca9685()
    monkeypatch.setattr("smbus2.SMBus", bus.smbus)
    rig = Rig(driver, bench, bus)
    yield rig
    rig.belt.close()


@every_driver
def test_a_driver_has_config_and_belt_and_says_what_it_is(driver: str) -> None:
    module: Any = belts.load(driver)
    assert issubclass(module.Config, BeltConfig)
    assert all(callable(getattr(module.Belt, method)) for method in ("open", "write", "close"))
    assert len(module.__doc__.splitlines()[0]) > 20


@every_driver
def test_importing_a_driver_imports_no_hardware_library(driver: str) -> None:
    code = f"import sys, rearguard.belt.{driver}; print({{'gpiozero', 'smbus2', 'lgpio', 'RPi'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@every_driver
def test_motors_are_listed_from_the_wearers_left_to_the_right(rig: Rig) -> None:
    assert [name for name, _ in rig.config.motors()] == ["left", "back", "right"]
    assert all(isinstance(motor, Motor) for _, motor in rig.config.motors())


@every_driver
def test_open_leaves_every_motor_at_rest(rig: Rig) -> None:
    rig.belt.open()
    assert rig.outputs() == [0.0, 0.0, 0.0]


@every_driver
@pytest.mark.parametrize("duties", [L, B, R, (1.0, 1.0, 1.0), (1.0, 0.0, 1.0)])
def test_duties_reach_the_motors_in_their_order(duties: tuple[float, ...], rig: Rig) -> None:
    rig.belt.open()
    again = rig.belt.write(duties, 10.0)
    assert again > 10.0
    assert rig.outputs() == list(duties)
    assert rig.belt.write((0.0, 0.0, 0.0), 10.1) == NEVER
    assert rig.outputs() == [0.0, 0.0, 0.0]


@every_driver
def test_written_again_when_it_asks_a_weak_duty_comes_to_rest_above_zero(rig: Rig) -> None:
    rig.belt.open()
    now = 10.0
    for _ in range(5):
        again = rig.belt.write((0.0, 0.5, 0.0), now)
        assert again > now
        if again == NEVER:
            break
        now = again
    assert again == NEVER
    left, back, right = rig.outputs()
    assert (left, right) == (0.0, 0.0)
    assert 0.0 < back < 1.0


@every_driver
def test_close_leaves_every_motor_at_rest_and_may_come_twice(rig: Rig) -> None:
    rig.belt.open()
    rig.belt.write((1.0, 1.0, 1.0), 10.0)
    rig.belt.close()
    assert rig.outputs() == [0.0, 0.0, 0.0]
    rig.belt.close()
    assert rig.outputs() == [0.0, 0.0, 0.0]


@every_driver
def test_close_may_come_before_open(rig: Rig) -> None:
    rig.belt.close()
    rig.belt.open()
    rig.belt.write((0.0, 1.0, 0.0), 10.0)
    assert rig.outputs() == [0.0, 1.0, 0.0]


@every_driver
def test_a_closed_belt_says_that_it_is_lost(rig: Rig) -> None:
    with pytest.raises(DeviceLostError):
        rig.belt.write((0.0, 0.0, 0.0), 10.0)
    rig.belt.open()
    rig.belt.close()
    with pytest.raises(DeviceLostError):
        rig.belt.write((1.0, 1.0, 1.0), 10.0)
    assert rig.outputs() == [0.0, 0.0, 0.0]


@every_driver
@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_a_wrong_number_of_duties_is_refused(count: int, rig: Rig) -> None:
    rig.belt.open()
    with pytest.raises((ValueError, DeviceLostError)):
        rig.belt.write((0.0,) * count, 10.0)


@every_driver
def test_open_after_close_and_open_after_open_begin_at_rest_and_work(rig: Rig) -> None:
    rig.belt.open()
    rig.belt.write((1.0, 1.0, 1.0), 10.0)
    rig.belt.open()
    assert rig.outputs() == [0.0, 0.0, 0.0]
    rig.belt.close()
    rig.belt.open()
    rig.belt.write((1.0, 0.0, 0.0), 11.0)
    assert rig.outputs() == [1.0, 0.0, 0.0]


def test_a_name_that_is_no_driver_is_refused() -> None:
    with pytest.raises(KeyError):
        belts.load("no_such_board")
