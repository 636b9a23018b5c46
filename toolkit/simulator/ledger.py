"""
What was broadcast and what each connection got: the oracle of tests.

The ledger is written before anything reaches a socket, and no fault alters it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from toolkit.model.frame import Message

__all__ = ["Call", "Connection", "Ledger", "Pushed", "Sent", "Written"]

MESSAGES_MAX = 1_000_000
"""Older entries are forgotten and counted: about 200 MB."""
FRAMES_MAX = 100_000
CONNECTIONS_MAX = 1000
CALLS_MAX = 100_000
KEPT_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of damaged frames kept for an oracle; beyond that only their hashes."""


class Sent(NamedTuple):
    """
    One message of the broadcast.

    Attributes:
        method: Its type.
        msg_id: Its id.
        sha256: Digest of its payload.
        sent_at: Wall clock when it was handed to the connections, microseconds UTC.
        batch_no: Which push of the broadcast it belongs to, 1-based.
        room_id: The broadcast; two of them may use the same ids.
        due_at: When it was to be sent by the plan, which a slow machine misses; the
            same as ``sent_at`` for what had no plan.
    """

    method: str
    msg_id: int
    sha256: bytes
    sent_at: int
    batch_no: int
    room_id: int = 0
    due_at: int = 0


@dataclass(slots=True)
class Pushed:
    """
    One frame of a connection.

    Attributes:
        log_id: What the client acknowledges.
        seq_id: 1, 2, 3 ... on the connection.
        batch_no: Which push of the broadcast it carries; 0 for the history.
        msg_ids: Ids of its messages.
        sent_at: When it was handed to the connection, microseconds UTC.
        acked_at: When its acknowledgement came; None so far.
    """

    log_id: int
    seq_id: int
    batch_no: int
    msg_ids: list[int]
    sent_at: int
    acked_at: int | None = None


class Written(NamedTuple):
    """
    One WebSocket message that was written, in whole or in part.

    Attributes:
        log_id: The frame it was meant to be.
        faults: Kinds of the faults that had a hand in it; empty for an honest frame,
            whose messages are those of the :class:`Pushed` with this ``log_id``.
        data: What was written; None for an honest frame, or when too much was kept.
        sha256: Its digest; empty for an honest frame.
        size: Its length in bytes.
        is_whole: All of it was handed to the socket.
        at: When, microseconds UTC.
    """

    log_id: int
    faults: tuple[str, ...]
    data: bytes | None
    sha256: bytes
    size: int
    is_whole: bool
    at: int


class Call(NamedTuple):
    """
    One HTTP request of a client.

    Attributes:
        at: When, microseconds UTC.
        route: ``page``, ``api``, ``alive``, ``sign`` or ``handshake``.
        fault: Kind of the fault that it met; empty for none.
    """

    at: int
    route: str
    fault: str


