"""Motors to rest from outside, for when the guard was killed and could not do it: `ExecStopPost=rearguard-rest`.

The guard notes in $RUNTIME_DIRECTORY/motors which lines it drives: on one line the path of the chip, then the number of
each pin, with "=1" where the motors rest while it is high.
"""

from __future__ import annotations

import os
import sys

from rearguard.errors import given_folder, tell
from rearguard.gpiochip import rest

TYPE_CHECKING = False  # as in gpiochip.py
if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "motors"


def note(chip: str | None, levels: Mapping[int, int]) -> None:
    """Write down what there is to be put to rest: each pin with its level then. Nothing on mock pins (no chip).

    Nor outside systemd. A note that cannot be written is told and stops nothing: there are resistors at the motors.
    """
    path = _path()
    if not (path and chip and levels):
        return
    try:
        with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123  pathlib takes longer than all the rest
            print(chip, *(f"{pin}=1" if level else pin for pin, level in sorted(levels.items())), file=file)
        os.replace(f"{path}.new", path)  # noqa: PTH105
    except OSError as error:
        tell(f"{path}: {error.strerror}; if the guard is killed, only the pull-downs stop the motors")


def main() -> int:
    """Put to rest what was noted. It fails at nothing: what went wrong is told, and the exit code is 0."""
    path = _path()
    try:
        with open(path or os.devnull, encoding="utf-8") as file:  # noqa: PTH123
            chip, *pins = file.read().split() or [""]
        levels = [(int(pin), int(level or 0)) for pin, _, level in (word.partition("=") for word in pins)]
        for trouble in rest(chip, levels) if chip else ():
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
