"""NXP PCA9685, 16 channels of PWM on I2C, each with a transistor and a flyback diode for its motor.

Registers (NXP PCA9685 data sheet, rev. 4, section 7.3); the LED registers of channel n begin at 0x06 + 4n:

    0x00 MODE1   RESTART EXTCLK AI SLEEP SUB1 SUB2 SUB3 ALLCALL    after power-up 0x11: asleep
    0x01 MODE2   - - - INVRT OCH OUTDRV OUTNE1 OUTNE0              after power-up 0x04: totem pole
    0x06 LEDn    ON_L  ON_H (bit 4: full on)  OFF_L  OFF_H (bit 4: full off, which wins)
    0xFD ALL_LED_OFF_H    writes all channels at once
    0xFE PRESCALE         only while asleep; frequency = 25 MHz / (4096 * (PRESCALE + 1))

The chip keeps its last duty when the guard hangs or is killed, until `ExecStopPost=` tells it otherwise; where the Pi
itself is off or hangs, nothing does. So OE (high: all off) goes to `enable_pin`, and by 1 kilohm to VCC: the 10 kilohm
to GND on many boards must not win.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from rearguard.belt import Motor
from rearguard.belt._drive import Drive, DriveConfig
from rearguard.belt._enable import Enable
from rearguard.belt._i2c import Chip, without_library
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import Host, Pin

MODE1, MODE2, LED0, ALL_LED_OFF_H, PRESCALE = 0x00, 0x01, 0x06, 0xFD, 0xFE
RESTART, AUTO_INCREMENT, SLEEP = 0x80, 0x20, 0x10  # of MODE1
TOTEM_POLE = 0x04  # of MODE2: it drives a transistor's gate both ways
FULL = 0x10  # of ON_H and OFF_H
STEPS = 4096
OSCILLATOR_HZ = 25e6
ENABLED = 0  # level of OE at which the outputs work
WAKE_S = 0.0005  # until the oscillator runs (data sheet, 7.3.1)


class ChannelMotor(Motor, frozen=True, kw_only=True):
    """`[belt.motor.NAME]`: one motor and the channel of its transistor."""

    channel: Annotated[int, Meta(ge=0, le=15)]


class Config(DriveConfig, frozen=True, kw_only=True):
    """`[belt]` with `driver = "pca9685"`."""

    motor: dict[str, ChannelMotor]
    bus: Annotated[int, Meta(ge=0, le=99)] = 1  # /dev/i2c-N; 1 is on pins 3 and 5 of the header
    address: Annotated[int, Meta(ge=0x40, le=0x7F)] = 0x40  # bridges A0 to A5 add to it
    frequency_hz: Annotated[int, Meta(ge=24, le=1526)] = 200  # of all channels; the chip's own bounds
    enable_pin: Pin | None = None  # to OE; without it a guard that dies leaves the motors as they are

    def motors(self) -> list[tuple[str, Motor]]:
        return sorted(self.motor.items(), key=lambda item: item[1].bearing_deg)

    def pins(self) -> dict[str, int]:
        return {} if self.enable_pin is None else {"enable_pin": self.enable_pin}

    def at_rest(self) -> dict[int, int]:
        return dict.fromkeys(self.pins().values(), 1 - ENABLED)

    def registers_at_rest(self) -> list[tuple[int, int, int, int]]:
        return [(self.bus, self.address, ALL_LED_OFF_H, FULL)]

    def channels(self) -> dict[str, int]:
        return {f"motor.{name}.channel": motor.channel for name, motor in self.motor.items()}


class Belt:
    """One chip; every write asks it how it is first."""

    def __init__(self, config: Config, host: Host) -> None:
        self._config, self._clock = config, host.clock
        self._chip = Chip(config.bus, config.address, "PCA9685", "SDA, SCL, VCC and GND and at the address bridges")
        self._enable = Enable(host, config.enable_pin, ENABLED)
        self._channels = [config.motor[name].channel for name, _ in config.motors()]
        self._drive: Drive | None = None  # None: closed
        self._known = False  # the last write went through, so the chip must be as it was left

    def open(self) -> None:
        self.close()
        try:
            self._enable.open()
        except DeviceOpenError:
            self._leave()  # it may run from before
            raise
        try:
            self._chip.connect()
            self._set_up()
        except ImportError as error:
            self._enable.close()
            raise without_library() from error
        except OSError as error:
            self._enable.close()
            self._chip.let_go()
            raise DeviceOpenError(f"belt: {self._chip.trouble(error)}") from error
        self._drive = Drive(self._config, len(self._channels))

    def write(self, duties: Sequence[float], now_s: float) -> float:
        if self._drive is None or len(duties) != len(self._channels):
            raise DeviceLostError("belt is closed, or was given duties for other motors than it has")
        try:
            self._chip.connect()
            awake = self._chip.read(MODE1) & ~RESTART == AUTO_INCREMENT
            if not awake:
                self._set_up()
                self._drive = Drive(self._config, len(self._channels))  # all stand still, and start in turn
            electric, again = self._drive.duties(duties, now_s)
            for channel, duty in zip(self._channels, electric, strict=True):
                self._put(channel, duty)
        except OSError as error:
            self._known = False
            self._enable.off()  # whatever the chip was told last
            if self._config.enable_pin is not None:
                self._drive = Drive(self._config, len(self._channels))  # that has stopped them all
            self._chip.let_go()
            raise DeviceLostError(f"belt: {self._chip.trouble(error)}") from error
        if self._known and not awake:  # its motors stood still meanwhile: that must be felt
            self._known = False
            raise DeviceLostError(
                f"belt: the PCA9685 at {self._config.address:#x} had forgotten its settings and has been set up again: "
                "it was without power for a moment; look at its VCC and GND wires"
            )
        try:
            self._enable.put(True)
        except DeviceLostError:
            self._drive = Drive(self._config, len(self._channels))  # they stand still
            raise
        self._known = True
        return again

    def close(self) -> None:
        was_open = self._drive is not None
        self._drive, self._known = None, False
        self._enable.close()
        if was_open:
            self._leave()

    def _leave(self) -> None:
        """Every motor at rest, as far as the bus answers, and the bus let go. Raises nothing."""
        for _ in range(2):
            try:
                self._chip.connect()  # a write that failed has let it go
                self._rest()
                break
            except (OSError, ImportError):  # once more, for motors disturb a bus; if it is gone, that has been told
                self._chip.let_go()
        self._chip.let_go()

    def _set_up(self) -> None:
        """Every motor at rest, the oscillator at its frequency, awake."""
        put = self._chip.write
        self._rest()
        put(MODE1, SLEEP | AUTO_INCREMENT)
        put(PRESCALE, round(OSCILLATOR_HZ / (STEPS * self._config.frequency_hz)) - 1)
        put(MODE2, TOTEM_POLE)
        put(MODE1, AUTO_INCREMENT)
        self._clock.sleep(WAKE_S)

    def _rest(self) -> None:
        self._chip.write(ALL_LED_OFF_H, FULL)

    def _put(self, channel: int, duty: float) -> None:
        """One channel at `duty`, 0 to 1, which takes effect as a whole."""
        on, off = 0, round(duty * STEPS)
        if off >= STEPS:
            on, off = FULL << 8, 0
        elif off <= 0:
            off = FULL << 8
        self._chip.write_block(LED0 + 4 * channel, [on & 0xFF, on >> 8, off & 0xFF, off >> 8])
