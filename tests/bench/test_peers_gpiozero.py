"""The model of `gpiozero.DistanceSensor` says what the class itself says, after each reading and to the last bit.

The class runs in the foreground, in no time. `GPIOQueue.start` is patched away while it is made, so that there is no
thread. The queue's stop event is replaced by `Steps`, whose `wait` returns at once and looks at the sensor between two
readings. Then the class's own `fill` is called, which calls its own `_read`. That sets the trigger pin of the bench's
EchoWire, which puts both edges on the echo pin before the setting returns, so that the event that `_read` waits for is
set already or never will be (`Prompt`). The 10 us of the trigger are patched away. All else is gpiozero's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from random import Random
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
from gpiozero import DistanceSensor, DistanceSensorNoEcho, InputDeviceError, PWMSoftwareFallback
from gpiozero.mixins import GPIOQueue
from gpiozero.pins.mock import MockFactory, MockPWMPin
from hypothesis import given
from hypothesis import strategies as st

from rearguard.bench.judging.peers import MAX_M, Gpiozero, Peer, front
from rearguard.bench.sensing.wires import EchoWire
from rearguard.core.threat import PROFILES, stop_distance
from rearguard.sensors import View, hcsr04

PROFILE = PROFILES["default"]
AT = stop_distance(0.6, PROFILE)  # m
STEP = 0.06  # s
METRES_PER_S = 343.26 / 2.0  # gpiozero's speed of sound, there and back
OPEN = 0.038  # s; how long an HC-SR04 holds the echo line when nothing comes back
SILENT = None  # no edge at all

Width = float | None  # of an echo, in s
Said = list[tuple[bool, float | None]]  # after each reading: whether STOP is felt, and .distance in m


class Script:
    """An emulated part that answers each trigger with the next echo of a list; `number` counts them."""

    def __init__(self, widths: Sequence[Width]) -> None:
        self._widths, self.number = widths, 0

    def edges(self, trigger_s: float, view: View) -> list[tuple[float, bool]]:
        width = self._widths[self.number]
        self.number += 1
        # from 0 on, not from `trigger_s`: the difference of the edges is the width to the last bit
        return [] if width is None else [(0.0, True), (width, False)]


class Prompt(Event):
    """An event that nobody waits for: all edges are there before the trigger has returned, or will never come."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


class Steps:
    """Stands in for the stop event of the queue's thread: lets `count` readings pass, calling `after` behind each."""

    def __init__(self, count: int, after: Callable[[], None]) -> None:
        self._left, self._after, self.waits = count, after, set[float]()
        self._begun = False

    def wait(self, timeout: float) -> bool:
        self.waits.add(timeout)
        if self._begun:
            self._after()
        self._begun = True
        self._left -= 1
        return self._left < 0

    def set(self) -> None:
        """The sensor is being closed."""


@contextmanager
def real_sensor(script: Script, **options: Any) -> Iterator[DistanceSensor]:
    """A DistanceSensor on mock pins whose queue has no thread and whose echo answers at once."""
    factory = MockFactory(pin_class=MockPWMPin)
    EchoWire(hcsr04.Config(driver="hcsr04", trigger_pin=23, echo_pin=24), script, factory, lambda: 0.0)
    with warnings.catch_warnings(), patch.object(GPIOQueue, "start"), patch("gpiozero.input_devices.sleep"):
        warnings.simplefilter("ignore", PWMSoftwareFallback)
        warnings.simplefilter("ignore", DistanceSensorNoEcho)
        with DistanceSensor(echo=24, trigger=23, pin_factory=factory, **options) as sensor:
            sensor._echo = Prompt()
            yield sensor


def real(widths: Sequence[Width], **options: Any) -> Said:
    """What the real class does with these echoes: `fill` runs here, with motors on and off in its two events."""
    felt = [False]
    said: Said = []
    script = Script(widths)
    with real_sensor(script, **options) as sensor:
        sensor.when_in_range = lambda: felt.append(True)
        sensor.when_out_of_range = lambda: felt.append(False)
        queue = sensor._queue
        steps = Steps(len(widths), lambda: said.append((felt[-1], sensor.distance if queue.full.is_set() else None)))
        queue.stopping = steps
        queue.fill()
    assert script.number == len(said) == len(widths)
    assert steps.waits <= {STEP}
    assert all(was != now for was, now in pairwise(felt[1:]))  # an event is a change
    return said


def modelled(widths: Sequence[Width], threshold_m: float, max_m: float, queue_len: int = 9) -> Said:
    """What the model of it does: open air as a far distance, and a wire without edges as None."""
    model = Gpiozero("model", threshold_m, max_m, queue_len=queue_len, drops=True)
    return [
        (model.take(i * STEP, None if width is None else width * METRES_PER_S), model.distance_m)
        for i, width in enumerate(widths)
    ]


