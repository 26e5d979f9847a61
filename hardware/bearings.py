"""Where each motor sits and each sensor looks: the same in the configuration, in build.toml and in the harness."""

from __future__ import annotations

from collections.abc import Iterator

from rearguard.config import Config
from wiring import Build

SIDES = {"left": -1, "right": 1}


def disagreements(build: Build, config: Config, path: str, harness: str, table: str) -> Iterator[str]:
    """A bearing that is not the same everywhere. `table` is the build.toml."""
    here: dict[str, float] = build.about.get("bearings", {})
    there = {f"sensor.{name}": sensor.bearing_deg for name, sensor in config.sensors.items()}
    there |= {f"belt.motor.{name}": motor.bearing_deg for name, motor in config.belt.motors()}
    for key, deg in sorted(there.items()):
        if key not in here:
            yield f"{path}: {key}.bearing_deg = {deg:g}, but {table} has no {key} (bearings)"
        elif here[key] != deg:
            yield f"{path}: {key}.bearing_deg = {deg:g}, but {table} has {key} at {here[key]:g} (bearings)"
    for key in sorted(here.keys() - there.keys()):
        yield f"{table} has {key} (bearings), which {path} does not have"
    for key, deg in here.items():
        for name in sorted(
            {at.split(".")[0] for wire, at in build.about["wires"].items() if wire.startswith(f"{key}.")}
        ):
            called = build.connectors[name].get("subtype", "")
            side = sum(SIDES.get(word, 0) for word in called.split())
            if side != (0 if deg % 180 == 0 else 1 if deg > 0 else -1):
                yield f"{harness}: {name} is called {called!r} (subtype), but {table} has {key} at {deg:g} (bearings)"
