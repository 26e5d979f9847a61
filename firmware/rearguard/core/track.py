"""Range and closing speed of what one beam sees, from noisy readings.

A reading that fits the track's own constant-velocity course extends it. One that does not joins the
rivals; enough of the latest readings that agree on a course of their own replace the track. What was
closing and drops below the sensor's minimum range did not go away: it has arrived, and is held.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from rearguard.core.fit import Course, fit
from rearguard.core.reading import SensorSpec

WINDOW_S = 0.4  # closing speed is fitted over this; longer lags behind a wearer who brakes
WINDOW_MIN = 5  # but over no fewer readings, for sensors that fire in turn
GATE_M = 0.10  # a torso's echo wanders this much between chest, arm and coat
GATE_MPS2 = 4.0  # nobody walking speeds up or brakes harder
GATE_SD = 3.0  # deviations of the fitted speed that the gate allows for
RIVAL_MIN, RIVAL_SHARE = 3, 0.75  # 3 of 4: 166 ms and 0.03 false tracks an hour at 60 ms (docs/design.md)
RIVAL_SPAN_S = 0.04  # a 100 Hz sensor can afford five readings in agreement before it is believed
RECENT_MIN, RECENT_S = 4, 0.06  # the latest readings: four, or as many as make up 60 ms
AGREE_M = 0.06  # rivals lie this near to one line
COURSE_MPS = 4.0  # a runner behind a walker; steeper lines join unrelated echoes
DROP_S, DROP_MIN = 0.25, 3  # a track ends when three readings in 250 ms do not fit
GAP_S = 0.5  # and when there are none at all for this long
ARRIVED_MPS = 0.15  # what came nearer at least this fast has arrived when it vanishes close by
HOLD_S = 5.0  # how long an arrival stays an alarm when nothing is seen any more


class Track(NamedTuple):
    """One thing behind the wearer."""

    sensor: str
    distance_m: float  # along the wearer's way back, at the time asked for
    closing_mps: float  # positive: getting nearer
    closing_sd_mps: float
    bearing_deg: float
    arrived: bool = False  # nearer than the sensor can measure
    mild: bool = False  # worth a NOTICE at most: its course misses the wearer, or it lies on the sensor


class BeamTracker:
    """Follows the nearest thing in one beam."""

    __slots__ = ("_bearing", "_course", "_ds", "_held_until", "_recent", "_touching", "_ts", "spec")

    def __init__(self, spec: SensorSpec) -> None:
        self.spec = spec
        self._bearing = spec.bearing_deg
        self._ts: list[float] = []
        self._ds: list[float] = []
        self._course: Course | None = None
        self._recent: deque[tuple[float, float | None]] = deque()
        self._touching = False
        self._held_until = float("-inf")

    def update(self, t_s: float, distance_m: float | None, bearing_deg: float | None = None) -> None:
        """Take one answer at `t_s`, which must not lie before the last one.

        `distance_m` is None where nothing was in range; below the minimum range it means "nearer than that".
        """
        if self._course is not None and t_s - self._ts[-1] > GAP_S:
            self._drop(t_s)
        fits = distance_m is not None and self._fits(t_s, distance_m)
        recent = self._recent
        recent.append((t_s, None if fits else distance_m))
        while len(recent) > RECENT_MIN and t_s - recent[1][0] >= RECENT_S:
            recent.popleft()
        if distance_m is not None and fits:
            self._extend(t_s, distance_m)
        else:
            rivals = self._agreeing() if distance_m is not None else None
            if rivals is not None:
                self._restart(*rivals)
            elif self._course is not None and t_s - self._ts[-1] >= DROP_S and self._missed() >= DROP_MIN:
                self._drop(t_s)
        if bearing_deg is not None:
            self._bearing = bearing_deg

    def tracks(self, now_s: float) -> list[Track]:
        """The track as it stands at `now_s`: none, or one."""
        spec = self.spec
        if self._course is not None and now_s >= self._ts[-1] + GAP_S:
            self._drop(now_s)
        course = self._course
        if course is not None:
            return [Track(spec.name, self._ahead(now_s), -course.rate, course.rate_sd, self._bearing, self._touching)]
        if now_s < self._held_until:
            return [Track(spec.name, spec.min_range_m, 0.0, 0.0, self._bearing, True)]
        return []

    def expiry_s(self) -> float:
        """When, without further readings, the answer of `tracks` changes; -inf when never."""
        return self._ts[-1] + GAP_S if self._course is not None else self._held_until

    def _ahead(self, now_s: float) -> float:
        """Distance at `now_s`, coasting on the course only if it comes nearer; never below the least range."""
        assert self._course is not None
        coasted = self._course.value + min(self._course.rate, 0.0) * (now_s - self._ts[-1])
        return max(coasted, self.spec.min_range_m if self._touching else 0.0)

    def _fits(self, t_s: float, distance_m: float) -> bool:
        course = self._course
        if course is None:
            return False
        least, dt = self.spec.min_range_m, t_s - self._ts[-1]
        gate = GATE_M + GATE_SD * course.rate_sd * dt + 0.5 * GATE_MPS2 * dt * dt
        expected = course.value + course.rate * dt
        return abs(distance_m - expected) <= gate or (distance_m <= least and expected <= least)

    def _extend(self, t_s: float, distance_m: float) -> None:
        ts, ds = self._ts, self._ds
        ts.append(t_s)
        ds.append(distance_m)
        while len(ts) > WINDOW_MIN and t_s - ts[0] > WINDOW_S:
            del ts[0], ds[0]
        self._course = fit(ts, ds, self.spec.noise_m)
        self._touching = distance_m <= self.spec.min_range_m

    def _agreeing(self) -> tuple[list[float], list[float]] | None:
        """The latest readings that lie on one course through the newest of them, if they are enough."""
        points = [(t, d) for t, d in self._recent if d is not None]
        need = max(RIVAL_MIN, RIVAL_SHARE * len(self._recent))
        if len(points) < need:
            return None
        t0, d0 = points[-1]
        for t1, d1 in points[:-1]:
            if t0 - t1 < RIVAL_SPAN_S:
                break  # the rest are nearer still
            rate = (d1 - d0) / (t1 - t0)
            if abs(rate) > COURSE_MPS:
                continue
            near = [(t, d) for t, d in points if abs(d - d0 - rate * (t - t0)) <= AGREE_M]
            if len(near) >= need:
                return [t for t, _ in near], [d for _, d in near]
        return None

    def _restart(self, ts: list[float], ds: list[float]) -> None:
        self._ts, self._ds = ts, ds
        self._course = fit(ts, ds, self.spec.noise_m)
        self._touching = ds[-1] <= self.spec.min_range_m
        self._held_until = float("-inf")
        self._recent.clear()

    def _missed(self) -> int:
        """How many of the latest readings came since one last extended the track."""
        return sum(t > self._ts[-1] for t, _ in self._recent)

    def _drop(self, now_s: float) -> None:
        course = self._course
        assert course is not None
        near = course.value + course.rate * (now_s - self._ts[-1]) <= self.spec.hold_below_m
        if self._touching or (near and -course.rate >= ARRIVED_MPS):
            self._held_until = now_s + HOLD_S
        self._course = None
        self._touching = False
        self._ts, self._ds = [], []
