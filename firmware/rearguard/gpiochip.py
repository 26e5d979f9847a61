"""GPIO lines by the kernel's own character device: edges with the time at which they happened, and no polling.

    chip --GET_LINE--> line --poll, read--> struct gpio_v2_line_event: 48 bytes, ns on CLOCK_MONOTONIC, numbered

uAPI v2 of linux/gpio.h, Linux 5.10 and newer. It imports next to nothing, for `rearguard-rest` is in a hurry.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from struct import Struct, pack_into, unpack_from

from rearguard.errors import DeviceOpenError

TYPE_CHECKING = False  # as typing's, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    Ioctl: TypeAlias = Callable[[int, int, bytearray], Any]  # as fcntl.ioctl, which writes its answer into the buffer

LABEL = b"pinctrl-"  # of the chip behind the 40-pin header: pinctrl-bcm2835, -bcm2711, -rp1
CONSUMER = b"rearguard"  # what `gpioinfo` shows beside the line
GET_CHIPINFO, CHIPINFO_BYTES = 0x8044B401, 68  # name 0, label 32, lines 64
GET_LINEINFO, LINEINFO_BYTES = 0xC100B405, 256  # name 0, consumer 32, offset 64, flags 72
USED = 1  # of these flags
GET_LINE, REQUEST_BYTES = 0xC250B407, 592  # offsets 0, consumer 256, config 288, num_lines 560, fd 588
SET_CONFIG, CONFIG_BYTES = 0xC110B40D, 272  # flags 0, num_attrs 8, attrs 32
GET_VALUES = 0xC010B40E
VALUES = Struct("=QQ")  # bits, mask
EVENT = Struct("=QIIII24x")  # timestamp_ns, id, offset, seqno, line_seqno
ACTIVE_LOW, INPUT, OUTPUT, BOTH_EDGES = 1 << 1, 1 << 2, 1 << 3, 1 << 4 | 1 << 5
PULL = {"up": 1 << 8, "down": 1 << 9, "floating": 1 << 10}
DEBOUNCE = Struct("=IIIIQ")  # attribute id 3, padding, period in us, padding, mask of lines
RISING = 1
BUFFER_BYTES = 16 * EVENT.size  # the kernel keeps 16 events of a line; then the oldest go
LONGEST_S = 1e6  # poll takes ms in 31 bits


def header(folder: str = "/dev", ioctl: Ioctl = fcntl.ioctl) -> str:
    """Path of the chip behind the 40-pin header, whatever its number. Raises DeviceOpenError."""
    chips = sorted(f"{folder}/{name}" for name in os.listdir(folder) if _is_chip(name))  # noqa: PTH208
    if not chips:
        raise DeviceOpenError(
            f"there is no {folder}/gpiochip* here. On a machine that is no Raspberry Pi, set pin_factory = 'mock'"
        )
    trouble = ""
    for chip in chips:
        info = bytearray(CHIPINFO_BYTES)
        try:
            ask(chip, GET_CHIPINFO, info, ioctl)
        except OSError as error:
            trouble = trouble or f"; {_why(chip, error)}"
        if info[32:64].startswith(LABEL):
            return chip
    raise DeviceOpenError(f"none of {', '.join(chips)} is the header of a Raspberry Pi{trouble}")


def rest(chip: str, levels: Iterable[tuple[int, int]], ioctl: Ioctl = fcntl.ioctl) -> list[str]:
    """Drive each pin to its level and let it go; one that fails keeps none from it. Returns what went wrong."""
    wrong = []
    for pin, level in levels:
        try:
            os.close(_claim(chip, pin, _config(OUTPUT | ACTIVE_LOW if level else OUTPUT), ioctl))
        except DeviceOpenError as error:
            wrong.append(str(error))
    return wrong


def ask(chip: str, what: int, buffer: bytearray, ioctl: Ioctl = fcntl.ioctl) -> None:
    """One question to a chip, answered in `buffer`. Raises OSError."""
    device = os.open(chip, os.O_RDWR)
    try:
        ioctl(device, what, buffer)
    finally:
        os.close(device)


def holder(chip: str, pin: int, ioctl: Ioctl = fcntl.ioctl) -> str | None:
    """Who holds a line: the label of a program or of a device tree overlay, "" for one without; None: it is free.

    Raises OSError.
    """
    info = bytearray(LINEINFO_BYTES)
    pack_into("=I", info, 64, pin)
    ask(chip, GET_LINEINFO, info, ioctl)
    return word(info[32:64]) if unpack_from("=Q", info, 72)[0] & USED else None


def word(raw: bytearray) -> str:
    """Text in a field of bytes, up to the first NUL."""
    return raw.partition(b"\0")[0].decode(errors="replace")


def join_group(path: str) -> str:
    """How to get at a device file that is closed to us. Raises OSError or KeyError when its group has no name."""
    from grp import getgrgid  # no hurry any more

    group = getgrgid(os.stat(path).st_gid).gr_name  # noqa: PTH116
    return f"no permission on {path}; join its group: sudo usermod -aG {group} $USER, then log in again"


class Line:
    """One input line. All of it belongs to one thread; `wake` alone may come from another."""

    def __init__(
        self, chip: str, pin: int, pull: str = "floating", debounce_s: float = 0.0, ioctl: Ioctl = fcntl.ioctl
    ) -> None:
        """`pull`: up, down or floating. A level counts once it has held for `debounce_s` (and is stamped then).

        Raises DeviceOpenError: in use (and by whom), no permission, no such chip, or a kernel that is too old.
        """
        from select import POLLIN, poll  # `rest` waits for nothing

        self.lost = 0  # edges that are known to be missing: a gap in their numbers, or the same level twice
        self._ioctl = ioctl
        self._input = _config(INPUT | BOTH_EDGES | PULL[pull], debounce_s)
        self._edges: list[tuple[float, int]] = []
        self._next: int | None = None  # number of the next edge
        self._level: int | None = None  # after the last one
        self._line = _claim(chip, pin, self._input, ioctl)
        self._bell = os.eventfd(0)
        os.set_blocking(self._line, False)
        self._poll = poll()
        self._poll.register(self._line, POLLIN)
        self._poll.register(self._bell, POLLIN)

    def level(self) -> int:
        """0 or 1, as it is now. Raises OSError when the chip is gone."""
        values = bytearray(VALUES.pack(0, 1))
        self._ioctl(self._line, GET_VALUES, values)
        return int(VALUES.unpack(values)[0])

    def wait(self, until_s: float, now: Callable[[], float] = time.monotonic) -> tuple[float, int] | None:
        """The next edge: its time in s on CLOCK_MONOTONIC and the level after it.

        None when there is none by `until_s` (0 to 1 ms late, as poll counts), or when woken. Raises OSError.
        """
        while not self._edges:
            left_s = until_s - now()
            ready = dict(self._poll.poll(min(max(left_s, 0.0), LONGEST_S) * 1e3))
            if self._bell in ready:
                os.eventfd_read(self._bell)
                return None
            if ready:
                self._read()
            elif left_s <= 0.0:
                return None
        return self._edges.pop(0)

    def wake(self) -> None:
        """Have the `wait` that is on, or the next one, end now."""
        os.eventfd_write(self._bell, 1)

    def drain(self) -> int:
        """Forget the edges there are, and tell the level. Raises OSError."""
        try:
            self._read()  # all that the kernel keeps
        except BlockingIOError:
            pass
        self._edges.clear()
        return self.level()

    def drive_low(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """Pull the line to ground for so long, against a part that holds it high; edges until then are forgotten.

        Raises OSError.
        """
        try:
            self._ioctl(self._line, SET_CONFIG, _config(OUTPUT))
            sleep(seconds)
        finally:
            self._ioctl(self._line, SET_CONFIG, self._input)
        self.drain()
        self._next = self._level = None

    def close(self) -> None:
        """Let the line go. May come more than once."""
        ends, self._line, self._bell = (self._line, self._bell), -1, -1
        for end in ends:
            if end >= 0:
                os.close(end)

    def _read(self) -> None:
        data = os.read(self._line, BUFFER_BYTES)
        if not data:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        for stamp_ns, kind, _, _, number in EVENT.iter_unpack(data):
            level = int(kind == RISING)
            if self._next is not None and number != self._next:
                self.lost += (number - self._next) & 0xFFFFFFFF
            elif level == self._level:  # the kernel joins edges that are closer than its interrupt thread is quick
                self.lost += 1
            self._next, self._level = (number + 1) & 0xFFFFFFFF, level
            self._edges.append((stamp_ns / 1e9, level))


def _is_chip(name: str) -> bool:
    return name.startswith("gpiochip") and name[8:].isdigit()


def _config(flags: int, debounce_s: float = 0.0) -> bytearray:
    """struct gpio_v2_line_config of one line; an output is at 0, which is high where it is ACTIVE_LOW."""
    config = bytearray(CONFIG_BYTES)
    pack_into("=QI", config, 0, flags, 1 if debounce_s else 0)
    if debounce_s:
        DEBOUNCE.pack_into(config, 32, 3, 0, round(debounce_s * 1e6), 0, 1)
    return config


def _claim(chip: str, pin: int, config: bytearray, ioctl: Ioctl) -> int:
    """The file descriptor of a line. Raises DeviceOpenError."""
    request = bytearray(REQUEST_BYTES)
    pack_into("=I", request, 0, pin)
    pack_into("=32s", request, 256, CONSUMER)
    request[288 : 288 + CONFIG_BYTES] = config
    pack_into("=I", request, 560, 1)
    try:
        ask(chip, GET_LINE, request, ioctl)
    except OSError as error:
        raise DeviceOpenError(_why_not(chip, pin, error, ioctl)) from error
    return int(unpack_from("=i", request, 588)[0])


def _why_not(chip: str, pin: int, error: OSError, ioctl: Ioctl) -> str:
    """Why a line is not given, and what mends it."""
    if error.errno == errno.EBUSY:
        try:
            who = holder(chip, pin, ioctl)
        except OSError:
            who = None
        return f"pin {pin} is in use by {repr(who) if who else 'another program'}; end it, or choose another pin"
    if error.errno in (errno.EINVAL, errno.ENOTTY):
        try:
            ask(chip, GET_LINEINFO, bytearray(LINEINFO_BYTES), ioctl)  # of line 0, which every chip has
        except OSError:
            return "this kernel is older than Linux 5.10 and tells no edges; mend: sudo apt full-upgrade"
    return f"pin {pin}: {_why(chip, error)}"


def _why(chip: str, error: OSError) -> str:
    """Why a chip does not answer, and what mends it."""
    if error.errno in (errno.EACCES, errno.EPERM):
        try:
            return join_group(chip)
        except (OSError, KeyError):
            pass
    if error.errno == errno.ENOENT:
        return f"{chip} is not there; look with: ls /dev/gpiochip*"
    return f"{chip}: {error.strerror or error}; is another program using it?"
