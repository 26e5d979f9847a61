"""The service, its watchdogs, and the faults in its journals."""

from __future__ import annotations

import json

import pytest

from doctor.fake_pi import Pi
from rearguard import lines
from rearguard.doctor.finding import Finding, Verdict
from rearguard.doctor.history import HINTS

OK, WARNING, FAILURE, SKIPPED = Verdict
DROP_INS = "/usr/lib/systemd/system.conf.d"


def minute(pi: Pi) -> Finding:
    """What is said of a watchdog that systemd takes to be of a minute."""
    pi.answers["systemctl show --property=RuntimeWatchdogUSec"] = (0, "RuntimeWatchdogUSec=1min")
    return pi.examine()("service.watchdog")


@pytest.mark.parametrize(
    ("told", "verdict", "mend"),
    [
        ({"ActiveState": "active"}, OK, ""),
        ({"ActiveState": "inactive"}, WARNING, "sudo systemctl enable --now rearguard"),
        ({"ActiveState": "failed", "Result": "watchdog"}, FAILURE, "journalctl -u rearguard -b -n 30"),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, FAILURE, "journalctl -u rearguard -b -n 30"),
        ({"LoadState": "not-found"}, SKIPPED, "sudo ./install.sh"),
        ({"LoadState": "masked"}, FAILURE, "sudo systemctl unmask rearguard; sudo /usr/lib/rearguard/install.sh"),
    ],
)
def test_the_state_of_the_service(pi: Pi, told: dict[str, str], verdict: Verdict, mend: str) -> None:
    pi.shown |= told
    found = pi.examine()("service.state")
    assert (found.verdict, found.mend) == (verdict, mend)


@pytest.mark.parametrize("state", ["active", "activating"])
def test_each_fault_that_the_guard_tells_of_is_a_failure_with_its_mend(pi: Pi, state: str) -> None:
    pi.shown |= {"ActiveState": state, "StatusText": "NOTICE 1.2 m FAULT journal:write_failed, rear:no_data"}
    told = [finding for finding in pi.examine() if finding.check == "service.faults"]
    assert [(finding.verdict, finding.what, finding.mend) for finding in told] == [
        (FAILURE, "the guard says FAULT: journal:write_failed", HINTS["write_failed"]),
        (FAILURE, "the guard says FAULT: rear:no_data", HINTS["no_data"]),
    ]


def test_a_fault_without_a_hint_sends_to_the_page_of_faults(pi: Pi) -> None:
    pi.shown |= {"ActiveState": "active", "StatusText": "paused FAULT rear:melted"}
    assert pi.examine()("service.faults").mend == "look for rear:melted in /usr/lib/rearguard/faults.md"


@pytest.mark.parametrize(
    "told", [{"StatusText": "STOP 0.4 m"}, {"ActiveState": "inactive"}, {"LoadState": "not-found"}]
)
def test_a_guard_without_a_fault_or_that_is_stopped_tells_of_none(pi: Pi, told: dict[str, str]) -> None:
    pi.shown |= {"ActiveState": "active", "StatusText": "guarding FAULT rear:lost"} | told
    assert [finding for finding in pi.examine() if finding.check == "service.faults"] == []


def test_a_service_that_does_not_start_at_power_on_is_a_failure(pi: Pi) -> None:
    pi.shown["UnitFileState"] = "disabled"
    assert pi.examine()("service.enabled").verdict is FAILURE


@pytest.mark.parametrize(("count", "verdict"), [("0", OK), ("3", WARNING), ("", SKIPPED)])
def test_restarts_are_counted(pi: Pi, count: str, verdict: Verdict) -> None:
    pi.shown["NRestarts"] = count
    assert pi.examine()("service.restarts").verdict is verdict


@pytest.mark.parametrize(
    ("told", "verdict"),
    [({}, OK), ({"NeedDaemonReload": "yes"}, FAILURE), ({"WatchdogUSec": "0"}, FAILURE), ({"Type": "simple"}, FAILURE)],
)
def test_the_unit_must_be_the_one_that_ships(pi: Pi, told: dict[str, str], verdict: Verdict) -> None:
    pi.shown |= told
    assert pi.examine()("service.unit").verdict is verdict


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("14s", OK), ("15s", OK), ("15s 1ms", WARNING), ("1min", WARNING), ("0", WARNING), ("infinity", WARNING),
     ("soon", SKIPPED), ("", SKIPPED)],
)  # fmt: skip
def test_more_than_fifteen_seconds_is_a_matter_of_the_kernel(pi: Pi, said: str, verdict: Verdict) -> None:
    pi.answers["systemctl show --property=RuntimeWatchdogUSec"] = (0, f"RuntimeWatchdogUSec={said}")
    assert pi.examine()("service.watchdog").verdict is verdict


