"""What a maker would use instead of Rearguard, on the same readings, so that both can be compared.

All of them take the answers of one ultrasonic sensor that is read every 60 ms, and say whether STOP is felt. Most have
one distance that they stop at, chosen for one nominal pace: `stop_distance(pace_mps, profile)`, the best choice of one
who knows the pace. Only the Kalman filters know the speed; they get Rearguard's own rule, so that filters are compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean, median
from typing import Protocol, TypeAlias

from rearguard.core.threat import MOVING_MPS, Profile, stop_distance

MAX_M = 4.0  # the range of an HC-SR04: what a maker writes down when nothing comes back

GPIOZERO_QUEUE = 9  # gpiozero 2.0.1.post3, DistanceSensor: queue_len
GPIOZERO_MAX_M, GPIOZERO_THRESHOLD_M = 1.0, 0.3  # the same: max_distance, threshold_distance

NOISE_M = 0.01  # assumed: the data sheet's 3 mm, and a coat that moves
START_MPS = 1.0  # deviation of a speed not known yet: a walk
COAST_S = 0.5  # how long a filter believes in what it no longer sees; assumed, as Rearguard's own
GATE_SD = 3.0  # the usual gate: one true reading in 370 falls outside
GATE_MISSES = 3  # readings in a row outside the gate, after which it is the filter that is wrong; assumed

NAV2_TIME_S, NAV2_STEP_S = 2.0, 0.1  # Nav2 collision monitor: time_before_collision, simulation_time_step


class Peer(Protocol):
    """A guard that is told of one answer after the other."""

    name: str

    def take(self, t_s: float, distance_m: float | None) -> bool:
        """One answer of a 60 ms ultrasonic sensor, at `t_s`, later than the last; whether STOP is felt from now on.

        `distance_m` is None when nothing is in range, or no echo came.
        """


Maker: TypeAlias = Callable[[], Peer]  # makes a fresh one


class Gpiozero:
    """`gpiozero.DistanceSensor` 2.0.1.post3 whose `when_in_range` starts the motors and `when_out_of_range` stops them.

    As in the class itself: a value is the distance as a share of `max_m`, at most 1; the median of the last `queue_len`
    values decides, and none does before there are that many; in range is what does not *exceed* the threshold; and an
    event is a change, so that what is in range when the queue fills is not felt until it has left and come back.

    None is what an HC-SR04 does when nothing comes back: its echo line falls after 30 ms or more, which reads as beyond
    4 m and becomes a value of 1. With `drops`, None is a wire on which no edge comes: the class puts nothing into its
    queue, and its answer stays as it was, however long that lasts.

    The class waits 60 ms *after* each echo, so that its readings are 60 to 100 ms apart. One every 60 ms favours it.
    """

    def __init__(
        self,
        name: str,
        threshold_m: float,
        max_m: float = MAX_M,
        *,
        queue_len: int = GPIOZERO_QUEUE,
        drops: bool = False,
    ) -> None:
        """Raises ValueError (the class: InputDeviceError) when `threshold_m` is not between 0 and `max_m`."""
        if not 0.0 < threshold_m / max_m < 1.0:
            raise ValueError(f"{name}: threshold_m = {threshold_m} must lie between 0 and max_m = {max_m}")
        self.name = name
        self._threshold, self._max_m, self._drops = threshold_m / max_m, max_m, drops
        self._queue: deque[float] = deque(maxlen=queue_len)
        self._out: bool | None = None  # None: no first answer yet
        self._felt = False

    @property
    def distance_m(self) -> float | None:
        """What `.distance` says, in m; None where the class would make the caller wait for more readings."""
        return median(self._queue) * self._max_m if self._full() else None

    def take(self, t_s: float, distance_m: float | None) -> bool:
        if distance_m is not None:
            self._queue.append(min(1.0, distance_m / self._max_m))
        elif not self._drops:
            self._queue.append(1.0)
        if self._full():
            was, self._out = self._out, median(self._queue) > self._threshold
            if was is not None and was != self._out:
                self._felt = not self._out
        return self._felt

    def _full(self) -> bool:
        return len(self._queue) == self._queue.maxlen


class Window:
    """STOP while the `average` of the last `length` readings is nearer than `threshold_m`.

    None counts as 4 m, for a window that drops it would hold its last answer for ever. Nothing is felt before there are
    `length` readings.
    """

    def __init__(self, name: str, threshold_m: float, length: int, average: Callable[[Sequence[float]], float]) -> None:
        self.name = name
        self._threshold_m, self._average = threshold_m, average
        self._window: deque[float] = deque(maxlen=length)

    def take(self, t_s: float, distance_m: float | None) -> bool:
        self._window.append(MAX_M if distance_m is None else distance_m)
        return len(self._window) == self._window.maxlen and self._average(self._window) < self._threshold_m


class Count:
    """STOP while `need` of the last `of` readings are nearer than `threshold_m`; None is not near.

    One of one is the plain threshold. Three of three is how openpilot warns of a collision: the planner's `crash_cnt`
    starts anew with every reading that is not dangerous, and it warns when the count passes two.
    """

    def __init__(self, name: str, threshold_m: float, need: int, of: int) -> None:
        self.name = name
        self._threshold_m, self._need = threshold_m, need
        self._near: deque[bool] = deque(maxlen=of)

    def take(self, t_s: float, distance_m: float | None) -> bool:
        self._near.append(distance_m is not None and distance_m < self._threshold_m)
        return sum(self._near) >= self._need


def approach_reach(pace_mps: float, time_s: float, footprint_m: float, step_s: float = NAV2_STEP_S) -> float:
    """How far from the sensor, in m, Nav2's collision monitor acts with a polygon of type `approach`.

    It moves the footprint on by `step_s` at the known speed and looks for points inside, again and again while the time
    simulated before the step is not more than `time_s`: the reach is up to one step beyond that
    (nav2_collision_monitor, Polygon::getCollisionTime).
    """
    reach, time = footprint_m, 0.0
    while time <= time_s:
        reach += pace_mps * step_s
        time += step_s
    return reach


class Nav2(Count):
    """Nav2's collision monitor, type `approach`, on a Range source. Where it begins to slow the robot is STOP here.

    It knows the wearer's own speed, which is taken to be the nominal pace all the time: it does not know that they
    stand, nor that somebody comes up to them. The footprint reaches to the profile's margin. A Range source turns one
    reading into a point for each degree of its cone, some 20 for an HC-SR04, so that one reading passes the default
    `min_points` of 4; `need` and `of` are for a maker who gathers single points of several readings instead. A reading
    out of range (None) adds no point.
    """

    def __init__(
        self, name: str, profile: Profile, pace_mps: float, *, time_s: float | None = None, need: int = 1, of: int = 1
    ) -> None:
        """`time_s`: time_before_collision; None: as long as reacting and braking take at this pace."""
        if time_s is None:
            time_s = profile.t_sys_s + profile.t_react_s + pace_mps / (2 * profile.decel_mps2)
        super().__init__(name, approach_reach(pace_mps, time_s, profile.margin_m), need, of)


class Kalman:
    """A constant-velocity Kalman filter on distance and closing speed, and Rearguard's own stopping distance.

    STOP while the closing speed passes 0.1 m/s and the distance is no more than it takes to stop at that speed: a
    time to collision of t_sys + t_react, made longer for braking and margin. The process noise is an acceleration
    that is constant over each step, of deviation `accel_mps2`: how hard the wearer may brake or set off (Bar-Shalom,
    Li, Kirubarajan: Estimation with Applications to Tracking and Navigation, discrete white noise acceleration).
    Without a reading it predicts, for 0.5 s at most. `gated`: a reading more than three deviations off is left out,
    and the third of them in a row starts the filter anew.
    """

    def __init__(self, name: str, profile: Profile, accel_mps2: float, gated: bool = False) -> None:
        self.name = name
        self._profile, self._gated = profile, gated
        self._q = accel_mps2 * accel_mps2
        self.distance_m = self.closing_mps = 0.0  # the state, once anything has been seen
        self._dd = self._dv = self._vv = 0.0  # its covariance
        self._t_s = 0.0
        self._seen_s: float | None = None  # the last reading that was believed; None: nothing is followed
        self._misses = 0

    def take(self, t_s: float, distance_m: float | None) -> bool:
        if self._seen_s is not None and t_s - self._seen_s > COAST_S:
            self._seen_s = None
        if self._seen_s is None:
            if distance_m is not None:
                self._start(t_s, distance_m)
            return False  # one reading has no speed
        self._predict(t_s)
        if distance_m is not None:
            self._correct(t_s, distance_m)
        closing = self.closing_mps
        return closing > MOVING_MPS and self.distance_m <= stop_distance(closing, self._profile)

    def _start(self, t_s: float, distance_m: float) -> None:
        self.distance_m, self.closing_mps = distance_m, 0.0
        self._dd, self._dv, self._vv = NOISE_M**2, 0.0, START_MPS**2
        self._t_s = self._seen_s = t_s
        self._misses = 0

    def _predict(self, t_s: float) -> None:
        dt = t_s - self._t_s
        self._t_s = t_s
        self.distance_m -= self.closing_mps * dt
        self._dd += dt * (dt * self._vv - 2 * self._dv) + self._q * dt**4 / 4
        self._dv -= dt * self._vv + self._q * dt**3 / 2
        self._vv += self._q * dt**2

    def _correct(self, t_s: float, distance_m: float) -> None:
        off, variance = distance_m - self.distance_m, self._dd + NOISE_M**2
        if self._gated and off * off > GATE_SD**2 * variance:
            self._misses += 1
            if self._misses == GATE_MISSES:
                self._start(t_s, distance_m)
            return
        self._seen_s, self._misses = t_s, 0
        gain_d, gain_v = self._dd / variance, self._dv / variance
        self.distance_m += gain_d * off
        self.closing_mps += gain_v * off
        self._vv -= gain_v * self._dv
        self._dd, self._dv = self._dd * (1 - gain_d), self._dv * (1 - gain_d)


def peers(profile: Profile, pace_mps: float) -> list[Peer]:
    """Each of them fresh, with the thresholds a maker would choose for a walk at `pace_mps` (m/s, at least 0).

    Where there is a fixed distance it is `stop_distance(pace_mps, profile)`; only `gpiozero as it comes` keeps its own.
    Raises ValueError when that is 4 m or more, which no HC-SR04 sees.
    """
    return [make() for make in _usual(profile, pace_mps).values()]


def front(profile: Profile, pace_mps: float) -> list[tuple[str, Maker]]:
    """(name, maker) of `peers`, and of the same with other parameters, for drawing delay against false alarms.

    The names are those of the peers made; the makers can be pickled. Raises as `peers` does, but when one is made.
    """
    at = stop_distance(pace_mps, profile)
    found = _usual(profile, pace_mps)
    for n in (3, 5, 7, 13):
        found |= _named(f"gpiozero, queue of {n}", Gpiozero, at, queue_len=n)
    for n in (7, 11, 13):
        found |= _named(f"median of {n}", Window, at, n, median)
    for n in (2, 3, 8):
        found |= _named(f"average of {n}", Window, at, n, fmean)
    for accel in (0.5, 1.0, 3.0, 6.0):
        found |= _named(f"Kalman, {accel:g} m/s^2", Kalman, profile, accel)
        found |= _named(f"Kalman, gated, {accel:g} m/s^2", Kalman, profile, accel, gated=True)
    found |= _named("Nav2 approach, 2 s", Nav2, profile, pace_mps, time_s=NAV2_TIME_S)
    for need, of in ((2, 3), (3, 4), (4, 6)):
        found |= _named(f"Nav2 approach, {need} of {of}", Nav2, profile, pace_mps, need=need, of=of)
    for n in (2, 4, 5):
        found |= _named(f"{n} in a row", Count, at, n, n)
    return list(found.items())


def _usual(profile: Profile, pace_mps: float) -> dict[str, Maker]:
    at = stop_distance(pace_mps, profile)
    brake = profile.decel_mps2  # a wearer who brakes is the hardest that a track must follow
    return (
        _named("gpiozero", Gpiozero, at)
        | _named("gpiozero as it comes", Gpiozero, GPIOZERO_THRESHOLD_M, GPIOZERO_MAX_M)
        | _named("one reading", Count, at, 1, 1)
        | _named("median of 3", Window, at, 3, median)
        | _named("median of 5", Window, at, 5, median)
        | _named("median of 9", Window, at, 9, median)
        | _named("average of 5", Window, at, 5, fmean)
        | _named("Kalman", Kalman, profile, brake)
        | _named("Kalman, gated", Kalman, profile, brake, gated=True)
        | _named("Nav2 approach", Nav2, profile, pace_mps)
        | _named("openpilot, 3 in a row", Count, at, 3, 3)
    )


def _named(name: str, kind: Callable[..., Peer], *args: object, **options: object) -> dict[str, Maker]:
    return {name: partial(kind, name, *args, **options)}
