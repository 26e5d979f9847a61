"""The whole belt on a wearer's waist: what is printed comes from the parts themselves, the rest is drawn here.

Figures that are not of a printed part are for the eye only.
"""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi, sin

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray

from mounts.box import LID, box_body, box_lid, pillars
from mounts.bracket import seat
from mounts.cradles import CRADLES
from mounts.fill import button_at, notches, plug_y, plugs_x
from mounts.parameters import Parameters
from mounts.parts import fitted
from mounts.pod import pod_clip
from mounts.render import Camera, Look, Thing, thing
from mounts.shapes import box, hull, join, plate_y, rod_y
from mounts.waist import BACK, BOX, along, near, place, torso, webbing, webbing_line

PRINT = (0.80, 0.20, 0.028)
DARK = (0.030, 0.033, 0.040)
SILVER = (0.55, 0.56, 0.58)
CABLE = (0.018, 0.019, 0.022)
SENSOR = {
    "dark": (DARK, 0.5),
    "glass": ((0.05, 0.012, 0.018), 1.0),
    "silver": (SILVER, 0.6),
    "board": ((0.01, 0.08, 0.22), 0.4),
}
POUCH = -40.0  # where it sits, in degrees about the waist: in front of the box, so that a supply cable of 30 cm reaches
SUPPLY_MM = 3.6  # diameter of that cable; assumed
BAG_X = 112.0  # its length, for a bank of 100 or so
PODS = (115.0, 67.5, 175.0, 352.0)  # likewise
CAMERA = Camera((720.0, 940.0, 300.0), (38.0, 46.0, 2.0), 455.0)
LOOK = Look(1200, 800, 13, (0.60, 0.635, 0.66), (0.80, 0.62, 0.95), 0.30, 0.12)


def sensor(part: dict[str, Manifold]) -> list[Thing]:
    """A sensor's pieces in their colours."""
    return [thing(solid, *SENSOR[colour]) for colour, solid in part.items()]


def bent(points: list[tuple[float, float, float]]) -> NDArray[np.float64]:
    """The way of a cable through these points, bent softly (a Catmull-Rom curve), shape (n, 3)."""
    q = np.array([points[0], *points, points[-1]])
    curve = []
    for k in range(1, len(q) - 2):
        for s in np.linspace(0, 1, 9)[: 9 if k == len(q) - 3 else 8]:
            a, b, c, e = q[k - 1 : k + 3]
            curve.append(
                0.5 * (2 * b + (c - a) * s + (2 * a - 5 * b + 4 * c - e) * s**2 + (3 * b - a - 3 * c + e) * s**3)
            )
    return np.array(curve)


def length_mm(points: list[tuple[float, float, float]]) -> float:
    return float(np.linalg.norm(np.diff(bent(points), axis=0), axis=1).sum())


def tube(points: list[tuple[float, float, float]], d: float) -> Manifold:
    """A cable through these points."""
    balls = [Manifold.sphere(d / 2, 16).translate(tuple(float(v) for v in c)) for c in bent(points)]
    return join(hull(a, b) for a, b in pairwise(balls))


def screw(at: tuple[float, float], y: float) -> Manifold:
    """The head of an M3 socket screw that rests on y."""
    head = rod_y(5.5, (y, y + 3.0), *at)
    return head - rod_y(2.9, (y + 1.2, y + 4), *at, 6)


def pouch() -> tuple[Manifold, Manifold, Manifold]:
    """For a power bank that lies on its side, its socket toward the box: bag, flap, and its button."""

    def cushion(x: float, z: float, y: tuple[float, float], soft: float) -> Manifold:
        mid = plate_y(x, z, (y[0], y[1] - soft), 12.0)
        return hull(
            mid,
            *(
                plate_y(
                    x - 2 * soft * (1 - cos(a)),
                    z - 2 * soft * (1 - cos(a)),
                    (y[1] - soft, y[1] - soft + soft * sin(a)),
                    11.0,
                )
                for a in np.linspace(0.2, pi / 2, 6)
            ),
        )

    bag = cushion(BAG_X, 80, (2.5, 26), 8.0).translate((0, 0, -4))
    flap = hull(cushion(BAG_X + 3, 40, (1.5, 28), 8.0).translate((0, 0, 18)), box((-40, 40), (20, 26.6), (-10, -4)))
    return bag, flap, rod_y(11.0, (26.5, 29.5), 0, -1.0)


