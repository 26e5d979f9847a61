"""The black box: what it writes, when it syncs, and what it does when the disk fails."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rearguard import journal as module
from rearguard import lines
from rearguard.core.reading import Report
from rearguard.journal import Journal, state_directory
from rearguard.replay import Replay
from support import config, ok

MB = 1_000_000


class Hand:
    """A journal turned by hand, on a clock of its own, without its thread."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now_s)
        self.reports: list[Report] = []
        self.folder = folder / "journal"
        whole = config(journal={"directory": str(self.folder), **settings})
        self.journal = Journal(whole, self.reports.append)

    def offer(self, count: int = 1, alert: bytes | None = None) -> None:
        for _ in range(count):
            self.journal.offer([ok(self.now_s, 1.5)], self.now_s, alert)
            self.now_s += 0.06

    def turn(self) -> None:
        self.journal._dirty = True  # so that an empty queue is not waited for
        self.journal._queue.put([])
        self.journal._turn()

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*"))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for path in self.files() for line in path.read_text().splitlines()]


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Hand]:
    return lambda **settings: Hand(tmp_path, monkeypatch, **settings)


def failing(monkeypatch: pytest.MonkeyPatch, number: int, after: int = 0) -> list[int]:
    """Let os.write fail with `number` once `after` bytes have gone through; empty the list to mend the disk."""
    real, broken = os.write, [after]

    def write(fd: int, data: bytes) -> int:
        if not broken:
            return real(fd, data)
        if broken[0] <= 0:
            raise OSError(number, os.strerror(number))
        done = real(fd, data[: broken[0]])
        broken[0] -= done
        return done

    monkeypatch.setattr(module.os, "write", write)
    return broken


def test_a_file_begins_with_schema_version_and_configuration(hand: Callable[..., Hand]) -> None:
    box = hand()
    box.offer()
    box.turn()
    header = box.lines()[0]
    assert (header["schema"], header["version"]) == (lines.SCHEMA, lines.VERSION)
    assert header["config"]["sensor"]["rear"]["driver"] == "hcsr04"


def test_inputs_steps_and_alerts_stand_in_the_order_the_guard_saw_them(hand: Callable[..., Hand]) -> None:
    box = hand()
    box.offer(2)
    box.journal.offer([], box.now_s, b'{"t_s":1,"level":"warn"}\n')
    box.turn()
    kinds = [("sensor" in x and "input") or ("level" in x and "alert") or "step" for x in box.lines()[1:]]
    assert kinds == ["input", "input", "step", "alert"]


def test_it_is_synced_twice_a_second_and_no_oftener(hand: Callable[..., Hand], mocker) -> None:
    box = hand()
    box.offer()
    box.turn()  # the new file's name is synced as well
    sync = mocker.spy(module.os, "fsync")
    for _ in range(100):  # six seconds
        box.offer()
        box.turn()
    assert 10 <= sync.call_count <= 13


def test_a_new_file_is_begun_at_its_size_and_the_oldest_go(hand: Callable[..., Hand]) -> None:
    box = hand(file_mb=0.01, total_mb=0.05)
    for _ in range(200):
        box.offer(20)
        box.turn()
    sizes = [path.stat().st_size for path in box.files()]
    assert len(sizes) > 2
    assert max(sizes) <= 0.01 * MB
    assert sum(sizes) <= 0.05 * MB
    assert "journal-000001.jsonl" not in [path.name for path in box.files()]
    assert all(json.loads(path.read_text().splitlines()[0])["schema"] == lines.SCHEMA for path in box.files())


def test_files_of_others_are_let_be(hand: Callable[..., Hand]) -> None:
    box = hand(file_mb=0.01, total_mb=0.02)
    box.folder.mkdir()
    mine = box.folder / "journal-notes.jsonl"
    mine.write_text("x" * 30_000)
    box.offer(10)
    box.turn()
    assert mine.exists()


def test_a_full_disk_is_reported_once_and_when_it_is_over(hand: Callable[..., Hand], monkeypatch) -> None:
    box = hand()
    box.offer()
    box.turn()
    disk = failing(monkeypatch, errno.ENOSPC)
    for _ in range(10):
        box.offer(20)
        box.turn()
    assert [(r.source, r.fault, r.active) for r in box.reports] == [("journal", "disk_full", True)]
    disk.clear()
    box.now_s += module.RETRY_S
    box.offer()
    box.turn()
    assert box.reports[-1][2:] == ("disk_full", False)
    assert len(box.files()) == 2  # it went on in a new file, so that no line is torn in the middle of one


