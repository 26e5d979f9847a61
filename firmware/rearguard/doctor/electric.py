"""Supply and heat."""

from __future__ import annotations

from collections.abc import Iterator

from rearguard import power
from rearguard.doctor.finding import CannotTellError, Finding, failure, ok, skipped, warning
from rearguard.doctor.machine import Machine
from rearguard.doctor.visit import Visit

WARM_C, HOT_C = 75.0, 82.0  # a Pi slows down from 80 degrees on, and hard at 85 (its documentation)
SUPPLY = "take a 5 V supply of 2.5 A (Pi 5: 5 A) and a short, thick cable"
HWMON = "/sys/class/hwmon"
ZONE = "/sys/class/thermal/thermal_zone0/temp"
THROTTLED = "/sys/devices/platform/*/*firmware/get_throttled"
NOW = {0: "under-voltage", 1: "slowed down", 2: "slowed down", 3: "hot"}  # bits of get_throttled, its documentation
SINCE = 16  # the same bits, shifted by this: at some time since power-on


def _hwmon(machine: Machine, device: str, file: str) -> int | None:
    """What a hwmon device measures; None when there is no such device. Raises CannotTellError."""
    folder = power.find(machine.path(HWMON), device)
    if folder is None:
        return None
    try:
        return power.number(folder / file)
    except OSError as error:
        raise CannotTellError(f"{device}/{file} cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise CannotTellError(f"{device}/{file} holds no number") from None


def voltage(visit: Visit) -> Iterator[Finding]:
    """Whether the 5 V are below 4.63 V now."""
    check, alarm = "power.voltage", _hwmon(visit.machine, power.VOLT, power.VOLT_ALARM)
    if alarm is None:
        why = "this board does not measure its supply" if visit.pi else "there is no rpi_volt among the hwmon devices"
        yield skipped(check, why)
    elif alarm:
        yield failure(check, "the supply is below 4.63 V now: the Pi may go down in mid-walk", SUPPLY)
    else:
        yield ok(check, "the supply is above 4.63 V")


def throttling(visit: Visit) -> Iterator[Finding]:
    """What the firmware had to do about supply or heat since power-on."""
    check = "power.throttling"
    bits = _throttled(visit.machine)
    now = sorted({word for bit, word in NOW.items() if bits >> bit & 1})
    since = sorted({word for bit, word in NOW.items() if bits >> (bit + SINCE) & 1})
    if now:
        yield failure(check, f"now: {', '.join(now)}", SUPPLY if "under-voltage" in now else "let it cool")
    elif since:
        mend = SUPPLY if "under-voltage" in since else "give the case air"
        yield warning(check, f"since power-on: {', '.join(since)}", mend)
    else:
        yield ok(check, "never slowed down since power-on")


def _throttled(machine: Machine) -> int:
    for name in machine.glob(THROTTLED):
        text = machine.text(name)
        break
    else:
        code, said = machine.run(["vcgencmd", "get_throttled"])
        if code:
            raise CannotTellError(said.splitlines()[0][:100] if said else "vcgencmd says nothing")
        text = said.partition("=")[2]
    try:
        return int(text, 16)
    except ValueError:
        raise CannotTellError(f"get_throttled says {text[:20]!r}, which is no number") from None


def temperature(visit: Visit) -> Iterator[Finding]:
    """Of the processor."""
    check, machine = "power.temperature", visit.machine
    milli = _hwmon(machine, power.HEAT, power.HEAT_MILLI_C)
    celsius = (machine.number(ZONE) if milli is None else milli) / 1000
    if not -60.0 <= celsius <= 200.0:
        raise CannotTellError(f"the processor says {celsius:.0f} C, which cannot be")
    what = f"{celsius:.0f} C"
    if celsius >= HOT_C:
        yield failure(check, f"{what}: the Pi slows down, and alerts come late", "give the case air, or a heat sink")
    elif celsius >= WARM_C:
        yield warning(check, f"{what}: near the 80 C at which the Pi slows down", "give the case air, or a heat sink")
    else:
        yield ok(check, what)
