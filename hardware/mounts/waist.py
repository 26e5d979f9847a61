"""The wearer's waist and the webbing about it, for the picture; and where on it things sit.

Frame: x to the wearer's left, y away from the back, z up, origin in the middle of the waist. An angle about the waist
is 0 at the left and 90 at the back. The figures of the body are for the eye only.
"""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import NamedTuple

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray

from mounts.box import STRIP
from mounts.bracket import END_X, MIDDLE_X
from mounts.parameters import Parameters
from mounts.render import Array, Thing

CLOTH = (0.52, 0.51, 0.485)
BAND = (0.055, 0.060, 0.070)
SOFT = 2.0  # between skin and webbing
BACK, BOX = 90.0, 28.0  # where the bracket and the box sit, in degrees about the waist


class Place(NamedTuple):
    """A spot on the waist: where, and the direction away from the body."""

    x: float
    y: float
    nx: float
    ny: float

    def put(self, solid: Manifold, out: float = 0.0) -> Manifold:
        """Moves a solid drawn at the back's origin here."""
        tx, ty = self.ny, -self.nx
        return solid.transform(
            [[tx, self.nx, 0, self.x + out * self.nx], [ty, self.ny, 0, self.y + out * self.ny], [0, 0, 1, 0]]
        )

    def point(self, x: float, y: float) -> tuple[float, float]:
        return self.x + x * self.ny + y * self.nx, self.y - x * self.nx + y * self.ny


