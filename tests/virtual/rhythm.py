"""What the motor lines did, as a hand would feel it: pulses, and the meanings of docs/design.md's table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

BUZZER = 25
PWM_S = 0.012  # pauses shorter than two periods of the slowest PWM in use are strength, not rhythm
LEVELS = ["clear", "notice", "warn", "stop"]
PULSE_S = 0.03  # a motor that does not start within that was on already, for the level before
SLACK_S = 0.02  # how far a pulse may be off its table; the loop wakes within 1 ms, who watches a board looks each 12


class Pulse(NamedTuple):
    """One or more motors on together, in seconds of CLOCK_MONOTONIC."""

    on_s: float
    off_s: float
    motors: tuple[int, ...]


def pulses(events: Iterable[Sequence[Any]], buzzer: bool = False) -> list[Pulse]:
    """The pulses of the motors (or of the buzzer) in a trace of (t_s, line, level, program)."""
    runs: dict[int, list[list[float]]] = {}
    for t_s, line, level, _ in events:
        if (line == BUZZER) is not buzzer:
            continue
        mine = runs.setdefault(line, [])
        if level and mine and t_s - mine[-1][1] < PWM_S:
            mine[-1][1] = float("inf")
        elif level:
            mine.append([t_s, float("inf")])
        elif mine:
            mine[-1][1] = t_s
    single = sorted((on, off, line) for line, mine in runs.items() for on, off in mine)
    found: list[Pulse] = []
    for on, off, line in single:
        if found and on - found[-1].on_s < SLACK_S:
            found[-1] = Pulse(found[-1].on_s, max(found[-1].off_s, off), (*found[-1].motors, line))
        else:
            found.append(Pulse(on, off, (line,)))
    return found


def meaning(pulse: Pulse) -> str:
    """Which row of the table a pulse belongs to, by length and place; "" for none, as one that was cut short.

    On several motors is everywhere: the nearest may have been on for WARN already when STOP begins.
    """
    length, everywhere = pulse.off_s - pulse.on_s, len(pulse.motors) > 1
    for name, on_s, all_motors in (
        ("NOTICE", 0.10, False),
        ("WARN", 0.12, False),
        ("STOP", 0.15, True),
        ("READY", 0.15, False),
        ("FAULT", 0.50, True),
        ("TAP", 0.06, True),
        ("SELF-TEST", 0.06, False),
    ):
        if everywhere is all_motors and abs(length - on_s) < SLACK_S / 2:
            return name
    return ""


def first(found: Iterable[Pulse], name: str) -> Pulse | None:
    """The first pulse of that meaning."""
    return next((pulse for pulse in found if meaning(pulse) == name), None)


def quantile(values: Iterable[float], share: float) -> float:
    """The value below which that share of them lies, by nearest rank."""
    ranked = sorted(values)
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)]


def delays(
    journal: Iterable[dict[str, Any]], answered: Iterable[float], events: Iterable[Sequence[Any]]
) -> list[float]:
    """From the end of each echo (or frame) that raised the level to the motor's edge, in seconds.

    A level that rises between two readings, for it is judged at each wake-up, has no echo to be measured from.
    """
    ends, found, last = list(answered), [], "clear"
    on = [t_s for t_s, line, level, _ in events if level and line != BUZZER]
    heard_s = None  # the last step that took a reading; an alert's line tells its step to the microsecond
    for line in journal:
        if "status" in line:
            heard_s = round(line["now_s"], 6)
        if "level" not in line:
            continue
        if LEVELS.index(line["level"]) > LEVELS.index(last) and line["t_s"] == heard_s:
            end = max((t_s for t_s in ends if t_s <= line["t_s"]), default=None)
            edge = min((t_s for t_s in on if t_s >= line["t_s"]), default=None)
            if end is not None and edge is not None and edge < line["t_s"] + PULSE_S:
                found.append(edge - end)
        last = line["level"]
    return found
