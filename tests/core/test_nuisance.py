"""What must not be felt, over hours: a belt that nags is taped over."""

from __future__ import annotations

from math import pi, sin
from random import Random

import pytest

from core.worlds import DEFAULT, MOTORS, SONAR, SONAR_S
from rearguard.core.pipeline import Pipeline
from rearguard.core.reading import Reading, Scan, SensorSpec, Status
from rearguard.core.threat import Level, stop_distance
from rearguard.sensors.benewake import Config as LunaConfig

HOUR_S = 3600.0
POLE_M, WALK_MPS = 0.0375, 1.0
YAW_DEG, YAW_HZ = 8.0, 0.9  # of the pelvis at each step


def raised(sensor: SensorSpec, readings: list[Reading]) -> int:
    """How often the level went up to WARN or STOP."""
    guard, last, count = Pipeline([sensor], MOTORS, DEFAULT), Level.CLEAR, 0
    for reading in readings:
        level = guard.step([reading], reading.t_s).alert.level
        count += level >= Level.WARN > last
        last = level
    return count


@pytest.mark.parametrize("distance_m", [0.3, 0.6, 1.0])
def test_standing_near_a_wall_is_quiet_among_isolated_false_echoes(distance_m: float) -> None:
    """At most the six an hour that the front of delay against false alarms allows at 3 % false, 5 % missed."""
    random = Random(4)
    readings = []
    for i in range(int(HOUR_S / SONAR_S)):
        draw, t = random.random(), i * SONAR_S
        if draw < 0.05:
            readings.append(Reading("rear", t, Status.CLEAR))
        elif draw < 0.08:
            readings.append(Reading("rear", t, Status.OK, random.uniform(0.02, 4.0)))
        else:
            readings.append(Reading("rear", t, Status.OK, distance_m + random.gauss(0.0, 0.003)))
    assert raised(SONAR._replace(name="rear"), readings) <= 6


def test_a_single_too_close_beside_a_thing_just_beyond_the_least_range_is_no_arrival() -> None:
    luna = LunaConfig(driver="benewake").spec("rear")
    random = Random(4)
    readings = [Reading("rear", i * 0.01, Status.OK, 0.29 + random.gauss(0.0, 0.005)) for i in range(1000)]
    readings[500] = Reading("rear", 5.0, Status.TOO_CLOSE)
    assert raised(luna, readings) == 0


def test_a_pole_is_stopped_for_in_time_though_the_body_yaws_at_each_step() -> None:
    """What the yaw does to its bearing is not taken for somebody who crosses."""
    late = []
    for seed in range(5):
        random = Random(seed)
        guard = Pipeline([SensorSpec("scan", noise_m=0.015)], MOTORS, DEFAULT)
        for i in range(40):
            t = i * 0.1
            y, yaw = 4.0 - WALK_MPS * t, YAW_DEG * sin(2 * pi * YAW_HZ * t + seed)
            bearings = tuple(-70.0 + 0.8 * k for k in range(176))
            half = POLE_M / y * 180 / pi
            ranges = tuple(
                y - POLE_M + random.gauss(0.0, 0.005) if abs(b - yaw) <= max(half, 0.81) else None for b in bearings
            )
            if guard.step([Scan("scan", t, bearings, ranges)], t).alert.level is Level.STOP:
                late.append(y - (stop_distance(WALK_MPS, DEFAULT) - 0.15 - 0.1 * WALK_MPS))
                break
    assert len(late) == 5
    assert min(late) >= 0.0
