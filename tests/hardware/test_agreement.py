"""Harness, parts and firmware agree; where one is changed alone, the answer names both places."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import checks
from rearguard.config import load
from wiring import BUILDS, Build, End


def with_setting(build: str, old: str, new: str, tmp_path: Path) -> list[str]:
    """What is said of a build's configuration when a line of it is changed."""
    path = tmp_path / "other.toml"
    text = checks.config_path(Build(build)).read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return checks.disagreements(Build(build), path)


def said_of(build: Build) -> list[str]:
    """What is said of a changed build, without the place of its copy."""
    return [text.removeprefix(f"{build.folder}/harness.yml: ") for text in checks.disagreements(build)]


@pytest.mark.parametrize("name", BUILDS)
def test_wiring_parts_and_configuration_of_a_build_agree(name: str) -> None:
    assert checks.disagreements(Build(name)) == []


def test_a_pin_changed_in_the_configuration_alone_is_told_with_both_places(tmp_path: Path) -> None:
    (said,) = with_setting("starter", "echo_pin = 24", "echo_pin = 27", tmp_path)[:1]
    assert said.endswith(
        "other.toml: sensor.rear.echo_pin = 27, but hardware/starter/harness.yml leads SENSOR.Echo "
        "to GPIO 24 (header pin 18)"
    )


def test_a_pin_changed_in_the_harness_alone_is_told_with_both_places(changed: Callable[..., Build]) -> None:
    build = changed(
        "starter", ("35, 22, 11, 9]", "36, 22, 11, 9]"), ("33, 35, 22]", "33, 36, 22]"), ("GPIO 19", "GPIO 16")
    )
    (said,) = checks.disagreements(build)
    assert said.startswith("firmware/rearguard/default.toml: belt.motor.right.pin = 19, but ")
    assert said.endswith("/starter/harness.yml leads RIGHT.- to GPIO 16 (header pin 36)")


def test_two_motors_that_are_swapped_are_told(changed: Callable[..., Build]) -> None:
    build = changed("outdoor", ("BOARD: [IN1, IN2, IN3", "BOARD: [IN2, IN1, IN3"))
    assert [text.split(": ")[1].split(",")[0] for text in checks.disagreements(build)] == [
        "belt.motor.left.channel = 0",
        "belt.motor.back_left.channel = 1",
    ]


def test_a_label_that_is_not_that_pin_of_the_header_is_told(changed: Callable[..., Build]) -> None:
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


def test_a_part_on_the_wrong_rail_is_told(changed: Callable[..., Build]) -> None:
    build = changed(
        "outdoor",
        ("PI: [4, 14, 8, 10], W2", "PI: [1, 14, 8, 10], W2"),
        ("2, 6, 4, 14", "2, 6, 14"),
        ("GND, 5V, GND, GPIO 14", "GND, GND, GPIO 14"),
    )
    assert said_of(build) == ["LUNA.VCC gets 3.3 V; hardware/parts.toml says 3.7 to 5.2 V"]
    hungry = Build("starter")
    hungry.parts["hc-sr04"]["supply"]["VCC"] = [2.7, 3.6]
    assert said_of(hungry) == [
        "hardware/starter/harness.yml: SENSOR.VCC gets 5 V; hardware/parts.toml says 2.7 to 3.6 V"
    ]


def test_rails_that_meet_are_told(changed: Callable[..., Build]) -> None:
    build = changed("starter", ("BOARD: [5V, GND]", "BOARD: [GND, 5V]"))
    assert any("SENSOR.VCC gets 0 V" in text for text in checks.disagreements(build))


def test_a_wire_from_rail_to_rail_is_told(changed: Callable[..., Build]) -> None:
    build = changed(
        "starter", ('- [PI: [11, 9], W8: [1-2], BUTTON: ["1", "2"]]', "- [PI: [2, 6], W8: [1-2], PI: [6, 2]]")
    )
    said = said_of(build)
    assert any(text.startswith("0 V and 5 V meet at BACK.+, BOARD.5V, ") for text in said)
    assert "SENSOR.VCC gets 0 V and 5 V; hardware/parts.toml says 4.5 to 5.5 V" in said
    assert "SENSOR.GND gets 0 V and 5 V; hardware/parts.toml says 0 to 0 V" in said


def test_a_sensor_of_another_model_is_told(tmp_path: Path) -> None:
    (said,) = with_setting("outdoor", 'model = "tf-luna" ', 'model = "tfmini-s" ', tmp_path)
    assert "benewake (tfmini-s)" in said and "benewake (tf-luna)" in said


