"""What the emulated parts share: the course of a distance, orders on standard input, a clock to sleep by."""

from __future__ import annotations

import ctypes
import json
import os
from typing import Any, TypeAlias

Course: TypeAlias = list[tuple[float, float | None]]  # (seconds of CLOCK_MONOTONIC, metres or None: nothing there)
libc = ctypes.CDLL(None)


class Timespec(ctypes.Structure):
    """struct timespec."""

    _fields_ = (("s", ctypes.c_long), ("ns", ctypes.c_long))


def until(t_s: float) -> None:
    """Sleep to a moment of CLOCK_MONOTONIC: to the nanosecond, where time.sleep rounds."""
    ns = int(t_s * 1e9)
    libc.clock_nanosleep(1, 1, ctypes.byref(Timespec(ns // 10**9, ns % 10**9)), None)


def at(course: Course, t_s: float) -> float | None:
    """The distance a course has at a time: straight between its points, and as the last one says after it."""
    here = course[0]
    for following in course[1:]:
        if t_s < following[0]:
            if here[1] is None or following[1] is None or t_s <= here[0]:
                return here[1]
            return here[1] + (following[1] - here[1]) * (t_s - here[0]) / (following[0] - here[0])
        here = following
    return here[1]


class Orders:
    """One JSON object a line: {"course": [...]} or {"mode": "..."}."""

    def __init__(self) -> None:
        self.course: Course = [(0.0, 2.0)]
        self.mode = "works"
        self._said = b""

    def take(self) -> bool:
        """Read what has come; False when whoever gives the orders is gone."""
        data = os.read(0, 65536)
        self._said += data
        while b"\n" in self._said:
            order, _, self._said = self._said.partition(b"\n")
            told: dict[str, Any] = json.loads(order)
            self.course = told.get("course", self.course)
            self.mode = told.get("mode", self.mode)
        return bool(data)
