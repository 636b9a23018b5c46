"""
Plans nobody recorded: a made-up live, several lives at once, a live over and over.

    synthesise  the simulator's traffic: its presets are the presets of workloads too
    mix         several plans in one room
    repeated    a plan again and again, each round with ids and times of its own
    refreshed   a plan as if it happened now

See ``amplify`` for a larger audience and ``faulty`` for what goes wrong. All of them
are functions of their arguments: the same plan and seed give the same bytes.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import count

from toolkit.errors import ReplayError
from toolkit.model.frame import FrameKind, Message
from toolkit.model.plan import Break, DerivedPlan, Plan, PlannedFrame
from toolkit.replay.amplify import MESSAGES_PER_FRAME_MAX
from toolkit.simulator.profile import PRESETS, TrafficProfile
from toolkit.simulator.traffic import Traffic
from toolkit.wire.rewrite import ends_live, open_message, remap_ids, seal_message, shift_times

__all__ = ["STARTS_AT", "mix", "refreshed", "repeated", "synthesise"]

STARTS_AT = 1_767_225_600_000_000
"""When a made-up live began unless said otherwise: the same bytes on any day. 2026-01-01."""

_FIRST_LOG_ID = 7_400_000_000_000_000_000


def synthesise(
    preset: str | TrafficProfile, seed: int = 1, *, seconds: float, starts_at: int = STARTS_AT
) -> Plan:
    """
    Return a made-up live.

    Args:
        preset: A name of the simulator's list, or a room of your own.
        seed: The same seed has the same people and texts.
        seconds: Its length.
        starts_at: When it began, microseconds UTC.

    Raises:
        ReplayError: There is no such preset.
    """
    assert 0 < seconds < math.inf, seconds
    if isinstance(preset, str):
        if preset not in PRESETS:
            raise ReplayError(f"There is no preset {preset!r}.", hint=f"Choose one of {', '.join(PRESETS)}.")
        preset = PRESETS[preset]
    return _Synthesised(preset, seed, seconds, starts_at)


@dataclass(frozen=True, slots=True)
class _Synthesised:
    profile: TrafficProfile
    seed: int
    duration_s: float
    starts_at: int
    breaks: Sequence[Break] = ()

    @property
    def name(self) -> str:
        return f"{self.profile.name} seed {self.seed}"

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        traffic = Traffic(self.profile, self.seed, self.starts_at // 1000)
        numbers = count(1)
        while True:
            burst = traffic.next_burst()
            at_s = (burst.at_ms - traffic.start_ms) / 1000
            if at_s >= self.duration_s:
                return
            for start in range(0, len(burst.messages), MESSAGES_PER_FRAME_MAX):
                number = next(numbers)
                if at_s < from_s:
                    continue
                yield PlannedFrame(
                    at_s,
                    burst.at_ms * 1000,
                    FrameKind.PUSH,
                    "msg",
                    burst.messages[start : start + MESSAGES_PER_FRAME_MAX],
                    traffic.room_id,
                    1,
                    f"{burst.at_ms}_{number}_1_1_0_0",
                    number,
                    _FIRST_LOG_ID + number,
                )


def mix(plans: Sequence[Plan]) -> Plan:
    """
    Return several plans played at once, in one room.

    The first one leads: the room, the connections and the breaks are its own, and it
    ends with the longest. What the others would say in a break is never heard.

    Args:
        plans: At least one.
    """
    assert plans, "nothing to mix"
    return _Mixed(tuple(plans))


@dataclass(frozen=True, slots=True)
class _Mixed:
    plans: Sequence[Plan]

    @property
    def name(self) -> str:
        return " + ".join(plan.name for plan in self.plans)

    @property
    def duration_s(self) -> float:
        return max(plan.duration_s for plan in self.plans)

    @property
    def breaks(self) -> Sequence[Break]:
        return self.plans[0].breaks

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        leader, *others = self.plans
        last = next(iter(leader.frames()), None)
        sources = [_numbered(leader.frames(from_s), 0)]
        sources += [_numbered(plan.frames(from_s), number) for number, plan in enumerate(others, 1)]
        for frame, number in heapq.merge(*sources, key=lambda item: item[0].at_s):
            if number == 0:
                last = frame
                yield replace(frame, push_seq=0)
            elif last is None:
                yield replace(frame, push_seq=0)
            elif not any(b.from_s < frame.at_s < b.until_s for b in self.breaks):
                yield self._moved_in(frame, number, last)

    def _moved_in(self, frame: PlannedFrame, number: int, leader: PlannedFrame) -> PlannedFrame:
        """Return another plan's frame in the room of the first, at the leader's time of day."""
        starts_at = leader.occurred_at - round(leader.at_s * 1e6)
        occurred_at = starts_at + round(frame.at_s * 1e6)
        shift_ms = (occurred_at - frame.occurred_at) // 1000
        return replace(
            frame,
            messages=[_moved(m, shift_ms, f"mix:{number}", leader.room_id) for m in frame.messages],
            occurred_at=occurred_at,
            room_id=leader.room_id,
            segment_id=leader.segment_id,
            kind=FrameKind.PUSH,
            push_seq=0,
        )


def repeated(plan: Plan, rounds: int) -> Plan:
    """
    Return a plan again and again.

    From the second round on messages have ids of their own and later times: what has an
    id that was seen is a duplicate to every recorder. That the live has ended is said in
    the last round only: nobody would stay for another.

    Args:
        plan: What to repeat; not empty.
        rounds: How often.
    """
    assert rounds >= 1, rounds
    assert 0 < plan.duration_s < math.inf, plan.duration_s
    return _Repeated(plan, rounds)


@dataclass(frozen=True, slots=True)
class _Repeated:
    plan: Plan
    rounds: int

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def duration_s(self) -> float:
        return self.rounds * self.plan.duration_s

    @property
    def breaks(self) -> Sequence[Break]:
        starts = [number * self.plan.duration_s for number in range(self.rounds)]
        return [
            Break(at_s + b.from_s, at_s + b.until_s, b.cause) for at_s in starts for b in self.plan.breaks
        ]

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        for number in range(int(from_s // self.plan.duration_s), self.rounds):
            begins_s = number * self.plan.duration_s
            for frame in self.plan.frames(max(from_s - begins_s, 0.0)):
                yield self._of_round(frame, number, begins_s)

    def _of_round(self, frame: PlannedFrame, number: int, begins_s: float) -> PlannedFrame:
        if number < self.rounds - 1 and any(map(ends_live, frame.messages)):
            frame = replace(frame, messages=[m for m in frame.messages if not ends_live(m)])
        if number == 0:
            return frame
        salt, shift_ms = f"round:{number}", round(begins_s * 1000)
        return replace(
            frame,
            at_s=frame.at_s + begins_s,
            occurred_at=frame.occurred_at + shift_ms * 1000,
            messages=[_moved(message, shift_ms, salt) for message in frame.messages],
        )


def refreshed(plan: Plan, now_us: Callable[[], int], rate: float = 1.0) -> Plan:
    """
    Return a plan as if it happened now: today's times, ids nobody has seen.

    Args:
        plan: Any plan.
        now_us: The wall clock, microseconds UTC; asked when reading begins.
        rate: The speed at which it will be played.
    """
    return _Refreshed(plan, now_us, rate)


@dataclass(frozen=True, slots=True)
class _Refreshed(DerivedPlan):
    now_us: Callable[[], int]
    rate: float

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        begun_at = self.now_us()
        salt = f"fresh:{begun_at}"
        for frame in self.plan.frames(from_s):
            occurred_at = begun_at + round((frame.at_s - from_s) / self.rate * 1e6)
            shift_ms = (occurred_at - frame.occurred_at) // 1000
            messages = [_moved(message, shift_ms, salt) for message in frame.messages]
            yield replace(frame, occurred_at=occurred_at, messages=messages)


def _numbered(frames: Iterator[PlannedFrame], number: int) -> Iterator[tuple[PlannedFrame, int]]:
    return ((frame, number) for frame in frames)


def _moved(message: Message, shift_ms: int, salt: str, room_id: int = 0) -> Message:
    """Return a message at another time, under other ids; in another room unless that is 0."""
    parsed = open_message(message)
    if parsed is None:
        return message

    def renamed(number: int) -> int:
        digest = blake2b(f"{salt}:{number}".encode(), digest_size=8).digest()
        return (1 << 62) | (int.from_bytes(digest, "big") >> 2)

    shift_times(message.method, parsed, shift_ms)
    remap_ids(message.method, parsed, renamed)
    if room_id and parsed.common.room_id:
        parsed.common.room_id = room_id
    return seal_message(message, parsed, renamed(message.msg_id))
