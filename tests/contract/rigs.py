"""Rigs for any driver: its own emulator on a wire, and a clock that moves only when somebody waits."""

from __future__ import annotations

import array
import fcntl
import os
import select as kernel
import termios
from collections.abc import Callable, Iterator
from functools import partial
from heapq import heappop, heappush
from queue import SimpleQueue
from random import Random
from types import ModuleType
from typing import Any, TypeVar

import msgspec
from gpiozero.pins.mock import MockFactory, MockPWMPin

from rearguard import sensors
from rearguard.bench.sensing.wires import PTY_ROOM, EchoWire, SerialWire, VirtualClock
from rearguard.core.reading import Input, Reading, Scan, Status
from rearguard.host import Host, Pin
from rearguard.sensors import SerialEmulator, View
from rearguard.watch import READ_S, BusThread

T = TypeVar("T")
STEP_S = 0.01  # a talking sensor puts its bytes on the line in steps of this
PINS = [pin for pin in range(4, 28) if pin not in (14, 15)]  # none of I2C or the UART
ROUNDS = 20_000  # more than any test needs: time must be standing still


class EventClock(VirtualClock):
    """A virtual clock on which things happen at their time, while somebody waits."""

    def __init__(self, start_s: float) -> None:
        super().__init__(start_s)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, t_s: float, happen: Callable[[], None]) -> None:
        """Let it happen then, or as soon as somebody waits."""
        self._count += 1
        heappush(self._events, (t_s, self._count, happen))

    def sleep(self, seconds: float) -> None:
        end = self.now() + max(seconds, 0.0)
        while self._step(end):
            pass

    def get(self, queue: SimpleQueue[T], timeout_s: float) -> T | None:
        end = self.now() + max(timeout_s, 0.0)
        while queue.empty() and self._step(end):
            pass
        return None if queue.empty() else queue.get_nowait()

    def _step(self, end: float) -> bool:
        """The next event until then; False when there is none, and it is then."""
        due = bool(self._events) and self._events[0][0] <= end
        self._now_s = max(self._now_s, self._events[0][0] if due else end)
        if due:
            heappop(self._events)[2]()
        return due


def smallest(driver: str, pins: Iterator[int]) -> dict[str, Any]:
    """The table of a sensor with its required keys and no others."""
    table: dict[str, Any] = {"driver": driver}
    for field in msgspec.structs.fields(sensors.load(driver).Config):
        if field.required and field.name not in table:
            assert field.type == Pin, f"{driver}.{field.name} is required, and the rig knows no value for it"
            table[field.name] = next(pins)
    return table


class Rig:
    """One driver on its emulated wire."""

    def __init__(self, bench: Bench, driver: str, name: str, changes: dict[str, Any]) -> None:
        self.name, self.bench = name, bench
        self.module: ModuleType = sensors.load(driver)  # type: ignore[assignment]
        self.config = msgspec.convert({**smallest(driver, bench.free_pins), **changes}, self.module.Config)
        self.emulator = self.module.Emulator(self.config, Random(7))
        self.view: View = lambda _: None
        self.cut = False  # the sensor is silent
        self.plug_in()
        self.sensor = self.module.Sensor(name, self.config, bench.host)

    def plug_in(self) -> None:
        """Make the wire, before the driver is made."""
        raise NotImplementedError

    def unplug(self) -> None:
        """The device is gone."""
        raise NotImplementedError

    def plug(self) -> None:
        """The device is back."""
        raise NotImplementedError

    def carry(self) -> None:
        """Put on the wire what is due by now."""

    def close(self) -> None:
        self.sensor.close()

    def listen(self, seconds: float) -> list[Reading | Scan]:
        """What the driver hears in that time, read in turns as its bus reads it."""
        clock, found = self.bench.clock, []
        end = clock.now() + seconds
        for _ in range(ROUNDS):
            start = clock.now()
            if start >= end:
                return found
            found += self.sensor.read(start + READ_S)
            clock.sleep(start + self.config.turn_s - clock.now())
        raise AssertionError("the driver reads without time passing")


class PinRig(Rig):
    """A pulsed sensor on mock pins."""

    def plug_in(self) -> None:
        self.pings: list[float] = []
        EchoWire(self.config, self, self.bench.factory, self.bench.clock.now)
        self.pins = [self.bench.factory.pin(number) for number in self.config.pins().values()]

    def edges(self, trigger_s: float, _: View) -> list[tuple[float, bool]]:
        """As the emulator of a wire that may be cut; its edges come when their time has come, not at once."""
        self.pings.append(trigger_s)
        for t_s, level in [] if self.cut else self.emulator.edges(trigger_s, self.view):
            self.bench.clock.at(t_s, partial(self.pins[1].drive, t_s, level))
        return []

    def unplug(self) -> None:
        for pin in self.pins:
            break_pin(pin)

    def plug(self) -> None:
        for pin in self.pins:
            mend_pin(pin)

    def close(self) -> None:
        self.plug()
        super().close()


