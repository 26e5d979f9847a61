"""What the README says of the commands is what they do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rearguard.bench.world import fit, scenario
from rearguard.cli import _parser, main
from rearguard.core.threat import PROFILES, max_speed, stop_distance
from rearguard.sensors import hcsr04, names
from test_cli import CAPTURES, needs_captures

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def printed_after(command: str) -> str:
    """The indented lines that follow a command in the README."""
    block = README.split(f"    $ {command}\n")[1].split("\n\n")[0]
    return "".join(f"{line.strip()}\n" for line in block.splitlines())


def test_every_command_of_the_readme_is_one() -> None:
    lines = re.findall(r"^ {4,}(?:\$ |\.venv/bin/)?(rearguard [^#\n]+)", README, re.MULTILINE)
    commands = [part.strip() for line in lines for part in line.split("|")]
    assert len(commands) >= 5
    for command in commands:
        _parser().parse_args(command.split()[1:])


def test_the_two_commands_that_set_everything_up_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make ([a-z]+)", README):
        assert f"\n{target}:" in makefile


def test_the_walk_to_a_wall_is_felt_as_the_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(ROOT / "docs" / "wall.jsonl")]) == 0
    assert capsys.readouterr().out == printed_after("rearguard replay docs/wall.jsonl")


@needs_captures
def test_the_recorded_stream_is_judged_as_the_readme_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts, *alerts = printed_after("rearguard decode ld06 example3.0.txt | rearguard replay -").splitlines()
    assert main(["decode", "ld06", str(CAPTURES / "ld06-andyblarblar-example3.bin")]) == 0
    decoded, err = capsys.readouterr()
    assert err.strip() == counts
    (tmp_path / "decoded.jsonl").write_text(decoded)
    assert main(["replay", str(tmp_path / "decoded.jsonl")]) == 0
    assert capsys.readouterr().out.splitlines() == alerts


def test_the_distances_and_the_fastest_walk_are_those_of_the_formula() -> None:
    assert f"at 0.6 m/s that is {stop_distance(0.6, PROFILES['default']):.2f} m" in README
    assert f"or {stop_distance(0.6, PROFILES['cautious']):.2f} m in the cautious profile" in README
    assert f"{int(100 * max_speed(hcsr04.ROD_M, PROFILES['default'])) / 100} m/s with an HC-SR04" in README


def test_every_driver_is_in_the_table_of_sensors() -> None:
    for name in names():
        assert f"| `{name}` |" in README


def test_every_link_into_the_project_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


DRIVERS = {
    "any at the belt": "all",
    "HC-SR04": "hcsr04",
    "TF-Luna": "benewake",
    "LD06": "ld06",
    "A02YYUW": "a02yyuw",
}


def test_every_declared_limit_of_the_scenarios_is_listed() -> None:
    table = README.split("| sensor | declared limits |")[1].split("\n\n")[0]
    listed = {
        (name, DRIVERS[row.split("|")[1].strip()])
        for row in table.splitlines()[2:]
        for name in re.findall(r"`([a-z0-9-]+)`", row)
    }
    undazzled = ("hcsr04", "a02yyuw", "ld06")  # which is no limit of theirs
    beside = {("dazzled", driver) for driver in undazzled}
    declared = {(name, driver) for name in scenario.names() for driver in scenario.load(name).limit}
    assert listed == declared - beside


def test_the_counts_of_walks_and_belts_are_right() -> None:
    walks, belts = re.findall(r"(\d+) walks and (\d+) belts", README)[0]
    assert int(walks) <= len(scenario.names()) < int(walks) + 10
    assert int(belts) == len(fit.names())
