"""What counts and samples allow to be said: each figure with its 95 % confidence interval.

Poisson rates after Garwood (1936) and quantiles by order are exact (95 % or more), shares are after Wilson (1927).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import ceil, exp, floor, inf, isfinite, isnan, lgamma, log, log1p, log10, nan, sqrt
from typing import NamedTuple

TAIL = 0.025  # what may lie beyond either end of the interval
Z = 1.959963984540054  # the normal quantile that leaves TAIL above it


class Rate(NamedTuple):
    """A figure and the ends of its interval: NaN where there is nothing to go by, infinite where nothing bounds it."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Rate:  # in another unit; a positive factor
        return Rate(self.value * factor, self.low * factor, self.high * factor)

    def text(self, unit: str = "", dash: str = "\N{EN DASH}") -> str:
        """Like "0.12 (0.04-0.31)", to two digits of the figure; "-" where there is none."""
        if isnan(self.value):
            return "-"
        sizes = [abs(x) for x in (self.value, self.high, self.low) if x and isfinite(x)]
        places = min(max(1 - floor(log10(sizes[0])), 0), 3) if sizes else 0
        value, low, high = (number(x, places) for x in self)
        return f"{value}{unit} ({low}{dash if self.low >= 0 else ' to '}{high})"


def number(value: float, places: int) -> str:
    """With so many decimals, never "-0"; "∞" and "-" where it is no number."""
    if not isfinite(value):
        return "-" if isnan(value) else "∞" if value > 0 else "-∞"
    return f"{round(value, places) + 0.0:,.{places}f}"


def per_hour(count: int, seconds: float) -> Rate:
    """Events an hour, when `count` happened in `seconds`. Raises ValueError when either is negative."""
    if count < 0 or seconds < 0:
        raise ValueError(f"{count} events in {seconds} s")
    if not seconds:
        return Rate(nan, 0.0, inf)

    def beyond(mean: float, ratio: Callable[[int], float]) -> float:  # P(X = count) and all further out, X Poisson
        return exp(count * log(mean) - mean - lgamma(count + 1)) * _sum(ratio)

    far = count + 10 + 6 * sqrt(count + 1)  # P(X <= count) is far below TAIL there, for every count
    high = _root(lambda mean: beyond(mean, lambda i: (count - i) / mean) - TAIL, count, far)
    low = _root(lambda mean: TAIL - beyond(mean, lambda i: mean / (count + i + 1)), 0.0, count) if count else 0.0
    return Rate(count, low, high).times(3600 / seconds)


def share(k: int, n: int) -> Rate:
    """The share that `k` of `n` tells of, 0 to 1. Raises ValueError unless 0 <= k <= n."""
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n}")
    p, z = (k / n, Z * Z / n) if n else (nan, nan)
    middle, half = (p + z / 2) / (1 + z), sqrt(p * (1 - p) * z + z * z / 4) / (1 + z)
    return Rate(p, middle - half if k else 0.0, middle + half if k < n else 1.0)


def quantile(values: Sequence[float], q: float) -> Rate:
    """The least value that a share `q` (0 < q < 1) does not exceed; infinite values count, NaN must not be among them.

    An end is infinite when the sample is too small to bound it, as above q = 0.95 with fewer than 72 values.
    """
    order, n = sorted(values), len(values)
    if not n:
        return Rate(nan, -inf, inf)
    low, high = _rank(n, q), n + 1 - _rank(n, 1 - q)
    middle = ceil(n * q - 1e-9)  # 1e-9: n * q that is whole but for its last bit
    return Rate(order[middle - 1], order[low - 1] if low else -inf, order[high - 1] if high <= n else inf)


def _rank(n: int, q: float) -> int:  # the highest, from 1, that lies above the q-quantile in TAIL of samples; 0: none
    def below(k: int) -> float:  # P(X <= k), X binomial, for k <= n q
        head = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(q) + (n - k) * log1p(-q)
        return exp(head) * _sum(lambda i: (k - i) / (n - k + i + 1) * (1 - q) / q)

    return bisect_right(range(floor(n * q) + 1), TAIL, key=below)


def _sum(ratio: Callable[[int], float]) -> float:  # 1 + r(0) + r(0) r(1) + ..., of ratios that fall
    total, term, i = 0.0, 1.0, 0
    while total + term > total:
        total, term, i = total + term, term * ratio(i), i + 1
    return total


def _root(falls: Callable[[float], float], low: float, high: float) -> float:  # by halving, beyond a double's last bit
    for _ in range(60):
        low, high = (m, high) if falls(m := (low + high) / 2) > 0 else (low, m)
    return low
