"""LDROBOT LD06 and LD19: a spinning LiDAR, 12 points a packet, 4500 points a second, 230400 baud.

    byte   0    1    2-3       4-5       6-8 ... 39-41       42-43     44-45      46
         0x54 0x2C  speed     start     12 x (dist, amp)     end       time      CRC-8
                    deg/s     0.01 deg  mm (2), 0-255 (1)    0.01 deg  ms, wraps at 30000

LDROBOT LD06/LD19 Development Manual V2. All numbers little-endian, CRC polynomial 0x4D over bytes 0 to 45.
A distance of 0 is "nothing came back", whatever the amplitude. Seen from above, angles rise clockwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count, islice
from math import ceil
from random import Random
from struct import Struct
from typing import Annotated, ClassVar, TypeAlias

import msgspec
from msgspec import Meta

from rearguard.core.reading import INVALID, Reading, Scan, SensorSpec
from rearguard.host import Degrees
from rearguard.sensors import Light, SensorConfig, View
from rearguard.sensors._frames import Framer
from rearguard.sensors._serial import LineSensor, on_header

BAUD = 230400
HEADER, SIZE, POINTS = b"\x54\x2c", 47, 12
Packet: TypeAlias = tuple[int, int, int, bytes]
PLAN = Struct("<2xHH36xHHx")  # speed, start, end, time
DISTANCES = Struct("<6x" + "Hx" * POINTS + "5x")
POLYNOMIAL = 0x4D
TURN_CDEG, HALF_CDEG = 36000, 18000
SLOWEST_DPS, FASTEST_DPS = 720, 6000  # 2 to 16.7 turns a second; 10 is nominal, 6 in the maker's example
SPAN_CDEG = 2500  # a packet covers 8.8 degrees at nominal speed; no more than this at any
SPAN_SHARE = 9  # and no less than half of what 4500 points a second make of its speed, 11 * 100 / 4500 / 2
POINTS_PER_S = 4500
MIN_M, MAX_M, DARK_M = 0.02, 12.0, 6.0  # the range on dark targets is assumed: half of that on white
DARK = 0.1  # reflectivity of a dark thing
COVER = 0.6  # of the sector must have come through for a turn to count
CLOCK_MS = 30000


def _parity_masks() -> tuple[int, ...]:
    """For each bit of the CRC, the bits of packet and CRC byte whose parity it is; all even: intact.

    A CRC is linear: each bit of the message flips a fixed set of CRC bits, whatever the others are. Eight
    parities of a large integer take a seventh of the time of a byte-by-byte loop in Python.
    """
    masks = [0] * 8
    effect = 1  # of the last bit of the CRC byte itself
    for place in range(SIZE * 8):
        if place:
            effect = (effect << 1) ^ (POLYNOMIAL | 0x100 if effect & 0x80 else 0)
        for bit in range(8):
            if effect >> bit & 1:
                masks[bit] |= 1 << place
    return tuple(masks)


M0, M1, M2, M3, M4, M5, M6, M7 = _parity_masks()


def intact(packet: bytes) -> bool:
    """Whether the CRC of one 47-byte packet is right."""
    n = int.from_bytes(packet)
    return not (
        (n & M0).bit_count() & 1
        or (n & M1).bit_count() & 1
        or (n & M2).bit_count() & 1
        or (n & M3).bit_count() & 1
        or (n & M4).bit_count() & 1
        or (n & M5).bit_count() & 1
        or (n & M6).bit_count() & 1
        or (n & M7).bit_count() & 1
    )


def parse(raw: bytes) -> Packet | None:
    """Start and end in 0.01 degrees, the clock in ms, and the packet itself; None when it must not be believed.

    A wrong packet passes the CRC once in 256 times; few of those also look like a turning LiDAR.
    """
    if not intact(raw):
        return None
    speed, start, end, clock = PLAN.unpack(raw)
    span = (end - start) % TURN_CDEG
    plausible = (
        SLOWEST_DPS <= speed <= FASTEST_DPS
        and start < TURN_CDEG
        and end < TURN_CDEG
        and speed / SPAN_SHARE <= span <= SPAN_CDEG
        and clock <= CLOCK_MS
    )
    return (start, end, clock, raw) if plausible else None


class Mask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the view that the wearer's own body takes: nothing nearer than `within_m` counts there."""

    from_deg: Degrees
    to_deg: Degrees
    within_m: Annotated[float, Meta(ge=0.0, le=1.0)]


