"""Whatever is done to the guard, it is back, and the wearer feels it."""

from __future__ import annotations

import pytest
from machine import Machine
from rhythm import first, pulses

FROM_3_M = [[0, 3.0], [1, 3.0], [5, 0.6]]


def walks_well(belt: Machine) -> None:
    """A walk to a wall, after all that, is felt as STOP."""
    belt.ask("course", part="echo", points=[[0, 3.0]], wait_s=2.5)
    walked = belt.ask("course", part="echo", points=FROM_3_M, wait_s=5.5)
    assert first(pulses(walked["events"]), "STOP"), walked["status"]
    assert walked["status"].startswith("guarding"), walked["status"]


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSTOP", "SIGSEGV"])
def test_a_guard_that_dies_or_hangs_lets_go_of_the_motors_and_is_back(belt: Machine, name: str) -> None:
    seen = belt.ask("signal", name=name)
    low, armed = seen["low_s"] - seen["sent_s"], seen["ready_s"] - seen["sent_s"]
    again = [pulse.on_s - seen["sent_s"] for pulse in pulses(seen["events"]) if pulse.on_s > seen["low_s"]]
    print(f"{name}: motors off after {low:.3f} s, armed after {armed:.2f} s, felt after {again[0]:.2f} s")
    assert low < (2.3 if name == "SIGSTOP" else 0.05)
    assert armed < 4.0
    assert again[0] < 4.0
    assert seen["restarts"] == 1
    rested = {line for _, line, level, who in seen["events"] if who == "python" and not level}
    assert name != "SIGSTOP" or rested, "who is stopped in mid-pulse leaves a motor on, until rearguard-rest comes"
    walks_well(belt)


def test_fifty_kills_in_a_row_are_survived(belt: Machine) -> None:
    seen = belt.ask("crash_loop", kills=50)
    assert seen["killed"] == 50
    print(f"armed {seen['armed_after_s']:.2f} s after the last of 50 kills")
    walks_well(belt)


def test_a_full_disk_is_shown_and_the_guard_goes_on(belt: Machine) -> None:
    before = belt.ask("armed")
    assert belt.ask("fill")["free"] == 0
    walked = belt.ask("course", part="echo", points=FROM_3_M, wait_s=5.5)
    assert first(pulses(walked["events"]), "STOP")
    assert "journal:disk_full" in belt.ask("armed")["StatusText"]
    belt.ask("empty")
    walked = belt.ask("course", part="echo", points=[[0, 3.0]], wait_s=5.0)
    after = belt.ask("armed")
    assert after["StatusText"] == "guarding"
    assert after["MainPID"] == before["MainPID"]
    assert walked["journal"], "the journal goes on"


@pytest.mark.parametrize("by_s", [86_400.0, -2 * 86_400.0])
def test_a_clock_that_jumps_by_a_day_changes_nothing(belt: Machine, by_s: float) -> None:
    before = belt.ask("armed")
    belt.ask("course", part="echo", points=[[0, 3.0]], wait_s=1.0)
    belt.ask("clock", by_s=by_s)
    quiet = belt.ask("course", part="echo", points=[[0, 3.0]], wait_s=2.0)
    assert pulses(quiet["events"]) == []
    walks_well(belt)
    assert belt.ask("armed")["MainPID"] == before["MainPID"]


def test_memory_that_is_taken_away_ends_in_a_guard_that_is_back(belt: Machine) -> None:
    seen = belt.ask("starve", cap="4M")
    assert seen["oom"], seen
    assert seen["after"] != seen["before"]
    walks_well(belt)
