"""A disk whose plug can be pulled: it holds what is written to it in memory until it is told to flush.

Serves one image file to QEMU as a network block device on a Unix socket (github.com/NetworkBlockDevice/nbd,
doc/proto.md: fixed newstyle handshake, simple replies; reads, writes with or without FUA, flushes), in a thread.
"""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

BLOCK, SECTOR = 4096, 512  # bytes: what ext4 writes at once, and what no disk tears
FIXED_NEWSTYLE, NO_ZEROES = 1, 2
EXPORT_NAME, ABORT, GO = 1, 2, 7  # options; all others are refused
ACK, INFO, UNSUPPORTED = 1, 3, (1 << 31) + 1  # answers to them
READ, WRITE, DISC, FLUSH = 0, 1, 2, 3
FUA = 1
ABLE = 1 | 4 | 8  # has flags, flushes, knows FUA
EINVAL = 22


class Cut(NamedTuple):
    """What became of the blocks that were not flushed."""

    kept: int
    lost: int
    torn: int


class Disk:
    """Blocks on their way to `image`. A context manager; while it is open, QEMU finds it at `drive`."""

    def __init__(self, image: Path, socket_at: Path, luck: random.Random) -> None:
        """Serves at once. `luck` decides what a cut leaves."""
        self._fd = os.open(image, os.O_RDWR)
        self._size = os.fstat(self._fd).st_size
        if self._size % BLOCK:
            raise ValueError(f"{image}: {self._size} bytes; an image of whole blocks of {BLOCK} bytes is needed")
        self._at, self._luck = socket_at, luck
        self._volatile: dict[int, list[bytes]] = {}  # of each block all that was written since the last flush
        self.flushes = 0
        self.drive = ("-drive", f"file=nbd+unix:///?socket={socket_at},format=raw,if=virtio,cache=writeback")
        self._plug_in()

    def cut(self) -> Cut:
        """Pull the plug: of each block that waited, one of the states it had reaches the image; one may be torn.

        Whatever was connected is cut off first. The disk serves again, as one that has just got power.
        """
        self._unplug()
        kept = lost = 0
        tearable = [block for block, states in self._volatile.items() if states[-1] != self._durable(block)]
        torn = self._luck.choice(tearable) if tearable and self._luck.random() < 0.5 else None
        for block, states in self._volatile.items():
            reached = self._luck.randint(0, len(states))
            if block == torn:
                old, new = self._durable(block), states[-1]
                sectors = [self._luck.choice((old, new))[at : at + SECTOR] for at in range(0, BLOCK, SECTOR)]
                os.pwrite(self._fd, b"".join(sectors), block * BLOCK)
            elif reached:
                os.pwrite(self._fd, states[reached - 1], block * BLOCK)
            kept += block != torn and reached == len(states)
            lost += block != torn and reached < len(states)
        self._volatile.clear()
        self._plug_in()
        return Cut(kept, lost, int(torn is not None))

    def unflushed(self) -> int:
        """How many blocks a cut would put at risk now."""
        return len(self._volatile)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unplug()
        os.close(self._fd)

    def _plug_in(self) -> None:
        self._at.unlink(missing_ok=True)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(self._at))
        self._door.listen(1)
        self._guest: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, name="disk")
        self._thread.start()

    def _unplug(self) -> None:
        for end in (self._door, self._guest):
            try:
                if end is not None:
                    end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was faster
        self._thread.join()
        self._door.close()

    def _serve(self) -> None:
        """One guest after another, until the plug is pulled."""
        while True:
            try:
                self._guest, _ = self._door.accept()
            except OSError:
                return
            with self._guest:
                try:
                    if self._shake_hands(self._guest):
                        while self._answer(self._guest):
                            pass
                except (EOFError, ConnectionError):
                    pass  # the guest's machine has died

    def _shake_hands(self, guest: socket.socket) -> bool:
        """Agree on what is served; False when the guest wants nothing."""
        guest.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", FIXED_NEWSTYLE | NO_ZEROES))
        zeroes = b"" if struct.unpack(">I", _take(guest, 4))[0] & NO_ZEROES else bytes(124)
        while True:
            magic, option, length = struct.unpack(">8sII", _take(guest, 16))
            if magic != b"IHAVEOPT":
                raise ConnectionError(f"no NBD client: {magic!r}")
            _take(guest, length)
            if option == EXPORT_NAME:
                guest.sendall(struct.pack(">QH", self._size, ABLE) + zeroes)
                return True
            if option == GO:
                _reply(guest, option, INFO, struct.pack(">HQH", 0, self._size, ABLE))
            _reply(guest, option, ACK if option in (GO, ABORT) else UNSUPPORTED)
            if option in (GO, ABORT):
                return bool(option == GO)

    def _answer(self, guest: socket.socket) -> bool:
        """One request; False when the guest takes its leave."""
        _, flags, kind, handle, offset, length = struct.unpack(">IHH8sQI", _take(guest, 28))
        data, error = b"", 0
        if kind == DISC:
            return False
        written = _take(guest, length) if kind == WRITE else b""
        if kind == FLUSH:
            self._flush()
        elif kind not in (READ, WRITE) or offset + length > self._size:
            error = EINVAL
        elif kind == READ:
            data = self._read(offset, length)
        else:
            self._write(offset, written, bool(flags & FUA))
        guest.sendall(struct.pack(">II8s", 0x67446698, error, handle) + data)
        return True

    def _durable(self, block: int) -> bytes:
        return os.pread(self._fd, BLOCK, block * BLOCK)

    def _read(self, offset: int, length: int) -> bytes:
        data = bytearray(os.pread(self._fd, length, offset))
        for block in range(offset // BLOCK, -(-(offset + length) // BLOCK)):
            if states := self._volatile.get(block):
                at = block * BLOCK - offset
                data[max(at, 0) : at + BLOCK] = states[-1][max(-at, 0) : length - at]
        return bytes(data)

    def _write(self, offset: int, data: bytes, durable: bool) -> None:
        for block in range(offset // BLOCK, -(-(offset + len(data)) // BLOCK)):
            at = block * BLOCK - offset  # of the block's first byte within data
            whole = bytearray(self._read(block * BLOCK, BLOCK))
            whole[max(-at, 0) : len(data) - at] = data[max(at, 0) : at + BLOCK]
            self._volatile.setdefault(block, []).append(bytes(whole[:BLOCK]))
            if durable:
                self._settle(block)

    def _settle(self, block: int) -> None:
        os.pwrite(self._fd, self._volatile.pop(block)[-1], block * BLOCK)

    def _flush(self) -> None:
        self.flushes += 1
        for block in list(self._volatile):
            self._settle(block)


def _take(guest: socket.socket, length: int) -> bytes:
    """Exactly so many bytes. Raises EOFError when the guest is gone before."""
    data = bytearray(length)
    view = memoryview(data)
    while view:
        got = guest.recv_into(view)
        if not got:
            raise EOFError
        view = view[got:]
    return bytes(data)


def _reply(guest: socket.socket, option: int, kind: int, data: bytes = b"") -> None:
    guest.sendall(struct.pack(">QIII", 0x3E889045565A9, option, kind, len(data)) + data)
