"""A long walk: whoever guards for hours may not grow.

REARGUARD_SOAK_S says how many seconds of virtual time (120); an hour is `make test-virtual-soak`.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import Any, NamedTuple

import pytest
from machine import Machine

from conftest import DEFAULT

SOAK_S = float(os.environ.get("REARGUARD_SOAK_S", "120"))
WARM_S = 30.0  # until each thing has happened twice, and the caches are full
SAMPLES = 40
# Walks to a wall, stops, goes away, somebody crosses, a while in the open with nothing to hear.
ROUND_S = 12.0
ROUND: list[list[float | None]] = [
    [0, 3.0], [1, 3.0], [4.2, 0.5], [5.5, 0.5], [7.5, 3.0], [8.5, 2.6], [8.51, 1.2], [9.2, 1.2], [9.21, 2.5], [10, 2.5],
    [10.01, None], [11.5, None], [11.51, 3.0],
]  # fmt: skip
# Small files, so that the oldest of them goes within two minutes (the journal takes 3 kB/s).
FILE_MB, TOTAL_MB = 0.06, 0.2
GROWTH = 256 * 1024  # bytes over the whole soak: one arena of the interpreter's allocator (its obmalloc.c)


class Soak(NamedTuple):
    """What was seen, after the warm-up."""

    samples: list[dict[str, Any]]
    end: dict[str, Any]
    began: dict[str, Any]

    def growth(self, what: str) -> float:
        """How much more there is at the end than after the warm-up, by the straight line through all samples."""
        times = [one["t_s"] for one in self.samples]
        slope = statistics.linear_regression(times, [one[what] for one in self.samples]).slope
        return slope * (times[-1] - times[0])


@pytest.fixture(scope="module")
def soak(belt: Machine) -> Soak:
    """The walk, with a journal that has to make room."""
    text = DEFAULT.read_text().replace("file_mb = 8", f"file_mb = {FILE_MB}")
    text = text.replace("total_mb = 200", f"total_mb = {TOTAL_MB}")
    began = belt.ask("configure", text=text)
    clock = time.monotonic()
    seen = [belt.ask("soak", seconds=SOAK_S, every_s=(SOAK_S - WARM_S) / SAMPLES, points=ROUND, round_s=ROUND_S)]
    for told in belt.lines():
        seen.append(told)
        if "over" in told:
            break
    taken = time.monotonic() - clock
    samples = [one for one in seen[:-1] if one["t_s"] >= WARM_S]
    found = Soak(samples, seen[-1], began)
    last = samples[-1]
    grown = {what: f"{found.growth(what) / 1024:+.0f} KiB" for what in ("rss", "own", "kernel")}
    print(
        f"{SOAK_S:.0f} s walked in {taken:.0f} s: RSS {last['rss'] / 1e6:.1f} MB ({grown['rss']}), its own"
        f" {last['own'] / 1e6:.1f} MB ({grown['own']}), control group {last['cgroup'] / 1e6:.1f} MB (kernel's"
        f" {grown['kernel']}), {last['threads']} threads, {last['fds']} files, journal"
        f" {max(one['journal'] for one in samples) / 1e6:.3f} MB at most in {last['journals']} files"
    )
    return found


def test_the_guard_of_the_end_is_the_guard_of_the_beginning(soak: Soak) -> None:
    assert soak.end["MainPID"] == soak.began["MainPID"]
    assert soak.end["NRestarts"] == soak.began["NRestarts"]
    assert "FAULT" not in soak.end["StatusText"]


@pytest.mark.parametrize("what", ["threads", "fds"])
def test_threads_and_open_files_stay_as_many(soak: Soak, what: str) -> None:
    assert len({one[what] for one in soak.samples}) == 1, [one[what] for one in soak.samples]


@pytest.mark.parametrize("what", ["rss", "own", "anon", "kernel"])
def test_memory_does_not_grow(soak: Soak, what: str) -> None:
    assert soak.growth(what) < GROWTH, [one[what] for one in soak.samples]


def test_memory_stays_far_from_the_unit_s_limit(soak: Soak) -> None:
    assert max(one["cgroup"] for one in soak.samples) < 64e6, "half of MemoryMax=; what the journal wrote is in it"


def test_the_journal_makes_room_for_itself(soak: Soak) -> None:
    assert max(one["journal"] for one in soak.samples) <= TOTAL_MB * 1e6
    assert soak.samples[-1]["first"] > soak.samples[0]["first"], "no file was removed: the soak was too short to see it"
