"""HC-SR04 and its clones: ultrasonic, one trigger pin, one echo pin.

    trigger  __|10us|________________________________________________
    echo     ___________|<------- width = way there and back ------>|______
                    ~450 us

Datasheet: HC-SR04 User Guide, Elecfreaks (2 to 400 cm, cycle of 60 ms or more, 5 V echo: divide it).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from rearguard.core.reading import CLEAR, INVALID, NO_DATA, TOO_CLOSE, Reading, Scan, SensorSpec, measured
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import EdgeLine, Host, Pin
from rearguard.sensors import SensorConfig, Sonar, View, speed_of_sound

TRIGGER_S = 1e-5  # datasheet; sleeping rounds it up to some 60 us, which all clones take
RISE_TIMEOUT_S = 0.020  # the echo begins 0.45 ms after the trigger; the rest is for a slow clone (assumed)
ECHO_TIMEOUT_S = 0.065  # the slowest clone seen holds the line for 58 ms when nothing comes back
FREE_S = 0.002  # how long a hung echo line is pulled low; 0.2 ms frees most clones
CYCLE_S = 0.060  # datasheet: echoes of the last ping have died down
MIN_M, MAX_M = 0.02, 4.0
ROD_M = 2.4  # a thin rod is lost at 2.45 m: beyond that nothing is promised
HALF_CONE_DEG = 10.0  # full cone about 20 degrees wide


class Config(SensorConfig, frozen=True, kw_only=True):
    """`[sensor.NAME]` with `driver = "hcsr04"`."""

    trigger_pin: Pin
    echo_pin: Pin
    temperature_c: Annotated[float, Meta(ge=-20.0, le=50.0)] = 20.0  # of the air; 10 degrees off are 1.8 % off

    turn_s: ClassVar[float] = CYCLE_S

    def spec(self, name: str) -> SensorSpec:
        return SensorSpec(name, self.bearing_deg, MIN_M, MAX_M, ROD_M, noise_m=0.005, startup_s=0.4)

    def bus(self) -> str:
        return "ultrasonic"  # all share the air

    def pins(self) -> dict[str, int]:
        return {"trigger_pin": self.trigger_pin, "echo_pin": self.echo_pin}

    def senses(self) -> Sonar:
        """A flat panel must face it within 10 degrees up to 1.45 m, a rod of 20 mm is lost at 2.45 m (seen on parts):

        together these give what the beam loses off its axis, and the faintest echo. Upward the cone is 13 degrees wide.
        """
        return Sonar(CYCLE_S, MIN_M, MAX_M, HALF_CONE_DEG, 6.5, 31.0, -44.0, 0.003, -0.004, self.temperature_c)

    def metres_per_s(self) -> float:
        """Half the speed of sound: metres of distance for each second of echo."""
        return speed_of_sound(self.temperature_c) / 2


class Sensor:
    """Pings, and takes the width of the echo from the times of its edges."""

    def __init__(self, name: str, config: Config, host: Host) -> None:
        self._name, self._config, self._host = name, config, host
        self._trigger: Any = None
        self._echo: EdgeLine | None = None
        self._scale = config.metres_per_s()
        self.stuck = 0  # times the echo line was found hung

    def open(self) -> None:
        self.close()
        factory = self._host.pins()
        try:
            self._trigger = factory.pin(self._config.trigger_pin)
            self._trigger.function = "output"
            self._trigger.state = 0
            self._echo = self._host.line(self._config.echo_pin)
        except Exception as error:  # each pin factory has its own family of errors
            self.close()
            raise DeviceOpenError(
                f"{self._name}: pins {self._config.trigger_pin} and {self._config.echo_pin}: {error}"
            ) from error

    def read(self, deadline_s: float) -> list[Reading | Scan]:
        """One ping; the answer always comes, if only as NO_DATA. A line that was found hung is told as INVALID,

        and so is an echo of which an edge was lost, for the others may be those of two echoes.
        """
        clock, echo, trigger = self._host.clock, self._echo, self._trigger
        if trigger is None or echo is None:
            raise DeviceLostError(f"{self._name} is closed")
        now = clock.now
        found: list[Reading | Scan] = []
        try:
            if echo.drain():  # some clones hang with it high until it is pulled low
                self.stuck += 1
                echo.drive_low(FREE_S, clock.sleep)
                found.append(Reading(self._name, now(), INVALID))
            lost, sent = echo.lost, now()
            trigger.state = 1
            clock.sleep(TRIGGER_S)
            trigger.state = 0
            rise_by, fall_by = sent + RISE_TIMEOUT_S, sent + ECHO_TIMEOUT_S
            rise = _wait(echo, 1, sent, rise_by if rise_by < deadline_s else deadline_s, now)
            fall = None if rise is None else _wait(echo, 0, rise, fall_by if fall_by < deadline_s else deadline_s, now)
        except Exception as error:
            raise DeviceLostError(f"{self._name}: its pins fail: {error}") from error
        if echo.lost != lost:
            found.append(Reading(self._name, clock.now(), INVALID))
        elif rise is None or fall is None:
            found.append(Reading(self._name, clock.now(), NO_DATA))
        else:
            distance = int((fall - rise) * self._scale * 1e4 + 0.5) / 1e4  # 0.1 mm: a frozen part repeats itself
            if MIN_M <= distance <= MAX_M:
                found.append(measured(self._name, fall, distance))
            else:
                found.append(Reading(self._name, fall, CLEAR if distance > MAX_M else TOO_CLOSE))
        return found

    def close(self) -> None:
        echo, trigger, self._echo, self._trigger = self._echo, self._trigger, None, None
        for part in (echo, trigger):
            try:
                if part is not None:
                    part.close()
            except Exception:  # it is gone or broken already; the other must still be let go
                pass


def _wait(echo: EdgeLine, level: int, since_s: float, until_s: float, now: Callable[[], float]) -> float | None:
    """The time of the next edge to `level`, or None; what is older than `since_s` belongs to another ping."""
    while True:
        edge = echo.wait(until_s, now)
        if edge is None:
            return None
        if edge[1] == level and edge[0] >= since_s:
            return edge[0]


class Emulator:
    """An HC-SR04 in a world, with the misbehaviour of clones on request."""

    def __init__(self, config: Config, random: Random) -> None:
        self._config, self._random = config, random
        self.noise_m = 0.002  # 1 to 5 mm seen
        self.no_echo_s = 0.038  # how long the line stays up when nothing comes back; clones: 30 to 58 ms
        self.silent = False  # cut wire: no edge at all
        self.hangs = False  # the echo line stays high

    def edges(self, trigger_s: float, view: View) -> list[tuple[float, bool]]:
        if self.silent:
            return []
        rise = trigger_s + 0.00045
        if self.hangs:
            return [(rise, True)]
        cone = [self._config.bearing_deg + HALF_CONE_DEG * i / 4 for i in range(-4, 5)]
        seen = [r for r in map(view, cone) if r is not None and r <= MAX_M]
        if not seen:
            return [(rise, True), (rise + self.no_echo_s, False)]
        distance = max(min(seen) + self._random.gauss(0.0, self.noise_m), 0.001)
        return [(rise, True), (rise + distance / self._config.metres_per_s(), False)]
