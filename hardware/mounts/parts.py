"""All printed parts by name, how each lies on the bed, and the finished brackets."""

from __future__ import annotations

import atexit
from functools import cache
from typing import NamedTuple

from manifold3d import Manifold

from mounts.box import box_body, box_lid
from mounts.bracket import belt_plate, seat, upright
from mounts.cradles import CRADLES, Cradle
from mounts.parameters import Parameters
from mounts.pod import pod, pod_clip, pod_lid
from mounts.shapes import box, hull, rod_z

BODY_DOWN = (90.0, 0.0, 0.0)  # the side of the body on the bed
OUT_DOWN = (-90.0, 0.0, 0.0)  # the side away from the body on the bed
TOP_DOWN = (180.0, 0.0, 0.0)
ON_EDGE = (0.0, -90.0, 180.0)

LIES = {  # part -> rotation about x, y and z that lays it on the bed
    "belt-plate": BODY_DOWN,
    "upright": BODY_DOWN,
    "hcsr04-back": OUT_DOWN,
    "hcsr04-front": OUT_DOWN,
    "outdoor-back": OUT_DOWN,
    "outdoor-front": OUT_DOWN,
    "outdoor-hood": BODY_DOWN,
    "ld06-platform": TOP_DOWN,
    "ld19-platform": TOP_DOWN,
    "pod": OUT_DOWN,
    "pod-lid": OUT_DOWN,
    "pod-clip": ON_EDGE,
    "box": BODY_DOWN,
    "box-lid": OUT_DOWN,
}


SHEETS = {  # what is drawn, and printed, together
    "bracket": ("belt-plate", "upright"),
    "hcsr04": ("hcsr04-back", "hcsr04-front"),
    "outdoor": ("outdoor-back", "outdoor-front", "outdoor-hood"),
    "platforms": ("ld06-platform", "ld19-platform"),
    "pods": ("pod", "pod-lid", "pod-clip"),
    "box": ("box", "box-lid"),
}


class Fitted(NamedTuple):
    """One sensor on the belt at a height (mm) and tilt (degrees): solids in the belt's frame."""

    printed: dict[str, Manifold]
    part: dict[str, Manifold]
    beams: Manifold


def all_parts(p: Parameters) -> dict[str, Manifold]:
    """Every part where it is worn (sensors: about the hinge)."""
    parts = {"belt-plate": belt_plate(p), "upright": upright(p)}
    for cradle in CRADLES.values():
        parts |= cradle(p).printed
    return parts | {
        "pod": pod(p),
        "pod-lid": pod_lid(p),
        "pod-clip": pod_clip(p),
        "box": box_body(p),
        "box-lid": box_lid(p),
    }


def on_bed(name: str, solid: Manifold) -> Manifold:
    """The part as it is printed: lowest point at z = 0, middle at x = y = 0."""
    laid = solid.rotate(LIES[name])
    x0, y0, z0, x1, y1, _ = laid.bounding_box()
    return laid.translate((-(x0 + x1) / 2, -(y0 + y1) / 2, -z0))


@cache
def _fixed(p: Parameters) -> tuple[Manifold, Manifold]:
    return belt_plate(p), upright(p)


@cache
def _cradle(p: Parameters, sensor: str) -> Cradle:
    return CRADLES[sensor](p)


def fitted(p: Parameters, sensor: str, height: float = 0.0, tilt: float = 0.0) -> Fitted:
    """The bracket with this sensor."""
    cradle = _cradle(p, sensor)
    printed = {"belt-plate": _fixed(p)[0], "upright": _fixed(p)[1].translate((0, 0, height))}
    printed |= {name: seat(p, solid, height, tilt) for name, solid in cradle.printed.items()}
    part = {colour: seat(p, solid, height, tilt) for colour, solid in cradle.part.items()}
    return Fitted(printed, part, seat(p, cradle.beams, height, tilt))


@cache
def wearer(p: Parameters) -> Manifold:
    """Webbing, and a body behind it: an ellipse of 380 by 260 mm, and a seat that stands out 40 mm below (assumed)."""
    half = p.belt.webbing_mm / 2
    webbing = box((-180, 180), (-p.belt.webbing_thick_mm, 0), (-half, half))
    trunk = rod_z(2.0, (-300, 300), 0, 0, 96).scale((190.0, 130.0, 1.0)).translate((0, -132.5, 0))
    seat_low = Manifold.sphere(1.0, 64).scale((170.0, 120.0, 110.0)).translate((0, -80.0, -170.0))
    return webbing + trunk + hull(seat_low)


for remembered in (_fixed, _cradle, wearer):
    atexit.register(remembered.cache_clear)  # else nanobind complains of each solid that outlives the interpreter
