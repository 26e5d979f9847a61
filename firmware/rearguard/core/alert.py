"""The one place that decides: the worst of all tracks, released slowly, with the faults beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rearguard.core.threat import RECEDING_MPS, Level, Profile, judge
from rearguard.core.track import Track

RELEASE_S = 0.5  # the milder level must have been right for this long


class Alert(NamedTuple):
    """What the wearer has to know now. Bearing, distance and closing speed belong to the worst track."""

    level: Level
    bearing_deg: float | None = None
    distance_m: float | None = None
    closing_mps: float | None = None
    faults: tuple[str, ...] = ()  # "sensor:fault", sorted
    paused: bool = False


class Judge:
    """Turns tracks into one level, raised at once and released with hysteresis."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._held = Level.CLEAR
        self._milder = Level.CLEAR  # the worst level since it first fell below the held one
        self._milder_since_s: float | None = None
        self._worst: Track | None = None

    def decide(self, tracks: Sequence[tuple[Track, float]], now_s: float) -> tuple[Level, Track | None]:
        """The level to be felt and the track it is for. `tracks` come with the fastest safe walk of their sensor."""
        level, worst = Level.CLEAR, None
        for track, fastest in tracks:
            found = judge(track, self._profile, self._held, fastest)
            nearer = worst is not None and track.distance_m < worst.distance_m
            if found > level or (found is level and found and nearer):
                level, worst = found, track
        if level is Level.NOTICE and _forward([track for track, _ in tracks]):
            level, worst = Level.CLEAR, None
        if level >= self._held:
            self._held, self._milder_since_s = level, None
        elif self._milder_since_s is None:
            self._milder, self._milder_since_s = level, now_s
        elif now_s - self._milder_since_s < RELEASE_S:
            self._milder = max(self._milder, level)
        else:
            self._held, self._milder_since_s = max(self._milder, level), None
        if worst is not None:
            self._worst = worst
        return self._held, self._worst if self._held else None

    def wake_s(self) -> float:
        """When a pending release is due; inf when none is."""
        return float("inf") if self._milder_since_s is None else self._milder_since_s + RELEASE_S


def _forward(tracks: Sequence[Track]) -> bool:
    """Whether the wearer walks forward: most of what is seen falls behind."""
    speeds = sorted(track.closing_mps for track in tracks if not track.arrived)
    return bool(speeds) and speeds[len(speeds) // 2] < -RECEDING_MPS
