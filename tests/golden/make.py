"""Make the golden walk anew: a simulated walk of the bench as a journal, and what is felt on it.

Run it only when what is felt has changed on purpose, and say why in the commit.
"""

from __future__ import annotations

from pathlib import Path

from rearguard import lines
from rearguard.bench.walking.walk import Walk
from rearguard.bench.world import fit, scenario
from rearguard.replay import Replay

HERE = Path(__file__).parent
SEED = 5


def main() -> None:
    belt = fit.load(fit.USUAL)
    walk = Walk(scenario.load("first-walk"), belt, belt.profile, SEED)
    recorded = [lines.header(0.0, "2026-01-01T00:00:00Z", walk.config.raw, "golden")]
    turn = walk.guard.turn

    def record(inputs, now):  # type: ignore[no-untyped-def]
        recorded.extend([lines.encode(item, now) for item in inputs] or [lines.step(now)])
        return turn(inputs, now)

    walk.guard.turn = record  # type: ignore[method-assign]
    for _ in walk.run():
        pass
    (HERE / "walk.jsonl").write_bytes(b"".join(recorded))
    (HERE / "walk.alerts.jsonl").write_bytes(b"".join(Replay(None, None).run(recorded, "walk.jsonl")))


if __name__ == "__main__":
    main()
