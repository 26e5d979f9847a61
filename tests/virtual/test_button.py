"""The wearer's one button, pressed on the kernel's own line."""

from __future__ import annotations

from itertools import pairwise

import pytest
from machine import Machine
from rhythm import SLACK_S, Pulse, meaning, pulses

STANDS = [[0, 3.0]]
LONG_S, OFF_S = 1.5, 5.0  # default.toml: self-test, power off
BOUNCE_S = 0.03  # the kernel believes a contact that has been still for so long (firmware/rearguard/panel.py)
LIMIT_S = 300  # of this machine's time: a machine that is still there will not go


def names(found: list[Pulse]) -> list[str]:
    return [meaning(pulse) for pulse in found]


def everywhere(found: list[Pulse]) -> bool:
    return {pulse.motors for pulse in found} == {(12, 13, 19)}


@pytest.fixture(scope="module")
def stands(belt: Machine) -> Machine:
    """A wearer who stands 3 m before a wall, in peace."""
    belt.ask("course", part="echo", points=STANDS, wait_s=2.5)
    return belt


def test_a_short_press_pauses_and_the_next_one_ends_the_pause(stands: Machine) -> None:
    seen = stands.ask("press", hold_s=0.2, watch_s=1.5)
    taps = pulses(seen["events"])
    assert names(taps) == ["TAP"] * 4
    assert everywhere(taps)
    print(f"short press: felt {1e3 * (taps[0].on_s - seen['pressed_s'] - 0.2):.0f} ms after its end")
    assert seen["status"] == "paused"
    over = stands.ask("press", hold_s=0.2, watch_s=1.5)
    assert names(pulses(over["events"])) == ["READY"] * 3
    assert over["status"] == "guarding"


def test_who_walks_into_a_wall_in_a_pause_has_wished_so_and_a_pause_ends_by_itself(stands: Machine) -> None:
    stands.ask("press", hold_s=0.2, watch_s=1.0)
    walked = stands.ask("course", part="echo", points=[[0, 3.0], [1, 3.0], [5, 0.6], [8, 3.0]], wait_s=15.0)
    felt = pulses(walked["events"])
    assert set(names(felt)) == {"TAP"}
    assert walked["status"] == "paused"
    after = stands.ask("course", part="echo", points=STANDS, wait_s=5.0)
    assert names(pulses(after["events"]))[-3:] == ["READY"] * 3
    assert after["status"] == "guarding"


def test_a_longer_press_runs_the_self_test(stands: Machine) -> None:
    seen = stands.ask("press", hold_s=2.0, watch_s=4.0)
    felt = pulses(seen["events"])
    assert names(felt) == ["SELF-TEST"] * 3 + ["READY"] * 3
    assert [pulse.motors for pulse in felt] == [(12,), (13,), (19,)] * 2, "left to right"
    assert 0 < felt[0].on_s - seen["pressed_s"] - LONG_S < BOUNCE_S + SLACK_S
    (chirp,) = pulses(seen["events"], buzzer=True)
    assert felt[2].off_s < chirp.on_s < chirp.off_s < felt[3].on_s, "the buzzer is the last of the self-test"


def test_a_long_press_says_goodbye_and_switches_the_machine_off(stands: Machine) -> None:
    seen = stands.ask("press", hold_s=5.5, watch_s=6.6)
    goodbye = [pulse for pulse in pulses(seen["events"]) if pulse.on_s > seen["pressed_s"] + OFF_S]
    assert len(goodbye) == 2
    assert everywhere(goodbye)
    assert all(abs(pulse.off_s - pulse.on_s - 0.5) < SLACK_S for pulse in goodbye), goodbye
    assert all(abs(after.on_s - before.on_s - 0.8) < SLACK_S for before, after in pairwise(goodbye)), goodbye
    assert 0 < goodbye[0].on_s - seen["pressed_s"] - OFF_S < BOUNCE_S + SLACK_S
    assert stands.process.wait(LIMIT_S) == 0, "QEMU ends well when its machine switches itself off"
