"""What an operator does at a virtual belt: installs and updates from a release folder, presses the button."""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import pins
from walks import BUTTON, motors, show

RUNNING = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp")  # what is made anew at each start
remembered: dict[str, Any] = {}


def case_remember() -> dict[str, Any]:
    """Remember every file on the disk, and who is known here; how many files, and those of ours."""
    remembered["files"], remembered["known"] = files(), known()
    return {"count": len(remembered["files"]), "ours": [name for name in remembered["files"] if "rearguard" in name]}


def case_added() -> dict[str, Any]:
    """Files that were not there then, and whether the same users and groups are known as then."""
    return {"files": sorted(files() - remembered["files"]), "same_users": known() == remembered["known"]}


def files() -> set[str]:
    """All paths, but for what is made anew at each start."""
    found = set()
    for folder, below, names in os.walk("/"):
        place = folder.rstrip("/")
        below[:] = [name for name in below if f"{place}/{name}" not in RUNNING]
        found |= {f"{place}/{name}" for name in names + below}
    return found


def known() -> list[str]:
    """Users and groups."""
    return [Path(name).read_text() for name in ("/etc/passwd", "/etc/group")]


def case_newer(folder: str, version: str, edits: dict[str, list[str]]) -> dict[str, Any]:
    """Make a release folder one of another version: `edits` are [old, new] in files of the program."""
    place = Path(folder)
    (wheel,) = place.glob("wheels/rearguard-*.whl")
    old = wheel.name.split("-")[1]
    edits = {"__init__.py": [f'"{old}"', f'"{version}"'], **edits}
    newer = wheel.with_name(wheel.name.replace(old, version))
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(newer, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith(".dist-info/METADATA"):
                data = data.replace(f"\nVersion: {old}\n".encode(), f"\nVersion: {version}\n".encode())
            for word, other in [edits[name[10:]]] if name[10:] in edits else []:
                assert word.encode() in data, f"{name} has no {word}"
                data = data.replace(word.encode(), other.encode())
            target.writestr(name.replace(f"-{old}.dist-info", f"-{version}.dist-info"), data)
    wheel.unlink()
    sums = place / "SHA256SUMS"
    kept = [line for line in sums.read_text().splitlines(keepends=True) if wheel.name not in line]
    sums.write_text("".join([*kept, f"{hashlib.sha256(newer.read_bytes()).hexdigest()}  ./wheels/{newer.name}\n"]))
    return {"old": old}


def case_press(hold_s: float, watch_s: float) -> dict[str, Any]:
    """Press the button for so long, and watch the motors for so long from the beginning of it."""
    motors()
    pressed_s = time.monotonic()
    pins.pull(BUTTON, False)
    time.sleep(hold_s)
    pins.pull(BUTTON, True)
    time.sleep(pressed_s + watch_s - time.monotonic())
    return {"pressed_s": pressed_s, "events": motors(), "status": show("StatusText")["StatusText"]}
