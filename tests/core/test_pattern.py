"""What the wearer feels, measured frame by frame against the design's table."""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby, product
from math import inf

import pytest

from core.worlds import MOTORS
from rearguard.core.alert import Alert
from rearguard.core.pattern import BeltFrame, Renderer
from rearguard.core.reading import Cue
from rearguard.core.threat import Level

START_S = 12.3
NONE, ALL = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
LEFT, BACK, RIGHT = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
CLEAR, NOTICE, WARN, STOP = (Alert(level, 80.0) for level in Level)
DEAD = ("left:no_data",)
FAULT = Alert(Level.CLEAR, faults=DEAD)
PAUSED = Alert(Level.CLEAR, paused=True)
THREE_LONG = [(ALL, 500), (NONE, 300), (ALL, 500), (NONE, 300), (ALL, 500)]

Runs = list[tuple[tuple[float, ...], int]]


def at(ms: float) -> float:
    return START_S + ms / 1000


def sampled(renderer: Renderer, alert: Alert, ms: int) -> list[BeltFrame]:
    """The frame of each millisecond."""
    return [renderer.render(alert, at(i))[0] for i in range(ms)]


def woken(renderer: Renderer, alert: Alert, ms: int) -> list[BeltFrame]:
    """The frame that stands at each millisecond when it is rendered only at the times it asked for."""
    edges, frames, now = [], [], START_S
    while now < at(ms):
        frame, wake = renderer.render(alert, now)
        assert wake > now
        edges.append(now)
        frames.append(frame)
        now = wake
    return [frames[bisect_right(edges, at(i) + 1e-6) - 1] for i in range(ms)]


def runs(frames: list[BeltFrame]) -> Runs:
    """What the motors do and for how many ms, one after the other."""
    return [(duties, len(list(same))) for duties, same in groupby(frame.duties for frame in frames)]


def heard(frames: list[BeltFrame]) -> list[tuple[bool, int]]:
    return [(on, len(list(same))) for on, same in groupby(frame.buzzer for frame in frames)]


def played(cue: Cue | None) -> Renderer:
    renderer = Renderer(MOTORS)
    if cue is not None:
        renderer.cue(cue, START_S)
    return renderer


TABLE: dict[str, tuple[Alert, Cue | None, Runs]] = {
    "notice: 100 ms once, then every 2 s": (NOTICE, None, [(RIGHT, 100), (NONE, 1900), (RIGHT, 100), (NONE, 1900)]),
    "warn: 120 ms on, 250 ms off": (WARN, None, [(RIGHT, 120), (NONE, 250)] * 5),
    "stop: 150 ms on, 80 ms off": (STOP, None, [(ALL, 150), (NONE, 80)] * 5),
    "fault: three long, every 5 s": (FAULT, None, [*THREE_LONG, (NONE, 2900), *THREE_LONG, (NONE, 2900)]),
    "ready: each motor once, left to right": (
        CLEAR, Cue.READY, [(LEFT, 150), (NONE, 100), (BACK, 150), (NONE, 100), (RIGHT, 150), (NONE, 5000)]
    ),
    "self-test: each motor shortly, left to right": (
        CLEAR, Cue.SELF_TEST, [(LEFT, 60), (NONE, 60), (BACK, 60), (NONE, 60), (RIGHT, 60), (NONE, 5000)]
    ),
    "goodbye: two long": (CLEAR, Cue.GOODBYE, [(ALL, 500), (NONE, 300), (ALL, 500), (NONE, 5000)]),
    "pause: four taps": (CLEAR, Cue.PAUSE, [*([(ALL, 60), (NONE, 100)] * 3), (ALL, 60), (NONE, 5000)]),
    "paused: a double tap, every 5 s": (PAUSED, None, [(ALL, 60), (NONE, 100), (ALL, 60), (NONE, 4780)] * 2),
}  # fmt: skip


@pytest.mark.parametrize("way", [sampled, woken])
@pytest.mark.parametrize(("alert", "cue", "expected"), TABLE.values(), ids=TABLE.keys())
def test_each_meaning_has_its_rhythm_and_place(alert: Alert, cue: Cue | None, expected: Runs, way: object) -> None:
    frames = way(played(cue), alert, sum(ms for _, ms in expected))  # type: ignore[operator]
    assert runs(frames) == expected


