"""
The bus of one process: a numbered ring, bounded subscriptions, no I/O.

``publish`` may be called from any thread and never blocks on a subscriber. A
subscription is a bounded queue; when it is full the oldest notice is dropped and
counted, so that what a reader sees is always the newest.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from toolkit.bus.notice import Notice
from toolkit.clock import Clock, SystemClock
from toolkit.model.event import Event

__all__ = ["MemoryBus", "Subscription"]

RING_NOTICES = 20_000
"""How far back a subscriber that returns can catch up: over a minute at 250/s."""
QUEUE_NOTICES_MAX = 5_000
"""Default bound of a subscription."""


class Subscription:
    """
    One reader's bounded queue. Close it when done; usable as a context manager.

    Attributes:
        dropped: Notices lost because this reader was slow.
    """

    def __init__(
        self,
        bus: MemoryBus,
        types: frozenset[str] | None,
        wake: Callable[[], None] | None,
        notices_max: int,
    ) -> None:
        self.dropped = 0
        self._bus = bus
        self._types = types
        self._wake = wake
        self._queue: deque[Notice] = deque(maxlen=notices_max)
        self._lock = threading.Lock()

    def __enter__(self) -> Subscription:
        """Return itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop receiving."""
        self.close()

    def take(self) -> list[Notice]:
        """Return and forget everything waiting, oldest first. Never blocks."""
        with self._lock:
            notices = list(self._queue)
            self._queue.clear()
        return notices

    def close(self) -> None:
        """Stop receiving. Harmless when repeated."""
        self._bus._forget(self)

    def _offer(self, notices: list[Notice]) -> Callable[[], None] | None:
        """Take in what is wanted; return who has to be woken, if anybody."""
        wanted = notices if self._types is None else [n for n in notices if n.type in self._types]
        if not wanted:
            return None
        with self._lock:
            was_empty = not self._queue
            assert self._queue.maxlen is not None
            self.dropped += max(0, len(self._queue) + len(wanted) - self._queue.maxlen)
            self._queue.extend(wanted)
        # One wake-up per batch that finds the queue empty: the reader takes all.
        return self._wake if was_empty else None


class MemoryBus:
    """
    Publish and subscribe within one process.

    Attributes:
        stream: Name of this numbering. A subscriber that returns with another
            name talks about another server's numbers and starts afresh.
    """

    def __init__(self, *, clock: Clock | None = None, ring_notices: int = RING_NOTICES) -> None:
        self.stream = secrets.token_hex(8)
        self._clock = clock or SystemClock()
        self._ring: deque[Notice] = deque(maxlen=ring_notices)
        self._seq = 0
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._taps: tuple[Callable[[list[Notice]], None], ...] = ()

    @property
    def seq(self) -> int:
        """Number of the newest notice; 0 before the first."""
        return self._seq

    @property
    def oldest_seq(self) -> int:
        """Number of the oldest notice that is still kept; the next one's before the first."""
        with self._lock:
            return self._ring[0].seq if self._ring else self._seq + 1

    def publish(
        self,
        items: Iterable[tuple[str, Event | dict[str, Any]]],
        *,
        rehearsal: bool = False,
        recorded_at: int | None = None,
    ) -> list[Notice]:
        """
        Number and hand out several notices at once, in order.

        Args:
            items: Pairs of type and data.
            rehearsal: They come from a replay.
            recorded_at: Then, when they were first received, microseconds UTC.

        Returns:
            The notices, numbered.
        """
        at = self._clock.now_us()
        # Delivery stays under the lock: a subscriber must never see 8 before 7,
        # and two threads do publish (recorder and server).
        with self._lock:
            first = self._seq + 1
            notices = [
                Notice(first + i, kind, at, data, rehearsal, recorded_at)
                for i, (kind, data) in enumerate(items)
            ]
            if not notices:
                return notices
            self._seq = notices[-1].seq
            self._ring.extend(notices)
            for tap in self._taps:
                tap(notices)
            wakes = [subscription._offer(notices) for subscription in self._subscriptions]
        # Afterwards: whoever wakes another thread may have to wait for his turn to run again,
        # and all who publish or read would wait for him.
        for wake in wakes:
            if wake is not None:
                wake()
        return notices

    def subscribe(
        self,
        types: Iterable[str] | None = None,
        *,
        wake: Callable[[], None] | None = None,
        notices_max: int = QUEUE_NOTICES_MAX,
    ) -> Subscription:
        """
        Start receiving.

        Args:
            types: Which notices; None for all.
            wake: Called in the publisher's thread when something arrives after
                the queue was empty. Must return at once, such as
                ``loop.call_soon_threadsafe``.
            notices_max: Bound of the queue.
        """
        chosen = None if types is None else frozenset(types)
        subscription = Subscription(self, chosen, wake, notices_max)
        with self._lock:
            self._subscriptions += (subscription,)
        return subscription

    def tap(self, callback: Callable[[list[Notice]], None]) -> None:
        """Have ``callback`` called with every batch, in the publisher's thread. It must be quick."""
        with self._lock:
            self._taps += (callback,)

    def since(self, seq: int) -> tuple[list[Notice], int]:
        """
        Return what followed notice ``seq``, and how many of those are no longer kept.

        Args:
            seq: Number of the last notice the caller saw; 0 for none.
        """
        with self._lock:
            needed = max(0, self._seq - seq)
            kept = min(needed, len(self._ring))
            return list(islice(self._ring, len(self._ring) - kept, None)), needed - kept

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
