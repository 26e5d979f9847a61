"""Buzzer and button of the box on the belt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import Any

import pytest

from contract.kernel import HEADER, Kernel
from contract.rigs import Bench, break_pin, mend_pin
from rearguard.core.reading import Cue
from rearguard.errors import DeviceOpenError
from rearguard.gpiochip import Line
from rearguard.host import Host
from rearguard.panel import BOUNCE_S, ButtonConfig, BuzzerConfig, Panel

BUZZER, BUTTON = 25, 17
SOON_S = 5.0  # how long the button's own thread may take; it takes no time at all


class Presses(SimpleQueue[Cue]):
    """What was asked for, in order."""

    def next(self) -> Cue:
        """Raises Empty when there is none, soon."""
        return self.get(timeout=SOON_S)

    def all(self) -> list[Cue]:
        """What there is by now."""
        found = []
        while not self.empty():
            found.append(self.get_nowait())
        return found


@pytest.fixture
def presses() -> Presses:
    return Presses()


@pytest.fixture
def make(bench: Bench, presses: Presses) -> Any:
    """Makes open panels, and closes them."""
    made: list[Panel] = []

    def make(buzzer: bool = True, button: bool = True, host: Host | None = None, **keys: float) -> Panel:
        parts = BuzzerConfig(pin=BUZZER), ButtonConfig(pin=BUTTON, **{"long_press_s": 60.0, "power_off_s": 90.0} | keys)
        made.append(Panel(parts[0] if buzzer else None, parts[1] if button else None, host or bench.host, presses.put))
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


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(tmp_path, {0: HEADER})
    yield made
    made.close()


def test_on_a_pi_the_kernel_pulls_the_line_up_and_lets_the_contacts_settle(
    make: Any, presses: Presses, kernel: Kernel, mocker: Any, bench: Bench
) -> None:
    kernel.serve(mocker)
    mocker.patch("rearguard.host.KERNEL", {type(bench.factory).__module__})
    panel = make(buzzer=False)
    wire = kernel.lines[BUTTON]
    asked = Line(kernel.path(), 4, "up", BOUNCE_S, kernel.ioctl)
    assert wire.configs == kernel.lines[4].configs
    asked.close()
    for level in (0, 1):
        wire.edge(round(monotonic() * 1e9), level)
    assert presses.next() is Cue.PAUSE
    panel.close()
    assert not wire.held


def test_the_button_is_held_high_by_the_pis_own_resistor(make: Any, bench: Bench) -> None:
    make()
    assert bench.factory.pin(BUTTON).pull == "up"
    assert bench.factory.pin(BUTTON).state


def test_each_short_press_asks_for_a_pause_when_the_button_is_let_go(make: Any, presses: Presses, press: Any) -> None:
    make()
    down, up = press
    for _ in range(2):
        down()
        assert presses.all() == []
        up()
        assert presses.next() is Cue.PAUSE


def test_held_for_long_it_asks_for_a_self_test_and_held_on_for_power_off(
    make: Any, presses: Presses, press: Any
) -> None:
    panel = make(long_press_s=0.001, power_off_s=0.002)
    assert not panel.off_asked
    press[0]()
    assert [presses.next(), presses.next()] == [Cue.SELF_TEST, Cue.GOODBYE]
    assert panel.off_asked


def test_a_self_test_does_not_ask_for_power_off(make: Any, presses: Presses, press: Any) -> None:
    panel = make(long_press_s=0.001)
    press[0]()
    assert presses.next() is Cue.SELF_TEST
    assert not panel.off_asked


def test_after_close_the_button_says_nothing(make: Any, presses: Presses, press: Any) -> None:
    panel = make()
    button = panel._button
    panel.close()
    assert not button.is_alive()
    for move in press:
        move()
    assert presses.all() == []


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
    assert presses.next() is Cue.PAUSE


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gpiozero tries again in __del__
def test_a_broken_buzzer_is_harmless(make: Any, presses: Presses, press: Any, bench: Bench) -> None:
    panel = make()
    break_pin(bench.factory.pin(BUZZER))
    panel.sound(True)
    panel.sound(False)
    panel.sound(True)
    for move in press:
        move()
    assert presses.next() is Cue.PAUSE, "the button still works"
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
    assert presses.all() == []


def test_a_pin_in_use_is_an_error_and_nothing_stays_open(make: Any, bench: Bench) -> None:
    from gpiozero import DigitalOutputDevice

    taken = DigitalOutputDevice(BUZZER, pin_factory=bench.factory)
    with pytest.raises(DeviceOpenError, match=str(BUZZER)):
        make()
    taken.close()
    make()


def test_a_button_whose_line_is_in_use_is_an_error_and_the_buzzer_is_let_go(
    make: Any, kernel: Kernel, mocker: Any, bench: Bench
) -> None:
    kernel.serve(mocker)
    mocker.patch("rearguard.host.KERNEL", {type(bench.factory).__module__})
    kernel.consumers[BUTTON] = b"gpio-keys"
    with pytest.raises(DeviceOpenError, match=rf"button: pin {BUTTON} is in use by 'gpio-keys'"):
        make()
    del kernel.consumers[BUTTON]
    make()
