"""What the air and the weather do to a measurement, and the luck of each one.

Luck is drawn once for a whole walk and belongs to the number of a reading, so that the same seed meets the same
false echoes whatever the wearer does.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from rearguard.bench.world.things import Floats

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
BURST = 3.0  # readings in a row, in the mean (assumed)
PHANTOM_MPS = (0.3, 1.5)  # how fast a phantom comes nearer (assumed: like something to stop for)
PHANTOM_SD_M = 0.005  # and how straight its course is (assumed: as straight as that of a wall)
PING_S = 0.06
NEAREST_M = 0.2  # nearer, an ultrasonic part is still ringing


class Air(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[air]` of a scenario.

    False echoes come one at a time, in bursts of noise that sets the sensor off at any moment, or as phantoms: bursts
    that lie on the course of a real thing, which no filter can tell from one.
    """

    temperature_c: Annotated[float, Meta(ge=-20.0, le=50.0)] = 20.0
    false_echoes: Literal["none", "isolated", "bursts", "phantoms"] = "isolated"
    false_share: Share = 0.03  # of all pings: seen outdoors on a bicycle
    missed_share: Share = 0.05  # of all pings: 2 to 5 % walking (assumed); 13 % were seen on a bicycle
    multipath: Share = 0.3  # of missed echoes of near things come back from a second bounce (assumed)
    crosstalk: bool = False  # another ultrasonic sensor near by pings at its own pace
    sun: Share = 0.0  # how much of full sunlight falls on what a LiDAR looks at
    glare: Share = 0.0  # of a LiDAR's answers are the code for a dazzled sensor
    rain: Share = 0.0  # how much of a heavy rain
    unfit_share: Share = 0.0  # of a LiDAR's answers have a signal too weak to measure, for no reason


class Luck:
    """The luck of `count` readings of an ultrasonic sensor or a single beam."""

    def __init__(self, air: Air, count: int, most_m: float, seed: tuple[int, ...]) -> None:
        draw = np.random.default_rng(seed)
        self.gauss: Floats = draw.standard_normal((3, count))  # of distance, level, wandering
        self.missed: Floats = draw.random(count) < air.missed_share
        self.chance: Floats = draw.random((2, count))
        self.false = np.full(count, np.inf)  # distance of a false echo; inf where there is none
        if air.false_echoes == "isolated":
            here = draw.random(count) < air.false_share
            self.false[here] = draw.uniform(NEAREST_M, most_m, int(here.sum()))
        elif air.false_echoes != "none":
            for start in np.flatnonzero(draw.random(count) < air.false_share / BURST):
                length = int(draw.geometric(1.0 / BURST))
                room = self.false[start : start + length]
                room[:] = _burst(air.false_echoes == "phantoms", length, most_m, draw)[: len(room)]
        self.start = float(draw.random())  # of the unit: its bias, the phase of another one's pings
        self.drift = float(draw.standard_normal())


def _burst(phantom: bool, length: int, most_m: float, draw: np.random.Generator) -> Floats:
    """Noise that sets off the sensor at any time, or what comes nearer just as a real thing would."""
    if not phantom:
        return draw.uniform(NEAREST_M, most_m, length)
    way = draw.uniform(*PHANTOM_MPS) * PING_S * np.arange(length)
    echoes = draw.uniform(NEAREST_M, most_m) - way + PHANTOM_SD_M * draw.standard_normal(length)
    return np.clip(echoes, NEAREST_M, most_m)


def crosstalk(luck: Luck, numbers: Floats, period_s: float, jitter_s: float, c_mps: float, most_m: float) -> Floats:
    """Where another sensor's ping seems to come from, at each of our pings; inf where it falls out of range.

    Its period differs from ours by up to some 0.3 ms (crystals and sleeping processes), so the ghost drifts.
    """
    after = luck.start * period_s + luck.drift * DRIFT_S * numbers + jitter_s * luck.chance[0][numbers]
    ghost = (after % period_s) * c_mps / 2.0
    return np.where((ghost >= NEAREST_M) & (ghost <= most_m), ghost, np.inf)


DRIFT_S = 0.0002
