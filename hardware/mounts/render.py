"""Pictures without a graphics card: rays traced by embree, light from a window and a sky, a filter against grain.

Colours are linear RGB, 0 to 1, lengths mm. Each pixel sends a few rays; where one meets a surface, one ray asks
whether a point of the window (the key light) is seen, and one, spread by the cosine, what else lights the place: the
sky, or another surface, which is taken to be lit evenly. The light is then smoothed across the picture, but not
across edges of shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from manifold3d import Manifold
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float32]
Texture = Callable[[Array, Array], tuple[Array, Array]]  # points and normals (n, 3) -> brightness (n, 1) and normals

KEY = 1.75  # strength of the window
SKY_LOW, SKY_HIGH = np.array([0.62, 0.63, 0.66], np.float32), np.array([0.98, 1.0, 1.04], np.float32)
BOUNCE = 0.55  # how brightly a surface lights its neighbours, as a share of the open sky
REST = 3e-4  # a new ray starts off its surface by this share of the way it came: single precision


@dataclass(frozen=True)
class Thing:
    """A body of one colour: corners and their normals, both of shape (n, 3, 3); `gloss` 0 to 1."""

    corners: Array
    normals: Array
    colour: tuple[float, float, float]
    gloss: float = 0.15
    texture: Texture | None = None
    catches: bool = False  # nothing but shadow is seen of it


@dataclass(frozen=True)
class Camera:
    """Where it stands, what it looks at, and how many mm the picture is wide there."""

    at: tuple[float, float, float]
    to: tuple[float, float, float]
    wide_mm: float


@dataclass(frozen=True)
class Look:
    """Size in pixels, rays a pixel, and the light."""

    width: int = 720
    height: int = 540
    rays: int = 10
    background: tuple[float, float, float] = (0.80, 0.81, 0.82)
    window: tuple[float, float, float] = (-0.55, -0.5, 1.0)  # the direction it is in
    soft: float = 0.22  # its radius, as a share of its distance
    vignette: float = 0.0
    seed: int = field(default=7)


def thing(
    solid: Manifold, colour: tuple[float, float, float], gloss: float = 0.15, texture: Texture | None = None
) -> Thing:
    """A solid, smooth where its faces meet at less than 40 degrees."""
    mesh = solid.calculate_normals(0, 40.0).to_mesh()
    data = np.asarray(mesh.vert_properties, np.float32)[np.asarray(mesh.tri_verts)]
    return Thing(data[..., :3], data[..., 3:6], colour, gloss, texture)


def layers(axis: int, pitch: float = 0.8, depth: float = 0.05) -> Texture:
    """The ridges of a print that grew along this axis; coarser than they are, or the picture could not show them."""

    def ridges(points: Array, normals: Array) -> tuple[Array, Array]:
        bent = normals.copy()
        flat = 1.0 - normals[:, axis] ** 2
        bent[:, axis] += depth * flat * np.sin(points[:, axis] * np.float32(2 * np.pi / pitch))
        return np.ones((len(points), 1), np.float32), _unit(bent)

    return ridges


def framed(things: list[Thing], toward: tuple[float, float, float], look: Look, margin: float = 1.12) -> Camera:
    """A camera in this direction from the things, so far away and so turned that they fill the picture."""
    points = np.concatenate([t.corners.reshape(-1, 3) for t in things if not t.catches])
    ahead = -_unit(np.array(toward, np.float32))
    right = _unit(np.cross(ahead, np.array([0, 0, 1], np.float32)).astype(np.float32))
    up = np.cross(right, ahead)
    low, high = ((points @ np.stack([right, up, ahead]).T).min(0), (points @ np.stack([right, up, ahead]).T).max(0))
    middle = (low + high) / 2
    to = middle[0] * right + middle[1] * up + middle[2] * ahead
    wide = margin * max(high[0] - low[0], (high[1] - low[1]) * look.width / look.height)
    at = to - ahead * 3.5 * wide
    return Camera((float(at[0]), float(at[1]), float(at[2])), (float(to[0]), float(to[1]), float(to[2])), float(wide))


def floor(z: float) -> Thing:
    """A ground that only catches shadows, 20 m wide."""
    r = 1e4
    corners = np.array([[[-r, -r, z], [r, -r, z], [r, r, z]], [[-r, -r, z], [r, r, z], [-r, r, z]]], np.float32)
    up = np.broadcast_to(np.array([0, 0, 1], np.float32), (2, 3, 3))
    return Thing(corners, up, (0.8, 0.8, 0.8), 0.0, None, True)


def _unit(v: Array) -> Array:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9), np.float32)


def _sky(d: Array) -> Array:
    return np.asarray(SKY_LOW + (SKY_HIGH - SKY_LOW) * (0.5 + 0.5 * d[:, 2:3]), np.float32)


class _World:
    """All things in one embree scene, with what is needed at each triangle."""

    def __init__(self, things: list[Thing]) -> None:
        count = [len(t.corners) for t in things]
        self.corners = np.concatenate([t.corners for t in things]).astype(np.float32)
        self.normals = np.concatenate([t.normals for t in things]).astype(np.float32)
        self.owner = np.repeat(np.arange(len(things)), count)
        self.colours = np.array([t.colour for t in things], np.float32)
        self.gloss = np.array([t.gloss for t in things], np.float32)
        self.catches = np.array([t.catches for t in things])
        self.things = things
        self.scene = EmbreeScene()
        TriangleMesh(self.scene, self.corners)

    def surface(
        self, prim: NDArray[np.int32], u: Array, v: Array, d: Array, points: Array
    ) -> tuple[Array, Array, NDArray[np.int64]]:
        """Normals toward the eye, colours, and the owners, of what was met."""
        n = self.normals[prim]
        normal = _unit(n[:, 0] * (1 - u - v)[:, None] + n[:, 1] * u[:, None] + n[:, 2] * v[:, None])
        owner = self.owner[prim]
        colour = self.colours[owner].copy()
        for k, t in enumerate(self.things):
            if t.texture and (mine := owner == k).any():
                bright, normal[mine] = t.texture(points[mine], normal[mine])
                colour[mine] *= bright
        away = np.einsum("ij,ij->i", normal, d) > 0
        normal[away] -= 1.02 * np.einsum("ij,ij->i", normal[away], d[away])[:, None] * d[away]
        return _unit(normal), colour, owner


def picture(things: list[Thing], camera: Camera, look: Look) -> NDArray[np.uint8]:
    """Shape (height, width, 3), sRGB. The same things, camera and look give the same picture."""
    world, rng = _World(things), np.random.default_rng(look.seed)
    size = look.width * look.height
    total, albedo, guide = (np.zeros((size, k), np.float32) for k in (3, 3, 6))
    for _ in range(look.rays):
        origin, d = _rays(camera, look, rng)
        rgb, base, shape = _shade(world, look, origin, d, rng)
        total += rgb
        albedo += base
        guide += shape
    grid = (look.height, look.width, -1)
    rays = np.float32(look.rays)
    albedo, guide = np.maximum(albedo / rays, np.float32(0.02)), guide / rays
    light = _smooth((total / rays / albedo).reshape(grid), guide.reshape(grid))
    rgb = np.asarray(light * albedo.reshape(grid), np.float32)
    if look.vignette:
        y, x = np.mgrid[-1 : 1 : look.height * 1j, -1 : 1 : look.width * 1j]
        rgb *= (1 - look.vignette * (x * x + 0.8 * y * y)).astype(np.float32)[..., None]
    return _developed(rgb)


def _rays(camera: Camera, look: Look, rng: np.random.Generator) -> tuple[Array, Array]:
    at, to = np.array(camera.at, np.float32), np.array(camera.to, np.float32)
    ahead = _unit(to - at)
    right = _unit(np.cross(ahead, np.array([0, 0, 1], np.float32)).astype(np.float32))
    up = np.cross(right, ahead)
    y, x = np.mgrid[0 : look.height, 0 : look.width].astype(np.float32)
    step = camera.wide_mm / look.width
    x = (x + rng.random(x.shape, np.float32) - look.width / 2) * step
    y = (look.height / 2 - y - rng.random(y.shape, np.float32)) * step
    d = ahead * np.linalg.norm(to - at) + x[..., None] * right + y[..., None] * up
    d = _unit(d.reshape(-1, 3).astype(np.float32))
    return np.ascontiguousarray(np.broadcast_to(at, d.shape)), d


def _shade(world: _World, look: Look, origin: Array, d: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """For each ray: what it sees, the surface's own colour, and its shape (normal and place) for the filter."""
    hit = world.scene.run(origin, d, output=1)
    met = hit["primID"] >= 0
    rgb = np.broadcast_to(np.array(look.background, np.float32), d.shape).copy()
    base, shape = rgb.copy(), np.zeros((len(d), 6), np.float32)
    prim, seen = hit["primID"][met], d[met]
    points = origin[met] + seen * hit["tfar"][met][:, None]
    normal, colour, owner = world.surface(prim, hit["u"][met], hit["v"][met], seen, points)
    start = points + normal * (REST * hit["tfar"][met])[:, None]

    window = _unit(
        np.array(look.window, np.float32) + look.soft * rng.normal(size=points.shape).astype(np.float32) * 0.6
    )
    lit = (world.scene.run(start, window, query="OCCLUDED") == -1).astype(np.float32)[:, None]
    slant = np.maximum(np.einsum("ij,ij->i", normal, window), 0)[:, None] * lit

    spread = _unit(normal + _unit(rng.normal(size=points.shape).astype(np.float32)) * 0.999)
    other = world.scene.run(start, spread, output=1)["primID"]
    glow = _sky(spread)
    near = other >= 0
    glow[near] = world.colours[world.owner[other[near]]] * BOUNCE * 0.8
    light = KEY * slant * np.array([1.0, 0.97, 0.92], np.float32) + glow

    half = _unit(window - seen)
    shine = np.maximum(np.einsum("ij,ij->i", normal, half), 0)[:, None]
    gloss = world.gloss[owner][:, None]
    fresnel = 0.04 + 0.96 * (1 - np.maximum(-np.einsum("ij,ij->i", normal, seen), 0))[:, None] ** 5
    mirror = seen - 2 * np.einsum("ij,ij->i", normal, seen)[:, None] * normal
    bright = gloss * (
        1.6 * shine ** (20 + 160 * gloss) * lit + fresnel * _sky(mirror) * np.where(near, 0.3, 0.9)[:, None]
    )
    out = colour * light / 2.2 + bright

    caught = world.catches[owner]
    if caught.any():
        up = np.array([[0, 0, 1]], np.float32)
        open_light = KEY * _unit(np.array([look.window], np.float32))[:, 2:3] + _sky(up * 0.333)
        share = (light[caught] / open_light).mean(axis=1, keepdims=True)
        out[caught] = np.array(look.background, np.float32) * np.minimum(0.12 + 0.88 * share, 1.08)
        colour[caught] = look.background
    rgb[met], base[met] = out, colour
    shape[met] = np.hstack([normal, points / 40.0])
    return rgb, base, shape


