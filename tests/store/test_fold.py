"""A journal told from the beginning: what each record adds, whatever is missing or odd."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.model.frame import FrameKind
from toolkit.model.recording import Cause
from toolkit.store.fold import JournalFold, watched_until
from toolkit.store.journal import JournalWriter, RecordType

YEAR_2100_US = 4_102_444_800_000_000

Said = dict[str, Any] | bytes
Tell = Callable[..., JournalFold]


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """Return what writes records ``(type, segment, time, what it says)`` and folds them."""

    def fold(*records: tuple[int, int, int, Said], kind: int = FrameKind.PUSH) -> JournalFold:
        path = tmp_path / "x.journal"
        path.unlink(missing_ok=True)
        writer = JournalWriter(path)
        for record_type, segment_id, at, said in records:
            payload = said if isinstance(said, bytes) else json.dumps(said).encode()
            is_frame = record_type == RecordType.FRAME
            writer.append(
                record_type, payload, segment_id=segment_id, received_at=at, mono_ns=7, kind=is_frame * kind
            )
        writer.close()
        told = JournalFold(path)
        told.frames = list(told.batches())
        return told

    return fold


def header(at: int = 1_000, **said: Any) -> tuple[int, int, int, Said]:
    """Return a recording's first record."""
    return RecordType.HEADER, 0, at, {"user": "alice"} | said


def opened(segment_id: int, at: int, **said: Any) -> tuple[int, int, int, Said]:
    """Return the record that opens a segment."""
    return RecordType.SEGMENT_OPENED, segment_id, at, {"room_id": 7_001} | said


def closed(segment_id: int, at: int, cause: object = "network") -> tuple[int, int, int, Said]:
    """Return the record that closes a segment."""
    return RecordType.SEGMENT_CLOSED, segment_id, at, {"cause": cause}


def frame(segment_id: int, at: int, data: bytes) -> tuple[int, int, int, Said]:
    """Return the record of a frame."""
    return RecordType.FRAME, segment_id, at, data


def test_a_recording_in_order_is_told_in_order(tell: Tell, make: Any) -> None:
    """Header, segments with room and attempts, frames, times, totals."""
    one, two = make.push([make.comment(1), make.comment(2)]), make.push([make.comment(2), make.gift(3)])
    told = tell(
        header(1_000, version=3),
        opened(1, 2_000), frame(1, 3_000, one), closed(1, 4_000),
        opened(2, 9_000, attempts=3), frame(2, 9_500, two), closed(2, 9_900, "stopped"),
    )  # fmt: skip
    assert told.header == {"user": "alice", "version": "3"}
    assert (told.first_at, told.last_at) == (1_000, 9_900)
    assert [(b.frame_no, b.segment_id, b.received_at, len(b.messages)) for b in told.frames] == [
        (1, 1, 3_000, 2),
        (2, 2, 9_500, 1),
    ]
    assert all(message.room_id == 7_001 for batch in told.frames for message in batch.messages)
    totals = told.totals
    assert (totals.frames, totals.messages, totals.duplicates) == (2, 3, 1)
    assert totals.counts == {"comment": 2, "gift": 1}
    first, second = told.segments(is_live=False)
    assert (first.segment_id, first.room_id, first.attempts, first.started_at) == (1, 7_001, 0, 2_000)
    assert (first.cause, first.ended_at, first.noticed_at) == (Cause.NETWORK, 3_000, 4_000)
    assert (second.attempts, second.cause, second.ended_at) == (3, Cause.STOPPED, 9_900)
    (gap,) = told.gaps(is_live=False)
    assert (gap.started_at, gap.ended_at, gap.cause, gap.attempts) == (3_000, 9_000, Cause.NETWORK, 3)


def test_who_died_while_connected_ended_with_the_last_frame(tell: Tell, make: Any) -> None:
    """A living recorder's last segment is open; an earlier one without an end lost that record."""
    data = make.push([make.comment(1)])
    told = tell(header(), opened(1, 2_000), frame(1, 3_000, data), opened(2, 5_000), frame(2, 6_000, data))
    assert [(s.cause, s.ended_at) for s in told.segments(is_live=False)] == [
        (Cause.INTERNAL, 3_000),
        (Cause.PROCESS_DIED, 6_000),
    ]
    assert [(s.cause, s.ended_at) for s in told.segments(is_live=True)] == [
        (Cause.INTERNAL, 3_000),
        (None, None),
    ]
    assert len(told.gaps(is_live=True)) == 1
    assert len(told.gaps(is_live=False)) == 2
    assert (told.ended_at(is_live=False), told.ended_at(is_live=True)) == (6_000, None)


