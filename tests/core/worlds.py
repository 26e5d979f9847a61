"""Small worlds for the tests of the core: what sensors see of them, and a guard loop without a clock.

As in the firmware, x is metres toward the wearer's right and y metres behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import cos, hypot, inf, radians, sin, sqrt
from random import Random
from typing import NamedTuple

from rearguard.core.pipeline import Pipeline, Tick
from rearguard.core.reading import Command, Input, Reading, Report, Scan, SensorSpec, Status
from rearguard.core.threat import PROFILES, Level
from rearguard.core.track import Track

DEFAULT = PROFILES["default"]
MOTORS = (-90.0, 0.0, 90.0)
SONAR = SensorSpec("rear", 0.0, 0.02, 4.0, 2.4, noise_m=0.005, startup_s=0.4)  # an HC-SR04, every 60 ms
LASER = SensorSpec("laser", 0.0, 0.20, 8.0, 2.5, noise_m=0.005, hold_below_m=0.35)  # a TF-Luna, every 10 ms
SWEEP = SensorSpec("sweep", 0.0, 0.02, 12.0, 6.0, noise_m=0.015, hold_below_m=0.2)  # an LD06, every 100 ms
SONAR_S, LASER_S, SWEEP_S = 0.06, 0.01, 0.10
GRID_DEG = tuple(-60.0 + 0.8 * i for i in range(151))


def track(distance_m: float, closing_mps: float, sensor: str = "rear", **more: object) -> Track:
    """A track that is sure of itself and lies straight behind, unless told otherwise."""
    return Track(sensor, distance_m, closing_mps, 0.0, 0.0)._replace(**more)


def ok(t_s: float, distance_m: float | None, sensor: str = "rear") -> Reading:
    return Reading(sensor, t_s, Status.OK, distance_m)


def times(start_s: float, stop_s: float, period_s: float) -> list[float]:
    """Moments from `start_s` up to but not at `stop_s`."""
    return [start_s + i * period_s for i in range(max(0, round((stop_s - start_s) / period_s)))]


def echoes(
    distance: Callable[[float], float],
    start_s: float,
    stop_s: float,
    *,
    period_s: float = SONAR_S,
    sensor: str = "rear",
    noise: Random | None = None,
    noise_m: float = 0.005,
) -> list[Input]:
    """What a beam says of something `distance(t)` away."""
    wobble = (lambda: noise.gauss(0.0, noise_m)) if noise else (lambda: 0.0)
    return [ok(t, distance(t) + wobble(), sensor) for t in times(start_s, stop_s, period_s)]


def says(status: Status, start_s: float, stop_s: float, period_s: float = SONAR_S, sensor: str = "rear") -> list[Input]:
    """The same status without a distance, over and over."""
    return [Reading(sensor, t, status) for t in times(start_s, stop_s, period_s)]


def play(pipeline: Pipeline, inputs: Iterable[Input], until_s: float, start_s: float = 0.0) -> list[Tick]:
    """Run the guard as its loop does: a step for each arrival and for each wake-up, up to `until_s`."""
    todo = sorted(inputs, key=lambda item: item.t_s)
    ticks, i = [pipeline.step([], start_s)], 0
    while True:
        now = min(ticks[-1].wake_s, todo[i].t_s if i < len(todo) else inf)
        if now > until_s:
            return ticks
        first = i
        while i < len(todo) and todo[i].t_s <= now:
            i += 1
        ticks.append(pipeline.step(todo[first:i], now))


def levels(ticks: Iterable[Tick], start_s: float = -inf, stop_s: float = inf) -> set[Level]:
    """Every level that was felt from `start_s` to `stop_s`."""
    return {tick.alert.level for tick in ticks if start_s <= tick.t_s <= stop_s}


def first(ticks: Iterable[Tick], wanted: Callable[[Tick], bool]) -> float:
    """When something first held; inf when it never did."""
    return next((tick.t_s for tick in ticks if wanted(tick)), inf)


def last(ticks: Iterable[Tick], wanted: Callable[[Tick], bool]) -> float:
    """When something last held; -inf when it never did."""
    return max((tick.t_s for tick in ticks if wanted(tick)), default=-inf)


def fault(name: str) -> Callable[[Tick], bool]:
    return lambda tick: name in tick.alert.faults


def pressed(t_s: float, cue: object) -> Command:
    return Command(t_s, cue)  # type: ignore[arg-type]


def report(t_s: float, source: str, name: str, active: bool) -> Report:
    return Report(source, t_s, name, active)


class Wall(NamedTuple):
    """A straight face from one corner to another."""

    x0: float
    y0: float
    x1: float
    y1: float

    def range_m(self, dx: float, dy: float, at_y: float) -> float:
        ax, ay = self.x1 - self.x0, self.y1 - self.y0
        x0, y0 = self.x0, self.y0 - at_y
        cross = dx * ay - dy * ax
        if cross == 0.0:
            return inf
        r = (x0 * ay - y0 * ax) / cross
        along = (x0 * dy - y0 * dx) / cross
        return r if r > 0.0 and 0.0 <= along <= 1.0 else inf


class Post(NamedTuple):
    """Something round: a pole, a leg, a person."""

    x: float
    y: float
    radius: float

    def range_m(self, dx: float, dy: float, at_y: float) -> float:
        x, y = self.x, self.y - at_y
        along, gap = x * dx + y * dy, hypot(x, y)
        inside = self.radius**2 - (gap * gap - along * along)
        return along - sqrt(inside) if inside >= 0.0 and along > 0.0 else inf


def sweep(t_s: float, world: Sequence[Wall | Post], at_y: float = 0.0, noise: Random | None = None) -> Scan:
    """What the sweeping sensor sees of `world` when the wearer has gone back `at_y` metres."""
    ranges: list[float | None] = []
    for bearing in GRID_DEG:
        dx, dy = sin(radians(bearing)), cos(radians(bearing))
        r = min((thing.range_m(dx, dy, at_y) for thing in world), default=inf)
        r += noise.gauss(0.0, SWEEP.noise_m) if noise else 0.0
        ranges.append(r if SWEEP.min_range_m <= r <= SWEEP.max_range_m else None)
    return Scan(SWEEP.name, t_s, GRID_DEG, tuple(ranges))


def sweeps(
    world: Callable[[float], Sequence[Wall | Post]], speed_mps: float, stop_s: float, noise: Random | None = None
) -> list[Scan]:
    """Sweeps of a world that may change with time, while the wearer walks back at a steady speed."""
    return [sweep(t, world(t), speed_mps * t, noise) for t in times(0.0, stop_s, SWEEP_S)]
