"""The machine beneath the drivers: its clock, and its pins by way of a named gpiozero pin factory."""

from __future__ import annotations

import time
from collections.abc import Callable
from errno import EINVAL, ENOTTY
from glob import glob
from grp import getgrgid
from os import R_OK, W_OK, access
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Annotated, Any, NamedTuple, Protocol, TypeVar

import msgspec

from rearguard.errors import DeviceOpenError

T = TypeVar("T")
Pin = Annotated[int, msgspec.Meta(ge=2, le=27)]  # BCM numbers of the header; 0 and 1 belong to HAT EEPROMs
Degrees = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
CHIP_LABEL = "pinctrl-"  # of the chip behind the 40-pin header: pinctrl-bcm2835, -bcm2711, -rp1
MEND = {
    "lgpio": "sudo apt install python3-lgpio, or pip install 'rearguard[lgpio]'",
    "rpigpio": "pip install 'rearguard[rpigpio]' on a Pi 4 or older, or rpi-lgpio on any (never both)",
}


class Clock(Protocol):
    """Time as the drivers know it; the bench has one of its own."""

    def now(self) -> float:
        """Seconds on the monotonic clock that stamps the readings."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def get(self, queue: SimpleQueue[T], timeout_s: float) -> T | None:
        """The next item, or None when none comes within `timeout_s`."""


class RealClock:
    """The kernel's CLOCK_MONOTONIC, the one that stamps GPIO edges."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def get(self, queue: SimpleQueue[T], timeout_s: float) -> T | None:
        try:
            return queue.get(timeout=max(timeout_s, 0.0))
        except Empty:
            return None


class Host(NamedTuple):
    """What a driver is given to stand on. `pins` makes (or returns) the one pin factory."""

    clock: Clock
    pins: Callable[[], Any]


def device_trouble(path: str, error: OSError) -> str:
    """Why a device file does not open, and what mends it."""
    if isinstance(error, FileNotFoundError):
        return f"{path} is not there; is the part plugged in and its interface enabled in raspi-config?"
    try:
        info = Path(path).stat()
        if error.errno in (ENOTTY, EINVAL) or "ioctl" in str(error):
            return f"{path} is no such device: {error.strerror or error}; name the device file of the part"
        if not access(path, R_OK | W_OK):
            group = getgrgid(info.st_gid).gr_name
            return f"no permission on {path}; join its group: sudo usermod -aG {group} $USER, then log in again"
    except (OSError, KeyError):
        pass
    return f"{path}: {error.strerror or error}; is another program (or a serial console) using it?"


def pin_factory(name: str) -> Any:
    """The gpiozero pin factory of that name, and never another.

    Raises DeviceOpenError when its library is missing, when this is no Raspberry Pi, or without permission.
    """
    try:
        if name == "lgpio":
            return _lgpio_factory()
        if name == "rpigpio":
            from gpiozero.pins.rpigpio import RPiGPIOFactory

            return RPiGPIOFactory()
        from gpiozero.pins.mock import MockFactory, MockPWMPin

        return MockFactory(pin_class=MockPWMPin)
    except ImportError as error:
        raise DeviceOpenError(
            f"pin_factory {name!r}: {error}. Mend: {MEND.get(name, 'pip install gpiozero')}"
        ) from error
    except DeviceOpenError:
        raise
    except Exception as error:  # each factory has its own family of errors
        raise DeviceOpenError(
            f"pin_factory {name!r} does not start here: {str(error).rstrip('.!')}. "
            "On a machine that is no Raspberry Pi, set pin_factory = 'mock'"
        ) from error


def _lgpio_factory() -> Any:
    import lgpio
    from gpiozero.pins.lgpio import LGPIOFactory

    chips = sorted(glob("/dev/gpiochip*"))
    if not chips:
        raise DeviceOpenError(
            "pin_factory 'lgpio': there is no /dev/gpiochip* here. "
            "On a machine that is no Raspberry Pi, set pin_factory = 'mock'"
        )
    trouble = ""
    for path in chips:
        number = int(path.removeprefix("/dev/gpiochip"))
        try:
            handle = lgpio.gpiochip_open(number)
        except Exception as error:  # lgpio.error derives from Exception alone
            trouble = trouble or f"; {device_trouble(path, OSError(str(error)))}"
            continue
        label = str(lgpio.gpio_get_chip_info(handle)[-1])
        lgpio.gpiochip_close(handle)
        if label.startswith(CHIP_LABEL):
            return LGPIOFactory(chip=number)
    raise DeviceOpenError(f"pin_factory 'lgpio': none of {', '.join(chips)} is the header of a Raspberry Pi{trouble}")
