"""A02YYUW and its siblings (A01NYUB, ME007YS, JSN-SR04T): waterproof ultrasonics that talk by themselves, 9600 baud.

    byte   0     1     2     3
         0xFF  dist  dist  sum of bytes 0 to 2, low 8 bits
               high  low
                 mm, or cm with unit = "cm"

Manuals: DFRobot SEN0311, SEN0312, SEN0313 (communication protocol), JSN-SR04T V3 (with 47 kilohm at R27). No distance:

    0xFFFD  nothing in range (manual of the SEN0754, which speaks the same frames)  CLEAR
    0xFFFE  another ultrasonic is heard (likewise)                                  INVALID
    0       no echo: the open, or a probe that is covered (as owners report)        WEAK
    more than the part measures (5500 in the open, as an owner reports)             CLEAR
    less                                                                            TOO_CLOSE

Tie its RX to GND, and connect the Pi's TX to nothing. While RX is low, it sends what it has just measured, every
100 ms. While RX floats or is high, as a Pi's TX is at rest, it filters: what it says is up to 0.5 s old, and frames may
come more than 250 ms apart, so that no_data is felt. A frame does not tell its age; a slow pace is told in the log.

Siblings that count centimetres: unit = "cm". The SEN0627 does, but only when asked, and takes up to 2.5 s: its
frames are read (`rearguard decode`), but it cannot guard.
The cone is wide up and down as well: tilt the probe up, so that rough ground does not answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from rearguard.core.reading import CLEAR, INVALID, TOO_CLOSE, WEAK, Reading, Scan, SensorSpec, measured
from rearguard.errors import tell
from rearguard.host import Host
from rearguard.sensors import SensorConfig, Sonar, View
from rearguard.sensors._frames import Framer
from rearguard.sensors._serial import LineSensor, on_header

BAUD = 9600
HEADER, SIZE = b"\xff", 4
NO_TARGET, INTERFERENCE, NO_ECHO = 0xFFFD, 0xFFFE, 0
UNITS_MM = {"mm": 1, "cm": 10}
BEYOND_MM = 10_000  # no part of the family looks so far (7.5 m): the sum was right by chance
HOLD_M = 0.1  # above its shortest distance: a walker of 1 m/s between two frames
BEAM_DB, FLOOR_DB = 31.0, -41.0  # as the HC-SR04's, but a closed probe hears 3 dB less: a rod to 2 m (assumed)
NOISE_M, BIAS_M, ASSUMED_C = 0.003, 0.01, 20.0  # 1 cm as in the manual, to the worse side; no compensation (assumed)
SLOW, SLOW_FRAMES = 1.5, 5  # so many in a row, each this many periods after the last, are no accident (assumed)


class _Part(NamedTuple):
    min_m: float
    max_m: float
    proved_m: float  # where a rod of 20 mm is still heard: assumed for all of them
    half_beam_deg: float
    period_s: float


PARTS = {
    "a02yyuw": _Part(0.03, 4.5, 2.0, 30.0, 0.1),
    "a01nyub": _Part(0.28, 7.5, 2.0, 35.0, 0.15),  # beam assumed; one lost frame is felt as no_data
    "me007ys": _Part(0.28, 4.5, 2.0, 35.0, 0.1),  # range and beam assumed
    "jsn-sr04t": _Part(0.25, 4.5, 2.0, 35.0, 0.1),
}


class Config(SensorConfig, frozen=True, kw_only=True):
    """`[sensor.NAME]` with `driver = "a02yyuw"`."""

    port: Annotated[str, Meta(min_length=1)] = "auto"
    model: Literal["a02yyuw", "a01nyub", "me007ys", "jsn-sr04t"] = "a02yyuw"
    unit: Literal["mm", "cm"] = "mm"  # of its frames; all these models say mm

    def spec(self, name: str) -> SensorSpec:
        """`round_s` is the part's own period: STOP is judged halfway to its next frame."""
        part = PARTS[self.model]
        return SensorSpec(
            name,
            self.bearing_deg,
            part.min_m,
            part.max_m,
            part.proved_m,
            noise_m=0.005,
            startup_s=1.0,  # assumed; the A05 of the same maker takes 0.9 s
            hold_below_m=max(part.min_m + HOLD_M, 0.25),
            round_s=part.period_s,
        )

    def bus(self) -> str:
        return self.port

    def senses(self) -> Sonar:
        """A cone as wide upward as to the side; what is lost at its rim is assumed to be what the HC-SR04 loses."""
        part = PARTS[self.model]
        cone = part.half_beam_deg
        return Sonar(part.period_s, part.min_m, part.max_m, cone, cone, BEAM_DB, FLOOR_DB, NOISE_M, BIAS_M, ASSUMED_C)

    def pins(self) -> dict[str, int]:
        return {"port (RX)": 15} if on_header(self.port) else {}


