"""Buzzer and button of the box on the belt."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from contract.rigs import Bench, break_pin, mend_pin
from rearguard.core.reading import Cue
from rearguard.errors import DeviceOpenError
from rearguard.panel import ButtonConfig, BuzzerConfig, Panel

BUZZER, BUTTON = 25, 17
SOON_S = 5.0  # how long the button's own thread may take; it takes no time at all


class Presses(list[Cue]):
    """What was asked for, and whether anything was yet."""

    def __init__(self) -> None:
        super().__init__()
        self.some = Event()

    def __call__(self, cue: Cue) -> None:
        self.append(cue)
        self.some.set()


@pytest.fixture
def presses() -> Presses:
    return Presses()


@pytest.fixture
def make(bench: Bench, presses: Presses) -> Any:
    """Makes open panels, and closes them."""
    made: list[Panel] = []

    def make(buzzer: bool = True, button: bool = True, long_press_s: float = 60.0) -> Panel:
        parts = BuzzerConfig(pin=BUZZER), ButtonConfig(pin=BUTTON, long_press_s=long_press_s)
        made.append(Panel(parts[0] if buzzer else None, parts[1] if button else None, bench.host, presses))
        made[-1].open()
        return made[-1]

    yield make
    mend_pin(bench.factory.pin(BUZZER))
    for panel in made:
        panel.close()


@pytest.fixture
def press(bench: Bench) -> tuple[Callable[[], None], Callable[[], None]]:
    """Press and release: the button pulls its pin to ground."""
    pin = bench.factory.pin(BUTTON)
    return pin.drive_low, pin.drive_high


def test_the_button_is_held_high_by_the_pis_own_resistor(make: Any, bench: Bench) -> None:
    make()
    assert bench.factory.pin(BUTTON).pull == "up"
    assert bench.factory.pin(BUTTON).state


def test_a_short_press_asks_for_a_pause_when_the_button_is_let_go(make: Any, presses: Presses, press: Any) -> None:
    make()
    down, up = press
    down()
    assert presses == []
    up()
    assert presses == [Cue.PAUSE]


def test_two_short_presses_ask_twice(make: Any, presses: Presses, press: Any) -> None:
    make()
    for move in press * 2:
        move()
    assert presses == [Cue.PAUSE, Cue.PAUSE]


def test_a_long_press_asks_for_a_self_test_while_held_and_for_no_pause_after_it(
    make: Any, presses: Presses, press: Any
) -> None:
    make(long_press_s=0.001)
    down, up = press
    down()
    assert presses.some.wait(SOON_S)
    assert presses == [Cue.SELF_TEST]
    up()
    assert presses == [Cue.SELF_TEST]


def test_a_short_press_after_a_long_one_is_a_pause_again(make: Any, presses: Presses, press: Any) -> None:
    panel = make(long_press_s=0.001)
    down, up = press
    down()
    assert presses.some.wait(SOON_S)
    up()
    panel._button.hold_time = 60.0
    down()
    up()
    assert presses == [Cue.SELF_TEST, Cue.PAUSE]


def test_after_close_the_button_says_nothing(make: Any, presses: Presses, press: Any) -> None:
    make().close()
    for move in press:
        move()
    assert presses == []


def test_the_buzzer_is_silent_after_open_and_sounds_as_told(make: Any, bench: Bench) -> None:
    panel, pin = make(), bench.factory.pin(BUZZER)
    assert not pin.state
    panel.sound(True)
    assert pin.state
    panel.sound(True)
    assert pin.state
    panel.sound(False)
    assert not pin.state


def test_close_silences_the_buzzer_and_may_come_twice(make: Any, bench: Bench) -> None:
    panel = make()
    panel.sound(True)
    panel.close()
    assert not bench.factory.pin(BUZZER).state
    panel.close()


def test_close_may_come_before_open_and_open_may_come_after_close(make: Any, bench: Bench) -> None:
    Panel(BuzzerConfig(pin=BUZZER), None, bench.host, lambda _: None).close()
    panel = make()
    panel.close()
    panel.open()
    panel.sound(True)
    assert bench.factory.pin(BUZZER).state


def test_a_panel_without_parts_does_nothing_and_touches_no_pin(make: Any, bench: Bench) -> None:
    panel = make(buzzer=False, button=False)
    panel.sound(True)
    panel.close()
    assert not bench.factory.pins


def test_a_buzzer_alone_and_a_button_alone_do_their_work(make: Any, presses: Presses, press: Any, bench: Bench) -> None:
    panel = make(button=False)
    panel.sound(True)
    assert bench.factory.pin(BUZZER).state
    panel.close()
    panel = make(buzzer=False)
    panel.sound(True)
    assert not bench.factory.pin(BUZZER).state
    for move in press:
        move()
    assert presses == [Cue.PAUSE]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gpiozero tries again in __del__
def test_a_broken_buzzer_is_harmless(make: Any, presses: Presses, press: Any, bench: Bench) -> None:
    panel = make()
    break_pin(bench.factory.pin(BUZZER))
    panel.sound(True)
    panel.sound(False)
    panel.sound(True)
    for move in press:
        move()
    assert presses == [Cue.PAUSE], "the button still works"
    panel.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # likewise
def test_a_buzzer_that_breaks_in_close_does_not_keep_the_button_open(
    make: Any, presses: Presses, press: Any, bench: Bench, mocker: Any
) -> None:
    panel = make()
    mocker.patch.object(panel._buzzer, "close", side_effect=OSError("the chip does not answer"))
    panel.close()
    for move in press:
        move()
    assert presses == []


@pytest.mark.parametrize("pin", [BUZZER, BUTTON])
def test_a_pin_in_use_is_an_error_and_nothing_stays_open(pin: int, make: Any, bench: Bench) -> None:
    from gpiozero import DigitalOutputDevice

    taken = DigitalOutputDevice(pin, pin_factory=bench.factory)
    with pytest.raises(DeviceOpenError, match=str(pin)):
        make()
    taken.close()
    make()
