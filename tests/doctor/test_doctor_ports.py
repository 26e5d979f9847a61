"""Serial ports and the I2C bus."""

from __future__ import annotations

import sys

import pytest

from doctor.fake_pi import Pi
from rearguard.doctor import boot
from rearguard.doctor.finding import Verdict

OK, WARNING, FAILURE, SKIPPED = Verdict
CONFIG = "/boot/firmware/config.txt"
PCA9685 = """
[sensor.rear]
driver = "hcsr04"
trigger_pin = 23
echo_pin = 24
[belt]
driver = "pca9685"
bus = {bus}
motor.back = {{ channel = 0, bearing_deg = 0 }}
"""


def test_without_a_serial_sensor_nothing_is_said_of_consoles(pi: Pi) -> None:
    found = pi.examine()
    assert found("ports.all").verdict is SKIPPED
    assert not [finding for finding in found if finding.check in ("uart.boot", "uart.console")]


def test_the_pl011_of_the_header_is_good(pi: Pi) -> None:
    pi.serial("/dev/serial0")
    found = pi.examine()
    assert found("ports.rear").what == "/dev/serial0 is /dev/ttyAMA0, the PL011 of the header"
    assert {found(name).verdict for name in ("ports.rear", "uart.boot", "uart.console")} == {OK}


def test_the_mini_uart_is_a_warning_with_the_overlay_that_gives_the_other(pi: Pi) -> None:
    pi.remove("/dev/ttyAMA0")
    pi.write("/dev/ttyS0", "")
    pi.link("/dev/serial0", "ttyS0")
    pi.write(CONFIG, "enable_uart=1\n")
    pi.serial("/dev/serial0")
    found = pi.examine()("ports.rear")
    assert found.verdict is WARNING
    assert found.mend == f"in {CONFIG}, under [all]: dtoverlay=disable-bt; sudo reboot"


def test_an_overlay_that_waits_for_a_reboot_is_not_asked_for_again(pi: Pi) -> None:
    pi.remove("/dev/ttyAMA0")
    pi.write("/dev/ttyS0", "")
    pi.serial("/dev/ttyS0")
    assert pi.examine()("ports.rear").mend.startswith("sudo reboot")


def test_the_uart_of_bluetooth_is_no_sensors(pi: Pi) -> None:
    pi.link("/dev/serial1", "ttyAMA0")
    pi.serial("auto")
    found = pi.examine()("ports.rear")
    assert found.verdict is FAILURE
    assert "Bluetooth" in found.what


def test_a_port_that_is_not_there_is_enabled(pi: Pi) -> None:
    pi.remove("/dev/ttyAMA0")
    pi.write(CONFIG, "# nothing\n")
    pi.serial("auto")
    found = pi.examine()
    assert found("ports.rear").mend == f"in {CONFIG}, under [all]: enable_uart=1; sudo reboot"
    assert not [finding for finding in found if finding.check == "uart.boot"], "one cause, one finding"


def test_serial0_of_a_pi_5_is_its_debug_plug(pi: Pi) -> None:
    pi.pi5()
    pi.serial("/dev/serial0")
    found = pi.examine()("ports.rear")
    assert found.verdict is FAILURE
    assert found.mend == 'in the configuration: port = "/dev/ttyAMA0"'


def test_a_pi_5_needs_its_own_parameter_for_the_header(pi: Pi) -> None:
    pi.pi5()
    pi.serial()
    assert pi.examine()("uart.boot").verdict is OK
    pi.write(CONFIG, "[pi4]\ndtparam=uart0=on\n[all]\nenable_uart=1\n")
    found = pi.examine()("uart.boot")
    assert found.verdict is FAILURE
    assert "dtparam=uart0=on" in found.mend


@pytest.mark.parametrize(
    ("cmdline", "pi5", "verdict"),
    [
        ("console=tty1 root=x", False, OK),
        ("console=serial0,115200 console=tty1", False, FAILURE),
        ("console=ttyAMA0,115200", False, FAILURE),
        ("console=serial0,115200", True, OK),
    ],
)
def test_the_kernel_must_not_talk_on_the_sensors_line(pi: Pi, cmdline: str, pi5: bool, verdict: Verdict) -> None:
    if pi5:
        pi.pi5()
    pi.serial()
    pi.write("/boot/firmware/cmdline.txt", cmdline)
    assert pi.examine()("uart.console").verdict is verdict


def test_a_login_prompt_on_the_sensors_line_is_switched_off(pi: Pi) -> None:
    pi.serial()
    pi.answers["systemctl is-active serial-getty@ttyAMA0.service"] = (0, "active")
    found = pi.examine()("uart.console")
    assert found.verdict is FAILURE
    assert found.mend == "sudo systemctl disable --now serial-getty@ttyAMA0.service"


