"""
How long comments travel to us, so that one that was delayed is not taken for a fresh one.

TikTok's clock and ours may be seconds apart, so the time between writing and arrival
says nothing by itself. The difference between two such times does: the clocks cancel out.
"""

from __future__ import annotations

from collections import deque

__all__ = ["LAG_US_MAX", "REMEMBERED_US", "Travel"]

LAG_US_MAX = 1_750_000
"""TikTok's order steps back by at most 1.7 s. A comment that seems later than that shows
that a clock was set: so whatever the clocks do, nothing is held against it beyond this."""
REMEMBERED_US = 60_000_000
"""Of the past: long enough for a quiet chat, short enough for a clock that was set."""
_SECONDS_MAX = 30
_FAST_SHARE = 4
"""What counts as fast: of the fastest comment of each second the first quarter. Not the very
fastest, whose time may be wrong, and not the last ones, who may all have been held up."""


class Travel:
    """How long the comments of late were on their way. Give it all of them, in order of arrival."""

    def __init__(self) -> None:
        # (second of ours, shortest time between TikTok's stamp and arrival in it)
        self._fastest: deque[tuple[int, int]] = deque(maxlen=_SECONDS_MAX)

    def lag_us(self, occurred_at: int | None, received_at: int) -> int:
        """
        Take in a comment; return how much longer than fast ones it was on its way.

        Args:
            occurred_at: TikTok's clock, microseconds UTC; 0 or None where there is none.
            received_at: The clock of whoever received it, microseconds UTC.

        Returns:
            Microseconds, 0 to :data:`LAG_US_MAX`; 0 where nobody can tell.
        """
        if not occurred_at or not received_at:
            return 0
        took = received_at - occurred_at
        self._note(received_at, took)
        times = sorted(took for _, took in self._fastest)
        return min(max(0, took - times[len(times) // _FAST_SHARE]), LAG_US_MAX)

    def _note(self, received_at: int, took: int) -> None:
        second, fastest = received_at // 1_000_000, self._fastest
        if fastest and fastest[-1][0] == second:
            fastest[-1] = (second, min(took, fastest[-1][1]))
            return
        fastest.append((second, took))
        # A clock that was set back makes the past look like the future.
        while not 0 <= second - fastest[0][0] < REMEMBERED_US // 1_000_000:
            fastest.popleft()
