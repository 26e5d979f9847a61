"""The operator's page, docs/operate.md, typed line by line on a fresh Debian."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from machine import Machine

from console_page import commands

CONF = "/etc/rearguard/rearguard.toml"
FRESH = """export PATH=/usr/sbin:/usr/bin:/sbin:/bin
/usr/lib/rearguard/install.sh --uninstall --purge
useradd -m maker
cd /root/rearguard/wheels
name=$(echo rearguard-*.whl | cut -d- -f1,2)
mv /root/rearguard "/home/maker/$name"
cd /home/maker
tar -czf "$name.tar.gz" "$name"
rm -r "$name"
"""
EDIT = f"""sed -i 's/^profile = "default"/profile = "cautious"/' {CONF}; grep -c cautious {CONF}"""  # in place of nano
NEWER = "0.99"
STAYS = ("/var/log/", "/var/lib/systemd/", "/var/cache/", "/var/lib/apt/", "/home/", "/root/.")  # the system's own
STAYS += ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock")


class Done(NamedTuple):
    """A command that was typed, and what it printed."""

    text: str
    out: str


class Shell:
    """One terminal that keeps its folder, used by root and by an ordinary user."""

    def __init__(self, belt: Machine) -> None:
        self.belt, self.folder = belt, "/home/maker"

    def type(self, text: str, as_root: bool = True, code: int = 0) -> str:
        """What a command prints; it has to end with that code."""
        script = f"exec 2>&1; cd {self.folder} || exit\n{text}\ncode=$?; echo; echo $SECONDS $PWD; exit $code"
        if not as_root:
            script = f"runuser -u maker -- bash -c {shlex.quote(script)}"
        told = self.belt.ask("shell", command=script)
        out, _, last = told["out"].rstrip("\n").rpartition("\n")
        took_s, self.folder = last.split()
        assert told["code"] == code, f"{text}\n{out}"
        if int(took_s) >= 5:
            print(f"{text}: {took_s} s on 500 million instructions a second")
        return str(out)

    def section(self, name: str) -> list[Done]:
        """Type a section of the page."""
        done = []
        for command in commands("operate.md"):
            if command.section != name:
                continue
            if command.on_bench:
                done.append(Done(command.text, self.type(command.text, command.as_root)))
            elif command.text.startswith("nano "):
                self.type(EDIT)
        assert done, f"the page has no section {name}"
        return done

    def added(self) -> list[str]:
        """Files that were not there at first, but for what belongs to the system and its log."""
        told = self.belt.ask("added")
        return [name for name in told["files"] if not name.startswith(STAYS)]


def said(done: list[Done], text: str) -> str:
    """What a command printed, the last time that it was typed."""
    return [each.out for each in done if each.text == text][-1]


@pytest.fixture(scope="module")
def shell(boot: Callable[..., Machine]) -> Shell:
    """A Debian that never had the project on it, and the release as an archive in somebody's home."""
    return Shell(boot(files={"prepare": FRESH}))


@pytest.fixture(scope="module")
def fresh(shell: Shell) -> dict[str, Any]:
    return shell.belt.ask("remember")


@pytest.fixture(scope="module")
def installed(shell: Shell, fresh: dict[str, Any]) -> list[Done]:
    done = shell.section("Install")
    shell.belt.ask("wire")  # not sooner: where no pin is ever driven, the emulator waits in vain, and busily
    shell.belt.ask("course", part="echo", points=[[0, 2.0]], wait_s=2.0)
    return done


@pytest.fixture(scope="module")
def updated(shell: Shell, installed: list[Done]) -> list[Done]:
    edits = {"default.toml": ["strength = 1.0", "strength = 0.9"]}
    shell.belt.ask("newer", folder=shell.folder, version=NEWER, edits=edits)
    return shell.section("Update")


@pytest.fixture(scope="module")
def read(shell: Shell, updated: list[Done]) -> list[Done]:
    return shell.section("Read the log")


@pytest.fixture(scope="module")
def recovered(shell: Shell, read: list[Done]) -> list[Done]:
    return shell.section("Recover")


@pytest.fixture(scope="module")
def removed(shell: Shell, recovered: list[Done]) -> list[Done]:
    return shell.section("Remove")


def test_the_machine_is_fresh(fresh: dict[str, Any]) -> None:
    assert [Path(name).suffixes[-2:] for name in fresh["ours"]] == [[".tar", ".gz"]], fresh["ours"]
    assert fresh["count"] > 1000


def test_a_dry_run_prints_the_steps_and_the_installation_takes_them(installed: list[Done]) -> None:
    dry = said(installed, "./install.sh --dry-run")
    assert "Nothing was changed" in dry
    assert "would enable rearguard.service" in dry
    done = said(installed, "./install.sh")
    assert "  enable rearguard.service" in done.splitlines()
    assert "  start the guard" in done.splitlines()
    assert "Done." in done


def test_once_installed_it_guards(shell: Shell, installed: list[Done]) -> None:
    assert shell.belt.ask("armed")["ActiveState"] == "active"
    assert "active (running)" in said(installed, "systemctl status rearguard --no-pager")
    assert "cautious" in said(installed, f"rearguard check-config --config {CONF}")


def test_the_guard_starts_again_with_what_was_said_to_be_fitted(installed: list[Done]) -> None:
    assert "  start the guard" in said(installed, "/usr/lib/rearguard/install.sh").splitlines()


def test_a_second_installation_has_nothing_to_change(shell: Shell, installed: list[Done]) -> None:
    before = shell.belt.ask("armed")["MainPID"]
    assert "Nothing to change" in shell.type("/usr/lib/rearguard/install.sh")
    assert "Nothing to change" in shell.type("./install.sh")
    assert shell.belt.ask("armed")["MainPID"] == before


