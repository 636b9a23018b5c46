"""
The fan-out of the socket: every notice that somebody wants is encoded once, whoever listens.

What a client gets are JSON text messages, each ``{"type", "seq", "at", "data"}``,
``seq`` growing, plus ``"rehearsal": true`` on what a replay plays. A client that
subscribed with ``"batch": true`` gets notices as JSON arrays of such objects, one
array per tick; everything else stays a single object:

    hello       at once: stream, oldest_seq (what ``since`` can still reach), version
    subscribed  answers subscribe
    reset       the ``since`` given leads nowhere: another stream, or the future
    snapshot    the present state, to one who asked for it and has no usable since
    missed      {"count"}: that many notices were gone before they could be sent
    pong, error answers

Memory is bounded per client: at most one frame is in flight, and whoever falls
behind catches up from the ring that all share, in frames of the same bound. A
client that reads nothing for ten seconds is disconnected.

A tick happens at most every 50 ms and only when something was published; the first
notice after a quiet spell goes out at once.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice, encode_notice
from toolkit.clock import Clock, SystemClock
from toolkit.web.inbound import Painted, Ping, Said, Subscribe, Topics

__all__ = ["CLIENTS_MAX", "STALLED_S_MAX", "Hub", "Outlet", "Subscriber"]

log = logging.getLogger("toolkit.web.hub")

PROTOCOL_VERSION = 1
TICK_S = 0.05
FRAME_BYTES_MAX = 48 * 1024
"""Bound of what one client has in flight. With the rest of a client: under 64 KiB."""
NOTICE_BYTES_MAX = 16 * 1024
"""A larger notice is announced without its data. A comment takes about 400 bytes."""
RECENT_NOTICES = 4_000
"""Notices kept for those a little behind; further back the bus is asked."""
CATCH_UP_NOTICES = 500
"""Notices encoded at once for one far behind: about 5 ms of the loop."""
UNBATCHED_NOTICES = 16
"""Messages at once for a client without ``batch``: each is a write of its own."""
STALLED_S_MAX = 10.0
"""A frame in flight for longer than this, and the client is cut off."""
_SWEEP_S = 1.0
CLIENTS_MAX = 10_000
"""About 150 MB. Where a process may open fewer files, they are the bound."""
PAINTINGS_KEPT = 128
"""Painted frames kept of a screen that tells them: seconds of a busy chat, 16 KiB."""
ANSWERS_MAX = 32
"""Answers waiting for one client. More means that it asks and does not read."""

GOING_AWAY = 1001
TRY_LATER = 1013


class Outlet(Protocol):
    """One open WebSocket, seen from here."""

    def send(self, text: bytes) -> asyncio.Future[None]:
        """Send one text message; the future is done when the kernel has it."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close with a goodbye; never raises."""
        ...

    def abort(self) -> None:
        """Close at once, dropping what was not read; never raises."""
        ...


class _Kept:
    """A notice and, once somebody wants it, its JSON."""

    __slots__ = ("_notice", "_text", "kind", "seq")

    def __init__(self, notice: Notice) -> None:
        self.seq, self.kind = notice.seq, notice.type
        self._notice: Notice | None = notice
        self._text = b""

    @property
    def text(self) -> bytes:
        if self._notice is not None:
            self._text, self._notice = _encode(self._notice), None
        return self._text


@dataclass(slots=True)
class _Frame:
    """What follows a cursor for one selection of topics."""

    texts: list[bytes]
    cursor: int
    missed: int
    _array: bytes = b""

    def as_array(self) -> bytes:
        if not self._array:
            self._array = b"[" + b",".join(self.texts) + b"]"
        return self._array


