"""One picture of a walk in a terminal, 80 columns wide: a plan as the wearer would draw it, facts, and a graph."""

from __future__ import annotations

from math import cos, hypot, isfinite, radians, sin

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rearguard.bench.looking.seen import Seen
from rearguard.bench.walking.moment import Moment
from rearguard.bench.walking.outcome import WIDTH
from rearguard.bench.walking.walk import Walk
from rearguard.bench.world.things import Wall
from rearguard.bench.world.way import BELT_M
from rearguard.core.reading import OK
from rearguard.core.threat import Level

ACROSS, DEPTH = 55, 15  # characters of the plan
ACROSS_M, BACK_M = 0.125, 0.25  # one character of it: a cell is about twice as high as wide
REACH_M = 8.0  # more than any corner of the plan is away
HEIGHT = DEPTH + 2 + 4 + 1
HISTORY, HISTORY_S, HISTORY_M = 55, 0.1, 4.0
BARS = {True: " ▁▂▃▄▅▆▇█", False: " .:-=+*%#"}
FINE = {"across": "═", "along": "║", "down": "\\", "up": "/", "person": "●", "post": "◆", "seen": "•", "beam": "x"}
FINE |= {"way": "·", "stop": "┄", "on": "●", "off": "○", "low": "_"}
PLAIN = {"across": "=", "along": "|", "down": "\\", "up": "/", "person": "O", "post": "o", "seen": "*", "beam": "x"}
PLAIN |= {"way": ".", "stop": "-", "on": "#", "off": "-", "low": "_"}
COLOURS = {Level.CLEAR: "green", Level.NOTICE: "cyan", Level.WARN: "yellow", Level.STOP: "bold red"}
STYLES = {"seen": "cyan", "beam": "bold cyan", "stop": "red", "way": "dim", "low": "dim", "person": "magenta"}


