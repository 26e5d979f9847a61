"""The installer on a belt that has guarded before: what does not start again, what is damaged, what comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from install_help import TOP, Machine, release
from test_install import good, pytestmark, refused, version

__all__ = ["pytestmark"]
UNIT = "usr/lib/systemd/system/rearguard.service"
LOOK = "sudo journalctl -u rearguard -n 30"


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(tmp_path_factory.mktemp("release") / "one")


@pytest.fixture(scope="session")
def guarding(tmp_path_factory: pytest.TempPathFactory, shipped: Path) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("again") / "pi")
    good(machine.install(shipped))
    machine.save()
    return machine


@pytest.fixture
def pi(guarding: Machine) -> Machine:
    """A board on which the guard runs."""
    guarding.restore()
    guarding.log.write_text("")
    return guarding


def with_another_unit(shipped: Path, folder: Path) -> Path:
    """The same release, with a line more in the unit."""
    shutil.copytree(shipped, folder)
    with (folder / "systemd/rearguard.service").open("a") as file:
        file.write("# more\n")
    return folder


def restarts(pi: Machine) -> int:
    return pi.asked("systemctl").count("restart rearguard.service")


def test_a_unit_that_does_not_start_is_taken_back_and_the_program_stays(
    pi: Machine, shipped: Path, tmp_path: Path
) -> None:
    before = pi.read(UNIT)
    pi.has("rearguard.service-fails", "# more")
    said = refused(pi.install(with_another_unit(shipped, tmp_path / "two")))
    assert "did not start; the one before guards again" in said
    assert LOOK in said
    assert version(pi) == "rearguard 0.1.0"
    assert pi.read(UNIT) == before
    assert pi.asked("systemctl")[-2:] == ["daemon-reload", "restart rearguard.service"]
    assert (pi.state / "active-rearguard.service").exists()


def test_an_upgrade_that_does_not_start_takes_its_unit_along(pi: Machine, tmp_path: Path) -> None:
    before = pi.read(UNIT)
    pi.has("rearguard.service-fails", "0.2.0")
    newer = with_another_unit(release(tmp_path / "newer", "0.2.0"), tmp_path / "two")
    assert "version 0.2.0 did not start; the one before guards again" in refused(pi.install(newer))
    assert version(pi) == "rearguard 0.1.0"
    assert pi.read(UNIT) == before


def test_a_guard_that_does_not_start_again_is_told_and_nothing_is_removed(pi: Machine, shipped: Path) -> None:
    """The run before was cut short, so that the guard is started again; this time it does not start."""
    pi.write("run/rearguard-install.unfinished", f"{pi.root}/opt/rearguard-0.1.0-1\n")
    pi.has("rearguard.service-fails", "0.1.0")
    said = refused(pi.install(shipped))
    assert "the guard does not start any more" in said
    assert LOOK in said
    assert version(pi) == "rearguard 0.1.0"
    pi.lacks("rearguard.service-fails")
    good(pi.install(shipped))
    assert (pi.state / "active-rearguard.service").exists()


def test_where_the_one_before_does_not_start_either_that_is_said(pi: Machine, tmp_path: Path) -> None:
    pi.has("rearguard.service-fails", "rearguard")
    said = refused(pi.install(release(tmp_path / "newer", "0.2.0")))
    assert "neither version 0.2.0 nor the one before starts" in said
    assert version(pi) == "rearguard 0.1.0"


def test_an_upgrade_that_was_cut_short_and_then_does_not_start_is_taken_back(pi: Machine, tmp_path: Path) -> None:
    newer = release(tmp_path / "newer", "0.2.0")
    pi.kill_at("^systemctl daemon-reload")
    assert pi.install(newer).returncode == -9
    assert version(pi) == "rearguard 0.2.0"
    pi.has("rearguard.service-fails", "0.2.0")
    assert "did not start; the one before guards again" in refused(pi.install(newer))
    assert version(pi) == "rearguard 0.1.0"


def test_what_was_kept_is_the_guards_again_before_it_starts(pi: Machine, shipped: Path) -> None:
    pi.write("var/lib/rearguard/last-good.toml", "")
    good(pi.install(shipped, "--uninstall"))
    assert pi.asked("chown") == [f"-R 0:0 {pi.root}/var/lib/rearguard"]
    good(pi.install(shipped))
    calls = pi.log.read_text().splitlines()
    owned = f"systemd-tmpfiles --create {pi.root}/usr/lib/tmpfiles.d/rearguard.conf"
    assert calls.index(owned) < len(calls) - 1 - calls[::-1].index("systemctl restart rearguard.service")


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("systemd-tmpfiles") is None, reason="needs root and systemd")
def test_at_each_start_all_of_the_state_becomes_the_guards_and_nothing_beside_it(tmp_path: Path) -> None:
    """As after another installation, or a new card onto which root has copied the folder."""
    ours = tmp_path / "var/lib/rearguard"
    (ours / "journal").mkdir(parents=True)
    other, kept, journal = tmp_path / "other", ours / "last-good.toml", ours / "journal/journal-000001.jsonl"
    for path in (other, kept, journal):
        path.touch(mode=0o640)
    (ours / "link").symlink_to(other)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nrearguard:x:471:472::/:/bin/sh\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nrearguard:x:472:\ngpio:x:3:\ni2c:x:4:\ndialout:x:5:\n")
    command = ["systemd-tmpfiles", "--create", f"--root={tmp_path}", TOP / "systemd/rearguard.tmpfiles"]
    subprocess.run(command, check=True, capture_output=True)
    for path in (ours, ours / "journal", kept, journal):
        assert (path.stat().st_uid, path.stat().st_gid) == (471, 472), path
    assert [path.stat().st_mode & 0o777 for path in (ours, kept, journal)] == [0o750, 0o640, 0o640]
    assert other.stat().st_uid == 0


def without_its_recipe(pi: Machine) -> None:
    (pi.root / "opt/rearguard/recipe").unlink()


def without_a_part(pi: Machine) -> None:
    shutil.rmtree(pi.root / "opt/rearguard/bin")


def with_a_torn_module(pi: Machine) -> None:
    """As a worn card leaves it: `rearguard --version` does not read this one."""
    (module,) = pi.root.glob("opt/rearguard/lib/python3*/site-packages/rearguard/service.py")
    module.write_bytes(module.read_bytes()[:4096])


def without_all_of_it(pi: Machine) -> None:
    shutil.rmtree(pi.root / "opt/rearguard-0.1.0-1")


@pytest.mark.parametrize("damage", [without_its_recipe, without_a_part, with_a_torn_module, without_all_of_it])
def test_a_damaged_program_is_built_anew(pi: Machine, shipped: Path, damage: Callable[[Machine], None]) -> None:
    damage(pi)
    good(pi.install(shipped))
    assert version(pi) == "rearguard 0.1.0"
    assert restarts(pi) == 1
    assert len([path for path in (pi.root / "opt").iterdir() if not path.is_symlink()]) == 1
    assert "Nothing to change" in good(pi.install(shipped))


def test_a_damaged_program_stays_until_the_new_one_is_complete(pi: Machine, shipped: Path, tmp_path: Path) -> None:
    without_its_recipe(pi)
    broken = shutil.copytree(shipped, tmp_path / "broken")
    next((broken / "wheels").glob("msgspec-*")).unlink()
    assert "what was there before is as it was" in refused(pi.install(broken))
    assert version(pi) == "rearguard 0.1.0"


@pytest.mark.parametrize("damage", [without_a_part, without_all_of_it])
def test_the_kept_installer_cannot_mend_a_damaged_program_and_says_what_can(
    pi: Machine, damage: Callable[[Machine], None]
) -> None:
    damage(pi)
    said = refused(pi.install(pi.root / "usr/lib/rearguard"))
    assert "/opt/rearguard is damaged" in said
    assert "in a release folder or a checkout" in said
