"""
A WebSocket whose frames pass through us before TikTokLive reads them.

What is too large to be a frame of TikTok's is read past, counted and hashed, and
never kept: it costs itself, not the connection, and no memory. websockets would
close the connection instead, and the same frame would be met again by the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import PayloadTooBig, TooManyFragments
from websockets.legacy.client import WebSocketClientProtocol
from websockets.legacy.exceptions import InvalidStatusCode, RedirectHandshake
from websockets.legacy.framing import Frame

from toolkit import failpoint
from toolkit.connect.watchdog import clamped_ping_s
from toolkit.wire.skipped import encode_skipped

__all__ = ["SKIPPED_BYTES_MAX", "Skipped", "TappedProtocol"]

SKIPPED_BYTES_MAX = 16 * 1024 * 1024
"""Longest frame that is read past. Who sends more is hung up on."""
LOOK_S = 1.0
"""Between looks whether what waits may be read now."""
_CHUNK_BYTES = 64 * 1024
_FINAL, _COMPRESSED, _CONTROL = 0x80, 0x40, 0x08
_LENGTH_16 = 126
_OPTIONS = "Handshake-Options"


class Skipped(bytes):
    """What is kept of a message that was read past; see :mod:`toolkit.wire.skipped`."""

    __slots__ = ()


class TappedProtocol(WebSocketClientProtocol):  # type: ignore[misc]  # untyped upstream
    """
    TikTokLive's WebSocket, tapped.

    Attributes:
        on_open: Called once, with the seconds between heartbeats.
        on_frame: Called with each frame; returns what TikTokLive may read instead:
            nothing while the frame has to wait, more than one when it has waited.
        on_look: Called each second while frames wait; returns the same of them.
    """

    on_open: Callable[[float], None] | None = None
    on_frame: Callable[[bytes], list[bytes]]
    on_look: Callable[[], list[bytes]]
    _ping_s: float
    _too_big: PayloadTooBig | TooManyFragments | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._readable: deque[bytes] = deque()
        self._waiting = 0

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        """Shake hands as TikTokLive does; follow nobody, and keep to a sane pace of heartbeats."""
        failpoint.reach("handshake")
        try:
            await super().handshake(*args, **kwargs)
        except RedirectHandshake as redirect:
            # It would be followed to any host, past the check of the address.
            raise InvalidStatusCode(302, Headers()) from redirect
        announced = ";".join(self.response_headers.get_all(_OPTIONS))
        self._ping_s = clamped_ping_s(_ping_interval(announced))
        with contextlib.suppress(KeyError):
            del self.response_headers[_OPTIONS]
        self.response_headers[_OPTIONS] = f"ping-interval={self._ping_s:g}"

    async def recv(self) -> bytes:
        """
        Return what TikTokLive may read of the next message.

        Messages are read on while some of them wait, so that each is seen when it comes
        and the server is not held up. TikTokLive's heartbeats are a task of its own.
        """
        if self.on_open is not None:
            opened, self.on_open = self.on_open, None
            opened(self._ping_s)
        while not self._readable:
            try:
                async with asyncio.timeout(LOOK_S if self._waiting else None):
                    data = await super().recv()
            except TimeoutError:
                self._give(self.on_look())
            else:
                self._waiting += 1
                self._give(self.on_frame(data.encode() if isinstance(data, str) else data))
        return self._readable.popleft()

    def _give(self, readable: list[bytes]) -> None:
        self._waiting -= len(readable)
        self._readable.extend(readable)

    async def read_message(self) -> Any:
        """Return the next message, or what is kept of one that is too large."""
        if self._too_big is not None:
            # The rest of it was not read: nothing behind it can be.
            raise self._too_big
        self._parts: list[bytes] = []
        try:
            return await super().read_message()
        except (PayloadTooBig, TooManyFragments) as error:
            return await self._read_past(error)

    async def read_frame(self, max_size: int | None) -> Any:
        """Read one WebSocket frame, as the original does; remember how it began."""
        self._head: list[bytes] = []

        async def read(length: int) -> bytes:
            data: bytes = await self.reader.readexactly(length)
            self._head.append(data)
            return data

        frame = await Frame.read(read, mask=False, max_size=max_size, extensions=self.extensions)
        if not frame.opcode & _CONTROL:
            self._parts.append(bytes(frame.data))
        return frame

    async def _read_past(self, error: PayloadTooBig | TooManyFragments) -> Skipped:
        """Hash the rest of a message that is too large, in bounded memory."""
        flags, left, body = _read_head(self._head)
        # A message in parts may go on for ever. A compressed one was read before it
        # turned out too large, and what inflates the next one is out of step.
        is_last = bool(flags & _FINAL) and not flags & _COMPRESSED
        if flags & _COMPRESSED or isinstance(error, TooManyFragments):
            left = 0
        else:
            body = []
        digest, received = hashlib.sha256(), 0
        for part in (*self._parts, *body):
            digest.update(part)
            received += len(part)
        while left and received < SKIPPED_BYTES_MAX:
            chunk = await self.reader.read(min(left, _CHUNK_BYTES, SKIPPED_BYTES_MAX - received))
            if not chunk:
                break
            digest.update(chunk)
            received, left = received + len(chunk), left - len(chunk)
        if left or not is_last:
            self._too_big = error
        return Skipped(encode_skipped(received, received + left, digest.hexdigest()))


def _read_head(read: list[bytes]) -> tuple[int, int, list[bytes]]:
    """Return a WebSocket frame's flags, the length it claims, and what else was read of it."""
    (flags, short), *rest = read
    short &= 0x7F
    if short < _LENGTH_16:
        return flags, short, rest
    return flags, int.from_bytes(rest[0]), rest[1:]


def _ping_interval(options: str) -> str:
    for part in options.split(";"):
        name, _, value = part.strip().partition("=")
        if name == "ping-interval":
            return value.strip('" ')
    return ""
