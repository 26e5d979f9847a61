"""Sensor fits: belts to try a scenario with. One configuration file each in `fits/`; any configuration will do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from rearguard import config
from rearguard.core.threat import max_speed
from rearguard.errors import InputError

FOLDER = Path(__file__).with_name("fits")
USUAL = "both"  # of a walk to look at


def names() -> list[str]:
    """Every fit that ships."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> config.Config:
    """A fit that ships, by name, or a configuration of the user's own, by path. Raises InputError, ConfigError."""
    if name.endswith(".toml"):
        return config.load(Path(name))
    if name not in names():
        raise InputError(f"there is no fit {name!r}; there are: {', '.join(names())}; or give a configuration file")
    return config.load(FOLDER / f"{name}.toml")


def fastest_mps(fitted: config.Config) -> float:
    """The fastest walk that all its sensors allow."""
    return min(max_speed(spec.proved_range_m, fitted.profile, spec.round_s) for spec in fitted.specs())
