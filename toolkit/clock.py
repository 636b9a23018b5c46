"""
The two clocks of a recording, and the seam through which tests replace them.

Wall time says when something happened to a person; monotonic time is the only
one that may be subtracted. Recorder clocks are wrong by seconds and jump, so a
duration is never the difference of two wall times.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SteadyClock", "SystemClock"]

_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts on while the machine sleeps, as the live does: Linux has a clock of its own
for that, and macOS' monotonic one does."""


class Clock(Protocol):
    """Where time comes from."""

    def now_us(self) -> int:
        """Return the wall clock: microseconds since 1970-01-01 UTC."""
        ...

    def mono_ns(self) -> int:
        """Return the monotonic clock, in nanoseconds from an arbitrary start."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        """Return the wall clock: microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000

    def mono_ns(self) -> int:
        """Return the monotonic clock, in nanoseconds."""
        return time.clock_gettime_ns(_MONOTONIC)


class SteadyClock:
    """
    A wall clock that nobody can set: it begins with the machine's, and then counts.

    Times of one recording can be subtracted whatever happens to the machine's clock
    meanwhile. How far the two have come apart is told, not followed.
    """

    def __init__(self, clock: Clock, *, set_s: float = 0.0) -> None:
        """
        Begin.

        Args:
            clock: The machine's.
            set_s: By how much that was set already, for a recording that goes on.
        """
        self._clock = clock
        self._began_us, self._began_ns = clock.now_us() - round(set_s * 1e6), clock.mono_ns()

    def now_us(self) -> int:
        """Return microseconds since 1970-01-01 UTC, by the clock that was right at the beginning."""
        return self._began_us + (self._clock.mono_ns() - self._began_ns) // 1000

    def mono_ns(self) -> int:
        """Return the monotonic clock, in nanoseconds."""
        return self._clock.mono_ns()

    def set_s(self) -> float:
        """Return by how much the machine's wall clock was set since, in seconds; negative for back."""
        return (self._clock.now_us() - self.now_us()) / 1e6


@dataclass
class ManualClock:
    """A clock that moves when told to. Both hands move together."""

    wall_us: int = 1_700_000_000_000_000
    mono: int = 0

    def now_us(self) -> int:
        """Return the wall clock: microseconds since 1970-01-01 UTC."""
        return self.wall_us

    def mono_ns(self) -> int:
        """Return the monotonic clock, in nanoseconds."""
        return self.mono

    def advance(self, seconds: float) -> None:
        """Move both hands forward by ``seconds``."""
        assert seconds >= 0, seconds
        self.wall_us += int(seconds * 1e6)
        self.mono += int(seconds * 1e9)
