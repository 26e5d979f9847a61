"""Wiring that cannot be read, or names what there is not: one line that says the file and the name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wiring import Build, WiringError


def test_a_part_that_is_not_in_the_list_is_refused_with_its_name(changed: Callable[..., Build]) -> None:
    with pytest.raises(WiringError, match=r"SENSOR is a 'hc-sr05', which hardware/parts\.toml does not have"):
        changed("starter", ("pn: hc-sr04", "pn: hc-sr05"))


@pytest.mark.parametrize(
    ("swap", "said"),
    [
        (("SENSOR: [", "SENSR: ["), r"harness\.yml: connections: no connector or cable has the name SENSR"),
        (("W3: [", "W33: ["), r"harness\.yml: connections: no connector or cable has the name W33"),
        (("connections:", "connexions:"), r"harness\.yml: there is no 'connections'"),
        (("connections:", "connections: ["), r"harness\.yml: while parsing"),
    ],
)
def test_a_harness_that_cannot_be_read_says_where(
    changed: Callable[..., Build], swap: tuple[str, str], said: str
) -> None:
    with pytest.raises(WiringError, match=said):
        changed("starter", swap)


def test_wires_and_pins_that_are_not_as_many_are_refused(changed: Callable[..., Build]) -> None:
    with pytest.raises(WiringError, match=r"connections: BOARD, W3 and SENSOR are not as many wires"):
        changed("starter", ("W3: [1-4]", "W3: [1-3]"))
