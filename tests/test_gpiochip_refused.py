"""A GPIO chip that cannot be used, or a line of it: what is told; and which chip is the header's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import EACCES, EINVAL, ENOTTY
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contract.kernel import HEADER, Kernel, open_files
from rearguard.errors import DeviceOpenError
from rearguard.gpiochip import GET_CHIPINFO, GET_LINE, GET_LINEINFO, Line, header

PIN = 24


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(tmp_path, {0: HEADER})
    yield made
    made.close()


@pytest.mark.parametrize(("consumer", "words"), [(b"onewire@4", "'onewire@4'"), (b"", "another program")])
def test_a_line_in_use_names_its_pin_and_who_holds_it(consumer: bytes, words: str, kernel: Kernel) -> None:
    kernel.consumers[PIN] = consumer
    with pytest.raises(DeviceOpenError, match=rf"pin {PIN} is in use by {words}; end it, or choose another pin"):
        Line(kernel.path(), PIN, ioctl=kernel.ioctl)


@pytest.mark.parametrize("error", [EINVAL, ENOTTY])
def test_a_kernel_without_this_interface_is_told_as_too_old(error: int, kernel: Kernel) -> None:
    kernel.refused = {(0, GET_LINE): error, (0, GET_LINEINFO): error}
    with pytest.raises(DeviceOpenError, match=r"older than Linux 5\.10.*sudo apt full-upgrade"):
        Line(kernel.path(), PIN, ioctl=kernel.ioctl)


def test_a_line_that_a_new_kernel_refuses_is_not_blamed_on_its_age(kernel: Kernel) -> None:
    kernel.refused = {(0, GET_LINE): EINVAL}
    with pytest.raises(DeviceOpenError, match=rf"pin {PIN}: {kernel.path()}: {os.strerror(EINVAL)}"):
        Line(kernel.path(), PIN, ioctl=kernel.ioctl)


def test_no_permission_names_the_group_of_the_chip(kernel: Kernel, mocker: Any) -> None:
    kernel.refused = {(0, GET_LINE): EACCES}
    mocker.patch("grp.getgrgid", return_value=SimpleNamespace(gr_name="gpio"))
    with pytest.raises(DeviceOpenError, match=rf"no permission on {kernel.path()}.*sudo usermod -aG gpio \$USER"):
        Line(kernel.path(), PIN, ioctl=kernel.ioctl)


def test_no_permission_and_a_group_without_a_name_is_still_a_sentence(kernel: Kernel, mocker: Any) -> None:
    kernel.refused = {(0, GET_LINE): EACCES}
    mocker.patch("grp.getgrgid", side_effect=KeyError("gid not found"))
    with pytest.raises(DeviceOpenError, match=rf"{kernel.path()}: {os.strerror(EACCES)}"):
        Line(kernel.path(), PIN, ioctl=kernel.ioctl)


def test_a_chip_that_is_not_there_says_how_to_look(kernel: Kernel) -> None:
    with pytest.raises(DeviceOpenError, match=r"gpiochip7 is not there; look with: ls /dev/gpiochip\*"):
        Line(kernel.path(7), PIN, ioctl=kernel.ioctl)


def test_a_failed_claim_leaves_nothing_open(kernel: Kernel) -> None:
    before = open_files()
    kernel.consumers[PIN] = b"other"
    with pytest.raises(DeviceOpenError):
        Line(kernel.path(), PIN, ioctl=kernel.ioctl)
    assert open_files() == before


@pytest.mark.parametrize("label", ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
@pytest.mark.parametrize("number", [0, 4, 10])
def test_the_header_is_found_by_its_label_and_not_by_its_number(label: str, number: int, tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, {**dict.fromkeys(range(6), "gpio-brcmstb@107d508500"), number: label})
    assert header(str(tmp_path), kernel.ioctl) == kernel.path(number)


def test_a_foreign_chip_that_does_not_answer_does_not_hide_the_header(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, {0: "usb-adapter", 1: HEADER})
    kernel.refused = {(0, GET_CHIPINFO): EACCES}
    assert header(str(tmp_path), kernel.ioctl) == kernel.path(1)


def test_without_a_header_all_chips_are_named_and_the_first_trouble(tmp_path: Path, mocker: Any) -> None:
    kernel = Kernel(tmp_path, {0: "raspberrypi-exp-gpio", 1: HEADER})
    kernel.refused = {(1, GET_CHIPINFO): EACCES}
    mocker.patch("grp.getgrgid", return_value=SimpleNamespace(gr_name="gpio-users"))
    with pytest.raises(
        DeviceOpenError, match=r"none of \S*gpiochip0, \S*gpiochip1 is the header of a.*; no permission.*-aG gpio-users"
    ):
        header(str(tmp_path), kernel.ioctl)


def test_a_machine_without_chips_is_told_to_use_mock(tmp_path: Path) -> None:
    (tmp_path / "gpiochip-notes.txt").touch()
    with pytest.raises(DeviceOpenError, match=r"there is no \S*/gpiochip\* here.*pin_factory = 'mock'"):
        header(str(tmp_path), Kernel(tmp_path, {}).ioctl)
