"""One step of the guard: what has arrived goes in, what is felt comes out. It owns no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import NamedTuple

from rearguard.core.alert import Alert, Judge
from rearguard.core.health import STALE_S, Health
from rearguard.core.pattern import BeltFrame, Renderer
from rearguard.core.reading import Command, Cue, Input, Reading, Report, Scan, SensorSpec, Status
from rearguard.core.scene import ScanTracker
from rearguard.core.threat import Profile, max_speed
from rearguard.core.track import BeamTracker, Track

SWATH_M = 0.40  # half: a body of 0.25 m and what it sways at each step (assumed)
PAUSE_S = 20.0
REWIND_S = 1.0  # a clock that goes back further than this has been set anew
MOTION_MPS = 0.3  # a track this fast is evidence of motion


class Tick(NamedTuple):
    """The outcome of one step. Call again at `wake_s` (inf: only with new input), or when input comes."""

    t_s: float
    alert: Alert
    frame: BeltFrame
    wake_s: float
    tracks: tuple[Track, ...]


class _Watch:
    """All the core keeps about one sensor."""

    __slots__ = ("beam", "fastest_mps", "health", "last_s", "scene", "spec", "speed_mps")

    def __init__(self, spec: SensorSpec, profile: Profile, swath_m: float, now_s: float) -> None:
        self.spec = spec
        self.fastest_mps = max_speed(spec.proved_range_m, profile)
        self.health = Health(spec, now_s)
        self.beam = BeamTracker(spec)
        self.scene = ScanTracker(spec, swath_m)
        self.last_s = float("-inf")
        self.speed_mps = 0.0  # of its fastest track, as of the last step

    def tracks(self, now_s: float) -> list[Track]:
        found = self.beam.tracks(now_s) + self.scene.tracks(now_s)
        if self.health.blocked:  # felt as a fault; what lies on the sensor is no longer a thing to stop for
            found = [t._replace(mild=t.mild or t.arrived) for t in found]
        self.speed_mps = max((abs(t.closing_mps) for t in found), default=0.0)
        return found


class Pipeline:
    """The guard's core. The same inputs at the same times give the same ticks, always.

    `sensors` are expected to answer: one that stays silent is a fault. A sensor that is not among them is
    taken up when it is first heard, as a beam that looks straight back. `bearings_deg`: the motors, left to right.
    """

    def __init__(
        self,
        sensors: Sequence[SensorSpec],
        bearings_deg: Sequence[float],
        profile: Profile,
        swath_m: float = SWATH_M,
    ) -> None:
        self._specs = tuple(sensors)
        self._bearings = tuple(bearings_deg)
        self._profile = profile
        self._swath_m = swath_m
        self._outside: set[str] = set()
        self._paused_until = float("-inf")
        self._begin(0.0)
        self._now_s = float("-inf")  # the first step sets the clock

    def step(self, inputs: Iterable[Input], now_s: float) -> Tick:
        """Take what has arrived by `now_s` and say what is to be felt from now on.

        Nothing that is passed in raises: what cannot be believed becomes a fault.
        """
        if not isfinite(now_s):
            now_s = max(self._now_s, 0.0)
        if now_s < self._now_s - REWIND_S or self._now_s == float("-inf"):
            self._begin(now_s)
        now = self._now_s = max(now_s, self._now_s)
        for item in inputs:
            if isinstance(item, Reading):
                self._take_reading(item, now)
            elif isinstance(item, Scan):
                self._take_scan(item, now)
            elif isinstance(item, Report):
                (self._outside.add if item.active else self._outside.discard)(f"{item.source}:{item.fault}")
            else:
                self._take_command(item, now)
        if self._paused_until <= now and self._paused_until > float("-inf"):
            self._paused_until = float("-inf")
            self._renderer.cue(Cue.READY, now)
        tracks: list[tuple[Track, float]] = []
        for watch in self._watches.values():
            for track in watch.tracks(now):
                tracks.append((track, watch.fastest_mps))
        level, worst = self._judge.decide(tracks, now)
        faults, paused = self._faults(now), now < self._paused_until
        if worst is None:
            alert = Alert(level, faults=faults, paused=paused)
        else:
            alert = Alert(level, worst.bearing_deg, worst.distance_m, worst.closing_mps, faults, paused)
        frame, edge = self._renderer.render(alert, now)
        return Tick(now, alert, frame, min(edge, self._wake(now)), tuple(track for track, _ in tracks))

    def playing(self) -> Cue | None:
        """The cue the wearer is being given, as of the last step."""
        return self._renderer.playing()

    def unheard(self) -> list[str]:
        """Sensors that have not given one answer yet."""
        return [name for name, watch in self._watches.items() if not watch.health.answered]

    def place(self, bearing_deg: float | None) -> int:
        """Index of the motor that stands for a bearing."""
        return self._renderer.nearest(bearing_deg)

    def _begin(self, now_s: float) -> None:
        """Forget everything that was timed."""
        self._now_s = now_s
        self._watches = {s.name: _Watch(s, self._profile, self._swath_m, now_s) for s in self._specs}
        self._judge = Judge(self._profile)
        self._renderer = Renderer(self._bearings)
        self._paused_until = float("-inf")

    def _watch(self, sensor: str, now: float) -> _Watch:
        if sensor not in self._watches:
            self._watches[sensor] = _Watch(SensorSpec(sensor), self._profile, self._swath_m, now)
        return self._watches[sensor]

    def _when(self, t_s: float, watch: _Watch, now: float) -> float | None:
        """A time to file an answer under: not in the future, not before the last one; None when it is stale."""
        if not isfinite(t_s) or t_s > now:
            t_s = now
        if t_s < now - STALE_S:
            return None
        watch.last_s = max(t_s, watch.last_s)
        return watch.last_s

    def _take_reading(self, r: Reading, now: float) -> None:
        watch = self._watch(r.sensor, now)
        spec, status, distance = watch.spec, r.status, r.distance_m
        t = now if status is Status.LOST else self._when(r.t_s, watch, now)
        if t is None:
            return
        if status is Status.OK:
            if distance is None or not 0.0 <= distance <= spec.max_range_m:  # NaN fails as well
                status = Status.INVALID
            elif distance < spec.min_range_m:
                status = Status.TOO_CLOSE
        near = distance if status is Status.OK else spec.min_range_m if status is Status.TOO_CLOSE else None
        bearing = r.bearing_deg if r.bearing_deg is not None and isfinite(r.bearing_deg) else None
        if status is Status.OK or status is Status.TOO_CLOSE:
            watch.beam.update(t, near, bearing)
        elif status is Status.CLEAR or status is Status.WEAK:
            watch.beam.update(t, None)
        under = 0.0 if status is Status.TOO_CLOSE else near
        watch.health.note(t, status, distance if status is Status.OK else None, under, watch.speed_mps)

    def _take_scan(self, s: Scan, now: float) -> None:
        watch = self._watch(s.sensor, now)
        t = self._when(s.t_s, watch, now)
        if t is None:
            return
        hits = sorted(r for r in s.ranges_m if r is not None and 0.0 <= r < float("inf"))
        returns = sum(r is not None for r in s.ranges_m)
        whole = len(s.ranges_m) == len(s.bearings_deg) >= 2 and all(isfinite(b) for b in s.bearings_deg)
        if not whole or 2 * len(hits) < returns:
            watch.health.note(t, Status.INVALID, None, None, 0.0)
            return
        watch.scene.update(s, t)
        middle = hits[len(hits) // 2] if len(hits) >= len(s.ranges_m) / 2 else None
        watch.health.note(t, Status.OK, s.ranges_m if hits else None, middle, watch.speed_mps)

    def _take_command(self, command: Command, now: float) -> None:
        if command.cue is Cue.PAUSE:
            self._paused_until = float("-inf") if now < self._paused_until else now + PAUSE_S
            cue = Cue.PAUSE if now < self._paused_until else Cue.READY
            self._renderer.cue(cue, now)
        else:
            self._renderer.cue(command.cue, now)

    def _faults(self, now: float) -> tuple[str, ...]:
        moving = [watch for watch in self._watches.values() if watch.speed_mps >= MOTION_MPS]
        found = set(self._outside)
        for name, watch in self._watches.items():
            elsewhere = any(other is not watch for other in moving)
            found.update(f"{name}:{fault}" for fault in watch.health.faults(now, elsewhere))
        return tuple(sorted(found)) if found else ()

    def _wake(self, now: float) -> float:
        due = [self._judge.wake_s(), self._paused_until]
        for watch in self._watches.values():
            due += (watch.health.wake_s(now), watch.beam.expiry_s(), watch.scene.expiry_s())
        return min([t for t in due if t > now], default=float("inf"))
