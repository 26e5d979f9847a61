"""Motor boards: one file for each. A driver is a module of this package that does not begin with `_`.

A driver module has `Config` (a BeltConfig) and `Belt`, as described below; nothing else in the project names it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Protocol, cast

import msgspec

from rearguard import drivers
from rearguard.host import Degrees, Host

NEVER = float("inf")


class Motor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tactor on the belt. What it hangs on is added by the driver."""

    bearing_deg: Degrees  # the direction it stands for: 0 straight behind, positive to the wearer's right


class BeltConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every `[belt]` table holds."""

    driver: str

    def motors(self) -> list[tuple[str, Motor]]:
        """Name and motor, from the wearer's left to right; the order of all duties."""
        raise NotImplementedError

    def pins(self) -> dict[str, int]:
        """The GPIO pins it takes, by key."""
        return {}

    def at_rest(self) -> dict[int, int]:
        """The level, 0 or 1, at which each of these pins lets the motors rest."""
        return dict.fromkeys(self.pins().values(), 0)

    def registers_at_rest(self) -> list[tuple[int, int, int, int]]:
        """What stops the motors of a board, whoever writes it: I2C bus, address, register, value."""
        return []

    def channels(self) -> dict[str, int]:
        """The outputs of a board of its own that it takes, by key."""
        return {}


class Belt(Protocol):
    """A motor board at work."""

    def __init__(self, config: Any, host: Host) -> None: ...

    def open(self) -> None:
        """Every motor at rest. Raises DeviceOpenError with the next step."""

    def write(self, duties: Sequence[float], now_s: float) -> float:
        """Drive each motor at its duty, 0 to 1, and say when to call again with the same (inf: no need).

        Raises DeviceLostError when a motor cannot be driven.
        """

    def close(self) -> None:
        """Every motor at rest, whatever else fails. May be called at any time, more than once."""


class Driver(Protocol):
    """A driver module."""

    Config: type[BeltConfig]
    Belt: type[Belt]


def names() -> list[str]:
    """Every driver there is."""
    return drivers.names(sys.modules[__name__])


def load(name: str) -> Driver:
    """The driver module of that name. Raises KeyError when there is none."""
    return cast(Driver, drivers.load(sys.modules[__name__], name))
