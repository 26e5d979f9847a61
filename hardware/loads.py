"""What a belt draws, part by part and wire by wire: pure functions of a `Build` and of the firmware's own rhythms.

Currents are at the 5 V rail, in mA. What hangs on 3.3 V counts there in full (the Pi's converter takes less: this is an
upper bound). Figures of parts stand in parts.toml, with their source; those here say where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from checks import config_path
from rearguard.belt._drive import Drive, DriveConfig
from rearguard.config import load
from rearguard.core.pattern import ALL, FAULT, LEVELS, Rhythm
from rearguard.core.threat import NOTICE, STOP, WARN
from wiring import HEADER_PART, Build, End, WiringError

WALK = {NOTICE: 0.10, WARN: 0.05, STOP: 0.02}  # share of a walk's time; the rest is clear (assumed: a busy corridor)
RISES = 3.0  # time constants in a motor's rise: to 95 % of its speed
WARM = 0.8  # of its hold current at 23 C is what a PTC carries at 40 C (assumed; makers' charts give about this)
RESPONSE_S = 1e-4  # in which a bank's converter answers a step (assumed; they switch at 0.5 to 1 MHz)
BANKS_MAH = (5000, 10000, 20000)
WORN = 0.6  # of a new, warm bank is left in an old one (0.8) at freezing (0.75), both assumed


class Need(NamedTuple):
    """What a state of the belt draws: on average, and at its highest moment."""

    mean_ma: float
    peak_ma: float


class Wire(NamedTuple):
    """What one wire carries with everything at work, and with every rotor stalled and every part starting."""

    on_ma: float
    most_ma: float
    feeds: frozenset[str]


class Spin(NamedTuple):
    """A motor's speed, 0 to 1 of full speed, after some time, and the charge it has taken until then."""

    speed: float
    charge_mas: float


def motors(build: Build) -> list[str]:
    """The motors of a harness, in its order."""
    return [name for name in build.connectors if "rise_s" in build.part(name)]


def felt(build: Build) -> list[str]:
    """What draws only while something is felt or heard: motors and buzzer."""
    return [name for name in build.connectors if build.part(name).get("idle_ma") == 0]


def drawn_ma(build: Build, names: list[str], figure: str = "on_ma") -> float:
    """The sum of one figure of some parts; a part without a start of its own starts as it works."""
    return float(sum(part.get(figure, part.get("on_ma", 0)) for part in map(build.part, names)))


def rest_ma(build: Build) -> float:
    """Guarding, nothing near: the Pi and its sensors at work."""
    return drawn_ma(build, [name for name in build.connectors if name not in felt(build)])


def spin(motor: dict[str, Any], duty: float, span_s: float, speed: float = 0.0) -> Spin:
    """A motor after `span_s` at a duty.

    While its transistor is on it draws from `start_ma` (rotor at rest) down to `on_ma` (full speed), in proportion. The
    drag grows with speed, so that it settles where duty * drawn = on_ma * speed (assumed; a coin motor is mostly air
    and brush friction), and it comes near to that as exp(-t * 3 / rise_s).
    """
    on, start, tau = motor["on_ma"], motor["start_ma"], motor["rise_s"] / RISES
    goal = start * duty / (on + (start - on) * duty)
    left = math.exp(-span_s / tau)
    turned = goal * span_s + (speed - goal) * tau * (1.0 - left)
    return Spin(goal + (speed - goal) * left, duty * (start * span_s - (start - on) * turned))


def drive(build: Build, strength: float | None = None) -> DriveConfig:
    """How the configuration of a build drives its motors. `strength` in place of its own. Raises WiringError."""
    found = _drive(config_path(build))
    return found if strength is None else msgspec.structs.replace(found, strength=strength)


@cache
def _drive(path: Path) -> DriveConfig:
    belt = load(path).belt
    if not isinstance(belt, DriveConfig):
        raise WiringError(f"{path}: belt.driver = {belt.driver!r}: hardware/loads.py knows no drive of that name")
    return belt


def pulse_mas(motor: dict[str, Any], on_s: float, drive: DriveConfig) -> float:
    """The charge of one pulse from rest, with the firmware's kick at its start."""
    kick_s = min(drive.kick_s, on_s)
    kicked = spin(motor, 1.0, kick_s)
    return kicked.charge_mas + spin(motor, drive.duty(1.0), on_s - kick_s, kicked.speed).charge_mas


def rhythm_ma(build: Build, rhythm: Rhythm, strength: float | None = None) -> float:
    """What the motors draw on average while a rhythm is felt; one motor, where it is that of the nearest."""
    felt_by = motors(build) if rhythm.where is ALL else motors(build)[:1]
    how = drive(build, strength)
    charges = [pulse_mas(build.part(name), on, how) for name in felt_by for on, _ in rhythm.pulses]
    return sum(charges) / (rhythm.period_s or math.inf)


def starts_s(count: int, config: DriveConfig) -> list[float]:
    """When the firmware starts each of `count` motors that are all asked for at 0 s: its own drive is asked."""
    drive, now_s, starts = Drive(config, count), 0.0, [math.inf] * count
    while math.isfinite(now_s):
        duties, again_s = drive.duties([1.0] * count, now_s)
        starts = [min(start, now_s) if duty else start for start, duty in zip(starts, duties, strict=True)]
        now_s = again_s
    return starts


def inrush_ma(build: Build, t_s: float, staggered: bool = True) -> float:
    """What all motors draw, `t_s` after a STOP begins on a belt at rest, at full strength."""
    names = motors(build)
    starts = starts_s(len(names), drive(build)) if staggered else [0.0] * len(names)
    total = 0.0
    for name, start_s in zip(names, starts, strict=True):
        motor = build.part(name)
        if t_s >= start_s:
            speed = spin(motor, 1.0, t_s - start_s).speed
            total += motor["start_ma"] - (motor["start_ma"] - motor["on_ma"]) * speed
    return total


