"""All memory of the machine is eaten: in a file of its own, for what is left of the machine is slow."""

from __future__ import annotations

from machine import Machine


def test_a_program_that_eats_all_memory_is_killed_in_place_of_the_guard(belt: Machine) -> None:
    seen = belt.ask("hog")
    assert seen["hog"] == -9
    assert seen["after"] == seen["before"]
    assert seen["ActiveState"] == "active"
