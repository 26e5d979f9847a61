"""What holds a sensor at the back: a plate on the webbing, and an upright that slides in it and carries the hinge.

The origin is the middle of the plate, on the side of the body. The webbing runs from outside in through one slot,
between the plate and the body, and out through the other, so that the pull of the belt itself keeps the plate
upright.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from manifold3d import Manifold

from mounts.parameters import Parameters
from mounts.shapes import belt_slot, box, hull, join, nut, plate_y, rod_x, rod_y

MIDDLE_X = 42.0  # of the plate, between the slots: the bar, its guides, and room for a finger
END_X = 8.0  # outside of a slot: the bar the webbing pulls at
ABOVE_Z = 8.0  # over and under the webbing
APART = 20.0  # the two screws that hold the upright
TONGUE = 8.0  # thickness of what turns between the ears
EAR = 4.0
TURN = 16.0  # diameter of ears and tongue about the hinge
LOCK = 18.0  # diameter of the ears about the screw that locks
LOCK_TONGUE = 12.0  # of the tongue there: at full tilt it must not meet the upright
NUT_DEEP = 2.8  # in the plate: the nut and 0.4, so that it never touches the body
FACE = 14.0  # from the hinge to the back of every cradle: past the ears at any tilt


class Axis(NamedTuple):
    """Where the hinge is, in mm from the middle of the plate."""

    y: float
    z: float


def axis(p: Parameters, height: float) -> Axis:
    """`height` is the setting of the upright, 0 to `bracket.travel_mm`."""
    b = p.bracket
    return Axis(b.plate_mm + b.bar_thick_mm + b.axis_out_mm, b.axis_high_mm + height)


def belt_plate(p: Parameters) -> Manifold:
    b, edge = p.bracket, p.print.edge_mm
    wide = MIDDLE_X + 2 * (p.belt.slot_mm + END_X)
    high = p.belt.webbing_mm + 2 * ABOVE_Z
    solid = plate_y(wide, high, (0, b.plate_mm), 6.0, edge)
    inner = b.bar_mm / 2 + p.print.fit_mm
    for side in (-1, 1):  # guides, lower than the bar, so that the washers clamp the bar and not them
        x = sorted((side * inner, side * (inner + 3.0)))
        solid += box((x[0], x[1]), (b.plate_mm - 1, b.plate_mm + b.bar_thick_mm - 2.0), (-high / 2 + 4, high / 2 - 4))
        solid -= belt_slot(
            1.0, p.belt.slot_mm, p.belt.webbing_mm + 1.5, (0, b.plate_mm), side * (MIDDLE_X + p.belt.slot_mm) / 2
        )
    for z in (-APART / 2, APART / 2):
        solid -= rod_y(p.screw.clearance_mm, (-1, b.plate_mm + 1), 0, z)
        solid -= rod_y(nut(p.screw.nut_flats_mm), (-1, NUT_DEEP), 0, z, 6)
    return solid


def upright(p: Parameters, height: float = 0.0) -> Manifold:
    """The bar with its slot and the two ears of the hinge, where it sits at this height."""
    b = p.bracket
    y0, y1 = b.plate_mm, b.plate_mm + b.bar_thick_mm
    low, top = -APART / 2 - b.travel_mm - 8.0, b.axis_high_mm + TURN / 2
    solid = plate_y(b.bar_mm, top - low, (y0, y1), 4.0, 0.8).translate((0, 0, (top + low) / 2))
    at = axis(p, 0.0)
    ears = []
    for side in (-1, 1):
        near = side * (TONGUE / 2 + p.print.fit_mm)
        x = (min(near, near + side * EAR), max(near, near + side * EAR))
        disc = rod_x(TURN, x, at.y, at.z)
        lock = rod_x(LOCK, x, at.y, at.z - b.lock_mm)
        foot = box(x, (y1 - 1, y1), (at.z - b.lock_mm - LOCK / 2 - 4, at.z + TURN / 2 - 1))
        ears.append(hull(disc, foot) + hull(disc, lock, foot))
    solid += join(ears)
    reach = TONGUE / 2 + p.print.fit_mm + EAR + 1
    solid -= rod_x(p.screw.clearance_mm, (-reach, reach), at.y, at.z)
    solid -= rod_x(nut(p.screw.nut_flats_mm), (reach - 1 - 1.8, reach), at.y, at.z, 6)
    steps = [-1.0, -0.5, 0.0, 0.5, 1.0]  # the arc in which the lock's screw moves; it ends where the tilt has to end
    pins = [
        rod_x(p.screw.clearance_mm, (-reach, reach), 0, -b.lock_mm)
        .rotate((s * b.tilt_deg, 0, 0))
        .translate((0, at.y, at.z))
        for s in steps
    ]
    solid -= join(hull(a, c) for a, c in pairwise(pins))
    slot = [rod_y(p.screw.clearance_mm, (y0 - 1, y1 + 1), 0, z) for z in (-APART / 2 - b.travel_mm, APART / 2)]
    return (solid - hull(*slot)).translate((0, 0, height))


def tongue(p: Parameters) -> Manifold:
    """What turns between the ears, up to a cradle's back; the origin is the hinge. Its flat top can lie on the bed."""
    x, half = (-TONGUE / 2, TONGUE / 2), TURN / 2
    disc, lock = rod_x(TURN, x, 0, 0), rod_x(LOCK_TONGUE, x, 0, -p.bracket.lock_mm)
    arm = box(x, (0, FACE + 1), (-half, half))
    web = box(x, (FACE, FACE + 1), (-p.bracket.lock_mm - LOCK_TONGUE / 2, half))
    solid = hull(disc, arm) + hull(disc, lock) + hull(lock, web)
    for z in (0.0, -p.bracket.lock_mm):
        solid -= rod_x(p.screw.clearance_mm, (x[0] - 1, x[1] + 1), 0, z)
    return solid


def seat(p: Parameters, solid: Manifold, height: float, tilt: float) -> Manifold:
    """Moves what is drawn about the hinge to its place on the belt; a positive `tilt` in degrees looks up."""
    at = axis(p, height)
    return solid.rotate((tilt, 0, 0)).translate((0, at.y, at.z))
