"""
One kind of event has stopped while others go on.

A connection can be alive and still not bring everything: TikTok withholds chat
from some clients, a host turns comments off. Nobody would notice from a chart of
the sum. This is a warning, never a reason to reconnect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["USUAL_LIMITS", "KindSilence", "KindWarning", "SilenceLimits"]

BUCKET_S = 10.0
MEMORY_S = 600.0
"""How far back 'normal' is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceLimits:
    """
    When a silence is worth a word.

    Attributes:
        silence_s: It lasts so long: conversations pause for a minute or two.
        expected: So many events should have come in it. At a steady rate, none in
            place of twenty happens by chance once in half a billion.
        seen: So many came before it; of fewer no rate is called normal.
        others: So many other events came in it; fewer and the whole room has gone quiet.
    """

    silence_s: float = 120.0
    expected: float = 20.0
    seen: int = 20
    others: int = 10


USUAL_LIMITS = SilenceLimits()


@dataclass(frozen=True, slots=True)
class KindWarning:
    """
    A kind that stopped.

    Attributes:
        kind: Of the events, such as ``comment``.
        silent_s: Since the last one, in seconds.
        normal_per_minute: How many came before it stopped.
    """

    kind: str
    silent_s: float
    normal_per_minute: float


@dataclass(slots=True)
class _Seen:
    last_s: float
    """Of the last event, or of the connection that followed it."""
    buckets: deque[tuple[float, int]]
    """Start and count of ten-second stretches with events, oldest first."""


class KindSilence:
    """Fed with the kinds of each batch; forgets nothing over a reconnect but the silence."""

    def __init__(self, limits: SilenceLimits = USUAL_LIMITS) -> None:
        self._limits = limits
        self._seen: dict[str, _Seen] = {}
        self._all: deque[tuple[float, int]] = deque()
        self._since_s = 0.0

    def connected(self, now_s: float) -> None:
        """Begin a connected stretch: what was silent in the gap is not held against a kind."""
        if not self._all:
            self._since_s = now_s
        for seen in self._seen.values():
            seen.last_s = now_s

    def take(self, kinds: Iterable[str], now_s: float) -> None:
        """Take in the kinds of the events of one batch."""
        for kind in kinds:
            seen = self._seen.setdefault(kind, _Seen(now_s, deque()))
            seen.last_s = now_s
            _count(seen.buckets, now_s)
            _count(self._all, now_s)

    def warnings(self, now_s: float) -> list[KindWarning]:
        """Return the kinds that have stopped, in the order of their names."""
        found = []
        for kind in sorted(self._seen):
            seen = self._seen[kind]
            silent_s = now_s - seen.last_s
            if silent_s < self._limits.silence_s:
                continue
            rate = self._rate_per_s(seen, now_s)
            others = sum(count for at_s, count in self._all if at_s > seen.last_s)
            if silent_s * rate >= self._limits.expected and others >= self._limits.others:
                found.append(KindWarning(kind, silent_s, rate * 60))
        return found

    def _rate_per_s(self, seen: _Seen, now_s: float) -> float:
        """Return the rate before the silence; 0 where too little was seen to call it normal."""
        counted = [count for at_s, count in seen.buckets if at_s > seen.last_s - MEMORY_S]
        if sum(counted) < self._limits.seen:
            return 0.0
        observed_s = max(min(seen.last_s - self._since_s, MEMORY_S), self._limits.silence_s)
        return sum(counted) / observed_s


def _count(buckets: deque[tuple[float, int]], now_s: float) -> None:
    start_s = now_s - now_s % BUCKET_S
    if buckets and buckets[-1][0] == start_s:
        buckets[-1] = (start_s, buckets[-1][1] + 1)
    else:
        buckets.append((start_s, 1))
    # Twice the memory: the rate is that of the ten minutes before a silence.
    while buckets[0][0] < now_s - 2 * MEMORY_S:
        buckets.popleft()
