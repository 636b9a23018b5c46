"""How far a replay is, as the sockets and the API tell it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["PlayerState", "Progress"]


class PlayerState(StrEnum):
    """Where a player stands."""

    PLAYING = "playing"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a replay is.

    Attributes:
        recording: What is played: id of a recording, name of a workload.
        state: Where the player stands.
        rate: Speed; 1.0 is as it was, infinite as fast as possible.
        position_s: Where it stands on the plan's timeline.
        duration_s: Length of that.
        frames: Frames played, in all runs.
        events: Events published.
        loops: Whether it begins again at the end.
        rounds: How often it has begun again.
        is_seeking: A seek is under way; ``position_s`` is where it goes.
        is_connected: False within a gap of the original.
        late: How late frames were sent: ``count``, ``p50_ms``, ``p99_ms``, ``p999_ms``, ``max_ms``.
    """

    recording: str
    state: PlayerState
    rate: float
    position_s: float
    duration_s: float
    frames: int
    events: int
    loops: bool
    rounds: int
    is_seeking: bool
    is_connected: bool
    late: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "recording": self.recording,
            "state": self.state.value,
            "rate": "max" if math.isinf(self.rate) else self.rate,
            "position_s": round(self.position_s, 3),
            "duration_s": round(self.duration_s, 3),
            "frames": self.frames,
            "events": self.events,
            "loop": self.loops,
            "rounds": self.rounds,
            "seeking": self.is_seeking,
            "connected": self.is_connected,
            "late": dict(self.late),
            "late_s_max": round(self.late["max_ms"] / 1000, 3),
        }
