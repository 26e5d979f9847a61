"""A motor board that is not there, or of which a part is gone: what is heard, and what goes on."""

from __future__ import annotations

from errno import EREMOTEIO
from pathlib import Path

import pytest

from contract.chips import Drv2605, I2cBus, Pca9685
from rearguard.config import parse
from rearguard.core.threat import Level
from rearguard.errors import DeviceLostError, DeviceOpenError
from support import HandGuard, default_toml, ok

ENABLE = 22


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> I2cBus:
    """An I2C bus with nothing on it yet."""
    bus = I2cBus()
    monkeypatch.setattr("smbus2.SMBus", bus.smbus)
    return bus


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody-listens"))


def guard() -> HandGuard:
    """With its motors on a PCA9685, which is enabled by a pin."""
    table = default_toml()
    motors = {name: {"channel": i, "bearing_deg": bearing} for i, (name, bearing) in enumerate(PLACES.items())}
    table |= {"pin_factory": "mock", "journal": {"enabled": False}}
    table["belt"] = {"driver": "pca9685", "enable_pin": ENABLE, "motor": motors}
    return HandGuard(parse(table, "test"))


PLACES = {"left": -90, "back": 0, "right": 90}


def walk(hand: HandGuard, seconds: float) -> None:
    for _ in range(int(seconds / 0.06)):
        hand.turn([ok(hand.clock.now() + 0.06, 3.5)], after_s=0.06)


@pytest.mark.usefixtures("systemd")
def test_a_board_that_is_missing_at_the_start_is_heard_on_the_buzzer_and_taken_up_when_it_comes(bus: I2cBus) -> None:
    hand = guard()
    hand.guard.begin()
    tick = hand.turn([ok(hand.clock.now(), 3.5)], after_s=0.3)
    tick = hand.turn(after_s=0.01)
    assert "belt:write_failed" in tick.alert.faults
    assert hand.buzzer()
    for i in range(30):  # it goes on guarding: a wall at 1 m/s
        tick = hand.turn([ok(hand.clock.now() + 0.06, 2.4 - 0.06 * i)], after_s=0.06)
    assert tick.alert.level is Level.STOP
    bus.chips[0x40] = chip = Pca9685()
    walk(hand, 1.0)
    assert "belt:write_failed" not in hand.turn(after_s=0.01).alert.faults
    assert chip.read(0x00) == 0x20, "awake, and ready for duties"


def test_started_by_hand_a_board_that_is_missing_is_refused(bus: I2cBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with pytest.raises(DeviceOpenError, match="no PCA9685 answers at 0x40"):
        guard().guard.begin()


@pytest.mark.parametrize("partly", [True, False])
def test_the_watchdog_is_fed_while_some_of_the_motors_are_gone_but_not_all(partly: bool, mocker) -> None:
    said: list[str] = []
    mocker.patch("rearguard.notify.Notifier.send", lambda _, word: said.append(word) or True)
    hand = HandGuard()
    hand.guard.begin()
    error = DeviceLostError("belt.motor.left: gone")
    error.partly = partly
    mocker.patch.object(hand.guard._belt, "write", side_effect=error)
    said.clear()
    walk(hand, 1.0)
    assert ("WATCHDOG=1" in said) is partly
    assert "belt:write_failed" in hand.turn(after_s=0.01).alert.faults


def test_kicks_end_in_time_though_another_motor_is_gone(bus: I2cBus) -> None:
    motors = {name: {"bus": 11 + i, "bearing_deg": bearing} for i, (name, bearing) in enumerate(PLACES.items())}
    table = default_toml() | {"pin_factory": "mock", "journal": {"enabled": False}}
    table["belt"] = {"driver": "drv2605", "motor": motors, "kick_s": 0.04}
    chips = [Drv2605() for _ in PLACES]
    bus.channels = {11 + i: {0x5A: chip} for i, chip in enumerate(chips)}
    hand = HandGuard(parse(table, "test"))
    hand.guard.begin()
    walk(hand, 5.0)  # self-test and ready are over by then
    bus.cut[13] = EREMOTEIO
    full_s, seen = None, []
    for i in range(40):  # backing at 1.2 m/s toward what is 3.5 m away
        end = hand.clock.now() + 0.06
        while hand.clock.now() < end:
            hand.clock.sleep(min(max(hand.guard.wake_s, hand.clock.now() + 1e-6), end) - hand.clock.now())
            now = hand.clock.now()
            hand.turn([ok(now, 3.5 - 1.2 * 0.06 * i)] if now >= end else [])
            if chips[1].duty() == 1.0 and full_s is None:
                full_s = now
            elif chips[1].duty() < 1.0 and full_s is not None:
                seen, full_s = [*seen, now - full_s], None
    assert seen == pytest.approx([0.04] * len(seen), abs=1e-4)
    assert len(seen) >= 3
    hand.guard.finish()
