"""What a load is made of: an invented room, or a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toolkit.clock import SystemClock
from toolkit.model.plan import Plan
from toolkit.replay.clip import clipped
from toolkit.replay.served import Serving
from toolkit.replay.workload import synthesise
from toolkit.simulator.playback import Playback
from toolkit.simulator.profile import TrafficProfile
from toolkit.simulator.server import Simulator

__all__ = ["RecordedRoom", "Room", "plan_of", "simulator_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRoom:
    """
    A recording over and over, with today's times, as if its connection had held.

    Attributes:
        path: The sealed recording.
        comments_per_s: Grown to so many; None for as many as there were.
    """

    path: Path
    comments_per_s: float | None = None

    @property
    def name(self) -> str:
        """Its id."""
        return self.path.stem

    @property
    def others_per_s(self) -> float | None:
        """Nobody knows before: some grow with the viewers, some do not."""
        return None

    def plan(self, seed: int) -> Plan:
        """
        Return it as a plan; blocks while it is read.

        Raises:
            RecordingError: It cannot be read.
            ReplayError: It has no length, or no comments to grow from.
        """
        serving = Serving(
            heals_gaps=True, loops=True, is_fresh=True, comments_per_s=self.comments_per_s, seed=seed
        )
        return serving.plan(self.path, SystemClock().now_us)


Room = TrafficProfile | RecordedRoom
"""What somebody can ask to be sent."""


def plan_of(room: Room, seed: int, seconds: float) -> Plan:
    """Return so many seconds of a room, to be played."""
    if isinstance(room, RecordedRoom):
        return clipped(room.plan(seed), 0.0, seconds)
    return synthesise(room, seed, seconds=seconds)


def simulator_of(room: Room, seed: int) -> Simulator:
    """Return a simulator that broadcasts a room until it is told to end."""
    if isinstance(room, RecordedRoom):
        return Simulator(seed=seed, playback=Playback(room.plan(seed)))
    return Simulator(room, seed)
