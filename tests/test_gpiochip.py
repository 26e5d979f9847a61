"""Lines of the kernel's GPIO character device, byte by byte."""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import ENODEV
from itertools import count
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest

from contract.kernel import HEADER, SIZES, Kernel, KernelLine, open_files, u32, u64
from rearguard import gpiochip
from rearguard.gpiochip import GET_CHIPINFO, GET_LINE, GET_LINEINFO, Line, rest

PIN = 24
BOTH_EDGES_IN, OUT = 0b110100, 0b1000  # enum gpio_v2_line_flag
PULLS = {"up": 1 << 8, "down": 1 << 9, "floating": 1 << 10}
NUMBERS = {GET_CHIPINFO: 1, GET_LINEINFO: 5, GET_LINE: 7, gpiochip.SET_CONFIG: 0x0D, gpiochip.GET_VALUES: 0x0E}
READ, WRITE_READ = 2, 3
LATE = 60.0  # s; nothing here takes so long


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(tmp_path, {0: HEADER})
    yield made
    made.close()


@pytest.fixture
def line(kernel: Kernel) -> Iterator[Line]:
    made = Line(kernel.path(), PIN, ioctl=kernel.ioctl)
    yield made
    made.close()


@pytest.fixture
def wire(kernel: Kernel, line: Line) -> KernelLine:
    """The kernel's end of the line."""
    return kernel.lines[PIN]


