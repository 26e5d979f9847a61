"""Cradles: a back with the hinge's tongue, and what holds the sensor before it. The origin is the hinge.

Beams open along y. Each sensor's `beams` is the solid that has to stay clear: for an ultrasonic the cone from each
radiating face, for a TF-Luna its narrow cone, for a LiDAR the slice that it sweeps.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, radians, sin, tan
from typing import NamedTuple

from manifold3d import CrossSection, Manifold

from mounts.bracket import FACE, LOCK_TONGUE, tongue
from mounts.parameters import Lidar, Parameters
from mounts.shapes import box, cone_y, hull, nut, plate_y, rod_y, rod_z

BACK = 4.0  # thickness of a back: a nut 2.2 deep leaves 1.8
NUT_DEEP = 2.2
EAR = 10.6  # about a nut of 6.6 across corners
POST = 3.0  # corner posts, against which a board is held
FOAM = 3.0  # behind a board: a strip of foam over its solder joints presses it against the posts in front
BEAM = 600.0  # mm; nothing of the belt or its wearer reaches further back
LENS, LENS_X = 12.0, 8.5  # TF-Luna: diameter of a lens, and how far from the middle; assumed
HOOD = 16.0  # a drop that falls at 45 degrees past its edge meets no lens (drizzle in a light wind, assumed)
CABLE = 14.0  # width of the gap for a plug with four wires


class Cradle(NamedTuple):
    """`printed`: solids by name; `part`: the sensor itself, by the colour of its pieces; `beams`: what stays clear."""

    printed: dict[str, Manifold]
    part: dict[str, Manifold]
    beams: Manifold
    screws: list[tuple[float, float, float]]  # where the heads of its M3 screws rest, x, y, z


def _back(p: Parameters, x: float, z: float, middle_z: float, screws: list[tuple[float, float]]) -> Manifold:
    solid = plate_y(x, z, (FACE, FACE + BACK), 4.0, 0.0).translate((0, 0, middle_z))
    solid = solid + _ears(screws, (FACE, FACE + BACK), x) + tongue(p)
    for at in screws:
        solid -= rod_y(p.screw.clearance_mm, (FACE - 1, FACE + BACK + 1), *at)
        solid -= rod_y(nut(p.screw.nut_flats_mm), (FACE - 1, FACE + NUT_DEEP), *at, 6)
    return solid


def _ears(screws: list[tuple[float, float]], y: tuple[float, float], x: float) -> Manifold:
    """A column about each screw, grown into the side of a body that is `x` wide."""
    total = Manifold()
    for sx, sz in screws:
        side = 1 if sx > 0 else -1
        inner = side * (x / 2 - 1.5)
        flank = box((min(inner, inner + side), max(inner, inner + side)), y, (sz - 6.5, sz + 6.5))
        total += hull(rod_y(EAR, y, sx, sz), flank)
    return total


def _shell(
    p: Parameters, x: float, z: float, middle_z: float, deep: float, screws: list[tuple[float, float]]
) -> Manifold:
    """A tray, open toward the back: x by z inside, `deep` from the back's face to the inside of its front."""
    wall, y0 = p.print.wall_mm, FACE + BACK
    outer = plate_y(x + 2 * wall, z + 2 * wall, (y0 - 1, y0 + deep + wall), 4.0, 1.0)
    outer = outer + _ears(screws, (y0 - 1, y0 + deep + wall), x + 2 * wall).translate((0, 0, -middle_z))
    outer ^= box((-200, 200), (y0, 200), (-200, 200))
    hollow = plate_y(x, z, (y0 - 1, y0 + deep), 1.0)
    solid = (outer - hollow).translate((0, 0, middle_z))
    for at in screws:
        solid -= rod_y(p.screw.clearance_mm, (y0 - 2, y0 + deep + wall + 1), *at)
    return solid


def _corner_posts(x: float, z: float, y: tuple[float, float]) -> Manifold:
    total = Manifold()
    for sx in (-1, 1):
        for sz in (-1, 1):
            cx, cz = sx * (x - POST) / 2, sz * (z - POST) / 2
            total += box((cx - POST / 2, cx + POST / 2), y, (cz - POST / 2, cz + POST / 2))
    return total


