"""What many walks came to: a table for the terminal, and one HTML file that needs nothing else.

A danger that was never felt counts as infinitely late and leaves no time, so that no guard looks quick by missing some.
Contacts count where the walker heeds STOP. Declared limits, which a fit physically cannot see, are in no total.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import inf, isfinite, isnan
from typing import NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from rearguard import __version__
from rearguard.bench.judging import plots
from rearguard.bench.judging.rates import Rate, number, per_hour, quantile, share
from rearguard.bench.walking.score import Walked

OURS = "rearguard"
WORST, ROWS = 12, 800  # walks listed as the worst; rows of the page's table: 0.8 MB
Limits = Mapping[tuple[str, str], str]  # (scenario, fit): why
Line = tuple[str, Sequence["Cell | str"]]  # of a table in the page: its class and its cells
KEYS = ("scenario", "fit", "profile", "guard")
BRIEF = "walks missed con-|tacts false|STOP/h false|other lost|50/95 TTC|5_% chat-|ter verdict"  # | ends a line
HEADS = {
    "walks": "walks simulated",
    "missed": "dangers whose STOP was not felt in time, of all; % with interval",
    "contacts": "walks that ended in a touch, of those whose walker heeds STOP; % with interval",
    "false STOP/h": "STOPs an hour that were felt with no reason",
    "false other/h": "NOTICEs and WARNs an hour that were felt with no reason",
    "lost cm 50 %": "room lost between STOP due and STOP felt: median; ∞: never felt",
    "lost cm 95 %": "the same: 19 of 20 lose no more",
    "TTC s 5 %": "time to contact left when STOP was felt: 19 of 20 leave more",
    "chatter": "STOPs felt again within 2 s of their end",
}
STYLE = """
:root{--bg:#faf9f6;--card:#fff;--ink:#1f252b;--soft:#5b6570;--line:#e3e0d9;--bad:#b3261e;--good:#1d7a53;--s0:#2a6fb0;
--s1:#c46f00;--s2:#1b8a6b;--s3:#8455b0;--s4:#b83c75;--s5:#6b7785}
@media screen and (prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1b1f24;--ink:#e7e5e0;--soft:#9ba5af;
--line:#2e343b;--bad:#ff8f86;--good:#6fd3a5;--s0:#6fb1ec;--s1:#f0a64a;--s2:#5cc9a7;--s3:#c39be6;--s4:#ee86b7;
--s5:#a3afbd}}*{box-sizing:border-box}body{margin:auto;max-width:1180px;padding:24px 16px;color:var(--ink);
background:var(--bg);font:15px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums}h1{font-size:26px;margin:0}h2{font-size:17px;margin:0 0 8px}p{margin:4px 0}
section,figure{margin:0 0 16px}small,figcaption,footer{color:var(--soft);font-size:.87em}
.bad,.BROKEN td:last-child{color:var(--bad);font-weight:600}.good{color:var(--good)}
code,.run td:last-child{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.87em}
code{overflow-wrap:anywhere}.tiles,.plots{display:grid;gap:16px;
grid-template-columns:repeat(auto-fit,minmax(max(150px,20%),1fr))}
.plots{grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr))}.tiles{margin-top:20px}
.tiles div,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;min-width:0}
.plots figure{margin:0}.plots figure:last-child:nth-child(odd){grid-column:1/-1}.plots figure>svg{max-width:640px;
margin:auto}.tiles b{display:block;font-size:25px;font-weight:600}.wide{overflow-x:auto}table{border-collapse:collapse;
width:100%;font-size:13.5px}td,th{padding:5px 14px 5px 0;text-align:left;vertical-align:top}
td{border-top:1px solid var(--line);white-space:nowrap}.run td:first-child{white-space:normal;min-width:130px}
td.n,th.n{text-align:right}td small{display:block}th{vertical-align:bottom;color:var(--soft);font-weight:500}
button{all:unset;cursor:pointer}button:focus-visible{outline:2px solid}[aria-sort]{text-decoration:underline}
.limit{opacity:.6}.key{display:inline-flex;align-items:center;gap:6px;margin-right:14px;font-size:13px}
.key svg{width:11px}@media print{body{padding:0;font-size:10pt}table{font-size:7pt}td,th{padding-right:6px}
.wide{overflow:visible}.run td:last-child{white-space:normal}.plots figure,.tiles div,tr{break-inside:avoid}
.plots{grid-template-columns:1fr 1fr}.tiles{grid-template-columns:repeat(4,1fr)}.tiles b{font-size:15pt}}
"""
SCRIPT = """
document.querySelectorAll("th button").forEach(button=>button.onclick=()=>{const th=button.parentNode,i=th.cellIndex,
up=th.ariaSort!="ascending",body=th.closest("table").tBodies[0],key=row=>row.cells[i].dataset.v??row.cells[i].textContent,
less=(a,b)=>isNaN(a-b)?a.localeCompare(b):a-b;for(const other of th.parentNode.cells)other.ariaSort=null;
th.ariaSort=up?"ascending":"descending";body.append(...[...body.rows].sort((a,b)=>(up?1:-1)*less(key(a),key(b))))})
"""


class Cell(NamedTuple):  # a figure, its interval in words, and what to sort it by
    text: str
    interval: str
    order: float


class Tally:
    """What some walks came to, together."""

    def __init__(self, walks: Sequence[Walked]) -> None:
        self.walks, self.broken = walks, [w for w in walks if w.broken]
        self.seconds = sum(w.seconds for w in walks)
        self.dangers, self.missed = sum(w.dangers for w in walks), sum(w.missed for w in walks)
        self.heeding, self.contacts = sum(w.obeys for w in walks), sum(w.contact and w.obeys for w in walks)
        self.false_stops, self.false_others = sum(w.false_stops for w in walks), sum(w.false_others for w in walks)
        self.alerts, self.chatter = sum(w.alerts for w in walks), sum(w.chatter for w in walks)
        stops = [stop for w in walks for stop in w.stops]
        never = max(self.dangers - len(stops), 0)
        self.lost_cm = [100 * (s.due_m - s.felt_m) for s in stops] + [inf] * never
        self.late_s = [s.late_s for s in stops] + [inf] * never
        self.ttc_s = [s.ttc_s for s in stops] + [0.0] * never

    def figures(self) -> list[Cell]:
        """One for each of HEADS."""
        missed, touched = share(self.missed, self.dangers).times(100), share(self.contacts, self.heeding).times(100)
        return [
            Cell(f"{len(self.walks):,}", "", len(self.walks)),
            Cell(f"{self.missed:,}/{self.dangers:,}", _cell(missed).interval, missed.value),
            Cell(f"{self.contacts:,}/{self.heeding:,}", _cell(touched).interval, touched.value),
            *(_cell(per_hour(count, self.seconds)) for count in (self.false_stops, self.false_others)),
            *(_cell(rate) for rate in (quantile(self.lost_cm, 0.5), quantile(self.lost_cm, 0.95))),
            _cell(Rate(*(max(end, 0.0) for end in quantile(self.ttc_s, 0.05)))),
            Cell(f"{self.chatter:,}", "", self.chatter),
        ]


class Row(NamedTuple):  # walks that share their KEYS; the verdict is "ok", "limit" or "BROKEN"
    key: tuple[str, str, str, str]
    tally: Tally
    verdict: str


def rows(walks: Sequence[Walked], limits: Limits) -> list[Row]:
    """One for each scenario, fit, profile and guard, in the order of their first walks."""
    found: dict[tuple[str, str, str, str], list[Walked]] = {}
    for w in walks:
        found.setdefault((w.scenario, w.fit, w.profile, w.guard), []).append(w)
    tallies = ((key, Tally(group)) for key, group in found.items())
    return [Row(k, t, "limit" if k[:2] in limits else "BROKEN" if t.broken else "ok") for k, t in tallies]


def table(walks: Sequence[Walked], limits: Limits) -> Table:
    """For a terminal of 100 columns. "<": upper end of the interval; lost: median and 95 %, in cm; TTC: in s."""
    lines = rows(walks, limits)
    shown = _varying(lines)
    drawn = Table(box=box.SIMPLE_HEAD, padding=0)
    drawn.add_column(KEYS[0], overflow="fold", no_wrap=all(len(row.key[0]) <= 22 for row in lines))
    drawn.add_column(", ".join(KEYS[i] for i in shown[1:]), overflow="fold")
    for head in BRIEF.split():
        drawn.add_column(Text(head.translate({124: "\n", 95: " "})), justify="right", no_wrap=True)

    def add(names: Sequence[str], tally: Tally, verdict: str) -> None:
        (_, low, high), texts = per_hour(tally.false_stops, tally.seconds), [cell.text for cell in tally.figures()]
        texts[2], texts[3] = f"{tally.contacts:,}", f"{texts[3]} <{_cell(Rate(high, low, high)).text}"
        words = [names[0], ", ".join(filter(None, names[1:])), *texts[:5], "/".join(texts[5:7]), *texts[7:]]
        colour = {"limit": "dim", "ok": "green"}.get(verdict, "bold red")
        cells = [*(Text(word.replace("∞", "inf")) for word in words), Text(verdict, colour)]
        drawn.add_row(*cells, style="dim" if verdict == "limit" else None)

    for row in lines:
        add([row.key[i] for i in shown], row.tally, row.verdict)
    drawn.add_section()
    for guard in dict.fromkeys(w.guard for w in walks):
        kept = [row for row in lines if row.key[3] == guard and row.verdict != "limit"]
        broken = any(row.verdict == "BROKEN" for row in kept)
        names = [{0: "total", 3: guard}.get(i, "") for i in shown]
        add(names, Tally([w for row in kept for w in row.tally.walks]), "BROKEN" if broken else "ok")
    return drawn


def replay(walk: Walked) -> str:
    """The command that walks it again."""
    names = f"--fit {shlex.quote(walk.fit)} --profile {shlex.quote(walk.profile)} --seed {walk.seed}"
    return f"rearguard bench {shlex.quote(walk.scenario)} {names}" + " --ignore" * (not walk.obeys)


def worst(walks: Sequence[Walked], limits: Limits) -> list[Walked]:
    """The worst walk of each row, the worst first: of every row that is broken, and WORST at least."""

    def order(w: Walked) -> tuple[float, ...]:  # contact, dangers missed, expectations broken, time left, room lost
        left, lost = min(Tally([w]).ttc_s, default=inf), max(Tally([w]).lost_cm, default=-inf)
        return (-(w.contact and w.obeys), -w.missed, -len(w.broken), left, -lost)

    found = sorted((min(row.tally.walks, key=order) for row in rows(_ours(walks, limits), limits)), key=order)
    return found[: max(WORST, sum(bool(w.broken) for w in found))]


def html(walks: Sequence[Walked], limits: Limits, command: str, title: str) -> str:
    """One page. `command` is what made it; the same walks give the same page."""
    lines, ours = rows(walks, limits), _ours(walks, limits)
    judged = rows(ours, limits)
    broken = [row for row in judged if row.verdict == "BROKEN"]
    word = f"{len(broken):,} of {len(judged):,} rows broken" if broken else "Every expectation was met." * bool(ours)
    why = [f"<p>{escape(', '.join(key))}: {escape(text)}</p>" for key, text in limits.items()]
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width"/><meta name="color-scheme" content="light dark"/><style>{STYLE}
{plots.STYLE}</style></head><h1>{escape(title)}</h1><p class="{"bad" if broken else "good"}">{word}</p>
<p><code>{escape(command)}</code></p><section class="tiles">{"".join(_tiles(Tally(ours), judged))}</section>
<section class="plots">{"".join(_plots(walks, ours, limits))}</section>{_worst(walks, limits)}{_every(lines)}
{_figure("Declared limits", "".join(why))}<footer>Rearguard {__version__}. Simulated walks; intervals of 95 %. A danger
never felt counts as infinitely late. Contacts count where STOP is heeded.</footer><script>{SCRIPT}</script></html>
"""


