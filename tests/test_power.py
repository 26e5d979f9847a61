"""Supply and heat of the board, from hwmon files that are really there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rearguard.bench.sensing.wires import VirtualClock
from rearguard.core.alert import Alert
from rearguard.core.pattern import felt_faults
from rearguard.core.threat import Level
from rearguard.power import PowerWatch


class Board:
    """A tree as /sys/class/hwmon, and a watch that is turned by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = VirtualClock(100.0)
        self.reports: list[tuple[float, str, bool]] = []
        self.watch = PowerWatch(
            lambda r: self.reports.append((r.t_s, f"{r.source}:{r.fault}", r.active)), self.clock, root
        )

    def fit(self, number: int, name: str, **files: str) -> Path:
        folder = self.root / f"hwmon{number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "name").write_text(name + "\n")
        for file, text in files.items():
            (folder / file).write_text(text)
        return folder

    def low(self, *readings: int) -> list[tuple[float, str, bool]]:
        """A second each with this alarm; returns what was reported meanwhile."""
        del self.reports[:]
        for reading in readings:
            self.fit(1, "rpi_volt", in0_lcrit_alarm=f"{reading}\n")
            self.turn()
        return self.reports

    def heat(self, *celsius: float) -> list[tuple[float, str, bool]]:
        del self.reports[:]
        for reading in celsius:
            self.fit(0, "cpu_thermal", temp1_input=f"{round(reading * 1000)}\n")
            self.turn()
        return self.reports

    def turn(self) -> None:
        self.watch.round()
        self.clock.sleep(1.0)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "hwmon")


def test_under_voltage_that_lasts_is_reported_when_it_begins_and_when_it_ends(board: Board) -> None:
    seen = board.low(0, 1, 1, 1, 1, 0, 0)
    assert seen == [(103.0, "system:under_voltage", True), (105.0, "system:under_voltage", False)]


def test_a_single_dip_is_none_for_the_kernel_shows_it_for_two_seconds(board: Board) -> None:
    assert board.low(0, 1, 1, 0, 1, 1, 0) == []


def test_under_voltage_is_felt_and_heat_is_shown(board: Board) -> None:
    assert felt_faults(Alert(Level.CLEAR, faults=("system:under_voltage",)))
    assert not felt_faults(Alert(Level.CLEAR, faults=("system:hot",)))


def test_a_board_is_hot_from_80_degrees_until_below_75(board: Board) -> None:
    seen = board.heat(20.0, 79.9, 80.0, 82.0, 75.0, 74.9, 79.0)
    assert seen == [(102.0, "system:hot", True), (105.0, "system:hot", False)]


def test_a_board_without_a_detector_has_no_such_watch_and_says_nothing(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    assert board.heat(50.0, 50.0) == []
    assert capsys.readouterr().err == ""


def test_a_machine_without_hwmon_is_let_be(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    board.turn()
    assert board.reports == []
    assert capsys.readouterr().err == ""


def test_a_detector_that_comes_late_in_the_boot_is_found(board: Board) -> None:
    board.turn()
    assert board.low(1, 1, 1) == [(103.0, "system:under_voltage", True)]


def test_devices_may_change_their_numbers(board: Board) -> None:
    board.low(1, 1)
    board.fit(1, "cpu_thermal", temp1_input="40000\n")
    board.fit(4, "rpi_volt", in0_lcrit_alarm="1\n")
    board.turn()
    assert [fault for _, fault, _ in board.reports] == ["system:under_voltage"]


GARBAGE = [b"", b"\n", b"maybe\n", b"-1\n", b"2\n", b"\xff\xfe\x00", b"1" * 5000, b"1.0\n"]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_told_once_and_changes_nothing(
    garbage: bytes, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    board.low(1, 1, 1)
    del board.reports[:]
    alarm = board.root / "hwmon1" / "in0_lcrit_alarm"
    alarm.write_bytes(garbage)
    for _ in range(5):
        board.turn()
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert f"{alarm} cannot be read" in said[0]
    assert board.reports == []
    assert board.low(0) == [(108.0, "system:under_voltage", False)]


@pytest.mark.parametrize("degrees", [b"-300000\n", b"999999\n", b"hot\n"])
def test_a_temperature_that_no_board_has_is_garbage_too(
    degrees: bytes, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    board.heat(20.0)
    (board.root / "hwmon0" / "temp1_input").write_bytes(degrees)
    board.turn()
    assert board.reports == []
    assert "temp1_input cannot be read" in capsys.readouterr().err


def test_files_that_vanish_are_told_once_and_found_again(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    board.low(0)
    for file in ("in0_lcrit_alarm", "name"):
        (board.root / "hwmon1" / file).unlink()
        board.turn()
        board.turn()
    (board.root / "hwmon1").rmdir()
    board.turn()
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert board.low(1, 1, 1) == [(108.0, "system:under_voltage", True)]


def test_a_folder_in_place_of_a_file_is_told_and_no_end(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    (board.fit(1, "rpi_volt") / "in0_lcrit_alarm").mkdir()
    (board.root / "hwmon0" / "name").mkdir(parents=True)
    board.turn()
    assert "in0_lcrit_alarm cannot be read" in capsys.readouterr().err


def test_a_read_that_never_comes_back_is_told_once_by_the_guard(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    alarm = board.fit(1, "rpi_volt") / "in0_lcrit_alarm"
    os.mkfifo(alarm)  # it blocks who reads it
    board.watch.start()
    with alarm.open("wb") as line:  # opens when the watch has begun to read
        board.watch.check(104.0)
        assert capsys.readouterr().err == ""
        board.watch.check(106.0)
        board.watch.check(107.0)
        assert len(capsys.readouterr().err.splitlines()) == 1
        board.watch.stop()
        line.write(b"0\n")
    board.watch.join()
    board.watch.check(1000.0)
    assert capsys.readouterr().err == ""


def test_nothing_is_said_of_a_watch_that_was_never_started(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    board.watch.check(1000.0)
    assert capsys.readouterr().err == ""


def test_its_thread_looks_at_once_and_ends_when_told(board: Board) -> None:
    board.fit(0, "cpu_thermal", temp1_input="90000\n")
    reports: list[str] = []
    watch = PowerWatch(lambda report: (reports.append(report.fault), watch.stop()), board.clock, board.root)
    watch.start()
    watch.join()
    assert reports == ["hot"]
