"""A flat world: walls and people, and how far a ray goes before it meets one.

Coordinates in m, in the wearer's own sense: +y is behind, +x is to the wearer's right. The walk begins at the
origin and goes toward +y.
"""

from __future__ import annotations

from math import cos, hypot, inf, radians, sin, sqrt
from typing import NamedTuple

from rearguard.sensors import View


class Wall(NamedTuple):
    """A straight wall from (x0, y0) to (x1, y1)."""

    x0: float
    y0: float
    x1: float
    y1: float

    def hit(self, x: float, y: float, dx: float, dy: float, t_s: float) -> float:
        """Distance from (x, y) along the unit vector (dx, dy); inf when it is missed."""
        ex, ey = self.x1 - self.x0, self.y1 - self.y0
        turn = dx * ey - dy * ex
        if turn == 0.0:
            return inf
        along = ((self.x0 - x) * ey - (self.y0 - y) * ex) / turn
        part = ((self.x0 - x) * dy - (self.y0 - y) * dx) / turn
        return along if along > 0.0 and 0.0 <= part <= 1.0 else inf


class Person(NamedTuple):
    """Somebody of `radius_m` who is at (x, y) at `from_s` and walks at (vx, vy) from then on."""

    x: float
    y: float
    vx: float
    vy: float
    from_s: float = 0.0
    radius_m: float = 0.22  # half the mean of shoulder breadth and chest depth (assumed)

    def at(self, t_s: float) -> tuple[float, float]:
        """Where they are."""
        dt = max(t_s - self.from_s, 0.0)
        return self.x + self.vx * dt, self.y + self.vy * dt

    def hit(self, x: float, y: float, dx: float, dy: float, t_s: float) -> float:
        """As for a wall."""
        px, py = self.at(t_s)
        ox, oy = px - x, py - y
        ahead = ox * dx + oy * dy
        beside = ox * ox + oy * oy - ahead * ahead
        if ahead <= 0.0 or beside > self.radius_m**2:
            return inf
        return ahead - sqrt(self.radius_m**2 - beside)


class World(NamedTuple):
    """Everything that stands or walks."""

    walls: tuple[Wall, ...]
    people: tuple[Person, ...]

    def view(self, x: float, y: float, t_s: float) -> View:
        """What a sensor at (x, y) sees that looks back along +y: bearing in degrees -> distance in m, or None."""

        def look(bearing_deg: float) -> float | None:
            dx, dy = sin(radians(bearing_deg)), cos(radians(bearing_deg))
            walls = (wall.hit(x, y, dx, dy, t_s) for wall in self.walls)
            nearest = min((*walls, *(person.hit(x, y, dx, dy, t_s) for person in self.people)), default=inf)
            return None if nearest == inf else nearest

        return look

    def room(self, x: float, y: float, t_s: float) -> float:
        """Distance in m from (x, y) to the nearest surface in any direction."""
        rooms = [inf]
        for wall in self.walls:
            ex, ey = wall.x1 - wall.x0, wall.y1 - wall.y0
            part = ((x - wall.x0) * ex + (y - wall.y0) * ey) / (ex * ex + ey * ey)
            part = min(max(part, 0.0), 1.0)
            rooms.append(hypot(x - wall.x0 - part * ex, y - wall.y0 - part * ey))
        for person in self.people:
            px, py = person.at(t_s)
            rooms.append(hypot(x - px, y - py) - person.radius_m)
        return min(rooms)
