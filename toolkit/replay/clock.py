"""
Where a replay stands: seconds of the plan against a clock that only goes forward.

Absolute, so nothing adds up: between two controls the position is a line through one
anchor, and a frame's due moment is read off that line. Positions are kept in whole
nanoseconds. Pure arithmetic; the caller brings the time.
"""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

from toolkit.clock import Clock, SystemClock

__all__ = ["UNLIMITED", "PlayerClock", "SystemTime", "Time", "VirtualTime"]

UNLIMITED = math.inf
"""The rate at which everything is due at once: as fast as this machine can."""
_NS = 1_000_000_000


class PlayerClock:
    """
    Position of a replay that can be paused, moved and sped up. Not thread-safe.

    At :data:`UNLIMITED` it does not move by itself: whoever plays moves it along.

    Attributes:
        rate: Seconds of the plan per second.
        is_paused: Whether it stands still.
    """

    def __init__(self, now_ns: int, *, rate: float = 1.0, is_paused: bool = False) -> None:
        """
        Stand at 0.

        Args:
            now_ns: The base clock's time, nanoseconds.
            rate: Above 0.
            is_paused: Whether it begins paused.
        """
        assert rate > 0, rate
        self.rate = rate
        self.is_paused = is_paused
        self._anchor_ns = now_ns
        self._position_ns = 0

    def position_s(self, now_ns: int) -> float:
        """Return the position at ``now_ns``, seconds of the plan."""
        return self._at(now_ns) / _NS

    def due_ns(self, position_s: float) -> int | None:
        """Return when a position is reached, base clock; None while nothing is."""
        if self.is_paused:
            return None
        if math.isinf(self.rate):
            return self._anchor_ns
        # Rounded up: a frame is never early by the rest of a nanosecond.
        return self._anchor_ns + math.ceil((round(position_s * _NS) - self._position_ns) / self.rate)

    def pause(self, now_ns: int) -> None:
        """Stand still."""
        self._settle(now_ns)
        self.is_paused = True

    def resume(self, now_ns: int) -> None:
        """Go on from where it stands."""
        self._settle(now_ns)
        self.is_paused = False

    def set_rate(self, rate: float, now_ns: int) -> None:
        """Go on at another rate; the position does not jump."""
        assert rate > 0, rate
        self._settle(now_ns)
        self.rate = rate

    def move_to(self, position_s: float, now_ns: int) -> None:
        """Stand at another position from ``now_ns`` on."""
        self._position_ns = round(position_s * _NS)
        self._anchor_ns = now_ns

    def _at(self, now_ns: int) -> int:
        if self.is_paused or math.isinf(self.rate):
            return self._position_ns
        return self._position_ns + math.floor((now_ns - self._anchor_ns) * self.rate)

    def _settle(self, now_ns: int) -> None:
        self._position_ns = self._at(now_ns)
        self._anchor_ns = now_ns


class Time(Clock, Protocol):
    """Time that can be waited for: the machine's, or one that a test owns."""

    async def wait(self, until_ns: int | None, wake: asyncio.Event) -> None:
        """
        Return at ``until_ns`` on the monotonic clock, or sooner when ``wake`` is set.

        Always lets other tasks run, and clears ``wake``.

        Args:
            until_ns: When; None to wait for ``wake`` alone.
            wake: Set by whoever has news.
        """
        ...


class SystemTime(SystemClock):
    """The machine's clocks, waited for in an asyncio loop."""

    async def wait(self, until_ns: int | None, wake: asyncio.Event) -> None:
        """Return at ``until_ns``, or sooner when ``wake`` is set."""
        if until_ns is None:
            await wake.wait()
        elif (left_s := (until_ns - self.mono_ns()) / _NS) > 0:
            try:
                async with asyncio.timeout(left_s):
                    await wake.wait()
            except TimeoutError:
                return
        else:
            # Yields even when late: a replay that cannot keep up must not starve the loop.
            await asyncio.sleep(0)
        wake.clear()


class VirtualTime:
    """
    Time that passes only where somebody waits for it: an hour at 1x takes a moment.

    Attributes:
        wall_us: Its wall clock, microseconds UTC.
        mono: Its monotonic clock, nanoseconds.
    """

    def __init__(self, wall_us: int = 1_700_000_000_000_000) -> None:
        self.wall_us = wall_us
        self.mono = 0

    def now_us(self) -> int:
        """Return the wall clock: microseconds since 1970-01-01 UTC."""
        return self.wall_us + self.mono // 1000

    def mono_ns(self) -> int:
        """Return the monotonic clock, in nanoseconds."""
        return self.mono

    async def wait(self, until_ns: int | None, wake: asyncio.Event) -> None:
        """Be at ``until_ns`` at once; without one, wait for ``wake`` as everybody does."""
        if until_ns is None:
            await wake.wait()
        else:
            self.mono = max(self.mono, until_ns)
            await asyncio.sleep(0)
        wake.clear()
