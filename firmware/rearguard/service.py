"""The guard as a service: self-test, guard, say goodbye. Motors are at rest on every way out."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from functools import cache
from queue import SimpleQueue
from threading import Thread
from typing import Any

from rearguard import belt as belts
from rearguard import last_good, lines, notify, rest
from rearguard.config import Config
from rearguard.core.pattern import felt_faults
from rearguard.core.pipeline import Pipeline, Tick
from rearguard.core.reading import Command, Cue, Input, Report
from rearguard.core.threat import Level
from rearguard.errors import DeviceLostError, DeviceOpenError, tell
from rearguard.host import Clock, Host, RealClock, pin_factory
from rearguard.journal import Journal
from rearguard.notify import Notifier, supervised, watchdog_s
from rearguard.panel import Panel
from rearguard.power import PowerWatch
from rearguard.sensors import Sensor
from rearguard.sensors import load as load_sensor
from rearguard.watch import BusThread

BEAT_S = 0.25  # the belt is written at least this often, to prove that it still can be: a dead board is felt in 300 ms
BEAT_LEAST_S = 0.02  # whatever systemd asks for
TEST_LIMIT_S = 4.0  # sensors that have not answered by then are felt as faults, and the guard goes on
GOODBYE_LIMIT_S = 2.0
PINS_LIMIT_S, PINS_AGAIN_S = 2.0, 0.05  # udev took 0.6 s on a virtual belt; then the reason is told


class Guard:
    """Everything between the wires and the motors, on one clock."""

    def __init__(
        self,
        config: Config,
        clock: Clock | None = None,
        pins: Callable[[], Any] | None = None,
        *,
        refused: bool = False,
    ) -> None:
        """Opens nothing yet. `clock` and `pins` are the bench's; by default the machine's own.

        `refused`: the wearer's own configuration was, and `config` is the last good one; that is felt.
        """
        self._config, self._refused = config, refused
        self._clock = clock or RealClock()
        self._host = Host(self._clock, cache(pins or (lambda: pin_factory(config.pin_factory))))
        self._inbox: SimpleQueue[Input] = SimpleQueue()
        self._pipeline: Pipeline = config.pipeline()
        self._belt = belts.load(config.belt.driver).Belt(config.belt, self._host)
        self._panel = Panel(config.buzzer, config.button, self._host, self._press)
        self.sensors: dict[str, Sensor] = {
            name: load_sensor(part.driver).Sensor(name, part, self._host) for name, part in config.sensors.items()
        }
        self._power = PowerWatch(self._inbox.put, self._clock)
        self._notifier = Notifier()
        watchdog = watchdog_s()
        self._beat_s = max(min(BEAT_S, watchdog / 4), BEAT_LEAST_S) if watchdog else BEAT_S
        self._journal = Journal(config, self._inbox.put) if config.journal.enabled else None
        self.wake_s = float("-inf")
        self._written_s = float("-inf")
        self._frame: object = None
        self._key: object = None
        self._belt_ok, self._belt_open = True, False
        self.armed = False
        self._began_s = 0.0
        self._ended_s: float | None = None
        self.over = False
        self._told = False

    def run(self) -> None:
        """Guard until SIGTERM or SIGINT (or `stop`). Raises DeviceOpenError when belt or pins cannot be opened."""
        watches: list[BusThread | PowerWatch] = [*self._threads(), self._power]
        try:
            self.begin()
            notify.take_priority()  # before the watches start: they inherit it
            for watch in watches:
                watch.start()
            while not self.over:
                inputs = self._take()
                self.turn(inputs, self._clock.now())
        finally:
            self.finish(watches)

    def stop(self) -> None:
        """End with the goodbye pattern. Safe in a signal handler and from any thread."""
        self._press(Cue.GOODBYE)

    def check_sensors(self) -> None:
        """Open and close each sensor once. Raises DeviceOpenError for pins or a sensor that are not there."""
        self._host.pins()
        for name, sensor in self.sensors.items():
            try:
                sensor.open()
            except DeviceOpenError as error:
                raise DeviceOpenError(f"sensor.{name}: {error}") from error
            finally:
                sensor.close()

    def begin(self) -> None:
        """Open all but the sensors, and start the self-test.

        After a crash in mid-walk there is none: READY, as soon as the sensors answer, says that it guards again.
        """
        again = notify.marked(notify.ARMED)
        self._notifier.status("starting again" if again else "self-test")
        self._await_pins()
        buzzer = {self._config.buzzer.pin: 0} if self._config.buzzer else {}
        belt = self._config.belt
        rest.note(self._host.chip(), belt.at_rest() | buzzer, belt.registers_at_rest())
        self._panel.open()
        try:
            self._open_belt()
        except DeviceOpenError:
            if not supervised():  # else the buzzer tells, and each write tries again: an exit would be silence
                raise
        if self._journal:
            self._journal.start()
        self._began_s = self._clock.now()
        if self._refused:
            self._inbox.put(Report("config", self._began_s, "refused", True))
        if not again:
            self._press(Cue.SELF_TEST)

    def _open_belt(self) -> None:
        if not self._belt_open:
            self._belt.open()
            self._belt_open = True

    def _await_pins(self) -> None:
        """The pin factory, refused here, with the reason, or never.

        At power-on udev opens the chip to its group a moment after the kernel makes it, so a service looks again.
        """
        end_s = self._clock.now() + (PINS_LIMIT_S if supervised() else 0.0)
        while True:
            try:
                self._host.pins()
                return
            except DeviceOpenError:
                if self._clock.now() >= end_s:
                    raise
            self._clock.sleep(PINS_AGAIN_S)

    def turn(self, inputs: list[Input], now: float) -> Tick:
        """One turn of the loop: step the core, drive the motors, see whether the guard is armed, or over."""
        tick = self._step(inputs, now)
        asked = {item.cue for item in inputs if isinstance(item, Command)}
        if Cue.SELF_TEST in asked:
            self.armed, self._began_s = False, now  # it ends in READY, or in the fault that is felt
        if self._ended_s is None and Cue.GOODBYE in asked:
            self._ended_s = now
            self._notifier.send("STOPPING=1")
        elif self._ended_s is not None:
            saying = self._pipeline.playing() is Cue.GOODBYE and now < self._ended_s + GOODBYE_LIMIT_S
            self.over = not saying
        elif not self.armed:
            self._arm(tick, now - self._began_s)
        return tick

    def playing(self) -> Cue | None:
        """The cue the wearer is being given."""
        return self._pipeline.playing()

    def waiting(self) -> list[Input]:
        """What has been put in by button, journal and sensors since the last turn."""
        found: list[Input] = []
        while not self._inbox.empty():
            found.append(self._inbox.get_nowait())
        return found

    def finish(self, watches: Sequence[BusThread | PowerWatch] = ()) -> None:
        """Motors at rest, then all the rest; at last, where the button asked for it, power off."""
        self._belt.close()
        self._panel.close()
        for watch in watches:
            watch.stop()
        for watch in watches:
            if watch.is_alive():
                watch.join(timeout=1.0)
        if self._journal:
            self._journal.close()
        if self._ended_s is not None:
            notify.mark(notify.ARMED, False)
            if self._panel.off_asked:
                notify.mark(notify.POWER_OFF)
        self._notifier.close()

    def _take(self) -> list[Input]:
        """Wait for input or for the next wake-up; then all the input there is."""
        first = self._clock.get(self._inbox, self.wake_s - self._clock.now())
        return [*([] if first is None else [first]), *self.waiting()]

    def _step(self, inputs: list[Input], now: float) -> Tick:
        """Step the core, write the belt, offer the tick to the journal."""
        tick = self._pipeline.step(inputs, now)
        again = self._write(tick, now)
        self.wake_s = min(tick.wake_s, again, self._written_s + self._beat_s if self._belt_ok else now + self._beat_s)
        key = lines.change_key(tick.alert, self._pipeline)
        if self._journal:
            self._journal.offer(inputs, now, lines.alert(now, tick.alert) if key != self._key else None)
        self._key = key
        self._notifier.status(_status(tick) if self._ended_s is None else "stopping")
        self._power.check(now)
        return tick

    def _write(self, tick: Tick, now: float) -> float:
        """Drive motors and buzzer; the watchdog is fed only when the motors took it."""
        frame = tick.frame
        if frame == self._frame and now < min(self.wake_s, self._written_s + self._beat_s) and self._belt_ok:
            return self.wake_s
        self._panel.sound(frame.buzzer)
        try:
            self._open_belt()
            again = self._belt.write(frame.duties, now)
        except (DeviceLostError, DeviceOpenError) as error:
            if self._belt_ok:
                self._inbox.put(Report("belt", now, "write_failed", True))
                tell(str(error))
            self._belt_ok = False
            if isinstance(error, DeviceOpenError):
                return float("inf")
            if error.partly:
                self._notifier.send("WATCHDOG=1")  # a restart would silence the motors that work
            return error.again_s
        if not self._belt_ok:
            self._inbox.put(Report("belt", now, "write_failed", False))
        self._belt_ok, self._frame, self._written_s = True, frame, now
        self._notifier.send("WATCHDOG=1")
        return again

    def _arm(self, tick: Tick, since_s: float) -> None:
        """READY once every sensor has answered; with a fault instead, the guard is up all the same."""
        testing = self._pipeline.playing() is Cue.SELF_TEST
        silent = self._pipeline.unheard()
        if testing or (silent and since_s < TEST_LIMIT_S and not felt_faults(tick.alert)):
            return
        if not self._told:
            self._told = self._notifier.send("READY=1")  # again at the next turn, should systemd be busy
        if not silent and not felt_faults(tick.alert):
            self.armed = True
            notify.mark(notify.ARMED)
            Thread(target=last_good.keep, args=[self._config], daemon=True).start()  # a slow card must not hold us up
            self._inbox.put(Command(self._clock.now(), Cue.READY))

    def _press(self, cue: Cue) -> None:
        self._inbox.put(Command(self._clock.now(), cue))

    def _threads(self) -> list[BusThread]:
        """One thread for each bus, with its sensors."""
        turns = {name: (name, self.sensors[name], part.turn_s) for name, part in self._config.sensors.items()}
        return [
            BusThread(bus, [turns[name] for name in names], self._inbox.put, self._clock)
            for bus, names in self._config.buses().items()
        ]


def _status(tick: Tick) -> str:
    """One line for `systemctl status`."""
    alert = tick.alert
    words = ["paused" if alert.paused else "guarding" if alert.level is Level.CLEAR else alert.level.name]
    if alert.distance_m is not None:
        words.append(f"{alert.distance_m:.1f} m")
    if alert.faults:
        words.append("FAULT " + ", ".join(alert.faults))
    return " ".join(words)


def run(config: Config, refused: bool = False) -> None:
    """Guard in the foreground until told to end; `refused` as for Guard.

    Raises DeviceOpenError when belt or pins cannot be opened; started by hand, also for a sensor. Under systemd a
    sensor that is not there is felt as a fault and tried again: an exit would be silence.
    """
    guard = Guard(config, refused=refused)
    if not supervised():
        guard.check_sensors()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # the last: the terminal is gone
        signal.signal(number, lambda *_: guard.stop())
    guard.run()
