"""What all measurements share: rows of the table, exact instruction counts, and processes to watch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from shutil import which
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
WORKER = HERE / "worker.py"
LIMIT_S = 300.0  # no child takes nearly as long, even under valgrind


class SkipError(Exception):
    """A measurement cannot be made on this machine; the message says what is missing."""


class Row(NamedTuple):
    """One line of the table. `ok` is None where there is no target."""

    what: str
    ours: str
    other: str  # the peer's figure, or the limit
    ratio: str
    target: str
    ok: bool | None


def versus(what: str, ours: float, peer: float, unit: str, at_most: float | None) -> Row:
    """Ours against a peer, as a ratio that must not pass `at_most`, where there is a target."""
    ratio = ours / peer
    target, ok = ("", None) if at_most is None else (f"<= {at_most:g}", ratio <= at_most)
    return Row(what, figure(ours, unit), figure(peer, unit), f"{ratio:.2f}", target, ok)


def below(what: str, ours: float, limit: float, unit: str) -> Row:
    """Ours against a fixed limit that it must stay below."""
    return Row(what, figure(ours, unit), figure(limit, unit), f"{ours / limit:.2f}", "< 1", ours < limit)


def above(what: str, ours: float, limit: float, unit: str) -> Row:
    """Ours against a fixed limit that it must pass."""
    return Row(what, figure(ours, unit), figure(limit, unit), f"{ours / limit:.2f}", "> 1", ours > limit)


def figure(value: float, unit: str) -> str:
    """A number to read: whole where it is large."""
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"


def say(text: str) -> None:
    """Progress, beside the table and not in it."""
    print(f"    {text}", file=sys.stderr, flush=True)


def per_item(case: str, work: str, few: int, many: int) -> float:
    """Instructions that `work(n)` of the module `cases.CASE` takes for one more item.

    The work is done twice under callgrind, with few items and with many, and the difference is taken: start of the
    interpreter, imports and preparation, which are the same in both, cancel.
    """
    say(f"counting {case}.{work}")
    commands = [[sys.executable, str(WORKER), case, work, str(n)] for n in (few, many)]
    less, more = counts(commands)
    return (more - less) / (many - few)


def counts(commands: list[list[str]], cwd: Path | None = None, env: dict[str, str] | None = None) -> list[int]:
    """Instructions of whole processes, which run side by side: counting does not mind a busy machine."""
    if which("valgrind") is None:
        raise SkipError("valgrind is missing, and without it instructions cannot be counted: apt install valgrind")
    tool = [*_same_addresses(), "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    env = (os.environ if env is None else env) | {"PYTHONHASHSEED": "0"}
    children = [
        subprocess.Popen([*tool, *c], env=env, cwd=cwd, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for c in commands
    ]
    found = []
    for child in children:
        _, text = child.communicate(timeout=LIMIT_S)
        collected = re.search(r"Collected\s*:\s*(\d+)", text)
        if child.returncode or collected is None:
            raise RuntimeError(f"the counted process failed with code {child.returncode}:\n{text}")
        found.append(int(collected[1]))
    return found


@cache
def _same_addresses() -> list[str]:
    """The command that switches address randomisation off, where the system allows it."""
    command = ["setarch", "-R"]
    allowed = which("setarch") and subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0
    return command if allowed else []