def _smooth(light: Array, guide: Array) -> Array:
    """Edge-stopping wavelet filter: four passes of a 3 by 3 kernel whose holes double in width."""
    for k in range(4):
        step = 1 << k
        total, weight = np.zeros_like(light), np.zeros((*light.shape[:2], 1), np.float32)
        for dy in (-step, 0, step):
            for dx in (-step, 0, step):
                g, c = _shifted(guide, dy, dx), _shifted(light, dy, dx)
                far, change = _apart(g, guide), _apart(c, light)
                w = np.exp(-far / 0.06 - change / (0.35 / (1 << k))) * (1 if dy and dx else 2 if dy or dx else 4)
                total += w * c
                weight += w
        light = np.asarray(total / weight, np.float32)
    return light


def _shifted(a: Array, dy: int, dx: int) -> Array:
    """The neighbours at this distance; the border repeats."""
    if not dy and not dx:
        return a
    wide = np.pad(a, ((max(-dy, 0), max(dy, 0)), (max(-dx, 0), max(dx, 0)), (0, 0)), mode="edge")
    return wide[max(dy, 0) :, max(dx, 0) :][: a.shape[0], : a.shape[1]]


def _apart(a: Array, b: Array) -> Array:
    """The squared distance of each pixel's values, shape (height, width, 1)."""
    d = a - b
    return np.asarray(np.einsum("ijk,ijk->ij", d, d)[..., None], np.float32)


def _developed(rgb: Array) -> NDArray[np.uint8]:
    """Highlights rolled off, then the sRGB curve (IEC 61966-2-1)."""
    x = np.maximum(rgb, 0)
    rolled = np.where(x > 0.7, 0.7 + 0.3 * np.tanh((x - 0.7) / 0.6), x)
    curve = np.where(rolled <= 0.0031308, 12.92 * rolled, 1.055 * np.maximum(rolled, 1e-6) ** (1 / 2.4) - 0.055)
    return np.asarray(np.clip(curve, 0, 1) * 255 + 0.5, np.uint8)


def png(pixels: NDArray[np.uint8], colours: int = 255) -> bytes:
    """PNG with a palette of so many colours, which makes it small, or with all of them (0)."""
    image = Image.fromarray(pixels)
    if colours:
        image = image.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.FLOYDSTEINBERG)
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
