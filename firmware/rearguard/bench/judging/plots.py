"""Small plots as inline SVG: dots beside a diagonal, bars with intervals, marks on a front.

Drawn here, not by matplotlib: the colours are the page's CSS classes, so that one picture serves light, dark and paper,
each mark has a tooltip, and the bench needs no further package. Text comes in plain and is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, inf, isfinite, log10
from typing import NamedTuple

from rearguard.bench.judging.rates import Rate, number, per_hour

WIDTH, HEIGHT = 460, 330  # of a plot, in its own units: text of 12 is still read when it is 360 px wide
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 44
FLOOR = HEIGHT - BOTTOM
SERIES = 6  # colours of STYLE; series beyond them are hollow
MOST = 2000  # dots of a plot: 0.4 MB
LETTER = 6.3  # the width of a letter, about
STYLE = """
svg{display:block;width:100%}text{font:12px system-ui,"DejaVu Sans",sans-serif;fill:var(--ink)}.grid{stroke:var(--line)}
.faint,.peer text{fill:var(--soft);font-size:11px}.ground{fill:var(--bad);opacity:.07}.whisker{stroke:var(--soft)}
.diagonal{fill:none;stroke:var(--soft);stroke-dasharray:4 4}.hit{fill:none;pointer-events:all}.s0{--c:var(--s0)}
.s1{--c:var(--s1)}.s2{--c:var(--s2)}.s3{--c:var(--s3)}.s4{--c:var(--s4)}.s5{--c:var(--s5)}
.dot{fill:var(--c);fill-opacity:.5;stroke:var(--c);stroke-width:.5}.dot.hollow{fill:none;stroke-width:1.2}.bar{fill:var(--s0);
opacity:.45}.bar.bad{fill:var(--bad);opacity:1}.mark{fill:var(--soft)}.dot:hover,.mark:hover{stroke:var(--ink);stroke-width:2}
.peer .whisker{opacity:.4}.ours .mark{fill:var(--s1)}.ours text{font-weight:700}.ours .whisker{stroke:var(--s1)}
"""


class Dot(NamedTuple):  # of a scatter plot; the title is its tooltip
    x: float
    y: float
    series: int
    title: str


class Mark(NamedTuple):  # a contender on the front: less is better on both axes
    name: str
    x: Rate  # drawn to a log scale, and 0 beside it
    y: Rate
    title: str
    ours: bool


class _Axis(NamedTuple):
    low: float
    high: float
    start: float  # where low is drawn
    end: float

    def at(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> Iterator[tuple[float, str]]:
        rough = (self.high - self.low) / 5
        power = 10.0 ** floor(log10(rough))
        step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough * 0.999)
        for i in range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1):
            yield self.at(i * step), number(i * step, max(-floor(log10(step)), 0))


def legend(names: Sequence[str]) -> str:
    """The colour of each series."""
    chip = '<span class="key"><svg viewBox="0 0 10 10"><circle class="dot {}" cx="5" cy="5" r="4"/></svg>{}</span>'
    return "".join(chip.format(_series(i), escape(name)) for i, name in enumerate(names))


def thinned(dots: Sequence[Dot]) -> tuple[list[Dot], str]:
    """At most MOST dots, and the sentence that says so: those below the diagonal first, every nth of each kind."""
    kinds = {"above": [d for d in dots if d.y >= d.x], "below": [d for d in dots if d.y < d.x]}
    left, shown, words = MOST, list[Dot](), list[str]()
    for kind, most in (("below", MOST // 2), ("above", MOST)):
        nth = max(ceil(len(kinds[kind]) / min(most, left)), 1)
        found = kinds[kind][::nth]
        left -= len(found)
        shown = found + shown
        words.append(f"{'every point' if nth == 1 else f'one point in {nth}'} {kind} the line")
    return shown, "" if len(shown) == len(dots) else f"{len(shown):,} of {len(dots):,} points: {', '.join(words)}."


def scatter(dots: Sequence[Dot], x_label: str, y_label: str, beneath: str) -> str:
    """Dots beside the diagonal x = y; the ground below it is shaded and says `beneath`. Finite values only."""
    low = min([0.0, *(min(d.x, d.y) for d in dots)])
    x = _Axis(low, max([1.0, *(d.x for d in dots)]) * 1.04, LEFT, WIDTH - RIGHT)
    y = _Axis(low, max([1.0, *(d.y for d in dots)]) * 1.04, FLOOR, TOP)
    top = min(x.high, y.high)
    corners = [(low, low), (top, top), (x.high, top), (x.high, low)]
    ground = " ".join(f"{x.at(a)},{y.at(b)}" for a, b in corners)
    return _svg(
        HEIGHT,
        f"{y_label} against {x_label}",
        f'<polygon class="ground" points="{ground}"/>',
        *_grid(x, y, x_label, y_label),
        f'<path class="diagonal" d="M{x.at(low)} {y.at(low)}L{x.at(top)} {y.at(top)}"/>',
        _text(WIDTH - RIGHT - 8, FLOOR - 10, escape(beneath), "end", "faint"),
        *(_circle(x.at(d.x), y.at(d.y), 2.6, "dot " + _series(d.series), d.title) for d in dots),
    )


def bars(counts: Sequence[tuple[str, int, int, float]], x_label: str) -> str:
    """A bar for each (name, events, of them bad, seconds), an hour, with the interval of all."""
    rows = [(name, per_hour(count, s), per_hour(bad, s)) for name, count, bad, s in counts if s > 0]
    left, step = min(max([8.0, *(len(name) for name, _, _ in rows)]) * LETTER + 12, WIDTH * 0.42), 24
    bottom = TOP + step * len(rows)
    x = _Axis(0.0, max([1.0, *(rate.high for _, rate, _ in rows)]) * 1.02, left, WIDTH - RIGHT)
    drawn = []
    for i, (name, rate, bad) in enumerate(rows):
        at, cut = TOP + step * i, name if len(name) * LETTER <= left else name[: int(left / LETTER) - 2] + "…"
        title = escape(f"{name}: {rate.text()} an hour, of them with no reason {bad.text()}")
        drawn.append(f'<g><title>{title}</title><rect class="hit" x="0" y="{at}" width="{WIDTH}" height="{step}"/>')
        drawn.append(_text(left - 8, at + 16, escape(cut), "end"))
        for part, colour in ((rate, "bar"), (bad, "bar bad")):
            wide = x.at(part.value) - x.at(0.0)
            drawn.append(f'<rect class="{colour}" x="{left:.1f}" y="{at + 5}" width="{wide:.1f}" height="14"/>')
        drawn.append(_line(x.at(rate.low), at + 12, x.at(rate.high), at + 12, "whisker") + "</g>")
    return _svg(bottom + BOTTOM, f"{x_label}, by scenario", *_grid(x, None, x_label, "", bottom), *drawn)


def front(marks: Sequence[Mark], x_label: str, y_label: str) -> str:
    """Marks with their intervals and names, and a line along those that none beats on both axes; values are finite."""
    some = [value for m in marks for value in (m.x.value, m.x.high) if value > 0] or [1.0]
    first, last = floor(log10(min(some))), ceil(log10(max(some)) + 1e-9)
    logs = _Axis(first, last, LEFT + 46, WIDTH - RIGHT - 10)
    heights = [0.0, *(value for m in marks for value in m.y if isfinite(value))]
    y = _Axis(min(heights), max(heights) * 1.08 or 1.0, FLOOR, TOP)

    def across(value: float) -> float:
        return logs.at(log10(value)) if value > 0 else LEFT + 20.0

    drawn = [_line(logs.at(power), TOP, logs.at(power), FLOOR, "grid") for power in range(first, last + 1)]
    drawn += [_tick(logs.at(power), f"{10.0**power:,.{max(-power, 0)}f}") for power in range(first, last + 1)]
    drawn += [_line(LEFT + 20, TOP, LEFT + 20, FLOOR, "grid"), _tick(LEFT + 20, "0")]
    best, edge = inf, list[Mark]()
    for m in sorted(marks, key=lambda m: (m.x.value, m.y.value)):
        edge += [m] * (m.y.value < best)
        best = min(best, m.y.value)
    points = " ".join(f"{across(m.x.value)},{y.at(m.y.value)}" for m in edge)
    drawn.append(f'<polyline class="diagonal" points="{points}"/>')
    taken = [(across(m.x.value) - 5, y.at(m.y.value) - 5, 10.0, 10.0) for m in marks]
    groups = []  # the first gets the best place for its name, and is drawn above the others
    for m in sorted(marks, key=lambda m: (not m.ours, m not in edge)):
        at, up = across(m.x.value), y.at(m.y.value)
        low, high = (y.at(end if isfinite(end) else m.y.value) for end in m.y[1:])
        inner = _line(across(m.x.low), up, across(m.x.high), up, "whisker") + _line(at, low, at, high, "whisker")
        inner += _circle(at, up, 5, "mark", m.title) + _label(m.name, at, up, taken)
        groups.append(f'<g class="{"ours" if m.ours else "peer"}">{inner}</g>')
    return _svg(HEIGHT, f"{y_label} against {x_label}", *_grid(None, y, x_label, y_label), *drawn, *reversed(groups))


def _label(name: str, at: float, up: float, taken: list[tuple[float, float, float, float]]) -> str:
    """A name beside its mark, where it hides nothing that is `taken`; none where there is no room."""
    wide = len(name) * LETTER
    for dy in (-17.0, 3.0, -28.0, 14.0, -39.0, 25.0, -6.5):
        for dx in (6.0, -6.0 - wide, -wide / 2):
            x, y = at + dx, up + dy
            free = all(x + wide < a or a + w < x or y + 13 < b or b + h < y for a, b, w, h in taken)
            if free and LEFT <= x <= WIDTH - wide and 0 <= y <= FLOOR - 14:
                taken.append((x, y, wide, 13.0))
                return _text(x, y + 10, escape(name), "start")
    return ""


def _grid(x: _Axis | None, y: _Axis | None, x_label: str, y_label: str, bottom: float = FLOOR) -> Iterator[str]:
    for at, text in x.ticks() if x else ():
        yield _line(at, TOP, at, bottom, "grid") + _tick(at, text, bottom)
    for at, text in y.ticks() if y else ():
        yield _line(LEFT, at, WIDTH - RIGHT, at, "grid") + _text(LEFT - 6, at + 4, text, "end", "faint")
    yield _text(((x.start + x.end) if x else LEFT + WIDTH - RIGHT) / 2, bottom + 36, escape(x_label))
    if y_label:
        turned = f"translate(12 {(TOP + bottom) / 2:.1f}) rotate(-90)"
        yield f'<text transform="{turned}" text-anchor="middle">{escape(y_label)}</text>'


def _tick(at: float, text: str, bottom: float = FLOOR) -> str:
    return _text(at, bottom + 17, text, "middle", "faint")


def _text(x: float, y: float, inner: str, anchor: str = "middle", kind: str = "label") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{inner}</text>'


def _line(x0: float, y0: float, x1: float, y1: float, kind: str) -> str:
    return f'<path class="{kind}" d="M{x0} {y0}L{x1} {y1}"/>'


def _circle(x: float, y: float, r: float, kind: str, title: str) -> str:
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="{r}"><title>{escape(title)}</title></circle>'


def _series(index: int) -> str:
    return f"s{index % SERIES}" + " hollow" * (index >= SERIES)


def _svg(height: float, label: str, *parts: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
