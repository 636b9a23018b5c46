"""A sealed recording told frame by frame, as its replay and its rebuild need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from toolkit.model.frame import FrameKind, Message
from toolkit.store.account import segments_of
from toolkit.store.database import Database

__all__ = ["RecordedFrame", "first_message", "recorded_frames"]

_FRAME_KINDS = frozenset(FrameKind)


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """
    A frame as a sealed recording keeps it: taken apart, its messages raw.

    Attributes:
        frame_no: Position in the recording, 1-based.
        segment_id: The connected stretch it came in.
        room_id: The room that segment was connected to.
        received_at: Our wall clock, microseconds UTC.
        received_mono_ns: Our monotonic clock; comparable within one segment only.
        kind: Pushed, or the answer that opened the connection.
        payload_type: ``msg`` carries messages; others do not.
        messages: Its new messages, in order. Repetitions were not kept.
        push_seq: TikTok's count of frames on this connection.
        log_id: What the acknowledgement named.
        cursor: TikTok's position.
        size: Bytes as pushed.
        duplicates: Messages that were left out.
    """

    frame_no: int
    segment_id: int
    room_id: int
    received_at: int
    received_mono_ns: int
    kind: FrameKind
    payload_type: str
    messages: list[Message]
    push_seq: int
    log_id: int
    cursor: str
    size: int
    duplicates: int


def recorded_frames(database: Database, first_frame: int = 1) -> Iterator[RecordedFrame]:
    """Yield the frames in order, from number ``first_frame`` on, a bounded number in memory."""
    rooms = {segment.segment_id: segment.room_id for segment in segments_of(database)}
    messages = groupby(
        database.in_order(
            "messages",
            "seq",
            "frame_no, method, msg_id, payload, is_history",
            start=first_message(database, first_frame),
        ),
        key=lambda row: row[0],
    )
    waiting = next(messages, None)
    frames = database.in_order(
        "frames",
        "frame_no",
        "frame_no, segment_id, epoch_us(received_at), received_mono_ns, kind, payload_type,"
        " push_seq, log_id, cursor, size, duplicates",
        start=first_frame,
    )
    for frame_no, segment_id, at, mono_ns, kind, payload_type, *rest in frames:
        mine: list[Message] = []
        if waiting is not None and waiting[0] == frame_no:
            mine = [_message(row) for row in waiting[1]]
            waiting = next(messages, None)
        push_seq, log_id, cursor, size, duplicates = rest
        yield RecordedFrame(
            frame_no,
            segment_id,
            rooms.get(segment_id, 0),
            at,
            mono_ns,
            FrameKind(kind) if kind in _FRAME_KINDS else FrameKind.PUSH,
            payload_type,
            mine,
            push_seq,
            log_id,
            cursor,
            size,
            duplicates,
        )


def first_message(database: Database, frame_no: int) -> int:
    """Return the number of the first message in a frame or behind it; one past the last if none is."""
    (found,) = database.rows("SELECT min(seq) FROM messages WHERE frame_no >= ?", [frame_no])
    if found[0] is None:
        (found,) = database.rows("SELECT coalesce(max(seq), 0) + 1 FROM messages")
    return int(found[0])


def _message(row: tuple[Any, ...]) -> Message:
    _, method, msg_id, payload, is_history = row
    return Message(method, msg_id, payload, is_history)
