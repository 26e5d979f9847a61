"""The configuration with which the belt last armed itself, for a start at which its own cannot be read.

A belt that knows no pins could only be silent, and silence must never mean that nothing guards. It is kept in
$REARGUARD_KEEP, or else in $STATE_DIRECTORY, so by a service alone: who starts the guard by hand sees the error.
"""

from __future__ import annotations

import os
from pathlib import Path

from rearguard import config
from rearguard.config import Config
from rearguard.errors import ConfigError, given_folder, tell

NAME = "last-good.toml"


def load(path: Path | None) -> tuple[Config, bool]:
    """The configuration, and whether it is the kept one because `path` is refused (which is told).

    Raises ConfigError when there is no kept one, or none that is good.
    """
    try:
        return config.load(path), False
    except ConfigError as error:
        kept = _kept()
        try:
            found = config.load(kept) if kept else None
        except ConfigError:
            found = None
        if found is None:
            raise
        tell(f"rearguard: {error}. Until that is mended, the belt guards as it last did, by {kept}")
        return found, True


def keep(armed: Config) -> None:
    """Keep what the belt has armed itself with, whole or not at all. What cannot be done is told and stops nothing."""
    kept = _kept()
    if kept is None or not armed.text:
        return
    aside = kept.with_suffix(".new")
    try:
        if kept.exists() and kept.read_bytes() == armed.text:
            return
        with aside.open("wb") as file:
            file.write(armed.text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(kept)
    except OSError as error:
        tell(f"{kept}: {error.strerror}; should the configuration be refused one day, there is nothing to guard by")


def _kept() -> Path | None:
    folder = given_folder("REARGUARD_KEEP") or given_folder("STATE_DIRECTORY")
    return Path(folder) / NAME if folder else None
