"""The box for what `fill.py` puts into it, and its lid: worn at the side, vents and cables down, so that rain runs off.

y = 0 is the side of the body; the webbing passes between it and the wearer, through slots in two wings.
"""

from __future__ import annotations

from manifold3d import CrossSection, Manifold

from mounts.fill import (
    BUZZER_IN,
    POST,
    adapter_middle,
    board_middle,
    button_at,
    buzzer_at,
    notches,
    perf_middle,
    pi_middle,
    plug_y,
    plugs_x,
)
from mounts.parameters import Parameters
from mounts.shapes import belt_slot, box, hull, join, plate_y, rod_y, rod_z

PILLAR = 8.0  # diameter about a lid screw
STRIP = 10.0  # of a wing between the box and its slot: the pillars stand on it
END_X = 8.0
WING = 4.0  # thickness
LID = 2.4
RIM = 3.0  # of the lid, inside the walls
SKIRT = 5.0  # over the top wall: a drip edge
PILLAR_Z = 27.0
WING_OVER = 22.0  # a wing is higher than the webbing by this much
FIN = 2.0  # between USB adapter and PCA9685
SEAT = 2.0  # wall of the buzzer's seat
PILOT = 4.6  # depth for an M2.5x6, which goes 4.4 deep through a board of 1.6


def _outer(p: Parameters) -> tuple[float, float]:
    wall = p.print.wall_mm
    return p.box.inner_x_mm + 2 * wall, p.box.inner_z_mm + 2 * wall


def pillars(p: Parameters) -> list[tuple[float, float]]:
    x = _outer(p)[0] / 2 + PILLAR / 2 - 0.6
    return [(sx * x, sz * PILLAR_Z) for sx in (-1, 1) for sz in (-1, 1)]


def box_body(p: Parameters) -> Manifold:
    b, wall = p.box, p.print.wall_mm
    x, z = _outer(p)
    top = wall + b.inner_y_mm
    wide = x + 2 * (STRIP + p.belt.slot_mm + END_X)
    high = p.belt.webbing_mm + WING_OVER
    solid = plate_y(wide, high, (0, WING), 8.0, 0.0) + plate_y(x, z, (0.0, top), 4.0, 0.0)
    rim = plate_y(wide, high, (0, 2 * top), 8.0, p.print.edge_mm) + plate_y(x, z, (0, 2 * top), 4.0, p.print.edge_mm)
    solid ^= rim + box((-999, 999), (WING, 99), (-99, 99))
    for spot in pillars(p):  # each grown into the wall beside it
        inner = (x / 2 - 1.2) * (1 if spot[0] > 0 else -1)
        flank = box((min(inner, spot[0]), max(inner, spot[0])), (1.5, top), (spot[1] - 5.5, spot[1] + 5.5)) ^ box(
            (-x / 2 - 0.2, x / 2 + 0.2), (0, 99), (-99, 99)
        )
        solid += hull(rod_y(PILLAR, (1.5, top), *spot), flank)
    solid -= plate_y(b.inner_x_mm, b.inner_z_mm, (wall, top + 1), 1.6)
    for side in (-1, 1):
        at = side * (x / 2 + STRIP + p.belt.slot_mm / 2)
        solid -= belt_slot(1.0, p.belt.slot_mm, p.belt.webbing_mm + 1.5, (0, WING), at)
    solid += join(_standoffs(p)) + join(_anchors(p)) + join(_fins(p))
    for spot in pillars(p):
        solid -= rod_y(p.screw.pilot_m3_mm, (5.0, top + 1), *spot)
    for (cx, cz), dx, dz in _holes(p):
        for sx in (-1, 1):
            for sz in (-1, 1):
                pilot = wall + b.standoff_mm - PILOT, wall + b.standoff_mm + 1
                solid -= rod_y(p.screw.pilot_m25_mm, pilot, cx + sx * dx / 2, cz + sz * dz / 2)
    return solid - _openings(p)


def _holes(p: Parameters) -> list[tuple[tuple[float, float], float, float]]:
    """For each board its middle and how far apart its holes are in x and z; the PCA9685 stands upright."""
    b = p.box
    return [
        (pi_middle(p), b.pi_hole_x_mm, b.pi_hole_z_mm),
        (board_middle(p), b.board_hole_z_mm, b.board_hole_x_mm),
        (perf_middle(p), b.perf_hole_x_mm, b.perf_hole_z_mm),
    ]


def _standoffs(p: Parameters) -> list[Manifold]:
    wall = p.print.wall_mm
    return [
        rod_y(6.0, (wall - 1, wall + p.box.standoff_mm), cx + sx * dx / 2, cz + sz * dz / 2)
        for (cx, cz), dx, dz in _holes(p)
        for sx in (-1, 1)
        for sz in (-1, 1)
    ]


def _anchors(p: Parameters) -> list[Manifold]:
    """Zip-tie posts behind each notch: a tie goes through the eye and around the cable, and takes every pull."""
    wall, z0 = p.print.wall_mm, -p.box.inner_z_mm / 2 + 10.0
    posts = []
    for cx in notches(p):
        post = box((cx - POST / 2, cx + POST / 2), (wall - 1, wall + 9.0), (z0 - 3.2, z0 + 3.2))
        eye = box((cx - 5, cx + 5), (wall + 4.0, wall + 6.6), (z0 - 1.4, z0 + 1.4))
        posts.append(post - eye)
    return posts


