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

__all__ = ["Clock", "ManualClock", "SystemClock"]


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
        return time.monotonic_ns()


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
