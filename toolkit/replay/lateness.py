"""How late frames were sent, in bounded memory: counted, never averaged away."""

from __future__ import annotations

from collections import Counter
from typing import Any

__all__ = ["Lateness"]

_SUB_BITS = 5
"""Two neighbouring buckets differ by 3 %."""


class Lateness:
    """
    Durations in buckets that grow with them, as HdrHistogram does it.

    At most some 1,800 buckets, whatever is counted. Not thread-safe.

    Attributes:
        count: Durations taken.
        max_ns: The largest, exactly.
    """

    def __init__(self) -> None:
        self.count = 0
        self.max_ns = 0
        self._buckets: Counter[int] = Counter()

    def take(self, late_ns: int) -> None:
        """Count a duration, nanoseconds; early counts as 0."""
        late_ns = max(late_ns, 0)
        self.count += 1
        self.max_ns = max(self.max_ns, late_ns)
        self._buckets[_bucket(late_ns)] += 1

    def quantile_ns(self, share: float) -> int:
        """Return a duration that ``share`` (0 to 1) of all do not exceed; 0 if there are none."""
        wanted, seen = share * self.count, 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                return min(_upper(bucket), self.max_ns)
        return self.max_ns

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data: milliseconds."""
        figures = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999}
        return {
            "count": self.count,
            **{name: round(self.quantile_ns(share) / 1e6, 3) for name, share in figures.items()},
            "max_ms": round(self.max_ns / 1e6, 3),
        }


def _bucket(value: int) -> int:
    shift = max(value.bit_length() - _SUB_BITS - 1, 0)
    return (shift << _SUB_BITS) + (value >> shift)


def _upper(bucket: int) -> int:
    """Return the largest value of a bucket."""
    if bucket < 2 << _SUB_BITS:
        return bucket
    shift = (bucket >> _SUB_BITS) - 1
    return ((bucket - (shift << _SUB_BITS) + 1) << shift) - 1
