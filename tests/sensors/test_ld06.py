"""LDROBOT LD06: packets, their check, and where a point of a turn lies for the wearer."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from struct import pack, unpack_from
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.rigs import Bench
from rearguard.core.reading import Reading, Scan, Status
from rearguard.sensors.ld06 import DISTANCES, Config, Decoder, Mask, encode, intact, parse

SPEED_DPS, PACKETS = 3600, 40  # ten turns a second, of 40 packets, each 9 degrees wide


def decoder(**keys: Any) -> Decoder:
    return Decoder("rear", Config(driver="ld06", **keys))


def bitwise_crc(data: bytes) -> int:
    """CRC-8 of polynomial 0x4D, a bit at a time: the definition."""
    crc = 0
    for byte in data:
        for place in range(7, -1, -1):
            top = crc >> 7 ^ byte >> place & 1
            crc = crc << 1 & 0xFF ^ (0x4D if top else 0)
    return crc


def packet(first_deg: float, points: list[tuple[int, int]], t_ms: int = 0) -> bytes:
    """Twelve points, 0.75 degrees apart, from that angle of the LiDAR on."""
    start = round(first_deg * 100) % 36000
    return encode(SPEED_DPS, start, points, (start + 825) % 36000, t_ms)


def turn(seen: dict[float, int], without: frozenset[int] = frozenset(), back_mm: int = 3000) -> bytes:
    """A turn that begins in front of the wearer (LiDAR at 180 degrees), with distances in mm at some angles.

    Everything else is at `back_mm`. `without` are packets that got lost, numbered from 0 at 180 degrees.
    """
    data = b""
    for number in range(PACKETS):
        first = 180.0 + 9.0 * number
        angles = [(first + 0.75 * i) % 360.0 for i in range(12)]
        if number not in without:
            data += packet(first, [(seen.get(angle, back_mm), 200) for angle in angles])
    return data


def scan(data: bytes, **keys: Any) -> Scan:
    """The one scan in the first turn of two."""
    found = decoder(**keys).feed(data + turn({})[: 3 * 47], 1.0)
    assert len(found) == 1
    assert isinstance(found[0], Scan)
    return found[0]


def near(found: Scan, below_m: float = 2.0) -> list[float]:
    """The bearings at which something is nearer than that."""
    return [b for b, r in zip(found.bearings_deg, found.ranges_m, strict=True) if r is not None and r < below_m]


def test_the_makers_example_and_real_packets_decode_to_their_numbers(vectors: list[dict[str, Any]]) -> None:
    mine = [v for v in vectors if "LD19" in v["sensor"]]
    assert len(mine) >= 2
    for vector in mine:
        raw, expect = bytes.fromhex(vector["hex"]), vector["expect"]
        assert raw[-1] == expect["crc"] == bitwise_crc(raw[:-1])
        [(start, end, clock, same)] = decoder().frames.split(raw)
        assert (start / 100, end / 100, clock) == (expect["start_deg"], expect["end_deg"], expect["timestamp_ms"])
        assert list(DISTANCES.unpack(same)) == expect["dist_mm"]


def test_a_distance_of_zero_is_nothing_whatever_the_amplitude(vectors: list[dict[str, Any]]) -> None:
    raw = bytes.fromhex(next(v["hex"] for v in vectors if "noecho" in v["id"]))
    distances, amplitudes = unpack_from("<" + "HB" * 12, raw, 6)[0::2], unpack_from("<" + "HB" * 12, raw, 6)[1::2]
    assert set(distances) == {0} and min(amplitudes) > 0
    empty = b"".join(packet(180.0 + 9.0 * n, [(0, 7 * n % 256)] * 12) for n in range(PACKETS))
    assert set(scan(empty).ranges_m) == {None}


def test_a_real_stream_has_863_good_packets_and_none_rejected(captures: Path) -> None:
    data = (captures / "ld06-andyblarblar-example3.bin").read_bytes()
    at_work = decoder()
    items = list(at_work.replay(data))
    frames = at_work.frames
    frames.finish()
    assert (frames.good, frames.rejected) == (863, 0)
    assert frames.good * 47 + frames.skipped == len(data)
    assert abs(len(items) - 23) <= 1  # turns, the first and last of which are not whole
    assert sum(isinstance(item, Scan) for item in items) >= 21


def test_replay_goes_by_the_clock_of_the_lidar_over_its_wrap() -> None:
    began_ms, period_ms = 29_800, 2.5  # wraps after 80 packets, in the third of five turns
    data = b"".join(
        packet(180.0 + 9.0 * n, [(3000, 200)] * 12, int(began_ms + n * period_ms) % 30_000) for n in range(5 * PACKETS)
    )
    times = [item.t_s for item in decoder().replay(data)]
    assert [after - before for before, after in pairwise(times)] == pytest.approx([0.1] * 4, abs=0.0015)


def test_a_mangled_stream_has_no_good_packet(captures: Path) -> None:
    at_work = decoder()
    assert not list(at_work.replay((captures / "ld06-andyblarblar-corrupt.bin").read_bytes()))
    assert at_work.frames.good == 0
    assert at_work.frames.rejected > 0


@given(payload=st.binary(min_size=36, max_size=36), time=st.integers(0, 30000), off=st.integers(0, 255))
def test_the_check_by_parities_is_the_crc(payload: bytes, time: int, off: int) -> None:
    body = b"\x54\x2c" + pack("<HH", 3600, 100) + payload + pack("<HH", 925, time)
    assert intact(body + bytes((bitwise_crc(body) ^ off,))) is (off == 0)


@given(payload=st.binary(min_size=36, max_size=36), bits=st.sets(st.integers(0, 8 * 47 - 1), min_size=1, max_size=2))
def test_one_or_two_flipped_bits_never_pass_where_the_crc_tells(payload: bytes, bits: set[int]) -> None:
    body = b"\x54\x2c" + pack("<HH", 3600, 100) + payload + pack("<HH", 925, 77)
    damaged = bytearray(body + bytes((bitwise_crc(body),)))
    for bit in bits:
        damaged[bit // 8] ^= 1 << bit % 8
    told = bitwise_crc(bytes(damaged[:-1])) != damaged[-1]
    assert told or len(bits) == 2, "a CRC tells any single flipped bit"
    assert not (told and intact(bytes(damaged)))


@pytest.mark.parametrize(
    ("speed", "start", "end", "time", "good"),
    [
        (3600, 0, 825, 0, True),
        (3600, 35900, 725, 30000, True),  # over the zero of the angle
        (2152, 32427, 33470, 6714, True),  # of the manual
        (8202, 0, 825, 0, False),  # faster than it can turn
        (360, 0, 825, 0, False),  # slower
        (3600, 0, 61200, 0, False),  # 612 degrees
        (3600, 0, 36825, 0, False),  # more than a turn
        (3600, 36000, 825, 0, False),
        (3600, 0, 5000, 0, False),  # 50 degrees in one packet
        (3600, 825, 0, 0, False),  # backward
        (3600, 825, 825, 0, False),  # standing still
        (3600, 0, 300, 0, False),  # a third of what its speed makes
        (3600, 0, 825, 30001, False),  # the clock wraps at 30000
    ],
)
def test_a_packet_must_be_possible_besides_its_crc(speed: int, start: int, end: int, time: int, good: bool) -> None:
    assert (parse(encode(speed, start, [(1000, 200)] * 12, end, time)) is not None) is good


@given(st.lists(st.tuples(*[st.integers(0, 65535)] * 4, st.integers(0, 65535)), max_size=30))
def test_packets_with_any_content_never_raise(contents: list[tuple[int, int, int, int, int]]) -> None:
    data = b"".join(encode(speed, start, [(mm, 9)] * 12, end, t) for speed, start, end, t, mm in contents)
    for item in decoder().feed(data, 1.0):
        assert isinstance(item, Reading | Scan)


@pytest.mark.parametrize(
    ("keys", "angle_deg", "bearing_deg"),
    [
        ({}, 0.0, 0.0),
        ({}, 30.0, -30.0),  # clockwise from above, of one who faces away: the wearer's left
        ({}, 330.0, 30.0),
        ({"upside_down": True}, 30.0, 30.0),
        ({"upside_down": True}, 330.0, -30.0),
        ({"behind_deg": 90.0}, 90.0, 0.0),
        ({"behind_deg": 90.0}, 120.0, -30.0),
        ({"behind_deg": 90.0, "upside_down": True}, 120.0, 30.0),
        ({"behind_deg": 345.0}, 15.0, -30.0),
    ],
)
def test_a_point_lies_where_the_mounting_puts_it(keys: dict[str, Any], angle_deg: float, bearing_deg: float) -> None:
    [found] = near(turned_scan({angle_deg: 1000}, keys))
    assert found == pytest.approx(bearing_deg, abs=0.5)


def turned_scan(seen: dict[float, int], keys: dict[str, Any]) -> Scan:
    """The scan of two turns that are whole, whatever the angle that is behind."""
    scans = [item for item in decoder(**keys).feed(turn(seen) * 3, 1.0) if isinstance(item, Scan)]
    return scans[1]


def test_bearings_rise_in_even_steps_over_the_sector() -> None:
    found = scan(turn({}), sector_deg=60.0)
    steps = [b - a for a, b in pairwise(found.bearings_deg)]
    assert steps == pytest.approx([360 / 480] * len(steps))
    assert -60.0 <= found.bearings_deg[0] < -60.0 + steps[0]
    assert 60.0 - steps[0] < found.bearings_deg[-1] <= 60.0
    assert len(found.ranges_m) == len(found.bearings_deg)


def test_what_is_outside_the_sector_is_not_seen() -> None:
    assert near(scan(turn({50.25: 500}), sector_deg=40.0)) == []
    assert near(scan(turn({50.25: 500}), sector_deg=60.0)) != []


def test_every_point_of_a_turn_keeps_a_step_of_its_own() -> None:
    found = scan(turn({}), sector_deg=60.0)
    assert sum(r is not None for r in found.ranges_m) == pytest.approx(120 / 0.75, abs=1)


def test_the_wearers_body_is_masked_only_where_and_as_near_as_the_mask_says() -> None:
    arm = Mask(from_deg=20.0, to_deg=40.0, within_m=0.4)
    seen = {330.0: 300, 327.0: 450, 30.0: 300}  # at 30 and 33 degrees right, 30 degrees left
    assert near(scan(turn(seen))) == pytest.approx([-30.0, 30.0, 33.0], abs=0.5)
    assert near(scan(turn(seen), body=(arm,))) == pytest.approx([-30.0, 33.0], abs=0.5)


def test_a_mask_of_no_depth_does_not_make_the_part_see_nearer_than_it_can() -> None:
    arm = Mask(from_deg=-10.0, to_deg=10.0, within_m=0.0)
    assert near(scan(turn({0.0: 10}), body=(arm,))) == []


def test_a_point_nearer_than_the_part_can_see_is_none() -> None:
    assert near(scan(turn({0.0: 19}, back_mm=0))) == []
    assert near(scan(turn({0.0: 21}, back_mm=0))) == [0.0]


@given(st.sets(st.integers(0, PACKETS - 1)))
def test_a_turn_that_lost_more_than_40_percent_of_its_sector_is_invalid_and_not_clear(without: set[int]) -> None:
    sector = 63.0  # from packet 13 (297 degrees) to packet 26 (63 degrees): 14 packets
    lost = len([n for n in without if 13 <= n <= 26]) / 14
    found = decoder(sector_deg=sector).feed(turn({}, frozenset(without), back_mm=0) + turn({})[:47], 1.0)
    if lost == 1.0:
        assert found == [], "nothing was heard, and nothing is said"
    elif lost > 0.41:
        assert found == [Reading("rear", 1.0, Status.INVALID)]
    elif lost < 0.39:
        assert [type(item) for item in found] == [Scan]
    # between: 14 packets make no such share


def test_the_first_turn_after_open_is_clear_of_what_came_before(bench: Bench) -> None:
    rig = bench.open("ld06")
    rig.view = lambda _: 0.5
    assert [item for item in rig.listen(0.5) if isinstance(item, Scan)]
    rig.sensor.open()
    rig.view = lambda _: None
    rig.emulator.wire(bench.clock.now(), rig.view)
    assert all(set(item.ranges_m) == {None} for item in rig.listen(0.5) if isinstance(item, Scan))
