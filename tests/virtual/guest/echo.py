"""An HC-SR04 outside the firmware: waits in the kernel's trace for the end of a ping, answers on the echo line.

`echo.py TRIGGER ECHO CELSIUS`; modes: works, cut (no edge), high (hung). Each answer is told on standard
output as [time of the ping, distance its echo stood for, time of the echo's end].
"""

from __future__ import annotations

import json
import os
import random
import select
import sys
import time

import part
import pins

RISE_S = 450e-6  # from the ping to the echo's rise (datasheet's picture; measured on many)
NOISE_M = 0.002  # 1 to 5 mm seen on parts; without any, a part that stands still looks frozen
LOST_S = 0.038  # how long the line stays up when nothing comes back


def main() -> None:
    """Answer pings until standard input ends."""
    trigger, echo, celsius = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    per_m = 2 / (331.3 + 0.606 * celsius)
    trace = pins.Trace(f"echo{trigger}", [trigger])
    line = os.open(pins.CHIP / f"sim_gpio{echo}/pull", os.O_WRONLY)
    os.write(line, b"pull-down")
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    luck, orders = random.Random(1), part.Orders()
    poll = select.poll()
    poll.register(trace.pipe, select.POLLIN)
    poll.register(0, select.POLLIN)
    print("ready", flush=True)
    while True:
        for fd, _ in poll.poll():
            if fd == 0:
                if not orders.take():
                    return
                os.write(line, b"pull-up" if orders.mode == "high" else b"pull-down")
                continue
            found = trace.events()
            if not found:  # the kernel wakes readers for nothing at times; before all others, we must not spin
                part.until(time.monotonic() + 0.001)
            for t_s, _, level, _ in found:
                if level or orders.mode in ("cut", "high"):
                    continue
                distance = part.at(orders.course, t_s)
                if distance is not None:
                    distance += luck.gauss(0.0, NOISE_M)
                part.until(t_s + RISE_S)
                rise = time.monotonic()
                os.write(line, b"pull-up")
                part.until(rise + (LOST_S if distance is None else distance * per_m))
                fall = time.monotonic()  # the kernel wakes us up to 0.2 ms late, 4 cm: true is what the line did
                os.write(line, b"pull-down")
                print(json.dumps([t_s, None if distance is None else (fall - rise) / per_m, fall]), flush=True)


main()
