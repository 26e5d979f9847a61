"""Harness, parts and firmware agree; where one is changed alone, the answer names both places."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import checks
import wiring
from rearguard.config import load
from wiring import BUILDS, Build, End

Copy = Callable[..., Build]


@pytest.fixture
def changed(tmp_path: Path) -> Copy:
    """A copy of a build, with words in its harness.yml replaced."""

    def copy(name: str, *swaps: tuple[str, str]) -> Build:
        folder = tmp_path / name
        shutil.copytree(wiring.HERE / name, folder)
        text = (folder / "harness.yml").read_text()
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new)
        (folder / "harness.yml").write_text(text)
        return Build(name, folder)

    return copy


def with_setting(build: str, old: str, new: str, tmp_path: Path) -> list[str]:
    """What is said of a build's configuration when a line of it is changed."""
    path = tmp_path / "other.toml"
    text = checks.config_path(Build(build)).read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return checks.disagreements(Build(build), path)


@pytest.mark.parametrize("name", BUILDS)
def test_wiring_parts_and_configuration_of_a_build_agree(name: str) -> None:
    assert checks.disagreements(Build(name)) == []


def test_a_pin_changed_in_the_configuration_alone_is_told_with_both_places(tmp_path: Path) -> None:
    (said,) = with_setting("starter", "echo_pin = 24", "echo_pin = 27", tmp_path)[:1]
    assert said.endswith(
        "other.toml: sensor.rear.echo_pin = 27, but hardware/starter/harness.yml leads SENSOR.Echo "
        "to GPIO 24 (header pin 18)"
    )


def test_a_pin_changed_in_the_harness_alone_is_told_with_both_places(changed: Copy) -> None:
    build = changed(
        "starter", ("35, 22, 11, 9]", "36, 22, 11, 9]"), ("33, 35, 22]", "33, 36, 22]"), ("GPIO 19", "GPIO 16")
    )
    (said,) = checks.disagreements(build)
    assert said.startswith("firmware/rearguard/default.toml: belt.motor.right.pin = 19, but ")
    assert said.endswith("/starter/harness.yml leads RIGHT.- to GPIO 16 (header pin 36)")


def test_two_motors_that_are_swapped_are_told(changed: Copy) -> None:
    build = changed("outdoor", ("BOARD: [IN1, IN2, IN3", "BOARD: [IN2, IN1, IN3"))
    assert [text.split(": ")[1].split(",")[0] for text in checks.disagreements(build)] == [
        "belt.motor.left.channel = 0",
        "belt.motor.back_left.channel = 1",
    ]


def test_a_label_that_is_not_that_pin_of_the_header_is_told(changed: Copy) -> None:
    (said,) = checks.disagreements(changed("starter", ("GPIO 24, GPIO 12", "GPIO 24, GPIO 21")))
    assert said.endswith("pin 32 of PI is labelled GPIO 21; hardware/header.toml says GPIO 12")


def test_an_echo_that_is_not_divided_is_told() -> None:
    build = Build("starter")
    build.parts["starter-board"]["divides"]["S_ECHO"]["bottom_ohm"] = 1e6
    (said,) = checks.disagreements(build)
    assert re.search(r"SENSOR\.Echo puts 4\.9\d to 5\.00 V on GPIO 24 \(header pin 18\), which takes", said)


def test_a_divider_that_leaves_too_little_is_told() -> None:
    build = Build("starter")
    build.parts["starter-board"]["divides"]["S_ECHO"]["bottom_ohm"] = 500
    (said,) = checks.disagreements(build)
    assert "puts 1.5" in said


def test_a_part_on_the_wrong_rail_is_told(changed: Copy) -> None:
    (said,) = checks.disagreements(changed("outdoor", ("PI: [1, 20, 3, 5, 15]", "PI: [4, 20, 3, 5, 15]")))[-1:]
    assert "header pin" in said or "wire" in said
    build = Build("starter")
    build.parts["hc-sr04"]["supply"]["VCC"] = [2.7, 3.6]
    assert checks.disagreements(build) == [
        "hardware/starter/harness.yml: SENSOR.VCC gets 5 V; hardware/parts.toml says 2.7 to 3.6 V"
    ]


def test_rails_that_meet_are_told(changed: Copy) -> None:
    build = changed("starter", ("BOARD: [5V, GND]", "BOARD: [GND, 5V]"))
    assert any("SENSOR.VCC gets 0 V" in text for text in checks.disagreements(build))


def test_a_wire_from_rail_to_rail_is_told(changed: Copy) -> None:
    build = changed(
        "starter", ('- [PI: [11, 9], W8: [1-2], BUTTON: ["1", "2"]]', "- [PI: [2, 9], W8: [1-2], PI: [9, 2]]")
    )
    assert any("0 V and 5 V meet at" in text for text in checks.disagreements(build))


def test_a_sensor_of_another_model_is_told(tmp_path: Path) -> None:
    (said,) = with_setting("outdoor", 'model = "tf-luna" ', 'model = "tfmini-s" ', tmp_path)
    assert "benewake (tfmini-s)" in said and "benewake (tf-luna)" in said


def test_a_gpio_that_nothing_uses_and_a_setting_without_a_wire_are_told(tmp_path: Path) -> None:
    said = with_setting("outdoor", "enable_pin = 22", "# enable_pin = 22", tmp_path)
    assert len(said) == 2
    assert "names a wire for belt.enable_pin, which" in said[0]
    assert "GPIO 22 (header pin 15) is wired, but nothing in" in said[1]


def test_a_part_that_is_not_in_the_list_is_refused_with_its_name(changed: Copy) -> None:
    with pytest.raises(KeyError, match=r"SENSOR is a 'hc-sr05', which hardware/parts\.toml does not have"):
        changed("starter", ("pn: hc-sr04", "pn: hc-sr05"))


def test_every_sensor_driver_has_a_part_that_a_build_or_a_substitute_names() -> None:
    parts = Build("starter").parts
    drivers = {part["driver"] for part in parts.values() if "driver" in part}
    assert drivers == {
        sensor.driver for name in BUILDS for sensor in load(checks.config_path(Build(name))).sensors.values()
    }


def test_a_signal_is_followed_through_divider_and_transistor_but_not_along_a_rail() -> None:
    build = Build("starter")
    assert build.leads_to(End("SENSOR", "Echo")) == {End("PI", "18")}
    assert build.leads_to(End("BUZZER", "-")) == {End("PI", "22")}
    assert build.leads_to(End("BUZZER", "+")) == set()
