"""A TF-Luna outside the firmware: 100 frames a second on a pseudo-terminal that a link names.

`lidar.py LINK`; modes: works, silent, garbage, frozen, unplugged (the terminal hangs up until another mode is ordered).
"""

from __future__ import annotations

import json
import os
import pty
import random
import select
import sys
import time
import tty
from pathlib import Path

import part

PERIOD_S = 0.01
NOISE_M = 0.005  # the maker's figure at 2 m


def frame(distance_m: float | None) -> bytes:
    """59 59, distance in cm, amplitude, temperature, sum; amplitude 50 is a return too weak to measure."""
    cm, amplitude, heat = (0, 50, 2248) if distance_m is None else (round(distance_m * 100), 1500, 2248)
    body = bytes((0x59, 0x59, cm & 255, cm >> 8, amplitude & 255, amplitude >> 8, heat & 255, heat >> 8))
    return body + bytes((sum(body) & 255,))


def main() -> None:
    """Send frames until standard input ends."""
    link, luck, orders = Path(sys.argv[1]), random.Random(1), part.Orders()
    master: int | None = None
    frozen: float | None = None
    due = time.monotonic()
    print("ready", flush=True)
    while True:
        if orders.mode == "unplugged" and master is not None:
            os.close(master)
            link.unlink()
            master = None
        elif orders.mode != "unplugged" and master is None:
            master, slave = pty.openpty()
            tty.setraw(slave)
            port = Path(os.ttyname(slave))
            port.chmod(0o666)
            link.unlink(missing_ok=True)
            link.symlink_to(port)
            os.set_blocking(master, False)
        due += PERIOD_S
        if select.select([0], [], [], max(due - time.monotonic(), 0.0))[0] and not orders.take():
            return
        part.until(due)
        if master is None or orders.mode == "silent":
            continue
        distance = part.at(orders.course, due)
        if distance is not None:
            distance += luck.gauss(0.0, NOISE_M)
        frozen = (frozen or distance) if orders.mode == "frozen" else None
        data = luck.randbytes(9) if orders.mode == "garbage" else frame(frozen or distance)
        sent = time.monotonic()  # before, for the guard may be the first to go on after it
        try:
            os.write(master, data)
        except BlockingIOError:  # nobody reads
            continue
        print(json.dumps([due, distance, sent]), flush=True)


main()
