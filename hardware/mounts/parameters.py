"""The dimensions of the printed parts: read from `parameters.toml`, each held against its bounds.

Lengths are in mm and angles in degrees, as the names say: this is the workshop's unit, not the firmware's.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

FILE = Path(__file__).with_name("parameters.toml")


class ParameterError(ValueError):
    """A parameter file that cannot be used: which file, which key, its value, and what is allowed."""


@dataclass(frozen=True)
class Bounds:
    low: float
    high: float


Wall = Annotated[float, Bounds(1.6, 6.0)]
Gap = Annotated[float, Bounds(0.1, 0.8)]
Small = Annotated[float, Bounds(0.4, 8.0)]
Hole = Annotated[float, Bounds(1.5, 8.0)]
Part = Annotated[float, Bounds(5.0, 80.0)]


@dataclass(frozen=True)
class Print:
    wall_mm: Wall
    skin_mm: Annotated[float, Bounds(1.6, 3.0)]
    fit_mm: Gap
    edge_mm: Annotated[float, Bounds(0.5, 1.6)]
    bed_mm: Annotated[float, Bounds(150.0, 400.0)]


@dataclass(frozen=True)
class Screw:
    clearance_mm: Annotated[float, Bounds(3.1, 3.8)]
    nut_flats_mm: Annotated[float, Bounds(5.5, 6.0)]
    nut_high_mm: Annotated[float, Bounds(2.0, 2.6)]
    pilot_m3_mm: Annotated[float, Bounds(2.3, 2.9)]
    pilot_m25_mm: Annotated[float, Bounds(1.8, 2.4)]


@dataclass(frozen=True)
class Belt:
    webbing_mm: Annotated[float, Bounds(38.0, 50.0)]
    webbing_thick_mm: Annotated[float, Bounds(1.0, 3.0)]
    slot_mm: Annotated[float, Bounds(3.5, 8.0)]


@dataclass(frozen=True)
class Bracket:
    plate_mm: Annotated[float, Bounds(5.0, 8.0)]
    bar_mm: Annotated[float, Bounds(20.0, 30.0)]
    bar_thick_mm: Annotated[float, Bounds(4.0, 8.0)]
    travel_mm: Annotated[float, Bounds(10.0, 40.0)]
    tilt_deg: Annotated[float, Bounds(5.0, 16.0)]
    axis_high_mm: Annotated[float, Bounds(40.0, 60.0)]
    axis_out_mm: Annotated[float, Bounds(10.0, 16.0)]
    lock_mm: Annotated[float, Bounds(12.0, 14.0)]


@dataclass(frozen=True)
class Hcsr04:
    board_x_mm: Annotated[float, Bounds(40.0, 50.0)]
    board_z_mm: Annotated[float, Bounds(18.0, 24.0)]
    board_thick_mm: Annotated[float, Bounds(1.0, 2.0)]
    can_mm: Annotated[float, Bounds(15.0, 17.0)]
    can_apart_mm: Annotated[float, Bounds(23.0, 28.0)]
    can_high_mm: Annotated[float, Bounds(10.0, 14.0)]
    cone_deg: Annotated[float, Bounds(15.0, 60.0)]


@dataclass(frozen=True)
class TfLuna:
    size_x_mm: Annotated[float, Bounds(30.0, 45.0)]
    size_z_mm: Annotated[float, Bounds(15.0, 25.0)]
    size_y_mm: Annotated[float, Bounds(10.0, 20.0)]
    lip_mm: Annotated[float, Bounds(1.0, 2.5)]
    cone_deg: Annotated[float, Bounds(1.0, 5.0)]


@dataclass(frozen=True)
class A02yyuw:
    thread_mm: Annotated[float, Bounds(16.0, 26.0)]
    flange_mm: Annotated[float, Bounds(20.0, 34.0)]
    face_mm: Annotated[float, Bounds(1.0, 15.0)]
    behind_mm: Annotated[float, Bounds(14.0, 30.0)]
    cone_deg: Annotated[float, Bounds(30.0, 100.0)]


@dataclass(frozen=True)
class Lidar:
    base_x_mm: Annotated[float, Bounds(36.0, 60.0)]
    base_y_mm: Annotated[float, Bounds(36.0, 60.0)]
    high_mm: Annotated[float, Bounds(30.0, 40.0)]
    plane_mm: Annotated[float, Bounds(18.0, 32.0)]
    sector_deg: Annotated[float, Bounds(60.0, 105.0)]
    slice_deg: Annotated[float, Bounds(1.0, 4.0)]
    screw_mm: Annotated[float, Bounds(2.2, 3.4)]
    hole_near_mm: Annotated[float, Bounds(10.0, 20.0)]
    hole_far_mm: Annotated[float, Bounds(20.0, 28.0)]


@dataclass(frozen=True)
class Motor:
    diameter_mm: Annotated[float, Bounds(8.0, 12.0)]
    thick_mm: Annotated[float, Bounds(2.0, 4.0)]
    cable_mm: Annotated[float, Bounds(1.2, 3.0)]


@dataclass(frozen=True)
class Box:
    inner_x_mm: Annotated[float, Bounds(88.0, 130.0)]
    inner_z_mm: Annotated[float, Bounds(60.0, 100.0)]
    inner_y_mm: Annotated[float, Bounds(20.0, 40.0)]
    standoff_mm: Annotated[float, Bounds(2.5, 8.0)]
    jumper_mm: Annotated[float, Bounds(5.0, 20.0)]
    pi_x_mm: Part
    pi_z_mm: Part
    pi_hole_x_mm: Part
    pi_hole_z_mm: Part
    pi_power_mm: Part
    pi_usb_mm: Part
    board_x_mm: Part
    board_z_mm: Part
    board_hole_x_mm: Part
    board_hole_z_mm: Part
    perf_x_mm: Part
    perf_z_mm: Part
    perf_hole_x_mm: Part
    perf_hole_z_mm: Part
    perf_high_mm: Annotated[float, Bounds(8.0, 25.0)]
    adapter_x_mm: Annotated[float, Bounds(30.0, 80.0)]
    adapter_z_mm: Annotated[float, Bounds(10.0, 22.0)]
    adapter_y_mm: Annotated[float, Bounds(5.0, 12.0)]
    buzzer_mm: Annotated[float, Bounds(9.0, 14.0)]
    buzzer_high_mm: Annotated[float, Bounds(7.0, 12.0)]
    plug_x_mm: Annotated[float, Bounds(8.0, 16.0)]
    plug_y_mm: Annotated[float, Bounds(5.0, 12.0)]
    button_mm: Annotated[float, Bounds(6.0, 16.5)]
    button_deep_mm: Annotated[float, Bounds(10.0, 35.0)]
    cable_mm: Annotated[float, Bounds(3.0, 7.0)]


@dataclass(frozen=True)
class Parameters:
    """All sections of the file."""

    print: Print
    screw: Screw
    belt: Belt
    bracket: Bracket
    hcsr04: Hcsr04
    tfluna: TfLuna
    a02yyuw: A02yyuw
    ld06: Lidar
    ld19: Lidar
    motor: Motor
    box: Box


def load(path: Path = FILE) -> Parameters:
    """The parameters in `path`; ParameterError says what has to be mended, and where."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ParameterError(f"{path}: {error}") from error
    sections = get_type_hints(Parameters)
    _only(path, "", table, sections)
    return Parameters(**{name: _section(path, name, kind, table.get(name)) for name, kind in sections.items()})


def _section(path: Path, name: str, kind: Any, table: object) -> Any:
    if not isinstance(table, dict):
        raise ParameterError(f"{path}: section [{name}] is missing; take it from {FILE.name} of this release")
    hints = get_type_hints(kind, include_extras=True)
    _only(path, f"{name}.", table, hints)
    return kind(**{f.name: _value(path, f"{name}.{f.name}", table.get(f.name), hints[f.name]) for f in fields(kind)})


def _value(path: Path, key: str, value: object, hint: Any) -> float:
    bounds = get_args(hint)[1]
    allowed = f"{bounds.low:g} to {bounds.high:g}"
    if value is None:
        raise ParameterError(f"{path}: {key} is missing; write {key.split('.')[1]} = a number from {allowed}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParameterError(f"{path}: {key} = {value!r} is no number; allowed is {allowed}")
    if not bounds.low <= value <= bounds.high:  # nan, too
        raise ParameterError(f"{path}: {key} = {value:g} is out of bounds; allowed is {allowed}")
    return float(value)


def _only(path: Path, prefix: str, table: dict[str, Any], known: dict[str, Any]) -> None:
    for key in table:
        if key not in known:
            raise ParameterError(f"{path}: {prefix}{key} is unknown; here are: {', '.join(known)}")
