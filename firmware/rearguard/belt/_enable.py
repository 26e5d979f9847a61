"""The line that lets a board drive its motors: OE of a PCA9685.

A board keeps its last duty when the program dies. A resistor pulls this line to "off", and the guard holds it at "on"
while it lives: when it is killed `ExecStopPost=` takes it off, and when the Pi is off or resets, the resistor does.
"""

from __future__ import annotations

from typing import Any

from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import Host


class Enable:
    """One output pin, or none where none is fitted."""

    def __init__(self, host: Host, pin: int | None, on: int) -> None:
        """`on` is the level, 0 or 1, at which the board drives its motors."""
        self._host, self._number, self._on = host, pin, on
        self._factory: Any = None
        self._pin: Any = None
        self._enabled = False

    def _conflicts_with(self, other: object) -> bool:
        """What gpiozero asks of whoever wants a pin that `other` has reserved: whether that is in its way."""
        return True

    def open(self) -> None:
        """Off, from the first moment. Raises DeviceOpenError."""
        if self._number is None:
            return
        try:
            self._factory = self._host.pins()
            self._factory.reserve_pins(self, self._number)
            self._pin = self._factory.pin(self._number)
            self._pin.output_with_state(1 - self._on)
        except Exception as error:  # each pin factory has its own family of errors
            self.close()
            raise DeviceOpenError(f"belt.enable_pin = {self._number}: {error}") from error

    def put(self, enabled: bool) -> None:
        """Let the board drive, or not. Raises DeviceLostError."""
        if self._pin is None or enabled is self._enabled:
            return
        try:
            self._pin.state = self._on if enabled else 1 - self._on
        except Exception as error:  # likewise
            raise DeviceLostError(f"belt.enable_pin = {self._number}: {error}") from error
        self._enabled = enabled

    def off(self) -> None:
        """As far as that can be done."""
        try:
            self.put(False)
        except DeviceLostError:
            pass

    def close(self) -> None:
        """Off, and the pin let go. May be called at any time, more than once."""
        self.off()
        self._enabled = False
        pin, self._pin = self._pin, None
        try:
            if pin is not None:
                pin.close()
        except Exception:  # it is off, or the resistor is
            pass
        if self._factory is not None:
            self._factory.release_pins(self, self._number)
            self._factory = None
