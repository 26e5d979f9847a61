"""Configurations, good and bad: the answer names file, key, value and what is allowed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rearguard import belt as belts
from rearguard import sensors
from rearguard.config import DEFAULT, load, parse
from rearguard.errors import ConfigError
from rearguard.summary import summary
from support import MOCK, config, default_toml


def changed(*path: Any) -> dict[str, Any]:
    """The default configuration with one value replaced: keys first, the value last."""
    table = default_toml()
    *keys, last, value = path
    inner = table
    for key in keys:
        inner = inner.setdefault(key, {})
    inner[last] = value
    return table


def complaint(table: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(table, "belt.toml")
    return str(caught.value)


def test_the_configuration_that_ships_is_good_and_is_the_default() -> None:
    shipped = load(None)
    assert shipped.source == str(DEFAULT)
    assert shipped.pin_factory == "lgpio"
    assert list(shipped.sensors) == ["rear"]


def test_the_configuration_that_ships_explains_every_key_it_sets() -> None:
    uncommented = [
        line
        for line in DEFAULT.read_text().splitlines()
        if line.startswith(("profile", "pin_factory", "swath_m", "driver", "min_duty", "kick_s")) and "#" not in line
    ]
    assert uncommented == []


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            changed("sensor", "rear", "trigger_pin", 99),
            "sensor.rear.trigger_pin = 99: allowed: a whole number from 2 to 27",
        ),
        (
            changed("sensor", "rear", "echo_pin", "24"),
            "sensor.rear.echo_pin = '24': allowed: a whole number from 2 to 27",
        ),
        (
            changed("sensor", "rear", "bearing_deg", 200),
            "sensor.rear.bearing_deg = 200: allowed: a number from -180 to 180",
        ),
        (
            changed("sensor", "rear", "trigger_pn", 5),
            "sensor.rear.trigger_pn = 5: unknown key (did you mean trigger_pin?)",
        ),
        (changed("sensor", "rear", "driver", "hcsr05"), "sensor.rear.driver = 'hcsr05': no such driver; allowed: "),
        (changed("sensor", "rear", "driver", ["x"]), "sensor.rear.driver = ['x']: no such driver; allowed: "),
        (changed("sensor", "Rear!", {"driver": "hcsr04"}), "sensor.Rear! = 'Rear!': allowed: text of a to z"),
        (changed("sensor", "belt", {"driver": "ld06"}), "sensor.belt: this name is taken by the guard"),
        (changed("sensor", {}), "sensor: no sensor is given"),
        (changed("sensor", "rear", 3), "sensor.rear = 3: allowed: a table"),
        (changed("profile", "brave"), "profile = 'brave': allowed: default, cautious"),
        (changed("pin_factory", "pigpio"), "pin_factory = 'pigpio': allowed: lgpio, rpigpio, mock"),
        (changed("belt", "driver", "pca"), "belt.driver = 'pca': no such driver; allowed: "),
        (changed("belt", "motor", {}), "belt.motor: no motor is given"),
        (changed("belt", "strength", 0.1), "belt.strength = 0.1: allowed: a number from 0.3 to 1"),
        (changed("belt", "motor", "left", "pin", 13), "this pin is taken by belt.motor."),
        (changed("buzzer", "pin", 23), "buzzer.pin = 23: this pin is taken by sensor.rear.trigger_pin"),
        (changed("buzzer", "pin", 2), "buzzer.pin = 2: GPIO 2 and 3 belong to I2C"),
        (changed("button", "long_press_s", 60), "button.long_press_s = 60: allowed: a number from 0.5 to 2.5"),
        (changed("journal", "total_mb", 0), "journal.total_mb = 0: allowed: a number from 0.02 to 10000"),
        (changed("swath", 0.4), "swath = 0.4: unknown key (did you mean swath_m?)"),
        (
            changed("sensor", "luna", {"driver": "benewake", "rate_hz": 90}),
            "sensor.luna.rate_hz = 90: allowed: 50, 100, 125, 250",
        ),
    ],
)
def test_a_bad_value_is_answered_with_file_key_value_and_what_is_allowed(table: dict[str, Any], words: str) -> None:
    said = complaint(table)
    assert said.startswith("belt.toml: ")
    assert words in said


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "path", [("sensor", "rear", "bearing_deg"), ("sensor", "rear", "temperature_c"), ("belt", "strength"), ("swath_m",)]
)
def test_numbers_that_are_none_are_refused(path: tuple[str, ...], value: float) -> None:
    assert f"{'.'.join(path)} = {value!r}" in complaint(changed(*path, value))


def test_journals_that_hold_less_than_one_file_are_refused() -> None:
    said = complaint(changed("journal", "total_mb", 4.0))
    assert said == "belt.toml: journal.total_mb = 4: less than one file; allowed: journal.file_mb, which is 8, or more"


def test_a_missing_key_is_named_with_what_it_takes() -> None:
    table = default_toml()
    del table["sensor"]["rear"]["echo_pin"]
    assert (
        complaint(table) == "belt.toml: sensor.rear.echo_pin: this key is missing; allowed: a whole number from 2 to 27"
    )


def test_uart_pins_are_taken_by_a_sensor_on_the_header() -> None:
    table = changed("sensor", "luna", {"driver": "benewake"})
    table["buzzer"]["pin"] = 14
    assert "buzzer.pin = 14: this pin is taken by sensor.luna.port (TX)" in complaint(table)


def test_uart_pins_are_free_when_the_sensor_is_on_usb() -> None:
    table = changed("sensor", "luna", {"driver": "benewake", "port": "/dev/ttyUSB0"})
    table["buzzer"]["pin"] = 14
    assert parse(table, "belt.toml").buzzer is not None


def test_two_sensors_on_one_port_are_refused() -> None:
    table = changed("sensor", {name: {"driver": "benewake", "port": "/dev/ttyUSB0"} for name in ("a", "b")})
    assert "this port is taken by sensor.a" in complaint(table)


def test_more_ultrasonics_than_can_be_heard_in_time_are_refused() -> None:
    pins = iter((4, 5, 6, 7, 8, 9, 10, 11))
    table = changed(
        "sensor",
        {f"u{i}": {"driver": "hcsr04", "trigger_pin": next(pins), "echo_pin": next(pins)} for i in range(4)},
    )
    assert "three ultrasonics" in complaint(table)
    del table["sensor"]["u3"]
    assert len(parse(table, "belt.toml").sensors) == 3


def test_a_file_that_is_missing_unreadable_or_no_toml_is_told_apart(tmp_path: Path) -> None:
    binary, broken = tmp_path / "binary.toml", tmp_path / "broken.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    broken.write_text('profile = "default"\n[sensor\n')
    for path, words in (
        (tmp_path / "none.toml", "no such file"),
        (tmp_path, "cannot be read"),
        (binary, "not a text file"),
        (broken, "line 2"),
    ):
        with pytest.raises(ConfigError, match=words) as caught:
            load(path)
        assert str(path) in str(caught.value)


def test_every_driver_that_is_discovered_can_be_named_in_a_configuration() -> None:
    for name in sensors.names():
        assert "no such driver" not in complaint(changed("sensor", "rear", {"driver": name, "nonsense": 1}))
    for name in belts.names():
        assert "no such driver" not in complaint(changed("belt", {"driver": name, "nonsense": 1}))


@pytest.mark.parametrize("name", ["", "_serial", "..config", "os", "hcsr04.Config", "rearguard.config"])
def test_a_driver_name_never_reaches_outside_its_package(name: str) -> None:
    with pytest.raises(KeyError):
        sensors.load(name)
    with pytest.raises(KeyError):
        belts.load(name)


def test_the_summary_gives_the_designs_distances_and_the_fastest_safe_walk() -> None:
    page = " ".join(summary(config()).split())
    assert "0.5 m/s 1.51 1.26 1.01" in page  # 0.5*(0.2+0.75) + 0.25/3 + 0.45 = 1.008; + 0.25; + 0.5
    assert "Fastest safe walk: 0.79 m/s (rear)" in page  # v*2.2 + v^2/3 + 0.45 = 2.4
    assert "pin_factory is 'mock'" in page


def test_the_summary_warns_of_what_is_allowed_and_unwise() -> None:
    table = tomllib.loads(MOCK)
    table["profile"] = "cautious"
    table["belt"]["motor"] = {"back": {"pin": 12, "bearing_deg": 0}}
    table["sensor"]["rear"]["bearing_deg"] = 90
    del table["buzzer"], table["button"]
    page = summary(parse(table, "x.toml"))
    for words in ("only sensor", "one motor cannot tell sides", "no buzzer", "no button", "no sensor looks behind"):
        assert words in page


@pytest.mark.parametrize("name", ["outdoor", "full-view"])
def test_a_ready_made_configuration_is_good_and_says_where_each_motor_hangs(name: str) -> None:
    config = load(DEFAULT.parent / "builds" / f"{name}.toml")
    page = summary(config)
    for at, (motor, _) in enumerate(sorted(config.belt.motor.items(), key=lambda item: item[1].channel)):
        assert re.search(rf"^  {motor} .* channel {at}$", page, re.MULTILINE), page
    assert re.search(r"^  enable_pin +GPIO 22$", page, re.MULTILINE)
    assert "no enable line" not in page


def test_a_motor_board_that_nobody_switches_off_is_warned_of() -> None:
    table = tomllib.loads(MOCK)
    table["belt"] = {"driver": "pca9685", "motor": {"back": {"channel": 3, "bearing_deg": 0}}}
    assert "no enable line: if the Pi or the bus hangs" in summary(parse(table, "x.toml"))


def test_a_sensor_that_talks_by_itself_and_seldom_keeps_its_round() -> None:
    config = load(DEFAULT.parent / "builds" / "outdoor.toml")
    assert {spec.name: spec.round_s for spec in config.specs()} == {"beam": 0.0, "sound": 0.1}
