"""Motors on a PCA9685: what its registers carry, and what a bus, a chip or a wire that fails is answered with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from errno import EBUSY, EIO, ENODEV, ENXIO, EREMOTEIO, ETIMEDOUT
from typing import Any

import pytest

from contract.chips import I2cBus, Pca9685
from contract.rigs import Bench
from rearguard import config as configs
from rearguard.belt import NEVER, _i2c
from rearguard.belt.pca9685 import Belt, ChannelMotor, Config
from rearguard.errors import ConfigError, DeviceLostError, DeviceOpenError
from support import default_toml

LEFT, BACK, RIGHT = 12, 0, 15
MOTORS = {
    "right": ChannelMotor(bearing_deg=90.0, channel=RIGHT),
    "left": ChannelMotor(bearing_deg=-90.0, channel=LEFT),
    "back": ChannelMotor(bearing_deg=0.0, channel=BACK),
}
Make = Callable[..., Belt]


@pytest.fixture
def chip() -> Pca9685:
    return Pca9685()


@pytest.fixture
def bus(chip: Pca9685, monkeypatch: pytest.MonkeyPatch) -> I2cBus:
    made = I2cBus()
    made.chips[0x40] = chip
    monkeypatch.setattr("smbus2.SMBus", made.smbus)
    return made


@pytest.fixture
def make(bus: I2cBus, bench: Bench) -> Iterator[Make]:
    """Makes open belts, and closes them."""
    made: list[Belt] = []

    def make(**keys: Any) -> Belt:
        made.append(Belt(Config(driver="pca9685", motor=MOTORS, **keys), bench.host))
        made[-1].open()
        return made[-1]

    yield make
    for belt in made:
        belt.close()
    assert bus.handles == 0, "every bus that was opened has been closed"


def outputs(chip: Pca9685) -> list[float]:
    return [chip.duty(channel) for channel in (LEFT, BACK, RIGHT)]


def complaint(belt: Belt) -> str:
    with pytest.raises(DeviceOpenError) as caught:
        belt.open()
    return str(caught.value)


def test_a_chip_that_still_runs_from_before_a_crash_is_put_to_rest_on_open(make: Make, chip: Pca9685) -> None:
    make().write((1.0, 1.0, 1.0), 5.0)
    make()
    assert [chip.duty(channel) for channel in range(16)] == [0.0] * 16


@pytest.mark.parametrize(
    ("asked", "prescale"), [(24, 253), (50, 121), (200, 30), (1000, 5), (1526, 3)]
)  # 25 MHz / (4096 * f) - 1
def test_the_chip_is_set_to_the_frequency_asked_for(asked: int, prescale: int, make: Make, chip: Pca9685) -> None:
    make(frequency_hz=asked)
    assert chip.read(0xFE) == prescale
    assert chip.frequency_hz == pytest.approx(asked, rel=0.02)


def test_it_is_left_awake_with_auto_increment_and_answers_to_no_other_address(make: Make, chip: Pca9685) -> None:
    make()
    assert chip.read(0x00) == 0x20


def test_opening_gives_the_oscillator_half_a_millisecond(make: Make, bench: Bench) -> None:
    before = bench.clock.now()
    make()
    assert bench.clock.now() - before >= 0.0005


def test_duties_go_to_the_channels_by_bearing_and_others_are_let_be(make: Make, chip: Pca9685) -> None:
    make(kick_s=0.0).write((1.0, 0.5, 0.0), 5.0)
    assert outputs(chip) == [1.0, 0.5, 0.0]
    assert sum(chip.duty(channel) for channel in range(16)) == 1.5


@pytest.mark.parametrize("felt", [0.36, 0.5, 0.75, 0.999, 0.9999, 1.0, 1.7])
def test_a_duty_is_carried_to_within_a_step_of_4096(felt: float, make: Make, chip: Pca9685) -> None:
    make(kick_s=0.0).write((felt, 0.0, 0.0), 5.0)
    assert outputs(chip)[0] == pytest.approx(min(felt, 1.0), abs=1 / 4096)


def test_a_weak_pulse_begins_with_a_kick_and_goes_on_at_its_duty(make: Make, chip: Pca9685) -> None:
    belt = make(kick_s=0.04, strength=0.5, min_duty=0.2)
    assert belt.write((0.0, 1.0, 0.0), 5.0) == pytest.approx(5.04)
    assert outputs(chip) == [0.0, 1.0, 0.0]
    assert belt.write((0.0, 1.0, 0.0), 5.04) == NEVER
    assert outputs(chip) == [0.0, 0.5, 0.0]


def test_the_bus_and_the_address_of_the_configuration_are_used(make: Make, bus: I2cBus) -> None:
    bus.chips[0x41] = Pca9685()
    make(bus=3, address=0x41).write((1.0, 0.0, 0.0), 5.0)
    assert bus.opened == [3]
    assert bus.chips[0x41].duty(LEFT) == 1.0
    assert bus.chips[0x40].duty(LEFT) == 0.0


def test_a_stuck_bus_holds_the_guard_up_for_50_ms_and_not_for_the_kernels_second(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(_i2c, "ioctl", lambda fd, request, value: asked.append((request, value)))
    make()
    assert asked == [(0x0702, 5)]  # I2C_TIMEOUT of linux/i2c-dev.h, in units of 10 ms


@pytest.mark.parametrize("error", [ENXIO, EREMOTEIO, EIO, ETIMEDOUT, ENODEV])
def test_a_cut_wire_is_a_lost_device_and_the_next_write_after_repair_works(
    error: int, make: Make, chip: Pca9685, bus: I2cBus
) -> None:
    belt = make()
    bus.error = error
    for _ in range(3):
        with pytest.raises(DeviceLostError, match="no PCA9685 answers at 0x40 on /dev/i2c-1"):
            belt.write((1.0, 1.0, 1.0), 5.0)
    bus.error = None
    belt.write((1.0, 0.0, 0.0), 5.5)
    assert outputs(chip) == [1.0, 0.0, 0.0]


def test_a_chip_that_lost_its_power_together_with_the_bus_is_set_up_by_that_write(
    make: Make, chip: Pca9685, bus: I2cBus
) -> None:
    belt = make(frequency_hz=100)
    bus.error = EREMOTEIO
    with pytest.raises(DeviceLostError):
        belt.write((1.0, 1.0, 1.0), 5.0)
    bus.error = None
    chip.power_cycle()
    belt.write((1.0, 0.0, 0.0), 5.5)
    assert outputs(chip) == [1.0, 0.0, 0.0]
    assert chip.frequency_hz == pytest.approx(100, rel=0.02)


def test_a_chip_that_was_without_power_between_two_writes_is_felt_once_and_driven_again(
    make: Make, chip: Pca9685
) -> None:
    belt = make()
    belt.write((1.0, 1.0, 1.0), 5.0)
    chip.power_cycle()
    with pytest.raises(DeviceLostError, match="look at its VCC and GND wires"):
        belt.write((1.0, 0.0, 1.0), 5.5)
    assert outputs(chip) == [1.0, 0.0, 1.0], "by the very write that noticed"
    belt.write((0.0, 1.0, 0.0), 6.0)
    assert outputs(chip) == [0.0, 1.0, 0.0]


def test_the_restart_flag_of_a_chip_is_no_loss_of_power(make: Make, chip: Pca9685) -> None:
    belt = make()
    belt.write((1.0, 1.0, 1.0), 5.0)
    chip.registers[0] |= 0x80
    belt.write((0.0, 1.0, 0.0), 5.5)
    assert outputs(chip) == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("after", range(4))
def test_wherever_in_a_write_the_wire_is_cut_it_is_told(after: int, make: Make, bus: I2cBus) -> None:
    belt = make()
    bus.error, bus.after = EREMOTEIO, after
    with pytest.raises(DeviceLostError):
        belt.write((1.0, 1.0, 1.0), 5.0)


def test_close_tries_a_second_time_to_put_the_motors_to_rest(
    make: Make, chip: Pca9685, bus: I2cBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    belt = make()
    belt.write((1.0, 1.0, 1.0), 5.0)
    transfer, first = bus.transfer, [OSError(EREMOTEIO, "a glitch")]

    def glitch(*where: int) -> Any:
        if first:
            raise first.pop()
        return transfer(*where)

    monkeypatch.setattr(bus, "transfer", glitch)
    belt.close()
    assert outputs(chip) == [0.0, 0.0, 0.0]


def test_close_on_a_bus_that_is_gone_is_no_error(make: Make, bus: I2cBus) -> None:
    belt = make()
    bus.error = ENODEV
    belt.close()
    with pytest.raises(DeviceLostError, match="closed"):
        belt.write((0.0, 0.0, 0.0), 5.0)


def unopened(bench: Bench, **keys: Any) -> Belt:
    return Belt(Config(driver="pca9685", motor=MOTORS, **keys), bench.host)


def test_no_chip_at_the_address_is_answered_with_the_wires_to_look_at(bus: I2cBus, bench: Bench) -> None:
    said = complaint(unopened(bench, address=0x7F))
    assert "no PCA9685 answers at 0x7f on /dev/i2c-1" in said
    assert "i2cdetect -y 1" in said
    assert bus.handles == 0


def test_no_bus_at_all_is_answered_with_how_to_enable_it(
    bus: I2cBus, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_i2c, "glob", lambda pattern: [])
    bus.missing = FileNotFoundError(2, "No such file or directory", "/dev/i2c-1")
    assert complaint(unopened(bench)) == (
        "belt: /dev/i2c-1 is not there; enable I2C: sudo raspi-config nonint do_i2c 0"
    )


def test_a_wrong_bus_number_is_answered_with_those_there_are(
    bus: I2cBus, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_i2c, "glob", lambda pattern: ["/dev/i2c-20", "/dev/i2c-1"])
    bus.missing = FileNotFoundError(2, "No such file or directory", "/dev/i2c-7")
    assert "/dev/i2c-7 is not there, but /dev/i2c-1, /dev/i2c-20" in complaint(unopened(bench, bus=7))


def test_a_chip_that_the_kernel_drives_is_answered_with_the_overlay(bus: I2cBus, bench: Bench) -> None:
    bus.error = EBUSY
    assert "dtoverlay=" in complaint(unopened(bench))


def test_no_permission_on_the_bus_is_answered_with_its_group(
    bus: I2cBus, bench: Bench, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path / "i2c-1"
    device.touch()
    monkeypatch.setattr("rearguard.host.access", lambda path, mode: False)  # root may read everything
    bus.missing = PermissionError(13, os.strerror(13), str(device))
    belt = unopened(bench)
    monkeypatch.setattr(belt._chip, "path", str(device))
    assert "sudo usermod -aG " in complaint(belt)


def test_without_smbus2_it_says_how_to_get_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smbus2", None)
    assert complaint(unopened(bench)) == "belt: smbus2 is missing; what mends it: rearguard doctor"


def belt_table(**motors: dict[str, Any]) -> dict[str, Any]:
    return {**default_toml(), "belt": {"driver": "pca9685", "motor": motors}}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            belt_table(left={"channel": 3, "bearing_deg": -90}, back={"channel": 3, "bearing_deg": 0}),
            "belt.motor.back.channel = 3: this channel is taken by belt.motor.left.channel; allowed: a free one",
        ),
        (belt_table(left={"channel": 16, "bearing_deg": 0}), "belt.motor.left.channel = 16: allowed: a whole number"),
        (belt_table(left={"pin": 3, "bearing_deg": 0}), "belt.motor.left.pin = 3: unknown key"),
        ({**belt_table(), "belt": {"driver": "pca9685", "motor": {}, "address": 0x3F}}, "belt.address = 63: allowed"),
        ({**belt_table(), "belt": {"driver": "pca9685", "motor": {}, "frequency_hz": 20}}, "belt.frequency_hz = 20"),
    ],
)
def test_a_bad_table_is_answered_with_key_and_bounds(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configs.parse(table, "belt.toml")
    assert words in str(caught.value)


def test_a_good_table_is_taken_with_its_address_in_hexadecimal() -> None:
    table = belt_table(left={"channel": 3, "bearing_deg": -90}, back={"channel": 4, "bearing_deg": 0})
    table["belt"]["address"] = 0x60
    assert configs.parse(table, "belt.toml").bearings() == [-90.0, 0.0]