def test_a_full_disk_is_shown_but_not_felt(hand: Callable[..., Hand]) -> None:
    from rearguard.core.alert import Alert
    from rearguard.core.pattern import felt_faults
    from rearguard.core.threat import Level

    assert not felt_faults(Alert(Level.CLEAR, faults=("journal:disk_full",)))
    assert felt_faults(Alert(Level.CLEAR, faults=("journal:disk_full", "rear:no_data")))


def test_a_full_disk_leaves_no_trail_of_empty_files(hand: Callable[..., Hand], monkeypatch) -> None:
    box = hand()
    failing(monkeypatch, errno.ENOSPC)
    for _ in range(10):
        box.now_s += module.RETRY_S
        box.offer()
        box.turn()
    assert box.files() == []


def test_a_disk_that_fails_otherwise_is_a_fault_of_another_name(hand: Callable[..., Hand], monkeypatch) -> None:
    box = hand()
    failing(monkeypatch, errno.EIO)
    box.offer()
    box.turn()
    assert box.reports[0].fault == "write_failed"


def test_a_folder_that_cannot_be_made_is_a_fault_and_no_end(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "journal").write_text("in the way")
    box = Hand(tmp_path, monkeypatch)
    box.offer()
    box.turn()
    assert box.reports[0].fault == "write_failed"


def test_a_line_torn_by_a_full_disk_is_skipped_by_replay(hand: Callable[..., Hand], monkeypatch) -> None:
    box = hand()
    box.offer(50)
    box.turn()
    failing(monkeypatch, errno.ENOSPC, after=150)
    box.offer(50)
    box.turn()
    replay = Replay(None, None)
    with box.files()[0].open("rb") as source:
        list(replay.run(source, "journal"))
    assert "torn" in replay.notes[0]
    assert replay.inputs >= 50


def test_a_guard_faster_than_the_disk_drops_steps_and_counts_them(hand: Callable[..., Hand]) -> None:
    box = hand()
    box.offer(module.QUEUE_LIMIT + 7)
    assert box.journal.dropped == 7


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    whole = config(journal={"directory": str(tmp_path / "j")})
    journal = Journal(whole, lambda report: None)
    journal.start()
    for i in range(20):
        journal.offer([ok(i * 0.06, 1.0)], i * 0.06, None)
    journal.close()
    journal.close()
    (path,) = (tmp_path / "j").glob("*.jsonl")
    assert len(path.read_text().splitlines()) == 21


def test_a_replayed_journal_gives_the_alerts_that_it_holds(tmp_path: Path) -> None:
    """The very same guard, live and replayed."""
    from support import HandGuard

    whole = config(journal={"directory": str(tmp_path / "j")})
    hand = HandGuard(whole)
    hand.guard.begin()
    start = hand.clock.now()
    walk = [ok(start + 0.06 * i, max(4.0 - 0.05 * i, 0.5)) for i in range(100)]
    hand.until(start + 8.0, walk)
    hand.guard.finish()
    (path,) = (tmp_path / "j").glob("*.jsonl")
    recorded = path.read_bytes().splitlines(keepends=True)
    felt = [line for line in recorded if b'"level"' in line]
    assert len(felt) > 4
    assert list(Replay(None, None).run(recorded, "journal")) == felt


def test_auto_is_the_services_directory_or_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/rearguard")
    assert state_directory("auto") == Path("/var/lib/rearguard/journal")
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("HOME", "/home/maker")
    assert state_directory("auto") == Path("/home/maker/.local/state/rearguard")
    assert state_directory("/data/box") == Path("/data/box")


def test_files_that_only_look_like_ours_are_no_trouble(hand: Callable[..., Hand]) -> None:
    box = hand()
    box.folder.mkdir()
    for name in ("journal-².jsonl", "journal-.jsonl", "journal--1.jsonl"):
        (box.folder / name).touch()
    box.offer()
    box.turn()
    assert (box.folder / "journal-000001.jsonl").stat().st_size > 0
    assert box.reports == []


def test_a_folder_that_is_taken_away_is_made_anew(hand: Callable[..., Hand]) -> None:
    box = hand()
    box.offer()
    box.turn()
    for path in box.files():
        path.unlink()
    box.folder.rmdir()
    for _ in range(40):
        box.offer()
        box.turn()
    assert box.files(), "two seconds later it is there again"
