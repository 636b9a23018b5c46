"""What tests of plans look at: plans that a test wrote, and what a plan comes down to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from toolkit.model.frame import Message
from toolkit.model.plan import Break, Plan, PlannedFrame
from toolkit.wire.rewrite import open_message

COMMENT, GIFT, LIKE = "WebcastChatMessage", "WebcastGiftMessage", "WebcastLikeMessage"
VIEWERS = "WebcastRoomUserSeqMessage"


@dataclass
class Scripted:
    """A plan that a test wrote."""

    script: Sequence[PlannedFrame]
    breaks: Sequence[Break] = ()
    name: str = "scripted"
    duration_s: float = 10.0

    def frames(self, from_s: float = 0.0) -> Iterator[PlannedFrame]:
        """Yield the frames."""
        yield from (frame for frame in self.script if frame.at_s >= from_s)


def messages(plan: Plan, method: str = "") -> list[Message]:
    """Return the messages of a plan, in order; of one type if it is named."""
    return [m for frame in plan.frames() for m in frame.messages if not method or m.method == method]


def parsed(plan: Plan, method: str) -> list:
    """Return the messages of one type, taken apart."""
    return [open_message(message) for message in messages(plan, method)]


def digest(frames: Iterable[PlannedFrame]) -> str:
    """Return a hash over all that frames say."""
    total = hashlib.sha256()
    for f in frames:
        head = (round(f.at_s, 6), f.occurred_at, f.kind, f.payload_type, f.room_id, f.segment_id, f.cursor)
        total.update(repr((head, f.push_seq, f.log_id, f.data, list(f.messages))).encode())
    return total.hexdigest()
