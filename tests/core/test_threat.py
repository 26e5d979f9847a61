"""Stopping distances and the level one track deserves, held against the table in the design."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.worlds import DEFAULT, track
from rearguard.core.threat import PROFILES, Level, Profile, judge, max_speed, stop_distance
from rearguard.core.track import BESIDE, MILD

TABLE = {  # profile: t_sys + t_react in s, a in m/s^2, margin in m
    "default": (0.20 + 0.75, 1.5, 0.45),
    "cautious": (0.20 + 1.0, 1.0, 0.45),
}
SPEEDS = [0.2, 0.4, 0.6, 0.86, 1.0, 1.35, 1.85]
MM = 0.001


def d_stop(profile: str, v: float) -> float:
    reaction, decel, margin = TABLE[profile]
    return v * reaction + v**2 / (2 * decel) + margin


def level(profile: str, distance_m: float, v: float, held: Level = Level.CLEAR) -> Level:
    return judge(track(distance_m, v), PROFILES[profile], held, inf)


def test_the_profiles_are_those_of_the_table() -> None:
    assert set(PROFILES) == set(TABLE)


@pytest.mark.parametrize("profile", TABLE)
@pytest.mark.parametrize("v", [0.0, *SPEEDS])
def test_the_stopping_distance_is_that_of_the_design(profile: str, v: float) -> None:
    assert stop_distance(v, PROFILES[profile]) == pytest.approx(d_stop(profile, v), abs=1e-12)


def test_a_walk_of_1_mps_needs_1_73_m_to_stop() -> None:
    assert stop_distance(1.0, DEFAULT) == pytest.approx(0.95 + 1 / 3 + 0.45)


@pytest.mark.parametrize("profile", TABLE)
@pytest.mark.parametrize("v", SPEEDS)
def test_each_level_begins_at_its_distance(profile: str, v: float) -> None:
    stop = d_stop(profile, v)
    assert level(profile, stop - MM, v) is Level.STOP
    assert level(profile, stop + MM, v) is Level.WARN
    assert level(profile, stop + 0.5 * v - MM, v) is Level.WARN
    assert level(profile, stop + 0.5 * v + MM, v) is Level.NOTICE
    assert level(profile, stop + 1.0 * v - MM, v) is Level.NOTICE
    assert level(profile, stop + 1.0 * v + MM, v) is Level.CLEAR


@pytest.mark.parametrize("v", SPEEDS)
def test_what_is_felt_needs_15_cm_more_to_be_released(v: float) -> None:
    for held, begins in ((Level.STOP, 0.0), (Level.WARN, 0.5), (Level.NOTICE, 1.0)):
        edge = d_stop("default", v) + begins * v + 0.15
        assert level("default", edge - MM, v, held) is held
        assert level("default", edge + MM, v, held) < held


@pytest.mark.parametrize("distance_m", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("v", [0.0, -0.3, 0.04])
@pytest.mark.parametrize("held", Level)
def test_what_does_not_come_nearer_is_no_danger_however_near(distance_m: float, v: float, held: Level) -> None:
    assert level("default", distance_m, v, held) is Level.CLEAR


def test_swaying_on_the_spot_raises_nothing() -> None:
    assert level("default", 0.4, 0.09) is Level.CLEAR
    assert level("default", 0.4, 0.11) is Level.STOP


def test_a_speed_that_may_be_noise_raises_nothing_yet() -> None:
    assert judge(track(0.4, 0.3, closing_sd_mps=0.11), DEFAULT, Level.CLEAR, inf) is Level.CLEAR
    assert judge(track(0.4, 0.3, closing_sd_mps=0.09), DEFAULT, Level.CLEAR, inf) is Level.STOP


@pytest.mark.parametrize(("mild", "level"), [(MILD, Level.NOTICE), (BESIDE, Level.CLEAR)])
def test_an_arrival_is_a_stop_and_a_mild_one_a_notice(mild: int, level: Level) -> None:
    assert judge(track(0.02, 0.0, arrived=True), DEFAULT, Level.CLEAR, inf) is Level.STOP
    assert judge(track(0.02, 0.0, arrived=True, mild=mild), DEFAULT, Level.CLEAR, inf) is level


def test_a_mild_track_is_worth_a_notice_at_most() -> None:
    assert judge(track(0.5, 1.0, mild=MILD), DEFAULT, Level.CLEAR, inf) is Level.NOTICE
    assert judge(track(0.5, 1.0, mild=MILD), DEFAULT, Level.STOP, inf) is Level.NOTICE
    assert judge(track(9.0, 1.0, mild=MILD), DEFAULT, Level.CLEAR, inf) is Level.CLEAR


def test_walking_faster_than_the_sensor_can_see_is_felt() -> None:
    assert judge(track(50.0, 0.9), DEFAULT, Level.CLEAR, 0.8) is Level.NOTICE
    assert judge(track(50.0, 0.7), DEFAULT, Level.CLEAR, 0.8) is Level.CLEAR


@pytest.mark.parametrize("profile", TABLE)
@pytest.mark.parametrize("v", SPEEDS)
def test_the_fastest_walk_is_the_one_whose_notice_just_fits_into_the_range(profile: str, v: float) -> None:
    reach = d_stop(profile, v) + 1.0 * v + 0.25 * v
    assert max_speed(reach, PROFILES[profile]) == pytest.approx(v, abs=1e-9)


@pytest.mark.parametrize("range_m", [-1.0, 0.0, 0.2, 0.45])
def test_a_sensor_that_sees_no_further_than_the_margin_allows_no_walk(range_m: float) -> None:
    assert max_speed(range_m, DEFAULT) == 0.0


def test_a_sensor_of_unknown_range_sets_no_limit() -> None:
    assert max_speed(inf, DEFAULT) == inf


distances = st.floats(0.0, 12.0)
speeds = st.floats(-3.0, 4.0)


@settings(max_examples=300)
@given(
    st.tuples(distances, distances).map(sorted),
    st.tuples(speeds, speeds).map(sorted),
    st.builds(
        lambda sd, mild: {"closing_sd_mps": sd, "mild": mild}, st.floats(0.0, 1.0), st.sampled_from([0, MILD, BESIDE])
    ),
    st.tuples(st.sampled_from(sorted(PROFILES.values())), st.sampled_from(Level), st.floats(0.0, 3.0)),
)
def test_nearer_or_faster_never_gets_a_lower_level(
    near_far: list[float], slow_fast: list[float], more: dict[str, object], felt: tuple[Profile, Level, float]
) -> None:
    (near, far), (slow, fast) = near_far, slow_fast
    assert judge(track(near, fast, **more), *felt) >= judge(track(far, slow, **more), *felt)


@settings(max_examples=300)
@given(distances, speeds, st.floats(0.0, 1.0), st.sampled_from(Level), st.sampled_from(Level))
def test_feeling_more_never_makes_the_same_track_milder(d: float, v: float, sd: float, a: Level, b: Level) -> None:
    seen = track(d, v, closing_sd_mps=sd)
    assert judge(seen, DEFAULT, max(a, b), inf) >= judge(seen, DEFAULT, min(a, b), inf)
