"""One step of the guard: what has arrived goes in, what is felt comes out. It owns no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import NamedTuple

from rearguard.core.alert import QUIET, Alert, Judge
from rearguard.core.health import STALE_S, Health
from rearguard.core.pattern import BeltFrame, Renderer
from rearguard.core.reading import (
    CLEAR,
    INVALID,
    LOST,
    OK,
    TOO_CLOSE,
    WEAK,
    Command,
    Cue,
    Input,
    Reading,
    Report,
    Scan,
    SensorSpec,
)
from rearguard.core.scene import ScanTracker
from rearguard.core.threat import Profile, max_speed
from rearguard.core.track import MILD, BeamTracker, Track

SWATH_M = 0.40  # half: a body of 0.25 m and what it sways at each step (assumed)
PAUSE_S = 20.0
REWIND_S = 1.0  # a clock that goes back further than this has been set anew
COVERED = 0.25  # of a sweep's points are near when something lies on the sensor; masks may take most of the others
MOTION_MPS = 0.3  # a track this fast is evidence of motion
NOT_YET, NEVER = float("-inf"), float("inf")


class Tick(NamedTuple):
    """The outcome of one step. Call again at `wake_s` (inf: only with new input), or when input comes."""

    t_s: float
    alert: Alert
    frame: BeltFrame
    wake_s: float
    tracks: tuple[Track, ...]


class _Watch:
    """All the core keeps about one sensor."""

    __slots__ = ("ahead_s", "beam", "fastest_mps", "health", "last_s", "scene", "spec", "speed_mps")

    def __init__(self, spec: SensorSpec, profile: Profile, now_s: float) -> None:
        self.spec = spec
        self.fastest_mps = max_speed(spec.proved_range_m, profile, spec.round_s)
        self.ahead_s = spec.round_s / 2
        self.health = Health(spec, now_s)
        self.beam = BeamTracker(spec)
        self.scene: ScanTracker | None = None  # from the first sweep on
        self.last_s = NOT_YET
        self.speed_mps = 0.0  # of its fastest track, as of the last step

    def tracks(self, now_s: float) -> tuple[Track, ...]:
        found = self.beam.tracks(now_s)
        if self.scene is not None:
            found += self.scene.tracks(now_s)
        if self.health.blocked:  # felt as a fault; what lies on the sensor is no longer a thing to stop for
            found = tuple([t._replace(mild=t.mild or (MILD if t.arrived else 0)) for t in found])
        fastest = 0.0
        for track in found:
            speed = track.closing_mps
            speed = speed if speed > 0.0 else -speed
            fastest = speed if speed > fastest else fastest
        self.speed_mps = fastest
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
        self._paused_until = NOT_YET
        self._begin(0.0)
        self._now_s = NOT_YET  # the first step sets the clock

    def step(self, inputs: Iterable[Input], now_s: float) -> Tick:
        """Take what has arrived by `now_s` and say what is to be felt from now on.

        Nothing that is passed in raises: what cannot be believed becomes a fault.
        """
        if not isfinite(now_s):
            now_s = max(self._now_s, 0.0)
        if now_s < self._now_s:
            if now_s < self._now_s - REWIND_S:
                self._begin(now_s)
            now_s = self._now_s
        elif self._now_s == NOT_YET:
            self._begin(now_s)
        self._now_s = now_s
        for item in inputs:
            if isinstance(item, Reading):
                self._take_reading(item, now_s)
            elif isinstance(item, Scan):
                self._take_scan(item, now_s)
            elif isinstance(item, Report):
                (self._outside.add if item.active else self._outside.discard)(f"{item.source}:{item.fault}")
            else:
                self._take_command(item, now_s)
        paused = self._paused_until > now_s
        if not paused and self._paused_until != NOT_YET:
            self._paused_until = NOT_YET
            self._renderer.cue(Cue.READY, now_s)
        tracks: list[Track] = []
        judged: list[tuple[Track, float, float]] = []
        for watch in self._watches.values():
            for track in watch.tracks(now_s):
                tracks.append(track)
                judged.append((track, watch.fastest_mps, watch.ahead_s))
        level, worst = self._judge.decide(judged, now_s)
        faults = self._faults(now_s)
        if worst is not None:
            _, distance, closing, _, bearing, _, _ = worst
            alert = tuple.__new__(Alert, (level, bearing, distance, closing, faults, paused))
        elif level or faults or paused:
            alert = Alert(level, faults=faults, paused=paused)
        else:
            alert = QUIET
        frame, edge = self._renderer.render(alert, now_s)
        wake = self._wake(now_s)
        fields = (now_s, alert, frame, edge if edge < wake else wake, tuple(tracks))
        return tuple.__new__(Tick, fields)  # twice as quick as the named tuple's own constructor

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
        self._watches = {s.name: _Watch(s, self._profile, now_s) for s in self._specs}
        self._judge = Judge(self._profile)
        self._renderer = Renderer(self._bearings)
        self._paused_until = NOT_YET

    def _watch(self, sensor: str, now: float) -> _Watch:
        if sensor not in self._watches:
            self._watches[sensor] = _Watch(SensorSpec(sensor), self._profile, now)
        return self._watches[sensor]

    def _when(self, t_s: float, watch: _Watch, now: float) -> float | None:
        """A time to file an answer under: not in the future, not before the last one; None when it is stale."""
        if not now - STALE_S <= t_s <= now:
            if now - STALE_S > t_s > NOT_YET:
                return None
            t_s = now  # in the future, or no time at all
        watch.last_s = max(watch.last_s, t_s)
        return watch.last_s

    def _take_reading(self, r: Reading, now: float) -> None:
        sensor, t_s, status, distance, bearing, _ = r
        watch = self._watches.get(sensor) or self._watch(sensor, now)
        t = now if status is LOST else self._when(t_s, watch, now)
        if t is None:
            return
        spec, health = watch.spec, watch.health
        if status is OK:
            if distance is None or not 0.0 <= distance <= spec.max_range_m:  # NaN fails as well
                status = INVALID
            elif distance < spec.min_range_m:
                status = TOO_CLOSE
        if status is OK:
            watch.beam.update(t, distance, bearing if bearing is None or isfinite(bearing) else None)
            health.note(t, OK, distance, distance, watch.speed_mps)
            return
        if status is TOO_CLOSE:
            watch.beam.update(t, spec.min_range_m, bearing if bearing is None or isfinite(bearing) else None)
        elif status is CLEAR or status is WEAK:
            watch.beam.update(t, None)
        health.note(t, status, None, 0.0 if status is TOO_CLOSE else None, watch.speed_mps)

    def _take_scan(self, s: Scan, now: float) -> None:
        watch = self._watch(s.sensor, now)
        t = self._when(s.t_s, watch, now)
        if t is None:
            return
        hits = sorted(r for r in s.ranges_m if r is not None and 0.0 <= r < float("inf"))
        returns = sum(r is not None for r in s.ranges_m)
        whole = len(s.ranges_m) == len(s.bearings_deg) >= 2 and all(isfinite(b) for b in s.bearings_deg)
        if not whole or 2 * len(hits) < returns:
            watch.health.note(t, INVALID, None, None, 0.0)
            return
        if watch.scene is None:
            watch.scene = ScanTracker(watch.spec, self._swath_m)
        watch.scene.update(s, t)
        covered = hits[int(COVERED * len(s.ranges_m))] if len(hits) > COVERED * len(s.ranges_m) else None
        watch.health.note(t, OK, s.ranges_m if hits else None, covered, watch.speed_mps)

    def _take_command(self, command: Command, now: float) -> None:
        if command.cue is Cue.PAUSE:
            self._paused_until = NOT_YET if now < self._paused_until else now + PAUSE_S
            cue = Cue.PAUSE if now < self._paused_until else Cue.READY
            self._renderer.cue(cue, now)
        else:
            self._renderer.cue(command.cue, now)

    def _faults(self, now: float) -> tuple[str, ...]:
        found = list(self._outside) if self._outside else []
        for name, watch in self._watches.items():
            if not watch.health.calm(now):
                elsewhere = any(w.speed_mps >= MOTION_MPS for w in self._watches.values() if w is not watch)
                found += [f"{name}:{fault}" for fault in watch.health.faults(now, elsewhere)]
        return tuple(sorted(found)) if found else ()

    def _wake(self, now: float) -> float:
        """The next time at which something may change without input."""
        wake = self._judge.wake_s()
        if now < self._paused_until < wake:
            wake = self._paused_until
        for watch in self._watches.values():
            t = watch.health.wake_s(now)
            wake = t if now < t < wake else wake
            t = watch.beam.expiry_s()
            wake = t if now < t < wake else wake
            if watch.scene is not None:
                t = watch.scene.expiry_s()
                wake = t if now < t < wake else wake
        return wake
