"""A serial line that is drained, not sipped, and that says so when it is gone."""

from __future__ import annotations

import os
from glob import glob
from pathlib import Path
from select import select
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rearguard.core.reading import Reading, Scan
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import Host, device_trouble

HEADER_UARTS = ("/dev/ttyAMA0", "/dev/ttyS0", "/dev/serial0")  # in this order: serial0 of a Pi 5 is its debug plug
D = TypeVar("D", bound="Feedable")
CHUNK = 4096  # the kernel's own buffer: nothing more can be waiting


def find_port(port: str) -> str:
    """The device behind `port`; "auto" takes the only USB adapter, else the header's UART."""
    if port != "auto":
        return port
    usb = sorted(glob("/dev/serial/by-id/*"))
    if len(usb) > 1:
        raise DeviceOpenError(f"port 'auto' finds more than one USB adapter; name one of: {', '.join(usb)}")
    for path in usb or HEADER_UARTS:
        if Path(path).exists():
            return path
    raise DeviceOpenError(
        "port 'auto' finds no serial port. Set enable_uart=1 in config.txt and reboot, or name the port"
    )


def on_header(port: str) -> bool:
    """Whether a configured port may be the header's UART, on GPIO 14 and 15."""
    return port == "auto" or port in HEADER_UARTS


class Feedable(Protocol):
    """What a LineSensor needs of its decoder."""

    def feed(self, data: bytes, now_s: float) -> list[Reading | Scan]:
        """What `data`, which arrived at `now_s`, completes."""


class Line:
    """One open serial port."""

    def __init__(self, port: str, baud: int, host: Host) -> None:
        """Raises DeviceOpenError when the port is absent, busy or forbidden."""
        import serial

        self.path = find_port(port)
        self._clock = host.clock
        try:
            self._port: Any = serial.Serial(self.path, baud, timeout=0, write_timeout=0.2, exclusive=True)
        except (OSError, ValueError) as error:  # SerialException is an OSError, its errno that of open()
            errno = getattr(error, "errno", None) or 0
            cause = OSError(errno, getattr(error, "strerror", None) or str(error))
            raise DeviceOpenError(device_trouble(self.path, cause)) from error
        self._port.reset_input_buffer()  # what piled up before we listened is stale
        self._fd: int | None = self._port.fileno()

    def read(self, deadline_s: float) -> bytes:
        """All that has arrived; waits for the first of it until `deadline_s`. Raises DeviceLostError."""
        fd = self._fd
        if fd is None:
            raise DeviceLostError(f"{self.path} is closed")
        try:
            ready, _, _ = select([fd], [], [], max(deadline_s - self._clock.now(), 0.0))
            if not ready:
                return b""
            data = os.read(fd, CHUNK)  # all there is, in one call; pyserial would make four
        except (OSError, ValueError) as error:
            raise DeviceLostError(f"{self.path} is gone: {error}") from error
        if not data:
            raise DeviceLostError(f"{self.path} is gone: it says that it has data, and gives none")
        return data

    def write(self, data: bytes) -> None:
        """Send a command. Raises DeviceLostError."""
        try:
            self._port.write(data)
        except OSError as error:
            raise DeviceLostError(f"{self.path} does not take commands: {error}") from error

    def close(self) -> None:
        """Safe at any time."""
        self._fd = None
        try:
            self._port.close()
        except OSError:
            pass  # unplugged: there is nothing left to close


class LineSensor(Generic[D]):
    """A driver for whatever talks by itself on a serial line: open, drain, decode."""

    baud: ClassVar[int]

    def __init__(self, name: str, config: Any, host: Host) -> None:
        self._name, self._config, self._host = name, config, host
        self._line: Line | None = None
        self._decoder = self.decoder()

    def decoder(self) -> D:
        """A fresh one, with nothing left of what came before."""
        raise NotImplementedError

    def greet(self, line: Line) -> None:
        """Say to the part what it must know. Raises DeviceLostError."""

    def open(self) -> None:
        self.close()
        self._decoder = self.decoder()
        self._line = Line(self._config.port, self.baud, self._host)
        try:
            self.greet(self._line)
        except DeviceLostError as error:
            self.close()
            raise DeviceOpenError(f"{self._name}: {error}") from error

    def read(self, deadline_s: float) -> list[Reading | Scan]:
        if self._line is None:
            raise DeviceLostError(f"{self._name} is closed")
        return self._decoder.feed(self._line.read(deadline_s), self._host.clock.now())

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
