"""A walk through the core at full speed: modelled readings in, alerts out, and a walker who feels them.

The way is worked out a stretch at a time. What is felt changes it no sooner than a reaction later, so that a stretch
holds up to there; what was worked out beyond is thrown away.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple, Protocol

import numpy as np

from rearguard.bench.sensing.models import Fitted, Model, model
from rearguard.bench.walking.truth import Truth, truth
from rearguard.bench.world.scenario import Scenario
from rearguard.bench.world.things import Disc, Thing
from rearguard.bench.world.walker import GRID_S, Habits, Walker
from rearguard.bench.world.way import Hand, Stretch, Way
from rearguard.config import Config
from rearguard.core.reading import Input, Reading, Scan
from rearguard.core.threat import CLEAR, Level, Profile

CALM, BUSY = 1000, 200  # grid points of a stretch: while nothing is felt, and while something is
BESIDE_M, BEHIND_M = 0.28, 0.02  # where a hand swings: both past the hip, or one behind the back (assumed)
HANG_S = 2.0  # the watchdog ends a guard that hangs (systemd/rearguard.service)
RESTART_S = 1.0  # and it is back after this long (assumed: some 0.5 s of systemd's pause and the start)
SETTLE_S = 2.0  # standing still for so long, at the end of an obedient walk, is the end
NOTHING: tuple[str, ...] = ()


class Felt(NamedTuple):
    """From `t_s` on."""

    t_s: float
    level: Level
    faults: tuple[str, ...]
    closing_mps: float | None  # as the guard believes


class Guard(Protocol):
    """Anything that turns readings into what is felt."""

    wake_s: float  # when it wants to be asked again, without a reading

    def take(self, inputs: tuple[Input, ...], now_s: float) -> Felt | None:
        """What is felt from now on; None while that has not changed."""


class Rearguard:
    """The guard's own core."""

    def __init__(self, config: Config, profile: Profile, now_s: float = 0.0) -> None:
        self._step = config.pipeline(profile).step
        self._level, self._faults = CLEAR, NOTHING
        self.wake_s = now_s

    def take(self, inputs: tuple[Input, ...], now_s: float) -> Felt | None:
        _, alert, _, self.wake_s, _ = self._step(inputs, now_s)
        level, faults = alert.level, alert.faults
        if level is self._level and faults == self._faults:
            return None
        self._level, self._faults = level, faults
        return Felt(now_s, level, faults, alert.closing_mps)


class Record(NamedTuple):
    """All that can be told of one walk; arrays have one entry each GRID_S."""

    way: Stretch
    truth: Truth
    felt: tuple[Felt, ...]
    armed_s: tuple[float, ...]  # when the guard began again after it hung


