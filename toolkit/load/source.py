"""
The process that sends: a simulator, and what it knows of each message.

Nothing is told while it runs but a few counts; the ledger is handed over when the
live has ended.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from toolkit.load.room import Room, simulator_of
from toolkit.simulator.ledger import Connection

__all__ = ["COMMENT", "SentMessage", "Source", "SourceCounts"]

COMMENT = "WebcastChatMessage"
"""TikTok's type of a comment."""
_HANG_UP_WITHIN_S = 50.0


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """
    Where the simulator stands.

    Attributes:
        messages: Messages sent.
        connections: Clients connected.
        late_ms_max: The latest burst, behind its plan.
    """

    messages: int
    connections: int
    late_ms_max: float


@dataclass(frozen=True, slots=True)
class SentMessage:
    """
    One message for the recorder's connection.

    Attributes:
        msg_id: Its id.
        is_comment: It is a comment.
        due_at: When the plan wanted it sent, microseconds UTC.
        sent_at: When it was handed to the connection.
        is_acked: The frame it came in was acknowledged: we promised to have it.
    """

    msg_id: int
    is_comment: bool
    due_at: int
    sent_at: int
    is_acked: bool


class Source:
    """A simulator, as an actor of its own process."""

    def __init__(self, room: Room, seed: int) -> None:
        self._simulator = simulator_of(room, seed)

    async def start(self) -> dict[str, str]:
        """Begin the live; return the environment that points a recorder to it."""
        await self._simulator.start()
        return self._simulator.environment()

    async def stop(self) -> None:
        """Hang up on everybody."""
        await self._simulator.stop()

    def counts(self) -> SourceCounts:
        """Return where it stands."""
        state = self._simulator.state()
        return SourceCounts(state["messages"], state["connections"], state["worst_late_ms"])

    async def end(self) -> bool:
        """End the live; return whether the recorder has read all of it and hung up in time."""
        await self._simulator.end_live()
        deadline_s = asyncio.get_running_loop().time() + _HANG_UP_WITHIN_S
        connections = self._simulator.ledger.connections
        while any(connection.closed_at is None for connection in connections):
            if asyncio.get_running_loop().time() > deadline_s:
                return False
            await asyncio.sleep(0.02)
        return True

    def sent(self) -> dict[str, Any]:
        """Return the messages pushed to the recorder, in order, and what could not be told."""
        ledger = self._simulator.ledger
        batches: dict[int, bool] = {}
        for connection in ledger.connections:
            batches.update(_batches(connection))
        messages = [
            SentMessage(s.msg_id, s.method == COMMENT, s.due_at, s.sent_at, batches[s.batch_no])
            for s in ledger.sent
            if s.batch_no in batches
        ]
        return {
            "messages": messages,
            "connections": len(ledger.connections),
            "forgotten": ledger.first,
        }


def _batches(connection: Connection) -> dict[int, bool]:
    """Return the batches that a connection got, each with whether it was acknowledged."""
    return {f.batch_no: f.acked_at is not None for f in connection.frames.values() if f.batch_no}
