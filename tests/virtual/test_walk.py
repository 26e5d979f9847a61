"""A walk on a real kernel: lines in, lines out, and the service between them as it was installed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from machine import Machine
from rhythm import delays, first, meaning, pulses, quantile

from conftest import DEFAULT

PACE_MPS = 0.6
WALL = [[0, 3.0], [1, 3.0], [1 + 2.5 / PACE_MPS, 0.5]]  # stands, walks to 0.5 m before the wall, stands
STOP_M = PACE_MPS * (0.20 + 0.75) + PACE_MPS**2 / (2 * 1.5) + 0.45  # docs/design.md, default profile
DUE_M = {"STOP": STOP_M, "WARN": STOP_M + 0.5 * PACE_MPS, "NOTICE": STOP_M + 1.0 * PACE_MPS}
LUNA = '[sensor.rear]\ndriver = "benewake"\nmodel = "tf-luna"\nport = "/run/lidar"\nbearing_deg = 0\n'


def config(factory: str = "lgpio", sensor: str | None = None) -> str:
    """The starter belt, with another pin factory or another sensor."""
    head, _, rest = DEFAULT.read_text().partition("[sensor.rear]")
    mine, _, tail = rest.partition("[belt]")
    head = head.replace('pin_factory = "lgpio"', f'pin_factory = "{factory}"')
    return f"{head}{sensor or '[sensor.rear]' + mine}\n[belt]{tail}"


RPIGPIO = """mkdir -p /run/systemd/system/rearguard.service.d
cat >/run/systemd/system/rearguard.service.d/rpigpio.conf <<'END'
[Service]
Environment=PYTHONPATH=/usr/share/rpigpio RPI_LGPIO_REVISION=c03115
END
systemctl daemon-reload"""
ZIGZAG = 12  # approaches, each with three levels that begin


@pytest.fixture(scope="module", params=["hcsr04 on lgpio", "tf-luna on lgpio", "hcsr04 on rpi-lgpio"])
def fitted(belt: Machine, request: pytest.FixtureRequest) -> tuple[Machine, str, str]:
    """The belt with each sensor and each pin library: machine, emulated part, name."""
    sensor, _, factory = request.param.partition(" on ")
    part = "lidar" if sensor == "tf-luna" else "echo"
    if part == "lidar":
        belt.ask("wire", part="lidar", arguments=["/run/lidar"])
        belt.ask("configure", text=config(sensor=LUNA))
    elif factory == "rpi-lgpio":
        belt.ask("shell", command=RPIGPIO)
        belt.ask("configure", text=config("rpigpio"))
    belt.ask("course", part=part, points=[[0, 3.0]], wait_s=1.5)
    return belt, part, request.param


@pytest.fixture(scope="module")
def walk(fitted: tuple[Machine, str, str]) -> dict[str, Any]:
    """One walk to a wall."""
    belt, part, name = fitted
    return {**belt.ask("course", part=part, points=WALL, wait_s=8.0), "name": name}


def felt(walk: dict[str, Any]) -> list[tuple[str, float]]:
    """Meaning and start of each pulse, in seconds of the walk."""
    return [(meaning(pulse), round(pulse.on_s - walk["began_s"], 3)) for pulse in pulses(walk["events"])]


def test_each_level_comes_at_its_distance(walk: dict[str, Any]) -> None:
    for level, due_m in DUE_M.items():
        pulse = first(pulses(walk["events"]), level)
        assert pulse, f"{level} was not felt: {felt(walk)}"
        at_m = 3.0 - PACE_MPS * (pulse.on_s - walk["began_s"] - 1)
        print(f"{walk['name']}: {level} at {at_m:.3f} m, due at {due_m:.3f} m")
        assert abs(at_m - due_m) < 0.10, felt(walk)


def test_the_rhythm_is_the_table_s(walk: dict[str, Any]) -> None:
    names = [name for name, _ in felt(walk) if name]
    assert names == sorted(names, key=["NOTICE", "WARN", "STOP"].index), names
    assert len(felt(walk)) - len(names) <= 2, "one pulse may be cut by the next level, one by the end"
    stops = [pulse for pulse in pulses(walk["events"]) if meaning(pulse) == "STOP"]
    pauses = [after.on_s - before.off_s for before, after in pairwise(stops)]
    assert len(stops) > 5
    assert all(abs(pause - 0.08) < 0.01 for pause in pauses), pauses
    warns = [pulse for pulse in pulses(walk["events"]) if meaning(pulse) == "WARN"]
    assert all(pulse.motors == (13,) for pulse in warns), "straight behind is the middle motor"


def test_who_stands_is_left_in_peace(walk: dict[str, Any]) -> None:
    stood_s = 1 + 2.5 / PACE_MPS
    assert all(at_s < stood_s + 1.0 for _, at_s in felt(walk)), felt(walk)
    assert walk["status"] == "guarding"


def test_distance_is_true(walk: dict[str, Any]) -> None:
    """Within 1 cm; a TF-Luna, which tells whole centimetres, within 2 (its noise is in what was true)."""
    ends = [(answered, distance) for _, distance, answered in walk["truth"]]
    off = []
    for line in walk["journal"]:
        if line.get("status") == "ok" and line["t_s"] > walk["began_s"] + 0.1:
            off.append(abs(line["distance_m"] - min(ends, key=lambda end: abs(end[0] - line["t_s"]))[1]))
    assert len(off) > 100
    print(f"{walk['name']}: {len(off)} readings, worst {1000 * max(off):.1f} mm off")
    assert max(off) < (0.02 if "luna" in walk["name"] else 0.01)


@pytest.mark.parametrize("distance_m", [0.2, 0.5, 1.0, 2.0, 3.5])
def test_distance_is_true_at_each_range(fitted: tuple[Machine, str, str], distance_m: float) -> None:
    belt, part, name = fitted
    stood = belt.ask("course", part=part, points=[[0, distance_m]], wait_s=2.5)
    told = [line["distance_m"] for line in stood["journal"] if line.get("status") == "ok"][4:]
    true = [distance for _, distance, _ in stood["truth"]][4:]
    assert len(told) > 30
    off = sum(told) / len(told) - sum(true) / len(true)
    print(f"{name} at {distance_m} m: {1000 * off:+.1f} mm on average of {len(told)}")
    assert abs(off) < 0.01


def test_latency_from_echo_to_motor(fitted: tuple[Machine, str, str]) -> None:
    """From the end of an echo (or of a frame) that raises the level to the motor's edge, on the same clock."""
    belt, part, name = fitted
    once = ((0.0, 2.4), (0.2, 2.4), (2.0, 0.8), (3.2, 2.4))
    points = [[3.4 * i + t_s, m] for i in range(ZIGZAG) for t_s, m in once]
    walked = belt.ask("course", part=part, points=points, wait_s=3.4 * ZIGZAG)
    lags = delays(walked["journal"], [end for *_, end in walked["truth"]], walked["events"])
    p50, p99 = quantile(lags, 0.5), quantile(lags, 0.99)
    print(f"{name}: echo to motor, {len(lags)} times: p50 {1e3 * p50:.2f} ms, p99 {1e3 * p99:.2f} ms")
    assert len(lags) > ZIGZAG
    assert p99 < 0.010, "docs/design.md gives logic and scheduling 10 ms"


def test_processor_time(fitted: tuple[Machine, str, str]) -> None:
    """Of the guard for each second of guarding, on 500 million instructions a second."""
    belt, part, name = fitted
    belt.ask("course", part=part, points=[[0, 3.0]], wait_s=3.0)
    used = belt.ask("cpu")
    print(f"{name}: {100 * used['cpu']:.2f} % of the processor, {used['wakes']:.0f} wake-ups a second")
    assert used["cpu"] < (0.03 if part == "echo" else 0.08)
    assert used["writes"] < 30, "nothing is pulsed while nothing is felt"
