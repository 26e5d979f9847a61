"""The guard from self-test to goodbye, turned by hand on a clock of its own."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rearguard.core.reading import Command, Cue
from rearguard.core.threat import Level
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.service import Guard
from support import HandGuard, config, ok

ALL, NONE = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)


def armed(hand: HandGuard) -> HandGuard:
    """Through self-test and ready pattern, with a sensor that sees a far wall."""
    hand.guard.begin()
    start = hand.clock.now()
    hand.until(start + 3.0, [ok(start + 0.06 * i, 3.5) for i in range(49)])
    assert hand.guard.armed
    return hand


def steady(hand: HandGuard, seconds: float, distance_m: float = 3.5, speed_mps: float = 0.0) -> list[object]:
    start = hand.clock.now()
    count = int(seconds / 0.06)
    return [ok(start + 0.06 * i, max(distance_m - speed_mps * 0.06 * i, 0.03)) for i in range(1, count)]


@pytest.fixture
def told(mocker) -> list[str]:
    """What systemd has been told; test_notify.py shows that it gets there."""
    said: list[str] = []

    def send(_: object, word: str) -> bool:
        said.append(word)
        return True

    mocker.patch("rearguard.notify.Notifier.send", send)
    return said


def words(said: list[str]) -> list[str]:
    """What was told since the last call."""
    found = said[:]
    said.clear()
    return found


def test_self_test_then_ready_each_give_every_motor_once_from_left_to_right() -> None:
    hand = HandGuard()
    hand.guard.begin()
    start = hand.clock.now()
    seen = hand.until(start + 2.0, [ok(start + 0.06 * i, 3.5) for i in range(33)])
    pulses = [m for (_, before), (_, m) in pairwise([(0.0, NONE), *seen]) if m not in (before, NONE)]
    one_by_one = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    assert pulses == one_by_one + one_by_one


def test_ready_is_not_felt_while_a_sensor_is_silent_and_the_fault_is() -> None:
    hand = HandGuard()
    hand.guard.begin()
    seen = hand.until(hand.clock.now() + 2.0)
    assert not hand.guard.armed
    assert any(motors == ALL for _, motors in seen)
    assert hand.buzzer() or any(motors == ALL for _, motors in seen[-20:])


def test_a_sensor_that_comes_late_arms_the_guard_then() -> None:
    hand = HandGuard()
    hand.guard.begin()
    hand.until(hand.clock.now() + 5.0)
    late = hand.clock.now()
    hand.until(late + 3.0, [ok(late + 0.06 * i, 3.5) for i in range(1, 49)])
    assert hand.guard.armed


def test_systemd_is_told_ready_once_then_fed_at_least_every_half_second(told: list[str]) -> None:
    hand = armed(HandGuard())
    first = words(told)
    assert first.count("READY=1") == 1
    assert "STATUS=self-test" in first
    hand.until(hand.clock.now() + 3.0, steady(hand, 3.0))
    assert words(told).count("WATCHDOG=1") >= 6


def test_ready_is_told_even_with_a_dead_sensor_for_a_restart_would_not_mend_it(told: list[str]) -> None:
    hand = HandGuard()
    hand.guard.begin()
    hand.until(hand.clock.now() + 5.0)
    said = words(told)
    assert said.count("READY=1") == 1
    assert any("rear:no_data" in word for word in said if word.startswith("STATUS="))


def test_the_watchdog_is_not_fed_while_the_motors_cannot_be_driven(told: list[str], mocker) -> None:
    hand = armed(HandGuard())
    words(told)
    mocker.patch.object(hand.guard._belt, "write", side_effect=DeviceLostError("belt: gone"))
    hand.until(hand.clock.now() + 3.0, steady(hand, 3.0))
    assert "WATCHDOG=1" not in words(told)


def test_a_belt_that_cannot_be_driven_is_a_fault_on_the_buzzer_until_it_can(mocker) -> None:
    hand = armed(HandGuard())
    broken = mocker.patch.object(hand.guard._belt, "write", side_effect=DeviceLostError("belt: gone"))
    hand.turn([ok(hand.clock.now(), 3.5)], after_s=0.5)  # the belt is written at least this often
    tick = hand.turn([ok(hand.clock.now(), 3.5)], after_s=0.01)
    assert "belt:write_failed" in tick.alert.faults
    assert hand.buzzer()
    assert hand.turn(after_s=0.3).frame.buzzer
    mocker.stop(broken)
    hand.turn(after_s=0.5)
    assert "belt:write_failed" not in hand.turn(after_s=0.01).alert.faults


def test_a_wall_is_felt_on_all_motors_as_stop() -> None:
    hand = armed(HandGuard())
    seen = hand.until(hand.clock.now() + 3.2, steady(hand, 3.2, 3.5, 1.0))
    assert any(motors == ALL for _, motors in seen)


def test_motors_rest_after_an_exception_in_the_core(mocker) -> None:
    hand = HandGuard()
    mocker.patch.object(hand.guard, "_take", side_effect=[[Command(100.0, Cue.SELF_TEST)], RuntimeError("a defect")])
    with pytest.raises(RuntimeError, match="a defect"):
        hand.guard.run()
    assert hand.motors() == NONE
    assert not hand.buzzer()


def test_motors_were_on_before_that_exception(mocker) -> None:
    """Guards the test above against passing for nothing."""
    hand = HandGuard()
    states: list[tuple[float, ...]] = []

    def take() -> list[Command]:
        states.append(hand.motors())
        if len(states) > 1:
            raise RuntimeError("a defect")
        return [Command(100.0, Cue.SELF_TEST)]

    mocker.patch.object(hand.guard, "_take", side_effect=take)
    with pytest.raises(RuntimeError):
        hand.guard.run()
    assert states[1] == (1.0, 0.0, 0.0)


def test_goodbye_is_two_long_pulses_then_rest_and_the_end(told: list[str]) -> None:
    hand = armed(HandGuard())
    hand.guard.stop()
    start = hand.clock.now()
    seen = hand.until(start + 5.0, steady(hand, 4.0))
    assert hand.guard.over
    rises = [t for (_, before), (t, now) in pairwise(seen) if now == ALL and before != ALL]
    first_on = seen[0][1] == ALL
    assert len(rises) + first_on == 2
    hand.guard.finish()
    assert hand.motors() == NONE
    assert "STOPPING=1" in words(told)


def test_pause_is_felt_and_mutes_until_it_ends_by_itself() -> None:
    hand = armed(HandGuard())
    start = hand.clock.now()
    hand.guard._press(Cue.PAUSE)
    assert any(motors == ALL for _, motors in hand.until(start + 0.5, steady(hand, 0.5)))
    near = [ok(start + 0.5 + 0.06 * i, max(3.0 - 0.06 * i, 0.7)) for i in range(1, 40)]
    tick = None
    for item in near:
        hand.clock.sleep(item.t_s - hand.clock.now())
        tick = hand.turn([item])
    assert tick is not None
    assert tick.alert.paused
    hand.until(start + 20.5, [ok(start + 3.0 + 0.06 * i, 0.7) for i in range(300)])
    assert not hand.turn([ok(hand.clock.now(), 0.7)]).alert.paused


def test_the_guard_sleeps_when_no_sensor_data_is_due() -> None:
    """Without input it turns four times a second, to prove that the motors can be driven, and no oftener."""
    hand = armed(HandGuard(config(sensor={"rear": {"driver": "hcsr04", "trigger_pin": 23, "echo_pin": 24}})))
    start = hand.clock.now()
    turns = len(hand.until(start + 60.0))
    edges = 60 / 5 * 6  # of the fault pattern: the sensor is silent
    assert turns <= 4 * 60 + edges + 10


def test_a_long_press_tests_every_motor_and_ends_in_ready() -> None:
    hand = armed(HandGuard())
    start = hand.clock.now()
    hand.guard._press(Cue.SELF_TEST)
    seen = hand.until(start + 2.0, [ok(start + 0.06 * i, 3.5) for i in range(1, 33)])
    pulses = [now for (_, before), (_, now) in pairwise([(start, NONE), *seen]) if now not in (before, NONE)]
    one_by_one = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    assert pulses == one_by_one + one_by_one


def test_a_pin_factory_that_is_not_there_is_refused_before_anything_moves(mocker) -> None:
    guard = Guard(config(pin_factory="lgpio"))
    mocker.patch.dict("sys.modules", {"lgpio": None, "gpiozero.pins.lgpio": None})
    with pytest.raises(DeviceOpenError, match="lgpio"):
        guard.run()


def test_levels_reach_the_status_line(told: list[str]) -> None:
    hand = armed(HandGuard())
    words(told)
    hand.until(hand.clock.now() + 3.2, steady(hand, 3.2, 3.5, 1.0))
    said = [word for word in words(told) if word.startswith("STATUS=")]
    levels = [level.name for level in Level if any(level.name in word for word in said)]
    assert levels == ["NOTICE", "WARN", "STOP"]


def test_started_by_hand_missing_pins_are_told_as_such_and_not_as_a_sensor(mocker) -> None:
    guard = Guard(config(pin_factory="lgpio"))
    mocker.patch.dict("sys.modules", {"lgpio": None, "gpiozero.pins.lgpio": None})
    with pytest.raises(DeviceOpenError, match=r"^pin_factory 'lgpio'"):
        guard.check_sensors()
