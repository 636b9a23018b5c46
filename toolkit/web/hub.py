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
    skipped     {"count"}: that many comments were passed over, as ``comments_max`` asks
    pong, error answers

Memory is bounded per client: at most one frame is in flight, and whoever falls
behind catches up from the ring that all share, in frames of the same bound. A
client that reads nothing for ten seconds is disconnected.

A client that subscribed with ``"public": true`` gets what the gate lets through. The gate
is asked in this loop when a notice is about to be sent, once per notice and set of rules,
whoever listens: nothing reaches a public screen before it was judged.

A tick happens only when something was published; the first notice after a quiet spell goes
out at once. The next one follows after 10 ms, or as much later as the last one took work, up
to 50 ms: a thousand clients get fewer and larger frames than ten. Screens come first.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice, encode_notice
from toolkit.clock import Clock, SystemClock
from toolkit.web.frames import CATCH_UP_NOTICES, Frame, Gate, Kept, Selection
from toolkit.web.inbound import Painted, Ping, Said, Screen, Subscribe, Topics

__all__ = ["CLIENTS_MAX", "STALLED_S_MAX", "Hub", "Outlet", "Subscriber"]

log = logging.getLogger("toolkit.web.hub")

PROTOCOL_VERSION = 1
TICK_S_MIN, TICK_S_MAX = 0.01, 0.05
TICK_SHARE = 0.25
"""Of the loop's time, for ticks that follow each other."""
RECENT_NOTICES = 4_000
"""Notices kept for those a little behind; further back the bus is asked."""
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


@dataclass(slots=True, eq=False)
class Subscriber:
    """
    One client of the hub.

    Attributes:
        number: 1, 2, 3 ... in the order they came.
        cursor: Number of the last notice it was sent or did not want.
        is_public: It gets only what the gate lets through.
        comments_max: It gets the newest so many comments of what waits; 0 for all.
        painted_seq: What its screen shows by its own account; None if it does not tell.
        painted_at: When it said so, microseconds UTC.
        paintings: When each number was painted, milliseconds UTC by the screen's own
            clock, newest last; None for a screen that does not tell.
        skipped: Comments its screen never showed because more came than fit.
        screen: What its screen says of itself; None if it does not.
        screen_at: When it said so, microseconds UTC.
        sent: Notices sent.
        missed: Notices that were gone before they could be sent.
    """

    outlet: Outlet
    number: int
    cursor: int = 0
    topics: Topics | None = None
    batch: bool = False
    is_public: bool = False
    comments_max: int = 0
    painted_seq: int | None = None
    painted_at: int | None = None
    paintings: deque[tuple[int, int]] | None = None
    skipped: int = 0
    screen: Screen | None = None
    screen_at: int = 0
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
        gate: Gate | None = None,
        clock: Clock | None = None,
        clients_max: int = CLIENTS_MAX,
    ) -> None:
        """
        Listen to the bus.

        Args:
            bus: What is sent on.
            snapshot: The present state, for a client that asks for it.
            gate: Decides what public clients get; None lets everything through.
            clock: Wall clock of what the hub itself says.
            clients_max: Beyond that nobody is taken.
        """
        self.clients_max = clients_max
        self.sent = 0
        self.dropped = 0
        self.kicked = 0
        self._bus = bus
        self._snapshot = snapshot
        self._gate = gate
        self._clock = clock or SystemClock()
        self._loop = asyncio.get_running_loop()
        self._seq = bus.seq
        self._recent: deque[Kept] = deque(maxlen=RECENT_NOTICES)
        self._frames: dict[tuple[int, Topics, bool, bool, int], Frame] = {}
        self._subscribers: set[Subscriber] = set()
        self._numbers = itertools.count(1)
        self._tick_timer: asyncio.TimerHandle | None = None
        self._next_tick_s = 0.0
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
            case Screen():
                subscriber.screen, subscriber.screen_at = said, self._clock.now_us()
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
        subscriber.is_public = wish.public
        subscriber.comments_max = wish.comments_max
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
            wait_s = max(0.0, self._next_tick_s - self._loop.time())
            self._tick_timer = self._loop.call_later(wait_s, self._tick)

    def _tick(self) -> None:
        self._tick_timer = None
        began_s = self._loop.time()
        self._take(self._subscription.take())
        self._frames.clear()
        # Screens first: an audience waits for them.
        for subscriber in sorted(self._subscribers, key=lambda s: not s.is_public):
            self._pump(subscriber)
        took_s = self._loop.time() - began_s
        self._next_tick_s = began_s + min(max(took_s / TICK_SHARE, TICK_S_MIN), TICK_S_MAX)

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
                    self._recent.append(Kept(notice))
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
            # A plain tuple is found as quickly as anything; the name costs a thousand times a tick.
            key = (
                subscriber.cursor,
                subscriber.topics,
                subscriber.batch,
                subscriber.is_public,
                subscriber.comments_max,
            )
            frame = self._frames.get(key)
            if frame is None:
                frame = self._frames[key] = self._new_frame(Selection(*key))
            self._send_frame(subscriber, frame)

    def _send_frame(self, subscriber: Subscriber, frame: Frame) -> None:
        subscriber.cursor = frame.cursor
        subscriber.sent += len(frame.texts)
        self.sent += len(frame.texts)
        texts = list(frame.texts)
        if subscriber.batch and texts:
            texts = [frame.as_array()]
        if frame.skipped:
            texts.insert(0, self._message("skipped", {"count": frame.skipped}))
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

    def _new_frame(self, selection: Selection) -> Frame:
        entries, missed = self._entries_after(selection.cursor)
        return Frame.of(selection, entries, missed, self._gate)

    def _entries_after(self, cursor: int) -> tuple[Sequence[Kept], int]:
        if self._recent and cursor + 1 >= self._recent[0].seq:
            first = cursor + 1 - self._recent[0].seq
            return list(itertools.islice(self._recent, first, None)), 0
        notices, missed = self._bus.since(cursor)
        return [Kept(notice) for notice in notices[:CATCH_UP_NOTICES]], missed

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
        told = self._snapshot()
        if self._gate is not None and subscriber.is_public:
            told = self._gate.public_snapshot(told)
        return encode_notice(Notice(seq, "snapshot", self._clock.now_us(), told))

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

    def screens(self) -> list[dict[str, Any]]:
        """Return each client that is a screen: what it shows, and whether anybody can see it."""
        return [
            {
                "client": s.number,
                "widget": s.screen.widget,
                "is_visible": s.screen.is_visible,
                "is_active": s.screen.is_active,
                "is_obs": s.screen.is_obs,
                "fps": s.screen.fps,
                "seq": s.screen.seq,
                "behind": max(0, self._bus.seq - s.cursor),
                "at": s.screen_at,
            }
            for s in sorted(self._subscribers, key=lambda s: s.number)
            if s.screen is not None
        ]

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
