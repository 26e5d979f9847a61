"""What the sensors saw last, for whoever draws a walk."""

from __future__ import annotations

from math import cos, radians, sin
from typing import Any

from rearguard.bench.walking.moment import Moment
from rearguard.core.reading import OK, Reading, Scan

FRESH_S = 0.3  # it is shown for so long


class Seen:
    """What the sensors said last, and where in the world that is."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, Reading | Scan, list[tuple[float, float]]]] = {}
        self._now_s = 0.0

    def add(self, moment: Moment) -> None:
        """Take one more moment."""
        self._now_s = moment.t_s
        for item in moment.heard:
            if isinstance(item, Scan):
                pairs = zip(item.bearings_deg, item.ranges_m, strict=True)
                points = [_place(moment, bearing, r) for bearing, r in pairs if r is not None]
                self._last[item.sensor] = moment.t_s, item, points
            elif isinstance(item, Reading):
                self._last[item.sensor] = moment.t_s, item, []

    def points(self) -> list[tuple[float, float]]:
        """Of all sweeps, in the world."""
        return [point for _, points in self._fresh() for point in points]

    def readings(self) -> list[dict[str, Any]]:
        """Of each sensor; of a sweep, the nearest point."""
        return [_reading(item) for item, _ in self._fresh()]

    def _fresh(self) -> list[tuple[Reading | Scan, list[tuple[float, float]]]]:
        return [(item, points) for t, item, points in self._last.values() if self._now_s - t < FRESH_S]


def _place(moment: Moment, bearing_deg: float, range_m: float) -> tuple[float, float]:
    toward = radians(moment.heading_deg + bearing_deg)
    return round(moment.x_m + range_m * sin(toward), 3), round(moment.y_m + range_m * cos(toward), 3)


def _reading(item: Reading | Scan) -> dict[str, Any]:
    if isinstance(item, Reading):
        distance = None if item.distance_m is None else round(item.distance_m, 3)
        said = {"sensor": item.sensor, "status": str(item.status), "distance_m": distance}
        return {**said, "bearing_deg": item.bearing_deg}
    pairs = zip(item.ranges_m, item.bearings_deg, strict=True)
    range_m, bearing = min(((r, b) for r, b in pairs if r is not None), default=(None, None))
    return {"sensor": item.sensor, "status": str(OK), "distance_m": range_m, "bearing_deg": bearing}