def both(widths: Sequence[Width], threshold_m: float = AT, max_m: float = MAX_M, queue_len: int = 9) -> Said:
    """What both say, which must be the same after each reading, and to the last bit."""
    said = real(widths, threshold_distance=threshold_m, max_distance=max_m, queue_len=queue_len)
    assert modelled(widths, threshold_m, max_m, queue_len) == said
    return said


def echo(distance_m: float) -> float:
    return distance_m / METRES_PER_S


def run(peer: Peer, distances: Sequence[float | None]) -> list[bool]:
    return [peer.take(i * STEP, distance) for i, distance in enumerate(distances)]


def first(felt: Sequence[bool]) -> int:
    """Which reading was the first to be felt, counted from one; fails when none was."""
    return felt.index(True) + 1


def approach(start_m: float, closing_mps: float) -> list[float]:
    return [start_m - closing_mps * STEP * i for i in range(int((start_m - 0.05) / (closing_mps * STEP)) + 1)]


def test_the_model_of_gpiozero_does_what_the_class_does_on_a_walk_with_misses_and_false_echoes() -> None:
    random = Random(7)
    walk: list[Width] = []
    for distance_m in approach(3.5, 0.6) + approach(3.5, 1.2) + [3.0] * 20 + [0.7] * 20 + [2.0] * 20:
        kind = random.random()
        if kind < 0.05:
            walk.append(OPEN)
        elif kind < 0.08:
            walk.append(SILENT)
        elif kind < 0.12:
            walk.append(echo(random.uniform(0.02, 4.0)))
        else:
            walk.append(echo(max(0.02, distance_m + random.gauss(0.0, 0.005))))
    felt = [stop for stop, _ in both(walk)]
    assert sum(now and not was for was, now in pairwise(felt)) == 3  # both walks, and the thing that appears
    both(walk, 0.3, 1.0)


runs = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([SILENT, OPEN, echo(AT), echo(1.0), echo(4.0)]), st.floats(0.0001, OPEN)),
        st.integers(1, 7),
    ),
    max_size=15,
).map(lambda parts: [width for width, times in parts for _ in range(times)])


@given(runs, st.sampled_from([(AT, 4.0), (0.3, 1.0), (echo(AT) * METRES_PER_S, 4.0), (0.9, 1.0)]), st.integers(1, 12))
def test_the_model_of_gpiozero_does_what_the_class_does_with_any_echoes(
    widths: list[Width], limits: tuple[float, float], queue_len: int
) -> None:
    both(widths, *limits, queue_len)


def test_gpiozero_with_no_options_is_the_peer_that_comes_so() -> None:
    walk = [OPEN] * 9 + [echo(distance_m) for distance_m in approach(1.5, 0.6)] + [SILENT] * 3 + [OPEN] * 9
    peer = dict(front(PROFILE, 0.6))["gpiozero as it comes"]()
    distances = [None if width is OPEN else width * METRES_PER_S for width in walk if width is not SILENT]
    felt = [stop for stop, _ in real([width for width in walk if width is not SILENT])]
    assert run(peer, distances) == felt
    assert True in felt


def test_open_air_is_the_maximum_to_gpiozero() -> None:
    assert both([OPEN] * 9)[-1] == (False, MAX_M)
    model = Gpiozero("model", AT)
    assert run(model, [None] * 9) == [False] * 9
    assert model.distance_m == MAX_M


def test_gpiozero_keeps_its_answer_when_the_wire_is_cut() -> None:
    walk = [OPEN] * 9 + [echo(0.5)] * 5
    assert both(walk + [SILENT] * 50)[-1] == (True, echo(0.5) * METRES_PER_S)


def test_gpiozero_says_nothing_before_its_queue_is_full_of_answers() -> None:
    assert [distance for _, distance in both([echo(0.5), SILENT] * 8)] == [None] * 16


def test_what_is_in_range_from_the_start_is_not_felt_with_gpiozero_until_it_has_been_away() -> None:
    near, away = [echo(0.5)] * 30, [OPEN] * 9
    assert not any(felt for felt, _ in both(near))
    assert first([felt for felt, _ in both(near + away + near)]) == len(near) + len(away) + 5


def test_gpiozero_feels_a_sudden_thing_at_the_fifth_reading() -> None:
    assert first([felt for felt, _ in both([OPEN] * 9 + [echo(0.5)] * 9)]) == 9 + 5


def test_exactly_at_the_threshold_is_in_range_for_gpiozero() -> None:
    width = 0.0125
    at = width * METRES_PER_S
    assert both([OPEN] * 9 + [width] * 5, at)[-1] == (True, at)


@pytest.mark.parametrize("threshold_m", [0.0, 4.0, 5.0, -1.0])
def test_a_threshold_that_gpiozero_refuses_is_refused(threshold_m: float) -> None:
    with pytest.raises(ValueError, match="must lie between"):
        Gpiozero("model", threshold_m)
    with pytest.raises(InputDeviceError), real_sensor(Script([]), threshold_distance=threshold_m, max_distance=MAX_M):
        pass
