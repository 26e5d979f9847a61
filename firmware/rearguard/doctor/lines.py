"""The GPIO chip behind the header, and who holds its lines, as the kernel tells it (linux/gpio.h, uAPI v2)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from rearguard import gpiochip
from rearguard.config import Config
from rearguard.doctor.finding import CannotTellError, Finding, complaint, failure, ok, skipped
from rearguard.doctor.machine import Machine
from rearguard.doctor.visit import Visit
from rearguard.errors import DeviceOpenError

LINE = struct.Struct("32s32sIIQ176x")  # gpio_v2_line_info: name, consumer, offset, number of attributes, flags
USED = 1  # GPIO_V2_LINE_FLAG_USED
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


def _ask(machine: Machine, path: str, request: int, data: bytearray) -> None:
    """One question to a chip, answered in `data`. Raises OSError."""
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        machine.ioctl(fd, request, data)
    finally:
        os.close(fd)


def _word(raw: bytes | bytearray) -> str:
    return bytes(raw).partition(b"\0")[0].decode(errors="replace")


def chip(visit: Visit) -> Iterator[Finding]:
    """Which /dev/gpiochip is the header; a Pi 5 has changed its mind about the number."""
    check = "pins.chip"
    try:
        path = header(visit.machine)
        info = bytearray(gpiochip.CHIPINFO_BYTES)
        _ask(visit.machine, path, gpiochip.GET_CHIPINFO, info)
    except DeviceOpenError as error:
        what, _ = complaint(str(error))
        if REFUSED in str(error):
            yield skipped(check, "you may not ask the GPIO chips", "sudo rearguard doctor")
        elif visit.pi:
            yield failure(check, what, "sudo apt full-upgrade && sudo reboot")
        else:
            yield skipped(check, what)
        return
    yield ok(check, f"/dev/{Path(path).name} is the header ({_word(info[32:64])})")


def wanted(config: Config) -> dict[int, str]:
    """GPIO numbers that the guard takes as lines, with the key of each. A UART's are the kernel's own."""
    found = {}
    for name, part in config.sensors.items():
        if not hasattr(part, "port"):
            found.update({pin: f"sensor.{name}.{key}" for key, pin in part.pins().items()})
    found.update({pin: f"belt.{key}" for key, pin in config.belt.pins().items()})
    found.update({config.buzzer.pin: "buzzer.pin"} if config.buzzer else {})
    found.update({config.button.pin: "button.pin"} if config.button else {})
    return dict(sorted(found.items()))


def consumers(machine: Machine, path: str, pins: dict[int, str]) -> dict[int, str]:
    """Who holds which of these lines, by the label that they gave. Raises CannotTellError."""
    found = {}
    for pin in pins:
        data = bytearray(gpiochip.LINEINFO_BYTES)
        struct.pack_into("=I", data, 64, pin)
        try:
            _ask(machine, path, gpiochip.GET_LINEINFO, data)
        except OSError as error:
            raise CannotTellError(f"the chip does not tell of GPIO {pin}: {error.strerror or error}") from None
        _, consumer, _, _, flags = LINE.unpack(data)
        if flags & USED:
            found[pin] = _word(consumer) or "somebody without a name"
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
