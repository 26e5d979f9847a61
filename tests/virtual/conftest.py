"""A virtual belt for each test file; without the means for one, a skip that says why."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Whatever a test boots: without the means for it, a skip that says why."""
    try:
        return (yield)
    except image.NoMeansError as error:
        pytest.skip(f"no virtual belt on this machine: {str(error).splitlines()[0]}")


@pytest.fixture(scope="session")
def built() -> image.Image:
    """What machines boot from; made by the first who asks."""
    return image.build()


@pytest.fixture(scope="module")
def boot(built: image.Image) -> Iterator[Callable[..., Machine]]:
    """Boots machines, which end with the file."""
    with ExitStack() as running:
        yield lambda **how: running.enter_context(Machine(built, **how))


@pytest.fixture(scope="module")
def belt(boot: Callable[..., Machine]) -> Machine:
    """The starter belt: an HC-SR04 and three motors, armed."""
    machine = boot()
    machine.ask("armed")
    return machine
