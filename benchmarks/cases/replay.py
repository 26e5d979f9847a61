"""How much faster than real time `rearguard replay` is.

The file is ten minutes of a 100 Hz single beam that walks to a wall and away from it again, as bare reading lines.
Timed is the whole command: start, reading, decoding, every step of the core with the wake-ups between readings, and its
output. The median of three.
"""

from __future__ import annotations

import subprocess
import sys
from math import cos
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from firmware import place
from measure import Row, above, say
from rearguard import lines
from rearguard.core.reading import Reading, Status

MINUTES, RATE_HZ = 10, 100
TIMES = 3
LIMIT = 100.0
CODE = "import sys; from rearguard.cli import main; sys.exit(main(['replay', {!r}]))"


def record(path: Path) -> float:
    """Write the walk; its seconds. From 4 m to 0.4 m and back in 20 s, at 0.57 m/s when it is fastest."""
    random = Random(1)
    count = MINUTES * 60 * RATE_HZ
    with path.open("wb") as out:
        for i in range(count):
            t_s = i / RATE_HZ
            distance_m = 2.2 + 1.8 * cos(t_s * 0.314) + random.gauss(0.0, 0.01)
            out.write(lines.encode(Reading("rear", t_s, Status.OK, round(distance_m, 3))))
    return count / RATE_HZ


def rows() -> list[Row]:
    """Recorded seconds for each second that passes."""
    with place() as here:
        path = here.directory / "walk.jsonl"
        recorded_s = record(path)
        say(f"replaying {MINUTES} minutes {TIMES} times")
        took = []
        for _ in range(TIMES):
            began = perf_counter()
            command = [sys.executable, "-c", CODE.format(str(path))]
            done = subprocess.run(command, env=here.env, check=True, stdout=subprocess.PIPE)
            took.append(perf_counter() - began)
        assert done.stdout.count(b'"level":"stop"') > MINUTES, "the walk was not guarded"
    return [above(f"replay of {MINUTES} minutes at {RATE_HZ} Hz", recorded_s / median(took), LIMIT, "x real time")]
