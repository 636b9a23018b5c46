"""Predictions to the digit: a rebuild in another year has to say what the live said."""

from __future__ import annotations

from math import ceil, exp, lgamma, log
from random import Random

import pytest

from toolkit.ledger import rates
from toolkit.ledger.rates import BIN_US, KEEP_BINS, Activity, Sample, predict

S = 1_000_000


def bins(*counts: int) -> list[Sample]:
    """Return whole bins with so many events each."""
    return [Sample(BIN_US, count) for count in counts]


def uneven(seed: int, number: int, mean: float) -> list[Sample]:
    """Return bins of chance, drawn with a generator that never changes."""
    rng = Random(seed)
    return bins(*(int(rng.expovariate(1 / mean)) for _ in range(number)))


@pytest.mark.parametrize(
    ("samples", "gap_s", "kind", "figures"),
    [
        (bins(3), 10, "comment", (3.0, 0, 15)),
        (bins(3, 5), 30, "comment", (12.0, 0, 45)),
        (bins(*[1] * 6), 60, "gift", (6.0, 0, 47)),
        (bins(*[1] * 6), 60, "diamond", (6.0, 0, 131)),
        (bins(0, 0, 40, 0, 0, 0), 120, "gift", (80.0, 0, 384)),
        (bins(*range(12)), 45, "comment", (24.75, 0, 93)),
        (uneven(1, 30, 12.0), 90, "comment", (87.3, 19, 210)),
        (uneven(2, 60, 40.0), 300, "comment", (1542.5, 739, 2675)),
        (uneven(3, 120, 0.3), 600, "gift", (4.0, 0, 30)),
        (uneven(4, 7, 2.0), 20, "diamond", (2.0, 0, 59)),
        (uneven(5, 120, 200.0), 30, "comment", (652.475, 55, 2044)),
        ([*bins(8, 9, 7), Sample(4 * S, 2)], 60, "comment", (45.882353, 3, 149)),
    ],
)
def test_the_same_samples_give_the_same_figures(
    samples: list[Sample], gap_s: int, kind: str, figures: tuple[float, int, int]
) -> None:
    """
    Estimate, low and high of a dozen rooms, as they are written in recordings.

    That they are right is shown against lives whose truth is known; here they may not
    change unnoticed, for a live, its healing and a rebuild are to agree.
    """
    found = predict(samples, gap_s * S, kind)
    assert found is not None
    assert (round(found.estimate, 6), found.low, found.high) == figures


@pytest.mark.parametrize("seed", range(40))
def test_a_quantile_is_what_the_sum_of_the_terms_says(seed: int) -> None:
    """Each term of the negative binomial by logarithms of the gamma function, one by one."""
    rng = Random(seed)
    mean = rng.choice([0.05, 0.7, 3.0, 40.0]) * rng.uniform(0.5, 2)
    variance = mean * rng.choice([1.2, 3.0, 12.0])
    shape = mean * mean / (variance - mean)

    def term(number: int) -> float:
        ways = lgamma(number + shape) - lgamma(shape) - lgamma(number + 1)
        return exp(ways + shape * log(shape / (shape + mean)) + number * log(mean / (shape + mean)))

    low, high = rates._exact_interval(mean, variance)
    below_high = sum(term(number) for number in range(high))
    assert below_high < 0.99 <= below_high + term(high) + 1e-9
    below_low = sum(term(number) for number in range(low))
    assert below_low <= 0.01 + 1e-9
    assert below_low + term(low) > 0.01 - 1e-9


def test_without_clumps_it_is_plain_chance() -> None:
    """A Poisson of 10: 3 to 18 by the tables, at one in a hundred on either side."""
    assert rates._exact_interval(10.0, 10.0) == (3, 18)
    assert rates._exact_interval(10.0, 9.0) == (3, 18), "less than chance is no more than chance"


def test_both_ways_to_an_interval_agree_in_the_middle() -> None:
    """Where a sum of terms would take long, the rule of thumb is within a few percent."""
    for mean, variance in ((300.0, 6_000.0), (390.0, 20_000.0), (120.0, 600.0)):
        summed = rates._exact_interval(mean, variance)
        ruled = [rates._gamma_quantile(mean, variance, share) for share in (0.01, 0.99)]
        assert ruled == [pytest.approx(figure, rel=0.06, abs=2) for figure in summed]


@pytest.mark.parametrize("shape", [0.01, 0.03, 0.1, 0.3, 0.49, 0.5, 1.0, 4.0])
def test_a_room_of_few_huge_gifts_has_an_upper_bound_that_holds(shape: float) -> None:
    """One lion tells little about the next minute: 99 of 100 draws are below the bound."""
    rng, mean = Random(f"{shape}"), 700.0
    high = rates._gamma_quantile(mean, mean * mean / shape, 0.99)
    draws = [rng.gammavariate(shape, mean / shape) for _ in range(20_000)]
    assert sum(draw <= high for draw in draws) / 20_000 == pytest.approx(0.99, abs=0.0025)


def test_a_short_gap_in_a_room_of_huge_gifts_may_have_held_one() -> None:
    """Ten universes in ten minutes: five silent seconds are not proven to be empty."""
    found = predict(bins(450_000, *[0] * 59), 1 * S, "diamond")
    assert found is not None
    assert found.low == 0
    assert found.high > 10 * found.estimate > 0
    assert rates._interval(0.0, 5.0) == (0, 0)


