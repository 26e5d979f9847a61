"""What is measured on the motor lines, on traces made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from rhythm import delays


def reading(t_s: float, now_s: float) -> dict[str, Any]:
    return {"t_s": t_s, "sensor": "rear", "status": "ok", "distance_m": 1.0, "now_s": now_s}


def level(t_s: float, name: str) -> dict[str, Any]:
    return {"t_s": t_s, "level": name}


def test_delay_is_from_the_echo_that_raised_the_level_to_the_motor() -> None:
    journal = [reading(0.99, 1.0000001), level(1.0, "notice"), reading(2.99, 3.0), level(3.0, "stop")]
    assert delays(journal, [0.5, 0.99, 2.99], [(1.01, 13, 1, ""), (3.02, 12, 1, "")]) == pytest.approx([0.02, 0.03])


def test_a_level_that_rises_between_two_readings_has_no_echo_to_be_measured_from() -> None:
    journal = [reading(0.99, 1.0), {"now_s": 1.011}, level(1.011, "warn")]
    assert delays(journal, [0.99], [(1.0111, 13, 1, "")]) == []


def test_a_falling_level_a_motor_that_was_on_and_the_buzzer_are_no_delays() -> None:
    journal = [reading(0.99, 1.0), level(1.0, "stop"), reading(1.99, 2.0), level(2.0, "clear")]
    assert delays(journal, [0.99, 1.99], [(1.001, 25, 1, ""), (1.5, 13, 1, ""), (2.001, 13, 1, "")]) == []
