"""Recorded inputs through the same core: the design's section "Journal and replay"."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearguard import lines
from rearguard.core.reading import Command, Cue, Input, Reading, Report, Scan, Status
from rearguard.core.threat import PROFILES
from rearguard.errors import InputError
from rearguard.replay import MAX_LINE, Replay
from support import config, default_toml

GOLDEN = Path(__file__).parent / "golden"


def walk_to_wall(
    start_m: float = 4.0, speed_mps: float = 1.0, stop_m: float = 0.6, period_s: float = 0.06
) -> list[bytes]:
    """Bare lines of a walk at constant speed, then two seconds of standing."""
    count = int((start_m - stop_m) / speed_mps / period_s) + int(2.0 / period_s)
    return [
        json.dumps(
            {
                "t_s": round(i * period_s, 3),
                "sensor": "rear",
                "status": "ok",
                "distance_m": round(max(start_m - speed_mps * i * period_s, stop_m) + 0.003 * (-1) ** i, 4),
            }
        ).encode()
        + b"\n"
        for i in range(count)
    ]


def replayed(source: Iterable[bytes], profile: str | None = None, **options: Any) -> list[dict[str, Any]]:
    replay = Replay(options.get("config"), PROFILES[profile] if profile else None)
    return [json.loads(line) for line in replay.run(source, "test")]


def test_a_walk_to_a_wall_goes_through_every_level_at_the_designs_distances() -> None:
    out = replayed(walk_to_wall())
    assert [line["level"] for line in out] == ["clear", "notice", "warn", "stop", "clear"]
    stop, warn, notice = 0.95 + 1 / 3 + 0.45, 0.95 + 1 / 3 + 0.45 + 0.5, 0.95 + 1 / 3 + 0.45 + 1.0
    felt = {line["level"]: line["distance_m"] for line in out[1:4]}
    step = 1.0 * 0.06  # what one reading can be late
    for level, due in (("notice", notice), ("warn", warn), ("stop", stop)):
        assert due - step - 0.02 <= felt[level] <= due + 0.02
    assert out[3]["closing_mps"] == pytest.approx(1.0, abs=0.03)
    assert out[3]["bearing_deg"] == 0.0


def test_the_cautious_profile_stops_earlier() -> None:
    stop_m = {p: next(x["distance_m"] for x in replayed(walk_to_wall(), p) if x["level"] == "stop") for p in PROFILES}
    assert stop_m["cautious"] > stop_m["default"] + 0.3


def test_every_line_has_the_keys_the_design_names() -> None:
    for line in replayed(walk_to_wall()):
        assert list(line) == ["t_s", "level", "bearing_deg", "distance_m", "closing_mps", "faults"]


def test_silence_between_two_lines_is_a_fault_at_its_own_time() -> None:
    source = [*walk_to_wall()[:10], b'{"t_s": 5.0, "sensor": "rear", "status": "ok", "distance_m": 3.0}\n']
    out = replayed(source)
    assert out[1]["faults"] == ["rear:no_data"]
    assert out[1]["t_s"] == pytest.approx(9 * 0.06 + 0.25)


def test_no_answer_and_nothing_in_range_are_told_apart() -> None:
    def of(status: str) -> list[Any]:
        source = [json.dumps({"t_s": 0.06 * i, "sensor": "rear", "status": status}).encode() for i in range(20)]
        return [line["faults"] for line in replayed(source)]

    assert of("clear") == [[]]
    assert of("no_data")[-1] == ["rear:no_data"]


def test_an_unknown_sensor_is_a_beam_that_looks_straight_back() -> None:
    source = [line.replace(b"rear", b"other") for line in walk_to_wall()]
    out = replayed(source, config=config())
    stops = [line for line in out if line["level"] == "stop"]
    assert stops[0]["bearing_deg"] == 0.0
    assert stops[0]["faults"] == ["rear:no_data"]  # the one the configuration knows never spoke


def test_a_scan_line_guards_as_well() -> None:
    def scan(t_s: float, range_m: float) -> bytes:
        ranges = [range_m if 60 <= i <= 90 else None for i in range(151)]
        line = {"t_s": t_s, "sensor": "scan", "scan": {"start_deg": -60.0, "step_deg": 0.8, "ranges_m": ranges}}
        return json.dumps(line).encode()

    out = replayed([scan(0.1 * i, 4.0 - 0.1 * i) for i in range(30)])
    assert [line["level"] for line in out] == ["clear", "notice", "warn", "stop"]


def test_faults_and_commands_of_a_journal_are_stepped_too() -> None:
    source = [
        b'{"t_s": 0.0, "sensor": "rear", "status": "clear", "now_s": 0.0}\n',
        b'{"t_s": 0.1, "source": "belt", "fault": "write_failed", "active": true, "now_s": 0.1}\n',
        b'{"t_s": 0.2, "cue": "pause", "now_s": 0.2}\n',
    ]
    out = replayed(source)
    assert out[1]["faults"] == ["belt:write_failed"]
    assert out[2]["paused"] is True


def test_the_journals_own_configuration_is_used() -> None:
    header = {"schema": lines.SCHEMA, "version": lines.VERSION, "t_s": 0.0, "config": default_toml()}
    source = [json.dumps(header).encode() + b"\n", *(b'{"now_s": %d.0}\n' % i for i in range(3))]
    assert replayed(source)[-1]["faults"] == ["rear:no_data"]


def test_a_journal_of_another_version_is_refused() -> None:
    with pytest.raises(InputError, match="version 9"):
        replayed([b'{"schema": "rearguard.journal", "version": 9, "t_s": 0.0}\n'])


def test_a_torn_last_line_is_skipped_with_a_note() -> None:
    replay = Replay(None, None)
    out = list(replay.run([*walk_to_wall(), b'{"t_s": 99.0, "sens'], "walk.jsonl"))
    assert len(out) == 5
    assert replay.notes
    assert "torn" in replay.notes[0]


def read(data: bytes) -> tuple[list[bytes], Replay]:
    """A journal's bytes, cut into lines as the command cuts them."""
    replay, file = Replay(None, None), BytesIO(data)
    return list(replay.run(iter(lambda: file.readline(MAX_LINE), b""), "walk.jsonl")), replay


