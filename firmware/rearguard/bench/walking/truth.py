"""The oracle: how near and how fast things truly are, and what that deserves.

A thing counts when the strip that the wearer's body sweeps, or the thing's own way, leads to it. The closing speed is
that of the pace without the ripple of each step: nobody brakes from a ripple.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rearguard.bench.world.things import Disc, Floats, Wall
from rearguard.bench.world.way import Stretch
from rearguard.core.pipeline import SWATH_M
from rearguard.core.threat import NOTICE_S, WARN_S, Profile, stop_distance

BODY_M = 0.25  # half a person's breadth with the arms, and a little
MOVES_MPS = 0.1  # slower than this nothing is due
BEHIND_M = 0.3  # who is further ahead of the wearer than this is seen by the wearer


class Truth(NamedTuple):
    """At each moment of a stretch: the thing that is the most urgent, and the least room to anything."""

    gap_m: Floats  # to the most urgent thing, along the way to it; inf: none
    closing_mps: Floats
    needed_m: Floats  # to stop, at that speed
    room_m: Floats  # from the body to the nearest surface
    beside_m: Floats  # to what stands in the swath now and will be passed closely: worth as much as a collision
    passing_m: Floats  # to who is in the swath now and will have left it: worth a WARN at most
    pace_mps: Floats


def truth(stretch: Stretch, things: Sequence[Wall | Disc], profile: Profile) -> Truth:
    """What an oracle sees."""
    count = len(stretch.t_s)
    sin, cos = np.sin(stretch.course), np.cos(stretch.course)
    gap: Floats = np.full(count, np.inf)
    closing: Floats = np.zeros(count)
    spare = np.full(count, np.inf)  # room beyond what it takes to stop
    room = np.full(count, np.inf)
    beside, passing = np.full(count, np.inf), np.full(count, np.inf)
    for thing in things:
        if isinstance(thing, Wall):
            g, now = _along(stretch, thing, sin, cos)
            v, near = stretch.pace_mps, g
            beside = np.minimum(beside, now)
        else:
            g, v, near, now = _disc(stretch, thing, sin, cos)
            if thing.vx or thing.vy:
                passing = np.minimum(passing, now)
            else:
                beside = np.minimum(beside, now)
        left = np.where(v > MOVES_MPS, g - stop_distance(v, profile), np.inf)
        urgent = left < spare
        gap, closing = np.where(urgent, g, gap), np.where(urgent, v, closing)
        spare, room = np.minimum(spare, left), np.minimum(room, near)
    return Truth(gap, closing, stop_distance(closing, profile), room, beside, passing, stretch.pace_mps)


def due(t: Truth) -> Floats:
    """Where STOP is due."""
    return (t.closing_mps > MOVES_MPS) & (t.gap_m <= t.needed_m)


def deserved(t: Truth, profile: Profile, ease_s: float, ease_m: float, passing: bool) -> Floats:
    """The level that is deserved at each moment, 0 to 3, with some indulgence: earlier by `ease_s` and `ease_m`.

    `passing`: who is in the swath and on the way out of it counts as well.
    """
    found = _levels(t.gap_m, t.closing_mps, t.needed_m, ease_s, ease_m)
    at_pace = stop_distance(np.maximum(t.pace_mps, 0.0), profile)
    found = np.maximum(found, _levels(t.beside_m, t.pace_mps, at_pace, ease_s, ease_m))
    return np.maximum(found, _levels(t.passing_m, t.pace_mps, at_pace, ease_s, ease_m)) if passing else found


def _levels(gap: Floats, v: Floats, needed: Floats, ease_s: float, ease_m: float) -> Floats:
    spare = gap - needed - ease_m - ease_s * v
    found = (spare <= 0).astype(int) + (spare <= WARN_S * v) + (spare <= NOTICE_S * v)
    return np.where(v > MOVES_MPS, found, 0)


def _along(stretch: Stretch, wall: Wall, sin: Floats, cos: Floats) -> list[Floats]:
    """How far the part of a wall is that the body will meet, and the part in the swath; inf where there is none."""
    a0, l0 = _seen(stretch, wall.x0, wall.y0, sin, cos)
    a1, l1 = _seen(stretch, wall.x1, wall.y1, sin, cos)
    width = l1 - l0
    slope = (a1 - a0) / np.where(np.abs(width) < 1e-9, 1e-9, width)
    left, right = np.minimum(l0, l1), np.maximum(l0, l1)
    there = stretch.t_s >= wall.from_s
    found = []
    for half_m in (BODY_M, SWATH_M):
        first, last = np.maximum(left, -half_m), np.minimum(right, half_m)
        along = np.minimum(a0 + slope * (first - l0), a0 + slope * (last - l0))
        met = there & (first <= last) & (along > -0.05)
        found.append(np.where(met, np.maximum(along, 0.0), np.inf))
    return found


def _seen(stretch: Stretch, x_m: float, y_m: float, sin: Floats, cos: Floats) -> tuple[Floats, Floats]:
    """A point in the wearer's frame: along the way, and to the right."""
    dx, dy = x_m - stretch.x_m, y_m - stretch.y_m
    return dx * sin + dy * cos, dx * cos - dy * sin


def _disc(stretch: Stretch, disc: Disc, sin: Floats, cos: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Gap, closing speed, room, and how far it is along the way if it is in the swath now."""
    px, py = disc.at(stretch.t_s)
    vx, vy = disc.velocity(stretch.t_s)
    dx, dy = px - stretch.x_m, py - stretch.y_m
    along, aside = dx * sin + dy * cos, dx * cos - dy * sin
    there = stretch.t_s >= disc.appears_s
    beside = np.maximum(np.abs(aside) - BODY_M, 0.0)
    room = np.where(there & (along > -BEHIND_M), np.hypot(np.maximum(along, 0.0), beside) - disc.radius_m, np.inf)
    wx, wy = vx - stretch.pace_mps * sin, vy - stretch.pace_mps * cos  # its motion as the wearer sees it
    speed = np.maximum(np.hypot(wx, wy), 1e-9)
    ahead = -(dx * wx + dy * wy) / speed
    miss = np.abs(dx * wy - dy * wx) / speed
    over = np.maximum(miss - BODY_M, 0.0)
    hits = there & (over < disc.radius_m) & (ahead > 0.0) & (along > -BEHIND_M)
    reach = np.sqrt(np.maximum(disc.radius_m**2 - over**2, 0.0))
    inside = there & (np.abs(aside) - disc.radius_m < SWATH_M) & (along > 0.0)
    now = np.where(inside, np.maximum(along - disc.radius_m, 0.0), np.inf)
    return np.where(hits, np.maximum(ahead - reach, 0.0), np.inf), np.where(hits, speed, 0.0), room, now
