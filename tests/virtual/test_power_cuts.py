"""The plug is pulled in mid-walk, again and again: the belt comes back, and its journal has lost a second at most.

REARGUARD_CUTS says how often (30), REARGUARD_CUTS_SEED which moments and what is left of the blocks on their way (1).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import image
import pytest
from disk import Cut, Disk
from machine import Machine

from rearguard.replay import Replay

CUTS = int(os.environ.get("REARGUARD_CUTS", "30"))
SEED = int(os.environ.get("REARGUARD_CUTS_SEED", "1"))
WALL: list[list[float]] = [[0, 3.0], [1, 3.0], [4.2, 0.5], [5.0, 0.5], [6.0, 3.0]]  # to a wall at 0.8 m/s, and away
ROUND_S = 6.0
LOST_S = 1.0  # docs/design.md: a power cut costs at most the last second
JOURNALS, CONFIG = "/var/lib/rearguard/journal", "/etc/rearguard/rearguard.toml"
# What the guard does without: a boot takes half as long. The pins then get their group here, in place of udev.
MASKED = """
dbus.service dbus.socket dev-hugepages.mount dev-mqueue.mount e2scrub_reap.service getty.target
modprobe@.service proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount sys-kernel-config.mount
sys-kernel-debug.mount sys-kernel-tracing.mount systemd-binfmt.service systemd-fsckd.socket
systemd-initctl.socket systemd-journal-flush.service systemd-journald-audit.socket systemd-logind.service
systemd-modules-load.service systemd-random-seed.service systemd-remount-fs.service systemd-sysctl.service
systemd-sysusers.service systemd-tmpfiles-clean.timer systemd-tmpfiles-setup-dev.service
systemd-tmpfiles-setup.service systemd-udev-trigger.service systemd-udevd-control.socket
systemd-udevd-kernel.socket systemd-udevd.service systemd-update-utmp-runlevel.service
systemd-update-utmp.service systemd-user-sessions.service
"""
PREPARE = f"""mount -t devtmpfs dev /dev
chgrp gpio /dev/gpiochip*
chmod 660 /dev/gpiochip*
umount /dev
mkdir -p /run/systemd/system-generators
for name in {" ".join(MASKED.split())}; do ln -sf /dev/null "/run/systemd/system/$name"; done
cd /usr/lib/systemd/system-generators
for name in *; do ln -s /dev/null "/run/systemd/system-generators/$name"; done
"""
# Half of the kernels write back whatever is 0.1 s old, without a flush: more blocks are on their way at the cut.
HASTE = "cd /proc/sys/vm; echo 10 >dirty_expire_centisecs; echo 5 >dirty_writeback_centisecs"


class Life(NamedTuple):
    """What a guest told from READY until it was cut."""

    status: str
    failed: str
    file: str
    wrote: bytes
    last_s: float


class Left(NamedTuple):
    """What the disk holds after a cut, once its file system has recovered."""

    complaints: str
    config: bytes
    journals: dict[str, bytes]


class Belt:
    """One disk, and the machines that boot from it one after another."""

    def __init__(self, built: image.Image, folder: Path) -> None:
        self.built, self.folder, self.luck = built, folder, random.Random(SEED)
        self.image = folder / "root.ext4"
        image.run("cp", "--sparse=always", built.root, self.image)
        self.disk = Disk(self.image, folder / "disk", self.luck)

    def live(self, after: str) -> Life:
        """Switch on, walk, and pull the plug 0.3 to 3 s after READY."""
        how: dict[str, Any] = {"timed": False, "nap": self.folder / "nap", "files": {"prepare": PREPARE}}
        with Machine(self.built, disk=self.disk.drive, **how) as machine:
            if self.luck.random() < 0.5:
                machine.ask("shell", command=HASTE)
            told = machine.ask("tell_journal", after=after, points=WALL, round_s=ROUND_S)
            end_s = told["ready_s"] + self.luck.uniform(0.3, 3.0)
            wrote, last_s = [], 0.0
            for step in machine.lines():  # also what was on the line when the plug was pulled
                wrote.append(step["wrote"])
                last_s = step["now_s"]
                if last_s >= end_s:
                    machine.process.kill()
            return Life(told["status"], told["failed"], told["files"][-1], "".join(wrote).encode(), last_s)

    def left(self) -> Left:
        """Look at the disk as a boot would find it, and leave it as it is."""
        undo, out = self.folder / "undo", self.folder / "out"
        undo.unlink(missing_ok=True)
        image.run("rm", "-rf", out)
        out.mkdir()
        replayed = _e2fsck("-z", undo, "-p", self.image)
        checked = _e2fsck("-fn", self.image)
        for request in (f"rdump {JOURNALS} {out}", f"dump {CONFIG} {out}/config"):
            image.run("/usr/sbin/debugfs", "-R", request, self.image)
        image.run("/usr/sbin/e2undo", undo, self.image)
        complaints = replayed[1] * (replayed[0] > 1) + checked[1] * (checked[0] > 0)
        journals = {path.name: path.read_bytes() for path in sorted((out / "journal").iterdir())}
        return Left(complaints, (out / "config").read_bytes(), journals)


class Round(NamedTuple):
    """One cut."""

    life: Life
    cut: Cut
    left: Left
    lost_s: float


def _e2fsck(*argv: str | Path) -> tuple[int, str]:
    done = subprocess.run(["/usr/sbin/e2fsck", *map(str, argv)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def newest_s(journal: bytes) -> float:
    """The time of the last step before the first that is not whole."""
    newest = 0.0
    for line in journal.split(b"\n")[:-1]:
        if not line.startswith(b"{"):
            break
        newest = json.loads(line).get("now_s", newest)
    return float(newest)


@pytest.fixture(scope="module")
def rounds(built: image.Image, tmp_path_factory: pytest.TempPathFactory) -> list[Round]:
    """All the cuts, one after another on the same disk."""
    folder = tmp_path_factory.mktemp("cuts")
    belt, found, name = Belt(built, folder), [], ""
    with belt.disk:
        for _ in range(CUTS):
            life = belt.live(name)
            cut, name = belt.disk.cut(), life.file
            left = belt.left()
            lost_s = life.last_s - newest_s(left.journals.get(name, b""))
            print(f"{name}: {life.status}, {len(life.wrote)} bytes, {cut}, {lost_s:.2f} s lost")
            found.append(Round(life, cut, left, lost_s))
        lost = [one.lost_s for one in found]
        blocks = [sum(counts) for counts in zip(*(one.cut for one in found), strict=True)]
        print(
            f"{CUTS} cuts: lost {statistics.median(lost):.2f} s (median), {max(lost):.2f} s (worst); of the blocks on"
            f" their way {blocks[0]} were kept, {blocks[1]} lost, {blocks[2]} torn"
        )
    shutil.rmtree(folder)  # half a gigabyte
    return found


def test_the_guard_arms_itself_after_every_cut(rounds: list[Round]) -> None:
    for one in rounds:
        assert one.life.status.startswith(("guarding", "NOTICE", "WARN", "STOP"))
        assert "FAULT" not in one.life.status
        assert "rearguard" not in one.life.failed
        assert b'"status":"ok"' in one.life.wrote, "no sensor answered"


def test_a_cut_costs_at_most_the_last_second(rounds: list[Round]) -> None:
    late = [f"{one.life.file}: {one.lost_s:.2f} s" for one in rounds if one.lost_s > LOST_S]
    assert not late, late


def test_what_a_cut_leaves_of_a_journal_is_what_was_written(rounds: list[Round]) -> None:
    for one in rounds:
        whole = one.left.journals[one.life.file].rpartition(b"\n")[0]
        both = min(len(whole), len(one.life.wrote))
        assert both > 0
        assert whole[:both] == one.life.wrote[:both], f"{one.life.file} was changed"


def test_later_cuts_do_no_harm_to_older_journals(rounds: list[Round]) -> None:
    for before, after in pairwise(rounds):
        for name, data in before.left.journals.items():
            assert after.left.journals.get(name) == data, name


def test_every_journal_can_be_replayed(rounds: list[Round]) -> None:
    for name, data in rounds[-1].left.journals.items():
        replay = Replay(None, None)
        alerts = list(replay.run(data.splitlines(keepends=True), name))
        assert alerts, f"{name} says nothing"
        assert all("torn off" in note for note in replay.notes), replay.notes


def test_the_configuration_is_intact(rounds: list[Round], tmp_path: Path) -> None:
    assert {one.left.config for one in rounds} == {rounds[0].left.config}
    path = tmp_path / "rearguard.toml"
    path.write_bytes(rounds[-1].left.config)
    asked = [sys.executable, "-m", "rearguard", "check-config", "--config", path]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_file_system_needs_no_more_than_its_journal(rounds: list[Round]) -> None:
    for one in rounds:
        assert not one.left.complaints, one.left.complaints
