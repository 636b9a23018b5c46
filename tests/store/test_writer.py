"""The writer: journaled before it returns, sealed only when the database says the same."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.waiting import WITHIN_S, wait_until
from toolkit.clock import ManualClock
from toolkit.errors import FolderNotWritable, RecordingError
from toolkit.model.event import Batch
from toolkit.model.frame import FrameKind, Message
from toolkit.model.recording import Cause
from toolkit.store.database import Database
from toolkit.store.journal import RecordType, read_journal
from toolkit.store.projector import Projector
from toolkit.store.sealing import seal_journal
from toolkit.store.sequencer import Sequencer
from toolkit.store.writer import RecordingWriter

Record = Callable[..., RecordingWriter]


def query(path: Path, sql: str) -> list[Any]:
    """Run SQL on a finished file, in a connection of the test's own."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_frame_is_in_the_journal_when_write_returns(tmp_path: Path, clock: ManualClock, make: Any) -> None:
    """Before anything else has seen it: this is what makes the acknowledgement honest."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(make.room)
    data = make.push([make.comment(1)])
    writer.write(FrameKind.PUSH, data)
    *_, last = read_journal(tmp_path / f"{writer.id}.journal")
    assert (last.type, last.payload) == (RecordType.FRAME, data)
    writer.abandon()


def test_a_sealed_recording_is_one_file_with_everything(tmp_path: Path, recorded: Record) -> None:
    """Messages, typed rows, viewers, segments, gaps, totals; and no journal any more."""
    writer = recorded(50, segments=2)
    report = writer.seal()
    assert [path.name for path in tmp_path.iterdir()] == [f"{writer.id}.duckdb"]
    assert (report.frames, report.messages, report.counts) == (10, 100, {"comment": 90, "gift": 10})
    assert not report.rebuilt
    assert report.problems == []
    assert query(writer.path, "SELECT count(*), min(seq), max(seq) FROM messages") == [(100, 1, 100)]
    assert query(writer.path, "SELECT count(*), count(DISTINCT user_id) FROM comments") == [(90, 9)]
    assert query(writer.path, "SELECT user_id, handle FROM users WHERE user_id = 3") == [(3, "viewer3")]
    assert query(writer.path, "SELECT segment_id, cause FROM segments ORDER BY 1") == [
        (1, "network"),
        (2, "stopped"),
    ]
    assert query(writer.path, "SELECT gap_id, cause, epoch(ended_at - started_at) FROM gaps") == [
        (1, "network", 30.0)
    ]
    meta = dict(query(writer.path, "FROM meta"))
    assert (meta["user"], meta["state"], meta["messages"]) == ("alice", "sealed", "100")
    assert {"toolkit_version", "tiktoklive_version", "schema_version", "format_version"} <= meta.keys()


def test_payloads_and_times_come_back_exactly(tmp_path: Path, clock: ManualClock, make: Any) -> None:
    """To the byte and to the microsecond."""
    clock.wall_us += 123_457
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock, extra={"note": "é"})
    writer.open_segment(make.room)
    message = make.comment(77, text="nul \0, emoji 🎉, rtl \u202e")
    writer.take(writer.write(FrameKind.PUSH, make.push([message], 5)))
    writer.seal()
    assert query(
        writer.path,
        "SELECT payload, msg_id, epoch_us(received_at), epoch_us(occurred_at), room_id FROM messages",
    ) == [(message.payload, 77, clock.now_us(), 1_700_000_000_077_000, make.room)]
    assert query(writer.path, "SELECT text FROM comments") == [("nul \0, emoji 🎉, rtl \u202e",)]
    assert query(writer.path, "SELECT push_seq, log_id, cursor, size > 0 FROM frames") == [(5, 5, "c5", True)]
    assert dict(query(writer.path, "FROM meta"))["note"] == "é"


def test_repeated_messages_are_counted_and_not_stored(tmp_path: Path, clock: ManualClock, make: Any) -> None:
    """TikTok replays the last six comments on every connect."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(make.room)
    first = writer.take(writer.write(FrameKind.PUSH, make.push([make.comment(i) for i in range(1, 7)])))
    again = writer.take(writer.write(FrameKind.PUSH, make.push([make.comment(i) for i in range(2, 8)])))
    assert [m.seq for m in first.messages + again.messages] == list(range(1, 8))
    assert again.duplicates == writer.counts().duplicates == 5
    report = writer.seal()
    assert (report.messages, report.duplicates) == (7, 5)
    assert query(writer.path, "SELECT sum(duplicates), sum(messages) FROM frames") == [(5, 7)]


