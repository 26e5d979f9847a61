"""What the guard's own journals say: its last seconds, and its last faults."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from rearguard import lines
from rearguard.core.reading import Reading, Scan
from rearguard.doctor.finding import CannotTellError
from rearguard.doctor.upkeep import journal_folders
from rearguard.doctor.visit import Visit
from rearguard.journal import numbered

TAIL = 400_000  # bytes: some 10 s of the most talkative sensor
TAIL_S = 10.0
SAME_RUN_S = 5.0  # a file that begins so soon after the last one ended goes on with the same walk
TELLING = (b'"level"', b'"schema"')  # lines that tell of faults: alerts and headers


class Entry(lines.Line, frozen=True):
    """A line, with what only a reader of the past needs."""

    wall: str = ""
    faults: tuple[str, ...] = ()


_decoder = msgspec.json.Decoder(Entry)


class Tail(NamedTuple):
    """The last seconds of the newest journal, by sensor. Times are those of the guard's clock."""

    items: dict[str, list[Reading | Scan]]
    begin_s: float
    end_s: float


def files(visit: Visit) -> list[Path]:
    """The journals, oldest first, of the first folder that has any. Raises CannotTellError."""
    machine, why = visit.machine, "there is no journal yet"
    for folder in journal_folders(visit):
        place = machine.path(folder)
        try:
            found = [path for _, path in numbered(place)]
        except FileNotFoundError:
            continue
        except PermissionError:
            raise CannotTellError(f"{folder} is closed to you", "sudo rearguard doctor") from None
        except OSError as error:
            why = f"{folder} cannot be read: {error.strerror or error}"
            continue
        if found:
            return found
    raise CannotTellError(why)


def read(path: Path, last: int | None = None) -> Iterator[bytes]:
    """The lines of a journal, or those in its last bytes, as they stand. Raises CannotTellError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as source:
            if last is not None:
                size = source.seek(0, os.SEEK_END)
                source.seek(max(size - last, 0))
                if size > last:
                    source.readline(TAIL)  # the rest of a line
            yield from iter(lambda: source.readline(TAIL), b"")
    except OSError as error:
        raise CannotTellError(f"{path.name} cannot be read: {error.strerror or error}") from None


def entry(text: bytes) -> Entry | None:
    """A line, decoded; None for what is torn, full of NULs after a power cut, or none of ours."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def tail(visit: Visit) -> Tail:
    """Raises CannotTellError."""
    found: list[tuple[float, Reading | Scan]] = []
    times: list[float] = []
    for text in read(files(visit)[-1], TAIL):
        line = entry(text)
        if line is None or line.now_s is None:
            continue
        times.append(line.now_s)
        item = line.input()
        if isinstance(item, Reading | Scan):
            found.append((line.now_s, item))
    if not times or times[-1] <= times[0]:
        raise CannotTellError("its journal is too short yet")
    end_s = times[-1]
    begin_s = max(times[0], end_s - TAIL_S)
    items: dict[str, list[Reading | Scan]] = {}
    for now_s, item in found:
        if now_s >= begin_s:
            items.setdefault(item.sensor, []).append(item)
    return Tail(items, begin_s, end_s)


class Episode(NamedTuple):
    """One fault, from its beginning to its end."""

    fault: str  # source:fault
    began: datetime | None  # by the Pi's own clock; None where the journal does not say
    lasted_s: float | None  # None: it was there when the journal ended


class _Run:
    """Follows the faults through the files of one walk after the other."""

    def __init__(self) -> None:
        self.found: list[Episode] = []
        self._since: dict[str, tuple[float, datetime | None]] = {}
        self._zero_s = 0.0
        self._wall: datetime | None = None
        self._last_s = float("-inf")

    def file(self, path: Path) -> None:
        last = b""
        for text in read(path):
            last = text if text.endswith(b"}\n") else last
            if any(word in text for word in TELLING) and (line := entry(text)) is not None and line.t_s is not None:
                if line.schema is not None:
                    self._header(line, line.t_s)
                elif line.level is not None:
                    self._alert(line.t_s, set(line.faults))
        ended = entry(last)
        if ended is not None:
            self._last_s = ended.now_s or ended.t_s or self._last_s

    def _header(self, line: Entry, t_s: float) -> None:
        if not 0.0 <= t_s - self._last_s < SAME_RUN_S:
            self.end()
        try:
            self._wall = datetime.strptime(line.wall, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            self._wall = None
        self._zero_s = t_s

    def _alert(self, t_s: float, present: set[str]) -> None:
        self._last_s = t_s
        for fault in sorted(present - self._since.keys()):
            began = self._wall + timedelta(seconds=t_s - self._zero_s) if self._wall else None
            self._since[fault] = t_s, began
        for fault in sorted(self._since.keys() - present):
            since_s, began = self._since.pop(fault)
            self.found.append(Episode(fault, began, t_s - since_s))

    def end(self) -> None:
        """The walk is over: what is still there has no end."""
        self.found += [Episode(fault, began, None) for fault, (_, began) in self._since.items()]
        self._since = {}


def episodes(paths: Sequence[Path]) -> list[Episode]:
    """Every fault in these journals (oldest first), in the order of their ends. Raises CannotTellError."""
    run = _Run()
    for path in paths:
        run.file(path)
    run.end()
    return run.found
