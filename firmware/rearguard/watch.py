"""One thread a bus: opens its sensors, reads them, and reopens what was lost. It never goes silent."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from threading import Event, Thread

from rearguard.core.reading import Input, Reading, Status
from rearguard.errors import DeviceLostError, DeviceOpenError, tell
from rearguard.host import Clock
from rearguard.sensors import Sensor

READ_S = 0.25  # how long one read may wait; a silent line costs four wake-ups a second
TELL_AGAIN_S = 60.0  # the same trouble; a loose plug must not fill the log
BACKOFF_S, BACKOFF_MAX_S = 0.2, 2.0  # between attempts to open a lost device


class _Slot:
    """A sensor of the bus, and when to try it again."""

    def __init__(self, name: str, sensor: Sensor, turn_s: float) -> None:
        self.name, self.sensor, self.turn_s = name, sensor, turn_s
        self.open = False
        self.retry_s = float("-inf")
        self.backoff_s = BACKOFF_S
        self.told, self.told_s = "", float("-inf")


class BusThread(Thread):
    """Reads the sensors of one bus in turn and puts what they say into the guard's inbox."""

    def __init__(
        self, bus: str, sensors: list[tuple[str, Sensor, float]], put: Callable[[Input], None], clock: Clock
    ) -> None:
        """`sensors`: name, driver, and how long its turn on the bus lasts (0: it talks by itself)."""
        super().__init__(name=f"bus {bus}", daemon=True)
        self._slots = [_Slot(*sensor) for sensor in sensors]
        self._put, self._clock = put, clock
        self._ending = Event()

    def stop(self) -> None:
        """End soon; `join` waits for it."""
        self._ending.set()

    def run(self) -> None:
        while not self._ending.is_set():
            self._ending.wait(self.round())
        for slot in self._slots:
            self._shut(slot)

    def round(self) -> float:
        """One turn for each sensor of the bus; returns for how long there is nothing to do."""
        due = min([self._serve(slot) for slot in self._slots if not self._ending.is_set()], default=0.0)
        return max(due - self._clock.now(), 0.0)

    def _serve(self, slot: _Slot) -> float:
        """One turn of one sensor; returns when it wants the next."""
        start = self._clock.now()
        if not slot.open and start < slot.retry_s:
            return slot.retry_s
        try:
            if not slot.open:
                slot.sensor.open()
                slot.open = True
            for item in slot.sensor.read(start + READ_S):
                self._put(item)
                slot.backoff_s = BACKOFF_S
        except (DeviceLostError, DeviceOpenError) as error:
            self._lose(slot, str(error))
        except Exception as error:  # a defect in a driver must not silence the sensor
            self._lose(slot, f"{type(error).__name__}: {error}", traceback.format_exc())
        else:
            rest = start + slot.turn_s - self._clock.now()
            if rest > 0:
                self._clock.sleep(rest)  # until the air is quiet
            return self._clock.now()
        return slot.retry_s

    def _lose(self, slot: _Slot, why: str, detail: str = "") -> None:
        now = self._clock.now()
        self._put(Reading(slot.name, now, Status.LOST))
        if why != slot.told or now >= slot.told_s + TELL_AGAIN_S:  # not at every attempt, nor at every flap
            slot.told, slot.told_s = why, now
            tell(f"{detail}{slot.name}: {why}")
        self._shut(slot)
        slot.retry_s = now + slot.backoff_s
        slot.backoff_s = min(2 * slot.backoff_s, BACKOFF_MAX_S)

    def _shut(self, slot: _Slot) -> None:
        slot.open = False
        try:
            slot.sensor.close()
        except Exception:  # it is gone or broken already; that has been told
            pass