class Config(SensorConfig, frozen=True, kw_only=True):
    """`[sensor.NAME]` with `driver = "ld06"`."""

    port: Annotated[str, Meta(min_length=1)] = "auto"
    behind_deg: Annotated[float, Meta(ge=0.0, lt=360.0)] = 0.0  # the LiDAR's own angle that points straight behind
    upside_down: bool = False
    sector_deg: Annotated[float, Meta(ge=10.0, le=160.0)] = 70.0  # how far to either side it is listened to
    body: tuple[Mask, ...] = ()

    turns_per_s: ClassVar[float] = 10.0

    def spec(self, name: str) -> SensorSpec:
        return SensorSpec(name, self.bearing_deg, MIN_M, MAX_M, DARK_M, noise_m=0.015, startup_s=2.5, hold_below_m=0.2)

    def bus(self) -> str:
        return self.port

    def senses(self) -> Light:
        """Reach and noise after the manual; 2 % of the points lost is assumed, and so is the reach on dark things."""
        step = 360.0 * self.turns_per_s / POINTS_PER_S
        strength = 100.0 * DARK_M**2 / DARK
        period = 1.0 / self.turns_per_s
        return Light(period, MIN_M, MAX_M, 0.0, strength, 100.0, 0.01, 0.0, 0.02, self.sector_deg, step, 0.02)

    def pins(self) -> dict[str, int]:
        return {"port (RX)": 15} if on_header(self.port) else {}


class Decoder:
    """Bytes to packets, packets to one Scan a turn.

    The LiDAR measures at an even rate and turns evenly, so the points of a turn stand in even steps between the first
    and the last of them; where packets were lost, that many points are None.
    """

    def __init__(self, name: str, config: Config) -> None:
        self._name, self._config = name, config
        self._behind_cdeg = round(config.behind_deg * 100)
        self._sector_cdeg = round(config.sector_deg * 100)
        self._least_mm = round(MIN_M * 1000)
        self._points: list[int] = []  # mm, 0 for nothing, in the LiDAR's own order
        self._missing = 0  # points that stand for lost packets
        self._first_cdeg = self._last_cdeg = 0  # of the turn's points, 0 straight behind
        self.frames = Framer(HEADER, SIZE, parse)

    def feed(self, data: bytes, now_s: float) -> list[Reading | Scan]:
        """The turns that `data` completes, stamped `now_s`."""
        found: list[Reading | Scan] = []
        for packet in self.frames.split(data):
            if packet is not None:
                self._take(packet, now_s, found)
        return found

    def replay(self, data: bytes) -> Iterable[Reading | Scan]:
        found: list[Reading | Scan] = []
        t_ms = 0
        last: int | None = None
        for packet in self.frames.split(data):
            if packet is not None:
                t_ms += (packet[2] - last) % CLOCK_MS if last is not None else 0
                last = packet[2]
                self._take(packet, t_ms / 1000, found)
        return found

    def _take(self, packet: Packet, now_s: float, found: list[Reading | Scan]) -> None:
        """Add one packet to the turn; the turn is finished when the sector has been left behind."""
        start, end, _, raw = packet
        sector, last = self._sector_cdeg, self._last_cdeg
        first = (start - self._behind_cdeg + HALF_CDEG) % TURN_CDEG - HALF_CDEG
        if self._points and (first < last or first > sector):
            found.append(self._finish(now_s))
        span = (end - start) % TURN_CDEG
        if first > sector or first + span < -sector:
            return
        points = self._points
        if points:
            lost = ((first - last) * 2 * (POINTS - 1) + span) // (2 * span) - 1  # rounded; next door is one step on
            if lost > 0:
                points += [0] * lost
                self._missing += lost
        else:
            self._first_cdeg, self._missing = first, 0
        points += DISTANCES.unpack(raw)
        self._last_cdeg = first + span

    def _finish(self, now_s: float) -> Reading | Scan:
        points, self._points = self._points, []
        sector, step = self._sector_cdeg, (self._last_cdeg - self._first_cdeg) / (len(points) - 1)
        covered = min(self._last_cdeg, sector) - max(self._first_cdeg, -sector) - self._missing * step
        if covered < COVER * 2 * sector:
            return Reading(self._name, now_s, INVALID)  # what was not heard is not clear
        cut = max(ceil((-sector - self._first_cdeg) / step), 0)  # packets reach over the sector's edges
        points = points[cut : int((sector - self._first_cdeg) / step) + 1]
        start, middle = self._first_cdeg + cut * step, self._config.bearing_deg
        if not self._config.upside_down:  # clockwise from behind is to the wearer's left
            points.reverse()
            start = -(start + (len(points) - 1) * step)
        bearings = tuple(islice(count(middle + start / 100, step / 100), len(points)))
        least = self._least_mm
        ranges = [mm / 1000 if mm >= least else None for mm in points]
        for mask in self._config.body:
            for i, bearing in enumerate(bearings):
                range_m = ranges[i]
                if mask.from_deg <= bearing <= mask.to_deg and range_m is not None and range_m < mask.within_m:
                    ranges[i] = None
        return Scan(self._name, now_s, bearings, tuple(ranges))


