"""The operator's page says what there is: its commands, options and files. The virtual bench runs them."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from console_page import NOT_THERE, commands
from rearguard.cli import _parser

TOP = Path(__file__).parents[1]
PAGE = (TOP / "docs" / "operate.md").read_text()
COMMANDS = [command.line for command in commands("operate.md")]
SCRIPTS = [TOP / "install.sh", TOP / "tools" / "release.sh", *sorted((TOP / "systemd" / "setup").glob("*.sh"))]


def test_every_command_is_marked_as_roots_or_anybodys() -> None:
    assert len(COMMANDS) > 20
    assert [line for line in COMMANDS if line[:2] not in ("# ", "$ ")] == []


def test_few_commands_cannot_be_run_on_a_virtual_machine() -> None:
    assert len([line for line in COMMANDS if line.endswith(NOT_THERE)]) <= len(COMMANDS) / 4
    assert all(line.endswith(NOT_THERE) or " # " not in line[2:] for line in COMMANDS)


def test_every_command_of_rearguard_is_one() -> None:
    ours = [line[2:].removesuffix(NOT_THERE) for line in COMMANDS if re.match(r"[#$] rearguard ", line)]
    assert len(ours) >= 4
    for line in ours:
        words = shlex.split(line.removesuffix("|| true"))[1:]
        if words != ["--version"]:
            _parser().parse_args(words)


def test_every_option_of_the_installer_is_one() -> None:
    usage = (TOP / "install.sh").read_text().split("TEXT")[1]
    asked = set(re.findall(r"install\.sh(?: --[a-z-]+)+", PAGE))
    options = {option for command in asked for option in re.findall(r"--[a-z-]+", command)} | {"--uart", "--i2c"}
    assert options >= {"--dry-run", "--uninstall"}
    for option in options:
        assert f"\n  {option} " in usage


def test_every_file_that_the_page_names_is_laid_by_the_installer() -> None:
    setup = "".join(path.read_text() for path in SCRIPTS)
    for path in ("/etc/rearguard/rearguard.toml", "/opt/rearguard", "/usr/lib/rearguard", "/usr/local/bin/rearguard"):
        assert path in setup
    for name in ("systemd/system/rearguard.service", "journald.conf.d", "system.conf.d"):
        assert name in setup


def test_cloud_init_gets_a_file_that_it_takes_for_one() -> None:
    import yaml

    text = (TOP / "systemd" / "cloud-init" / "user-data").read_text()
    assert text.startswith("#cloud-config\n")
    data = yaml.safe_load(text)
    assert set(data) == {"runcmd", "power_state"}
    (script,) = data["runcmd"]
    assert subprocess.run(["sh", "-n", "-c", script], check=False).returncode == 0
    assert not re.search(r"curl|wget|git |pip |apt", script)  # nothing is downloaded
