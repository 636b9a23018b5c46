"""Latencies are counted as the HdrHistogram package counts them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.load.histogram import Histogram

# Not built for every machine that this project runs on.
HdrHistogram = pytest.importorskip("hdrh.histogram").HdrHistogram

SHARES = [1, 25, 50, 75, 90, 95, 99, 99.9, 100]
HOUR_US = 3_600_000_000


@given(st.integers(0, 1 << 32), st.floats(1, 20))
def test_percentiles_are_those_of_hdrhistogram(seed, spread):
    """
    Both keep three significant digits, so they differ by less than that.

    A thousand values, of which each share is a whole number: between two values the
    other one takes the nearer, which may be the lower.
    """
    rng = random.Random(seed)
    values = [min(int(rng.lognormvariate(spread / 2, spread / 4)) + 1, HOUR_US) for _ in range(1_000)]
    reference = HdrHistogram(1, HOUR_US, 3)
    for value in values:
        reference.record_value(value)
    ours = Histogram(values).percentiles(SHARES)
    for share, value in zip(SHARES, ours, strict=True):
        assert value == pytest.approx(reference.get_value_at_percentile(share), rel=0.0011), share


@given(st.lists(st.integers(0, 1 << 50), min_size=1, max_size=200), st.floats(0, 100))
def test_a_percentile_is_never_flattering(values, share):
    """At least that share of all values does not exceed it, and it is at most 0.1 % high."""
    found = Histogram(values).percentile(share)
    assert sum(value <= found for value in values) >= len(values) * share / 100
    assert found <= max(values)
    assert any(value <= found <= value * 1.001 for value in values)


def test_merged_counts_are_those_of_all_values():
    """What a socket process has counted is added to what came before."""
    rng = random.Random(5)
    values = [rng.randrange(1, 10_000_000) for _ in range(2_000)]
    merged = Histogram(values[:700])
    other = Histogram(values[700:])
    merged.merge(Histogram.of(other.as_dict(), other.largest))
    assert merged.summary_ms() == Histogram(values).summary_ms()


def test_nothing_counted_has_no_percentile():
    """None, which no objective takes for a pass."""
    assert Histogram().percentiles([50, 99]) == [None, None]
    assert Histogram().summary_ms() == {
        "count": 0,
        "p50_ms": None,
        "p95_ms": None,
        "p99_ms": None,
        "p99_9_ms": None,
        "max_ms": None,
    }


def test_two_clocks_that_disagree_a_little_make_no_negative_latency():
    """It counts as none."""
    histogram = Histogram([-3, 5])
    assert histogram.count == 2
    assert histogram.percentiles([50, 100]) == [0, 5]