@dataclass(slots=True, eq=False)
class Subscriber:
    """
    One client of the hub.

    Attributes:
        number: 1, 2, 3 ... in the order they came.
        cursor: Number of the last notice it was sent or did not want.
        painted_seq: What its screen shows by its own account; None if it does not tell.
        painted_at: When it said so, microseconds UTC.
        paintings: When each number was painted, milliseconds UTC by the screen's own
            clock, newest last; None for a screen that does not tell.
        skipped: Comments its screen never showed because more came than fit.
        sent: Notices sent.
        missed: Notices that were gone before they could be sent.
    """

    outlet: Outlet
    number: int
    cursor: int = 0
    topics: Topics | None = None
    batch: bool = False
    painted_seq: int | None = None
    painted_at: int | None = None
    paintings: deque[tuple[int, int]] | None = None
    skipped: int = 0
    sent: int = 0
    missed: int = 0
    answers: deque[bytes] = field(default_factory=deque)
    wants_snapshot: bool = False
    in_flight: asyncio.Future[None] | None = None
    in_flight_since_s: float = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether it still has to read what it was sent last."""
        return self.in_flight is not None and not self.in_flight.done()


class Hub:
    """
    All sockets of one process. Create and use it in the server's loop.

    Attributes:
        sent: Notices sent, over all clients.
        dropped: Notices that clients missed.
        kicked: Clients disconnected because they did not read.
    """

    def __init__(
        self,
        bus: MemoryBus,
        snapshot: Callable[[], dict[str, Any]],
        *,
        clock: Clock | None = None,
        clients_max: int = CLIENTS_MAX,
    ) -> None:
        """
        Listen to the bus.

        Args:
            bus: What is sent on.
            snapshot: The present state, for a client that asks for it.
            clock: Wall clock of what the hub itself says.
            clients_max: Beyond that nobody is taken.
        """
        self.clients_max = clients_max
        self.sent = 0
        self.dropped = 0
        self.kicked = 0
        self._bus = bus
        self._snapshot = snapshot
        self._clock = clock or SystemClock()
        self._loop = asyncio.get_running_loop()
        self._seq = bus.seq
        self._recent: deque[_Kept] = deque(maxlen=RECENT_NOTICES)
        self._frames: dict[tuple[int, Topics, bool], _Frame] = {}
        self._subscribers: set[Subscriber] = set()
        self._numbers = itertools.count(1)
        self._tick_timer: asyncio.TimerHandle | None = None
        self._ticked_s = 0.0
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._subscription = bus.subscribe(wake=self._wake)

    # -- clients come and go ---------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether nobody else can be taken."""
        return len(self._subscribers) >= self.clients_max

    def add(self, outlet: Outlet) -> Subscriber:
        """Take a new client and greet it."""
        subscriber = Subscriber(outlet, next(self._numbers))
        self._subscribers.add(subscriber)
        if self._sweep_timer is None:
            self._sweep_timer = self._loop.call_later(_SWEEP_S, self._sweep)
        oldest = self._bus.oldest_seq
        self._answer(
            subscriber, "hello", stream=self._bus.stream, oldest_seq=oldest, version=PROTOCOL_VERSION
        )
        return subscriber

    def remove(self, subscriber: Subscriber) -> None:
        """Forget a client. Harmless when repeated."""
        self._subscribers.discard(subscriber)

    def close(self) -> None:
        """Close all sockets and stop listening to the bus."""
        self._subscription.close()
        for timer in (self._tick_timer, self._sweep_timer):
            if timer is not None:
                timer.cancel()
        for subscriber in list(self._subscribers):
            if subscriber.is_busy:
                # A goodbye would queue behind what it does not read, and the loop ends soon.
                subscriber.outlet.abort()
            else:
                subscriber.outlet.close(GOING_AWAY, "The server stops.")
        self._subscribers.clear()

    # -- what clients say ------------------------------------------------

    def hear(self, subscriber: Subscriber, said: Said) -> None:
        """Act on a message of a client."""
        match said:
            case Subscribe():
                self._subscribe(subscriber, said)
            case Painted():
                subscriber.painted_seq = min(said.seq, self._bus.seq)
                subscriber.painted_at = self._clock.now_us()
                self._keep_paintings(subscriber, said)
            case Ping():
                self._answer(subscriber, "pong")

    def _keep_paintings(self, subscriber: Subscriber, said: Painted) -> None:
        subscriber.skipped = said.skipped
        if said.frames:
            if subscriber.paintings is None:
                subscriber.paintings = deque(maxlen=PAINTINGS_KEPT)
            subscriber.paintings.extend(said.frames)

    def complain(self, subscriber: Subscriber, sentence: str) -> None:
        """Tell a client that its message was not understood."""
        self._answer(subscriber, "error", error=sentence)

    def _subscribe(self, subscriber: Subscriber, wish: Subscribe) -> None:
        now_seq = self._bus.seq
        is_ours = wish.stream in ("", self._bus.stream)
        can_resume = wish.since is not None and is_ours and wish.since <= now_seq
        subscriber.topics = wish.topics
        subscriber.batch = wish.batch
        subscriber.painted_seq = 0 if wish.ack else None
        subscriber.cursor = wish.since if can_resume and wish.since is not None else now_seq
        subscriber.wants_snapshot = wish.snapshot and not can_resume
        self._answer(subscriber, "subscribed", stream=self._bus.stream, since=subscriber.cursor)
        if wish.since is not None and not can_resume:
            self._answer(subscriber, "reset", stream=self._bus.stream)
        self._pump(subscriber)

    # -- what everybody gets ---------------------------------------------

    def _wake(self) -> None:
        # In the publisher's thread, which may outlive the loop at the end.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._arm)

    def _arm(self) -> None:
        if self._tick_timer is None:
            wait_s = max(0.0, self._ticked_s + TICK_S - self._loop.time())
            self._tick_timer = self._loop.call_later(wait_s, self._tick)

    def _tick(self) -> None:
        self._tick_timer = None
        self._ticked_s = self._loop.time()
        self._take(self._subscription.take())
        self._frames.clear()
        for subscriber in list(self._subscribers):
            self._pump(subscriber)

    def _take(self, notices: list[Notice]) -> None:
        if notices and notices[0].seq > self._seq + 1:
            # This loop stood still for so long that the queue overflowed.
            notices, gone = self._bus.since(self._seq)
            self._seq += gone
            if gone:
                self._recent.clear()
        for notice in notices:
            # The rest arrived after that recovery was read, or before.
            if notice.seq == self._seq + 1:
                self._seq = notice.seq
                if self._subscribers:
                    self._recent.append(_Kept(notice))
        if not self._subscribers:
            self._recent.clear()

    def _pump(self, subscriber: Subscriber) -> None:
        """Send the next frame, if there is one and the last was read."""
        if subscriber.is_busy or subscriber not in self._subscribers:
            return
        if subscriber.answers:
            texts = list(subscriber.answers)
            subscriber.answers.clear()
            self._send(subscriber, texts)
        elif subscriber.wants_snapshot:
            subscriber.wants_snapshot = False
            self._send(subscriber, [self._encode_snapshot(subscriber)])
        elif subscriber.topics is not None and subscriber.cursor < self._seq:
            key = (subscriber.cursor, subscriber.topics, subscriber.batch)
            frame = self._frames.get(key)
            if frame is None:
                frame = self._frames[key] = self._new_frame(*key)
            self._send_frame(subscriber, frame)

    def _send_frame(self, subscriber: Subscriber, frame: _Frame) -> None:
        subscriber.cursor = frame.cursor
        subscriber.sent += len(frame.texts)
        self.sent += len(frame.texts)
        texts = list(frame.texts)
        if subscriber.batch and texts:
            texts = [frame.as_array()]
        if frame.missed:
            subscriber.missed += frame.missed
            self.dropped += frame.missed
            texts.insert(0, self._message("missed", {"count": frame.missed}))
        if texts:
            self._send(subscriber, texts)
        elif subscriber.cursor < self._seq:
            self._loop.call_soon(self._pump, subscriber)

    def _send(self, subscriber: Subscriber, texts: list[bytes]) -> None:
        for text in texts:
            subscriber.in_flight = subscriber.outlet.send(text)
            # Retrieved, or each frame of a client that vanished would log a traceback.
            subscriber.in_flight.add_done_callback(_retrieve)
        assert subscriber.in_flight is not None
        subscriber.in_flight_since_s = self._loop.time()
        subscriber.in_flight.add_done_callback(lambda _: self._pump(subscriber))

    def _new_frame(self, cursor: int, topics: Topics, batch: bool) -> _Frame:
        entries, missed = self._entries_after(cursor)
        texts: list[bytes] = []
        texts_max = CATCH_UP_NOTICES if batch else UNBATCHED_NOTICES
        size = 0
        for entry in entries:
            if entry.kind in topics:
                size += len(entry.text) + 1
                if size > FRAME_BYTES_MAX or len(texts) == texts_max:
                    break
                texts.append(entry.text)
            cursor = entry.seq
        return _Frame(texts, cursor, missed)

    def _entries_after(self, cursor: int) -> tuple[Iterator[_Kept], int]:
        if self._recent and cursor + 1 >= self._recent[0].seq:
            return itertools.islice(self._recent, cursor + 1 - self._recent[0].seq, None), 0
        notices, missed = self._bus.since(cursor)
        return (_Kept(notice) for notice in notices[:CATCH_UP_NOTICES]), missed

    # -- the rest --------------------------------------------------------

    def _answer(self, subscriber: Subscriber, kind: str, **data: Any) -> None:
        if len(subscriber.answers) >= ANSWERS_MAX:
            self._kick(subscriber)
            return
        subscriber.answers.append(self._message(kind, data))
        self._pump(subscriber)

    def _message(self, kind: str, data: dict[str, Any]) -> bytes:
        return encode_notice(Notice(self._bus.seq, kind, self._clock.now_us(), data))

    def _encode_snapshot(self, subscriber: Subscriber) -> bytes:
        # The number is read first: what happens in between is in both, never in neither.
        seq = self._bus.seq
        subscriber.cursor = max(subscriber.cursor, min(seq, self._seq))
        return encode_notice(Notice(seq, "snapshot", self._clock.now_us(), self._snapshot()))

    def _sweep(self) -> None:
        self._sweep_timer = None
        too_long_ago_s = self._loop.time() - STALLED_S_MAX
        for subscriber in list(self._subscribers):
            if subscriber.is_busy and subscriber.in_flight_since_s < too_long_ago_s:
                self._kick(subscriber)
        if self._subscribers:
            self._sweep_timer = self._loop.call_later(_SWEEP_S, self._sweep)

    def _kick(self, subscriber: Subscriber) -> None:
        if subscriber not in self._subscribers:
            return
        self.kicked += 1
        self.remove(subscriber)
        log.warning("a socket was closed: its client does not read", extra={"client": subscriber.number})
        subscriber.outlet.close(TRY_LATER, "Not reading.")

    def readings(self) -> dict[str, float]:
        """Return the figures for Prometheus, by metric name."""
        return {
            "toolkit_socket_clients": len(self._subscribers),
            "toolkit_socket_sent": self.sent,
            "toolkit_socket_dropped": self.dropped,
            "toolkit_socket_kicked": self.kicked,
        }

    def status(self) -> list[dict[str, Any]]:
        """Return each client: how far it is, and what its screen shows."""
        return [
            {
                "client": s.number,
                "behind": max(0, self._bus.seq - s.cursor) if s.topics is not None else 0,
                "sent": s.sent,
                "missed": s.missed,
                "painted_seq": s.painted_seq,
                "painted_at": s.painted_at,
                "paintings": list(s.paintings or ()),
                "skipped": s.skipped,
            }
            for s in sorted(self._subscribers, key=lambda s: s.number)
        ]


def _retrieve(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()


def _encode(notice: Notice) -> bytes:
    try:
        text = encode_notice(notice)
    except (TypeError, ValueError, RecursionError):
        # A single notice that JSON cannot carry must not stop the others.
        log.exception("a notice could not be encoded: %s", notice.type)
        text = _without_data(notice, "unreadable")
    return text if len(text) <= NOTICE_BYTES_MAX else _without_data(notice, "size")


def _without_data(notice: Notice, reason: str) -> bytes:
    return json.dumps(
        {"type": notice.type, "seq": notice.seq, "at": notice.at, "data": {}, "omitted": reason}
    ).encode()