def test_the_doctor_finds_only_what_is_no_raspberry_pi(shell: Shell, installed: list[Done]) -> None:
    page = json.loads(shell.type("rearguard doctor --json 2>/dev/null"))
    found = {finding["check"]: finding for finding in page["findings"]}
    assert [check for check, finding in found.items() if finding["verdict"] == "failure"] == []
    assert page["config"] == CONF
    guarding = ("access.service", "pins.library", "pins.chip", "pins.lines", "service.state", "service.enabled")
    assert {check: found[check]["verdict"] for check in guarding} == dict.fromkeys(guarding, "ok")
    no_pi = [check for check, finding in found.items() if "no Raspberry Pi" in finding["what"]]
    assert no_pi == ["board.model", "service.watchdog"]


def test_an_update_keeps_the_configuration_and_says_what_changed(shell: Shell, updated: list[Done]) -> None:
    told = said(updated, "./install.sh")
    assert f" -> {NEWER}" in told.splitlines()[0]
    shown = {line.partition("#")[0].strip() for line in told.splitlines()}
    assert {"-strength = 1.0", "+strength = 0.9"} <= shown
    assert said(updated, "rearguard --version").strip() == f"rearguard {NEWER}"
    assert shell.type(f"grep '^profile\\|^strength' {CONF}").split()[:3] == ["profile", "=", '"cautious"']
    assert "strength = 0.9" in shell.type(f"cat {CONF}.new")
    assert shell.belt.ask("armed")["ActiveState"] == "active"
    assert shell.type("ls -d /opt/rearguard-*").split() == [f"/opt/rearguard-{NEWER}-1"]


def test_an_update_that_does_not_start_is_taken_back(shell: Shell, updated: list[Done]) -> None:
    shell.type(f"cp -r {shell.folder} /home/maker/broken")
    first = "from __future__ import annotations"
    edits = {"service.py": [first, f"{first}\nraise SystemExit(3)"]}
    shell.belt.ask("newer", folder="/home/maker/broken", version="0.100", edits=edits)
    told = shell.type("/home/maker/broken/install.sh", code=1)
    assert "version 0.100 did not start; the one before guards again" in told
    assert shell.type("rearguard --version").strip() == f"rearguard {NEWER}"
    assert shell.belt.ask("armed")["ActiveState"] == "active"
    shell.type("rm -r /home/maker/broken")


def test_the_log_and_the_black_box_can_be_read(read: list[Done]) -> None:
    assert "Started rearguard.service" in said(read, "journalctl -u rearguard --no-pager -n 50")
    replayed = [json.loads(line) for line in read[-1].out.splitlines() if line.startswith("{")]
    assert {"level", "faults", "t_s"} <= replayed[0].keys()


def test_the_guard_is_up_after_all_that_the_page_says_of_recovery(shell: Shell, recovered: list[Done]) -> None:
    assert shell.belt.ask("armed")["ActiveState"] == "active"
    assert shell.type("systemctl show -P Environment rearguard").count("REARGUARD_FIFO=20") == 1


BREAK, MEND = (f"sed -i 's/^echo_pin = {old}/echo_pin = {new}/' {CONF}" for old, new in ((24, 99), (99, 24)))
REFUSED = f"{CONF}: sensor.rear.echo_pin = 99: allowed"


def test_with_a_broken_configuration_it_guards_by_the_last_good_one_and_says_so(
    shell: Shell, recovered: list[Done]
) -> None:
    shell.type(f"{BREAK}; systemctl restart rearguard")
    assert "FAULT config:refused" in shell.belt.ask("armed")["StatusText"]
    log = shell.type("journalctl -u rearguard --no-pager -n 5")
    assert REFUSED in log
    assert "Traceback" not in log
    assert f"sudo nano {CONF}" in shell.type("rearguard doctor --no-sensors", code=1)
    shell.type(f"{MEND}; systemctl restart rearguard")
    assert "config" not in shell.belt.ask("armed")["StatusText"]


def test_with_a_broken_configuration_and_no_good_one_it_is_told_and_once_mended_it_guards_by_itself(
    shell: Shell, recovered: list[Done]
) -> None:
    shell.type(
        f"systemctl stop rearguard; rm /var/lib/rearguard/last-good.toml; {BREAK}; systemctl start rearguard", code=1
    )
    assert REFUSED in shell.type("journalctl -u rearguard --no-pager -n 30")
    shell.type(MEND)
    assert shell.belt.ask("armed")["ActiveState"] == "active"


def test_only_configuration_and_journals_stay(shell: Shell, removed: list[Done]) -> None:
    assert "would remove" in removed[0].out
    assert f"Yours, and still there: {CONF}" in removed[-1].out
    assert "Yours, and still there: /var/lib/rearguard" in removed[-1].out
    left = shell.added()
    assert {CONF, "/var/lib/rearguard/journal"} <= set(left)
    assert [name for name in left if not name.startswith(("/etc/rearguard", "/var/lib/rearguard"))] == []
    assert shell.type("systemctl list-unit-files 'rearguard*' --no-legend || true").strip() == ""


def test_what_was_kept_serves_the_next_installation(shell: Shell, removed: list[Done]) -> None:
    shell.type("./install.sh")
    assert shell.belt.ask("armed")["ActiveState"] == "active"
    assert shell.type("find /var/lib/rearguard ! -user rearguard -o ! -group rearguard").strip() == ""


def test_a_purge_leaves_nothing(shell: Shell, removed: list[Done]) -> None:
    shell.type("./install.sh --uninstall --purge")
    assert shell.added() == []
    assert shell.belt.ask("added")["same_users"]
    assert "nothing to do" in shell.type("./install.sh --uninstall --purge")
