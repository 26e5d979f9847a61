"""How a waist moves while its owner walks: the way a sensor on a belt is carried.

All of it scales with the pace, for a slow walk is a calm one; a person who stands sways a little.
"""

from __future__ import annotations

from math import pi
from typing import NamedTuple

import numpy as np

from rearguard.bench.world.things import Floats

TAU = 2 * pi
SLOW_HZ, QUICK_HZ = 1.5, 2.0  # 90 to 120 steps a minute (general knowledge)
QUICK_MPS = 1.2  # the pace that goes with the latter (assumed)


class Gait(NamedTuple):
    """Amplitudes at 1 m/s, half of what is seen from peak to peak."""

    ripple: float = 0.075  # of the pace: 0.1 to 0.2 m/s peak to peak (general knowledge)
    bob_m: float = 0.02  # 3 to 5 cm peak to peak (general knowledge)
    sway_m: float = 0.02  # 4 cm from side to side (general knowledge)
    yaw_deg: float = 5.0  # 8 to 12 degrees peak to peak (general knowledge)
    pitch_deg: float = 2.0  # 3 to 5 degrees peak to peak (general knowledge)
    postural_m: float = 0.004  # swaying on the spot, to and fro (assumed)


POSTURAL_HZ = 0.4  # quiet standing sways well below 1 Hz (general knowledge)
SWING_M = 0.20  # a hand comes 10 to 25 cm behind the hip (general knowledge)
SWING_MPS = 0.4  # slower than this the arms hang still (assumed)


def step_hz(speed_mps: Floats) -> Floats:
    """Steps a second at a pace."""
    return SLOW_HZ + (QUICK_HZ - SLOW_HZ) * np.clip(speed_mps / QUICK_MPS, 0.0, 1.0)


def vigour(speed_mps: Floats) -> Floats:
    """How much of the amplitudes at 1 m/s there is at a pace."""
    return np.clip(speed_mps, 0.0, 1.3)


def hand(phase: Floats, side: int) -> Floats:
    """How far behind the hip a hand is, in m, at a phase counted in steps; the arms take turns."""
    return SWING_M * np.sin(pi * phase + (0.0 if side > 0 else pi))
