"""The installer on a belt that guards already and has suffered: what does not start, what is damaged, what came back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from install_help import Machine, release
from test_install import DEFAULT, good, pytestmark, refused, version

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
