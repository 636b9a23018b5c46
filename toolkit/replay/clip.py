"""A part of a plan, as a plan of its own."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from toolkit.errors import ReplayError
from toolkit.model.plan import Break, Plan, PlannedFrame
from toolkit.replay.priming import Divisible

__all__ = ["breaks_between", "clipped"]


def clipped(plan: Plan, from_s: float = 0.0, until_s: float | None = None) -> Plan:
    """
    Return a part of ``plan``; its time begins at 0, and nothing before it counts.

    Args:
        plan: Any plan.
        from_s: Where it begins, seconds; included.
        until_s: Where it ends; not included. None for the end of the plan.

    Raises:
        ReplayError: Nothing of the plan lies between the two.
    """
    end_s = plan.duration_s if until_s is None else min(until_s, plan.duration_s)
    if from_s == 0 and end_s == plan.duration_s:
        return plan
    if not (0 <= from_s < end_s and math.isfinite(end_s)):
        raise ReplayError(
            f"Nothing is left of {plan.name} from {from_s:g} s to {end_s:g} s.",
            hint=f"It is {plan.duration_s:.1f} s long.",
        )
    return plan.part(from_s, end_s) if isinstance(plan, Divisible) else _Clip(plan, from_s, end_s)


def breaks_between(breaks: Iterable[Break], from_s: float, until_s: float) -> list[Break]:
    """Return the breaks, or what is left of them, between two places, counted from the first."""
    found = []
    for one in breaks:
        begins_s, ends_s = max(one.from_s, from_s), min(one.until_s, until_s)
        if begins_s < ends_s:
            found.append(Break(begins_s - from_s, ends_s - from_s, one.cause))
    return found


class _Clip:
    """A part of a plan that does not know how."""

    def __init__(self, plan: Plan, from_s: float, until_s: float) -> None:
        self.name = plan.name
        self.duration_s = until_s - from_s
        self.breaks: Sequence[Break] = breaks_between(plan.breaks, from_s, until_s)
        self._plan = plan
        self._from_s, self._until_s = from_s, until_s

    def frames(self, from_s: float = 0.0) -> Generator[PlannedFrame]:
        # From a moment earlier: the sum of two floats may be past what was meant.
        source = self._plan.frames(max(self._from_s, self._from_s + from_s - 1e-6))
        with closing(_generator(source)) as frames:
            for frame in frames:
                if frame.at_s >= self._until_s:
                    return
                at_s = frame.at_s - self._from_s
                if at_s >= from_s:
                    yield replace(frame, at_s=at_s)


def _generator(source: Iterator[PlannedFrame]) -> Generator[PlannedFrame]:
    """Return an iterator that can be closed, and closes what it reads."""
    yield from source
