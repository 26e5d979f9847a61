"""Whether the alerts are right, on simulated walks, beside what a maker would use instead.

The ultrasonic fit, default profile, 3 % false echoes and 5 % missed ones, 300 walks of each scenario that is no
declared limit, on seeds that nothing was tuned on. Walkers obey where contacts and false alarms are counted; where
delays are compared they heed nothing, so that all guards meet the same readings. gpiozero is a model of its
DistanceSensor, checked against the real class in tests/bench/test_peers_gpiozero.py, with the threshold that suits
1 m/s; "own pace" rests 60 ms after each echo, as the real class does. Delays are medians. With a reading each 60 ms,
which gpiozero does not take, three readings against its five of nine are 156 ms against 276 ms: 0.57, and no less.
"""

from __future__ import annotations

from math import inf
from statistics import median

from measure import Row, say
from rearguard.bench.judging import rates
from rearguard.bench.judging.evaluate import AGREE, OURS, OWN_PACE, Plan, evaluate
from rearguard.bench.walking.score import GRACE_S, Walked
from rearguard.bench.world import scenario
from rearguard.bench.world.air import BURST, PING_S, Air

WALKS = 300
GPIOZERO = "gpiozero"
QUIET = ("arm-swing", "corridor", "person-crossing-far", "person-crossing-near", "bob-and-pitch")
# Of all dangers, this share falls due in a burst that goes on until a STOP is missed: no filter hears through it.
DEAF = Air().false_share * (1 - 1 / BURST) ** (GRACE_S / PING_S)
LOST, P95_M, DELAY, TTC = 0.15, 0.06, 0.55, 2.0


def rows() -> list[Row]:
    """All of them; some minutes on two cores."""
    return [*_safety("isolated"), *_safety("bursts"), *_false_alarms(), *_delays(), *_second_sensor()]


def _walk(plan: Plan) -> list[Walked]:
    say(f"walking {len(plan.scenarios)} scenarios, {WALKS} times each with {len(plan.guards)} guards")
    return evaluate(plan._replace(walks=WALKS))


def _safety(echoes: str) -> list[Row]:
    """Missed STOPs and contacts."""
    seen = Plan(scenario.names())
    names = [name for name in seen.scenarios if (name, "ultrasonic") not in seen.limits()]
    names = [name for name in names if scenario.load(name).air.false_echoes == "isolated"]
    walks = _walk(Plan(names, echoes=echoes))
    missed, contacts = sum(walk.missed for walk in walks), sum(walk.contact for walk in walks)
    dangers = sum(walk.dangers for walk in walks)
    where = f"{len(names)} scenarios, {echoes} false echoes"
    limit = round(dangers * DEAF) if echoes == "bursts" else 0
    return [
        Row(f"missed STOPs, {where}", f"{missed} of {dangers:,}", f"{limit}", "", f"<= {limit}", missed <= limit),
        Row(f"contacts, {where}", f"{contacts} of {len(walks):,} walks", "", "", "0", contacts == 0),
    ]


def _false_alarms() -> list[Row]:
    found = []
    for echoes, limit in (("isolated", 0.5), ("bursts", 2.0)):
        walks = _walk(Plan(["open-field"], echoes=echoes))
        stops = _per_hour(walks, "false_stops")
        found.append(_row(f"false STOP an hour, {echoes} false echoes", stops, limit))
        others = _per_hour(walks, "false_others")
        found.append(_row(f"false NOTICE and WARN an hour, {echoes} false echoes", others, 4.0))
    walks = _walk(Plan(QUIET))
    felt = sum(any(stop.startswith("STOP was felt") for stop in walk.broken) for walk in walks)
    what = "walks with a STOP: arm swing, corridor, crossing people, gait"
    found.append(Row(what, f"{felt} of {len(walks):,}", "", "", "0", felt == 0))
    loud = sum("too late" in text for walk in _walk(Plan(["stand-near-wall"])) for text in walk.broken)
    found.append(Row("walks not quiet 1 s after stopping near a wall", f"{loud} of {WALKS}", "", "", "0", loud == 0))
    return found


