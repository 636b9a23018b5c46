"""Whether a journal without a recorder may be continued: how it ends decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.store.journal import JournalReader, JournalWriter, RecordType
from toolkit.store.resuming import RESUME_WITHIN_US, LastStretch, last_stretch

TEN_MINUTES_US = 600_000_000
HOUR_US = 3_600_000_000
HEADER, OPENED, FRAME, CLOSED, NOTE = (
    RecordType.HEADER,
    RecordType.SEGMENT_OPENED,
    RecordType.FRAME,
    RecordType.SEGMENT_CLOSED,
    RecordType.NOTE,
)


def ending(path: Path, *records: tuple[int, int, Any]) -> LastStretch:
    """Write records ``(type, time, what it says)`` and return how they end."""
    writer = JournalWriter(path / "x.journal")
    for record_type, at, said in records:
        payload = said if isinstance(said, bytes) else json.dumps(said).encode()
        writer.append(record_type, payload, received_at=at)
    writer.close()
    return last_stretch(path / "x.journal")


def test_a_recorder_that_died_left_its_last_frame(tmp_path: Path) -> None:
    """User, room, when, and no cause."""
    end = ending(
        tmp_path, (HEADER, 1, {"user": "alice"}), (OPENED, 2, {"room_id": 7}), (FRAME, 30, b"x"),
        (FRAME, 40, b"y"),
    )  # fmt: skip
    assert (end.user, end.room_id, end.last_at, end.cause) == ("alice", 7, 40, "")


def test_a_segment_that_was_closed_left_its_cause_and_not_its_time(tmp_path: Path) -> None:
    """The last frame is the last that was heard: the wait for the network is not."""
    end = ending(
        tmp_path, (HEADER, 1, {"user": "alice"}), (OPENED, 2, {"room_id": 7}), (FRAME, 30, b"x"),
        (CLOSED, 90, {"cause": "network"}), (NOTE, 95, {"room_id": 9, "user": "bob"}),
    )  # fmt: skip
    assert (end.user, end.room_id, end.last_at, end.cause) == ("alice", 7, 30, "network")
    assert end.facts == {"user": "alice", "note_room_id": "9", "note_user": "bob"}
    assert (end.id, end.segment_id, end.started_at, end.frames) == ("x", 0, 2, 1)


def test_a_segment_that_was_opened_again_has_no_cause(tmp_path: Path) -> None:
    """It is the last one that counts, its room and its beginning."""
    end = ending(
        tmp_path, (HEADER, 1, {"user": "alice"}), (OPENED, 2, {"room_id": 7}),
        (CLOSED, 3, {"cause": "stopped"}), (OPENED, 50, {"room_id": 8}),
    )  # fmt: skip
    assert (end.room_id, end.last_at, end.cause) == (8, 50, "")


def test_a_recorder_that_died_before_a_connection_left_only_its_beginning(tmp_path: Path) -> None:
    """There is no room to go on with."""
    end = ending(tmp_path, (HEADER, 5, {"user": "alice"}))
    assert (end.user, end.room_id, end.last_at, end.cause) == ("alice", 0, 5, "")
    assert (end.segment_id, end.started_at, end.frames) == (0, 0, 0)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[7]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        {"room_id": "0" * 5_000},
        {"room_id": "9" * 20},
        {"user": 3},
    ],
)
def test_records_that_say_nonsense_allow_nothing(tmp_path: Path, said: Any) -> None:
    """Damage or a stranger's file: no room, so no continuation, and nothing raises."""
    end = ending(tmp_path, (HEADER, 5, said), (OPENED, 6, said), (CLOSED, 7, said))
    assert end.room_id == 0
    assert not end.continues(end.user, None, 7)


def test_the_last_segment_is_the_highest_that_any_record_names(tmp_path: Path) -> None:
    """Its beginning may be lost: its frames name it too."""
    writer = JournalWriter(tmp_path / "x.journal")
    for record_type, segment_id in ((OPENED, 1), (FRAME, 1), (FRAME, 3), (FRAME, 2)):
        writer.append(record_type, b'{"room_id": 7}', segment_id=segment_id)
    writer.close()
    assert last_stretch(tmp_path / "x.journal").segment_id == 3


