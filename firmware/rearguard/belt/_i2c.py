"""A chip on an I2C bus of the kernel's: opened when needed, let go when it fails, and what is said of its trouble."""

from __future__ import annotations

from collections.abc import Sequence
from errno import EBUSY, EIO, ENODEV, ENXIO, EREMOTEIO, ETIMEDOUT
from fcntl import ioctl
from glob import glob
from typing import Any

from rearguard.errors import DeviceOpenError
from rearguard.host import device_trouble

I2C_TIMEOUT = 0x0702  # ioctl of linux/i2c-dev.h, in units of 10 ms; it holds for the adapter, whoever has it open
TIMEOUT = 5  # 50 ms, for transfers of less than 1 ms: the kernel's own second would hold up the guard
SILENT = {ENXIO, EREMOTEIO, ETIMEDOUT, EIO, ENODEV}  # nobody acknowledged; which of them depends on the adapter
ENABLE = "enable I2C: sudo raspi-config nonint do_i2c 0"
CONFIG_TXT = "/boot/firmware/config.txt"


def shorten_waits(number: int) -> None:
    """Have transfers on bus `number` fail after 50 ms. Raises OSError when it cannot be opened, ImportError, too."""
    from smbus2 import SMBus

    with SMBus(number) as bus:
        _shorten(bus)


def _shorten(bus: Any) -> None:
    try:
        ioctl(bus.fd, I2C_TIMEOUT, TIMEOUT)
    except OSError:  # an adapter that has none keeps its own
        pass


class Chip:
    """One chip at `address` on /dev/i2c-`number`; `name` and `wires` are for messages.

    `connect`, `read` and `write` in all their forms raise OSError; between a `connect` and the next `let_go` only.
    """

    def __init__(self, number: int, address: int, name: str, wires: str) -> None:
        self.path = f"/dev/i2c-{number}"
        self._number, self._address, self._name, self._wires = number, address, name, wires
        self._bus: Any = None

    @property
    def held(self) -> bool:
        """Whether its bus is open."""
        return self._bus is not None

    def connect(self) -> None:
        """Open its bus, unless it is. Raises ImportError, too, when smbus2 is missing."""
        if self._bus is None:
            from smbus2 import SMBus

            self._bus = SMBus(self._number)
            _shorten(self._bus)

    def let_go(self) -> None:
        """Close its bus: an adapter on USB may be another device when it is opened again."""
        bus, self._bus = self._bus, None
        try:
            if bus is not None:
                bus.close()
        except OSError:  # its file is gone already
            pass

    def read(self, register: int) -> int:
        """One byte."""
        return int(self._bus.read_byte_data(self._address, register))

    def read_block(self, register: int, count: int) -> list[int]:
        """`count` bytes, of `register` and those that follow it."""
        return list(self._bus.read_i2c_block_data(self._address, register, count))

    def write(self, register: int, value: int) -> None:
        """One byte."""
        self._bus.write_byte_data(self._address, register, value)

    def write_block(self, register: int, values: Sequence[int]) -> None:
        """Bytes for `register` and those that follow it, in one transfer."""
        self._bus.write_i2c_block_data(self._address, register, list(values))

    def trouble(self, error: OSError, absent: str | None = None) -> str:
        """What is wrong with bus or chip, and what mends it.

        `absent` mends a bus that is not there; without it, it is one of the Pi's own.
        """
        path, at = self.path, f"{self._address:#x}"
        if isinstance(error, FileNotFoundError):
            there = ", ".join(sorted(glob("/dev/i2c-*")))
            if there and absent is None:
                return f"{path} is not there, but {there}; name one of them: bus = N in [belt]"
            return f"{path} is not there; {absent or ENABLE}"
        if error.errno == EBUSY:
            return (
                f"a driver of the kernel's holds {at} on {path}; take its dtoverlay= line out of {CONFIG_TXT}, "
                "then: sudo reboot"
            )
        if error.errno in SILENT:
            return (
                f"no {self._name} answers at {at} on {path} ({error.strerror}); look at {self._wires}; "
                f"who is there: i2cdetect -y {self._number}"
            )
        return device_trouble(path, error)


def without_library() -> DeviceOpenError:
    """What to say when smbus2 is missing."""
    return DeviceOpenError("belt: smbus2 is missing; what mends it: rearguard doctor")
