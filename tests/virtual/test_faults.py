"""Parts that fail are felt on the motor lines within 300 ms, and no longer once they are mended."""

from __future__ import annotations

from typing import Any

import pytest
from machine import Machine
from rhythm import first, meaning, pulses
from test_walk import LUNA, config

FELT_S = 0.300
ENABLE = 22  # pin of the motor board's OE
STANDS = [[0, 3.0]]
WALKS = [[0, 3.6], [3.75, 0.6]]  # 0.8 m/s: fast enough that a value that stands still is no wearer


def felt_and_gone(seen: dict[str, Any], fault: str) -> float:
    """The delay until the fault was felt; it was shown, journalled with start and end, and ended after the repair."""
    felt = [pulse for pulse in pulses(seen["during"]) if meaning(pulse) == "FAULT" or pulse.off_s == float("inf")]
    assert felt, f"{fault}: {pulses(seen['during'])}, {seen['status']}"
    assert fault in seen["status"]
    assert seen["status_after"] == "guarding"
    told = [line["faults"] for line in seen["alerts"]]
    assert [fault] in told
    assert told[-1] == []
    late = [pulse for pulse in pulses(seen["after"]) if pulse.on_s > seen["repaired_s"] + 1.5]
    assert not late, f"still felt after the repair: {late}"
    return felt[0].on_s - seen["failed_s"]


@pytest.mark.parametrize(
    ("mode", "fault"),
    [("cut", "rear:no_data"), ("high", "rear:no_data")],
    ids=["echo line cut or held low", "echo line held high"],
)
def test_an_ultrasonic_that_fails_is_felt(belt: Machine, mode: str, fault: str) -> None:
    seen = belt.ask("trouble", part="echo", mode=mode, points=STANDS, before_s=2.0, hold_s=2.0, after_s=4.0)
    delay = felt_and_gone(seen, fault)
    print(f"hcsr04 {mode}: felt after {1e3 * delay:.0f} ms")
    assert delay < FELT_S


@pytest.fixture(scope="module")
def lidar(belt: Machine) -> Machine:
    """The same belt with a TF-Luna on a serial port."""
    belt.ask("wire", part="lidar", arguments=["/run/lidar"])
    belt.ask("configure", text=config(sensor=LUNA))
    return belt


@pytest.mark.parametrize(
    ("mode", "fault", "course"),
    [
        ("silent", "rear:no_data", STANDS),
        ("garbage", "rear:no_data", STANDS),
        ("unplugged", "rear:lost", STANDS),
        ("frozen", "rear:frozen", WALKS),
    ],
)
def test_a_serial_lidar_that_fails_is_felt(lidar: Machine, mode: str, fault: str, course: list[list[float]]) -> None:
    lidar.ask("course", part="lidar", points=STANDS, wait_s=2.0)
    seen = lidar.ask("trouble", part="lidar", mode=mode, points=course, before_s=1.2, hold_s=2.0, after_s=5.0)
    delay = felt_and_gone(seen, fault)
    print(f"tf-luna {mode}: felt after {1e3 * delay:.0f} ms")
    assert delay < FELT_S


@pytest.fixture(scope="module")
def bus(belt: Machine) -> int:
    """Number of a simulated I2C bus with a motor board on it."""
    return int(belt.ask("board")["bus"])


def test_a_motor_board_that_is_gone_is_heard(belt: Machine, bus: int) -> None:
    """On the buzzer, which hangs on a pin of its own; the motors cannot be driven. A walk before and after is felt."""
    belt.ask("configure", text=board(bus))
    belt.ask("course", part="echo", points=STANDS, wait_s=2.0)
    walked = belt.ask("course", part="echo", points=WALKS, wait_s=4.0)
    on_board = pulses(belt.ask("on_board", since_s=walked["began_s"])["events"])
    assert first(on_board, "STOP"), on_board
    belt.ask("course", part="echo", points=STANDS, wait_s=2.5)
    seen = belt.ask("board_gone", bus=bus, hold_s=1.2, after_s=2.0)
    heard = pulses(seen["during"], buzzer=True)
    assert heard, seen["status"]
    assert "belt:write_failed" in seen["status"]
    assert seen["status_after"] == "guarding"
    assert seen["same_process"], "a watchdog that is not fed for 1.2 s bites at 2 s"
    delay = heard[0].on_s - seen["failed_s"]
    print(f"pca9685 gone: heard after {1e3 * delay:.0f} ms")
    assert delay < FELT_S


def test_a_guard_that_is_killed_lets_go_of_the_boards_enable_line(belt: Machine, bus: int) -> None:
    """A PCA9685 keeps its last duty; OE, which is high then, silences its motors."""
    line = f"/sys/bus/gpio/devices/gpiochip0/sim_gpio{ENABLE}"
    belt.ask("shell", command=f"echo pull-up >{line}/pull")  # the resistor on the board
    belt.ask("configure", text=board(bus))
    belt.ask("course", part="echo", points=STANDS, wait_s=1.0)
    look = f"cat {line}/value"
    held = belt.ask("shell", command=look)["out"]
    kill = "systemctl kill --signal=SIGKILL rearguard"
    seen = belt.ask("shell", command=f"{kill}; for i in $(seq 40); do {look}; sleep 0.01; done")["out"].split()
    belt.ask("armed")
    assert held == "0\n"
    assert "1" in seen, seen
    print(f"SIGKILL: OE of the motor board high after {seen.index('1')} looks, 10 ms apart")
    assert seen.index("1") < 10
    assert belt.ask("shell", command=look)["out"] == "0\n"


def test_a_motor_board_that_is_missing_at_the_start_is_heard(belt: Machine, bus: int) -> None:
    belt.ask("configure", text=board(bus, address=0x41))
    heard = pulses(belt.ask("course", part="echo", points=STANDS, wait_s=4.0)["events"], buzzer=True)
    belt.ask("configure", text=board(bus))
    assert heard
    assert max(pulse.off_s - pulse.on_s for pulse in heard) > 0.4, heard
    belt.ask("course", part="echo", points=STANDS, wait_s=2.0)
    assert belt.ask("armed")["StatusText"] == "guarding"


def board(bus: int, address: int = 0x40) -> str:
    """The starter belt with its motors on a PCA9685."""
    head, _, rest = config().partition("[belt]")
    tail = rest[rest.index("[buzzer]") :]
    motors = "".join(
        f"[belt.motor.{name}]\nchannel = {channel}\nbearing_deg = {bearing}\n"
        for channel, (name, bearing) in enumerate((("left", -90), ("back", 0), ("right", 90)))
    )
    return f'{head}[belt]\ndriver = "pca9685"\nbus = {bus}\naddress = {address}\nenable_pin = {ENABLE}\n{motors}{tail}'