def test_only_a_fault_and_the_self_test_are_heard() -> None:
    for name, (alert, cue, expected) in TABLE.items():
        frames = sampled(played(cue), alert, sum(ms for _, ms in expected))
        assert any(frame.buzzer for frame in frames) is name.startswith(("fault", "self-test"))
        assert {frame.duties for frame in frames if frame.buzzer} <= {NONE if cue else ALL}


@pytest.mark.parametrize("motors", [MOTORS, []])
def test_a_self_test_ends_with_the_buzzer_by_itself(motors: list[float]) -> None:
    renderer = Renderer(motors)
    renderer.cue(Cue.SELF_TEST, START_S)
    before_ms = 120 * len(motors)
    assert heard(sampled(renderer, CLEAR, before_ms + 500))[-2:] == [(True, 60), (False, 440)]
    assert renderer.playing() is None


def test_a_fault_in_a_self_test_is_heard_all_the_same() -> None:
    assert heard(sampled(played(Cue.SELF_TEST), FAULT, 480)) == [(True, 480)]


def test_nothing_to_be_felt_is_silence_that_asks_for_no_wake_up() -> None:
    assert Renderer(MOTORS).render(Alert(Level.CLEAR), 5.0) == (BeltFrame(NONE), inf)


def test_a_rhythm_that_has_run_for_an_hour_still_keeps_its_time() -> None:
    renderer = Renderer(MOTORS)
    renderer.render(WARN, START_S)
    frames = [renderer.render(WARN, at(i + 370 * 10_000))[0] for i in range(740)]
    assert runs(frames) == [(RIGHT, 120), (NONE, 250)] * 2


@pytest.mark.parametrize(
    ("bearing", "motor"),
    [(None, BACK), (0.0, BACK), (44.0, BACK), (46.0, RIGHT), (90.0, RIGHT), (-50.0, LEFT), (179.0, RIGHT),
     (181.0, LEFT), (-179.0, LEFT), (-181.0, RIGHT), (350.0, BACK), (271.0, LEFT), (720.0, BACK)],
)  # fmt: skip
@pytest.mark.parametrize("level", [Level.NOTICE, Level.WARN])
def test_the_motor_nearest_in_bearing_is_the_one_that_tells(
    level: Level, bearing: float | None, motor: tuple[float, ...]
) -> None:
    assert Renderer(MOTORS).render(Alert(level, bearing), START_S)[0].duties == motor


def test_on_a_ring_of_motors_the_nearest_is_found_across_the_front() -> None:
    ring = Renderer([-135.0, -45.0, 45.0, 135.0])
    assert [ring.nearest(b) for b in (-170.0, 170.0, 200.0, -200.0, -10.0, 10.0)] == [0, 3, 0, 3, 1, 2]


def test_the_place_follows_a_danger_that_moves_without_a_new_start_of_the_rhythm() -> None:
    renderer = Renderer(MOTORS)
    renderer.render(Alert(Level.WARN, -90.0), at(0))
    assert renderer.render(Alert(Level.WARN, 90.0), at(60))[0].duties == RIGHT
    assert renderer.render(Alert(Level.WARN, 90.0), at(130))[0].duties == NONE


@pytest.mark.parametrize("level", [Level.NOTICE, Level.WARN, Level.STOP])
def test_a_worse_level_is_felt_at_once(level: Level) -> None:
    for ms in range(0, 2000, 50):
        renderer = Renderer(MOTORS)
        renderer.render(Alert(Level(level - 1), 0.0), at(0))
        assert any(renderer.render(Alert(level, 0.0), at(ms))[0].duties)


@pytest.mark.parametrize("cue", [Cue.READY, Cue.SELF_TEST, Cue.PAUSE])
def test_a_stop_breaks_into_a_cue_and_a_fault(cue: Cue) -> None:
    renderer = Renderer(MOTORS)
    renderer.cue(cue, START_S - 0.1)
    renderer.render(FAULT, START_S - 0.1)
    assert runs(sampled(renderer, Alert(Level.STOP, 80.0, faults=DEAD), 690)) == [(ALL, 150), (NONE, 80)] * 3


