"""A virtual belt for each test file; without the means for one, a skip that says why."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import image
from machine import Machine


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was measured, from all workers."""
    terminalreporter.section("measured")
    for report in terminalreporter.stats.get("passed", []):
        for line in report.capstdout.splitlines():
            terminalreporter.write_line(line)


DEFAULT = image.REPO / "firmware/rearguard/default.toml"


@pytest.fixture(scope="session")
def had() -> Callable[[Callable[[], image.Image]], image.Image]:
    """Builds what machines boot from; a skip where its Debian cannot be had."""

    def one(build: Callable[[], image.Image]) -> image.Image:
        try:
            return build()
        except image.CannotFetchError as error:
            pytest.skip(f"no virtual belt on this machine: {str(error).splitlines()[0]}")

    return one


@pytest.fixture(scope="session")
def built(had: Callable[[Callable[[], image.Image]], image.Image]) -> image.Image:
    """What machines boot from; made by the first who asks."""
    if why := image.missing():
        pytest.skip(f"no virtual belt on this machine: {why}")
    return had(image.build)


@pytest.fixture(scope="module")
def boot(built: image.Image) -> Iterator[Callable[..., Machine]]:
    """Boots machines, which end with the file."""
    running: list[Machine] = []

    def start(**how: Any) -> Machine:
        running.append(Machine(built, **how).__enter__())
        return running[-1]

    yield start
    for machine in running:
        machine.__exit__(None, None, None)


@pytest.fixture(scope="module")
def belt(boot: Callable[..., Machine]) -> Machine:
    """The starter belt: an HC-SR04 and three motors, armed."""
    machine = boot()
    machine.ask("armed")
    return machine
