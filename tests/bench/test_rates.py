"""Figures and their intervals, held against sums worked out here and against tables; and how they are drawn."""

from __future__ import annotations

import re
from fractions import Fraction
from math import comb, exp, fsum, inf, isnan, lgamma, log, nan, sqrt
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearguard.bench.judging import plots
from rearguard.bench.judging.plots import Dot
from rearguard.bench.judging.rates import TAIL, Rate, number, per_hour, quantile, share

counts = st.integers(0, 3000)


def poisson(k: int, mean: float) -> float:
    return exp(k * log(mean) - mean - lgamma(k + 1))


def binomial_up_to(k: int, n: int, q: Fraction) -> float:
    """P(X <= k), in exact numbers."""
    return float(sum(comb(n, i) * q**i * (1 - q) ** (n - i) for i in range(k + 1)))


@pytest.mark.parametrize(
    ("count", "low", "high"),  # half of chi-squared quantiles, 2 k and 2 k + 2 degrees of freedom
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904), (100, 81.364, 121.627)],
)
def test_a_count_has_the_limits_of_the_tables(count: int, low: float, high: float) -> None:
    assert per_hour(count, 3600.0) == pytest.approx((count, low, high), abs=6e-4)


@given(counts)
def test_the_ends_of_a_rate_leave_a_fortieth_beyond_each(count: int) -> None:
    _, low, high = per_hour(count, 3600.0)
    assert fsum(poisson(k, high) for k in range(count + 1)) == pytest.approx(TAIL, rel=1e-6)
    if count:
        assert 1 - fsum(poisson(k, low) for k in range(count)) == pytest.approx(TAIL, rel=1e-6)
    else:
        assert low == 0.0


def test_a_rate_is_by_the_hour() -> None:
    assert per_hour(6, 1800.0) == pytest.approx(per_hour(6, 3600.0).times(2))


@given(counts)
def test_a_longer_walk_tells_more(count: int) -> None:
    short, long = per_hour(count, 3600.0), per_hour(4 * count, 4 * 3600.0)
    assert long.value == short.value
    assert long.high - long.low < short.high - short.low


def test_where_nothing_was_walked_nothing_is_known() -> None:
    rate = per_hour(0, 0.0)
    assert isnan(rate.value)
    assert rate[1:] == (0.0, inf)


@pytest.mark.parametrize(("count", "seconds"), [(-1, 10.0), (1, -10.0)])
def test_a_rate_refuses_what_cannot_be(count: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="events in"):
        per_hour(count, seconds)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),  # Newcombe 1998, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_limits_of_the_tables(k: int, n: int, low: float, high: float) -> None:
    assert share(k, n) == pytest.approx((k / n, low, high), abs=6e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_mirrors_its_opposite_and_stays_within_0_and_1(kn: tuple[int, int]) -> None:
    k, n = kn
    value, low, high = share(k, n)
    assert 0.0 <= low <= value <= high <= 1.0
    assert share(n - k, n) == pytest.approx((1 - value, 1 - high, 1 - low), abs=1e-12)


@given(st.integers(1, 2000), st.integers(1, 99))
def test_the_ends_of_a_share_are_where_a_score_test_stops_to_believe_it(n: int, percent: int) -> None:
    value, low, high = share(n * percent // 100, n)
    for end in (low, high):
        if 0.0 < end < 1.0:
            assert abs(value - end) / sqrt(end * (1 - end) / n) == pytest.approx(1.959964, rel=1e-5)


def test_a_share_of_nothing_is_unknown_and_more_than_all_is_refused() -> None:
    assert isnan(share(0, 0).value)
    assert share(0, 0)[1:] == (0.0, 1.0)
    for k, n in ((3, 2), (-1, 2)):
        with pytest.raises(ValueError, match=f"{k} of {n}"):
            share(k, n)


@given(st.integers(1, 60), st.sampled_from([Fraction(1, 20), Fraction(1, 2), Fraction(19, 20), Fraction(1, 3)]))
def test_the_ends_of_a_quantile_are_the_innermost_ranks_that_cover_it(n: int, q: Fraction) -> None:
    _, low, high = quantile(list(range(1, n + 1)), float(q))  # each value is its own rank
    rank = 0 if low == -inf else int(low)
    assert rank == 0 or binomial_up_to(rank - 1, n, q) <= TAIL
    assert binomial_up_to(rank, n, q) > TAIL
    rank = n + 1 if high == inf else int(high)
    assert rank == n + 1 or 1 - binomial_up_to(rank - 1, n, q) <= TAIL + 1e-12
    assert 1 - binomial_up_to(rank - 2, n, q) > TAIL


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_a_quantile_is_the_least_value_that_so_many_do_not_exceed(values: list[float], q: float) -> None:
    value, low, high = quantile(values, q)
    assert low <= value <= high
    assert sum(v <= value for v in values) >= q * len(values) - 1e-6
    assert sum(v < value for v in values) < q * len(values)


@pytest.mark.parametrize("n", [20, 100, 180, 200])
def test_11_of_20_is_11_of_20_whatever_a_double_makes_of_it(n: int) -> None:
    assert quantile(list(range(1, n + 1)), 0.55).value == n * 11 // 20  # 100 * 0.55 is a little more than 55


def test_72_values_are_the_fewest_that_bound_the_95th_percentile() -> None:
    assert quantile(list(range(71)), 0.95).high == inf
    assert quantile(list(range(72)), 0.95).high == 71


def test_what_never_came_counts_as_infinitely_late() -> None:
    assert quantile([1.0, 2.0, inf], 0.5).value == 2.0
    assert quantile([1.0, inf, inf], 0.5).value == inf


def test_no_values_have_no_quantile() -> None:
    rate = quantile([], 0.5)
    assert isnan(rate.value)
    assert rate[1:] == (-inf, inf)


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Rate(0.1234, 0.04, 0.31), "0.12 (0.04\N{EN DASH}0.31)"),
        (Rate(1234.5, 999.4, 1500.0), "1,234 (999\N{EN DASH}1,500)"),
        (Rate(0.0, 0.0, 3.689), "0.0 (0.0\N{EN DASH}3.7)"),
        (Rate(0.0, 0.0, 0.0), "0 (0\N{EN DASH}0)"),
        (Rate(-3.0, -5.0, -1.0), "-3.0 (-5.0 to -1.0)"),
        (Rate(-0.0001, -0.2, 0.2), "0.000 (-0.200 to 0.200)"),
        (Rate(12.0, 9.0, inf), "12 (9\N{EN DASH}∞)"),
        (Rate(1.0, -inf, inf), "1.0 (-∞ to ∞)"),
        (Rate(inf, 4.0, inf), "∞ (4.0\N{EN DASH}∞)"),
        (Rate(nan, 0.0, inf), "-"),
    ],
)
def test_a_figure_is_told_to_two_digits(rate: Rate, text: str) -> None:
    assert rate.text() == text


