"""The I2C bus, where a part of the configuration has an address on one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rearguard.doctor.access import on_i2c
from rearguard.doctor.finding import CannotTellError, Finding, failure, ok, skipped
from rearguard.doctor.library import probe
from rearguard.doctor.visit import Visit
from rearguard.host import PIP, from_apt, released

USUAL_BUS = 1  # the header's
ENABLE = "sudo raspi-config nonint do_i2c 0"  # it means: on


def bus(visit: Visit) -> Iterator[Finding]:
    """Whether the buses are there."""
    check, config = "i2c.bus", visit.config
    parts: dict[str, Any] = {f"sensor.{name}": part for name, part in config.sensors.items() if on_i2c(part)}
    parts |= {"belt": config.belt} if on_i2c(config.belt) else {}
    if not parts:
        yield skipped(check, "no part of this configuration is on I2C")
    elif (said := probe(visit, "smbus2", "SMBus"))["error"]:
        mend = from_apt("python3-smbus2", said["apt"]) if released() else f"{PIP} install smbus2"
        yield failure("i2c.library", f"smbus2 cannot be imported: {said['error']}", mend)
    for key, part in parts.items():
        number = part.bus if isinstance(getattr(part, "bus", None), int) else USUAL_BUS
        name = f"/dev/i2c-{number}"
        if visit.machine.has(name):
            yield ok(check, f"{name} is there for {key} at 0x{part.address:02x}")
        elif number == USUAL_BUS:
            yield failure(check, f"{name} is not there for {key}{_why(visit)}", ENABLE)
        else:
            there = ", ".join(visit.machine.glob("/dev/i2c-*")) or "none"
            yield failure(check, f"{name} is not there for {key}; there is: {there}", f"in [{key}]: bus = {USUAL_BUS}")

    yield from _channels(visit)


def _channels(visit: Visit) -> Iterator[Finding]:
    """The buses that a multiplexer makes, one for each motor."""
    belt = visit.config.belt
    wanted = {f"belt.{key}": number for key, number in belt.channels().items() if key.endswith(".bus")}
    missing = [f"/dev/i2c-{n} of {key}" for key, n in wanted.items() if not visit.machine.has(f"/dev/i2c-{n}")]
    if missing:
        line = f"dtoverlay=i2c-mux,pca9548,addr={belt.address:#x},base={min(wanted.values())}"  # type: ignore[attr-defined]
        config = "/boot/firmware/config.txt"
        mend = f"printf '%s\\n' {line} | sudo tee -a {config}; sudo reboot"
        yield failure("i2c.channels", f"the multiplexer's channels are missing: {', '.join(missing)}", mend)
    elif wanted:
        yield ok("i2c.channels", f"the {len(wanted)} channels of the multiplexer are there")


def _why(visit: Visit) -> str:
    try:
        told = visit.boot
    except CannotTellError:
        return ""
    if told.on("i2c_arm", "i2c", "i2c1"):
        return f", though {told.config} switches it on: is the i2c-dev module loaded?"
    return f": {told.config} has no dtparam=i2c_arm=on"
