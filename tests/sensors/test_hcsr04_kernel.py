"""HC-SR04 on a Pi: its echo is a line of the kernel, whose edges carry their times and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from contract.kernel import HEADER, Kernel
from rearguard.bench.sensing.wires import _TriggerPin
from rearguard.core.reading import Status
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.gpiochip import Line
from rearguard.host import Host, RealClock
from rearguard.sensors import hcsr04

DELAY_S = 0.00045  # from trigger to the start of the echo


class OnKernel:
    """A sensor whose echo is a line of the kernel; each ping is answered by the edges of `answer`.

    They are (seconds after the trigger, level) and, where edges before that one got lost, its step in number.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.factory = MockFactory(pin_class=MockPWMPin)
        self.answer: list[tuple[float, int] | tuple[float, int, int]] = []
        trigger = self.factory.pin(23, pin_class=_TriggerPin)
        trigger.on_fall = self._answer
        config = hcsr04.Config(driver="hcsr04", trigger_pin=23, echo_pin=24)
        self.scale = config.metres_per_s()
        self.sensor = hcsr04.Sensor("rear", config, Host(RealClock(), lambda: self.factory))
        self.sensor.open()
        self.wire = kernel.lines[24]

    def read(self) -> list[Any]:
        return list(self.sensor.read(monotonic() + 0.25))

    def _answer(self) -> None:
        sent_ns = round(monotonic() * 1e9)
        for after_s, level, *step in self.answer:
            self.wire.edge(sent_ns + round(after_s * 1e9), level, *step)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(tmp_path, {0: HEADER})
    yield made
    made.close()


@pytest.fixture
def on_kernel(kernel: Kernel, mocker: Any) -> Iterator[OnKernel]:
    kernel.serve(mocker)
    mocker.patch("rearguard.host.KERNEL", {MockFactory.__module__})
    made = OnKernel(kernel)
    yield made
    made.sensor.close()


def test_on_a_pi_the_echo_is_a_floating_line_of_the_kernel_that_close_lets_go(
    on_kernel: OnKernel, kernel: Kernel
) -> None:
    wire = on_kernel.wire
    Line(kernel.path(), 4, "floating", ioctl=kernel.ioctl).close()
    assert wire.configs == kernel.lines[4].configs
    assert wire.held
    on_kernel.sensor.close()
    assert not wire.held


def test_opened_again_without_a_close_it_does_not_stand_in_its_own_way(on_kernel: OnKernel) -> None:
    on_kernel.sensor.open()
    assert not on_kernel.wire.held


def test_on_a_pi_the_times_of_the_kernel_are_the_width_of_the_echo(on_kernel: OnKernel) -> None:
    on_kernel.answer = [(DELAY_S, 1), (DELAY_S + 0.010, 0)]
    for _ in range(3):
        (reading,) = on_kernel.read()
        assert reading.distance_m == pytest.approx(0.010 * on_kernel.scale, abs=1e-4)


def test_edges_that_came_since_the_last_ping_are_no_answer_to_this_one(on_kernel: OnKernel) -> None:
    on_kernel.answer = [(DELAY_S, 1), (DELAY_S + 0.010, 0), (0.020, 1), (0.025, 0)]  # a second echo
    for _ in range(3):
        (reading,) = on_kernel.read()
        assert reading.distance_m == pytest.approx(0.010 * on_kernel.scale, abs=1e-4)


@pytest.mark.parametrize(
    "answer",
    [
        [(DELAY_S, 1), (0.025, 0, 3)],  # the end of this echo and the start of another were dropped
        [(DELAY_S, 1), (0.020, 1), (0.025, 0)],  # the end of this echo was joined with the start of another
        [(DELAY_S, 1), (DELAY_S + 0.010, 0), (0.020, 1, 2), (0.025, 0)],  # lost after it, but told in the same breath
    ],
)
def test_a_lost_edge_never_makes_a_distance_of_two_echoes(answer: list[Any], on_kernel: OnKernel) -> None:
    """The first ping teaches the line its numbers."""
    on_kernel.answer = [(DELAY_S, 1), (DELAY_S + 0.010, 0)]
    on_kernel.read()
    on_kernel.answer = answer
    (reading,) = on_kernel.read()
    assert reading.status is Status.INVALID
    on_kernel.answer = [(DELAY_S, 1), (DELAY_S + 0.010, 0)]
    (reading,) = on_kernel.read()
    assert reading.status is Status.OK


def test_a_line_of_the_kernel_that_hangs_is_driven_low_and_read_again(on_kernel: OnKernel) -> None:
    wire = on_kernel.wire
    wire.high = True
    on_kernel.answer = [(DELAY_S, 1), (DELAY_S + 0.010, 0)]
    told, reading = on_kernel.read()
    assert told.status is Status.INVALID
    assert reading.status is Status.OK
    assert len(wire.configs) == 3 and wire.configs[2] == wire.configs[0], "an output, and the same input again"
    assert on_kernel.sensor.stuck == 1


def test_a_chip_that_goes_away_is_a_lost_device(on_kernel: OnKernel) -> None:
    on_kernel.wire.unplug()
    with pytest.raises(DeviceLostError, match="rear"):
        on_kernel.read()


def test_an_echo_pin_in_use_is_told_with_who_holds_it_and_the_trigger_is_let_go(
    kernel: Kernel, mocker: Any, on_kernel: OnKernel
) -> None:
    on_kernel.sensor.close()
    kernel.consumers[24] = b"onewire@4"
    with pytest.raises(DeviceOpenError, match=r"rear: pins 23 and 24: pin 24 is in use by 'onewire@4'"):
        on_kernel.sensor.open()
    assert on_kernel.factory.pin(23).function == "input"
