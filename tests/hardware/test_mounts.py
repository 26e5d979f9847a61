"""The printed mounts: every part of the parameter file is printable, and no sensor looks at its own bracket."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from manifold3d import Manifold

from mounts import check, make
from mounts.bracket import seat
from mounts.cradles import CRADLES, outdoor
from mounts.parameters import FILE, ParameterError, Parameters, Print, load
from mounts.parts import LIES, SHEETS, all_parts, fitted, on_bed
from mounts.shapes import box

P = load()
ENDS = check.settings(P)


@pytest.fixture(scope="module")
def parts() -> dict[str, Manifold]:
    """Let go at the end of this module: nanobind complains of each solid that outlives the interpreter."""
    return all_parts(P)


def edited(tmp_path: Path, old: str, new: str) -> Path:
    text = FILE.read_text("utf-8")
    assert text.count(f"\n{old}") == 1
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(f"\n{old}", f"\n{new}"), "utf-8")
    return path


def loaded(tmp_path: Path, **values: float) -> Parameters:
    """The parameters with some replaced; a key is section__name."""
    text = FILE.read_text("utf-8")
    for key, value in values.items():
        section, name = key.split("__")
        head, tail = text.split(f"[{section}]")
        line = next(line for line in tail.splitlines() if line.startswith(f"{name} ="))
        text = f"{head}[{section}]{tail.replace(line, f'{name} = {value}', 1)}"
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    return load(path)


@pytest.mark.parametrize("name", LIES)
def test_a_part_is_one_closed_body_with_walls_of_1_6_mm_and_fits_the_bed(name: str, parts: dict[str, Manifold]) -> None:
    tris = check.triangles(parts[name])
    assert check.faults(tris) == []
    assert check.thinnest(tris).wall_mm >= check.WALL_MM
    assert not check.too_large(name, parts[name], P)
    assert check.volume_mm3(tris) == pytest.approx(parts[name].volume(), rel=1e-3)


def test_every_part_has_a_way_to_lie_and_a_picture(parts: dict[str, Manifold]) -> None:
    assert set(parts) == set(LIES) == {name for names in SHEETS.values() for name in names}


@pytest.mark.parametrize("name", LIES)
def test_a_part_lies_on_the_bed_with_enough_of_it_to_stick(name: str, parts: dict[str, Manifold]) -> None:
    solid = on_bed(name, parts[name])
    first_layer = solid ^ box((-200, 200), (-200, 200), (0.0, 0.2))
    assert solid.bounding_box()[2] == pytest.approx(0.0, abs=1e-6)
    assert first_layer.volume() / 0.2 > 100.0  # mm2


@pytest.mark.parametrize("sensor", CRADLES)
def test_the_beam_is_clear_at_every_height_and_tilt(sensor: str) -> None:
    assert [check.in_beam_mm3(P, sensor, *at) for at in ENDS] == pytest.approx([0.0] * len(ENDS), abs=1e-3)


@pytest.mark.parametrize("sensor", CRADLES)
def test_the_cradle_turns_without_meeting_the_bracket(sensor: str) -> None:
    assert [check.collision_mm3(P, sensor, *at) for at in ENDS] == pytest.approx([0.0] * len(ENDS), abs=1e-3)


@pytest.mark.parametrize("sensor", CRADLES)
def test_the_sensor_fits_into_its_cradle_and_the_cradle_closes(sensor: str) -> None:
    cradle = CRADLES[sensor](P)
    printed = list(cradle.printed.values())
    assert [(a ^ b).volume() for a in printed for b in cradle.part.values()] == pytest.approx(
        [0.0] * len(printed) * len(cradle.part), abs=1e-3
    )
    assert [(a ^ b).volume() for a, b in pairwise(printed)] == pytest.approx([0.0] * (len(printed) - 1), abs=1e-3)


def test_a_box_too_small_is_refused_with_the_two_that_meet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded(tmp_path, box__inner_z_mm=81.0)
    path = tmp_path / "mine.toml"
    assert make.main(["--parameters", str(path), "--out", str(tmp_path), "--no-pictures"]) == 1
    assert f"{path}: box: perfboard and box meet; a larger box.inner_x_mm" in capsys.readouterr().err
    assert not (tmp_path / "stl").exists()


@pytest.mark.parametrize(("slant", "dry"), [(0.5, True), (1.0, True), (2.0, False)])
def test_the_hood_keeps_drops_that_fall_at_45_degrees_off_the_lenses(slant: float, dry: bool) -> None:
    cradle = outdoor(P)
    x0, _, z0, x1, y1, z1 = cradle.part["glass"].bounding_box()
    spots = [(x, z) for x in (x0, -5.0, 5.0, x1) for z in (z0, (z0 + z1) / 2, z1)]
    drops = [box((x - 0.1, x + 0.1), (y1, y1 + 0.1), (z - 0.1, z + 0.1)) for x, z in spots]
    ways = [Manifold.batch_hull([drop, drop.translate((0, 40 * slant, 40))]) for drop in drops]  # out and up
    assert all((way ^ cradle.printed["outdoor-hood"]).volume() > 1e-3 for way in ways) is dry


def test_each_lidar_stands_on_a_platform_of_its_own_size(parts: dict[str, Manifold]) -> None:
    for name, base in {"ld06": (38.0, 38.0), "ld19": (54.0, 46.3)}.items():
        x0, _, _, x1, _, _ = parts[f"{name}-platform"].bounding_box()
        foot = CRADLES[name](P).part["dark"].bounding_box()
        assert (foot[3] - foot[0], foot[4] - foot[1]) == pytest.approx(base)
        assert x1 - x0 == pytest.approx(base[0] + 4.0)


@pytest.mark.parametrize("sensor", CRADLES)
def test_a_beam_goes_out_behind_and_tilts_with_the_cradle(sensor: str) -> None:
    level, up = (fitted(P, sensor, 0.0, tilt).beams.bounding_box() for tilt in (0.0, 15.0))
    assert level[4] > 600.0  # y, away from the back
    assert up[5] > level[5] + 50.0  # z


def test_a_finger_in_the_beam_is_found() -> None:
    at = fitted(P, "hcsr04").beams.bounding_box()
    finger = box((12, 14), (at[1] + 30, at[1] + 32), (0, 200))
    assert check.in_beam_mm3(P, "hcsr04", 0.0, 0.0, finger) > 10.0


def test_a_visor_over_the_wide_sensor_is_found_and_over_the_narrow_one_is_not() -> None:
    cradle = outdoor(P)
    top, out = cradle.printed["outdoor-front"].bounding_box()[5], cradle.printed["outdoor-front"].bounding_box()[4]
    visor = box((-20, 20), (out, out + 8), (top - 2, top))
    low = box((-20, 20), (out, out + 30), (-18, -16))
    assert check.in_beam_mm3(P, "outdoor", 0.0, 0.0, seat(P, visor, 0.0, 0.0)) == 0.0
    assert check.in_beam_mm3(P, "outdoor", 0.0, 0.0, seat(P, low, 0.0, 0.0)) > 10.0


def test_a_sensor_that_looks_at_the_wearer_is_found() -> None:
    beams = fitted(P, "ld06").beams
    assert (beams.rotate((0, 0, 180)) ^ check.wearer(P)).volume() > 1000.0


def test_a_cradle_that_is_turned_too_far_meets_the_upright() -> None:
    assert check.collision_mm3(P, "outdoor", 0.0, -60.0) > 1.0


@pytest.mark.parametrize("wall", [0.4, 1.0, 1.5])
def test_a_wall_that_is_too_thin_is_found_and_measured(wall: float) -> None:
    tray = box((0, 40), (0, 30), (0, 20)) - box((2, 38 + 2 - wall), (2, 28), (2, 30))
    found = check.thinnest(check.triangles(tray))
    assert found.wall_mm == pytest.approx(wall, abs=0.02)
    assert 40 - wall - 0.1 <= found.at_mm[0] <= 40.1


def test_a_thin_web_between_two_holes_is_found() -> None:
    drill = Manifold.cylinder(20, 2.0, -1.0, 48)
    block = box((-20, 20), (-10, 10), (0, 10)) - drill.translate((-2.4, 0, -1)) - drill.translate((2.4, 0, -1))
    assert check.thinnest(check.triangles(block)).wall_mm == pytest.approx(0.8, abs=0.1)


def test_a_part_made_too_thin_is_refused_with_its_name_and_place(
    monkeypatch: pytest.MonkeyPatch, parts: dict[str, Manifold]
) -> None:
    thin = parts["pod-lid"] + box((-5, 5), (-0.5, 0), (-5, 5)).translate((9, 0, 0))
    monkeypatch.setattr(make, "all_parts", lambda p: {"pod-lid": thin})
    monkeypatch.setattr(make, "CRADLES", {})
    assert any(line.startswith("pod-lid: a wall of 0.50 mm at (") for line in make.wrong(P))


def test_an_open_a_turned_and_a_doubled_mesh_are_found() -> None:
    cube = check.triangles(Manifold.cube((1, 1, 1)))
    assert check.faults(cube) == []
    assert check.faults(cube[1:]) == ["a hole: an edge with one face only"]
    assert check.faults(cube[:, ::-1]) == ["wound inward"]
    assert check.faults(np.concatenate([cube, cube + 5.0])) == ["2 pieces"]
    one_turned = np.concatenate([cube[:1, ::-1], cube[1:]])
    assert "an edge with more than two faces, or faces wound against each other" in check.faults(one_turned)


def test_a_part_larger_than_the_bed_is_found(parts: dict[str, Manifold]) -> None:
    assert check.too_large("box", parts["box"].scale((1.5, 1.0, 1.0)), P)


@pytest.mark.parametrize(
    "changed",
    [
        {"belt__webbing_mm": 38.0, "motor__diameter_mm": 8.0, "ld06__base_x_mm": 40.0, "ld19__base_x_mm": 50.0},
        {"motor__diameter_mm": 12.0, "bracket__tilt_deg": 16.0, "bracket__travel_mm": 40.0, "print__fit_mm": 0.4},
    ],
)
def test_other_webbing_motors_and_lidars_give_sound_parts_too(changed: dict[str, float], tmp_path: Path) -> None:
    assert make.wrong(loaded(tmp_path, **changed)) == []


def test_values_that_are_each_allowed_and_together_leave_a_thin_wall_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded(tmp_path, ld06__hole_far_mm=26.0)  # the slots now run out of the platform
    path = tmp_path / "mine.toml"
    assert make.main(["--parameters", str(path), "--out", str(tmp_path), "--no-pictures"]) == 1
    assert capsys.readouterr().err.startswith(f"{path}: ld06-platform: a wall of 0.")
    assert not (tmp_path / "stl").exists()


def test_a_value_out_of_bounds_is_refused_with_file_key_value_and_bounds(tmp_path: Path) -> None:
    path = edited(tmp_path, "webbing_mm = 50.0", "webbing_mm = 25")
    with pytest.raises(ParameterError) as refused:
        load(path)
    assert str(refused.value) == f"{path}: belt.webbing_mm = 25 is out of bounds; allowed is 38 to 50"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("webbing_mm = 50.0", "webbing_mm = nan", "belt.webbing_mm = nan is out of bounds; allowed is 38 to 50"),
        ("webbing_mm = 50.0", 'webbing_mm = "50"', "belt.webbing_mm = '50' is no number; allowed is 38 to 50"),
        ("webbing_mm = 50.0", "webbing_mm = true", "belt.webbing_mm = True is no number; allowed is 38 to 50"),
        ("webbing_mm = 50.0", "", "belt.webbing_mm is missing; write webbing_mm = a number from 38 to 50"),
        ("webbing_mm = 50.0", "webing_mm = 50.0", "belt.webing_mm is unknown; here are: webbing_mm, "),
        ("[belt]", "[strap]", "strap is unknown; here are: print, screw, belt"),
    ],
)
def test_a_parameter_file_that_cannot_be_used_says_why(old: str, new: str, says: str, tmp_path: Path) -> None:
    path = edited(tmp_path, old, new)
    with pytest.raises(ParameterError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: {says}")


def test_a_file_that_is_not_there_or_no_toml_is_told_on_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("webbing_mm = = 5", "utf-8")
    for path in (bad, tmp_path / "absent.toml"):
        assert make.main(["--parameters", str(path), "--out", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"{path}: ")
        assert said.count("\n") == 1
    assert not (tmp_path / "stl").exists()


def test_every_value_is_refused_on_either_side_of_its_bounds(tmp_path: Path) -> None:
    tried = 0
    for section, kind in get_type_hints(Parameters).items():
        for name, hint in get_type_hints(kind, include_extras=True).items():
            bounds = get_args(hint)[1]
            for value in (bounds.low - 0.01, bounds.high + 0.01):
                with pytest.raises(ParameterError, match=rf"{section}\.{name} = .* is out of bounds; allowed is "):
                    loaded(tmp_path, **{f"{section}__{name}": value})
                tried += 1
    assert tried > 100


def test_no_bound_of_a_wall_allows_less_than_the_check_does() -> None:
    hints = get_type_hints(Print, include_extras=True)
    assert min(get_args(hints[name])[1].low for name in ("wall_mm", "skin_mm")) >= check.WALL_MM


def test_the_same_solid_gives_the_same_bytes_and_they_read_back() -> None:
    first, second = (make.stl(check.triangles(on_bed("pod", all_parts(P)["pod"]))) for _ in range(2))
    assert first == second
    (count,) = struct.unpack_from("<I", first, 80)
    assert len(first) == 84 + 50 * count
    record = np.frombuffer(first, np.dtype([("normal", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")]), count, 84)
    assert check.faults(record["v"].astype(np.float64)) == []
    corners = record["v"].astype(np.float64)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", across, record["normal"]) >= -1e-6).all()


def test_the_committed_files_are_those_of_the_parameters_and_small(parts: dict[str, Manifold]) -> None:
    files = {path.stem: path for path in (FILE.parent / "stl").glob("*.stl")}
    assert set(files) == set(parts)
    assert sum(path.stat().st_size for path in files.values()) < 2_000_000
    for name, path in files.items():  # not the bytes: a newer library may cut a solid into other triangles
        data = path.read_bytes()
        record = np.frombuffer(data, np.dtype([("normal", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")]), -1, 84)
        corners = record["v"].astype(np.float64)
        ours = on_bed(name, parts[name])
        assert check.volume_mm3(corners) == pytest.approx(ours.volume(), rel=2e-3)
        assert corners.reshape(-1, 3).max(0) == pytest.approx(ours.bounding_box()[3:], abs=0.02)
    for picture in (FILE.parent / "pictures").glob("*.png"):
        assert picture.stat().st_size < (300_000 if picture.stem == "belt" else 150_000)
