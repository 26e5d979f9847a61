"""The disk of the power cuts, over its wire: what was flushed stays, the rest may go."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from disk import ABORT, BLOCK, DISC, EXPORT_NAME, FLUSH, FUA, GO, READ, SECTOR, WRITE, Cut, Disk

BLOCKS = 16
OLD, NEW, NEWER = b"o" * BLOCK, b"n" * BLOCK, b"w" * BLOCK


class Client:
    """The guest's side of the line, by the protocol's own numbers."""

    def __init__(self, at: Path, option: int = GO) -> None:
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(str(at))
        assert self.take(16) == b"NBDMAGICIHAVEOPT"
        assert struct.unpack(">H", self.take(2))[0] & 3 == 3
        self.line.sendall(struct.pack(">I", 3))
        self.option(8, b"")  # structured replies: refused
        assert self.answer() == (8, (1 << 31) + 1, b"")
        self.option(option, b"" if option == EXPORT_NAME else struct.pack(">IH", 0, 0))
        if option == GO:
            _, kind, info = self.answer()
            assert (kind, struct.unpack(">HQH", info)[:2]) == (3, (0, BLOCKS * BLOCK))
            assert self.answer() == (GO, 1, b"")

    def option(self, number: int, data: bytes) -> None:
        self.line.sendall(b"IHAVEOPT" + struct.pack(">II", number, len(data)) + data)

    def answer(self) -> tuple[int, int, bytes]:
        magic, option, kind, length = struct.unpack(">QIII", self.take(20))
        assert magic == 0x3E889045565A9
        return option, kind, self.take(length)

    def take(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.line.recv(length - len(data))
            assert more, "the disk hung up"
            data += more
        return data

    def ask(self, kind: int, offset: int = 0, length: int = 0, data: bytes = b"", flags: int = 0) -> tuple[int, bytes]:
        head = struct.pack(">IHH8sQI", 0x25609513, flags, kind, b"somebody", offset, length or len(data))
        self.line.sendall(head + data)
        magic, error, handle = struct.unpack(">II8s", self.take(16))
        assert (magic, handle) == (0x67446698, b"somebody")
        return error, self.take(length) if kind == READ and not error else b""

    def write(self, block: int, data: bytes, flags: int = 0) -> None:
        assert self.ask(WRITE, block * BLOCK, data=data, flags=flags) == (0, b"")

    def read(self, block: int) -> bytes:
        return self.ask(READ, block * BLOCK, BLOCK)[1]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(OLD * BLOCKS)
    return path


@pytest.fixture
def disk(image: Path, tmp_path: Path) -> Iterator[Disk]:
    with Disk(image, tmp_path / "socket", random.Random(1)) as open_disk:
        yield open_disk


@pytest.fixture
def plug(disk: Disk, tmp_path: Path) -> Iterator[Callable[[], Client]]:
    clients: list[Client] = []

    def connect(option: int = GO) -> Client:
        clients.append(Client(tmp_path / "socket", option))
        return clients[-1]

    yield connect
    for client in clients:
        client.line.close()


def blocks(image: Path) -> list[bytes]:
    data = image.read_bytes()
    return [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]


def test_what_was_written_is_read_back_but_not_in_the_image_yet(plug: Callable[[], Client], image: Path) -> None:
    guest = plug()
    guest.write(3, NEW)
    assert guest.read(3) == NEW
    assert guest.read(4) == OLD
    assert blocks(image) == [OLD] * BLOCKS


def test_part_of_a_block_may_be_written_and_read(plug: Callable[[], Client]) -> None:
    guest = plug()
    guest.ask(WRITE, 2 * BLOCK + 100, data=b"x" * BLOCK)
    _, data = guest.ask(READ, 2 * BLOCK + 50, 2 * BLOCK - 50)
    assert data == b"o" * 50 + b"x" * BLOCK + b"o" * (BLOCK - 100)


def test_a_flush_makes_all_durable(plug: Callable[[], Client], disk: Disk, image: Path) -> None:
    guest = plug()
    for block in range(BLOCKS):
        guest.write(block, NEW)
    guest.ask(FLUSH)
    assert disk.cut() == Cut(0, 0, 0)
    assert blocks(image) == [NEW] * BLOCKS


def test_a_write_through_makes_only_itself_durable(plug: Callable[[], Client], disk: Disk, image: Path) -> None:
    guest = plug()
    guest.write(1, NEW)
    guest.write(2, NEW, flags=FUA)
    assert disk.unflushed() == 1
    assert blocks(image) == [OLD, OLD, NEW] + [OLD] * (BLOCKS - 3)


def test_a_cut_leaves_each_waiting_block_in_one_of_its_states_or_torn(tmp_path: Path) -> None:
    seen: set[bytes] = set()
    tears = 0
    for seed in range(20):
        image, at = tmp_path / "image", tmp_path / "socket"
        image.write_bytes(OLD * BLOCKS)
        with Disk(image, at, random.Random(seed)) as disk:
            guest = Client(at)
            for block in range(BLOCKS):
                guest.write(block, NEW)
                guest.write(block, NEWER)
            cut = disk.cut()
            guest.line.close()
        assert sum(cut) == BLOCKS
        left = blocks(image)
        torn = [block for block in left if block not in (OLD, NEW, NEWER)]
        assert len(torn) <= cut.torn <= 1
        for block in torn:
            assert {block[at : at + SECTOR] for at in range(0, BLOCK, SECTOR)} == {OLD[:SECTOR], NEWER[:SECTOR]}
        tears += len(torn)
        seen |= {block for block in left if block not in torn}
    assert seen == {OLD, NEW, NEWER}
    assert 0 < tears < 20


def test_the_same_luck_is_the_same_cut(tmp_path: Path) -> None:
    left = []
    for _ in range(2):
        image, at = tmp_path / "image", tmp_path / "socket"
        image.write_bytes(OLD * BLOCKS)
        with Disk(image, at, random.Random(7)) as disk:
            guest = Client(at)
            for block in range(BLOCKS):
                guest.write(block, NEW)
            disk.cut()
            guest.line.close()
        left.append(image.read_bytes())
    assert left[0] == left[1]


def test_after_a_cut_the_disk_serves_what_is_left(plug: Callable[[], Client], disk: Disk, image: Path) -> None:
    plug().write(5, NEW)
    disk.cut()
    assert plug().read(5) == blocks(image)[5]


def test_one_guest_may_follow_another(plug: Callable[[], Client]) -> None:
    first = plug()
    first.write(0, NEW)
    first.line.sendall(struct.pack(">IHH8sQI", 0x25609513, 0, DISC, bytes(8), 0, 0))
    assert plug().read(0) == NEW


def test_a_guest_that_asks_the_old_way_is_served(plug: Callable[..., Client]) -> None:
    guest = plug(EXPORT_NAME)
    assert struct.unpack(">Q", guest.take(8))[0] == BLOCKS * BLOCK
    guest.take(2)
    assert guest.read(0) == OLD


def test_a_guest_that_thinks_better_of_it_is_let_go(plug: Callable[..., Client]) -> None:
    guest = plug(ABORT)
    assert guest.answer() == (ABORT, 1, b"")
    assert guest.line.recv(1) == b""


@pytest.mark.parametrize(("kind", "offset"), [(READ, BLOCKS * BLOCK), (9, 0)], ids=["beyond its end", "no command"])
def test_what_cannot_be_done_is_refused(plug: Callable[[], Client], kind: int, offset: int) -> None:
    guest = plug()
    assert guest.ask(kind, offset, SECTOR) == (22, b"")
    assert guest.read(0) == OLD


def test_an_image_of_broken_blocks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"x" * (BLOCK + 1))
    with pytest.raises(ValueError, match="whole blocks"):
        Disk(path, tmp_path / "socket", random.Random(1))
