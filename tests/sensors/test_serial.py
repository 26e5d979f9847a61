"""The serial line beneath the drivers: which port, who has it, and how it says that it is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contract.rigs import Bench
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.sensors._serial import HEADER_UARTS, Line, find_port, on_header

USB = "/dev/serial/by-id/usb-FTDI_TTL232R-if00-port0"


@pytest.fixture
def machine(mocker: Any) -> Any:
    """A machine with these USB adapters and these UARTs."""

    def machine(usb: list[str], uarts: list[str]) -> None:
        mocker.patch("rearguard.sensors._serial.glob", return_value=usb)
        mocker.patch.object(Path, "exists", lambda path: str(path) in [*usb, *uarts])

    return machine


def test_a_port_that_is_named_is_taken_unseen(machine: Any) -> None:
    machine([], [])
    assert find_port("/dev/ttyUSB7") == "/dev/ttyUSB7"


def test_auto_takes_the_only_usb_adapter_before_the_header(machine: Any) -> None:
    machine([USB], list(HEADER_UARTS))
    assert find_port("auto") == USB


@pytest.mark.parametrize(
    ("uarts", "port"),
    [
        (["/dev/ttyAMA0", "/dev/serial0"], "/dev/ttyAMA0"),  # serial0 of a Pi 5 is its debug plug
        (["/dev/ttyS0", "/dev/serial0"], "/dev/ttyS0"),
        (["/dev/serial0"], "/dev/serial0"),
    ],
)
def test_auto_without_usb_takes_the_uart_of_the_header(uarts: list[str], port: str, machine: Any) -> None:
    machine([], uarts)
    assert find_port("auto") == port


def test_auto_does_not_choose_between_two_adapters_but_names_them(machine: Any) -> None:
    machine([USB, USB + "-2"], list(HEADER_UARTS))
    with pytest.raises(DeviceOpenError, match=f"{USB}, {USB}-2"):
        find_port("auto")


def test_auto_without_any_port_says_how_to_enable_one(machine: Any) -> None:
    machine([], [])
    with pytest.raises(DeviceOpenError, match="enable_uart=1"):
        find_port("auto")


def test_only_auto_and_the_headers_own_ports_take_header_pins() -> None:
    assert all(on_header(port) for port in ("auto", *HEADER_UARTS))
    assert not on_header("/dev/ttyUSB0")


def test_a_port_that_another_program_has_is_refused(bench: Bench) -> None:
    rig = bench.rig("benewake")
    first = Line(rig.config.port, 115200, bench.host)
    with pytest.raises(DeviceOpenError, match=f"{rig.config.port}.*another program"):
        Line(rig.config.port, 115200, bench.host)
    first.close()
    Line(rig.config.port, 115200, bench.host).close()


def test_a_file_that_is_no_serial_port_is_refused(tmp_path: Path, bench: Bench) -> None:
    path = tmp_path / "notes.txt"
    path.touch()
    with pytest.raises(DeviceOpenError, match=str(path)):
        Line(str(path), 115200, bench.host)


def test_bytes_come_as_they_were_sent_and_all_at_once(bench: Bench) -> None:
    rig = bench.rig("benewake")
    line = Line(rig.config.port, 115200, bench.host)
    sent = bytes(range(256)) * 4
    rig.send(sent)
    assert line.read(bench.clock.now()) == sent
    line.close()


def test_a_line_closed_under_its_reader_is_lost_and_may_be_closed_again(bench: Bench) -> None:
    rig = bench.rig("benewake")
    line = Line(rig.config.port, 115200, bench.host)
    line.close()
    with pytest.raises(DeviceLostError, match=rig.config.port):
        line.read(bench.clock.now())
    with pytest.raises(DeviceLostError, match=rig.config.port):
        line.write(b"\x00")
    line.close()


def test_a_port_that_promises_data_and_gives_none_is_gone(bench: Bench, mocker: Any) -> None:
    rig = bench.rig("benewake")
    line = Line(rig.config.port, 115200, bench.host)
    rig.send(b"\x59")
    mocker.patch("rearguard.sensors._serial.os.read", return_value=b"")
    with pytest.raises(DeviceLostError, match="gives none"):
        line.read(bench.clock.now())
    line.close()
