"""One HC-SR04 measurement: ours against gpiozero's DistanceSensor.

Both ping the same mock sensor, whose edges are handed over inside the call that lets the trigger fall, by as little
code as will do; both really sleep the 10 us of the trigger pulse (the kernel's part of it is not counted). Counted for
ours: `Sensor.read`, from the check of the line to the Reading. Counted for the peer: `_read`, its own measurement; the
thread that calls it 16 times a second and the median of nine are left out, in its favour. The pins count for both.
"""

from __future__ import annotations

import warnings
from typing import Any

from echo import ECHO, TRIGGER, WIDTH_S, factory
from measure import Row, per_item, versus
from rearguard.core.reading import Status
from rearguard.host import Host, RealClock
from rearguard.sensors import hcsr04

FEW, MANY = 200, 600
RANGE_M = 4.0


def ours(n: int) -> None:
    """Measure `n` times."""
    sensor = _ours()
    read, now = sensor.read, RealClock().now
    for _ in range(n):
        read(now() + 0.25)


def peer(n: int) -> None:
    """Measure `n` times."""
    read = _peer()._read
    for _ in range(n):
        read()


def check() -> None:
    """Both must tell the distance that the width of the echo stands for, each by its own speed of sound."""
    (reading,) = _ours().read(RealClock().now() + 0.25)
    assert reading.status is Status.OK and abs(reading.distance_m - WIDTH_S * (331.3 + 0.606 * 20) / 2) < 1e-3, reading
    device = _peer()
    metres = device._read() * RANGE_M
    assert abs(metres - WIDTH_S * device.speed_of_sound / 2) < 1e-3, metres


def rows() -> list[Row]:
    """Instructions a measurement."""
    check()
    figures = [per_item("hcsr04", work, FEW, MANY) for work in ("ours", "peer")]
    return [versus("one HC-SR04 measurement (peer: gpiozero DistanceSensor)", *figures, "instr", 0.5)]


def _ours() -> Any:
    pins = factory()
    config = hcsr04.Config(driver="hcsr04", trigger_pin=TRIGGER, echo_pin=ECHO)
    sensor = hcsr04.Sensor("rear", config, Host(RealClock(), lambda: pins))
    sensor.open()
    return sensor


def _peer() -> Any:
    from gpiozero import DistanceSensor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather have pigpio
        device = DistanceSensor(echo=ECHO, trigger=TRIGGER, max_distance=RANGE_M, pin_factory=factory())
    device._queue.stop()
    return device
