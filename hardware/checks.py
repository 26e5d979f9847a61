"""Where wiring, parts and firmware disagree, in words that name both places. Nothing to say means that they agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import at_rest
import bearings
from rearguard.config import Config, load
from wiring import TOLERANCE, Build, End

ROOT = Path(__file__).parents[1]
SAFE_V = 3.6  # on a GPIO: its supply and 0.3 V (assumed; where Broadcom gives a limit it is 0.5 V)
HIGH_V = 2.0  # what a GPIO needs to read high (BCM2835 peripherals: 1.8 V measured, 2.0 V to be sure)
I2C = {"SDA": 2, "SCL": 3}
I2C_BUS = 1  # /dev/i2c-1 is on these two


def config_path(build: Build) -> Path:
    """The ready-made configuration of a build; the starter's is the firmware's own default."""
    name = build.about["config"]
    package = ROOT / "firmware/rearguard"
    return package / "default.toml" if name == "starter" else package / "builds" / f"{name}.toml"


def disagreements(build: Build, config: Path | None = None) -> list[str]:
    """All of them. `config` in place of the build's own."""
    path = config or config_path(build)
    parsed, short = load(path), _short(path)
    harness, table = (_short(build.folder / name) for name in ("harness.yml", "build.toml"))
    return [
        *(f"{harness}: {text}" for check in CHECKS for text in check(build)),
        *_fitted(build, parsed, short, harness),
        *_settings(build, parsed, short, harness),
        *at_rest.disagreements(build, parsed, short, harness, table),
        *bearings.disagreements(build, parsed, short, harness, table),
    ]


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _drawing(build: Build) -> Iterator[str]:
    """Labels that are not the header's, wires that end nowhere, pins without a wire."""
    wired = {end for wire in build.wires for end in wire.ends}
    known = set(build.ends())
    for end in sorted(wired - known):
        yield f"a wire ends at {end}, which that part does not have"
    for end in sorted(known - wired):
        yield f"{end} has no wire"
    for name in build.of_kind("pi-zero-2w"):
        drawn = build.connectors[name]
        for pin, label in zip(drawn["pins"], drawn["pinlabels"], strict=True):
            if build.header[str(pin)] != label:
                yield f"pin {pin} of {name} is labelled {label}; hardware/header.toml says {build.header[str(pin)]}"


def _cables(build: Build) -> Iterator[str]:
    """Wires of a cable that are drawn twice or not at all, or that have no colour; a gauge that is not its wire's."""
    for name, cable in build.cables.items():
        part = build.parts[cable.part]
        gauge = f"{part['mm2']:g} mm2" if "mm2" in part else "none"
        if cable.gauge != gauge:
            yield f"{name} has the gauge {cable.gauge}, but hardware/parts.toml gives a {cable.part} {gauge}"
        if len(cable.colors) != cable.wires:
            yield f"{name} has wirecount {cable.wires}, but {len(cable.colors)} colors"
        used = sorted(wire.number for wire in build.wires if wire.cable == name)
        if used != list(range(1, cable.wires + 1)):
            yield (
                f"{name} has wires 1 to {cable.wires} (wirecount), but its connections use "
                f"{', '.join(map(str, used)) or 'none'}: each must be used once"
            )


def _supplies(build: Build) -> Iterator[str]:
    """A part that gets other volts than it needs, and rails that meet."""
    for name in build.connectors:
        for pin, (least, most) in build.part(name).get("supply", {}).items():
            rails = build.rails(End(name, pin))
            if len(rails) != 1 or not least <= next(iter(rails)) <= most:
                got = " and ".join(f"{volts:g} V" for volts in sorted(rails)) or "nothing"
                yield f"{name}.{pin} gets {got}; hardware/parts.toml says {least:g} to {most:g} V"
    for net in {build.net(end) for end in build.ends()}:
        rails = build.rails(next(iter(net)))
        if len(rails) > 1:
            yield f"{' and '.join(f'{v:g} V' for v in sorted(rails))} meet at {', '.join(map(str, sorted(net)))}"


def _fuses(build: Build) -> Iterator[str]:
    """A board with another fuse than is bought for it."""
    for name in build.connectors:
        part = build.part(name)
        if "fuse" not in part:
            continue
        needs = {pn: count for pn, count in part["needs"].items() if "hold_ma" in build.parts[pn]}
        if needs != {part["fuse"]: 1}:
            bought = " and ".join(f"{count} {pn}" for pn, count in sorted(needs.items())) or "none"
            yield (
                f"{name} has the fuse {part['fuse']}, but needs {bought} "
                f"(hardware/parts.toml: fuse and needs of {build.connectors[name]['pn']})"
            )


def _straps(build: Build) -> Iterator[str]:
    """A pin that must be wired to another of its part, and is not."""
    for name in build.connectors:
        for pin, to in build.part(name).get("ties", {}).items():
            if End(name, to) not in build.net(End(name, pin)):
                yield f"{name}.{pin} must be wired to {name}.{to} (hardware/parts.toml: ties)"


def _shorted(build: Build) -> Iterator[str]:
    """A pin that speaks or listens, on a rail."""
    for end in build.ends():
        if build.hears(end) or end.pin in build.part(end.part).get("logic", {}):
            for volts in sorted(build.rails(end)):
                yield f"{build.says(end)} is a signal, but hangs on {volts:g} V"


