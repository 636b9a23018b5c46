"""
Where the load comes in, by depth.

    wire    a simulator in a process of its own; the real client connects to it, and
            what comes is recorded: the whole way of a live
    inside  a recording, made for it, played by the server's own player into the tap: the
            way of a rehearsal, which keeps nothing
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from toolkit.bus.memory import MemoryBus
from toolkit.load.pipes import RemoteActor
from toolkit.load.room import Room, plan_of
from toolkit.load.server import Server, wait_for
from toolkit.load.source import COMMENT, SentMessage, Source
from toolkit.load.stages import read_frames_of, read_recording
from toolkit.replay.clock import UNLIMITED
from toolkit.replay.player import Player
from toolkit.replay.tap import ScratchTap

__all__ = ["DEPTHS", "Feed", "InsideFeed", "WireFeed"]

USER = "demo"
CONNECT_WITHIN_S = 60.0
SEAL_WITHIN_S = 120.0
_SEALED_PER_S = 3_000
"""Messages sealed in a second on a slow machine: a long run gets more time."""


class Feed(Protocol):
    """
    One source of load. The server is started in between :meth:`prepare` and :meth:`begin`.

    Attributes:
        depth: ``wire`` or ``inside``.
        keeps: Whether the server records what comes.
        pids: Processes it runs, by name.
    """

    depth: str
    keeps: bool
    pids: dict[str, int]

    def prepare(self, exits: ExitStack, folder: Path) -> Mapping[str, str]:
        """Make ready; return settings for the server."""
        ...

    def begin(self, server: Server) -> None:
        """Have the load begin, and wait until it does."""
        ...

    def messages(self) -> int:
        """Return how many messages have been sent; 0 where nobody counts."""
        ...

    def end(self, server: Server) -> bool:
        """End it; return whether everything sent was taken."""
        ...

    def sent(self, traced: Mapping[str, Mapping[int, int]]) -> tuple[list[SentMessage], int]:
        """Return what was sent, and over how many connections."""
        ...

    def recorded(self) -> dict[int, tuple[int, int]]:
        """Return what was recorded: by message id when it was received, and its frame."""
        ...


class WireFeed:
    """A simulator, and the recorder that listens to it."""

    depth = "wire"
    keeps = True

    def __init__(self, room: Room, seed: int, seconds: float) -> None:
        self.pids: dict[str, int] = {}
        self._actor = RemoteActor("simulator", Source, room, seed)
        self._folder = Path()
        self._recording = ""
        self._told: dict[str, Any] | None = None

    def prepare(self, exits: ExitStack, folder: Path) -> Mapping[str, str]:
        """Start the simulator."""
        exits.enter_context(self._actor)
        self.pids["simulator"] = self._actor.pid
        self._folder = folder / "recordings"
        return {**self._actor.started, "TIKTOK_USERNAME": USER, "TOOLKIT_RECORDINGS": str(self._folder)}

    def begin(self, server: Server) -> None:
        """Wait for the recorder: the live has begun already."""
        wait_for(lambda: server.status()["connected"], CONNECT_WITHIN_S, "The recorder connects")

    def messages(self) -> int:
        """Return how many messages have been sent."""
        return int(self._actor.ask("counts").messages)

    def end(self, server: Server) -> bool:
        """End the live, and wait until its recording is sealed."""
        self._recording = server.status()["recording"]
        is_drained = bool(self._actor.ask("end"))
        self._told = self._actor.ask("sent")
        within_s = SEAL_WITHIN_S + len(self._told["messages"]) / _SEALED_PER_S
        wait_for(lambda: not server.status()["is_recording"], within_s, "The recording is sealed")
        return is_drained

    def sent(self, traced: Mapping[str, Mapping[int, int]]) -> tuple[list[SentMessage], int]:
        """Return what the simulator's ledger holds."""
        assert self._told is not None, "not ended"
        return self._told["messages"], self._told["connections"]

    def recorded(self) -> dict[int, tuple[int, int]]:
        """Return what is in the sealed recording."""
        return read_recording(self._folder / f"{self._recording}.duckdb")


class InsideFeed:
    """A recording made for the purpose, played by the server."""

    depth = "inside"
    keeps = False

    def __init__(self, room: Room, seed: int, seconds: float) -> None:
        """
        Args:
            room: What is in it.
            seed: The same seed has the same people and texts.
            seconds: How long it has to last.
        """
        self.pids: dict[str, int] = {}
        self._plan = plan_of(room, seed, seconds)
        self._path = Path()

    def prepare(self, exits: ExitStack, folder: Path) -> Mapping[str, str]:
        """Make the recording: as long as the run, at the speed of this machine."""
        recordings = folder / "recordings"
        tap = ScratchTap(recordings, "load")
        asyncio.run(Player(self._plan, bus=MemoryBus(), rate=UNLIMITED, tap=tap).run())
        report = tap.seal()
        assert report is not None, "a plan without a frame"
        self._path = report.path
        return {"TOOLKIT_RECORDINGS": str(recordings)}

    def begin(self, server: Server) -> None:
        """Have it played."""
        server.ask("/api/replay/start", {"id": self._path.stem, "rate": 1})

    def messages(self) -> int:
        """Nobody counts while it plays."""
        return 0

    def end(self, server: Server) -> bool:
        """Stop the player."""
        server.ask("/api/replay/stop", {})
        return True

    def sent(self, traced: Mapping[str, Mapping[int, int]]) -> tuple[list[SentMessage], int]:
        """Return what was played, as the recording and the player's trace have it."""
        due, played = traced.get("due", {}), traced.get("played", {})
        return [
            SentMessage(msg_id, method == COMMENT, due[frame_no], played[frame_no], is_acked=False)
            for msg_id, method, frame_no in read_frames_of(self._path)
            if frame_no in due and frame_no in played
        ], 1

    def recorded(self) -> dict[int, tuple[int, int]]:
        """Nothing is."""
        return {}


DEPTHS: dict[str, Callable[[Room, int, float], Feed]] = {"wire": WireFeed, "inside": InsideFeed}
"""How deep the load goes, by name."""
