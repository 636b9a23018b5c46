"""
Delays between connection attempts: exponential growth, a ceiling, jitter.

Pure arithmetic. The caller owns the clock and the random generator, so a test
gets the same delays from the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["BackoffPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffPolicy:
    """
    How long to wait before attempt ``n`` (1-based), and when to give up.

    Attributes:
        base_s: Delay before the first attempt, in seconds.
        multiplier: Growth factor between attempts; at least 1.
        ceiling_s: Longest delay before jitter, in seconds.
        jitter: Largest relative deviation either way; 0.1 means plus or minus 10 %.
        attempts_max: Attempts in a row before giving up; 0 for no limit.
    """

    base_s: float = 5.0
    multiplier: float = 2.0
    ceiling_s: float = 300.0
    jitter: float = 0.1
    attempts_max: int = 10

    def delay_s(self, attempt: int, rng: Random) -> float:
        """Return the delay before ``attempt``, in seconds."""
        assert attempt >= 1, attempt
        # The exponent is capped: an unlimited recorder reaches attempts whose
        # power overflows a float long after the ceiling decides anyway.
        grown = self.base_s * self.multiplier ** min(attempt - 1, 64)
        # Jitter comes after the ceiling: clamping last would give every
        # connection that has reached it the same delay, and they would all
        # call back together.
        return min(grown, self.ceiling_s) * (1 + rng.uniform(-self.jitter, self.jitter))

    def is_exhausted(self, attempt: int) -> bool:
        """Return whether ``attempt`` is one too many."""
        return self.attempts_max > 0 and attempt > self.attempts_max
