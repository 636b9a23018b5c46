"""
A circuit breaker for dials: after failures in a row, a pause, then one at a time.

It guards what costs a signature. The backoff alone would not do: a network that
comes and goes lets the reachability probe dial early, again and again.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["BreakerState", "CircuitBreaker"]

FAILURES_MAX = 3
"""Failed dials in a row that open it. Three are a pattern; two happen on any train."""
OPEN_S = 30.0
"""How long it stays open: the time the signing service gives a signed address to live."""


class BreakerState(StrEnum):
    """What a dial may do."""

    CLOSED = "closed"
    """Go ahead."""
    OPEN = "open"
    """Wait."""
    HALF_OPEN = "half_open"
    """One dial is under way and decides."""


class CircuitBreaker:
    """
    Counts failed dials, and says whether the next one may go.

    Attributes:
        failures: Failed dials since the last connection that lasted.
    """

    def __init__(self, *, open_s: float = OPEN_S) -> None:
        self.failures = 0
        self._open_s = open_s
        self._state = BreakerState.CLOSED
        self._open_until_s = 0.0

    @property
    def state(self) -> BreakerState:
        """Where it stands. Open lasts until a dial is let through."""
        return self._state

    def wait_s(self, now_s: float) -> float:
        """Return how long no dial is let through, in seconds; 0 if one may go."""
        return max(0.0, self._open_until_s - now_s) if self._state is BreakerState.OPEN else 0.0

    def let_through(self, now_s: float) -> bool:
        """Return whether a dial may go now. Open and rested, it lets exactly one through."""
        if self._state is BreakerState.OPEN and self.wait_s(now_s) == 0.0:
            self._state = BreakerState.HALF_OPEN
            return True
        return self._state is BreakerState.CLOSED

    def rest_is_over(self) -> None:
        """Forget the rest of the pause: a person says that something has changed."""
        self._open_until_s = 0.0

    def failed(self, now_s: float) -> None:
        """Take in a dial that failed, or whose connection did not last."""
        self.failures += 1
        if self._state is BreakerState.HALF_OPEN or self.failures >= FAILURES_MAX:
            self._state = BreakerState.OPEN
            self._open_until_s = now_s + self._open_s

    def connected(self) -> None:
        """Take in a dial that came up. Failures count on until it has lasted."""
        self._state = BreakerState.CLOSED

    def lasted(self) -> None:
        """Take in that a connection was stable: the past is forgiven."""
        self._state = BreakerState.CLOSED
        self.failures = 0
