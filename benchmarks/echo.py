"""Mock pins with an ultrasonic sensor on them whose echo comes at once, so that nobody waits for real time."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPWMPin

TRIGGER, ECHO = 23, 24
WIDTH_S = 0.010  # of the echo: 1.7 m


class EchoPin(MockPWMPin):
    """The edges are handed to whoever listens, with time stamps as the kernel would give them."""

    listener: Callable[[float, int], None] | None = None

    def _set_when_changed(self, value: Callable[[float, int], None] | None) -> None:
        self.listener = value

    def answer(self) -> None:
        """One echo."""
        if self.listener is not None:
            rise = monotonic()
            self.listener(rise, 1)
            self.listener(rise + WIDTH_S, 0)


class TriggerPin(MockPWMPin):
    """When it falls, the sensor answers."""

    echo: EchoPin

    def _set_state(self, value: float) -> None:
        if self._state and not value:
            self.echo.answer()
        self._state = value


def factory(_name: str = "mock") -> Any:
    """A pin factory with the sensor on GPIO 23 and 24."""
    made = MockFactory(pin_class=MockPWMPin)
    made.pin(TRIGGER, pin_class=TriggerPin).echo = made.pin(ECHO, pin_class=EchoPin)
    return made
