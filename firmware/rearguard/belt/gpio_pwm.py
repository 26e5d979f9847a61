"""Coin or cylinder motors (ERM) on GPIO pins, each through a transistor with a flyback diode and a gate pull-down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from rearguard.belt import Motor
from rearguard.belt._drive import Drive, DriveConfig
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import Host, Pin


class PinMotor(Motor, frozen=True, kw_only=True):
    """`[belt.motor.NAME]`: one motor and the pin of its transistor."""

    pin: Pin


class Config(DriveConfig, frozen=True, kw_only=True):
    """`[belt]` with `driver = "gpio_pwm"`."""

    motor: dict[str, PinMotor]
    frequency_hz: Annotated[int, Meta(ge=50, le=1000)] = 200  # software PWM: higher costs CPU, lower is heard

    def motors(self) -> list[tuple[str, Motor]]:
        return sorted(self.motor.items(), key=lambda item: item[1].bearing_deg)

    def pins(self) -> dict[str, int]:
        return {f"motor.{name}.pin": motor.pin for name, motor in self.motor.items()}


class Belt:
    """One pin a motor. Full and no power are plain levels; only what lies between is pulsed, by the pin library."""

    def __init__(self, config: Config, host: Host) -> None:
        self._config, self._host = config, host
        self._pins: list[Any] = []
        self._factory: Any = None
        self._drive = Drive(config, 0)

    def _conflicts_with(self, other: object) -> bool:
        """What gpiozero asks of whoever wants a pin that `other` has reserved: whether that is in its way."""
        return True

    def open(self) -> None:
        self.close()
        factory = self._factory = self._host.pins()
        for name, motor in self._config.motors():
            number = self._config.motor[name].pin
            try:
                factory.reserve_pins(self, number)  # against others in this program; the kernel keeps out the rest
                pin = factory.pin(number)
                pin.function = "output"
                self._pins.append(pin)
                self._put(pin, 0.0)
            except Exception as error:  # each pin factory has its own family of errors
                self.close()
                raise DeviceOpenError(
                    f"belt.motor.{name}: pin {number} at {motor.bearing_deg:g} degrees: {error}"
                ) from error
        self._drive = Drive(self._config, len(self._pins))

    def write(self, duties: Sequence[float], now_s: float) -> float:
        if not self._pins or len(duties) != len(self._pins):
            raise DeviceLostError("belt is closed, or was given duties for other motors than it has")
        return self._drive.put(duties, now_s, lambda i, duty: self._put(self._pins[i], duty), self._host.clock.sleep)

    def close(self) -> None:
        pins, self._pins = self._pins, []
        for pin in pins:
            try:
                self._put(pin, 0.0)
            except Exception:  # the next motor must still be stopped
                pass
        for pin in pins:
            try:
                pin.close()
            except Exception:  # likewise
                pass
        if self._factory is not None:
            self._factory.release_all(self)

    def _put(self, pin: Any, duty: float) -> None:
        """Pulses that are never off or never on would cost lgpio 200 wake-ups a second and come up to 5 ms late."""
        frequency = self._config.frequency_hz if 0.0 < duty < 1.0 else None
        if pin.frequency != frequency:
            pin.frequency = frequency
        pin.state = duty if frequency else int(duty)
