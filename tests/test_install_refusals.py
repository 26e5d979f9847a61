"""What the installer finds out before it changes anything: one line of what is wrong, one of what mends it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from install_help import Machine, release
from test_install import good, pytestmark, refused

__all__ = ["pytestmark"]


@pytest.fixture
def pi(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "pi")


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(tmp_path_factory.mktemp("release") / "one")


def on_fedora(pi: Machine) -> None:
    pi.write("etc/os-release", "ID=fedora\n")


def on_an_unknown_system(pi: Machine) -> None:
    (pi.root / "etc/os-release").unlink()


def on_an_overlay(pi: Machine) -> None:
    pi.write("proc/cmdline", "overlayroot=tmpfs:recurse=0 root=a\n")


def with_a_folder_in_the_way(pi: Machine) -> None:
    pi.write("opt/rearguard/bin/rearguard", "")


REFUSALS: list[tuple[Callable[[Machine], None], str, str]] = [
    (on_fedora, "neither Raspberry Pi OS nor Debian (found: fedora", "pipx install rearguard"),
    (on_an_unknown_system, "neither Raspberry Pi OS nor Debian (found: nothing)", "pipx install rearguard"),
    (lambda pi: pi.has("old-python"), "Python 3.11 to 3.13 is needed (found: 3.9.2)", "apt install python3"),
    (lambda pi: pi.has("free", "99"), "99 MB free, 100 MB needed", "sudo apt clean"),
    (on_an_overlay, "read-only (overlay)", "sudo raspi-config nonint do_overlayfs 1"),
    (with_a_folder_in_the_way, "/opt/rearguard is a folder that", "sudo mv /opt/rearguard /opt/rearguard.old"),
]


@pytest.mark.parametrize(("unfit", "what", "mend"), REFUSALS)
def test_a_machine_that_is_not_fit_is_told_and_left_alone(
    pi: Machine, shipped: Path, unfit: Callable[[Machine], None], what: str, mend: str
) -> None:
    unfit(pi)
    before = pi.files()
    said = refused(pi.install(shipped))
    assert what in said
    assert mend in said
    assert {name: text for name, text in pi.files().items() if not name.startswith("run/")} == before
    assert pi.asked("apt-get") == []


def test_somebody_who_is_not_root_is_told_how_to_be(shipped: Path) -> None:
    """Without the prefix of the tests it is the real system, so this runs as nobody, and must end at once."""
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    with TemporaryDirectory() as folder:  # pytest's own can be read by its owner only
        here = shutil.copytree(shipped, Path(folder) / "release")
        Path(folder).chmod(0o755)
        command = [*become, here / "install.sh"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    said = refused(done)
    assert "needs root" in said
    assert f"Run:  sudo {here}/install.sh" in said


def test_no_systemd_is_told(pi: Machine, shipped: Path, tmp_path: Path) -> None:
    (pi.bin / "systemctl").unlink()
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "dirname", "sed", "tr", "cat"):
        found = next(p for folder in os.environ["PATH"].split(":") if (p := Path(folder) / tool).exists())
        (tools / tool).symlink_to(found)
    environment = {**pi.environment(), "PATH": f"{pi.bin}:{tools}"}
    done = subprocess.run(
        [tools / "bash", shipped / "install.sh"], env=environment, capture_output=True, text=True, check=False
    )
    said = refused(done)
    assert "systemd is missing" in said


def test_a_damaged_release_folder_is_told(pi: Machine, tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    sums = subprocess.run(["sha256sum", "requirements.lock"], cwd=folder, capture_output=True, check=True).stdout
    (folder / "SHA256SUMS").write_bytes(sums)
    (folder / "requirements.lock").write_text("")
    said = refused(pi.install(folder))
    assert "requirements.lock: FAILED" in said
    assert "this folder is damaged" in said


def test_python_without_venv_gets_it_from_apt_or_says_the_line(pi: Machine, shipped: Path) -> None:
    pi.has("no-venv")
    said = refused(pi.install(shipped))
    assert "sudo apt install python3-venv" in said
    assert any("python3-venv" in call for call in pi.asked("apt-get"))
    assert not (pi.root / "opt").exists()


def without_lgpio(pi: Machine) -> None:
    pi.lacks("python3-lgpio")
    pi.has("apt-has-nothing")


def test_without_lgpio_and_without_a_network_nothing_is_begun(pi: Machine, shipped: Path) -> None:
    without_lgpio(pi)
    pi.has("no-network")
    said = refused(pi.install(shipped))
    assert "python3-lgpio, which drives the pins, could not be had (E: Failed to fetch" in said
    assert "sudo apt update && sudo apt install python3-lgpio" in said
    assert not (pi.root / "opt/rearguard").exists()


def test_where_nobody_has_lgpio_the_rest_is_installed_and_that_is_said_once(pi: Machine, shipped: Path) -> None:
    without_lgpio(pi)
    assert "no pin can be driven on this machine" in good(pi.install(shipped))
    pi.log.write_text("")
    assert "Nothing to change" in good(pi.install(shipped))
    assert pi.asked("apt-get") == []


def test_two_installers_do_not_work_at_once(pi: Machine, shipped: Path) -> None:
    lock = pi.root / "run/rearguard-install.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another install.sh is at work" in refused(pi.install(shipped))


@pytest.mark.parametrize(
    ("option", "what"), [("--upgrade", "there is no option --upgrade"), ("--purge", "--purge goes with --uninstall")]
)
def test_a_wrong_option_is_told(pi: Machine, shipped: Path, option: str, what: str) -> None:
    said = refused(pi.install(shipped, option))
    assert what in said
    assert "Run:  " in said


def test_a_build_that_fails_leaves_what_was_there(pi: Machine, shipped: Path, tmp_path: Path) -> None:
    good(pi.install(shipped))
    broken = release(tmp_path / "broken", "0.3.0")
    next((broken / "wheels").glob("msgspec-*")).unlink()
    said = refused(pi.install(broken))
    assert "No matching distribution found for msgspec" in said
    assert "what was there before is as it was" in said
    assert [path.name for path in (pi.root / "opt").iterdir() if not path.is_symlink()] == ["rearguard-0.1.0-1"]
