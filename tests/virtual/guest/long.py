"""Cases that go on and on, and tell what they see as they go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import walks

JOURNALS = Path("/var/lib/rearguard/journal")
CGROUP = Path("/sys/fs/cgroup/system.slice/rearguard.service")


def again_and_again(round_s: float, points: list[list[float | None]], times: int) -> list[list[float | None]]:
    """A course that is walked many times over."""
    return [[n * round_s + float(t_s or 0.0), distance_m] for n in range(times) for t_s, distance_m in points]


def case_tell_journal(
    after: str, points: list[list[float | None]], round_s: float, every_s: float = 0.05
) -> Iterator[dict[str, Any]]:
    """Walk to and fro; once the guard is READY, tell all it writes into the journal that follows `after`."""
    walks.order("echo", course=again_and_again(round_s, points, 50))
    walks.case_armed(limit_s=120.0)  # a boot in real time, on a machine that has other things to do
    state = walks.show("StatusText", "ActiveEnterTimestampMonotonic")
    ours = sorted(path for path in JOURNALS.iterdir() if path.name > after)
    yield {
        "ready_s": int(state["ActiveEnterTimestampMonotonic"]) / 1e6,
        "status": state["StatusText"],
        "files": [path.name for path in ours],
        "failed": walks.case_shell("systemctl --failed --plain --no-legend")["out"],
    }
    with ours[-1].open("rb") as journal:
        while True:
            yield {"now_s": time.monotonic(), "wrote": journal.read().decode()}
            time.sleep(every_s)


def case_soak(
    seconds: float, every_s: float, points: list[list[float | None]], round_s: float
) -> Iterator[dict[str, Any]]:
    """Walk to and fro, and tell what the guard takes of the machine every so often."""
    pid = walks.show("MainPID")["MainPID"]
    began = time.monotonic()
    walks.order("echo", course=again_and_again(round_s, points, int(seconds / round_s) + 2))
    due = began
    while due < began + seconds:
        due += every_s
        time.sleep(max(due - time.monotonic(), 0.0))
        walks.motors()  # else the trace fills up
        yield {"t_s": time.monotonic() - began, **taken(pid)}
    yield {"over": True, **walks.show("MainPID", "NRestarts", "StatusText")}


def journals() -> dict[str, int]:
    """The journal's files and their sizes, the oldest first."""
    while True:
        try:
            return {path.name: path.stat().st_size for path in sorted(JOURNALS.iterdir())}
        except FileNotFoundError:  # one has just made room for another
            pass


def taken(pid: str) -> dict[str, Any]:
    """What a process has: bytes, and counts of threads and open files."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    memory = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
    files = journals()
    return {
        "rss": int(status["VmRSS"].split()[0]) * 1024,
        "own": int(status["RssAnon"].split()[0]) * 1024,
        "threads": int(status["Threads"]),
        "fds": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "cgroup": int((CGROUP / "memory.current").read_text()),
        "anon": int(memory["anon"]),
        "kernel": int(memory["kernel"]),
        "journal": sum(files.values()),
        "journals": len(files),
        "first": min(files),
    }
