"""What the drivers decode from pins and bytes is what was modelled, and that is the geometry of the world."""

from __future__ import annotations

from math import cos, radians

import pytest

from bench_help import CALM_AIR, made, wall
from rearguard.bench.walking.quick import readings
from rearguard.bench.walking.walk import Walk
from rearguard.bench.world import fit
from rearguard.bench.world.scenario import Scenario
from rearguard.core.reading import CLEAR, OK, WEAK, Reading, Scan

NEAR = {"ultrasonic": 0.001, "tf-luna": 0.0051}  # in m: what the wire rounds to
SCAN_M = 0.002


def course(**tables: object) -> Scenario:
    """Past a post, to a wall, with everything that the air does."""
    return made(
        lasts_s=5.0,
        walker={"pace_mps": 0.6, "sets_off_s": 0.0},
        wall=[wall(3.6)],
        post=[{"at": [0.5, 2.0], "diameter_m": 0.1}],
        **tables,
    )


def heard(scenario: Scenario, name: str, seed: int) -> list[tuple[float, Reading | Scan]]:
    """All that the drivers decode while somebody walks who heeds nothing."""
    belt = fit.load(name)
    walk = Walk(scenario, belt, belt.profile, seed, obeys=False)
    moments = [moment for moment in walk.run() if moment.walking]
    return [(moment.way.t_s[0], item) for moment in moments for item in moment.heard]


@pytest.mark.parametrize(("name", "seed"), [("ultrasonic", 1), ("ultrasonic", 2), ("tf-luna", 1)])
def test_a_single_beam_says_on_the_wire_what_was_modelled(name: str, seed: int) -> None:
    scenario = course(air={"glare": 0.02, "unfit_share": 0.02})
    got = heard(scenario, name, seed)
    expected = readings(scenario, fit.load(name), seed)
    assert len(got) == len(expected)
    assert {item.status for item in expected} >= {OK, CLEAR if name == "ultrasonic" else WEAK}
    for (_, item), model in zip(got, expected, strict=True):
        assert item.status is model.status
        if model.distance_m is not None:
            assert item.distance_m == pytest.approx(model.distance_m, abs=NEAR[name])


def test_a_sweep_says_on_the_wire_what_was_modelled_when_it_was_complete() -> None:
    scenario = course()
    got = heard(scenario, "ld06", 2)
    expected = readings(scenario, fit.load("ld06"), 2)[1:]  # the first was begun before the walk
    assert len(got) in (len(expected), len(expected) + 1)
    points = 0
    for (t_s, item), model in zip(got, expected, strict=False):
        assert t_s == pytest.approx(model.t_s, abs=0.021)
        step = model.bearings_deg[1] - model.bearings_deg[0]
        for bearing, range_m in zip(item.bearings_deg, item.ranges_m, strict=True):
            place = (bearing - model.bearings_deg[0]) / step
            near = [i for i in (int(place), int(place) + 1) if 0 <= i < len(model.ranges_m) and abs(i - place) < 0.51]
            said = [model.ranges_m[i] for i in near]
            if range_m is None:
                assert None in said or not said
            else:
                points += 1
                assert min(abs(range_m - r) for r in said if r is not None) <= SCAN_M
    assert points > 2000


def test_without_noise_the_models_are_the_geometry() -> None:
    scenario = made(
        lasts_s=3.0,
        air=CALM_AIR,
        walker={"pace_mps": 0.6, "sets_off_s": 0.0, "gait": 0.0, "hands": "still"},
        wall=[{"from": [-50.0, 3.0], "to": [50.0, 3.0]}],
    )
    belt = fit.load("ultrasonic")
    way = {round(m.way.t_s[0], 3): m.y_m for m in Walk(scenario, belt, belt.profile, 1, obeys=False).run() if m.walking}
    assert max(way.values()) > 1.0
    echoes = readings(scenario, belt, 1, ideal=True)
    for item in echoes[:-1]:  # the echo comes back a little after the ping left
        assert min(abs(3.0 - y - item.distance_m) for y in way.values()) < 1e-6
    beams = readings(scenario, fit.load("tf-luna"), 1, ideal=True)
    for item in beams:
        assert item.distance_m == pytest.approx(3.0 - way[round(item.t_s, 3)], abs=0.001)  # a beam is 2 degrees wide
    for scan in readings(scenario, fit.load("ld06"), 1, ideal=True):
        seen_at = way[round(max(scan.t_s - 0.02, 0.0), 3)]  # a sweep's middle is before its end
        for bearing, range_m in zip(scan.bearings_deg, scan.ranges_m, strict=True):
            if range_m is not None:
                assert range_m * cos(radians(bearing)) == pytest.approx(3.0 - seen_at, abs=1e-6)
        assert sum(range_m is not None for range_m in scan.ranges_m) > 100
