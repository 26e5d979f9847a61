"""NXP PCA9685, 16 channels of PWM on I2C, each with a transistor and a flyback diode for its motor.

Registers (NXP PCA9685 data sheet, rev. 4, section 7.3); the LED registers of channel n begin at 0x06 + 4n:

    0x00 MODE1   RESTART EXTCLK AI SLEEP SUB1 SUB2 SUB3 ALLCALL    after power-up 0x11: asleep
    0x01 MODE2   - - - INVRT OCH OUTDRV OUTNE1 OUTNE0              after power-up 0x04: totem pole
    0x06 LEDn    ON_L  ON_H (bit 4: full on)  OFF_L  OFF_H (bit 4: full off, which wins)
    0xFD ALL_LED_OFF_H    writes all channels at once
    0xFE PRESCALE         only while asleep; frequency = 25 MHz / (4096 * (PRESCALE + 1))

The chip keeps its last duty when the guard hangs or is killed, until the guard is back or the power is gone;
`ExecStopPost=` does not reach this board. So OE (high: all off) must be tied to a heartbeat, or be pulled up and held
low by one. SCL is a heartbeat, for the guard writes at least every 0.25 s: a retriggerable one-shot of 1 s on SCL
(74HC123; assumed, not built).
"""

from __future__ import annotations

from collections.abc import Sequence
from errno import EBUSY, EIO, ENODEV, ENXIO, EREMOTEIO, ETIMEDOUT
from fcntl import ioctl
from glob import glob
from typing import Annotated, Any

from msgspec import Meta

from rearguard.belt import Motor
from rearguard.belt._drive import Drive, DriveConfig
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import Host, device_trouble

MODE1, MODE2, LED0, ALL_LED_OFF_H, PRESCALE = 0x00, 0x01, 0x06, 0xFD, 0xFE
RESTART, AUTO_INCREMENT, SLEEP = 0x80, 0x20, 0x10  # of MODE1
TOTEM_POLE = 0x04  # of MODE2: it drives a transistor's gate both ways
FULL = 0x10  # of ON_H and OFF_H
STEPS = 4096
OSCILLATOR_HZ = 25e6
WAKE_S = 0.0005  # until the oscillator runs (data sheet, 7.3.1)
I2C_TIMEOUT = 0x0702  # ioctl of linux/i2c-dev.h, in units of 10 ms
TIMEOUT = 5  # 50 ms, for transfers of less than 1 ms: the kernel's own second would hold up the guard
SILENT = {ENXIO, EREMOTEIO, ETIMEDOUT, EIO, ENODEV}  # nobody acknowledged; which of them depends on the adapter


class ChannelMotor(Motor, frozen=True, kw_only=True):
    """`[belt.motor.NAME]`: one motor and the channel of its transistor."""

    channel: Annotated[int, Meta(ge=0, le=15)]


class Config(DriveConfig, frozen=True, kw_only=True):
    """`[belt]` with `driver = "pca9685"`."""

    motor: dict[str, ChannelMotor]
    bus: Annotated[int, Meta(ge=0, le=99)] = 1  # /dev/i2c-N; 1 is on pins 3 and 5 of the header
    address: Annotated[int, Meta(ge=0x40, le=0x7F)] = 0x40  # bridges A0 to A5 add to it
    frequency_hz: Annotated[int, Meta(ge=24, le=1526)] = 200  # of all channels; the chip's own bounds

    def motors(self) -> list[tuple[str, Motor]]:
        return sorted(self.motor.items(), key=lambda item: item[1].bearing_deg)

    def channels(self) -> dict[str, int]:
        return {f"motor.{name}.channel": motor.channel for name, motor in self.motor.items()}