def test_what_cannot_be_read_is_quarantined_and_kept(tmp_path: Path, clock: ManualClock, make: Any) -> None:
    """A broken frame and a broken message, between whole ones."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(make.room)
    broken = Message("WebcastChatMessage", 9, b"\xff\xff\xff")
    for data in (b"\x1f\x8bnot a frame", make.push([make.comment(1), broken, make.comment(2)]), b""):
        writer.take(writer.write(FrameKind.PUSH, data))
    report = writer.seal()
    assert (report.frames, report.messages, report.quarantined) == (3, 3, 2)
    assert query(writer.path, "SELECT frame_no, method FROM quarantine ORDER BY 1") == [
        (1, ""),
        (2, "WebcastChatMessage"),
    ]
    assert query(writer.path, "SELECT payload FROM messages WHERE msg_id = 9") == [(b"\xff\xff\xff",)]


def test_a_number_that_fits_no_column_does_not_stop_the_rest(
    tmp_path: Path, clock: ManualClock, make: Any
) -> None:
    """A goal whose parts add up beyond 64 bits: the nearest value is kept, and the raw bytes."""
    from toolkit.wire.schema import message_class

    goal = message_class("WebcastGoalUpdateMessage")()
    goal.common.msg_id = 5
    for _ in range(2):
        goal.goal.sub_goals.add(target=2**63 - 1)
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(make.room)
    hostile = Message("WebcastGoalUpdateMessage", 5, goal.SerializeToString())
    writer.take(writer.write(FrameKind.PUSH, make.push([make.comment(1), hostile, make.comment(2)])))
    report = writer.seal()
    assert (report.messages, report.counts) == (3, {"comment": 2, "goal": 1})
    assert query(writer.path, "SELECT target FROM goals") == [(2**63 - 1,)]


@pytest.mark.parametrize("sealed", [True, False])
def test_a_second_recording_in_the_same_second_gets_a_suffix(
    tmp_path: Path, clock: ManualClock, sealed: bool
) -> None:
    """Neither overwrites the other."""
    first = RecordingWriter.create(tmp_path, "alice", clock=clock)
    if sealed:
        first.seal()
    second = RecordingWriter.create(tmp_path, "alice", clock=clock)
    assert second.id == f"{first.id}-2"
    first.abandon()
    second.abandon()


def test_a_path_that_is_a_file_is_a_clear_error(tmp_path: Path, clock: ManualClock) -> None:
    """With the next step in the hint."""
    (tmp_path / "file").write_text("not a folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FolderNotWritable, match="cannot be written") as caught:
            RecordingWriter.create(folder, "alice", clock=clock)
        assert "--recordings" in caught.value.hint


_READ_ONLY = """
import os, sys
from pathlib import Path
from toolkit.clock import SystemClock
from toolkit.errors import FolderNotWritable
from toolkit.store.folder import RecordingsFolder
from toolkit.store.writer import RecordingWriter
os.chdir(sys.argv[1])
if os.getuid() == 0:
    os.setuid(65534)
folder = Path()
create = lambda: RecordingWriter.create(folder, "a", clock=SystemClock())
for attempt in (create, RecordingsFolder(folder).lock):
    try:
        attempt()
    except FolderNotWritable as error:
        print(error)
