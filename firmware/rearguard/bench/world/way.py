"""The way of a walk: where the wearer and each sensor are, a stretch at a time."""

from __future__ import annotations

from math import pi, radians
from typing import NamedTuple

import numpy as np

from rearguard.bench.world.gait import POSTURAL_HZ, SWING_MPS, TAU, Gait, hand, step_hz, vigour
from rearguard.bench.world.surfaces import SURFACES, Surface
from rearguard.bench.world.things import Floats, Poses, ray_disc
from rearguard.bench.world.walker import GRID_S, Walker

BELT_M = 0.90  # height of a belt on the hips of a person of 1.65 m (assumed)
HIDDEN_M = 0.06  # a hand that is not further back than this is beside or before the body
HAND_M = 0.04  # radius of a fist (assumed)


class Stretch(NamedTuple):
    """The way at moments GRID_S apart."""

    first: int  # of the grid: t_s = first * GRID_S
    t_s: Floats
    x_m: Floats
    y_m: Floats
    course: Floats  # radians, of the back: where a walk backward leads
    pace_mps: Floats  # without the ripple of each step; negative when walking forward
    speed_mps: Floats  # with it
    phase: Floats  # in steps

    def at(self, t_s: float) -> int:
        """The index of a time."""
        return min(max(round(t_s / GRID_S) - self.first, 0), len(self.t_s) - 1)


class Hand:
    """A hand that swings behind the hip, on a stretch."""

    radius_m, top_m, appears_s = HAND_M, 2.0, 0.0
    of = "skin"

    def __init__(self, stretch: Stretch, side: int, beside_m: float) -> None:
        self._first = stretch.first
        back = hand(stretch.phase, side) * (np.abs(stretch.speed_mps) > SWING_MPS)
        back = np.where(back > HIDDEN_M, back, -1.0)
        across = np.full(len(back), side * beside_m)
        sin, cos = np.sin(stretch.course), np.cos(stretch.course)
        self._x = stretch.x_m + across * cos + back * sin
        self._y = stretch.y_m - across * sin + back * cos

    @property
    def surface(self) -> Surface:
        return SURFACES["skin"]

    def at(self, t_s: Floats) -> tuple[Floats, Floats]:
        """Its middle."""
        i = np.clip(np.round(t_s / GRID_S).astype(int) - self._first, 0, len(self._x) - 1)
        return self._x[i], self._y[i]

    def cast(self, poses: Poses, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
        """As for a wall."""
        return ray_disc(*self.at(poses.t_s), self.radius_m, poses, dx, dy)


class Way:
    """Where the walk has come to, and where it leads from here."""

    def __init__(
        self, walker: Walker, gait: Gait, turn_dps: float, turn_from_s: float, turn_until_s: float, forward: bool
    ) -> None:
        self._walker, self._gait = walker, gait
        self._turn, self._sign = (radians(turn_dps), turn_from_s, turn_until_s), -1.0 if forward else 1.0
        self.index = 0
        self.x_m = self.y_m = self.pace_mps = 0.0
        self.phase = walker.habits.phase

    def ahead(self, count: int) -> Stretch:
        """The next `count` moments, as things are planned now."""
        index = self.index + np.arange(count)
        t = index * GRID_S
        pace = self._walker.speeds(t, self.pace_mps)
        phase = self.phase + np.cumsum(np.where(pace > 0.0, step_hz(pace), 0.0)) * GRID_S
        speed = pace * (1.0 + self._gait.ripple * np.sin(TAU * phase)) * self._sign
        rate, start, end = self._turn
        course = rate * (np.clip(t, start, end) - start)
        x = self.x_m + np.cumsum(speed * np.sin(course)) * GRID_S
        y = self.y_m + np.cumsum(speed * np.cos(course)) * GRID_S
        return Stretch(self.index, t, x, y, course, pace * self._sign, speed, phase)

    def go(self, stretch: Stretch, count: int) -> None:
        """Go the first `count` moments of a stretch."""
        last = count - 1
        self.index += count
        self.x_m, self.y_m = float(stretch.x_m[last]), float(stretch.y_m[last])
        self.pace_mps, self.phase = abs(float(stretch.pace_mps[last])), float(stretch.phase[last])

    def poses(self, stretch: Stretch, which: Floats, bearing_deg: float) -> Poses:
        """How a sensor at `bearing_deg` is carried, at some moments of a stretch (by index)."""
        gait = self._gait
        t, phase, course = stretch.t_s[which], stretch.phase[which], stretch.course[which]
        strong = vigour(np.abs(stretch.speed_mps[which]))
        stride = np.sin(pi * phase)
        sway = gait.sway_m * strong * stride
        still = gait.postural_m * np.sin(TAU * POSTURAL_HZ * t)
        sin, cos = np.sin(course), np.cos(course)
        return Poses(
            t,
            stretch.x_m[which] + sway * cos + still * sin,
            stretch.y_m[which] - sway * sin + still * cos,
            course + radians(bearing_deg) + radians(gait.yaw_deg) * strong * np.cos(pi * phase),
            BELT_M + gait.bob_m * strong * np.cos(TAU * phase),
            radians(gait.pitch_deg) * strong * np.sin(TAU * phase),
        )
