"""What ``toolkit simulate --recording`` serves: a recording, or what is made of it, as a plan."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ReplayError
from toolkit.model.plan import Plan
from toolkit.replay.amplify import amplify
from toolkit.replay.clip import clipped
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.replay.workload import refreshed, repeated

__all__ = ["LOOP_S", "Serving"]

LOOP_S = 86_400.0
"""A recording that is played over and over is played for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """
    How a recording is served.

    Attributes:
        rate: Speed.
        from_s: Where to begin, seconds of the recording.
        until_s: Where to end; None for its end.
        heals_gaps: Cut gaps to nothing.
        loops: Begin again at the end.
        is_fresh: With today's times and ids nobody has seen.
        comments_per_s: Grown to so many comments a second, as it was at 1x; None for as it was.
        seed: Of what is grown.
    """

    rate: float = 1.0
    from_s: float = 0.0
    until_s: float | None = None
    heals_gaps: bool = False
    loops: bool = False
    is_fresh: bool = False
    comments_per_s: float | None = None
    seed: int = 1

    def plan(self, path: Path, now_us: Callable[[], int]) -> Plan:
        """
        Return what is served of a sealed recording; blocks while it is read.

        Raises:
            RecordingError: It cannot be read.
            ReplayError: There is nothing to play, or nothing to grow.
        """
        plan = clipped(RecordingPlan(path, heals_gaps=self.heals_gaps), self.from_s, self.until_s)
        if self.comments_per_s is not None:
            plan = amplify(plan, comments_per_s=self.comments_per_s, seed=self.seed)
        if self.loops:
            if plan.duration_s <= 0:
                raise ReplayError(f"{plan.name} has no length: it cannot be played over and over.")
            plan = repeated(plan, max(math.ceil(LOOP_S * self.rate / plan.duration_s), 1))
        return refreshed(plan, now_us, self.rate) if self.is_fresh else plan
