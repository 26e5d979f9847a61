"""The black box: what the guard took in and what it made of it, as JSON lines on the disk.

It has a thread of its own and never makes the guard wait. What was written more than a second ago
survives a power cut. When the disk fails, that is reported, and the guard goes on. A file is written to by one guard,
once: what a cut left torn stays as it is, and the next start begins a new one.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from errno import EINVAL, ENOSPC
from pathlib import Path
from queue import Empty, SimpleQueue
from stat import S_ISREG
from threading import Thread

from rearguard import __version__, lines
from rearguard.config import Config
from rearguard.core.reading import Input, Report
from rearguard.errors import given_folder, tell

SYNC_S = 0.5  # with a step (60 ms), a card (assumed: 0.1 s) and some trouble, a power cut costs a second at most
RETRY_S = 2.0  # after the disk has failed
QUEUE_LIMIT = 5000  # some seconds of the fastest sensor; then lines are dropped and counted
FILES_LIMIT = 2000  # a guard that crashes over and over begins one each time
PREFIX, SUFFIX = "journal-", ".jsonl"
NUMBERED = re.compile(rf"{PREFIX}([0-9]+){re.escape(SUFFIX)}")
MB = 1_000_000


def state_directory(setting: str) -> Path:
    """Where the journal goes: `setting`, or for "auto" the service's own directory, or the user's."""
    if setting != "auto":
        return Path(setting).expanduser()
    given = given_folder("STATE_DIRECTORY")
    return Path(given) / "journal" if given else Path("~/.local/state/rearguard").expanduser()


def numbered(folder: Path) -> list[tuple[int, Path]]:
    """The journals in a folder with their numbers, in the order in which they were begun. Raises OSError."""
    found = ((NUMBERED.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(ours[1]), path) for ours, path in found if ours)


class Journal:
    """Takes steps from the guard's loop and writes them."""

    def __init__(self, config: Config, report: Callable[[Report], None]) -> None:
        """`report` is called when writing begins to fail and when it works again, also from the journal's thread."""
        self._raw, self._settings = config.raw, config.journal
        self._directory = state_directory(config.journal.directory)
        self._report = report
        self._queue: SimpleQueue[list[bytes | tuple[Input, float]] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._fd: int | None = None
        self._size = 0
        self._synced_s = 0.0
        self._dirty = False
        self._failing: str | None = None
        self._retry_s = 0.0
        self._slow = False  # the disk hangs, and steps are lost
        self._told = False  # that a step could not be encoded
        self.dropped = 0  # steps

    def start(self) -> None:
        """Begin a new file."""
        self._thread.start()

    def offer(self, inputs: Iterable[Input], now_s: float, alert: bytes | None) -> None:
        """One step of the guard; `alert` is its line where the alert changed. Never waits; may drop."""
        waiting = self._queue.qsize()
        if waiting >= QUEUE_LIMIT:
            self._drag(True, now_s)
            self.dropped += 1
            return
        if self._slow and waiting < QUEUE_LIMIT // 2:
            self._queue.put([(Report("journal", now_s, "too_slow", True), now_s)])  # here steps are missing
            self._drag(False, now_s)
        step: list[bytes | tuple[Input, float]] = [(item, now_s) for item in inputs]
        if not step:
            step.append(lines.step(now_s))
        if alert is not None:
            step.append(alert)
        self._queue.put(step)

    def close(self) -> None:
        """Write what is waiting and end. Waits no longer than a slow disk deserves."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        going = True
        while going:
            going = self._turn()
        self._shut()

    def _turn(self) -> bool:
        """Write all that waits, in one go; False when the journal is closed."""
        batch: list[bytes] = []
        going = True
        try:
            due_s = max(self._synced_s + SYNC_S - time.monotonic(), 0.0) if self._dirty else None
            step = self._queue.get(timeout=due_s)
            while step is not None:
                batch += self._encoded(step)
                step = self._queue.get_nowait()
            going = False
        except Empty:
            pass
        now = time.monotonic()
        if self._failing is not None and now < self._retry_s:
            return going
        try:
            if batch:
                self._write(b"".join(batch), now)
            if self._dirty and (now - self._synced_s >= SYNC_S or not going):
                self._sync(now)
            if batch:
                self._tell(None, now)
        except OSError as error:
            self._shut()  # a half-written line stays at the end of its file
            self._retry_s, self._dirty = now + RETRY_S, False
            self._tell("disk_full" if error.errno == ENOSPC else "write_failed", now)
        return going

    def _encoded(self, step: list[bytes | tuple[Input, float]]) -> list[bytes]:
        try:
            return [item if isinstance(item, bytes) else lines.encode(*item) for item in step]
        except Exception as error:  # a defect costs that step and not all that come after it
            if not self._told:
                tell(f"journal: a step was lost, {step!r:.200}: {type(error).__name__}: {error}")
            self._told = True
            return []

    def _write(self, data: bytes, now: float) -> None:
        if self._fd is None or self._size + len(data) > self._settings.file_mb * MB:
            self._begin(now)
        assert self._fd is not None
        self._put(self._fd, data)
        self._dirty = True

    def _put(self, fd: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            done = os.write(fd, view)
            self._size += done
            view = view[done:]

    def _sync(self, now: float) -> None:
        if self._fd is not None:
            os.fsync(self._fd)
            if not os.fstat(self._fd).st_nlink:
                self._shut()  # the file was taken away: the next line begins a new one
        self._synced_s, self._dirty = now, False

    def _begin(self, now: float) -> None:
        """A new file with a header of its own, and room for it."""
        if self._fd is not None:
            self._sync(now)
        self._shut()
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{PREFIX}{self._make_room():06d}{SUFFIX}"
        wall = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._fd, self._size = fd, 0
        try:
            self._put(fd, lines.header(now, wall, self._raw, __version__))
            self._sync_folder()
        except OSError:
            path.unlink(missing_ok=True)  # no trail of empty files on a full disk
            raise

    def _make_room(self) -> int:
        """Remove our oldest files, as far as there is no room for them; returns the number of the next."""
        ours = numbered(self._directory)
        files = [(info.st_size, path) for _, path in ours if S_ISREG((info := path.lstat()).st_mode)]
        total, count = sum(size for size, _ in files), len(files)
        spare = (self._settings.total_mb - self._settings.file_mb) * MB
        for size, path in files:
            if total <= spare and count < FILES_LIMIT:
                break
            try:
                path.unlink()
            except PermissionError:  # somebody wants to keep it; the next may go
                continue
            total, count = total - size, count - 1
        return ours[-1][0] + 1 if ours else 1

    def _sync_folder(self) -> None:
        """So that the new name survives a power cut as well."""
        folder = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        except OSError as error:
            if error.errno != EINVAL:  # a file system that cannot do it, as exFAT through FUSE, is better than none
                raise
        finally:
            os.close(folder)

    def _shut(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            try:
                os.close(fd)
            except OSError:
                pass  # its data was lost before; that has been told

    def _drag(self, slow: bool, now: float) -> None:
        """Report that steps are lost to a disk that hangs, or that this is over."""
        if slow is not self._slow:
            self._slow = slow
            self._report(Report("journal", now, "too_slow", slow))

    def _tell(self, fault: str | None, now: float) -> None:
        """Report the change from one state of the disk to another."""
        if fault == self._failing:
            return
        if self._failing is not None:
            self._report(Report("journal", now, self._failing, False))
        if fault is not None:
            self._report(Report("journal", now, fault, True))
        self._failing = fault
