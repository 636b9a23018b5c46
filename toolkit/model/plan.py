"""
What a replay plays: frames with a place on a timeline, and the breaks between them.

A recording is one kind of plan, an amplified or invented live another. The player
feeds a plan into the tap, the simulator serves the same plan over real sockets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from toolkit.model.frame import FrameKind, Message

__all__ = ["Break", "DerivedPlan", "Plan", "PlannedFrame"]


@dataclass(frozen=True, slots=True)
class PlannedFrame:
    """
    A frame and when it is due.

    Attributes:
        at_s: Seconds from the beginning of the plan; never decreasing.
        occurred_at: When it was first received, microseconds UTC.
        kind: Pushed, or the answer that opened a connection.
        payload_type: ``msg`` carries messages; others do not.
        messages: In order.
        room_id: The room they belong to.
        segment_id: The connected stretch they belong to, 1-based.
        cursor: TikTok's position.
        push_seq: TikTok's count of frames on its connection.
        log_id: What an acknowledgement names.
        data: What came in place of the honest frame, byte by byte; None where nothing
            damaged it. ``messages`` then are those that can be read in it.
    """

    at_s: float
    occurred_at: int
    kind: FrameKind
    payload_type: str
    messages: Sequence[Message]
    room_id: int
    segment_id: int
    cursor: str = ""
    push_seq: int = 0
    log_id: int = 0
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """
    A stretch in which nothing was observed: a gap of the original.

    Attributes:
        from_s: Where the connection ends, seconds on the plan's timeline.
        until_s: Where the next one begins.
        cause: Why, as the gap has it.
    """

    from_s: float
    until_s: float
    cause: str


class Plan(Protocol):
    """Something to play. May be read any number of times, by one reader at a time."""

    @property
    def name(self) -> str:
        """What is played: the id of a recording, the name of a workload."""
        ...

    @property
    def duration_s(self) -> float:
        """Length of the timeline, seconds."""
        ...

    @property
    def breaks(self) -> Sequence[Break]:
        """Its breaks in order; empty where gaps were healed."""
        ...

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        """
        Yield the frames due at ``from_s`` and after, in order, few in memory.

        Raises:
            RecordingError: What they are read from is damaged.
        """
        ...


@dataclass(frozen=True, slots=True)
class DerivedPlan:
    """
    What a plan made of another takes over from it: name, length and breaks. It adds its frames.

    Attributes:
        plan: What it is made of.
    """

    plan: Plan

    @property
    def name(self) -> str:
        """That of the other."""
        return self.plan.name

    @property
    def duration_s(self) -> float:
        """That of the other."""
        return self.plan.duration_s

    @property
    def breaks(self) -> Sequence[Break]:
        """Those of the other."""
        return self.plan.breaks
