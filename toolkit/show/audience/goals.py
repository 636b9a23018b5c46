"""
Goals: so many likes, followers, gifts or diamonds, from the moment a goal is set.

The goals themselves are kept from live to live; what has been reached of them begins
anew with each, and goes on after a restart. A goal that is reached is announced once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.bus.notice import Notice
from toolkit.model.event import Event
from toolkit.show.audience.totals import KINDS, Totals
from toolkit.show.part import ShowError
from toolkit.show.request import read_choice, read_text, read_whole
from toolkit.show.run import Runs

__all__ = ["Goals"]

GOALS_MAX = 8
TITLE_CHARS_MAX = 60
TARGET_MAX = 10**12
_ID = re.compile(r"[a-z0-9_-]{1,32}")
_NUMBER_MAX = 2**53


@dataclass(slots=True)
class _Goal:
    """
    One goal.

    Attributes:
        id: Names it.
        kind: What is counted.
        title: What the overlay writes above it; empty for the name of the kind.
        target: How many.
        base: What had grown already when it was set.
        is_reached: It was, and that was announced.
    """

    id: str
    kind: str
    title: str
    target: int
    base: int = 0
    is_reached: bool = False


class Goals:
    """The part ``goals``."""

    name = "goals"
    actions = frozenset({"goals.set", "goals.remove", "goals.reset"})

    def __init__(self) -> None:
        self.version = 1
        self._runs = Runs()
        self._totals = Totals()
        self._goals: dict[str, _Goal] = {}
        self._reached: list[tuple[str, Event | dict[str, Any]]] = []

    # -- what happens ------------------------------------------------------

    def take(self, notice: Notice, now: int) -> None:
        """Take in likes, follows, gifts, the room's totals, a new run."""
        if isinstance(notice.data, Event):
            # On the recording's clock: a rehearsal is played at any speed.
            if self._totals.take(notice.data, notice.data.received_at) and self._goals:
                self.version += 1
                self._look()
        elif self._runs.take(notice):
            self._totals = Totals()
            for goal in self._goals.values():
                goal.base, goal.is_reached = 0, False
            self.version += 1

    def tick(self, now: int) -> int | None:
        """Do nothing; nothing here is ever due."""
        return None

    def _value(self, goal: _Goal) -> int:
        return max(0, self._totals.grown(goal.kind) - goal.base)

    def _look(self) -> None:
        for goal in self._goals.values():
            if not goal.is_reached and self._value(goal) >= goal.target:
                goal.is_reached = True
                told = self._told(goal)
                del told["is_reached"]
                self._reached.append(("goal:reached", told))

    # -- what the operator asks --------------------------------------------

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        """
        Do what the operator asks.

        Raises:
            ShowError: It means nothing.
        """
        match action:
            case "goals.set":
                self._set(values)
            case "goals.remove":
                del self._goals[self._chosen(values).id]
            case "goals.reset":
                goal = self._chosen(values)
                goal.base, goal.is_reached = self._totals.grown(goal.kind), False
        self.version += 1

    def _chosen(self, values: Mapping[str, Any]) -> _Goal:
        goal = self._goals.get(read_text(values, "id"))
        if goal is None:
            raise ShowError("There is no such goal.", hint=f"There are: {', '.join(self._goals) or 'none'}.")
        return goal

    def _set(self, values: Mapping[str, Any]) -> None:
        """Set a goal anew, or change one: what it has reached stays, if it counts the same."""
        goal_id = read_text(values, "id", self._free_id())
        if not _ID.fullmatch(goal_id):
            raise ShowError("id must be a short name.", hint="Small letters, digits, - and _.")
        kind = read_choice(values, "kind", KINDS)
        title = read_text(values, "title", "", chars_max=TITLE_CHARS_MAX)
        target = read_whole(values, "target", 1, TARGET_MAX)
        goal = self._goals.get(goal_id)
        if goal is None and len(self._goals) >= GOALS_MAX:
            raise ShowError(f"There are {GOALS_MAX} goals already.", hint="Remove one first.")
        if goal is None or goal.kind != kind:
            goal = _Goal(goal_id, kind, title, target, base=self._totals.grown(kind))
            self._goals[goal_id] = goal
        goal.title, goal.target = title, target
        goal.is_reached = self._value(goal) >= target

    def _free_id(self) -> str:
        return next(name for n in range(1, GOALS_MAX + 2) if (name := f"g{n}") not in self._goals)

    # -- what is told and kept ---------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the goals in the order in which they were set."""
        return {"goals": [self._told(goal) for goal in self._goals.values()]}

    def _told(self, goal: _Goal) -> dict[str, Any]:
        return {
            "id": goal.id,
            "kind": goal.kind,
            "title": goal.title,
            "value": self._value(goal),
            "target": goal.target,
            "is_reached": goal.is_reached,
        }

    def outbox(self) -> Sequence[tuple[str, Event | dict[str, Any]]]:
        """Return the goals that were reached since the last time."""
        reached, self._reached = self._reached, []
        return reached

    def saved(self) -> dict[str, Any]:
        """Return goals and totals, for a live that goes on after a restart."""
        return {
            "recording": self._runs.recording,
            "totals": self._totals.saved(),
            "goals": [self._told(goal) | {"base": goal.base} for goal in self._goals.values()],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up what was saved; what cannot be read is left out."""
        recording, totals, rows = saved.get("recording"), saved.get("totals"), saved.get("goals")
        self._runs = Runs(recording if isinstance(recording, str) else "")
        if isinstance(totals, Mapping):
            self._totals.restore(totals)
        for row in rows[:GOALS_MAX] if isinstance(rows, list) else []:
            try:
                self._set(row)
                goal = self._goals[row["id"]]
                goal.base = read_whole(row, "base", 0, _NUMBER_MAX)
                goal.is_reached = row["is_reached"] is True
            except (ShowError, AttributeError, KeyError, TypeError):
                continue
        self.version += 1
