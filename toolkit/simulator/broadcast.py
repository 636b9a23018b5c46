"""
One live: its clock, its history, and the sockets that watch it.

The broadcast is open-loop. Its traffic goes on whether anybody watches or not,
at moments fixed in advance; a slow machine or client makes it late, which is
counted, never slower.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from toolkit.clock import Clock
from toolkit.model.frame import Message
from toolkit.simulator.ledger import Ledger
from toolkit.simulator.traffic import Burst, Traffic
from toolkit.wire.encode import encode_fetch_result
from toolkit.wire.rewrite import ends_live

__all__ = ["Batch", "Broadcast", "Lateness", "Watcher", "encode_body"]

HISTORY_COMMENTS = 6
"""TikTok replays exactly the last six comments on every connect, and nothing else."""

MESSAGES_PER_FRAME_MAX = 400
"""Largest real frame: 35 messages. Beyond 400 a frame nears TikTokLive's limit of 1 MiB."""

LATE_MS = 50
"""A burst later than this is counted: the machine does not keep up."""

_WRITE_S = 0.02
"""For the connections to write what was just pushed: making the next burst keeps the loop
for tens of milliseconds, which would be taken for a slow client."""

CONTROL_PAUSED, CONTROL_RESUMED, CONTROL_ENDED = 1, 2, 3

_GZIP_LEVEL = 1
"""Frames are made in bulk: level 1 is several times faster and a little larger."""

