"""What a virtual belt can be asked to do; each returns what it measured, as JSON can hold it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pins

MOTORS, BUZZER, BUTTON = [12, 13, 19], 25, 17
CONFIG = Path("/etc/rearguard/rearguard.toml")
parts: dict[str, subprocess.Popen[str]] = {}
traces: dict[str, pins.Trace] = {}


def show(*names: str, unit: str = "rearguard") -> dict[str, str]:
    """Properties of a unit."""
    asked = ["systemctl", "show", unit, *(f"-p{name}" for name in names)]
    text = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in text.splitlines())


def start(name: str, *argv: str) -> None:
    """Start an emulated part, and wait until it is ready."""
    told = Path(f"/run/truth-{name}")
    with told.open("w") as out:
        parts[name] = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=out, text=True)
    while "ready" not in told.read_text():
        time.sleep(0.005)


def order(name: str, **told: Any) -> None:
    """Tell an emulated part what to do; the points of a course count from now."""
    now = time.monotonic()
    if "course" in told:
        told["course"] = [[now + t_s, distance_m] for t_s, distance_m in told["course"]]
    pipe = parts[name].stdin
    assert pipe
    pipe.write(json.dumps(told) + "\n")
    pipe.flush()


def truth(name: str, since_s: float) -> list[list[float]]:
    """What an emulated part has answered: [asked at, distance, answered at]."""
    lines = Path(f"/run/truth-{name}").read_text().splitlines()[1:]
    return [told for told in map(json.loads, lines) if told[0] >= since_s]


def motors() -> list[pins.Event]:
    """What motors and buzzer did since the last call."""
    return traces["motors"].events()


def case_shell(command: str, limit_s: float = 600.0) -> dict[str, Any]:
    """Any command, as root."""
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, timeout=limit_s, check=False)
    return {"code": done.returncode, "out": done.stdout + done.stderr}


def case_wire(part: str = "echo", arguments: tuple[str, ...] = ("23", "24", "20")) -> dict[str, Any]:
    """Put a part on its lines, and watch the motors."""
    if part in parts:
        return {}
    if "motors" not in traces:
        traces["motors"] = pins.Trace("motors", [*MOTORS, BUZZER])
    start(part, "/usr/bin/python3", "-u", f"/run/bench/{part}.py", *arguments)
    return {}


def case_armed(limit_s: float = 20.0) -> dict[str, Any]:
    """Wait until the service is up and guards."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        time.sleep(0.5)  # seldom: asking takes 0.08 s of the only processor there is
        state = show("ActiveState", "StatusText", "NRestarts", "MainPID")
        if state["ActiveState"] == "active" and state["StatusText"] not in ("", "self-test", "starting again"):
            return {**state, "t_s": time.monotonic()}
    raise TimeoutError(
        case_shell("systemctl status rearguard --no-pager; journalctl -b -u rearguard --no-pager | tail -20")["out"]
    )


def case_configure(text: str) -> dict[str, Any]:
    """Another configuration, and a guard that has armed itself with it."""
    CONFIG.write_text(text)
    subprocess.run(["systemctl", "restart", "rearguard"], check=False)  # what is wrong is told below
    return case_armed()


def case_course(part: str, points: list[list[float]], wait_s: float) -> dict[str, Any]:
    """Lead a part along a course; what happened on the lines, what was true, and what the journal holds of it."""
    motors()
    now = time.monotonic()
    order(part, course=points)
    time.sleep(wait_s)
    events = motors()
    time.sleep(1.5)  # the journal's thread syncs its file twice a second
    status = show("StatusText")["StatusText"]
    told = {"truth": truth(part, now), "journal": journal(now, now + wait_s)}
    return {"began_s": now, "events": events, "status": status, **told}


def journal(since_s: float, until_s: float) -> list[dict[str, Any]]:
    """The black box's lines of a time."""
    files = sorted(Path("/var/lib/rearguard/journal").glob("journal-*.jsonl"))
    written = files[-1].read_bytes().splitlines()[1:] if files else []
    lines = [json.loads(line) for line in written if line.endswith(b"}")]  # the last is torn where the disk is full
    return [line for line in lines if since_s <= line.get("now_s", line.get("t_s", 0.0)) <= until_s]


def case_cpu(seconds: float = 10.0) -> dict[str, Any]:
    """Processor time of the guard for each second of guarding, and how often each of its threads woke up a second."""

    def used() -> tuple[float, dict[str, int]]:
        text = Path("/sys/fs/cgroup/system.slice/rearguard.service/cpu.stat").read_text()
        tasks = Path(f"/proc/{show('MainPID')['MainPID']}/task").iterdir()
        status = {task.name: (task / "status").read_text() for task in tasks}
        wakes = {n: int(re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[0]) for n, text in status.items()}
        return int(text.split()[1]) / 1e6, wakes

    motors()
    writes = traces["motors"].writes
    (cpu_before, wakes_before), began = used(), time.monotonic()
    time.sleep(seconds)
    (cpu_after, wakes_after), took = used(), time.monotonic() - began
    motors()
    return {
        "cpu": (cpu_after - cpu_before) / took,
        "wakes": sum(wakes_after[name] - wakes_before.get(name, 0) for name in wakes_after) / took,
        "writes": (traces["motors"].writes - writes) / took,
    }