def parse(frame: bytes) -> int | None:
    """The 16-bit value of one 4-byte frame; None when header or sum is wrong, or no part sends such a value."""
    head, high, low, check = frame
    value = high << 8 | low
    if head != HEADER[0] or (head + high + low) & 0xFF != check:
        return None
    return value if value <= BEYOND_MM or value in (NO_TARGET, INTERFERENCE) else None


class Decoder:
    """Bytes to readings: every intact frame, whatever noise stands between them."""

    def __init__(self, name: str, config: Config) -> None:
        self._name = name
        part = PARTS[config.model]
        self._min_mm, self._max_mm = round(part.min_m * 1000), round(part.max_m * 1000)
        self._period_s, self._mm = part.period_s, UNITS_MM[config.unit]
        self._last_s = float("-inf")
        self.frames = Framer(HEADER, SIZE, parse)

    def feed(self, data: bytes, now_s: float) -> list[Reading | Scan]:
        """Readings of the frames that `data` completes, the last one stamped `now_s`, the others a period apart."""
        frames = self.frames.split(data)
        found: list[Reading | Scan] = []
        for left, value in enumerate(frames, 1 - len(frames)):
            self._last_s = max(self._last_s, now_s + left * self._period_s)
            found.append(self._reading(value, self._last_s))
        return found

    def replay(self, data: bytes) -> Iterable[Reading | Scan]:
        found = self.feed(data, 0.0)
        began_s = found[0].t_s if found else 0.0
        return [item._replace(t_s=round(item.t_s - began_s, 6)) for item in found]

    def _reading(self, value: int | None, t_s: float) -> Reading:
        """What a frame says, or one that failed its check."""
        if value is None or value == INTERFERENCE:
            return Reading(self._name, t_s, INVALID)
        if value == NO_ECHO:
            return Reading(self._name, t_s, WEAK)
        mm = value * self._mm
        if self._min_mm <= mm <= self._max_mm:
            return measured(self._name, t_s, mm / 1000)
        if mm > BEYOND_MM and value != NO_TARGET:
            return Reading(self._name, t_s, INVALID)
        return Reading(self._name, t_s, TOO_CLOSE if mm < self._min_mm else CLEAR)


class Sensor(LineSensor[Decoder]):
    """Listens, and never says a word."""

    baud = BAUD

    def __init__(self, name: str, config: Config, host: Host) -> None:
        super().__init__(name, config, host)
        self._period_s = PARTS[config.model].period_s
        self._heard_s = float("-inf")
        self._slow, self._told = 0, False  # frames in a row that came late

    def decoder(self) -> Decoder:
        return Decoder(self._name, self._config)

    def read(self, deadline_s: float) -> list[Reading | Scan]:
        """As all serial sensors; tells once in the log when the part is found to filter."""
        found = super().read(deadline_s)
        for item in found:
            self._pace(item.t_s - self._heard_s)
            self._heard_s = item.t_s
        return found

    def _pace(self, gap_s: float) -> None:
        late = SLOW * self._period_s < gap_s < float("inf")
        self._slow = self._slow + 1 if late else 0
        if self._slow >= SLOW_FRAMES and not self._told:
            self._told = True
            tell(
                f"{self._name}: its frames come {1000 * gap_s:.0f} ms apart, {1000 * self._period_s:.0f} ms are due: "
                "it filters, and what it says is old. Tie its RX to GND, and connect no TX to it"
            )


def encode(value: int) -> bytes:
    """One frame."""
    body = HEADER + value.to_bytes(2, "big")
    return body + bytes((sum(body) & 0xFF,))


class Emulator:
    """An A02YYUW in a world, its RX tied to GND, with its codes for trouble on request."""

    def __init__(self, config: Config, random: Random) -> None:
        self._part, self._bearing_deg, self._random = PARTS[config.model], config.bearing_deg, random
        self._per_m = 1000 / UNITS_MM[config.unit]
        self._next_s: float | None = None
        self.noise_m = 0.002
        self.nothing = round(self._per_m * (self._part.max_m + 1.0))  # in the open: 5500 of an A02YYUW; NO_ECHO as well
        self.pause_s = self._part.period_s  # between two frames; 0.1 to 0.5 s where RX is not low
        self.silent = False
        self.disturbed = False  # by another ultrasonic

    def wire(self, now_s: float, view: View) -> bytes:
        if self._next_s is None:
            self._next_s = now_s
        frames = []
        while self._next_s <= now_s:
            if not self.silent:
                frames.append(encode(self._value(view)))
            self._next_s += self.pause_s
        return b"".join(frames)

    def _value(self, view: View) -> int:
        part = self._part
        if self.disturbed:
            return INTERFERENCE
        cone = [self._bearing_deg + part.half_beam_deg * i / 6 for i in range(-6, 7)]
        seen = [r for r in map(view, cone) if r is not None and r <= part.max_m]
        if not seen:
            return self.nothing
        return max(round(self._per_m * (min(seen) + self._random.gauss(0.0, self.noise_m))), 1)
