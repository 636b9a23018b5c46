"""
One client of ``/ws``: the little of RFC 6455 that it takes to subscribe and read.

A client of our own, because a thousand of them have to be cheap enough not to be
what is measured: it hands on the text messages as bytes, answers pings, and that
is all. Only for a server of ours on this machine, which sends whole, unmasked frames.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["SocketClient", "open_client"]

_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_MASKED = 0x80
_MASK = bytes(4)
"""Masking protects proxies on the way; there are none on this machine."""
_HEAD_BYTES_MAX = 16 * 1024
STALLED_BUFFER_BYTES = 4096
"""What the kernel takes in for a client that never reads: the rest waits at the server."""


class SocketClient(asyncio.Protocol):
    """
    One connection.

    Attributes:
        is_open: The server has taken us in.
        status: Status line of a refusal; empty so far.
    """

    def __init__(
        self,
        wish: dict[str, Any],
        on_text: Callable[[bytes], None],
        on_close: Callable[[SocketClient], None],
        *,
        reads: bool = True,
    ) -> None:
        self.is_open = False
        self.status = ""
        self._wish = wish
        self._on_text = on_text
        self._on_close = on_close
        self._reads = reads
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be let in."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take whole frames out of what has arrived."""
        self._buffer += data
        if not self.is_open and not self._enter():
            return
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode == _TEXT:
                self._on_text(payload)
            elif opcode == _PING:
                self._send(_PONG, payload)
            elif opcode == _CLOSE:
                self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so."""
        self.is_open = False
        self._on_close(self)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def _enter(self) -> bool:
        head, separator, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not separator:
            if len(head) > _HEAD_BYTES_MAX:
                self.close()
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            self.status = head.split(b"\r\n", 1)[0].decode("latin-1")
            self.close()
            return False
        self._buffer[:] = rest
        self.is_open = True
        self._send(_TEXT, json.dumps({"type": "subscribe", **self._wish}).encode())
        if not self._reads and self._transport is not None:
            self._transport.pause_reading()
        return True

    def _next_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 0x7F, 2
        if size == 126:
            if len(buffer) < 4:
                return None
            size, start = struct.unpack_from("!H", buffer, 2)[0], 4
        elif size == 127:
            if len(buffer) < 10:
                return None
            size, start = struct.unpack_from("!Q", buffer, 2)[0], 10
        if len(buffer) < start + size:
            return None
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return opcode, payload

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        head = (
            struct.pack("!BB", 0x80 | opcode, _MASKED | size)
            if size < 126
            else struct.pack("!BBH", 0x80 | opcode, _MASKED | 126, size)
        )
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(head + _MASK + payload)


async def open_client(
    port: int,
    wish: dict[str, Any],
    on_text: Callable[[bytes], None],
    on_close: Callable[[SocketClient], None],
    *,
    reads: bool = True,
) -> SocketClient:
    """
    Connect to a server on this machine.

    Args:
        port: Its port.
        wish: What is subscribed to: ``topics``, ``batch`` and so on.
        on_text: Called with each text message.
        on_close: Called once, when the connection has ended.
        reads: Whether it reads at all, once it has subscribed.

    Raises:
        OSError: Nobody listens there.
    """
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    try:
        if not reads:
            # Before connecting: the window is agreed upon then.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_BUFFER_BYTES)
        raw.setblocking(False)
        await loop.sock_connect(raw, ("127.0.0.1", port))
        _, client = await loop.create_connection(
            lambda: SocketClient(wish, on_text, on_close, reads=reads), sock=raw
        )
    except BaseException:
        raw.close()
        raise
    return client
