"""A Raspberry Pi of files in a folder, with answers for the programs and ioctls that the doctor uses."""

from __future__ import annotations

import errno
import json
import os
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPWMPin

from rearguard import gpiochip
from rearguard.bench.sensing.wires import VirtualClock
from rearguard.config import DEFAULT
from rearguard.doctor.examine import examine, visit_for
from rearguard.doctor.finding import Finding, Verdict
from rearguard.doctor.machine import Machine, Owner, Room
from rearguard.host import Host

SERIAL = """
[sensor.rear]
driver = "benewake"
port = "{port}"
[belt]
driver = "gpio_pwm"
motor.back = {{ pin = 13, bearing_deg = 0 }}
[journal]
directory = "/var/lib/rearguard/journal"
"""
PINS = """
[sensor.rear]
driver = "hcsr04"
trigger_pin = {trigger}
echo_pin = {echo}
[belt]
driver = "gpio_pwm"
motor.right = {{ pin = 19, bearing_deg = 90 }}
motor.left = {{ pin = 13, bearing_deg = -90 }}
"""
SHOWN = {
    "LoadState": "loaded",
    "ActiveState": "inactive",
    "SubState": "dead",
    "UnitFileState": "enabled",
    "NRestarts": "0",
    "Result": "success",
    "NeedDaemonReload": "no",
    "Type": "notify",
    "Restart": "always",
    "User": "rearguard",
    "SupplementaryGroups": "",
    "WatchdogUSec": "2s",
    "StatusText": "",
}
TREE = {
    "/proc/device-tree/model": "Raspberry Pi Zero 2 W Rev 1.0\0",
    "/proc/cpuinfo": "processor\t: 0\nRevision\t: 902120\n",
    "/proc/sys/kernel/osrelease": "6.12.25+rpt-rpi-v8\n",
    "/proc/meminfo": "MemTotal:      437000 kB\nMemAvailable:  280000 kB\n",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_CODENAME=trixie\n',
    "/etc/rpi-issue": "Raspberry Pi reference\n",
    "/etc/hostname": "kitchen-table\n",
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\nrearguard:x:990:990::/:/sbin/nologin\n",
    "/etc/group": "root:x:0:\ngpio:x:986:maker,rearguard\ndialout:x:20:maker,rearguard\ni2c:x:994:rearguard\n",
    "/etc/rearguard/rearguard.toml": DEFAULT.read_text().replace('"auto"', '"/var/lib/rearguard/journal"'),
    "/boot/firmware/config.txt": "[all]\nenable_uart=1\ndtparam=i2c_arm=on\ndtoverlay=disable-bt\n",
    "/boot/firmware/cmdline.txt": "console=tty1 root=/dev/mmcblk0p2 ip=192.168.7.9\n",
    "/sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
    "/sys/class/hwmon/hwmon0/temp1_input": "51540\n",
    "/sys/class/hwmon/hwmon1/name": "rpi_volt\n",
    "/sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
    "/sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
    "/dev/gpiochip0": "",
    "/dev/watchdog0": "",
    "/dev/ttyAMA0": "",
    "/var/lib/rearguard/journal/README": "",
}


