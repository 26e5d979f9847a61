"""Resident memory of the guard process while it guards, with readings arriving and the journal on.

Each sensor has a guard of its own: the ultrasonic on mock pins whose echo comes at once (one reading each 60 ms), a
TF-Luna at 100 Hz and an LD06 at full speed on pseudo-terminals, fed here by the emulators. lgpio is loaded, as on a Pi.
Read from /proc: VmRSS after some seconds of guarding, and VmHWM, the peak. MB are 1,000,000 bytes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tty
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

from firmware import Place, place
from measure import HERE, Row, below, say
from rearguard.sensors import benewake, ld06

GUARD = HERE / "guard.py"
SECONDS = 6.0
LIMIT_MB = 35.0
TICK_S = 0.01


def rows() -> list[Row]:
    """VmRSS for each sensor, with the peak beside it."""
    found = []
    for sensor in ("hcsr04", "benewake", "ld06"):
        say(f"guarding with {sensor} for {SECONDS:g} s")
        with place() as here:
            resident, peak = _guard(here, sensor)
        found.append(below(f"memory while guarding with {sensor} (peak {peak:.1f} MB)", resident, LIMIT_MB, "MB"))
    return found


def _guard(here: Place, sensor: str) -> tuple[float, float]:
    emulator: Any = None
    ends = os.openpty() if sensor != "hcsr04" else None
    if sensor == "benewake":
        emulator = benewake.Emulator(benewake.Config(driver=sensor), Random(1))
    elif sensor == "ld06":
        emulator = ld06.Emulator(ld06.Config(driver=sensor, sector_deg=160.0), Random(1))
    port = ""
    if ends:
        tty.setraw(ends[1])
        os.set_blocking(ends[0], False)
        port = os.ttyname(ends[1])
    config = here.config(sensor, port, journal=True)
    command = [sys.executable, str(GUARD), "serial" if ends else "echo", "--config", str(config)]
    with subprocess.Popen(command, cwd=here.directory, env=here.env) as guard:
        try:
            here.wait_for("STATUS=self-test")
            end = monotonic() + SECONDS
            while (now := monotonic()) < end:
                if ends:
                    _put(ends[0], emulator.wire(now, lambda _: 2.5))
                sleep(TICK_S)
            figures = _figures(guard.pid)
        finally:
            guard.terminate()
            guard.wait(10.0)
            for end_fd in ends or ():
                os.close(end_fd)
    journal = b"".join(path.read_bytes() for path in here.directory.glob("journal-*.jsonl"))
    assert journal.count(b'"ok"' if sensor != "ld06" else b'"scan"') > SECONDS, "no readings arrived"
    return figures


def _put(fd: int, data: bytes) -> None:
    """What the line does not take is lost, as on a wire."""
    try:
        os.write(fd, data)
    except BlockingIOError:
        pass


def _figures(pid: int) -> tuple[float, float]:
    """VmRSS and VmHWM of a process in MB."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    resident, peak = (int(fields[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM"))
    return resident, peak
