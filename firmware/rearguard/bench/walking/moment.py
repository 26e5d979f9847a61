"""A walk as it stands, for whoever looks on."""

from __future__ import annotations

from typing import NamedTuple

from rearguard.bench.walking.truth import Truth
from rearguard.bench.world.way import Stretch
from rearguard.core.alert import QUIET, Alert
from rearguard.core.pattern import felt_faults
from rearguard.core.pipeline import Tick
from rearguard.core.reading import Cue, Input
from rearguard.core.threat import WARN, Level


class Moment(NamedTuple):
    """The walk as it stands."""

    t_s: float  # since the guard began
    walk_s: float  # since the walk began; 0 until the guard is ready
    walking: bool  # the guard was ready, and nobody has said goodbye
    x_m: float
    y_m: float
    heading_deg: float
    speed_mps: float
    room_m: float  # to the nearest surface, in truth
    needed_m: float | None  # to stop before what is the most urgent, in truth; None where nothing is
    tick: Tick
    guarding: bool  # False while the guard's process hangs, or is down
    duties: tuple[float, ...]  # read back from the motor pins
    buzzer: bool
    cue: Cue | None
    heard: tuple[Input, ...]  # what the drivers made of the wires
    way: Stretch  # of one moment
    truth: Truth  # likewise

    @property
    def alert(self) -> Alert:
        """What the guard says."""
        return self.tick.alert if self.guarding else QUIET

    @property
    def level(self) -> Level:
        """How bad it is."""
        return self.alert.level

    @property
    def word(self) -> str:
        """What is going on: what outranks the rest of what is felt."""
        if not self.guarding:
            return "down"
        if self.level < WARN and (self.cue or felt_faults(self.alert)):
            return self.cue.replace("_", "-") if self.cue else "FAULT"
        return self.level.name
