"""Motors on pins: kick, strength, order, and pins that fail."""

from __future__ import annotations

from typing import Any

import pytest
from gpiozero import DigitalOutputDevice

from contract.rigs import Bench, break_pin, mend_pin
from rearguard.belt import NEVER
from rearguard.belt.gpio_pwm import Belt, Config, PinMotor
from rearguard.errors import DeviceLostError, DeviceOpenError

LEFT, BACK, RIGHT = 12, 13, 19
MOTORS = {
    "right": PinMotor(bearing_deg=90.0, pin=RIGHT),
    "left": PinMotor(bearing_deg=-90.0, pin=LEFT),
    "back": PinMotor(bearing_deg=0.0, pin=BACK),
}


@pytest.fixture
def make(bench: Bench) -> Any:
    """Makes open belts, and closes them."""
    made: list[Belt] = []

    def make(**keys: Any) -> Belt:
        made.append(Belt(Config(driver="gpio_pwm", motor=MOTORS, **keys), bench.host))
        made[-1].open()
        return made[-1]

    yield make
    for pin in (LEFT, BACK, RIGHT):
        mend_pin(bench.factory.pin(pin))
    for belt in made:
        belt.close()


def outputs(bench: Bench) -> list[float]:
    return [bench.factory.pin(pin).state for pin in (LEFT, BACK, RIGHT)]


def test_duties_go_to_the_motors_by_bearing_and_not_by_name_or_pin(make: Any, bench: Bench) -> None:
    make().write((1.0, 0.0, 0.0), 5.0)
    assert outputs(bench) == [1.0, 0.0, 0.0]


def test_a_weak_pulse_begins_with_a_kick_and_goes_on_at_its_duty(make: Any, bench: Bench) -> None:
    belt = make(kick_s=0.04)
    assert belt.write((0.0, 0.5, 0.0), 5.0) == pytest.approx(5.04)
    assert outputs(bench) == [0.0, 1.0, 0.0]
    assert belt.write((0.0, 0.5, 0.0), 5.02) == pytest.approx(5.04)
    assert outputs(bench) == [0.0, 1.0, 0.0]
    assert belt.write((0.0, 0.5, 0.0), 5.04) == NEVER
    assert outputs(bench) == [0.0, 0.5, 0.0]


def test_a_change_of_strength_while_turning_needs_no_new_kick(make: Any, bench: Bench) -> None:
    belt = make(kick_s=0.04)
    belt.write((0.0, 0.5, 0.0), 5.0)
    belt.write((0.0, 0.5, 0.0), 5.1)
    assert belt.write((0.0, 0.8, 0.0), 5.2) == NEVER
    assert outputs(bench) == [0.0, 0.8, 0.0]


def test_every_pulse_has_a_kick_of_its_own(make: Any, bench: Bench) -> None:
    belt = make(kick_s=0.04)
    for start in (5.0, 6.0, 7.0):
        assert belt.write((0.5, 0.0, 0.0), start) == pytest.approx(start + 0.04)
        assert outputs(bench)[0] == 1.0
        belt.write((0.0, 0.0, 0.0), start + 0.02)
        assert outputs(bench)[0] == 0.0


def test_a_full_pulse_needs_no_kick(make: Any) -> None:
    assert make(kick_s=0.04).write((1.0, 1.0, 1.0), 5.0) == NEVER


def test_without_a_kick_the_duty_stands_at_once(make: Any, bench: Bench) -> None:
    assert make(kick_s=0.0).write((0.5, 0.0, 0.0), 5.0) == NEVER
    assert outputs(bench)[0] == 0.5


@pytest.mark.parametrize(
    ("keys", "felt", "duty"),
    [
        ({"min_duty": 0.35}, 0.1, 0.35),  # enough to turn
        ({"min_duty": 0.35}, 0.6, 0.6),
        ({"min_duty": 0.35}, 0.0, 0.0),  # at rest is at rest
        ({"strength": 0.5, "min_duty": 0.2}, 1.0, 0.5),
        ({"strength": 0.5, "min_duty": 0.2}, 0.6, 0.3),
        ({"strength": 0.5, "min_duty": 0.4}, 0.6, 0.4),
        ({"min_duty": 0.0}, 1.7, 1.0),  # more than all is all
    ],
)
def test_strength_scales_and_min_duty_lifts(
    keys: dict[str, float], felt: float, duty: float, make: Any, bench: Bench
) -> None:
    belt = make(kick_s=0.0, **keys)
    belt.write((felt, felt, felt), 5.0)
    assert outputs(bench) == pytest.approx([duty] * 3)


