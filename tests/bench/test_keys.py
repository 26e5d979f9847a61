"""Keys in a terminal: what they do, and that the terminal is put back as it was on every way out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from select import select

import pytest

KEYS = """
from rearguard.bench.looking.keys import keys
with keys() as pressed:
    print('there', pressed.there, flush=True)
    """
WAYS_OUT = {
    "it ends": (KEYS + "pass", None, 0),
    "an exception": (KEYS + "raise RuntimeError", None, 1),
    "Ctrl-C": (KEYS + "pressed.get(60)", signal.SIGINT, -signal.SIGINT),
    "SIGTERM": (KEYS + "pressed.get(60)", signal.SIGTERM, 128 + signal.SIGTERM),
}
OWN_TERMINAL = "import fcntl, os, termios\nos.setsid()\nfcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
PATIENCE_S = 60.0  # for another process, on a machine that is busy


class Screen:
    """A program on a terminal of its own."""

    def __init__(self, code: str, width: int = 80, height: int = 30) -> None:
        self.ours, self.theirs = os.openpty()
        termios.tcsetwinsize(self.theirs, (height, width))
        self.before = termios.tcgetattr(self.theirs)
        words = [sys.executable, "-c", OWN_TERMINAL + code]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "", "LINES": ""}
        self.program = subprocess.Popen(
            words, stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, env=environment
        )
        self.shown = b""

    def until(self, text: bytes) -> None:
        """Read on, until this has been shown."""
        give_up = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert select([self.ours], [], [], max(give_up - time.monotonic(), 0.0))[0], self.shown
            self.shown += os.read(self.ours, 4096)

    def ended(self) -> int:
        """Its exit code, once it is over."""
        while self.program.poll() is None:
            if select([self.ours], [], [], 0.05)[0]:
                self.shown += os.read(self.ours, 4096)
        while select([self.ours], [], [], 0.0)[0]:
            self.shown += os.read(self.ours, 4096)
        return self.program.returncode

    def restored(self) -> bool:
        return termios.tcgetattr(self.theirs) == self.before


@contextmanager
def screen(code: str) -> Iterator[Screen]:
    made = Screen(code)
    try:
        yield made
    finally:
        if made.program.poll() is None:
            made.program.kill()
            made.program.wait()
        os.close(made.ours)
        os.close(made.theirs)


@pytest.mark.parametrize("way", WAYS_OUT)
def test_the_terminal_is_put_back_on_every_way_out(way: str) -> None:
    code, sent, expected = WAYS_OUT[way]
    with screen(code) as shown:
        shown.until(b"there True")
        if sent is not None:
            assert not shown.restored()
            os.kill(shown.program.pid, sent)
        assert shown.ended() == expected
        assert shown.restored()


def test_an_arrow_is_no_key_and_letters_count_in_either_case() -> None:
    code = "got = []\n    while 'q' not in got: got.append(pressed.get(60))\n    print('got', list(filter(None, got)))"
    with screen(KEYS + code) as shown:
        shown.until(b"there True")
        os.write(shown.ours, b"\x1b[A")
        os.write(shown.ours, b"\x1bOB rQ")
        assert shown.ended() == 0
        assert b"got [' ', 'r', 'q']" in shown.shown


def test_in_a_terminal_the_walk_is_live_and_heeds_the_keys() -> None:
    code = "import sys\nfrom rearguard.cli import main\nsys.exit(main(['bench', 'wall-slow', '--fit', 'ultrasonic']))"
    with screen(code) as shown:
        shown.until(b"space pauses")
        assert not shown.restored()
        os.write(shown.ours, b" ")
        shown.until(b"paused: space goes on")
        os.write(shown.ours, b"q")
        assert shown.ended() == 0
        assert shown.restored()
        assert b"Walked " in shown.shown