def test_a_usb_adapter_should_have_a_name_that_stays(pi: Pi) -> None:
    pi.write("/dev/ttyUSB0", "")
    pi.link("/dev/serial/by-id/usb-CP2102-port0", "../../ttyUSB0")
    pi.serial("/dev/ttyUSB0")
    found = pi.examine()
    assert found("ports.rear").verdict is WARNING
    assert found("ports.rear").mend == 'in the configuration: port = "/dev/serial/by-id/usb-CP2102-port0"'
    pi.serial("auto")
    found = pi.examine()
    assert found("ports.rear").what == "/dev/serial/by-id/usb-CP2102-port0 (/dev/ttyUSB0)"
    assert not [finding for finding in found if finding.check == "uart.console"], "the header is not used"


def test_two_adapters_must_be_told_apart(pi: Pi) -> None:
    for number in range(2):
        pi.write(f"/dev/ttyUSB{number}", "")
        pi.link(f"/dev/serial/by-id/usb-{number}", f"../../ttyUSB{number}")
    pi.serial("auto")
    assert pi.examine()("ports.rear").mend == 'in the configuration: port = "/dev/serial/by-id/usb-0"'


def test_i2c_is_looked_at_only_where_a_part_is_on_it(pi: Pi) -> None:
    assert pi.examine()("i2c.bus").verdict is SKIPPED


def test_the_bus_of_a_motor_board_must_be_there(pi: Pi) -> None:
    pi.configure(PCA9685.format(bus=1))
    found = pi.examine()
    assert found("i2c.bus").verdict is FAILURE
    assert found("i2c.bus").mend == "sudo raspi-config nonint do_i2c 0"
    assert "gpio i2c" in found("access.service").what
    pi.write("/dev/i2c-1", "")
    assert pi.examine()("i2c.bus").what == "/dev/i2c-1 is there for belt at 0x40"


def test_another_bus_than_the_headers_is_a_matter_of_the_configuration(pi: Pi) -> None:
    pi.configure(PCA9685.format(bus=7))
    pi.write("/dev/i2c-1", "")
    assert pi.examine()("i2c.bus").mend == "in [belt]: bus = 1"


def test_each_channel_of_a_multiplexer_must_be_there(pi: Pi) -> None:
    motors = "".join(f"motor.m{n} = {{ bus = {n}, bearing_deg = {n} }}\n" for n in (11, 12))
    pi.configure(f'{PCA9685.partition("[belt]")[0]}[belt]\ndriver = "drv2605"\n{motors}')
    pi.write("/dev/i2c-1", "")
    pi.write("/dev/i2c-12", "")
    found = pi.examine()("i2c.channels")
    assert found.verdict is FAILURE
    assert found.what == "the multiplexer's channels are missing: /dev/i2c-11 of belt.motor.m11.bus"
    assert "dtoverlay=i2c-mux,pca9548,addr=0x70,base=11" in found.mend
    pi.write("/dev/i2c-11", "")
    assert pi.examine()("i2c.channels").verdict is OK


def test_a_missing_smbus2_is_told(pi: Pi) -> None:
    pi.configure(PCA9685.format(bus=1))
    pi.library["error"] = "ModuleNotFoundError: No module named 'smbus2'"
    found = pi.examine()("i2c.library")
    assert (found.verdict, found.mend) == (FAILURE, f"{sys.executable} -m pip install smbus2")


def test_a_release_gets_smbus2_from_apt(pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/opt/rearguard-1.2.3-1")
    pi.configure(PCA9685.format(bus=1))
    pi.library["error"] = "ModuleNotFoundError: No module named 'smbus2'"
    assert pi.examine()("i2c.library").mend == "sudo apt install python3-smbus2"


@pytest.mark.parametrize(
    ("text", "model", "uart", "i2c", "overlays"),
    [
        ("enable_uart=1 # yes\ndtparam=i2c_arm=on,spi=on", "Raspberry Pi 4 Model B", "1", True, set()),
        ("[pi5]\nenable_uart=1\n[none]\ndtparam=i2c_arm", "Raspberry Pi 4 Model B", None, False, set()),
        ("[pi0]\nenable_uart=0\n[all]\ndtoverlay=disable-bt,x=1", "Raspberry Pi Zero 2 W", "0", False, {"disable-bt"}),
        ("#enable_uart=1\ndtparam=i2c_arm=off\n  [ALL]\nenable_uart=1\nenable_uart=0", "?", "0", False, set()),
        ("dtparam=i2c_arm\n=\n[\ndtparam\n", "Raspberry Pi 500", None, True, set()),
    ],
)
def test_config_txt_is_read_with_its_filters(
    pi: Pi, text: str, model: str, uart: str | None, i2c: bool, overlays: set[str]
) -> None:
    pi.write(CONFIG, text)
    told = boot.read(pi.machine, model)
    assert (told.settings.get("enable_uart"), told.on("i2c_arm"), told.overlays) == (uart, i2c, overlays)


def test_config_txt_of_an_older_system_is_found(pi: Pi) -> None:
    pi.remove(CONFIG)
    pi.write("/boot/config.txt", "enable_uart=1")
    assert boot.read(pi.machine, "Raspberry Pi 3").config == "/boot/config.txt"
