"""Sealing: what the file says of itself, what a report tells, what happens when it cannot be done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from toolkit.clock import ManualClock
from toolkit.errors import NotARecording, RecordingError
from toolkit.model.frame import FrameKind, Message
from toolkit.model.recording import Cause
from toolkit.store import sealing
from toolkit.store.fold import JournalFold
from toolkit.store.journal import JournalWriter, RecordType
from toolkit.store.rows import iso_time
from toolkit.store.sealing import (
    SealReport,
    fresh_beside,
    move_aside,
    read_back,
    seal_journal,
    sync_folder,
)
from toolkit.store.writer import RecordingWriter
from toolkit.wire.schema import message_class

Record = Callable[..., RecordingWriter]


def query(path: Path, sql: str) -> list[Any]:
    """Run SQL on a finished file, in a connection of the test's own."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def meta(path: Path) -> dict[str, str]:
    """Return what a sealed file says of itself."""
    return dict(query(path, "SELECT key, value FROM meta"))


def folded(journal: Path) -> JournalFold:
    """Return a journal told to its end."""
    fold = JournalFold(journal)
    for _ in fold.batches():
        pass
    return fold


def test_a_sealed_file_says_what_it_is_and_holds(recorded: Record, clock: ManualClock) -> None:
    """When it began and ended, what is in it, a hash of every byte, and that nothing was lost."""
    began = clock.now_us()
    writer = recorded(50)
    last_frame_at = clock.now_us()
    clock.advance(3)
    writer.close_segment(Cause.LIVE_ENDED)
    writer.abandon()
    journal = writer.path.with_suffix(".journal")
    totals = folded(journal).totals
    report = seal_journal(journal)
    said = meta(writer.path)
    assert said["recording_id"] == writer.id
    assert (said["user"], said["state"]) == ("alice", "sealed")
    assert said["started_at"] == iso_time(began)
    assert said["ended_at"] == iso_time(clock.now_us()) > iso_time(last_frame_at)
    assert [said[key] for key in ("frames", "messages", "duplicates", "quarantined")] == ["5", "50", "0", "0"]
    assert said["content_sha256"] == totals.content_sha256
    assert (said["journal_damaged_ranges"], said["journal_records_lost"]) == ("0", "0")
    assert said["format_version"].isdecimal()
    assert said["duckdb_version"].strip("v")[0].isdecimal()
    assert (report.id, report.path, report.sealed, report.rebuilt) == (writer.id, writer.path, True, False)
    assert (report.frames, report.messages, report.duplicates, report.quarantined) == (5, 50, 0, 0)
    assert report.counts == {"comment": 45, "gift": 5}
    assert 0 < report.size_bytes == writer.path.stat().st_size
    assert not journal.exists()


def test_a_recorder_that_waited_in_vain_says_until_when(recorded: Record, clock: ManualClock) -> None:
    """The recording ends when nobody waited any longer, not with its last frame."""
    writer = recorded(20)
    writer.close_segment(Cause.NETWORK)
    clock.advance(40)
    writer.seal()
    assert meta(writer.path)["ended_at"] == iso_time(clock.now_us())


def test_a_recording_without_a_connection_is_as_long_as_its_header(
    tmp_path: Path, clock: ManualClock
) -> None:
    """It was there, and held nothing."""
    journal = tmp_path / "x.journal"
    writer = JournalWriter(journal)
    writer.append(RecordType.HEADER, b'{"user": "alice"}', received_at=1_700_000_000_000_000)
    writer.close()
    report = seal_journal(journal)
    said = meta(report.path)
    assert said["started_at"] == said["ended_at"] == iso_time(1_700_000_000_000_000)
    assert (report.frames, report.counts, report.rebuilt) == (0, {}, False)


