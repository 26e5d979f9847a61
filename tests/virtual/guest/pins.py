"""The header's lines as the kernel sees them: gpio-sim's pulls to push inputs, the GPIO tracepoint to watch outputs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TypeAlias

TRACING = Path("/sys/kernel/tracing")
CHIP = Path("/sys/bus/gpio/devices/gpiochip0").resolve()
EVENT = re.compile(rb"^\s*(.{1,16}?)-\d+\s.*?\s(\d+)\.(\d{6,9}): gpio_value: (\d+) set ([01])", re.M)
Event: TypeAlias = tuple[float, int, int, str]  # seconds of CLOCK_MONOTONIC, line, level, the program that set it


def base() -> int:
    """The number the kernel gives to line 0 of the header in its trace."""
    found = [int(path.read_text()) for path in Path("/sys/class/gpio").glob("gpiochip*/base")]
    return found[0] if found else 512


def pull(line: int, high: bool) -> None:
    """What the outside world does to an input."""
    (CHIP / f"sim_gpio{line}/pull").write_text("pull-up" if high else "pull-down")


def level(line: int) -> int:
    """What the outside world sees on a line."""
    return int((CHIP / f"sim_gpio{line}/value").read_text())


class Trace:
    """Every change the firmware makes to some lines, with the kernel's own time."""

    def __init__(self, name: str, lines: list[int]) -> None:
        if not (TRACING / "trace").exists():
            subprocess.run(["mount", "-t", "tracefs", "none", str(TRACING)], check=True)
        self._at = TRACING / "instances" / name
        self._at.mkdir(exist_ok=True)
        self._base = base()
        wanted = " || ".join(f"gpio == {self._base + line}" for line in lines)
        for file, value in (
            ("tracing_on", "0"),
            ("trace_clock", "mono"),
            ("buffer_size_kb", "4096"),
            ("events/gpio/gpio_value/filter", f"get == 0 && ({wanted})"),
            ("events/gpio/gpio_value/enable", "1"),
            ("trace", ""),
            ("tracing_on", "1"),
        ):
            (self._at / file).write_text(value)
        self.pipe = os.open(self._at / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        self._rest = b""
        self._levels: dict[int, int] = {}
        self.writes = 0  # also those that changed nothing

    def events(self) -> list[Event]:
        """The changes since the last call."""
        data, more = self._rest, b"."
        while more:
            try:
                more = os.read(self.pipe, 65536)
            except BlockingIOError:
                break
            data += more
        whole, end, self._rest = data.rpartition(b"\n")
        found = []
        for m in EVENT.finditer(whole + end):
            self.writes += 1
            line, now = int(m[4]) - self._base, int(m[5])
            if self._levels.get(line, 0) != now:
                self._levels[line] = now
                found.append((int(m[2]) + int(m[3]) / 10 ** len(m[3]), line, now, m[1].decode().strip()))
        return found
