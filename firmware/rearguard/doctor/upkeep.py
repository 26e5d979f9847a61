"""Memory, disk and clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rearguard.doctor import access
from rearguard.doctor.finding import CannotTellError, Finding, failure, ok, skipped, warning
from rearguard.doctor.visit import Visit
from rearguard.journal import MB, numbered

GUARD_MB = 35  # what the guard may take (the limit of its benchmark)
EASY_MB = 70  # twice that, so that an upgrade can go on beside it (assumed)
DISK_MB = 20  # a file of the journal and as much again; below that it soon stops (assumed)
STATE = "/var/lib/rearguard"


def memory(visit: Visit) -> Iterator[Finding]:
    """What is free for the guard, unless it has taken its part already."""
    check = "board.memory"
    told = re.search(r"^MemAvailable:\s*(\d+) kB", visit.machine.text("/proc/meminfo"), re.MULTILINE)
    if told is None:
        raise CannotTellError("/proc/meminfo does not say what is available")
    free = int(told[1]) / 1000
    what = f"{free:.0f} MB of memory free"
    mend = "ps -eo rss,comm --sort=-rss | head   # end what is not needed"
    if visit.running or free >= EASY_MB:
        yield ok(check, what)
    elif free >= GUARD_MB:
        yield warning(check, f"{what}; the guard takes up to {GUARD_MB}", mend)
    else:
        yield failure(check, f"{what}; the guard takes up to {GUARD_MB}", mend)


def journal_folders(visit: Visit) -> list[str]:
    """Where the service, or the one who asks, leaves journals; the service's own first."""
    given = visit.config.journal.directory
    if given != "auto":
        return [str(Path(given).expanduser())]
    return [f"{STATE}/journal", str(Path("~/.local/state/rearguard").expanduser())]


def disk(visit: Visit) -> Iterator[Finding]:
    """Room for the journal."""
    check, machine = "board.disk", visit.machine
    if not visit.config.journal.enabled:
        yield warning(check, "the journal is off: a fall cannot be looked into", "in [journal]: enabled = true")
        return
    folder = journal_folders(visit)[0]
    place = Path(folder)
    while not machine.has(str(place)) and place != place.parent:
        place = place.parent
    try:
        left = machine.room(machine.path(str(place)))
        there = machine.has(folder)
        closed = access.closed_to(visit, machine.owner(machine.path(folder))) if there else ""
        files = numbered(machine.path(folder)) if there and not closed else []
        taken = sum(path.stat().st_size for _, path in files) / MB
    except OSError as error:
        raise CannotTellError(f"{place}: {error.strerror or error}") from None
    most = visit.config.journal.total_mb
    what = f"{left.free_mb:.0f} MB free for the journal, which has {taken:.0f} of {most:g}"
    if left.read_only:
        mend = f"mount a partition that can be written on {STATE}, or in [journal]: enabled = false"
        yield failure(check, f"{place} is read-only: no journal is kept", mend)
    elif closed:
        what = f"{folder} does not belong to {closed}: the guard writes no journal"
        yield failure(check, what, f"sudo chown {closed}: {folder}")
    elif left.free_mb < DISK_MB:
        yield failure(check, what, "sudo apt clean && sudo journalctl --vacuum-size=20M")
    elif left.free_mb < most - taken:
        yield warning(check, what, f"in [journal]: total_mb = {max(int(taken + left.free_mb / 2), 10)}")
    else:
        yield ok(check, what)


def clock(visit: Visit) -> Iterator[Finding]:
    """The wall clock. The guard needs none; the dates of its journals do."""
    check = "board.clock"
    code, said = visit.machine.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if code or said not in ("yes", "no"):
        yield skipped(
            check, said.splitlines()[0][:100] if code and said else "timedatectl does not say whether it is right"
        )
        return
    kept = " and kept by an RTC" if visit.machine.has("/dev/rtc0") else ""
    if said == "yes":
        yield ok(check, f"set by the network{kept}")
    elif kept:
        yield ok(check, f"not set by the network{kept}")
    else:
        what = "not set, and no RTC keeps it: guarding needs no clock, but journals bear wrong dates"
        yield warning(check, what, "sudo timedatectl set-ntp true   # and a network, once after power-on")
