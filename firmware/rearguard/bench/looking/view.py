"""A walk to look at: live in a terminal, in plain lines everywhere else."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from textwrap import fill
from urllib.parse import urlencode

import msgspec
from rich.console import Console
from rich.live import Live

from rearguard.bench.looking.keys import QUIT, Keys, NoKeys, keys
from rearguard.bench.looking.picture import HEIGHT, Picture
from rearguard.bench.walking.outcome import WIDTH, Outcome, limit_of
from rearguard.bench.walking.walk import Walk
from rearguard.bench.world import fit, scenario
from rearguard.config import Config, JournalConfig
from rearguard.core.threat import PROFILES
from rearguard.errors import InputError, bench_misses
from rearguard.journal import numbered

FRAME_S = 0.1  # of the live picture
LINE_S = 1.0  # of plain lines, between changes
PAUSE, AGAIN = " ", "r"
FOREVER_S = 3600.0  # of a pause, until the next look


def run(args: argparse.Namespace) -> int:
    """`rearguard bench`. The exit code is 1 when what the scenario states is broken, and that is no declared limit."""
    if args.list:
        print(listing())
        return 0
    if args.seed < 0:
        raise InputError(f"--seed {args.seed}: allowed: 0 or more")
    if args.web:
        return _serve(args)
    chosen, belt = scenario.load(args.scenario), fit.load(args.fit)
    profile = PROFILES[args.profile] if args.profile else belt.profile
    if args.record:
        belt = recorded(belt, args.record)
    console = Console(highlight=False)
    limit = limit_of(chosen, belt)
    say(f"{chosen.title}. {chosen.says}")
    if limit:
        say(f"Limit: {limit}")
    live = console.is_terminal and not console.is_dumb_terminal and console.width >= WIDTH and console.height >= HEIGHT
    key: str | None = AGAIN
    with keys() if live else nullcontext(NoKeys()) as pressed:
        while key == AGAIN:
            walk = Walk(chosen, belt, profile, args.seed, obeys=not args.ignore)
            outcome = Outcome(walk, limit)
            key = show(walk, outcome, pressed, args.fast, console if live else None)
    say(outcome.text(whole=key is None))
    if args.record:
        written = numbered(args.record) if args.record.is_dir() else []
        print(f"Journal: {written[-1][1] if written else 'nothing could be written'}")
    return outcome.code() if key is None else 0


def say(text: str) -> None:
    """Lines of at most 80 characters, in what standard output can take."""
    coding = getattr(sys.stdout, "encoding", None) or "ascii"
    lines = [fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in text.splitlines()]
    print("\n".join(lines).encode(coding, "replace").decode(coding), flush=True)


def listing() -> str:
    """All scenarios and fits."""
    rows = [(name, scenario.load(name).title) for name in scenario.names()]
    width = max(len(name) for name, _ in rows) + 2
    margin = " " * (width + 2)
    lines = [fill(title, WIDTH, initial_indent=f"  {name:<{width}}", subsequent_indent=margin) for name, title in rows]
    fits = fill(", ".join(fit.names()), WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(["Scenarios", *lines, "", "Fits", fits])


def recorded(belt: Config, folder: Path) -> Config:
    """The same belt with its journal in `folder`. Raises InputError when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".try").touch()
        (folder / ".try").unlink()
    except OSError as error:
        raise InputError(f"--record {folder}: cannot be written to: {error.strerror}; give another folder") from None
    return msgspec.structs.replace(belt, journal=JournalConfig(directory=str(folder)))


def _serve(args: argparse.Namespace) -> int:
    from rearguard.bench.looking.show import Walks

    try:
        from rearguard.bench.looking.web import serve
    except ImportError as error:
        raise bench_misses("page", error) from None
    walks = Walks(args.scenario, args.fit)
    first = {"scenario": Path(args.scenario).stem, "fit": Path(args.fit).stem, "profile": args.profile or "default"}
    asked = urlencode({**first, "seed": args.seed, "obeys": "false" if args.ignore else "true"})
    serve(walks, port=args.port, ready=lambda url: print(f"The bench, until Ctrl-C: {url}?{asked}", flush=True))
    return 0


class Pace:
    """Keeps a walk to real time, lets it stand still, and heeds keys."""

    def __init__(self, pressed: Keys, fast: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._keys, self._fast, self._now = pressed, fast, now
        self._began_s = now()

    def wait(self, t_s: float, paused: Callable[[bool], None]) -> str | None:
        """Until `t_s` of the walk. QUIT or AGAIN, when somebody wants that; `paused` is told of a pause and its end."""
        while True:
            ahead_s = 0.0 if self._fast else max(self._began_s + t_s - self._now(), 0.0)
            key = self._keys.get(ahead_s)
            if key == PAUSE:
                stood_s = self._now()
                paused(True)
                key = None
                while key not in (PAUSE, QUIT, AGAIN):
                    key = self._keys.get(FOREVER_S)
                self._began_s += self._now() - stood_s
                paused(False)
            if key in (QUIT, AGAIN):
                return key
            if key is None or ahead_s == 0.0:
                return None


def show(
    walk: Walk,
    outcome: Outcome,
    pressed: Keys,
    fast: bool,
    console: Console | None,
    now: Callable[[], float] = time.monotonic,
) -> str | None:
    """Show a walk, live on a console or else in plain lines. None at its end; QUIT or AGAIN when it was cut short."""
    pace = Pace(pressed, fast, now)
    return _plain(walk, outcome, pace) if console is None else _live(walk, outcome, pace, console, pressed.there)


def _plain(walk: Walk, outcome: Outcome, pace: Pace) -> str | None:
    print("    time  level        room   closing     way   belt, left to right")
    key: object = None
    next_s = 0.0
    dark = lit = (False,) * len(walk.config.bearings())
    with closing(walk.run()) as moments:
        for moment in moments:
            outcome.add(moment)
            wish = pace.wait(moment.t_s, lambda _: None)
            if wish:
                return wish
            lit = tuple(was or duty > 0 for was, duty in zip(lit, moment.duties, strict=True))
            alert = moment.alert
            if (moment.word, alert.faults) != key or moment.t_s >= next_s:
                key, next_s = (moment.word, alert.faults), moment.t_s + LINE_S
                belt = "".join("#" if on else "-" for on in lit)
                closes = f"{alert.closing_mps:5.2f} m/s" if alert.closing_mps is not None else "    -    "
                room = f"{moment.room_m:5.2f} m" if moment.room_m < 1000 else "    -  "
                line = f"{moment.t_s:6.1f} s  {moment.word:<9} {room} {closes} {outcome.way_m:5.2f} m"
                print("  ".join([line, belt, *alert.faults])[:WIDTH], flush=True)
                lit = dark
    return None


def _live(walk: Walk, outcome: Outcome, pace: Pace, console: Console, hints: bool) -> str | None:
    fine = (console.encoding or "").lower().startswith("utf")
    picture = Picture(walk, fine, hints)
    next_s = 0.0
    with Live(console=console, transient=False, auto_refresh=False) as live, closing(walk.run()) as moments:

        def paused(stands: bool) -> None:
            live.update(picture.drawn(stands), refresh=True)

        for moment in moments:
            outcome.add(moment)
            picture.add(moment)
            if moment.t_s < next_s:
                continue
            next_s = moment.t_s + FRAME_S
            live.update(picture.drawn(), refresh=True)
            wish = pace.wait(moment.t_s, paused)
            if wish:
                return wish
    return None
