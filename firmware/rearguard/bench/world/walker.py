"""A person who walks backward, and what the belt makes of the pace.

What is felt acts after a reaction, and braking begins with the next footfall, so that the way of the coming half
second is always known already. The pace over time is a plan: from when, toward which speed, how briskly.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import numpy as np

from rearguard.bench.world.gait import step_hz
from rearguard.bench.world.things import Floats
from rearguard.core.threat import Level

GRID_S = 0.01  # of the world
RISE_S = 0.08  # a coin motor is felt this long after it is driven (50 to 100 ms, makers' data)
REACT_S, REACT_SD_S, REACT_LEAST_S, REACT_MOST_S = 0.45, 0.08, 0.30, 0.65  # 0.35 to 0.5 s and a second task's 0.13 s
BRAKE_MPS2, BRAKE_SD, BRAKE_LEAST_MPS2 = 1.7, 0.15, 1.5  # rapid stops take 463 to 574 ms at 1.2 to 1.3 m/s
PACE_SHARE, LATE_S = 0.02, 0.5  # nobody walks to the millimetre (assumed)
START_MPS2 = 0.8  # setting off is gentler (assumed)
CAREFUL = 0.6  # of the usual pace, while WARN is felt (assumed)
FAST_S = 0.5  # pulses of one motor nearer together than this mean: slow down
HOLD_S = 0.4  # a rhythm goes on when its next pulse comes within this time
QUIET_S = 1.5  # without an alert before walking on (assumed)
FREE_M = 2.0  # and with this much room: whoever was told to stop looks back before walking on (assumed)


class Habits(NamedTuple):
    """One person."""

    pace_mps: float
    react_s: float = REACT_S
    brake_mps2: float = BRAKE_MPS2
    phase: float = 0.0  # of the gait, in steps, when setting off
    late_s: float = 0.0  # sets off this much later than told

    @classmethod
    def drawn(cls, pace_mps: float, random: Random) -> Habits:
        """Somebody, within what is known of people."""
        react = min(max(random.gauss(REACT_S, REACT_SD_S), REACT_LEAST_S), REACT_MOST_S)
        brake = max(random.gauss(BRAKE_MPS2, BRAKE_SD), BRAKE_LEAST_MPS2)
        pace = pace_mps * (1.0 + random.uniform(-PACE_SHARE, PACE_SHARE))
        return cls(pace, react, brake, 2 * random.random(), LATE_S * random.random())


class Intent(NamedTuple):
    """From `from_s` on, toward `speed_mps`, changing by `rate_mps2`."""

    from_s: float
    speed_mps: float
    rate_mps2: float


class Walker:
    """Turns what is felt into intents. Times only rise."""

    def __init__(self, habits: Habits, obeys: bool, sets_off_s: float) -> None:
        self.habits, self.obeys = habits, obeys
        self.plan = [Intent(sets_off_s + habits.late_s, habits.pace_mps, START_MPS2)]
        self._level = Level.CLEAR
        self._sets_off_s = self.plan[0].from_s
        self._faulty = self._halting = False
        self.resume_s = float("inf")  # when to think of walking on

    def feel(self, level: Level, faulty: bool, t_s: float, phase: float, speed_mps: float) -> None:
        """The alert changes at `t_s`, when the gait is at `phase` (in steps) and the pace is `speed_mps`."""
        raised = level > self._level or (faulty and not self._faulty)
        self._level, self._faulty = level, faulty
        if not self.obeys:
            return
        at = t_s + RISE_S + self.habits.react_s
        if raised and (level is Level.STOP or faulty):
            if not self._halting:
                hz = float(step_hz(speed_mps))
                at += -(phase + (at - t_s) * hz) % 1.0 / hz  # the foot that is in the air comes down first
                self._halting = True
                self._will(Intent(at, 0.0, self.habits.brake_mps2))
        elif raised and level is Level.WARN and not self._halting:
            self._will(Intent(at, CAREFUL * self.habits.pace_mps, self.habits.brake_mps2))
        calm = level <= Level.NOTICE and not faulty
        self.resume_s = (t_s + QUIET_S if self.resume_s == float("inf") else self.resume_s) if calm else float("inf")

    def consider(self, t_s: float, free_m: float) -> None:
        """At `resume_s`: walk on, if a look over the shoulder shows room enough."""
        if self._halting and free_m < FREE_M:
            self.resume_s = t_s + QUIET_S
            return
        self.resume_s = float("inf")
        if self.plan[-1].speed_mps < self.habits.pace_mps:
            self._halting = False
            self._will(Intent(t_s, self.habits.pace_mps, START_MPS2))

    def halt(self, at_s: float) -> None:
        """Stop of one's own will, for good."""
        self.resume_s, self._halting, self.obeys = float("inf"), True, False
        self._will(Intent(at_s, 0.0, self.habits.brake_mps2))

    def _will(self, intent: Intent) -> None:
        intent = intent._replace(from_s=max(intent.from_s, self._sets_off_s))
        self.plan = [old for old in self.plan if old.from_s < intent.from_s]
        self.plan.append(intent)

    def speeds(self, times: Floats, speed_mps: float) -> Floats:
        """The pace at `times`, GRID_S apart, from `speed_mps` at the first of them on."""
        found = np.full(len(times), speed_mps)
        for i, intent in enumerate(self.plan):
            until = self.plan[i + 1].from_s if i + 1 < len(self.plan) else float("inf")
            first, last = np.searchsorted(times, [intent.from_s - 1e-9, until - 1e-9])
            if first == last:
                continue
            base = found[first - 1] if first else speed_mps
            change = intent.rate_mps2 * GRID_S * np.arange(1, last - first + 1)
            found[first:last] = base + np.clip(intent.speed_mps - base, -change, change)
            found[last:] = found[last - 1]
        return found


class Skin:
    """What somebody makes of the motors: the place is told apart at once, the rhythm from the second pulse on."""

    def __init__(self) -> None:
        self._all_s = self._one_s = self._before_s = float("-inf")
        self._lit: tuple[bool, ...] = ()

    def feel(self, duties: Sequence[float], t_s: float) -> Level:
        """The level that the motors tell, as of `t_s`. All of them at once mean stop: a danger, or a fault."""
        lit = tuple(duty > 0.0 for duty in duties)
        if any(lit):
            if all(lit) or sum(lit) > 1:  # they start a few at a time
                self._all_s = t_s
            elif lit != self._lit:
                self._before_s, self._one_s = self._one_s, t_s
        self._lit = lit
        if t_s - self._all_s < HOLD_S:
            return Level.STOP
        if t_s - self._one_s < HOLD_S:
            return Level.WARN if self._one_s - self._before_s < FAST_S else Level.NOTICE
        return Level.CLEAR
