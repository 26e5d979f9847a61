"""The commands of a page of docs/, as its ```console blocks have them. The virtual bench types them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[1] / "docs"
NOT_THERE = "  # not on the bench"


class Command(NamedTuple):
    """One line of a block."""

    section: str  # the last heading of the second level before it
    line: str  # as it stands on the page

    @property
    def text(self) -> str:
        """What is typed."""
        return self.line[2:].removesuffix(NOT_THERE)

    @property
    def as_root(self) -> bool:
        return self.line.startswith("# ")

    @property
    def on_bench(self) -> bool:
        return not self.line.endswith(NOT_THERE)


def commands(page: str) -> list[Command]:
    """Those of docs/`page`, in order."""
    found: list[Command] = []
    section, inside = "", False
    for line in (DOCS / page).read_text().splitlines():
        if line.startswith("```"):
            inside = line == "```console"
        elif inside:
            found.append(Command(section, line))
        elif heading := re.match(r"## (.*)", line):
            section = heading[1]
    return found