def _radii(z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Half width, half depth and shift to the back, at each height: hips, waist, ribs."""
    at = np.array([-320.0, -200.0, -110.0, -40.0, 20.0, 110.0, 220.0, 340.0])
    wide = np.array([170.0, 181.0, 176.0, 162.0, 156.0, 161.0, 172.0, 180.0])
    deep = np.array([120.0, 132.0, 126.0, 114.0, 109.0, 112.0, 118.0, 120.0])
    back = np.array([16.0, 18.0, 10.0, 2.0, 0.0, 2.0, 6.0, 8.0])
    fine = np.linspace(-320, 340, 400)
    kernel = np.exp(-0.5 * (np.arange(-40, 41) / 16.0) ** 2)
    kernel /= kernel.sum()

    def soft(y: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.pad(np.interp(fine, at, y), 40, mode="edge")
        return np.asarray(np.interp(z, fine, np.convolve(padded, kernel, "valid")))

    return soft(wide), soft(deep), soft(back)


def _turn(angle: NDArray[np.float64], power: float = 2.25) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A superellipse of half axes 1: a little squarer than an ellipse, as waists are."""
    c, s = np.cos(angle), np.sin(angle)
    return np.sign(c) * np.abs(c) ** (2 / power), np.sign(s) * np.abs(s) ** (2 / power)


def torso(rings: int = 90, corners: int = 180) -> Thing:
    """The waist in a plain shirt, smooth, open above and below the picture."""
    z = np.linspace(-320.0, 340.0, rings)
    wide, deep, back = _radii(z)
    cx, cy = _turn(np.linspace(0, 2 * pi, corners, endpoint=False))
    grid = np.stack([wide[:, None] * cx, back[:, None] + deep[:, None] * cy, np.repeat(z[:, None], corners, 1)], axis=2)
    spine = np.exp(-((grid[..., 0] / 16.0) ** 2)) * 5.0 * (grid[..., 1] > 0)  # the furrow of the back
    grid[..., 1] -= spine * np.clip((grid[..., 2] + 190) / 120, 0, 1)
    return _sheet(grid, CLOTH, 0.03, True)


def _sheet(grid: NDArray[np.float64], colour: tuple[float, float, float], gloss: float, closed: bool) -> Thing:
    """A smooth surface through a grid of points, shape (rows, columns, 3)."""
    along = np.roll(grid, -1, 1) - np.roll(grid, 1, 1) if closed else np.gradient(grid, axis=1)
    normals = np.cross(along, np.gradient(grid, axis=0))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    rows, columns = grid.shape[:2]
    i, j = np.mgrid[0 : rows - 1, 0 : columns if closed else columns - 1]
    k = (j + 1) % columns
    quads = np.stack([np.stack([i, i, i + 1], -1), np.stack([i, i + 1, i + 1], -1)])
    sides = np.stack([np.stack([j, k, k], -1), np.stack([j, k, j], -1)])
    return Thing(
        grid[quads, sides].reshape(-1, 3, 3).astype(np.float32),
        normals[quads, sides].reshape(-1, 3, 3).astype(np.float32),
        colour,
        gloss,
    )


def place(degrees: float) -> Place:
    """The spot at this angle about the waist, on the outside of what the webbing rests on."""
    wide, deep, back = (float(r[0]) for r in _radii(np.array([0.0])))
    a = np.radians(np.array([degrees - 0.2, degrees, degrees + 0.2]))
    cx, cy = _turn(a)
    x, y = (wide + SOFT) * cx, back + (deep + SOFT) * cy
    t = np.array([x[2] - x[0], y[2] - y[0]])
    t /= np.hypot(*t)
    return Place(float(x[1]), float(y[1]), float(t[1]), float(-t[0]))


def webbing_line(p: Parameters) -> NDArray[np.float64]:
    """The webbing's middle line from above, closed, shape (n, 2): taut about the waist, in and out of every slot."""
    slots = {
        BACK: (MIDDLE_X / 2, p.belt.slot_mm, END_X, p.bracket.plate_mm),
        BOX: (p.box.inner_x_mm / 2 + p.print.wall_mm + STRIP, p.belt.slot_mm, END_X, 4.0),
    }
    points, waves = [], []
    for degrees in np.arange(0.0, 360.0, 1.0):
        at = place(degrees)
        points.append(at.point(0, 1.2))
    for degrees, (near, slot, end, thick) in slots.items():
        at = place(degrees)
        local = [
            (s * x, y)
            for s, x, y in (
                (1, near + slot + end + 3, thick - 1),
                (1, near + slot + 1, thick + 2.4),
                (1, near + 0.8, -1.5),
                (-1, near + 0.8, -1.5),
                (-1, near + slot + 1, thick + 2.4),
                (-1, near + slot + end + 3, thick - 1),
            )
        ]
        waves.append([at.point(x, y) for x, y in local])
        points += [waves[-1][0], waves[-1][1], waves[-1][-2], waves[-1][-1]]
    line = _taut(points)
    for wave in waves:  # between the outer ends the webbing goes through the slots
        a, b = (int(np.argmin(np.hypot(*(line - q).T))) for q in (wave[0], wave[-1]))
        line = np.roll(line, -min(a, b), axis=0) if abs(a - b) < len(line) / 2 else np.roll(line, -max(a, b), axis=0)
        first = wave if np.hypot(*(line[0] - wave[0])) < 1e-6 else wave[::-1]
        last = int(np.argmin(np.hypot(*(line - first[-1]).T)))
        line = np.concatenate([np.array(first), line[last + 1 :]])
    closed = np.vstack([line, line[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    even = np.linspace(0, length[-1], 900, endpoint=False)
    out = np.stack([np.interp(even, length, closed[:, k]) for k in (0, 1)], axis=1)
    kernel = np.exp(-0.5 * (np.arange(-8, 9) / 2.6) ** 2)
    kernel /= kernel.sum()
    wrapped = np.vstack([out[-8:], out, out[:8]])
    return np.stack([np.convolve(wrapped[:, k], kernel, "valid") for k in (0, 1)], axis=1)


def _taut(points: list[tuple[float, float]]) -> NDArray[np.float64]:
    """The convex hull, counter-clockwise (Andrew's monotone chain)."""
    pts = sorted(set(points))

    def half(seq: list[tuple[float, float]]) -> list[tuple[float, float]]:
        out: list[tuple[float, float]] = []
        for q in seq:
            while len(out) > 1 and (out[-1][0] - out[-2][0]) * (q[1] - out[-2][1]) <= (out[-1][1] - out[-2][1]) * (
                q[0] - out[-2][0]
            ):
                out.pop()
            out.append(q)
        return out[:-1]

    return np.array(half(pts) + half(pts[::-1]))


def near(line: NDArray[np.float64], degrees: float) -> Place:
    """The spot on the webbing that is nearest to this angle."""
    at = place(degrees)
    k = int(np.argmin(np.hypot(line[:, 0] - at.x, line[:, 1] - at.y)))
    t = line[(k + 3) % len(line)] - line[k - 3]
    t /= np.hypot(*t)
    return Place(float(line[k, 0]), float(line[k, 1]), float(t[1]), float(-t[0]))


def along(
    line: NDArray[np.float64], start: float, end: float, z: float, out: float
) -> list[tuple[float, float, float]]:
    """Points along the belt from one angle to another."""
    found = []
    for degrees in np.linspace(start, end, max(3, int(abs(end - start) / 5))):
        at = near(line, float(degrees))
        found.append((at.x + out * at.nx, at.y + out * at.ny, z))
    return found


def _weave(points: Array, normals: Array) -> tuple[Array, Array]:
    """Webbing: rows of threads, and a seam along either edge."""
    z = points[:, 2:3]
    along = (points[:, 0:1] - points[:, 1:2]) * np.float32(0.7)
    bright = 1.0 + 0.10 * np.sin(z * np.float32(2.6)) + 0.06 * np.sin((along + z) * np.float32(2.2))
    seam = np.exp(-(((np.abs(z) - 21.5) / 0.7) ** 2)) * (np.sin(along * np.float32(1.5)) > -0.3)
    return (bright + 2.2 * seam).astype(np.float32), normals


def webbing(p: Parameters, line: NDArray[np.float64], closed: bool = True) -> Thing:
    """A band with round edges along the line."""
    t = np.roll(line, -1, 0) - np.roll(line, 1, 0) if closed else np.gradient(line, axis=0)
    t /= np.hypot(*t.T)[:, None]
    n = np.stack([t[:, 1], -t[:, 0]], axis=1)
    half, thick = p.belt.webbing_mm / 2, p.belt.webbing_thick_mm / 2
    a = np.linspace(0, 2 * pi, 41)
    cz = np.sign(np.sin(a)) * np.abs(np.sin(a)) ** 0.15 * half
    cz[0] = cz[20] = cz[-1] = 0.0  # or rounding would leave a crack
    cn = np.sign(np.cos(a)) * np.abs(np.cos(a)) ** 0.35 * thick
    grid = np.concatenate(
        [line[None] + cn[:, None, None] * n[None], np.broadcast_to(cz[:, None, None], (41, len(line), 1))], axis=2
    )
    return replace(_sheet(grid, BAND, 0.05, closed), texture=_weave)


def strip(p: Parameters) -> Thing:
    """A straight piece of webbing behind a bracket and over its end bars."""
    near, over = MIDDLE_X / 2, p.bracket.plate_mm + p.belt.webbing_thick_mm / 2
    ends = [
        (150.0, 0.0),
        (near + p.belt.slot_mm + END_X + 12, 1.0),
        (near + p.belt.slot_mm + END_X, over),
        (near + p.belt.slot_mm, over),
        (near + 1.0, -1.2),
        (0.0, -1.2),
    ]
    x, y = np.array(ends + [(-a, b) for a, b in ends[-2::-1]]).T
    even = np.linspace(150.0, -150.0, 600)
    kernel = np.hanning(21)
    line = np.convolve(np.pad(np.interp(-even, -x, y), 10, mode="edge"), kernel / kernel.sum(), "valid")
    return webbing(p, np.stack([even, line], axis=1), False)
