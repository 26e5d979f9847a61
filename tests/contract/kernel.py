"""The kernel's GPIO character device as its callers see it: device files, ioctl, and events on a descriptor."""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import EBUSY, EINVAL
from functools import partial
from pathlib import Path
from sys import byteorder
from typing import Any

from rearguard import gpiochip

HEADER = "pinctrl-bcm2711"
SIZES = {  # linux/gpio.h: what each call carries
    gpiochip.GET_CHIPINFO: 68,
    gpiochip.GET_LINEINFO: 256,
    gpiochip.GET_LINE: 592,
    gpiochip.SET_CONFIG: 272,
    gpiochip.GET_VALUES: 16,
}


def u32(value: int) -> bytes:
    """As the structs of linux/gpio.h hold it."""
    return value.to_bytes(4, byteorder)


def u64(value: int) -> bytes:
    return value.to_bytes(8, byteorder)


def open_files() -> set[str]:
    """The descriptors of this process."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}


class KernelLine:
    """A line that was asked for: what was asked, and the other end of its descriptor."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.configs = [request[288:560]]
        self.high = False
        self.number = 0
        self.fd, self._events = os.pipe()
        self._inode = os.fstat(self.fd).st_ino

    @property
    def held(self) -> bool:
        """Whether its descriptor is still open."""
        try:
            return os.fstat(self.fd).st_ino == self._inode
        except OSError:
            return False

    def edge(self, t_ns: int, level: int, step: int = 1) -> None:
        """The line has changed; `step` - 1 edges before this one got lost."""
        self.number = (self.number + step) % 2**32
        self.high = bool(level)
        event = u64(t_ns) + u32(1 if level else 2) + u32(24) + u32(self.number) + u32(self.number) + bytes(24)
        os.write(self._events, event)

    def unplug(self) -> None:
        """The chip is gone."""
        if self._events >= 0:
            os.close(self._events)
            self._events = -1


class Kernel:
    """GPIO chips, by number and label, with their device files in a folder."""

    def __init__(self, folder: Path, labels: dict[int, str]) -> None:
        self.folder, self.labels = folder, labels
        self.refused: dict[tuple[int, int], int] = {}  # (number of the chip, call): errno
        self.consumers: dict[int, bytes] = {}  # pin: who holds it
        self.lines: dict[int, KernelLine] = {}  # pin: the last that was asked for
        self.on_config: Callable[[KernelLine], None] = lambda _: None
        for number in labels:
            (folder / f"gpiochip{number}").touch()

    def path(self, number: int = 0) -> str:
        return str(self.folder / f"gpiochip{number}")

    def serve(self, mocker: Any) -> None:
        """From now on the firmware's pin factories and lines stand on this kernel."""
        mocker.patch("rearguard.host.header", partial(gpiochip.header, str(self.folder), self.ioctl))
        mocker.patch("rearguard.host.Line", partial(gpiochip.Line, ioctl=self.ioctl))

    def ioctl(self, fd: int, call: int, buffer: bytearray) -> int:
        assert len(buffer) == SIZES[call], "the kernel would read or write beyond it"
        target = str(Path(f"/proc/self/fd/{fd}").readlink())
        if target.startswith("pipe:"):
            self._line(fd, call, buffer)
        else:
            self._chip(int(target.rpartition("gpiochip")[2]), call, buffer)
        return 0

    def close(self) -> None:
        for line in self.lines.values():
            line.unplug()
            if line.held:
                os.close(line.fd)

    def _chip(self, number: int, call: int, buffer: bytearray) -> None:
        if error := self.refused.get((number, call)):
            raise OSError(error, os.strerror(error))
        if call == gpiochip.GET_CHIPINFO:
            buffer[32:64] = self.labels[number].encode().ljust(32, b"\0")
        elif call == gpiochip.GET_LINEINFO:
            pin = int.from_bytes(buffer[64:68], byteorder)
            buffer[32:64] = self.consumers.get(pin, b"").ljust(32, b"\0")
            buffer[72:80] = u64(int(pin in self.consumers))  # GPIO_V2_LINE_FLAG_USED
        else:
            self._claim(buffer)

    def _claim(self, buffer: bytearray) -> None:
        pin = int.from_bytes(buffer[:4], byteorder)
        before = self.lines.get(pin)
        if pin in self.consumers or (before and before.held):
            raise OSError(EBUSY, os.strerror(EBUSY))
        if before:
            before.unplug()
        self.lines[pin] = KernelLine(bytes(buffer))
        buffer[588:592] = u32(self.lines[pin].fd)

    def _line(self, fd: int, call: int, buffer: bytearray) -> None:
        (line,) = (line for line in self.lines.values() if line.fd == fd and line.held)
        if call == gpiochip.SET_CONFIG:
            line.configs.append(bytes(buffer))
            self.on_config(line)
        elif call == gpiochip.GET_VALUES:
            assert bytes(buffer[8:]) == u64(1), "the mask names the one line"
            buffer[:8] = u64(int(line.high))
        else:
            raise OSError(EINVAL, os.strerror(EINVAL))