def config(flags: int, attributes: bytes = b"") -> bytes:
    """struct gpio_v2_line_config."""
    return u64(flags) + u32(len(attributes) // 24) + bytes(20) + attributes.ljust(240, b"\0")


def request(pin: int, with_config: bytes) -> bytes:
    """struct gpio_v2_line_request for one line."""
    return u32(pin) + bytes(252) + b"rearguard".ljust(32, b"\0") + with_config + u32(1) + bytes(28)


def now_0() -> float:
    return 0.0


def levels(line: Line) -> list[int]:
    """Of all edges there are."""
    return [edge[1] for edge in iter(lambda: line.wait(0.0, now_0), None)]


@pytest.mark.parametrize("call", SIZES)
def test_the_number_of_a_call_says_its_direction_its_size_and_what_it_is(call: int) -> None:
    direction = READ if call == GET_CHIPINFO else WRITE_READ
    assert call == direction << 30 | SIZES[call] << 16 | 0xB4 << 8 | NUMBERS[call]  # _IOR and _IOWR of asm-generic


@pytest.mark.parametrize("pull", PULLS)
def test_an_input_is_asked_for_with_both_edges_its_pull_and_our_name(pull: str, kernel: Kernel) -> None:
    Line(kernel.path(), PIN, pull, ioctl=kernel.ioctl).close()
    assert kernel.lines[PIN].request == request(PIN, config(BOTH_EDGES_IN | PULLS[pull]))


def test_a_debounce_is_an_attribute_in_microseconds_for_the_one_line(kernel: Kernel) -> None:
    Line(kernel.path(), 17, "up", 0.03, kernel.ioctl).close()
    attribute = u32(3) + u32(0) + u32(30_000) + u32(0) + u64(1)
    assert kernel.lines[17].request == request(17, config(BOTH_EDGES_IN | PULLS["up"], attribute))


def test_an_edge_comes_with_the_time_of_the_kernel_in_seconds_and_the_level_after_it(
    line: Line, wire: KernelLine
) -> None:
    wire.edge(5_000_000_450, 1)
    wire.edge(5_010_000_450, 0)
    assert line.wait(LATE, now_0) == (pytest.approx(5.00000045, abs=1e-9), 1)
    assert line.wait(LATE, now_0) == (pytest.approx(5.01000045, abs=1e-9), 0)


def test_many_edges_come_one_by_one_and_in_order(line: Line, wire: KernelLine) -> None:
    for i in range(40):  # more than one read takes
        wire.edge(i * 10**9, (i + 1) % 2)
    assert [line.wait(0.0, now_0) for _ in range(41)] == [*((float(i), (i + 1) % 2) for i in range(40)), None]
    assert line.lost == 0


def test_without_an_edge_it_is_none_at_the_deadline(line: Line) -> None:
    times = iter([10.0, 10.001])
    assert line.wait(10.001, lambda: next(times)) is None
    assert next(times, None) is None, "it has looked at the clock, waited, and looked again"


def test_waiting_blocks_and_does_not_poll(line: Line) -> None:
    looked = count()
    until_s = monotonic() + 0.05

    def now() -> float:
        next(looked)
        return monotonic()

    assert line.wait(until_s, now) is None
    assert next(looked) <= 3, "once, after the wait, and once more should the wait have been cut short"


def test_an_edge_that_is_there_is_taken_though_the_deadline_has_passed(line: Line, wire: KernelLine) -> None:
    wire.edge(1, 1)
    assert line.wait(-5.0, now_0) == (pytest.approx(1e-9), 1)


def test_another_thread_ends_a_wait_without_end(line: Line) -> None:
    found: list[Any] = []
    waiter = Thread(target=lambda: found.append(line.wait(float("inf"), now_0)), daemon=True)
    waiter.start()
    line.wake()
    waiter.join(LATE)
    assert found == [None]


def test_a_wake_that_comes_too_soon_ends_the_next_wait_and_no_other(line: Line, wire: KernelLine) -> None:
    line.wake()
    assert line.wait(LATE, now_0) is None
    wire.edge(1, 1)
    assert line.wait(LATE, now_0) == (pytest.approx(1e-9), 1)


def test_the_level_is_that_of_the_line_now(line: Line, wire: KernelLine) -> None:
    assert line.level() == 0
    wire.high = True
    assert line.level() == 1


@pytest.mark.parametrize("missing", [1, 5])
def test_a_gap_in_the_numbers_of_edges_is_counted_as_lost(missing: int, line: Line, wire: KernelLine) -> None:
    wire.edge(1, 1)
    wire.edge(2, 0, step=1 + missing)
    assert levels(line) == [1, 0]
    assert line.lost == missing


def test_the_numbers_of_edges_may_begin_anywhere_and_run_over(line: Line, wire: KernelLine) -> None:
    wire.number = 2**32 - 3
    for i in range(4):
        wire.edge(i, (i + 1) % 2)
    assert levels(line) == [1, 0, 1, 0]
    assert line.lost == 0


@pytest.mark.parametrize("level", [0, 1])
def test_the_same_level_twice_means_that_the_edge_between_was_lost(level: int, line: Line, wire: KernelLine) -> None:
    wire.edge(1, 1 - level)
    wire.edge(2, level)
    wire.edge(3, level)
    assert levels(line) == [1 - level, level, level]
    assert line.lost == 1


def test_drain_forgets_what_was_read_and_what_was_not_and_tells_the_level(line: Line, wire: KernelLine) -> None:
    for t_ns, level in ((1, 1), (2, 0), (3, 1)):
        wire.edge(t_ns, level)
    assert line.wait(0.0, now_0) is not None
    wire.edge(4, 0)
    wire.edge(5, 1)
    assert line.drain() == 1
    assert line.wait(0.0, now_0) is None
    wire.edge(6, 0)
    assert levels(line) == [0]
    assert line.lost == 0


def test_drain_of_a_quiet_line_does_not_wait(line: Line) -> None:
    assert line.drain() == 0


def test_driving_low_is_an_output_at_0_for_that_long_and_then_the_same_input_again(
    line: Line, wire: KernelLine
) -> None:
    slept: list[tuple[float, int]] = []
    line.drive_low(0.002, lambda seconds: slept.append((seconds, len(wire.configs))))
    assert wire.configs == [wire.configs[0], config(OUT), wire.configs[0]]
    assert slept == [(0.002, 2)], "while it is an output"


def test_edges_of_driving_low_are_forgotten_and_none_is_missed_after_it(
    kernel: Kernel, line: Line, wire: KernelLine
) -> None:
    wire.edge(1, 1)
    kernel.on_config = lambda it: it.edge(2, 0, step=3)
    line.drive_low(0.002, lambda _: None)
    before = line.lost
    wire.edge(3, 0, step=9)  # whatever it was before
    wire.edge(4, 1)
    assert levels(line) == [0, 1]
    assert line.lost == before


def test_an_interrupted_drive_low_does_not_leave_the_line_an_output(line: Line, wire: KernelLine) -> None:
    def fail(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        line.drive_low(0.002, fail)
    assert wire.configs[-1] == wire.configs[0]


def test_a_chip_that_goes_away_is_an_error_and_not_silence(line: Line, wire: KernelLine) -> None:
    wire.edge(1, 1)
    wire.unplug()
    assert line.wait(LATE, now_0) is not None, "what it still had to say"
    with pytest.raises(OSError, match=os.strerror(ENODEV)):
        line.wait(LATE, now_0)
    with pytest.raises(OSError, match=os.strerror(ENODEV)):
        line.drain()


def test_close_lets_the_line_and_its_bell_go_and_may_come_twice(kernel: Kernel) -> None:
    before = open_files()
    line = Line(kernel.path(), PIN, ioctl=kernel.ioctl)
    assert kernel.lines[PIN].held
    line.close()
    line.close()
    assert not kernel.lines[PIN].held
    kernel.lines[PIN].unplug()
    assert open_files() == before
    Line(kernel.path(), PIN, ioctl=kernel.ioctl).close()


def test_rest_makes_each_pin_an_output_at_0_and_lets_it_go(kernel: Kernel) -> None:
    assert rest(kernel.path(), [(12, 0), (13, 0), (25, 0)], kernel.ioctl) == []
    assert {pin: it.request for pin, it in kernel.lines.items()} == {
        pin: request(pin, config(OUT)) for pin in (12, 13, 25)
    }
    assert not any(it.held for it in kernel.lines.values())


def test_a_pin_that_cannot_be_put_to_rest_is_told_and_keeps_none_from_it(kernel: Kernel) -> None:
    kernel.consumers[12] = b"lg"
    (trouble,) = rest(kernel.path(), [(12, 0), (13, 0)], kernel.ioctl)
    assert "pin 12" in trouble and "'lg'" in trouble
    assert set(kernel.lines) == {13}