def test_pins_are_pulsed_at_the_frequency_asked_for_only_while_a_motor_turns_at_less_than_full(
    make: Any, bench: Bench
) -> None:
    belt = make(frequency_hz=250, kick_s=0.0)
    belt.write((0.0, 0.5, 1.0), 5.0)
    assert [bench.factory.pin(pin).frequency for pin in (LEFT, BACK, RIGHT)] == [None, 250, None]
    assert outputs(bench) == [0, 0.5, 1]
    belt.write((0.5, 0.0, 0.5), 5.1)
    assert [bench.factory.pin(pin).frequency for pin in (LEFT, BACK, RIGHT)] == [250, None, 250]
    assert outputs(bench) == [0.5, 0, 0.5]


@pytest.mark.parametrize("broken", [LEFT, BACK, RIGHT])
def test_a_failing_pin_is_a_lost_device(broken: int, make: Any, bench: Bench) -> None:
    belt = make()
    break_pin(bench.factory.pin(broken))
    with pytest.raises(DeviceLostError):
        belt.write((1.0, 1.0, 1.0), 5.0)


@pytest.mark.parametrize("broken", [LEFT, BACK, RIGHT])
def test_a_failing_pin_does_not_keep_the_others_from_being_driven(broken: int, make: Any, bench: Bench) -> None:
    belt = make()
    break_pin(bench.factory.pin(broken))
    with pytest.raises(DeviceLostError):
        belt.write((1.0, 1.0, 1.0), 5.0)
    mend_pin(bench.factory.pin(broken))
    felt = dict(zip((LEFT, BACK, RIGHT), outputs(bench), strict=True))
    assert {pin: duty for pin, duty in felt.items() if pin != broken} == {
        pin: 1.0 for pin in (LEFT, BACK, RIGHT) if pin != broken
    }


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gpiozero tries again in __del__
@pytest.mark.parametrize("broken", [LEFT, BACK, RIGHT])
def test_close_puts_the_other_motors_to_rest_when_one_fails(broken: int, make: Any, bench: Bench) -> None:
    belt = make()
    belt.write((1.0, 1.0, 1.0), 5.0)
    break_pin(bench.factory.pin(broken))
    belt.close()
    mend_pin(bench.factory.pin(broken))
    felt = dict(zip((LEFT, BACK, RIGHT), outputs(bench), strict=True))
    assert [duty for pin, duty in felt.items() if pin != broken] == [0.0, 0.0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # likewise
def test_a_motor_whose_pin_cannot_be_let_go_is_at_rest_all_the_same(make: Any, bench: Bench) -> None:
    belt = make()
    belt.write((1.0, 1.0, 1.0), 5.0)
    break_pin(bench.factory.pin(BACK), ("_set_frequency", "_set_function"))
    belt.close()
    assert outputs(bench) == [0.0, 0.0, 0.0]


def test_a_mended_pin_is_driven_again_by_the_next_write(make: Any, bench: Bench) -> None:
    belt = make()
    pin = bench.factory.pin(BACK)
    break_pin(pin)
    with pytest.raises(DeviceLostError):
        belt.write((0.0, 1.0, 0.0), 5.0)
    mend_pin(pin)
    belt.write((0.0, 1.0, 0.0), 5.5)
    assert outputs(bench) == [0.0, 1.0, 0.0]


def test_a_pin_in_use_is_an_error_that_names_motor_and_pin_and_keeps_none_of_the_others(bench: Bench) -> None:
    taken = DigitalOutputDevice(RIGHT, pin_factory=bench.factory)
    belt = Belt(Config(driver="gpio_pwm", motor=MOTORS), bench.host)
    with pytest.raises(DeviceOpenError, match=rf"belt\.motor\.right.*pin GPIO{RIGHT} is already in use by <"):
        belt.open()
    for pin in (LEFT, BACK):
        DigitalOutputDevice(pin, pin_factory=bench.factory).close()
    taken.close()
    belt.open()
    belt.close()