def test_where_a_sum_would_take_too_long_the_rule_decides() -> None:
    """Above a mean of 400, or a spread that reaches beyond sixty thousand steps."""
    for mean, variance in ((401.0, 1_000.0), (399.0, 2.6e7)):
        assert rates._interval(mean, variance)[1] == ceil(rates._gamma_quantile(mean, variance, 0.99))
    for mean, variance in ((400.0, 1_000.0), (399.0, 2.4e7)):
        assert rates._interval(mean, variance) == rates._exact_interval(mean, variance)


def test_a_microsecond_is_observed_time() -> None:
    """However little it proves."""
    assert predict([Sample(1, 0)], 10 * S, "comment") is not None


def test_a_short_last_bin_tells_of_time_and_not_of_clumps() -> None:
    """It is observed, but cannot be compared with whole ones."""
    whole = predict(bins(5, 5, 5, 5), 40 * S, "comment")
    longer = predict([*bins(5, 5, 5, 5), Sample(5 * S, 40)], 40 * S, "comment")
    assert whole is not None
    assert longer is not None
    assert longer.estimate == pytest.approx(60 * 40 / 45)
    assert rates._clumping([*bins(5, 5, 5, 5), Sample(5 * S, 40)], 1.0) == rates._clumping(
        bins(5, 5, 5, 5), 1.0
    )


def test_clumps_are_drawn_towards_the_usual_until_enough_was_seen() -> None:
    """One bin, or silence, says nothing; many busy ones speak for themselves."""
    assert rates._clumping(bins(7), 15.0) == 15.0
    assert rates._clumping(bins(0, 0, 0), 15.0) == 15.0
    assert rates._clumping(bins(4, 0), 15.0) == pytest.approx((5 * 15.0 + 1 * 4.0) / 6), "two can be compared"
    # Steps of 4 and -4: variance 8 over mean 2, four busy bins of eight against five.
    alternating = bins(4, 0, 4, 0, 4, 0, 4, 0)
    assert rates._clumping(alternating, 1.0) == pytest.approx((5 * 1.0 + 4 * 4.0) / 9)
    assert rates._clumping(alternating, 15.0) == pytest.approx((5 * 15.0 + 4 * 4.0) / 9)
    assert rates._clumping(bins(*[9] * 60), 1.0) == 1.0, "never below plain chance"


def test_drift_is_measured_by_the_minute_and_drawn_towards_the_usual() -> None:
    """Less so in a quiet room, where chance hides it."""
    assert rates._drift(bins(1, 2, 3), 1.0) == pytest.approx(0.2), "no whole minute"
    assert rates._drift(bins(*[0] * 12), 1.0) == pytest.approx(0.2)
    # Minutes of 60 and 180: mean 120, variance 7200, of which 120 are chance.
    two = bins(*[10] * 6, *[30] * 6)
    assert rates._drift(two, 1.0) == pytest.approx((0.2 * 3 + 2 * (7200 - 120) / 120**2) / (3 + 2))
    assert rates._drift([*two, *bins(99, 99)], 1.0) == pytest.approx(rates._drift(two, 1.0))
    assert rates._drift([*two, *[Sample(5 * S, 77)] * 6], 1.0) == pytest.approx(rates._drift(two, 1.0))
    # Three minutes of 60, 180 and 60: mean 100, variance 4800.
    three = bins(*[10] * 6, *[30] * 6, *[10] * 6)
    assert rates._drift(three, 1.0) == pytest.approx((0.2 * 3 + 3 * (4800 - 100) / 100**2) / (3 + 3))
    # A mean of 2 a minute weighs 2 * 0.2 / 1 = 0.4 of its number.
    quiet = bins(*[0] * 6, 4, 0, 0, 0, 0, 0)
    worth = 2 * 0.4
    assert rates._drift(quiet, 1.0) == pytest.approx((0.6 + worth * (8 - 2) / 4) / (3 + worth))
    # Less than chance is no drift at all.
    assert rates._drift(bins(*[10] * 12), 1.0) == pytest.approx(0.6 / 5)


def test_activity_counts_each_kind_in_its_bin() -> None:
    """At the edge of a bin as in it; before the beginning is the beginning."""
    activity = Activity(5 * S)
    activity.add("comment", 2, 4 * S)
    activity.add("comment", 1, 15 * S - 1)
    activity.add("comment", 7, 15 * S)
    activity.add("gift", 3, 15 * S)
    activity.reach(25 * S)
    activity.reach(20 * S)
    assert activity.first("comment") == bins(3, 7)
    assert activity.last("gift") == bins(0, 3)
    activity.reach(25 * S + 1)
    assert activity.last("gift") == [*bins(0, 3), Sample(1, 0)]


def test_activity_forgets_nothing_that_is_asked_for() -> None:
    """The first ten minutes, and the last, however long the middle."""
    activity = Activity(0)
    for number in range(400):
        activity.add("comment", number + 1, number * BIN_US)
        activity.reach((number + 1) * BIN_US)
    assert activity.first("comment") == bins(*range(1, KEEP_BINS + 1))
    assert activity.last("comment") == bins(*range(401 - KEEP_BINS, 401))
