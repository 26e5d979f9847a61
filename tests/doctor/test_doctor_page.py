"""What is printed, the command, and machines on which nothing can be read."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from doctor.fake_pi import TREE, Findings, Pi
from rearguard.cli import main
from rearguard.config import DEFAULT
from rearguard.doctor.examine import CHECKS, examine, visit_for
from rearguard.doctor.finding import Finding, Verdict
from rearguard.doctor.machine import ABSENT, HUNG, Commands, Machine
from rearguard.doctor.page import WIDTH, Json, Page

LONG = Finding("pins.lines", Verdict.FAILURE, "word " * 40, "sudo " + "command " * 20)
PROSE = Finding("uart.boot", Verdict.WARNING, "short", "in /boot/firmware/config.txt, under [all]: " + "key = 1 " * 12)


class Terminal(io.TextIOWrapper):
    """A terminal of some encoding."""

    def __init__(self, encoding: str = "utf-8", tty: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="")
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


def printed(findings: list[Finding], terminal: Terminal | None = None, **environment: str) -> str:
    terminal = terminal or Terminal()
    page = Page("belt.toml", terminal, environment)
    for finding in findings:
        page.take(finding)
    page.end()
    return terminal.text()


def test_no_line_is_wider_than_a_terminal_but_commands_that_stay_whole() -> None:
    text = printed([LONG, PROSE])
    wide = [line for line in text.splitlines() if len(line) > WIDTH]
    assert [line.strip(" →") for line in wide] == [LONG.mend.strip()]
    assert "key =\n" not in text


def test_texts_stand_below_each_other() -> None:
    columns = {line.index("word") for line in printed([LONG]).splitlines() if "word" in line}
    assert len(columns) == 1


def test_each_group_has_its_title_once() -> None:
    ok = Verdict.OK
    text = printed([Finding("pins.a", ok, "x"), Finding("pins.b", ok, "y"), Finding("i2c.bus", ok, "z")])
    assert [line for line in text.splitlines() if line and line[0] != " "][1:3] == ["Pins", "I2C"]


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["ok"], "1 ok, 0 skipped.\nAll is well.\n"),
        (["ok", "warning", "skipped"], "1 warning, 1 ok, 1 skipped.\nIt can guard.\n"),
        (
            ["failure", "failure", "warning"],
            "2 failures, 1 warning, 0 ok, 0 skipped.\nMend what failed, from the top, and run this again.\n",
        ),
    ],
)
def test_the_last_lines_sum_up(verdicts: list[str], said: str) -> None:
    assert printed([Finding("a.b", Verdict(word), "x") for word in verdicts]).endswith(f"\n\n{said}")


@pytest.mark.parametrize(
    ("tty", "environment", "coloured"),
    [(True, {}, True), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False), (False, {}, False)],
)
def test_colours_only_on_a_terminal_that_wants_them(tty: bool, environment: dict[str, str], coloured: bool) -> None:
    assert ("\033[" in printed([LONG], Terminal(tty=tty), **environment)) is coloured


def test_a_terminal_that_knows_only_ascii_gets_ascii() -> None:
    text = printed([LONG, Finding("board.config", Verdict.OK, "gürtel.toml")], Terminal("ascii"))
    assert text.isascii()
    assert "> sudo" in text
    assert "g\\xfcrtel.toml" in text


def test_json_is_one_object_with_keys_that_stay() -> None:
    out = io.StringIO()
    page = Json("belt.toml", out)
    page.take(LONG)
    page.end()
    told = json.loads(out.getvalue())
    assert list(told) == ["version", "config", "findings"]
    assert told["config"] == "belt.toml"
    assert told["findings"] == [{"check": "pins.lines", "verdict": "failure", "what": LONG.what, "mend": LONG.mend}]


def test_names_of_checks_are_as_they_always_were(pi: Pi) -> None:
    pi.serial()
    assert " ".join(finding.check for finding in pi.examine()) == (
        "board.model board.system board.python board.config board.memory board.disk board.clock power.voltage "
        "power.throttling power.temperature access.service access.you pins.library pins.chip pins.lines ports.rear "
        "uart.boot uart.console i2c.bus sensors.rear motors.belt service.state service.enabled service.restarts "
        "service.unit service.watchdog history.faults"
    )


def test_neither_the_name_of_the_host_nor_an_address_is_told(pi: Pi) -> None:
    pi.serial()
    pi.write("/boot/firmware/cmdline.txt", "console=serial0,115200 ip=192.168.7.9::192.168.7.1:255.0.0.0:kitchen-table")
    told = str(pi.examine())
    assert "console=serial0" in told
    assert "kitchen-table" not in told
    assert "192.168" not in told


def test_the_installed_configuration_is_taken_and_else_the_one_that_ships(pi: Pi) -> None:
    assert visit_for(pi.machine, None).source == f"{pi.root}/etc/rearguard/rearguard.toml"
    pi.remove("/etc/rearguard/rearguard.toml")
    visit = visit_for(pi.machine, None)
    assert visit.source == str(DEFAULT)
    assert Findings(examine(visit))("board.config").what == "good, the default that ships"


def test_a_broken_configuration_is_one_failure_and_no_end(pi: Pi) -> None:
    pi.configure("profile = 'reckless'")
    found = pi.examine(listen=True, buzz=True)
    assert [finding.check for finding in found.bad()] == ["board.config", "service.state"]
    assert "profile" in found("board.config").what
    assert "--config" in found("board.config").mend
    assert found("sensors.all").what == "needs a configuration that can be used"
    assert found("board.model").verdict is Verdict.OK


def test_an_empty_machine_is_examined_to_the_end(tmp_path: Path) -> None:
    machine = Machine(root=tmp_path / "nowhere", run=lambda argv: (127, f"there is no {argv[0]} here"))
    found = Findings(examine(visit_for(machine, None, listen=False)))
    groups = {name.partition(".")[0] for name, _ in CHECKS} - {"uart"}  # no sensor of the default is on it
    assert {finding.check.partition(".")[0] for finding in found} == groups
    assert not [finding for finding in found if "broke" in finding.what]


def garbage(path: Path, random: Random) -> None:
    path.write_bytes(random.randbytes(random.choice((0, 1, 40, 5000))))


def numbers(path: Path, random: Random) -> None:
    path.write_text(f"{random.choice((-1, 0, 10**30))}\n")


def words(path: Path, random: Random) -> None:
    rows = ("=", ":::::", "[", "a=b=c", "MemAvailable:", "x:y:zz:w", "VERSION_CODENAME", "console=", "dtparam=,,=")
    path.write_text("\n".join(random.choices(rows, k=20)))


def folder(path: Path, _: Random) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path, _: Random) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("spoil", [garbage, numbers, words, folder, pipe])
@pytest.mark.parametrize("but", [(), ("/etc/rearguard/rearguard.toml", "/proc/device-tree/model")])
def test_files_that_hold_anything_are_told_calmly(pi: Pi, spoil: object, but: tuple[str, ...]) -> None:
    random = Random(5)
    pi.serial()
    pi.write("/var/lib/rearguard/journal/journal-000001.jsonl", "")
    for name in [*TREE, "/var/lib/rearguard/journal/journal-000001.jsonl"]:
        if name not in but and not (spoil is pipe and name.startswith("/sys/")):  # the kernel makes no pipes there
            spoil(pi.root / name[1:], random)  # type: ignore[operator]
    found = pi.examine()
    assert len(found) >= len(CHECKS) - 2
    assert not [finding for finding in found if "broke" in finding.what]


@pytest.mark.parametrize("said", ["", "\0\xff", "=\n=\n==", "LoadState=loaded", "yes\nno", "{}"])
def test_programs_that_say_anything_are_told_calmly(pi: Pi, said: str) -> None:
    pi.serial()
    pi.remove("/sys/devices/platform/soc/soc:firmware/get_throttled")
    for code in (0, 1):
        found = Findings(examine(visit_for(replace(pi.machine, run=lambda _, code=code: (code, said)), None, False)))
        assert not [finding for finding in found if "broke" in finding.what]


def test_a_check_that_breaks_hides_no_other(pi: Pi) -> None:
    def broken(_: object) -> tuple[int, str]:
        raise ZeroDivisionError("made for the test")

    found = Findings(examine(visit_for(replace(pi.machine, run=broken), None, False)))
    assert found("pins.library").what == "this check broke: ZeroDivisionError: made for the test"
    assert found("board.model").verdict is Verdict.OK


def test_a_program_that_hangs_is_given_up_and_not_started_again(pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = pi.root / "starts"
    script = pi.write("/bin/systemctl", f"#!/bin/sh\necho >> {starts}\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    found = Findings(examine(visit_for(replace(pi.machine, run=Commands(limit_s=0.5)), None, False)))
    assert found("service.state").what == "systemctl does not answer within 0.5 s"
    assert found("service.state").verdict is Verdict.SKIPPED
    assert starts.read_text() == "\n"


def test_a_program_that_is_not_there_or_fails_says_so(tmp_path: Path) -> None:
    run = Commands()
    assert run(["no-such-program", "x"]) == (ABSENT, "there is no no-such-program here")
    assert run(["sh", "-c", "echo out; echo why >&2; exit 3"]) == (3, "why")
    assert run(["sh", "-c", "echo out; pwd >&2"])[1] == "out"
    assert Commands(limit_s=0.05)(["sleep", "60"])[0] == HUNG


def test_the_command_prints_a_page_and_fails_with_a_failure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("sensor = 1\n")
    assert main(["doctor", "--config", str(broken)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("rearguard doctor ")
    assert "FAIL  config" in out
    assert err == ""


def test_the_command_prints_json_on_request(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    main(["doctor", "--json", "--no-sensors", "--config", str(tmp_path / "none.toml")])
    told = json.loads(capsys.readouterr().out)
    assert told["config"].endswith("none.toml")
    assert "board.config" in [finding["check"] for finding in told["findings"]]
