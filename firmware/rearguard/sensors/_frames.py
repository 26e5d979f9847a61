"""Frames of fixed size in a stream of bytes, however it is split and whatever noise stands between them."""

from __future__ import annotations

from collections.abc import Callable


class Framer:
    """Finds frames by their header, and counts all the rest.

    A bad frame costs one byte, not its length: an intact one may begin inside it.
    """

    def __init__(self, header: bytes, size: int, parse: Callable[[bytes], tuple[int, ...] | None]) -> None:
        """`parse` gives the fields of a frame, or None when its check fails."""
        self.header, self.size, self.parse = header, size, parse
        self.rest = b""
        self.good = self.rejected = self.skipped = 0  # frames, frames, bytes

    def split(self, data: bytes) -> list[tuple[int, ...] | None]:
        """The fields of the frames that `data` completes, in order; None stands for one that failed its check."""
        buffer = self.rest + data if self.rest else data
        header, size, parse = self.header, self.size, self.parse
        found: list[tuple[int, ...] | None] = []
        at, end = 0, len(buffer)
        while True:
            start = buffer.find(header, at)
            if start < 0:  # half a header may stand at the end
                start = end - 1 if buffer.endswith(header[:1], at) else end
                break
            if start + size > end:
                break
            self.skipped += start - at
            fields = parse(buffer[start : start + size])
            found.append(fields)
            if fields is not None:
                self.good += 1
                at = start + size
            else:
                self.rejected += 1
                self.skipped += 1
                at = start + 1
        self.skipped += start - at
        self.rest = buffer[start:]
        return found

    def finish(self) -> None:
        """The stream has ended: what is left was no frame."""
        self.skipped += len(self.rest)
        self.rest = b""
