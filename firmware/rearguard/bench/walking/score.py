"""What a walk came to, held against an oracle that knows the truth."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rearguard.bench.walking.quick import Record
from rearguard.bench.walking.truth import deserved, due
from rearguard.bench.world.scenario import Scenario
from rearguard.bench.world.things import Floats
from rearguard.bench.world.walker import GRID_S
from rearguard.core.threat import CLEAR, PROFILES, STOP, WARN

TOUCH_M = 0.05  # nearer than this, the belt touches
GRACE_S, GRACE_M = 0.5, 0.25  # a STOP that comes later than both was missed
MERGE_S = 0.3  # dangers of the same thing
BEFORE_S, AFTER_S = 0.6, 0.1  # around an alert, in which there may have been a reason for it
EASE_S, EASE_M = 0.5, 0.3  # NOTICE and WARN may be this much early, before they count as false
STOP_EASE_M = 0.15  # STOP where truth says WARN is early; further out it is false
CHATTER_S = 2.0


class Stop(NamedTuple):
    """A danger that was felt."""

    due_m: float  # true distance when STOP was due
    felt_m: float  # and when it was felt
    needed_m: float  # stopping distance at the true closing speed, then
    closing_mps: float
    felt_closing_mps: float  # what the guard believed
    late_s: float  # felt later than due; negative: early
    ttc_s: float  # true time to contact when it was felt


class Walked(NamedTuple):
    """One walk."""

    scenario: str
    fit: str
    profile: str
    seed: int
    guard: str
    obeys: bool
    seconds: float
    least_m: float
    contact: bool
    dangers: int
    missed: int
    false_stops: int
    false_others: int
    chatter: int
    alerts: int
    stops: tuple[Stop, ...]
    broken: tuple[str, ...]


def score(
    record: Record,
    scenario: Scenario,
    *,
    fit: str = "",
    profile: str = "default",
    seed: int = 0,
    guard: str = "rearguard",
    obeys: bool = True,
    fastest_mps: float = np.inf,
) -> Walked:
    """Count. `fastest_mps`: a faster walk is rightly felt as NOTICE, whatever closes in."""
    known, felt, who = record.truth, record.felt, PROFILES[profile]
    earned = deserved(known, who, EASE_S, EASE_M, passing=True)
    too_fast = (known.closing_mps > 0.85 * fastest_mps) & np.isfinite(known.gap_m)
    earned = np.maximum(earned, too_fast)
    strict = deserved(known, who, 0.0, STOP_EASE_M, passing=False)
    danger = due(known)
    spans = _spans(record)
    stops: list[Stop] = []
    dangers = missed = 0
    for first, last in _episodes(danger):
        t = first * GRID_S
        here = [span for span in spans if span[1] > t and span[0] <= last * GRID_S]
        if here:
            stops.append(_stop(record, first, round(here[0][0] / GRID_S), here[0][2]))
        late = not here or (stops[-1].late_s > GRACE_S and stops[-1].due_m - stops[-1].felt_m > GRACE_M)
        if here or (last - first) * GRID_S >= GRACE_S:
            dangers += 1
            missed += late
    onsets = [b for a, b in pairwise(((0.0, CLEAR), *((f.t_s, f.level) for f in felt))) if b[1] > a[1]]
    around = [_around(strict if level is STOP else earned, t) for t, level in onsets]
    wrong = [level for (_, level), truth in zip(onsets, around, strict=True) if truth < min(level, WARN)]
    least = float(known.room_m.min())
    walked = Walked(
        scenario=scenario.name,
        fit=fit,
        profile=profile,
        seed=seed,
        guard=guard,
        obeys=obeys,
        seconds=len(danger) * GRID_S,
        least_m=least,
        contact=least <= TOUCH_M,
        dangers=dangers,
        missed=missed,
        false_stops=wrong.count(STOP),
        false_others=len(wrong) - wrong.count(STOP),
        chatter=sum(b[0] - a[1] < CHATTER_S for a, b in pairwise(spans)),
        alerts=len(onsets),
        stops=tuple(stops),
        broken=(),
    )
    return walked._replace(broken=tuple(_broken(walked, record, scenario)))


def _spans(record: Record) -> list[tuple[float, float, float]]:
    """From when to when STOP was felt, and the closing speed that was believed."""
    found: list[tuple[float, float, float]] = []
    began: tuple[float, float] | None = None
    for felt in record.felt:
        if felt.level is STOP and began is None:
            began = felt.t_s, felt.closing_mps or 0.0
        elif felt.level is not STOP and began is not None:
            found.append((began[0], felt.t_s, began[1]))
            began = None
    if began is not None:
        found.append((began[0], len(record.way.t_s) * GRID_S, began[1]))
    return found


def _episodes(due: Floats) -> list[tuple[int, int]]:
    """First and last index of each danger."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], due.astype(int), [0]))))
    merged: list[tuple[int, int]] = []
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if merged and (first - merged[-1][1]) * GRID_S < MERGE_S:
            merged[-1] = merged[-1][0], last
        else:
            merged.append((first, last))
    return merged