class SerialRig(Rig):
    """A talking sensor on a pseudo-terminal."""

    def plug_in(self) -> None:
        self.wire = SerialWire(self.emulator)
        self.config = msgspec.structs.replace(self.config, port=self.wire.port)

    def unplug(self) -> None:
        self.wire.unplug()

    def plug(self) -> None:
        self.wire.plug()

    def carry(self) -> None:
        data = self.emulator.wire(self.bench.clock.now(), self.view)
        if not self.cut:
            self.send(data)

    def send(self, data: bytes) -> int:
        """Put bytes on the line and see the kernel hand them on."""
        if self.wire._ends is None:
            return 0
        due = min(self.waiting() + self.wire.send(data), PTY_ROOM)
        for _ in range(10**6):
            if self.waiting() >= due:
                return due
            os.sched_yield()
        raise AssertionError("the kernel keeps the bytes to itself")

    def waiting(self) -> int:
        """Bytes that the driver has not read yet."""
        count = array.array("i", [0])
        fcntl.ioctl(self.wire._ends[1], termios.FIONREAD, count)
        return count[0]

    def heard(self, count: int) -> bytes:
        """That many bytes (or what there is of them) from the driver to the part, and whatever came with them."""
        data = b""
        while len(data) < count and kernel.select([self.wire._ends[0]], [], [], 5.0)[0]:
            data += self.wire.heard()
        return data

    def close(self) -> None:
        super().close()
        self.wire.close()


class Bench:
    """A clock, a set of pins, and the rigs that share them."""

    def __init__(self) -> None:
        self.clock = EventClock(100.0)
        self.factory = MockFactory(pin_class=MockPWMPin)
        self.host = Host(self.clock, lambda: self.factory)
        self.free_pins = iter(PINS)
        self.rigs: list[Rig] = []
        self.waits: list[float] = []  # the timeout of every wait on a serial line

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        for rig in self.rigs:
            rig.close()

    def rig(self, driver: str, name: str = "rear", **changes: Any) -> Any:
        """A driver of that name on the wire that suits it; not open yet."""
        serial = issubclass(sensors.load(driver).Emulator, SerialEmulator)
        rig = (SerialRig if serial else PinRig)(self, driver, name, changes)
        self.rigs.append(rig)
        return rig

    def open(self, driver: str, name: str = "rear", **changes: Any) -> Any:
        """A rig, its driver open."""
        rig = self.rig(driver, name, **changes)
        rig.sensor.open()
        return rig

    def select(self, read: list[int], write: list[int], other: list[int], timeout: float) -> tuple[Any, Any, Any]:
        """As select, but in the time of the bench, while the sensors talk."""
        self.waits.append(timeout)
        end = self.clock.now() + timeout
        while True:
            found = kernel.select(read, write, other, 0)
            left = end - self.clock.now()
            if any(found) or left <= 0:
                return found
            self.clock.sleep(min(STEP_S, left))
            for rig in self.rigs:
                rig.carry()

    def bus(self, *rigs: Rig) -> tuple[BusThread, list[Any]]:
        """A thread (not started) that reads the drivers of these rigs, and what it has put in."""
        inbox: list[Input] = []
        sensors = [(rig.name, rig.sensor, rig.config.turn_s) for rig in rigs]
        return BusThread("test", sensors, inbox.append, self.clock), inbox

    def run(self, bus: BusThread, seconds: float) -> None:
        """Rounds of a bus, as its thread runs them."""
        end = self.clock.now() + seconds
        for _ in range(ROUNDS):
            if self.clock.now() >= end:
                return
            self.clock.sleep(bus.round())
        raise AssertionError("the bus goes round without time passing")


USES = ("_set_state", "_get_state", "_set_function", "_set_frequency")


def break_pin(pin: Any, uses: tuple[str, ...] = USES[:3]) -> None:
    """From now on these uses of a mock pin fail."""

    def fail(*_: object) -> None:
        raise OSError("the chip does not answer")

    for use in uses:
        setattr(pin, use, fail)


def mend_pin(pin: Any) -> None:
    """Undo `break_pin`; a pin that is whole stays so."""
    for use in USES:
        vars(pin).pop(use, None)


def ranges_behind(items: list[Reading | Scan]) -> list[float]:
    """The distances straight behind: of readings, and of scans the nearest within a degree."""
    found = []
    for item in items:
        if isinstance(item, Reading):
            assert (item.distance_m is not None) == (item.status is Status.OK)
            found += [item.distance_m] if item.distance_m is not None else []
        else:
            beam = [r for b, r in zip(item.bearings_deg, item.ranges_m, strict=True) if abs(b) <= 1.0 and r is not None]
            found += [min(beam)] if beam else []
    return found
