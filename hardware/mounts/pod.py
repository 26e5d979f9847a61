"""Pods that hold one coin motor against the wearer: one to be sewn on, and one that clips over the webbing.

The webbing lies at y = 0 and the body on the side of negative y, as everywhere.
"""

from __future__ import annotations

from math import cos, pi, sin

from manifold3d import CrossSection, JoinType, Manifold

from mounts.parameters import Parameters
from mounts.shapes import box, hull, rod_y, rod_z

SEAT = 0.3  # depth beyond the motor: its adhesive pad
UNDER = 2.5  # of the flange beneath the cable's groove: 1.7, and the rim's chamfer of 0.8
LID = 1.8
NEEDLE = 2.2  # sewing holes
SEAM = 6  # so many


def _cavity(p: Parameters) -> tuple[float, float]:
    """Diameter and depth of the motor's seat."""
    return p.motor.diameter_mm + 2 * p.print.fit_mm, p.motor.thick_mm + SEAT


def pod(p: Parameters) -> Manifold:
    """A cone with a flange, turned about y; the webbing and a lid close it. The cable leaves upward."""
    d, deep = _cavity(p)
    total = p.motor.thick_mm + SEAT + LID + p.print.skin_mm
    step = d / 2 + 1.6  # radius of the lid's seat
    rim = step + 8.0
    flange = p.motor.cable_mm - 0.4 + UNDER
    nose = d / 2 + 1.8
    outline = CrossSection(
        [
            [
                (0, 0),
                (rim - 0.8, 0),
                (rim, 0.8),
                (rim, flange - 0.8),
                (rim - 0.8, flange),
                (step + 2.2, flange),
                (nose + 0.6, total - 1.0),
                (nose - 0.8, total),
                (0, total),
            ]
        ]
    )
    solid = outline.revolve(96).rotate((90, 0, 0))  # its axis, z, to -y: toward the body
    solid -= rod_y(d, (-LID - deep, 1), 0, 0, 96) + rod_y(2 * step, (-LID, 1), 0, 0, 96)
    for k in range(SEAM):
        a = 2 * pi * (k + 0.5) / SEAM
        r = rim - 4.0
        solid -= rod_y(NEEDLE, (-flange - 9, 1), r * sin(a), r * cos(a), 24)
    groove = p.motor.cable_mm
    return solid - hull(*(rod_z(groove, (0, rim + 1), 0, y) for y in (0.5, -groove / 2 + 0.4)))


def pod_lid(p: Parameters) -> Manifold:
    """The disc that closes a sewn pod; its notch lets the cable out."""
    d, _ = _cavity(p)
    r = d / 2 + 1.6 - p.print.fit_mm
    disc = rod_y(2 * r, (-LID + 0.1, 0), 0, 0, 96)
    return disc - box((-p.motor.cable_mm / 2, p.motor.cable_mm / 2), (-9, 9), (r - 2.4, r + 1))


def pod_clip(p: Parameters) -> Manifold:
    """A C over the webbing with the motor's seat in its back; slides along the belt to where it is felt best."""
    d, deep = _cavity(p)
    wide = max(20.0, d + 8)
    half = p.belt.webbing_mm / 2 + 0.5
    gap = p.belt.webbing_thick_mm + 0.4
    back = deep + p.print.skin_mm
    arm, lip, hook = 3.6, 3.2, 11.0
    nose = d / 2 + 1.0  # half of the flat that lies on the skin
    shape = [(-back, -nose), (gap + lip, -half - arm), (gap + lip, half + arm), (-back, nose)]
    shape += [(-arm, half + arm), (-arm, -half - arm)]
    outline = CrossSection.hull_points(shape).offset(-1.0, JoinType.Round, 2.0, 24).offset(1.0, JoinType.Round, 2.0, 24)
    edge = p.print.edge_mm
    core = outline.extrude(wide - 2 * edge).translate((0, 0, -wide / 2 + edge))
    faces = outline.offset(-edge, JoinType.Round, 2.0, 24).extrude(wide).translate((0, 0, -wide / 2))
    solid = hull(core, faces).rotate((90, 0, 90))  # convex all round: nothing sharp meets the body
    solid -= box((-wide, wide), (0, gap), (-half, half)) + box((-wide, wide), (gap - 1, 99), (hook - half, half - hook))
    solid -= rod_y(d, (-deep, 1), 0, 0, 96)
    groove = p.motor.cable_mm
    solid -= hull(*(rod_z(groove, (0, half + arm + 1), 0, y) for y in (0.5, -groove / 2 + 0.8)))
    for side in (-1, 1):  # a tie over the cable
        solid -= rod_y(2.4, (-20, 20), side * 5.0, half - 4, 24) ^ box((-20, 20), (-20, 0.1), (-99, 99))
    return solid