def test_a_live_that_is_connected_has_not_ended(tell: Tell, make: Any) -> None:
    """Nor has one that has no connection yet; until when it was waited for before says nothing."""
    assert tell(header()).ended_at(is_live=True) is None
    waited = (RecordType.NOTE, 0, 5_500, {"watched_until": 9_000})
    told = tell(header(), opened(1, 5_000), waited, frame(1, 6_000, make.push([make.comment(1)])))
    assert told.ended_at(is_live=True) is None


def test_a_gap_at_the_end_ends_when_its_recorder_stopped_waiting(tell: Tell, make: Any) -> None:
    """Without a word of it, or with one of before it, nobody knows when."""
    lost = (header(), opened(1, 2_000), frame(1, 3_000, make.push([make.comment(1)])), closed(1, 4_000))
    for said, ended_at in (({"watched_until": 9_000}, 9_000), ({"watched_until": 2_500}, None), ({}, None)):
        told = tell(*lost, (RecordType.NOTE, 0, 8_000, said))
        (gap,) = told.gaps(is_live=False)
        assert (gap.started_at, gap.ended_at, gap.cause) == (3_000, ended_at, Cause.NETWORK)


def test_segments_are_told_in_the_order_of_their_numbers(tell: Tell, make: Any) -> None:
    """One whose beginning is lost is known by its frames, whatever stands before them."""
    told = tell(header(), opened(2, 5_000), frame(1, 6_000, make.push([make.comment(1)])))
    assert [s.segment_id for s in told.segments(is_live=False)] == [1, 2]


def test_a_segment_without_frames_ended_when_it_began(tell: Tell) -> None:
    """Nothing was observed in it."""
    told = tell(header(), opened(1, 2_000), opened(2, 5_000))
    assert [(s.cause, s.ended_at) for s in told.segments(is_live=False)] == [
        (Cause.INTERNAL, 2_000),
        (Cause.PROCESS_DIED, 5_000),
    ]


def test_frames_whose_segments_beginning_is_lost_open_one(tell: Tell, make: Any) -> None:
    """From the first of them on; its messages name their room themselves."""
    data = [make.push([make.comment(i)]) for i in (1, 2)]
    told = tell(header(), frame(3, 3_000, data[0]), frame(3, 4_000, data[1]), closed(3, 5_000))
    (segment,) = told.segments(is_live=True)
    assert (segment.segment_id, segment.room_id, segment.started_at) == (3, 0, 3_000)
    assert (segment.ended_at, segment.cause) == (4_000, Cause.NETWORK)
    assert [m.room_id for batch in told.frames for m in batch.messages] == [make.room] * 2


def test_the_end_of_a_segment_nobody_knows_is_left_out(tell: Tell) -> None:
    """Its beginning and its frames are lost: there is nothing to end."""
    told = tell(header(), closed(9, 5_000))
    assert told.segments(is_live=False) == []
    assert told.last_at == 5_000


@pytest.mark.parametrize(
    ("cause", "read"),
    [
        ("silence", Cause.SILENCE),
        ("of a later version", Cause.INTERNAL),
        (None, Cause.INTERNAL),
        ([], Cause.INTERNAL),
    ],
)
def test_a_cause_nobody_knows_is_ours(tell: Tell, cause: object, read: Cause) -> None:
    """It is a cause all the same, and the segment has ended."""
    (segment,) = tell(header(), opened(1, 2_000), closed(1, 4_000, cause)).segments(is_live=True)
    assert (segment.cause, segment.noticed_at) == (read, 4_000)


@pytest.mark.parametrize("at", [0, -1, 4_100_000_000_000_000, YEAR_2100_US, 2**62])
def test_a_time_that_makes_no_sense_is_taken_for_the_one_before(tell: Tell, make: Any, at: int) -> None:
    """Damage that happens to have a checksum does not stretch a recording over a century."""
    told = tell(header(), opened(1, 2_000), frame(1, at, make.push([make.comment(1)])))
    assert (told.first_at, told.last_at) == (1_000, 2_000)
    assert told.frames[0].received_at == 2_000


