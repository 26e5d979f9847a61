"""The service, and the watchdogs over it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rearguard.doctor.finding import CannotTellError, Finding, failure, ok, skipped, warning
from rearguard.doctor.history import HINTS
from rearguard.doctor.machine import Machine
from rearguard.doctor.visit import Visit

KEPT = "/usr/lib/rearguard"  # what install.sh keeps: itself, and pages
INSTALL, AGAIN = "sudo ./install.sh", f"sudo {KEPT}/install.sh"
START = "sudo systemctl enable --now rearguard"
LOG = "journalctl -u rearguard -b -n 30"
RELOAD = "sudo systemctl daemon-reload && sudo systemctl restart rearguard"
EXPECTED = {"Type": "notify", "Restart": "always", "WatchdogUSec": "2s"}  # systemd/rearguard.service
LONGEST_S = 15.0  # the counter of a Pi ends there; kernels since 2024 feed it by themselves until a longer time is over
TIME = "RuntimeWatchdogSec=14s"
DROP_INS = tuple(f"{folder}/systemd/system.conf.d" for folder in ("/usr/lib", "/usr/local/lib", "/run", "/etc"))
OURS = "rearguard-watchdog.conf"  # sorts behind the one of Raspberry Pi OS, 40-rpi-enable-watchdog.conf: a minute
REEXEC = "sudo systemctl daemon-reexec"
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def state(visit: Visit) -> Iterator[Finding]:
    """Whether the service guards, and will after the next power-on."""
    check, told = "service.state", visit.service
    active, sub = told.get("ActiveState", "unknown"), told.get("SubState", "unknown")
    if told.get("LoadState") != "loaded":
        if told.get("LoadState") in ("masked", "error", "bad-setting"):
            what = f"systemd cannot use it: {told['LoadState']}"
            yield failure(check, what, f"sudo systemctl unmask rearguard; {AGAIN}")
        else:
            yield skipped(check, "not installed: the belt does not guard by itself at power-on", INSTALL)
        return
    said, _, faults = told.get("StatusText", "").partition("FAULT ")
    if active == "active":
        yield ok(check, f"it runs{f': {said.strip()[:60]}' if said else ''}")
    elif active == "inactive":
        yield warning(check, "it is stopped", START)
    else:
        yield failure(check, f"it does not come up ({active}, {sub}, {told.get('Result', 'unknown')})", LOG)
    for fault in filter(None, faults.split(", ") if visit.running else ()):
        mend = HINTS.get(fault.rpartition(":")[2], f"look for {fault} in {KEPT}/faults.md")
        yield failure("service.faults", f"the guard says FAULT: {fault}", mend)
    if told.get("UnitFileState") not in ("enabled", "enabled-runtime", "static"):
        yield failure("service.enabled", "it does not start at power-on", START)
    else:
        yield ok("service.enabled", "it starts at power-on")


def restarts(visit: Visit) -> Iterator[Finding]:
    """How often systemd had to start it again."""
    if not visit.installed:
        return
    text = visit.service.get("NRestarts", "")
    if not text.isdecimal():
        raise CannotTellError("systemd does not say how often it was started again")
    if int(text):
        yield warning("service.restarts", f"started again {text} times since it was last told to start", LOG)
    else:
        yield ok("service.restarts", "never started again")


def current(visit: Visit) -> Iterator[Finding]:
    """Whether the unit that systemd goes by is the one that ships."""
    if not visit.installed:
        return
    check, told = "service.unit", visit.service
    other = [f"{key}={told.get(key, '')}" for key, value in EXPECTED.items() if told.get(key) != value]
    if told.get("NeedDaemonReload") == "yes":
        yield failure(check, "the file has changed since systemd read it", RELOAD)
    elif other:
        yield failure(check, f"an old or changed unit: {', '.join(other)}", AGAIN)
    else:
        yield ok(check, "up to date; a guard that hangs is started again after 2 s")


def watchdog(visit: Visit) -> Iterator[Finding]:
    """The timer in the Pi that starts it anew when the kernel or systemd hang."""
    check = "service.watchdog"
    if not visit.pi:
        yield skipped(check, "this is no Raspberry Pi")
        return
    told = visit.machine.show("--property=RuntimeWatchdogUSec").get("RuntimeWatchdogUSec", "")
    seconds = _seconds(told)
    if seconds is None:
        raise CannotTellError(f"systemd says {told[:20]!r} of RuntimeWatchdogSec, which is no time")
    if not visit.machine.has("/dev/watchdog0"):
        what = "there is no /dev/watchdog0: nothing starts a Pi that hangs"
        yield warning(check, what, "in /boot/firmware/config.txt, under [all]: dtparam=watchdog=on; sudo reboot")
    elif seconds == 0.0:
        yield warning(check, "RuntimeWatchdogSec is off: nothing starts a Pi that hangs", _shorten(visit))
    elif seconds > LONGEST_S:
        what = f"RuntimeWatchdogSec is {told}, and a Pi counts to {LONGEST_S:g} s"
        yield warning(check, f"{what}: on a kernel of before 2024 there is no watchdog then", _shorten(visit))
    else:
        yield ok(check, f"a Pi that hangs starts anew after {told}")


def _shorten(visit: Visit) -> str:
    """What makes RuntimeWatchdogSec 14 s: system.conf itself would not, for any drop-in outranks it."""
    machine = visit.machine
    found = {Path(name).name: name for folder in DROP_INS for name in machine.glob(f"{folder}/*.conf")}
    name = max((name for name, path in found.items() if _sets(machine, path)), default="")  # the last name counts
    if name < OURS:
        folder = DROP_INS[-1]
        write = f"printf '[Manager]\\n{TIME}\\nRebootWatchdogSec=14s\\n' | sudo tee {folder}/{OURS}"
        return AGAIN if visit.installed else f"sudo mkdir -p {folder} && {write} && {REEXEC}"
    if found[name] == f"{DROP_INS[0]}/{OURS}":
        return REEXEC  # systemd has not read it yet
    return f"in {found[name]}: {TIME}; {REEXEC}"


def _sets(machine: Machine, path: str) -> bool:
    try:
        return re.search(r"^\s*RuntimeWatchdogSec\s*=", machine.text(path), re.MULTILINE) is not None
    except CannotTellError:
        return False


def _seconds(text: str) -> float | None:
    """Of a time span as systemd prints it, such as "1min 30s"; None when it is none."""
    if text in ("0", "infinity"):
        return 0.0
    parts = [re.fullmatch(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|d)", part) for part in text.split()]
    if not parts or None in parts:
        return None
    return sum(float(part[1]) * UNITS[part[2]] for part in parts if part)
