"""
Faults at work: which frame, which answer and which handshake meets one.

The simulator asks here before it writes or answers anything. Without faults every
frame goes out unaltered and at once. Not thread-safe: it lives in the simulator's loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from toolkit.clock import Clock
from toolkit.model.frame import Message
from toolkit.simulator.damage import (
    DAMAGES,
    Cut,
    Delivery,
    Draft,
    Outbound,
    without_comments,
    without_streak_ends,
)
from toolkit.simulator.fault_plan import FaultPlan
from toolkit.simulator.faults import FOREVER, Area, Fault

__all__ = ["Injector"]

_ARMED_AREAS = frozenset({Area.FRAME, Area.STREAM, Area.HANDSHAKE, Area.SIGN, Area.PAGE})
HELD_MAX = 10_000
"""Messages and frames kept back per connection; more are sent at once."""


@dataclass(slots=True)
class _Armed:
    """A fault that waits for what it happens to; ``left`` and ``until_s`` say how long."""

    fault: Fault
    left: int | None = None
    until_s: float | None = None


@dataclass(slots=True)
class _Held:
    """What faults keep back on one connection until later frames."""

    reordered: list[Delivery] = field(default_factory=list)
    repeated: list[Message] = field(default_factory=list)
    late: list[tuple[int, Message]] = field(default_factory=list)


class Injector:
    """
    Decides what goes wrong.

    Attributes:
        plan: What was planned.
        on_due: Called with a fault of the plan that waited for a frame.
        frames: Frames with messages so far, over all connections.
        thrown: Every fault so far that somebody or the plan let happen, oldest first.
    """

    def __init__(self, plan: FaultPlan, clock: Clock) -> None:
        self.plan = plan
        self.on_due: Callable[[Fault], None] = self.arm
        self.frames = 0
        self.thrown: list[Fault] = []
        self._clock = clock
        self._rng = Random(f"damage:{plan.seed}")
        self._counted = plan.counted()
        self._armed: list[_Armed] = []
        self._held: dict[int, _Held] = {}

    def arm(self, fault: Fault) -> None:
        """Let a fault happen to the next frames or answers."""
        assert fault.area in _ARMED_AREAS, fault.kind
        armed = _Armed(fault)
        if fault.area is Area.STREAM:
            seconds = fault.number("seconds")
            armed.until_s = None if seconds == FOREVER else self._now_s() + seconds
        else:
            armed.left = fault.whole("count") or None
        self._armed.append(armed)

    def clear(self) -> int:
        """Forget every fault that still waits or lasts; return how many."""
        number = len(self._armed)
        self._armed.clear()
        return number

    def forget(self, connection_id: int) -> None:
        """Drop what was held back for a connection that is gone."""
        self._held.pop(connection_id, None)

    def state(self) -> dict[str, Any]:
        """Return what waits or lasts, and what there was, as JSON."""
        self._expire()
        return {
            "armed": [{**armed.fault.as_json(), "left": armed.left} for armed in self._armed],
            "thrown": [fault.as_json() for fault in self.thrown],
            "planned": [planned.as_json() for planned in self.plan.planned],
            "frames": self.frames,
        }

    def take(self, area: Area, where: str = "") -> Fault | None:
        """
        Return the fault that an answer or a handshake meets; None for none.

        Args:
            area: What is answered.
            where: With a page: ``pages`` or ``alive``.
        """
        for armed in self._armed:
            fault = armed.fault
            wanted = fault.parameters.get("where", "all") if area is Area.PAGE else "all"
            if fault.area is area and wanted in ("all", where):
                self._spend(armed)
                return fault
        return None

    def steps(self, frame: Outbound) -> Sequence[Delivery | Cut]:
        """Return what to write instead of a frame, in order."""
        if frame.payload_type != "msg":
            return (Delivery(frame.data(frame.body), frame.log_id),)
        self.frames += 1
        for fault in self._counted.pop(self.frames, ()):
            self.on_due(fault)
        if not self._armed and frame.connection_id not in self._held:
            return (Delivery(frame.data(frame.body), frame.log_id),)
        self._expire()
        return self._altered(frame)

    def _altered(self, frame: Outbound) -> Sequence[Delivery | Cut]:
        held = self._held.setdefault(frame.connection_id, _Held())
        draft = Draft(frame, frame.messages)
        faults = {
            armed.fault.kind: armed
            for armed in reversed(self._armed)
            if armed.fault.area in (Area.FRAME, Area.STREAM)
        }
        if "mute" in faults:
            return ()
        self._give_back(draft, held)
        self._withhold(draft, held, faults)
        for kind, damage in DAMAGES.items():
            if kind in faults:
                damage(draft, faults[kind].fault, self._rng)
                draft.faults.append(kind)
                self._spend(faults[kind])
        waiting, held.reordered = held.reordered, []
        deliveries = draft.deliveries()
        if "reorder" in faults and deliveries:
            self._spend(faults["reorder"])
            held.reordered = deliveries
            return waiting
        if not (held.reordered or held.repeated or held.late):
            self.forget(frame.connection_id)
        # A frame that was held back comes after the one that overtook it.
        return _with_cuts([*deliveries, *waiting])

    def _give_back(self, draft: Draft, held: _Held) -> None:
        """Add what earlier frames owe: repeated messages, late ends of streaks."""
        if held.repeated:
            draft.messages = [*held.repeated, *draft.messages]
            draft.faults.append("repeat")
            held.repeated = []
        due = [message for left, message in held.late if left <= 1]
        if due:
            draft.messages = [*draft.messages, *due]
            draft.faults.append("late-end")
        held.late = [(left - 1, message) for left, message in held.late if left > 1]

    def _withhold(self, draft: Draft, held: _Held, faults: dict[str, _Armed]) -> None:
        if "joins-only" in faults:
            draft.messages = without_comments(draft.messages)
            draft.faults.append("joins-only")
        for kind in ("no-end", "late-end"):
            if kind not in faults:
                continue
            rest, ends = without_streak_ends(draft.messages)
            if not ends:
                continue
            self._spend(faults[kind])
            draft.messages = rest
            draft.faults.append(kind)
            if kind == "late-end" and len(held.late) < HELD_MAX:
                frames = faults[kind].fault.whole("frames")
                held.late += [(frames, message) for message in ends]
        if "repeat" in faults and len(held.repeated) < HELD_MAX:
            self._spend(faults["repeat"])
            held.repeated = list(draft.frame.messages)

    def _spend(self, armed: _Armed) -> None:
        if armed.left is None:
            return
        armed.left -= 1
        if armed.left == 0:
            self._armed.remove(armed)

    def _expire(self) -> None:
        now_s = self._now_s()
        self._armed = [a for a in self._armed if a.until_s is None or a.until_s > now_s]

    def _now_s(self) -> float:
        return self._clock.mono_ns() / 1e9


def _with_cuts(deliveries: Sequence[Delivery]) -> list[Delivery | Cut]:
    steps: list[Delivery | Cut] = []
    for delivery in deliveries:
        steps.append(delivery)
        if delivery.share < 1:
            steps.append(Cut())
    return steps
