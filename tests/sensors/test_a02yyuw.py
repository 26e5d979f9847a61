"""A02YYUW and its siblings: every code of their four bytes, what noise makes of a short header, and their pace."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench_help import CALM_AIR, made, wall
from contract.rigs import Bench
from rearguard.bench.walking.moment import Moment
from rearguard.bench.walking.quick import readings
from rearguard.bench.walking.walk import Walk
from rearguard.config import parse as parse_config
from rearguard.core.pipeline import Pipeline
from rearguard.core.reading import Reading, Status
from rearguard.core.threat import PROFILES
from rearguard.sensors.a02yyuw import INTERFERENCE, NO_ECHO, NO_TARGET, PARTS, Config, Decoder, encode, parse

MODELS = sorted(PARTS)
every_model = pytest.mark.parametrize("model", MODELS)
values = st.integers(0, 65535)


def decoder(**keys: Any) -> Decoder:
    return Decoder("rear", Config(driver="a02yyuw", **keys))


def one(value: int, **keys: Any) -> Reading:
    """The reading of a single frame."""
    found = decoder(**keys).feed(encode(value), 10.0)
    assert len(found) == 1
    assert isinstance(found[0], Reading)
    return found[0]


def test_a_frame_worked_out_by_hand_is_decoded() -> None:
    # 1500 mm = 0x05DC; 0xFF + 0x05 + 0xDC = 0x1E0
    frame = bytes.fromhex("FF 05 DC E0")
    assert encode(1500) == frame
    assert decoder().feed(frame, 5.0) == [Reading("rear", 5.0, Status.OK, 1.5)]


@pytest.mark.parametrize(
    ("frame", "model", "status", "distance_m"),
    [
        ("FF 03 9D 9F", "a01nyub", Status.OK, 0.925),
        (
            "FF 00 E0 DF",
            "jsn-sr04t",
            Status.TOO_CLOSE,
            None,
        ),  # it is blind below 25 cm, and says 22 cm of what is there
        ("FF 00 00 FF", "a02yyuw", Status.WEAK, None),
    ],
)
def test_frames_that_owners_saw_on_the_wire(frame: str, model: str, status: Status, distance_m: float | None) -> None:
    found = decoder(model=model).feed(bytes.fromhex(frame), 5.0)
    assert found == [Reading("rear", 5.0, status, distance_m)]


@every_model
def test_the_codes_mean_the_same_of_all_models(model: str) -> None:
    assert one(NO_TARGET, model=model).status is Status.CLEAR
    assert one(INTERFERENCE, model=model).status is Status.INVALID
    assert one(NO_ECHO, model=model).status is Status.WEAK


@every_model
def test_the_first_and_the_last_millimetre_are_distances_and_the_next_ones_are_not(model: str) -> None:
    part = PARTS[model]
    least, most = round(1000 * part.min_m), round(1000 * part.max_m)
    assert [one(mm, model=model).status for mm in (1, least - 1)] == [Status.TOO_CLOSE] * 2
    assert [one(mm, model=model).distance_m for mm in (least, most)] == [part.min_m, part.max_m]
    assert [one(mm, model=model).status for mm in (most + 1, 10_000)] == [Status.CLEAR] * 2


@given(value=values, model=st.sampled_from(MODELS))
def test_whatever_a_good_frame_says_a_distance_is_one_the_part_can_measure(value: int, model: str) -> None:
    reading = one(value, model=model)
    if reading.status is Status.OK:
        assert reading.distance_m == value / 1000
        assert PARTS[model].min_m <= value / 1000 <= PARTS[model].max_m
    else:
        assert reading.distance_m is None


@pytest.mark.parametrize("value", [10_001, 20_000, 0xFFFC, 0xFFFF])
def test_a_value_that_no_part_sends_is_rejected_though_its_sum_is_right(value: int) -> None:
    at_work = decoder(model="a01nyub")
    assert at_work.feed(encode(value), 1.0)[0].status is Status.INVALID
    assert (at_work.frames.good, at_work.frames.rejected) == (0, 1)


@given(value=values, bit=st.integers(0, 31))
def test_a_frame_with_one_flipped_bit_never_passes(value: int, bit: int) -> None:
    frame = bytearray(encode(value))
    frame[bit // 8] ^= 1 << bit % 8
    assert parse(bytes(frame)) is None


def test_the_next_frame_is_found_behind_a_byte_that_looks_like_a_header() -> None:
    frame = encode(NO_TARGET)  # FF FF FD FB: with one more FF before it, its first four bytes have a right sum
    stream = b"\xff" + frame + encode(1200)
    assert (sum(stream[:3]) & 0xFF) == stream[3]
    found = decoder().feed(stream, 1.0)
    assert [item.status for item in found] == [Status.INVALID, Status.CLEAR, Status.OK]


@given(
    distances=st.lists(st.integers(30, 4500), min_size=1, max_size=8),
    noise=st.binary(max_size=12),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    lost=st.integers(0, 3),
)
def test_noise_splits_and_half_frames_cost_no_intact_frame_that_follows_and_invent_none(
    distances: list[int], noise: bytes, cuts: list[int], lost: int
) -> None:
    stream = noise + encode(2222)[lost:] + b"".join(map(encode, distances))
    first = len(stream) - 4 * len(distances)
    assume(not any(parse(stream[at : at + 4]) is not None for at in range(first) if lost or at != len(noise)))
    at_work = decoder()
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    found = [item for a, b in pairwise(places) for item in at_work.feed(stream[a:b], 1.0)]
    said = [round(1000 * item.distance_m) for item in found if isinstance(item, Reading) and item.distance_m]
    assert said == ([] if lost else [2222]) + distances


def test_a_wrong_sum_is_an_invalid_reading_and_counted() -> None:
    at_work = decoder()
    assert at_work.feed(bytes.fromhex("FF 05 DC E1"), 1.0) == [Reading("rear", 1.0, Status.INVALID)]
    assert (at_work.frames.good, at_work.frames.rejected) == (0, 1)


@every_model
def test_frames_drained_together_are_a_frame_period_apart_the_last_of_them_now(model: str) -> None:
    found = decoder(model=model).feed(encode(1000) + encode(900) + encode(800), 20.0)
    period = PARTS[model].period_s
    assert [item.t_s for item in found] == pytest.approx([20.0 - 2 * period, 20.0 - period, 20.0])


def test_times_never_go_back_when_frames_come_late_and_together() -> None:
    at_work = decoder()
    times = [item.t_s for item in at_work.feed(encode(1000), 20.0) + at_work.feed(encode(990) * 3, 20.05)]
    assert times == pytest.approx([20.0, 20.0, 20.0, 20.05])
    assert times == sorted(times)


def test_frames_of_the_makers_and_of_bug_reports(vectors: list[dict[str, Any]]) -> None:
    family = ("A02YYUW", "A01NYUB", "ME007YS", "JSN-SR04T", "DYP", "SEN0627")
    mine = [v for v in vectors if any(name in v["sensor"] for name in family)]
    assert {v["id"] for v in mine} >= {"a02yyuw_manual", "sen0627_cm"}
    for vector in mine:
        frame, expect = bytes.fromhex(vector["hex"]), vector["expect"]
        if expect is None:
            assert parse(frame) is None, vector["id"]
        else:
            assert parse(frame) == expect.get("dist_mm", expect.get("dist_cm")), vector["id"]
            unit, per_m = ("mm", 1000) if "dist_mm" in expect else ("cm", 100)
            (item,) = Decoder("rear", Config(driver="a02yyuw", unit=unit)).feed(frame, 1.0)
            assert item.distance_m == expect[f"dist_{unit}"] / per_m, vector["id"]


def test_a_sibling_that_counts_centimetres_is_as_plausible_as_one_that_counts_millimetres() -> None:
    at_work = Decoder("rear", Config(driver="a02yyuw", unit="cm"))
    said = [at_work.feed(encode(value), float(value))[0] for value in (2, 3, 450, 451, 1001, 0xFFFD, 0xFFFE)]
    assert [item.status for item in said] == ["too_close", "ok", "ok", "clear", "invalid", "clear", "invalid"]
    assert said[1].distance_m == 0.03


@every_model
def test_a_healthy_part_is_never_felt_as_no_data(model: str, bench: Bench) -> None:
    rig = bench.open("a02yyuw", model=model)
    rig.view = lambda _: 1.5
    core = Pipeline([rig.config.spec("rear")], [0.0], PROFILES["default"])
    core.step((), bench.clock.now())
    faults: set[str] = set()
    for _ in range(100):
        found = rig.sensor.read(bench.clock.now() + 0.05)
        faults |= set(core.step(tuple(found), bench.clock.now()).alert.faults)
    assert faults == set()


def test_the_core_judges_it_halfway_to_its_next_frame() -> None:
    assert Config(driver="a02yyuw").spec("rear").round_s == 0.1
    assert Config(driver="a02yyuw", model="a01nyub").spec("rear").round_s == 0.15


def test_on_the_header_it_takes_the_pin_that_hears_and_not_the_one_that_talks() -> None:
    assert Config(driver="a02yyuw").pins() == {"port (RX)": 15}
    assert Config(driver="a02yyuw", port="/dev/ttyAMA0").pins() == {"port (RX)": 15}
    assert Config(driver="a02yyuw", port="/dev/ttyUSB0").pins() == {}


def test_nothing_is_ever_said_to_it(bench: Bench) -> None:
    rig = bench.open("a02yyuw")
    rig.listen(1.0)
    rig.sensor.open()
    rig.listen(1.0)
    assert rig.wire.heard() == b""


def test_open_forgets_half_a_frame_from_before(bench: Bench) -> None:
    rig = bench.open("a02yyuw")
    rig.send(encode(3000)[:3])
    assert rig.sensor.read(bench.clock.now()) == []
    rig.sensor.open()
    rig.send(encode(250))
    found = rig.sensor.read(bench.clock.now())
    assert [(item.status, item.distance_m) for item in found] == [(Status.OK, 0.25)]


@pytest.mark.parametrize(("bearing_deg", "distance_m"), [(-90.0, 1.0), (-61.0, 1.0), (-50.0, 3.0)])
def test_the_nearest_thing_in_the_cone_is_told(bearing_deg: float, distance_m: float, bench: Bench) -> None:
    rig = bench.open("a02yyuw", bearing_deg=-90.0)
    rig.view = lambda bearing: 1.0 if abs(bearing - bearing_deg) < 4.0 else 3.0
    found = [item.distance_m for item in rig.listen(1.0)]
    assert found == pytest.approx([distance_m] * len(found), abs=0.02)
    assert len(found) > 4


def test_another_ultrasonic_gives_no_distance(bench: Bench) -> None:
    rig = bench.open("a02yyuw")
    rig.view = lambda _: 1.0
    rig.emulator.disturbed = True
    assert {item.status for item in rig.listen(1.0)} == {Status.INVALID}


def test_a_part_whose_rx_is_not_low_is_told_once_with_what_mends_it(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = bench.open("a02yyuw")
    rig.view = lambda _: 1.0
    rig.emulator.pause_s = 0.3
    rig.listen(6.0)
    told = capsys.readouterr().err
    assert told.count("\n") == told.count("Tie its RX to GND") == 1
    assert "rear: its frames come 300 ms apart, 100 ms are due" in told


def test_a_part_that_keeps_its_pace_is_told_nothing_of_even_after_a_silence(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = bench.open("a02yyuw")
    rig.view = lambda _: 1.0
    for _ in range(16):
        rig.listen(0.5)
        rig.cut = not rig.cut
    assert capsys.readouterr().err == ""


BELT = {
    "pin_factory": "mock",
    "sensor": {"rear": {"driver": "a02yyuw", "port": "/dev/bench"}},
    "belt": {"driver": "gpio_pwm", "motor": {"back": {"pin": 13, "bearing_deg": 0}}},
    "journal": {"enabled": False},
}


def walked(**tables: Any) -> list[Moment]:
    """A walk of the whole firmware toward a wall, by somebody who heeds nothing."""
    belt = parse_config(BELT, "a test")
    chosen = made(walker={"pace_mps": 0.7, "sets_off_s": 0.0}, wall=[wall(4.0)], **tables)
    return [moment for moment in Walk(chosen, belt, belt.profile, 1, obeys=False).run() if moment.walking]


def test_on_a_walk_the_wire_says_what_the_bench_has_modelled() -> None:
    tables: dict[str, Any] = {"lasts_s": 5.0, "post": [{"at": [0.5, 2.0], "diameter_m": 0.1}]}
    got = [item for moment in walked(**tables) for item in moment.heard]
    scenario = made(walker={"pace_mps": 0.7, "sets_off_s": 0.0}, wall=[wall(4.0)], **tables)
    expected = readings(scenario, parse_config(BELT, "a test"), 1)
    assert [item.status for item in got] == [item.status for item in expected]
    assert {item.status for item in got} >= {Status.OK, Status.CLEAR}
    pairs = [(a.distance_m, b.distance_m) for a, b in zip(got, expected, strict=True) if b.distance_m is not None]
    assert [a for a, _ in pairs] == pytest.approx([b for _, b in pairs], abs=0.00051)  # the wire carries millimetres


@pytest.mark.parametrize(
    ("trouble", "faults", "within_s"),
    [
        ("silent", {"rear:no_data"}, 0.3),
        ("unplugged", {"rear:lost"}, 0.3),
        ("corrupt", {"rear:no_data", "rear:implausible"}, 0.3),
        ("frozen", {"rear:frozen"}, 0.4),
        ("covered", {"rear:blocked"}, 3.3),
    ],
)
def test_trouble_on_its_wire_is_felt_as_what_it_is_and_in_time(trouble: str, faults: set[str], within_s: float) -> None:
    begins = 2.0 if trouble == "frozen" else 0.8
    trouble_at = [{"is": trouble, "from_s": begins}]
    moments = walked(lasts_s=begins + within_s + 0.2, air=CALM_AIR, trouble=trouble_at)
    assert not [m for m in moments if m.alert.faults and m.walk_s < begins]
    told = [m for m in moments if set(m.alert.faults) & faults]
    assert told
    assert told[0].walk_s - begins <= within_s
