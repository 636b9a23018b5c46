"""Plans made by hand, plans of real recordings, and players that are watched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.faults.studio import studio
from toolkit.bus.live_state import LiveState
from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice
from toolkit.model.event import Event
from toolkit.model.frame import FrameKind, Message
from toolkit.model.plan import Break, PlannedFrame
from toolkit.replay.clock import VirtualTime
from toolkit.replay.digest import OutputDigest
from toolkit.replay.player import Player
from toolkit.wire.schema import message_class

BEGAN_AT = 1_700_000_000_000_000
ROOM = 7_001
FRAMES_BETWEEN_FAULTS = 5


def comment(number: int) -> Message:
    """Return comment ``number`` as TikTok encodes it."""
    chat = message_class("WebcastChatMessage")(content=str(number))
    chat.common.msg_id = 1_000 + number
    chat.common.room_id = ROOM
    chat.common.create_time = BEGAN_AT // 1000 + number
    chat.user.id = 1 + number % 7
    return Message("WebcastChatMessage", 1_000 + number, chat.SerializeToString())


@dataclass
class HandMadePlan:
    """Comments 0, 1, 2 ..., one a frame, at the given times."""

    times_s: list[float]
    duration_s: float
    breaks: list[Break] = field(default_factory=list)
    name: str = "by-hand"

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        """Yield the frames from a place on."""
        for number, at_s in enumerate(self.times_s):
            if at_s >= from_s:
                segment = 1 + sum(stretch.until_s <= at_s for stretch in self.breaks)
                at = BEGAN_AT + round(at_s * 1e6)
                yield PlannedFrame(
                    at_s, at, FrameKind.PUSH, "msg", [comment(number)], ROOM, segment, log_id=number + 1
                )


@pytest.fixture
def by_hand() -> Callable[..., HandMadePlan]:
    """Return a maker of plans: so many comments, so many seconds apart."""

    def make(frames: int = 20, every_s: float = 0.1, breaks: Iterable[Break] = ()) -> HandMadePlan:
        return HandMadePlan([i * every_s for i in range(frames)], frames * every_s, list(breaks))

    return make


class Watched:
    """
    A player on a bus of its own, and everything that came out of it.

    Attributes:
        player: The player.
        notices: What the bus carried so far.
        live_state: Figures of it.
        digest: The hash over it.
    """

    def __init__(self, plan: Any, **options: Any) -> None:
        self.notices: list[Notice] = []
        self.digest = OutputDigest()
        bus = MemoryBus()
        self.live_state = LiveState(bus)
        bus.tap(self.notices.extend)
        bus.tap(self.digest.take)
        options.setdefault("time", VirtualTime())
        self.player = Player(plan, bus=bus, prime=self.live_state.prime, **options)

    def run(self) -> Watched:
        """Play to the end."""
        asyncio.run(self.player.run())
        return self

    def texts(self) -> list[str]:
        """Return the comments, in order."""
        return [n.data.text for n in self.notices if n.type == "comment"]

    def runs(self) -> list[list[str]]:
        """Return the comments of each run: a seek begins another."""
        found: list[list[str]] = []
        for notice in self.notices:
            if notice.type == "run" and notice.data["kind"] == "rehearsal":
                found.append([])
            elif notice.type == "comment":
                found[-1].append(notice.data.text)
        return found

    def told(self, prefix: str) -> list[dict[str, Any]]:
        """Return what was said under types that begin so."""
        return [n.data for n in self.notices if n.type.startswith(prefix) and not isinstance(n.data, Event)]


@pytest.fixture
def watched() -> type[Watched]:
    """Return the class of watched players."""
    return Watched


@pytest.fixture(scope="session")
def sample(project_root: Path) -> Path:
    """Return the bundled recording: four minutes, one gap, a withdrawal."""
    return project_root / "recordings" / "sample.duckdb"


@pytest.fixture(scope="session")
def fault_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording that the real recorder made of a simulator that misbehaved."""
    folder = tmp_path_factory.mktemp("fault-run")
    faults: list[tuple[str, dict[str, Any]]] = [
        ("duplicate", {}),
        ("reset", {}),
        ("bad-gzip", {}),
        ("drop", {}),
        ("unknown-types", {}),
    ]

    async def record() -> Path:
        async with studio(folder, seed=11) as room:
            await room.until_connected()
            for kind, parameters in faults:
                before = len(room.simulator.ledger.connections)
                room.throw(kind, **parameters)
                await room.until_spent()
                if kind in ("reset", "drop"):
                    await room.until_connected(before + 1)
                await room.fresh_message_passes()
                connection = room.simulator.ledger.connections[-1]
                enough = connection.acked + FRAMES_BETWEEN_FAULTS
                await room.until(lambda c=connection, n=enough: c.acked >= n, "some frames")
            await room.finish()
            return room.recordings()[0]

    return asyncio.run(record())
