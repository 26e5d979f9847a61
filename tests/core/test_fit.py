"""The straight course through timed values."""

from __future__ import annotations

from random import Random
from statistics import linear_regression, stdev

import pytest

from rearguard.core.fit import RATE_PRIOR, fit

EXACT = 1e-9  # a noise so small that the prior on the rate has no weight


def test_points_on_a_line_give_that_line() -> None:
    ts = [0.0, 0.06, 0.12, 0.20, 0.31]
    course = fit(ts, [3.0 - 0.8 * t for t in ts], EXACT)
    assert course.value == pytest.approx(3.0 - 0.8 * 0.31, abs=1e-9)
    assert course.rate == pytest.approx(-0.8, abs=1e-9)


def test_scattered_points_give_the_line_of_least_squares() -> None:
    ts, values = [0.0, 0.05, 0.12, 0.18, 0.33], [2.00, 1.97, 1.88, 1.90, 1.71]
    slope, intercept = linear_regression(ts, values)
    course = fit(ts, values, EXACT)
    assert course.rate == pytest.approx(slope, abs=1e-9)
    assert course.value == pytest.approx(intercept + slope * ts[-1], abs=1e-9)


def test_a_walk_seen_by_a_5_mm_sensor_is_hardly_slowed_by_the_prior() -> None:
    ts = [0.06 * i for i in range(7)]
    assert fit(ts, [3.0 - t for t in ts], 0.005).rate == pytest.approx(-1.0, abs=0.001)


def test_one_point_is_a_place_whose_speed_is_anyones_guess() -> None:
    assert fit([7.0], [1.5], 0.01) == (1.5, 0.0, RATE_PRIOR)


def test_points_of_one_moment_give_their_mean_and_no_speed() -> None:
    value, rate, sd = fit([7.0, 7.0, 7.0], [1.0, 2.0, 3.0], 0.01)
    assert (value, rate, sd) == (pytest.approx(2.0), 0.0, RATE_PRIOR)


@pytest.mark.parametrize("start_s", [3_600.0, 1_000_000.0, 100_000_000.0])
def test_a_clock_that_has_run_for_long_costs_no_precision(start_s: float) -> None:
    steps = [0.0, 0.0625, 0.125, 0.1875, 0.25]  # exact in binary, so only the fit itself can lose digits
    values = [2.0 - 1.3 * t for t in steps]
    assert fit([start_s + t for t in steps], values, 0.005) == pytest.approx(fit(steps, values, 0.005), abs=1e-9)


def test_the_deviation_it_tells_is_the_deviation_it_has() -> None:
    random = Random(1)
    ts = [0.06 * i for i in range(7)]
    courses = [fit(ts, [2.0 - t + random.gauss(0.0, 0.005) for t in ts], 0.005) for _ in range(2000)]
    assert stdev(course.rate for course in courses) == pytest.approx(courses[0].rate_sd, rel=0.05)


def test_more_points_over_a_longer_time_are_surer() -> None:
    sds = [fit([0.06 * i for i in range(n)], [1.0] * n, 0.005).rate_sd for n in range(1, 12)]
    assert sds == sorted(sds, reverse=True)
    assert sds[-1] < 0.01 < sds[1]
