"""One walk through the whole firmware: modelled readings, emulated wires, the drivers, the guard, mock motors."""

from __future__ import annotations

from collections.abc import Generator
from copy import copy
from math import degrees
from random import Random
from typing import Any

import msgspec
from gpiozero.pins.mock import MockFactory, MockPWMPin

from rearguard import sensors
from rearguard.bench.sensing.wires import EchoWire, SerialWire, VirtualClock, stage
from rearguard.bench.walking.moment import Moment
from rearguard.bench.walking.quick import HANG_S, RESTART_S
from rearguard.bench.walking.quick import Walk as Course
from rearguard.bench.walking.truth import Truth, truth
from rearguard.bench.world.scenario import Scenario
from rearguard.bench.world.walker import GRID_S, Skin
from rearguard.bench.world.way import Stretch
from rearguard.config import Config
from rearguard.core.pipeline import Tick
from rearguard.core.reading import LOST, Input, Reading, Scan
from rearguard.core.threat import CLEAR, Profile
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.sensors import SerialEmulator
from rearguard.service import Guard

READY_S = 6.0  # the walk begins without READY after this long: a sensor is faulty
REST_S = 2.0  # standing still, before the walk is over
REOPEN_S = 0.2  # as the guard's own threads do
PTY_WAIT_S = 0.2  # real time the kernel may take to pass bytes through a pseudo-terminal
ROUND = 30  # grid points in which ultrasonic and LiDAR each have whole rounds
NUDGE = 1.0 + 1e-9  # so that a frame is due when its time has come, in floating point too


