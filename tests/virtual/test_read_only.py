"""docs/read-only.md, typed before a start: the belt guards from a root that is only read, its journal elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import image
import pytest
from machine import Machine
from rhythm import first, pulses
from test_survival import FROM_3_M, walks_well

from console_page import commands

DATA_MB = 64
BEFORE = """export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin
mount -t devtmpfs dev /dev
mount -t sysfs sysfs /sys
"""
AFTER = "\numount /data /dev /sys\n"


def typed(page: str, *sections: str) -> str:
    """The commands of those sections, as a script."""
    lines = [command.text for command in commands(page) if command.on_bench and command.section in sections]
    assert len(lines) > 8, "the page has other sections now"
    return "\n".join(lines)


@pytest.fixture(scope="module")
def dry_root(boot: Callable[..., Machine], built: image.Image, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A belt whose root is mounted read-only by its own fstab, with a data partition on a second disk, armed."""
    data = tmp_path_factory.mktemp("disks") / "data"
    with data.open("wb") as file:
        file.truncate(DATA_MB << 20)
    recipe = typed("read-only.md", "A partition for the journals", "Way 2: a root mounted read-only")
    drives = [f"file={built.root},format=raw,if=virtio,snapshot=on", f"file={data},format=raw,if=virtio"]
    machine = boot(
        files={"prepare": BEFORE + recipe.replace("/dev/PARTITION", "/dev/vdb") + AFTER},
        disk=tuple(word for drive in drives for word in ("-drive", drive)),
    )
    machine.ask("armed")
    machine.ask("wire")  # not sooner: where no pin is driven yet, the emulator waits busily
    return machine


def options(belt: Machine, place: str) -> list[str]:
    return belt.shell(f"findmnt -no SOURCE,FSTYPE,OPTIONS {place}").split()


def test_nothing_can_be_written_to_the_root_and_nothing_has_failed_for_it(dry_root: Machine) -> None:
    source, _, how = options(dry_root, "/")
    assert source.startswith("/dev/vda")
    assert "ro" in how.split(",")
    assert dry_root.ask("shell", command="touch /etc/x")["code"] != 0
    assert options(dry_root, "/data")[:2] == ["/dev/vdb", "ext4"]
    failed = dry_root.shell("systemctl --failed --no-legend --plain").splitlines()
    assert [line for line in failed if "binfmt" not in line] == []  # of that, this kernel has none, whatever the root


def test_a_walk_is_felt_and_its_journal_is_on_the_data_partition(dry_root: Machine) -> None:
    walks_well(dry_root)
    dry_root.shell("sync")
    said = dry_root.shell("rearguard replay $(ls /data/rearguard/*.jsonl | tail -n 1)")
    assert '"level":"stop"' in said
    assert dry_root.shell("ls -A /var/lib/rearguard") == "", "which is lost with the power"
    assert dry_root.shell("cat /data/rearguard/last-good.toml") == dry_root.shell("cat /etc/rearguard/rearguard.toml")


def test_it_is_armed_again_after_a_restart_of_the_service(dry_root: Machine) -> None:
    before = dry_root.ask("armed")
    dry_root.shell("systemctl restart rearguard")
    after = dry_root.ask("armed")
    assert after["MainPID"] != before["MainPID"]
    assert "FAULT" not in after["StatusText"]
    walks_well(dry_root)


def test_without_its_data_partition_it_guards_and_says_that_the_journal_fails(dry_root: Machine) -> None:
    dry_root.shell("systemctl stop rearguard; umount /data; systemctl start rearguard")
    dry_root.ask("course", part="echo", points=[[0, 3.0]], wait_s=2.5)
    walked = dry_root.ask("course", part="echo", points=FROM_3_M, wait_s=5.5)
    assert first(pulses(walked["events"]), "STOP")
    assert "journal:write_failed" in walked["status"]
    dry_root.shell("mount /data")
    assert Path("/data").name in dry_root.shell("findmnt -no TARGET /data")
    dry_root.ask("course", part="echo", points=[[0, 3.0]], wait_s=4.0)
    assert dry_root.ask("armed")["StatusText"] == "guarding"
