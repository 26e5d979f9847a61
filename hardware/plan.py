"""What every part of a schematic needs: the build, the sheet, the places on it, and the pins of the header."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from symbols import Point, Sheet
from wiring import HEADER_PART, Build, End, WiringError

T = TypeVar("T")

# Places, in units of 6 mm: the left and right side of blocks, and the uppermost rows.
PI, CHIP, EDGES, ULN = (1.0, 6.6), (13.2, 18.0), (19.6, 38.2), (24.4, 29.2)
LEAD = 0.75  # from a block to the end of its pin
TOP_Y, FIRST_Y = 32.4, 28.4


class DrawingError(WiringError):
    """The harness holds what the sheet cannot draw; says what, and where."""


class Plan:
    """One build and its sheet; remembers which pins have been drawn."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.sheet = Sheet(f"Rearguard {build.name}: schematic")
        self.drawn: set[End] = set()
        self._settings: dict[End, str] = {End(*at.split(".", 1)): key for key, at in build.about["wires"].items()}
        self.pi = self.only(build.of_kind(HEADER_PART), "Raspberry Pi")
        self.board = self.only((name for name in build.connectors if "fuse" in build.part(name)), "board with a fuse")
        self.chips = build.of_kind("pca9685")
        self.lowest = TOP_Y  # of what hangs at the header
        self.right = EDGES[0] + 1.0  # where the room below the board begins

    def only(self, found: Iterable[T], what: str) -> T:
        """The one thing there must be."""
        things = list(found)
        if len(things) != 1:
            raise DrawingError(
                f"{self.build.folder.name}/harness.yml: {len(things)} {what}, but the schematic draws one"
            )
        return things[0]

    def at_board(self, end: End, sensor_side: bool = True) -> End:
        """The board's clamp that a pin goes to: on the side of the sensors (S_...), or of the header."""
        ends = (at for at in self.build.net(end) if at.part == self.board and at.pin.startswith("S_") == sensor_side)
        return self.only(ends, f"wires from {end} to {self.board}")

    def name(self, part: str) -> str:
        """A small part in words."""
        return str(self.build.parts[part]["name"])

    def called(self, connector: str) -> str:
        """PWM: PCA9685."""
        return f"{connector}: {self.build.connectors[connector]['type']}"

    def setting(self, end: End) -> str:
        """The setting of the firmware that means this pin, or nothing."""
        return self._settings.get(end, "")

    def supply(self, connector: str) -> tuple[End, End]:
        """The pin that feeds a part, and its ground."""
        needs = self.build.part(connector)["supply"].items()
        feed = self.only((End(connector, pin) for pin, (_, most) in needs if most > 0), f"supplies of {connector}")
        return feed, self.only(
            (End(connector, pin) for pin, (_, most) in needs if most == 0), f"grounds of {connector}"
        )

    def from_header(self, end: End, y: float, to: Point, clamp: bool = False, says: str = "") -> None:
        """A row of the header's block, and the wire from there to `end`, at `to`: with `clamp`, one of the board."""
        at = self.only((at for at in self.build.net(end) if at.part == self.pi), f"wires from {end} to the header")
        self.sheet.text((PI[1] - 0.25, y), self.build.header[at.pin], "right", 12)
        self.stub((PI[1], y), 1, "", at.pin)
        self.sheet.line((PI[1] + LEAD, y), to)
        if says:
            self.sheet.note((PI[1] + 1.0, y + 0.36), says)
        if clamp:
            self.sheet.terminal(to, end.pin, 1)
        self.drawn |= {at, end}
        self.lowest = min(self.lowest, y)

    def stub(self, at: Point, side: int, name: str, number: str) -> None:
        """A pin of a block, to its right (1) or left (-1): its name inside, its number on the line."""
        x, y = at
        self.sheet.line(at, (x + LEAD * side, y))
        self.sheet.text((x - 0.22 * side, y), name, "right" if side > 0 else "left", 11)
        self.sheet.text((x + 0.36 * side, y + 0.3), number, "center", 10)
