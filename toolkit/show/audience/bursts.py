"""
Bursts: when far more people come than usual, as if another live had sent them.

TikTok tells nothing of raids, and of joins only a sample of at most 6 to 8 a second. So
a burst is what stands out against this room's own last minutes; in a room where the
sample is full all the time none can be seen.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["Burst", "Bursts"]

WINDOW_S = 10
NORMAL_S = 180
"""What is usual is the mean over so long before the window ..."""
WARM_UP_S = 60
"""... and at least so long: before, nobody knows what is usual."""
COOL_DOWN_S = 120
"""The next burst is another one only after this."""
TIMES = 4
LEAST = {"join": 25, "follow": 8}
"""Fewer in a window are never a burst, however quiet it was."""


@dataclass(frozen=True, slots=True)
class Burst:
    """
    A burst that begins.

    Attributes:
        count: How many came within the window.
        usual: How many usually do.
    """

    count: int
    usual: float


class Bursts:
    """Arrivals of one kind in, bursts out. Time is the caller's, and may jump."""

    def __init__(self, kind: str) -> None:
        self._least = LEAST[kind]
        self._seconds: deque[tuple[int, int]] = deque()
        self._since_s: int | None = None
        self._quiet_until_s = 0

    def begin(self) -> None:
        """Forget what was usual: somebody listens again, or to another live."""
        self._seconds.clear()
        self._since_s = None
        self._quiet_until_s = 0

    def take(self, at_us: int) -> Burst | None:
        """Take in that somebody came; return the burst that begins with it."""
        now_s = at_us // 1_000_000
        if (
            self._since_s is None
            or now_s < self._since_s
            or (self._seconds and now_s < self._seconds[-1][0] - 5)
        ):
            self.begin()
            self._since_s = now_s
        self._count(now_s)
        known_s = min(NORMAL_S, now_s - WINDOW_S - self._since_s)
        if known_s < WARM_UP_S or now_s < self._quiet_until_s:
            return None
        window = sum(count for second, count in self._seconds if second > now_s - WINDOW_S)
        before = sum(count for second, count in self._seconds if second <= now_s - WINDOW_S)
        usual = before * WINDOW_S / known_s
        if window < max(self._least, TIMES * usual):
            return None
        self._quiet_until_s = now_s + COOL_DOWN_S
        return Burst(window, usual)

    def _count(self, now_s: int) -> None:
        if self._seconds and self._seconds[-1][0] >= now_s:
            second, count = self._seconds[-1]
            self._seconds[-1] = (second, count + 1)
        else:
            self._seconds.append((now_s, 1))
        while self._seconds[0][0] <= now_s - NORMAL_S - WINDOW_S:
            self._seconds.popleft()
