"""
The process of the socket clients: those that read, and those that never do.

One of them, the witness, reads every comment and tells of each when it was
published and when it arrived. The others only measure: who gets the same bytes at
the same time need not have them parsed a second time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from toolkit.load.histogram import Histogram
from toolkit.load.socket_client import SocketClient, open_client

__all__ = ["Heard", "Listeners", "Witnessed"]

TOPICS = ["comment"]
OPEN_AT_ONCE = 50
OPEN_WITHIN_S = 30.0
RETURN_AFTER_S = 0.5
"""A client that was cut off because it does not read comes back, as a frozen page would."""
_PARSED_MAX = 256


@dataclass(frozen=True, slots=True)
class Witnessed:
    """
    One comment as it came out of a socket. Times in microseconds UTC.

    Attributes:
        seq: Number of its notice.
        msg_id: Its id.
        published_at: When it was put on the bus.
        delivered_at: When the witness had it.
    """

    seq: int
    msg_id: int
    published_at: int
    delivered_at: int


@dataclass(slots=True)
class Heard:
    """
    What all readers together have heard since they were last asked.

    Attributes:
        readers: Readers connected now.
        stalled: Clients connected that never read.
        notices: Notices delivered, over all readers.
        missed: Notices that readers were told they missed.
        lost_readers: Readers that were cut off.
        cut_off: How often a client that never reads was cut off.
        latency: Counts of microseconds from published to delivered.
        latency_max: The largest.
        error: Why a client could not connect; empty if all could.
    """

    readers: int = 0
    stalled: int = 0
    notices: int = 0
    missed: int = 0
    lost_readers: int = 0
    cut_off: int = 0
    latency: dict[int, int] = field(default_factory=dict)
    latency_max: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Parsed:
    published: Counter[int]
    missed: int
    notices: list[dict[str, Any]]


class Listeners:
    """All socket clients, as an actor of their own process."""

    def __init__(self, port: int, readers: int, topics: list[str] | None = None) -> None:
        """
        Args:
            port: Of the server.
            readers: Clients that read, the witness included; at least 1.
            topics: What they subscribe to; comments by default.
        """
        assert readers >= 1
        self._port = port
        self._readers_wanted = readers
        self._wish = {"topics": topics or TOPICS, "batch": True}
        self._readers: set[SocketClient] = set()
        self._first: SocketClient | None = None
        self._stalled: set[SocketClient] = set()
        self._to_return = 0
        self._returning: asyncio.Task[None] | None = None
        self._parsed: dict[bytes, _Parsed] = {}
        self._witnessed: list[Witnessed] = []
        self._latency = Histogram()
        self._heard = Heard()
        self._is_stopping = False

    async def start(self) -> int:
        """Connect the readers; return how many there are."""
        self._first = await self._open(self._witness)
        self._readers.add(self._first)
        await self._open_many(self._readers, self._readers_wanted - 1, reads=True)
        return len(self._readers)

    async def stop(self) -> None:
        """Hang up."""
        self._is_stopping = True
        if self._returning is not None:
            self._returning.cancel()
        for client in [*self._readers, *self._stalled]:
            client.close()

    async def add_readers(self, number: int) -> int:
        """Connect more readers; return how many there are."""
        await self._open_many(self._readers, number, reads=True)
        return len(self._readers)

    async def drop_readers(self, number: int) -> int:
        """Hang up with some readers, never the witness; return how many are left."""
        assert number < len(self._readers)
        others = [client for client in self._readers if client is not self._first][:number]
        self._readers.difference_update(others)
        for client in others:
            client.close()
        return len(self._readers)

    async def stall(self, number: int) -> int:
        """Connect clients that subscribe and then never read; return how many there are."""
        await self._open_many(self._stalled, number, reads=False)
        return len(self._stalled)

    async def unstall(self) -> None:
        """Hang up on those that never read, for good."""
        self._is_stopping, was = True, self._is_stopping
        for client in list(self._stalled):
            client.close()
        await asyncio.sleep(0)
        self._stalled.clear()
        self._is_stopping = was

    def heard(self) -> Heard:
        """Return what was heard since this was last asked."""
        heard, self._heard = self._heard, Heard()
        latency, self._latency = self._latency, Histogram()
        heard.readers, heard.stalled = len(self._readers), len(self._stalled)
        heard.latency, heard.latency_max = latency.as_dict(), latency.largest
        return heard

    def witnessed(self) -> list[Witnessed]:
        """Return what the witness has read since this was last asked."""
        witnessed, self._witnessed = self._witnessed, []
        return witnessed

    # -- connections -------------------------------------------------------

    async def _open_many(self, clients: set[SocketClient], number: int, *, reads: bool) -> None:
        for start in range(0, number, OPEN_AT_ONCE):
            many = min(OPEN_AT_ONCE, number - start)
            clients.update(await asyncio.gather(*(self._open(self._read, reads=reads) for _ in range(many))))

    async def _open(self, on_text: Any, *, reads: bool = True) -> SocketClient:
        client = await open_client(self._port, self._wish, on_text, self._closed, reads=reads)
        async with asyncio.timeout(OPEN_WITHIN_S):
            while not client.is_open and not client.status:  # noqa: ASYNC110 - the protocol's callback sets it
                await asyncio.sleep(0.005)
        if client.status:
            raise ConnectionError(f"refused: {client.status}")
        return client

    def _closed(self, client: SocketClient) -> None:
        if client in self._readers:
            self._readers.discard(client)
            self._heard.lost_readers += not self._is_stopping
        elif client in self._stalled:
            self._stalled.discard(client)
            if not self._is_stopping:
                self._heard.cut_off += 1
                self._to_return += 1
                if self._returning is None or self._returning.done():
                    self._returning = asyncio.get_running_loop().create_task(self._return())

    async def _return(self) -> None:
        while self._to_return:
            await asyncio.sleep(RETURN_AFTER_S)
            number, self._to_return = self._to_return, 0
            try:
                await self._open_many(self._stalled, number, reads=False)
            except (OSError, TimeoutError) as error:
                self._heard.error = f"{type(error).__name__}: {error}"

    # -- what they read ----------------------------------------------------

    def _read(self, text: bytes) -> None:
        parsed = self._parsed.get(text)
        if parsed is None:
            parsed = self._parse(text)
            if len(self._parsed) >= _PARSED_MAX:
                self._parsed.clear()
            self._parsed[text] = parsed
        self._count(parsed, time.time_ns() // 1000)

    def _witness(self, text: bytes) -> None:
        parsed, now = self._parse(text), time.time_ns() // 1000
        self._count(parsed, now)
        for notice in parsed.notices:
            if notice["type"] == "comment":
                self._witnessed.append(
                    Witnessed(notice["seq"], int(notice["data"]["msg_id"]), notice["at"], now)
                )

    def _count(self, parsed: _Parsed, now: int) -> None:
        self._heard.missed += parsed.missed
        for at, times in parsed.published.items():
            self._latency.record(now - at, times)
            self._heard.notices += times

    @staticmethod
    def _parse(text: bytes) -> _Parsed:
        value = json.loads(text)
        if isinstance(value, list):
            return _Parsed(Counter(notice["at"] for notice in value), 0, value)
        # What the server says of itself; notices come in arrays.
        missed = value["data"]["count"] if value["type"] == "missed" else 0
        return _Parsed(Counter(), missed, [])