def test_a_record_without_a_time_moves_none(tell: Tell) -> None:
    """The first that has one is the beginning; a clock set back does not move the end."""
    nothing = tell(header(0))
    assert (nothing.first_at, nothing.last_at) == (0, 0)
    assert tell(header(1)).first_at == 1
    told = tell(header(0), opened(1, 5_000), closed(1, 3_000))
    assert (told.first_at, told.last_at) == (5_000, 5_000)


def test_notes_add_to_the_header_and_the_last_one_wins(tell: Tell) -> None:
    """They cannot take the place of what the recorder said first, and carry no time."""
    note = RecordType.NOTE
    told = tell(
        header(), (note, 0, 90_000, {"user": "mallory", "title": "one"}), (note, 0, 0, {"title": 2}),
        opened(1, 2_000),
    )  # fmt: skip
    assert told.header == {"user": "alice", "note_user": "mallory", "note_title": "2"}
    assert (told.last_at, len(told.segments(is_live=True))) == (2_000, 1)


@pytest.mark.parametrize("said", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000, b'"x"', b"null"])
def test_records_that_say_nonsense_say_nothing(tell: Tell, said: bytes) -> None:
    """The segment is there, its room unknown; nothing raises."""
    told = tell(
        (RecordType.HEADER, 0, 1_000, said),
        (RecordType.NOTE, 0, 0, said),
        (RecordType.SEGMENT_OPENED, 1, 2_000, said),
        (RecordType.SEGMENT_CLOSED, 1, 3_000, said),
    )
    assert told.header == {}
    (segment,) = told.segments(is_live=False)
    assert (segment.room_id, segment.attempts, segment.cause) == (0, 0, Cause.INTERNAL)


@pytest.mark.parametrize(
    ("said", "room_id", "attempts"),
    [
        ({"room_id": 2**63 - 1, "attempts": 1_000_000}, 2**63 - 1, 1_000_000),
        ({"room_id": 2**63, "attempts": 1_000_001}, 0, 1_000_000),
        ({"room_id": -(2**63), "attempts": -1}, 0, 0),
        ({"room_id": "7", "attempts": 1.5}, 0, 0),
        ({"room_id": None, "attempts": "3"}, 0, 0),
    ],
)
def test_numbers_that_fit_no_column_are_left_out(
    tell: Tell, said: dict[str, Any], room_id: int, attempts: int
) -> None:
    """Otherwise the recording could not be sealed."""
    (segment,) = tell((RecordType.SEGMENT_OPENED, 1, 2_000, said)).segments(is_live=True)
    assert (segment.room_id, segment.attempts) == (room_id, attempts)


def test_a_frame_kind_of_a_later_version_is_read_as_a_push(tell: Tell, make: Any) -> None:
    """Its bytes are in the journal whatever it was."""
    (batch,) = tell(opened(1, 1), frame(1, 2, make.push([make.comment(1)])), kind=200).frames
    assert (batch.kind, len(batch.messages)) == (FrameKind.PUSH, 1)
    (batch,) = tell(opened(1, 1), frame(1, 2, b""), kind=FrameKind.FETCH).frames
    assert (batch.kind, batch.messages) == (FrameKind.FETCH, [])


def test_a_fold_goes_on_where_it_stopped(tmp_path: Path, make: Any) -> None:
    """A notebook that follows a live recording reads each frame once."""
    writer = JournalWriter(tmp_path / "x.journal")
    writer.append(RecordType.SEGMENT_OPENED, b'{"room_id": 7001}', segment_id=1, received_at=5)
    told = JournalFold(tmp_path / "x.journal")
    for number in (1, 2, 3):
        data = make.push([make.comment(number)])
        writer.append(RecordType.FRAME, data, segment_id=1, received_at=number * 10, kind=1)
        (batch,) = told.batches()
        assert (batch.frame_no, told.totals.messages) == (number, number)
    writer.close()
    assert list(told.batches()) == []


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("1700000000000000", 1_700_000_000_000_000),
        ("4099999999999999", 4_099_999_999_999_999),
        ("4100000000000000", None),
        ("00001700000000000000", 1_700_000_000_000_000),
        ("000001700000000000000", None),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("٣", None),
        ("0" * 5_000, None),
        ("0" * 19 + "1" * 30, None),
    ],
)
def test_when_a_recorder_stopped_waiting_is_a_time_or_nothing(text: str, until: int | None) -> None:
    """A note is text of any length; only a time of ours is one."""
    assert watched_until({"note_watched_until": text}) == until
    assert watched_until({}) is None
