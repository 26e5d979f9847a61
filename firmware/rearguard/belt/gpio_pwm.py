"""Coin or cylinder motors (ERM) on GPIO pins, each through a transistor with a flyback diode and a gate pull-down.

A motor needs more to start than to keep turning, so a weak pulse begins with a kick at full duty. Pulses
shorter than the kick are felt at full strength.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from rearguard.belt import NEVER, BeltConfig, Motor
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import Host, Pin


class PinMotor(Motor, frozen=True, kw_only=True):
    """`[belt.motor.NAME]`: one motor and the pin of its transistor."""

    pin: Pin


class Config(BeltConfig, frozen=True, kw_only=True):
    """`[belt]` with `driver = "gpio_pwm"`."""

    motor: dict[str, PinMotor]
    frequency_hz: Annotated[int, Meta(ge=50, le=1000)] = 200  # software PWM: higher costs CPU, lower is heard
    strength: Annotated[float, Meta(ge=0.3, le=1.0)] = 1.0  # duty of a full pulse; less spares battery and skin
    min_duty: Annotated[float, Meta(ge=0.0, le=0.9)] = 0.35  # below it a coin motor may stand still (assumed)
    kick_s: Annotated[float, Meta(ge=0.0, le=0.1)] = 0.04  # a coin motor takes 50 to 100 ms to full speed

    def motors(self) -> list[tuple[str, Motor]]:
        return sorted(self.motor.items(), key=lambda item: item[1].bearing_deg)

    def pins(self) -> dict[str, int]:
        return {f"motor.{name}.pin": motor.pin for name, motor in self.motor.items()}

    def duty(self, felt: float) -> float:
        """The electric duty for a felt strength of 0 to 1: 0, or enough to turn."""
        return max(self.min_duty, min(felt, 1.0) * self.strength) if felt > 0.0 else 0.0


class Belt:
    """One gpiozero PWMOutputDevice a motor."""

    def __init__(self, config: Config, host: Host) -> None:
        self._config, self._host = config, host
        self._outputs: list[Any] = []
        self._duties: list[float] = []  # as last asked for
        self._kick_until: list[float] = []

    def open(self) -> None:
        self.close()
        factory = self._host.pins()
        from gpiozero import PWMOutputDevice

        for name, motor in self._config.motors():
            pin = self._config.motor[name].pin
            try:
                self._outputs.append(PWMOutputDevice(pin, frequency=self._config.frequency_hz, pin_factory=factory))
            except Exception as error:  # each pin factory has its own family of errors
                self.close()
                raise DeviceOpenError(
                    f"belt.motor.{name}: pin {pin} at {motor.bearing_deg:g} degrees: {error}"
                ) from error
        self._duties = [0.0] * len(self._outputs)
        self._kick_until = [-NEVER] * len(self._outputs)

    def write(self, duties: Sequence[float], now_s: float) -> float:
        if not self._outputs or len(duties) != len(self._outputs):
            raise DeviceLostError("belt is closed, or was given duties for other motors than it has")
        config, again = self._config, NEVER
        failed: Exception | None = None
        for i, (output, felt) in enumerate(zip(self._outputs, duties, strict=True)):
            duty = config.duty(felt)
            if duty and not self._duties[i]:
                self._kick_until[i] = now_s + config.kick_s
            self._duties[i] = duty
            if 0.0 < duty < 1.0 and now_s < self._kick_until[i]:
                duty, again = 1.0, min(again, self._kick_until[i])
            try:
                output.value = duty  # always written: the watchdog is fed on proof that it can be
            except Exception as error:  # the other motors must still be driven
                failed = failed or DeviceLostError(f"belt: motor {i + 1} cannot be driven: {error}")
        if failed is not None:
            raise failed
        return again

    def close(self) -> None:
        outputs, self._outputs = self._outputs, []
        for output in outputs:
            try:
                output.value = 0
            except Exception:  # the next motor must still be stopped
                pass
        for output in outputs:
            try:
                output.close()
            except Exception:  # likewise
                pass