@dataclass(slots=True)
class Connection:
    """
    One WebSocket, open or not.

    Attributes:
        connection_id: 1, 2, 3 ... in the order of connecting.
        room_id: The broadcast it watches.
        opened_at: Microseconds UTC.
        closed_at: Microseconds UTC; None while it is open.
        close_code: What it was closed with; None for none.
        history: Ids of the comments replayed on connecting.
        heartbeats: Heartbeats received.
        entered: The client sent its enter-room message.
        frames: The frames meant for it, by log_id, oldest first.
        written: What was really written of them, in that order.
        is_frozen: A fault keeps the socket and does nothing with it.
        acked: Acknowledgements received for known frames.
        strays: Acknowledgements of frames that were never pushed.
    """

    connection_id: int
    room_id: int
    opened_at: int
    closed_at: int | None = None
    close_code: int | None = None
    history: list[int] = field(default_factory=list)
    heartbeats: int = 0
    entered: bool = False
    frames: dict[int, Pushed] = field(default_factory=dict)
    written: deque[Written] = field(default_factory=lambda: deque(maxlen=FRAMES_MAX))
    is_frozen: bool = False
    acked: int = 0
    strays: int = 0

    def push(self, frame: Pushed) -> None:
        """Note a frame."""
        self.frames[frame.log_id] = frame
        if len(self.frames) > FRAMES_MAX:
            del self.frames[next(iter(self.frames))]

    def acknowledge(self, log_id: int, at: int) -> None:
        """Note an acknowledgement; the first one counts."""
        frame = self.frames.get(log_id)
        if frame is None:
            self.strays += 1
        elif frame.acked_at is None:
            frame.acked_at = at
            self.acked += 1

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, ids as text: JavaScript cannot hold them as numbers."""
        return {
            "connection_id": self.connection_id,
            "room_id": str(self.room_id),
            "opened_at": self.opened_at,
            "closed_at": self.closed_at,
            "close_code": self.close_code,
            "entered": self.entered,
            "heartbeats": self.heartbeats,
            "history": [str(msg_id) for msg_id in self.history],
            "strays": self.strays,
            "is_frozen": self.is_frozen,
            "altered": [
                {
                    "log_id": str(written.log_id),
                    "faults": list(written.faults),
                    "sha256": written.sha256.hex(),
                    "size": written.size,
                    "is_whole": written.is_whole,
                    "at": written.at,
                }
                for written in self.written
                if written.faults
            ],
            "frames": [
                {
                    "log_id": str(frame.log_id),
                    "seq_id": frame.seq_id,
                    "batch_no": frame.batch_no,
                    "msg_ids": [str(msg_id) for msg_id in frame.msg_ids],
                    "sent_at": frame.sent_at,
                    "acked_at": frame.acked_at,
                }
                for frame in self.frames.values()
            ],
        }


class Ledger:
    """
    Everything sent in the broadcasts of one simulator, in order.

    Attributes:
        sent: The messages, oldest first; at most :data:`MESSAGES_MAX`.
        first: Position of ``sent[0]`` among all messages ever sent, 0-based.
        connections: The sockets, oldest first; at most :data:`CONNECTIONS_MAX`.
        calls: The HTTP requests of clients, oldest first; at most :data:`CALLS_MAX`.
    """

    def __init__(self) -> None:
        self.sent: deque[Sent] = deque()
        self.first = 0
        self._batch_no = 0
        self.connections: deque[Connection] = deque(maxlen=CONNECTIONS_MAX)
        self.calls: deque[Call] = deque(maxlen=CALLS_MAX)
        self._kept_bytes = 0

    @property
    def total(self) -> int:
        """Messages ever sent."""
        return self.first + len(self.sent)

    @property
    def batches(self) -> int:
        """Pushes so far."""
        return self._batch_no

    def next_batch(self) -> int:
        """Return the number of the next push: 1, 2, 3 ..."""
        self._batch_no += 1
        return self._batch_no

    def record(
        self,
        messages: Iterable[Message],
        sent_at: int,
        batch_no: int,
        room_id: int = 0,
        due_at: int | None = None,
    ) -> None:
        """Note what is about to be sent; ``due_at`` if it was planned."""
        due = sent_at if due_at is None else due_at
        for message in messages:
            digest = hashlib.sha256(message.payload).digest()
            self.sent.append(Sent(message.method, message.msg_id, digest, sent_at, batch_no, room_id, due))
        while len(self.sent) > MESSAGES_MAX:
            self.sent.popleft()
            self.first += 1

    def note_call(self, at: int, route: str, fault: str = "") -> None:
        """Note a request of a client."""
        self.calls.append(Call(at, route, fault))

    def keep_written(
        self,
        connection: Connection,
        log_id: int,
        data: bytes,
        at: int,
        *,
        faults: tuple[str, ...] = (),
        is_whole: bool = True,
    ) -> None:
        """Note what is written; the bytes themselves only if a fault had a hand in them."""
        is_kept = bool(faults) and self._kept_bytes + len(data) <= KEPT_BYTES_MAX
        if is_kept:
            self._kept_bytes += len(data)
        digest = hashlib.sha256(data).digest() if faults else b""
        connection.written.append(
            Written(log_id, faults, data if is_kept else None, digest, len(data), is_whole, at)
        )

    def since(self, position: int, limit: int) -> Iterator[Sent]:
        """Return up to ``limit`` messages from a 0-based position on."""
        start = max(position - self.first, 0)
        return islice(self.sent, start, start + limit)

    def as_json(self, position: int, limit: int) -> dict[str, Any]:
        """Return a stretch of the ledger; ``next`` is where to go on."""
        start = max(position, self.first)
        entries = [
            [
                entry.method,
                str(entry.msg_id),
                entry.sha256.hex(),
                entry.sent_at,
                entry.batch_no,
                str(entry.room_id),
            ]
            for entry in self.since(start, limit)
        ]
        return {
            "columns": ["method", "msg_id", "sha256", "sent_at", "batch_no", "room_id"],
            "first": self.first,
            "next": start + len(entries),
            "total": self.total,
            "sent": entries,
            "connections": [connection.as_json() for connection in self.connections],
            "calls": [list(call) for call in self.calls],
        }
