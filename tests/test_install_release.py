"""The release folder: its sums, and what it lacks on a 32-bit board."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from install_help import TOP, Machine, release, wheel
from test_install import LIDAR, good, pytestmark, refused, version

__all__ = ["pytestmark"]


class Board(Machine):
    """A 32-bit board whose system tells pip where to look, as Raspberry Pi OS names piwheels; here it is a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.has("architecture", "armhf\n")
        self.found, self.config = folder / "found", folder / "pip.conf"
        self.found.mkdir()
        self.config.write_text(f"[global]\nno-index = true\nfind-links = {self.found}\n")

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PIP_CONFIG_FILE": str(self.config)}

    def offers(self, wheel: Path) -> None:
        """Move a wheel to where its pip looks."""
        wheel.rename(self.found / wheel.name)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "pi")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release that has a package of plain Python as well, which is for every board."""
    made = release(tmp_path / "release", real_pip=True)
    wheel(made / "wheels", "smbus2", "0.6.1", {"smbus2/__init__.py": b""})
    with (made / "requirements.lock").open("a") as lock:
        lock.write("smbus2==0.6.1 \\\n    --hash=sha256:0\n")
    return made


def msgspec(folder: Path) -> Path:
    return next((folder / "wheels").glob("msgspec-*"))


def test_a_32_bit_board_takes_msgspec_from_where_its_system_says(board: Board, folder: Path) -> None:
    board.offers(msgspec(folder))
    good(board.install(folder))
    assert version(board) == "rearguard 0.1.0"
    assert list((board.root / "opt/rearguard").glob("lib/python3*/site-packages/smbus2"))


def test_the_program_itself_is_always_that_of_the_release(board: Board, folder: Path, tmp_path: Path) -> None:
    board.offers(msgspec(folder))
    other = release(tmp_path / "other", default="somebody else's")
    board.offers(next((other / "wheels").glob("rearguard-*")))
    good(board.install(folder))


def test_a_32_bit_board_for_which_the_release_has_all_asks_nobody(board: Board, folder: Path) -> None:
    """Here the wheel for this machine stands for that of the board."""
    board.config.write_text("[global]\nno-index = true\n")
    for python in ("cp311", "cp312", "cp313"):
        (folder / "wheels" / f"{msgspec(folder).name.split('-cp')[0]}-{python}-{python}-linux_armv7l.whl").touch()
    good(board.install(folder))


def test_a_32_bit_board_without_a_network_is_told_that_it_needs_one(board: Board, folder: Path) -> None:
    msgspec(folder).unlink()
    said = refused(board.install(folder))
    assert "a 32-bit system needs one for this" in said
    assert not (board.root / "opt/rearguard").exists()


def test_a_64_bit_board_asks_nobody(board: Board, folder: Path) -> None:
    board.has("architecture", "arm64\n")
    board.offers(msgspec(folder))
    said = refused(board.install(folder))
    assert "No matching distribution found for msgspec" in said
    assert "32-bit" not in said


# the Python of tools/release.sh, for tests that are not about PyPI: its pip finds wheels in a folder
PACKER = """#!/bin/sh
if [ "$2" = venv ]; then
  mkdir -p "$3/bin"
  cp "$0" "$3/bin/python"
  exit
fi
for word; do
  case $last in --wheel-dir) cp "$WHEELS"/rearguard-* "$word" ;; --dest) cp "$WHEELS"/[!r]* "$word" ;; esac
  last=$word
done
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What tools/release.sh makes."""
    folder = tmp_path_factory.mktemp("packed")
    wheels = release(folder / "wheels") / "wheels"
    for name, pin in re.findall(r"^(\w+)==(\S+)", (TOP / "requirements.lock").read_text(), re.MULTILINE):
        if name not in ("lgpio", "msgspec"):
            wheel(wheels, name, pin, {})
    (folder / "python").write_text(PACKER)
    (folder / "python").chmod(0o755)
    environment = {**os.environ, "PYTHON": str(folder / "python"), "WHEELS": str(wheels)}
    command = [TOP / "tools/release.sh", folder / "release"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return folder / "release"


@pytest.fixture
def mine(packed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(packed, tmp_path / "mine")


def test_what_the_reader_is_invited_to_move_and_to_edit_is_no_damage(tmp_path: Path, mine: Path) -> None:
    """As docs/operate.md has it for a card that installs by itself, and README.md for another belt."""
    (mine / "user-data").rename(tmp_path / "user-data")
    (mine / "default.toml").write_text("")
    next((mine / "builds").glob("*.toml")).rename(mine / "rearguard.toml")
    (mine / "rearguard.toml").write_text(LIDAR)
    shutil.rmtree(mine / "builds")
    pi = Machine(tmp_path / "pi")
    good(pi.install(mine))
    assert pi.read("etc/rearguard/rearguard.toml") == LIDAR


@pytest.mark.parametrize(
    "what",
    ["install.sh", "requirements.lock", "wheels/rearguard-*.whl", "wheels/pip-*.whl", "docs/operate.md"]
    + ["systemd/rearguard.service", "systemd/setup/system.sh", "systemd/60-rearguard.rules"],
)
def test_what_is_installed_has_to_be_whole(tmp_path: Path, mine: Path, what: str) -> None:
    (path,) = mine.glob(what)
    with path.open("a") as file:
        file.write("\n")
    assert f"./{path.relative_to(mine)}: FAILED" in refused(Machine(tmp_path / "pi").install(mine))
