"""
The push server: one WebSocket of one client.

Frames are queued by the broadcast and written by a task of the connection, so a
slow client delays nobody else, and one that falls far behind is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import tornado.ioloop
import tornado.iostream
import tornado.web
import tornado.websocket

from toolkit.model.frame import Message
from toolkit.simulator.broadcast import Batch, Broadcast
from toolkit.simulator.damage import Cut, Delivery, Outbound
from toolkit.simulator.faults import Area, Fault
from toolkit.simulator.ledger import Connection, Pushed
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
_FINAL_BINARY, _FINAL_TEXT = 0x82, 0x81
_LENGTH_16, _LENGTH_64 = 126, 127
_LINGER_NOT = struct.pack("ii", 1, 0)
"""Closing throws away what is unsent and resets the connection."""


class PushSocket(tornado.websocket.WebSocketHandler):
    """One connection of one client."""

    _connection: Connection | None = None
    _broadcast: Broadcast | None = None
    _writer: asyncio.Task[None] | None = None
    _is_frozen = False

    def initialize(self) -> None:
        """Nobody has hung up yet."""
        self._gone = asyncio.Event()

    @property
    def simulator(self) -> Simulator:
        """The simulator this socket belongs to."""
        simulator: Simulator = self.settings["simulator"]
        return simulator

    async def prepare(self) -> None:
        """Refuse a room that never was; else say how often to send heartbeats."""
        fault = self.simulator.faults.take(Area.HANDSHAKE)
        self.simulator.ledger.note_call(self.simulator.now_us(), "handshake", fault.kind if fault else "")
        if fault is not None and await self._misbehave(fault):
            return
        await self.simulator.gate.wait()
        if self._gone.is_set():
            raise tornado.web.Finish
        text = self.get_query_argument("room_id", "")
        room_id = int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else 0
        self._broadcast = self.simulator.broadcast_by_id(room_id)
        if self._broadcast is None:
            # TikTok refuses a handshake with status 200 and a reason in a header.
            self.set_header("Handshake-Msg", "ROOM_NOT_FOUND")
            self.finish()
            return
        is_odd = fault is not None and fault.kind == "ping-interval"
        interval_s = fault.whole("interval_s") if fault is not None and is_odd else PING_INTERVAL_S
        self.set_header("Handshake-Options", f"ping-interval={interval_s}")
        self.set_header("Handshake-Status", "0")

    async def _misbehave(self, fault: Fault) -> bool:
        """Answer a handshake as a fault wants it; False if the fault leaves that to us."""
        if fault.kind == "handshake-silent":
            self.simulator.held.add(self._gone)
            await self._gone.wait()
            self.simulator.held.discard(self._gone)
            # Finishing would be an answer.
            self.detach().close()
            return True
        if fault.kind == "handshake-refused":
            self.set_status(fault.whole("status"))
            self.set_header("Handshake-Msg", fault.text("message"))
            self.finish()
            return True
        return False

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
        if not broadcast.is_live and broadcast.final is None:
            # It vanished. Whoever kept the room id is let in and hung up on.
            self.finish_watching()
        elif not broadcast.is_live:
            assert broadcast.final is not None
            self._enqueue(0, "msg", broadcast.body([broadcast.final], 0), [broadcast.final])
            self.finish_watching()
        elif history and not self.simulator.history_in_fetch:
            self._enqueue(0, "msg", broadcast.body(history, 0), history)

    @property
    def is_frozen(self) -> bool:
        """Whether a fault keeps the socket and does nothing with it."""
        return self._is_frozen

    @property
    def unacknowledged(self) -> int:
        """Frames with messages, written or waiting to be, that the client has not acknowledged."""
        if self._connection is None or self._is_frozen:
            return 0
        waiting = sum(payload_type == "msg" for _, payload_type, _, _ in self._queue)
        return waiting + len(self._connection.frames) - self._connection.acked

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
        if self._is_frozen:
            return
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
        assert self._broadcast is not None
        broadcast, log_id = self._broadcast, 0
        if payload_type == "msg":
            self._seq_id += 1
            log_id = self.simulator.next_log_id()
            ids = [message.msg_id for message in messages]
            self._connection.push(Pushed(log_id, self._seq_id, batch_no, ids, self.simulator.now_us()))
        frame = Outbound(
            self._connection.connection_id,
            payload_type,
            self._seq_id,
            log_id,
            messages,
            body,
            lambda changed: broadcast.body(changed, batch_no),
        )
        for step in self.simulator.faults.steps(frame):
            if self._is_frozen:
                return
            if isinstance(step, Cut):
                self.cut(step)
                return
            await self._deliver(step)

    async def _deliver(self, delivery: Delivery) -> None:
        assert self._connection is not None
        data, simulator = delivery.data, self.simulator
        is_whole = delivery.share >= 1
        if delivery.log_id:
            simulator.ledger.keep_written(
                self._connection,
                delivery.log_id,
                data,
                simulator.now_us(),
                faults=delivery.faults,
                is_whole=is_whole,
            )
        if is_whole and not delivery.byte_s:
            await self.write_message(data, binary=not delivery.is_text)
            return
        raw = _framed(data, is_text=delivery.is_text)
        raw = raw[: max(int(len(raw) * delivery.share), 1)]
        step = 1 if delivery.byte_s else len(raw)
        for start in range(0, len(raw), step):
            if self._is_frozen or self.ws_connection is None:
                return
            await self._stream.write(raw[start : start + step])
            await asyncio.sleep(delivery.byte_s)

    @property
    def _stream(self) -> tornado.iostream.IOStream:
        assert self.ws_connection is not None
        stream = getattr(self.ws_connection, "stream", None)
        if stream is None:
            raise tornado.iostream.StreamClosedError
        assert isinstance(stream, tornado.iostream.IOStream)
        return stream

    # What faults do to the connection.

    def cut(self, cut: Cut) -> None:
        """End the connection, with a close frame or without."""
        if cut.code is None:
            self.abort(resets=cut.resets)
        elif not self._is_frozen:
            self.close(cut.code, cut.reason)

    def freeze(self) -> None:
        """Keep the socket, and neither read nor write it any more."""
        if self._is_frozen or self.ws_connection is None or self._connection is None:
            return
        self._is_frozen = self._connection.is_frozen = True
        self._queue.clear()
        if self._broadcast is not None:
            self._broadcast.leave(self)
        # Off the loop's list nobody notices what arrives, not even the end of it.
        tornado.ioloop.IOLoop.current().remove_handler(self._stream.fileno())

    def abort(self, *, resets: bool = False) -> None:
        """Drop the TCP connection without a word; by a reset (RST) if it is to be rude."""
        self._gone.set()
        if self.ws_connection is None:
            return
        with contextlib.suppress(tornado.iostream.StreamClosedError):
            stream = self._stream
            if resets and stream.socket is not None:
                stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            stream.close()

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
        self._gone.set()
        self.simulator.detach(self)
        if self._broadcast is not None:
            self._broadcast.leave(self)
        if self._connection is not None:
            self._connection.closed_at = self.simulator.now_us()
            self._connection.close_code = self.close_code
            self.simulator.faults.forget(self._connection.connection_id)
        if self._writer is not None:
            self._writer.cancel()


def _framed(data: bytes, *, is_text: bool) -> bytes:
    """Return an unmasked WebSocket frame, as Tornado would write it."""
    first = _FINAL_TEXT if is_text else _FINAL_BINARY
    if len(data) < _LENGTH_16:
        return struct.pack("!BB", first, len(data)) + data
    if len(data) < 1 << 16:
        return struct.pack("!BBH", first, _LENGTH_16, len(data)) + data
    return struct.pack("!BBQ", first, _LENGTH_64, len(data)) + data