def _pulls(build: Build) -> Iterator[str]:
    """A resistor, or a load, that pulls a pin of the header above what it takes."""
    for name in build.connectors:
        part = build.part(name)
        for pin, (to, ohm) in [*part.get("pulls", {}).items(), *part.get("holds", {}).items()]:
            volts = max(build.rails(End(name, to)), default=0.0)
            for end in sorted(build.net(End(name, pin))):
                if build.is_gpio(end) and volts > SAFE_V:
                    yield (
                        f"{name}.{pin} is pulled to {volts:g} V by {ohm:g} ohm, and so is {build.says(end)}, "
                        f"which takes {SAFE_V} V"
                    )


def _levels(build: Build) -> Iterator[str]:
    """A signal nobody hears, or too much or too little for who does, resistors at the ends of their tolerance."""
    for name in build.connectors:
        for pin, volts in build.part(name).get("logic", {}).items():
            reached = list(_reached(build, End(name, pin), volts))
            if not reached and not build.rails(End(name, pin)):
                yield f"{name}.{pin} reaches no GPIO and no RXD of an adapter: nobody hears it"
            for end, least, most in reached:
                if most > SAFE_V or least < HIGH_V:
                    yield (
                        f"{name}.{pin} puts {least:.2f} to {most:.2f} V on {build.says(end)}, which takes "
                        f"{HIGH_V} to {SAFE_V} V"
                    )


def _reached(build: Build, start: End, volts: float) -> Iterator[tuple[End, float, float]]:
    """The pins of header and adapters that a signal reaches, with the least and the most volts it has there."""
    for end in build.net(start):
        if build.hears(end):
            yield end, volts, volts
        divider = build.part(end.part).get("divides", {}).get(end.pin)
        if divider is None:
            continue
        top, bottom = divider["top_ohm"], divider["bottom_ohm"]
        least = volts * bottom * (1 - TOLERANCE) / (bottom * (1 - TOLERANCE) + top * (1 + TOLERANCE))
        most = volts * bottom * (1 + TOLERANCE) / (bottom * (1 + TOLERANCE) + top * (1 - TOLERANCE))
        for other in build.net(End(end.part, divider["to"])):
            if build.hears(other):
                yield other, least, most


CHECKS: tuple[Callable[[Build], Iterator[str]], ...] = (
    _drawing,
    _cables,
    _supplies,
    _fuses,
    _straps,
    _shorted,
    _pulls,
    _levels,
)


def _fitted(build: Build, config: Config, path: str, harness: str) -> Iterator[str]:
    """A sensor that only one of harness and configuration has."""
    drawn = sorted(
        _kind(part["driver"], part.get("model")) for part in map(build.part, build.connectors) if "driver" in part
    )
    set_up = sorted(_kind(part.driver, getattr(part, "model", None)) for part in config.sensors.values())
    if drawn != set_up:
        yield f"{path} has the sensors {', '.join(set_up)}, but {harness} has {', '.join(drawn)}"
    if build.of_kind("pca9685") and config.belt.driver != "pca9685":
        yield f'{path}: belt.driver = "{config.belt.driver}", but {harness} has a pca9685'


def _kind(driver: str, model: str | None) -> str:
    return f"{driver} ({model})" if model else driver


def _settings(build: Build, config: Config, path: str, harness: str) -> Iterator[str]:
    """A pin or a channel that the configuration and the harness do not give the same number."""
    wires: dict[str, str] = build.about["wires"]
    table = _short(build.folder / "build.toml")
    settings = {**dict(config.pins()), **{f"belt.{key}": at for key, at in config.belt.channels().items()}}
    used: set[End] = set()
    for key, number in settings.items():
        if key not in wires:
            yield f"{path}: {key} = {number}, but {table} names no wire for {key}"
            continue
        reached = build.leads_to(End(*wires[key].split(".", 1)))
        used |= reached
        if len(reached) != 1:
            leads = " and ".join(build.says(end) for end in sorted(reached)) or "nothing"
            yield f"{path}: {key} = {number}, but {harness} leads {wires[key]} to {leads}"
            continue
        end = next(iter(reached))
        there = build.gpio(end) if build.is_gpio(end) else int(end.pin.removeprefix("LED"))
        if there != number:
            yield f"{path}: {key} = {number}, but {harness} leads {wires[key]} to {build.says(end)}"
    for key in sorted(wires.keys() - settings.keys()):
        yield f"{table} names a wire for {key}, which {path} does not set"
    for name in build.of_kind("pca9685"):
        own = build.part(name)["address"]
        bus, address = getattr(config.belt, "bus", I2C_BUS), getattr(config.belt, "address", own)
        if bus != I2C_BUS:
            yield f"{path}: belt.bus = {bus}, but {harness} has {name} on bus {I2C_BUS} (GPIO 2 and 3)"
        if address != own:
            yield f"{path}: belt.address = {address:#x}, but hardware/parts.toml gives a pca9685 {own:#x}"
        for line, number in I2C.items():
            reached = build.leads_to(End(name, line))
            used |= reached
            if {build.gpio(end) for end in reached if build.is_gpio(end)} != {number}:
                yield f"{harness}: {name}.{line} must go to GPIO {number}: /dev/i2c-1 is there"
    for end in build.ends():
        if build.is_gpio(end) and end not in used:
            yield f"{harness}: {build.says(end)} is wired, but nothing in {path} uses it"
