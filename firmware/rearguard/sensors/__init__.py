"""Sensors: one file for each part. A driver is a module of this package that does not begin with `_`.

A driver module has `Config` (a SensorConfig), `Sensor` and `Emulator`, as described below; nothing else
in the project names it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, cast, runtime_checkable

import msgspec

from rearguard import drivers
from rearguard.core.reading import Reading, Scan, SensorSpec
from rearguard.host import Degrees, Host
from rearguard.sensors._frames import Framer

View: TypeAlias = Callable[[float], float | None]  # the world: bearing in degrees -> distance in m, or None


class Sonar(NamedTuple):
    """What the bench must know of an ultrasonic part to hear with it. Levels in dB, see `bench/sensing/sonar.py`."""

    period_s: float  # from ping to ping
    least_m: float
    most_m: float
    half_beam_deg: float  # to the side and up, where there and back `beam_db` are lost
    half_beam_up_deg: float
    beam_db: float
    floor_db: float  # the faintest echo it hears
    noise_m: float  # deviation of one distance
    bias_m: float
    assumed_c: float  # air temperature that it reckons with

    @property
    def sweeps(self) -> bool:
        """Whether it looks at many bearings, one after the other."""
        return False


class Light(NamedTuple):
    """What the bench must know of a LiDAR to see with it."""

    period_s: float  # from frame to frame, or from turn to turn
    least_m: float
    most_m: float
    half_beam_deg: float  # of one measurement
    strength: float  # amplitude = strength * reflectivity / distance^2
    faintest: float  # the amplitude it still measures
    noise_m: float  # deviation near by, and what each metre adds
    noise_per_m: float
    bias_m: float  # of a unit, to either side
    sector_deg: float = 0.0  # a sweep to either side; 0: one beam
    step_deg: float = 0.0
    dropped: float = 0.0  # share of points that do not come back, for no reason

    @property
    def sweeps(self) -> bool:
        """Whether it looks at many bearings, one after the other."""
        return self.sector_deg > 0.0


def speed_of_sound(temperature_c: float) -> float:
    """In air, in m/s: 331.3 at 0 degrees Celsius, and 0.606 more for each (textbook, docs/facts.md)."""
    return 331.3 + 0.606 * temperature_c


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

    def senses(self) -> Sonar | Light:
        """The physics of the part, for the bench."""
        raise NotImplementedError


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
