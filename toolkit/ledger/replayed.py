"""
Comments that a new connection repeats: recognised even if TikTok does not mark them.

Every connection begins with the last six comments of the room. Those that are
stored already are duplicates by their ids; a new one that was written clearly
before its connection began, on TikTok's own clock, was missed and is now recovered.
"""

from __future__ import annotations

from collections import deque
from statistics import median_low

from toolkit.model.event import Batch, Comment

__all__ = ["OPENING_US", "DelayMeter", "ReplayMarker"]

OPENING_US = 5_000_000
"""The replay comes with the first frames; 12.8 s of comments came at once in one real case."""
LATE_US = 3_000_000
"""Delivery takes 0.9 s give or take 1 to 2 s (99 of 100): later than this was said before."""
DELAYS_MAX = 64
DELAYS_MIN = 5
"""Fewer tell nothing: the clocks may be 12 s apart."""


class DelayMeter:
    """The usual time from TikTok's clock to ours: delivery and the error of both clocks."""

    def __init__(self) -> None:
        self._delays: deque[int] = deque(maxlen=DELAYS_MAX)

    def add(self, occurred_at: int, received_at: int) -> None:
        """Take in a message that was delivered as it happened."""
        self._delays.append(received_at - occurred_at)

    def usual_us(self) -> int | None:
        """Return the median, microseconds; None as long as it is a guess."""
        return median_low(self._delays) if len(self._delays) >= DELAYS_MIN else None


class ReplayMarker:
    """Sets ``is_history`` on comments that were written before their connection began."""

    def __init__(self) -> None:
        self._meter = DelayMeter()
        self._usual_us: int | None = None
        self._segment_id = 0
        self._opened_at = 0

    def mark(self, batch: Batch) -> None:
        """Mark the comments of the next batch, in place."""
        if batch.segment_id != self._segment_id:
            self._segment_id, self._opened_at = batch.segment_id, batch.received_at
            # What a connection brings first says nothing about usual delays.
            self._usual_us = self._meter.usual_us()
        is_opening = batch.received_at - self._opened_at <= OPENING_US
        for event in batch.events:
            if type(event) is not Comment or event.occurred_at is None or event.is_history:
                continue
            if not is_opening:
                self._meter.add(event.occurred_at, batch.received_at)
            elif self._usual_us is not None:
                # Against the connection's beginning, not the frame: it lay silent before that.
                event.is_history = event.occurred_at + self._usual_us < self._opened_at - LATE_US
