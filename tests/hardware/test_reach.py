"""What is screwed reaches through its nut, and the supply cable reaches the power bank."""

from __future__ import annotations

import re
from math import ceil

import numpy as np
import pytest

from mounts import check, scene
from mounts.box import box_body, box_lid
from mounts.bracket import FACE, seat
from mounts.cradles import CRADLES, NUT_DEEP
from mounts.parameters import FILE, load
from mounts.parts import fitted, wearer
from mounts.pod import pod_clip
from mounts.shapes import join, rod_y
from mounts.waist import BACK, BOX, near, place, webbing_line
from wiring import Build

P = load()
README = FILE.with_name("README.md").read_text("utf-8")
NUT = 2.4  # ISO 4032, M3
SLACK_MM = 60.0  # of the supply cable: a loop and a tie at either end


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


def test_the_supply_cable_of_the_parts_list_reaches_the_bank_in_its_pouch_with_slack_for_two_loops() -> None:
    (cm,) = re.findall(r"(\d+) cm$", Build("outdoor").parts["usb-cable"]["name"])
    assert 10 * int(cm) >= scene.length_mm(scene.supply(P)) + SLACK_MM


def test_the_supply_cable_is_drawn_from_the_socket_to_the_bank_and_around_box_and_pods() -> None:
    printed = place(BOX).put(box_body(P) + box_lid(P))
    pods = [near(webbing_line(P), degrees).put(pod_clip(P).mirror((0, 0, 1)), -1.5) for degrees in scene.PODS]
    bag = place(scene.POUCH).put(join(scene.pouch()), 1.0)
    cable = scene.tube(scene.supply(P), scene.SUPPLY_MM)
    for solid in (printed, *pods):
        assert (cable ^ solid).volume() == pytest.approx(0.0, abs=1e-3)
        assert (bag ^ solid).volume() == pytest.approx(0.0, abs=1e-3)
    assert [(printed ^ pod).volume() for pod in pods] == pytest.approx([0.0] * len(pods), abs=1e-3)
    assert (cable ^ bag).volume() > 10.0


def test_the_pouch_is_in_front_of_the_box_at_the_same_side_and_leaves_the_buckle_free() -> None:
    """Degrees: 90 is the back, 0 the left, -90 the buckle."""
    bag = place(scene.POUCH).put(scene.pouch()[0], 1.0)
    x0, y0, _, x1, y1, _ = bag.bounding_box()
    assert BACK > BOX > scene.POUCH > -60.0
    assert x0 > 60.0  # mm beside the buckle's middle
    assert np.hypot(*webbing_line(P).T).max() < np.hypot(max(x1, -x0), max(y1, -y0))  # outside of the webbing


def test_the_pages_tell_where_the_pouch_is() -> None:
    assert f"From socket to socket it is {ceil(scene.length_mm(scene.supply(P)) / 10)} cm" in " ".join(README.split())
    assert "in front of it the pouch" in README.partition("](pictures/belt.png)")[0]
    steps = FILE.parents[1] / "starter" / "README.md"
    for page in (README, steps.read_text("utf-8"), steps.parents[1].joinpath("safety.md").read_text("utf-8")):
        assert "in front of the box" in " ".join(page.split())
