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

WINDOW_S = 0.5  # closing speed is fitted over this: a step, or its ripple shows; longer lags behind a wearer who brakes
WINDOW_MIN = 5  # but over no fewer readings, for sensors that fire in turn
GATE_M = 0.10  # a torso's echo wanders this much between chest, arm and coat
GATE_MPS2 = 4.0  # nobody walking speeds up or brakes harder
GATE_SD = 3.0  # deviations of the fitted speed that the gate allows for
RIVAL_MIN, RIVAL_OF, RIVAL_SHARE = 3, 4, 0.75  # three of four that agree closely, or four of five
RIVAL_SPAN_S = 0.04  # a 100 Hz sensor can afford five readings in agreement before it is believed
RECENT_MIN, RECENT_S = 5, 0.06  # the latest readings: five, or as many as make up 60 ms
YOUNG_S, YOUNG_MPS = 0.2, 1.0  # who steps into the beam seems to come at it; until this old, no faster than a walk
AGREE_M, CLOSE_M = 0.06, 0.025  # rivals lie this near to one line; if they are but three, that near
COURSE_MPS, WALK_MPS = 4.0, 2.1  # a runner behind a walker, two who walk; steeper lines join unrelated echoes
DROP_S, DROP_MIN = 0.25, 3  # a track ends when three readings in 250 ms do not fit
GAP_S = 0.5  # and when there are none at all for this long
ARRIVED_MPS = 0.15  # what came nearer at least this fast has arrived when it vanishes close by
REACH_M, REACH_S = 0.30, 0.7  # what turns up within reach of the wearer's own hand is a hand, until it stays
SWING_S = 0.13  # a hand is gone again for longer than this, once in each step; an echo is seldom lost twice in a row
TOUCH_M = 0.03  # above the minimum range, a course that comes down to it
HOLD_S = 5.0  # how long an arrival stays an alarm when nothing is seen any more


MILD, BESIDE = 1, 2


class Track(NamedTuple):
    """One thing behind the wearer."""

    sensor: str
    distance_m: float  # along the wearer's way back, at the time asked for
    closing_mps: float  # positive: getting nearer
    closing_sd_mps: float
    bearing_deg: float
    arrived: bool = False  # nearer than the sensor can measure
    mild: int = 0  # MILD: worth a NOTICE at most, it leaves the way or lies on the sensor; BESIDE: worth nothing


class BeamTracker:
    """Follows the nearest thing in one beam."""

    __slots__ = ("_bearing", "_close", "_course", "_hand_until", "_held_until", "_recent", "_touching", "spec")

    def __init__(self, spec: SensorSpec) -> None:
        self.spec = spec
        self._bearing = spec.bearing_deg
        self._course: Window | None = None
        self._recent: deque[tuple[float, float | None]] = deque()  # None: a miss, or what the track explains
        self._touching = self._close = False
        self._held_until = self._hand_until = float("-inf")

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
            if course is not None and t_s < self._hand_until and t_s - course.times[-1] > SWING_S:
                self._hand_until = t_s + REACH_S
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
        if now_s < self._hand_until:
            return ()
        rate, distance, times = course.rate, course.value, course.times
        if rate < 0.0 and now_s > times[-1] and len(times) >= WINDOW_MIN:  # it coasts, if only nearer, once well seen
            distance += rate * (now_s - times[-1])
        if rate < -YOUNG_MPS and times[-1] - times[0] < YOUNG_S:
            rate = -YOUNG_MPS
        least = spec.min_range_m if self._touching else 0.0
        distance = distance if distance > least else least
        fields = (spec.name, distance, -rate, course.rate_sd, self._bearing, self._touching, 0)
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
        if len(points) < RIVAL_MIN:
            return None
        need = max(RIVAL_MIN + 1, RIVAL_SHARE * len(self._recent))
        since = self._recent[max(len(self._recent) - RIVAL_OF, 0)][0]
        t0, d0 = points[-1]
        for i, (t1, d1) in enumerate(points[:-1]):
            if t0 - t1 < RIVAL_SPAN_S:
                break  # the rest are nearer still
            rate = (d1 - d0) / (t1 - t0)
            if abs(rate) > COURSE_MPS:
                continue
            near = [(t, d) for t, d in points[i:] if abs(d - d0 - rate * (t - t0)) <= AGREE_M]
            if len(near) >= need:
                return near
            if len(near) >= RIVAL_MIN and abs(rate) <= WALK_MPS and t1 >= since:
                close = [(t, d) for t, d in near if abs(d - d0 - rate * (t - t0)) <= CLOSE_M]
                if len(close) >= RIVAL_MIN:
                    return close
        return None

    def _restart(self, points: list[tuple[float, float]]) -> None:
        last, now_s = self._course, points[-1][0]
        near = last is not None and last.value <= REACH_M + GATE_M and last.times[-1] - last.times[0] >= YOUNG_S
        known = near or now_s < self._held_until
        hand = points[-1][1] <= REACH_M and (now_s < self._hand_until or not known)
        self._hand_until = now_s + REACH_S if hand else float("-inf")
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
        if now_s < self._hand_until:
            near = self._touching = False
        self._hand_until = float("-inf")
        if self._touching or (near and -course.rate >= ARRIVED_MPS):
            self._held_until = now_s + HOLD_S
        self._course = None
        self._touching = False