class Belt:
    """One chip; every write asks it how it is first."""

    def __init__(self, config: Config, host: Host) -> None:
        self._config, self._clock = config, host.clock
        self._path = f"/dev/i2c-{config.bus}"
        self._channels = [config.motor[name].channel for name, _ in config.motors()]
        self._bus: Any = None
        self._drive: Drive | None = None  # None: closed
        self._known = False  # the last write went through, so the chip must be as it was left

    def open(self) -> None:
        self.close()
        try:
            self._connect()
            self._set_up()
        except ImportError as error:
            raise DeviceOpenError("belt: smbus2 is missing. Mend: pip install smbus2") from error
        except OSError as error:
            self._let_go()
            raise DeviceOpenError(f"belt: {self._trouble(error)}") from error
        self._drive = Drive(self._config, len(self._channels))

    def write(self, duties: Sequence[float], now_s: float) -> float:
        if self._drive is None or len(duties) != len(self._channels):
            raise DeviceLostError("belt is closed, or was given duties for other motors than it has")
        electric, again = self._drive.duties(duties, now_s)
        try:
            if self._bus is None:
                self._connect()
            mode = self._bus.read_byte_data(self._config.address, MODE1)
            awake = mode & ~RESTART == AUTO_INCREMENT
            if not awake:
                self._set_up()
            for channel, duty in zip(self._channels, electric, strict=True):
                self._put(channel, duty)
        except OSError as error:
            self._known = False
            self._let_go()  # opened anew by the next write: an adapter on USB may be another device by then
            raise DeviceLostError(f"belt: {self._trouble(error)}") from error
        if self._known and not awake:  # its motors stood still meanwhile: that must be felt
            self._known = False
            raise DeviceLostError(
                f"belt: the PCA9685 at {self._config.address:#x} had forgotten its settings and has been set up again: "
                "it was without power for a moment; look at its VCC and GND wires"
            )
        self._known = True
        return again

    def close(self) -> None:
        self._drive, self._known = None, False
        for _ in range(2 if self._bus is not None else 0):
            try:
                self._rest()
                break
            except OSError:  # once more, for motors disturb a bus; if it is gone, that has been told
                pass
        self._let_go()

    def _connect(self) -> None:
        from smbus2 import SMBus

        self._bus = SMBus(self._config.bus)
        try:
            ioctl(self._bus.fd, I2C_TIMEOUT, TIMEOUT)
        except OSError:  # an adapter that has none keeps its own
            pass

    def _set_up(self) -> None:
        """Every motor at rest, the oscillator at its frequency, awake."""
        put, address = self._bus.write_byte_data, self._config.address
        self._rest()
        put(address, MODE1, SLEEP | AUTO_INCREMENT)
        put(address, PRESCALE, round(OSCILLATOR_HZ / (STEPS * self._config.frequency_hz)) - 1)
        put(address, MODE2, TOTEM_POLE)
        put(address, MODE1, AUTO_INCREMENT)
        self._clock.sleep(WAKE_S)

    def _rest(self) -> None:
        self._bus.write_byte_data(self._config.address, ALL_LED_OFF_H, FULL)

    def _put(self, channel: int, duty: float) -> None:
        """One channel at `duty`, 0 to 1, which takes effect as a whole."""
        on, off = 0, round(duty * STEPS)
        if off >= STEPS:
            on, off = FULL << 8, 0
        elif off <= 0:
            off = FULL << 8
        self._bus.write_i2c_block_data(
            self._config.address, LED0 + 4 * channel, [on & 0xFF, on >> 8, off & 0xFF, off >> 8]
        )

    def _let_go(self) -> None:
        bus, self._bus = self._bus, None
        try:
            if bus is not None:
                bus.close()
        except OSError:  # its file is gone already
            pass

    def _trouble(self, error: OSError) -> str:
        """What is wrong with bus or chip, and what mends it."""
        path, at = self._path, f"{self._config.address:#x}"
        if isinstance(error, FileNotFoundError):
            there = ", ".join(sorted(glob("/dev/i2c-*")))
            if there:
                return f"{path} is not there, but {there}; name one of them: bus = N in [belt]"
            return f"{path} is not there; enable I2C: sudo raspi-config nonint do_i2c 0"
        if error.errno == EBUSY:
            return (
                f"a driver of the kernel's holds {at} on {path}; take its dtoverlay= line out of "
                "/boot/firmware/config.txt, then: sudo reboot"
            )
        if error.errno in SILENT:
            return (
                f"no PCA9685 answers at {at} on {path} ({error.strerror}); look at SDA, SCL, VCC and GND and at the "
                f"address bridges; who is there: i2cdetect -y {self._config.bus}"
            )
        return device_trouble(path, error)
