"""Walks for the web page: what stands still, and twenty frames in a second of the walk."""

from __future__ import annotations

from itertools import pairwise
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rearguard.bench.looking.show import Walks
from rearguard.bench.world import fit, scenario
from rearguard.errors import InputError

OWN = """
title = "My room"
says = "STOP is felt."
lasts_s = 7.0
[walker]
pace_mps = 0.6
sets_off_s = 0.0
[[wall]]
from = [-3.0, 2.5]
to = [3.0, 2.5]
[[post]]
at = [1.5, 2.0]
diameter_m = 0.1
[[person]]
at = [-2.0, 1.0]
[[box]]
at = [2.0, 1.0]
wide_m = 0.5
top_m = 0.4
[limit]
benewake = "Too thin."
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "my-room.toml"
    path.write_text(OWN)
    return str(path)


def told(own: str, name: str, obeys: bool = True) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    scene, frames = Walks(own, name).start("my-room", name, "default", 1, obeys)
    return scene, list(frames)


def test_what_was_asked_for_stands_first_among_all_that_ships(own: str) -> None:
    walks = Walks(own, "tf-luna")
    assert [one["name"] for one in walks.scenarios()] == ["my-room", *scenario.names()]
    assert all(one["title"] and one["says"] for one in walks.scenarios())
    assert walks.fits()[0] == "tf-luna"
    assert sorted(walks.fits()) == fit.names()


def test_the_scene_is_what_stands_still_and_the_belt(own: str) -> None:
    scene, _ = Walks(own, "tf-luna").start("my-room", "tf-luna", "cautious", 4, False)
    assert (scene["title"], scene["seed"], scene["obeys"], scene["profile"]) == ("My room", 4, False, "cautious")
    assert scene["limit"] == "Too thin."
    assert [wall["seen"] for wall in scene["walls"]] == [False] * 4 + [True]  # the box is lower than the belt
    assert scene["walls"][-1]["points"] == [[-3.0, 2.5], [3.0, 2.5]]
    assert scene["posts"] == [{"x": 1.5, "y": 2.0, "radius_m": 0.05, "of": "steel"}]
    assert [motor["bearing_deg"] for motor in scene["motors"]] == fit.load("tf-luna").bearings()
    (sensor,) = scene["sensors"]
    assert (sensor["half_deg"], sensor["range_m"], sensor["sweeps"]) == (1.0, 8.0, False)


def test_there_are_twenty_frames_in_a_second_and_the_last_says_what_came_of_it(own: str) -> None:
    _, frames = told(own, "ultrasonic")
    times = [frame["t_s"] for frame in frames]
    assert [b - a for a, b in pairwise(times[:-1])] == pytest.approx([0.05] * (len(times) - 2))
    assert any(frame["level"] == "STOP" and all(frame["duties"]) for frame in frames)
    assert frames[50]["people"] == [{"x": -2.0, "y": 1.0, "radius_m": 0.2}]
    assert not any("end" in frame for frame in frames[:-1])
    assert frames[-1]["end"]["text"].startswith("Walked ")
    assert frames[-1]["end"]["contact"] is False
    assert told(own, "ultrasonic", obeys=False)[1][-1]["end"]["contact"] is True


def test_points_and_readings_lie_where_the_things_are(own: str) -> None:
    scene, frames = told(own, "both")
    assert [sensor["sweeps"] for sensor in scene["sensors"]].count(True) == 1
    seen = [frame for frame in frames if frame["walk_s"] > 0.5 and frame["points"]]
    assert len(seen) > 50
    flat = [abs(y - 2.5) for frame in seen for x, y in frame["points"] if abs(x) < 1.0 and y > 1.5]
    assert sorted(flat)[len(flat) // 2] < 0.05
    for frame in seen:
        for reading in frame["readings"]:
            if reading["sensor"] == "rear" and reading["status"] == "ok":
                turn = radians(frame["heading_deg"] + (reading["bearing_deg"] or 0.0))
                x, y = (
                    frame["x_m"] + reading["distance_m"] * sin(turn),
                    frame["y_m"] + reading["distance_m"] * cos(turn),
                )
                assert abs(x) < 0.05
                assert y < 4.5


def test_a_frame_is_plain_json_even_where_nothing_is_near() -> None:
    chosen = Walks("open-field", "ultrasonic")
    _, frames = chosen.start("open-field", "ultrasonic", "default", 1, True)
    for _ in range(60):
        frame = next(frames)
    assert frame["room_m"] is None
    assert msgspec.json.decode(msgspec.json.encode(frame), strict=True) == frame
    frames.close()  # type: ignore[attr-defined]


def test_what_is_not_there_is_told(own: str) -> None:
    with pytest.raises(InputError, match="no scenario 'nowhere'"):
        Walks("nowhere", "both")
    with pytest.raises(InputError, match="no fit 'none'"):
        Walks("wall", "none")
    with pytest.raises(InputError, match="'other'"):
        Walks(own, "both").start("other", "both", "default", 1, True)
