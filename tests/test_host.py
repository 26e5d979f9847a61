"""The pin factory that was asked for or a clear refusal, its input lines, and why a device file does not open."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from contract.kernel import HEADER, Kernel
from contract.rigs import Bench
from rearguard.errors import DeviceOpenError
from rearguard.gpiochip import GET_CHIPINFO
from rearguard.host import Host, RealClock, device_trouble, pin_factory


@pytest.fixture
def kernel(mocker: Any, tmp_path: Path) -> Iterator[Kernel]:
    """A machine whose one chip is the header."""
    made = Kernel(tmp_path, {0: HEADER})
    made.serve(mocker)
    yield made
    made.close()


@pytest.fixture
def lgpio(mocker: Any) -> Any:
    """A library of the shape of lgpio."""
    module = mocker.MagicMock(name="lgpio")
    module.error = type("error", (Exception,), {})
    module.gpiochip_open.side_effect = lambda number: number + 100
    mocker.patch.dict(sys.modules, {"lgpio": module})
    sys.modules.pop("gpiozero.pins.lgpio", None)  # so that it takes this library; the patch brings it back
    return module


@pytest.fixture
def rpi(mocker: Any) -> Any:
    """A library of the shape of RPi.GPIO."""
    package, gpio = ModuleType("RPi"), mocker.MagicMock(name="RPi.GPIO")
    package.GPIO = gpio  # type: ignore[attr-defined]
    mocker.patch.dict(sys.modules, {"RPi": package, "RPi.GPIO": gpio})
    sys.modules.pop("gpiozero.pins.rpigpio", None)
    return gpio


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


@pytest.mark.parametrize("name", ["lgpio", "rpigpio"])
def test_a_machine_without_gpio_chips_is_told_to_use_mock(
    name: str, lgpio: Any, rpi: Any, kernel: Kernel, tmp_path: Path
) -> None:
    (tmp_path / "gpiochip0").unlink()
    with pytest.raises(DeviceOpenError, match=rf"^pin_factory '{name}': there is no .*pin_factory = 'mock'"):
        pin_factory(name)


def test_no_permission_on_the_chip_names_the_group_to_join(lgpio: Any, kernel: Kernel, mocker: Any) -> None:
    kernel.refused = {(0, GET_CHIPINFO): errno.EACCES}
    mocker.patch("grp.getgrgid", return_value=SimpleNamespace(gr_name="gpio-users"))
    with pytest.raises(DeviceOpenError, match=r"^pin_factory 'lgpio'.*gpiochip0.*usermod -aG gpio-users"):
        pin_factory("lgpio")


def test_a_chip_that_does_not_answer_though_we_may_is_said_to_be_in_use(lgpio: Any, kernel: Kernel) -> None:
    kernel.refused = {(0, GET_CHIPINFO): errno.EIO}
    with pytest.raises(DeviceOpenError, match=r"gpiochip0: Input/output error; is another program") as raised:
        pin_factory("lgpio")
    assert "usermod" not in str(raised.value)


@pytest.mark.parametrize("number", [0, 4, 10])
def test_lgpio_opens_the_chip_of_the_header_and_no_other(number: int, lgpio: Any, mocker: Any, tmp_path: Path) -> None:
    Kernel(tmp_path, {**dict.fromkeys(range(6), "gpio-brcmstb@107d508500"), number: HEADER}).serve(mocker)
    factory = pin_factory("lgpio")
    assert type(factory).__name__ == "LGPIOFactory"
    assert factory.chip == number
    lgpio.gpiochip_open.assert_called_once_with(number)
    factory.close()
    lgpio.gpiochip_close.assert_called_once_with(number + 100)


def test_a_board_whose_header_is_none_of_its_chips_is_refused(lgpio: Any, mocker: Any, tmp_path: Path) -> None:
    Kernel(tmp_path, {0: "raspberrypi-exp-gpio", 1: "brcmvirt-gpio"}).serve(mocker)
    with pytest.raises(DeviceOpenError, match=r"gpiochip0, .*gpiochip1.*header"):
        pin_factory("lgpio")
    lgpio.gpiochip_open.assert_not_called()


def test_rpigpio_makes_a_factory_on_rpi_gpio(rpi: Any, kernel: Kernel) -> None:
    factory = pin_factory("rpigpio")
    assert type(factory).__name__ == "RPiGPIOFactory"
    rpi.setmode.assert_called_once_with(rpi.BCM)
    factory.close()
    rpi.cleanup.assert_called_once_with()


def test_an_rpi_gpio_that_does_not_start_is_told_and_never_replaced(rpi: Any, lgpio: Any, kernel: Kernel) -> None:
    rpi.setmode.side_effect = RuntimeError("This module can only be run on a Raspberry Pi!")
    with pytest.raises(DeviceOpenError, match=r"'rpigpio' does not start here: This module can only"):
        pin_factory("rpigpio")
    lgpio.gpiochip_open.assert_not_called()


def test_a_missing_lgpio_is_never_replaced_though_another_library_is_there(
    rpi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(DeviceOpenError):
        pin_factory("lgpio")
    rpi.setmode.assert_not_called()


def test_a_factory_that_fails_after_the_chip_was_found_is_told_and_never_replaced(
    lgpio: Any, rpi: Any, kernel: Kernel, mocker: Any
) -> None:
    from gpiozero.pins.lgpio import LGPIOFactory

    mocker.patch.object(LGPIOFactory, "__init__", side_effect=lgpio.error("no more handles"))
    mocker.patch.object(LGPIOFactory, "close")  # called by its own __del__
    with pytest.raises(DeviceOpenError, match="'lgpio' does not start here: no more handles"):
        pin_factory("lgpio")
    rpi.setmode.assert_not_called()


def test_mock_makes_pins_that_know_pwm_and_touches_no_hardware(lgpio: Any, rpi: Any) -> None:
    pin = pin_factory("mock").pin(12)
    pin.function = "output"
    pin.frequency = 200
    pin.state = 0.5
    assert pin.state == 0.5
    lgpio.gpiochip_open.assert_not_called()
    rpi.setmode.assert_not_called()


@pytest.mark.parametrize("name", ["lgpio", "rpigpio"])
def test_an_input_line_is_the_kernels_whatever_library_drives_the_outputs(
    name: str, lgpio: Any, rpi: Any, kernel: Kernel
) -> None:
    factory = pin_factory(name)
    host = Host(RealClock(), lambda: factory)
    assert host.chip() == kernel.path()
    line = host.line(24)
    kernel.lines[24].edge(7_000_000_000, 1)
    assert line.wait(0.0, lambda: 0.0) == (7.0, 1)
    assert not lgpio.gpio_claim_alert.called, "its thread polls for as long as it watches an edge"
    assert not rpi.add_event_detect.called
    line.close()
    assert not kernel.lines[24].held


def test_an_input_line_on_mock_pins_needs_no_chip(bench: Bench, mocker: Any) -> None:
    header = mocker.patch("rearguard.host.header")
    assert bench.host.chip() is None
    line = bench.host.line(24, "up")
    assert bench.factory.pin(24).pull == "up"
    assert line.level() == 1
    bench.clock.at(bench.clock.now() + 0.5, bench.factory.pin(24).drive_low)
    assert line.wait(bench.clock.now() + 0.4, bench.clock.now) is None
    _, level = line.wait(bench.clock.now() + 0.4, bench.clock.now) or (None, None)
    assert level == 0
    header.assert_not_called()


def test_a_line_on_a_mock_pin_forgets_when_drained_and_ends_a_wait_when_woken(bench: Bench) -> None:
    line, pin = bench.host.line(24), bench.factory.pin(24)
    pin.drive_high()
    assert line.drain() == 1
    line.wake()
    assert line.wait(float("inf"), bench.clock.now) is None
    assert bench.clock.now() == 100.0, "no time has passed"
    line.close()
    assert pin.when_changed is None


def test_a_device_file_that_is_absent_says_what_to_look_at(tmp_path: Path) -> None:
    path = str(tmp_path / "ttyUSB0")
    text = device_trouble(path, FileNotFoundError(errno.ENOENT, "No such file or directory"))
    assert path in text and "plugged in" in text and "raspi-config" in text


def test_a_device_file_without_permission_names_its_group(tmp_path: Path, mocker: Any) -> None:
    device = tmp_path / "ttyAMA0"
    device.touch()
    mocker.patch("rearguard.host.access", return_value=False)
    group_of = mocker.patch("grp.getgrgid", return_value=SimpleNamespace(gr_name="dialout"))
    text = device_trouble(str(device), PermissionError(errno.EACCES, "Permission denied"))
    assert str(device) in text and "usermod -aG dialout" in text
    group_of.assert_called_once_with(device.stat().st_gid)


def test_a_group_without_a_name_still_gives_a_sentence(tmp_path: Path, mocker: Any) -> None:
    device = tmp_path / "ttyAMA0"
    device.touch()
    mocker.patch("rearguard.host.access", return_value=False)
    mocker.patch("grp.getgrgid", side_effect=KeyError("gid not found"))
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