"""


def test_a_read_only_folder_is_a_clear_error(tmp_path: Path) -> None:
    """For the writer and for the owner's lock, as a user without special powers."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    done = subprocess.run(
        [sys.executable, "-c", _READ_ONLY, str(folder)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.count("cannot be written: Permission denied") == 2, done.stderr


_FULL_DISK = """
import os, resource, sys, time
from pathlib import Path
from toolkit.clock import SystemClock
from toolkit.errors import JournalNotWritten
from toolkit.model.frame import FrameKind, Message
from toolkit.store.writer import RecordingWriter
from toolkit.wire.encode import encode_fetch_result, encode_push_frame
from toolkit.wire.schema import message_class
writer = RecordingWriter.create(Path(sys.argv[1]), "alice", clock=SystemClock())
writer.open_segment(7)
acknowledged = 0
def record():
    global acknowledged
    chat = message_class("WebcastChatMessage")(content=os.urandom(10_000).hex())
    chat.common.msg_id = acknowledged + 1
    message = Message("WebcastChatMessage", acknowledged + 1, chat.SerializeToString())
    data = encode_push_frame(encode_fetch_result([message], cursor=""))
    frame = writer.write(FrameKind.PUSH, data)
    acknowledged += 1
    writer.take(frame)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
refused = 0
deadline = time.monotonic() + 30
while not (refused and writer.counts().lag.error):
    assert time.monotonic() < deadline, (refused, writer.counts())
    try:
        record()
    except JournalNotWritten:
        refused += 1
        time.sleep(0.01)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
record()
report = writer.seal()
print(report.messages == acknowledged, report.messages > 20, report.problems)
"""


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Journal and database both hit the limit; with space again, recording and sealing go on."""
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path)],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("True True"), (done.stdout, done.stderr)


def test_sealing_notices_a_database_that_was_tampered_with(recorded: Record, tmp_path: Path) -> None:
    """One changed byte in one payload: the database is moved aside and built again."""
    writer = recorded(50)
    writer.abandon()
    with duckdb.connect(str(writer.path)) as connection:
        connection.execute("UPDATE messages SET payload = payload || 'x'::BLOB WHERE seq = 17")
    report = seal_journal(tmp_path / f"{writer.id}.journal")
    assert report.rebuilt
    assert any("content_sha256" in problem for problem in report.problems)
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1
    assert query(writer.path, "SELECT count(*) FROM messages WHERE payload::VARCHAR LIKE '%x'") == [(0,)]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM messages WHERE seq = 3",
        "DELETE FROM comments WHERE seq = 3",
        "DELETE FROM frames WHERE frame_no = 2",
        "INSERT INTO messages SELECT * FROM messages WHERE seq = 4",
    ],
)
def test_sealing_notices_missing_and_doubled_rows(recorded: Record, tmp_path: Path, change: str) -> None:
    """Whatever table it is in."""
    writer = recorded(50)
    writer.abandon()
    with duckdb.connect(str(writer.path)) as connection:
        connection.execute(change)
    report = seal_journal(tmp_path / f"{writer.id}.journal")
    assert report.rebuilt
    assert query(writer.path, "SELECT count(*), sum(seq) FROM messages") == [(50, 1275)]
    assert query(writer.path, "SELECT count(*) FROM comments") == [(45,)]


def test_a_frame_that_was_never_taken_is_in_the_sealed_recording(
    tmp_path: Path, clock: ManualClock, make: Any
) -> None:
    """Acknowledged means recorded, even if the process stumbles right after."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(make.room)
    writer.write(FrameKind.PUSH, make.push([make.comment(1)]))
    assert writer.seal().messages == 1
    assert query(writer.path, "SELECT msg_id FROM comments") == [(1,)]


def batches(make: Any, n: int) -> list[Batch]:
    """Return the batches of n frames of one comment."""
    from toolkit.model.frame import Frame

    sequencer = Sequencer()
    return [
        sequencer.take(Frame(FrameKind.PUSH, make.push([make.comment(i)]), 1, i, i), make.room)
        for i in range(1, n + 1)
    ]


def test_a_failed_write_is_held_and_tried_again_without_doubling(tmp_path: Path, make: Any) -> None:
    """The database cannot be opened for a while; the lag says so, then everything arrives once."""
    path = tmp_path / "x.duckdb"
    attempts = []
    has_room = threading.Event()

    def open_database(target: Path) -> Database:
        attempts.append(target)
        if not has_room.is_set():
            raise RecordingError("no space left on device")
        return Database.open(target)

    projector = Projector(path, interval_s=0.01, retry_s=0.01, open_database=open_database)
    for batch in batches(make, 20):
        assert projector.offer(batch)
    assert projector.lag.batches == 20
    projector.start()
    wait_until(lambda: "no space left" in projector.lag.error and len(attempts) > 2)
    assert projector.lag.batches == 20
    has_room.set()
    wait_until(lambda: projector.lag.batches == 0)
    assert projector.lag.error == ""
    projector.stop()
    assert query(path, "SELECT count(*), max(frame_no) FROM frames") == [(20, 20)]
    assert query(path, "SELECT count(*), sum(seq) FROM messages") == [(20, 210)]


class _BreaksAfterWriting(Database):
    """A database whose connection dies just after a commit, as after a failed checkpoint."""

    def append(self, batches: Any) -> None:
        super().append(batches)
        self._connection.close()
        super().append(batches)


def test_a_database_that_dies_after_a_commit_gets_no_row_twice(tmp_path: Path, make: Any) -> None:
    """The rows were in although the write failed: the last frame's number tells."""
    path = tmp_path / "x.duckdb"
    opened: list[Database] = []
    is_known = threading.Event()

    def open_database(target: Path) -> Database:
        # The error is told until the next write has gone well.
        assert not opened or is_known.wait(WITHIN_S)
        opened.append(Database.open(target) if opened else _BreaksAfterWriting.open(target))
        return opened[-1]

    projector = Projector(path, interval_s=0.01, retry_s=0.01, open_database=open_database)
    given = batches(make, 30)
    for batch in given[:10]:
        projector.offer(batch)
    projector.start()
    wait_until(lambda: projector.lag.error != "")
    is_known.set()
    for batch in given[10:]:
        projector.offer(batch)
    wait_until(lambda: projector.lag.batches == 0)
    projector.stop()
    assert query(path, "SELECT count(*), sum(seq) FROM messages") == [(30, 465)]


def test_a_full_queue_never_blocks_and_sealing_brings_in_the_rest(
    tmp_path: Path, clock: ManualClock, make: Any
) -> None:
    """The projector gives up, keeps a whole prefix, and says so."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer._projector.stop()
    writer._projector = Projector(writer.path, queue_messages_max=5, interval_s=3600)
    writer._projector.start()
    writer.open_segment(make.room)
    for i in range(1, 21):
        writer.take(writer.write(FrameKind.PUSH, make.push([make.comment(i)])))
    assert writer.counts().lag.gave_up
    assert writer.counts().messages == 20
    report = writer.seal()
    assert (report.messages, report.caught_up_frames, report.rebuilt) == (20, 15, False)


def test_a_seal_that_fails_leaves_the_journal_for_the_next_start(tmp_path: Path, recorded: Record) -> None:
    """Here the place of the database is taken by a folder."""
    writer = recorded(20)
    writer._projector.stop()
    writer.path.unlink()
    writer.path.mkdir()
    (tmp_path / f"{writer.id}.duckdb.new").mkdir()
    with pytest.raises(RecordingError, match="could not be sealed"):
        writer.seal()
    (tmp_path / f"{writer.id}.duckdb.new").rmdir()
    assert seal_journal(tmp_path / f"{writer.id}.journal").messages == 20
    assert Cause.PROCESS_DIED.value not in str(query(writer.path, "FROM segments"))
