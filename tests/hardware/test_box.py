"""The printed box holds what the builds put into it, and every plug, cable and sound finds its way out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mounts import check
from mounts.box import box_body, box_lid
from mounts.fill import board_middle, contents, perf_middle, pi_middle, plug_y
from mounts.parameters import load
from mounts.shapes import box, rod_y

P = load()
BODY, LID = box_body(P), box_lid(P)


def test_every_board_plug_and_cable_has_its_place_in_the_box() -> None:
    assert check.boards_collide(P) == []


@pytest.mark.parametrize(
    ("changed", "meet"),
    [
        ({"inner_x_mm": 92.0, "inner_z_mm": 62.0}, ("perfboard", "box")),
        ({"inner_x_mm": 106.0}, ("PCA9685", "USB adapter")),
        ({"inner_z_mm": 81.0}, ("perfboard", "box")),
        ({"inner_y_mm": 21.0}, ("perfboard", "box-lid")),
        ({"perf_x_mm": 75.0}, ("PCA9685", "box")),
        ({"pi_usb_mm": 46.0}, ("power plug", "USB plug")),
        ({"button_deep_mm": 26.0}, ("button", "box")),
        ({"adapter_y_mm": 12.0}, ("PCA9685", "box")),
    ],
)
def test_a_box_too_small_for_what_is_in_it_is_found(changed: dict[str, float], meet: tuple[str, str]) -> None:
    assert meet in check.boards_collide(replace(P, box=replace(P.box, **changed)))


@pytest.mark.parametrize(
    ("middle", "apart"),
    [(pi_middle(P), (58.0, 23.0)), (board_middle(P), (19.0, 56.0)), (perf_middle(P), (23 * 2.54, 17 * 2.54))],
)
def test_each_board_has_a_standoff_with_a_pilot_hole_under_each_of_its_holes_as_deep_as_its_screw_goes(
    middle: tuple[float, float], apart: tuple[float, float]
) -> None:
    top = P.print.wall_mm + P.box.standoff_mm
    for sx, sz in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        at = middle[0] + sx * apart[0] / 2, middle[1] + sz * apart[1] / 2
        screw = rod_y(1.9, (top - 4.5, top), *at)  # M2.5x6 through a board of 1.6 mm goes 4.4 deep
        assert (screw ^ BODY).volume() == pytest.approx(0.0, abs=1e-3)
        floor = rod_y(1.9, (0.1, check.WALL_MM), *at)
        assert (floor - BODY).volume() == pytest.approx(0.0, abs=1e-3)
        ring = rod_y(5.8, (top - 0.5, top), *at) - rod_y(2.2, (top - 1, top + 1), *at)
        assert (ring - BODY).volume() == pytest.approx(0.0, abs=1e-3)


def test_what_is_checked_is_as_large_as_its_data_sheet_says() -> None:
    size = {name: np.ptp(np.reshape(solid.bounding_box(), (2, 3)), axis=0) for name, solid in contents(P).items()}
    assert size["perfboard"] == pytest.approx([70.0, 2.5 + 1.6 + 15.0, 50.0])  # joints, board, ULN2803A in a socket
    assert size["PCA9685"] == pytest.approx([25.4, 18.6, 62.5])
    assert size["Pi"] == pytest.approx([65.0 + 2.5, 18.6, 30.0])  # and its memory card
    assert size["buzzer"] == pytest.approx([12.0, 12.0, 9.5])
    assert size["USB adapter"] == pytest.approx([8.0, 16.0, 66.0], abs=0.02)


@pytest.mark.parametrize("from_left", [54.0, 41.4])  # Raspberry Pi Zero 2 W: PWR IN and USB
def test_both_plugs_of_the_pi_meet_their_openings_and_a_wall_is_left_between(from_left: float) -> None:
    x = pi_middle(P)[0] + P.box.pi_x_mm / 2 - from_left  # seen from outside, x grows to the left
    y, floor = plug_y(P), -P.box.inner_z_mm / 2
    plug = box((x - 5.3, x + 5.3), (y - 4.25, y + 4.25), (floor - 20, floor + 1.4))  # Micro-USB specification 1.01
    assert (plug ^ BODY).volume() == pytest.approx(0.0, abs=1e-3)
    assert (plug.translate((1.0, 0, 0)) ^ BODY).volume() > 1.0
    assert (plug.translate((0, 1.0, 0)) ^ BODY).volume() > 1.0


def test_the_buzzer_is_heard_through_the_wall_and_held_by_the_lid() -> None:
    buzzer = contents(P)["buzzer"]
    x0, y0, z0, x1, y1, _ = buzzer.bounding_box()
    before = box((x0, x1), (y0, y1), (z0 - 0.8 - P.print.wall_mm, z0 - 0.8))  # the wall before it
    assert (before - BODY).volume() / P.print.wall_mm > 10.0  # mm2 of holes
    pushed = [buzzer.translate(way) for way in ((0.6, 0, 0), (-0.6, 0, 0), (0, 0.8, 0), (0, 0, 0.6))]
    assert [(solid ^ LID).volume() > 0.1 for solid in pushed] == [True] * 4
