"""Buses that fail: whatever was lost, a belt that is closed is at rest; and one held low does not hold the guard up."""

from __future__ import annotations

from collections.abc import Callable
from errno import EIO, EREMOTEIO, ETIMEDOUT
from typing import Any

import pytest

from contract.chips import Drv2605, I2cBus, Pca9685
from contract.rigs import Bench
from rearguard.belt import drv2605, pca9685
from rearguard.errors import DeviceLostError


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> I2cBus:
    made = I2cBus()
    monkeypatch.setattr("smbus2.SMBus", made.smbus)
    return made


def test_a_pca9685_is_closed_at_rest_after_a_write_that_failed(bus: I2cBus, bench: Bench) -> None:
    bus.chips[0x40] = chip = Pca9685()
    motors = {f"m{i}": pca9685.ChannelMotor(bearing_deg=10.0 * i, channel=i) for i in range(3)}
    belt = pca9685.Belt(pca9685.Config(driver="pca9685", motor=motors), bench.host)
    belt.open()
    belt.write([1.0] * 3, 5.0)
    bus.error = EIO
    with pytest.raises(DeviceLostError):
        belt.write([0.0] * 3, 5.5)
    bus.error = None
    assert chip.duty(0) == 1.0
    belt.close()
    assert [chip.duty(i) for i in range(3)] == [0.0] * 3
    assert bus.handles == 0


def test_a_drv2605_is_closed_at_rest_after_a_write_that_failed(bus: I2cBus, bench: Bench) -> None:
    belt, chips, _ = row(bus, bench)
    for now in (5.0, 5.01, 5.02):
        belt.write([1.0] * 8, now)
    bus.cut[11] = EREMOTEIO
    with pytest.raises(DeviceLostError, match=r"belt\.motor\.m0"):
        belt.write([0.0] * 8, 5.5)
    bus.cut.clear()
    assert chips[0].duty()
    belt.close()
    assert [chip.duty() for chip in chips] == [0.0] * 8
    assert chips[0].written[-1] == (0x01, [0x40]), "in standby"
    assert bus.handles == 0


def row(bus: I2cBus, bench: Bench) -> tuple[drv2605.Belt, list[Drv2605], Callable[[], list[int]]]:
    """Eight motors on buses 11 to 18; and a call that tells the transfers since the last, by motor."""
    chips = [Drv2605() for _ in range(8)]
    bus.channels = {11 + i: {0x5A: chip} for i, chip in enumerate(chips)}
    motors = {f"m{i}": drv2605.BusMotor(bearing_deg=10.0 * i, bus=11 + i) for i in range(8)}
    belt, tried, transfer = drv2605.Belt(drv2605.Config(driver="drv2605", motor=motors), bench.host), [], bus.transfer

    def noted(address: int, number: int = 1) -> Any:
        tried.append(number - 11)
        return transfer(address, number)

    def since() -> list[int]:
        found = sorted(tried)
        tried.clear()
        return found

    bus.transfer = noted  # type: ignore[method-assign]
    belt.open()
    since()
    return belt, chips, since


def test_a_bus_that_is_held_low_costs_two_waits_a_write_once_all_have_timed_out(bus: I2cBus, bench: Bench) -> None:
    belt, chips, since = row(bus, bench)
    bus.cut = dict.fromkeys(range(11, 19), ETIMEDOUT)
    seen = []
    for now in (5.0, 5.25, 5.5, 5.75, 6.0, 6.25):
        with pytest.raises(DeviceLostError, match=r"^belt\.motor\.m0: no DRV2605 answers at 0x5a on /dev/i2c-11 "):
            belt.write([1.0] * 8, now)
        seen.append(since())
    assert seen == [list(range(8)), [0, 1], [2, 3], [4, 5], [6, 7], [0, 1]]
    bus.cut.clear()
    for now in (6.5, 6.75, 7.0):  # two of those that timed out are tried in each
        with pytest.raises(DeviceLostError, match=r"^belt\.motor\.m"):
            belt.write([1.0] * 8, now)
    for now in (7.25, 7.26, 7.27):
        belt.write([1.0] * 8, now)
    assert all(chip.duty() for chip in chips)
    belt.close()


def test_channels_that_time_out_keep_no_other_from_being_driven(bus: I2cBus, bench: Bench) -> None:
    belt, chips, since = row(bus, bench)
    bus.cut = dict.fromkeys((11, 12, 13, 14), ETIMEDOUT)
    for now, tried in ((5.0, [0, 1, 2, 3]), (5.25, [0, 1]), (5.5, [2, 3])):
        with pytest.raises(DeviceLostError, match=r"^belt\.motor\.m0: "):
            belt.write([1.0] * 8, now)
        found = since()
        assert [i for i in found if i < 4] == tried, "once in a write, however long the others take to start"
        assert {4, 5, 6, 7} < set(found)
    assert all(chip.duty() for chip in chips[4:])
    belt.close()
