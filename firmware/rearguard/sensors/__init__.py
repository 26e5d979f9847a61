"""Sensors: one file for each part. A driver is a module of this package that does not begin with `_`.

A driver module has `Config` (a SensorConfig), `Sensor` and `Emulator`, as described below; nothing else
in the project names it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, ClassVar, Protocol, TypeAlias, cast, runtime_checkable

import msgspec

from rearguard import drivers
from rearguard.core.reading import Reading, Scan, SensorSpec
from rearguard.host import Degrees, Host
from rearguard.sensors._frames import Framer

View: TypeAlias = Callable[[float], float | None]  # the world: bearing in degrees -> distance in m, or None


class SensorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every `[sensor.NAME]` table holds."""

    driver: str
    bearing_deg: Degrees = 0.0  # where it looks: 0 straight behind, positive to the wearer's right

    turn_s: ClassVar[float] = 0.0  # sensors of one bus fire this far apart; 0 for those that talk by themselves

    def spec(self, name: str) -> SensorSpec:
        """Range, noise and timing, for the core."""
        raise NotImplementedError

    def bus(self) -> str:
        """Sensors that share this name share a thread and take turns."""
        raise NotImplementedError

    def pins(self) -> dict[str, int]:
        """The GPIO pins it takes, by key."""
        return {}


class Sensor(Protocol):
    """A driver at work. `close` may be called at any time, more than once; `open` may follow it."""

    def __init__(self, name: str, config: Any, host: Host) -> None: ...

    def open(self) -> None:
        """Raises DeviceOpenError with the next step."""

    def read(self, deadline_s: float) -> list[Reading | Scan]:
        """All that has arrived, waiting for the first of it no longer than `deadline_s` on the host's clock.

        Raises DeviceLostError when the device is gone.
        """

    def close(self) -> None: ...


class PinEmulator(Protocol):
    """What a pulsed sensor does on its pins."""

    def __init__(self, config: Any, random: Random) -> None: ...

    def edges(self, trigger_s: float, view: View) -> list[tuple[float, bool]]:
        """Edges of the echo line, as (time, level), that follow a trigger at `trigger_s`."""


@runtime_checkable
class SerialEmulator(Protocol):
    """What a talking sensor puts on its line."""

    def __init__(self, config: Any, random: Random) -> None: ...

    def wire(self, now_s: float, view: View) -> bytes:
        """The bytes since the last call, up to `now_s`."""


class Decoder(Protocol):
    """Turns a raw capture into readings; the base of `rearguard decode`."""

    frames: Framer[Any]

    def __init__(self, name: str, config: Any) -> None: ...

    def replay(self, data: bytes) -> Iterable[Reading | Scan]:
        """The readings in `data`, timed by the sensor's own clock or rate from 0 s on."""


class Driver(Protocol):
    """A driver module."""

    Config: type[SensorConfig]
    Sensor: type[Sensor]
    Emulator: type[PinEmulator] | type[SerialEmulator]


def names() -> list[str]:
    """Every driver there is."""
    return drivers.names(sys.modules[__name__])


def load(name: str) -> Driver:
    """The driver module of that name. Raises KeyError when there is none."""
    return cast(Driver, drivers.load(sys.modules[__name__], name))
