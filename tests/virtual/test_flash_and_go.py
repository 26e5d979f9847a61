"""A card that is flashed and never logged in to: cloud-init installs from the boot partition, and the belt guards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import image
import pytest
from flashed import flashed
from machine import Machine

STANDS = [[0, 2.0]]
LIMIT_S = 400  # of this machine's time: a restart that has not come by then will not come
LOG = "/var/log/cloud-init-output.log"
LIDAR = """[sensor.rear]
driver = "ld06"
port = "/dev/serial0"
[belt]
driver = "gpio_pwm"
motor.back = { pin = 13, bearing_deg = 0 }
"""
FORGOTTEN = "rm -r /boot/firmware/rearguard\n"
OTHER = f"cat >/boot/firmware/rearguard/rearguard.toml <<'END'\n{LIDAR}END\n"


@pytest.fixture(scope="module")
def card() -> image.Image:
    """A card as it was flashed."""
    return flashed()


@pytest.fixture
def start(card: image.Image) -> Iterator[Callable[..., Machine]]:
    """Puts the card, or a disk with its contents, into a machine without any network."""
    with ExitStack() as running:
        yield lambda **how: running.enter_context(Machine(card, timed=False, **how))


def test_at_its_first_start_it_installs_itself_and_guards(start: Callable[..., Machine]) -> None:
    belt = start()
    assert "status: done" in belt.shell("cloud-init status --wait")
    assert "  enable rearguard.service" in belt.shell(f"cat {LOG}")
    belt.ask("course", part="echo", points=STANDS, wait_s=2.0)
    assert belt.ask("armed")["StatusText"] == "guarding"
    assert belt.shell("systemctl is-enabled rearguard").strip() == "enabled"
    assert belt.shell("ls /sys/class/net").split() == ["lo"], "nothing can have been downloaded"


def test_without_the_release_folder_the_log_says_so_and_nothing_is_installed(start: Callable[..., Machine]) -> None:
    belt = start(files={"prepare": FORGOTTEN})
    belt.ask("shell", command="cloud-init status --wait")
    log = belt.shell(f"cat {LOG}")
    assert "there is no /boot/firmware/rearguard/install.sh on this card; nothing is installed" in log
    assert belt.shell("systemctl list-unit-files 'rearguard*' --no-legend || true").strip() == ""


def test_boot_options_are_in_force_after_one_restart_by_itself(
    start: Callable[..., Machine], card: image.Image, tmp_path: Path
) -> None:
    disk = shutil.copyfile(card.root, tmp_path / "disk")
    drive = ("-drive", f"file={disk},format=raw,if=virtio")
    belt = start(disk=drive, files={"prepare": OTHER})
    assert belt.process.wait(LIMIT_S) == 0, "QEMU ends where its machine restarts"
    again = start(disk=drive)
    again.ask("shell", command="cloud-init status --wait")
    assert "FAULT rear:" in again.ask("armed")["StatusText"], "it guards, and misses its LiDAR"
    guarding, local = (
        int(again.shell(f"systemctl show -P ActiveEnterTimestampMonotonic {unit}"))
        for unit in ("rearguard", "cloud-init-local")
    )
    assert guarding < local, "it does not wait for cloud-init, which runs at each start"
    assert "enable_uart=1" in again.shell("cat /boot/firmware/config.txt")
    assert again.shell(f"grep -c 'enable rearguard.service' {LOG}").strip() == "1", "it is installed once"
