"""What the resistors alone do to motors and buzzer when the guard is dead and nobody drives its pins."""

from __future__ import annotations

from collections.abc import Iterator

from rearguard.config import Config
from wiring import RAILS_V, TOLERANCE, Build, End

HIGH, LOW = 0.7, 0.3  # of the supply: what OE reads as high (NXP PCA9685 rev. 4); at most this opens no transistor here
PI_OHM = 50_000  # a pin that nobody drives is pulled by the Pi itself (BCM2835 peripherals), here always the wrong way


def disagreements(build: Build, config: Config, path: str, harness: str, table: str) -> Iterator[str]:
    """A pin of belt or buzzer that is not held where the firmware says that motors rest. `table` is the build.toml."""
    wires: dict[str, str] = build.about["wires"]
    levels = config.belt.at_rest() | ({config.buzzer.pin: 0} if config.buzzer else {})
    for key, number in config.pins():
        for end in _pins(build, wires[key]) if key in wires and number in levels else ():
            volts, supply = left_v(build, end, bool(levels[number]))
            if levels[number]:
                level, asked, wrong = "high", f"{HIGH * supply:.2f} V or more", volts < HIGH * supply
            else:
                level, asked, wrong = "low", f"{LOW * supply:.2f} V or less", volts > LOW * supply
            if wrong:
                yield (
                    f"{path}: {key} = {number} rests {level}, but in {harness} resistors alone leave "
                    f"{build.says(end)} at {volts:.2f} V, which is no {asked} (hardware/parts.toml: pulls, holds)"
                )
    for name in build.of_kind("pca9685"):
        if wires.get("belt.enable_pin") != f"{name}.OE":
            yield f"{table} names no {name}.OE for belt.enable_pin: a dead guard leaves its motors on"


def _pins(build: Build, at: str) -> list[End]:
    return sorted(end for end in build.leads_to(End(*at.split(".", 1))) if build.is_gpio(end))


def left_v(build: Build, end: End, high: bool) -> tuple[float, float]:
    """The volts of a pin that only resistors pull, each at its worse tolerance, and those of its highest rail."""
    arms = [(0.0 if high else RAILS_V["3V3"], float(PI_OHM))]
    for other in build.net(end):
        part = build.part(other.part)
        for to, ohm in (part[key][other.pin] for key in ("pulls", "holds") if other.pin in part.get(key, {})):
            for volts in build.rails(End(other.part, to)):
                arms.append((volts, ohm * (1 + TOLERANCE if (volts > 0.0) is high else 1 - TOLERANCE)))
    return sum(volts / ohm for volts, ohm in arms) / sum(1 / ohm for _, ohm in arms), max(
        RAILS_V["3V3"], *(volts for volts, _ in arms)
    )
