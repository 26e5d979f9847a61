"""docs/faults.md tells of every fault that the firmware has a name for, and names tests that are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rearguard.core.health import Fault
from rearguard.doctor.history import HINTS

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "faults.md").read_text()
FIRMWARE = TESTS.parent / "firmware" / "rearguard"
TABLES = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in PAGE.splitlines() if line[:1] == "|"
]
ROWS = [row for row in TABLES if row[0] not in ("fault", "failure") and set(row[0]) != {"-"}]
NAMED = sorted({test for row in ROWS for test in re.findall(r"`([\w/]+\.py::\w+)`", row[-1])})


def constants(node: ast.AST) -> set[str]:
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def called(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Calls of a function, or of a method by that name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name in (getattr(node.func, "id", ""), getattr(node.func, "attr", "")):
            yield node


def reported(code: str) -> set[str]:
    """The faults, as source:fault, that a module makes Reports of; also by way of a parameter of its own function."""
    tree = ast.parse(code)
    found: set[str] = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = [arg.arg for arg in function.args.args if arg.arg != "self"]
        for report in called(function, "Report"):
            origin, fault = constants(report.args[0]), report.args[2]
            kinds = constants(fault)
            if isinstance(fault, ast.Name) and fault.id in names:
                for call in called(tree, function.name):
                    kinds |= constants(call.args[names.index(fault.id)])
            found |= {f"{source}:{kind}" for source in origin for kind in kinds}  # none: it repeats what it was told
    return found


OUTSIDE = sorted(set().union(*(reported(path.read_text()) for path in FIRMWARE.glob("*.py"))))
FAULTS = [*(f"rear:{fault}" for fault in Fault), *OUTSIDE]


def test_faults_are_found_in_the_firmware() -> None:
    assert {"belt:write_failed", "journal:disk_full", "journal:write_failed", "system:hot"} <= set(OUTSIDE)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_row(fault: str) -> None:
    assert [row for row in ROWS if row[0] == f"`{fault}`"]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_doctor_knows_what_to_do_about_every_fault(fault: str) -> None:
    assert HINTS[fault.partition(":")[2]]


def test_no_fault_stands_there_that_the_firmware_does_not_know() -> None:
    told = {row[0].strip("`") for row in ROWS if row[0].startswith("`")}
    assert told == set(FAULTS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_names_its_test_or_says_why_there_is_none(row: list[str]) -> None:
    assert re.search(r"\.py::test_", row[-1]) or row[-1].startswith("none: ")
    assert row[-2], "what is to be done"


@pytest.mark.parametrize("test", NAMED)
def test_a_test_that_is_named_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    assert f"\ndef {name}(" in (TESTS / path).read_text()
