"""The power budget drives its motors as the configuration of each build does."""

from __future__ import annotations

from pathlib import Path

import pytest

import checks
import limits
import loads
import power
from wiring import Build, WiringError


@pytest.fixture
def full_view() -> Build:
    return Build("full-view")


def set_up(build: Build, folder: Path, monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]) -> None:
    """A build whose configuration is changed in a copy."""
    text = checks.config_path(build).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "other.toml").write_text(text)
    monkeypatch.setattr(loads, "config_path", lambda build: folder / "other.toml")


def test_motors_that_the_configuration_lets_start_together_count_together(
    full_view: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = power.page([full_view])
    set_up(full_view, tmp_path, monkeypatch, ("start_together = 3 ", "start_together = 8 "))
    assert loads.inrush(full_view) == loads.inrush(full_view, staggered=False) == (820, 820)
    full_view.parts["usb-cable"]["most_ma"] = 1400
    (said,) = limits.faults(full_view)
    assert "up to 1436 mA from the usb-cable, which gives 1400" in said
    assert "at most 3 motors, or a third of" in page and "at most 8 motors, or a third of" in power.page([full_view])


def test_kick_strength_and_least_duty_are_those_of_the_configuration(
    full_view: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [loads.budget(full_view)["STOP held"].mean_ma]
    changes = [
        ("strength = 1.0 ", "strength = 0.3 "),
        ("kick_s = 0.04", "kick_s = 0.0"),
        ("min_duty = 0.35", "min_duty = 0.3"),
    ]
    for last in (1, 2, 3):
        (folder := tmp_path / str(last)).mkdir()
        with monkeypatch.context() as patch:
            set_up(full_view, folder, patch, *changes[:last])
            drawn.append(loads.budget(full_view)["STOP held"].mean_ma)
    assert drawn == sorted(drawn, reverse=True) and len(set(drawn)) == 4


def test_a_belt_that_has_no_drive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "other.toml"
    path.write_text(
        '[sensor.rear]\ndriver = "hcsr04"\ntrigger_pin = 23\necho_pin = 24\n'
        '[belt]\ndriver = "memory"\n[belt.motor.back]\nbearing_deg = 0\n'
    )
    monkeypatch.setattr(loads, "config_path", lambda build: path)
    with pytest.raises(WiringError, match=r"other\.toml: belt\.driver = 'memory'"):
        loads.drive(Build("starter"))
