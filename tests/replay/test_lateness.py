"""How late frames were: close to the truth, in bounded memory."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from toolkit.replay.lateness import Lateness


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=400), st.sampled_from([0.5, 0.99, 0.999]))
def test_a_quantile_is_never_too_small_and_at_most_four_percent_too_large(durations, share):
    """Against the sorted list; the largest is exact."""
    late = Lateness()
    for duration in durations:
        late.take(duration)
    exact = sorted(durations)[max(0, math.ceil(share * len(durations)) - 1)]
    assert exact <= late.quantile_ns(share) <= exact * 1.04 + 1
    assert late.max_ns == max(durations)


def test_early_counts_as_not_late_and_nothing_as_zero():
    """Both happen: a plan without frames, a clock that is read twice."""
    late = Lateness()
    assert late.as_dict() == {"count": 0, "p50_ms": 0.0, "p99_ms": 0.0, "p999_ms": 0.0, "max_ms": 0.0}
    late.take(-5)
    assert (late.count, late.max_ns, late.quantile_ns(0.99)) == (1, 0, 0)


def test_memory_does_not_grow_with_what_is_counted():
    """A day of frames takes as many buckets as a minute."""
    late = Lateness()
    for power in range(60):
        for step in range(100):
            late.take((1 << power) + step * (1 << power) // 100)
    assert len(late._buckets) < 2_000
