"""The one place that decides: the worst of all tracks, released slowly, with the faults beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rearguard.core.threat import CLEAR, NOTICE, RECEDING_MPS, Level, Profile, judge
from rearguard.core.track import Track

RELEASE_S = 0.5  # a level stays for this long after it was last right


class Alert(NamedTuple):
    """What the wearer has to know now. Bearing, distance and closing speed belong to the worst track."""

    level: Level
    bearing_deg: float | None = None
    distance_m: float | None = None
    closing_mps: float | None = None
    faults: tuple[str, ...] = ()  # "sensor:fault", sorted
    paused: bool = False


QUIET = Alert(CLEAR)


class Judge:
    """Turns tracks into one level, raised at once and released with hysteresis."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._held = CLEAR
        self._until_s = [float("-inf")] * len(Level)  # each level stays until then
        self._worst: Track | None = None

    def decide(self, tracks: Sequence[tuple[Track, float, float]], now_s: float) -> tuple[Level, Track | None]:
        """The level to be felt and the track it is for. Tracks come with `fastest_mps` and `ahead_s` of `judge`."""
        held, level, worst = self._held, CLEAR, None
        for track, fastest, ahead in tracks:
            found = judge(track, self._profile, held, fastest, ahead)
            if found is CLEAR:
                continue
            if worst is None or found > level or (found is level and track.distance_m < worst.distance_m):
                level, worst = found, track
        if level is NOTICE and len(tracks) > 1 and _forward([track for track, _, _ in tracks]):
            level, worst = CLEAR, None
        if level is CLEAR and held is CLEAR:
            return CLEAR, None
        until = self._until_s
        if level:
            until[1 : level + 1] = [now_s + RELEASE_S] * level
        while held > level and until[held] <= now_s:
            held = Level(held - 1)
        self._held = held = level if level > held else held
        if worst is not None:
            self._worst = worst
        return held, self._worst if held else None

    def wake_s(self) -> float:
        """When a release is due, should no track be right any more; inf while nothing is felt."""
        return self._until_s[self._held] if self._held else float("inf")


def _forward(tracks: Sequence[Track]) -> bool:
    """Whether the wearer walks forward: most of what is seen falls behind."""
    speeds = sorted(track.closing_mps for track in tracks if not track.arrived)
    return bool(speeds) and speeds[len(speeds) // 2] < -RECEDING_MPS
