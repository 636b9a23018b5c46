"""Predictions: as wide as they must be, no wider than they need to be."""

from __future__ import annotations

from random import Random

import pytest

from toolkit.ledger.rates import BIN_US, KEEP_BINS, Activity, Sample, predict

S = 1_000_000


def poisson(rng: Random, mean: float) -> int:
    """Return a number of chance events."""
    count, left = 0, rng.expovariate(1.0)
    while left < mean:
        count += 1
        left += rng.expovariate(1.0)
    return count


def test_nothing_observed_predicts_nothing() -> None:
    """There is nothing to judge by."""
    assert predict([], 10 * S, "comment") is None
    assert predict([Sample(0, 0)], 10 * S, "comment") is None


def test_no_time_brings_nothing() -> None:
    """Exactly."""
    found = predict([Sample(BIN_US, 60)] * 6, 0, "comment")
    assert found is not None
    assert (found.estimate, found.low, found.high) == (0, 0, 0)


def test_the_estimate_is_rate_times_time() -> None:
    """Six a second for a minute."""
    found = predict([Sample(BIN_US, 60)] * 60, 60 * S, "comment")
    assert found is not None
    assert found.estimate == pytest.approx(360)
    assert 180 < found.low < 360 < found.high < 600


def test_silence_around_a_gap_does_not_prove_silence_in_it() -> None:
    """The lower bound is nothing, the upper is not."""
    found = predict([Sample(BIN_US, 0)] * 6, 300 * S, "comment")
    assert found is not None
    assert (found.estimate, found.low) == (0, 0)
    assert 5 <= found.high <= 40


@pytest.mark.parametrize(("rate", "gap_s"), [(0.2, 60), (0.2, 600), (6, 20), (6, 300), (14, 600), (60, 60)])
def test_chance_stays_within_the_bounds_in_nineteen_of_twenty(rate: float, gap_s: int) -> None:
    """Plain chance is the easy case: the bounds have room for moods on top."""
    rng = Random(f"{rate}:{gap_s}")
    inside = 0
    for _ in range(100):
        samples = [Sample(BIN_US, poisson(rng, rate * 10)) for _ in range(2 * KEEP_BINS)]
        found = predict(samples, gap_s * S, "comment")
        assert found is not None
        inside += found.low <= poisson(rng, rate * gap_s) <= found.high
    assert inside >= 95


@pytest.mark.parametrize("mean", [399, 401])
def test_both_ways_to_a_quantile_agree_where_they_meet(mean: int) -> None:
    """Below 400 the terms are added up, above it a rule of thumb will do."""
    found = predict([Sample(BIN_US, 60)] * 120, int(mean / 6 * S), "comment")
    assert found is not None
    assert found.low == pytest.approx(mean * 0.64, rel=0.05)
    assert found.high == pytest.approx(mean * 1.47, rel=0.05)


def test_streaks_make_bounds_wider() -> None:
    """The same number in clumps says less."""
    even = predict([Sample(BIN_US, 2)] * 60, 60 * S, "comment")
    clumped = predict(
        [Sample(BIN_US, 0)] * 9 + [Sample(BIN_US, 20)] * 6 + [Sample(BIN_US, 0)] * 45, 60 * S, "gift"
    )
    assert even is not None
    assert clumped is not None
    assert clumped.high - clumped.low > 2 * (even.high - even.low)


def test_few_gifts_prove_little_about_gifts() -> None:
    """The same samples say less of what usually comes in streaks."""
    samples = [Sample(BIN_US, 1)] * 12
    single, streaks = predict(samples, 60 * S, "comment"), predict(samples, 60 * S, "gift")
    assert single is not None
    assert streaks is not None
    assert streaks.high > 1.5 * single.high


def test_a_room_of_many_moods_has_wider_bounds_than_an_even_one() -> None:
    """The drift from minute to minute is measured."""
    even = predict([Sample(BIN_US, 60)] * 120, 60 * S, "comment")
    moody = predict(([Sample(BIN_US, 20)] * 6 + [Sample(BIN_US, 100)] * 6) * 10, 60 * S, "comment")
    assert even is not None
    assert moody is not None
    assert moody.estimate == even.estimate
    assert moody.high - moody.low > 2 * (even.high - even.low)


def test_a_longer_gap_averages_over_moods() -> None:
    """Relative to what was missed its bounds are tighter."""
    short = predict([Sample(BIN_US, 60)] * 120, 60 * S, "comment")
    long = predict([Sample(BIN_US, 60)] * 120, 900 * S, "comment")
    assert short is not None
    assert long is not None
    assert (long.high - long.low) / long.estimate < 0.6 * (short.high - short.low) / short.estimate


def test_activity_keeps_the_first_and_the_last_ten_minutes() -> None:
    """Silent bins count too; the last one is as long as it was observed."""
    activity = Activity(1_000 * S)
    for second in range(0, 7_200, 5):
        activity.add("comment", 1, (1_000 + second) * S)
    activity.reach((1_000 + 7_204) * S)
    first, last = activity.first("comment"), activity.last("comment")
    assert [sample.count for sample in first] == [2] * KEEP_BINS
    assert [sample.count for sample in last] == [2] * (KEEP_BINS - 1) + [0]
    assert last[-1].us == 4 * S
    assert {sample.count for sample in activity.first("gift")} == {0}
    assert len(activity._bins) <= 2 * KEEP_BINS + 2


def test_activity_of_a_moment_is_a_short_sample() -> None:
    """And nothing at all has none."""
    activity = Activity(0)
    assert activity.first("comment") == []
    activity.add("comment", 3, 2 * S)
    activity.reach(4 * S)
    assert activity.first("comment") == activity.last("comment") == [Sample(4 * S, 3)]