class Sensor(LineSensor[Decoder]):
    """Takes every packet; the LiDAR spins by itself and needs no commands."""

    baud = BAUD

    def decoder(self) -> Decoder:
        return Decoder(self._name, self._config)


def encode(speed_dps: int, start_cdeg: int, points: list[tuple[int, int]], end_cdeg: int, t_ms: int) -> bytes:
    """One packet of twelve (distance in mm, amplitude)."""
    flat = [value for point in points for value in point]
    body = HEADER + Struct("<HH" + "HB" * POINTS + "HH").pack(speed_dps, start_cdeg, *flat, end_cdeg, t_ms)
    crc = 0
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ (POLYNOMIAL | 0x100 if crc & 0x80 else 0)
    return body + bytes((crc,))


class Emulator:
    """An LD06 in a world."""

    def __init__(self, config: Config, random: Random) -> None:
        self._config, self._random = config, random
        self._done = 0  # packets sent
        self._start_s: float | None = None
        self.noise_m = 0.01
        self.silent = False

    def wire(self, now_s: float, view: View) -> bytes:
        if self._start_s is None:
            self._start_s = now_s
        due = ceil((now_s - self._start_s) * POINTS_PER_S / POINTS)
        packets = [] if self.silent else [self._packet(n, view) for n in range(self._done, due)]
        self._done = max(self._done, due)
        return b"".join(packets)

    def _packet(self, n: int, view: View) -> bytes:
        speed = 360.0 * self._config.turns_per_s
        step = speed / POINTS_PER_S
        sign = 1 if self._config.upside_down else -1
        first = n * POINTS * step
        points = []
        for i in range(POINTS):
            angle = (first + i * step - self._config.behind_deg + 180.0) % 360.0 - 180.0
            seen = view(self._config.bearing_deg + sign * angle) if abs(angle) <= self._config.sector_deg + 2 else None
            if seen is None or not MIN_M <= seen <= MAX_M:
                points.append((0, 0))
            else:
                points.append((max(round(1000 * (seen + self._random.gauss(0.0, self.noise_m))), 1), 200))
        start = round(100 * first) % 36000
        end = round(100 * (first + (POINTS - 1) * step)) % 36000
        return encode(int(speed), start, points, end, int(n * POINTS / POINTS_PER_S * 1000) % CLOCK_MS)
