"""Solids the parts are made of. Lengths in mm; x to the wearer's left, y away from the back, z up (right-handed).

Solids are manifold3d's: whatever is added, cut or hulled stays closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

from manifold3d import CrossSection, JoinType, Manifold

ROUND = 48  # corners of a full circle


def box(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Manifold:
    """From x[0] to x[1], and so on."""
    return Manifold.cube((x[1] - x[0], y[1] - y[0], z[1] - z[0])).translate((x[0], y[0], z[0]))


def rod_x(d: float, x: tuple[float, float], y: float, z: float, corners: int = ROUND) -> Manifold:
    """A cylinder of diameter `d` along x, from x[0] to x[1]; six corners make a nut with a corner up."""
    return Manifold.cylinder(x[1] - x[0], d / 2, -1.0, corners).rotate((0, 90, 0)).translate((x[0], y, z))


def rod_y(d: float, y: tuple[float, float], x: float, z: float, corners: int = ROUND) -> Manifold:
    return Manifold.cylinder(y[1] - y[0], d / 2, -1.0, corners).rotate((-90, 0, 0)).translate((x, y[0], z))


def rod_z(d: float, z: tuple[float, float], x: float, y: float, corners: int = ROUND) -> Manifold:
    return Manifold.cylinder(z[1] - z[0], d / 2, -1.0, corners).translate((x, y, z[0]))


def hull(*solids: Manifold) -> Manifold:
    return Manifold.batch_hull(list(solids))


def join(solids: Iterable[Manifold]) -> Manifold:
    total = Manifold()
    for solid in solids:
        total += solid
    return total


def nut(flats: float) -> float:
    """The corner-to-corner diameter of a hexagon of this width across flats."""
    return flats * 2.0 / sqrt(3.0)


def plate_y(x: float, z: float, y: tuple[float, float], radius: float, edge: float = 0.0) -> Manifold:
    """A plate of x by z about the middle, from y[0] to y[1], with round corners; `edge` chamfers both faces' rims."""
    outline = CrossSection.square((x - 2 * radius, z - 2 * radius), True).offset(radius, JoinType.Round, 2.0, ROUND)
    thick = y[1] - y[0]
    solid = outline.extrude(thick)
    if edge:
        inner = outline.offset(-edge, JoinType.Round, 2.0, ROUND).extrude(thick)
        solid = hull(inner, outline.extrude(thick - 2 * edge).translate((0, 0, edge)))
    return solid.rotate((-90, 0, 0)).mirror((0, 0, 1)).translate((0, y[0], 0))


def belt_slot(p_edge: float, wide: float, high: float, y: tuple[float, float], x: float) -> Manifold:
    """What webbing passes through: to be cut from a plate that spans y; its rims are broken by `p_edge`."""
    cut = plate_y(wide, high, (y[0] - 1, y[1] + 1), wide / 2 - 0.01)
    for face, out in ((y[0], -1.0), (y[1], 1.0)):
        rim = plate_y(wide + 2 * p_edge, high + 2 * p_edge, (-0.01, 0.01), wide / 2 - 0.01)
        core = plate_y(wide, high, (-0.01, 0.01), wide / 2 - 0.01)
        cut += hull(rim.translate((0, face + out * 0.01, 0)), core.translate((0, face - out * p_edge, 0)))
    return cut.translate((x, 0, 0))


def cone_y(slope: float, start_radius: float, length: float) -> Manifold:
    """A cone that opens along y from a disc at the origin; `slope` is the tangent of its half angle."""
    return Manifold.cylinder(length, start_radius, start_radius + length * slope, ROUND).rotate((-90, 0, 0))
