"""Frames of fixed size in a stream of bytes, however it is split and whatever noise stands between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
RUN = 64  # frames that are parsed at once, where a part can: fewer gain less, more are seldom together


class Framer(Generic[T]):
    """Finds frames by their header, of one byte or two, and counts all the rest.

    A bad frame costs one byte, not its length: an intact one may begin inside it.
    """

    def __init__(
        self,
        header: bytes,
        size: int,
        parse: Callable[[bytes], T | None],
        parse_run: Callable[[bytes], list[T] | None] | None = None,
    ) -> None:
        """`parse` gives what is in a frame, or None when its check fails.

        After a header of one byte it is wise to check the value as well: one noise byte in 256 is such a header.
        `parse_run` does so for many frames that stand back to back, and gives None unless all of them are right.
        """
        self.header, self.size, self.parse, self.parse_run = header, size, parse, parse_run
        self._ends = header[0], header[-1]  # the same, of one byte
        self._two = len(header) > 1
        self.run = RUN
        self.rest = b""
        self._told = 0  # place in what comes next, before which no further bad frame is told
        self.good = self.rejected = self.skipped = 0  # frames, frames, bytes

    def split(self, data: bytes) -> list[T | None]:
        """What is in the frames that `data` completes, in order; None stands for what failed its check."""
        buffer = self.rest + data if self.rest else data
        size, parse = self.size, self.parse
        first, second = self._ends
        found: list[T | None] = []
        at, end = 0, len(buffer)
        told_at = self._told
        run_at = 0 if self.parse_run else end  # where the next run may be tried
        while end - at >= size:
            if buffer[at] != first or (buffer[at + 1] != second and self._two):
                at = self._skip(buffer, at)
                continue
            if at >= run_at and end - at >= self.run * size and self.parse_run:
                run_at = at + self.run * size
                run = self.parse_run(buffer[at:run_at])
                if run is not None:
                    found += run
                    at = run_at
                    self.good += len(run)
                    continue
            frame = parse(buffer[at : at + size])
            if frame is not None:
                found.append(frame)
                self.good += 1
                at += size
            else:
                if at >= told_at:  # once a frame's length: a flood of headers is no flood of readings
                    found.append(None)
                    told_at = at + size
                self.rejected += 1
                self.skipped += 1
                at += 1
        self.rest = buffer[self._skip(buffer, at) :] if at < end else b""
        self._told = told_at - end + len(self.rest)
        return found

    def _skip(self, buffer: bytes, at: int) -> int:
        """The next place where a header stands, or half a one at the end."""
        start = buffer.find(self.header, at)
        if start < 0:
            start = len(buffer) - buffer.endswith(self.header[:1], at)
        self.skipped += start - at
        return start

    def finish(self) -> None:
        """The stream has ended: what is left was no frame."""
        self.skipped += len(self.rest)
        self.rest = b""
