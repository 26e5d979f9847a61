"""The black box after power cuts, on broken disks, and in folders that somebody has been at."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rearguard import journal as module
from rearguard import lines
from rearguard.core.alert import Alert
from rearguard.core.pattern import felt_faults
from rearguard.core.threat import Level
from test_journal import Hand

Make = Callable[..., Hand]


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda **settings: Hand(tmp_path, monkeypatch, **settings)


def left_behind(box: Hand, *names: str, size: int = 100) -> None:
    """Files that were there before."""
    box.folder.mkdir(exist_ok=True)
    for name in names:
        (box.folder / name).write_bytes(b"x" * size)


def written(box: Hand, steps: int = 1) -> str:
    """The name of the file that the guard now writes to."""
    before = set(box.files())
    box.offer(steps)
    box.turn()
    (made,) = set(box.files()) - before
    return made.name


@pytest.mark.parametrize(
    ("there", "next_one"),
    [
        (["journal-000001.jsonl", "journal-1.jsonl"], "journal-000002.jsonl"),  # the same number twice
        (["journal-999999.jsonl"], "journal-1000000.jsonl"),
        (["journal-999999.jsonl", "journal-1000000.jsonl"], "journal-1000001.jsonl"),
        (["journal-9.jsonl", "journal-000010.jsonl"], "journal-000011.jsonl"),
    ],
)
def test_numbers_go_on_from_the_highest_there_is(there: list[str], next_one: str, hand: Make) -> None:
    box = hand()
    left_behind(box, *there)
    assert written(box) == next_one
    assert box.reports == []


def test_the_oldest_to_go_is_the_lowest_number_and_not_the_first_of_the_alphabet(hand: Make) -> None:
    box = hand(file_mb=0.01, total_mb=0.02)
    left_behind(box, "journal-999999.jsonl", "journal-1000000.jsonl", size=8000)
    written(box)
    assert [path.name for path in box.files()] == ["journal-1000000.jsonl", "journal-1000001.jsonl"]


def test_what_a_power_cut_left_behind_is_never_written_to_again(hand: Make) -> None:
    box = hand()
    left_behind(box, "journal-000001.jsonl", size=0)
    (box.folder / "journal-000002.jsonl").write_bytes(b'{"schema":"rearguard.jou')
    (box.folder / "journal-000003.jsonl").write_bytes(bytes(4096))
    before = [path.read_bytes() for path in box.files()]
    assert written(box) == "journal-000004.jsonl"
    assert [path.read_bytes() for path in box.files()[:3]] == before


def test_a_folder_or_a_link_by_the_name_of_a_file_is_no_trouble(hand: Make) -> None:
    box = hand(file_mb=0.01, total_mb=0.02)
    left_behind(box, "journal-000001.jsonl", size=30_000)
    (box.folder / "journal-000002.jsonl").mkdir()
    (box.folder / "journal-000003.jsonl").symlink_to("nowhere")
    assert written(box) == "journal-000004.jsonl"
    assert box.reports == []


def test_a_guard_that_crashes_over_and_over_does_not_fill_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILES_LIMIT", 10, raising=False)
    for _ in range(30):
        box = Hand(tmp_path, monkeypatch)
        box.offer()
        box.turn()
        box.journal._shut()
    assert [path.name for path in box.files()] == [f"journal-{i:06d}.jsonl" for i in range(21, 31)]


def test_a_file_that_cannot_be_removed_does_not_stop_the_journal(hand: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    box = hand(file_mb=0.01, total_mb=0.02)
    left_behind(box, "journal-000001.jsonl", "journal-000002.jsonl", size=15_000)
    unlink = Path.unlink

    def immutable(path: Path, missing_ok: bool = False) -> None:
        if path.name == "journal-000001.jsonl":
            raise PermissionError(errno.EPERM, "immutable")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", immutable)
    assert written(box) == "journal-000003.jsonl"
    assert [path.name for path in box.files()] == ["journal-000001.jsonl", "journal-000003.jsonl"]


def syncs(monkeypatch: pytest.MonkeyPatch, folder: Path, number: int, folders: bool) -> list[int]:
    """Let fsync fail with `number` on folders or on files; empty the list to mend the disk."""
    real, broken = os.fsync, [1]

    def fsync(fd: int) -> None:
        is_folder = Path(f"/proc/self/fd/{fd}").resolve() == folder
        if broken and is_folder is folders:
            raise OSError(number, os.strerror(number))
        real(fd)

    monkeypatch.setattr(module.os, "fsync", fsync)
    return broken


def test_a_file_system_that_cannot_sync_folders_is_good_enough(hand: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    box = hand()
    syncs(monkeypatch, box.folder, errno.EINVAL, folders=True)
    written(box, 3)
    assert box.reports == []
    assert len(box.lines()) == 4


def test_a_folder_that_fails_to_sync_leaves_no_trail_of_files(hand: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    box = hand()
    syncs(monkeypatch, box.folder, errno.EIO, folders=True)
    for _ in range(5):
        box.now_s += module.RETRY_S
        box.offer()
        box.turn()
    assert box.files() == []
    assert [(r.fault, r.active) for r in box.reports] == [("write_failed", True)]


def test_a_disk_whose_sync_fails_is_not_said_to_be_well_before_something_is_written(
    hand: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = hand()
    written(box)
    disk = syncs(monkeypatch, box.folder, errno.EIO, folders=False)
    box.now_s += 1.0
    box.offer()
    box.turn()
    for _ in range(5):
        box.now_s += module.RETRY_S
        box.journal._queue.put([])  # nothing to write
        box.journal._turn()
    assert [(r.fault, r.active) for r in box.reports] == [("write_failed", True)]
    disk.clear()
    box.offer()
    box.turn()
    assert [(r.fault, r.active) for r in box.reports] == [("write_failed", True), ("write_failed", False)]


def test_a_disk_that_turns_read_only_is_a_fault_until_it_can_be_written_again(
    hand: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = hand()
    written(box)
    real_open, real_write, broken = os.open, os.write, [1]

    def read_only(path: object, flags: int, *rest: int) -> int:
        if broken and flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real_open(path, flags, *rest)

    def write(fd: int, data: bytes) -> int:
        if broken:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real_write(fd, data)

    monkeypatch.setattr(module.os, "open", read_only)
    monkeypatch.setattr(module.os, "write", write)
    for _ in range(3):
        box.now_s += module.RETRY_S
        box.offer()
        box.turn()
    broken.clear()
    box.now_s += module.RETRY_S
    box.offer()
    box.turn()
    assert [(r.fault, r.active) for r in box.reports] == [("write_failed", True), ("write_failed", False)]


def test_a_disk_that_hangs_is_reported_when_steps_are_lost_and_when_it_is_over(hand: Make) -> None:
    box = hand()
    box.offer(module.QUEUE_LIMIT)
    assert box.reports == []
    box.offer(3)
    assert [(r.source, r.fault, r.active) for r in box.reports] == [("journal", "too_slow", True)]
    box.turn()
    box.offer()
    assert [(r.fault, r.active) for r in box.reports] == [("too_slow", True), ("too_slow", False)]
    box.turn()
    assert box.lines()[-2]["fault"] == "too_slow", "so that a replay shows where steps are missing"
    assert not felt_faults(Alert(Level.CLEAR, faults=("journal:too_slow",)))


def test_the_wall_clock_may_jump_for_the_files_are_numbered(hand: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    box = hand(file_mb=0.01)
    for year in (1970, 2038, 2024):
        monkeypatch.setattr(module.time, "gmtime", lambda year=year: (year, 1, 1, 0, 0, 0, 0, 1, 0))
        box.offer(120)
        box.turn()
    assert [path.name for path in box.files()] == [f"journal-00000{i}.jsonl" for i in (1, 2, 3)]
    assert [line["wall"][:4] for line in box.lines() if "wall" in line] == ["1970", "2038", "2024"]


def test_a_defect_while_a_step_is_encoded_costs_that_step_and_is_told(
    hand: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    box = hand()
    box.journal.offer([object()], box.now_s, None)
    box.offer(2)
    box.turn()
    assert len(box.lines()) == 3
    assert "journal" in capsys.readouterr().err


def test_a_guard_killed_in_mid_write_leaves_whole_lines_but_for_the_last(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\n"
        "from rearguard.core.reading import Reading, Status\n"
        "from rearguard.journal import Journal\n"
        "from support import config\n"
        f"journal = Journal(config(journal={{'directory': {str(tmp_path)!r}, 'total_mb': 20}}), lambda report: None)\n"
        "journal.start()\n"
        "for i in range(10_000_000):\n"
        "    journal.offer([Reading('rear', i / 10, Status.OK, 1.5)], i / 10, None)\n"
        f"    if not i % 999 and any(p.stat().st_size > 10_000 for p in Path({str(tmp_path)!r}).iterdir()):\n"
        "        print('far enough', flush=True)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE) as guard:
        assert guard.stdout is not None
        assert guard.stdout.readline() == b"far enough\n"
        guard.send_signal(signal.SIGKILL)
    files = list(tmp_path.glob("*.jsonl"))
    assert any(path.stat().st_size > 10_000 for path in files)
    for path in files:
        *whole, last = path.read_bytes().split(b"\n")
        for number, line in enumerate(whole):
            lines.decode(line, f"{path.name}, line {number}")
        assert last == b"" or last.startswith(b"{")
