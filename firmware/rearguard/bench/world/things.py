"""A plan of the world: walls, posts and people, and how far they are, for many moments at once.

Coordinates in m, in the wearer's own sense: +y is behind, +x is to the wearer's right. The walk begins at the
origin and goes toward +y. Headings in radians: 0 along +y, positive toward +x. Arrays have one entry a moment.
"""

from __future__ import annotations

from math import hypot
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from rearguard.bench.world.surfaces import SURFACES, Surface, SurfaceName

Floats: TypeAlias = Any  # numpy's float arrays
HIGH_M = 2.0  # a thing of unknown height stands higher than any belt
NEVER = float("inf")


class Poses(NamedTuple):
    """Where a sensor is, and how it is turned."""

    t_s: Floats
    x_m: Floats
    y_m: Floats
    heading: Floats  # radians, of the sensor's axis
    height_m: Floats
    pitch: Floats  # radians, positive: looks up

    def at(self, which: Any) -> Poses:
        """Some of them."""
        return Poses(*(field[which] for field in self))


class Wall(NamedTuple):
    """A straight face from (x0, y0) to (x1, y1), up to `top_m`."""

    x0: float
    y0: float
    x1: float
    y1: float
    of: SurfaceName = "plaster"
    top_m: float = HIGH_M
    from_s: float = 0.0  # it is not there before

    @property
    def surface(self) -> Surface:
        return SURFACES[self.of]

    def foot(self, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """The nearest point of the face, and whether it is no end of it."""
        ex, ey = self.x1 - self.x0, self.y1 - self.y0
        part = ((x - self.x0) * ex + (y - self.y0) * ey) / (ex * ex + ey * ey)
        inside = (part >= 0.0) & (part <= 1.0)
        part = np.clip(part, 0.0, 1.0)
        return self.x0 + part * ex, self.y0 + part * ey, inside

    def cast(self, poses: Poses, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
        """Distance along the unit vectors (dx, dy), inf where they miss, and the cosine of incidence."""
        ex, ey = self.x1 - self.x0, self.y1 - self.y0
        turn = dx * ey - dy * ex
        turn = np.where(turn == 0.0, 1e-12, turn)
        ox, oy = self.x0 - poses.x_m, self.y0 - poses.y_m
        along = (ox * ey - oy * ex) / turn
        part = (ox * dy - oy * dx) / turn
        hit = (along > 0.0) & (part >= 0.0) & (part <= 1.0) & (poses.t_s >= self.from_s)
        return np.where(hit, along, NEVER), np.abs(turn) / hypot(ex, ey)


class Disc(NamedTuple):
    """A post or a person: upright, round, standing or walking straight on."""

    x: float
    y: float
    radius_m: float
    of: SurfaceName = "steel"
    top_m: float = HIGH_M
    vx: float = 0.0
    vy: float = 0.0
    from_s: float = 0.0  # sets off
    until_s: float = NEVER  # stands still again
    appears_s: float = 0.0  # is not there before
    person: bool = False

    @property
    def surface(self) -> Surface:
        return SURFACES[self.of]

    def at(self, t_s: Floats) -> tuple[Floats, Floats]:
        """Its middle."""
        moved = np.clip(t_s, self.from_s, self.until_s) - self.from_s
        return self.x + self.vx * moved, self.y + self.vy * moved

    def velocity(self, t_s: Floats) -> tuple[Floats, Floats]:
        """Its motion in m/s."""
        moves = (t_s >= self.from_s) & (t_s < self.until_s)
        return np.where(moves, self.vx, 0.0), np.where(moves, self.vy, 0.0)

    def cast(self, poses: Poses, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
        """As for a wall."""
        r, cosine = ray_disc(*self.at(poses.t_s), self.radius_m, poses, dx, dy)
        return np.where(poses.t_s >= self.appears_s, r, NEVER), cosine


def ray_disc(px: Floats, py: Floats, radius_m: float, poses: Poses, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
    """Distance along the unit vectors to a disc around (px, py), inf where they miss, and the cosine of incidence."""
    ox, oy = px - poses.x_m, py - poses.y_m
    ahead = ox * dx + oy * dy
    depth = radius_m**2 - (ox * ox + oy * oy - ahead * ahead)
    half = np.sqrt(np.maximum(depth, 0.0))
    hit = (ahead > 0.0) & (depth >= 0.0)
    return np.where(hit, np.maximum(ahead - half, 0.001), NEVER), half / radius_m


class Thing(Protocol):
    """What can be met by sound and light: Wall, Disc, or a part of the wearer."""

    @property
    def surface(self) -> Surface: ...

    @property
    def top_m(self) -> float: ...

    def cast(self, poses: Poses, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
        """Distance along the unit vectors (dx, dy), inf where they miss, and the cosine of incidence."""


class World(NamedTuple):
    """Everything that stands or walks."""

    things: tuple[Thing, ...] = ()

    def cast(self, poses: Poses, bearings: Floats) -> tuple[Floats, Floats, Floats]:
        """Rays at `bearings` (radians from the axis, shape (R,)) from each of N poses; all results have shape (N, R).

        The distance to the first thing whose top is above the ray (inf: none), the cosine of its incidence, and
        the index of the thing (-1: none). Glass is looked through.
        """
        wide = Poses(*(field[:, None] for field in poses))
        direction = wide.heading + bearings
        dx, dy = np.sin(direction), np.cos(direction)
        rise = np.tan(wide.pitch)
        best = np.full(direction.shape, NEVER)
        incidence = np.ones(direction.shape)
        which = np.full(direction.shape, -1)
        for i, thing in enumerate(self.things):
            r, cosine = thing.cast(wide, dx, dy)
            if thing.surface.clear:
                r = np.where(cosine > GLASS_COSINE, r, NEVER)
            if thing.top_m < HIGH_M:
                with np.errstate(invalid="ignore"):
                    r = np.where(wide.height_m + r * rise <= thing.top_m, r, NEVER)
            nearer = r < best
            best = np.where(nearer, r, best)
            incidence = np.where(nearer, cosine, incidence)
            which = np.where(nearer, i, which)
        return best, incidence, which


GLASS_COSINE = 0.9998  # within 1 degree of square on, a pane throws the beam straight back (assumed)
