"""The release folder: what it lacks on a 32-bit board is fetched, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from install_help import Machine, release, wheel
from test_install import good, pytestmark, refused, version

__all__ = ["pytestmark"]


class Board(Machine):
    """A 32-bit board whose system names an index for pip, as Raspberry Pi OS names piwheels; here it is a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.has("architecture", "armhf\n")
        self.index, self.config = folder / "simple", folder / "pip.conf"
        self.index.mkdir()
        self.config.write_text(f"[global]\nindex-url = {self.index.as_uri()}\n")

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PIP_CONFIG_FILE": str(self.config)}

    def offers(self, found: Path) -> None:
        """Move a wheel to the index."""
        page = self.index / found.name.split("-")[0] / "index.html"
        page.parent.mkdir()
        found.rename(page.parent / found.name)
        page.write_text(f'<a href="{found.name}">{found.name}</a>')


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
    board.config.write_text("[global]\nindex-url = file:///nowhere\n")
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