def test_a_minute_is_told_with_what_an_old_kernel_makes_of_it(pi: Pi) -> None:
    assert minute(pi).what == (
        "RuntimeWatchdogSec is 1min, and a Pi counts to 15 s: on a kernel of before 2024 there is no watchdog then"
    )


@pytest.mark.parametrize("load", ["loaded", "not-found"])
def test_where_raspberry_pi_os_asks_for_a_minute_the_mend_is_a_drop_in_that_sorts_behind(pi: Pi, load: str) -> None:
    pi.write(f"{DROP_INS}/40-rpi-enable-watchdog.conf", "[Manager]\nRuntimeWatchdogSec=1m\n")
    pi.shown["LoadState"] = load
    mend = minute(pi).mend
    if load == "loaded":
        assert mend == "sudo /usr/lib/rearguard/install.sh"
        return
    name = mend.partition("sudo tee ")[2].split()[0]
    assert name == "/etc/systemd/system.conf.d/rearguard-watchdog.conf"
    assert name.rpartition("/")[2] > "70-rpi-enable-watchdog.conf", "the last name counts, whatever its folder"
    assert mend.startswith(f"sudo mkdir -p {name.rpartition('/')[0]} && printf '[Manager]\\nRuntimeWatchdogSec=14s\\n")
    assert mend.endswith(" && sudo systemctl daemon-reexec")


def test_the_drop_in_that_ships_need_only_be_read(pi: Pi) -> None:
    pi.write(f"{DROP_INS}/40-rpi-enable-watchdog.conf", "[Manager]\nRuntimeWatchdogSec=1m\n")
    pi.write(f"{DROP_INS}/rearguard-watchdog.conf", "[Manager]\nRuntimeWatchdogSec=14s\n")
    pi.write(f"{DROP_INS}/zram.conf", "[Manager]\n#RuntimeWatchdogSec=1h\n")
    assert minute(pi).mend == "sudo systemctl daemon-reexec"


@pytest.mark.parametrize("name", ["watchdog.conf", "rearguard-watchdog.conf"])
def test_a_drop_in_that_outranks_the_one_that_ships_is_named(pi: Pi, name: str) -> None:
    pi.write(f"{DROP_INS}/rearguard-watchdog.conf", "[Manager]\nRuntimeWatchdogSec=14s\n")
    pi.write(f"{DROP_INS}/{name}", "[Manager]\nRuntimeWatchdogSec=14s\n")
    other = pi.write(f"/etc/systemd/system.conf.d/{name}", "[Manager]\nRuntimeWatchdogSec = 1min\n")
    assert minute(pi).mend == f"in /{other.relative_to(pi.root)}: RuntimeWatchdogSec=14s; sudo systemctl daemon-reexec"


def test_a_drop_in_that_is_masked_counts_no_more(pi: Pi) -> None:
    pi.write(f"{DROP_INS}/watchdog.conf", "[Manager]\nRuntimeWatchdogSec=1min\n")
    pi.write("/dev/null", "")
    pi.link("/etc/systemd/system.conf.d/watchdog.conf", "../../../dev/null")
    assert minute(pi).mend == "sudo /usr/lib/rearguard/install.sh"


def test_a_pi_without_a_watchdog_device_is_a_warning(pi: Pi) -> None:
    pi.remove("/dev/watchdog0")
    assert pi.examine()("service.watchdog").verdict is WARNING


def test_without_systemd_the_service_is_skipped_with_the_reason(pi: Pi) -> None:
    pi.answers["systemctl"] = (127, "there is no systemctl here")
    found = pi.examine()
    assert (found("service.state").verdict, found("service.state").what) == (SKIPPED, "there is no systemctl here")
    assert found("service.watchdog").verdict is SKIPPED


class Walk:
    """A journal file, written line by line."""

    def __init__(self, pi: Pi, number: int, t_s: float, wall: str) -> None:
        self._path = pi.write(f"/var/lib/rearguard/journal/journal-{number:06d}.jsonl", "")
        self._add(lines.header(t_s, wall, {}, "test"))

    def alert(self, t_s: float, *faults: str) -> Walk:
        line = {"t_s": t_s, "level": "clear", "bearing_deg": None, "distance_m": None, "closing_mps": None}
        return self._add(json.dumps(line | {"faults": faults}, separators=(",", ":")).encode() + b"\n")

    def step(self, t_s: float) -> Walk:
        return self._add(lines.step(t_s))

    def add(self, raw: bytes) -> Walk:
        return self._add(raw)

    def _add(self, raw: bytes) -> Walk:
        with self._path.open("ab") as file:
            file.write(raw)
        return self


