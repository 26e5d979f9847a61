"""An LD06 packet: ours against the LD06 driver of lds2d.

Both take the same bytes of a LiDAR turning in a room, 256 at a time (what the peer asks its port for), and make one
scan of each turn; they are counted over a number of whole turns of 37.5 packets. Counted for ours: framing, CRC,
plausibility, lost packets, bearings, one Scan a turn. Counted for the peer: its public
`scans()`: framing, CRC, twelve points, one scan a turn. The peer keeps all 360 degrees; so the main figure of ours
listens to 160 degrees on either side, the most there is; the second, with the default of 70, shows what the belt does.
"""

from __future__ import annotations

from io import BytesIO
from itertools import islice
from math import cos, radians, sin
from random import Random
from typing import Any

from measure import Row, per_item, versus
from rearguard.core.reading import Scan
from rearguard.sensors import ld06

CHUNK = 256
PACKETS_A_TURN = 37.5  # 4500 points a second, twelve in a packet, ten turns a second
FEW, MANY = 10, 40  # turns
SPARE = 4  # turns in the data beyond those that are taken
WIDE_DEG = 160.0
ROOM = (1.8, 3.1, -2.2)  # metres to the side walls, the wall behind, and the one in front


def view(bearing_deg: float) -> float:
    """Distance to the walls of an empty room."""
    x, y = sin(radians(bearing_deg)), cos(radians(bearing_deg))
    side, behind, front = ROOM
    hits = [side / abs(x)] if x else []
    hits += [behind / y] if y > 0 else [front / y] if y < 0 else []
    return min(hits)


def wire() -> bytes:
    """The room, seen by an LD06 for long enough; 75 packets are two turns and then come again."""
    emulator = ld06.Emulator(_config(WIDE_DEG), Random(1))
    two_turns = emulator.wire(0.0, view) + emulator.wire(0.2, view)
    assert len(two_turns) == 2 * PACKETS_A_TURN * ld06.SIZE
    return two_turns * ((MANY + SPARE) // 2)


def wide(turns: int) -> None:
    """Decode until so many scans of 160 degrees to either side are done."""
    _ours(turns, WIDE_DEG)


def default(turns: int) -> None:
    """Decode until so many scans of the default sector are done."""
    _ours(turns, ld06.Config(driver="ld06").sector_deg)


def peer(turns: int) -> None:
    """Decode until so many scans are done."""
    for _ in islice(_peer().scans(), turns):
        pass


def check() -> None:
    """Both must see the same room: every point the peer saw stands where it stands in our scan."""
    scan = _ours(3, WIDE_DEG)[-1]
    theirs = list(islice(_peer().scans(), 3))[-1]
    assert isinstance(scan, Scan)
    matched = 0
    for point in theirs:
        bearing = -((point.angle_deg + 180.0) % 360.0 - 180.0)  # clockwise from behind is to the left
        if point.valid and abs(bearing) < WIDE_DEG - 1:
            first, second, *_ = scan.bearings_deg
            found = scan.ranges_m[round((bearing - first) / (second - first))]
            assert found is not None and abs(found - point.dist_mm / 1000) < 0.15, (bearing, found, point)
            matched += 1
    assert matched > 350, matched


def rows() -> list[Row]:
    """Instructions a packet."""
    check()
    theirs, wider, usual = (per_item("ld06", work, FEW, MANY) / PACKETS_A_TURN for work in ("peer", "wide", "default"))
    return [
        versus("decode an LD06 packet, 160 degrees to either side (peer: lds2d)", wider, theirs, "instr", 0.25),
        versus("the same, default sector of 70 degrees", usual, theirs, "instr", 0.25),
    ]


def _ours(turns: int, sector_deg: float) -> list[Any]:
    read, feed = BytesIO(wire()).read, ld06.Decoder("scan", _config(sector_deg)).feed
    found: list[Any] = []
    while len(found) < turns:
        found += feed(read(CHUNK), 0.0)
    return found


def _config(sector_deg: float) -> ld06.Config:
    return ld06.Config(driver="ld06", sector_deg=sector_deg)


def _peer() -> Any:
    from lds2d.drivers.ldrobot_ld14p import LD06

    return LD06(BytesIO(wire()))
