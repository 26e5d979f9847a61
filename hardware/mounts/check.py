"""What every part must pass before it is worth plastic: closed, one piece, walls thick enough, and clear beams.

The wall is measured on the mesh: from points spread over the whole surface by area, and from the middle of each
triangle, a ray goes inward against the normal to where it leaves the solid. Where the surface it leaves through faces
the other way (within 50 degrees) the two are the sides of a wall, and the way between them its thickness. Limits: two
faces that meet in an edge sharper than 50 degrees are seen as a wall of no thickness close to that edge, so no part
has such an edge; faces that lean further from each other are taken for an edge and not for a wall; and a rib far
smaller than the spacing of the points (0.7 mm on the largest part) is seen only because each triangle is probed in
its middle as well.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from manifold3d import Manifold
from numpy.typing import NDArray

from mounts.box import box_body, box_lid
from mounts.fill import contents
from mounts.parameters import Parameters
from mounts.parts import LIES, fitted, wearer

WALL_MM = 1.6  # four lines of a 0.4 mm nozzle: thinner walls of PETG split where a layer is weak (makers' usual advice)
OPPOSITE = np.cos(np.radians(50.0))  # so that the chamfers, which lean by 45, are seen
NOTHING_MM3 = 1e-3  # volumes below this are rounding
START_MM = 0.01  # a ray begins this far beneath its face, or it would meet it

Array = NDArray[np.float64]


class Thin(NamedTuple):
    """The thinnest wall found: its thickness and where, in mm."""

    wall_mm: float
    at_mm: tuple[float, float, float]


def triangles(solid: Manifold) -> Array:
    """Corners of all triangles, shape (n, 3, 3), in a stable order: equal solids give equal arrays."""
    mesh = solid.simplify(0.002).to_mesh()  # slivers of a cut that grazed a face
    corners = np.asarray(mesh.vert_properties, dtype=np.float32)[:, :3][np.asarray(mesh.tri_verts)].astype(np.float64)
    corners = np.round(corners, 4) + 0.0  # 0.1 micrometre; and no minus zero
    same = (corners == np.roll(corners, 1, axis=1)).all(axis=2).any(axis=1)
    corners = corners[~same]  # an edge shorter than that shrinks to a point, and the triangles on both its sides go
    first = _lowest(corners)
    corners = np.stack([np.roll(t, -k, axis=0) for t, k in zip(corners, first, strict=True)])
    return corners[np.lexsort(corners.reshape(len(corners), 9).T[::-1])]


def _lowest(corners: Array) -> NDArray[np.int64]:
    """For each triangle the corner that sorts first."""
    keys = corners[..., 0] * 1e8 + corners[..., 1] * 1e4 + corners[..., 2]
    return np.asarray(keys.argmin(axis=1), dtype=np.int64)


def faults(tris: Array) -> list[str]:
    """What is wrong with a mesh of shape (n, 3, 3); empty when it is closed, wound outward, and one piece."""
    points, index = np.unique(tris.reshape(-1, 3), axis=0, return_inverse=True)
    faces = index.reshape(-1, 3)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there, back = (set(map(tuple, e.tolist())) for e in (edges, edges[:, ::-1]))
    found = []
    if (faces[:, 0] == faces[:, 1]).any() or (faces[:, 1] == faces[:, 2]).any() or (faces[:, 2] == faces[:, 0]).any():
        found.append("a triangle without area")
    if len(there) != len(edges):
        found.append("an edge with more than two faces, or faces wound against each other")
    if there != back:
        found.append("a hole: an edge with one face only")
    if volume_mm3(tris) <= 0.0:
        found.append("wound inward")
    if (pieces := _pieces(faces, len(points))) != 1:
        found.append(f"{pieces} pieces")
    return found


def volume_mm3(tris: Array) -> float:
    """By the divergence theorem: a sixth of the sum of the corners' triple products."""
    a, b, c = tris.transpose(1, 0, 2)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def _pieces(faces: NDArray[np.int64], points: int) -> int:
    label = np.arange(points)
    while True:
        low = label[faces].min(axis=1)
        new = label.copy()
        for k in range(3):
            np.minimum.at(new, faces[:, k], low)
        new = new[new]
        if (new == label).all():
            return len(np.unique(label[np.unique(faces)]))
        label = new