def belt(p: Parameters) -> list[Thing]:
    """Everything in the picture: the outdoor build."""
    line = webbing_line(p)
    things = [torso(), webbing(p, line)]
    back, side, bag = place(BACK), place(BOX), place(POUCH)
    orange, metal = [], []
    it = fitted(p, "outdoor", 6.0, 0.0)
    orange += [back.put(s) for s in it.printed.values()]
    things += sensor({colour: back.put(solid) for colour, solid in it.part.items()})
    metal += [back.put(seat(p, screw((x, z), y), 6.0, 0.0)) for x, y, z in CRADLES["outdoor"](p).screws]
    metal += [back.put(screw((0.0, z), p.bracket.plate_mm + p.bracket.bar_thick_mm)) for z in (-10.0, 10.0)]
    orange += [side.put(box_body(p)), side.put(box_lid(p))]
    top = p.print.wall_mm + p.box.inner_y_mm + LID
    metal += [side.put(screw(at, top)) for at in pillars(p)]
    at = button_at(p)
    metal.append(side.put(rod_y(17.0, (top, top + 1.8), *at) - rod_y(12.0, (top + 1, top + 3), *at)))
    things.append(thing(side.put(rod_y(11.4, (top, top + 3.4), *at)), (0.86, 0.85, 0.82), 0.5))
    for degrees in PODS:
        orange.append(near(line, degrees).put(pod_clip(p).mirror((0, 0, 1)), -1.5))
    body, flap, stud = pouch()
    things.append(thing(bag.put(body + flap, 1.0), (0.050, 0.055, 0.066), 0.04))
    metal.append(bag.put(stud, 1.0))
    cables = _cables(p, line)
    things.append(thing(join(orange), PRINT, 0.35))
    things += [
        thing(join(group), colour, gloss) for group, colour, gloss in ((metal, SILVER, 0.8), (cables, CABLE, 0.4))
    ]
    return things


def _cables(p: Parameters, line: NDArray[np.float64]) -> list[Manifold]:
    side = place(BOX)
    low = -p.belt.webbing_mm / 2
    tubes = []
    floor_z = -p.box.inner_z_mm / 2 - p.print.wall_mm
    for k, degrees in enumerate(PODS[:3]):  # from a pod, along the lower edge, and up into the box
        at = near(line, degrees)
        first, last = notches(p)
        z, x = low - 4.6 - 2.6 * k, (first - 1.0, first + 1.0, last)[k]
        end = side.point(x, p.box.inner_y_mm - 3.0)
        side_low = side.point(x - 12, 12.0)
        tubes.append(
            tube(
                [
                    (at.x, at.y, low - 2),
                    *along(line, degrees + (-3 if degrees > BOX else 3), BOX + 12, z, 2.5),
                    (*side_low, floor_z - 12 - 2 * k),
                    (*end, floor_z - 9),
                    (*end, floor_z + 3),
                ],
                2.4,
            )
        )
    return [*tubes, _lead(line, p), tube(supply(p), SUPPLY_MM)]


def supply(p: Parameters) -> list[tuple[float, float, float]]:
    """The way of the supply cable, tip to tip, pulled straight: from PWR IN under the box and up to the bank."""
    side, bag = place(BOX), place(POUCH)
    x, y = plugs_x(p)[0], plug_y(p)
    floor_z = -p.box.inner_z_mm / 2 - p.print.wall_mm
    inside = BAG_X / 2 - 6.0  # the bank's socket, that far from the middle of the pouch
    return [
        (*side.point(x, y), floor_z + 2.0),
        (*side.point(x, y), floor_z - 10.0),  # an angled plug
        (*side.point(x + 8.0, y + 1.0), floor_z - 13.0),
        (*side.point(30.0, 13.0), floor_z - 13.0),
        (*side.point(60.0, 14.0), floor_z - 8.0),
        (*bag.point(-inside - 35.0, 13.0), -8.0),  # from here the USB-A plug
        (*bag.point(-inside, 13.0), -4.0),
    ]


def _lead(line: NDArray[np.float64], p: Parameters) -> Manifold:
    """From the sensor to the box: down behind the cradle and along the belt."""
    back, side = place(BACK), place(BOX)
    start, mid = back.point(0, 42.0), back.point(30, 14.0)
    floor_z = -p.box.inner_z_mm / 2 - p.print.wall_mm
    end = side.point(notches(p)[1], p.box.inner_y_mm - 3.0)
    return tube(
        [
            (*start, 46),
            (*start, 27),
            (*back.point(16, 32), 8),
            (*mid, -16),
            *along(line, 74, BOX + 14, -p.belt.webbing_mm / 2 - 9.5, 4.0),
            (*side.point(20, 14), floor_z - 19),
            (*end, floor_z - 13),
            (*end, floor_z + 3),
        ],
        3.6,
    )
