"""The box on the belt: a buzzer that is heard on a fault, and a button that pauses or tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from rearguard.core.reading import Cue
from rearguard.errors import DeviceOpenError
from rearguard.host import Host, Pin

BOUNCE_S = 0.03  # contacts of a cheap push button settle in 5 to 20 ms


class BuzzerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[buzzer]`: an active buzzer, through a transistor."""

    pin: Pin


class ButtonConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[button]`: a push button to ground; the Pi's own pull-up holds it high."""

    pin: Pin
    long_press_s: Annotated[float, msgspec.Meta(ge=0.5, le=5.0)] = 1.5  # short: pause. This long: self-test


class Panel:
    """Buzzer and button, either of which may be missing."""

    def __init__(
        self, buzzer: BuzzerConfig | None, button: ButtonConfig | None, host: Host, press: Callable[[Cue], None]
    ) -> None:
        """`press` is called, on a thread of gpiozero's, with what the wearer asks for."""
        self._buzzer_config, self._button_config, self._host, self._press = buzzer, button, host, press
        self._buzzer: Any = None
        self._button: Any = None
        self._long = False

    def open(self) -> None:
        """Raises DeviceOpenError with the key that cannot be served."""
        try:
            if self._buzzer_config:
                from gpiozero import DigitalOutputDevice

                self._buzzer = DigitalOutputDevice(self._buzzer_config.pin, pin_factory=self._host.pins())
            if self._button_config:
                from gpiozero import Button

                self._button = Button(
                    self._button_config.pin,
                    bounce_time=BOUNCE_S,
                    hold_time=self._button_config.long_press_s,
                    pin_factory=self._host.pins(),
                )
                self._button.when_held = self._on_held
                self._button.when_released = self._on_released
        except DeviceOpenError:
            raise
        except Exception as error:  # each pin factory has its own family of errors
            self.close()
            raise DeviceOpenError(f"buzzer or button: {error}") from error

    def sound(self, on: bool) -> None:
        """The buzzer. It never raises: a broken buzzer must not stop the motors."""
        try:
            if self._buzzer is not None:
                self._buzzer.value = on
        except Exception:  # the motors carry the same fault
            pass

    def close(self) -> None:
        """Silence. May be called at any time, more than once."""
        self.sound(False)
        parts, self._buzzer, self._button = (self._buzzer, self._button), None, None
        for part in parts:
            try:
                if part is not None:
                    part.close()
            except Exception:  # the other one must still be closed
                pass

    def _on_held(self) -> None:
        self._long = True
        self._press(Cue.SELF_TEST)

    def _on_released(self) -> None:
        if not self._long:
            self._press(Cue.PAUSE)
        self._long = False
