"""When motors may start: never too many at once, none too late, whatever is asked for and when."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.chips import I2cBus, Pca9685
from contract.rigs import Bench
from rearguard.belt import NEVER, pca9685
from rearguard.belt._drive import Drive, DriveConfig
from rearguard.core.pipeline import Tick
from rearguard.core.reading import Input
from rearguard.core.threat import Level
from rearguard.errors import DeviceLostError
from support import MOCK, HandGuard, config, ok

WINDOW_S, LATEST_S, ROUNDING_S = 0.010, 0.020, 1e-9
REST = 0.0


def drive(count: int, **keys: Any) -> Drive:
    return Drive(DriveConfig(driver="any", **keys), count)


def turning(found: tuple[list[float], float]) -> list[int]:
    return [i for i, duty in enumerate(found[0]) if duty]


def told(belt: Drive, felt: list[float], now: float, until: float = NEVER) -> list[tuple[float, list[float]]]:
    """Ask at `now` and then whenever the answer says, up to before `until`."""
    seen = []
    while now < until:
        duties, again = belt.duties(felt, now)
        seen.append((now, duties))
        assert again > now
        now = again
    return seen


def test_a_stop_on_eight_motors_starts_three_at_a_time_from_the_middle_outward() -> None:
    belt = drive(8)
    assert belt.duties([1.0] * 8, 5.0) == ([0, 0, 1, 1, 1, 0, 0, 0], pytest.approx(5.010))
    assert turning(belt.duties([1.0] * 8, 5.010)) == [1, 2, 3, 4, 5, 6]
    assert belt.duties([1.0] * 8, 5.020) == ([1.0] * 8, NEVER)


def test_three_motors_start_at_once() -> None:
    assert drive(3).duties([1.0] * 3, 5.0) == ([1.0] * 3, NEVER)


@pytest.mark.parametrize(
    ("count", "together", "starts"),
    [(5, 3, [3, 5]), (8, 1, [3, 6, 8]), (8, 4, [4, 8]), (8, 16, [8]), (16, 3, [6, 12, 16]), (9, 3, [3, 6, 9])],
)
def test_a_whole_belt_turns_within_20_ms_however_few_may_start_together(
    count: int, together: int, starts: list[int]
) -> None:
    seen = told(drive(count, start_together=together), [1.0] * count, 5.0)
    assert [len([d for d in duties if d]) for _, duties in seen] == starts
    assert seen[-1][0] <= 5.0 + LATEST_S + ROUNDING_S


def test_motors_that_turn_already_do_not_count() -> None:
    belt = drive(6)
    belt.duties([1, 1, 1, 0, 0, 0], 5.0)
    assert belt.duties([1.0] * 6, 5.5) == ([1.0] * 6, NEVER)


def test_a_start_just_before_leaves_room_for_fewer() -> None:
    belt = drive(4)
    belt.duties([0, 0, 0, 1], 5.0)
    assert turning(belt.duties([1.0] * 4, 5.004)) == [1, 2, 3]
    assert turning(belt.duties([1.0] * 4, 5.010)) == [0, 1, 2, 3], "as soon as the first start is 10 ms ago"


def test_a_motor_that_waits_and_is_no_longer_asked_for_does_not_start() -> None:
    belt = drive(8)
    belt.duties([1.0] * 8, 5.0)
    assert belt.duties([0.0] * 8, 5.005) == ([REST] * 8, NEVER)
    assert belt.duties([0.0] * 8, 5.010) == ([REST] * 8, NEVER)


def test_a_pulse_ends_when_asked_however_late_it_began() -> None:
    belt = drive(8)
    told(belt, [1.0] * 8, 5.0)
    assert belt.duties([0.0] * 8, 5.021) == ([REST] * 8, NEVER)


def test_who_waits_longest_starts_first() -> None:
    belt = drive(6, start_together=1)  # a third of the belt: two
    belt.duties([1, 1, 1, 0, 0, 0], 5.0)  # the one at the left end waits
    assert turning(belt.duties([1, 1, 1, 1, 1, 0], 5.010)) == [0, 1, 2, 3]


def test_a_motor_that_was_off_for_a_moment_goes_on_at_once() -> None:
    belt = drive(3, start_together=1)
    belt.duties([0, 1, 0], 5.0)
    belt.duties([0, 0, 0], 5.001)
    assert turning(belt.duties([1, 1, 0], 5.002)) == [1], "it coasts, and takes no room"
    assert turning(belt.duties([1, 1, 0], 5.010)) == [0, 1]


def test_the_kick_begins_when_the_motor_starts_and_not_when_it_was_asked_for() -> None:
    belt = drive(2, start_together=1, kick_s=0.04)
    belt.duties([0.5, 0.5], 5.0)
    duties, again = belt.duties([0.5, 0.5], 5.010)
    assert (duties, again) == ([1.0, 1.0], pytest.approx(5.040))
    assert belt.duties([0.5, 0.5], again) == ([0.5, 1.0], pytest.approx(5.050))
    assert belt.duties([0.5, 0.5], 5.050) == ([0.5, 0.5], NEVER)


def test_a_motor_that_its_board_let_stop_starts_again_in_its_turn() -> None:
    belt = drive(3, start_together=1)
    told(belt, [1.0] * 3, 5.0)
    for i in range(3):
        belt.stopped(i)
    assert [len([d for d in duties if d]) for _, duties in told(belt, [1.0] * 3, 6.0)] == [1, 2, 3]


STEPS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0005, 0.001, 0.004, 0.009, 0.010, 0.011, 0.03]), st.integers(0, 2**8 - 1)),
    min_size=1,
    max_size=12,
)


@given(steps=STEPS, count=st.integers(1, 8), together=st.integers(1, 5))
def test_whatever_is_asked_no_10_ms_hold_too_many_starts_and_none_waits_longer_than_20(
    steps: list[tuple[float, int]], count: int, together: int
) -> None:
    belt, now = drive(count, start_together=together), 5.0
    most = max(together, -(-count // 3))
    starts: list[float] = []
    off_s, asked_s = [-NEVER] * count, [NEVER] * count
    was, had = [REST] * count, [False] * count
    for (_, mask), pause in zip(steps, [*(step[0] for step in steps[1:]), NEVER], strict=True):
        wanted = [bool(mask >> i & 1) for i in range(count)]
        for t, duties in told(belt, [float(w) for w in wanted], now, now + pause if pause else now + 1e-12):
            for i in range(count):
                asked_s[i] = t if wanted[i] and not had[i] else asked_s[i]
                assert not duties[i] or wanted[i], "a motor that is not asked for is at rest"
                if wanted[i] and not duties[i]:
                    assert t < asked_s[i] + LATEST_S - ROUNDING_S, f"motor {i} waits too long"
                if duties[i] and not was[i]:
                    assert t <= asked_s[i] + LATEST_S + ROUNDING_S, f"motor {i} starts too late"
                    if t >= off_s[i] + WINDOW_S:
                        starts.append(t)
                off_s[i] = t if was[i] and not duties[i] else off_s[i]
            was, had = duties, wanted
        now += pause
    for first, after in zip(starts, starts[most:], strict=False):
        assert after - first >= WINDOW_S - ROUNDING_S, f"more than {most} starts in 10 ms"


def test_after_a_dip_that_reset_their_board_motors_start_in_turn_or_it_would_dip_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, chip = I2cBus(), Pca9685()
    bus.chips[0x40] = chip
    monkeypatch.setattr("smbus2.SMBus", bus.smbus)
    belt = pca9685.Belt(config(EIGHT).belt, bench.host)
    belt.open()
    for now in (5.0, 5.01, 5.02):
        belt.write([1.0] * 8, now)
    chip.power_cycle()
    with pytest.raises(DeviceLostError):
        belt.write([1.0] * 8, 6.0)
    assert belt.write([1.0] * 8, 6.0) == pytest.approx(6.01), "the guard writes at once again when it has failed"
    assert [chip.duty(i) for i in range(8)] == [0, 0, 1, 1, 1, 0, 0, 0]
    belt.close()


EIGHT = (
    MOCK[: MOCK.index("[belt]")]
    + "[journal]\nenabled = false\n[belt]\ndriver = 'pca9685'\n"
    + "".join(f"motor.m{i} = {{ channel = {i}, bearing_deg = {-105 + 30 * i} }}\n" for i in range(8))
)


class EightMotors(HandGuard):
    """The guard with an emulated PCA9685, and when its alert was STOP."""

    chip: Pca9685
    stops: list[float]

    def motors(self) -> tuple[float, ...]:
        return tuple(self.chip.duty(i) for i in range(8))

    def turn(self, inputs: Iterable[Input] = (), after_s: float = 0.0) -> Tick:
        tick = super().turn(inputs, after_s)
        self.stops += [self.clock.now()] if tick.alert.level is Level.STOP else []
        return tick


def test_a_stop_reaches_eight_motors_through_the_guard_within_20_ms_three_in_any_10(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand, bus = EightMotors(config(EIGHT)), I2cBus()
    written: list[tuple[float, list[bool]]] = [(0.0, [False] * 8)]

    class Chip(Pca9685):
        def write(self, register: int, data: list[int]) -> None:
            super().write(register, data)
            written.append((hand.clock.now(), [bool(self.duty(i)) for i in range(8)]))

    hand.chip, hand.stops = Chip(), []
    bus.chips[0x40] = hand.chip
    monkeypatch.setattr("smbus2.SMBus", bus.smbus)
    hand.guard.begin()
    walk_s = hand.clock.now() + 4.0  # self-test and ready are over by then
    hand.until(walk_s, (ok(walk_s - 4.0 + 0.06 * i, 3.5) for i in range(67)))
    assert not any(hand.motors())
    hand.until(walk_s + 2.4, (ok(walk_s + 0.06 * i, 3.5 - 1.2 * 0.06 * i) for i in range(40)))
    hand.guard.finish()
    stop_s = hand.stops[0]
    starts = [
        (t, i) for (_, was), (t, now) in pairwise(written) for i in range(8) if now[i] and not was[i] and t >= walk_s
    ]
    of_stop = [(t, i) for t, i in starts if stop_s <= t < stop_s + 0.15]  # in its first pulse
    assert len({i for _, i in of_stop}) >= 7, "the nearest may turn already, of the WARN before"
    assert max(t for t, _ in of_stop) <= stop_s + LATEST_S + ROUNDING_S
    for (first, _), (after, _) in zip(starts, starts[3:], strict=False):
        assert after - first >= WINDOW_S - ROUNDING_S
