"""Benewake TF-Luna, TFmini-S and TFmini Plus: a 2-degree LiDAR beam on a serial line, 115200 baud.

    byte   0    1    2     3     4     5     6     7     8
         0x59 0x59 dist  dist  amp   amp   temp  temp  sum of bytes 0 to 7, low 8 bits
                   low   high  low   high  low   high
                   cm

Manuals: SJ-PM-TF-Luna A03, SJ-PM-TFmini-S A03, SJ-PM-TFmini Plus A05. An amplitude below 100 is too weak
to measure (the distance then reads 0, or 65535), 65535 is dazzled; neither says anything about distance.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from struct import Struct
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from rearguard.core.reading import INVALID, OK, TOO_CLOSE, WEAK, Reading, Scan, SensorSpec
from rearguard.sensors import Light, SensorConfig, View
from rearguard.sensors._frames import Framer
from rearguard.sensors._serial import Line, LineSensor, on_header

BAUD = 115200
HEADER, SIZE = b"\x59\x59", 9
FIELDS = Struct("<2xHH3x")
WEAK_AMP, DAZZLED_AMP = 100, 65535
WEAK_CM = 65535  # TFmini says weak by this distance as well; 65534 and 65532 are its dazzled codes
HALF_BEAM_DEG = 1.0
DARK = 0.1  # reflectivity of the dark target of the manuals
ACCURACY_M = 0.06  # up to 3 m, of a unit
SET_CM_FRAMES = b"\x5a\x05\x05\x01\x65"  # a unit may have been left in ASCII output


class _Part(NamedTuple):
    min_m: float
    max_m: float
    dark_m: float  # on a black target of 10 % reflectivity


PARTS = {
    "tf-luna": _Part(0.2, 8.0, 2.5),
    "tfmini-s": _Part(0.1, 12.0, 3.0),  # dark range in sunlight assumed; the manual says 7 m indoors
    "tfmini-plus": _Part(0.1, 12.0, 3.0),  # likewise
}


class Config(SensorConfig, frozen=True, kw_only=True):
    """`[sensor.NAME]` with `driver = "benewake"`."""

    port: Annotated[str, Meta(min_length=1)] = "auto"
    model: Literal["tf-luna", "tfmini-s", "tfmini-plus"] = "tf-luna"
    rate_hz: Literal[50, 100, 125, 250] = 100  # the TF-Luna takes 500/n
    weak_is_fault: bool = False  # true: an open field is felt as a fault (docs/decisions/weak-return.md)

    def spec(self, name: str) -> SensorSpec:
        part = PARTS[self.model]
        return SensorSpec(
            name, self.bearing_deg, part.min_m, part.max_m, part.dark_m, noise_m=0.01, startup_s=1.0, hold_below_m=0.3
        )

    def bus(self) -> str:
        return self.port

    def senses(self) -> Light:
        """Beam, noise and accuracy as in the manuals; the strength is what is left of `faintest` on a dark target."""
        part = PARTS[self.model]
        strength = WEAK_AMP * part.dark_m**2 / DARK
        return Light(
            1.0 / self.rate_hz, part.min_m, part.max_m, HALF_BEAM_DEG, strength, WEAK_AMP, 0.004, 0.002, ACCURACY_M
        )

    def pins(self) -> dict[str, int]:
        return {"port (TX)": 14, "port (RX)": 15} if on_header(self.port) else {}


def parse(frame: bytes) -> tuple[int, int] | None:
    """(distance in cm, amplitude) of one 9-byte frame; None when header or sum is wrong."""
    head, again, low, high, amp_low, amp_high, temp_low, temp_high, check = frame
    total = head + again + low + high + amp_low + amp_high + temp_low + temp_high
    if total & 0xFF != check or head != again or head != HEADER[0]:
        return None
    return low | high << 8, amp_low | amp_high << 8


def parse_run(frames: bytes) -> list[tuple[int, int]] | None:
    """The same of frames that stand back to back; None unless all are right.

    Their sums are made together: the bytes that stand at one place in every frame, spread to 16 bits each, are one
    large number, and eight of those add up without running into each other.
    """
    count = len(frames) // SIZE
    lanes, total = bytearray(2 * count), 0
    for place in range(SIZE - 1):
        lanes[0::2] = frames[place::SIZE]
        total += int.from_bytes(lanes, "little")
    headed = frames[0::SIZE] == frames[1::SIZE] == HEADER[:1] * count
    if not headed or total.to_bytes(2 * count, "little")[0::2] != frames[SIZE - 1 :: SIZE]:
        return None
    return list(FIELDS.iter_unpack(frames))


class Decoder:
    """Bytes to readings: every intact frame, whatever noise stands between them."""

    def __init__(self, name: str, config: Config) -> None:
        self._name = name
        part = PARTS[config.model]
        self._min_cm, self._max_cm = round(part.min_m * 100), round(part.max_m * 100)
        self._weak = INVALID if config.weak_is_fault else WEAK
        self._period_s = 1.0 / config.rate_hz
        self._last_s = float("-inf")
        self.frames = Framer(HEADER, SIZE, parse, parse_run)

    def feed(self, data: bytes, now_s: float) -> list[Reading | Scan]:
        """Readings of the frames that `data` completes, the last one stamped `now_s`, the others a period apart."""
        frames = self.frames.split(data)
        name, period, last = self._name, self._period_s, self._last_s
        least, most = self._min_cm, self._max_cm
        make = tuple.__new__  # twice as quick as the named tuple's own constructor
        found: list[Reading | Scan] = []
        t = now_s - len(frames) * period
        for frame in frames:
            t += period
            last = t if t > last else last  # drained late: never before what was passed on already
            cm, amp = frame or (0, DAZZLED_AMP)
            if least <= cm <= most and WEAK_AMP <= amp < DAZZLED_AMP:
                found.append(make(Reading, (name, last, OK, cm / 100, None, None)))
            else:
                found.append(self._exception(cm, amp, last))
        self._last_s = last
        return found

    def replay(self, data: bytes) -> Iterable[Reading | Scan]:
        found = self.feed(data, 0.0)
        began_s = found[0].t_s if found else 0.0
        return [item._replace(t_s=round(item.t_s - began_s, 6)) for item in found]

    def _exception(self, cm: int, amp: int, t_s: float) -> Reading:
        """What is not a distance."""
        if amp == DAZZLED_AMP:
            return Reading(self._name, t_s, INVALID)
        if amp < WEAK_AMP or cm == WEAK_CM:
            return Reading(self._name, t_s, self._weak)
        return Reading(self._name, t_s, TOO_CLOSE if 0 < cm < self._min_cm else INVALID)


class Sensor(LineSensor[Decoder]):
    """Sets the frame rate on open, then takes every frame."""

    baud = BAUD

    def decoder(self) -> Decoder:
        return Decoder(self._name, self._config)

    def greet(self, line: Line) -> None:
        rate = bytes((0x5A, 0x06, 0x03, *self._config.rate_hz.to_bytes(2, "little")))
        line.write(SET_CM_FRAMES)
        line.write(rate + bytes((sum(rate) & 0xFF,)))


def encode(cm: int, amp: int, celsius: float = 25.0) -> bytes:
    """One frame."""
    body = HEADER + Struct("<HHH").pack(cm, amp, int((celsius + 256) * 8))
    return body + bytes((sum(body) & 0xFF,))


class Emulator:
    """A TF-Luna in a world, with its codes for trouble on request."""

    def __init__(self, config: Config, random: Random) -> None:
        self._config, self._random = config, random
        self._next_s: float | None = None
        self.noise_m = 0.005  # at 2 m; 1, 1.5, 2 cm at 4, 6, 8 m
        self.silent = False
        self.dazzled = False

    def wire(self, now_s: float, view: View) -> bytes:
        period = 1.0 / self._config.rate_hz
        if self._next_s is None:
            self._next_s = now_s
        frames = []
        while self._next_s <= now_s:
            if not self.silent:
                frames.append(self._frame(view(self._config.bearing_deg)))
            self._next_s += period
        return b"".join(frames)

    def _frame(self, distance_m: float | None) -> bytes:
        part = PARTS[self._config.model]
        if self.dazzled:
            return encode(0, DAZZLED_AMP)
        if distance_m is None or distance_m > part.max_m:
            return encode(0, 40)
        noise_m = self.noise_m * max(1.0, distance_m / 2)
        cm = round(100 * distance_m + 100 * self._random.gauss(0.0, noise_m))
        return encode(max(cm, 1), min(int(20000 / (1 + distance_m**2)), 60000))
