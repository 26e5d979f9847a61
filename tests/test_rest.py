"""Motors to rest from outside: what the guard notes, and what becomes of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from errno import EREMOTEIO, ETIMEDOUT
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contract.chips import Drv2605, I2cBus, Pca9685
from contract.kernel import HEADER, Kernel
from contract.rigs import Bench
from rearguard import gpiochip
from rearguard.belt import drv2605, load, pca9685
from rearguard.host import Host
from rearguard.rest import main, note

CHIP = "/dev/gpiochip0"
OUTPUT_LOW = (8).to_bytes(8, sys.byteorder) + bytes(264)  # GPIO_V2_LINE_FLAG_OUTPUT, and no attribute that says 1
OUTPUT_HIGH = (8 | 2).to_bytes(8, sys.byteorder) + bytes(264)  # and _ACTIVE_LOW: its 0 is high
LIGHT = {"os", "sys", "fcntl", "struct", "_struct", "errno", "time", "__future__", "rearguard"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime directory of the service."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    return tmp_path


@pytest.fixture
def kernel(folder: Path, mocker: Any) -> Iterator[Kernel]:
    made = Kernel(folder, {0: HEADER})
    mocker.patch("rearguard.rest.rest", partial(gpiochip.rest, ioctl=made.ioctl))
    yield made
    made.close()


def test_the_note_is_one_line_of_the_chip_and_its_pins(folder: Path) -> None:
    note(CHIP, {19: 0, 12: 0, 22: 1, 25: 0})
    assert (folder / "motors").read_text() == "/dev/gpiochip0 12 19 22=1 25\n"


def test_a_new_note_takes_the_place_of_the_old_one_in_one_move(folder: Path, mocker: Any) -> None:
    note(CHIP, {12: 0})
    mocker.patch("rearguard.rest.os.replace", side_effect=OSError(28, "No space left on device"))
    note(CHIP, {13: 0})
    assert (folder / "motors").read_text() == "/dev/gpiochip0 12\n", "whole, whatever happens meanwhile"
    mocker.stopall()
    note(CHIP, {13: 0})
    assert (folder / "motors").read_text() == "/dev/gpiochip0 13\n"
    assert [path.name for path in folder.iterdir()] == ["motors"]


def test_of_several_runtime_directories_the_first_holds_the_note(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{folder}:{folder}/other")
    note(CHIP, {12: 0})
    assert (folder / "motors").exists()


@pytest.mark.parametrize(("chip", "levels"), [(None, {12: 0}), (CHIP, {})])
def test_mock_pins_and_a_belt_without_pins_leave_no_note(
    chip: str | None, levels: dict[int, int], folder: Path
) -> None:
    note(chip, levels)
    assert not list(folder.iterdir())


def test_outside_systemd_there_is_no_note_and_nothing_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    note(CHIP, {12: 0})
    assert main() == 0
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().err == ""


def test_a_note_that_cannot_be_written_is_told_and_stops_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder / "gone"))
    note(CHIP, {12: 0})
    told = "No such file or directory; if the guard is killed, only the pull-downs stop the motors"
    assert capsys.readouterr().err == f"{folder}/gone/motors: {told}\n"


def test_what_was_noted_is_driven_low_and_let_go(kernel: Kernel, capsys: pytest.CaptureFixture[str]) -> None:
    note(kernel.path(), {12: 0, 13: 0, 19: 0, 25: 0})
    assert main() == 0
    assert {pin: line.configs for pin, line in kernel.lines.items()} == {pin: [OUTPUT_LOW] for pin in (12, 13, 19, 25)}
    assert not any(line.held for line in kernel.lines.values())
    assert capsys.readouterr().err == ""


def test_a_line_that_rests_high_is_driven_high(kernel: Kernel) -> None:
    note(kernel.path(), {22: 1, 25: 0})
    assert main() == 0
    assert {pin: line.configs for pin, line in kernel.lines.items()} == {22: [OUTPUT_HIGH], 25: [OUTPUT_LOW]}


def test_a_pin_that_cannot_be_driven_is_told_and_is_no_failure(
    kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    note(kernel.path(), {12: 0, 13: 0})
    kernel.consumers[12] = b"lg"
    assert main() == 0
    assert set(kernel.lines) == {13}
    assert capsys.readouterr().err.startswith("motors not put to rest: pin 12 is in use by 'lg'")


def test_without_a_note_there_is_nothing_to_do_and_nothing_to_say(
    kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main() == 0
    assert not kernel.lines
    assert capsys.readouterr().err == ""


@pytest.fixture
def bus(mocker: Any) -> I2cBus:
    made = I2cBus()
    mocker.patch("smbus2.SMBus", made.smbus)
    return made


def pca9685_config(enable_pin: int | None = None) -> pca9685.Config:
    motor = {"back": pca9685.ChannelMotor(bearing_deg=0.0, channel=3)}
    return pca9685.Config(driver="pca9685", motor=motor, enable_pin=enable_pin)


def drv2605_config() -> drv2605.Config:
    motor = {f"m{i}": drv2605.BusMotor(bearing_deg=10.0 * i, bus=11 + i) for i in range(3)}
    return drv2605.Config(driver="drv2605", motor=motor)


def killed(kernel: Kernel, config: pca9685.Config | drv2605.Config, host: Host) -> None:
    """A guard is killed while all motors of its belt are on."""
    note(kernel.path(), config.at_rest(), config.registers_at_rest())
    belt = load(config.driver).Belt(config, host)
    belt.open()
    for tick in range(5):
        belt.write([1.0] * len(config.motor), 5.0 + 0.02 * tick)


def test_a_pca9685_without_an_enable_line_is_told_to_rest(kernel: Kernel, bus: I2cBus, bench: Bench) -> None:
    bus.chips[0x40] = chip = Pca9685()
    killed(kernel, pca9685_config(), bench.host)
    assert chip.duty(3) == 1.0
    assert main() == 0
    assert chip.duty(3) == 0.0
    assert not kernel.lines


def test_a_pca9685_with_one_is_told_by_the_line_and_by_its_register(kernel: Kernel, bus: I2cBus, bench: Bench) -> None:
    bus.chips[0x40] = chip = Pca9685()
    killed(kernel, pca9685_config(enable_pin=22), bench.host)
    assert main() == 0
    assert chip.duty(3) == 0.0
    assert {pin: line.configs for pin, line in kernel.lines.items()} == {22: [OUTPUT_HIGH]}


def test_each_drv2605_is_put_to_rest_behind_its_channel(kernel: Kernel, bus: I2cBus, bench: Bench) -> None:
    chips = [Drv2605() for _ in range(3)]
    bus.channels = {11 + i: {0x5A: chip} for i, chip in enumerate(chips)}
    killed(kernel, drv2605_config(), bench.host)
    assert all(chip.duty() for chip in chips)
    assert main() == 0
    assert not any(chip.duty() for chip in chips)


def test_one_board_that_does_not_answer_keeps_the_others_from_nothing(
    kernel: Kernel, bus: I2cBus, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    chips = [Drv2605() for _ in range(3)]
    bus.channels = {11 + i: {0x5A: chip} for i, chip in enumerate(chips)}
    killed(kernel, drv2605_config(), bench.host)
    bus.cut[11] = EREMOTEIO
    assert main() == 0
    assert [bool(chip.duty()) for chip in chips] == [True, False, False]
    assert "motors not put to rest: 0x5a on /dev/i2c-11: Remote I/O error" in capsys.readouterr().err


def test_a_bus_that_is_held_low_holds_the_restart_up_but_once(
    kernel: Kernel, bus: I2cBus, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bus.channels = {11 + i: {0x5A: Drv2605()} for i in range(3)}
    killed(kernel, drv2605_config(), bench.host)
    bus.error = ETIMEDOUT
    assert main() == 0
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [(b"i2c 1 0x40\n", True), (b"", False), (b"\n", False), (b"/dev/gpiochip0 twelve\n", True), (b"\xff\xfe", True)],
)
def test_a_note_that_is_no_note_is_no_failure(
    text: bytes, told: bool, kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    (kernel.folder / "motors").write_bytes(text)
    assert main() == 0
    assert not kernel.lines
    assert capsys.readouterr().err.startswith("motors not put to rest: ") is told


def test_as_a_process_of_its_own_it_ends_well_even_without_the_chip(folder: Path) -> None:
    note(str(folder / "gpiochip9"), {12: 0})
    done = subprocess.run([sys.executable, "-m", "rearguard.rest"], capture_output=True, text=True, check=True)
    assert done.stderr == (
        f"motors not put to rest: pin 12: {folder}/gpiochip9 is not there; look with: ls /dev/gpiochip*\n"
    )


def test_it_imports_next_to_nothing_for_it_runs_while_the_motors_do() -> None:
    code = "import sys; old = set(sys.modules); import rearguard.rest; print(*set(sys.modules) - old)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} <= LIGHT
    assert {name for name in done.stdout.split() if name.startswith("rearguard.")} == {
        "rearguard.rest",
        "rearguard.gpiochip",
        "rearguard.errors",
    }