def inrush(build: Build, staggered: bool = True) -> tuple[float, float]:
    """The highest sum of that inrush, and its greatest step, in mA. Both are at a start: between starts it falls."""
    names = motors(build)
    at_s = sorted(set(starts_s(len(names), drive(build)))) if staggered else [0.0]
    sums = [inrush_ma(build, t_s, staggered) for t_s in at_s]
    before = [0.0] + [inrush_ma(build, t_s - 1e-9, staggered) for t_s in at_s[1:]]
    return max(sums), max(after - ahead for after, ahead in zip(sums, before, strict=True))


def budget(build: Build, strength: float | None = None) -> dict[str, Need]:
    """Mean and peak by state. A peak holds the Pi's four cores and radio at work, as at boot."""
    rest = rest_ma(build)
    pi = build.parts[HEADER_PART]
    burst = rest - pi["on_ma"] + pi["start_ma"]
    surge, _ = inrush(build)
    first = build.part(motors(build)[0])["start_ma"]
    buzz = build.parts["buzzer"]["on_ma"]
    sounding = sum(on for on, _ in FAULT.pulses) / (FAULT.period_s or math.inf)
    walk = sum(share * rhythm_ma(build, LEVELS[level], strength) for level, share in WALK.items())
    steady = [name for name in build.connectors if name not in felt(build)]
    return {
        "rest": Need(rest, burst),
        "walk": Need(rest + walk, burst + surge),
        "WARN": Need(rest + rhythm_ma(build, LEVELS[WARN], strength), burst + first),
        "STOP held": Need(rest + rhythm_ma(build, LEVELS[STOP], strength), burst + surge),
        "FAULT": Need(rest + rhythm_ma(build, FAULT, strength) + buzz * sounding, burst + surge + buzz),
        "boot": Need(burst, drawn_ma(build, steady, "start_ma")),
    }


def hours(bank_mah: float, mean_ma: float, cell_v: float, efficiency: float) -> float:
    """How long a bank lasts: its mAh are those of its cells, at `cell_v`; what is drawn is at 5 V."""
    return bank_mah * cell_v * efficiency / (5.0 * mean_ma)


def life_h(build: Build, bank_mah: float, state: str = "walk", strength: float | None = None) -> float:
    """Hours of a state on a new and warm bank."""
    bank = build.parts["power-bank-5000"]
    return hours(bank_mah, budget(build, strength)[state].mean_ma, bank["cell_v"], bank["efficiency"])


def rail_v(ma: float, source_v: float, ohm: float) -> float:
    """What is left at the header of a source's volts."""
    return source_v - ma / 1000.0 * ohm


def dip_v(build: Build, step_ma: float) -> float:
    """What a step takes from the board's capacitor until the bank answers; after that the capacitor is of no help."""
    return step_ma / 1000.0 * RESPONSE_S / float(build.parts["capacitor-470u"]["farad"])


def wires(build: Build) -> dict[tuple[str, int], Wire]:
    """What each wire carries of what the parts draw, to and fro, by cable and number; signals carry nothing of note."""
    found = {(wire.cable, wire.number): Wire(0.0, 0.0, frozenset()) for wire in build.wires}
    for name in build.connectors:
        part = build.part(name)
        if "on_ma" not in part:
            continue
        for pin in part.get("supply", {"+": None, "-": None}) if name not in build.of_kind(HEADER_PART) else ():
            for key in _way(build, End(name, pin)):
                on, most, feeds = found[key]
                start = part.get("start_ma", part["on_ma"])
                found[key] = Wire(on + part["on_ma"], most + start, feeds | {name})
    return found


def _way(build: Build, start: End) -> list[tuple[str, int]]:
    """The wires from a pin of a part that draws to one that feeds: the shortest way, through boards and transistors."""
    ways: dict[End, list[tuple[str, int]]] = {start: []}
    todo = [start]
    while todo:
        at = todo.pop(0)
        part = build.part(at.part)
        if build.connectors[at.part]["pn"] == HEADER_PART or at.pin in part.get("feeds", {}):
            return ways[at]
        steps = [(end, [(w.cable, w.number)]) for w in build.wires for end in w.ends if at in w.ends and end != at]
        for group in [*part.get("joins", []), *([out, "GND"] for out in part.get("drives", {}).values())]:
            steps += [(End(at.part, pin), []) for pin in group if at.pin in group and pin != at.pin]
        for end, by in steps:
            if end not in ways and not (at.pin == "GND" and end.pin in part.get("drives", {}).values()):
                ways[end] = ways[at] + by
                todo.append(end)
    return []


def boards(build: Build) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """Each board with a fuse, its part, and what draws through that fuse."""
    carried = wires(build)
    for name in build.connectors:
        part = build.part(name)
        if "fuse" in part:
            into = [w for w in build.wires if End(name, "5V") in w.ends]
            early = {End(name, pin) for pin in part.get("unfused", [])}
            direct = {end.part for w in build.wires if early & set(w.ends) for end in w.ends}
            yield name, part, sorted({load for w in into for load in carried[w.cable, w.number].feeds} - direct)


def unfused(build: Build) -> list[str]:
    """The parts that hang on the header's 5 V with no fuse before them."""
    behind = {load for _, _, loads in boards(build) for load in loads}
    fed = {name: build.part(name).get("supply", {}) for name in build.connectors if name not in behind}
    return [
        name
        for name, pins in fed.items()
        if name not in build.of_kind(HEADER_PART) and any(5.0 in build.rails(End(name, pin)) for pin in pins)
    ]
