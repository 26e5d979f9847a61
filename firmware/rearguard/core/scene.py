"""Things in a sweep: points become objects, objects become tracks.

x is metres toward the wearer's right, y metres behind. The swath is the strip the wearer's body sweeps
when it walks straight back; only what lies in it, or will, can be hit.
"""

from __future__ import annotations

from functools import lru_cache
from math import atan2, cos, degrees, hypot, radians, sin
from typing import NamedTuple

from rearguard.core.fit import Window
from rearguard.core.reading import Scan, SensorSpec
from rearguard.core.track import (
    ARRIVED_MPS,
    BESIDE,
    GAP_S,
    HOLD_S,
    MILD,
    REACH_M,
    REACH_S,
    WINDOW_MIN,
    WINDOW_S,
    YOUNG_MPS,
    Track,
)

NEIGHBOUR = 2  # points of one object lie at most this many steps apart: one return in between may fail
JUMP_M, JUMP_STEPS = 0.15, 3.0  # and this near to each other: the depth of a body, and some steps of arc
COMPACT_M = 1.0  # what is narrower has a middle that can be followed sideways; a wall has not
GATE_Y_M, GATE_X_M = 0.30, 0.60  # a body turns 10 degrees at each step, which moves all sideways
PASS_MARGIN_M = 0.15  # what is in the swath must be sure to leave it before it stops counting
PASS_S = 0.6  # and for longer than half a step cycle: the yaw of a gait moves a pole sideways, to and fro
STRIDE_S = 1.1  # sideways speed is fitted over two steps: that long the yaw of a gait takes
SURE = 4.0  # deviations; the scatter of a course that sways says too little of how far it will go wrong
KEEP_S = 0.35  # three turns at 10 Hz without it and it is gone


class Thing(NamedTuple):
    """An object in one sweep."""

    x_m: float
    y_m: float  # its nearest point, of two that agree
    half_m: float  # half its width
    compact: bool


