"""A guard that dies lets go of its pins: resistors alone must then keep the motors still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import checks
from wiring import BUILDS, Build

BOARDS = ("outdoor", "full-view")


def said_of(build: Build) -> list[str]:
    return [text.removeprefix(f"{build.folder}/harness.yml: ") for text in checks.disagreements(build)]


@pytest.mark.parametrize(
    ("pulls", "volts"),
    [
        ({}, "0.00"),
        ({"OE": ["GND", 1000]}, "0.00"),
        ({"OE": ["VCC", 100_000]}, "0.23"),
        ({"OE": ["VCC", 4700]}, "2.04"),  # 2.24 V by the figures printed on them
    ],
)
@pytest.mark.parametrize("name", BOARDS)
def test_a_motor_board_that_a_dead_guard_leaves_enabled_is_told(name: str, pulls: dict[str, Any], volts: str) -> None:
    build = Build(name)
    build.parts["pca9685"]["pulls"] = pulls
    assert said_of(build) == [
        f"firmware/rearguard/builds/{name}.toml: belt.enable_pin = 22 rests high, but in hardware/{name}/harness.yml "
        f"resistors alone leave GPIO 22 (header pin 15) at {volts} V, which is no 2.31 V or more "
        "(hardware/parts.toml: pulls, holds)"
    ]


@pytest.mark.parametrize("name", BOARDS)
def test_the_resistor_wins_against_the_breakouts_own(name: str) -> None:
    build = Build(name)
    assert build.parts["pca9685"]["holds"]["OE"] == ["GND", 10_000]
    build.parts["pca9685"]["holds"]["OE"] = ["GND", 1000]
    (said,) = said_of(build)
    assert "resistors alone leave GPIO 22 (header pin 15) at 1.5" in said


@pytest.mark.parametrize("name", BUILDS)
def test_a_transistor_that_nothing_holds_off_is_told(name: str) -> None:
    build = Build(name)
    for part in build.parts.values():
        part.get("pulls", {}).pop("BUZ", None)
    (said,) = said_of(build)
    assert ": buzzer.pin = 25 rests low, but in " in said
    assert "resistors alone leave GPIO 25 (header pin 22) at 3.30 V, which is no 0.99 V or less" in said


def test_a_motor_that_is_pulled_on_is_told() -> None:
    build = Build("starter")
    build.parts["starter-board"]["pulls"]["M_L"] = ["5V", 10_000]
    assert any(": belt.motor.left.pin = 12 rests low, but in " in text for text in said_of(build))


def test_a_motor_board_without_an_enable_line_is_told(changed: Callable[..., Build]) -> None:
    build = changed(
        "outdoor",
        (
            "PI: [1, 20, 3, 5, 15], W5: [1-5], PWM: [VCC, GND, SDA, SCL, OE]",
            "PI: [1, 20, 3, 5], W5: [1-4], PWM: [VCC, GND, SDA, SCL]",
        ),
        ("3, 5, 15, 22", "3, 5, 22"),
        ("GPIO 22, ", ""),
        ("SCL, OE, LED0", "SCL, LED0"),
        ("wirecount: 5, colors: [OG, BK, BU, YE, VT]", "wirecount: 4, colors: [OG, BK, BU, YE]"),
    )
    del build.about["wires"]["belt.enable_pin"]
    assert (
        f"{build.folder}/build.toml names no PWM.OE for belt.enable_pin: a dead guard leaves its motors on"
        in said_of(build)
    )
