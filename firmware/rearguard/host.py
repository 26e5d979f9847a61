"""The machine beneath the drivers: its clock, and its pins by way of a named gpiozero pin factory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from errno import EINVAL, ENOTTY
from os import R_OK, W_OK, access
from queue import Empty, SimpleQueue
from typing import Annotated, Any, NamedTuple, Protocol, TypeVar

import msgspec

from rearguard.errors import DeviceOpenError
from rearguard.gpiochip import LONGEST_S, Line, header, join_group

T = TypeVar("T")
Pin = Annotated[int, msgspec.Meta(ge=2, le=27)]  # BCM numbers of the header; 0 and 1 belong to HAT EEPROMs
Degrees = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
KERNEL = {"gpiozero.pins.lgpio", "gpiozero.pins.rpigpio"}  # factories of pins that the kernel has lines for
APT = {"lgpio": "python3-lgpio", "rpigpio": "python3-rpi-lgpio", "mock": "python3-gpiozero"}  # what has the library
PIP = f"{sys.executable} -m pip"
RELEASE = "/opt/rearguard"  # what install.sh builds is root's, and has no pip


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


class EdgeLine(Protocol):
    """An input line: of the kernel's (`gpiochip.Line`), or a pin of the bench (`PinLine`). Errors are OSError."""

    lost: int  # edges that are known to be missing

    def level(self) -> int:
        """0 or 1, as it is now."""

    def wait(self, until_s: float, now: Callable[[], float]) -> tuple[float, int] | None:
        """The next edge, as (time, level after it); None when there is none by `until_s`, or when woken."""

    def wake(self) -> None:
        """Have the `wait` that is on, or the next one, end now. The only one for another thread."""

    def drain(self) -> int:
        """Forget the edges there are, and tell the level."""

    def drive_low(self, seconds: float, sleep: Callable[[float], None]) -> None:
        """Pull the line to ground for so long, and forget the edges of that."""

    def close(self) -> None:
        """Let it go. May come more than once."""


class PinLine:
    """An EdgeLine over a gpiozero pin whose edges carry their own times, as those of the bench do. No debounce."""

    def __init__(self, pin: Any, pull: str, get: Callable[[SimpleQueue[Any], float], Any]) -> None:
        """`get` is that of a Clock. Raises what gpiozero raises when the pin cannot be an input."""
        self.lost = 0
        self._pin, self._pull, self._get = pin, pull, get
        self._edges: SimpleQueue[tuple[float, int] | None] = SimpleQueue()
        self._listen()

    def level(self) -> int:
        return 1 if self._pin.state else 0

    def wait(self, until_s: float, now: Callable[[], float]) -> tuple[float, int] | None:
        edges = self._edges
        if not edges.empty():
            return edges.get_nowait()
        edge: tuple[float, int] | None = self._get(edges, min(until_s - now(), LONGEST_S))
        return edge

    def wake(self) -> None:
        self._edges.put(None)

    def drain(self) -> int:
        edges = self._edges
        while not edges.empty():
            edges.get_nowait()
        return 1 if self._pin.state else 0

    def drive_low(self, seconds: float, sleep: Callable[[float], None]) -> None:
        self._pin.when_changed = None
        self._pin.function = "output"
        self._pin.state = 0
        sleep(seconds)
        self._listen()
        self.drain()

    def close(self) -> None:
        self._pin.when_changed = None
        self._pin.close()

    def _listen(self) -> None:
        self._pin.function = "input"
        self._pin.pull = self._pull
        self._pin.edges = "both"
        self._pin.when_changed = self._on_edge

    def _on_edge(self, t_s: float, level: int) -> None:
        self._edges.put((t_s, level))


class Host(NamedTuple):
    """What a driver is given to stand on. `pins` makes (or returns) the one pin factory."""

    clock: Clock
    pins: Callable[[], Any]

    def chip(self) -> str | None:
        """Path of the GPIO chip behind the header; None on mock pins. Raises DeviceOpenError."""
        return header() if type(self.pins()).__module__ in KERNEL else None

    def line(self, pin: int, pull: str = "floating", debounce_s: float = 0.0) -> EdgeLine:
        """An input line, by BCM number; `pull` is up, down or floating. Raises what says why it cannot be had."""
        chip = self.chip()
        return Line(chip, pin, pull, debounce_s) if chip else PinLine(self.pins().pin(pin), pull, self.clock.get)


def device_trouble(path: str, error: OSError) -> str:
    """Why a device file does not open, and what mends it."""
    if isinstance(error, FileNotFoundError):
        return f"{path} is not there; is the part plugged in and its interface enabled in raspi-config?"
    try:
        if error.errno in (ENOTTY, EINVAL) or "ioctl" in str(error):
            return f"{path} is no such device: {error.strerror or error}; name the device file of the part"
        if not access(path, R_OK | W_OK):
            return join_group(path)
    except (OSError, KeyError):
        pass
    return f"{path}: {error.strerror or error}; is another program (or a serial console) using it?"


def released() -> bool:
    """Whether the program that runs is one that install.sh has built."""
    return sys.prefix.startswith(RELEASE)


def from_apt(package: str, seen: bool) -> str:
    """What gives this Python a package of apt; `seen` says whether it sees those of apt already."""
    line = f"sudo apt install {package}"
    if seen:
        return line
    python, bare = ("sudo /usr/bin/python3", " --without-pip") if released() else ("python3", "")
    return f"{line} && {python} -m venv --system-site-packages --upgrade{bare} {sys.prefix}"


def library_mend(factory: str, seen: bool) -> str:
    """What gives this Python the library of a pin factory; `seen` as for from_apt."""
    if released():
        return from_apt(APT[factory], seen)
    return {
        "lgpio": f"sudo apt install python3-lgpio   # or: {PIP} install 'rearguard[lgpio]'",
        "rpigpio": f"{PIP} install rpi-lgpio   # or, on a Pi 4 or older, 'rearguard[rpigpio]'; never both",
    }.get(factory, f"{PIP} install gpiozero")


def pin_factory(name: str) -> Any:
    """The gpiozero pin factory of that name, and never another.

    Raises DeviceOpenError when its library is missing, when this is no Raspberry Pi, or without permission.
    """
    try:
        if name == "lgpio":
            from gpiozero.pins.lgpio import LGPIOFactory

            return LGPIOFactory(chip=int(header().rpartition("gpiochip")[2]))
        if name == "rpigpio":
            from gpiozero.pins.rpigpio import RPiGPIOFactory

            header()  # echo and button are the kernel's lines: RPi.GPIO sees no edges on Linux 6.6 and newer
            return RPiGPIOFactory()
        from gpiozero.pins.mock import MockFactory, MockPWMPin

        return MockFactory(pin_class=MockPWMPin)
    except ImportError as error:
        mend = library_mend(name, any(path.endswith("dist-packages") for path in sys.path))
        raise DeviceOpenError(f"pin_factory {name!r}: {error}. Mend: {mend}") from error
    except DeviceOpenError as error:
        raise DeviceOpenError(f"pin_factory {name!r}: {error}") from error
    except Exception as error:  # each factory has its own family of errors
        raise DeviceOpenError(
            f"pin_factory {name!r} does not start here: {str(error).rstrip('.!')}. "
            "On a machine that is no Raspberry Pi, set pin_factory = 'mock'"
        ) from error