@lru_cache(maxsize=8)  # one grid a sensor
def _directions(bearings_deg: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
    return tuple((sin(radians(b)), cos(radians(b))) for b in bearings_deg)


def things(scan: Scan, spec: SensorSpec, swath_m: float) -> list[Thing]:
    """Objects of two or more neighbouring points; of a wide one, only the part inside the swath."""
    found: list[Thing] = []
    group: list[tuple[float, float]] = []
    first_i = last_i = 0
    step = radians(abs(scan.bearings_deg[1] - scan.bearings_deg[0])) if len(scan.bearings_deg) > 1 else 0.0
    for i, (r, (dx, dy)) in enumerate(zip(scan.ranges_m, _directions(scan.bearings_deg), strict=False)):
        if r is None or not spec.min_range_m <= r <= spec.max_range_m:
            continue
        x, y = r * dx, r * dy
        if group and (
            i - last_i > NEIGHBOUR or hypot(x - group[-1][0], y - group[-1][1]) > JUMP_M + JUMP_STEPS * step * r
        ):
            _close(group, swath_m, found, cut=first_i == 0)
            group = []
        if not group:
            first_i = i
        group.append((x, y))
        last_i = i
    _close(group, swath_m, found, cut=last_i == len(scan.ranges_m) - 1)
    return found


def _close(group: list[tuple[float, float]], swath_m: float, found: list[Thing], cut: bool) -> None:
    """Turn a finished group of points into a thing, if it is one that matters.

    `cut`: it reaches the edge of the sweep, and nobody knows how much wider it is.
    """
    if len(group) < 2:
        return
    (x0, y0), (x1, y1) = group[0], group[-1]
    compact = not cut and hypot(x1 - x0, y1 - y0) < COMPACT_M
    points = group if compact else [p for p in group if abs(p[0]) <= swath_m]
    if points:
        xs = [x for x, _ in points]
        near = sorted(y for _, y in points)[:2][-1]  # the second nearest: one stray point moves nothing
        found.append(Thing((min(xs) + max(xs)) / 2, near, (max(xs) - min(xs)) / 2, compact))


class _Course:
    """One thing followed from sweep to sweep."""

    def __init__(self, t_s: float, thing: Thing, noise_m: float, swath_m: float) -> None:
        self._x = Window(noise_m, STRIDE_S, WINDOW_MIN)
        self._y = Window(noise_m, WINDOW_S, WINDOW_MIN)
        self._r = Window(noise_m, WINDOW_S, WINDOW_MIN)
        self._past, self._past_since_s = 0, t_s  # the side on which its course leads past the wearer, since when
        self._swath_m = swath_m
        self._hand_until = t_s + REACH_S if hypot(thing.x_m, thing.y_m) <= REACH_M else t_s
        self.extend(t_s, thing)

    def extend(self, t_s: float, thing: Thing) -> None:
        self._x.add(t_s, thing.x_m)
        self._y.add(t_s, thing.y_m)
        self._r.add(t_s, hypot(thing.x_m, thing.y_m))
        self.last_s, self.half_m, self.wide = t_s, thing.half_m, not thing.compact
        self.x, self.vx = self._x.value, self._x.rate
        self.y, self.vy = self._y.value, self._y.rate
        self.near = self._y if self._inside() or self.wide else self._r  # range: yaw moves all else of what is aside
        side = self._side()
        if side != self._past:
            self._past, self._past_since_s = side, t_s

    def misfit(self, t_s: float, thing: Thing) -> float | None:
        """How badly `thing` continues this course; None when it cannot."""
        dt = t_s - self.last_s
        off_y = abs(self.y + self.vy * dt - thing.y_m)
        off_x = 0.0 if self.wide and not thing.compact else abs(self.x + self.vx * dt - thing.x_m)
        return off_y + 0.5 * off_x if off_y <= GATE_Y_M and off_x <= GATE_X_M else None

    def closing(self) -> float:
        """In m/s; seen a few times only, no faster than a walk: a wall that yaw brings into the swath leaps."""
        rate = -self.near.rate
        return min(rate, YOUNG_MPS) if len(self.near.times) < WINDOW_MIN else rate

    def passes(self) -> bool:
        """Whether it is sure to be beside the swath by the time it is level with the wearer."""
        return self._past != 0 and (not self._inside() or self.last_s - self._past_since_s >= PASS_S)

    def mild(self) -> int:
        """What of a full danger it is not: it leaves the way, or is sure to pass beside it, or is a hand."""
        if self.last_s < self._hand_until:
            return BESIDE
        return 0 if not self.passes() else MILD if self._inside() else BESIDE

    def _inside(self) -> bool:
        """Whether it is in the swath, as it is now."""
        return abs(self.x) - self.half_m <= self._swath_m

    def _side(self) -> int:
        """Where its course, as it is now, leads past the wearer: -1 left, 1 right, 0 if it does not."""
        if self.wide:
            return 0
        then = self.x
        if len(self._x.times) >= WINDOW_MIN and self.near.rate <= -ARRIVED_MPS:
            sure = SURE * self._x.rate_sd  # the yaw of each step moves it to and fro: no more than is sure counts
            inward = max(self.vx - sure, 0.0) if self.x < 0.0 else min(self.vx + sure, 0.0)
            outward = max(self.vx, 0.0) if self.x > 0.0 else min(self.vx, 0.0)
            then += (inward or outward) * self.near.value / -self.near.rate
        clear = abs(then) - self.half_m > self._swath_m + (PASS_MARGIN_M if self._inside() else 0.0)
        return (1 if then > 0.0 else -1) if clear else 0


class ScanTracker:
    """Follows every thing that a sweeping sensor sees."""

    def __init__(self, spec: SensorSpec, swath_m: float) -> None:
        self.spec = spec
        self._swath_m = swath_m
        self._courses: list[_Course] = []
        self._held_until = float("-inf")
        self._held_deg = 0.0

    def update(self, scan: Scan, t_s: float) -> None:
        """Take one sweep, stamped `t_s`, not before the last one."""
        noise = self.spec.noise_m
        rest = sorted(things(scan, self.spec, self._swath_m), key=lambda thing: thing.y_m)
        pairs = sorted(
            (miss, i, j)
            for i, course in enumerate(self._courses)
            for j, thing in enumerate(rest)
            if (miss := course.misfit(t_s, thing)) is not None
        )
        used_i: set[int] = set()
        used_j: set[int] = set()
        for _, i, j in pairs:
            if i not in used_i and j not in used_j:
                used_i.add(i)
                used_j.add(j)
                self._courses[i].extend(t_s, rest[j])
        self._courses += [_Course(t_s, thing, noise, self._swath_m) for j, thing in enumerate(rest) if j not in used_j]
        self._forget(t_s, KEEP_S)

    def tracks(self, now_s: float) -> tuple[Track, ...]:
        """Every confirmed thing as it stands at `now_s`, nearest first."""
        self._forget(now_s, GAP_S)
        name = self.spec.name
        found = [
            Track(
                name,
                max(c.near.value + min(c.near.rate, 0.0) * (now_s - c.last_s), 0.0),
                c.closing(),
                c.near.rate_sd,
                degrees(atan2(c.x, max(c.y, 0.01))),
                mild=c.mild(),
            )
            for c in self._courses
        ]
        if now_s < self._held_until:
            found.append(Track(name, self.spec.min_range_m, 0.0, 0.0, self._held_deg, arrived=True))
        return tuple(sorted(found, key=lambda track: track.distance_m))

    def expiry_s(self) -> float:
        """When, without further sweeps, the answer of `tracks` changes; -inf when never."""
        ends = [c.last_s + GAP_S for c in self._courses]
        return min(ends) if ends else self._held_until

    def _forget(self, now_s: float, keep_s: float) -> None:
        for c in self._courses:
            age = now_s - c.last_s
            arrived = -c.vy >= ARRIVED_MPS and c.y + c.vy * age <= self.spec.hold_below_m
            if now_s >= c.last_s + keep_s and arrived and not c.mild():
                self._held_until = now_s + HOLD_S
                self._held_deg = degrees(atan2(c.x, max(c.y, 0.01)))
        self._courses = [c for c in self._courses if now_s < c.last_s + keep_s]
