"""The last faults that the guard has told of."""

from __future__ import annotations

from collections.abc import Iterator

from rearguard.doctor import records
from rearguard.doctor.finding import Finding, failure, ok, warning
from rearguard.doctor.visit import Visit

FILES = 3  # of the newest: up to an hour of walking with one ultrasonic sensor
KINDS = 5
CLOCK = "%Y-%m-%d %H:%M"
HINTS = {  # by fault; what a maker looks at first
    "no_data": "check the wires and the 5 V of this sensor",
    "lost": "check the plug of this sensor, and: dmesg | tail",
    "implausible": "check the wires of this sensor; keep them away from those of the motors",
    "frozen": "replace this sensor, if it comes again",
    "blocked": "keep clothes away from before this sensor",
    "write_failed": "check the wires of the belt; for the journal, the disk",
    "disk_full": "sudo apt clean && sudo journalctl --vacuum-size=20M",
    "too_slow": "dmesg | tail   # a card that hangs is worn, or too slow: take another",
    "under_voltage": "take a stronger battery, and a short, thick cable",
    "hot": "give the case air",
    "refused": "rearguard check-config --config /etc/rearguard/rearguard.toml",
}


def faults(visit: Visit) -> Iterator[Finding]:
    """Each kind of fault in the newest journals: how often, when last, for how long."""
    paths = records.files(visit)[-FILES:]
    kinds: dict[str, list[records.Episode]] = {}
    for episode in records.episodes(paths):
        kinds.setdefault(episode.fault, []).append(episode)
    newest = sorted(kinds.items(), key=lambda item: item[1][-1].began.timestamp() if item[1][-1].began else 0.0)
    if not kinds:
        read = "last file" if len(paths) == 1 else f"last {len(paths)} files"
        yield ok("history.faults", f"none in the {read} of the journal")
    for fault, found in newest[: -KINDS - 1 : -1]:
        last = found[-1]
        times = "once" if len(found) == 1 else f"{len(found)} times, last"
        when = f"{last.began:{CLOCK}} UTC" if last.began else "at an unknown time"
        hint = HINTS.get(fault.rpartition(":")[2], "journalctl -u rearguard -b")
        if last.lasted_s is None and visit.running:
            yield failure(f"history.{fault}", f"there now, since {when}", hint)
            continue
        span = f"for {last.lasted_s:.1f} s" if last.lasted_s is not None else "until the guard ended"
        yield warning(f"history.{fault}", f"{times} {when} {span}", hint)
