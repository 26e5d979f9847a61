"""What is said twice is said alike: the fuse of a board, the cross-section of a cable."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import checks
from wiring import BUILDS, Build, WiringError


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"fuse-900": 1}, "1 fuse-900"),
        ({}, "none"),
        ({"fuse-500": 2}, "2 fuse-500"),
        ({"fuse-500": 1, "fuse-750": 1}, "1 fuse-500 and 1 fuse-750"),
    ],
)
def test_a_board_whose_fuse_is_not_the_one_that_is_bought_is_told(needs: dict[str, int], said: str) -> None:
    build = Build("starter")
    board = build.parts["starter-board"]
    del board["needs"]["fuse-500"]
    board["needs"] |= needs
    assert checks.disagreements(build) == [
        f"hardware/starter/harness.yml: BOARD has the fuse fuse-500, but needs {said} (hardware/parts.toml: fuse and "
        "needs of starter-board)"
    ]


@pytest.mark.parametrize("name", BUILDS)
def test_a_gauge_that_is_not_the_wires_is_told(name: str, changed: Callable[..., Build]) -> None:
    build = changed(
        name, ("W1: {type: supply, pn: wire-0.25, gauge: 0.25 mm2", "W1: {type: supply, pn: wire-0.25, gauge: 0.14 mm2")
    )
    assert checks.disagreements(build) == [
        f"{build.folder}/harness.yml: W1 has the gauge 0.14 mm2, but hardware/parts.toml gives a wire-0.25 0.25 mm2"
    ]


def test_a_cable_without_a_gauge_is_refused(changed: Callable[..., Build]) -> None:
    with pytest.raises(WiringError, match=r"harness\.yml: there is no 'gauge'"):
        changed("starter", ("gauge: 0.25 mm2, ", ""))


def test_a_part_that_is_no_wire_is_no_cable(changed: Callable[..., Build]) -> None:
    build = changed("starter", ("pn: wire-0.25, gauge", "pn: usb-cable, gauge"))
    assert checks.disagreements(build) == [
        f"{build.folder}/harness.yml: W1 has the gauge 0.25 mm2, but hardware/parts.toml gives a usb-cable none"
    ]
