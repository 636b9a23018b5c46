"""
Latencies counted as HdrHistogram counts them: constant relative error, any range.

Values keep their leading :data:`PRECISION_BITS` bits; a percentile is the largest
value that its bucket stands for, so it is never flattering, and at most 0.1 % high. A
test holds it against the ``hdrhistogram`` package, which has no wheels for all the
machines this runs on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["Histogram"]

PRECISION_BITS = 11
"""Three significant digits, as HdrHistogram is commonly used: 2,048 steps per doubling."""


class Histogram:
    """
    Whole numbers of 0 or more, in buckets. Not safe for threads.

    Attributes:
        count: Values recorded.
        largest: The largest, exactly; 0 without any.
    """

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._counts: Counter[int] = Counter()
        self.count = 0
        self.largest = 0
        for value in values:
            self.record(value)

    def record(self, value: int, times: int = 1) -> None:
        """Count a value; one below 0 (two clocks that disagree by a little) counts as 0."""
        value = max(value, 0)
        shift = max(value.bit_length() - PRECISION_BITS, 0)
        self._counts[value >> shift << shift] += times
        self.count += times
        self.largest = max(self.largest, value)

    def merge(self, other: Histogram) -> None:
        """Add what another one has counted."""
        self._counts.update(other._counts)
        self.count += other.count
        self.largest = max(self.largest, other.largest)

    def percentile(self, share: float) -> int | None:
        """
        Return the value that ``share`` of all do not exceed; None without any.

        Args:
            share: 0 to 100.
        """
        return self.percentiles([share])[0]

    def percentiles(self, shares: Iterable[float]) -> list[int | None]:
        """Return several percentiles in one pass; ``shares`` must not decrease."""
        if not self.count:
            return [None for _ in shares]
        found: list[int | None] = []
        steps = iter(sorted(self._counts.items()))
        bucket, passed = next(steps)
        for share in shares:
            wanted = max(math.ceil(self.count * share / 100), 1)
            while passed < wanted:
                bucket, more = next(steps)
                passed += more
            found.append(min(_last_of(bucket), self.largest))
        return found

    def summary_ms(self) -> dict[str, float | int | None]:
        """Return the count and p50, p95, p99, p99.9 and maximum of microseconds, in milliseconds."""
        names = ("p50_ms", "p95_ms", "p99_ms", "p99_9_ms")
        values = self.percentiles([50, 95, 99, 99.9])
        return {
            "count": self.count,
            **{name: _ms(value) for name, value in zip(names, values, strict=True)},
            "max_ms": _ms(self.largest) if self.count else None,
        }

    def as_dict(self) -> dict[int, int]:
        """Return the buckets, for another process; :meth:`of` takes them back."""
        return dict(self._counts)

    @classmethod
    def of(cls, counts: Mapping[int, int], largest: int) -> Histogram:
        """Return what another process has counted."""
        histogram = cls()
        histogram._counts.update(counts)
        histogram.count = sum(counts.values())
        histogram.largest = largest
        return histogram


def _last_of(bucket: int) -> int:
    shift = max(bucket.bit_length() - PRECISION_BITS, 0)
    return bucket + (1 << shift) - 1


def _ms(value_us: int | None) -> float | None:
    return None if value_us is None else round(value_us / 1000, 2)
