"""
A plan in which things go wrong: the fault plan that the simulator carries out, at the tap.

Here are the faults of frames: damage, repetition, disorder, silence. What happens to a
connection, a page or the signing service needs a connection, pages and a signing
service: ``toolkit simulate --recording X --faults FILE``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from toolkit.errors import SettingsError
from toolkit.model.frame import FrameKind, Message
from toolkit.model.plan import DerivedPlan, Plan, PlannedFrame
from toolkit.replay.priming import Charted, Mendable
from toolkit.replay.tap import PlanClock
from toolkit.replay.timeline import Timeline
from toolkit.simulator.broadcast import encode_body
from toolkit.simulator.damage import Delivery, Outbound
from toolkit.simulator.fault_plan import FaultPlan
from toolkit.simulator.faults import Area
from toolkit.simulator.injector import Injector
from toolkit.wire.decode import decode_frame

__all__ = ["check", "with_faults"]

_ONLY_ON_A_WIRE = frozenset({"slow-drip", "half-frame"})
"""Faults of frames that are about how the bytes travel."""


def check(faults: FaultPlan) -> None:
    """
    Refuse what cannot happen here.

    Raises:
        SettingsError: One sentence for each fault that needs a wire.
    """
    problems = [
        f"fault {number}, {planned.fault.kind}: it needs a connection; use `toolkit simulate --recording`"
        for number, planned in enumerate(faults.planned, 1)
        if planned.fault.area not in (Area.FRAME, Area.STREAM) or planned.fault.kind in _ONLY_ON_A_WIRE
    ]
    if problems:
        raise SettingsError(problems)


def with_faults(plan: Plan, faults: FaultPlan, seed: int | None = None) -> Plan:
    """
    Return a plan whose frames meet faults; times and counts are the plan's own.

    Where it is played from the middle, all before it is read, so that what happens there
    is the same.

    Args:
        plan: What things go wrong with.
        faults: What, and when.
        seed: The dice of the faults, in place of those that ``faults`` names.

    Raises:
        SettingsError: One sentence for each fault that cannot happen here.
    """
    check(faults)
    faults = faults if seed is None else replace(faults, seed=seed)
    if isinstance(plan, Charted) and isinstance(plan, Mendable):
        return _FaultyRecording(plan, faults)
    return _Faulty(plan, faults)


@dataclass(frozen=True, slots=True)
class _Faulty(DerivedPlan):
    """See :func:`with_faults`."""

    faults: FaultPlan

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        clock = PlanClock()
        injector = Injector(self.faults, clock)
        timed = self.faults.timed()
        segment_id = 0
        for number, frame in enumerate(self.plan.frames(), 1):
            if frame.segment_id != segment_id:
                # What one connection held back never comes on another.
                injector.forget(segment_id)
                segment_id = frame.segment_id
            while timed and timed[0][0] <= frame.at_s:
                injector.arm(timed.pop(0)[1])
            clock.move_to(frame.at_s)
            for met in _meet(injector, frame, number):
                if met.at_s >= from_s:
                    yield met


@dataclass(frozen=True, slots=True)
class _FaultyRecording(_Faulty):
    """A recording can be drawn, and its gaps cut, whatever goes wrong with its frames."""

    def timeline(self, buckets: int) -> Timeline:
        """Return it as it was recorded."""
        assert isinstance(self.plan, Charted)
        return self.plan.timeline(buckets)

    def mended(self, heals_gaps: bool) -> _FaultyRecording:
        """Return the same, and the same faults, with gaps cut to nothing, or as they were."""
        assert isinstance(self.plan, Mendable)
        return _FaultyRecording(self.plan.mended(heals_gaps), self.faults)

    def place_like(self, other: Plan, at_s: float) -> float:
        """Return where this is what ``other``, of the same frames, is at ``at_s``."""
        assert isinstance(self.plan, Mendable) and isinstance(other, _FaultyRecording)
        return self.plan.place_like(other.plan, at_s)


def _meet(injector: Injector, frame: PlannedFrame, number: int) -> Iterator[PlannedFrame]:
    """Yield what comes in place of a frame."""
    if frame.kind is not FrameKind.PUSH or frame.payload_type != "msg":
        yield frame
        return

    def encoded(messages: Sequence[Message]) -> bytes:
        return encode_body(messages, number, frame.occurred_at // 1000)

    outbound = Outbound(
        frame.segment_id,
        "msg",
        frame.push_seq,
        frame.log_id or number,
        frame.messages,
        encoded(frame.messages),
        encoded,
    )
    for step in injector.steps(outbound):
        assert isinstance(step, Delivery), "cuts were refused"
        if not step.faults and step.log_id == outbound.log_id:
            yield frame
            continue
        decoded = decode_frame(step.data)
        yield replace(
            frame,
            messages=decoded.messages,
            cursor=decoded.cursor,
            push_seq=decoded.push_seq,
            log_id=decoded.log_id,
            data=step.data,
        )
