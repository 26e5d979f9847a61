"""Frames of fixed size in a stream of bytes, however it is split and whatever noise stands between them."""

from __future__ import annotations

from collections.abc import Callable


class Framer:
    """Finds frames by header and check, and counts all the rest. A bad frame costs one byte, not its length:

    an intact one may begin inside it.
    """

    def __init__(self, header: bytes, size: int, check: Callable[[bytes], bool]) -> None:
        self._header, self._size, self._check = header, size, check
        self._rest = b""
        self.good = self.rejected = self.skipped = 0  # frames, frames, bytes

    def split(self, data: bytes) -> list[bytes | None]:
        """The frames that `data` completes, in order; None stands for one that failed its check."""
        buffer = self._rest + data if self._rest else data
        header, size, check = self._header, self._size, self._check
        found: list[bytes | None] = []
        at, end = 0, len(buffer)
        while True:
            start = buffer.find(header, at)
            if start < 0:  # half a header may stand at the end
                start = end - 1 if buffer.endswith(header[:1], at) else end
                break
            if start + size > end:
                break
            self.skipped += start - at
            frame = buffer[start : start + size]
            if check(frame):
                self.good += 1
                found.append(frame)
                at = start + size
            else:
                self.rejected += 1
                self.skipped += 1
                found.append(None)
                at = start + 1
        self.skipped += start - at
        self._rest = buffer[start:]
        return found

    def finish(self) -> None:
        """The stream has ended: what is left was no frame."""
        self.skipped += len(self._rest)
        self._rest = b""
