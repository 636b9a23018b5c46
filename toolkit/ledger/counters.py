"""
TikTok's own totals, read on both sides of a gap: what they grew by was missed.

Three kinds of counter. *Steps* (followers, shares) travel with each follow and
share, so those that were received can be taken off. *Levels* (entries, diamonds of
the room) come by themselves every few seconds. *Likes* wobble by up to 800, and in
co-hosted rooms two or three series of them are interleaved: they are told apart
first, and compared each with its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import product

__all__ = ["Levels", "LikeSeries", "Likes", "Steps", "likes_grown", "steps_missed"]

DISORDER_US = 5_000_000
"""Messages change places by up to 1.7 s (measured); this is three times that."""

WOBBLE_MAX = 800
"""Largest step back of a like total ever seen, on totals of 0.1 to 1.8 million."""
WOBBLE_SHARE = 0.025
"""Smaller rooms are taken to wobble in proportion, with room to spare."""
APART_MIN = 2 * WOBBLE_MAX
"""Totals closer than this are one series."""
GROWTH_PER_S_MAX = 1_000
"""No room was seen to grow faster than 330 likes a second."""
SERIES_MAX = 8
SERIES_QUIET_US = 60_000_000
"""A series that was silent for so long at the edge of a gap does not speak for it."""


class Steps:
    """Readings of a counter that each message moves by one: the first and the last of a stretch."""

    def __init__(self) -> None:
        self._head: list[int] = []
        self._head_at = 0
        self._tail: deque[tuple[int, int]] = deque()
        self._older_max = 0

    def add(self, value: int, now_us: int) -> None:
        """Take in a reading; 0 and less are none."""
        if value <= 0:
            return
        if not self._head:
            self._head_at = now_us
        if now_us - self._head_at <= DISORDER_US:
            self._head.append(value)
        self._tail.append((now_us, value))
        while now_us - self._tail[0][0] > DISORDER_US:
            self._older_max = max(self._older_max, self._tail.popleft()[1])

    def __bool__(self) -> bool:
        """Return whether there was any reading."""
        return bool(self._head)

    @property
    def first(self) -> int:
        """The counter when the stretch began, as well as it is known."""
        return max(self._head)

    @property
    def last(self) -> int:
        """The counter when the stretch ended."""
        return max(self._older_max, *(value for _, value in self._tail))

    def before(self) -> tuple[int, int]:
        """Return a value before the last readings, and how many those are."""
        values = [value for _, value in self._tail]
        return self._older_max or min(values) - 1, len(values)

    def after(self) -> tuple[int, int]:
        """Return the value after the first readings, and how many those are."""
        return self.first, len(self._head)


def steps_missed(before: Steps, after: Steps) -> int:
    """
    Return how many steps nobody saw between two stretches.

    Exact whatever the order at the edges: what was received there is taken off
    what the counter grew by. Negative if the counter was turned back.
    """
    start, seen_before = before.before()
    end, seen_after = after.after()
    return end - start - seen_before - seen_after


class Levels:
    """
    Readings of a counter that only grows: the first and the last of a stretch.

    Attributes:
        first: The first reading; None before it.
        last: The largest.
        first_at: TikTok's clock, else ours, of the first; microseconds.
        last_at: The same of the last.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self.last: int | None = None
        self.first_at = 0
        self.last_at = 0

    def add(self, value: int, at_us: int) -> None:
        """Take in a reading; 0 and less are none."""
        if value <= 0:
            return
        if self.first is None:
            self.first, self.first_at = value, at_us
        if self.last is None or value >= self.last:
            self.last, self.last_at = value, at_us


@dataclass(slots=True)
class LikeSeries:
    """
    One of the interleaved series of like totals.

    Attributes:
        first: Its first reading.
        first_at: When, our clock.
        last: Its last reading.
        last_at: When.
        peak: Its largest reading.
        wobble: Its largest step back from a peak.
        readings: How many.
    """

    first: int
    first_at: int
    last: int
    last_at: int
    peak: int
    wobble: int = 0
    readings: int = 1

    @property
    def margin(self) -> int:
        """How far a reading may be from the truth."""
        return max(min(WOBBLE_MAX, int(self.peak * WOBBLE_SHARE) + 1), self.wobble * 3 // 2)


class Likes:
    """The like totals of one stretch, taken apart into series."""

    def __init__(self) -> None:
        self.series: list[LikeSeries] = []
        self._first_at = 0
        self._last_at = 0

    def add(self, total: int, now_us: int) -> None:
        """Take in a reading; 0 and less are none."""
        if total <= 0:
            return
        if not self.series:
            self._first_at = now_us
        self._last_at = now_us
        near = [s for s in self.series if abs(total - s.peak) <= _reach(now_us - s.last_at)]
        if not near:
            if len(self.series) >= SERIES_MAX:
                self.series.remove(min(self.series, key=lambda s: s.last_at))
            self.series.append(LikeSeries(total, now_us, total, now_us, total))
            return
        own = min(near, key=lambda s: abs(total - s.peak))
        own.wobble = max(own.wobble, own.peak - total)
        own.peak = max(own.peak, total)
        own.last, own.last_at = total, now_us
        own.readings += 1

    def first(self) -> list[LikeSeries]:
        """Return the series that spoke when the stretch began, smallest first."""
        early = [s for s in self.series if s.first_at - self._first_at <= SERIES_QUIET_US]
        return sorted(early, key=lambda s: s.first)

    def last(self) -> list[LikeSeries]:
        """Return the series that spoke when the stretch ended, smallest first."""
        late = [s for s in self.series if self._last_at - s.last_at <= SERIES_QUIET_US]
        return sorted(late, key=lambda s: s.last)


def likes_grown(before: Likes, after: Likes) -> tuple[int, int, int, LikeSeries, LikeSeries] | None:
    """
    Return what the room's likes grew by between two stretches.

    Series keep their order, so equal numbers of them are paired by rank. If one came
    or went, the busiest before is paired with what it could have grown into, and the
    bounds hold every pairing that is possible.

    Returns:
        Estimate, low, high, and the two series compared; None if either side is silent.
    """
    old, new = before.last(), after.first()
    if not old or not new:
        return None
    main = max(old, key=lambda s: s.readings)
    if len(old) == len(new):
        pairs = list(zip(old, new, strict=True))
    else:
        possible = [(a, b) for a, b in product(old, new) if b.first >= a.last - max(a.margin, b.margin)]
        pairs = possible or [(main, new[-1])]
    own = [pair for pair in pairs if pair[0] is main] or pairs
    best = min(own, key=lambda pair: pair[1].first - pair[0].last)
    low = min(b.first - a.last - max(a.margin, b.margin) for a, b in pairs)
    high = max(b.first - a.last + max(a.margin, b.margin) for a, b in pairs)
    return max(0, best[1].first - best[0].last), max(0, low), max(0, high), *best


def _reach(silent_us: int) -> int:
    return APART_MIN + GROWTH_PER_S_MAX * silent_us // 1_000_000