def _tiles(t: Tally, judged: Sequence[Row]) -> Iterator[str]:
    _, missed, touched, stop, other, half, most, left, _ = t.figures()
    met = sum(row.verdict == "ok" for row in judged)
    for name, value, note in (
        ("Dangers missed", f"{t.missed:,} of {t.dangers:,}", f"{missed.interval} %"),
        ("Contacts", f"{t.contacts:,} of {t.heeding:,}", f"walks that heed STOP; {touched.interval} %"),
        ("False STOPs / h", stop.text, f"{stop.interval}, in {t.seconds / 3600:,.3g} h walked"),
        ("False NOTICEs, WARNs / h", other.text, other.interval),
        ("Room lost before STOP", f"{half.text} cm", f"median; 95 %: {most.text} cm ({most.interval})"),
        ("Time to contact at STOP", f"{left.text} s", f"19 of 20 leave more; {left.interval}"),
        ("Chatter", f"{t.chatter:,}", "STOPs felt again within 2 s"),
        ("Expectations met", f"{met:,} of {len(judged):,}", "rows of scenario, fit and profile"),
    ):
        yield f"<div>{name}<b>{value}</b><small>{note}</small></div>"


def _plots(walks: Sequence[Walked], ours: Sequence[Walked], limits: Limits) -> Iterator[str]:
    fits = list(dict.fromkeys(w.fit for w in ours))
    room, speed = list[plots.Dot](), list[plots.Dot]()
    for walk, s in ((w, s) for w in ours for s in w.stops):
        at, i = f"{walk.scenario}, {walk.fit}, {walk.profile}, seed {walk.seed}", fits.index(walk.fit)
        room.append(plots.Dot(s.needed_m, s.felt_m, i, f"{at}: {s.felt_m:.2f} m, needed {s.needed_m:.2f} m"))
        title = f"{at}: {s.felt_closing_mps:.2f} m/s, truly {s.closing_mps:.2f} m/s"
        speed.append(plots.Dot(s.closing_mps, s.felt_closing_mps, i, title))
    for name, dots, x, y, beneath in (
        ("Was there room to stop?", room, "needed to stop, m", "room when STOP was felt, m", "less than needed"),
        ("Was the speed believed true?", speed, "true closing speed, m/s", "believed, m/s", "believed too slow"),
    ):
        shown, note = plots.thinned([d for d in dots if isfinite(d.x) and isfinite(d.y)])
        yield _figure(name, plots.scatter(shown, x, y, beneath) + plots.legend(fits), note)
    tallies = {name: Tally([w for w in ours if w.scenario == name]) for name in dict.fromkeys(w.scenario for w in ours)}
    bars = [(name, t.alerts, t.false_stops + t.false_others, t.seconds) for name, t in tallies.items()]
    note = "All levels, with 95 % intervals. Red: felt with no reason."
    yield _figure("How often does it speak?", plots.bars(bars, "alerts an hour"), note)
    guards: dict[str, dict[tuple[str, str, str, int], Walked]] = {w.guard: {} for w in walks}
    for w in (w for w in walks if (w.scenario, w.fit) not in limits):
        guards[w.guard][w.scenario, w.fit, w.profile, w.seed] = w
    if len(guards) > 1:
        same = set.intersection(*(set(found) for found in guards.values()))
        yield _front({guard: Tally([found[key] for key in sorted(same)]) for guard, found in guards.items()}, len(same))


