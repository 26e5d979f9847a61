"""The guard as `rearguard run` starts it, with lgpio loaded as on a Pi, and an ultrasonic sensor that answers."""

from __future__ import annotations

import sys

import lgpio  # noqa: F401  its weight is part of the guard's

from rearguard import service
from rearguard.cli import main

if __name__ == "__main__":
    if sys.argv.pop(1) == "echo":
        from echo import factory

        service.pin_factory = factory
    sys.exit(main(["run", *sys.argv[1:]]))
