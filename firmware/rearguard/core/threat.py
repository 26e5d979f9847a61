"""How dangerous a track is: the distance needed to stop, against the distance there is."""

from __future__ import annotations

from enum import IntEnum
from math import sqrt
from typing import NamedTuple

from rearguard.core.track import MILD, Track


class Level(IntEnum):
    """What the wearer should do, mildest first."""

    CLEAR = 0  # walk
    NOTICE = 1  # something is coming up
    WARN = 2  # slow down
    STOP = 3  # stop now


CLEAR, NOTICE, WARN, STOP = Level  # named once: looking one up in the enum costs more


class Profile(NamedTuple):
    """How fast the wearer reacts and stops."""

    name: str
    t_sys_s: float  # from echo to felt vibration
    t_react_s: float  # from vibration to braking
    decel_mps2: float
    margin_m: float  # the trailing foot reaches up to 0.40 m behind the pelvis (docs/facts.md)


PROFILES = {
    "default": Profile("default", 0.20, 0.75, 1.5, 0.45),
    "cautious": Profile("cautious", 0.20, 1.0, 1.0, 0.45),
}

WARN_S, NOTICE_S = 0.5, 1.0  # earlier than STOP, at the present speed
SEE_S = 0.25  # a sensor must see this much beyond NOTICE, to confirm a track in time
SEE_ROUNDS = 4  # or this many of its readings, where they are far apart: three that agree, and one that may miss
MOVING_MPS, STILL_MPS = 0.10, 0.05  # slower is swaying on the spot: raises nothing, and releases
SURE = 2.0  # deviations: one false echo beside a still thing looks like motion, but its course scatters
RELEASE_M = 0.15  # more room than it took to raise
RECEDING_MPS = 0.2  # what falls behind this fast means that the wearer walks forward


def stop_distance(closing_mps: float, profile: Profile) -> float:
    """Distance in m from the sensor at which the wearer must be told to stop, at a speed of at least 0."""
    v = closing_mps
    return v * (profile.t_sys_s + profile.t_react_s) + v * v / (2 * profile.decel_mps2) + profile.margin_m


def max_speed(proved_range_m: float, profile: Profile, round_s: float = 0.0) -> float:
    """The fastest walk in m/s for which a sensor that sees `proved_range_m` can still give every alert.

    `round_s`: how long it takes until it looks again, where that is long.
    """
    room = proved_range_m - profile.margin_m
    if room <= 0:
        return 0.0
    if room == float("inf"):
        return room
    # room = v * b + v^2 / 2a, solved for v
    a, b = profile.decel_mps2, profile.t_sys_s + profile.t_react_s + NOTICE_S + max(SEE_S, SEE_ROUNDS * round_s)
    return a * (sqrt(b * b + 2 * room / a) - b)


def judge(track: Track, profile: Profile, held: Level, fastest_mps: float, ahead_s: float = 0.0) -> Level:
    """The level one track deserves while `held` is being felt (which it takes more room to release).

    Nearer, or closing faster, never gets a lower level. `fastest_mps`: see `max_speed`.
    `ahead_s`: it is judged as it will be then; for a sensor that looks seldom, halfway to its next reading.
    """
    _, distance, v, deviation, _, arrived, mild = track
    if arrived:
        return (NOTICE if mild == MILD else CLEAR) if mild else STOP
    if held is CLEAR:
        if v - SURE * deviation < MOVING_MPS:
            return CLEAR
    elif v < STILL_MPS:
        return CLEAR
    _, t_sys, t_react, decel, margin = profile
    room = distance - (v * (ahead_s + t_sys + t_react) + v * v / (2 * decel) + margin)  # stop_distance
    if room < (RELEASE_M if held is STOP else 0.0):
        level = STOP
    elif room < WARN_S * v + (RELEASE_M if held >= WARN else 0.0):
        level = WARN
    elif room < NOTICE_S * v + (RELEASE_M if held >= NOTICE else 0.0) or v - SURE * deviation > fastest_mps:
        level = NOTICE
    else:
        return CLEAR
    return (NOTICE if mild == MILD else CLEAR) if mild else level
