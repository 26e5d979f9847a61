"""What is done to a virtual belt from outside: parts that fail, signals, a full disk, a clock that jumps."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pins
from walks import MOTORS, case_armed, journal, motors, order, show, start, truth

FILLER = Path("/var/lib/filler")


def seen(failed_s: float, mend: Callable[[], object], hold_s: float, after_s: float) -> dict[str, Any]:
    """What the guard makes of a part that failed just now, and of its repair."""
    time.sleep(hold_s)
    during, status = motors(), show("StatusText")["StatusText"]
    repaired_s = time.monotonic()
    mend()
    time.sleep(after_s)
    after, status_after = motors(), show("StatusText")["StatusText"]
    time.sleep(1.5)
    return {
        "failed_s": failed_s, "during": during, "status": status, "repaired_s": repaired_s, "after": after,
        "status_after": status_after,
        "alerts": [line for line in journal(failed_s, time.monotonic()) if "level" in line],
    }  # fmt: skip


def case_trouble(
    part: str, mode: str, points: list[list[float]], before_s: float, hold_s: float, after_s: float
) -> dict[str, Any]:
    """A part fails in mid-course, and works again."""
    order(part, course=points)
    time.sleep(before_s)
    motors()
    failed_s = time.monotonic()
    order(part, mode=mode)
    return seen(failed_s, lambda: order(part, mode="works"), hold_s, after_s)


def running() -> int:
    """The guard's process; 0 for none."""
    return int(show("MainPID")["MainPID"])


def case_signal(name: str, limit_s: float = 6.0) -> dict[str, Any]:
    """Signal the guard while all motors say STOP; when they were still, when it guarded again and let it be felt."""
    victim = running()
    before = show("NRestarts", "ActiveEnterTimestampMonotonic")
    order("echo", course=[[0, 3.0], [1, 3.0], [5, 0.4]])
    while not all(map(pins.level, MOTORS)):
        time.sleep(0.002)
    motors()
    sent_s = time.monotonic()
    os.kill(victim, getattr(signal, name))
    while any(map(pins.level, MOTORS)) and time.monotonic() < sent_s + limit_s:
        time.sleep(0.002)
    low_s = time.monotonic()
    order("echo", course=[[0, 3.0]])
    time.sleep(limit_s)  # idly: on the one processor there is, whoever watches delays what he watches
    after = show("NRestarts", "ActiveEnterTimestampMonotonic", "StatusText")
    return {
        "sent_s": sent_s, "low_s": low_s, "events": motors(),
        "ready_s": int(after["ActiveEnterTimestampMonotonic"]) / 1e6,
        "restarts": int(after["NRestarts"]) - int(before["NRestarts"]), "status": after["StatusText"],
    }  # fmt: skip


def case_crash_loop(kills: int) -> dict[str, Any]:
    """Kill the guard again and again, as soon as there is one."""
    killed = []
    while len(killed) < kills:
        victim = running()
        if victim and (not killed or victim != killed[-1]):
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)
        time.sleep(0.1)
    began = time.monotonic()
    return {"killed": len(set(killed)), "armed_after_s": case_armed()["t_s"] - began}


def case_starve(cap: str) -> dict[str, Any]:
    """Take memory away from the guard until the kernel kills it, then give it back."""
    before = running()
    subprocess.run(["systemctl", "set-property", "--runtime", "rearguard", f"MemoryMax={cap}"], check=True)
    end = time.monotonic() + 10
    while running() == before and time.monotonic() < end:
        time.sleep(0.02)
    result = show("Result", "NRestarts")
    time.sleep(1.0)
    subprocess.run(["systemctl", "set-property", "--runtime", "rearguard", "MemoryMax=128M"], check=True)
    log = subprocess.run(["journalctl", "-b", "-u", "rearguard"], capture_output=True, text=True, check=True).stdout
    return {"before": before, "after": running(), **result, **case_armed(), "oom": "oom" in log.lower()}


def case_hog() -> dict[str, Any]:
    """Another program eats all memory; whom does the kernel kill?"""
    before = running()
    eat = "open('/proc/self/oom_score_adj', 'w').write('0')\nx = []\nwhile True: x.append(bytearray(8 << 20))"
    code = subprocess.run(["/usr/bin/python3", "-c", eat], capture_output=True, check=False).returncode
    return {"before": before, "after": running(), "hog": code, **show("NRestarts", "ActiveState")}


def case_fill() -> dict[str, Any]:
    """Leave no byte free on the disk."""
    with FILLER.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            while True:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    break
    return {"free": os.statvfs("/var/lib").f_bavail}


def case_empty() -> dict[str, Any]:
    """And room again."""
    FILLER.unlink()
    return {"free": os.statvfs("/var/lib").f_bavail}


def case_clock(by_s: float) -> dict[str, Any]:
    """Set the wall clock."""
    time.clock_settime(time.CLOCK_REALTIME, time.time() + by_s)
    return {"now": time.time()}


def case_board(address: str = "0x40", channels: int = 3) -> dict[str, Any]:
    """A simulated I2C bus with a motor board on it, and somebody who watches the board."""
    subprocess.run(["insmod", "/run/modules/i2c-stub.ko", f"chip_addr={address}"], check=True)
    subprocess.run(["udevadm", "settle"], check=True)
    bus = next(path.name.removeprefix("i2c-") for path in Path("/sys/bus/i2c/devices").glob("i2c-*") if is_stub(path))
    start("board", "/opt/rearguard/bin/python", "-u", "/run/bench/board.py", bus, address, str(channels))
    return {"bus": int(bus)}


def case_on_board(since_s: float) -> dict[str, Any]:
    """What the motor board's channels did."""
    return {"events": truth("board", since_s)}


def is_stub(path: Path) -> bool:
    """Whether an I2C bus is the simulated one."""
    return "stub" in (path / "name").read_text().lower()


def case_board_gone(bus: int, hold_s: float, after_s: float) -> dict[str, Any]:
    """Nobody answers on the bus any more, as the kernel would say it; then somebody does."""
    motors()
    victim = str(running())
    tracer = ["strace", "-f", "-p", victim, "-o", "/dev/null", "-e", "trace=ioctl", "-P", f"/dev/i2c-{bus}"]
    strace = subprocess.Popen([*tracer, "-e", "inject=ioctl:error=ENXIO"], stderr=subprocess.PIPE, text=True)
    assert strace.stderr
    strace.stderr.readline()  # "Process N attached": from here on

    def mend() -> None:
        strace.terminate()
        strace.wait()

    return {**seen(time.monotonic(), mend, hold_s, after_s), "same_process": str(running()) == victim}
