"""Motors to rest from outside, for when the guard was killed and could not do it: `ExecStopPost=rearguard-rest`.

The guard notes in $RUNTIME_DIRECTORY/motors which lines it drives: the path of the chip, then pin numbers, on one line.
"""

from __future__ import annotations

import os
import sys

from rearguard.errors import given_folder, tell
from rearguard.gpiochip import rest

TYPE_CHECKING = False  # as in gpiochip.py
if TYPE_CHECKING:
    from collections.abc import Collection

NAME = "motors"


def note(chip: str | None, pins: Collection[int]) -> None:
    """Write down what there is to be put to rest. Nothing on mock pins (no chip), nor outside systemd.

    A note that cannot be written is told and stops nothing: the pull-downs at the motors are still there.
    """
    path = _path()
    if not (path and chip and pins):
        return
    try:
        with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123  pathlib takes longer than all the rest
            print(chip, *sorted(pins), file=file)
        os.replace(f"{path}.new", path)  # noqa: PTH105
    except OSError as error:
        tell(f"{path}: {error.strerror}; if the guard is killed, only the pull-downs stop the motors")


def main() -> int:
    """Put to rest what was noted. It fails at nothing: what went wrong is told, and the exit code is 0."""
    path = _path()
    try:
        with open(path or os.devnull, encoding="utf-8") as file:  # noqa: PTH123
            chip, *pins = file.read().split() or [""]
        for trouble in rest(chip, map(int, pins)) if chip else ():
            tell(f"motors not put to rest: {trouble}")
    except FileNotFoundError:
        pass  # the guard never came as far as that
    except (OSError, ValueError) as error:
        tell(f"motors not put to rest: {path}: {error}")
    return 0


def _path() -> str | None:
    """Of the note; None outside systemd."""
    folder = given_folder("RUNTIME_DIRECTORY")
    return f"{folder}/{NAME}" if folder else None


if __name__ == "__main__":
    sys.exit(main())
