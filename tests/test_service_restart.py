"""Beginnings and ends: a crash in mid-walk, a goodbye, power off, and what is guarded meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rearguard import notify
from rearguard.core.reading import Cue, Input, Report
from rearguard.host import Host
from rearguard.power import PowerWatch
from support import HandGuard, config, ok

ALL, NONE = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
PATIENCE_S = 30.0  # for the machine, not for the guard


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The service's runtime directory."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{folder}:/run/other")
    return folder


def begun(seconds: float, distance_m: float = 3.5) -> HandGuard:
    """A guard that was started so long ago, with a sensor that sees a wall from the first ping on."""
    hand = HandGuard()
    hand.guard.begin()
    start = hand.clock.now()
    hand.until(start + seconds, [ok(start + 0.06 * i, distance_m) for i in range(1, int(seconds / 0.06))])
    return hand


def cues(hand: HandGuard, seconds: float, distance: Callable[[float], float] = lambda _: 3.5) -> list[Cue]:
    """What the wearer is told in the first seconds of a new guard, one after the other."""
    hand.guard.begin()
    start, told = hand.clock.now(), []
    for i in range(1, int(seconds / 0.02)):
        t_s = start + 0.02 * i
        hand.clock.sleep(t_s - hand.clock.now())
        hand.turn([ok(t_s, distance(t_s - start))] if i % 3 == 0 else [])
        playing = hand.guard.playing()
        if playing is not None and told[-1:] != [playing]:
            told.append(playing)
    return told


def test_a_first_start_tests_the_motors_one_by_one_and_then_says_ready(runtime: Path) -> None:
    assert cues(HandGuard(), 2.0) == [Cue.SELF_TEST, Cue.READY]


def test_an_armed_guard_leaves_a_mark_that_outlives_a_crash(runtime: Path) -> None:
    hand = begun(1.5)
    assert hand.guard.armed
    hand.guard.finish()  # as after an exception: nobody asked for it
    assert [path.name for path in runtime.iterdir()] == ["armed"]


def test_after_a_crash_the_wearer_is_told_ready_at_once_and_no_motor_is_tested(runtime: Path) -> None:
    begun(1.5).guard.finish()
    assert cues(HandGuard(), 2.0) == [Cue.READY]


def test_after_a_crash_ready_begins_a_turn_after_the_sensors_first_answer(runtime: Path) -> None:
    begun(1.5).guard.finish()
    hand = HandGuard()
    hand.guard.begin()
    start = hand.clock.now()
    seen = hand.until(start + 0.5, [ok(start + 0.06 * i, 3.5) for i in range(1, 8)])
    felt = [t_s for t_s, motors in seen if motors != NONE]
    assert felt[0] - start <= 0.121, "the test turns the guard at each ping, 60 ms apart"


def test_after_a_crash_ready_is_not_said_while_a_sensor_is_silent_and_the_fault_is_felt(runtime: Path) -> None:
    begun(1.5).guard.finish()
    hand = HandGuard()
    hand.guard.begin()
    seen = hand.until(hand.clock.now() + 2.0)
    assert not hand.guard.armed
    assert {motors for _, motors in seen} == {NONE, ALL}


def test_a_guard_that_crashed_before_it_was_armed_begins_with_the_self_test(runtime: Path) -> None:
    hand = HandGuard()
    hand.guard.begin()
    hand.until(hand.clock.now() + 2.0)
    hand.guard.finish()
    assert cues(HandGuard(), 2.0) == [Cue.SELF_TEST, Cue.READY]


def test_a_goodbye_takes_the_mark_away(runtime: Path) -> None:
    hand = begun(1.5)
    hand.guard.stop()
    hand.until(hand.clock.now() + 3.0)
    hand.guard.finish()
    assert list(runtime.iterdir()) == []
    assert cues(HandGuard(), 2.0) == [Cue.SELF_TEST, Cue.READY]


def test_held_for_power_off_the_machine_is_asked_to_switch_off_after_the_goodbye(runtime: Path) -> None:
    hand = begun(1.5)
    hand.guard._panel._ask(Cue.GOODBYE)  # as the button's thread does; test_panel_presses.py shows when
    seen = hand.until(hand.clock.now() + 5.0)
    assert hand.guard.over
    assert any(motors == ALL for _, motors in seen)
    assert [path.name for path in runtime.iterdir()] == ["armed"], "not before all is at rest and written"
    hand.guard.finish()
    assert [path.name for path in runtime.iterdir()] == ["poweroff"]


def test_a_goodbye_that_nobody_held_the_button_for_switches_nothing_off(runtime: Path) -> None:
    hand = begun(1.5)
    hand.guard.stop()
    hand.until(hand.clock.now() + 3.0)
    hand.guard.finish()
    assert not (runtime / "poweroff").exists()


def test_a_mark_that_cannot_be_made_is_told_and_the_guard_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "absent"))
    hand = begun(1.5)
    assert hand.guard.armed
    assert "RuntimeDirectory=rearguard" in capsys.readouterr().err
    hand.guard.finish()


def test_outside_systemd_no_mark_is_left_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    begun(1.5).guard.finish()
    assert list(tmp_path.iterdir()) == []
    assert not notify.marked(notify.ARMED)


@pytest.mark.parametrize(("mark", "cue"), [(False, Cue.SELF_TEST), (True, Cue.READY)])
def test_a_danger_outranks_the_cue_that_a_start_plays(mark: bool, cue: Cue, runtime: Path) -> None:
    """The cue is drawn out, so that it is on for as long as it takes to come near the wall."""
    notify.mark(notify.ARMED, mark)
    motors = {f"m{i}": {"pin": 4 + i, "bearing_deg": -80 + 10 * i} for i in range(13)}
    belt = {"driver": "gpio_pwm", "motor": motors}
    hand = HandGuard(config(belt=belt, sensor={"rear": {"driver": "hcsr04", "trigger_pin": 23, "echo_pin": 24}}))
    hand.guard.begin()
    start, stopped = hand.clock.now(), []
    for i in range(1, 25):
        t_s = start + 0.06 * i
        hand.clock.sleep(t_s - hand.clock.now())
        hand.turn([ok(t_s, 2.0 - 0.06 * i)])
        if hand.motors() == (1.0,) * 13:
            stopped.append((t_s - start, hand.guard.playing()))
    assert stopped[0][0] < 0.7, "guarding began with the first readings"
    assert stopped[0][1] is cue


def test_the_lines_that_drive_motors_and_buzzer_are_noted_once_the_belt_is_open(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "chip", lambda _: "/dev/gpiochip4")
    monkeypatch.setattr("rearguard.panel.Panel.open", lambda _: None)  # the button needs a real chip
    HandGuard().guard.begin()
    assert (runtime / "motors").read_text().split() == ["/dev/gpiochip4", "12", "13", "19", "25"]


def test_a_running_guard_watches_its_supply_and_lets_go_of_it_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "hwmon0").mkdir()
    (tmp_path / "hwmon0" / "name").write_text("cpu_thermal\n")
    (tmp_path / "hwmon0" / "temp1_input").write_text("91000\n")
    guard = HandGuard().guard
    guard._power = PowerWatch(guard._inbox.put, guard._clock, tmp_path)
    guard._threads = lambda: []
    seen: list[Input] = []

    def take() -> list[Input]:
        seen.append(guard._inbox.get(timeout=PATIENCE_S))
        if isinstance(seen[-1], Report):
            raise RuntimeError("enough")
        return seen[-1:]

    guard._take = take
    with pytest.raises(RuntimeError, match="enough"):
        guard.run()
    assert seen[-1][::2] == ("system", "hot")
    guard._power.join(timeout=PATIENCE_S)
    assert not guard._power.is_alive()


def test_under_voltage_is_felt_on_all_motors_and_on_the_buzzer() -> None:
    hand = begun(2.5)
    now = hand.clock.now()
    hand.turn([ok(now, 3.5), Report("system", now, "under_voltage", True)])
    assert hand.motors() == ALL
    assert hand.buzzer()


def test_heat_is_shown_and_not_felt() -> None:
    hand = begun(2.5)
    now = hand.clock.now()
    tick = hand.turn([ok(now, 3.5), Report("system", now, "hot", True)])
    assert tick.alert.faults == ("system:hot",)
    assert hand.motors() == NONE
    assert not hand.buzzer()
