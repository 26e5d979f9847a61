"""What several tests stand on: configurations without hardware, and a guard that is turned by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPWMPin

from rearguard.bench.sensing.wires import EchoWire, VirtualClock
from rearguard.config import Config, parse
from rearguard.core.pipeline import Tick
from rearguard.core.reading import Input, Reading, Status
from rearguard.sensors import hcsr04
from rearguard.service import Guard

MOCK = """
pin_factory = "mock"
[sensor.rear]
driver = "hcsr04"
trigger_pin = 23
echo_pin = 24
[belt]
driver = "gpio_pwm"
motor.left = { pin = 12, bearing_deg = -90 }
motor.back = { pin = 13, bearing_deg = 0 }
motor.right = { pin = 19, bearing_deg = 90 }
[buzzer]
pin = 25
[button]
pin = 17
[journal]
enabled = false
"""


def config(text: str = MOCK, **tables: Any) -> Config:
    """A configuration from TOML, with top-level keys replaced."""
    return parse({**tomllib.loads(text), **tables}, "test.toml")


def ok(t_s: float, distance_m: float, sensor: str = "rear") -> Reading:
    return Reading(sensor, t_s, Status.OK, distance_m)


class HandGuard:
    """The whole guard on mock pins and a clock of its own; sensors are read only where a test says so."""

    def __init__(self, settings: Config | None = None, refused: bool = False) -> None:
        self.config = settings or config()
        self.clock = VirtualClock(100.0)
        self.factory = MockFactory(pin_class=MockPWMPin)
        self.emulator = hcsr04.Emulator(self.config.sensors["rear"], Random(1))
        self.wire = EchoWire(self.config.sensors["rear"], self.emulator, self.factory, self.clock.now)
        self.guard = Guard(self.config, self.clock, lambda: self.factory, refused=refused)

    def motors(self) -> tuple[float, ...]:
        pins = self.config.belt.pins()
        names = [name for name, _ in self.config.belt.motors()]
        return tuple(float(self.factory.pin(pins[f"motor.{name}.pin"]).state) for name in names)

    def buzzer(self) -> bool:
        return bool(self.factory.pin(25).state)

    def turn(self, inputs: Iterable[Input] = (), after_s: float = 0.0) -> Tick:
        """Let time pass, then one turn with what has been put in and `inputs`."""
        self.clock.sleep(after_s)
        return self.guard.turn([*self.guard.waiting(), *inputs], self.clock.now())

    def until(self, t_s: float, inputs: Iterable[Input] = ()) -> list[tuple[float, tuple[float, ...]]]:
        """Turn at each wake-up and input up to `t_s`; returns (time, motor states) after each turn."""
        seen = []
        waiting = sorted(inputs, key=lambda item: item.t_s)
        while self.clock.now() < t_s and not self.guard.over:
            due = min([t_s, max(self.guard.wake_s, self.clock.now()), *(item.t_s for item in waiting[:1])])
            self.clock.sleep(due - self.clock.now())
            now = self.clock.now()
            self.turn([item for item in waiting if item.t_s <= now])
            waiting = [item for item in waiting if item.t_s > now]
            seen.append((now, self.motors()))
        return seen


def default_toml() -> dict[str, Any]:
    """The configuration that ships, as a table."""
    import rearguard.config

    return tomllib.loads(Path(rearguard.config.DEFAULT).read_text())
