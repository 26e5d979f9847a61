"""What the guard is told: readings, scans, reports of trouble, and commands.

Units are SI. Bearing 0 is straight behind the wearer, positive toward the wearer's own right hand.
Times are seconds on one monotonic clock, stamped where the event happened.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Status(StrEnum):
    """What a sensor's answer means. No two of these ever share a value with a distance."""

    OK = "ok"  # a distance was measured
    CLEAR = "clear"  # measured, and nothing is in range
    TOO_CLOSE = "too_close"  # something is nearer than the sensor can measure
    WEAK = "weak"  # answered, but too little came back to measure: neither near nor far
    INVALID = "invalid"  # answered with a code or a value that must not be believed
    NO_DATA = "no_data"  # did not answer
    LOST = "lost"  # the device is gone; the driver says so


OK, CLEAR, TOO_CLOSE, WEAK, INVALID, NO_DATA, LOST = Status  # named once: looking one up in the enum costs more


class Reading(NamedTuple):
    """One answer of a single-beam sensor. `distance_m` goes with OK, and only with OK."""

    sensor: str
    t_s: float
    status: Status
    distance_m: float | None = None
    bearing_deg: float | None = None  # None: the bearing the sensor is mounted at
    quality: float | None = None  # signal strength, 0 to 1, where the part tells it


def measured(sensor: str, t_s: float, distance_m: float) -> Reading:
    """An OK reading, made the quick way: a named tuple's own constructor takes twice the time."""
    return tuple.__new__(Reading, (sensor, t_s, OK, distance_m, None, None))


class Scan(NamedTuple):
    """One sweep: `ranges_m[i]` was seen at `bearings_deg[i]`; None where nothing came back.

    Bearings rise in even steps.
    """

    sensor: str
    t_s: float
    bearings_deg: tuple[float, ...]
    ranges_m: tuple[float | None, ...]


class Report(NamedTuple):
    """A fault found outside the core (belt, journal, power) begins or ends."""

    source: str
    t_s: float
    fault: str
    active: bool


class Cue(StrEnum):
    """Things the wearer is told that are no danger and no fault."""

    SELF_TEST = "self_test"
    READY = "ready"
    PAUSE = "pause"  # pressed again while paused: resume
    GOODBYE = "goodbye"


class Command(NamedTuple):
    """The wearer's button or the service asks for a cue."""

    t_s: float
    cue: Cue


Input: TypeAlias = Reading | Scan | Report | Command


class SensorSpec(NamedTuple):
    """What the core knows of a fitted sensor. The defaults are for a beam nothing is known about."""

    name: str
    bearing_deg: float = 0.0
    min_range_m: float = 0.02
    max_range_m: float = 100.0
    proved_range_m: float = float("inf")  # where a hard target, dark or thin, is still seen
    noise_m: float = 0.01  # standard deviation of one distance
    startup_s: float = 0.25  # from power-on to the first answer
    hold_below_m: float = 0.25  # what vanishes nearer than this has arrived
    round_s: float = 0.0  # from one reading to the next, where sensors fire in turn or one speaks seldom
