"""Motors turn only on request, and never on a belt that a service holds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from gpiozero import DigitalOutputDevice

from contract.rigs import break_pin, mend_pin
from doctor.fake_pi import PINS, Pi
from rearguard.belt.gpio_pwm import Belt
from rearguard.bench.sensing.wires import VirtualClock
from rearguard.doctor.examine import examine, visit_for
from rearguard.doctor.finding import Verdict
from rearguard.host import RealClock

OK, WARNING, FAILURE, SKIPPED = Verdict


class WatchedClock(VirtualClock):
    """Notes what the motors do whenever time passes."""

    def __init__(self, pi: Pi) -> None:
        super().__init__(100.0)
        self._pi = pi
        self.seen: list[tuple[float, ...]] = []

    def sleep(self, seconds: float) -> None:
        now = tuple(self._pi.factory.pin(pin).state for pin in (13, 19))
        self.seen += [now] if self.seen[-1:] != [now] else []
        super().sleep(seconds)


@pytest.fixture
def worn(pi: Pi) -> Pi:
    """A belt whose motors are watched, left and right."""
    pi.configure(PINS.format(trigger=23, echo=24))
    pi.clock = WatchedClock(pi)
    return pi


def test_motors_rest_unless_asked_for(worn: Pi) -> None:
    found = worn.examine()("motors.belt")
    assert (found.verdict, found.mend) == (SKIPPED, "rearguard selftest")
    assert worn.clock.seen == []


def test_motors_buzz_one_after_the_other_from_left_to_right_and_rest(worn: Pi) -> None:
    found = [finding for finding in worn.examine(buzz=True) if finding.check.startswith("motors")]
    assert [(finding.check, finding.verdict) for finding in found] == [("motors.left", OK), ("motors.right", OK)]
    assert "90 degrees left" in found[0].what
    assert worn.clock.seen == [(1, 0), (0, 0), (0, 1), (0, 0)]


def test_each_motor_is_told_before_the_next_one_turns(worn: Pi) -> None:
    seen = [
        list(worn.clock.seen)
        for finding in examine(visit_for(worn.machine, None, False, True), ("motors.belt",))
        if finding.check.startswith("motors")
    ]
    assert seen == [[(1, 0), (0, 0)], [(1, 0), (0, 0), (0, 1), (0, 0)]]


def test_the_buzzer_sounds_after_the_motors_even_when_they_cannot_be_driven(worn: Pi) -> None:
    worn.configure(PINS.format(trigger=23, echo=24) + "[buzzer]\npin = 25\n")
    break_pin(worn.factory.pin(19), ("_set_state",))
    found = worn.examine(buzz=True)
    mend_pin(worn.factory.pin(19))
    assert found("motors.belt").verdict is FAILURE
    assert found("motors.buzzer").verdict is OK
    assert [state for _, state in worn.factory.pin(25).states] == [False, True, False]


def test_a_buzzer_whose_pin_is_taken_is_a_failure(worn: Pi) -> None:
    worn.configure(PINS.format(trigger=23, echo=24) + "[buzzer]\npin = 25\n")
    with DigitalOutputDevice(25, pin_factory=worn.factory):
        found = worn.examine(buzz=True)
    assert found("motors.buzzer").verdict is FAILURE
    assert "25" in found("motors.buzzer").what


def test_motors_of_a_running_service_are_its_own(worn: Pi) -> None:
    worn.shown["ActiveState"] = "active"
    found = worn.examine(buzz=True)("motors.belt")
    assert found.verdict is SKIPPED
    assert found.mend.startswith("sudo systemctl stop rearguard")
    assert worn.clock.seen == []


def test_a_motor_that_cannot_be_driven_is_a_failure(worn: Pi) -> None:
    break_pin(worn.factory.pin(19), ("_set_state",))
    found = worn.examine(buzz=True)("motors.belt")
    mend_pin(worn.factory.pin(19))
    assert found.verdict is FAILURE


def test_a_board_so_slow_that_its_answer_comes_late_is_no_failure(worn: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Belt.write

    def slow(belt: Belt, duties: Sequence[float], now_s: float) -> float:
        again = write(belt, duties, now_s)
        VirtualClock.sleep(worn.clock, 0.7)  # longer than a motor is on
        return again

    monkeypatch.setattr(Belt, "write", slow)
    monkeypatch.setattr(worn.clock, "sleep", lambda seconds: RealClock().sleep(min(seconds, 0.0)))
    assert worn.examine(buzz=True)("motors.right").verdict is OK
