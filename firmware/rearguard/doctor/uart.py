"""The serial ports of the sensors: which UART it is, and who else talks on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rearguard.doctor.finding import CannotTellError, Finding, failure, ok, skipped, warning
from rearguard.doctor.visit import Visit
from rearguard.sensors._serial import HEADER_UARTS, on_header

UART_LINE, RP1_LINE, PL011_LINE = "enable_uart=1", "dtparam=uart0=on", "dtoverlay=disable-bt"
FREED = {"disable-bt", "pi3-disable-bt", "miniuart-bt", "pi3-miniuart-bt"}  # overlays that give the header the PL011
PL011, MINI = "/dev/ttyAMA0", "/dev/ttyS0"
DEBUG = "/dev/ttyAMA10"  # of a Pi 5: the plug between the HDMI sockets
BY_ID = "/dev/serial/by-id/*"


def talkers(visit: Visit) -> dict[str, Any]:
    """The sensors that talk on a serial line, with their configuration."""
    return {name: part for name, part in visit.config.sensors.items() if hasattr(part, "port")}


def ports(visit: Visit) -> Iterator[Finding]:
    """Whether each sensor's port is there and is the right one."""
    parts = talkers(visit)
    for name, part in parts.items():
        yield _port(visit, f"ports.{name}", part.port)
    if not parts:
        yield skipped("ports.all", "no sensor of this configuration is on a serial line")


def _port(visit: Visit, check: str, port: str) -> Finding:
    machine = visit.machine
    usb = machine.glob(BY_ID)
    if port == "auto" and len(usb) > 1:
        return failure(check, "port 'auto' finds more than one USB adapter", f'in the configuration: port = "{usb[0]}"')
    if port == "auto":
        port = next((path for path in [*usb, *HEADER_UARTS] if machine.has(path)), "")
    header = not port or port in HEADER_UARTS
    if not port or not machine.has(port):
        what = f"{port} is not there" if port else "port 'auto' finds no serial port"
        if header:
            return failure(check, what, _line(visit, RP1_LINE if visit.rp1 else UART_LINE))
        return failure(check, what, "plug the adapter in; ls -l /dev/serial/by-id   # its stable name")
    if header:
        return _on_header(visit, check, port)
    stable = next((path for path in usb if machine.behind(path) == port), None)
    if "/ttyUSB" in port or "/ttyACM" in port:
        mend = f'in the configuration: port = "{stable or "/dev/serial/by-id/..."}"'
        return warning(check, f"{port} changes its number when power dips", mend)
    return ok(check, f"{port} ({machine.behind(port)})" if machine.behind(port) != port else port)


def _on_header(visit: Visit, check: str, port: str) -> Finding:
    """A UART of the header: it may be another than the name says."""
    machine = visit.machine
    real = machine.behind(port)
    what = port if real == port else f"{port} is {real}"
    if real == DEBUG:
        mend = f'in the configuration: port = "{PL011}"'
        return failure(check, f"{what}, the debug plug of a Pi 5, not the header", mend)
    if real == PL011 and machine.behind("/dev/serial1") == PL011:
        return failure(check, f"{what}, which is Bluetooth's", _line(visit, PL011_LINE))
    if real == MINI and visit.pi and not visit.rp1:
        what = f"{what}, the mini-UART: its speed follows the processor's, and bytes are lost"
        return warning(check, what, _line(visit, PL011_LINE))
    if real == PL011:
        return ok(check, f"{what}, the PL011 of the header")
    return ok(check, what)


def _line(visit: Visit, line: str) -> str:
    """How to get a line into config.txt; where it stands already, the Pi has not started since."""
    name = "/boot/firmware/config.txt"
    try:
        told = visit.boot
        name = told.config
        key, _, value = line.partition("=")
        stands = value in told.overlays or told.settings.get(key) == value or told.on(value.removesuffix("=on"))
    except CannotTellError:
        stands = False
    return f"sudo reboot   # {line} is in {name} already" if stands else f"in {name}, under [all]: {line}; sudo reboot"


def _uses_header(visit: Visit) -> bool:
    usb = visit.machine.glob(BY_ID)
    return any(on_header(part.port) and not (part.port == "auto" and usb) for part in talkers(visit).values())


def settings(visit: Visit) -> Iterator[Finding]:
    """What config.txt says about the header's UART; of one that is not there, `ports` has told."""
    check = "uart.boot"
    if not _uses_header(visit) or not any(visit.machine.has(path) for path in HEADER_UARTS):
        return
    told = visit.boot
    if visit.rp1:
        if told.on("uart0", "uart0_console") or told.overlays & {"uart0", "uart0-pi5"}:
            yield ok(check, f"{told.config} brings UART0 to the header")
        else:
            yield failure(check, f"{told.config} leaves the header without a UART", _line(visit, RP1_LINE))
    elif told.settings.get("enable_uart") != "1" and not told.overlays & FREED:
        yield warning(check, f"{told.config} does not enable the UART", _line(visit, UART_LINE))
    else:
        yield ok(check, f"{told.config} gives the header its UART")


def console(visit: Visit) -> Iterator[Finding]:
    """Whether kernel or login prompt talk on the sensor's line."""
    if not _uses_header(visit):
        return
    check, header = "uart.console", {"serial0", "ttyAMA0", "ttyS0"}
    if visit.rp1:
        header.remove("serial0")  # the debug plug
    found = [name for name in visit.boot.consoles if name in header]
    logins = [name for name in ("ttyAMA0", "ttyS0") if _login(visit, name)]
    if found:
        what = f"the kernel talks on the sensor's line: console={found[0]} in {visit.boot.folder}/cmdline.txt"
        yield failure(check, what, "sudo raspi-config nonint do_serial_cons 1 && sudo reboot")
    for name in logins:
        yield failure(
            check,
            f"a login prompt answers on {name}, the sensor's line",
            f"sudo systemctl disable --now serial-getty@{name}.service",
        )
    if not found and not logins:
        yield ok(check, "neither kernel nor login prompt talks on the header")


def _login(visit: Visit, name: str) -> bool:
    code, said = visit.machine.run(["systemctl", "is-active", f"serial-getty@{name}.service"])
    return not code and said == "active"
