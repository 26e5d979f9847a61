"""A straight course through timed values: where it is, how fast it moves, and how sure that is.

Least squares with a prior on the slope (ridge regression).
Source: Bishop, Pattern Recognition and Machine Learning, 3.3 (Bayesian linear regression).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple

RATE_PRIOR = 1.0  # a rate is within 1 /s of zero until points say otherwise; it steadies short courses
REFRESH = 250  # points, after which the sums are made anew: rounding has no time to add up


class Course(NamedTuple):
    """The line through the points: `value` at the last point's time, `rate` per second, its deviation."""

    value: float
    rate: float
    rate_sd: float


class Window:
    """The latest points of a course and the line through them. The sums of the fit are kept up, not made anew.

    `times` in s (equal ones are allowed), `values` with standard deviation `noise`, which is above 0.
    """

    __slots__ = (
        "_base_s", "_fresh", "_keep", "_noise_squared", "_prior", "_span_s", "_st", "_stt", "_stv", "_sv", "_svv",
        "rate", "rate_sd", "times", "value", "values",
    )  # fmt: skip

    def __init__(self, noise: float, span_s: float = float("inf"), keep: int = 1) -> None:
        """Points older than `span_s` are dropped, but never below `keep` points."""
        self._noise_squared, self._prior = noise * noise, (noise / RATE_PRIOR) ** 2
        self._span_s, self._keep = span_s, keep
        self.times: deque[float] = deque()
        self.values: deque[float] = deque()
        self._fresh = 0
        self._base_s = self._st = self._sv = self._stt = self._stv = self._svv = 0.0
        self.value = self.rate = self.rate_sd = 0.0

    def add(self, t_s: float, value: float) -> None:
        """One more point, not earlier than the last."""
        times, values = self.times, self.values
        times.append(t_s)
        values.append(value)
        if self._fresh == 0:
            self._sum()
            t = t_s - self._base_s
            st, sv, stt, stv, svv = self._st, self._sv, self._stt, self._stv, self._svv
        else:
            self._fresh -= 1
            t = t_s - self._base_s
            st, sv = self._st + t, self._sv + value
            stt, stv, svv = self._stt + t * t, self._stv + t * value, self._svv + value * value
        while t_s - times[0] > self._span_s and len(times) > self._keep:
            gone, old = times.popleft() - self._base_s, values.popleft()
            st -= gone
            sv -= old
            stt -= gone * gone
            stv -= gone * old
            svv -= old * old
        self._st, self._sv, self._stt, self._stv, self._svv = st, sv, stt, stv, svv
        n = len(times)
        mean_t, mean_v = st / n, sv / n
        spread, joint = stt - st * mean_t, stv - sv * mean_t
        weight = (spread if spread > 0.0 else 0.0) + self._prior
        self.rate = rate = joint / weight
        self.value = mean_v + rate * (t - mean_t)
        variance = self._noise_squared
        scatter = svv - sv * mean_v - rate * joint
        if scatter > variance * n and n > 2:  # more than the part's own noise: the rate is as much less sure
            variance = min(scatter / (n - 2), weight * RATE_PRIOR**2)
        self.rate_sd = sqrt(variance / weight)

    def _sum(self) -> None:
        """The sums from the points themselves, with times from the first of them: small numbers lose no digits."""
        self._fresh = REFRESH
        base = self._base_s = self.times[0]
        ts = [t - base for t in self.times]
        self._st, self._sv = sum(ts), sum(self.values)
        self._stt = sum(t * t for t in ts)
        self._stv = sum(t * v for t, v in zip(ts, self.values, strict=True))
        self._svv = sum(v * v for v in self.values)


def fit(times: Iterable[float], values: Sequence[float], noise: float) -> Course:
    """The course through all these points, one or more."""
    window = Window(noise)
    for t_s, value in zip(times, values, strict=True):
        window.add(t_s, value)
    return Course(window.value, window.rate, window.rate_sd)
