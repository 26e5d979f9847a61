"""Inputs, outputs and surroundings that mean no good: one clear line, or a guard that goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rearguard import lines
from rearguard.bench.sensing.wires import VirtualClock
from rearguard.cli import main
from rearguard.core.reading import Input, Status
from rearguard.core.threat import PROFILES, max_speed
from rearguard.errors import DeviceLostError, InputError, tell
from rearguard.replay import Replay
from rearguard.watch import BusThread
from support import MOCK, HandGuard, config, ok

GAP_S = 1e6


def line(t_s: float, sensor: str = "rear") -> bytes:
    return json.dumps({"t_s": t_s, "sensor": sensor, "status": "ok", "distance_m": 3.0}).encode() + b"\n"


def ran(*words: str, shell: str) -> subprocess.CompletedProcess[str]:
    """A command in a shell, with what the shell does to its outputs."""
    command = f'exec "$0" -m rearguard {" ".join(words)} {shell}'
    return subprocess.run(
        ["sh", "-c", command, sys.executable], capture_output=True, text=True, timeout=60, check=False
    )


class Broken:
    """A sensor that fails at every read, each time alike."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self, deadline_s: float) -> list[Input]:
        raise DeviceLostError("the plug is loose")


def test_a_log_that_cannot_be_written_stops_neither_sensor_nor_belt(mocker) -> None:
    mocker.patch("sys.stderr.write", side_effect=OSError(28, "No space left on device"))
    heard: list[Input] = []
    clock = VirtualClock()
    bus = BusThread("x", [("rear", Broken(), 0.0)], heard.append, clock)
    for _ in range(3):
        clock.sleep(bus.round())
    assert [item.status for item in heard] == [Status.LOST] * 3
    hand = HandGuard()
    hand.guard.begin()
    mocker.patch.object(hand.guard._belt, "write", side_effect=DeviceLostError("belt: gone"))
    hand.turn([ok(hand.clock.now(), 3.0)])
    assert "belt:write_failed" in hand.turn(after_s=0.01).alert.faults


def test_telling_nobody_is_no_error(mocker) -> None:
    for error in (BrokenPipeError(), ValueError("closed")):
        mocker.patch("builtins.print", side_effect=error)
        tell("anything")


def test_the_same_trouble_is_told_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = VirtualClock()
    bus = BusThread("x", [("rear", Broken(), 0.0)], lambda item: None, clock)
    while clock.now() < 100.0:
        clock.sleep(max(bus.round(), 0.01))
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize("command", ["check-config", "replay docs/wall.jsonl", "bench --fast"])
@pytest.mark.parametrize(("shell", "said"), [("> /dev/full", "No space left"), (">&-", "standard output is closed")])
def test_an_output_that_takes_nothing_is_one_line(command: str, shell: str, said: str, monkeypatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[1])
    done = ran(*command.split(), shell=shell)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["replay -", "decode ld06 -"])
def test_an_input_that_is_closed_is_one_line(command: str) -> None:
    done = ran(*command.split(), shell="<&-")
    assert done.returncode == 1
    assert done.stderr == "rearguard: standard input is closed; give it something to read\n"


def test_endless_input_is_refused_and_not_swallowed() -> None:
    for command, said in (("replay /dev/zero", "longer than"), ("decode ld06 /dev/zero", "longer than")):
        done = ran(*command.split(), shell="")
        assert done.returncode == 1
        assert said in done.stderr


def test_a_long_gap_is_stepped_through_only_while_something_may_change() -> None:
    source = [line(i * GAP_S) for i in range(50)]
    faults = [json.loads(text)["faults"] for text in Replay(None, None).run(source, "x")]
    assert faults == [[], ["rear:no_data"]]


def test_more_sensors_than_a_belt_can_carry_are_refused() -> None:
    with pytest.raises(InputError, match="more than 64 sensors"):
        list(Replay(None, None).run([line(0.01 * i, f"s{i}") for i in range(100)], "x"))


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert len(list(Replay(None, None).run([b"\xef\xbb\xbf" + line(0.0), line(0.06)], "x"))) == 1


def test_nests_without_end_are_no_traceback() -> None:
    deep = b'{"t_s":1,"config":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001
    with pytest.raises(InputError, match="not a reading line"):
        lines.decode(deep, "x")


def test_a_long_value_is_shown_by_its_beginning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.toml"
    path.write_text(MOCK.replace('"mock"', f'"{"x" * 5000}"'))
    assert main(["check-config", "--config", str(path)]) == 1
    assert len(capsys.readouterr().err) < 300


def test_three_ultrasonics_allow_a_slower_walk_than_one() -> None:
    """Each is heard every 180 ms, so an obstacle takes longer to be believed."""
    three = {
        f"u{i}": {"driver": "hcsr04", "trigger_pin": 4 + 2 * i, "echo_pin": 5 + 2 * i, "bearing_deg": 40 * (i - 1)}
        for i in range(3)
    }
    belt = {"driver": "memory", "motor": {"back": {"bearing_deg": 0}}}
    (one,), many = config().specs(), config(sensor=three, belt=belt, buzzer=None, button=None).specs()
    assert many[0].round_s == pytest.approx(0.18)
    profile = PROFILES["default"]
    slow, quick = (max_speed(spec.proved_range_m, profile, spec.round_s) for spec in (many[0], one))
    assert slow < quick == pytest.approx(max_speed(one.proved_range_m, profile))
