"""The board, its system and its Python."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rearguard.doctor.finding import CannotTellError, Finding, ok, warning
from rearguard.doctor.visit import Visit

TRIED = ("bookworm", "trixie")  # the releases that the firmware is made for
PYTHONS = ((3, 11), (3, 13))  # as pyproject.toml has it


def model(visit: Visit) -> Iterator[Finding]:
    """Which Raspberry Pi, if any."""
    if not visit.pi:
        what = f"{visit.model[:60]!r} is" if visit.model else "without a device tree: this is"
        yield warning("board.model", f"{what} no Raspberry Pi; walks can be simulated here", "rearguard bench")
        return
    try:
        revision = f" (revision {_revision(visit)})"
    except CannotTellError:
        revision = ""
    yield ok("board.model", f"{visit.model}{revision}")


def _revision(visit: Visit) -> str:
    """The code that gpiozero goes by."""
    found = re.search(r"^Revision\s*:\s*([0-9a-f]+)", visit.machine.text("/proc/cpuinfo"), re.MULTILINE)
    if not found:
        raise CannotTellError("/proc/cpuinfo has no Revision")
    return found[1]


def system(visit: Visit) -> Iterator[Finding]:
    """Distribution, release, word size, kernel."""
    machine = visit.machine
    pairs = (line.split("=", 1) for line in machine.text("/etc/os-release").splitlines() if "=" in line)
    told = {key: value.strip("\"'") for key, value in pairs}
    name = told.get("PRETTY_NAME", "an unnamed system")
    if machine.has("/etc/rpi-issue"):
        name = f"Raspberry Pi OS on {name}"
    what = f"{name}, {machine.bits} bit, kernel {machine.text('/proc/sys/kernel/osrelease')}"
    if told.get("VERSION_CODENAME") in TRIED:
        yield ok("board.system", what)
    else:
        mend = "flash Raspberry Pi OS Lite (Bookworm or Trixie) with Raspberry Pi Imager"
        yield warning("board.system", f"{what}: never tried there", mend)


def python(visit: Visit) -> Iterator[Finding]:
    """The interpreter that runs this."""
    least, most = (".".join(map(str, version)) for version in PYTHONS)
    what = "Python " + ".".join(map(str, visit.machine.python))
    if PYTHONS[0] <= visit.machine.python[:2] <= PYTHONS[1]:
        yield ok("board.python", what)
    else:
        mend = "sudo apt install python3 python3-venv"
        yield warning("board.python", f"{what}; the firmware is tried on {least} to {most}", mend)