def test_a_gpio_that_nothing_uses_and_a_setting_without_a_wire_are_told(tmp_path: Path) -> None:
    said = with_setting("outdoor", "enable_pin = 22", "# enable_pin = 22", tmp_path)
    assert len(said) == 2
    assert "names a wire for belt.enable_pin, which" in said[0]
    assert "GPIO 22 (header pin 15) is wired, but nothing in" in said[1]


def test_a_press_that_puts_5_volts_or_3_on_a_pin_is_told(changed: Callable[..., Build]) -> None:
    for volts, pin, label in ((5, 4, "5V"), (3.3, 17, "3V3")):
        build = changed(
            "starter", ("PI: [11, 9]", f"PI: [11, {pin}]"), ("11, 9]", f"11, {pin}]"), ("17, GND]", f"17, {label}]")
        )
        assert said_of(build) == [f"BUTTON.2 gets {volts:g} V; hardware/parts.toml says 0 to 0 V"]
        shutil.rmtree(build.folder)


def test_a_motor_board_for_3_volts_on_5_is_told_with_every_pin_it_pulls_up(changed: Callable[..., Build]) -> None:
    build = changed(
        "full-view", ("PI: [1, 20, 3", "PI: [2, 20, 3"), ("10, 1, 20", "10, 20"), ("(RXD), 3V3, GND", "(RXD), GND")
    )
    pulled = "PWM.{} is pulled to 5 V by {} ohm, and so is {}, which takes 3.6 V"
    assert said_of(build) == [
        "PWM.VCC gets 5 V; hardware/parts.toml says 2.3 to 3.6 V",
        pulled.format("OE", 1000, "GPIO 22 (header pin 15)"),
        pulled.format("SDA", 10000, "GPIO 2 (SDA) (header pin 3)"),
        pulled.format("SCL", 10000, "GPIO 3 (SCL) (header pin 5)"),
    ]


def test_pins_that_drive_motor_and_buzzer_without_a_transistor_are_told(changed: Callable[..., Build]) -> None:
    said = said_of(
        changed("starter", ("BOARD: [L+, L-], W4", "BOARD: [L+, M_L], W4"), ("[BZ+, BZ-], W7", "[BZ+, BUZ], W7"))
    )
    assert "LEFT.- is pulled to 5 V by 28 ohm, and so is GPIO 12 (header pin 32), which takes 3.6 V" in said
    assert "BUZZER.- is pulled to 5 V by 170 ohm, and so is GPIO 25 (header pin 22), which takes 3.6 V" in said


def test_a_pin_of_the_header_on_a_rail_is_told(changed: Callable[..., Build]) -> None:
    build = changed("starter", ('W8: [1-2], BUTTON: ["1", "2"]', 'W8: [1-2], BUTTON: ["2", "2"]'))
    assert said_of(build)[:2] == ["BUTTON.1 has no wire", "GPIO 17 (header pin 11) is a signal, but hangs on 0 V"]


def test_a_sensor_whose_strap_is_on_another_rail_is_told(changed: Callable[..., Build]) -> None:
    sonar = changed("outdoor", ("SONAR: [RX], W4: [1], SONAR: [GND]", "SONAR: [RX], W4: [1], SONAR: [VCC]"))
    assert said_of(sonar) == ["SONAR.RX must be wired to SONAR.GND (hardware/parts.toml: ties)"]
    lidar = changed("full-view", ("LIDAR: [PWM], W3: [1], LIDAR: [GND]", "LIDAR: [PWM], W3: [1], LIDAR: [5V]"))
    assert said_of(lidar) == ["LIDAR.PWM must be wired to LIDAR.GND (hardware/parts.toml: ties)"]


def test_a_sensor_whose_two_data_wires_are_exchanged_is_told(changed: Callable[..., Build]) -> None:
    build = changed(
        "outdoor", ("SONAR: [RX], W4", "SONAR: [TX], W4"), ("SONAR: [VCC, GND, TX]", "SONAR: [VCC, GND, RX]")
    )
    assert said_of(build) == [
        "SONAR.RX must be wired to SONAR.GND (hardware/parts.toml: ties)",
        "SONAR.TX is a signal, but hangs on 0 V",
    ]


