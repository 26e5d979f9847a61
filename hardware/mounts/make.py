"""Makes the files to print and their pictures: `python hardware/mounts/make.py [--out DIR] [--no-pictures]`.

Every part is checked first; a part that fails is named with what is wrong, and nothing is written.
"""

from __future__ import annotations

import argparse
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mounts import check, scene
from mounts.bracket import seat
from mounts.cradles import CRADLES
from mounts.parameters import FILE, ParameterError, Parameters, load
from mounts.parts import SHEETS, all_parts, fitted, on_bed
from mounts.render import Look, Thing, floor, framed, layers, picture, png, thing
from mounts.waist import strip

HERE = Path(__file__).resolve().parent


def stl(tris: NDArray[np.float64]) -> bytes:
    """Binary STL of triangles of shape (n, 3, 3), in mm: a title of 80 bytes, a count, 50 bytes each, little-endian."""
    across = np.cross(tris[:, 1] - tris[:, 0], tris[:, 2] - tris[:, 0])
    normals = across / np.maximum(np.linalg.norm(across, axis=1), 1e-12)[:, None]
    record = np.zeros(len(tris), np.dtype([("v", "<f4", 12), ("attribute", "<u2")]))
    record["v"] = np.round(np.hstack([normals, tris.reshape(-1, 9)]), 4) + 0.0
    return b"Rearguard, mm".ljust(80) + struct.pack("<I", len(tris)) + record.tobytes()


def wrong(p: Parameters) -> list[str]:
    """What is wrong with the parts of these parameters: a line for each fault."""
    lines = []
    for name, solid in all_parts(p).items():
        tris = check.triangles(solid)
        lines += [f"{name}: {fault}" for fault in check.faults(tris)]
        thin = check.thinnest(tris)
        if thin.wall_mm < check.WALL_MM:
            at = ", ".join(f"{v:.1f}" for v in thin.at_mm)
            lines.append(f"{name}: a wall of {thin.wall_mm:.2f} mm at ({at}); at least {check.WALL_MM} mm is needed")
        if check.too_large(name, solid, p):
            lines.append(f"{name}: does not fit a bed of {p.print.bed_mm:g} mm (print.bed_mm)")
    for first, second in check.boards_collide(p):
        lines.append(f"box: {first} and {second} meet; a larger box.inner_x_mm, inner_y_mm or inner_z_mm parts them")
    for sensor in CRADLES:
        for height, tilt in check.settings(p):
            if check.in_beam_mm3(p, sensor, height, tilt) > check.NOTHING_MM3:
                lines.append(f"{sensor}: something stands in its beam at height {height:g} mm, tilt {tilt:g} degrees")
            if check.collision_mm3(p, sensor, height, tilt) > check.NOTHING_MM3:
                lines.append(f"{sensor}: the cradle meets the bracket at height {height:g} mm, tilt {tilt:g} degrees")
    return lines


def sheet(p: Parameters, names: tuple[str, ...], look: Look) -> NDArray[np.uint8]:
    """Parts side by side, as they lie on the bed."""
    parts, things, x = all_parts(p), [floor(0.0)], 0.0
    boxes = []
    for name in names:
        solid = on_bed(name, parts[name])
        boxes.append((solid, solid.bounding_box()))
    gap = 0.10 * max(b[3] - b[0] for _, b in boxes)
    for solid, b in boxes:
        things.append(thing(solid.translate((x - b[0], 0, 0)), scene.PRINT, 0.3, layers(2)))
        x += b[3] - b[0] + gap
    return picture(things, framed(things, (0.45, -2.0, 1.6), look), look)


def mounted(p: Parameters, sensor: str, look: Look) -> NDArray[np.uint8]:
    """The bracket with its sensor, looking up by a few degrees, on a piece of webbing."""
    height, tilt = p.bracket.travel_mm / 3, 6.0
    it, cradle = fitted(p, sensor, height, tilt), CRADLES[sensor](p)
    solids = list(it.printed.values())
    things: list[Thing] = [thing(s, scene.PRINT, 0.35) for s in solids]
    things += [*scene.sensor(it.part), strip(p)]
    screws = [seat(p, scene.screw((x, z), y), height, tilt) for x, y, z in cradle.screws]
    screws += [scene.screw((0.0, z), p.bracket.plate_mm + p.bracket.bar_thick_mm) for z in (-10.0, 10.0)]
    things += [thing(s, scene.SILVER, 0.8) for s in screws]
    return picture(things, framed([t for t in things if t.texture is None], (0.75, 1.0, 0.35), look, 1.3), look)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Makes the STL files and pictures of all mounts.")
    parser.add_argument("--parameters", type=Path, default=FILE, help="another file of dimensions")
    parser.add_argument(
        "--out", type=Path, default=HERE, help="folder for stl/ and pictures/ (default: beside this file)"
    )
    parser.add_argument("--no-pictures", action="store_true", help="STL files only")
    options = parser.parse_args(arguments)
    try:
        p = load(options.parameters)
    except ParameterError as error:
        print(error, file=sys.stderr)
        return 2
    if lines := wrong(p):
        print("\n".join(f"{options.parameters}: {line}" for line in lines), file=sys.stderr)
        return 1
    write(p, options.out, pictures=not options.no_pictures)
    return 0


def write(p: Parameters, out: Path, *, pictures: bool = True) -> list[Path]:
    """The STL files of all parts and, in the end, their pictures and the whole belt's; says each as it is there."""
    made = []

    def put(name: str, data: bytes) -> None:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        made.append(path)
        print(f"{path}: {len(data)} bytes", flush=True)

    for name, solid in all_parts(p).items():
        put(f"stl/{name}.stl", stl(check.triangles(on_bed(name, solid))))
    if not pictures:
        return made
    look = Look(640, 480, 6)
    for name, parts in SHEETS.items():
        put(f"pictures/print-{name}.png", png(sheet(p, parts, look)))
    look = replace(look, window=(0.8, 0.62, 0.95))  # from behind the wearer's left, where the camera stands
    for sensor in CRADLES:
        put(f"pictures/mounted-{sensor}.png", png(mounted(p, sensor, look)))
    put("pictures/belt.png", png(picture(scene.belt(p), scene.CAMERA, scene.LOOK), 0))
    return made


if __name__ == "__main__":
    sys.exit(main())
