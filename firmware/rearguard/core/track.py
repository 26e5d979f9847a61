"""Range and closing speed of what one beam sees, from noisy readings.

A reading that fits the track's own constant-velocity course extends it. One that does not joins the
rivals; enough of the latest readings that agree on a course of their own replace the track. What was
closing and drops below the sensor's minimum range did not go away: it has arrived, and is held.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from rearguard.core.fit import Window
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
TOUCH_M = 0.03  # above the minimum range, a course that comes down to it
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

    __slots__ = ("_bearing", "_close", "_course", "_held_until", "_recent", "_touching", "spec")

    def __init__(self, spec: SensorSpec) -> None:
        self.spec = spec
        self._bearing = spec.bearing_deg
        self._course: Window | None = None
        self._recent: deque[tuple[float, float | None]] = deque()  # None: a miss, or what the track explains
        self._touching = self._close = False
        self._held_until = float("-inf")

    def update(self, t_s: float, distance_m: float | None, bearing_deg: float | None = None) -> None:
        """Take one answer at `t_s`, which must not lie before the last one.

        `distance_m` is None where nothing was in range; below the minimum range it means "nearer than that".
        """
        course, recent = self._course, self._recent
        if course is not None and t_s - course.times[-1] > GAP_S:
            self._drop(course, t_s)
            course = None
        if bearing_deg is not None:
            self._bearing = bearing_deg
        if course is not None and distance_m is not None and self._fits(course, t_s, distance_m):
            least = self.spec.min_range_m
            if distance_m > least:
                self._touching = self._close = False
            else:  # one TOO_CLOSE beside a thing just beyond is a false echo; two, or one that was due, are not
                due = course.value + course.rate * (t_s - course.times[-1]) <= least + TOUCH_M
                self._touching, self._close = due or self._close, True
            course.add(t_s, distance_m)
            recent.append((t_s, None))
        else:
            recent.append((t_s, distance_m))
        while len(recent) > RECENT_MIN and t_s - recent[1][0] >= RECENT_S:
            recent.popleft()
        if recent[-1][1] is not None:
            rivals = self._agreeing()
            if rivals is not None:
                self._restart(rivals)
                return
        if course is not None and t_s - course.times[-1] >= DROP_S and self._missed(course) >= DROP_MIN:
            self._drop(course, t_s)

    def tracks(self, now_s: float) -> tuple[Track, ...]:
        """The track as it stands at `now_s`: none, or one."""
        spec, course = self.spec, self._course
        if course is not None and now_s >= course.times[-1] + GAP_S:
            self._drop(course, now_s)
            course = None
        if course is None:
            if now_s < self._held_until:
                return (Track(spec.name, spec.min_range_m, 0.0, 0.0, self._bearing, True),)
            return ()
        rate = course.rate
        distance = course.value
        if rate < 0.0:  # it coasts, but only nearer
            distance += rate * (now_s - course.times[-1])
        least = spec.min_range_m if self._touching else 0.0
        distance = distance if distance > least else least
        fields = (spec.name, distance, -rate, course.rate_sd, self._bearing, self._touching, False)
        return (tuple.__new__(Track, fields),)  # twice as quick as the named tuple's own constructor

    def expiry_s(self) -> float:
        """When, without further readings, the answer of `tracks` changes; -inf when never."""
        return self._course.times[-1] + GAP_S if self._course is not None else self._held_until

    def _fits(self, course: Window, t_s: float, distance_m: float) -> bool:
        dt = t_s - course.times[-1]
        gate = GATE_M + (GATE_SD * course.rate_sd + 0.5 * GATE_MPS2 * dt) * dt
        expected = course.value + course.rate * dt
        if -gate <= distance_m - expected <= gate:
            return True
        least = self.spec.min_range_m
        return distance_m <= least and expected <= least

    def _agreeing(self) -> list[tuple[float, float]] | None:
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
                return near
        return None

    def _restart(self, points: list[tuple[float, float]]) -> None:
        self._course = Window(self.spec.noise_m, WINDOW_S, WINDOW_MIN)
        for t_s, distance_m in points:
            self._course.add(t_s, distance_m)
        self._touching = self._close = points[-1][1] <= self.spec.min_range_m
        self._held_until = float("-inf")
        self._recent.clear()

    def _missed(self, course: Window) -> int:
        """How many of the latest readings came since one last extended the track."""
        return sum(t > course.times[-1] for t, _ in self._recent)

    def _drop(self, course: Window, now_s: float) -> None:
        near = course.value + course.rate * (now_s - course.times[-1]) <= self.spec.hold_below_m
        if self._touching or (near and -course.rate >= ARRIVED_MPS):
            self._held_until = now_s + HOLD_S
        self._course = None
        self._touching = False