def test_a_sensor_that_speaks_to_an_adapters_output_is_told(changed: Callable[..., Build]) -> None:
    build = changed("outdoor", ("[3V3, GND, RXD]", "[3V3, GND, TXD]"))
    assert said_of(build) == ["SONAR.TX reaches no GPIO and no RXD of an adapter: nobody hears it"]


def test_an_adapter_that_listens_on_a_rail_is_told(changed: Callable[..., Build]) -> None:
    build = changed("outdoor", ("ADAPTER: [3V3, GND, RXD]", "ADAPTER: [RXD, GND, 3V3]"))
    assert said_of(build) == [
        "SONAR.VCC gets nothing; hardware/parts.toml says 3.3 to 5 V",
        "SONAR.TX is a signal, but hangs on 3.3 V",
    ]


def test_a_bus_and_an_address_that_the_board_does_not_have_are_told(tmp_path: Path) -> None:
    for old, new, end in (
        ("bus = 1 ", "bus = 3 ", "belt.bus = 3, but hardware/full-view/harness.yml has PWM on bus 1 (GPIO 2 and 3)"),
        ("address = 0x40", "address = 0x41", "belt.address = 0x41, but hardware/parts.toml gives a pca9685 0x40"),
    ):
        (said,) = with_setting("full-view", old, new, tmp_path)
        assert said == f"{tmp_path}/other.toml: {end}"


def test_a_wire_of_a_cable_that_is_used_twice_is_told(changed: Callable[..., Build]) -> None:
    build = changed("starter", ("W3: [1-4], SENSOR", "W3: [1, 1, 1, 1], SENSOR"))
    assert said_of(build) == [
        "W3 has wires 1 to 4 (wirecount), but its connections use 1, 1, 1, 1: each must be used once"
    ]


def test_a_cable_with_more_wires_than_colors_or_connections_is_told(changed: Callable[..., Build]) -> None:
    build = changed("starter", ("wirecount: 2, colors: [RD, YE]", "wirecount: 9, colors: [RD, YE]"))
    assert said_of(build) == [
        "W4 has wirecount 9, but 2 colors",
        "W4 has wires 1 to 9 (wirecount), but its connections use 1, 2: each must be used once",
    ]


def test_a_wire_number_that_the_cable_does_not_have_is_told(changed: Callable[..., Build]) -> None:
    for number in (0, 3):
        build = changed("starter", ("W4: [1-2], LEFT", f"W4: [1, {number}], LEFT"))
        used = ", ".join(map(str, sorted((1, number))))
        assert said_of(build) == [
            f"W4 has wires 1 to 2 (wirecount), but its connections use {used}: each must be used once"
        ]
        shutil.rmtree(build.folder)


def test_i2c_wires_that_are_exchanged_are_told(changed: Callable[..., Build]) -> None:
    build = changed("full-view", ("PI: [1, 20, 3, 5, 15]", "PI: [1, 20, 5, 3, 15]"))
    assert said_of(build) == [
        "PWM.SDA must go to GPIO 2: /dev/i2c-1 is there",
        "PWM.SCL must go to GPIO 3: /dev/i2c-1 is there",
    ]


def test_a_motor_board_that_the_configuration_does_not_know_is_told() -> None:
    said = checks.disagreements(Build("full-view"), checks.config_path(Build("starter")))
    assert (
        'firmware/rearguard/default.toml: belt.driver = "gpio_pwm", but hardware/full-view/harness.yml has a pca9685'
        in said
    )


def test_a_wire_to_a_pin_that_a_part_does_not_have_is_told(changed: Callable[..., Build]) -> None:
    build = changed("starter", ("BOARD: [BZ+, BZ-], W7", "BOARD: [BZ+, BZ_], W7"))
    assert said_of(build)[:2] == ["a wire ends at BOARD.BZ_, which that part does not have", "BOARD.BZ- has no wire"]


def test_a_part_that_no_rail_reaches_is_told(changed: Callable[..., Build]) -> None:
    build = changed(
        "outdoor",
        (
            "ADAPTER: [3V3, GND, RXD], W3: [1-3], SONAR: [VCC, GND, TX]",
            "ADAPTER: [GND, RXD], W3: [1-2], SONAR: [GND, TX]",
        ),
        ("wirecount: 3, colors: [RD, BK, WH]", "wirecount: 2, colors: [BK, WH]"),
    )
    assert said_of(build) == [
        "ADAPTER.3V3 has no wire",
        "SONAR.VCC has no wire",
        "SONAR.VCC gets nothing; hardware/parts.toml says 3.3 to 5 V",
    ]


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
