"""Benewake TF-Luna, TFmini-S, TFmini Plus: the bytes both ways, and what every code means."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.rigs import Bench
from rearguard.core.reading import Reading, Status
from rearguard.errors import DeviceOpenError
from rearguard.sensors.benewake import Config, Decoder, encode, parse, parse_run


def decoder(**keys: Any) -> Decoder:
    return Decoder("rear", Config(driver="benewake", **keys))


def one(cm: int, amp: int, **keys: Any) -> Reading:
    """The reading of a single frame."""
    found = decoder(**keys).feed(encode(cm, amp), 10.0)
    assert len(found) == 1
    assert isinstance(found[0], Reading)
    return found[0]


def test_a_frame_worked_out_by_hand_is_decoded() -> None:
    # 300 cm = 0x012C, amplitude 1000 = 0x03E8, 25 C = 281 * 8 = 0x08C8; sum 0x59+0x59+0x2C+0x01+0xE8+0x03+0xC8+0x08
    frame = bytes.fromhex("59 59 2C 01 E8 03 C8 08 9A")
    assert encode(300, 1000) == frame
    assert decoder().feed(frame, 5.0) == [Reading("rear", 5.0, Status.OK, 3.0)]


@pytest.mark.parametrize(
    ("rate_hz", "set_rate"),
    [
        (50, "5A 06 03 32 00 95"),
        (100, "5A 06 03 64 00 C7"),
        (125, "5A 06 03 7D 00 E0"),
        (250, "5A 06 03 FA 00 5D"),
    ],
)
def test_open_asks_for_centimetres_and_then_for_the_frame_rate(rate_hz: int, set_rate: str, bench: Bench) -> None:
    rig = bench.open("benewake", rate_hz=rate_hz)
    expected = bytes.fromhex("5A 05 05 01 65") + bytes.fromhex(set_rate)
    assert rig.heard(len(expected)) == expected


def test_a_line_that_takes_no_commands_cannot_be_opened(bench: Bench, mocker: Any) -> None:
    mocker.patch("serial.Serial.write", side_effect=OSError("write timeout"))
    rig = bench.rig("benewake")
    with pytest.raises(DeviceOpenError, match=f"rear.*{rig.config.port}"):
        rig.sensor.open()


def test_what_piled_up_before_open_is_stale_and_thrown_away(bench: Bench) -> None:
    rig = bench.rig("benewake")
    assert rig.send(encode(300, 1000)) == 9
    rig.sensor.open()
    assert rig.waiting() == 0


@pytest.mark.parametrize(
    ("cm", "amp", "status"),
    [
        (300, 100, Status.OK),  # the weakest amplitude that is trusted
        (300, 65534, Status.OK),  # the strongest
        (300, 99, Status.WEAK),
        (0, 99, Status.WEAK),  # as the manuals say of a weak return
        (0, 0, Status.WEAK),
        (65535, 99, Status.WEAK),
        (65535, 1000, Status.WEAK),  # the TFmini says weak by the distance
        (300, 65535, Status.INVALID),  # dazzled
        (0, 65535, Status.INVALID),
        (65535, 65535, Status.INVALID),
        (65534, 1000, Status.INVALID),  # dazzled codes of the TFmini
        (65532, 1000, Status.INVALID),
        (0, 1000, Status.INVALID),  # a strong return from nowhere
        (1, 1000, Status.TOO_CLOSE),
        (19, 1000, Status.TOO_CLOSE),
        (20, 1000, Status.OK),
        (800, 1000, Status.OK),
        (801, 1000, Status.INVALID),  # farther than the part can see
    ],
)
def test_amplitude_and_distance_codes_of_a_tf_luna(cm: int, amp: int, status: Status) -> None:
    reading = one(cm, amp)
    assert reading.status is status
    assert reading.distance_m == (cm / 100 if status is Status.OK else None)


@pytest.mark.parametrize("model", ["tfmini-s", "tfmini-plus"])
@pytest.mark.parametrize(
    ("cm", "status"), [(9, Status.TOO_CLOSE), (10, Status.OK), (1200, Status.OK), (1201, Status.INVALID)]
)
def test_a_tfmini_sees_from_10_cm_to_12_m(model: str, cm: int, status: Status) -> None:
    assert one(cm, 1000, model=model).status is status


@pytest.mark.parametrize(("cm", "amp"), [(0, 40), (65535, 40), (65535, 1000)])
def test_a_weak_return_is_a_fault_where_the_configuration_says_so(cm: int, amp: int) -> None:
    assert one(cm, amp, weak_is_fault=True).status is Status.INVALID
    assert one(cm, amp, weak_is_fault=False).status is Status.WEAK


@given(cm=st.integers(0, 65535), amp=st.integers(0, 65535), model=st.sampled_from(["tf-luna", "tfmini-s"]))
def test_whatever_a_good_frame_says_a_distance_is_one_the_part_can_measure(cm: int, amp: int, model: str) -> None:
    reading = one(cm, amp, model=model)
    spec = Config(driver="benewake", model=model).spec("rear")
    if reading.status is Status.OK:
        assert reading.distance_m == cm / 100
        assert spec.min_range_m <= cm / 100 <= spec.max_range_m
        assert 100 <= amp < 65535
    else:
        assert reading.distance_m is None


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 65535)), min_size=1, max_size=80), st.data())
def test_a_run_of_frames_is_parsed_as_each_of_them_is(numbers: list[tuple[int, int]], data: st.DataObject) -> None:
    run = bytearray(b"".join(encode(*pair) for pair in numbers))
    assert parse_run(bytes(run)) == numbers
    run[data.draw(st.integers(0, len(run) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert parse_run(bytes(run)) is None


@given(cm=st.integers(0, 65535), amp=st.integers(0, 65535), bit=st.integers(0, 71))
def test_a_frame_with_one_flipped_bit_never_passes(cm: int, amp: int, bit: int) -> None:
    frame = bytearray(encode(cm, amp))
    assert parse(bytes(frame)) == (cm, amp)
    frame[bit // 8] ^= 1 << bit % 8
    assert parse(bytes(frame)) is None


@pytest.mark.parametrize("off", [1, 0x7F, 0xFF])
def test_a_wrong_sum_is_an_invalid_reading_and_counted(off: int) -> None:
    frame = bytearray(encode(300, 1000))
    frame[-1] = (frame[-1] + off) & 0xFF
    at_work = decoder()
    assert at_work.feed(bytes(frame), 1.0) == [Reading("rear", 1.0, Status.INVALID)]
    assert (at_work.frames.good, at_work.frames.rejected) == (0, 1)


def test_a_rejected_frame_costs_none_of_its_neighbours() -> None:
    bad = encode(300, 1000)[:-1] + b"\x00"
    found = decoder().feed(encode(310, 1000) + bad + encode(290, 1000), 1.0)
    assert [r.status for r in found if isinstance(r, Reading)] == [Status.OK, Status.INVALID, Status.OK]


@pytest.mark.parametrize("rate_hz", [50, 100, 125, 250])
def test_frames_drained_together_are_a_frame_period_apart_the_last_of_them_now(rate_hz: int) -> None:
    found = decoder(rate_hz=rate_hz).feed(b"".join(encode(300 + n, 1000) for n in range(5)), 20.0)
    assert [item.t_s for item in found] == pytest.approx([20.0 - n / rate_hz for n in (4, 3, 2, 1, 0)], abs=1e-6)
    assert [r.distance_m for r in found if isinstance(r, Reading)] == [3.0, 3.01, 3.02, 3.03, 3.04]


def test_drained_frames_are_never_dated_before_those_passed_on_already() -> None:
    at_work = decoder(rate_hz=100)
    first = at_work.feed(encode(300, 1000), 20.0)
    late = at_work.feed(b"".join(encode(300, 1000) for _ in range(5)), 20.015)
    times = [item.t_s for item in first + late]
    assert all(after >= before for before, after in pairwise(times))
    assert times[-1] == pytest.approx(20.015, abs=1e-6)
    assert min(times) == 20.0


@given(
    batches=st.lists(st.tuples(st.integers(0, 30), st.floats(0.0, 0.5)), min_size=1, max_size=20),
    rate_hz=st.sampled_from([50, 100, 125, 250]),
)
def test_times_never_go_back_or_ahead_of_the_clock(batches: list[tuple[int, float]], rate_hz: int) -> None:
    at_work, now, last = decoder(rate_hz=rate_hz), 100.0, float("-inf")
    for count, pause_s in batches:
        now += pause_s
        for item in at_work.feed(encode(300, 1000) * count, now):
            assert last <= item.t_s <= now + 1e-6
            last = item.t_s


def test_half_a_frame_is_kept_for_the_next_read() -> None:
    at_work, frame = decoder(), encode(300, 1000)
    assert at_work.feed(frame[:4], 1.0) == []
    assert at_work.feed(frame[4:], 1.01) == [Reading("rear", 1.01, Status.OK, 3.0)]


def test_open_forgets_half_a_frame_from_before(bench: Bench) -> None:
    rig = bench.open("benewake")
    rig.send(encode(300, 1000)[:8])
    assert rig.sensor.read(bench.clock.now()) == []
    rig.sensor.open()
    rig.send(encode(250, 1000))
    found = rig.sensor.read(bench.clock.now())
    assert [(item.status, item.distance_m) for item in found] == [(Status.OK, 2.5)]


def test_a_dazzled_sensor_gives_no_distance(bench: Bench) -> None:
    rig = bench.open("benewake")
    rig.view = lambda _: 1.0
    rig.emulator.dazzled = True
    assert {item.status for item in rig.listen(0.5)} == {Status.INVALID}


def test_the_beam_looks_where_it_is_mounted(bench: Bench) -> None:
    rig = bench.open("benewake", bearing_deg=-90.0)
    rig.view = lambda bearing: 1.0 if bearing == -90.0 else 3.0
    assert {round(item.distance_m) for item in rig.listen(0.5)} == {1}


def test_frames_of_the_makers_and_of_bug_reports(vectors: list[dict[str, Any]]) -> None:
    mine = [v for v in vectors if "TFmini" in v["sensor"] or "TF-Luna" in v["sensor"]]
    assert mine
    for vector in mine:
        at_work = decoder(model="tfmini-plus")
        frames = at_work.frames.split(bytes.fromhex(vector["hex"]))
        if vector["expect"] is None:
            assert not any(frames), vector["id"]
            assert at_work.frames.good == 0, vector["id"]
        else:
            found = decoder(model="tfmini-plus").feed(bytes.fromhex(vector["hex"]), 1.0)
            expected = vector["expect"]["dist_cm"] / 100
            assert [r.distance_m for r in found if isinstance(r, Reading)] == [expected], vector["id"]
