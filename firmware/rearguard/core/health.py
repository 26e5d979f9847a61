"""Whether a sensor can be believed: what it must do to stay trusted, and the fault when it does not."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from rearguard.core.reading import INVALID, LOST, NO_DATA, SensorSpec, Status

STALE_S = 0.25  # felt by 300 ms: the rest is for waking up and for the motors
REJECT_S, REJECT_MIN, REJECT_SHARE = 1.0, 3, 0.20  # more than 20 % of a second's answers, and not just one or two
REJECT_SPAN_S = 0.2  # nor the first few of a sensor that was just switched on
BLOCKED_S, BLOCKED_M = 3.0, 0.15  # a shirt lies within 15 cm and stays; a wearer at a wall moves on sooner
BLOCKED_WANDER_M = 0.03  # breathing under a shirt
FROZEN_S = 1.0  # the very same value for so long while another sensor sees motion
FROZEN_OWN_S = 0.25  # or so soon, when it stops dead from a walk: no body does that
FROZEN_OWN_MPS = 0.5
FROZEN_OWN_ROUNDS = (
    3.5  # but four repeats at least: one who stops before a wall may stand within a millimetre for three
)
RELEASE_S = 0.5  # a fault ends when its cause has been gone for this long
NEVER = float("inf")  # a fault whose cause is still there


class Fault(StrEnum):
    """What can be wrong with a sensor."""

    NO_DATA = "no_data"
    FROZEN = "frozen"
    IMPLAUSIBLE = "implausible"
    BLOCKED = "blocked"
    LOST = "lost"


NONE: tuple[Fault, ...] = ()


class Health:
    """The faults of one sensor."""

    __slots__ = (
        "_answers", "_calm", "_due_s", "_frozen_s", "_heard_s", "_held", "_lost", "_near_m", "_near_since_s",
        "_rejects", "_same", "_same_mps", "_same_since_s", "_still_at_s", "answered", "blocked",
    )  # fmt: skip

    def __init__(self, spec: SensorSpec, now_s: float) -> None:
        self._due_s = now_s + spec.startup_s  # an answer must have come by then
        self._heard_s = now_s
        self._frozen_s = max(FROZEN_OWN_S, FROZEN_OWN_ROUNDS * spec.round_s)
        self._answers: deque[float] = deque()  # times of the last second's answers
        self._rejects: deque[float] = deque()  # of those that were rejected
        self.answered = False  # ever
        self.blocked = False  # something close and still covers it
        self._lost = False
        self._calm = False  # nothing is wrong, nor will be before the next answer is due
        self._same: object = None
        self._same_since_s = self._still_at_s = now_s
        self._same_mps = 0.0
        self._near_since_s: float | None = None
        self._near_m = 0.0
        self._held: dict[Fault, float] = {}  # until when each stays raised

    def note(self, t_s: float, status: Status, value: object, near_m: float | None, speed_mps: float) -> None:
        """Take one answer. `value` is what was measured (None for nothing), `near_m` its distance where it has one,

        `speed_mps` how fast the sensor's own track moved before it.
        """
        if status is LOST:
            self._lost, self._calm = True, False
            return
        if status is NO_DATA:
            return
        answers, rejects = self._answers, self._rejects
        answers.append(t_s)
        if t_s - answers[0] > REJECT_S:
            while t_s - answers[0] > REJECT_S:
                answers.popleft()
            while rejects and t_s - rejects[0] > REJECT_S:
                rejects.popleft()
        if status is INVALID:
            rejects.append(t_s)
            self._calm = False
            return
        self._heard_s, self._due_s = t_s, t_s + STALE_S
        self.answered, self._lost = True, False
        fresh = value is None or value != self._same
        if fresh:
            self._same, self._same_since_s = value, t_s
            self._same_mps = speed_mps if speed_mps >= 0.0 else -speed_mps
        if near_m is None or near_m > BLOCKED_M:
            self._near_since_s = None
        elif self._near_since_s is None or abs(near_m - self._near_m) > BLOCKED_WANDER_M:
            self._near_since_s, self._near_m = t_s, near_m
        self._calm = fresh and not rejects and not self._held and self._near_since_s is None

    def calm(self, now_s: float) -> bool:
        """Whether there is no fault at `now_s`, as can be told at a glance; `faults` looks closer."""
        return self._calm and now_s < self._due_s

    def faults(self, now_s: float, motion_elsewhere: bool) -> tuple[Fault, ...]:
        """What is wrong at `now_s`. `motion_elsewhere`: another sensor follows something that moves."""
        held = self._held
        present = self._now(now_s, motion_elsewhere)
        if present:
            self._calm = False
        for fault in present:
            held[fault] = NEVER
        for fault, until in list(held.items()):
            if until == NEVER and fault not in present:
                held[fault] = now_s + RELEASE_S
            elif until <= now_s:
                del held[fault]
        self.blocked = Fault.BLOCKED in held
        if Fault.LOST in held:
            return (Fault.LOST,)  # it says what NO_DATA would say, and why
        return tuple(sorted(held))

    def wake_s(self, now_s: float) -> float:
        """When `faults` may next change without a new answer."""
        due = self._due_s if self._due_s > now_s else NEVER
        return min(due, *self._held.values()) if self._held else due

    def _now(self, now_s: float, motion_elsewhere: bool) -> list[Fault]:
        found: list[Fault] = []
        if self._lost:
            found.append(Fault.LOST)
        elif now_s >= self._due_s:
            found.append(Fault.NO_DATA)
        many = len(self._rejects) >= REJECT_MIN and len(self._rejects) > REJECT_SHARE * len(self._answers)
        if many and self._answers[-1] >= max(now_s - REJECT_S, self._answers[0] + REJECT_SPAN_S):
            found.append(Fault.IMPLAUSIBLE)
        if not motion_elsewhere:
            self._still_at_s = now_s
        if self._same is not None:
            same_s = self._heard_s - self._same_since_s
            if (same_s >= self._frozen_s and self._same_mps >= FROZEN_OWN_MPS) or (
                self._heard_s - max(self._same_since_s, self._still_at_s) >= FROZEN_S
            ):
                found.append(Fault.FROZEN)
        if self._near_since_s is not None and self._heard_s - self._near_since_s >= BLOCKED_S:
            found.append(Fault.BLOCKED)
        return found
