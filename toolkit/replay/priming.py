"""What a replay has to know that begins in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from toolkit.bus.live_state import Earlier
from toolkit.model.plan import Plan
from toolkit.replay.timeline import Timeline

__all__ = ["Charted", "Divisible", "Mendable", "Primed", "Priming"]


@dataclass(frozen=True, slots=True)
class Priming:
    """
    The state at a place of a plan, found without playing up to it.

    Attributes:
        earlier: Figures of everything before it.
        warm_up_s: From here on frames are decoded unheard, up to the place.
        frame_no: Number of the first of those, counted from where playing began.
        seq: Number of its first message.
    """

    earlier: Earlier
    warm_up_s: float
    frame_no: int
    seq: int


@runtime_checkable
class Primed(Plan, Protocol):
    """A plan that knows its state at any place. Others are decoded up to it."""

    def priming(self, until_s: float) -> Priming:
        """
        Return the state at ``until_s``.

        Raises:
            RecordingError: What it is read from is damaged.
        """
        ...


@runtime_checkable
class Charted(Plan, Protocol):
    """A plan that can be drawn before it is played."""

    def timeline(self, buckets: int) -> Timeline:
        """
        Return it in so many equal stretches.

        Raises:
            RecordingError: What it is read from is damaged.
        """
        ...


@runtime_checkable
class Divisible(Plan, Protocol):
    """A plan that knows how to be a part of itself."""

    def part(self, from_s: float, until_s: float) -> Plan:
        """Return what lies between two places, the first included; its time begins at 0."""
        ...


@runtime_checkable
class Mendable(Plan, Protocol):
    """A plan with gaps that can be cut to nothing."""

    def mended(self, heals_gaps: bool) -> Mendable:
        """Return the same with gaps cut to nothing, or as they were."""
        ...

    def place_like(self, other: Plan, at_s: float) -> float:
        """Return where this is what ``other``, of the same frames, is at ``at_s``."""
        ...
