"""What every decoder of a talking sensor must do with splits, noise, lost bytes and flipped bits."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contract.rigs import PINS, smallest
from rearguard import sensors
from rearguard.core.reading import Reading, Scan, Status

DRIVERS = [name for name in sensors.names() if hasattr(sensors.load(name), "Decoder")]
COUNT = 12  # frames in a stream
RECORDED_S = 3.0  # in which the slowest part sends more than that
COST = 3  # frames that one lost byte may cost

every_decoder = pytest.mark.parametrize("driver", DRIVERS)
examples = settings(max_examples=60)


def decoder(driver: str) -> Any:
    module: Any = sensors.load(driver)
    return module.Decoder("rear", msgspec.convert(smallest(driver, iter(PINS)), module.Config))


def framer(driver: str) -> Any:
    """The decoder's framer, with frames as bytes in place of their fields."""
    made = decoder(driver).frames
    parse, parse_run, size = made.parse, made.parse_run, made.size
    made.parse = lambda frame: frame if parse(frame) is not None else None
    if parse_run is not None:
        made.run = 3  # so that it comes to runs, and to frames between them
        made.parse_run = lambda run: (
            [run[at : at + size] for at in range(0, len(run), size)] if parse_run(run) is not None else None
        )
    return made


@cache
def recording(driver: str) -> tuple[bytes, ...]:
    """Frames as the emulator makes them, of a wall that comes nearer and of nothing at all."""
    module: Any = sensors.load(driver)
    emulator = module.Emulator(msgspec.convert(smallest(driver, iter(PINS)), module.Config), Random(3))
    data = b""
    for step in range(round(RECORDED_S / 0.01)):
        t_s = step * 0.01
        data += emulator.wire(t_s, lambda _, t=t_s: 3.0 - t if t < 0.6 * RECORDED_S else None)
    frames = framer(driver).split(data)
    assert b"".join(frames) == data, "an undisturbed stream is nothing but frames"
    return tuple(frames)


@cache
def judge(driver: str) -> Any:
    """Says whether bytes of the size of a frame are one, by themselves."""
    frames = framer(driver)

    def is_frame(window: bytes) -> bool:
        found = frames.split(window) == [window]
        frames.finish()
        return found

    return is_frame


def accidents(driver: str, stream: bytes, starts: set[int]) -> bool:
    """Whether bytes that no emulator sent as a frame make one by chance."""
    size, is_frame = len(recording(driver)[0]), judge(driver)
    return any(is_frame(stream[at : at + size]) for at in range(len(stream) - size + 1) if at not in starts)


def split(driver: str, stream: bytes, cuts: list[int]) -> tuple[list[bytes], Any]:
    """The good frames of a stream that arrives in pieces, and the counts."""
    frames = framer(driver)
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    found = [f for a, b in pairwise(places) for f in frames.split(stream[a:b])]
    return [frame for frame in found if frame is not None], frames


def part(driver: str, first: int) -> list[bytes]:
    """Some frames of the recording, from one of them on."""
    frames = recording(driver)
    first %= len(frames) - COUNT
    return list(frames[first : first + COUNT])


places = st.integers(0, 10**6)
cuts = st.lists(places, max_size=12)


@every_decoder
@examples
@given(data=st.data())
def test_splits_and_noise_between_frames_lose_no_intact_frame(driver: str, data: st.DataObject) -> None:
    frames = part(driver, data.draw(places))
    most = min(4, len(frames[0]) - 1)  # all of it would be a frame
    header = st.integers(1, most).map(lambda n: frames[0][:n])  # the noise that deceives most
    noise = st.lists(st.binary(max_size=20) | header, max_size=3).map(b"".join)
    stream, starts = data.draw(noise), set()
    for frame in frames:
        starts.add(len(stream))
        stream += frame + data.draw(noise)
    assume(not accidents(driver, stream, starts))
    assert split(driver, stream, data.draw(cuts))[0] == frames


@every_decoder
@examples
@given(noise=st.integers(4, 40), cuts=cuts)
def test_what_is_told_of_noise_does_not_depend_on_how_it_arrives(driver: str, noise: int, cuts: list[int]) -> None:
    stream = recording(driver)[0][:-1] * noise

    def told(pieces: list[int]) -> list[bool]:
        frames = framer(driver)
        at = [0, *sorted(cut % (len(stream) + 1) for cut in pieces), len(stream)]
        return [frame is None for a, b in pairwise(at) for frame in frames.split(stream[a:b])]

    assert told(cuts) == told([]) == told(list(range(len(stream))))


