"""What the installer does to the boot partition: only what is needed, shown, and taken back to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from install_help import CMDLINE_TXT, CONFIG_TXT, Machine, release
from test_install import LIDAR, good, pytestmark

__all__ = ["pytestmark"]
CONFIG, CMDLINE = "boot/firmware/config.txt", "boot/firmware/cmdline.txt"
PLAIN_CMDLINE = CMDLINE_TXT.removeprefix("console=serial0,115200 ")


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Machine, Path]:
    """A board whose program is in place: from here on it takes a moment to look at the boot options."""
    folder = tmp_path_factory.mktemp("boot")
    machine = Machine(folder / "pi")
    good(machine.install(release(folder / "release")))
    machine.save()
    return machine, machine.root / "usr/lib/rearguard"


@pytest.fixture
def pi(settled: tuple[Machine, Path]) -> Machine:
    settled[0].restore()
    return settled[0]


@pytest.fixture
def installer(settled: tuple[Machine, Path]) -> Path:
    return settled[1]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def test_pins_alone_need_no_boot_option(pi: Machine, installer: Path) -> None:
    assert "Nothing to change" in good(pi.install(installer))
    assert (pi.read(CONFIG), pi.read(CMDLINE)) == (CONFIG_TXT, CMDLINE_TXT)


def test_a_sensor_on_the_header_gets_the_full_serial_port_and_no_console(pi: Machine, installer: Path) -> None:
    pi.write("etc/rearguard/rearguard.toml", LIDAR)
    said = good(pi.install(installer))
    added = lines(pi.read(CONFIG).removeprefix(CONFIG_TXT))
    assert added[1:-1] == ["[all]", "enable_uart=1", "dtoverlay=disable-bt"]
    assert pi.read(CMDLINE) == PLAIN_CMDLINE
    assert pi.read(CONFIG + ".rearguard-backup") == CONFIG_TXT
    assert pi.read(CMDLINE + ".rearguard-backup") == CMDLINE_TXT
    assert {"      +enable_uart=1", f"      -{CMDLINE_TXT.strip()}", f"      +{PLAIN_CMDLINE.strip()}"} <= set(
        said.splitlines()
    )
    assert "sudo reboot" in said


def test_a_sensor_on_a_usb_adapter_needs_none_of_it(pi: Machine, installer: Path) -> None:
    pi.write("etc/rearguard/rearguard.toml", LIDAR)
    pi.write("dev/serial/by-id/usb-Silicon_Labs_CP2102-if00-port0", "")
    good(pi.install(installer))
    assert (pi.read(CONFIG), pi.read(CMDLINE)) == (CONFIG_TXT, CMDLINE_TXT)


def test_a_pi_5_gets_the_port_of_its_pins_and_keeps_bluetooth_and_the_debug_plug(pi: Machine, installer: Path) -> None:
    pi.write("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    good(pi.install(installer, "--uart"))
    assert lines(pi.read(CONFIG).removeprefix(CONFIG_TXT))[1:-1] == ["[all]", "dtparam=uart0=on"]
    assert pi.read(CMDLINE) == CMDLINE_TXT


def test_a_board_without_its_watchdog_gets_it(pi: Machine, installer: Path) -> None:
    (pi.root / "dev/watchdog0").unlink()
    good(pi.install(installer))
    assert "dtparam=watchdog=on" in lines(pi.read(CONFIG))


def test_i2c_comes_with_its_module(pi: Machine, installer: Path) -> None:
    good(pi.install(installer, "--i2c"))
    assert "dtparam=i2c_arm=on" in lines(pi.read(CONFIG))
    assert "i2c-dev" in lines(pi.read("usr/lib/modules-load.d/rearguard.conf"))


IN_FORCE = "# mine\nenable_uart=1\ndtparam=i2c_arm=on  # for the display\n"


@pytest.mark.parametrize("text", [IN_FORCE, IN_FORCE.replace("\n", "\r\n"), f"[pi4]\nx=1\n[all]\n{IN_FORCE}"])
def test_what_is_set_already_is_not_set_again(pi: Machine, installer: Path, text: str) -> None:
    pi.write(CONFIG, text)
    good(pi.install(installer, "--uart", "--i2c"))
    assert lines(pi.read(CONFIG).removeprefix(text))[1:-1] == ["[all]", "dtoverlay=disable-bt"]


@pytest.mark.parametrize(
    "text",
    [
        "#enable_uart=1\n",
        "enable_uart=0\n",
        "enable_uart=1\nenable_uart=0\n",
        "[pi4]\nenable_uart=1\n",
        "[pi4]\n# [all]\n",
    ],
)
def test_what_only_looks_as_if_it_were_set_is_set(pi: Machine, installer: Path, text: str) -> None:
    pi.write(CONFIG, text)
    good(pi.install(installer, "--uart"))
    assert "enable_uart=1" in lines(pi.read(CONFIG).removeprefix(text))


def test_what_was_asked_for_once_stays_without_being_asked_for_again(pi: Machine, installer: Path) -> None:
    good(pi.install(installer, "--uart"))
    first = pi.read(CONFIG)
    good(pi.install(installer, "--i2c"))
    assert {*lines(first), "dtparam=i2c_arm=on"} == set(lines(pi.read(CONFIG)))
    assert "Nothing to change" in good(pi.install(installer))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("root=/dev/mmcblk0p2 console=ttyAMA0,115200 rootwait\n", "root=/dev/mmcblk0p2 rootwait\n"),
        ("root=/dev/mmcblk0p2 rootwait console=ttyS0,115200\n", "root=/dev/mmcblk0p2 rootwait\n"),
        ("root=/dev/mmcblk0p2 rootwait console=serial0", "root=/dev/mmcblk0p2 rootwait"),
        ("console=serial0,115200\tconsole=ttyS0 root=a\n", "root=a\n"),
        ("console=serial0,115200 root=a\r\n", "root=a\r\n"),
        ("console=tty1  root=a  quiet\n", "console=tty1  root=a  quiet\n"),
        ("xconsole=serial0 root=a\n", "xconsole=serial0 root=a\n"),
    ],
)
def test_only_the_serial_console_leaves_the_kernels_line(pi: Machine, installer: Path, before: str, after: str) -> None:
    pi.write(CMDLINE, before)
    good(pi.install(installer, "--uart"))
    assert pi.read(CMDLINE) == after


@pytest.mark.parametrize("config", [CONFIG_TXT, CONFIG_TXT.strip(), "", CONFIG_TXT.replace("\n", "\r\n")])
@pytest.mark.parametrize("cmdline", [CMDLINE_TXT, "root=a console=ttyAMA0,9600 quiet"])
def test_uninstalling_puts_both_files_back_to_the_byte(pi: Machine, installer: Path, config: str, cmdline: str) -> None:
    pi.write(CONFIG, config)
    pi.write(CMDLINE, cmdline)
    good(pi.install(installer, "--uart", "--i2c"))
    assert pi.read(CONFIG) != config
    good(pi.install(installer, "--uninstall"))
    assert (pi.read(CONFIG), pi.read(CMDLINE)) == (config, cmdline)
    assert not list((pi.root / "boot").rglob("*rearguard*"))


def test_what_others_changed_since_stays_when_we_leave(pi: Machine, installer: Path) -> None:
    good(pi.install(installer, "--uart"))
    pi.write(CONFIG, pi.read(CONFIG) + "dtparam=audio=off\n")
    pi.write(CMDLINE, "quiet " + pi.read(CMDLINE))
    good(pi.install(installer, "--uninstall"))
    assert pi.read(CONFIG) == CONFIG_TXT + "dtparam=audio=off\n"
    assert pi.read(CMDLINE) == "console=serial0,115200 quiet " + PLAIN_CMDLINE


def test_before_bookworm_the_files_lay_in_boot_itself(pi: Machine, installer: Path) -> None:
    for name in ("config.txt", "cmdline.txt"):
        (pi.root / "boot/firmware" / name).rename(pi.root / "boot" / name)
    good(pi.install(installer, "--uart"))
    assert "enable_uart=1" in lines(pi.read("boot/config.txt"))


def test_where_there_is_no_boot_loader_of_a_pi_nothing_is_missed(pi: Machine, installer: Path) -> None:
    (pi.root / CONFIG).unlink()
    good(pi.install(installer, "--uart"))
    assert not (pi.root / CONFIG).exists()
    assert pi.read(CMDLINE) == CMDLINE_TXT


def test_a_configuration_that_cannot_be_read_leaves_the_boot_options_alone(pi: Machine, installer: Path) -> None:
    pi.write("etc/rearguard/rearguard.toml", "[sensor\n")
    done = pi.install(installer)
    assert done.returncode == 0
    assert "boot options are left as they are" in done.stderr
    assert (pi.read(CONFIG), pi.read(CMDLINE)) == (CONFIG_TXT, CMDLINE_TXT)