HEADER = lines.header(0.0, "2026-01-01T00:00:00Z", default_toml(), "0.1.0")


@pytest.mark.parametrize("zeros", [1, 4096, MAX_LINE - 100])
def test_zeros_at_the_end_as_a_power_cut_leaves_them_refuse_nothing_of_the_rest(zeros: int) -> None:
    walk = b"".join(walk_to_wall())
    whole, _ = read(walk)
    for torn in (b"", b'{"t_s": 99.0, "sens'):
        out, replay = read(walk + torn + bytes(zeros))
        assert out == whole
        assert replay.notes == ["walk.jsonl: zero bytes in 1 of its lines, as after a power cut; skipped"]


@pytest.mark.parametrize("hole", [(400, 500), (400, 4096), (0, 100)])
def test_a_block_of_zeros_in_the_middle_costs_only_the_lines_it_lies_on(hole: tuple[int, int]) -> None:
    walk = b"".join(walk_to_wall())
    start, end = hole
    _, replay = read(walk[:start] + bytes(end - start) + walk[end:])
    lost = walk[:end].count(b"\n") - walk[:start].count(b"\n") + 1
    assert replay.inputs == walk.count(b"\n") - lost
    assert "zero bytes" in replay.notes[-1]


def test_a_journal_whose_header_is_lost_says_so_and_goes_on() -> None:
    walk = b"".join(walk_to_wall())
    _, replay = read(bytes(len(HEADER) - 1) + b"\n" + walk)
    assert "--config" in replay.notes[0]
    assert replay.inputs == walk.count(b"\n")


def test_wherever_a_journal_is_cut_off_its_whole_lines_are_replayed_and_no_half_one() -> None:
    journal = HEADER + b"".join(walk_to_wall()[:4])
    for end in range(len(HEADER.partition(b":")[0]) + 1, len(journal) + 1):
        _, replay = read(journal[:end])
        whole = journal[:end].count(b"\n") - (end > len(HEADER) - 1)
        assert replay.inputs in (whole, whole + (journal[end - 1 : end] == b"}"))


@pytest.mark.parametrize(
    "bad",
    [
        b"not json\n",
        b"[]\n",
        b"{}\n",
        b'{"t_s": 1.0}\n',
        b'{"t_s": "soon", "sensor": "rear", "status": "ok"}\n',
        b'{"t_s": 1.0, "sensor": "rear", "status": "fine"}\n',
        b'{"t_s": 1.0, "sensor": "scan", "scan": {"start_deg": 0}}\n',
        b'{"t_s": NaN, "sensor": "rear", "status": "ok"}\n',
        b"\xff\xfe\n",
    ],
)
def test_a_line_that_is_none_of_ours_is_answered_with_its_number(bad: bytes) -> None:
    with pytest.raises(InputError, match=r"walk\.jsonl, line 3: not a reading line"):
        list(Replay(None, None).run([*walk_to_wall()[:2], bad, *walk_to_wall()[2:4]], "walk.jsonl"))


def test_a_recording_that_starts_anew_is_a_new_walk() -> None:
    once = replayed(walk_to_wall())
    twice = replayed([*walk_to_wall(), *walk_to_wall()])
    assert [line["level"] for line in twice][-len(once) + 1 :] == [line["level"] for line in once][1:]


def test_the_golden_walk_is_as_it_was() -> None:
    """Regenerate on purpose, in the commit that says why: python tests/golden/make.py."""
    recorded = (GOLDEN / "walk.jsonl").read_bytes().splitlines(keepends=True)
    felt = (GOLDEN / "walk.alerts.jsonl").read_bytes().splitlines(keepends=True)
    assert list(Replay(None, None).run(recorded, "walk.jsonl")) == felt


floats = st.floats(-1e6, 1e6)
inputs: st.SearchStrategy[Input] = st.one_of(
    st.builds(Reading, st.just("a"), floats, st.sampled_from(Status), *[st.none() | floats] * 3),
    st.builds(
        lambda t, start, ranges: Scan("s", t, tuple(start + 0.5 * i for i in range(len(ranges))), ranges),
        floats,
        st.integers(-180, 180).map(float),
        st.lists(st.none() | floats, min_size=2, max_size=9).map(tuple),
    ),
    st.builds(Report, st.just("belt"), floats, st.just("write_failed"), st.booleans()),
    st.builds(Command, floats, st.sampled_from(Cue)),
)


@given(inputs)
def test_every_input_comes_back_from_its_line_as_it_was(item: Input) -> None:
    assert lines.decode(lines.encode(item), "x").input() == item
    assert lines.decode(lines.encode(item, 5.0), "x").now_s == 5.0
