"""The wiring as data: what a harness.yml connects, and what on it comes out at each pin of the header.

A build is a folder with `harness.yml` (WireViz: connectors, cables, connections) and `build.toml` (the configuration it
is for, and which wire each of its settings means). What a part does inside stands in `parts.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).parent
BUILDS = ("starter", "outdoor", "full-view")
HEADER_PART = "pi-zero-2w"
RAILS_V = {"5V": 5.0, "3V3": 3.3, "GND": 0.0}
TOLERANCE = 0.05  # of a resistor


class WiringError(ValueError):
    """The data cannot be read, or names what it does not have; the message says the file and the name."""


class End(NamedTuple):
    """A pin of a part: the name it has in the harness, and the label (of the Pi: the number) of its pin."""

    part: str
    pin: str

    def __str__(self) -> str:
        return f"{self.part}.{self.pin}"


class Wire(NamedTuple):
    """One wire of a cable."""

    cable: str
    number: int
    color: str
    ends: tuple[End, End]


class Cable(NamedTuple):
    """Wires that run together; the part says their cross-section."""

    part: str
    gauge: str
    what: str
    length_m: float
    wires: int
    colors: tuple[str, ...]


class Build:
    """One belt: its parts, by the names they have in the harness, and its wires."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        """Reads `folder`, by default the one of that name here. Raises WiringError."""
        self.name = name
        self.folder = folder or HERE / name
        self.about: dict[str, Any] = _read(self.folder / "build.toml", tomllib.loads)
        self.parts: dict[str, dict[str, Any]] = _read(HERE / "parts.toml", tomllib.loads)
        self.header: dict[str, str] = _read(HERE / "header.toml", tomllib.loads)
        self._file = self.folder / "harness.yml"
        drawn: dict[str, Any] = _read(self._file, yaml.safe_load)
        try:
            self.connectors: dict[str, dict[str, Any]] = drawn["connectors"]
            self.cables = {
                key: Cable(it["pn"], it["gauge"], it["type"], float(it["length"]), it["wirecount"], tuple(it["colors"]))
                for key, it in drawn["cables"].items()
            }
            self._know()
            self.wires = [wire for row in drawn["connections"] for wire in self._wires(row)]
        except KeyError as error:
            raise WiringError(f"{self._file}: there is no {error}") from None
        self._nets = self._joined()

    def _know(self) -> None:
        """Raises WiringError for a part that parts.toml does not have."""
        for name, pn in [
            *((n, c["pn"]) for n, c in self.connectors.items()),
            *((n, c.part) for n, c in self.cables.items()),
        ]:
            if pn not in self.parts:
                raise WiringError(f"{self._file}: {name} is a {pn!r}, which hardware/parts.toml does not have")

    def part(self, connector: str) -> dict[str, Any]:
        """What parts.toml says of a connector's part."""
        found: dict[str, Any] = self.parts[self.connectors[connector]["pn"]]
        return found

    def of_kind(self, pn: str) -> list[str]:
        """The names in the harness of all parts of one kind."""
        return [name for name, drawn in self.connectors.items() if drawn["pn"] == pn]

    def ends(self) -> Iterator[End]:
        """Every pin that is drawn."""
        for name, drawn in self.connectors.items():
            pins = drawn["pins"] if drawn["pn"] == HEADER_PART else drawn["pinlabels"]
            yield from (End(name, str(pin)) for pin in pins)

    def net(self, end: End) -> frozenset[End]:
        """All pins that are one piece of copper with this one."""
        return self._nets.get(end, frozenset((end,)))

    def rails(self, end: End) -> set[float]:
        """The voltages that feed this pin: one, or the wiring is wrong."""
        return {volts for other in self.net(end) if (volts := self._feed(other)) is not None}

    def leads_to(self, end: End) -> set[End]:
        """The pins of the header, and channels of a motor board, that this pin's signal comes from or goes to.

        It passes transistors and dividers, but no rail.
        """
        found: set[End] = set()
        seen: set[End] = set()
        todo = [end]
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen |= self.net(at)
            for other in self.net(at):
                if self.is_gpio(other) or other.pin.startswith("LED"):
                    found.add(other)
                if other != end:
                    todo += [End(other.part, pin) for pin in self._through(other)]
            todo += [End(end.part, pin) for pin in self._through(end)]
        return found

    def is_gpio(self, end: End) -> bool:
        """Whether this is a pin of the header that is no rail."""
        return self.connectors[end.part]["pn"] == HEADER_PART and self.header[end.pin].startswith("GPIO")

    def hears(self, end: End) -> bool:
        """Whether this pin takes in a signal: one of the header's, or what an adapter listens on."""
        return self.is_gpio(end) or end.pin in self.part(end.part).get("listens", [])

    def gpio(self, end: End) -> int:
        """The BCM number of a pin of the header."""
        return int(self.header[end.pin].split()[1])

    def says(self, end: End) -> str:
        """A pin in words."""
        return f"{self.header[end.pin]} (header pin {end.pin})" if self.is_gpio(end) else str(end)

    def _through(self, end: End) -> list[str]:
        """The pins of the same part that this one's signal passes to, either way."""
        part = self.part(end.part)
        pairs = [*part.get("drives", {}).items(), *((a, to["to"]) for a, to in part.get("divides", {}).items())]
        return [b for a, b in pairs if a == end.pin] + [a for a, b in pairs if b == end.pin]

    def _feed(self, end: End) -> float | None:
        if self.connectors[end.part]["pn"] == HEADER_PART:
            return RAILS_V.get(self.header[end.pin])
        feeds: dict[str, float] = self.part(end.part).get("feeds", {})
        return feeds.get(end.pin)

    def _joined(self) -> dict[End, frozenset[End]]:
        """Each pin with its net: wires, and what the boards join."""
        nets: dict[End, set[End]] = {end: {end} for end in self.ends()}
        pairs = [wire.ends for wire in self.wires]
        for name in self.connectors:
            for group in self.part(name).get("joins", []):
                pairs += [(End(name, group[0]), End(name, pin)) for pin in group[1:]]
        for a, b in pairs:
            whole = nets.setdefault(a, {a}) | nets.setdefault(b, {b})
            for end in whole:
                nets[end] = whole
        return {end: frozenset(net) for end, net in nets.items()}

    def _wires(self, row: list[dict[str, list[Any]]]) -> Iterator[Wire]:
        """The wires of one line of `connections`: part, cable, part. One without a colour has "": checks.py says so."""
        (a, a_pins), (cable, numbers), (b, b_pins) = (next(iter(item.items())) for item in row)
        if unknown := [n for n in (a, b) if n not in self.connectors] + [n for n in (cable,) if n not in self.cables]:
            raise WiringError(f"{self._file}: connections: no connector or cable has the name {unknown[0]}")
        if not len(a_pins) == len(_numbers(numbers)) == len(b_pins):
            raise WiringError(f"{self._file}: connections: {a}, {cable} and {b} are not as many wires")
        for a_pin, number, b_pin in zip(a_pins, _numbers(numbers), b_pins, strict=True):
            color = dict(enumerate(self.cables[cable].colors, 1)).get(number, "")
            yield Wire(cable, number, color, (End(a, str(a_pin)), End(b, str(b_pin))))


def _read(path: Path, parse: Callable[[str], Any]) -> Any:
    """Raises WiringError, with the file, for what cannot be read."""
    try:
        return parse(path.read_text())
    except OSError as error:
        raise WiringError(f"{path}: {error.strerror}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise WiringError(f"{path}: {error}") from None


def _numbers(given: Iterable[Any]) -> list[int]:
    """[1, 2, 3] for ["1-3"]."""
    found: list[int] = []
    for item in given:
        first, _, last = str(item).partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
