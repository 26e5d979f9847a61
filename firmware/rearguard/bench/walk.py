"""One simulated walk through the whole firmware: emulated wires, production drivers, the guard, mock motors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec
from gpiozero.pins.mock import MockFactory, MockPWMPin

from rearguard import sensors
from rearguard.bench.walker import Walker
from rearguard.bench.wires import EchoWire, SerialWire, VirtualClock
from rearguard.bench.world import Person, Wall, World
from rearguard.config import Config, load
from rearguard.core.pipeline import Tick
from rearguard.core.reading import Cue, Input
from rearguard.core.threat import Level
from rearguard.errors import DeviceOpenError
from rearguard.sensors import SerialEmulator
from rearguard.service import Guard

OWN = Path(__file__).with_name("bench.toml")
STEP_S = 0.01  # of the world; a walker moves 1 cm in it
PACE_MPS = 0.8
WALL_M = 7.0
LIMIT_S = 60.0
TOUCH_M = 0.05
REST_S = 2.0  # standing at the wall before the walk is over
PTY_WAIT_S = 0.2  # real time the kernel may take to pass bytes through a pseudo-terminal

SCENE = World(
    walls=(Wall(-6.0, WALL_M, 6.0, WALL_M),),
    people=(Person(x=2.6, y=4.0, vx=-0.8, vy=0.0, from_s=3.0),),
)


class Moment(NamedTuple):
    """The walk as it stands at `t_s`."""

    t_s: float
    y_m: float  # how far the walker has come
    speed_mps: float
    room_m: float  # from sensor to the nearest surface, in truth
    tick: Tick
    duties: tuple[float, ...]  # read back from the motor pins
    buzzer: bool
    cue: Cue | None

    @property
    def word(self) -> str:
        """What is going on: the level, or while there is none, the cue."""
        level = self.tick.alert.level
        return self.cue.replace("_", "-") if self.cue and not level else level.name


class Walk:
    """The walk of `make bench`: toward a wall, and somebody crosses on the way."""

    def __init__(self, config_file: Path | None, seed: int) -> None:
        """Raises ConfigError, and DeviceOpenError when a sensor of the configuration has no emulator to drive."""
        self.config, self._serial = _wired(load(config_file or OWN), seed)
        self.clock = VirtualClock()
        factory = MockFactory(pin_class=MockPWMPin)
        self._echoes = {
            name: EchoWire(part, sensors.load(part.driver).Emulator(part, Random(seed)), factory, self.clock.now)  # type: ignore[arg-type]
            for name, part in self.config.sensors.items()
            if name not in self._serial
        }
        self.guard = Guard(self.config, self.clock, lambda: factory)
        belt_pins = self.config.belt.pins()
        self._motors = [factory.pin(belt_pins[f"motor.{name}.pin"]) for name, _ in self.config.belt.motors()]
        self._buzzer = factory.pin(self.config.buzzer.pin) if self.config.buzzer else None
        self._next_ping_s = 0.0
        self._turn = 0

    def run(self) -> Iterator[Moment]:
        """Every moment, STEP_S apart, until the walker stands at the wall and the guard has said goodbye."""
        walker, clock = Walker(PACE_MPS), self.clock
        held: list[Input] = []
        stood_s = 0.0
        try:
            self.guard.begin()
            for sensor in self.guard.sensors.values():
                sensor.open()
            while not self.guard.over:
                t = clock.now() + STEP_S
                held += self._listen(t, walker.y_m)
                clock.sleep(t - clock.now())
                tick = self._turns(held, clock.now())
                held = [item for item in held if item.t_s > clock.now()]
                duties = tuple(float(pin.state) for pin in self._motors)
                walker.feel(duties, clock.now())
                walker.going = walker.going or (self.guard.armed and self.guard.playing() is None)
                room = SCENE.room(0.0, walker.y_m, clock.now())
                walker.move(clock.now(), STEP_S, room)
                yield Moment(
                    clock.now(),
                    walker.y_m,
                    walker.speed_mps,
                    room,
                    tick,
                    duties,
                    bool(self._buzzer and self._buzzer.state),
                    self.guard.playing(),
                )
                at_wall = walker.speed_mps == 0.0 and WALL_M - walker.y_m < 2.0
                stood_s = stood_s + STEP_S if at_wall else 0.0
                if stood_s > REST_S or clock.now() > LIMIT_S:
                    stood_s = float("-inf")
                    self.guard.stop()
        finally:
            for sensor in self.guard.sensors.values():
                sensor.close()
            self.guard.finish()
            for wire in self._serial.values():
                wire.close()

    def _turns(self, held: list[Input], now: float) -> Tick:
        """Let the guard take what has arrived, and wake up whenever it asked to."""
        while self.guard.wake_s < now:
            self.guard.turn(self.guard.waiting(), max(self.guard.wake_s, now - STEP_S))
        return self.guard.turn([*self.guard.waiting(), *(item for item in held if item.t_s <= now)], now)

    def _listen(self, t_s: float, y_m: float) -> list[Input]:
        """What the drivers make of the wires up to `t_s`."""
        found: list[Input] = []
        view = SCENE.view(0.0, y_m, t_s)
        for name, wire in self._serial.items():
            wire.view = view
            self.clock.sleep(t_s - self.clock.now())
            if wire.pump(t_s):
                found += self.guard.sensors[name].read(t_s + PTY_WAIT_S)
        if self._echoes and t_s >= self._next_ping_s:
            name = list(self._echoes)[self._turn % len(self._echoes)]
            self._turn += 1
            self._next_ping_s = t_s + self.config.sensors[name].turn_s
            self._echoes[name].view = view
            found += self.guard.sensors[name].read(t_s + PTY_WAIT_S)
        return found


def _wired(config: Config, seed: int) -> tuple[Config, dict[str, SerialWire]]:
    """The configuration with every serial port led to a pseudo-terminal of the bench."""
    wires: dict[str, SerialWire] = {}
    fitted = dict(config.sensors)
    for name, part in config.sensors.items():
        emulator = sensors.load(part.driver).Emulator(part, Random(seed))
        if isinstance(emulator, SerialEmulator):
            wires[name] = SerialWire(emulator)
            fitted[name] = msgspec.structs.replace(part, port=wires[name].port)
    if config.belt.driver != "gpio_pwm":
        raise DeviceOpenError(f"{config.source}: the bench has motors on pins; belt.driver must be 'gpio_pwm'")
    return msgspec.structs.replace(config, sensors=fitted, pin_factory="mock"), wires


class Summary:
    """What a walk came to."""

    def __init__(self) -> None:
        self.felt: dict[Level, int] = {}
        self.stops: list[float] = []  # true room at the onset of each STOP
        self.least_m = float("inf")
        self.way_m = self.t_s = 0.0
        self._level = Level.CLEAR

    def add(self, moment: Moment) -> None:
        """Count one moment."""
        level = moment.tick.alert.level
        if level > self._level:
            self.felt[level] = self.felt.get(level, 0) + 1
            if level is Level.STOP:
                self.stops.append(moment.room_m)
        self._level = level
        self.least_m = min(self.least_m, moment.room_m)
        self.way_m, self.t_s = moment.y_m, moment.t_s

    @property
    def contact(self) -> bool:
        """Whether the walker touched something."""
        return self.least_m <= TOUCH_M

    def text(self) -> str:
        """Three lines."""
        counts = [(level.name, n) for level, n in sorted(self.felt.items())]
        felt = ", ".join(f"{name} {n} times" if n > 1 else f"{name} once" for name, n in counts)
        stops = " and ".join(f"{room:.2f} m" for room in self.stops) or "none"
        outcome = "CONTACT" if self.contact else "No contact"
        return (
            f"Walked {self.way_m:.1f} m in {self.t_s:.1f} s and felt {felt or 'nothing'}.\n"
            f"Room when STOP was first felt: {stops}.\n"
            f"Least room of the walk: {self.least_m:.2f} m. {outcome}."
        )
