"""What a walk came to, in words, and held against what its scenario states."""

from __future__ import annotations

from math import isfinite
from textwrap import fill

import numpy as np

from rearguard.bench.walking.moment import Moment
from rearguard.bench.walking.quick import NOTHING, Felt, Record
from rearguard.bench.walking.score import TOUCH_M, Walked, score
from rearguard.bench.walking.truth import Truth
from rearguard.bench.walking.walk import Walk
from rearguard.bench.world import fit as fits
from rearguard.bench.world.scenario import Scenario
from rearguard.bench.world.walker import GRID_S
from rearguard.bench.world.way import Stretch
from rearguard.config import Config
from rearguard.core.threat import CLEAR, STOP, Level
from rearguard.errors import InputError

WIDTH = 80  # characters of a line


class Outcome:
    """What a walk comes to, moment by moment."""

    def __init__(self, walk: Walk, limit: str | None) -> None:
        """`limit`: why the sensors cannot see what the scenario has, if so."""
        self._walk, self.limit = walk, limit
        self._rows: list[tuple[float, ...]] = []
        self._felt: list[Felt] = []
        self._level, self._faults = CLEAR, NOTHING
        self._counts: dict[Level, int] = {}
        self._stops: list[float] = []  # true room, as each began to be felt
        self._known: set[str] = set()  # faults
        self.least_m = float("inf")
        self.way_m = self._seconds = 0.0

    def add(self, moment: Moment) -> None:
        """Take one more moment."""
        if not moment.walking:
            return
        way, known = moment.way, moment.truth
        self._rows.append(tuple(float(field[0]) for field in (*way[1:], *known)))
        level, _, _, closing, faults, _ = moment.alert
        if level is not self._level or faults != self._faults:
            self._felt.append(Felt(float(way.t_s[0]), level, faults, closing))
            self._known |= set(faults)
        if level > self._level:
            self._counts[level] = self._counts.get(level, 0) + 1
            if level is STOP:
                self._stops.append(moment.room_m)
        self._level, self._faults = level, faults
        self.least_m = min(self.least_m, moment.room_m)
        self.way_m += moment.speed_mps * GRID_S
        self._seconds += GRID_S

    @property
    def contact(self) -> bool:
        """Whether the walker touched something."""
        return self.least_m <= TOUCH_M

    def walked(self) -> Walked:
        """The score. Raises InputError when nobody walked."""
        if not self._rows:
            raise InputError("the walk never began: it was ended before the guard was ready")
        walk, columns = self._walk, np.array(self._rows).T
        cut = len(Stretch._fields) - 1
        record = Record(Stretch(0, *columns[:cut]), Truth(*columns[cut:]), tuple(self._felt), tuple(walk.armed_s))
        return score(
            record,
            walk.scenario,
            profile=walk.config.profile.name,
            seed=walk.seed,
            obeys=walk.obeys,
            fastest_mps=fits.fastest_mps(walk.config),
        )

    def broken(self) -> list[str]:
        """What the scenario states and the walk did not hold; that who ignores the belt runs into things is no news."""
        return [words for words in self.walked().broken if self._walk.obeys or words != "contact"]

    def code(self) -> int:
        """The exit code."""
        if self.limit is not None:
            return 0
        if not self._walk.obeys:
            return int(self.walked().missed > 0)
        return int(self.contact or bool(self.broken()))

    def text(self, whole: bool = True) -> str:
        """Some lines of at most 80 characters. Not `whole`: it was cut short, so nothing is held against it."""
        counts = [(level.name, n) for level, n in sorted(self._counts.items())]
        felt = ", ".join(f"{name} {n} times" if n > 1 else f"{name} once" for name, n in counts)
        stops = ", ".join(f"{room:.2f} m" for room in self._stops) or "none"
        least = f"{self.least_m:.2f} m" if isfinite(self.least_m) else "nothing came near"
        lines = [
            f"Walked {self.way_m:.1f} m in {self._seconds:.1f} s and felt {felt or 'nothing'}.",
            f"Room when STOP was first felt: {stops}.",
            f"Least room of the walk: {least}. {'CONTACT' if self.contact else 'No contact'}.",
        ]
        lines += [f"Faults: {', '.join(sorted(self._known))}."] if self._known else []
        if whole:
            broken = self.broken()
            lines.append(f"Not as the scenario states: {'; '.join(broken)}." if broken else "As the scenario states.")
        return "\n".join(fill(line, WIDTH, break_long_words=False) for line in lines)


def limit_of(scenario: Scenario, fitted: Config) -> str | None:
    """The declared limit of a scenario for a belt."""
    return scenario.declared([part.driver for part in fitted.sensors.values()])
