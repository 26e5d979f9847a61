"""A changed configuration counts once the installer has looked at it: a guard that runs on the old one starts again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from install_help import Machine, release
from test_install import DEFAULT, LIDAR, good, pytestmark, refused

__all__ = ["pytestmark"]
CONF = "etc/rearguard/rearguard.toml"
MINE = DEFAULT.replace('profile = "default"', 'profile = "cautious"')
AGAIN = "restart rearguard.service"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    folder = tmp_path_factory.mktemp("change")
    machine = Machine(folder / "pi")
    good(machine.install(release(folder / "release")))
    machine.save()
    return machine


@pytest.fixture
def pi(settled: Machine) -> Machine:
    """A board whose guard runs since an hour ago, when its configuration was older still; that has changed since."""
    settled.restore()
    started_s = time.time() - 3600
    os.utime(settled.state / "active-rearguard.service", (started_s, started_s))
    settled.log.write_text("")
    return settled


def look(pi: Machine, *options: str) -> str:
    return good(pi.install(pi.root / "usr/lib/rearguard", *options))


def test_the_guard_is_started_again_with_a_configuration_that_is_newer(pi: Machine) -> None:
    pi.write(CONF, MINE)
    assert "  start the guard" in look(pi).splitlines()
    assert pi.asked("systemctl").count(AGAIN) == 1
    assert "Nothing to change" in look(pi)
    assert pi.asked("systemctl").count(AGAIN) == 1


def test_a_file_that_was_written_before_and_put_there_since_is_newer(pi: Machine, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(MINE)
    os.utime(mine, (1e9, 1e9))
    mine.rename(pi.root / CONF)
    look(pi)
    assert AGAIN in pi.asked("systemctl")


def test_a_dry_run_says_so_and_leaves_the_guard_alone(pi: Machine) -> None:
    assert "  would start the guard" in look(pi, "--dry-run").splitlines()
    assert AGAIN not in pi.asked("systemctl")


def test_a_guard_that_was_started_since_is_left_alone(pi: Machine) -> None:
    pi.write(CONF, MINE)
    look(pi)
    pi.log.write_text("")
    (pi.state / "active-rearguard.service").touch()
    assert "Nothing to change" in look(pi)
    assert AGAIN not in pi.asked("systemctl")


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Sao_Paulo", "Australia/Sydney"])
def test_where_the_belt_is_does_not_matter(pi: Machine, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd tells the time by the clock on the wall, and names the zone by letters that several zones share."""
    monkeypatch.setattr(pi, "environment", lambda: {**Machine.environment(pi), "TZ": zone})
    look(pi)
    assert AGAIN in pi.asked("systemctl")
    pi.log.write_text("")
    assert "Nothing to change" in look(pi)


def test_when_systemd_does_not_say_since_when_it_runs_it_is_left_alone(pi: Machine) -> None:
    pi.has("started-unknown")
    assert "Nothing to change" in look(pi)


def test_where_the_machine_has_to_be_restarted_the_guard_goes_on_until_then(pi: Machine) -> None:
    pi.write(CONF, LIDAR)
    assert "sudo reboot" in look(pi)
    assert AGAIN not in pi.asked("systemctl")
    pi.has("rearguard.service-fails", "rearguard")
    said = refused(pi.install(pi.root / "usr/lib/rearguard"))
    assert "does not start any more" in said
    assert "due for a restart, which may be all:  sudo reboot" in said