_COMMENT = "WebcastChatMessage"


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Messages that are pushed together, the same bytes for every connection.

    Attributes:
        batch_no: 1, 2, 3 ... within the simulator.
        messages: In the order of delivery.
        body: The gzipped fetch result.
    """

    batch_no: int
    messages: Sequence[Message]
    body: bytes


class Watcher(Protocol):
    """A connection, as the broadcast sees it."""

    def push(self, batch: Batch) -> None:
        """Queue a batch for this connection. Must not block."""

    def finish_watching(self) -> None:
        """Close the connection once everything queued is out."""


@dataclass(slots=True)
class Lateness:
    """How far behind its plan a broadcast is."""

    bursts: int = 0
    late: int = 0
    worst_ms: float = 0.0

    def note(self, late_ms: float) -> None:
        """Count one burst."""
        self.bursts += 1
        self.late += late_ms > LATE_MS
        self.worst_ms = max(self.worst_ms, late_ms)


@dataclass(slots=True)
class Broadcast:
    """
    One live, from its start to its end.

    Attributes:
        traffic: What happens in it.
        ledger: Where everything is noted before it is sent.
        clock: Wall clock for the stamps.
        speed: How fast its clock runs; 2 means twice as fast.
        messages: Ends by itself after so many messages of traffic; None for never.
        seconds: Ends by itself after so many seconds of real time; None for never.
        is_live: It has not ended.
        lateness: How well it keeps its plan.
        comments: Comments sent.
        final: The message that ended it.
        stamp_ms: The live's clock where it repeats another live; None for the wall clock.
    """

    traffic: Traffic
    ledger: Ledger
    clock: Clock
    speed: float = 1.0
    messages: int | None = None
    seconds: float | None = None
    is_live: bool = True
    lateness: Lateness = field(default_factory=Lateness)
    comments: int = 0
    final: Message | None = None
    stamp_ms: int | None = None
    _watchers: set[Watcher] = field(default_factory=set)
    _history: deque[Message] = field(default_factory=lambda: deque(maxlen=HISTORY_COMMENTS))
    _sent: int = 0

    async def run(self) -> None:
        """Broadcast until the live ends, then close the connections."""
        loop = asyncio.get_running_loop()
        start_s, start_ms = loop.time(), self.traffic.start_ms
        end_s = start_s + self.seconds if self.seconds is not None else float("inf")
        while True:
            # Made and encoded ahead, so that the moment of sending depends on the clock alone.
            burst = self._take(self.traffic.next_burst())
            due_s = start_s + (burst.at_ms - start_ms) / 1000 / self.speed
            parts = self._parts(burst.messages, self.now_ms() + int((due_s - loop.time()) * 1000))
            await asyncio.sleep(max(min(due_s, end_s) - loop.time(), 0))
            if not self.is_live:
                return
            if due_s > end_s:
                break
            late_s = loop.time() - due_s
            self.lateness.note(late_s * 1000)
            due_at = self.clock.now_us() - round(late_s * 1e6)
            for messages, body in parts:
                self._push(messages, due_at, body)
            if self.messages is not None and self._sent >= self.messages:
                break
            await asyncio.sleep(_WRITE_S / self.speed)
        self.end()

    def send(self, messages: Sequence[Message]) -> None:
        """Push messages to everybody who watches, now."""
        assert self.is_live
        for part, body in self._parts(messages, self.now_ms()):
            self._push(part, None, body)

    def send_body(self, messages: Sequence[Message], body: bytes, due_at: int) -> None:
        """Push what was encoded ahead; few enough messages for one frame."""
        assert self.is_live
        for message in messages:
            if ends_live(message):
                self.final = message
        self._push(messages, due_at, body)

    def say(self, handle: str, text: str) -> Message:
        """Have a viewer comment, now."""
        message = self.traffic.say(handle, text, self.now_ms())
        self.send([message])
        return message

    def control(self, action: int) -> Message:
        """Announce that the live paused or resumed. Chat goes on, as it does on TikTok."""
        message = self.traffic.control(action, self.now_ms())
        self.send([message])
        return message

    def invent(self, number: int) -> None:
        """Push messages of types that no schema has."""
        self.send([self.traffic.invented(index, self.now_ms()) for index in range(number)])

    def vanish(self) -> None:
        """Be over, and tell nobody."""
        self.is_live = False

    def end(self) -> None:
        """Announce the end and close every connection. A second call does nothing."""
        if not self.is_live:
            return
        # What is repeated may have announced its end already.
        self.final = self.final or self.control(CONTROL_ENDED)
        self.is_live = False
        for watcher in list(self._watchers):
            watcher.finish_watching()

    def join(self, watcher: Watcher) -> Sequence[Message]:
        """Add a connection; return the comments that TikTok replays to it."""
        self._watchers.add(watcher)
        return self.history()

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watchers)

    def leave(self, watcher: Watcher) -> None:
        """Remove a connection."""
        self._watchers.discard(watcher)

    def history(self) -> list[Message]:
        """Return the last comments, marked as history; payload and id are unchanged."""
        return [replace(message, is_history=True) for message in self._history]

    def body(self, messages: Sequence[Message], number: int) -> bytes:
        """Return a gzipped fetch result with these messages."""
        return encode_body(messages, number, self.now_ms())

    def cursor(self, now_ms: int, messages: Sequence[Message] = ()) -> str:
        """Return TikTok's position."""
        return _cursor(now_ms, messages)

    def now_ms(self) -> int:
        """Return the live's clock for something that happens now, milliseconds UTC."""
        return self.clock.now_us() // 1000 if self.stamp_ms is None else self.stamp_ms

    def _take(self, burst: Burst) -> Burst:
        """Cut a burst to the messages that are still wanted."""
        if self.messages is None:
            return burst
        return replace(burst, messages=burst.messages[: max(self.messages - self._sent, 0)])

    def _parts(
        self, messages: Sequence[Message], now_ms: int
    ) -> list[tuple[Sequence[Message], bytes | None]]:
        """Return messages in parts that fit a frame, with their bytes if anybody watches."""
        starts = range(0, len(messages), MESSAGES_PER_FRAME_MAX)
        parts = [messages[start : start + MESSAGES_PER_FRAME_MAX] for start in starts]
        numbers = range(self.ledger.batches + 1, self.ledger.batches + 1 + len(parts))
        is_worth_it = self.is_watched
        return [
            (part, encode_body(part, number, now_ms) if is_worth_it else None)
            for part, number in zip(parts, numbers, strict=True)
        ]

    def _push(self, messages: Sequence[Message], due_at: int | None, body: bytes | None) -> None:
        batch_no, sent_at = self.ledger.next_batch(), self.clock.now_us()
        self._sent += len(messages)
        self.ledger.record(messages, sent_at, batch_no, self.traffic.room_id, due_at)
        for message in self._comments(messages):
            self._history.append(message)
            self.comments += 1
        if self._watchers:
            # Compressed once, whatever the number of connections.
            batch = Batch(batch_no, messages, self.body(messages, batch_no) if body is None else body)
            for watcher in list(self._watchers):
                watcher.push(batch)

    def _comments(self, messages: Sequence[Message]) -> Iterator[Message]:
        return (message for message in messages if message.method == _COMMENT)


def encode_body(messages: Sequence[Message], number: int, now_ms: int) -> bytes:
    """
    Return a gzipped fetch result.

    Args:
        messages: In the order of delivery.
        number: Which push it is.
        now_ms: What it says the time is, milliseconds UTC.
    """
    extra = {
        "server_fetch_time": str(now_ms),
        "push_time": str(now_ms),
        "msg_type": "r",
        "seq_id": str(number),
        "room_id": "-",
    }
    result = encode_fetch_result(
        messages,
        cursor=_cursor(now_ms, messages),
        internal_ext=json.dumps(extra, separators=(",", ":")),
        now_ms=now_ms,
    )
    return gzip.compress(result, _GZIP_LEVEL, mtime=0)


def _cursor(now_ms: int, messages: Sequence[Message]) -> str:
    """Return a server time, an id, and constants."""
    return f"{now_ms}_{messages[-1].msg_id if messages else 0}_1_1_0_0"
