"""What presses of the button mean, by their times alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from contract.kernel import HEADER, Kernel
from rearguard.core.reading import Cue
from rearguard.gpiochip import Line
from rearguard.panel import NEVER, Button, ButtonConfig, Finger

BUTTON = 17
HELD = ButtonConfig(pin=BUTTON, long_press_s=1.5, power_off_s=5.0)


@pytest.fixture
def presses() -> list[Cue]:
    """What was asked for, in order."""
    return []


@pytest.fixture
def finger(presses: list[Cue]) -> Finger:
    return Finger(HELD, presses.append)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(tmp_path, {0: HEADER})
    yield made
    made.close()


class Held:
    """A button on a line of the kernel, and a clock that is turned by hand; its thread does not run."""

    def __init__(self, kernel: Kernel, presses: list[Cue]) -> None:
        self.now = 100.0
        self.line = Line(kernel.path(), BUTTON, "up", ioctl=kernel.ioctl)
        self.wire = kernel.lines[BUTTON]
        self.wire.high = True
        self.button = Button(HELD, self.line, presses.append, lambda: self.now)

    def edge(self, t_s: float, level: int, now: float) -> None:
        """It happened at `t_s` and is seen at `now`."""
        self.wire.edge(round(t_s * 1e9), level)
        self.turn(now)

    def turn(self, now: float) -> None:
        self.now = now
        self.button.turn()


@pytest.fixture
def held(kernel: Kernel, presses: list[Cue]) -> Iterator[Held]:
    made = Held(kernel, presses)
    yield made
    made.line.close()


def test_a_release_before_the_long_press_is_a_pause(finger: Finger, presses: list[Cue]) -> None:
    finger.edge(10.0, 0)
    assert presses == []
    finger.edge(11.49, 1)
    assert presses == [Cue.PAUSE]


def test_a_long_press_is_a_self_test_while_held_and_no_pause_after_it(finger: Finger, presses: list[Cue]) -> None:
    finger.edge(10.0, 0)
    assert finger.due_s == 11.5
    finger.hold(11.4)
    assert presses == []
    finger.hold(11.5)
    assert presses == [Cue.SELF_TEST]
    finger.edge(12.0, 1)
    assert presses == [Cue.SELF_TEST]


def test_a_hold_that_goes_on_is_a_self_test_and_then_a_goodbye_and_nothing_more(
    finger: Finger, presses: list[Cue]
) -> None:
    finger.edge(10.0, 0)
    finger.hold(11.5)
    assert finger.due_s == 15.0
    finger.hold(15.0)
    assert finger.due_s == NEVER
    finger.hold(100.0)
    finger.edge(101.0, 1)
    assert presses == [Cue.SELF_TEST, Cue.GOODBYE]


def test_a_release_that_is_seen_late_means_what_it_meant_when_it_happened(finger: Finger, presses: list[Cue]) -> None:
    finger.edge(10.0, 0)
    finger.edge(11.6, 1)  # nobody had looked at 11.5
    assert presses == [Cue.SELF_TEST]


def test_a_press_after_a_hold_is_a_press_again(finger: Finger, presses: list[Cue]) -> None:
    for t_s, level in ((10.0, 0), (12.0, 1), (13.0, 0), (13.2, 1)):
        finger.edge(t_s, level)
    assert presses == [Cue.SELF_TEST, Cue.PAUSE]


def test_a_release_without_a_press_is_nothing(finger: Finger, presses: list[Cue]) -> None:
    finger.edge(10.0, 1)  # it was held when the guard began
    assert presses == []
    assert finger.due_s == NEVER


def test_of_two_presses_whose_release_was_lost_the_later_is_held(finger: Finger, presses: list[Cue]) -> None:
    finger.edge(10.0, 0)
    finger.edge(11.0, 0)
    finger.hold(12.4)
    assert presses == []
    finger.edge(12.5, 1)
    assert presses == [Cue.SELF_TEST]


@pytest.mark.parametrize("key", ["long_press_s", "power_off_s"])
def test_no_configuration_lets_a_power_off_come_before_a_self_test(key: str) -> None:
    low, high = ({"pin": 17, "long_press_s": 2.5}, {"pin": 17, "power_off_s": 3.0})
    assert msgspec.convert(low, ButtonConfig).long_press_s < msgspec.convert(high, ButtonConfig).power_off_s
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"pin": 17, key: 2.75}, ButtonConfig)


def test_a_button_that_is_held_is_looked_at_again_when_it_is_due(held: Held, presses: list[Cue]) -> None:
    held.edge(100.0, 0, now=100.0)
    held.turn(101.5)
    held.turn(105.0)
    assert presses == [Cue.SELF_TEST, Cue.GOODBYE]


def test_a_release_is_heard_though_the_thread_wakes_after_the_hold_was_due(held: Held, presses: list[Cue]) -> None:
    held.edge(100.0, 0, now=100.0)
    held.edge(101.4, 1, now=101.6)
    assert presses == [Cue.PAUSE]


def test_a_hold_whose_release_was_lost_asks_for_nothing(held: Held, presses: list[Cue]) -> None:
    held.edge(100.0, 0, now=100.0)
    held.wire.high = True  # and no edge has told
    held.turn(101.5)
    held.edge(103.0, 0, now=103.0)
    held.edge(103.1, 1, now=103.1)
    assert presses == [Cue.PAUSE]


def test_a_button_whose_chip_is_gone_is_told_and_asks_for_nothing(
    held: Held, presses: list[Cue], capsys: pytest.CaptureFixture[str]
) -> None:
    held.wire.unplug()
    held.button.run()
    assert presses == []
    assert capsys.readouterr().err.startswith("button: its pin fails")