class Pi:
    """All is well on it until a test changes something. `chips` and `held` are what its ioctls tell."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in TREE.items():
            self.write(name, text)
        self.link("/dev/serial0", "ttyAMA0")
        self.chips = {"gpiochip0": "pinctrl-bcm2835"}
        self.held: dict[int, str] = {}
        self.shown = dict(SHOWN)
        self.library: dict[str, Any] = {"versions": {"lgpio": "0.2.2.0"}, "error": "", "whole": True, "apt": True}
        self.answers: dict[str, tuple[int, str]] = {
            "timedatectl": (0, "yes"),
            "systemctl is-active": (3, "inactive"),
            "systemctl show --property=RuntimeWatchdogUSec": (0, "RuntimeWatchdogUSec=14s"),
        }
        self.asked: list[str] = []
        self.room = Room(20_000.0, False)
        self.owner = Owner(990, 990, 0o750)
        self.clock = VirtualClock(1000.0)
        self.factory = MockFactory(pin_class=MockPWMPin)
        self.facts: dict[str, Any] = {"uid": 1000, "gids": frozenset({1000, 986, 20, 994}), "bits": 64}

    def write(self, name: str, text: str) -> Path:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def remove(self, *names: str) -> None:
        for name in names:
            (self.root / name.lstrip("/")).unlink()

    def link(self, name: str, target: str) -> None:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    def configure(self, text: str) -> None:
        self.write("/etc/rearguard/rearguard.toml", text)

    def serial(self, port: str = "/dev/ttyAMA0") -> None:
        """A TF-Luna on that port instead of the HC-SR04."""
        self.configure(SERIAL.format(port=port))

    def pi5(self) -> None:
        """Another board, with all the same parts."""
        self.write("/proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
        self.write("/boot/firmware/config.txt", "[pi5]\ndtparam=uart0=on\n[all]\ndtparam=i2c_arm=on\n")
        self.link("/dev/serial0", "ttyAMA10")
        self.write("/dev/ttyAMA10", "")
        self.chips = {"gpiochip0": "pinctrl-rp1"}

    @property
    def machine(self) -> Machine:
        return Machine(
            root=self.root,
            run=self.run,
            ioctl=self.ioctl,
            host=lambda _: Host(self.clock, lambda: self.factory),
            room=lambda _: self.room,
            owner=lambda _: self.owner,
            python=(3, 13, 5),
            **self.facts,
        )

    def run(self, argv: Sequence[str]) -> tuple[int, str]:
        words = " ".join(argv)
        self.asked.append(words)
        if argv[0] == sys.executable:
            return 0, json.dumps(self.library)
        if words.startswith("systemctl show rearguard.service") and "systemctl" not in self.answers:
            return 0, "\n".join(f"{key}={value}" for key, value in self.shown.items())
        for start in sorted(self.answers, key=lambda start: (start != argv[0], -len(start))):
            if words.startswith(start):
                return self.answers[start]
        return 127, f"there is no {argv[0]} here"

    def ioctl(self, fd: int, request: int, data: bytearray) -> object:
        """The two questions that a GPIO chip answers here, byte for byte as linux/gpio.h has them."""
        name = Path(f"/proc/self/fd/{fd}").readlink().name
        if name not in self.chips:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        if request == gpiochip.GET_CHIPINFO:
            struct.pack_into("32s32sI", data, 0, name.encode(), self.chips[name].encode(), 54)
        elif request == gpiochip.GET_LINEINFO:
            (pin,) = struct.unpack_from("=I", data, 64)
            who = self.held.get(pin)
            struct.pack_into("32s32sIIQ", data, 0, b"", (who or "").encode(), pin, 0, 1 if who is not None else 4)
        else:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return 0

    def examine(self, given: Path | None = None, listen: bool = False, buzz: bool = False) -> Findings:
        return Findings(examine(visit_for(self.machine, given, listen, buzz)))


class Findings(list[Finding]):
    """What the doctor found, to be asked by name."""

    def __init__(self, found: Iterable[Finding]) -> None:
        super().__init__(found)

    def __call__(self, check: str) -> Finding:
        """The only finding of that check, or the worst of several."""
        order = [Verdict.OK, Verdict.SKIPPED, Verdict.WARNING, Verdict.FAILURE]
        found = [finding for finding in self if finding.check == check]
        assert found, f"no finding of {check} among {sorted({finding.check for finding in self})}"
        return max(found, key=lambda finding: order.index(finding.verdict))

    def bad(self) -> list[Finding]:
        return [finding for finding in self if finding.verdict in (Verdict.WARNING, Verdict.FAILURE)]
