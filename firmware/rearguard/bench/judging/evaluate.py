"""Many walks: scenarios x fits x profiles x seeds x guards, each scored against the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from rearguard.bench.judging.agreement import Agreement
from rearguard.bench.judging.crew import spread
from rearguard.bench.judging.peers import Maker, Peer, front, peers
from rearguard.bench.walking import quick
from rearguard.bench.walking.quick import Felt
from rearguard.bench.walking.score import Walked, score
from rearguard.bench.world import fit as fits
from rearguard.bench.world import scenario
from rearguard.config import Config
from rearguard.core.reading import Input, Reading
from rearguard.core.threat import CLEAR, PROFILES, STOP, Profile
from rearguard.errors import InputError

OURS = "rearguard"
AGREE = "both must agree"
OWN_PACE = ", own pace"  # gpiozero as it runs: it waits after each echo, which takes up to 38 ms
GPIOZERO_REST_S = 0.06  # sample_wait of gpiozero 2.0.1.post3, DistanceSensor
PIECE_S = 600.0  # of walking, in one piece of work: small enough for smooth progress
PEER_PACE_MPS = 1.0  # a belt has one threshold, whatever the pace of the day; this one suits a brisk walk
FIRST_SEED = 1000  # of what is reported; the alerts were tuned on seeds below


class Task(NamedTuple):
    """One piece of work: some walks of one scenario."""

    scenario: str
    fit: str
    profile: str
    guard: str
    obeys: bool
    echoes: str  # false echoes: "none", "isolated", "bursts", "phantoms", or as the scenario has them: ""
    seeds: range


class Plan(NamedTuple):
    """What is to be walked."""

    scenarios: Sequence[str]
    fits: Sequence[str] = ("ultrasonic",)
    profiles: Sequence[str] = ("default",)
    guards: Sequence[str] = (OURS,)
    walks: int = 30
    first_seed: int = FIRST_SEED
    echoes: str = ""
    obeys: bool = True

    def tasks(self) -> list[Task]:
        """The pieces of work. Raises InputError, ConfigError for what is not there."""
        found = []
        for name in self.scenarios:
            piece = max(int(PIECE_S / scenario.load(name).lasts_s), 1)
            last = self.first_seed + self.walks
            for belt in self.fits:
                senses = [part.senses() for part in fits.load(belt).sensors.values()]
                single = len(senses) == 1 and not senses[0].sweeps
                for guard in self.guards:
                    if guard not in (OURS, AGREE) and not single:
                        raise InputError(f"{guard!r} takes one single-beam sensor; the fit {belt!r} has others")
                    for profile in self.profiles:
                        found += [
                            Task(name, belt, profile, guard, self.obeys, self.echoes, range(at, min(at + piece, last)))
                            for at in range(self.first_seed, last, piece)
                        ]
        return found

    def limits(self) -> dict[tuple[str, str], str]:
        """What a fit physically cannot see, and why."""
        found = {}
        for name in self.scenarios:
            for belt in self.fits:
                why = scenario.load(name).declared([part.driver for part in fits.load(belt).sensors.values()])
                if why:
                    found[name, belt] = why
        return found


def evaluate(
    plan: Plan,
    workers: int | None = None,
    scheduler: str | None = None,
    done: Callable[[int, int], None] | None = None,
) -> list[Walked]:
    """Every walk of a plan, in its order. `done(finished, all)` pieces of work. Raises InputError, ConfigError."""
    pieces = spread(work, plan.tasks(), workers=workers, scheduler=scheduler, done=done)
    return [walked for piece in pieces for walked in piece]


def work(task: Task) -> list[Walked]:
    """Walk one piece of work."""
    route, belt = scenario.load(task.scenario), fits.load(task.fit)
    if task.echoes:
        air = msgspec.structs.replace(route.air, false_echoes=task.echoes)
        route = msgspec.structs.replace(route, air=air)
    profile = PROFILES[task.profile]
    belt = msgspec.structs.replace(belt, profile=profile)
    fastest = fits.fastest_mps(belt)
    found = []
    for seed in task.seeds:
        guard = _guard(task.guard, belt, profile)
        record = quick.Walk(route, belt, profile, seed, task.obeys, guard=guard).run()
        found.append(
            score(
                record,
                route,
                fit=task.fit,
                profile=task.profile,
                seed=seed,
                guard=task.guard,
                obeys=task.obeys,
                fastest_mps=fastest,
            )
        )
    return found


class PeerGuard:
    """A peer in the place of the guard. It knows nothing of faults."""

    def __init__(self, peer: Peer, rest_s: float | None = None) -> None:
        """`rest_s`: it pings by itself, and rests for so long after each echo."""
        self._peer, self._level, self.rest_s = peer, CLEAR, rest_s
        self.wake_s = float("inf")

    def take(self, inputs: tuple[Input, ...], now_s: float) -> Felt | None:
        level = self._level
        for item in inputs:
            if isinstance(item, Reading):
                level = STOP if self._peer.take(item.t_s, item.distance_m) else CLEAR
        if level is self._level:
            return None
        self._level = level
        return Felt(now_s, level, (), None)


def guard_names(against: str | None) -> list[str]:
    """The guards of `--against`: what a maker would use ("peers"), the same with other parameters ("front"), or ours
    with two sensors that must agree ("agreement")."""
    profile = PROFILES["default"]
    if against == "peers":
        return [OURS, f"gpiozero{OWN_PACE}", *(peer.name for peer in peers(profile, PEER_PACE_MPS))]
    if against == "front":
        return [OURS, *(name for name, _ in front(profile, PEER_PACE_MPS))]
    return [OURS, AGREE] if against == "agreement" else [OURS]


@lru_cache(maxsize=8)
def _makers(profile: str) -> dict[str, Maker]:
    return dict(front(PROFILES[profile], PEER_PACE_MPS))


def _guard(name: str, belt: Config, profile: Profile) -> quick.Guard | None:
    if name == OURS:
        return None
    if name == AGREE:
        return Agreement(belt, profile)
    own_pace = name.endswith(OWN_PACE)
    peer = _makers(profile.name)[name.removesuffix(OWN_PACE)]()
    return PeerGuard(peer, GPIOZERO_REST_S if own_pace else None)