@every_decoder
@examples
@given(first=places, at=places, cuts=cuts)
def test_one_lost_byte_costs_at_most_three_frames(driver: str, first: int, at: int, cuts: list[int]) -> None:
    frames = part(driver, first)
    size, stream = len(frames[0]), b"".join(frames)
    at %= len(stream)
    short = stream[:at] + stream[at + 1 :]
    hit = at // size
    starts = {i * size - (i > hit) for i in range(COUNT) if i != hit}
    found = split(driver, short, cuts)[0]
    assert (Counter(frames) - Counter(found)).total() <= COST
    if not accidents(driver, short, starts):
        assert found == frames[:hit] + frames[hit + 1 :]


@every_decoder
@examples
@given(first=places, bit=places, cuts=cuts)
def test_one_flipped_bit_is_never_passed_on_unless_the_check_passes(
    driver: str, first: int, bit: int, cuts: list[int]
) -> None:
    frames = part(driver, first)
    size, stream = len(frames[0]), bytearray(b"".join(frames))
    bit %= 8 * len(stream)
    stream[bit // 8] ^= 1 << bit % 8
    hit = bit // 8 // size
    damaged = bytes(stream[hit * size : (hit + 1) * size])
    assume(not accidents(driver, bytes(stream), {i * size for i in range(COUNT)}))
    found = split(driver, bytes(stream), cuts)[0]
    expected = frames[:hit] + ([damaged] if judge(driver)(damaged) else []) + frames[hit + 1 :]
    assert found == expected


@every_decoder
@examples
@given(data=st.data())
def test_counts_add_up_to_the_bytes_that_were_fed(driver: str, data: st.DataObject) -> None:
    frames = part(driver, data.draw(places))
    pieces = st.sampled_from(frames) | st.binary(max_size=30) | st.sampled_from(frames).map(lambda f: f[: len(f) // 2])
    stream = b"".join(data.draw(st.lists(pieces, max_size=20)))
    found, counts = split(driver, stream, data.draw(cuts))
    counts.finish()
    assert counts.good == len(found)
    assert counts.good * len(frames[0]) + counts.skipped == len(stream)
    assert counts.rejected <= counts.skipped


@every_decoder
@examples
@given(data=st.data())
def test_the_same_bytes_give_the_same_frames_and_counts_however_they_are_split(
    driver: str, data: st.DataObject
) -> None:
    frames = part(driver, data.draw(places))
    pieces = st.sampled_from(frames) | st.binary(max_size=30) | st.just(frames[0][:2])
    stream = b"".join(data.draw(st.lists(pieces, max_size=20)))
    whole, once = split(driver, stream, [])
    bits, often = split(driver, stream, data.draw(cuts))
    assert whole == bits
    assert (once.good, once.rejected, once.skipped) == (often.good, often.rejected, often.skipped)


@every_decoder
@examples
@given(chunks=st.lists(st.binary(max_size=200), max_size=5))
def test_random_bytes_never_raise(driver: str, chunks: list[bytes]) -> None:
    at_work = decoder(driver)
    for chunk in chunks:
        for item in at_work.replay(chunk):
            assert isinstance(item, Reading | Scan)


@every_decoder
@examples
@given(data=st.data())
def test_overwritten_payloads_never_raise_nor_give_a_distance_beyond_the_part(driver: str, data: st.DataObject) -> None:
    spoiled = []
    for frame in part(driver, data.draw(places)):
        middle = data.draw(st.binary(min_size=1, max_size=len(frame) - 3))
        spoiled.append(frame[:2] + middle + frame[2 + len(middle) :])
    at_work: Any = decoder(driver)
    module: Any = sensors.load(driver)
    spec = msgspec.convert(smallest(driver, iter(PINS)), module.Config).spec("rear")
    for item in at_work.replay(b"".join(spoiled)):
        if isinstance(item, Reading):
            assert (item.distance_m is not None) == (item.status is Status.OK)
            assert item.distance_m is None or spec.min_range_m <= item.distance_m <= spec.max_range_m
        else:
            assert all(r is None or spec.min_range_m <= r <= spec.max_range_m for r in item.ranges_m)


@every_decoder
def test_replay_tells_time_from_zero_on_and_never_back(driver: str) -> None:
    times = [item.t_s for item in decoder(driver).replay(b"".join(recording(driver)))]
    assert times[0] >= 0.0
    assert times == sorted(times)
    assert times[-1] == pytest.approx(RECORDED_S, abs=0.15)
