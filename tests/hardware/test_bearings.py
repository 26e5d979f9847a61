"""Left is left: what the firmware, the table of a build and its harness say of each direction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import checks
from wiring import BUILDS, Build


def with_bearings(name: str, tmp_path: Path, *swaps: tuple[str, str]) -> list[str]:
    """What is said of a build when bearings of its configuration are others."""
    path = tmp_path / "other.toml"
    text = checks.config_path(Build(name)).read_text()
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return [said.removeprefix(f"{path}: ") for said in checks.disagreements(Build(name), path)]


@pytest.mark.parametrize(("name", "most"), [("starter", 90), ("outdoor", 70), ("full-view", 90)])
def test_left_and_right_that_change_places_in_the_configuration_are_told(name: str, most: int, tmp_path: Path) -> None:
    left, right = f"bearing_deg = -{most}", f"bearing_deg = {most}"
    assert with_bearings(name, tmp_path, (left, "@"), (right, left), ("@", right)) == [
        f"{motor}.bearing_deg = {-at}, but hardware/{name}/build.toml has {motor} at {at} (bearings)"
        for motor, at in (("belt.motor.left", -most), ("belt.motor.right", most))
    ]


@pytest.mark.parametrize(
    ("name", "sensor", "line"),
    [
        ("starter", "rear", "bearing_deg = 0          # 0 looks"),
        ("outdoor", "sound", "bearing_deg = 0\n\n[belt]"),
        ("full-view", "scan", "bearing_deg = 0          # where"),
    ],
)
def test_a_sensor_that_is_told_to_look_forward_is_told(name: str, sensor: str, line: str, tmp_path: Path) -> None:
    assert with_bearings(name, tmp_path, (line, line.replace("= 0", "= 180", 1))) == [
        f"sensor.{sensor}.bearing_deg = 180, but hardware/{name}/build.toml has sensor.{sensor} at 0 (bearings)"
    ]


def test_a_bearing_that_only_one_side_has_is_told() -> None:
    build = Build("outdoor")
    build.about["bearings"]["belt.motor.front"] = build.about["bearings"].pop("belt.motor.back")
    assert checks.disagreements(build) == [
        "firmware/rearguard/builds/outdoor.toml: belt.motor.back.bearing_deg = 0, but hardware/outdoor/build.toml has "
        "no belt.motor.back (bearings)",
        "hardware/outdoor/build.toml has belt.motor.front (bearings), which firmware/rearguard/builds/outdoor.toml "
        "does not have",
    ]


@pytest.mark.parametrize("name", BUILDS)
def test_a_motor_on_the_other_side_of_the_harness_is_told(name: str, changed: Callable[..., Build]) -> None:
    build = changed(name, ("subtype: left hip", "subtype: right hip"))
    at = build.about["bearings"]["belt.motor.left"]
    assert checks.disagreements(build) == [
        f"{build.folder}/harness.yml: LEFT is called 'right hip' (subtype), but {build.folder}/build.toml has "
        f"belt.motor.left at {at} (bearings)"
    ]


def test_a_sensor_that_looks_aside_in_the_harness_is_told(changed: Callable[..., Build]) -> None:
    (said,) = checks.disagreements(changed("starter", ("looks straight back", "looks to the left")))
    assert "SENSOR is called 'looks to the left' (subtype), but " in said
