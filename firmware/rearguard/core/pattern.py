"""What the wearer feels: a table of rhythms, and the frame of motor duties they make at a given time.

Meanings differ by rhythm and place, never by strength alone. A danger outranks a cue, a cue a fault,
a fault a mere notice; a fault under a danger is still heard on the buzzer.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from rearguard.core.alert import Alert
from rearguard.core.reading import Cue
from rearguard.core.threat import CLEAR, WARN

EDGE_S = 1e-6  # times this near to an edge are past it, or rounding would wake the loop for nothing
UNFELT = ("journal:", "system:hot")  # faults that begin so are shown, not felt: the walk is as safe as before


class Where(StrEnum):
    """Which motors carry a rhythm."""

    NEAREST = "nearest"  # the motor nearest in bearing to the danger
    ALL = "all"
    IN_TURN = "in_turn"  # one pulse a motor, left to right
    AND_BUZZER = "and_buzzer"  # the same, and at the end one of the buzzer


NEAREST, ALL, IN_TURN, AND_BUZZER = Where


class Rhythm(NamedTuple):
    """Pulses of (on, off) seconds; then silence up to `period_s`, over and over, or the end where it is None."""

    pulses: tuple[tuple[float, float], ...]
    period_s: float | None
    where: Where


class BeltFrame(NamedTuple):
    """Motor duties, 0 to 1, in the order of the belt's motors from left to right; and the buzzer."""

    duties: tuple[float, ...]
    buzzer: bool = False


LEVELS = (  # by level
    Rhythm((), 2.0, NEAREST),
    Rhythm(((0.10, 1.90),), 2.0, NEAREST),
    Rhythm(((0.12, 0.25),), 0.37, NEAREST),
    Rhythm(((0.15, 0.08),), 0.23, ALL),
)
FAULT = Rhythm(((0.5, 0.3),) * 3, 5.0, ALL)
PAUSED = Rhythm(((0.06, 0.10), (0.06, 0.10)), 5.0, ALL)  # a light double tap: alerts are off, by your wish
CUES = {
    Cue.SELF_TEST: Rhythm(((0.06, 0.06),), None, AND_BUZZER),
    Cue.READY: Rhythm(((0.15, 0.10),), None, IN_TURN),
    Cue.PAUSE: Rhythm(((0.06, 0.10),) * 4, None, ALL),
    Cue.GOODBYE: Rhythm(((0.5, 0.3),) * 2, None, ALL),
}
NEVER = float("inf")
_Phase: TypeAlias = tuple[int, float]


def phase(rhythm: Rhythm, elapsed_s: float, motors: int) -> tuple[int, float]:
    """Where `rhythm` stands, `elapsed_s` after its start, on a belt of `motors`.

    Which pulse sounds (-1: none), and the seconds to its next edge (inf: it is over).
    """
    pulses, period, where = rhythm
    if where is IN_TURN:
        pulses = pulses * motors
    elif where is AND_BUZZER:
        pulses = pulses * (motors + 1)
    at = (elapsed_s if elapsed_s > 0.0 else 0.0) + EDGE_S
    if period is not None:
        at %= period
    edge = EDGE_S
    for i, (on, off) in enumerate(pulses):
        if at < edge + on - EDGE_S:
            return i, edge + on - at
        edge += on + off
        if at < edge - EDGE_S:
            return -1, edge - at
    return -1, NEVER if period is None else period - at + EDGE_S


def felt_faults(alert: Alert) -> bool:
    """Whether the alert carries a fault that is to be felt, not only shown."""
    return any(not fault.startswith(UNFELT) for fault in alert.faults)


