"""The findings as a page for a terminal, and as one JSON object for whoever supports."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from typing import Any, TextIO

import msgspec

from rearguard import __version__
from rearguard.doctor.finding import Finding, Verdict

WIDTH = 80
WORDS = {Verdict.OK: "ok", Verdict.WARNING: "warn", Verdict.FAILURE: "FAIL", Verdict.SKIPPED: "-"}
COLOURS = {Verdict.OK: "32", Verdict.WARNING: "33", Verdict.FAILURE: "31;1", Verdict.SKIPPED: "2"}
TITLES = {"i2c": "I2C", "uart": "UART of the header", "history": "Last faults"}
COMMANDS = ("sudo ", "rearguard ", "printf ", "/", "journalctl ")  # what is pasted must not be broken into lines
LABEL = 13
LEFT = 2 + 4 + 2 + LABEL + 2


class Page:
    """Prints each finding as it comes, so that nobody wonders during the seconds that sensors take."""

    def __init__(self, source: str, out: TextIO, environment: Mapping[str, str], command: str = "doctor") -> None:
        """Colours only on a terminal, and not where NO_COLOR is set; what `out` cannot show becomes ASCII."""
        self._out = out
        self._colours = out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
        self._group = ""
        self._arrow = "→" if _shows(out, "→") else ">"
        self._counts: Counter[Verdict] = Counter()
        self._print(f"rearguard {command} {__version__}, with {source}")

    def take(self, finding: Finding) -> None:
        """One finding: a line, wrapped where it must be, and the mend below it."""
        group, _, label = finding.check.partition(".")
        if group != self._group:
            self._group = group
            self._print(f"\n{TITLES.get(group, group.capitalize())}")
        self._counts[finding.verdict] += 1
        word = f"{WORDS[finding.verdict]:<4}"
        if self._colours:
            word = f"\033[{COLOURS[finding.verdict]}m{word}\033[0m"
        # a name that is too long for its column takes room from the text, not from what is aligned below
        first, *others = textwrap.wrap(finding.what, WIDTH - LEFT - max(len(label) - LABEL, 0)) or [""]
        self._print(f"  {word}  {label:<{LABEL}}  {first}")
        others = textwrap.wrap(" ".join(others), WIDTH - LEFT, break_long_words=False)
        for line in others:
            self._print(f"{'':<{LEFT}}{line}")
        for i, line in enumerate(_mend(finding.mend)):
            self._print(f"{'' if i else self._arrow:>{LEFT - 1}} {line}")

    def end(self) -> None:
        """What it comes to."""
        counts = self._counts
        bad = [_some(counts[Verdict.FAILURE], "failure"), _some(counts[Verdict.WARNING], "warning")]
        rest = f"{counts[Verdict.OK]} ok, {counts[Verdict.SKIPPED]} skipped"
        if counts[Verdict.FAILURE]:
            said = "Mend what failed, from the top, and run this again."
        elif counts[Verdict.WARNING]:
            said = "It can guard."
        else:
            said = "All is well."
        self._print(f"\n{', '.join([*filter(None, bad), rest])}.\n{said}")

    def _print(self, text: str) -> None:
        encoding = self._out.encoding or "ascii"
        self._out.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self._out.flush()


def _shows(out: TextIO, text: str) -> bool:
    try:
        return bool(text.encode(out.encoding or "ascii"))
    except (UnicodeEncodeError, LookupError):
        return False


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}" if count else ""


def _mend(text: str) -> list[str]:
    """Commands stay whole: a terminal breaks them without breaking what is copied."""
    if text.startswith(COMMANDS):
        return [text]
    held = text.replace(" = ", "\xa0=\xa0")  # key and value stay on one line
    found = textwrap.wrap(held, WIDTH - LEFT, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in found]


class Json:
    """Collects, and prints one object at the end."""

    def __init__(self, source: str, out: TextIO) -> None:
        self._source, self._out = source, out
        self._findings: list[dict[str, Any]] = []

    def take(self, finding: Finding) -> None:
        self._findings.append(finding._asdict())

    def end(self) -> None:
        page = {"version": __version__, "config": self._source, "findings": self._findings}
        self._out.write(msgspec.json.format(msgspec.json.encode(page)).decode() + "\n")
