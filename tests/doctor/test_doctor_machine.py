"""Board, system, supply, heat, memory, disk and clock."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from doctor.fake_pi import Pi
from rearguard.doctor.finding import Verdict
from rearguard.doctor.machine import Owner, Room, owner

OK, WARNING, FAILURE, SKIPPED = Verdict


def test_a_pi_on_which_all_is_well_has_nothing_to_mend(pi: Pi) -> None:
    pi.shown |= {"ActiveState": "active", "SubState": "running", "StatusText": "guarding"}
    found = pi.examine()
    assert found.bad() == []
    assert all(finding.mend == "" for finding in found if finding.verdict is OK)


def test_every_bad_finding_has_a_mend(pi: Pi) -> None:
    for name in ("/proc/device-tree/model", "/etc/os-release", "/proc/meminfo", "/boot/firmware/config.txt"):
        pi.write(name, "")
    pi.pi5()
    pi.serial("/dev/serial0")
    pi.shown |= {"ActiveState": "failed", "UnitFileState": "disabled", "NRestarts": "3", "NeedDaemonReload": "yes"}
    pi.library["error"] = "ImportError: no"
    pi.held = {13: "spi0 CS0"}
    bad = pi.examine(listen=True).bad()
    assert len(bad) > 8
    assert [finding for finding in bad if not finding.mend] == []


@pytest.mark.parametrize(
    ("model", "verdict", "said"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4\0", OK, "Raspberry Pi 4 Model B Rev 1.4 (revision 902120)"),
        ("Pine64 RockPro64\0", WARNING, "no Raspberry Pi"),
    ],
)
def test_the_board_is_named_and_a_stranger_is_sent_to_the_bench(
    pi: Pi, model: str, verdict: Verdict, said: str
) -> None:
    pi.write("/proc/device-tree/model", model)
    found = pi.examine()("board.model")
    assert found.verdict is verdict
    assert said in found.what
    assert found.mend == ("rearguard bench" if verdict is WARNING else "")


def test_the_system_is_told_with_its_word_size_and_kernel(pi: Pi) -> None:
    pi.facts["bits"] = 32
    assert pi.examine()("board.system").what == (
        "Raspberry Pi OS on Debian GNU/Linux 13 (trixie), 32 bit, kernel 6.12.25+rpt-rpi-v8"
    )


def test_a_system_that_nobody_has_tried_is_a_warning(pi: Pi) -> None:
    pi.write("/etc/os-release", "PRETTY_NAME=Bullseye\nVERSION_CODENAME=bullseye\n")
    assert pi.examine()("board.system").verdict is WARNING


@pytest.mark.parametrize(("kilobytes", "verdict"), [(280_000, OK), (50_000, WARNING), (20_000, FAILURE)])
def test_memory_must_be_free_for_the_guard(pi: Pi, kilobytes: int, verdict: Verdict) -> None:
    pi.write("/proc/meminfo", f"MemFree: 1 kB\nMemAvailable: {kilobytes} kB\n")
    assert pi.examine()("board.memory").verdict is verdict


def test_memory_that_the_running_guard_has_taken_is_not_asked_for_again(pi: Pi) -> None:
    pi.write("/proc/meminfo", "MemAvailable: 20000 kB\n")
    pi.shown["ActiveState"] = "active"
    assert pi.examine()("board.memory").verdict is OK


@pytest.mark.parametrize(
    ("room", "verdict"),
    [
        (Room(500.0, False), OK),
        (Room(150.0, False), WARNING),
        (Room(5.0, False), FAILURE),
        (Room(500.0, True), FAILURE),
    ],
)
def test_the_disk_must_have_room_for_the_journal(pi: Pi, room: Room, verdict: Verdict) -> None:
    pi.room = room
    assert pi.examine()("board.disk").verdict is verdict


def test_what_the_journal_has_taken_already_is_counted(pi: Pi) -> None:
    pi.room = Room(199.5, False)
    assert pi.examine()("board.disk").verdict is WARNING
    pi.write("/var/lib/rearguard/journal/journal-000001.jsonl", "x" * 1_000_000)
    found = pi.examine()("board.disk")
    assert found.verdict is OK
    assert found.what == "200 MB free for the journal, which has 1 of 200"


@pytest.mark.parametrize(
    ("whose", "verdict"),
    [
        (Owner(990, 990, 0o755), OK),
        (Owner(0, 0, 0o755), FAILURE),
        (Owner(0, 0, 0o1777), OK),
        (Owner(0, 990, 0o770), OK),
        (Owner(0, 20, 0o775), OK),
        (Owner(0, 990, 0o750), FAILURE),
        (Owner(1000, 1000, 0o775), FAILURE),
    ],
)
def test_the_journals_folder_must_be_the_guards_to_write(pi: Pi, whose: Owner, verdict: Verdict) -> None:
    pi.owner = whose
    found = pi.examine()("board.disk")
    assert found.verdict is verdict
    assert found.mend == ("sudo chown rearguard: /var/lib/rearguard/journal" if verdict is FAILURE else "")


def test_a_folder_that_the_asker_may_not_list_is_told_of_all_the_same(pi: Pi, mocker: MockerFixture) -> None:
    mocker.patch("rearguard.doctor.upkeep.numbered", side_effect=PermissionError("closed"))
    pi.owner = Owner(0, 0, 0o750)
    assert pi.examine()("board.disk").verdict is FAILURE


def test_the_owner_of_a_real_folder_is_read_with_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    found = owner(tmp_path)
    assert (found.uid, found.mode & 0o777) == (os.geteuid(), 0o750)


@pytest.mark.parametrize("user", ["root", "someone"])
def test_the_folder_is_the_matter_of_the_units_user(pi: Pi, user: str) -> None:
    pi.owner, pi.shown["User"] = Owner(0, 0, 0o755), user
    assert pi.examine()("board.disk").verdict is OK


def test_without_a_service_the_folder_may_be_anyones(pi: Pi) -> None:
    pi.owner, pi.shown["LoadState"] = Owner(0, 0, 0o755), "not-found"
    assert pi.examine()("board.disk").verdict is OK


def test_a_clock_that_nothing_sets_is_a_warning_and_with_an_rtc_is_none(pi: Pi) -> None:
    pi.answers["timedatectl"] = (0, "no")
    assert pi.examine()("board.clock").verdict is WARNING
    pi.write("/dev/rtc0", "")
    assert pi.examine()("board.clock").verdict is OK


def test_under_voltage_now_is_a_failure(pi: Pi) -> None:
    pi.write("/sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    assert pi.examine()("power.voltage").verdict is FAILURE


def test_a_board_without_a_voltage_detector_is_skipped_with_the_reason(pi: Pi) -> None:
    pi.write("/sys/class/hwmon/hwmon1/name", "nvme\n")
    found = pi.examine()("power.voltage")
    assert (found.verdict, found.what) == (SKIPPED, "this board does not measure its supply")


@pytest.mark.parametrize(
    ("bits", "verdict", "said"),
    [
        ("0", OK, "never"),
        ("50000", WARNING, "since power-on: slowed down, under-voltage"),
        ("50005", FAILURE, "now: slowed down, under-voltage"),
        ("80008", FAILURE, "now: hot"),
        ("pi", SKIPPED, "no number"),
    ],
)
def test_throttling_is_read_bit_by_bit(pi: Pi, bits: str, verdict: Verdict, said: str) -> None:
    pi.write("/sys/devices/platform/soc/soc:firmware/get_throttled", f"{bits}\n")
    found = pi.examine()("power.throttling")
    assert found.verdict is verdict
    assert said in found.what


def test_throttling_is_asked_of_vcgencmd_where_there_is_no_file(pi: Pi) -> None:
    pi.remove("/sys/devices/platform/soc/soc:firmware/get_throttled")
    assert pi.examine()("power.throttling").what == "there is no vcgencmd here"
    pi.answers["vcgencmd get_throttled"] = (0, "throttled=0x20000")
    assert pi.examine()("power.throttling").what == "since power-on: slowed down"


@pytest.mark.parametrize(
    ("milli", "verdict"), [(51_540, OK), (75_000, WARNING), (81_999, WARNING), (82_000, FAILURE), (999_000, SKIPPED)]
)
def test_heat_is_warned_of_before_the_pi_slows_down(pi: Pi, milli: int, verdict: Verdict) -> None:
    pi.write("/sys/class/hwmon/hwmon0/temp1_input", f"{milli}\n")
    assert pi.examine()("power.temperature").verdict is verdict


def test_heat_is_read_from_the_thermal_zone_where_hwmon_has_none(pi: Pi) -> None:
    pi.write("/sys/class/hwmon/hwmon0/name", "fan\n")
    pi.write("/sys/class/thermal/thermal_zone0/temp", "83000\n")
    assert pi.examine()("power.temperature").verdict is FAILURE