class Renderer:
    """Plays the rhythms: alert in, frame and the time of its next edge out."""

    def __init__(self, bearings_deg: Sequence[float]) -> None:
        self._bearings = tuple(bearings_deg)
        self._level = CLEAR
        self._cue: Cue | None = None
        self._level_s = self._cue_s = 0.0
        self._fault_s: float | None = None
        self._paused_s: float | None = None
        count = len(self._bearings)
        rest, full = (0.0,) * count, (1.0,) * count
        self._near_deg: float | None = float("nan")  # the last bearing asked for, and its motor
        self._near = -1
        self._rest, self._full = _frames(rest), _frames(full)
        self._single = [_frames((*rest[:i], 1.0, *rest[i + 1 :])) for i in range(count)]

    def cue(self, cue: Cue, now_s: float) -> None:
        """Start `cue`; it replaces one that still plays."""
        self._cue, self._cue_s = cue, now_s

    def playing(self) -> Cue | None:
        """The cue that plays, as of the last frame."""
        return self._cue

    def nearest(self, bearing_deg: float | None) -> int:
        """Index of the motor nearest in bearing; -1 on a belt without motors."""
        if bearing_deg != self._near_deg:
            gaps = [abs((b - (bearing_deg or 0.0) + 180.0) % 360.0 - 180.0) for b in self._bearings]
            self._near_deg, self._near = bearing_deg, gaps.index(min(gaps)) if gaps else -1
        return self._near

    def render(self, alert: Alert, now_s: float) -> tuple[BeltFrame, float]:
        """The frame to be felt at `now_s` and when it next changes (inf: not by itself)."""
        level = alert.level
        if level is not self._level:
            self._level, self._level_s = level, now_s
        faulty = bool(alert.faults) and felt_faults(alert)
        self._fault_s = (now_s if self._fault_s is None else self._fault_s) if faulty else None
        self._paused_s = (now_s if self._paused_s is None else self._paused_s) if alert.paused else None
        if level is CLEAR and self._cue is None and not faulty and not alert.paused:
            return self._rest[0], NEVER
        count, nothing = len(self._bearings), (-1, NEVER)
        cue = phase(CUES[self._cue], now_s - self._cue_s, count) if self._cue else nothing
        if cue[1] == NEVER:
            self._cue = None
        fault = phase(FAULT, now_s - self._fault_s, count) if self._fault_s is not None else nothing
        danger = phase(LEVELS[level], now_s - self._level_s, count) if level and not alert.paused else nothing
        tap = phase(PAUSED, now_s - self._paused_s, count) if self._paused_s is not None else nothing
        edge = danger[1]
        if cue is not nothing or faulty or alert.paused:
            edge = min(edge, cue[1], fault[1], tap[1])
        return self._lit(alert, danger, cue, fault, tap)[fault[0] >= 0], now_s + edge

    def _lit(
        self, alert: Alert, danger: _Phase, cue: _Phase, fault: _Phase, tap: _Phase
    ) -> tuple[BeltFrame, BeltFrame]:
        """The motors of whatever comes first: a danger, a cue, a fault, a notice, the tap of a pause."""
        level, felt = alert.level, danger[1] != NEVER
        if felt and level >= WARN and self._cue is not Cue.GOODBYE:
            return self._motors(LEVELS[level].where, danger[0], alert)
        if self._cue is not None:
            return self._motors(CUES[self._cue].where, cue[0], alert)
        if fault[0] >= 0:
            return self._full
        if felt:
            return self._motors(LEVELS[level].where, danger[0], alert)
        return self._full if tap[0] >= 0 else self._rest

    def _motors(self, where: Where, pulse: int, alert: Alert) -> tuple[BeltFrame, BeltFrame]:
        if where is AND_BUZZER and pulse == len(self._single):
            return self._rest[1], self._rest[1]
        if pulse < 0 or not self._single:
            return self._rest
        if where is ALL:
            return self._full
        return self._single[self.nearest(alert.bearing_deg) if where is NEAREST else pulse]


def _frames(duties: tuple[float, ...]) -> tuple[BeltFrame, BeltFrame]:
    """The same duties without the buzzer and with it."""
    return BeltFrame(duties), BeltFrame(duties, True)