def test_a_streak_that_ran_when_the_recording_ended_is_settled(
    tmp_path: Path, clock: ManualClock, make: Any
) -> None:
    """Nothing in a sealed file is provisional."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(make.room)
    streak = message_class("WebcastGiftMessage").FromString(make.gift(1).payload)
    streak.repeat_end, streak.repeat_count, streak.group_id = 0, 4, 99
    streak.gift.type = 1
    data = make.push([Message("WebcastGiftMessage", 1, streak.SerializeToString())])
    writer.take(writer.write(FrameKind.PUSH, data))
    writer.seal()
    assert query(writer.path, "SELECT state, count FROM gift_ledger") == [("settled", 4)]


def test_damage_of_the_journal_is_told_and_counted(recorded: Record) -> None:
    """How many bytes, how many records, and in the file as well."""
    writer = recorded(50)
    writer.abandon()
    writer.path.unlink()
    journal = writer.path.with_suffix(".journal")
    whole = journal.read_bytes()
    ends = _record_ends(whole)
    third, fourth = ends[2], ends[3]
    journal.write_bytes(whole[: third + 10] + b"\xff" * 4 + whole[third + 14 :] + whole[third : third + 30])
    report = seal_journal(journal)
    assert report.problems == [
        f"journal damaged from byte {third} to {fourth}",
        "1 records of the journal are lost",
        "the journal's last 30 bytes were never finished",
    ]
    assert report.caught_up_frames == report.frames == 4
    said = meta(report.path)
    assert (said["journal_damaged_ranges"], said["journal_records_lost"]) == ("1", "1")
    outcome = f"{report.id}: 4 frames, 40 messages"
    assert report.lines() == [outcome, *(f"  {problem}" for problem in report.problems)]
    assert str(report) == f"{outcome}: {'; '.join(report.problems)}"


def _record_ends(whole: bytes) -> list[int]:
    """Return where each record of a journal ends."""
    ends, position = [], 16
    while position < len(whole):
        position += 8 + int.from_bytes(whole[position : position + 4], "little")
        ends.append(position)
    return ends


def test_a_report_is_one_line_for_a_log_and_data_for_a_program(tmp_path: Path) -> None:
    """Sealed, built again, or not sealed and why."""
    report = SealReport("a-1", tmp_path / "a-1.duckdb", frames=3, messages=9, counts={"comment": 9})
    assert str(report) == "a-1: 3 frames, 9 messages"
    assert report.lines() == ["a-1: 3 frames, 9 messages"]
    assert json.loads(json.dumps(report.as_dict())) == {
        "id": "a-1",
        "path": str(tmp_path / "a-1.duckdb"),
        "frames": 3,
        "messages": 9,
        "counts": {"comment": 9},
        "duplicates": 0,
        "quarantined": 0,
        "caught_up_frames": 0,
        "rebuilt": False,
        "problems": [],
        "size_bytes": 0,
        "sealed": True,
    }
    assert str(SealReport("a-1", tmp_path, rebuilt=True)) == "a-1: 0 frames, 0 messages, rebuilt"
    failed = SealReport("a-1", tmp_path, problems=["the disk is full", "no more"], sealed=False)
    assert str(failed) == "a-1: not sealed: the disk is full; no more"
    assert failed.lines()[1:] == ["  the disk is full", "  no more"]


def test_what_cannot_be_sealed_says_so_in_one_sentence(tmp_path: Path) -> None:
    """And what to do; the cause is kept for whoever looks for it."""
    with pytest.raises(RecordingError, match=r"gone could not be sealed: .*No such file") as failed:
        seal_journal(tmp_path / "gone.journal")
    assert "Free space on the disk" in failed.value.hint
    assert isinstance(failed.value.__cause__, OSError)
    assert "\n" not in str(failed.value)


def test_sealing_anew_builds_from_the_journal_and_keeps_what_was_there(recorded: Record) -> None:
    """Even if the database would do; the old one is moved aside, not deleted."""
    writer = recorded(30)
    writer.abandon()
    report = seal_journal(writer.path.with_suffix(".journal"), anew=True)
    assert (report.rebuilt, report.problems, report.caught_up_frames) == (True, [], 3)
    (aside,) = writer.path.parent.glob("*.damaged-*")
    assert aside.name.startswith(writer.path.name)
    assert query(writer.path, "SELECT count(*) FROM messages") == [(30,)]
    assert not list(writer.path.parent.glob("*.new*"))


def test_a_half_built_database_of_a_killed_sealing_is_not_built_upon(recorded: Record) -> None:
    """Nor its write-ahead log."""
    writer = recorded(30)
    writer.abandon()
    writer.path.unlink()
    for ending in (".new", ".new.wal"):
        writer.path.with_name(writer.path.name + ending).write_bytes(b"half" * 5000)
    report = seal_journal(writer.path.with_suffix(".journal"))
    assert (report.messages, report.rebuilt, report.problems) == (30, False, [])
    assert [path.name for path in writer.path.parent.iterdir()] == [writer.path.name]


def test_a_recorder_that_died_left_a_segment_that_ended_so(recorded: Record, clock: ManualClock) -> None:
    """With its last frame; nothing in a sealed file is open."""
    writer = recorded(20)
    last_frame_at = clock.now_us()
    writer.abandon()
    seal_journal(writer.path.with_suffix(".journal"))
    assert query(writer.path, "SELECT cause, epoch_us(ended_at) FROM segments") == [
        ("process_died", last_frame_at)
    ]


def test_a_database_that_does_not_open_is_told_moved_aside_and_built_again(recorded: Record) -> None:
    """The journal has everything; the report says what was wrong."""
    writer = recorded(20)
    writer.abandon()
    writer.path.write_bytes(b"not a database" * 1000)
    report = seal_journal(writer.path.with_suffix(".journal"))
    assert (report.rebuilt, report.messages, report.caught_up_frames) == (True, 20, 2)
    (problem,) = report.problems
    assert problem.startswith("the database did not open: ")
    assert len(list(writer.path.parent.glob("*.damaged-*"))) == 1


def test_a_database_that_differs_is_told_moved_aside_and_built_again(recorded: Record) -> None:
    """Every byte of it is compared, whoever changed it."""
    writer = recorded(20)
    writer.abandon()
    with duckdb.connect(str(writer.path)) as connection:
        connection.execute("UPDATE messages SET payload = 'x' WHERE seq = 3")
    report = seal_journal(writer.path.with_suffix(".journal"))
    assert report.rebuilt
    assert [problem for problem in report.problems if "journal and database differ in" in problem]
    assert query(writer.path, "SELECT count(*) FROM messages WHERE payload = 'x'") == [(0,)]


def test_a_half_built_database_is_cleared_away_when_the_old_one_does(recorded: Record) -> None:
    """Sealing anew was killed, and is not needed any more."""
    writer = recorded(30)
    writer.abandon()
    half = fresh_beside(writer.path)
    half.write_bytes(b"half" * 5000)
    report = seal_journal(writer.path.with_suffix(".journal"))
    assert (report.rebuilt, report.problems) == (False, [])
    assert [path.name for path in writer.path.parent.iterdir()] == [writer.path.name]


def test_a_database_is_moved_aside_together_with_its_log(tmp_path: Path) -> None:
    """Left behind, the log would be taken for that of the next database."""
    path = tmp_path / "x.duckdb"
    assert move_aside(path) is None
    path.write_bytes(b"database")
    log = tmp_path / "x.duckdb.wal"
    log.write_bytes(b"log")
    moved = move_aside(path)
    assert moved is not None
    assert moved.read_bytes() == b"database"
    assert moved.name.startswith("x.duckdb.damaged-20")
    (moved_log,) = tmp_path.glob("x.duckdb.wal.damaged-*")
    assert moved_log.read_bytes() == b"log"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_no_database_cannot_be_read_back(tmp_path: Path, recorded: Record) -> None:
    """Not a file of ours, or one whose tables are not there."""
    path = tmp_path / "x.duckdb"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(RecordingError):
        read_back(path)
    writer = recorded(10)
    writer.seal()
    with duckdb.connect(str(writer.path)) as connection:
        connection.execute("DROP TABLE messages")
    with pytest.raises(NotARecording) as failed:
        read_back(writer.path)
    assert writer.path.stem in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_recorder_that_died_while_it_was_cut_off_ends_with_its_last_frame(
    recorded: Record, clock: ManualClock
) -> None:
    """Not when the cut was noticed, nor when the file was sealed: nothing was observed by then."""
    writer = recorded(20)
    last_frame_at = clock.now_us()
    clock.advance(45)
    writer.close_segment(Cause.NETWORK)
    writer.abandon()
    seal_journal(writer.path.with_suffix(".journal"))
    assert meta(writer.path)["ended_at"] == iso_time(last_frame_at)


def test_a_log_without_its_database_is_moved_aside(recorded: Record) -> None:
    """A database opened beside it would swallow it; nothing is deleted that was not read back."""
    writer = recorded(20)
    writer.abandon()
    writer.path.unlink()
    writer.path.with_name(writer.path.name + ".wal").write_bytes(b"log" * 100)
    report = seal_journal(writer.path.with_suffix(".journal"))
    assert (report.rebuilt, report.problems, report.caught_up_frames) == (False, [], 2)
    (aside,) = writer.path.parent.glob("*.wal.damaged-*")
    assert aside.read_bytes() == b"log" * 100


def test_a_journal_whose_beginning_is_damaged_is_sealed_with_the_rest(recorded: Record) -> None:
    """Its first bytes and its first record are gone: all the others say what they said."""
    writer = recorded(20)
    writer.abandon()
    journal = writer.path.with_suffix(".journal")
    whole = journal.read_bytes()
    journal.write_bytes(b"????" + whole[4:30] + b"\xff\xff" + whole[32:])
    report = seal_journal(journal)
    assert (report.sealed, report.frames, report.messages) == (True, 2, 20)
    assert report.problems[0].startswith("journal damaged from byte 0 to ")
    # The record that says whose it is is lost: the file's own name says it.
    assert meta(writer.path)["recording_id"] == writer.id


def test_making_a_folder_last_leaves_nothing_open(tmp_path: Path) -> None:
    """A recorder that runs for weeks seals many recordings."""
    numbers = []
    for _ in range(20):
        sync_folder(tmp_path)
        with (tmp_path / "x").open("w") as file:
            numbers.append(file.fileno())
    assert max(numbers) < min(numbers) + 10


def test_an_error_without_a_word_is_told_by_its_name() -> None:
    """Of one with many, the first line will do."""
    assert sealing._first_line(MemoryError()) == "MemoryError"
    assert sealing._first_line(ValueError("one\ntwo")) == "one"
