"""The box on the belt: a buzzer that is heard on a fault, and a button that pauses, tests or switches off."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Annotated, Any

import msgspec

from rearguard.core.reading import Cue
from rearguard.errors import DeviceOpenError, tell
from rearguard.host import EdgeLine, Host, Pin, RealClock

NEVER = float("inf")
BOUNCE_S = 0.03  # contacts of a cheap push button settle in 5 to 20 ms


class BuzzerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[buzzer]`: an active buzzer, through a transistor."""

    pin: Pin


class ButtonConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[button]`: a push button to ground; the Pi's own pull-up holds it high."""

    pin: Pin
    long_press_s: Annotated[float, msgspec.Meta(ge=0.5, le=2.5)] = 1.5  # short: pause. This long: self-test
    power_off_s: Annotated[float, msgspec.Meta(ge=3.0, le=10.0)] = 5.0  # this long: goodbye, and power off


class Finger:
    """What presses mean: edges of the line in, cues out. Its times are all of one clock, in seconds."""

    def __init__(self, config: ButtonConfig, ask: Callable[[Cue], None]) -> None:
        self._steps = [(config.long_press_s, Cue.SELF_TEST), (config.power_off_s, Cue.GOODBYE)]
        self._ask = ask
        self._down_s: float | None = None
        self._step = 0  # of the hold that is on
        self.due_s = NEVER  # when it has lasted long enough to mean more

    def edge(self, t_s: float, level: int) -> None:
        """The line is at that level since `t_s`; pressed is low. Of two presses without a release the later counts."""
        self.hold(t_s)
        if not level:
            self._begin(t_s)
        elif self._down_s is not None:
            if not self._step:
                self._ask(Cue.PAUSE)
            self.forget()

    def hold(self, now_s: float) -> None:
        """The line has not changed up to now."""
        while now_s >= self.due_s:
            self._ask(self._steps[self._step][1])
            self._step += 1
            self._plan()

    def forget(self) -> None:
        """Nothing is pressed."""
        self._begin(None)

    def _begin(self, down_s: float | None) -> None:
        self._down_s, self._step = down_s, 0
        self._plan()

    def _plan(self) -> None:
        if self._down_s is None or self._step == len(self._steps):
            self.due_s = NEVER
        else:
            self.due_s = self._down_s + self._steps[self._step][0]


class Button(Thread):
    """A thread that sleeps until the button moves, or has been held for long enough."""

    def __init__(
        self, config: ButtonConfig, line: EdgeLine, ask: Callable[[Cue], None], now: Callable[[], float]
    ) -> None:
        """`ask` is called on this thread; `now` is the clock that stamps the line. `close` closes the line."""
        super().__init__(name="button", daemon=True)
        self._line, self._now = line, now
        self._finger = Finger(config, ask)
        self._ending = Event()

    def run(self) -> None:
        try:
            while not self._ending.is_set():
                self.turn()
        except OSError as error:
            tell(f"button: its pin fails: {error}; presses are not seen until the guard is started again")

    def turn(self) -> None:
        """Wait for the next thing to happen, and see what it means."""
        edge = self._line.wait(self._finger.due_s, self._now)
        if edge is not None:
            self._finger.edge(*edge)
        elif self._now() >= self._finger.due_s:
            if self._line.level():  # its release was lost
                self._finger.forget()
            else:
                self._finger.hold(self._now())

    def close(self) -> None:
        """End, and let the line go."""
        self._ending.set()
        self._line.wake()
        self.join(1.0)  # as long as a bus is given
        self._line.close()


class Panel:
    """Buzzer and button, either of which may be missing."""

    def __init__(
        self, buzzer: BuzzerConfig | None, button: ButtonConfig | None, host: Host, press: Callable[[Cue], None]
    ) -> None:
        """`press` is called, on the button's own thread, with what the wearer asks for."""
        self._buzzer_config, self._button_config, self._host, self._press = buzzer, button, host, press
        self._buzzer: Any = None
        self._button: Button | None = None
        self.off_asked = False  # the wearer has held the button for a power-off; GOODBYE has been asked for as well

    def open(self) -> None:
        """Raises DeviceOpenError with the key that cannot be served."""
        try:
            if self._buzzer_config:
                from gpiozero import DigitalOutputDevice

                self._buzzer = DigitalOutputDevice(self._buzzer_config.pin, pin_factory=self._host.pins())
            if self._button_config:
                clock = RealClock()  # fingers live in real time, whatever the clock of the guard
                line = self._host._replace(clock=clock).line(self._button_config.pin, "up", BOUNCE_S)
                self._button = Button(self._button_config, line, self._ask, clock.now)
                self._button.start()
        except Exception as error:  # each pin factory has its own family of errors
            self.close()
            raise DeviceOpenError(f"buzzer or button: {error}") from error

    def sound(self, on: bool) -> None:
        """The buzzer. It never raises: a broken buzzer must not stop the motors."""
        try:
            if self._buzzer is not None:
                self._buzzer.value = on
        except Exception:  # the motors carry the same fault
            pass

    def close(self) -> None:
        """Silence. May be called at any time, more than once."""
        self.sound(False)
        parts, self._buzzer, self._button = (self._buzzer, self._button), None, None
        for part in parts:
            try:
                if part is not None:
                    part.close()
            except Exception:  # the other one must still be closed
                pass

    def _ask(self, cue: Cue) -> None:
        self.off_asked = self.off_asked or cue is Cue.GOODBYE  # before it is felt
        self._press(cue)