class Walk:
    """A scenario, walked with a belt."""

    def __init__(self, scenario: Scenario, config: Config, profile: Profile, seed: int = 1, obeys: bool = True) -> None:
        """Raises DeviceOpenError when the belt is none that the bench can watch."""
        if config.belt.driver != "gpio_pwm":
            raise DeviceOpenError(f"{config.source}: the bench has motors on pins; belt.driver must be 'gpio_pwm'")
        self.scenario, self.seed, self.obeys = scenario, seed, obeys
        self._course = Course(scenario, config, profile, seed, obeys)
        self.things = self._course.things
        self.armed_s: list[float] = []  # when the guard began again after it hung, in time of the walk
        self._factory = MockFactory(pin_class=MockPWMPin)
        self.clock = VirtualClock()
        self._serial: dict[str, SerialWire] = {}
        self._wires: dict[str, EchoWire | SerialWire] = {}
        fitted: dict[str, Any] = dict(config.sensors)
        for name, part in config.sensors.items():
            emulator: Any = sensors.load(part.driver).Emulator(part, Random(seed))
            if isinstance(emulator, SerialEmulator):
                self._wires[name] = self._serial[name] = SerialWire(emulator)
                fitted[name] = msgspec.structs.replace(part, port=self._serial[name].port)
            else:
                self._wires[name] = EchoWire(part, emulator, self._factory, self.clock.now)
        raw = {**config.raw, "profile": profile.name}  # for the header of a journal
        self.config = msgspec.structs.replace(config, sensors=fitted, pin_factory="mock", profile=profile, raw=raw)
        self.guard = Guard(self.config, self.clock, lambda: self._factory)
        belt_pins = self.config.belt.pins()
        self._motors = [self._factory.pin(belt_pins[f"motor.{name}.pin"]) for name, _ in config.belt.motors()]
        self._buzzer = self._factory.pin(self.config.buzzer.pin) if self.config.buzzer else None
        self._period_s: dict[str, float] = {}
        self._sweeps: list[str] = []  # those that turn
        self._split()
        self._frames = dict.fromkeys(self._serial, 0)  # that each has sent
        self._said_s = dict.fromkeys(config.sensors, 0.0)
        self._retry_s = dict.fromkeys(config.sensors, 0.0)
        self._gone_s: dict[str, float] = {}  # when a part that turns is unplugged
        self._open: set[str] = set()
        self._down = False  # the guard was ended, and is not back yet
        self._hangs = sorted(t.from_s for t in scenario.trouble if t.is_ == "hang")

    def _split(self) -> None:
        """Models that answer at once, and those of sweeps: what one has seen is told when it is complete.

        So a sweep is worked out a turn ahead; what is felt changes the way no sooner than a reaction later.
        """
        names = [name for bus in self.config.buses().values() for name in bus]
        self._now, self._soon = copy(self._course), copy(self._course)
        self._now.models, self._soon.models = [], []
        for name, model in zip(names, self._course.models, strict=True):
            sweeps = self.config.sensors[name].senses().sweeps
            (self._soon if sweeps else self._now).models.append(model)
            self._period_s[name] = model.period_s
            self._sweeps += [name] if sweeps else []
        self._lead = round(max((self._period_s[name] for name in self._sweeps), default=0.0) / GRID_S)

    def run(self) -> Generator[Moment, None, None]:
        """Every moment, GRID_S apart, until the walk is over and the guard has said goodbye."""
        course, clock, skin = self._course, self.clock, Skin()
        walker, way = course.walker, course.way
        end = round(self.scenario.lasts_s / GRID_S)
        held: list[Input] = []
        tick: Tick | None = None
        felt, stood, quiet, ready, ending, step = CLEAR, 0, 0, False, False, 0
        try:
            self.guard.begin()
            while not self.guard.over:
                step += 1
                now = step * GRID_S
                ahead = way.ahead(self._lead + 1)
                stretch = _part(ahead, 0, 1)
                first = way.index if ready else step  # of the luck there is, which ends a second after the scenario
                first -= ROUND * max(-(-(first - end - ROUND) // ROUND), 0)
                heard = self._hear(ahead._replace(first=first), now)
                held += heard
                clock.sleep(now - clock.now())  # a ping without an answer may have taken longer
                walk_s = way.index * GRID_S
                guarding = not (ready and self._hung(walk_s))
                if guarding or tick is None:
                    was = self.guard.armed
                    tick = self._turns(held, clock.now())
                    if ready and self.guard.armed and not was:
                        self.armed_s.append(walk_s)
                held = [item for item in held if guarding and item.t_s > clock.now()]
                duties = tuple(float(pin.state) for pin in self._motors)
                known = truth(stretch, course.things, self.config.profile)
                walking = ready and not ending
                if ready:
                    level = skin.feel(duties, walk_s)
                    if level is not felt:
                        felt = level
                        pace = abs(float(stretch.pace_mps[0]))
                        walker.feel(level, False, walk_s, float(stretch.phase[0]), pace)
                    if walker.resume_s <= walk_s:
                        walker.consider(walk_s, float(known.room_m[0]))
                    way.go(stretch, 1)
                    busy = stretch.pace_mps[0] or tick.alert.level or tick.alert.faults or not (way.x_m or way.y_m)
                    stood = 0 if busy else stood + 1
                else:
                    quiet = quiet + 1 if self.guard.armed and self.guard.playing() is None else 0
                    turned = not self._sweeps or any(isinstance(item, Scan) for item in heard)
                    ready = (quiet > 1 and turned) or now > READY_S  # READY is played a turn after the guard is armed
                yield self._moment(stretch, known, walking, guarding, tick, duties, tuple(heard))
                if not ending and (way.index >= end or (stood * GRID_S > REST_S and course.alone and self.obeys)):
                    ending = True
                    self.guard.stop()
        finally:
            self._finish()
            for wire in self._serial.values():
                wire.close()

    def _moment(
        self, way: Stretch, known: Truth, walking: bool, guarding: bool, tick: Tick, duties: Any, heard: Any
    ) -> Moment:
        return Moment(
            t_s=self.clock.now(),
            walk_s=self._course.way.index * GRID_S,
            walking=walking,
            x_m=float(way.x_m[0]),
            y_m=float(way.y_m[0]),
            heading_deg=degrees(float(way.course[0])),
            speed_mps=abs(float(way.pace_mps[0])),
            room_m=float(known.room_m[0]),
            needed_m=float(known.needed_m[0]) if known.closing_mps[0] else None,
            tick=tick,
            guarding=guarding,
            duties=duties,
            buzzer=bool(self._buzzer and self._buzzer.state),
            cue=self.guard.playing(),
            heard=heard,
            way=way,
            truth=known,
        )

    def _turns(self, held: list[Input], now: float) -> Tick:
        """Let the guard take what has arrived, and wake up whenever it asked to."""
        while self.guard.wake_s < now:
            self.guard.turn(self.guard.waiting(), max(self.guard.wake_s, now - GRID_S))
        return self.guard.turn([*self.guard.waiting(), *(item for item in held if item.t_s <= now)], now)

    def _hear(self, ahead: Stretch, now: float) -> list[Input]:
        """What the drivers make of the wires, up to `now`, when the parts say what was modelled."""
        found: list[Input] = []
        said: dict[str, list[Reading | Scan]] = {}
        for _, item in self._now.sense(_part(ahead, 0, 1)) if self._now.models else []:
            said.setdefault(item.sensor, []).append(item)
        if self._sweeps:
            later = _part(ahead, max(self._lead - 2, 0), self._lead + 1)  # a sweep's middle is a little before its end
            for begun, item in self._soon.sense(later):
                if begun > float(later.t_s[-1]) - GRID_S / 2:
                    said.setdefault(item.sensor, []).append(item)
        for name, wire in self._wires.items():
            sent = self._send(name, wire, said.get(name, []), now)
            if self._down:
                continue
            sensor = self.guard.sensors[name]
            try:
                if name not in self._open:
                    if now < self._retry_s[name]:
                        continue
                    sensor.open()
                    self._open.add(name)
                if sent:
                    found += sensor.read(now + PTY_WAIT_S)
            except (DeviceLostError, DeviceOpenError):
                self._open.discard(name)
                self._retry_s[name] = now + REOPEN_S
                found.append(Reading(name, now, LOST))
        return found

    def _send(self, name: str, wire: EchoWire | SerialWire, items: list[Reading | Scan], now: float) -> bool:
        """Have a part say its items; whether the driver should look."""
        if items:
            self._said_s[name] = now
        if isinstance(wire, EchoWire):
            for item in items:
                stage(wire, item)
            return bool(items) and self.clock.now() <= now  # the ping before may not be over
        self.clock.sleep(now - self.clock.now())
        if name in self._sweeps:
            emulator: Any = wire.emulator
            emulator.silent = now - self._said_s[name] > self._period_s[name] + GRID_S / 2
            sent = wire.pump(now)
            for item in items:
                if isinstance(item, Reading) and item.status is LOST:  # of a turn that is to come
                    self._gone_s.setdefault(name, now + self._period_s[name])
                else:
                    self._gone_s.pop(name, None)
                    stage(wire, item)
            if now > self._gone_s.get(name, now) + GRID_S / 2:
                wire.unplug()
        else:
            sent = 0
            for item in items:  # a frame each
                stage(wire, item)
                self._frames[name] += 1
                sent += wire.pump(self._frames[name] * NUDGE * self._period_s[name])
        return bool(sent) or not wire.plugged

    def _hung(self, walk_s: float) -> bool:
        """Whether the guard's process hangs; the watchdog ends it, and it begins anew."""
        if not self._hangs or walk_s < self._hangs[0]:
            return False
        since = walk_s - self._hangs[0]
        if since < HANG_S:
            return True
        if not self._down:
            self._finish()
            self._open.clear()
            self._down = True
        if since < HANG_S + RESTART_S:
            return True
        self._hangs.pop(0)
        self._down = False
        self.guard = Guard(self.config, self.clock, lambda: self._factory)
        self.guard.begin()
        return False

    def _finish(self) -> None:
        for sensor in self.guard.sensors.values():
            sensor.close()
        self.guard.finish()


def _part(stretch: Stretch, first: int, last: int) -> Stretch:
    """Some of its moments, up to before `last`."""
    return Stretch(stretch.first + first, *(field[first:last] for field in stretch[1:]))
