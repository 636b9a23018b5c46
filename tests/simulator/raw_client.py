"""A client of the push server that counts everything, and what waits for it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tornado.websocket import WebSocketClientConnection, websocket_connect

from toolkit.model.frame import DecodedFrame, Message
from toolkit.simulator.push import WATCH_PATH
from toolkit.simulator.server import Simulator
from toolkit.wire.decode import decode_frame
from toolkit.wire.encode import encode_push_frame

DEADLINE_S = 15.0


async def until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition, or fail by name."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    while not condition():
        assert loop.time() < end, f"waited {deadline_s:g} s for: {what}"
        await asyncio.sleep(0.01)


def in_loop(body: Callable[[], Awaitable[None]]) -> None:
    """Run a test's body in a loop of its own, bounded in time."""

    async def bounded() -> None:
        async with asyncio.timeout(4 * DEADLINE_S):
            await body()

    asyncio.run(bounded())


def digests(messages: Sequence[Message]) -> list[tuple[str, int, bytes]]:
    """Return what the ledger keeps of messages."""
    return [(m.method, m.msg_id, hashlib.sha256(m.payload).digest()) for m in messages]


@dataclass
class RawClient:
    """Reads every frame, acknowledges it if told to, keeps what it saw."""

    socket: WebSocketClientConnection
    acknowledges: bool
    expects_damage: bool = False
    frames: list[DecodedFrame] = field(default_factory=list)
    raw: list[str | bytes] = field(default_factory=list)
    is_closed: bool = False

    @property
    def messages(self) -> list[Message]:
        """Everything received, in order."""
        return [message for frame in self.frames for message in frame.messages]

    async def read(self) -> None:
        """Read until the connection is closed."""
        while (data := await self.socket.read_message()) is not None:
            self.raw.append(data)
            frame = decode_frame(data.encode() if isinstance(data, str) else data)
            assert self.expects_damage or not frame.quarantined, frame.quarantined
            self.frames.append(frame)
            if self.acknowledges and frame.need_ack:
                ack = encode_push_frame(
                    frame.internal_ext.encode(), payload_type="ack", log_id=frame.log_id, compress=False
                )
                await self.socket.write_message(ack, binary=True)
        self.is_closed = True


async def raw_client(
    simulator: Simulator, *, acknowledges: bool = True, expects_damage: bool = False
) -> tuple[RawClient, asyncio.Task[None]]:
    """Connect to the push server as a client that counts everything."""
    url = f"ws://127.0.0.1:{simulator.port}{WATCH_PATH}?room_id={simulator.room_id}"
    socket = await websocket_connect(url, max_message_size=1 << 26)
    client = RawClient(socket, acknowledges, expects_damage)
    return client, asyncio.create_task(client.read())
