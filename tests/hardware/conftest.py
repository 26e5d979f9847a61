"""A build that a test may change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import wiring
from wiring import Build


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Build]:
    """A copy of a build, with words in its harness.yml replaced."""

    def copy(name: str, *swaps: tuple[str, str]) -> Build:
        folder = tmp_path / name
        shutil.copytree(wiring.HERE / name, folder)
        text = (folder / "harness.yml").read_text()
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new)
        (folder / "harness.yml").write_text(text)
        return Build(name, folder)

    return copy
