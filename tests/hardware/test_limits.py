"""What a pin may feed, what a transistor may carry, and what a motor that stands still draws there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import limits
from wiring import BUILDS, Build


def said_of(build: Build) -> list[str]:
    return [text.removeprefix(f"hardware/{build.name}/harness.yml: ") for text in limits.faults(build)]


def test_every_feed_that_is_no_ground_and_every_transistor_has_a_limit() -> None:
    parts = Build("starter").parts
    for part in parts.values():
        if "feeds" in part:
            assert part["gives_ma"].keys() == {pin for pin, volts in part["feeds"].items() if volts}
        assert ("channels" in part) == ("channel_ma" in part) == ("drop_v" in part)
    assert parts["pi-zero-2w"]["gives_ma"].keys() == {"3V3"}  # its 5 V is the bank's and the cable's


def test_a_sensor_that_is_too_much_for_the_headers_3_3_volts_is_told(changed: Callable[..., Build]) -> None:
    build = changed(
        "full-view",
        ("PI: [4, 14, 10], W2", "PI: [17, 14, 10], W2"),
        ("[2, 6, 4, 14", "[2, 6, 17, 14"),
        ("[5V, GND, 5V, GND, GPIO 15", "[5V, GND, 3V3, GND, GPIO 15"),
    )
    assert said_of(build) == [
        "PI.3V3 feeds up to 306 mA (LIDAR, PWM); a pi-zero-2w gives 50 mA there (hardware/parts.toml: gives_ma): "
        "feed them from elsewhere"
    ]


def test_a_sensor_that_is_too_much_for_the_adapters_3_3_volts_is_told() -> None:
    build = Build("outdoor")
    build.parts["a02yyuw"]["start_ma"] = 101
    assert said_of(build) == [
        "ADAPTER.3V3 feeds up to 101 mA (SONAR); a usb-serial gives 100 mA there (hardware/parts.toml: gives_ma): "
        "feed them from elsewhere"
    ]


def test_a_motor_board_that_draws_more_than_3_3_volts_give_is_told() -> None:
    build = Build("outdoor")
    build.parts["pca9685"]["on_ma"] = 51
    assert said_of(build)[0].startswith("PI.3V3 feeds up to 51 mA (PWM); a pi-zero-2w gives 50 mA there")


@pytest.mark.parametrize("name", BUILDS)
def test_a_transistor_that_takes_less_than_its_motor_is_told(name: str) -> None:
    build = Build(name)
    build.parts["uln2803a"]["channel_ma"] = 100
    said = said_of(build)
    outputs = {"starter": ["L-", "B-", "R-"], "outdoor": [f"M{n}-" for n in range(1, 6)]}
    for out, text in zip(outputs.get(name, [f"M{n}-" for n in range(1, 9)]), said, strict=True):
        assert text == (
            f"BOARD.{out} carries up to 102 mA; a channel of the uln2803a takes 100 mA "
            "(hardware/parts.toml: channel_ma)"
        )


def test_two_motors_on_one_transistor_count_together(changed: Callable[..., Build]) -> None:
    build = changed("starter", ("BOARD: [B+, B-], W5", "BOARD: [B+, L-], W5"))
    build.parts["uln2803a"]["channel_ma"] = 200
    assert said_of(build)[0].startswith("BOARD.L- carries up to 205 mA; a channel of the uln2803a takes 200 mA")


def test_a_buzzer_behind_the_ninth_transistor_is_held_against_that_one() -> None:
    build = Build("full-view")
    build.parts["mosfet"]["channel_ma"] = 20
    (said,) = said_of(build)
    assert said.startswith("BOARD.BZ- carries up to 30 mA; a channel of the mosfet takes 20 mA")


@pytest.mark.parametrize(
    ("part", "key", "value", "sum_"),
    [
        ("coin-motor", "start_ma", 105, "5 - 0.9 V over 12 and 28 ohm, 102.5 mA"),
        ("uln2803a", "drop_v", 0.1, "5 - 0.1 V over 12 and 28 ohm, 122.5 mA"),
        ("starter-board", "motor_ohm", 22, "5 - 0.9 V over 22 and 28 ohm, 82.0 mA"),
    ],
)
def test_a_start_that_is_not_what_winding_resistor_and_transistor_let_through_is_told(
    part: str, key: str, value: float, sum_: str
) -> None:
    build = Build("starter")
    build.parts[part][key] = value
    start_ma = build.parts["coin-motor"]["start_ma"]
    assert said_of(build) == [
        f"BOARD lets LEFT start with {sum_}; hardware/parts.toml says {start_ma:g} (start_ma of coin-motor)",
        f"BOARD lets BACK start with {sum_}; hardware/parts.toml says {start_ma:g} (start_ma of coin-motor)",
        f"BOARD lets RIGHT start with {sum_}; hardware/parts.toml says {start_ma:g} (start_ma of coin-motor)",
    ]


@pytest.mark.parametrize("part", ["coin-motor", "buzzer"])
@pytest.mark.parametrize("name", BUILDS)
def test_a_substitute_may_draw_what_its_line_allows(name: str, part: str) -> None:
    build = Build(name)
    (most,) = re.findall(r"up to (\d+) mA", build.parts[part]["instead"])
    build.parts[part]["on_ma"] = int(most)
    assert said_of(build) == []