def test_a_room_has_up_to_nineteen_digits(tmp_path: Path) -> None:
    """As TikTok's have; the largest number that fits a column has as many."""
    room_id = 7_300_000_000_000_000_001
    assert ending(tmp_path, (OPENED, 2, {"room_id": room_id})).room_id == room_id


def test_a_segment_is_the_last_one_before_it_has_a_frame(tmp_path: Path) -> None:
    """Its recorder died with the connection just made."""
    writer = JournalWriter(tmp_path / "x.journal")
    for record_type, segment_id in ((OPENED, 1), (FRAME, 1), (CLOSED, 1), (OPENED, 2)):
        writer.append(record_type, b'{"room_id": 7}', segment_id=segment_id)
    writer.close()
    assert last_stretch(tmp_path / "x.journal").segment_id == 2


@pytest.mark.parametrize(
    ("said", "set_s"),
    [("", 0.0), ("x", 0.0), ("-3600.5", -3600.5), ("999999999", 999_999_999.0), ("1e9", 0.0), ("-1e9", 0.0)],
)
def test_a_clock_that_was_set_by_more_than_thirty_years_was_not_set(said: str, set_s: float) -> None:
    """That is damage or nonsense, and no recording goes on because of it."""
    assert stretch(facts={"note_clock_set_s": said}).clock_set_s == set_s


def test_a_recorder_that_had_stopped_waiting_is_over_until_it_connects_again(tmp_path: Path) -> None:
    """It was about to seal; a connection after that is news."""
    records = [
        (HEADER, 1, {"user": "alice"}), (OPENED, 2, {"room_id": 7}), (CLOSED, 3, {"cause": "network"}),
        (NOTE, 4, {"title": "x"}), (NOTE, 5, {"watched_until": 9}),
    ]  # fmt: skip
    end = ending(tmp_path, *records)
    assert end.is_over
    assert not end.is_fresh(2)
    (tmp_path / "x.journal").unlink()
    assert not ending(tmp_path, *records[:4]).is_over
    (tmp_path / "x.journal").unlink()
    noted = ending(tmp_path, *records, (NOTE, 6, {"title": "y"}))
    assert (noted.is_over, noted.facts["note_title"]) == (True, "y"), "a later note is no connection"
    (tmp_path / "x.journal").unlink()
    again = ending(tmp_path, *records, (OPENED, 10, {"room_id": 8}), (FRAME, 12, b"x"))
    assert (again.is_over, again.is_fresh(12), again.started_at, again.frames) == (False, True, 10, 1)


def stretch(**fields: Any) -> LastStretch:
    """Return the end of a recording of alice in room 7, a frame at one hour."""
    reader = JournalReader(Path("x.journal"))
    return LastStretch(reader, **({"facts": {"user": "alice"}, "room_id": 7, "last_at": HOUR_US} | fields))


@pytest.mark.parametrize(
    ("end", "user", "room_id", "later_us", "continues"),
    [
        (stretch(), "alice", 7, 0, True),
        (stretch(), "alice", None, 0, True),
        (stretch(), "alice", 8, 0, False),
        (stretch(), "bob", 7, 0, False),
        (stretch(), "alice", 7, TEN_MINUTES_US, True),
        (stretch(), "alice", 7, TEN_MINUTES_US + 1, False),
        (stretch(), "alice", 7, -TEN_MINUTES_US, True),
        (stretch(), "alice", 7, -TEN_MINUTES_US - 1, False),
        (stretch(room_id=0), "alice", None, 0, False),
        (stretch(room_id=0), "alice", 0, 0, False),
        (stretch(room_id=1), "alice", 1, 0, True),
        (stretch(cause="network"), "alice", 7, 0, True),
        (stretch(cause="process_died"), "alice", 7, 0, True),
        (stretch(cause="live_ended"), "alice", 7, 0, False),
        (stretch(cause="stopped"), "alice", 7, 0, False),
        (stretch(is_over=True), "alice", 7, 0, False),
    ],
)
def test_same_user_same_room_soon_and_not_ended(
    end: LastStretch, user: str, room_id: int | None, later_us: int, continues: bool
) -> None:
    """Everything else is a recording of its own. An unknown room may be the same."""
    assert RESUME_WITHIN_US == TEN_MINUTES_US
    assert end.continues(user, room_id, end.last_at + later_us) is continues