def _fins(p: Parameters) -> list[Manifold]:
    """Keep the USB adapter at the wall."""
    wall, (x, z) = p.print.wall_mm, adapter_middle(p)
    near = x - p.box.adapter_y_mm / 2 - 0.5
    return [box((near - FIN, near), (wall - 1, wall + 10.0), (z + dz - 5, z + dz + 5)) for dz in (-8.0, 22.0)]


def _seat(p: Parameters) -> Manifold:
    """The buzzer's, under the lid: pressed in from the side of the body, its sound holes to those of the wall."""
    b, (x, y) = p.box, buzzer_at(p)
    top, half = p.print.wall_mm + b.inner_y_mm, b.buzzer_mm / 2 + p.print.fit_mm
    z0 = -b.inner_z_mm / 2 + p.print.fit_mm
    end = -b.inner_z_mm / 2 + BUZZER_IN + b.buzzer_high_mm + p.print.fit_mm
    solid = box((x - half - SEAT, x + half + SEAT), (y - 1.0, top + 0.5), (z0, end + SEAT))
    solid -= rod_z(2 * half, (z0 - 1, end), x, y) + box((x - half, x + half), (y - 2, y), (z0 - 1, end))
    return solid - box((x - 4.0, x + 4.0), (y - 2, top - 2.0), (end - 1, end + SEAT + 1))  # its legs


def _openings(p: Parameters) -> Manifold:
    """All in the wall beneath: both plugs, the vents, the buzzer's holes, the cables' notches."""
    b, wall = p.box, p.print.wall_mm
    top = wall + b.inner_y_mm
    z = (-b.inner_z_mm / 2 - wall - 1, -b.inner_z_mm / 2 + 0.5)
    cut = Manifold()
    for at in plugs_x(p):
        y = plug_y(p)
        cut += box((at - b.plug_x_mm / 2, at + b.plug_x_mm / 2), (y - b.plug_y_mm / 2, y + b.plug_y_mm / 2), z)
    for k in range(6):  # vents; they face down, and a finger or a drop of rain from above finds no way in
        at = plugs_x(p)[1] + b.plug_x_mm / 2 + 3.0 + k * 5.2
        cut += box((at, at + 2.4), (wall + 5, top - RIM - 4), z)
    bx, by = buzzer_at(p)
    for dx in (-4.4, 0.0, 4.4):
        cut += rod_z(2.4, z, bx + dx, by)
    for cx in notches(p):
        slit = CrossSection.square((b.cable_mm, 9.0), True).extrude(z[1] - z[0]).translate((cx, top - RIM - 2.0, z[0]))
        cut += slit + box((cx - b.cable_mm / 2, cx + b.cable_mm / 2), (top - 4, top + 1), z)
    return cut


def box_lid(p: Parameters) -> Manifold:
    """Closes the box from outside; printed on its face. A skirt sheds rain over the top wall; the button is in it."""
    b, wall, fit = p.box, p.print.wall_mm, p.print.fit_mm
    x, z = _outer(p)
    top = wall + b.inner_y_mm
    face = (top, top + LID)
    solid = plate_y(x, z, face, 4.0, 0.0)
    for spot in pillars(p):
        solid += hull(
            rod_y(PILLAR, face, *spot), *(rod_y(2.0, face, spot[0] * 0.88, spot[1] + dz) for dz in (-4.5, 4.5))
        )
    skirt = plate_y(x, z + 2 * (fit + 1.8), (top - SKIRT, top + LID), 4.0) - plate_y(
        x + 9, z + 2 * fit, (top - SKIRT - 1, top), 4.0
    )
    solid += skirt ^ box((-x / 2 + 5, x / 2 - 5), (-9, 99), (0, 99))
    inner = b.inner_x_mm - 2 * fit, b.inner_z_mm - 2 * fit
    rim = plate_y(*inner, (top - RIM, top + 1), 1.6) - plate_y(inner[0] - 4, inner[1] - 4, (top - RIM - 1, top), 1.0)
    (bx, _), (ax, az) = buzzer_at(p), button_at(p)
    half = b.buzzer_mm / 2 + SEAT
    solid += rim - box((notches(p)[0] - b.cable_mm, ax + 9.5), (0, top), (-99, 0))
    solid -= box((bx - half, bx + half), (0, top), (-b.inner_z_mm / 2 - 0.1, -b.inner_z_mm / 2 + 4))
    solid += _seat(p)
    for cx in notches(p):  # a tongue closes each notch down to the cable
        w = b.cable_mm / 2 - fit
        solid += box((cx - w, cx + w), (top - 1.8, top + 1), (-z / 2, -z / 2 + wall))
    for spot in pillars(p):
        solid -= rod_y(p.screw.clearance_mm, (top - 9, top + 9), *spot)
    solid -= rod_y(b.button_mm, (top - 9, top + 9), ax, az)
    for k in (0, 1):  # two chevrons, 0.6 deep, point up
        arrow = [
            hull(*(rod_y(1.2, (top + LID - 0.6, top + LID + 1), x0, z0) for x0, z0 in pair))
            for pair in (((-18, -4 + 8 * k), (-11, 3 + 8 * k)), ((-11, 3 + 8 * k), (-4, -4 + 8 * k)))
        ]
        solid -= join(arrow)
    return solid
