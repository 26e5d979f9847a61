"""Sensors in the world: what each would read on a stretch of the way, from luck that belongs to the reading.

Asked for `ideal` readings a model leaves out all noise and all misses. The wire is made of the same readings:
`bench/sensing/wires.py` has the part's own emulator put them on pins or on a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, radians
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from rearguard.bench.sensing import sonar
from rearguard.bench.world.air import Air, Luck, crosstalk
from rearguard.bench.world.things import Floats, Poses, Thing, World
from rearguard.bench.world.trouble import Trouble, Troubled
from rearguard.bench.world.walker import GRID_S
from rearguard.bench.world.way import Stretch, Way
from rearguard.core.reading import CLEAR, INVALID, OK, TOO_CLOSE, WEAK, Reading, Scan, Status, measured
from rearguard.sensors import Light, SensorConfig, Sonar, speed_of_sound

Answer: TypeAlias = Reading | Scan
Plan: TypeAlias = list[tuple[float, Answer]]  # when the measurement began, and what came of it
TRIGGER_S = 0.0005  # from the trigger to the first sound
SLEEP_S = 0.001  # a process that sleeps is late by up to this (assumed)
RAYS = 5  # across a beam


class Fitted(NamedTuple):
    """A sensor on a walk, and what befalls it there."""

    name: str
    config: SensorConfig
    air: Air
    luck: tuple[int, ...]  # the seed of it
    lasts_s: float
    troubles: Sequence[Trouble] = ()
    ideal: bool = False


class Model(Protocol):
    """One sensor on one walk."""

    period_s: float

    def read(self, way: Way, stretch: Stretch, things: tuple[Thing, ...]) -> Plan:
        """All readings of a stretch, in the order of time."""


class _Base:
    """What all models share: which readings fall into a stretch, and the troubles of the sensor."""

    def __init__(self, fitted: Fitted, pulsed: bool, most_m: float, period_s: float, offset_s: float = 0.0) -> None:
        self.name, self.config, self.air = fitted.name, fitted.config, fitted.air
        self.period_s, self._offset_s = period_s, offset_s
        self._ideal = fitted.ideal
        self._luck = Luck(fitted.air, ceil(fitted.lasts_s / period_s) + 1, most_m, fitted.luck)
        self._finish = Troubled(fitted.troubles, pulsed).suffered

    def _numbers(self, stretch: Stretch) -> tuple[Floats, Floats]:
        """The numbers of the readings that begin in a stretch, and where in it."""
        begin, end = stretch.first * GRID_S, (stretch.first + len(stretch.t_s)) * GRID_S
        first = max(ceil((begin - self._offset_s) / self.period_s - 1e-6), 0)
        last = ceil((end - self._offset_s) / self.period_s - 1e-6)
        numbers = np.arange(first, max(last, first))
        which = np.round((numbers * self.period_s + self._offset_s) / GRID_S).astype(int) - stretch.first
        return numbers, np.clip(which, 0, len(stretch.t_s) - 1)


class SonarModel(_Base):
    """An ultrasonic sensor."""

    def __init__(self, fitted: Fitted, part: Sonar, turn: tuple[int, int]) -> None:
        """`turn`: which of how many that fire one after the other."""
        pulsed = fitted.config.turn_s > 0.0  # one that talks by itself can be gone, and be heard to be
        super().__init__(fitted, pulsed, part.most_m, part.period_s * turn[1], part.period_s * turn[0])
        self._part, air = part, fitted.air
        if turn[1] == 1:  # it was switched on at any time
            self._offset_s += GRID_S * int(self._luck.start * part.period_s / GRID_S)
        self._c = speed_of_sound(air.temperature_c)
        self._scale = 1.0 if self._ideal else speed_of_sound(part.assumed_c) / self._c
        self._air_db = sonar.AIR_DB_PER_M + sonar.RAIN_DB_PER_M * air.rain

    def read(self, way: Way, stretch: Stretch, things: tuple[Thing, ...]) -> Plan:
        numbers, which = self._numbers(stretch)
        return self._finish(self._pings(numbers, which, way, stretch, things)) if len(numbers) else []

    def _pings(self, numbers: Floats, which: Floats, way: Way, stretch: Stretch, things: tuple[Thing, ...]) -> Plan:
        part, luck = self._part, self._luck
        poses = way.poses(stretch, which, self.config.bearing_deg)
        gauss = luck.gauss[:, numbers]
        level = gauss[1] * (0.0 if self._ideal else sonar.LEVEL_SD_DB)
        true = sonar.heard(part, things, poses, self._air_db, level)
        shown = true
        if not self._ideal:
            soft = sonar.wander(things, poses, true) * gauss[2]
            shown = true * self._scale + part.bias_m + part.noise_m * gauss[0] + soft
            second = np.where((true < 1.0) & (luck.chance[1][numbers] < self.air.multipath), 2.0 * shown, np.inf)
            shown = np.where(luck.missed[numbers], second, shown)
            shown = np.where(np.isinf(luck.false[numbers]), shown, luck.false[numbers])
            if self.air.crosstalk:
                ghost = crosstalk(luck, numbers, part.period_s, SLEEP_S, self._c, part.most_m)
                shown = np.minimum(shown, ghost)
        return self._answers(poses.t_s, np.maximum(shown, 0.001))

    def _answers(self, t_s: Floats, shown: Floats) -> Plan:
        part, name = self._part, self.name
        none_s = part.period_s * 0.63  # the line falls after 38 ms when nothing comes back
        plan: Plan = []
        quick = np.where(np.isfinite(shown), shown * (2.0 / self._c), none_s) + t_s + TRIGGER_S
        for begun, t, d in zip(t_s.tolist(), quick.tolist(), shown.tolist(), strict=True):
            if part.least_m <= d <= part.most_m:
                plan.append((begun, measured(name, t, d)))
            else:
                plan.append((begun, Reading(name, t, TOO_CLOSE if d < part.least_m else CLEAR)))
        return plan


class RestingSonar(SonarModel):
    """An ultrasonic sensor that rests for `rest_s` after each echo, as gpiozero has it: the pace follows the echoes."""

    def __init__(self, fitted: Fitted, part: Sonar, turn: tuple[int, int], rest_s: float) -> None:
        super().__init__(fitted, part, turn)
        self._rest_s = rest_s
        self._next_s = [self._offset_s]  # when each ping begins

    def read(self, way: Way, stretch: Stretch, things: tuple[Thing, ...]) -> Plan:
        begin, end = stretch.first * GRID_S, (stretch.first + len(stretch.t_s)) * GRID_S
        while len(self._next_s) > 1 and self._next_s[-2] >= begin:  # thrown away, for the way has changed
            self._next_s.pop()
        plan: Plan = []
        while self._next_s[-1] < end:
            begun = self._next_s[-1]
            number = np.array([len(self._next_s) - 1])
            [(_, item)] = self._pings(number, np.array([stretch.at(begun)]), way, stretch, things)
            plan.append((begun, item))
            self._next_s.append(item.t_s + self._rest_s)
        return self._finish(plan)


class LightModel(_Base):
    """A LiDAR, one beam or a sweep."""

    def __init__(self, fitted: Fitted, part: Light) -> None:
        super().__init__(fitted, False, part.most_m, part.period_s)
        self._part, self._seed, air = part, fitted.luck, fitted.air
        self._bias = 0.0 if self._ideal else part.bias_m * (2.0 * self._luck.start - 1.0)
        self._strength = part.strength * (1.0 - 0.6 * air.sun) * (1.0 - 0.3 * air.rain)  # in full sun 40 % (assumed)
        sweep = np.arange(-part.sector_deg, part.sector_deg + part.step_deg / 2, part.step_deg or 1.0)
        self._sweeps = [tuple((sweep + part.step_deg * i / 4).tolist()) for i in range(4)]  # turns begin anywhere

    def read(self, way: Way, stretch: Stretch, things: tuple[Thing, ...]) -> Plan:
        numbers, which = self._numbers(stretch)
        if not len(numbers):
            return []
        world = World(things)
        if self._part.sweeps:
            which = np.maximum(which - 2, 0)  # the middle of the sector is seen some 20 ms before its end
            poses = way.poses(stretch, which, self.config.bearing_deg)
            return [(t, self._masked(item)) for t, item in self._finish(self._scans(numbers, poses, world, stretch))]
        return self._finish(self._beams(numbers, way.poses(stretch, which, self.config.bearing_deg), world))

    def _seen(self, world: World, poses: Poses, bearings: Floats) -> tuple[Floats, Floats]:
        """Distance and amplitude along each ray; glass and the void give no amplitude."""
        r, cosine, which = world.cast(poses, bearings)
        shine = np.array([thing.surface.reflectivity for thing in world.things] + [0.0])
        back = self._strength * shine[which] * cosine
        return r, np.where(which < 0, 0.0, back / np.maximum(r, 0.05) ** 2)

    def _beams(self, numbers: Floats, poses: Poses, world: World) -> Plan:
        part, luck, name = self._part, self._luck, self.name
        across = radians(part.half_beam_deg) * np.linspace(-0.8, 0.8, RAYS)
        r, power = self._seen(world, poses, across)
        power = power / RAYS
        strongest = np.take_along_axis(r, power.argmax(axis=1)[:, None], axis=1)
        r = np.minimum(r, 10.0 * part.most_m)
        one = np.where(np.abs(r - strongest) < 0.4, power, 0.0)  # nearer together than a pulse, they blend
        total = one.sum(axis=1)
        d = (one * r).sum(axis=1) / np.maximum(total, 1e-9)
        if not self._ideal:
            noise = (part.noise_m + part.noise_per_m * d) * (1.0 + self.air.sun)
            d = np.maximum(d + self._bias + noise * luck.gauss[0][numbers], 0.01)
        plan: Plan = []
        glare = luck.chance[0][numbers] < self.air.glare
        unfit = luck.chance[1][numbers] < self.air.unfit_share
        weak = (total < part.faintest) | (d > part.most_m) | unfit
        rows = zip(poses.t_s.tolist(), d.tolist(), weak.tolist(), glare.tolist(), strict=True)
        for t, range_m, faint, dazzled in rows:
            status: Status = INVALID if dazzled else WEAK if faint else TOO_CLOSE if range_m < part.least_m else OK
            plan.append((t, measured(name, t, range_m) if status is OK else Reading(name, t, status)))
        return plan

    def _scans(self, numbers: Floats, poses: Poses, world: World, stretch: Stretch) -> Plan:
        part = self._part
        plan: Plan = []
        for row, n in enumerate(numbers.tolist()):
            draw = np.random.default_rng((*self._seed, n))
            bearings = self._sweeps[int(draw.integers(4))]
            angles = np.array(bearings)
            r, power = self._seen(world, poses.at(slice(row, row + 1)), np.radians(angles))
            r, power = r[0], power[0]
            kept = (power >= part.faintest) & (r >= part.least_m) & (r <= part.most_m)
            if not self._ideal:
                r = r + self._bias + part.noise_m * draw.standard_normal(len(r))
                kept &= draw.random(len(r)) >= part.dropped
                stray = draw.random(len(r)) < STRAY
                r, kept = np.where(stray, STRAY_M * draw.random(len(r)) + part.least_m, r), kept | stray
            t = float(stretch.t_s[0]) + (n * self.period_s - stretch.first * GRID_S)
            ranges = tuple(d if k else None for d, k in zip(r.tolist(), kept.tolist(), strict=True))
            mounted = self.config.bearing_deg
            at = bearings if not mounted else tuple(b + mounted for b in bearings)
            plan.append((t, Scan(self.name, t, at, ranges)))
        return plan

    def _masked(self, item: Answer) -> Answer:
        """Without what the configuration takes for the wearer's own body, as the driver leaves it out."""
        masks: tuple[Any, ...] = getattr(self.config, "body", ())
        if not masks or isinstance(item, Reading):
            return item
        angles = np.array(item.bearings_deg)
        ranges = np.array([np.inf if r is None else r for r in item.ranges_m])
        for mask in masks:
            ranges[(angles >= mask.from_deg) & (angles <= mask.to_deg) & (ranges < mask.within_m)] = np.inf
        return item._replace(ranges_m=tuple(r if r < np.inf else None for r in ranges.tolist()))


STRAY, STRAY_M = 28 / 101_000, 0.1  # lone points nearer than 10 cm, as seen in a recording of 101,000


def model(fitted: Fitted, turn: tuple[int, int] = (0, 1), rest_s: float | None = None) -> Model:
    """The model of a fitted sensor. `turn`: which of how many on its bus; `rest_s`: see RestingSonar."""
    part = fitted.config.senses()
    if isinstance(part, Light):
        return LightModel(fitted, part)
    return SonarModel(fitted, part, turn) if rest_s is None else RestingSonar(fitted, part, turn, rest_s)