def hcsr04(p: Parameters) -> Cradle:
    """The board between foam and four posts; the cans stand out of the front, so that no rim is in their way."""
    s, wall, y0 = p.hcsr04, p.print.wall_mm, FACE + BACK
    x, z = s.board_x_mm + 2 * p.print.fit_mm, s.board_z_mm + 2 * p.print.fit_mm
    crystal = 6.0  # from board to front: over the crystal, 3.5 high (assumed)
    deep = FOAM + s.board_thick_mm + crystal
    screws = [(side * (x / 2 + wall + 3.8), 0.0) for side in (-1, 1)]
    back = _back(p, x + 2 * wall, z + 2 * wall, 0.0, screws)
    shell = _shell(p, x, z, 0.0, deep, screws)
    shell += _corner_posts(x + 0.4, z + 0.4, (y0 + FOAM + s.board_thick_mm, y0 + deep + 1))
    shell -= box((-CABLE / 2, CABLE / 2), (y0 - 1, y0 + deep - 1.4), (-z, -z / 2 + 0.5))
    front = y0 + FOAM + s.board_thick_mm + s.can_high_mm
    board = box(
        (-s.board_x_mm / 2, s.board_x_mm / 2),
        (y0 + FOAM, y0 + FOAM + s.board_thick_mm),
        (-s.board_z_mm / 2, s.board_z_mm / 2),
    )
    beams, cans, mesh = Manifold(), Manifold(), Manifold()
    for cx in (-s.can_apart_mm / 2, s.can_apart_mm / 2):
        shell -= rod_y(s.can_mm + 2 * p.print.fit_mm, (y0, y0 + deep + wall + 1), cx, 0)
        cans += rod_y(s.can_mm, (y0 + FOAM + 1, front), cx, 0) - rod_y(s.can_mm - 3, (front - 1.0, front + 1), cx, 0)
        mesh += rod_y(s.can_mm - 3, (front - 2.0, front - 0.8), cx, 0)
        beams += cone_y(tan(radians(s.cone_deg / 2)), s.can_mm / 2, BEAM).translate((cx, front + 0.01, 0))
    part = {"board": board, "silver": cans, "dark": mesh}
    return Cradle(
        {"hcsr04-back": back, "hcsr04-front": shell}, part, beams, [(sx, y0 + deep + wall, sz) for sx, sz in screws]
    )


def outdoor(p: Parameters) -> Cradle:
    """A TF-Luna under a hood, above an A02YYUW, whose flange and nut clamp the front between them."""
    t, a, wall, y0 = p.tfluna, p.a02yyuw, p.print.wall_mm, FACE + BACK
    nut_room = a.flange_mm + 4.0  # the A02's own nut turns in here; assumed
    x = max(t.size_x_mm + 2 * p.print.fit_mm, nut_room)
    z = t.size_z_mm + 2 * p.print.fit_mm + wall + nut_room
    deep = max(t.size_y_mm + FOAM, a.behind_mm)  # what the TF-Luna leaves is filled with foam
    middle = z / 2 - 12.0  # so that the hinge is behind the upper half: the weight hangs
    screws = [(side * (x / 2 + wall + 3.8), middle + dz) for side in (-1, 1) for dz in (-z / 2 + 8, z / 2 - 8)]
    luna_z = middle + z / 2 - p.print.fit_mm - t.size_z_mm / 2
    a02_z = middle - z / 2 + nut_room / 2
    back = _back(p, x + 2 * wall, z + 2 * wall, middle, screws)
    luna_back = y0 + deep - t.size_y_mm
    shell = _shell(p, x, z, middle, deep, screws)
    shelf = luna_z - t.size_z_mm / 2 - p.print.fit_mm
    shell += box((-x / 2 - 1, x / 2 + 1), (luna_back, y0 + deep + 1), (shelf - wall, shelf))
    out = y0 + deep + wall
    window = plate_y(t.size_x_mm - 2 * t.lip_mm, t.size_z_mm - 2 * t.lip_mm, (y0, out + 1), 3.0)
    shell -= window.translate((0, 0, luna_z))
    shell -= rod_y(a.thread_mm + 2 * p.print.fit_mm, (y0, out + 1), 0, a02_z)
    low = middle - z / 2
    shell -= box((-CABLE / 2, CABLE / 2), (y0 - 1, y0 + 8), (low - wall - 1, low + 0.5))
    half = t.size_x_mm / 2, t.size_z_mm / 2
    luna = box((-half[0], half[0]), (luna_back, y0 + deep), (luna_z - half[1], luna_z + half[1]))
    lenses = Manifold()
    for cx in (-LENS_X, LENS_X):
        lenses += rod_y(LENS, (luna_back, y0 + deep + 1.0), cx, luna_z)
    face = out + a.face_mm
    probe = rod_y(a.thread_mm, (y0 + deep - a.behind_mm + 0.5, out), 0, a02_z) + rod_y(
        a.flange_mm, (out, face), 0, a02_z
    )
    probe -= rod_y(a.thread_mm - 5, (face - 0.7, face + 1), 0, a02_z)
    part = {"dark": luna + probe, "glass": lenses, "silver": rod_y(a.thread_mm - 5, (face - 1, face - 0.5), 0, a02_z)}
    narrow = cone_y(tan(radians(t.cone_deg / 2)), LENS / 2, BEAM)
    beams = narrow.translate((-LENS_X, y0 + deep + 1.01, luna_z)) + narrow.translate((LENS_X, y0 + deep + 1.01, luna_z))
    beams += cone_y(tan(radians(a.cone_deg / 2)), a.thread_mm / 2, BEAM).translate((0, face + 0.01, a02_z))
    printed = {"outdoor-back": back, "outdoor-front": shell, "outdoor-hood": _hood(p, out, luna_z, screws)}
    upper = max(sz for _, sz in screws)
    return Cradle(printed, part, beams, [(sx, out + wall * (sz == upper), sz) for sx, sz in screws])


