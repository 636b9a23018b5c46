"""
Frames and messages: what came over the wire, before anybody interprets it.

A *frame* is one push of TikTok's WebSocket (a ``WebcastPushFrame``, usually
gzipped, 4 to 35 messages in a busy room), or the answer of the signing service
that opens a connection (a bare fetch result). A *message* is one typed payload
inside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

__all__ = ["DecodedFrame", "Frame", "FrameKind", "Message", "Quarantined"]


class FrameKind(IntEnum):
    """What the bytes of a frame are. The values are stored: never renumber."""

    PUSH = 1
    """A WebcastPushFrame, as the WebSocket delivered it."""
    FETCH = 2
    """A bare fetch result: the signing service's answer that opens a connection."""
    SKIPPED = 3
    """Size and hash of a frame that was too large to be kept."""


@dataclass(frozen=True, slots=True)
class Frame:
    """
    Bytes as pushed, with the two clocks at which they reached us.

    Attributes:
        kind: What the bytes are.
        data: The bytes, untouched.
        segment_id: The connected stretch it belongs to, 1-based within a recording.
        received_at: Our wall clock, microseconds since 1970 UTC.
        received_mono_ns: Our monotonic clock, nanoseconds; comparable within one segment only.
    """

    kind: FrameKind
    data: bytes
    segment_id: int
    received_at: int
    received_mono_ns: int


# Not frozen, though nobody changes one: a frozen dataclass costs three times as much
# to make, and this one is made for every message.
@dataclass(slots=True, unsafe_hash=True)
class Message:
    """
    One typed payload inside a frame, not yet interpreted. Treat it as a value.

    Attributes:
        method: TikTok's name of the type, such as ``WebcastChatMessage``.
        msg_id: TikTok's id. Identity only: not a clock, and the same id can
            appear in several rooms. 0 where TikTok gives none.
        payload: The message's own protobuf bytes, untouched.
        is_history: TikTok marked it as a replay of something sent earlier.
    """

    method: str
    msg_id: int
    payload: bytes
    is_history: bool = False


@dataclass(frozen=True, slots=True)
class Quarantined:
    """
    Bytes that could not be read, and why. The bytes stay in the journal.

    Attributes:
        reason: A short fixed word for counting: ``gzip``, ``oversize``, ``wire``, ``payload``.
        detail: One sentence for a person.
        method: The message's type when only a message is damaged; empty for a whole frame.
        sha256: Hash of the damaged bytes, hexadecimal.
        size: Length of the damaged bytes.
    """

    reason: str
    detail: str
    method: str
    sha256: str
    size: int


@dataclass(slots=True)
class DecodedFrame:
    """
    A frame taken apart, its messages still raw.

    Attributes:
        payload_type: ``msg`` carries messages; ``hb``, ``ack``, ``im_enter_room_resp`` do not.
        push_seq: TikTok's own count of frames on this connection (1, 2, 3 ...); 0 when absent.
        log_id: What an acknowledgement must name.
        cursor: TikTok's position, changes with every frame.
        internal_ext: What an acknowledgement must carry.
        need_ack: Whether TikTok wants an acknowledgement.
        messages: In the order they were sent.
        quarantined: What could not be read in this frame.
    """

    payload_type: str = "msg"
    push_seq: int = 0
    log_id: int = 0
    cursor: str = ""
    internal_ext: str = ""
    need_ack: bool = False
    messages: list[Message] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
