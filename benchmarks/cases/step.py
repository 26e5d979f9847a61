"""One step of the core with one reading in it, in the middle of a walk toward a wall.

Counted: `Pipeline.step([reading], now)` once the track is confirmed and its window is full, from health and tracking to
the belt frame. Several walks are counted with a few steps and with more; what is left of the difference is the steps in
the middle. A 100 Hz LiDAR fits its course over 40 readings, a 60 ms ultrasonic over seven.
"""

from __future__ import annotations

from random import Random

from measure import Row, below, per_item
from rearguard.core.pipeline import Pipeline
from rearguard.core.reading import Reading, SensorSpec, Status
from rearguard.core.threat import PROFILES
from rearguard.sensors import benewake, hcsr04

WALK_MPS = 0.5
LIMIT = 60_000
MOTORS_DEG = (-90.0, 0.0, 90.0)
WALKS = 10  # with noise of its own each
STEPS = {"ultrasonic": (20, 80), "lidar": (60, 360)}  # few, which warm up, and many


def ultrasonic(steps: int) -> None:
    """From 3.5 m, every 60 ms."""
    config = hcsr04.Config(driver="hcsr04", trigger_pin=23, echo_pin=24)
    _walks(config.spec("rear"), 3.5, hcsr04.CYCLE_S, STEPS["ultrasonic"][1], steps)


def lidar(steps: int) -> None:
    """From 3 m, every 10 ms."""
    _walks(benewake.Config(driver="benewake").spec("rear"), 3.0, 0.01, STEPS["lidar"][1], steps)


def rows() -> list[Row]:
    """Instructions a step."""
    found = []
    for work, text in (("ultrasonic", "60 ms ultrasonic"), ("lidar", "100 Hz LiDAR")):
        found.append(
            below(f"one step of the core, {text}", per_item("step", work, *STEPS[work]) / WALKS, LIMIT, "instr")
        )
    return found


def _walks(spec: SensorSpec, start_m: float, period_s: float, prepared: int, steps: int) -> None:
    """Take the first `steps` readings of each of the prepared walks."""
    random = Random(1)
    for _ in range(WALKS):
        pipeline = Pipeline([spec], MOTORS_DEG, PROFILES["default"])
        walk = []
        for i in range(prepared):
            t_s = 100.0 + i * period_s
            distance_m = start_m - WALK_MPS * i * period_s + random.gauss(0.0, spec.noise_m)
            walk.append(Reading(spec.name, t_s, Status.OK, round(distance_m, 4)))
        for reading in walk[:steps]:
            tick = pipeline.step([reading], reading.t_s)
        assert tick.tracks and abs(tick.tracks[0].closing_mps - WALK_MPS) < 0.2, tick