def _hood(p: Parameters, out: float, luna_z: float, screws: list[tuple[float, float]]) -> Manifold:
    """A roof with two cheeks over the TF-Luna's window, under the heads of the two upper screws."""
    t, wall = p.tfluna, p.print.wall_mm
    flange, half = (out, out + wall), t.size_x_mm / 2 + p.print.fit_mm + wall
    top = luna_z + t.size_z_mm / 2 + p.print.fit_mm + wall
    upper = sorted(screws, key=lambda at: at[1])[-2:]
    roof = box((-half, half), (out, out + HOOD), (top - wall, top))
    solid = hull(*(rod_y(EAR, flange, *at) for at in upper), box((-half, half), flange, (top - wall, top))) + roof
    open_x, open_z = t.size_x_mm / 2 - t.lip_mm + 1.0, luna_z + t.size_z_mm / 2 - t.lip_mm + 0.5
    solid -= box((-open_x, open_x), (out - 1, out + wall + 1), (luna_z - 99, open_z))
    for side in (-half, half - wall):
        x = (side, side + wall)
        high = box(x, flange, (luna_z, top))
        solid += hull(high, box(x, (out + HOOD - 2.0, out + HOOD), (top - 4.0, top)))
    for at in upper:
        solid -= rod_y(p.screw.clearance_mm, (out - 1, out + wall + 1), *at)
        solid -= rod_y(7.5, (out + wall, out + HOOD), *at)  # a washer beneath the head
    return solid


def ld06(p: Parameters) -> Cradle:
    return _lidar(p, p.ld06, "ld06-platform")


def ld19(p: Parameters) -> Cradle:
    """LD19 and STL-19P: the same frames as an LD06, on a larger base."""
    return _lidar(p, p.ld19, "ld19-platform")


def _lidar(p: Parameters, s: Lidar, name: str) -> Cradle:
    """A platform level with the hinge's top; slots let screws from below reach every pattern of holes."""
    x, y = s.base_x_mm + 4.0, s.base_y_mm + 4.0
    top, y0 = 8.0, FACE
    middle = y0 + BACK + y / 2
    solid = hull(
        box((-x / 2 + 6, x / 2 - 6), (y0, y0 + 1), (top - BACK, top)),
        *(
            rod_z(10.0, (top - BACK, top), side * (x / 2 - 5), at)
            for side in (-1, 1)
            for at in (y0 + 9, middle + y / 2 - 5)
        ),
    )
    solid += box((-8, 8), (y0, y0 + BACK), (-p.bracket.lock_mm - LOCK_TONGUE / 2, top)) + tongue(p)
    for side in (-1, 1):  # two ribs carry the platform
        at = (side * 6.2 - 1.5, side * 6.2 + 1.5)
        solid += hull(
            box(at, (y0 + 1, y0 + BACK), (-p.bracket.lock_mm - LOCK_TONGUE / 2, top)),
            box(at, (y0, middle + 10), (top - BACK - 2.5, top)),
        )
    for sx in (-1, 1):
        for sy in (-1, 1):
            ends = [
                rod_z(s.screw_mm, (top - BACK - 1, top + 1), sx * r * 0.7071, middle + sy * r * 0.7071)
                for r in (s.hole_near_mm, s.hole_far_mm)
            ]
            solid -= hull(*ends)
    for cx in (-4.0, 4.0):  # a tie for the cable
        solid -= hull(*(rod_z(2.0, (top - BACK - 1, top + 1), cx + d, middle + y / 2 - 5.0) for d in (-1.0, 1.0)))
    half = s.base_x_mm / 2, s.base_y_mm / 2
    foot = hull(
        *(
            rod_z(8.0, (top, top + 9.0), sx * (half[0] - 4), middle + sy * (half[1] - 4))
            for sx in (-1, 1)
            for sy in (-1, 1)
        )
    )
    d = min(half) * 2 - 6
    head = rod_z(d, (top + 11.0, top + s.plane_mm - 5.5), 0, middle) + rod_z(
        d, (top + s.plane_mm + 5.5, top + s.high_mm), 0, middle
    )
    part = {"dark": foot + head, "glass": rod_z(d - 0.6, (top + 1.0, top + s.high_mm - 1), 0, middle)}
    return Cradle({name: solid}, part, _slice(s, middle, top + s.plane_mm), [])


def _slice(s: Lidar, y: float, z: float) -> Manifold:
    """The sector the LiDAR listens to: a wedge of `slice_deg` about its plane, from its middle outward."""
    steps = 32
    angles = [radians(90.0 - s.sector_deg + 2 * s.sector_deg * i / steps) for i in range(steps + 1)]
    fan = CrossSection([[(0.0, 0.0)] + [(BEAM * cos(a), BEAM * sin(a)) for a in angles]])
    rise = BEAM * tan(radians(s.slice_deg / 2))
    flare = Manifold.cylinder(rise, 0.5, BEAM, 96)
    both = flare + flare.mirror((0, 0, 1))
    return (fan.extrude(2 * rise).translate((0, 0, -rise)) ^ both).translate((0, y, z))


CRADLES: dict[str, Callable[[Parameters], Cradle]] = {"hcsr04": hcsr04, "outdoor": outdoor, "ld06": ld06, "ld19": ld19}
