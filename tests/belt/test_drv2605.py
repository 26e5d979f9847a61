"""Motors on DRV2605L chips behind a multiplexer: what each is told, byte by byte, and what trouble is answered with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EREMOTEIO, ETIMEDOUT
from typing import Any

import pytest

from contract.chips import Drv2605, I2cBus
from contract.rigs import Bench
from rearguard import config as configs
from rearguard.belt import NEVER, _i2c
from rearguard.belt.drv2605 import Belt, BusMotor, Config
from rearguard.errors import ConfigError, DeviceLostError, DeviceOpenError
from rearguard.summary import summary
from support import default_toml

LEFT, BACK, RIGHT = 13, 11, 12
MOTORS = {
    "right": BusMotor(bearing_deg=90.0, bus=RIGHT),
    "left": BusMotor(bearing_deg=-90.0, bus=LEFT),
    "back": BusMotor(bearing_deg=0.0, bus=BACK),
}
Chips = dict[int, Drv2605]
Make = Callable[..., Belt]


@pytest.fixture
def chips() -> Chips:
    return {number: Drv2605() for number in (LEFT, BACK, RIGHT)}


@pytest.fixture
def bus(chips: Chips, monkeypatch: pytest.MonkeyPatch) -> I2cBus:
    made = I2cBus()
    made.channels = {number: {0x5A: chip} for number, chip in chips.items()}
    monkeypatch.setattr("smbus2.SMBus", made.smbus)
    return made


@pytest.fixture
def make(bus: I2cBus, bench: Bench) -> Iterator[Make]:
    """Makes open belts, and closes them."""
    made: list[Belt] = []

    def make(**keys: Any) -> Belt:
        made.append(unopened(bench, **keys))
        made[-1].open()
        return made[-1]

    yield make
    for belt in made:
        belt.close()
    assert bus.handles == 0, "every bus that was opened has been closed"


def unopened(bench: Bench, **keys: Any) -> Belt:
    return Belt(Config(driver="drv2605", motor=MOTORS, **keys), bench.host)


def outputs(chips: Chips) -> list[float]:
    return [chips[number].duty() for number in (LEFT, BACK, RIGHT)]


@contextmanager
def told(words: str, error: type[Exception] = DeviceLostError) -> Iterator[None]:
    """That it raises, in these words."""
    with pytest.raises(error) as caught:
        yield
    assert words in str(caught.value)


def test_a_coin_motor_is_set_up_in_open_loop_with_signed_input_at_rest(make: Make, chips: Chips) -> None:
    make()
    assert chips[BACK].written == [
        (0x01, [0x40]),  # standby: it rests, whatever it was told before
        (0x02, [0x00]),
        (0x03, [0x00]),
        (0x17, [167]),  # 3.6 V / 21.59 mV
        (0x1A, [0x36, 0x93, 0xF5, 0xA0]),
        (0x01, [0x05]),
    ]
    assert outputs(chips) == [0.0, 0.0, 0.0]


def test_a_linear_motor_is_set_up_in_open_loop_at_its_resonance(make: Make, chips: Chips) -> None:
    make(actuator="lra", rated_v=1.8, resonance_hz=205.0)
    assert chips[LEFT].written[3:] == [
        (0x17, [92]),  # 1.8 V / (21.32 mV * sqrt(1 - 205 Hz * 800 us))
        (0x1A, [0xB6, 0x93, 0xF5, 0x81]),
        (0x20, [50]),  # 1 / 205 Hz / 98.46 us
        (0x01, [0x05]),
    ]


def test_a_write_is_one_byte_a_motor_which_is_read_back(make: Make, chips: Chips) -> None:
    belt = make(overdrive_v=3.0)
    for chip in chips.values():
        chip.written.clear()
    assert belt.write((1.0, 0.0, 1.0), 5.0) == NEVER
    assert [chips[n].written for n in (LEFT, BACK, RIGHT)] == [[(0x02, [0x7F])], [(0x02, [0x00])], [(0x02, [0x7F])]]


def test_a_pulse_begins_at_the_overdrive_voltage_and_goes_on_at_the_rated(make: Make, chips: Chips) -> None:
    belt = make(rated_v=2.5, overdrive_v=3.5)
    assert belt.write((0.0, 1.0, 0.0), 5.0) == pytest.approx(5.04)
    assert outputs(chips) == [0.0, 1.0, 0.0]
    assert belt.write((0.0, 1.0, 0.0), 5.04) == NEVER
    assert outputs(chips)[1] == pytest.approx(2.5 / 3.5, abs=1 / 127)


@pytest.mark.parametrize(
    ("keys", "volts"),
    [
        ({}, (3.0, 3.6)),
        ({"rated_v": 1.3}, (1.3, 1.56)),
        ({"rated_v": 3.0, "overdrive_v": 2.0}, (3.0, 3.0)),
        ({"actuator": "lra"}, (2.0, 2.0)),
    ],
)
def test_the_overdrive_voltage_follows_the_rated_and_is_never_less(
    keys: dict[str, Any], volts: tuple[float, float]
) -> None:
    assert Config(driver="drv2605", motor=MOTORS, **keys).volts() == pytest.approx(volts)


def test_a_chip_that_was_set_to_unsigned_input_does_not_turn_backward(make: Make, chips: Chips) -> None:
    chips[LEFT].registers[0x01], chips[LEFT].registers[0x1D] = 0x05, 0xA8
    assert chips[LEFT].duty() == -1.0, "0x00 is full drive backward to it"
    make()
    assert outputs(chips) == [0.0, 0.0, 0.0]


def test_closing_leaves_every_chip_at_rest_and_in_standby(make: Make, chips: Chips) -> None:
    belt = make()
    belt.write((1.0, 1.0, 1.0), 5.0)
    belt.close()
    assert [chip.written[-2:] for chip in chips.values()] == [[(0x02, [0x00]), (0x01, [0x40])]] * 3


def test_the_waits_of_the_bus_before_the_multiplexer_are_shortened(
    make: Make, bus: I2cBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(_i2c, "ioctl", lambda fd, request, value: asked.append((request, value)))
    make(bus=3)
    assert bus.opened[0] == 3
    assert asked[0] == (0x0702, 5)  # I2C_TIMEOUT of linux/i2c-dev.h, in units of 10 ms


@pytest.mark.parametrize("error", [EREMOTEIO, ETIMEDOUT])
def test_a_chip_that_is_gone_silences_no_other_and_is_driven_again_when_it_is_back(
    error: int, make: Make, chips: Chips, bus: I2cBus
) -> None:
    belt = make()
    bus.cut[LEFT] = error
    for now in (5.0, 5.5):
        with told("belt.motor.left: no DRV2605 answers at 0x5a on /dev/i2c-13"):
            belt.write((1.0, 1.0, 1.0), now)
        assert outputs(chips)[1:] == pytest.approx([1.0, 1.0] if now == 5.0 else [3.0 / 3.6] * 2, abs=1 / 127)
    bus.cut.clear()
    chips[LEFT].power_cycle()
    again = belt.write((1.0, 1.0, 1.0), 6.0)
    assert again == pytest.approx(6.01), "set up and at rest: it starts in its turn"
    belt.write((1.0, 1.0, 1.0), again)
    assert outputs(chips)[0] == 1.0


def test_a_chip_that_is_missing_from_the_start_keeps_no_other_from_opening(
    make: Make, chips: Chips, bus: I2cBus
) -> None:
    del bus.channels[BACK][0x5A]
    belt = make()
    with told("i2cdetect -y 11"):
        belt.write((1.0, 0.0, 1.0), 5.0)
    assert outputs(chips) == [1.0, 0.0, 1.0]


def test_a_chip_that_was_without_power_between_two_writes_is_felt_once_and_driven_again(
    make: Make, chips: Chips
) -> None:
    belt = make()
    belt.write((1.0, 1.0, 0.0), 5.0)
    chips[BACK].power_cycle()
    with told("belt.motor.back: the chip at 0x5a on /dev/i2c-11 had forgotten its settings"):
        belt.write((1.0, 1.0, 0.0), 5.5)
    assert belt.write((1.0, 1.0, 0.0), 5.5) == pytest.approx(5.54)
    assert outputs(chips)[1] == 1.0, "with a kick, as any start"


@pytest.mark.parametrize(("flag", "words"), [(0x01, "too much current; look for a short"), (0x02, "too hot")])
def test_a_chip_that_cut_its_motor_off_says_why(flag: int, words: str, make: Make, chips: Chips) -> None:
    belt = make()
    chips[RIGHT].flags = flag
    with told(words):
        belt.write((1.0, 0.0, 1.0), 5.0)
    assert outputs(chips) == [1.0, 0.0, 1.0]
    belt.write((1.0, 0.0, 1.0), 5.1)


def test_a_short_is_told_as_long_as_it_lasts(make: Make, chips: Chips) -> None:
    belt = make()
    chips[LEFT].shorted = True
    for now in (5.0, 5.2):
        with told("belt.motor.left"):
            belt.write((1.0, 1.0, 1.0), now)
    chips[LEFT].shorted = False
    belt.write((1.0, 1.0, 1.0), 5.4)


def test_a_close_that_fails_once_is_tried_again(
    make: Make, chips: Chips, bus: I2cBus, monkeypatch: pytest.MonkeyPatch
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
    assert outputs(chips) == [0.0, 0.0, 0.0]


def are(chips: Chips, part: int) -> None:
    for chip in chips.values():
        chip.part = part


def test_another_part_at_the_address_is_refused(bus: I2cBus, chips: Chips, bench: Bench) -> None:
    are(chips, 4)
    with told("says that it is part 4, not a DRV2605L (7) or DRV2605 (3)", DeviceOpenError):
        unopened(bench).open()
    assert bus.handles == 0


def test_the_older_part_drives_coin_motors_and_refuses_linear_ones(make: Make, chips: Chips, bench: Bench) -> None:
    are(chips, 3)
    make().write((1.0, 0.0, 0.0), 5.0)
    assert outputs(chips) == [1.0, 0.0, 0.0]
    with told("fit a DRV2605L, or an erm motor", DeviceOpenError):
        unopened(bench, actuator="lra").open()


def test_a_chip_that_keeps_nothing_is_answered_with_its_enable_wire(
    bus: I2cBus, chips: Chips, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for chip in chips.values():
        monkeypatch.setattr(chip, "write", lambda register, data: None)
    with told("does not keep its settings; look at its EN", DeviceOpenError):
        unopened(bench).open()


def test_no_buses_behind_the_multiplexer_are_answered_with_the_line_that_makes_them(bus: I2cBus, bench: Bench) -> None:
    bus.missing = FileNotFoundError(2, "No such file or directory", "/dev/i2c-13")
    line = "/boot/firmware/config.txt: dtoverlay=i2c-mux,pca9548,addr=0x71,base=11 "
    with told(f"belt.motor.left: /dev/i2c-13 is not there; put into {line}", DeviceOpenError):
        unopened(bench, address=0x71).open()


def test_without_smbus2_it_says_how_to_get_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smbus2", None)
    with told("belt: smbus2 is missing; what mends it: rearguard doctor", DeviceOpenError):
        unopened(bench).open()


def table(**keys: Any) -> dict[str, Any]:
    motors = {"left": {"bus": 11, "bearing_deg": -90}, "back": {"bus": 12, "bearing_deg": 0}}
    return {**default_toml(), "belt": {"driver": "drv2605", "motor": motors, **keys}}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"motor": {"a": {"bus": 11, "bearing_deg": 0}, "b": {"bus": 11, "bearing_deg": 9}}}, "belt.motor.b.bus = 11"),
        ({"bus": 11}, "belt.motor.left.bus = 11: this is the multiplexer's own bus; allowed: that of a channel, "),
        ({"actuator": "piezo"}, "belt.actuator = 'piezo': allowed: erm, lra"),
        ({"rated_v": 6.0}, "belt.rated_v = 6.0: allowed: a number from 0.5 to 5"),
        ({"resonance_hz": 60}, "belt.resonance_hz = 60: allowed: a number from 100 to 300"),
        ({"address": 0x5A}, "belt.address = 90: allowed: a whole number from 112 to 119"),
        ({"start_together": 0}, "belt.start_together = 0: allowed: a whole number from 1 to 16"),
    ],
)
def test_a_bad_table_is_answered_with_key_and_bounds(keys: dict[str, Any], words: str) -> None:
    with told(words, ConfigError):
        configs.parse(table(**keys), "belt.toml")


def test_a_good_table_is_shown_to_whoever_checks_it() -> None:
    shown = summary(configs.parse(table(actuator="lra", start_together=2), "belt.toml"))
    assert "Belt: drv2605" in shown
    assert "left       90 degrees left" in shown
