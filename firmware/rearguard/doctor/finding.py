"""What a check comes to."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # the belt guards, but not as well as it could
    FAILURE = "failure"  # the belt does not guard, or not as the wearer believes
    SKIPPED = "skipped"  # could not be looked at, or does not concern this belt


class Finding(NamedTuple):
    """One line of the page. `check` is "group.name" and stays the same from version to version."""

    check: str
    verdict: Verdict
    what: str  # one sentence, without a full stop
    mend: str = ""  # the command, or the line and the file it goes to; "" where nothing needs to be done


class CannotTellError(Exception):
    """Something cannot be told from here; the message says why. The check is then skipped."""

    def __init__(self, why: str, mend: str = "") -> None:
        super().__init__(why)
        self.mend = mend


def ok(check: str, what: str) -> Finding:
    return Finding(check, Verdict.OK, what)


def warning(check: str, what: str, mend: str) -> Finding:
    return Finding(check, Verdict.WARNING, what, mend)


def failure(check: str, what: str, mend: str) -> Finding:
    return Finding(check, Verdict.FAILURE, what, mend)


def skipped(check: str, what: str, mend: str = "") -> Finding:
    return Finding(check, Verdict.SKIPPED, what, mend)


def complaint(said: str) -> tuple[str, str]:
    """What a driver said, and the mend that it ends with."""
    for mark in (" Mend: ", "; ", ". "):
        what, found, mend = said.rpartition(mark)
        if found:
            return what.rstrip("."), mend
    return said, "check its wires and its 5 V"
