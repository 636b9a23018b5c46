"""
``/ws``: the socket. What is said on it is in :mod:`~toolkit.web.hub` and
:mod:`~toolkit.web.inbound`; this file is the WebSocket around it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import suppress
from functools import lru_cache
from typing import Any

from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from toolkit.web.access import judge, request_of
from toolkit.web.hub import Subscriber
from toolkit.web.inbound import TokenBucket, Unreadable, parse
from toolkit.web.surface import Surface, surface_of

__all__ = ["SocketHandler", "routes"]

MESSAGE_BYTES_MAX = 4 * 1024
MESSAGES_HZ_MAX = 20.0
MESSAGES_BURST = 40
ERRORS_MAX = 5
PING_S = 20.0
"""A client that does not answer a ping until the next is due is gone."""
SEND_BUFFER_BYTES = 64 * 1024
"""The kernel would buffer megabytes for a client that does not read: minutes of stale
chat that nobody counts."""

FRAMED_KEPT = 32
"""Frames kept for the next client that gets the same bytes: 1.5 MiB at most."""

POLICY_VIOLATION = 1008
_FINAL_TEXT = 0x81


class SocketHandler(WebSocketHandler):
    """One client's WebSocket."""

    _subscriber: Subscriber | None = None
    _errors = 0

    def prepare(self) -> None:
        """Refuse what the guard would refuse, and whom we cannot serve."""
        surface = surface_of(self.application)
        if surface is None:
            self._refuse(503, "The server is starting.", "Try again in a second.")
        elif (refusal := judge(request_of(self.request), surface.policy)) is not None:
            self._refuse(refusal.status, refusal.error, refusal.hint)
        elif not surface.websocket_enabled:
            self._refuse(404, "Sockets are switched off.", "Set WEBSOCKET_ENABLED=true and restart.")
        elif surface.hub.is_full:
            self._refuse(503, "Too many sockets are open.", "Close some pages, then try again.")
        elif self.request.headers.get("Upgrade", "").lower() != "websocket":
            self._refuse(426, "This is a WebSocket.", "Connect to it as ws://; README has an example.")

    def _refuse(self, status: int, error: str, hint: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps({"error": error, "hint": hint}))

    @property
    def surface(self) -> Surface:
        """The process behind."""
        surface = surface_of(self.application)
        assert surface is not None
        return surface

    @property
    def max_message_size(self) -> int:
        """Largest message taken, in bytes; a larger one closes the socket with 1009."""
        return MESSAGE_BYTES_MAX

    @property
    def ping_interval(self) -> float:
        """Seconds between our pings: half-open connections end."""
        return PING_S

    @property
    def ping_timeout(self) -> float:
        """Seconds a client has to answer one."""
        return PING_S

    def check_origin(self, origin: str) -> bool:
        """Accept: access was judged before, also where Tornado does not ask."""
        return True

    def open(self, *args: str, **kwargs: str) -> None:
        """Join the hub."""
        self.set_nodelay(True)
        self._limit_kernel_buffer()
        self._bucket = TokenBucket(MESSAGES_HZ_MAX, MESSAGES_BURST, IOLoop.current().time())
        self._subscriber = self.surface.hub.add(self)

    def _limit_kernel_buffer(self) -> None:
        stream = self.ws_connection.stream if self.ws_connection is not None else None
        raw = stream.socket if stream is not None else None
        if raw is not None:
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def on_message(self, message: str | bytes) -> None:
        """Hear what the client says, within its limits."""
        if self._subscriber is None or not self._may_speak():
            return
        try:
            if isinstance(message, bytes):
                raise Unreadable("Send text, not binary.")
            self.surface.hub.hear(self._subscriber, parse(message))
        except Unreadable as error:
            self._errors += 1
            self.surface.hub.complain(self._subscriber, str(error))
            if self._errors >= ERRORS_MAX:
                self.close(POLICY_VIOLATION, "Too many messages that mean nothing.")

    def on_ping(self, data: bytes) -> None:
        """Count a client's own pings too: each costs an answer."""
        self._may_speak()

    def _may_speak(self) -> bool:
        if self._bucket.take(IOLoop.current().time()):
            return True
        self.close(POLICY_VIOLATION, "Too many messages.")
        return False

    def on_close(self) -> None:
        """Leave the hub."""
        if self._subscriber is not None:
            self.surface.hub.remove(self._subscriber)

    # -- the hub's side ----------------------------------------------------

    def send(self, text: bytes) -> asyncio.Future[None]:
        """Send one text message; a closed socket fails the future, never the caller."""
        connection = self.ws_connection
        try:
            stream = connection.stream if connection is not None else None
            if connection is None or stream is None or connection.is_closing():
                raise WebSocketClosedError
            # What write_message does, without a task of its own and without framing the
            # same bytes again for each of a thousand clients: half the cost.
            return stream.write(_framed(text))
        except (WebSocketClosedError, StreamClosedError) as error:
            failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed

    def abort(self) -> None:
        """Close at once, dropping what was not read."""
        stream = self.ws_connection.stream if self.ws_connection is not None else None
        if stream is not None:
            stream.close()

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Stay silent when a client goes away in the middle of something."""
        if not isinstance(value, (WebSocketClosedError, StreamClosedError)):
            super().log_exception(typ, value, tb)


@lru_cache(maxsize=FRAMED_KEPT)
def _framed(text: bytes) -> bytes:
    """Return a text message as a WebSocket frame (RFC 6455, 5.2): whole, unmasked, not compressed."""
    size = len(text)
    if size < 126:
        return struct.pack("!BB", _FINAL_TEXT, size) + text
    if size < 1 << 16:
        return struct.pack("!BBH", _FINAL_TEXT, 126, size) + text
    return struct.pack("!BBQ", _FINAL_TEXT, 127, size) + text


routes = [(r"/ws", SocketHandler)]
