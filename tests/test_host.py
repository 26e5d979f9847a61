"""The pin factory that was asked for or a clear refusal, and why a device file does not open."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from rearguard.errors import DeviceOpenError
from rearguard.host import RealClock, device_trouble, pin_factory

HEADER = "pinctrl-rp1"


class Chips:
    """The GPIO chips of a machine, by number and label, behind a library of the shape of lgpio."""

    def __init__(self, mocker: Any, labels: dict[int, str]) -> None:
        self.open: list[int] = []  # handles, which are number + 100
        self.labels = labels
        self.error: dict[int, Exception] = {}
        self.module = mocker.MagicMock(name="lgpio")
        self.module.error = type("error", (Exception,), {})
        self.module.gpiochip_open.side_effect = self._open
        self.module.gpiochip_close.side_effect = self.open.remove
        self.module.gpio_get_chip_info.side_effect = lambda handle: [0, 54, f"gpiochip{handle - 100}", self._of(handle)]
        mocker.patch.dict(sys.modules, {"lgpio": self.module})
        sys.modules.pop("gpiozero.pins.lgpio", None)  # so that it takes this library; the patch brings it back
        mocker.patch("rearguard.host.glob", return_value=[f"/dev/gpiochip{number}" for number in labels])

    def _open(self, number: int) -> int:
        if number in self.error:
            raise self.error[number]
        self.open.append(number + 100)
        return number + 100

    def _of(self, handle: int) -> str:
        return self.labels[handle - 100]


@pytest.fixture
def group(mocker: Any, tmp_path: Path) -> Any:
    """The devices of the machine are files of a temporary folder, closed to us and owned by a group."""

    def closed_to_us(name: str) -> None:
        for number in range(6):
            (tmp_path / f"gpiochip{number}").touch()
        mocker.patch("rearguard.host.Path", side_effect=lambda path: tmp_path / Path(path).name)
        mocker.patch("rearguard.host.access", return_value=False)
        mocker.patch("rearguard.host.getgrgid", return_value=SimpleNamespace(gr_name=name))

    return closed_to_us


def test_lgpio_without_its_library_names_the_package_of_apt_and_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(DeviceOpenError) as raised:
        pin_factory("lgpio")
    assert "apt install python3-lgpio" in str(raised.value)
    assert "rearguard[lgpio]" in str(raised.value)


def test_rpigpio_without_its_library_names_the_extra_and_its_replacement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    monkeypatch.setitem(sys.modules, "RPi.GPIO", None)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.rpigpio", raising=False)
    with pytest.raises(DeviceOpenError) as raised:
        pin_factory("rpigpio")
    assert "rearguard[rpigpio]" in str(raised.value)
    assert "rpi-lgpio" in str(raised.value)


def test_a_machine_without_gpio_chips_is_told_to_use_mock(mocker: Any) -> None:
    Chips(mocker, {})
    with pytest.raises(DeviceOpenError, match=r"/dev/gpiochip.*pin_factory = 'mock'"):
        pin_factory("lgpio")


def test_no_permission_on_the_chip_names_the_group_to_join(mocker: Any, group: Any) -> None:
    group("gpio-users")
    chips = Chips(mocker, {0: HEADER})
    chips.error[0] = chips.module.error("can not open gpiochip")
    with pytest.raises(DeviceOpenError, match=r"/dev/gpiochip0.*usermod -aG gpio-users"):
        pin_factory("lgpio")


def test_a_chip_that_cannot_be_opened_though_we_may_is_said_to_be_in_use(mocker: Any, group: Any) -> None:
    group("gpio")
    mocker.patch("rearguard.host.access", return_value=True)
    chips = Chips(mocker, {0: HEADER})
    chips.error[0] = chips.module.error("can not open gpiochip")
    with pytest.raises(DeviceOpenError, match=r"/dev/gpiochip0: can not open gpiochip.*another program") as raised:
        pin_factory("lgpio")
    assert "usermod" not in str(raised.value)


@pytest.mark.parametrize("label", ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
@pytest.mark.parametrize("number", [0, 4])
def test_the_chip_of_the_header_is_found_by_its_label_and_not_by_its_number(
    label: str, number: int, mocker: Any
) -> None:
    others = dict.fromkeys(range(6), "gpio-brcmstb@107d508500")
    chips = Chips(mocker, {**others, number: label})
    factory = pin_factory("lgpio")
    assert type(factory).__name__ == "LGPIOFactory"
    assert factory.chip == number
    assert chips.open == [number + 100], "the chips that were only looked at are let go"
    factory.close()
    assert chips.open == []


def test_a_board_whose_header_is_none_of_its_chips_is_refused(mocker: Any) -> None:
    chips = Chips(mocker, {0: "raspberrypi-exp-gpio", 1: "brcmvirt-gpio"})
    with pytest.raises(DeviceOpenError, match=r"gpiochip0, /dev/gpiochip1.*header"):
        pin_factory("lgpio")
    assert chips.open == []


def test_a_foreign_chip_that_does_not_open_does_not_hide_the_header(mocker: Any, group: Any) -> None:
    group("root")
    chips = Chips(mocker, {0: "usb-adapter", 1: HEADER})
    chips.error[0] = chips.module.error("can not open gpiochip")
    assert pin_factory("lgpio").chip == 1


@pytest.fixture
def rpi(mocker: Any) -> Any:
    """A library of the shape of RPi.GPIO."""
    package, gpio = ModuleType("RPi"), mocker.MagicMock(name="RPi.GPIO")
    package.GPIO = gpio  # type: ignore[attr-defined]
    mocker.patch.dict(sys.modules, {"RPi": package, "RPi.GPIO": gpio})
    sys.modules.pop("gpiozero.pins.rpigpio", None)
    return gpio


def test_rpigpio_makes_a_factory_on_rpi_gpio(rpi: Any) -> None:
    factory = pin_factory("rpigpio")
    assert type(factory).__name__ == "RPiGPIOFactory"
    rpi.setmode.assert_called_once_with(rpi.BCM)
    factory.close()
    rpi.cleanup.assert_called_once_with()


def test_an_rpi_gpio_that_does_not_start_is_told_and_never_replaced(rpi: Any, mocker: Any) -> None:
    lgpio = Chips(mocker, {0: HEADER})
    rpi.setmode.side_effect = RuntimeError("This module can only be run on a Raspberry Pi!")
    with pytest.raises(DeviceOpenError, match=r"'rpigpio' does not start here: This module can only"):
        pin_factory("rpigpio")
    lgpio.module.gpiochip_open.assert_not_called()


def test_a_missing_lgpio_is_never_replaced_though_another_library_is_there(
    rpi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(DeviceOpenError):
        pin_factory("lgpio")
    rpi.setmode.assert_not_called()


def test_a_factory_that_fails_after_the_chip_was_found_is_told_and_never_replaced(mocker: Any, rpi: Any) -> None:
    chips = Chips(mocker, {0: HEADER})
    from gpiozero.pins.lgpio import LGPIOFactory

    mocker.patch.object(LGPIOFactory, "__init__", side_effect=chips.module.error("no more handles"))
    mocker.patch.object(LGPIOFactory, "close")  # called by its own __del__
    with pytest.raises(DeviceOpenError, match="'lgpio' does not start here: no more handles"):
        pin_factory("lgpio")
    rpi.setmode.assert_not_called()


def test_mock_makes_pins_that_know_pwm_and_touches_no_hardware(mocker: Any, rpi: Any) -> None:
    chips = Chips(mocker, {0: HEADER})
    pin = pin_factory("mock").pin(12)
    pin.function = "output"
    pin.frequency = 200
    pin.state = 0.5
    assert pin.state == 0.5
    chips.module.gpiochip_open.assert_not_called()
    rpi.setmode.assert_not_called()


def test_a_device_file_that_is_absent_says_what_to_look_at(tmp_path: Path) -> None:
    path = str(tmp_path / "ttyUSB0")
    text = device_trouble(path, FileNotFoundError(errno.ENOENT, "No such file or directory"))
    assert path in text and "plugged in" in text and "raspi-config" in text


def test_a_device_file_without_permission_names_its_group(tmp_path: Path, mocker: Any) -> None:
    device = tmp_path / "ttyAMA0"
    device.touch()
    mocker.patch("rearguard.host.access", return_value=False)
    group_of = mocker.patch("rearguard.host.getgrgid", return_value=SimpleNamespace(gr_name="dialout"))
    text = device_trouble(str(device), PermissionError(errno.EACCES, "Permission denied"))
    assert str(device) in text and "usermod -aG dialout" in text
    group_of.assert_called_once_with(device.stat().st_gid)


def test_a_group_without_a_name_still_gives_a_sentence(tmp_path: Path, mocker: Any) -> None:
    device = tmp_path / "ttyAMA0"
    device.touch()
    mocker.patch("rearguard.host.access", return_value=False)
    mocker.patch("rearguard.host.getgrgid", side_effect=KeyError("gid not found"))
    text = device_trouble(str(device), PermissionError(errno.EACCES, "Permission denied"))
    assert str(device) in text and "Permission denied" in text


def test_a_busy_device_file_asks_for_the_other_program(tmp_path: Path) -> None:
    device = tmp_path / "ttyAMA0"
    device.touch()
    text = device_trouble(str(device), OSError(errno.EBUSY, "Device or resource busy"))
    assert "Device or resource busy" in text and "serial console" in text


def test_the_real_clock_gives_what_waits_and_none_when_nothing_comes() -> None:
    clock, queue = RealClock(), SimpleQueue[int]()
    queue.put(7)
    assert clock.get(queue, 60.0) == 7
    assert clock.get(queue, 0.0) is None
    assert clock.get(queue, -1.0) is None
    assert clock.now() <= clock.now()
