"""The units hold what the guard relies on, and systemd takes every word of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[1] / "systemd"
UNITS = sorted(path for path in SYSTEMD.rglob("*") if path.suffix in (".service", ".path"))
SERVICE = SYSTEMD / "rearguard.service"
FIFO = SYSTEMD / "rearguard.service.d" / "fifo.conf"
PROGRAMS = ("rearguard", "rearguard-rest")

needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def settings(path: Path) -> dict[str, list[str]]:
    """Key to values, in order; the sections have no key in common."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they lie on a machine, their programs in a folder where there are some."""
    for path in UNITS:
        text = path.read_text().replace("/opt/rearguard/bin", str(tmp_path / "bin"))
        (tmp_path / path.name).write_text(text)
    shutil.copytree(FIFO.parent, tmp_path / FIFO.parent.name)
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def analyze(folder: Path, *argv: str) -> str:
    """All that systemd-analyze says; its exit code does not tell of unknown keys."""
    done = subprocess.run(
        ["systemd-analyze", *argv],
        env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@needs_analyze
@pytest.mark.parametrize("name", [path.name for path in UNITS])
def test_systemd_has_nothing_to_say_against_a_unit(installed: Path, name: str) -> None:
    assert analyze(installed, "verify", str(installed / name)) == ""


@needs_analyze
def test_systemd_would_say_so_if_a_key_were_wrong(installed: Path) -> None:
    with (installed / "rearguard.service").open("a") as file:
        file.write("[Service]\nWatchdogSecs=2\n")
    assert "WatchdogSecs" in analyze(installed, "verify", str(installed / "rearguard.service"))


@needs_analyze
@pytest.mark.parametrize("fifo", [True, False])
def test_the_service_is_exposed_to_little(installed: Path, fifo: bool) -> None:
    if not fifo:
        shutil.rmtree(installed / FIFO.parent.name)
    said = analyze(installed, "security", "--offline=true", "--no-pager", str(installed / "rearguard.service"))
    exposure = re.findall(r"Overall exposure level for rearguard.service: ([0-9.]+)", said)
    assert exposure, said
    assert float(exposure[0]) <= 2.0


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_no_unit_waits_for_the_network(path: Path) -> None:
    text = "".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    assert not re.search(r"network[a-z-]*\.target|wait-online|NetworkManager|networkd", text)


def test_the_guard_does_not_wait_for_what_waits_for_the_network() -> None:
    """cloud-init holds sysinit.target back until there is a network, and the default dependencies come after it."""
    unit = settings(SERVICE)
    assert unit["DefaultDependencies"] == ["no"]
    after = " ".join(unit["After"]).split()
    assert "local-fs.target" in after
    assert not {"sysinit.target", "basic.target", "multi-user.target"} & set(after)
    assert unit["Conflicts"] == ["shutdown.target"]  # which the default dependencies would have said
    assert "shutdown.target" in unit["Before"][0].split()


EXACTLY = {
    "Type": "notify",
    "WatchdogSec": "2",
    "WatchdogSignal": "SIGKILL",
    "Restart": "always",
    "StartLimitIntervalSec": "0",
    "RestartSec": "50ms",
    "ExecStart": "/opt/rearguard/bin/rearguard run --config /etc/rearguard/rearguard.toml",
    "ExecStopPost": '-+/opt/rearguard/bin/python -I -c "from rearguard.rest import main; main()"',
    "User": "rearguard",
    "SupplementaryGroups": "gpio dialout i2c",
    "StateDirectory": "rearguard",
    "RuntimeDirectory": "rearguard",
    "RuntimeDirectoryPreserve": "restart",
    "WorkingDirectory": "/run/rearguard",
    "MemoryMax": "128M",
    "TasksMax": "64",
    "SyslogLevel": "warning",
    "OOMScoreAdjust": "-900",
    "DevicePolicy": "closed",
    "PrivateNetwork": "yes",
    "RestrictAddressFamilies": "AF_UNIX",
    "IPAddressDeny": "any",
    "CapabilityBoundingSet": "",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
}


@pytest.mark.parametrize("key", EXACTLY)
def test_the_service_says_what_the_guard_relies_on(key: str) -> None:
    assert settings(SERVICE)[key] == [EXACTLY[key]]


def test_lgpio_writes_its_files_where_the_service_may() -> None:
    assert "LG_WD=/run/rearguard" in settings(SERVICE)["Environment"][0].split()


def test_the_guard_sees_the_board_it_runs_on() -> None:
    """gpiozero reads /proc/cpuinfo and /proc/device-tree; pins and ports are devices."""
    unit = settings(SERVICE)
    assert "ProcSubset" not in unit
    assert "PrivateDevices" not in unit
    allowed = {value for value in unit["DeviceAllow"] if value.endswith(" rw")}
    for device in ("gpiochip", "ttyAMA", "ttyS", "ttyUSB", "ttyACM", "i2c"):
        assert f"char-{device} rw" in allowed
    assert {"/dev/gpiomem rw", "/dev/gpiomem0 rw"} <= allowed


def test_an_adapter_may_be_plugged_in_after_the_start() -> None:
    """A device group counts only while its module is loaded, so these stand there by the kernel's number, too."""
    numbers = {"ttyUSB": 188, "ttyACM": 166, "i2c": 89}  # Linux, Documentation/admin-guide/devices.txt
    assert {f"char-{number} rw" for number in numbers.values()} <= set(settings(SERVICE)["DeviceAllow"])


def test_real_time_is_granted_by_the_drop_in_alone() -> None:
    fifo, unit = settings(FIFO), settings(SERVICE)
    assert fifo["Environment"] == ["REARGUARD_FIFO=20"]
    assert fifo["LimitRTPRIO"] == ["20"]
    assert int(fifo["LimitRTTIME"][0]) > 0
    assert fifo["RestrictRealtime"] == ["no"]
    assert unit["RestrictRealtime"] == ["yes"]
    assert "CPUSchedulingPolicy" not in {**fifo, **unit}  # a kernel that refuses must not keep the guard from starting


def test_a_long_press_switches_off_once() -> None:
    asked = "/run/rearguard/poweroff"
    assert settings(SYSTEMD / "rearguard-poweroff.path")["PathExists"] == [asked]
    first, second = settings(SYSTEMD / "rearguard-poweroff.service")["ExecStart"]
    assert first.startswith("/bin/rm ")
    assert first.endswith(f" {asked}")
    assert second.endswith(" poweroff")


def test_the_hardware_watchdog_fits_the_counter_of_a_raspberry_pi() -> None:
    manager = settings(SYSTEMD / "system.conf.d" / "rearguard-watchdog.conf")
    assert manager["RuntimeWatchdogSec"] == ["14s"]
    assert int(manager["RebootWatchdogSec"][0].removesuffix("s")) <= 15


def test_the_log_outlives_a_power_cut_and_fills_no_card() -> None:
    journal = settings(SYSTEMD / "journald.conf.d" / "rearguard.conf")
    assert journal["Storage"] == ["persistent"]
    assert {"SystemMaxUse", "SyncIntervalSec"} <= set(journal)


def test_our_drop_ins_win_over_those_of_raspberry_pi_os() -> None:
    """Of two drop-ins that set the same, the one whose name sorts last counts; theirs begin with 40-."""
    for folder in ("journald.conf.d", "system.conf.d"):
        assert all(path.name > "40-rpi.conf" for path in (SYSTEMD / folder).iterdir())


def test_the_groups_of_the_service_are_made_where_they_are_missing() -> None:
    lines = [line.split() for line in (SYSTEMD / "rearguard.sysusers").read_text().splitlines() if line[:1] in "gu"]
    made = {kind: {line[1] for line in lines if line[0] == kind} for kind in "gu"}
    assert set(settings(SERVICE)["SupplementaryGroups"][0].split()) <= made["g"]
    assert made["u"] == set(settings(SERVICE)["User"])


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed")
def test_systemd_makes_the_user_from_our_file(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    ours = SYSTEMD / "rearguard.sysusers"
    done = subprocess.run(
        ["systemd-sysusers", "--dry-run", f"--root={tmp_path}", ours], capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Creating user 'rearguard'" in said


def test_every_udev_rule_is_made_of_matches_and_assignments() -> None:
    rules = [line for line in (SYSTEMD / "60-rearguard.rules").read_text().splitlines() if line and line[0] != "#"]
    assert len(rules) >= 5
    part = r'[A-Z]+(\{\w+\})?(==|!=|=|\+=)"[^"]+"'
    for rule in rules:
        assert re.fullmatch(rf"{part}(, {part})*", rule), rule


@pytest.mark.parametrize("adapter", [("10c4", "ea60"), ("1a86", "7523")])
def test_a_lidars_adapter_is_named_by_its_socket(adapter: tuple[str, str]) -> None:
    """The serial numbers of these parts tell nothing: one carries the same on all boards, the other none."""
    vendor, product = adapter
    text = (SYSTEMD / "60-rearguard.rules").read_text()
    rule = next(line for line in text.splitlines() if f'"{vendor}"' in line and f'"{product}"' in line)
    assert 'SYMLINK+="rearguard-lidar-$id"' in rule
    assert 'GROUP="dialout"' in rule