def _stop(record: Record, due: int, felt: int, believed_mps: float) -> Stop:
    known = record.truth
    felt = min(felt, len(known.gap_m) - 1)
    gap, closing = float(known.gap_m[felt]), float(known.closing_mps[felt])
    if not np.isfinite(gap):  # felt before the thing was on its way here
        gap, closing = float(known.gap_m[due]), float(known.closing_mps[due])
    return Stop(
        due_m=float(known.gap_m[due]),
        felt_m=gap,
        needed_m=float(known.needed_m[felt]),
        closing_mps=closing,
        felt_closing_mps=believed_mps,
        late_s=(felt - due) * GRID_S,
        ttc_s=gap / max(closing, 1e-3),
    )


def _around(earned: Floats, t_s: float) -> int:
    """The most that was deserved around a time."""
    first, last = round((t_s - BEFORE_S) / GRID_S), round((t_s + AFTER_S) / GRID_S) + 1
    return int(earned[max(first, 0) : max(last, 1)].max(initial=0))


def _broken(walked: Walked, record: Record, scenario: Scenario) -> list[str]:
    """What the scenario states and this walk did not hold, in words."""
    must, never, felt = scenario.must, scenario.must_not, record.felt
    found: list[str] = []

    def hold(right: bool, words: str) -> None:
        if not right:
            found.append(words)

    early = any(f.level is STOP for f in felt)  # slowed by WARN, or stopped so soon that none was ever due
    if must.stop:
        missed = "STOP was missed" if walked.missed else "STOP never came"
        hold(walked.missed == 0 and (walked.dangers > 0 or early), missed)
    first = walked.stops[0] if walked.stops else None
    if must.contact_least_s is not None:
        hold(
            first.ttc_s >= must.contact_least_s if first else early,
            f"STOP came {first.ttc_s:.2f} s before contact" if first else "STOP never came",
        )
    if must.sudden_within_s is not None:
        hold(
            first.late_s <= must.sudden_within_s if first else early,
            f"STOP came {first.late_s:.2f} s after it appeared" if first else "STOP never came",
        )
    begun = min((t.from_s for t in scenario.trouble), default=0.0)
    if must.fault:
        named = (must.fault,) if isinstance(must.fault, str) else must.fault
        ends = tuple(f":{fault}" for fault in named)
        times = [f.t_s for f in felt if f.t_s >= begun and any(x.endswith(ends) for x in f.faults)]
        hold(bool(times) and times[0] - begun <= must.fault_within_s, f"{' or '.join(named)}: {_after(times, begun)}")
    if must.armed_within_s is not None:
        armed = list(record.armed_s)
        hold(bool(armed) and armed[0] - begun <= must.armed_within_s, f"armed again: {_after(armed, begun)}")
    hold(not (never.stop and any(f.level is STOP for f in felt)), "STOP was felt")
    hold(not (never.alert and any(f.level for f in felt)), "an alert was felt")
    hold(not (never.fault and any(f.faults for f in felt)), "a fault was felt")
    hold(not (never.contact and walked.contact and walked.obeys), "contact")
    if never.alert_after_s is not None:
        hold(not any(f.level and f.t_s > never.alert_after_s for f in felt), "an alert was felt, and too late for it")
    return found


def _after(times: list[float], begun: float) -> str:
    return f"after {times[0] - begun:.2f} s" if times else "never"
