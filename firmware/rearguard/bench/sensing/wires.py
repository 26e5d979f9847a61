"""The wires of the bench: mock pins that carry echo edges, pseudo-terminals that carry bytes.

The emulators know what their part would send; what is here puts that where the production driver looks.
"""

from __future__ import annotations

import os
import tty
from collections.abc import Callable
from math import floor
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import mkdtemp
from typing import Any, TypeVar

from gpiozero.pins.mock import MockFactory, MockPWMPin

from rearguard.core.reading import INVALID, LOST, NO_DATA, OK, TOO_CLOSE, Reading, Scan
from rearguard.sensors import PinEmulator, SerialEmulator, View

T = TypeVar("T")
TOUCHING_M = 0.012  # nearer than any part can measure, and more than no distance at all
GARBLE, GARBLE_FROM = 9, 2  # so that no frame of any part comes through, be it of four bytes
PTY_ROOM = 4095  # what a pseudo-terminal takes before it makes the writer wait


class VirtualClock:
    """Time that passes only when somebody waits."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def now(self) -> float:
        return self._now_s

    def sleep(self, seconds: float) -> None:
        self._now_s += max(seconds, 0.0)

    def get(self, queue: SimpleQueue[T], timeout_s: float) -> T | None:
        """What is there, or, after `timeout_s` have passed in no time, None."""
        try:
            return queue.get_nowait()
        except Empty:
            self.sleep(timeout_s)
            return None


class _TriggerPin(MockPWMPin):  # type: ignore[misc]  # gpiozero has no types
    """Tells when the trigger pulse ends."""

    on_fall: Callable[[], None] | None = None

    def _set_state(self, value: float) -> None:
        was = self._state
        super()._set_state(value)
        if was and not value and self.on_fall is not None:
            self.on_fall()


class _EchoPin(MockPWMPin):  # type: ignore[misc]
    """An input whose edges carry their own times, as the kernel's do."""

    def drive(self, t_s: float, level: bool) -> None:
        """An edge that happened at `t_s`."""
        self._state, self._last_change = level, t_s
        if self._when_changed is not None:
            self._call_when_changed()


def stage(wire: EchoWire | SerialWire, item: Reading | Scan) -> None:
    """Have the part on this wire say next what a model has read."""
    emulator: Any = wire.emulator
    status = item.status if isinstance(item, Reading) else OK
    wire.view = _seen(item)
    emulator.silent = status is NO_DATA
    emulator.noise_m = 0.0  # it is in the reading already
    if isinstance(wire, EchoWire):
        emulator.hangs = status is INVALID
        return
    wire.garbled = status is INVALID
    if status is LOST:
        wire.unplug()
    else:
        wire.plug()


def _seen(item: Reading | Scan) -> View:
    """The world that would give this reading."""
    if isinstance(item, Reading):
        distance = TOUCHING_M if item.status is TOO_CLOSE else item.distance_m
        return lambda _: distance
    bearings, ranges = item.bearings_deg, item.ranges_m
    first, step = bearings[0], bearings[1] - bearings[0]

    def look(bearing_deg: float) -> float | None:
        i = floor((bearing_deg - first) / step + 0.5)
        return ranges[i] if 0 <= i < len(ranges) else None

    return look


class EchoWire:
    """Trigger and echo of one ultrasonic sensor on mock pins. Make it before the driver opens them."""

    def __init__(self, config: Any, emulator: PinEmulator, factory: MockFactory, now: Callable[[], float]) -> None:
        self.view: View = lambda _: None
        self.emulator, self._now = emulator, now
        trigger, self._echo = config.pins().values()
        self._echo = factory.pin(self._echo, pin_class=_EchoPin)
        factory.pin(trigger, pin_class=_TriggerPin).on_fall = self._answer

    def _answer(self) -> None:
        for t_s, level in self.emulator.edges(self._now(), self.view):
            self._echo.drive(t_s, level)


class SerialWire:
    """One end of a pseudo-terminal, the other of which has a name that stays when it is unplugged."""

    def __init__(self, emulator: SerialEmulator) -> None:
        self.view: View = lambda _: None
        self.emulator = emulator
        self.garbled = False  # a bit of every few bytes is flipped on the way
        self._folder = Path(mkdtemp(prefix="rearguard-"))
        self.port = str(self._folder / "tty")
        self._ends: tuple[int, int] | None = None
        self.plug()

    @property
    def plugged(self) -> bool:
        """Whether it is there."""
        return self._ends is not None

    def plug(self) -> None:
        """The device appears."""
        if self._ends is None:
            ours, theirs = os.openpty()
            tty.setraw(theirs)
            os.set_blocking(ours, False)
            self._ends = ours, theirs
            Path(self.port).symlink_to(os.ttyname(theirs))

    def unplug(self) -> None:
        """The device is gone, name and all."""
        if self._ends is not None:
            Path(self.port).unlink()
            for end in self._ends:
                os.close(end)
            self._ends = None

    def pump(self, now_s: float) -> int:
        """Put on the line what the part sends up to `now_s`; returns the number of bytes."""
        data = bytearray(self.emulator.wire(now_s, self.view))
        if self.garbled:
            for i in range(GARBLE_FROM, len(data), GARBLE):
                data[i] ^= 0x10
        return self.send(bytes(data))

    def send(self, data: bytes) -> int:
        """Put these very bytes on the line; what an unread line cannot take is lost, as on a real one."""
        if self._ends is None:
            return 0
        try:
            return os.write(self._ends[0], data[:PTY_ROOM])
        except BlockingIOError:
            return 0

    def heard(self) -> bytes:
        """What the driver has sent to the part."""
        try:
            return os.read(self._ends[0], PTY_ROOM) if self._ends else b""
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Leave nothing behind."""
        self.unplug()
        self._folder.rmdir()
