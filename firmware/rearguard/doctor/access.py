"""Who may open the devices: the user of the service, and the one who asks."""

from __future__ import annotations

from collections.abc import Iterator
from stat import S_IWGRP, S_IWOTH

from rearguard.doctor.finding import CannotTellError, Finding, failure, ok, skipped, warning
from rearguard.doctor.machine import Owner
from rearguard.doctor.visit import Visit

USER = "rearguard"


def needed(visit: Visit) -> list[str]:
    """The groups that own the devices of this configuration, as Raspberry Pi OS names them."""
    config = visit.config
    groups = {"gpio"} if config.pin_factory != "mock" else set()
    groups |= {"dialout" for part in config.sensors.values() if hasattr(part, "port")}
    groups |= {"i2c"} if on_i2c(config.belt) or any(on_i2c(part) for part in config.sensors.values()) else set()
    return sorted(groups)


def on_i2c(part: object) -> bool:
    """Whether a sensor or a motor board has an I2C address."""
    return isinstance(getattr(part, "address", None), int)


def service(visit: Visit) -> Iterator[Finding]:
    """The groups of the service's user, its own and those that the unit adds."""
    check, machine, groups = "access.service", visit.machine, needed(visit)
    shown = visit.service if visit.installed else {}
    user = shown.get("User") or USER
    users, known = machine.users(), machine.groups()
    if user == "root":
        yield warning(check, "the service runs as root", "sudo ./install.sh   # gives it a user of its own")
        return
    if user not in users:
        yield skipped(check, f"there is no user {user}: the service is not installed", "sudo ./install.sh")
        return
    added = shown.get("SupplementaryGroups", "").split()
    missing = [g for g in groups if not _member(user, users[user][1], g, known) and g not in added]
    if missing:
        yield failure(
            check,
            f"{user} may not open the devices of group {', '.join(missing)}",
            f"sudo usermod -aG {','.join(missing)} {user} && sudo systemctl restart rearguard",
        )
    else:
        yield ok(check, f"{user} is in {' '.join(groups) or 'no group, and needs none'}")


def closed_to(visit: Visit, folder: Owner) -> str:
    """The service's user, where the folder is another's and it may not write there; "" else, or where none can tell."""
    if not visit.installed:
        return ""
    user, machine = visit.service.get("User") or USER, visit.machine
    try:
        users, known = machine.users(), machine.groups()
    except CannotTellError:
        return ""
    if user == "root" or user not in users:
        return ""
    number, own = users[user]
    if number == folder.uid:
        return ""
    added = visit.service.get("SupplementaryGroups", "").split()
    groups = {gid for name, (gid, _) in known.items() if name in added or _member(user, own, name, known)} | {own}
    return "" if folder.mode & (S_IWGRP if folder.gid in groups else S_IWOTH) else user


def you(visit: Visit) -> Iterator[Finding]:
    """The groups of whoever asks, which `rearguard run` by hand needs."""
    check, machine, groups = "access.you", visit.machine, needed(visit)
    if machine.uid == 0:
        yield ok(check, "you are root")
        return
    known = machine.groups()
    absent = [g for g in groups if g not in known]
    missing = [g for g in groups if g in known and known[g][0] not in machine.gids]
    if absent and not missing:
        raise CannotTellError(f"this system has no group {', '.join(absent)}")
    if not missing:
        yield ok(check, f"you are in {' '.join(groups) or 'no group, and need none'}")
        return
    verdict = warning if visit.installed else failure  # the service goes by its own user
    what = f"you may not open the devices of group {', '.join(missing)}"
    yield verdict(check, what, f"sudo usermod -aG {','.join(missing)} $USER   # then log in again")


def _member(user: str, own: int, group: str, known: dict[str, tuple[int, list[str]]]) -> bool:
    return group in known and (known[group][0] == own or user in known[group][1])