def _front(tallies: Mapping[str, Tally], shared: int) -> str:
    marks, lines = list[plots.Mark](), list[Line]()
    for guard, t in tallies.items():
        stops, late, missed = per_hour(t.false_stops, t.seconds), quantile(t.late_s, 0.5), share(t.missed, t.dangers)
        lines.append(("", [guard, *map(_cell, (stops, late, missed.times(100)))]))
        title = f"{guard}: {stops.text()} false STOPs an hour, felt {late.text(' s')} late"
        if isfinite(late.value) and isfinite(stops.value):
            marks.append(plots.Mark(guard, stops, late, title, guard == OURS))
    note = (
        f"{shared:,} walks that all guards share. Lower left is better; the line joins the unbeaten; hover for names."
    )
    if len(marks) < len(lines):
        note += f" {len(lines) - len(marks)} not drawn: half of the dangers were never felt, or none was due."
    heads = {"guard": "", "false STOP/h": "", "late s 50 %": "delay of STOP, median", "missed %": HEADS["missed"]}
    drawn = plots.front(marks, "false STOPs an hour", "delay of STOP, median, s")
    return _figure("Quick, or quiet?", drawn, note) + _figure("The guards in figures", _sheet(heads, lines))


def _worst(walks: Sequence[Walked], limits: Limits) -> str:
    lines = list[Line]()
    for w in worst(walks, limits):
        words = ["contact"] * (w.contact and w.obeys) + [f"missed {w.missed} of {w.dangers}"] * (w.missed > 0)
        figures = [Cell(number(x, 2), "", x) for x in (w.least_m, min(Tally([w]).ttc_s, default=inf))]
        lines.append(("run", ["; ".join(dict.fromkeys([*words, *w.broken])) or "held", *figures, replay(w)]))
    heads = {"what": "", "least room m": "", "TTC s": HEADS["TTC s 5 %"], "to walk it again": ""}
    return _figure("The worst walks", _sheet(heads, lines), "The worst of each row of scenario, fit and profile.")


