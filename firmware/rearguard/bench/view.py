"""A walk to look at: live in a terminal, in plain lines everywhere else."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rearguard.bench.walk import SCENE, Moment, Summary, Walk
from rearguard.core.threat import Level
from rearguard.errors import InputError

WIDTH, DEPTH = 55, 17  # characters of the plan
ACROSS_M, BACK_M = 0.125, 0.25  # one character of it: a cell is about twice as high as wide
FRAME_S = 0.1  # of the live picture
LINE_S = 1.0  # of plain lines, between changes
HISTORY, HISTORY_M = 55, 4.0
BARS = {True: " ▁▂▃▄▅▆▇█", False: " .:-=+*%#"}
MARKS = {True: {"wall": "═", "person": "●", "way": "·", "on": "●", "off": "○"}}
MARKS[False] = {"wall": "=", "person": "O", "way": ".", "on": "#", "off": "-"}
COLOURS = {Level.CLEAR: "green", Level.NOTICE: "cyan", Level.WARN: "yellow", Level.STOP: "bold red"}


def walk(config_file: Path | None, seed: int, fast: bool) -> int:
    """Show one walk from beginning to end; the exit code is 1 when the walker touched something."""
    console = Console(highlight=False)
    summary = Summary()
    scene = Walk(config_file, seed)
    if console.is_terminal and not console.is_dumb_terminal:
        _live(scene, summary, console, fast)
    else:
        _plain(scene, summary, fast)
    print(summary.text())
    if not summary.way_m:
        raise InputError("the walk never began: the guard did not find its sensors in order")
    return 1 if summary.contact else 0


class _Pace:
    """Keeps a walk to real time, or not."""

    def __init__(self, fast: bool) -> None:
        self._fast = fast
        self._began_s = time.monotonic()

    def wait(self, t_s: float) -> None:
        """Until `t_s` of the walk."""
        ahead = t_s - (time.monotonic() - self._began_s)
        if not self._fast and ahead > 0:
            time.sleep(ahead)


def _plain(scene: Walk, summary: Summary, fast: bool) -> None:
    pace = _Pace(fast)
    print("    time  level        room   closing     way   belt, left to right")
    key: object = None
    next_s = 0.0
    dark = lit = (False,) * len(scene.config.bearings())
    for moment in scene.run():
        summary.add(moment)
        pace.wait(moment.t_s)
        lit = tuple(was or duty > 0 for was, duty in zip(lit, moment.duties, strict=True))
        alert = moment.tick.alert
        if (moment.word, alert.faults) != key or moment.t_s >= next_s:
            key, next_s = (moment.word, alert.faults), moment.t_s + LINE_S
            belt = "".join("#" if on else "-" for on in lit)
            closing = f"{alert.closing_mps:5.2f} m/s" if alert.closing_mps is not None else "    -    "
            numbers = f"{moment.room_m:5.2f} m {closing} {moment.y_m:5.2f} m"
            print("  ".join([f"{moment.t_s:6.1f} s  {moment.word:<9} {numbers}", belt, *alert.faults]), flush=True)
            lit = dark


def _live(scene: Walk, summary: Summary, console: Console, fast: bool) -> None:
    pace = _Pace(fast)
    fine = (console.encoding or "").lower().startswith("utf")
    history: list[float] = []
    dark = lit = (False,) * len(scene.config.bearings())
    next_s = 0.0
    with Live(console=console, refresh_per_second=1 / FRAME_S, transient=False, auto_refresh=False) as live:
        for moment in scene.run():
            summary.add(moment)
            lit = tuple(was or duty > 0 for was, duty in zip(lit, moment.duties, strict=True))
            if moment.t_s < next_s:
                continue
            next_s = moment.t_s + FRAME_S
            pace.wait(moment.t_s)
            history = [*history, moment.room_m][-HISTORY:]
            live.update(_picture(scene, moment, lit, history, fine), refresh=True)
            lit = dark


def _picture(scene: Walk, moment: Moment, lit: tuple[bool, ...], history: list[float], fine: bool) -> RenderableType:
    """One frame, 80 columns wide."""
    box = Table.grid(padding=0)
    box.add_row(
        Panel(_plan(moment, fine), title="from above", width=WIDTH + 4, padding=(0, 1)),
        Panel(_facts(scene, moment, lit, fine), width=80 - WIDTH - 4, height=DEPTH + 2, padding=(0, 1)),
    )
    graph = Panel(_graph(history, fine), title="room, last 5 s", width=80, padding=(0, 1))
    return Group(box, graph)


def _plan(moment: Moment, fine: bool) -> Text:
    """The walker at the top, what lies behind below: as on a map with the wearer looking up."""
    marks = MARKS[fine]
    rows = [[" "] * WIDTH for _ in range(DEPTH)]
    middle = WIDTH // 2

    def put(x_m: float, y_m: float, mark: str) -> None:
        column, row = middle + round(x_m / ACROSS_M), 1 + round((y_m - moment.y_m) / BACK_M)
        if 0 <= column < WIDTH and 0 <= row < DEPTH:
            rows[row][column] = mark

    free = SCENE.view(0.0, moment.y_m, moment.t_s)(0.0)
    for row in range(2, DEPTH, 2):
        if free is None or row * BACK_M < free:
            rows[row][middle] = marks["way"]
    for wall in SCENE.walls:
        steps = max(int(max(abs(wall.x1 - wall.x0) / ACROSS_M, abs(wall.y1 - wall.y0) / BACK_M)), 1)
        for i in range(steps + 1):
            put(wall.x0 + (wall.x1 - wall.x0) * i / steps, wall.y0 + (wall.y1 - wall.y0) * i / steps, marks["wall"])
    for person in SCENE.people:
        x, y = person.at(moment.t_s)
        for dx in (-ACROSS_M, 0.0, ACROSS_M):
            put(x + dx, y, marks["person"])
    for offset, mark in enumerate("/^\\", -1):
        rows[0][middle + offset] = mark
    return Text("\n".join("".join(row) for row in rows))


def _facts(scene: Walk, moment: Moment, lit: tuple[bool, ...], fine: bool) -> Text:
    """Level, numbers and motors in words; colour only repeats them."""
    marks, alert = MARKS[fine], moment.tick.alert
    text = Text()
    text.append(f"{moment.word}\n\n", COLOURS[alert.level])
    distance = f"{alert.distance_m:.2f} m" if alert.distance_m is not None else "-"
    closing = f"{alert.closing_mps:.2f} m/s" if alert.closing_mps is not None else "-"
    text.append(f"range  {distance:>8}\ncloses {closing:>8}\n\n")
    text.append("belt\n")
    for on in lit:
        text.append(f"{marks['on' if on else 'off']} ", "bold red" if on else "dim")
    text.append("\nleft to right\n\n")
    text.append(f"walked {moment.y_m:6.2f} m\npace   {moment.speed_mps:6.2f} m/s\ntime   {moment.t_s:6.1f} s\n\n")
    text.append("\n".join(alert.faults) or "no fault", "red" if alert.faults else "dim")
    return text


def _graph(history: list[float], fine: bool) -> Text:
    bars = BARS[fine]
    top = len(bars) - 1
    line = "".join(bars[min(int(top * min(room, HISTORY_M) / HISTORY_M) + (room > 0), top)] for room in history)
    return Text(f"{line:<{HISTORY}}  {history[-1]:5.2f} m")