def thinnest(tris: Array, points: int = 40_000, seed: int = 1) -> Thin:
    """The thinnest wall of a closed mesh; see the module's text for the method and its limits."""
    across = np.cross(tris[:, 1] - tris[:, 0], tris[:, 2] - tris[:, 0])
    length = np.linalg.norm(across, axis=1)
    normals = across / np.maximum(length, 1e-12)[:, None]
    rng = np.random.default_rng(seed)
    spread = np.searchsorted(np.cumsum(length) / length.sum(), (np.arange(points) + rng.random(points)) / points)
    chosen = np.concatenate([np.arange(len(tris))[length > 1e-3], np.minimum(spread, len(tris) - 1)])
    u, v = rng.random((2, len(chosen)))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    u[: len(chosen) - points] = v[: len(chosen) - points] = 1 / 3
    a, b, c = tris[chosen].transpose(1, 0, 2)
    start = a + (b - a) * u[:, None] + (c - a) * v[:, None]
    inward = -normals[chosen]
    scene = EmbreeScene()
    TriangleMesh(scene, tris.astype(np.float32))
    hit = scene.run((start + inward * START_MM).astype(np.float32), inward.astype(np.float32), output=1)
    met = hit["primID"]
    faces_away = np.einsum("ij,ij->i", normals[met], inward) >= OPPOSITE
    wall = np.where((met >= 0) & faces_away, hit["tfar"] + START_MM, np.inf)
    k = int(wall.argmin())
    return Thin(float(wall[k]), (float(start[k, 0]), float(start[k, 1]), float(start[k, 2])))


def too_large(name: str, solid: Manifold, p: Parameters) -> bool:
    """Whether the part, as it lies on the bed, reaches over it."""
    x0, y0, z0, x1, y1, z1 = solid.rotate(LIES[name]).bounding_box()
    return bool(max(x1 - x0, y1 - y0, z1 - z0) > p.print.bed_mm)


def settings(p: Parameters) -> list[tuple[float, float]]:
    """Heights and tilts to look at: the ends, the middle, and between."""
    b = p.bracket
    return [(h * b.travel_mm, t * b.tilt_deg) for h in (0.0, 0.5, 1.0) for t in (-1.0, -0.5, 0.0, 0.5, 1.0)]


def in_beam_mm3(p: Parameters, sensor: str, height: float, tilt: float, also: Manifold | None = None) -> float:
    """How much of bracket, belt and wearer, and of `also` (in the belt's frame), is inside the sensor's beams."""
    it = fitted(p, sensor, height, tilt)
    solids = [wearer(p), *it.printed.values(), *([also] if also is not None else [])]
    return float(sum((it.beams ^ solid).volume() for solid in solids))


def collision_mm3(p: Parameters, sensor: str, height: float, tilt: float) -> float:
    """How much of the cradle is inside the plate, the upright or the wearer."""
    it = fitted(p, sensor, height, tilt)
    still = [it.printed["belt-plate"], it.printed["upright"], wearer(p)]
    moving = [*it.part.values(), *(s for name, s in it.printed.items() if name not in ("belt-plate", "upright"))]
    return float(sum((a ^ b).volume() for a in moving for b in still))


def boards_collide(p: Parameters) -> list[tuple[str, str]]:
    """Pairs that meet in the box: boards with what is on them, plugs on their way out, buzzer, button, box and lid."""
    solids = contents(p) | {"box": box_body(p), "box-lid": box_lid(p)}
    return [(a, b) for a, b in combinations(solids, 2) if (solids[a] ^ solids[b]).volume() > NOTHING_MM3]