def _every(lines: Sequence[Row]) -> str:
    kept = lines if len(lines) <= ROWS else sorted(lines, key=lambda row: row.key[3] != OURS)[:ROWS]
    note = f"{len(kept):,} of {len(lines):,} rows: more would make the page large." if len(kept) < len(lines) else ""
    shown = _varying(lines)
    drawn: list[Line] = [(r.verdict, [*(r.key[i] for i in shown), *r.tally.figures(), r.verdict]) for r in kept]
    heads = {KEYS[i]: "" for i in shown} | HEADS | {"verdict": "ok: each walk held what its scenario expects"}
    return _figure("Every row", _sheet(heads, drawn), note)


def _figure(name: str, inner: str, note: str = "") -> str:
    return f"<figure><h2>{name}</h2>{inner}<figcaption>{note}</figcaption></figure>" if inner else ""


def _sheet(heads: Mapping[str, str], lines: Sequence[Line]) -> str:
    """A table that sorts by a click: words to the left, figures to the right. Nothing when it is empty."""
    kinds = ["n" if isinstance(cell, Cell) else "" for cell in lines[0][1]] if lines else []
    head, named = '<th class="{}" title="{}"><button>{}</button></th>', zip(kinds, heads.items(), strict=bool(lines))
    top = "".join(head.format(kind, escape(says), name.replace(" ", "&#160;")) for kind, (name, says) in named)
    body = "".join(f'<tr class="{kind}">{"".join(map(_td, cells))}</tr>' for kind, cells in lines)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>' if lines else ""


def _td(cell: Cell | str) -> str:
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    order = "-Infinity" if isnan(cell.order) else f"{cell.order:.6g}".replace("inf", "Infinity")
    small = f"<small>{cell.interval}</small>" if cell.interval else ""
    return f'<td class="n" data-v="{order}">{cell.text}{small}</td>'


def _cell(rate: Rate) -> Cell:
    value, _, interval = rate.text().rstrip(")").partition(" (")
    return Cell(value, interval, rate.value)


def _varying(lines: Sequence[Row]) -> list[int]:  # which of KEYS are worth a column
    return [i for i in range(len(KEYS)) if i == 0 or len({row.key[i] for row in lines}) > 1]


def _ours(walks: Sequence[Walked], limits: Limits) -> list[Walked]:  # what the page is about; else of the first guard
    about = OURS if any(w.guard == OURS for w in walks) else walks[0].guard if walks else ""
    return [w for w in walks if w.guard == about and (w.scenario, w.fit) not in limits]
