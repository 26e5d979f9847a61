"""Keys as they are pressed, from a terminal that is put back as it was on every way out."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

QUIT = "q"
ARROWS = re.compile(rb"\x1b(\[[0-9;]*[A-Za-z~]|O.)?")  # and other keys that are no letters


class Keys(Protocol):
    """Where keys come from."""

    there: bool  # whether anybody can press one

    def get(self, timeout_s: float) -> str | None:
        """The next key, waiting for it no longer than this; None when there is none."""


class NoKeys:
    """Nobody can press a key: standard input is no terminal."""

    there = False

    def get(self, timeout_s: float) -> str | None:
        time.sleep(timeout_s)
        return None


class _Terminal:
    """Keys of a terminal that gives each at once."""

    there = True

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._typed = ""

    def get(self, timeout_s: float) -> str | None:
        if not self._typed and select.select([self._fd], [], [], timeout_s)[0]:
            try:
                data = os.read(self._fd, 64)
            except OSError:
                data = b""
            if not data:
                return QUIT  # the terminal is gone
            self._typed = ARROWS.sub(b"", data).decode(errors="replace")
        key, self._typed = self._typed[:1], self._typed[1:]
        return key.lower() or None


@contextmanager
def keys() -> Iterator[Keys]:
    """The keys of standard input, while it is a terminal and this process is the one that it belongs to."""
    fd = _own_terminal()
    if fd is None:
        yield NoKeys()
        return
    before = termios.tcgetattr(fd)
    ends: Any = None
    try:
        if threading.current_thread() is threading.main_thread():
            ends = signal.signal(signal.SIGTERM, _leave)
        tty.setcbreak(fd)
        yield _Terminal(fd)
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
        if ends is not None:
            signal.signal(signal.SIGTERM, ends)


def _own_terminal() -> int | None:
    try:
        fd = sys.stdin.fileno()
        return fd if os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp() else None
    except (AttributeError, OSError, ValueError):  # there is none, it is closed, or it is not a file
        return None


def _leave(number: int, _: object) -> None:
    """Unwind instead of dying on the spot, so that the terminal is put back."""
    raise SystemExit(128 + number)