def faults(pi: Pi) -> dict[str, tuple[Verdict, str]]:
    found = [finding for finding in pi.examine() if finding.check.startswith("history.")]
    return {finding.check.removeprefix("history."): (finding.verdict, finding.what) for finding in found}


def test_faults_are_told_with_how_often_when_and_how_long(pi: Pi) -> None:
    walk = Walk(pi, 1, 100.0, "2026-07-10T14:02:00Z").alert(100.0)
    walk.alert(160.0, "rear:no_data").alert(161.0).alert(220.0, "rear:no_data", "belt:write_failed")
    walk.alert(221.5, "belt:write_failed").alert(225.0)
    assert faults(pi) == {
        "belt:write_failed": (WARNING, "once 2026-07-10 14:04 UTC for 5.0 s"),
        "rear:no_data": (WARNING, "2 times, last 2026-07-10 14:04 UTC for 1.5 s"),
    }


def test_a_walk_without_a_fault_is_good(pi: Pi) -> None:
    Walk(pi, 1, 100.0, "2026-07-10T14:02:00Z").alert(100.0)
    assert faults(pi) == {"faults": (OK, "none in the last file of the journal")}


def test_only_the_newest_kinds_and_files_are_told(pi: Pi) -> None:
    Walk(pi, 1, 0.0, "2026-07-09T08:00:00Z").alert(1.0, "old:lost").alert(2.0)
    for number in (2, 3, 4):
        Walk(pi, number, 1000.0 * number, f"2026-07-1{number}T08:00:00Z")
    walk = Walk(pi, 5, 9000.0, "2026-07-15T08:00:00Z")
    for i in range(7):
        walk.alert(9000.0 + 60 * i, f"s{i}:lost").alert(9001.0 + 60 * i)
    assert list(faults(pi)) == [f"s{i}:lost" for i in (6, 5, 4, 3, 2)]


def test_after_a_million_files_the_newest_is_still_the_one_with_the_highest_number(pi: Pi) -> None:
    Walk(pi, 999_999, 100.0, "2026-07-10T14:02:00Z").alert(110.0, "old:lost").alert(112.0)
    for number in range(1_000_000, 1_000_003):
        Walk(pi, number, 10.0 * number, "2026-07-10T15:00:00Z")
    assert faults(pi) == {"faults": (OK, "none in the last 3 files of the journal")}


@pytest.mark.parametrize(("state", "verdict"), [("active", FAILURE), ("inactive", WARNING)])
def test_a_fault_that_is_there_now_is_a_failure(pi: Pi, state: str, verdict: Verdict) -> None:
    Walk(pi, 1, 100.0, "2026-07-10T14:02:00Z").alert(110.0, "rear:lost").step(111.0)
    pi.shown["ActiveState"] = state
    assert faults(pi)["rear:lost"][0] is verdict


def test_a_fault_goes_on_in_the_next_file_of_the_same_walk(pi: Pi) -> None:
    Walk(pi, 1, 100.0, "2026-07-10T14:02:00Z").alert(110.0, "rear:lost").step(120.0)
    Walk(pi, 2, 120.1, "2026-07-10T14:02:20Z").step(120.2).alert(130.0)
    assert faults(pi) == {"rear:lost": (WARNING, "once 2026-07-10 14:02 UTC for 20.0 s")}


def test_a_fault_ends_with_the_walk(pi: Pi) -> None:
    Walk(pi, 1, 100.0, "2026-07-10T14:02:00Z").alert(110.0, "rear:lost").step(120.0)
    Walk(pi, 2, 50.0, "2026-07-11T09:00:00Z").alert(50.1)
    assert faults(pi) == {"rear:lost": (WARNING, "once 2026-07-10 14:02 UTC until the guard ended")}


def test_a_journal_that_a_power_cut_has_torn_is_read_as_far_as_it_goes(pi: Pi) -> None:
    walk = Walk(pi, 1, 100.0, "yesterday").alert(110.0, "rear:lost").alert(112.0)
    walk.add(b'{"t_s":113.0,"level":"cl').add(b"\0" * 5000).add(b"\n\xff\xfe\n{}\n[1]\n")
    assert faults(pi) == {"rear:lost": (WARNING, "once at an unknown time for 2.0 s")}
