"""What can go wrong, in words for the person who has to mend it; and a word from systemd that all parts need."""

from __future__ import annotations

import os
import sys


class RearguardError(Exception):
    """Something a user can mend. The message says what, and the next step."""


class ConfigError(RearguardError, ValueError):
    """The configuration cannot be used: file, key, the value given, and what is allowed."""


class InputError(RearguardError, ValueError):
    """A file given to a command is missing, unreadable, or not what the command reads."""


def bench_misses(what: str, error: ImportError) -> InputError:
    """A part of the bench lacks a package: on a belt, install.sh lays only what a belt needs."""
    package = (error.name or "").partition(".")[0]
    return InputError(
        f"the {what} needs the {package} package, which a belt does without; on a laptop: pipx install rearguard"
    )


class DeviceOpenError(RearguardError, OSError):
    """A sensor, motor board or pin could not be opened."""


class DeviceLostError(RearguardError, OSError):
    """A device that was open no longer answers; it may be opened again."""

    partly = False  # of a motor board: the other motors have been driven
    again_s = float("inf")  # likewise: when they want to be written again, for their kicks end; inf: no need


def tell(text: str) -> None:
    """A line for the log. That nobody reads it, or that its disk is full, must not stop the guard."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass


def given_folder(variable: str) -> str:
    """The folder that systemd gives the service, the first in $RUNTIME_DIRECTORY or the like; "" outside systemd."""
    return os.environ.get(variable, "").split(":")[0]