class Picture:
    """What is shown of a walk."""

    def __init__(self, walk: Walk, fine: bool, hints: bool = False) -> None:
        """`fine`: with Unicode. `hints`: there are keys to press."""
        self._walk, self._fine, self._hints = walk, fine, hints
        self._marks = FINE if fine else PLAIN
        self._seen = Seen()
        self._history: list[tuple[float, float | None]] = []
        self._next_s = 0.0
        self._lit = (False,) * len(walk.config.bearings())  # since the last picture
        self._told = True
        self._moment: Moment | None = None

    def add(self, moment: Moment) -> None:
        """Take one more moment."""
        self._moment = moment
        self._seen.add(moment)
        lit = tuple(duty > 0.0 for duty in moment.duties)
        self._lit = lit if self._told else tuple(a or b for a, b in zip(self._lit, lit, strict=True))
        self._told = False
        if moment.t_s >= self._next_s:
            self._next_s = moment.t_s + HISTORY_S
            self._history = [*self._history, (moment.room_m, moment.needed_m)][-HISTORY:]

    def drawn(self, paused: bool = False) -> RenderableType:
        """The walk as it stands, with what the motors did since the last time."""
        assert self._moment is not None
        moment, self._told = self._moment, True
        box = Table.grid(padding=0)
        m = self._marks
        legend = f"{m['across']} wall  {m['person']} person  {m['seen']}{m['beam']} measured  {m['stop']} room to stop"
        title = self._text(self._walk.scenario.title)[: ACROSS - 4]
        box.add_row(
            Panel(self._plan(moment), title=title, subtitle=legend, width=ACROSS + 4, padding=(0, 1)),
            Panel(self._facts(moment, self._lit), width=WIDTH - ACROSS - 4, height=DEPTH + 2, padding=(0, 1)),
        )
        graph = Panel(self._graph(), title="the last 5 s", width=WIDTH, padding=(0, 1))
        return Group(box, graph, *([self._keys(paused)] if self._hints else []))

    def _text(self, text: str) -> str:
        return text if self._fine else text.encode("ascii", "replace").decode()

    def _keys(self, paused: bool) -> Text:
        text = Text(" ")
        text.append("paused: space goes on" if paused else "space pauses", "bold" if paused else "dim")
        return text.append("   r begins again   q ends", "dim")

    def _plan(self, moment: Moment) -> Text:
        """The wearer at the top, looking up; what lies behind is below, what is to the right is to the right."""
        cells: dict[tuple[int, int], str] = {}
        turn, middle, t = radians(moment.heading_deg), ACROSS // 2, float(moment.way.t_s[0])

        def place(x_m: float, y_m: float) -> tuple[float, float]:
            dx, dy = x_m - moment.x_m, y_m - moment.y_m
            return dx * cos(turn) - dy * sin(turn), dx * sin(turn) + dy * cos(turn)

        def put(aside_m: float, along_m: float, mark: str) -> None:
            cells[1 + round(along_m / BACK_M), middle + round(aside_m / ACROSS_M)] = mark

        for thing in self._walk.things:
            if isinstance(thing, Wall):
                if t >= thing.from_s:
                    for aside, along, mark in _face(thing, place(thing.x0, thing.y0), place(thing.x1, thing.y1)):
                        put(aside, along, mark)
            elif t >= thing.appears_s:
                x, y = thing.at(t)
                aside, along = place(float(x), float(y))
                for i in range(-int(thing.radius_m / ACROSS_M), int(thing.radius_m / ACROSS_M) + 1):
                    put(aside + i * ACROSS_M, along, "person" if thing.person else "post")
        for x, y in self._seen.points():
            put(*place(x, y), "seen")
        for said in self._seen.readings():
            part = self._walk.config.sensors[said["sensor"]]
            if said["status"] == OK and not part.senses().sweeps:
                angle = radians(said["bearing_deg"] if said["bearing_deg"] is not None else part.bearing_deg)
                put(said["distance_m"] * sin(angle), said["distance_m"] * cos(angle), "beam")
        self._guides(moment, cells, middle)
        for offset, mark in enumerate("/^\\", -1):
            cells[0, middle + offset] = mark
        text = Text()
        for row in range(DEPTH):
            for column in range(ACROSS):
                what = cells.get((row, column), " ")
                text.append(self._marks.get(what, what), STYLES.get(what, ""))
            text.append("\n" if row < DEPTH - 1 else "")
        return text

    def _guides(self, moment: Moment, cells: dict[tuple[int, int], str], middle: int) -> None:
        """The way up to the first thing on it, and where STOP is due."""
        needed = moment.needed_m
        if needed is not None:
            for column in range(-3, 4):
                cells.setdefault((1 + round(needed / BACK_M), middle + column), "stop")
        for row in range(2, DEPTH):
            if cells.get((row, middle), "stop") != "stop":
                break
            if row % 2 == 0:
                cells.setdefault((row, middle), "way")

    def _facts(self, moment: Moment, lit: tuple[bool, ...]) -> Text:
        """Level, numbers and motors in words; colour only repeats them."""
        alert, marks = moment.alert, self._marks
        text = Text(no_wrap=True)
        text.append(f"{moment.word}\n", COLOURS[alert.level])
        text.append("\n".join([*alert.faults, "", ""][:2]) + "\n", "red")
        distance = f"{alert.distance_m:.2f} m" if alert.distance_m is not None else "-"
        closes = f"{alert.closing_mps:.2f} m/s" if alert.closing_mps is not None else "-"
        text.append(f"range  {distance:>10}\ncloses {closes:>10}\n\n")
        for on in lit:
            text.append(f"{marks['on' if on else 'off']} ", "bold red" if on else "dim")
        text.append("\nleft to right\n\n", "dim")
        for said in self._seen.readings()[:3]:
            number = (
                f"{said['distance_m']:.2f} m" if said["distance_m"] is not None else said["status"].replace("_", " ")
            )
            text.append(f"{said['sensor'][:7]:<7}{number:>10}\n")
        text.append(f"\npace   {moment.speed_mps:6.2f} m/s\ntime   {moment.t_s:8.1f} s")
        return text

    def _graph(self) -> Text:
        """How much room there is, and how much it takes to stop."""
        bars = BARS[self._fine]
        top = len(bars) - 1

        def bar(value: float | None) -> str:
            return " " if value is None else bars[min(int(top * min(value, HISTORY_M) / HISTORY_M) + (value > 0), top)]

        def number(value: float | None) -> str:
            return f"{value:6.2f} m" if value is not None and isfinite(value) else "     -"

        rows: list[tuple[str, list[float | None]]] = [
            ("room", [room for room, _ in self._history]),
            ("to stop", [needed for _, needed in self._history]),
        ]
        lines = [f"{name:<8}{''.join(map(bar, values)):<{HISTORY}} {number(values[-1])}" for name, values in rows]
        return Text("\n".join(lines))


def _face(wall: Wall, start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float, str]]:
    """Points of a wall near the wearer, who stands at (0, 0), and the mark for its direction."""
    (a0, b0), (a1, b1) = start, end
    length = hypot(a1 - a0, b1 - b0)
    if not length:
        return []
    middle = -(a0 * (a1 - a0) + b0 * (b1 - b0)) / length  # along it, where it is nearest
    first, last = max(middle - REACH_M, 0.0), min(middle + REACH_M, length)
    across, down = (a1 - a0) / ACROSS_M, (b1 - b0) / BACK_M
    slant = "down" if across * down > 0 else "up"
    mark = "across" if abs(across) > 2 * abs(down) else "along" if abs(down) > 2 * abs(across) else slant
    mark = mark if wall.top_m >= BELT_M else "low"
    steps = int(max(last - first, 0.0) / ACROSS_M)
    parts = [(first + (last - first) * i / max(steps, 1)) / length for i in range(steps + 1 if last > first else 0)]
    return [(a0 + part * (a1 - a0), b0 + part * (b1 - b0), mark) for part in parts]
