"""A sheet of A4, and the symbols on it. One unit is 6 mm of paper; x goes right, y up, from the lower left corner."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any, Literal

import schemdraw
import schemdraw.elements as elm
from schemdraw.backends.svg import config
from schemdraw.segments import Segment, SegmentText

Point = tuple[float, float]
Align = Literal["left", "center", "right"]
WIDTH, HEIGHT = 49.5, 35.0
PX = 24  # of the SVG, a unit: the sheet is 1188 px wide
INK, NOTE, BOARD = "#1a1a1a", "#5f6368", "#f2f6fa"
SMALL, NORMAL, LARGE = 11.0, 12.0, 19.0
SVG = "http://www.w3.org/2000/svg"


def ohm(value: float) -> str:
    """10 kΩ for 10000."""
    return f"{value / 1000:g} kΩ" if value >= 1000 else f"{value:g} Ω"


class Sheet:
    """Collects what is drawn; `svg` ends it. Parts get their numbers (R1, R2) in the order in which they are drawn."""

    def __init__(self, title: str) -> None:
        schemdraw.use("svg")
        config.text = "text"
        self._drawing = schemdraw.Drawing(show=False)
        self._drawing.config(
            inches_per_unit=PX / 72, lw=1.3, fontsize=NORMAL, font="Arial, Helvetica, sans-serif", color=INK, margin=0
        )
        self._title = title
        self._counts: dict[str, int] = {}

    def svg(self) -> bytes:
        """The drawing. The same calls give the same bytes."""
        figure = ET.fromstring(self._drawing.get_imagedata("svg"))
        figure.set("viewBox", f"0 {-HEIGHT * PX:g} {WIDTH * PX:g} {HEIGHT * PX:g}")
        figure.set("width", "297mm")
        figure.set("height", "210mm")
        figure.set("role", "img")
        title = ET.Element(f"{{{SVG}}}title")
        title.text = self._title
        paper = ET.Element(f"{{{SVG}}}rect", x="0", y=f"{-HEIGHT * PX:g}", width="100%", height="100%", fill="#ffffff")
        figure.insert(0, paper)
        figure.insert(0, title)
        ET.indent(figure, " ")
        svg: bytes = ET.tostring(figure, encoding="utf-8")
        return svg + b"\n"

    def next(self, letter: str) -> str:
        """R1, then R2."""
        self._counts[letter] = self._counts.get(letter, 0) + 1
        return f"{letter}{self._counts[letter]}"

    def line(self, *points: Point, color: str = INK, width: float = 1.3) -> None:
        """Straight from point to point."""
        for a, b in pairwise(points):
            self._drawing.add(elm.Line().endpoints(a, b).style(color=color, lw=width))

    def text(self, at: Point, text: str, align: Align = "left", size: float = SMALL, color: str = INK) -> None:
        """One line; `at` is its middle in height."""
        element = elm.Element()
        segment = SegmentText((0, 0), text, align=(align, "center"), fontsize=size, color=color, zorder=6)
        element.segments.append(segment)
        self._drawing.add(element.at(at).theta(0))

    def note(self, at: Point, *lines: str, align: Align = "left") -> None:
        """Grey lines, downward."""
        for number, line in enumerate(lines):
            self.text((at[0], at[1] - 0.62 * number), line, align, color=NOTE)

    def box(self, left: float, top: float, right: float, bottom: float, dashed: bool = False) -> None:
        """A part, or with `dashed` a board that carries parts."""
        corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
        if dashed:
            outline = Segment(corners, fill=BOARD, color=NOTE, ls="--", lw=1.0, zorder=-1)
        else:
            outline = Segment(corners, fill="#ffffff", lw=1.6, zorder=0)
        element = elm.Element()
        element.segments.append(outline)
        self._drawing.add(element.at((0, 0)).theta(0))

    def dot(self, at: Point) -> None:
        """Wires that meet."""
        self._drawing.add(elm.Dot(radius=0.1).at(at).zorder(4))

    def terminal(self, at: Point, name: str, inward: int) -> None:
        """A clamp at a board's edge; its name stands inside: `inward` is 1 to the right, -1 to the left."""
        self._drawing.add(elm.Dot(radius=0.13, open=True).at(at).zorder(5))
        self.text((at[0] + 0.25 * inward, at[1] + 0.32), name, "left" if inward > 0 else "right")

    def unused(self, at: Point) -> None:
        """A cross: left open on purpose."""
        (x, y), r = at, 0.13
        self.line((x - r, y - r), (x + r, y + r))
        self.line((x - r, y + r), (x + r, y - r))

    def ground(self, at: Point) -> None:
        """Three bars, hanging from `at`."""
        x, y = at
        for half, down in ((0.34, 0.0), (0.21, 0.13), (0.08, 0.26)):
            self.line((x - half, y - down), (x + half, y - down))

    def rail(self, at: Point, name: str) -> None:
        """A bar with the name of a supply, standing 0.45 above `at`."""
        x, y = at
        self.line((x, y), (x, y + 0.45))
        self.line((x - 0.34, y + 0.45), (x + 0.34, y + 0.45), width=2)
        self.text((x, y + 0.8), name, "center")

    def flag(self, at: Point, name: str, align: Align = "right") -> None:
        """The name of a supply at the end of a line."""
        self._drawing.add(elm.Dot(radius=0.09, open=True).at(at).zorder(5))
        self.text((at[0] + (-0.25 if align == "right" else 0.25), at[1]), name, align)

    def resistor(self, a: Point, b: Point, value: str) -> None:
        """Its number and value stand above it, or to the right of one that stands upright."""
        self._between(elm.ResistorIEC, a, b)
        self._named("R", a, b, value)

    def inner_resistor(self, a: Point, b: Point, value: str) -> None:
        """One inside a chip, from left to right: no part, no number."""
        self._between(elm.ResistorIEC, a, b)
        self.text(((a[0] + b[0]) / 2, a[1] + 0.55), value, "center")

    def fuse(self, a: Point, b: Point, value: str) -> None:
        """A PTC: a box with a slanting line."""
        self._between(elm.Thermistor, a, b)
        self._named("F", a, b, value, above=0.75)

    def capacitor(self, a: Point, b: Point, value: str) -> None:
        """An electrolytic one; `a` is plus."""
        self._drawing.add(elm.Capacitor2(polar=True).endpoints(a, b))
        self._named("C", a, b, value)

    def diode(self, a: Point, b: Point, value: str) -> None:
        """From anode to cathode; without a value it is part of something and gets no number."""
        self._between(elm.Diode, a, b, scale=0.75)
        if value:
            self._named("D", a, b, value)

    def motor(self, top: Point, bottom: Point) -> None:
        """A circle with M between plus (top) and minus."""
        (x, y0), y1 = top, bottom[1]
        self._load(x, y0, y1)
        self._drawing.add(elm.Dot(radius=0.38, open=True).at((x, (y0 + y1) / 2)).zorder(5))
        self.text((x, (y0 + y1) / 2), "M", "center", NORMAL)

    def buzzer(self, top: Point, bottom: Point) -> None:
        """A half disc between plus (top) and minus."""
        (x, y0), y1 = top, bottom[1]
        self._load(x, y0, y1)
        middle, r = (y0 + y1) / 2, 0.4
        arc = [math.radians(90 - 15 * step) for step in range(13)]
        self.line((x, y0), (x, y1))
        self.line(*((x + 1.3 * r * math.cos(at), middle + r * math.sin(at)) for at in arc))

    def button(self, a: Point, b: Point) -> None:
        """One that closes while it is pressed, from left to right."""
        self._between(elm.Button, a, b)

    def inverter(self, left: float, y: float, right: float) -> None:
        """A channel that pulls its output down while its input is high."""
        self.line((left, y + 0.36), (left, y - 0.36), (right - 0.2, y), (left, y + 0.36))
        self._drawing.add(elm.Dot(radius=0.1, open=True).at((right - 0.1, y)).zorder(5))

    def npn(self, base: Point, size: float = 0.6) -> tuple[Point, Point]:
        """A bare transistor; its collector (up) and emitter (down)."""
        x, y = base
        self.line((x, y + size * 0.7), (x, y - size * 0.7), width=2)
        self.line((x, y + size * 0.3), (x + size, y + size))
        self.line((x, y - size * 0.3), (x + size, y - size))
        self._arrow((x + size, y - size), -35)
        return (x + size, y + size), (x + size, y - size)

    def mosfet(self, gate: Point, value: str) -> tuple[Point, Point]:
        """An N-channel one, its gate at the left; its drain (up) and source (down)."""
        x, y = gate
        self.line((x, y), (x + 0.35, y))
        self.line((x + 0.35, y + 0.5), (x + 0.35, y - 0.5))
        for middle in (0.5, 0.0, -0.5):
            self.line((x + 0.55, y + middle + 0.17), (x + 0.55, y + middle - 0.17), width=2)
        drain, source = (x + 1.15, y + 0.9), (x + 1.15, y - 0.9)
        self.line((x + 0.55, y + 0.5), (x + 1.15, y + 0.5), drain)
        self.line((x + 0.55, y - 0.5), (x + 1.15, y - 0.5), source)
        self.line((x + 0.6, y), (x + 1.15, y), (x + 1.15, y - 0.5))
        self._arrow((x + 0.57, y), 180)
        self.dot((x + 1.15, y - 0.5))
        self.text((x + 1.5, y + 0.3), self.next("Q"))
        self.text((x + 1.5, y - 0.3), value)
        return drain, source

    def _between(self, kind: Any, a: Point, b: Point, scale: float = 1.0) -> None:
        """A part of schemdraw's with two ends."""
        self._drawing.add(kind().scale(scale).endpoints(a, b))

    def _arrow(self, at: Point, degrees: float) -> None:
        """A head without a line, its tip at `at`."""
        head: Any = elm.Arrowhead
        self._drawing.add(head(headwidth=0.22, headlength=0.3).at(at).theta(degrees))

    def _load(self, x: float, y0: float, y1: float) -> None:
        self.line((x, y0), (x, y1))
        self.text((x + 0.2, y0 + 0.12), "+", "left")

    def _named(self, letter: str, a: Point, b: Point, value: str, above: float = 0.55) -> None:
        x, y = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
        number = self.next(letter)
        if a[1] == b[1]:
            self.text((x, y + above), f"{number}  {value}", "center")
        else:
            self.text((x + 0.45, y + 0.28), number)
            self.text((x + 0.45, y - 0.3), value)