def test_a_warning_breaks_into_a_fault() -> None:
    renderer = Renderer(MOTORS)
    renderer.render(FAULT, START_S - 0.1)
    assert runs(sampled(renderer, Alert(Level.WARN, 80.0, faults=DEAD), 740)) == [(RIGHT, 120), (NONE, 250)] * 2


def test_a_fault_under_a_stop_is_still_on_the_buzzer() -> None:
    frames = sampled(Renderer(MOTORS), Alert(Level.STOP, 0.0, faults=DEAD), 5500)
    on, off = (True, 500), (False, 300)
    assert heard(frames) == [on, off, on, off, on, (False, 2900), on]


def test_a_notice_is_felt_between_the_pulses_of_a_fault() -> None:
    frames = sampled(Renderer(MOTORS), Alert(Level.NOTICE, 80.0, faults=DEAD), 5000)
    assert runs(frames) == [*THREE_LONG, (NONE, 1900), (RIGHT, 100), (NONE, 900)]


def test_a_fault_waits_until_a_cue_is_over() -> None:
    renderer = played(Cue.READY)
    frames = sampled(renderer, FAULT, 1000)
    assert runs(frames[:750]) == [(LEFT, 150), (NONE, 100), (BACK, 150), (NONE, 100), (RIGHT, 150), (NONE, 100)]
    assert runs(frames[750:]) == [(NONE, 50), (ALL, 200)]
    assert frames[0].buzzer


def test_goodbye_is_felt_even_in_a_stop_for_the_guard_ends() -> None:
    assert runs(sampled(played(Cue.GOODBYE), STOP, 1600)) == [(ALL, 500), (NONE, 300), (ALL, 500), (NONE, 300)]


def test_a_second_fault_does_not_start_the_rhythm_again() -> None:
    renderer = Renderer(MOTORS)
    sampled(renderer, FAULT, 400)
    frame, wake = renderer.render(Alert(Level.CLEAR, faults=(*DEAD, "right:lost")), at(400))
    assert (frame.duties, wake) == (ALL, pytest.approx(at(500)))


def test_a_fault_of_the_journal_is_shown_but_not_felt() -> None:
    assert set(sampled(Renderer(MOTORS), Alert(Level.CLEAR, faults=("journal:full",)), 6000)) == {BeltFrame(NONE)}
    both = Alert(Level.CLEAR, faults=("journal:full", *DEAD))
    assert runs(sampled(Renderer(MOTORS), both, 500)) == [(ALL, 500)]


@pytest.mark.parametrize("level", Level)
def test_while_paused_no_level_is_felt_but_a_fault_is(level: Level) -> None:
    double_tap = [(ALL, 60), (NONE, 100), (ALL, 60), (NONE, 780)]
    assert runs(sampled(Renderer(MOTORS), Alert(level, 80.0, paused=True), 1000)) == double_tap
    faulty = sampled(Renderer(MOTORS), Alert(level, 80.0, faults=DEAD, paused=True), 2100)
    assert runs(faulty) == THREE_LONG


def test_a_cue_is_playing_until_its_last_pause_is_over() -> None:
    renderer = played(Cue.READY)
    assert renderer.playing() is Cue.READY
    renderer.render(CLEAR, at(740))
    assert renderer.playing() is Cue.READY
    renderer.render(CLEAR, at(760))
    assert renderer.playing() is None


@pytest.mark.parametrize(
    ("level", "faults", "paused", "cue"), [*product(Level, [(), DEAD], [False, True], [None, Cue.READY, Cue.GOODBYE])]
)
def test_nothing_changes_between_the_announced_edges(
    level: Level, faults: tuple[str, ...], paused: bool, cue: Cue | None
) -> None:
    alert = Alert(level, -80.0, faults=faults, paused=paused)
    assert woken(played(cue), alert, 2200) == sampled(played(cue), alert, 2200)


def test_a_belt_without_motors_is_silent_and_a_fault_is_still_heard() -> None:
    renderer = Renderer([])
    renderer.cue(Cue.READY, START_S)
    assert renderer.nearest(0.0) == -1
    assert {frame.duties for frame in sampled(renderer, NOTICE, 300)} == {()}
    assert renderer.render(FAULT, at(300))[0] == BeltFrame((), True)
