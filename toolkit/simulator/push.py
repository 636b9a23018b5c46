"""
The push server: one WebSocket of one client.

Frames are queued by the broadcast and written by a task of the connection, so a
slow client delays nobody else, and one that falls far behind is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import tornado.iostream
import tornado.websocket

from toolkit.model.frame import Message
from toolkit.simulator.broadcast import Batch, Broadcast
from toolkit.simulator.faults import Cut
from toolkit.simulator.ledger import Connection, Pushed
from toolkit.wire.encode import encode_push_frame
from toolkit.wire.schema import DecodeError, message_class

if TYPE_CHECKING:
    from toolkit.simulator.server import Simulator

__all__ = ["WATCH_PATH", "PushSocket"]

WATCH_PATH = "/webcast/im/push/v2/"
PING_INTERVAL_S = 15
QUEUED_FRAMES_MAX = 512
"""Six minutes of bursts. A client further behind is dropped."""
CLOSE_AFTER_END_S = 1.0
"""Time for a client to read the end of the live before we hang up."""

_CLOSE_NORMAL, _CLOSE_PROTOCOL = 1000, 1002


class PushSocket(tornado.websocket.WebSocketHandler):
    """One connection of one client."""

    _connection: Connection | None = None
    _broadcast: Broadcast | None = None
    _writer: asyncio.Task[None] | None = None

    @property
    def simulator(self) -> Simulator:
        """The simulator this socket belongs to."""
        simulator: Simulator = self.settings["simulator"]
        return simulator

    def prepare(self) -> None:
        """Refuse a room that never was; else say how often to send heartbeats."""
        text = self.get_query_argument("room_id", "")
        room_id = int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else 0
        self._broadcast = self.simulator.broadcast_by_id(room_id)
        if self._broadcast is None:
            # TikTok refuses a handshake with status 200 and a reason in a header.
            self.set_header("Handshake-Msg", "ROOM_NOT_FOUND")
            self.finish()
            return
        self.set_header("Handshake-Options", f"ping-interval={PING_INTERVAL_S}")
        self.set_header("Handshake-Status", "0")

    def open(self, *args: str, **kwargs: str) -> None:
        """Join the broadcast."""
        assert self._broadcast is not None
        simulator = self.simulator
        self._queue: deque[tuple[int, str, bytes, Sequence[Message]]] = deque()
        self._wake = asyncio.Event()
        self._is_finishing = False
        self._seq_id = 0
        self._frame_no = 0
        connections = simulator.ledger.connections
        number = connections[-1].connection_id + 1 if connections else 1
        self._connection = Connection(number, self._broadcast.traffic.room_id, simulator.now_us())
        connections.append(self._connection)
        simulator.attach(self)
        self._replay(self._broadcast)
        self._writer = asyncio.create_task(self._write())

    def _replay(self, broadcast: Broadcast) -> None:
        """Send what TikTok repeats to whoever comes in, and all there is if the live is over."""
        assert self._connection is not None
        history = broadcast.join(self)
        self._connection.history = [message.msg_id for message in history]
        if not broadcast.is_live:
            assert broadcast.final is not None
            self._enqueue(0, "msg", broadcast.body([broadcast.final], 0), [broadcast.final])
            self.finish_watching()
        elif history and not self.simulator.history_in_fetch:
            self._enqueue(0, "msg", broadcast.body(history, 0), history)

    # What the broadcast calls.

    def push(self, batch: Batch) -> None:
        """Queue a batch for this connection."""
        self._enqueue(batch.batch_no, "msg", batch.body, batch.messages)

    def finish_watching(self) -> None:
        """Close once everything queued is out."""
        self._is_finishing = True
        self._wake.set()

    def _enqueue(
        self, batch_no: int, payload_type: str, body: bytes, messages: Sequence[Message] = ()
    ) -> None:
        if len(self._queue) >= QUEUED_FRAMES_MAX:
            # A close frame would wait behind everything it has not read.
            self.abort()
            return
        self._queue.append((batch_no, payload_type, body, messages))
        self._wake.set()

    async def _write(self) -> None:
        with contextlib.suppress(tornado.websocket.WebSocketClosedError, tornado.iostream.StreamClosedError):
            while True:
                while self._queue:
                    await self._write_one(*self._queue.popleft())
                if self._is_finishing:
                    # A client that reads the end of the live hangs up by itself.
                    await asyncio.sleep(CLOSE_AFTER_END_S)
                    self.close(_CLOSE_NORMAL)
                    return
                self._wake.clear()
                await self._wake.wait()

    async def _write_one(
        self, batch_no: int, payload_type: str, body: bytes, messages: Sequence[Message]
    ) -> None:
        assert self._connection is not None
        log_id = 0
        if payload_type == "msg":
            self._seq_id += 1
            log_id = self.simulator.next_log_id()
            ids = [message.msg_id for message in messages]
            self._connection.push(Pushed(log_id, self._seq_id, batch_no, ids, self.simulator.now_us()))
        frame = encode_push_frame(
            body,
            payload_type=payload_type,
            seq_id=self._seq_id,
            log_id=log_id,
            compress=False,
            # The body was compressed once for all connections.
            headers={"compress_type": "gzip"} if payload_type == "msg" else None,
        )
        self._frame_no += 1
        for step in self.simulator.outgoing.plan(self._connection.connection_id, self._frame_no, frame):
            if isinstance(step, Cut):
                self._cut(step)
                return
            if step.delay_s:
                await asyncio.sleep(step.delay_s)
            await self.write_message(step.data, binary=True)

    def _cut(self, cut: Cut) -> None:
        if cut.code is None:
            self.abort()
        else:
            self.close(cut.code, cut.reason)

    def abort(self) -> None:
        """Drop the TCP connection without a word."""
        if self.ws_connection is not None and self.ws_connection.stream is not None:
            self.ws_connection.stream.close()

    # What the client sends.

    def on_message(self, message: str | bytes) -> None:
        """Note an acknowledgement, answer a heartbeat or an enter-room message."""
        assert self._connection is not None
        if isinstance(message, str):
            return
        try:
            frame = message_class("WebcastPushFrame").FromString(message)
        except DecodeError:
            self.close(_CLOSE_PROTOCOL, "not a push frame")
            return
        if frame.payload_type == "ack":
            self._connection.acknowledge(frame.log_id, self.simulator.now_us())
        elif frame.payload_type == "hb":
            self._connection.heartbeats += 1
            self._enqueue(0, "hb", frame.payload)
        elif frame.payload_type == "im_enter_room":
            self._connection.entered = True
            self._enqueue(0, "im_enter_room_resp", b"")

    def on_close(self) -> None:
        """Leave the broadcast."""
        self.simulator.detach(self)
        if self._broadcast is not None:
            self._broadcast.leave(self)
        if self._connection is not None:
            self._connection.closed_at = self.simulator.now_us()
            self._connection.close_code = self.close_code
        if self._writer is not None:
            self._writer.cancel()
