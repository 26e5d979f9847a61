"""What the building instructions tell the maker to type is what there is, and each step ends with a test."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from rearguard.bench.world import fit, scenario
from rearguard.cli import _parser
from rearguard.doctor.examine import CHECKS
from rearguard.doctor.page import TITLES
from wiring import BUILDS, HERE

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