class Walk:
    """One walk of one scenario. `guard`: by default the core itself."""

    def __init__(
        self,
        scenario: Scenario,
        config: Config,
        profile: Profile,
        seed: int,
        obeys: bool = True,
        ideal: bool = False,
        guard: Guard | None = None,
    ) -> None:
        self._scenario, self._config, self._profile = scenario, config, profile
        table = scenario.walker
        habits = Habits.drawn(table.pace_mps, Random(f"walker {seed}"))
        self.walker = Walker(habits, obeys and not table.forward, table.sets_off_s)
        if table.stops_s is not None:
            self.walker.halt(table.stops_s)
        self.way = Way(
            self.walker, scenario.gait(), table.turns_dps, table.turns_from_s, table.turns_until_s, table.forward
        )
        self.things = scenario.things()
        self.alone = not any(isinstance(thing, Disc) and thing.person for thing in self.things)
        self._guard: Guard = guard or Rearguard(config, profile)
        self.models = models(scenario, config, seed, ideal, getattr(guard, "rest_s", None))
        self._wide = any(part.senses().sweeps for part in config.sensors.values())
        self._hangs = [t for t in scenario.trouble if t.is_ == "hang"]
        self._armed: list[float] = []
        self._felt: list[Felt] = []
        self._last = Felt(0.0, CLEAR, NOTHING, None)

    def run(self) -> Record:
        """To the end."""
        done: list[Stretch] = []
        truths: list[Truth] = []
        waiting: list[tuple[float, Reading | Scan]] = []
        way, end, count = self.way, round(self._scenario.lasts_s / GRID_S), CALM
        stood = 0
        while way.index < end and stood * GRID_S < SETTLE_S:
            stretch = way.ahead(min(count, end - way.index))
            began = bool(self._last.level or self._last.faults)
            waiting += self.sense(stretch)
            waiting.sort(key=_when)
            cut, waiting = self._live(stretch, waiting)
            kept = max(min(round(cut / GRID_S) - stretch.first, len(stretch.t_s)), 1)
            went = Stretch(stretch.first, *(field[:kept] for field in stretch[1:]))
            seen = truth(went, self.things, self._profile)
            way.go(stretch, kept)
            if self.walker.resume_s <= way.index * GRID_S:
                self.walker.consider(way.index * GRID_S, float(seen.room_m[-1]))
            done.append(went)
            truths.append(seen)
            busy = bool(self._last.level or self._last.faults)
            count = BUSY if busy else CALM
            calm = not busy and not began and self._last.t_s <= float(went.t_s[0])
            stood = stood + kept if calm and self._over(went) else 0
        whole = Stretch(0, *(np.concatenate(parts) for parts in zip(*(s[1:] for s in done), strict=True)))
        known = Truth(*(np.concatenate(parts) for parts in zip(*truths, strict=True)))
        return Record(whole, known, tuple(self._felt), tuple(self._armed))

    def sense(self, stretch: Stretch) -> list[tuple[float, Reading | Scan]]:
        """What the sensors read on a stretch, each with the time at which it was begun."""
        around: tuple[Thing, ...] = self.things
        hands = self._scenario.walker.hands
        if hands == "beside" and self._wide:  # no narrow beam ever meets them
            around = (*around, Hand(stretch, 1, BESIDE_M), Hand(stretch, -1, BESIDE_M))
        elif hands == "behind":
            around = (*around, Hand(stretch, 1, BEHIND_M))
        return [item for sensor in self.models for item in sensor.read(self.way, stretch, around)]

    def _over(self, went: Stretch) -> bool:
        """Whether an obedient walker has come to the end of the way."""
        halted = self.walker.obeys and not went.pace_mps[-1] and went.t_s[-1] > self._scenario.walker.sets_off_s
        return bool(halted) and self.alone

    def _live(
        self, stretch: Stretch, items: list[tuple[float, Reading | Scan]]
    ) -> tuple[float, list[tuple[float, Reading | Scan]]]:
        """Take the readings of a stretch, up to where the way changes: that time, and the readings left over."""
        cut = min((stretch.first + len(stretch.t_s)) * GRID_S, max(self.walker.resume_s, stretch.first * GRID_S))
        plan = self.walker.plan
        for i, (_, item) in enumerate(items):
            t = item.t_s
            if t >= cut:
                return cut, [later for later in items[i:] if later[0] < cut]
            if self._hangs and self._hung(t):
                continue
            cut = self._wake(t, stretch, cut)
            felt = self._guard.take((item,), t)
            if felt is not None:
                cut = self._feel(felt, stretch, cut)
            if self.walker.plan is not plan:
                plan = self.walker.plan
                cut = min(cut, max(plan[-1].from_s, t))
        if not (self._hangs and self._hung(cut)):
            cut = self._wake(cut, stretch, cut)
            if self.walker.plan is not plan:
                cut = min(cut, max(self.walker.plan[-1].from_s, stretch.first * GRID_S))
        return cut, []

    def _wake(self, until_s: float, stretch: Stretch, cut: float) -> float:
        """Let the guard do what it wanted to do before `until_s` without a reading."""
        guard = self._guard
        while guard.wake_s < until_s:
            wake = guard.wake_s
            felt = guard.take((), wake)
            if felt is not None:
                cut = self._feel(felt, stretch, cut)
            elif guard.wake_s <= wake:
                break
        return cut

    def _feel(self, felt: Felt, stretch: Stretch, cut: float) -> float:
        i = stretch.at(felt.t_s)
        self._felt.append(felt)
        self._last = felt
        walker = self.walker
        walker.feel(felt.level, bool(felt.faults), felt.t_s, float(stretch.phase[i]), abs(float(stretch.pace_mps[i])))
        return min(cut, max(walker.resume_s, felt.t_s))

    def _hung(self, t_s: float) -> bool:
        """Whether the guard hangs or begins again; it begins anew when that is over."""
        for hang in self._hangs:
            if hang.from_s <= t_s < hang.from_s + HANG_S + RESTART_S:
                if self._last.level or self._last.faults:  # motors are at rest on the way out
                    self._last = Felt(hang.from_s, CLEAR, NOTHING, None)
                    self._felt.append(self._last)
                return True
            if t_s >= hang.from_s and len(self._armed) < 1 + self._hangs.index(hang):
                self._guard = Rearguard(self._config, self._profile, t_s)
                self._armed.append(t_s)
        return False


def _when(item: tuple[float, Reading | Scan]) -> float:
    return item[1].t_s


def models(
    scenario: Scenario, config: Config, seed: int, ideal: bool = False, rest_s: float | None = None
) -> list[Model]:
    """A model of each fitted sensor, in turn where they share a bus. `rest_s`: a guard that sets a pace of its own."""
    found = []
    for names in config.buses().values():
        for turn, name in enumerate(names):
            troubles = [t for t in scenario.trouble if t.is_ != "hang" and t.sensor in ("", name)]
            luck = (seed, list(config.sensors).index(name))
            fitted = Fitted(name, config.sensors[name], scenario.air, luck, scenario.lasts_s + 1.0, troubles, ideal)
            found.append(model(fitted, (turn, len(names)), rest_s))
    return found


def readings(scenario: Scenario, config: Config, seed: int, ideal: bool = False) -> list[Reading | Scan]:
    """The readings of a whole walk whose walker heeds nothing, in the order of time."""
    walk = Walk(scenario, config, config.profile, seed, obeys=False, ideal=ideal)
    stretch: Stretch = walk.way.ahead(round(scenario.lasts_s / GRID_S))
    return [item for _, item in sorted(walk.sense(stretch), key=_when)]
