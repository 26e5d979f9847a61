"""Motors to rest from outside, for when the guard was killed and could not do it: `ExecStopPost=rearguard-rest`.

The guard notes in $RUNTIME_DIRECTORY/motors what it drives: on one line the path of the chip, then the number of each
pin, with "=1" where the motors rest while it is high; and a line "i2c BUS ADDRESS REGISTER VALUE" for each register of
a motor board that is to be written, for a board keeps its last duty.
"""

from __future__ import annotations

import os
import sys
from errno import ETIMEDOUT

from rearguard.errors import given_folder, tell
from rearguard.gpiochip import rest

TYPE_CHECKING = False  # as in gpiochip.py
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NAME = "motors"
BOARD = "i2c"  # first word of a register's line


def note(chip: str | None, levels: Mapping[int, int], registers: Sequence[tuple[int, int, int, int]] = ()) -> None:
    """Write down what there is to be put to rest: each pin with its level then, each register of a board.

    `registers` are of bus, address, register and value. No pins on mock pins (no chip), and nothing outside systemd.
    A note that cannot be written is told and stops nothing: there are resistors at the motors.
    """
    path = _path()
    lines = []
    if chip and levels:
        lines.append(" ".join([chip, *(f"{pin}=1" if level else str(pin) for pin, level in sorted(levels.items()))]))
    lines += [f"{BOARD} {bus} {address:#x} {register:#x} {value:#x}" for bus, address, register, value in registers]
    if not (path and lines):
        return
    try:
        with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123  pathlib takes longer than all the rest
            print(*lines, sep="\n", file=file)
        os.replace(f"{path}.new", path)  # noqa: PTH105
    except OSError as error:
        tell(f"{path}: {error.strerror}; if the guard is killed, only the pull-downs stop the motors")


def main() -> int:
    """Put to rest what was noted. It fails at nothing: what went wrong is told, and the exit code is 0."""
    path = _path()
    try:
        with open(path or os.devnull, encoding="utf-8") as file:  # noqa: PTH123
            noted = [words for line in file if (words := line.split())]
        for chip, *pins in noted:
            if chip != BOARD:
                levels = [(int(pin), int(level or 0)) for pin, _, level in (word.partition("=") for word in pins)]
                for trouble in rest(chip, levels):
                    tell(f"motors not put to rest: {trouble}")
        for trouble in _write([[int(word, 0) for word in line[1:]] for line in noted if line[0] == BOARD]):
            tell(f"motors not put to rest: {trouble}")
    except FileNotFoundError:
        pass  # the guard never came as far as that
    except (OSError, ValueError) as error:
        tell(f"motors not put to rest: {path}: {error}")
    return 0


def _write(registers: list[list[int]]) -> Iterator[str]:
    """Write to each board, and say what went wrong. A bus that is held low keeps those after it from it."""
    if not registers:
        return
    from smbus2 import SMBus

    for number, address, register, value in registers:
        try:
            with SMBus(number) as bus:
                bus.write_byte_data(address, register, value)
        except OSError as error:
            yield f"{address:#x} on /dev/i2c-{number}: {error.strerror}"
            if error.errno == ETIMEDOUT:  # 50 ms each (belt/_i2c.py), and the guard is away meanwhile
                return


def _path() -> str | None:
    """Of the note; None outside systemd."""
    folder = given_folder("RUNTIME_DIRECTORY")
    return f"{folder}/{NAME}" if folder else None


if __name__ == "__main__":
    sys.exit(main())
