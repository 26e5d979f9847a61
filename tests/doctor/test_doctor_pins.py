"""The library beneath the pins, the chip, who holds its lines, and who may open them."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from doctor.fake_pi import Pi
from rearguard.doctor.examine import visit_for
from rearguard.doctor.finding import CannotTellError, Verdict
from rearguard.doctor.library import probe
from rearguard.doctor.machine import Commands
from rearguard.errors import DeviceOpenError
from rearguard.host import pin_factory

OK, WARNING, FAILURE, SKIPPED = Verdict


def rpigpio(pi: Pi, **versions: str) -> None:
    pi.configure(
        'pin_factory = "rpigpio"\n'
        + (pi.root / "etc/rearguard/rearguard.toml").read_text().replace('pin_factory = "lgpio"', "")
    )
    pi.library["versions"] = {
        name.replace("_", "-") if "lgpio" in name else "RPi.GPIO": v for name, v in versions.items()
    }


@pytest.mark.parametrize(
    ("said", "verdict", "mend"),
    [
        ({"versions": {"lgpio": "0.2.2.0"}}, OK, ""),
        ({"versions": {"lgpio": "0.0.0.2"}, "whole": False}, FAILURE, "sudo apt install python3-lgpio"),
        ({"versions": {}, "error": "ModuleNotFoundError: lgpio"}, FAILURE, "sudo apt install python3-lgpio"),
    ],
)
def test_lgpio_must_be_there_and_no_stub(pi: Pi, said: dict[str, Any], verdict: Verdict, mend: str) -> None:
    pi.library |= said
    found = pi.examine()("pins.library")
    assert found.verdict is verdict
    assert mend in found.mend


@pytest.mark.parametrize(
    ("versions", "kernel", "model", "verdict"),
    [
        ({"RPi_GPIO": "0.7.1"}, "6.1.0-rpi7", "Raspberry Pi 4 Model B", OK),
        ({"RPi_GPIO": "0.7.1"}, "6.6.31+rpt", "Raspberry Pi 4 Model B", OK),
        ({"RPi_GPIO": "0.7.1"}, "6.12.0", "Raspberry Pi 4 Model B", OK),
        ({"RPi_GPIO": "0.7.1"}, "6.1.0-rpi7", "Raspberry Pi 5 Model B", FAILURE),
        ({"rpi_lgpio": "0.6"}, "6.12.0", "Raspberry Pi 5 Model B", OK),
    ],
)
def test_rpigpio_needs_an_old_board_or_rpi_lgpio_whatever_the_kernel(
    pi: Pi, versions: dict[str, str], kernel: str, model: str, verdict: Verdict
) -> None:
    rpigpio(pi, **versions)
    pi.write("/proc/sys/kernel/osrelease", kernel)
    pi.write("/proc/device-tree/model", model)
    found = pi.examine()("pins.library")
    assert found.verdict is verdict
    assert ("lgpio" in found.mend) is (verdict is FAILURE)


def test_rpi_gpio_beside_rpi_lgpio_is_a_failure_whatever_is_used(pi: Pi) -> None:
    pi.library["versions"] |= {"RPi.GPIO": "0.7.1", "rpi-lgpio": "0.6"}
    found = pi.examine()("pins.library")
    assert found.verdict is FAILURE
    assert "uninstall -y RPi.GPIO rpi-lgpio" in found.mend


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> str:
    """The prefix of a release's environment, which is root's and has no pip."""
    monkeypatch.setattr(sys, "prefix", "/opt/rearguard-1.2.3-1")
    return sys.prefix


@pytest.mark.parametrize("apt", [True, False])
@pytest.mark.parametrize(("factory", "package"), [("lgpio", "python3-lgpio"), ("rpigpio", "python3-rpi-lgpio")])
def test_a_release_gets_its_library_from_apt(pi: Pi, release: str, factory: str, package: str, apt: bool) -> None:
    if factory == "rpigpio":
        rpigpio(pi)
    pi.library |= {"versions": {}, "error": "ModuleNotFoundError: no", "apt": apt}
    see = f" && sudo /usr/bin/python3 -m venv --system-site-packages --upgrade --without-pip {release}"
    assert pi.examine()("pins.library").mend == f"sudo apt install {package}{'' if apt else see}"


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"versions": {"lgpio": "0.0.0.2"}, "whole": False}, "lgpio; sudo apt install python3-lgpio"),
        (
            {"versions": {"lgpio": "1", "RPi.GPIO": "0.7.1", "rpi-lgpio": "0.6"}},
            "RPi.GPIO rpi-lgpio; sudo apt install python3-rpi-lgpio",
        ),
    ],
)
@pytest.mark.usefixtures("release")
def test_what_hides_the_library_of_a_release_is_taken_out_of_the_system(
    pi: Pi, said: dict[str, Any], what: str
) -> None:
    pi.library |= said
    assert pi.examine()("pins.library").mend == (
        f"sudo /usr/bin/python3 -m pip uninstall --break-system-packages -y {what}"
    )


def test_elsewhere_rpi_lgpio_goes_into_the_environment_that_runs(pi: Pi) -> None:
    rpigpio(pi)
    pi.library |= {"versions": {}, "error": "ModuleNotFoundError: RPi"}
    assert pi.examine()("pins.library").mend.startswith(f"{sys.executable} -m pip install rpi-lgpio   # or, ")
    pi.library |= {"versions": {"RPi.GPIO": "0.7.1", "rpi-lgpio": "0.6"}, "error": "", "apt": False}
    assert pi.examine()("pins.library").mend.endswith(f"; {sys.executable} -m pip install rpi-lgpio")


@pytest.mark.parametrize(("factory", "package"), [("lgpio", "python3-lgpio"), ("rpigpio", "python3-rpi-lgpio")])
@pytest.mark.usefixtures("release")
def test_the_guard_of_a_release_names_the_package_of_apt_and_no_pip(
    factory: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"gpiozero.pins.{factory}", None)
    with pytest.raises(DeviceOpenError) as raised:
        pin_factory(factory)
    mend = str(raised.value).partition("Mend: ")[2]
    assert mend.startswith(f"sudo apt install {package}")
    assert "pip install" not in mend


def test_lgpio_of_apt_must_be_seen_by_the_environment(pi: Pi) -> None:
    pi.library |= {"error": "ModuleNotFoundError: lgpio", "apt": False}
    assert "python3 -m venv --system-site-packages --upgrade" in pi.examine()("pins.library").mend


@pytest.mark.parametrize(
    ("module", "part", "error", "whole"),
    [("json", "loads", "", True), ("json", "nothing", "", False), ("no_such", "x", "ModuleNotFoundError", False)],
)
def test_a_library_is_imported_by_a_python_of_its_own(pi: Pi, module: str, part: str, error: str, whole: bool) -> None:
    said = probe(visit_for(replace(pi.machine, run=Commands()), None), module, part)
    assert said["whole"] is whole
    assert said["error"].startswith(error)


def test_a_library_that_ends_python_ends_no_more(pi: Pi) -> None:
    (pi.root / "deadly.py").write_text("import os; os._exit(3)")
    visit = visit_for(replace(pi.machine, run=lambda argv: Commands()(["env", f"PYTHONPATH={pi.root}", *argv])), None)
    with pytest.raises(CannotTellError, match=r"ends Python itself \(code 3\)"):
        probe(visit, "deadly", "x")


def test_a_library_that_would_end_the_guard_is_a_failure(pi: Pi) -> None:
    pi.library = {}
    assert pi.examine()("pins.library").verdict is FAILURE


def test_mock_pins_are_a_warning(pi: Pi) -> None:
    pi.configure((pi.root / "etc/rearguard/rearguard.toml").read_text().replace('"lgpio"', '"mock"'))
    assert pi.examine()("pins.library").verdict is WARNING


def test_the_header_is_found_by_label_whatever_its_number(pi: Pi) -> None:
    pi.write("/dev/gpiochip4", "")
    pi.chips = {"gpiochip0": "brcmvirt-gpio", "gpiochip4": "pinctrl-rp1"}
    assert pi.examine()("pins.chip").what == "/dev/gpiochip4 is the header (pinctrl-rp1)"


def test_no_chip_of_a_pi_is_a_failure_on_a_pi_only(pi: Pi) -> None:
    pi.chips = {"gpiochip0": "gpio-mockup"}
    assert pi.examine()("pins.chip").verdict is FAILURE
    assert pi.examine()("pins.lines").verdict is SKIPPED
    pi.write("/proc/device-tree/model", "x")
    assert pi.examine()("pins.chip").verdict is SKIPPED


def test_a_line_that_another_holds_is_named_with_its_key_and_holder(pi: Pi) -> None:
    pi.held = {24: "onewire@0", 8: "spi0 CS0"}
    found = [finding for finding in pi.examine() if finding.check == "pins.lines"]
    assert [finding.what for finding in found] == ["GPIO 24 (sensor.rear.echo_pin) is held by 'onewire@0'"]
    assert found[0].mend == "in /boot/firmware/config.txt, take out dtoverlay=w1-gpio; sudo reboot"


def test_lines_of_the_running_service_are_its_own(pi: Pi) -> None:
    pi.held = {23: "lg", 24: "rearguard"}
    assert pi.examine()("pins.lines").verdict is FAILURE
    pi.shown["ActiveState"] = "active"
    found = pi.examine()("pins.lines")
    assert (found.verdict, found.what[:19]) == (OK, "held by the service")


def test_a_line_without_a_name_is_held_all_the_same(pi: Pi) -> None:
    pi.held = {25: ""}
    assert "GPIO 25 (buzzer.pin) is held" in pi.examine()("pins.lines").what


def test_the_user_of_the_service_must_be_in_the_groups_of_its_devices(pi: Pi) -> None:
    pi.serial()
    pi.write("/etc/group", "gpio:x:986:maker\ndialout:x:20:\n")
    found = pi.examine()("access.service")
    assert found.verdict is FAILURE
    assert found.mend == "sudo usermod -aG dialout,gpio rearguard && sudo systemctl restart rearguard"


def test_groups_that_the_unit_adds_count(pi: Pi) -> None:
    pi.write("/etc/group", "gpio:x:986:\n")
    pi.shown["SupplementaryGroups"] = "gpio dialout i2c"
    assert pi.examine()("access.service").verdict is OK


def test_the_users_own_group_counts(pi: Pi) -> None:
    pi.write("/etc/group", "gpio:x:990:\n")
    assert pi.examine()("access.service").verdict is OK


@pytest.mark.parametrize(("load", "verdict"), [("loaded", WARNING), ("not-found", FAILURE)])
def test_one_who_may_not_open_the_pins_is_told_how_to(pi: Pi, load: str, verdict: Verdict) -> None:
    pi.facts["gids"] = frozenset({1000})
    pi.shown["LoadState"] = load
    found = pi.examine()("access.you")
    assert found.verdict is verdict
    assert found.mend.startswith("sudo usermod -aG gpio $USER")


def test_root_may_open_everything(pi: Pi) -> None:
    pi.facts |= {"uid": 0, "gids": frozenset({0})}
    assert pi.examine()("access.you").verdict is OK


def test_a_service_that_is_not_installed_has_no_user(pi: Pi) -> None:
    pi.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    assert pi.examine()("access.service").verdict is SKIPPED
