"""The GPIO chip behind the header, and who holds its lines, as the kernel tells it (linux/gpio.h, uAPI v2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rearguard import gpiochip
from rearguard.config import Config
from rearguard.doctor.finding import CannotTellError, Finding, complaint, failure, ok, skipped
from rearguard.doctor.machine import Machine
from rearguard.doctor.visit import Visit
from rearguard.errors import DeviceOpenError

REFUSED = "no permission"  # in what gpiochip says
OURS = ("rearguard", "lg", "RPi.GPIO", "gpiozero")  # labels under which the guard takes lines, by pin factory
KERNELS = {  # consumers in the kernel, and what gives the line back
    "onewire": "dtoverlay=w1-gpio",
    "spi": "dtparam=spi=on",
    "i2c": "dtoverlay=i2c-gpio",
    "gpio-fan": "dtoverlay=gpio-fan",
    "shutdown": "dtoverlay=gpio-shutdown",
    "ir": "dtoverlay=gpio-ir",
}


def header(machine: Machine) -> str:
    """The chip behind the 40-pin header, by its real path. Raises DeviceOpenError; CannotTellError without /dev."""
    try:
        return gpiochip.header(str(machine.path("/dev")), machine.ioctl)
    except DeviceOpenError:
        raise
    except OSError as error:
        raise CannotTellError(f"/dev cannot be read: {error.strerror or error}") from None


def chip(visit: Visit) -> Iterator[Finding]:
    """Which /dev/gpiochip is the header; a Pi 5 has changed its mind about the number."""
    check = "pins.chip"
    try:
        path = header(visit.machine)
        info = bytearray(gpiochip.CHIPINFO_BYTES)
        gpiochip.ask(path, gpiochip.GET_CHIPINFO, info, visit.machine.ioctl)
    except DeviceOpenError as error:
        what, _ = complaint(str(error))
        if REFUSED in str(error):
            yield skipped(check, "you may not ask the GPIO chips", "sudo rearguard doctor")
        elif visit.pi:
            yield failure(check, what, "sudo apt full-upgrade && sudo reboot")
        else:
            yield skipped(check, what)
        return
    yield ok(check, f"/dev/{Path(path).name} is the header ({gpiochip.word(info[32:64])})")


def wanted(config: Config) -> dict[int, str]:
    """GPIO numbers that the guard takes as lines, with the key of each. A UART's are the kernel's own."""
    serial = tuple(f"sensor.{name}." for name, part in config.sensors.items() if hasattr(part, "port"))
    return dict(sorted((pin, key) for key, pin in config.pins() if not key.startswith(serial)))


def consumers(machine: Machine, path: str, pins: dict[int, str]) -> dict[int, str]:
    """Who holds which of these lines, by the label that they gave. Raises CannotTellError."""
    found = {}
    for pin in pins:
        try:
            who = gpiochip.holder(path, pin, machine.ioctl)
        except OSError as error:
            raise CannotTellError(f"the chip does not tell of GPIO {pin}: {error.strerror or error}") from None
        if who is not None:
            found[pin] = who or "somebody without a name"
    return found


def taken(visit: Visit) -> Iterator[Finding]:
    """Whether the lines that the configuration names are free, or the service's."""
    check, pins = "pins.lines", wanted(visit.config)
    try:
        path = header(visit.machine)
    except DeviceOpenError:
        raise CannotTellError("needs the GPIO chip of the header") from None
    held = consumers(visit.machine, path, pins)
    foreign = {pin: who for pin, who in held.items() if not (visit.running and who in OURS)}
    for pin, who in foreign.items():
        yield failure(check, f"GPIO {pin} ({pins[pin]}) is held by {who!r}", _give_back(visit, who))
    if not foreign:
        numbers = " ".join(map(str, pins)) or "none"
        yield ok(check, f"{'held by the service' if held else 'free'}: GPIO {numbers}")


def _give_back(visit: Visit, who: str) -> str:
    """What frees the line."""
    for start, line in KERNELS.items():
        if who.startswith(start):
            try:
                return f"in {visit.boot.config}, take out {line}; sudo reboot"
            except CannotTellError:
                return f"in /boot/firmware/config.txt, take out {line}; sudo reboot"
    return "sudo fuser -v /dev/gpiochip*   # shows which program; end it"
