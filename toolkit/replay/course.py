"""The order of things on a plan's timeline: frames, lost connections, cues, the end."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from toolkit.model.plan import Break, Plan, PlannedFrame

if TYPE_CHECKING:
    from toolkit.replay.player import Player

__all__ = ["Course", "Cue", "Edge", "Stop"]


@dataclass(frozen=True, slots=True)
class Cue:
    """
    A control at a place of the plan instead of a moment: the same in every run.

    Attributes:
        at_s: Carried out once, before the first frame due here or later.
        act: What to do with the player.
    """

    at_s: float
    act: Callable[[Player], object]


@dataclass(frozen=True, slots=True)
class Edge:
    """
    Where a connection is lost or regained.

    Attributes:
        at_s: The place.
        is_lost: Which of the two.
        stretch: The break that begins or ends.
        number: Its place among the breaks, 1-based.
    """

    at_s: float
    is_lost: bool
    stretch: Break
    number: int


class Stop(IntEnum):
    """What comes next, in the order in which it comes where several meet."""

    CUE = 0
    REGAINED = 1
    FRAME = 2
    """Before a loss, the last one of its connection; after a return, the first of the next."""
    LOST = 3
    END = 4


class Course:
    """
    Where a player is among the things of its plan. Not thread-safe.

    Attributes:
        lost: The break it is in; None while connected.
    """

    def __init__(self, plan: Plan, cues: Iterable[Cue]) -> None:
        self.lost: Break | None = None
        self._plan = plan
        self._cues = deque(sorted(cues, key=lambda cue: cue.at_s))
        self._edges = [
            Edge(at_s, is_lost, stretch, number)
            for number, stretch in enumerate(plan.breaks, 1)
            for at_s, is_lost in ((stretch.from_s, True), (stretch.until_s, False))
        ]
        self._passed = 0

    def enter(self, at_s: float) -> None:
        """Stand at a place. Cues that were carried out are not carried out again."""
        self._passed = bisect_left(self._edges, at_s, key=lambda edge: edge.at_s)
        self.lost = next((b for b in self._plan.breaks if b.from_s < at_s <= b.until_s), None)

    def upcoming(self, frame: PlannedFrame | None) -> tuple[float, Stop]:
        """
        Return where the next thing is, and what.

        Args:
            frame: The next frame; None if there are no more.
        """
        things = []
        if frame is not None:
            things.append((frame.at_s, Stop.FRAME))
        else:
            things.append((self._plan.duration_s, Stop.END))
        if self._cues:
            things.append((self._cues[0].at_s, Stop.CUE))
        if self._passed < len(self._edges):
            edge = self._edges[self._passed]
            things.append((edge.at_s, Stop.LOST if edge.is_lost else Stop.REGAINED))
        return min(things)

    def take_cue(self) -> Cue:
        """Return the cue that is next, and go on."""
        return self._cues.popleft()

    def pass_edge(self) -> Edge:
        """Return the edge that is next, and go on behind it."""
        edge = self._edges[self._passed]
        self._passed += 1
        self.lost = edge.stretch if edge.is_lost else None
        return edge
