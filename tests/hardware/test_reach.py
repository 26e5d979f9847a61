"""What is screwed reaches through its nut, and the supply cable reaches the power bank."""

from __future__ import annotations

import re

import pytest

from mounts import check
from mounts.bracket import FACE, seat
from mounts.cradles import CRADLES, NUT_DEEP
from mounts.parameters import FILE, load
from mounts.parts import fitted, wearer
from mounts.shapes import rod_y

P = load()
README = FILE.with_name("README.md").read_text("utf-8")
NUT = 2.4  # ISO 4032, M3


@pytest.mark.parametrize(("sensor", "named"), [("hcsr04", "hcsr04-front"), ("outdoor", "outdoor-front")])
def test_the_screws_of_a_cradle_reach_through_their_nuts_and_meet_nothing_beneath(sensor: str, named: str) -> None:
    (row,) = (line for line in README.splitlines() if line.startswith(f"| {named} to its back |"))
    count, length = map(int, re.findall(r"(\d+) M3x(\d+)", row)[0])
    screws = CRADLES[sensor](P).screws
    assert len(screws) == count
    for x, y, z in screws:
        assert length >= y - (FACE + NUT_DEEP) + NUT
        rod = rod_y(3.0, (y - length, y), x, z)
        for height, tilt in check.settings(P):
            printed = fitted(P, sensor, height, tilt).printed
            for solid in (printed["belt-plate"], printed["upright"], wearer(P)):
                assert (seat(P, rod, height, tilt) ^ solid).volume() == pytest.approx(0.0, abs=1e-3)