def test_a_unit_and_a_plain_dash_can_be_asked_for() -> None:
    assert Rate(2.0, 1.0, 3.0).text(" cm", "-") == "2.0 cm (1.0-3.0)"


def test_no_number_is_ever_minus_nothing() -> None:
    assert [number(x, 1) for x in (-0.04, -0.0, nan, -inf)] == ["0.0", "0.0", "-", "-∞"]


# drawn


def test_a_dot_above_the_diagonal_had_room() -> None:
    dots = [Dot(1.0, 1.5, 0, "room"), Dot(1.5, 1.0, 0, "none")]
    svg = ElementTree.fromstring(plots.scatter(dots, "x", "y", "below"))
    line = next(mark for mark in svg.iter("path") if mark.get("class") == "diagonal")
    x0, y0, x1, y1 = map(float, re.findall(r"[\d.]+", line.attrib["d"]))
    for dot in svg.iter("circle"):
        on_line = y0 + (float(dot.attrib["cx"]) - x0) / (x1 - x0) * (y1 - y0)
        assert (float(dot.attrib["cy"]) < on_line) is (dot.findtext("title") == "room")


@pytest.mark.parametrize(("above", "below"), [(2000, 0), (20_000, 0), (20_000, 3), (3, 20_000), (10_000, 10_000)])
def test_thinning_keeps_what_it_says(above: int, below: int) -> None:
    dots = [Dot(1.0, 1.1, 0, "")] * above + [Dot(1.0, 0.9, 0, "")] * below
    shown, note = plots.thinned(dots)
    assert len(shown) <= plots.MOST
    if len(dots) <= plots.MOST:
        assert (len(shown), note) == (len(dots), "")
        return
    assert note.startswith(f"{len(shown):,} of {len(dots):,} points")
    for kind, count, kept in (
        ("above", above, sum(dot.y > dot.x for dot in shown)),
        ("below", below, sum(dot.y < dot.x for dot in shown)),
    ):
        nth = int(match[1]) if (match := re.search(rf"one point in (\d+) {kind} the line", note)) else 1
        assert kept == -(-count // nth)
        assert (f"every point {kind} the line" in note) is (nth == 1)


def test_few_dangers_below_the_line_are_never_thinned_away() -> None:
    dots = [Dot(1.0, 1.1, 0, "")] * 50_000 + [Dot(1.0, 0.9, 0, "too late")] * 40
    assert sum(dot.title == "too late" for dot in plots.thinned(dots)[0]) == 40


def test_bars_tell_alerts_an_hour_and_those_with_no_reason() -> None:
    svg = ElementTree.fromstring(plots.bars([("wall", 36, 9, 3600.0), ("field", 0, 0, 3600.0)], "alerts an hour"))
    bars = [float(mark.attrib["width"]) for mark in svg.iter("rect") if "bar" in mark.attrib["class"]]
    assert bars[1] == pytest.approx(bars[0] / 4, abs=0.1)
    assert bars[2:] == [0.0, 0.0]
    assert next(svg.iter("title")).text == (
        "wall: 36 (25\N{EN DASH}50) an hour, of them with no reason 9.0 (4.1\N{EN DASH}17.1)"
    )


def test_a_crowd_of_guards_puts_no_name_on_another() -> None:
    luck = Random(5)
    marks = [
        plots.Mark(f"guard number {n}", per_hour(luck.randint(0, 40), 3600.0), quantile([y] * 9, 0.5), "", n == 0)
        for n in range(40)
        for y in [luck.uniform(0.0, 0.4)]
    ]
    svg = ElementTree.fromstring(plots.front(marks, "x", "y"))
    names = [
        (float(mark.attrib["x"]), float(mark.attrib["y"]), len(str(mark.text)) * plots.LETTER)
        for mark in svg.iter("text")
        if str(mark.text).startswith("guard number")
    ]
    assert len(names) >= 10
    assert any(mark.text == "guard number 0" for mark in svg.iter("text"))
    for i, (x, y, wide) in enumerate(names):
        assert x >= 0
        assert x + wide <= plots.WIDTH
        assert not any(abs(y - b) < 12 and x < a + w and a < x + wide for a, b, w in names[:i])
