"""LDROBOT LD06 and LD19: a spinning LiDAR, 12 points a packet, 4500 points a second, 230400 baud.

    byte   0    1    2-3       4-5       6-8 ... 39-41       42-43     44-45      46
         0x54 0x2C  speed     start     12 x (dist, amp)     end       time      CRC-8
                    deg/s     0.01 deg  mm (2), 0-255 (1)    0.01 deg  ms, wraps at 30000

LDROBOT LD06/LD19 Development Manual V2. All numbers little-endian, CRC polynomial 0x4D over bytes 0 to 45.
A distance of 0 is "nothing came back", whatever the amplitude. Seen from above, angles rise clockwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from random import Random
from struct import Struct
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from rearguard.core.reading import Reading, Scan, SensorSpec, Status
from rearguard.errors import DeviceLostError
from rearguard.host import Degrees, Host
from rearguard.sensors import SensorConfig, View
from rearguard.sensors._frames import Framer
from rearguard.sensors._serial import Line, on_header

BAUD = 230400
HEADER, SIZE, POINTS = b"\x54\x2c", 47, 12
FIELDS = Struct("<2xHH" + "HB" * POINTS + "HHx")
PLAN = Struct("<2xHH36xHHx")  # the same without the points
POLYNOMIAL = 0x4D
SPEEDS_DPS = (720, 6000)  # 2 to 16.7 turns a second; 10 is nominal, 6 in the maker's example
SPAN_CDEG = 2500  # a packet covers 8.8 degrees at nominal speed; no more than this at any
POINTS_PER_S = 4500
MIN_M, MAX_M, DARK_M = 0.02, 12.0, 6.0  # the range on dark targets is assumed: half of that on white
STEP_DEG = 0.5  # finer than the 0.8 degrees between points at 10 Hz, so that no two fall into one step
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


PARITY = _parity_masks()


def intact(packet: bytes) -> bool:
    """Whether one 47-byte packet has the right CRC and could come from a turning LiDAR.

    A wrong packet passes the CRC once in 256 times; few of those also pass the rest.
    """
    number = int.from_bytes(packet, "big")
    for mask in PARITY:
        if (number & mask).bit_count() & 1:
            return False
    speed: int
    speed, start, end, clock = PLAN.unpack(packet)
    return bool(
        SPEEDS_DPS[0] <= speed <= SPEEDS_DPS[1]
        and start < 36000
        and end < 36000
        and 0 < (end - start) % 36000 <= SPAN_CDEG
        and clock <= CLOCK_MS
    )


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

    def pins(self) -> dict[str, int]:
        return {"port (RX)": 15} if on_header(self.port) else {}


class Decoder:
    """Bytes to packets, packets to one Scan a turn."""

    def __init__(self, name: str, config: Config) -> None:
        self._name, self._config = name, config
        half = int(config.sector_deg / STEP_DEG)
        self._bearings = tuple(i * STEP_DEG for i in range(-half, half + 1))
        self._sign = 1 if config.upside_down else -1  # clockwise from behind is to the wearer's left
        self._least_m = [self._least(b) for b in self._bearings]
        self._half = half
        self._turn: list[float | None] = []
        self._covered = 0.0  # degrees of the sector seen in this turn
        self._last_deg = -180.0
        self._behind_cdeg = round(config.behind_deg * 100)
        self.frames = Framer(HEADER, SIZE, intact)

    def feed(self, data: bytes, now_s: float) -> list[Reading | Scan]:
        """The turns that `data` completes, stamped `now_s`."""
        found: list[Reading | Scan] = []
        for packet in self.packets(data):
            self._take(packet, now_s, found)
        return found

    def replay(self, data: bytes) -> Iterable[Reading | Scan]:
        found: list[Reading | Scan] = []
        t_ms = 0
        last: int | None = None
        for packet in self.packets(data):
            clock = packet[-1]
            t_ms += (clock - last) % CLOCK_MS if last is not None else 0
            last = clock
            self._take(packet, t_ms / 1000, found)
        return found

    def packets(self, data: bytes) -> list[tuple[int, ...]]:
        """The packets that `data` completes: speed, start, twelve times (distance, amplitude), end, time."""
        return [FIELDS.unpack(packet) for packet in self.frames.split(data) if packet is not None]

    def _take(self, fields: tuple[int, ...], now_s: float, found: list[Reading | Scan]) -> None:
        """Sort one packet into the turn; a turn is finished when the sector has been left behind."""
        sector = self._config.sector_deg
        first = ((fields[1] - self._behind_cdeg + 18000) % 36000 - 18000) / 100
        span = (fields[-2] - fields[1]) % 36000 / 100
        if self._turn and (first < self._last_deg or first > sector):
            found.append(self._finish(now_s))
        self._last_deg = first
        if first > sector or first + span < -sector:
            return
        if not self._turn:
            self._turn = [None] * len(self._bearings)
            self._covered = 0.0
        step = span / (POINTS - 1)
        self._covered += min(first + span + step, sector) - max(first, -sector)
        turn, least, half = self._turn, self._least_m, self._half
        scale, offset = self._sign / STEP_DEG, half + 0.5
        for i, mm in enumerate(fields[2:-2:2]):
            if mm:
                index = int((first + i * step) * scale + offset)
                range_m = mm / 1000
                if 0 <= index < len(turn) and range_m >= least[index]:
                    nearest = turn[index]
                    if nearest is None or range_m < nearest:
                        turn[index] = range_m

    def _finish(self, now_s: float) -> Reading | Scan:
        turn, self._turn = self._turn, []
        if self._covered < COVER * 2 * self._config.sector_deg:
            return Reading(self._name, round(now_s, 6), Status.INVALID)  # what was not heard is not clear
        return Scan(self._name, round(now_s, 6), self._bearings, tuple(turn))

    def _least(self, bearing_deg: float) -> float:
        """Below this range a point at that bearing is the wearer's own body."""
        return max((m.within_m for m in self._config.body if m.from_deg <= bearing_deg <= m.to_deg), default=MIN_M)


class Sensor:
    """Takes every packet; the LiDAR spins by itself and needs no commands."""

    def __init__(self, name: str, config: Config, host: Host) -> None:
        self._name, self._config, self._host = name, config, host
        self._line: Line | None = None
        self._decoder = Decoder(name, config)

    def open(self) -> None:
        self.close()
        self._decoder = Decoder(self._name, self._config)
        self._line = Line(self._config.port, BAUD, self._host)

    def read(self, deadline_s: float) -> list[Reading | Scan]:
        if self._line is None:
            raise DeviceLostError(f"{self._name} is closed")
        return self._decoder.feed(self._line.read(deadline_s), self._host.clock.now())

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


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
            seen = view(sign * angle) if abs(angle) <= self._config.sector_deg + 2 else None
            if seen is None or not MIN_M <= seen <= MAX_M:
                points.append((0, 0))
            else:
                points.append((max(round(1000 * (seen + self._random.gauss(0.0, self.noise_m))), 1), 200))
        start = round(100 * first) % 36000
        end = round(100 * (first + (POINTS - 1) * step)) % 36000
        return encode(int(speed), start, points, end, int(n * POINTS / POINTS_PER_S * 1000) % CLOCK_MS)
