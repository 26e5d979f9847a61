"""What the wearer feels: a table of rhythms, and the frame of motor duties they make at a given time.

Meanings differ by rhythm and place, never by strength alone. A danger outranks a cue, a cue a fault,
a fault a mere notice; a fault under a danger is still heard on the buzzer.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from rearguard.core.alert import Alert
from rearguard.core.reading import Cue
from rearguard.core.threat import Level

EDGE_S = 1e-6  # times this near to an edge are past it, or rounding would wake the loop for nothing
UNFELT = ("journal:",)  # faults of these sources are shown, not felt: the walk is as safe as before


class Where(StrEnum):
    """Which motors carry a rhythm."""

    NEAREST = "nearest"  # the motor nearest in bearing to the danger
    ALL = "all"
    IN_TURN = "in_turn"  # one pulse a motor, left to right


class Rhythm(NamedTuple):
    """Pulses of (on, off) seconds; then silence up to `period_s`, over and over, or the end where it is None."""

    pulses: tuple[tuple[float, float], ...]
    period_s: float | None
    where: Where


class BeltFrame(NamedTuple):
    """Motor duties, 0 to 1, in the order of the belt's motors from left to right; and the buzzer."""

    duties: tuple[float, ...]
    buzzer: bool = False


LEVELS = {
    Level.NOTICE: Rhythm(((0.10, 1.90),), 2.0, Where.NEAREST),
    Level.WARN: Rhythm(((0.12, 0.25),), 0.37, Where.NEAREST),
    Level.STOP: Rhythm(((0.15, 0.08),), 0.23, Where.ALL),
}
FAULT = Rhythm(((0.5, 0.3),) * 3, 5.0, Where.ALL)
PAUSED = Rhythm(((0.06, 0.10), (0.06, 0.10)), 5.0, Where.ALL)  # a light double tap: alerts are off, by your wish
CUES = {
    Cue.SELF_TEST: Rhythm(((0.06, 0.06),), None, Where.IN_TURN),
    Cue.READY: Rhythm(((0.15, 0.10),), None, Where.IN_TURN),
    Cue.PAUSE: Rhythm(((0.06, 0.10),) * 4, None, Where.ALL),
    Cue.GOODBYE: Rhythm(((0.5, 0.3),) * 2, None, Where.ALL),
}
NEVER = float("inf")


class _Phase(NamedTuple):
    """Where a rhythm stands: which pulse sounds (-1 none), and seconds to its next edge (inf: it is over)."""

    pulse: int
    next_s: float


def phase(rhythm: Rhythm, elapsed_s: float, motors: int) -> _Phase:
    """The state of `rhythm`, `elapsed_s` after its start, on a belt of `motors`."""
    pulses = rhythm.pulses * motors if rhythm.where is Where.IN_TURN else rhythm.pulses
    at = max(elapsed_s, 0.0) + EDGE_S
    if rhythm.period_s is not None:
        at %= rhythm.period_s
    edge = 0.0
    for i, (on, off) in enumerate(pulses):
        if at < edge + on:
            return _Phase(i, edge + on - at + EDGE_S)
        if at < edge + on + off:
            return _Phase(-1, edge + on + off - at + EDGE_S)
        edge += on + off
    return _Phase(-1, NEVER if rhythm.period_s is None else rhythm.period_s - at + EDGE_S)


def felt_faults(alert: Alert) -> bool:
    """Whether the alert carries a fault that is to be felt, not only shown."""
    return any(not fault.startswith(UNFELT) for fault in alert.faults)


class Renderer:
    """Plays the rhythms: alert in, frame and the time of its next edge out."""

    def __init__(self, bearings_deg: Sequence[float]) -> None:
        self._bearings = tuple(bearings_deg)
        self._level = Level.CLEAR
        self._cue: Cue | None = None
        self._level_s = self._cue_s = 0.0
        self._fault_s: float | None = None
        self._paused_s: float | None = None

    def cue(self, cue: Cue, now_s: float) -> None:
        """Start `cue`; it replaces one that still plays."""
        self._cue, self._cue_s = cue, now_s

    def playing(self) -> Cue | None:
        """The cue that plays, as of the last frame."""
        return self._cue

    def nearest(self, bearing_deg: float | None) -> int:
        """Index of the motor nearest in bearing; -1 on a belt without motors."""
        gaps = [abs((b - (bearing_deg or 0.0) + 180.0) % 360.0 - 180.0) for b in self._bearings]
        return gaps.index(min(gaps)) if gaps else -1

    def render(self, alert: Alert, now_s: float) -> tuple[BeltFrame, float]:
        """The frame to be felt at `now_s` and when it next changes (inf: not by itself)."""
        if alert.level is not self._level:
            self._level, self._level_s = alert.level, now_s
        faulty = felt_faults(alert)
        self._fault_s = (now_s if self._fault_s is None else self._fault_s) if faulty else None
        self._paused_s = (now_s if self._paused_s is None else self._paused_s) if alert.paused else None
        count = len(self._bearings)
        cue = phase(CUES[self._cue], now_s - self._cue_s, count) if self._cue else None
        if cue is not None and cue.next_s == NEVER:
            self._cue = cue = None
        fault = phase(FAULT, now_s - self._fault_s, count) if self._fault_s is not None else None
        level = None
        if alert.level and not alert.paused:
            level = phase(LEVELS[alert.level], now_s - self._level_s, count)
        tap = phase(PAUSED, now_s - self._paused_s, count) if self._paused_s is not None else None
        wake = now_s + min(p.next_s for p in (cue, fault, level, tap, _Phase(-1, NEVER)) if p is not None)
        buzzer = fault is not None and fault.pulse >= 0
        return BeltFrame(self._duties(alert, level, cue, fault, tap), buzzer), wake

    def _duties(
        self, alert: Alert, level: _Phase | None, cue: _Phase | None, fault: _Phase | None, tap: _Phase | None
    ) -> tuple[float, ...]:
        if level is not None and alert.level >= Level.WARN and self._cue is not Cue.GOODBYE:
            return self._lit(LEVELS[alert.level].where, level.pulse, alert)
        if cue is not None and self._cue is not None:
            return self._lit(CUES[self._cue].where, cue.pulse, alert)
        if fault is not None and fault.pulse >= 0:
            return self._lit(Where.ALL, 0, alert)
        if level is not None:
            return self._lit(LEVELS[alert.level].where, level.pulse, alert)
        return self._lit(Where.ALL, -1 if tap is None else tap.pulse, alert)

    def _lit(self, where: Where, pulse: int, alert: Alert) -> tuple[float, ...]:
        count = len(self._bearings)
        if pulse < 0:
            return (0.0,) * count
        if where is Where.ALL:
            return (1.0,) * count
        one = pulse if where is Where.IN_TURN else self.nearest(alert.bearing_deg)
        return tuple(1.0 if i == one else 0.0 for i in range(count))
