"""Numbers for messages: each once, in order of arrival, the same whenever they are given again."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.model.event import Batch
from toolkit.model.frame import DecodedFrame, Frame, FrameKind, Message
from toolkit.store import sequencer as module
from toolkit.store.sequencer import Sequencer
from toolkit.wire.decode import decode_frame


def take(
    sequencer: Sequencer, data: bytes, *, segment_id: int = 1, room_id: int = 7, at: int = 1_000
) -> Batch:
    """Hand in a frame of bytes."""
    return sequencer.take(Frame(FrameKind.PUSH, data, segment_id, at, 5), room_id)


def of(*messages: Message) -> DecodedFrame:
    """Return a frame taken apart already."""
    return DecodedFrame(messages=list(messages))


def numbers(sequencer: Sequencer, *messages: Message, room_id: int = 7) -> list[int]:
    """Hand in messages; return the numbers of those that are new."""
    frame = Frame(FrameKind.PUSH, b"", 1, 1_000, 5)
    return [m.seq for m in sequencer.take(frame, room_id, of(*messages)).messages]


def unknown(msg_id: int, method: str = "WebcastOfTomorrow") -> Message:
    """Return a message of a type nobody knows: the room is the connection's."""
    return Message(method, msg_id, b"")


def test_a_batch_says_everything_about_its_frame(make: Any) -> None:
    """Number, segment, both clocks, kind, and what TikTok wrote on the envelope."""
    sequencer, data = Sequencer(), make.push([make.comment(1), make.gift(2)], 44)
    take(sequencer, make.push([]))
    batch = take(sequencer, data, segment_id=3, at=2_000)
    seen = decode_frame(data, FrameKind.PUSH)
    assert (batch.frame_no, batch.segment_id, batch.received_at, batch.received_mono_ns) == (2, 3, 2_000, 5)
    assert (batch.kind, batch.size, batch.payload_type) == (1, len(data), "msg")
    assert (batch.push_seq, batch.log_id, batch.cursor) == (seen.push_seq, seen.log_id, seen.cursor) == (
        44, 44, "c44"
    )  # fmt: skip
    first, second = batch.messages
    assert (first.seq, first.frame_no, first.segment_id, first.room_id) == (1, 2, 3, make.room)
    assert (first.msg_id, first.received_at, first.message.method) == (1, 2_000, "WebcastChatMessage")
    assert first.occurred_at == 1_700_000_000_001_000
    assert second.seq == 2
    assert [(event.kind, event.seq) for event in batch.events] == [("comment", 1), ("gift", 2)]


def test_numbers_begin_where_they_are_told() -> None:
    """A replay from the middle numbers as the recording did."""
    sequencer = Sequencer(frame_no=9, seq=100)
    frame = Frame(FrameKind.PUSH, b"", 1, 1_000, 5)
    batch = sequencer.take(frame, 7, of(unknown(1)))
    assert (batch.frame_no, batch.messages[0].seq) == (9, 100)


def test_what_is_there_already_is_counted_and_takes_no_number() -> None:
    """Within a frame and from frame to frame."""
    sequencer = Sequencer()
    assert numbers(sequencer, unknown(1), unknown(1), unknown(2)) == [1, 2]
    frame = Frame(FrameKind.PUSH, b"", 1, 1_000, 5)
    batch = sequencer.take(frame, 7, of(unknown(2), unknown(1), unknown(3)))
    assert (batch.duplicates, [m.seq for m in batch.messages]) == (2, [3])


def test_an_id_counts_per_room_and_per_type() -> None:
    """Some messages share one id across rooms, others across types."""
    sequencer = Sequencer()
    assert numbers(sequencer, unknown(1), unknown(1, "Another")) == [1, 2]
    assert numbers(sequencer, unknown(1), room_id=8) == [3]
    assert numbers(sequencer, unknown(1), room_id=8) == []


def test_the_room_that_a_message_names_wins_over_the_connections(make: Any) -> None:
    """So a segment whose beginning is lost still tells replays."""
    sequencer = Sequencer()
    frame = Frame(FrameKind.PUSH, b"", 1, 1_000, 5)
    first = sequencer.take(frame, 0, of(make.comment(1)))
    again = sequencer.take(frame, 12, of(make.comment(1)))
    assert (first.messages[0].room_id, again.duplicates) == (make.room, 1)


def test_comments_that_a_new_connection_repeats_are_marked(make: Any) -> None:
    """By the time they were said: a minute of delays of one second, then one of half a minute ago."""
    sequencer = Sequencer()

    def said(second: int, *, arrives: int, segment_id: int) -> Any:
        at = 1_700_000_000_000_000 + arrives * 1_000_000
        frame = Frame(FrameKind.PUSH, b"", segment_id, at, 5)
        return sequencer.take(frame, 7, of(make.comment(second * 1000))).events[0]

    assert not any(said(n, arrives=n + 1, segment_id=1).is_history for n in range(1, 60))
    assert said(70, arrives=101, segment_id=2).is_history
    assert not said(100, arrives=101, segment_id=2).is_history


def test_messages_without_an_id_are_all_kept() -> None:
    """Nothing tells two of them apart from one that came twice."""
    assert numbers(Sequencer(), unknown(0), unknown(0)) == [1, 2]


def test_frames_of_a_recording_are_numbered_as_they_were() -> None:
    """What was a duplicate is not in it any more; what looks like one was none."""
    sequencer = Sequencer(keep_all=True)
    assert numbers(sequencer, unknown(1), unknown(1)) == [1, 2]


def test_ids_are_remembered_for_one_to_two_generations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded memory: with three to a generation, at least the last three are known."""
    monkeypatch.setattr(module, "_GENERATION_IDS_MAX", 3)
    sequencer = Sequencer()
    for number in range(1, 5):
        assert numbers(sequencer, unknown(number)) == [number]
    assert numbers(sequencer, *map(unknown, range(1, 5))) == [], "two generations are kept"
    assert numbers(sequencer, unknown(5), unknown(6)) == [5, 6]
    assert numbers(sequencer, unknown(1), unknown(6)) == [], "the third generation begins with the next"
    assert numbers(sequencer, unknown(7)) == [7]
    assert numbers(sequencer, unknown(1)) == [8], "forgotten with the first generation"
    assert numbers(sequencer, *map(unknown, (4, 5, 6, 7))) == []


def test_what_cannot_be_read_is_kept_raw_and_quarantined_once(make: Any) -> None:
    """A damaged message has its number; a damaged frame has its place."""
    sequencer = Sequencer()
    frame = Frame(FrameKind.PUSH, b"", 1, 1_000, 5)
    batch = sequencer.take(frame, 7, of(Message("WebcastChatMessage", 5, b"\xff"), make.comment(6)))
    assert [m.seq for m in batch.messages] == [1, 2]
    assert [q.method for q in batch.quarantined] == ["WebcastChatMessage"]
    assert [event.seq for event in batch.events] == [2]
    broken = take(sequencer, b"\x1f\x8b no frame")
    assert (broken.frame_no, broken.messages, len(broken.quarantined)) == (2, [], 1)
    assert broken.quarantined[0].method == ""