def _delays() -> list[Row]:
    guards = (OURS, GPIOZERO, GPIOZERO + OWN_PACE)
    walks = _walk(Plan(["wall", "wall-fast", "sudden-near"], guards=guards, obeys=False))
    lost = {guard: _first(walks, "wall", guard, lambda stop: stop.due_m - stop.felt_m) for guard in guards}
    late = {guard: _first(walks, "sudden-near", guard, lambda stop: stop.late_s) for guard in guards}
    ttc = {guard: _first(walks, "wall-fast", guard, lambda stop: stop.ttc_s) for guard in guards}
    tail = rates.quantile(lost[OURS], 0.95)
    return [
        _against("distance lost at 1 m/s", lost, GPIOZERO, "cm", 100.0, LOST),
        Row("the same, 95 % of the walks below", f"{100 * tail.value:.1f} cm", "", "", "<= 6 cm", tail.value <= P95_M),
        _against("delay of a sudden obstacle", late, GPIOZERO + OWN_PACE, "ms", 1000.0, DELAY),
        _against("the same, gpiozero given a reading each 60 ms", late, GPIOZERO, "ms", 1000.0, None),
        _against("time to contact at 1.5 m/s", ttc, GPIOZERO, "s", 1.0, TTC, more=True),
    ]


def _second_sensor() -> list[Row]:
    """One beam, two of which the nearer wins, two that must agree: phantoms, and what is missed."""
    found = []
    for what, fit, guard in (("one sensor", "ultrasonic", OURS), ("two, nearest wins", "pair", OURS),
                             ("two, both must agree", "pair", AGREE)):  # fmt: skip
        phantoms = _walk(Plan(["open-field"], fits=[fit], guards=[guard], echoes="phantoms"))
        sudden = _walk(Plan(["sudden-near"], fits=[fit], guards=[guard], obeys=False))
        rate, late = _per_hour(phantoms, "false_stops"), _first(sudden, "sudden-near", guard, lambda stop: stop.late_s)
        found.append(Row(f"{what}: false STOP an hour by phantoms", rate.text(), "", "", "", None))
        found.append(Row(f"{what}: delay of a sudden obstacle", f"{1000 * median(late):.0f} ms", "", "", "", None))
    return found


def _first(walks: list[Walked], name: str, guard: str, value) -> list[float]:  # type: ignore[no-untyped-def]
    """Of the first danger of each walk; one that is never felt counts as endless, with no time left."""
    own = [walk for walk in walks if walk.scenario == name and walk.guard == guard]
    never = 0.0 if name == "wall-fast" else inf
    return [value(walk.stops[0]) if walk.stops else never for walk in own if walk.dangers]


def _per_hour(walks: list[Walked], field: str) -> rates.Rate:
    return rates.per_hour(sum(getattr(walk, field) for walk in walks), sum(walk.seconds for walk in walks))


def _row(what: str, rate: rates.Rate, limit: float) -> Row:
    return Row(what, rate.text(), f"{limit:g}", f"{rate.value / limit:.2f}", "<= 1", rate.value <= limit)


def _against(
    what: str,
    values: dict[str, list[float]],
    peer: str,
    unit: str,
    scale: float,
    limit: float | None,
    more: bool = False,
) -> Row:
    ours, theirs = median(values[OURS]), median(values[peer])
    ratio = ours / theirs
    ok = None if limit is None else ratio >= limit if more else ratio <= limit
    target = "" if limit is None else f"{'>=' if more else '<='} {limit:g}"
    return Row(
        f"{what} ({peer})", f"{scale * ours:.3g} {unit}", f"{scale * theirs:.3g} {unit}", f"{ratio:.2f}", target, ok
    )
