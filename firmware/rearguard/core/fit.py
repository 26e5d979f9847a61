"""A straight course through timed values: where it is, how fast it moves, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

RATE_PRIOR = 1.0  # a rate is within 1 /s of zero until points say otherwise; it steadies short courses


class Course(NamedTuple):
    """The line through the points: `value` at the last point's time, `rate` per second, its deviation."""

    value: float
    rate: float
    rate_sd: float


def fit(times: Sequence[float], values: Sequence[float], noise: float) -> Course:
    """Least squares over all points, with a prior on the slope (ridge regression).

    Source: Bishop, Pattern Recognition and Machine Learning, 3.3 (Bayesian linear regression).
    `times` in s (equal ones are allowed), `values` with standard deviation `noise`; one or more of each.
    """
    n = len(times)
    last = times[-1]
    ts = [t - last for t in times]  # small numbers: no cancellation after hours on one clock
    mean_t = sum(ts) / n
    mean_v = sum(values) / n
    spread = sum(map(mul, ts, ts)) - n * mean_t * mean_t
    joint = sum(map(mul, ts, values)) - n * mean_t * mean_v
    weight = max(spread, 0.0) + (noise / RATE_PRIOR) ** 2
    rate = joint / weight
    return Course(mean_v - rate * mean_t, rate, noise / weight**0.5)
