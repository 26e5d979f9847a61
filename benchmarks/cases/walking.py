"""How much simulated walking one core gets through in a second, as `rearguard evaluate` walks it: model, core, score.

Timed in this very process: the median of five rounds of each kind. A step of the core limits it where something is
followed, and the modelling of a sensor where nothing is; a LiDAR of 100 Hz has six times as many steps, and a sweep has
many points in each.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

from measure import Row, above, say
from rearguard.bench.judging.evaluate import OURS, Plan, Task, work
from rearguard.bench.world import scenario

ROUNDS, WALKS = 5, 4
HOUR_S = 3600.0


def rows() -> list[Row]:
    """Seconds walked for each second that passes."""
    seen = Plan(scenario.names()).limits()
    mixed = [name for name in scenario.names() if (name, "ultrasonic") not in seen]
    found = []
    for what, names, fit, limit in (
        ("an open field, one ultrasonic sensor", ["open-field"], "ultrasonic", HOUR_S),
        ("all scenarios, one ultrasonic sensor", mixed, "ultrasonic", None),
        ("all scenarios, one TF-Luna at 100 Hz", mixed, "tf-luna", None),
        ("all scenarios, one LD06", mixed, "ld06", None),
    ):
        say(f"walking {what}")
        speed = median(_speed(names, fit) for _ in range(ROUNDS if fit == "ultrasonic" else 1))
        text = f"simulated walking a second and core: {what}"
        found.append(above(text, speed, limit, "s") if limit else Row(text, f"{speed:,.0f} s", "", "", "", None))
    return found


def _speed(names: list[str], fit: str) -> float:
    began, walked = perf_counter(), 0.0
    for name in names:
        count = 1 if scenario.load(name).lasts_s > 100 else WALKS
        walks = work(Task(name, fit, "default", OURS, True, "", range(count)))
        walked += sum(walk.seconds for walk in walks)
    return walked / (perf_counter() - began)
