"""The rules of the peers against their theory; gpiozero's has a file of its own."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from math import sqrt
from random import Random
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearguard.bench.judging.peers import (
    MAX_M,
    NOISE_M,
    Count,
    Kalman,
    Nav2,
    Peer,
    Window,
    approach_reach,
    front,
    peers,
)
from rearguard.core.threat import PROFILES, stop_distance

PACE = 0.6  # m/s
PROFILE = PROFILES["default"]
AT = stop_distance(PACE, PROFILE)  # m
STEP = 0.06  # s
NAMES = [peer.name for peer in peers(PROFILE, PACE)]
FRONT = dict(front(PROFILE, PACE))


def run(peer: Peer, readings: Sequence[float | None], start: int = 0) -> list[bool]:
    return [peer.take((start + i) * STEP, reading) for i, reading in enumerate(readings)]


def first(felt: Sequence[bool]) -> int:
    """Which reading was the first to be felt, counted from one; fails when none was."""
    return felt.index(True) + 1


def approach(start_m: float, closing_mps: float, until_m: float = 0.05) -> list[float]:
    count = int((start_m - until_m) / (closing_mps * STEP)) + 1
    return [start_m - closing_mps * STEP * i for i in range(count)]


# -- all of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FRONT)
def test_an_open_field_is_silent(name: str) -> None:
    random = Random(3)
    far = [random.choice([None, 3.8 + random.gauss(0.0, 0.005)]) for _ in range(300)]
    assert not any(run(FRONT[name](), [None] * 100))
    assert not any(run(FRONT[name](), [3.8] * 100))
    assert not any(run(FRONT[name](), far))


@pytest.mark.parametrize("name", FRONT)
def test_a_wall_that_comes_nearer_is_felt_before_it_is_reached(name: str) -> None:
    random = Random(5)
    walk = [distance_m + random.gauss(0.0, 0.003) for distance_m in approach(3.5, PACE)]
    felt = run(FRONT[name](), walk)
    if "as it comes" in name:
        assert 0.0 < walk[first(felt) - 1] < 0.3
    elif name == "Nav2 approach, 2 s":
        assert 0.45 + 2.0 * PACE - 0.08 < walk[first(felt) - 1] < 0.45 + 2.1 * PACE + 0.01
    elif "Kalman" in name:
        assert AT - 0.1 < walk[first(felt) - 1] < AT + 0.25  # the speed it believes in wavers, the threshold with it
    else:
        assert AT - 9 * PACE * STEP < walk[first(felt) - 1] < AT + 0.1


@pytest.mark.parametrize("name", FRONT)
def test_two_that_one_maker_made_share_nothing(name: str) -> None:
    walk = approach(3.5, PACE)
    alone = run(FRONT[name](), walk)
    one, other = FRONT[name](), FRONT[name]()
    run(other, walk)
    assert run(one, walk) == alone


def test_the_front_holds_the_peers_and_more_each_by_its_own_name() -> None:
    pairs = front(PROFILE, PACE)
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names)
    assert names[: len(NAMES)] == NAMES
    assert [make().name for _, make in pairs] == names


def test_makers_can_be_sent_to_another_process() -> None:
    for name, make in front(PROFILE, PACE):
        assert pickle.loads(pickle.dumps(make))().name == name


def test_a_pace_too_fast_for_the_sensor_is_refused() -> None:
    with pytest.raises(ValueError, match="must lie between"):
        peers(PROFILE, 2.5)


# -- rules of counting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("one reading", 1),
        ("median of 3", 2),
        ("median of 5", 3),
        ("median of 9", 5),
        ("median of 13", 7),
        ("gpiozero", 5),
        ("gpiozero, queue of 3", 2),
        ("average of 5", 5),  # four of 0.5 m and one of 4 m make 1.20 m
        ("average of 2", 2),
        ("Nav2 approach", 1),
        ("Nav2 approach, 2 of 3", 2),
        ("Nav2 approach, 4 of 6", 4),
        ("openpilot, 3 in a row", 3),
        ("5 in a row", 5),
    ],
)
def test_something_that_appears_is_felt_at_this_reading(name: str, reading: int) -> None:
    assert first(run(FRONT[name](), [None] * 13 + [0.5] * 13)) == 13 + reading
    assert first(run(FRONT[name](), [3.9] * 13 + [0.5] * 13)) == 13 + reading


@pytest.mark.parametrize("name", ["median of 3", "median of 5", "median of 9", "openpilot, 3 in a row"])
def test_one_false_echo_is_not_felt(name: str) -> None:
    assert not any(run(FRONT[name](), [None] * 13 + [0.3] + [None] * 13))


@pytest.mark.parametrize("name", ["one reading", "Nav2 approach"])
def test_one_false_echo_is_felt_where_one_reading_decides_and_ends_with_the_next(name: str) -> None:
    assert run(FRONT[name](), [None, 0.3, None]) == [False, True, False]


def test_a_missed_echo_begins_the_row_anew() -> None:
    row = FRONT["openpilot, 3 in a row"]()
    assert run(row, [0.5, 0.5, None, 0.5, 0.5, 0.5, 2.0]) == [False] * 5 + [True, False]


readings = st.lists(st.one_of(st.none(), st.floats(0.02, 4.0)), max_size=60)


@given(readings, st.integers(1, 9), st.sampled_from([median, fmean]))
def test_a_window_compares_the_average_of_its_last_readings(
    distances: list[float | None], length: int, average: Callable[[Sequence[float]], float]
) -> None:
    felt = run(Window("window", AT, length, average), distances)
    held = [MAX_M if distance is None else distance for distance in distances]
    due = [n >= length and average(held[n - length : n]) < AT for n in range(1, len(held) + 1)]
    assert felt == due


@given(readings, st.integers(1, 6), st.integers(0, 4))
def test_a_count_wants_so_many_near_ones_among_the_last(distances: list[float | None], need: int, spare: int) -> None:
    of = need + spare
    near = [distance is not None and distance < AT for distance in distances]
    assert run(Count("count", AT, need, of), distances) == [
        sum(near[max(0, n - of) : n]) >= need for n in range(1, len(near) + 1)
    ]


def test_exactly_at_the_threshold_is_not_yet_nearer() -> None:
    assert run(Count("count", 1.0, 1, 1), [1.0, 0.999]) == [False, True]
    assert run(Window("window", 1.0, 1, median), [1.0, 0.999]) == [False, True]


# -- Nav2 --------------------------------------------------------------------------------------------------------------


def test_the_reach_of_nav2_is_the_time_in_whole_steps_one_of_them_beyond() -> None:
    assert approach_reach(0.6, 0.0, 0.45) == pytest.approx(0.45 + 0.06)
    assert approach_reach(0.6, 1.15, 0.45) == pytest.approx(0.45 + 0.6 * 1.2)
    assert approach_reach(0.6, 1.0, 0.45, step_s=0.25) == pytest.approx(0.45 + 0.6 * 1.25)
    assert approach_reach(0.0, 2.0, 0.45) == 0.45


@given(st.floats(0.0, 1.5), st.sampled_from(sorted(PROFILES)))
def test_nav2_left_to_the_profile_reaches_as_far_as_it_takes_to_stop_but_for_a_step(pace_mps: float, name: str) -> None:
    due, step = stop_distance(pace_mps, PROFILES[name]), 0.1 * pace_mps
    assert run(Nav2("nav2", PROFILES[name], pace_mps), [due - 1e-9]) == [True]
    assert run(Nav2("nav2", PROFILES[name], pace_mps), [due + step + 1e-9]) == [False]


# -- Kalman ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("closing_mps", [0.3, 0.6, 1.2, -0.5])
def test_the_filter_finds_a_constant_speed(closing_mps: float, gated: bool) -> None:
    random = Random(11)
    peer = Kalman("kalman", PROFILE, 1.5, gated=gated)
    course = [2.0 - closing_mps * STEP * i for i in range(25)]
    run(peer, [distance_m + random.gauss(0.0, 0.003) for distance_m in course])
    assert peer.closing_mps == pytest.approx(closing_mps, abs=0.1)
    assert peer.distance_m == pytest.approx(course[-1], abs=0.01)


def kalata(accel_mps2: float) -> tuple[float, float]:
    """Alpha and beta for an acceleration that is constant over each step (Kalata, IEEE Trans. AES-20, 1984)."""
    index = accel_mps2 * STEP**2 / NOISE_M
    r = (4 + index - sqrt(8 * index + index**2)) / 4
    return 1 - r**2, 2 * (1 + r**2) - 4 * r


def test_the_filter_settles_on_the_gains_of_the_textbook() -> None:
    alpha, beta = kalata(1.5)
    peer = Kalman("kalman", PROFILE, 1.5)
    run(peer, [2.0] * 200)
    peer.take(200 * STEP, 2.1)  # a residual of 0.1 m shows both gains
    assert peer.distance_m == pytest.approx(2.0 + 0.1 * alpha)
    assert peer.closing_mps == pytest.approx(-0.1 * beta / STEP)


@pytest.mark.parametrize("name", ["Kalman", "Kalman, gated"])
def test_standing_near_a_wall_is_silent_for_the_filter_alone(name: str) -> None:
    assert not any(run(FRONT[name](), [0.4] * 100))  # nearer than the margin
    assert all(run(FRONT["one reading"](), [0.4] * 100))


@pytest.mark.parametrize("name", ["Kalman", "Kalman, gated"])
def test_the_filter_stops_a_fast_walk_further_out_than_a_slow_one(name: str) -> None:
    slow, fast = approach(3.5, 0.3), approach(3.5, 0.9)
    felt_m = [walk[first(run(FRONT[name](), walk)) - 1] for walk in (slow, fast)]
    assert felt_m[0] == pytest.approx(stop_distance(0.3, PROFILE), abs=0.1)
    assert felt_m[1] == pytest.approx(stop_distance(0.9, PROFILE), abs=0.1)


def test_one_false_echo_stops_the_plain_filter_and_not_the_gated_one() -> None:
    field = [2.5] * 20 + [0.5] + [2.5] * 20
    assert any(run(FRONT["Kalman"](), field))
    assert not any(run(FRONT["Kalman, gated"](), field))


def test_false_echoes_that_are_not_in_a_row_never_start_the_gated_filter_anew() -> None:
    peer = Kalman("kalman", PROFILE, 1.5, gated=True)
    assert not any(run(peer, [2.5] * 20 + [0.5, 0.6, 2.5] * 5))
    assert peer.distance_m == pytest.approx(2.5)


@pytest.mark.parametrize(("deviations", "taken"), [(2.9, True), (3.1, False)])
def test_the_gate_leaves_out_what_is_more_than_three_deviations_off(deviations: float, taken: bool) -> None:
    alpha, _ = kalata(1.5)
    peer = Kalman("kalman", PROFILE, 1.5, gated=True)
    run(peer, [2.0] * 200 + [2.0 + deviations * NOISE_M / sqrt(1 - alpha)])
    assert (peer.distance_m != pytest.approx(2.0)) == taken


def test_what_appears_closing_is_felt_by_the_gated_filter_once_three_readings_have_disagreed() -> None:
    """The third starts the filter anew; the next gives it a speed."""
    assert first(run(FRONT["Kalman, gated"](), [3.5] * 20 + approach(0.9, PACE))) == 20 + 4


def test_the_filter_goes_on_through_misses_for_half_a_second_and_then_begins_anew() -> None:
    walk = approach(2.0, PACE, 1.25)
    peer = FRONT["Kalman"]()
    assert not any(run(peer, walk))
    blind = run(peer, [None] * 20, len(walk))
    assert first(blind) <= 5  # it reaches 1.14 m unseen
    assert blind[7] and not blind[8]  # 0.48 s and 0.54 s after the last reading
    assert run(peer, [0.5, 0.5], len(walk) + 20) == [False, False]


def test_a_filter_that_has_seen_nothing_is_silent() -> None:
    assert run(FRONT["Kalman"](), [None, None, 0.5]) == [False] * 3
