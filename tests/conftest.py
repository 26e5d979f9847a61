"""What tests of several folders share."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from contract.rigs import Bench

settings.register_profile(
    "rearguard",
    deadline=None,  # how long an example takes says nothing about the firmware
    derandomize=bool(os.environ.get("CI")),  # the same examples for every change; new ones at every run at a desk
)
settings.load_profile("rearguard")

BESIDE = Path(__file__).parents[2] / "shared" / "captures"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Emulated wires on a virtual clock; waiting on a serial line takes virtual time as well."""
    with Bench() as bench:
        monkeypatch.setattr("rearguard.sensors._serial.select", bench.select)
        yield bench


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of captured data, which is no part of the repository."""
    named = os.environ.get("REARGUARD_CAPTURES")
    folder = Path(named) if named else BESIDE
    if not folder.is_dir():
        pytest.skip(f"no captured data: {folder} is no folder (set REARGUARD_CAPTURES, or put it beside the project)")
    return folder


@pytest.fixture(scope="session")
def vectors(captures: Path) -> list[dict[str, Any]]:
    """Frames of manuals and bug reports, and what they must decode to."""
    found: list[dict[str, Any]] = json.loads((captures / "vectors.json").read_text())
    return found
