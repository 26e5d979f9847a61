"""What the building instructions tell the maker to type is what there is, and each step ends with a test."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import bill
from rearguard.bench.world import fit, scenario
from rearguard.cli import _parser, main
from rearguard.doctor.examine import CHECKS
from rearguard.doctor.page import TITLES
from wiring import BUILDS, HERE, Build

PAGES = [HERE / name / "README.md" for name in BUILDS]
EVERY = sorted(HERE.rglob("*.md"))
SHOWN = re.compile(r"^ {4,}(?:sudo )?(rearguard [^#\n]+)", re.MULTILINE)
INLINE = re.compile(r"`(rearguard [^`]+)`")

every_page = pytest.mark.parametrize("page", PAGES, ids=BUILDS)


@every_page
def test_each_step_ends_with_a_test(page: Path) -> None:
    steps = re.split(r"^## \d+\. ", page.read_text(), flags=re.MULTILINE)[1:]
    assert len(steps) >= 4
    for step in steps[:-1]:
        assert "**Test**" in step or "steps 6 to 8" in step, step.splitlines()[0]


@pytest.mark.parametrize("page", EVERY, ids=[str(page.relative_to(HERE)) for page in EVERY])
def test_every_command_is_one_and_names_what_ships(page: Path) -> None:
    text = page.read_text()
    for line in [*SHOWN.findall(text), *INLINE.findall(text)]:
        args = _parser().parse_args(shlex.split(line)[1:])
        if shlex.split(line)[1] == "bench":
            assert args.scenario in scenario.names()
            assert args.fit in fit.names()


@pytest.mark.parametrize("page", EVERY, ids=[str(page.relative_to(HERE)) for page in EVERY])
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@every_page
def test_what_doctor_is_said_to_say_are_sections_of_it(page: Path) -> None:
    groups = {name.partition(".")[0] for name, _ in CHECKS}
    sections = {TITLES.get(group, group.capitalize()) for group in groups}
    told = set(re.findall(r"(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)", page.read_text()))
    assert len(told) >= 2
    assert told <= sections


def step(page: Path, number: int) -> str:
    return re.split(r"^## \d+\. ", page.read_text(), flags=re.MULTILINE)[number]


@pytest.mark.parametrize("name", ["outdoor", "full-view"])
def test_on_a_pi_that_was_a_belt_its_configuration_is_replaced_and_the_test_tells_which_is_in_force(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = step(HERE / name / "README.md", 1)
    assert f"sudo cp builds/{name}.toml /etc/rearguard/rearguard.toml\n" in told
    quoted = re.findall(r"`([^`]+)`", told[told.index("**Test**: `rearguard check-config`") :].partition(";")[0])[1:]
    (config,) = HERE.parent.glob(f"firmware/rearguard/builds/{name}.toml")
    assert main(["check-config", "--config", str(config)]) == 0
    said = capsys.readouterr().out.replace(str(config), "/etc/rearguard/rearguard.toml")
    sensors = re.findall(r"^  (\w+) +\w+ +straight behind +[\d.]+ to", said, re.MULTILINE)
    assert said.startswith(f"{quoted[0]}\n")
    assert quoted[1:] == [*sensors, re.search(r"^Belt: .*$", said, re.MULTILINE).group()]  # type: ignore[union-attr]


def test_nothing_is_connected_while_there_is_power() -> None:
    told = step(HERE / "outdoor" / "README.md", 2)
    between = told[told.index("with power OE") : told.index("connect violet")]
    assert "`sudo poweroff`" in between
    assert "pull the supply" in between


@pytest.mark.parametrize("page", EVERY, ids=[str(page.relative_to(HERE)) for page in EVERY])
def test_a_tool_that_may_be_missing_is_fetched_where_it_is_first_used(page: Path) -> None:
    text = page.read_text()
    if "i2cdetect" in text:
        first = text.index("i2cdetect")
        assert "`sudo apt install i2c-tools`" in text[max(0, first - 200) : first + 200]


@pytest.mark.parametrize("tool", ["a drill of 2.7 mm", "multimeter", "a USB cable with bare ends"])
def test_what_the_steps_use_and_no_parts_list_has_is_among_the_tools(tool: str) -> None:
    (tools,) = re.findall(r"^Tools: .*?\n\n", (HERE / "starter" / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert tool in " ".join(tools.split())


@pytest.mark.parametrize("name", BUILDS)
def test_what_the_mounts_ask_for_stands_in_the_parts_list(name: str) -> None:
    asked = (HERE / "mounts" / "README.md").read_text()
    bought = " ".join(Build(name).parts[line.part]["name"] for line in bill.bill(Build(name)))
    for thing in ("foam tape", "foam", "washers", "nuts", "lock nut", "M2.5", "M3"):
        assert thing in asked
        assert re.search(rf"(?<!lock ){thing}(?! tape)", bought), thing


def test_cables_are_said_to_avoid_the_buckle_and_not_the_front_where_the_full_view_has_motors() -> None:
    assert any(part.startswith("FRONT") for part in Build("full-view").connectors)
    told = " ".join((HERE / "safety.md").read_text().split())
    assert "None crosses the buckle; at the front they run behind the webbing. None hangs." in told
    assert "None crosses the front" not in told


def test_it_is_said_that_the_divider_may_keep_a_hung_echo_high() -> None:
    told = " ".join(step(HERE / "starter" / "README.md", 5).split())
    assert "1 kilohm" in told
    assert "may stay high" in told
