"""Motors that fail as they are driven: the others start all the same, the guard is not held up, and it is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from rearguard.belt import NEVER
from rearguard.belt._drive import Drive, DriveConfig
from rearguard.errors import DeviceLostError

LATEST_S, ROUNDING_S = 0.020, 1e-9
REST = 0.0


class Board:
    """Motors that are handed their duties; some are broken, and the boards of some reset as their motor starts."""

    def __init__(self, *broken: int, flapping: Iterable[int] = (), **keys: Any) -> None:
        self.broken, self.flapping, self.slept = set(broken), set(flapping), 0.0
        self.duties: dict[int, float] = {}
        self.drive = Drive(DriveConfig(driver="any", **keys), 8)

    def one(self, i: int, duty: float) -> None:
        if i in self.broken:
            raise RuntimeError("no answer")
        if i in self.flapping and duty:
            self.drive.stopped(i)
            raise DeviceLostError(f"motor {i + 1} had forgotten its settings")
        self.duties[i] = duty

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        assert self.slept < 1.0, "it never comes back"

    def fails(self, felt: float = 1.0, now_s: float = 5.0) -> DeviceLostError:
        """What eight motors at `felt` are answered with."""
        with pytest.raises(DeviceLostError) as caught:
            self.drive.put([felt] * 8, now_s, self.one, self.sleep)
        return caught.value


def test_a_broken_motor_keeps_none_of_those_that_wait_from_starting() -> None:
    board = Board(3)
    error = board.fails()
    assert str(error) == "belt: motor 4 cannot be driven: no answer"
    assert error.partly, "the watchdog is fed: a restart would silence seven motors"
    assert board.duties == {i: 1.0 for i in range(8) if i != 3}
    assert board.slept == pytest.approx(LATEST_S)


def test_a_board_that_is_gone_altogether_holds_nobody_up() -> None:
    board = Board(*range(8))
    error = board.fails()
    assert not error.partly, "the watchdog is not fed"
    assert board.slept == 0.0


@pytest.mark.parametrize("flapping", [{3}, {0, 1, 2, 3}, {2, 3, 4, 5}, set(range(8))])
def test_boards_that_reset_as_their_motor_starts_hold_the_guard_up_for_20_ms_at_most(flapping: set[int]) -> None:
    board = Board(flapping=flapping)
    for now in (5.0, 5.25):
        board.slept = 0.0
        error = board.fails(now_s=now)
        assert board.slept <= LATEST_S + ROUNDING_S
    assert error.partly is (len(flapping) < 8)
    assert {i: board.duties[i] for i in range(8) if i not in flapping} == dict.fromkeys(set(range(8)) - flapping, 1.0)


def test_a_failure_is_told_though_all_is_well_by_the_time_that_the_last_motor_starts() -> None:
    board, told_once = Board(), [DeviceLostError("motor 4 was too hot")]

    def one(i: int, duty: float) -> None:
        if i == 3 and told_once:
            raise told_once.pop()
        board.one(i, duty)

    with pytest.raises(DeviceLostError, match="motor 4 was too hot"):
        board.drive.put([1.0] * 8, 5.0, one, board.sleep)
    assert board.duties == dict.fromkeys(range(8), 1.0)


def test_a_failure_says_when_the_kicks_of_the_other_motors_end() -> None:
    board = Board(3, kick_s=0.04)
    assert board.fails(0.5).again_s == pytest.approx(5.04), "of those that started first"
    assert board.fails(0.5, 5.04).again_s == pytest.approx(5.05)
    assert board.fails(0.5, 5.06).again_s == NEVER
    assert board.duties == {i: 0.5 for i in range(8) if i != 3}


def test_a_board_that_keeps_resetting_is_not_asked_for_again_before_the_next_beat() -> None:
    assert Board(flapping={0, 1, 2, 3}).fails().again_s == NEVER


def test_a_motor_that_was_set_up_while_another_is_broken_soon_starts() -> None:
    board, was_off = Board(3), {5}

    def one(i: int, duty: float) -> None:
        if i in was_off:
            was_off.remove(i)
            board.drive.stopped(i)
        board.one(i, duty)

    with pytest.raises(DeviceLostError) as caught:
        board.drive.put([REST, REST, REST, REST, REST, 1.0, REST, REST], 5.0, one, board.sleep)
    assert caught.value.again_s == pytest.approx(5.01)
