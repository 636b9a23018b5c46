"""The folder: one owner, killed recordings healed, nothing lost, strangers refused."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from toolkit.clock import ManualClock
from toolkit.errors import FolderNotWritable, NotARecording, RecordingBusy, RecordingNotFound
from toolkit.model.frame import FrameKind
from toolkit.store.fold import JournalFold
from toolkit.store.folder import RecordingsFolder
from toolkit.store.journal import JournalWriter, RecordType
from toolkit.store.reader import open_recording
from toolkit.store.writer import RecordingWriter

Record = Callable[..., RecordingWriter]

KILL_CYCLES = int(os.environ.get("TOOLKIT_KILL_CYCLES", "8"))
"""How often the recorder is killed; raise it for a long run."""

_RECORDER = """
import os, sys
from pathlib import Path
from toolkit.clock import SystemClock
from toolkit.model.frame import FrameKind, Message
from toolkit.store.writer import RecordingWriter
from toolkit.wire.encode import encode_fetch_result, encode_push_frame
from toolkit.wire.schema import message_class
writer = RecordingWriter.create(Path(sys.argv[1]), "alice", clock=SystemClock())
writer.open_segment(7)
msg_id = 0
while True:
    messages = []
    for _ in range(5):
        msg_id += 1
        chat = message_class("WebcastChatMessage")(content=f"comment {msg_id}")
        chat.common.msg_id = msg_id
        chat.user.id = msg_id % 50 + 1
        messages.append(Message("WebcastChatMessage", msg_id, chat.SerializeToString()))
    data = encode_push_frame(encode_fetch_result(messages, cursor=str(msg_id)), seq_id=msg_id // 5)
    frame = writer.write(FrameKind.PUSH, data)
    os.write(1, b"%d\\n" % msg_id)  # acknowledged: may not be lost any more
    writer.take(frame)
"""


def query(path: Path, sql: str) -> list[Any]:
    """Run SQL on a finished file, in a connection of the test's own."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("cycle", range(KILL_CYCLES))
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, cycle: int) -> None:
    """Killed at a random moment: every acknowledged message is there once, and counts agree."""
    delay_s = random.Random(cycle).uniform(0.0, 0.6)
    recorder = subprocess.Popen([sys.executable, "-c", _RECORDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert recorder.stdout is not None
    first = recorder.stdout.readline()
    time.sleep(delay_s)  # the random moment itself, not a wait for something
    recorder.send_signal(signal.SIGKILL)
    acknowledged = [int(line) for line in (first + recorder.stdout.read()).split(b"\n")[:-1]][-1]
    recorder.wait()
    recorder.stdout.close()

    folder = RecordingsFolder(tmp_path)
    (listed,) = folder.list()
    assert listed["state"] == "interrupted"
    fold = JournalFold(tmp_path / f"{listed['id']}.journal")
    assert sum(len(batch.messages) for batch in fold.batches()) >= acknowledged
    (report,) = folder.heal()
    path = folder.path_of(listed["id"])
    context = f"seed {cycle}, killed after {delay_s:.3f} s: {report}"
    assert query(path, f"SELECT count(DISTINCT msg_id) FROM comments WHERE msg_id <= {acknowledged}") == [
        (acknowledged,)
    ], context
    assert query(path, "SELECT count(*), max(seq) FROM messages") == [
        (report.messages, fold.totals.messages)
    ], context
    assert query(path, "SELECT cause FROM segments") == [("process_died",)]
    assert folder.verify(listed["id"]).ok, context
    assert folder.heal() == []


_SEALER = """
import sys
from pathlib import Path
from toolkit.clock import SystemClock
from toolkit.model.frame import FrameKind, Message
from toolkit.store.folder import RecordingsFolder
from toolkit.store.writer import RecordingWriter
from toolkit.wire.encode import encode_fetch_result, encode_push_frame
from toolkit.wire.schema import message_class
folder = Path(sys.argv[1])
if sys.argv[2] == "seal":
    writer = RecordingWriter.create(folder, "alice", clock=SystemClock())
    writer.open_segment(7)
    for msg_id in range(1, 301):
        chat = message_class("WebcastChatMessage")(content=str(msg_id))
        chat.common.msg_id = msg_id
        message = Message("WebcastChatMessage", msg_id, chat.SerializeToString())
        data = encode_push_frame(encode_fetch_result([message], cursor=""))
        writer.take(writer.write(FrameKind.PUSH, data))
    print("begins", flush=True)
    writer.seal()
else:
    print("begins", flush=True)
    RecordingsFolder(folder).heal()
print("ends", flush=True)
"""


@pytest.mark.parametrize("cycle", range(max(1, KILL_CYCLES // 2)))
def test_killing_the_sealing_and_the_healing_loses_nothing(tmp_path: Path, cycle: int) -> None:
    """Both are killed at a random moment; a third attempt finds everything."""
    rng = random.Random(cycle)
    for step, longest_s in (("seal", 0.4), ("heal", 0.3)):
        process = subprocess.Popen(
            [sys.executable, "-c", _SEALER, str(tmp_path), step], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        time.sleep(rng.uniform(0.0, longest_s))  # the random moment itself
        process.kill()
        process.wait()
        process.stdout.close()
    folder = RecordingsFolder(tmp_path)
    assert all(report.sealed for report in folder.heal())
    (listed,) = folder.list()
    report = folder.verify(listed["id"])
    assert report.ok, (cycle, report)
    assert query(folder.path_of(listed["id"]), "SELECT count(*), sum(msg_id) FROM comments") == [(300, 45150)]


def test_recordings_are_listed_newest_first(tmp_path: Path, recorded: Record, clock: ManualClock) -> None:
    """By when they began, whoever was recorded and whatever was rebuilt since."""
    ids = []
    for user in ("bob", "alice", "carol"):
        clock.advance(5)
        writer = recorded(10, user=user)
        writer.seal()
        ids.append(writer.id)
    folder = RecordingsFolder(tmp_path)
    folder.rebuild(ids[0])
    assert [r["id"] for r in folder.list()] == ids[::-1]


def test_what_cannot_be_sealed_now_is_reported_and_kept(tmp_path: Path, recorded: Record) -> None:
    """Here something else stands where the new database would be built."""
    writer = recorded(20)
    writer.abandon()
    writer.path.unlink()
    (tmp_path / f"{writer.id}.duckdb.new").mkdir()
    folder = RecordingsFolder(tmp_path)
    (report,) = folder.heal()
    assert not report.sealed
    assert "not sealed" in str(report)
    assert [r["state"] for r in folder.list()] == ["interrupted"]


def test_a_healed_segment_ends_with_its_last_frame(tmp_path: Path, recorded: Record) -> None:
    """What came after it was not observed."""
    writer = recorded(20, segments=2)
    writer.abandon()
    folder = RecordingsFolder(tmp_path)
    before = folder.info(writer.id)
    folder.heal()
    after = folder.info(writer.id)
    assert (before["state"], after["state"]) == ("interrupted", "sealed")
    for key in ("frames", "messages", "counts", "segments", "gaps", "duplicates", "quarantined", "user"):
        assert before[key] == after[key], key
    assert after["segments"][-1]["cause"] == "process_died"
    last = query(folder.path_of(writer.id), "SELECT epoch_us(max(received_at)) FROM frames")[0][0]
    assert query(folder.path_of(writer.id), "SELECT epoch_us(max(ended_at)) FROM segments") == [(last,)]


@pytest.mark.parametrize("part", ["database", "log", "header"])
def test_a_damaged_database_is_moved_aside_and_built_from_the_journal(
    tmp_path: Path, recorded: Record, part: str
) -> None:
    """One flipped bit makes DuckDB refuse the whole file; the journal has everything."""
    writer = recorded(200)
    writer.abandon()
    log = writer.path.with_name(writer.path.name + ".wal")
    target = log if part == "log" else writer.path
    if part == "log":
        # A log left behind by a crash, and damaged: the connection is not closed properly.
        log.write_bytes(os.urandom(5000))
    else:
        data = bytearray(target.read_bytes())
        start = 0 if part == "header" else 12_288
        data[start : start + 4096] = bytes(b ^ 0x55 for b in data[start : start + 4096])
        target.write_bytes(data)
    folder = RecordingsFolder(tmp_path)
    (report,) = folder.heal()
    assert report.messages == 200
    assert folder.verify(writer.id).ok
    if report.rebuilt:
        assert list(tmp_path.glob("*.damaged-*"))


def test_a_damaged_journal_loses_only_what_is_damaged(tmp_path: Path, recorded: Record) -> None:
    """The rest is sealed, and the loss is written down."""
    writer = recorded(100)
    writer.abandon()
    writer.path.unlink()
    journal = tmp_path / f"{writer.id}.journal"
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    folder = RecordingsFolder(tmp_path)
    assert not folder.verify(writer.id).ok
    (report,) = folder.heal()
    assert report.messages == 90
    assert "1 records of the journal are lost" in report.problems
    assert folder.info(writer.id)["journal_records_lost"] == 1
    checked = folder.verify(writer.id)
    assert checked.ok
    assert "1 records were lost" in checked.notes[0]


def test_a_database_that_knows_more_than_a_damaged_journal_is_kept_aside(
    tmp_path: Path, recorded: Record
) -> None:
    """The projection had the frame that the journal lost: nothing of it is deleted."""
    writer = recorded(50)
    writer.abandon()
    journal = tmp_path / f"{writer.id}.journal"
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    (report,) = RecordingsFolder(tmp_path).heal()
    assert report.rebuilt
    (aside,) = tmp_path.glob("*.damaged-*")
    assert query(aside, "SELECT count(*) FROM messages") == [(50,)]


def test_a_living_recording_is_left_alone_by_healing(tmp_path: Path, recorded: Record) -> None:
    """It is listed as live, told from its journal, and cannot be rebuilt."""
    writer = recorded(20)
    folder = RecordingsFolder(tmp_path)
    assert folder.heal() == []
    assert [r["state"] for r in folder.list()] == ["live"]
    info = folder.info(writer.id)
    assert (info["state"], info["messages"], info["ended_at"]) == ("live", 20, None)
    assert info["segments"][0]["cause"] is None
    assert folder.verify(writer.id).ok
    with pytest.raises(RecordingBusy):
        folder.rebuild(writer.id)
    with pytest.raises(RecordingBusy, match="not sealed"):
        folder.path_of(writer.id)
    writer.seal()


def test_a_listing_at_the_wrong_moment_does_not_put_healing_off(tmp_path: Path, recorded: Record) -> None:
    """Whoever looks holds the journal for a moment: healing waits for that, and is not skipped."""
    recorded(20).abandon()
    (journal,) = tmp_path.glob("*.journal")
    held = journal.open("rb")
    fcntl.flock(held, fcntl.LOCK_SH)
    release = threading.Timer(0.06, held.close)
    release.start()
    (report,) = RecordingsFolder(tmp_path).heal()
    release.join()
    assert (report.sealed, report.messages) == (True, 20)


def test_healing_that_was_killed_itself_is_simply_done_again(tmp_path: Path, recorded: Record) -> None:
    """Leftovers of an unfinished rebuild do not get in the way."""
    writer = recorded(20)
    writer.abandon()
    (tmp_path / f"{writer.id}.duckdb.new").write_bytes(b"half a database")
    writer.path.unlink()
    folder = RecordingsFolder(tmp_path)
    (report,) = folder.heal()
    assert report.messages == 20
    assert [p.name for p in tmp_path.iterdir()] == [f"{writer.id}.duckdb"]


def test_the_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    """By process id; and may have the folder when the first lets go."""
    first, second = RecordingsFolder(tmp_path), RecordingsFolder(tmp_path)
    first.lock()
    with pytest.raises(RecordingBusy, match=f"process {os.getpid()}"):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()


def test_an_owner_in_another_process_holds_the_folder_until_it_dies(tmp_path: Path) -> None:
    """Killed is let go: no stale lock to remove by hand."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from toolkit.store.folder import RecordingsFolder\n"
        "folder = RecordingsFolder(Path(sys.argv[1])); folder.lock()\n"
        "print('mine', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"mine\n"
    folder = RecordingsFolder(tmp_path)
    with pytest.raises(RecordingBusy, match=f"process {owner.pid}"):
        folder.lock()
    owner.kill()
    owner.wait()
    owner.stdout.close()
    folder.lock()
    folder.unlock()


def test_rebuilding_a_sealed_recording_gives_the_same_recording(tmp_path: Path, recorded: Record) -> None:
    """Table by table, from its own raw messages."""
    writer = recorded(100, segments=2)
    writer.seal()
    tables = [row[0] for row in query(writer.path, "SELECT table_name FROM duckdb_tables()")]
    before = {table: sorted(query(writer.path, f"FROM {table}"), key=repr) for table in tables}
    folder = RecordingsFolder(tmp_path)
    report = folder.rebuild(writer.id)
    after = {table: sorted(query(writer.path, f"FROM {table}"), key=repr) for table in tables}
    assert report.messages == 200
    assert before == after
    assert folder.verify(writer.id).ok


def test_rebuilding_gives_back_rows_that_an_older_decoder_did_not_make(
    tmp_path: Path, recorded: Record
) -> None:
    """Here a whole table is missing, as from a version that did not know that kind."""
    writer = recorded(50)
    writer.seal()
    with duckdb.connect(str(writer.path)) as connection:
        connection.execute("DROP TABLE gifts")
    folder = RecordingsFolder(tmp_path)
    assert folder.info(writer.id)["counts"]["gift"] == 0
    assert folder.rebuild(writer.id).counts == {"comment": 45, "gift": 5}
    assert folder.info(writer.id)["counts"]["gift"] == 5


def test_rebuilding_keeps_what_was_quarantined_and_counted(
    tmp_path: Path, clock: ManualClock, make: Any
) -> None:
    """Broken frames have no messages to be found again in."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(make.room)
    for data in (b"\x1f\x8bbroken", make.push([make.comment(1)]), make.push([make.comment(1)])):
        writer.take(writer.write(FrameKind.PUSH, data))
    writer.seal()
    before = query(writer.path, "FROM quarantine") + query(writer.path, "FROM frames")
    folder = RecordingsFolder(tmp_path)
    folder.rebuild(writer.id)
    assert query(writer.path, "FROM quarantine") + query(writer.path, "FROM frames") == before
    assert folder.info(writer.id)["duplicates"] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("DELETE FROM messages WHERE seq = 3", "holds 49"),
        ("UPDATE messages SET payload = 'x'::BLOB WHERE seq = 3", "content_sha256"),
        ("UPDATE messages SET seq = 4 WHERE seq = 3", "holes or twice"),
        ("UPDATE frames SET messages = messages + 1 WHERE frame_no = 1", "do not add up"),
        ("DELETE FROM segments", "segments that are not there"),
    ],
)
def test_verify_finds_what_was_changed_after_sealing(
    tmp_path: Path, recorded: Record, change: str, says: str
) -> None:
    """And says it in a sentence."""
    writer = recorded(50)
    writer.seal()
    folder = RecordingsFolder(tmp_path)
    assert folder.verify(writer.id).as_dict()["ok"]
    with duckdb.connect(str(writer.path)) as connection:
        connection.execute(change)
    report = folder.verify(writer.id)
    assert not report.ok
    assert any(says in problem for problem in report.problems), report.problems


def test_verify_of_a_file_with_flipped_bytes_never_raises(tmp_path: Path, recorded: Record) -> None:
    """Wherever they are; damage to data that is read is told."""
    writer = recorded(200)
    writer.seal()
    whole = writer.path.read_bytes()
    folder = RecordingsFolder(tmp_path)
    rng = random.Random(1)
    told = 0
    for _ in range(15):
        damaged = bytearray(whole)
        start = rng.randrange(len(whole) - 64)
        damaged[start : start + 64] = rng.randbytes(64)
        writer.path.write_bytes(damaged)
        told += not folder.verify(writer.id).ok
    assert told > 0


@pytest.mark.parametrize("name", ["../secret", "a/b", "", "x.duckdb", "a" * 65, "..", "a\0b", "a b"])
def test_an_id_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Whatever asks for it."""
    folder = RecordingsFolder(tmp_path)
    for ask in (folder.info, folder.verify, folder.rebuild, folder.path_of):
        with pytest.raises(RecordingNotFound):
            ask(name)


def test_other_files_are_not_listed_and_not_opened_as_recordings(tmp_path: Path) -> None:
    """Text, an empty file, a DuckDB file of somebody else."""
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "text.duckdb").write_text("this is not a database " * 1000)
    (tmp_path / "empty.duckdb").touch()
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("CREATE TABLE sales(x INT)")
    folder = RecordingsFolder(tmp_path)
    assert {r["id"] for r in folder.list()} == {"text", "empty", "other"}
    for name in ("text", "empty", "other"):
        with pytest.raises(NotARecording, match=f"{name}.duckdb"):
            folder.info(name)
        assert not folder.verify(name).ok
        with pytest.raises(NotARecording):
            folder.rebuild(name)
    with pytest.raises(RecordingNotFound):
        folder.info("nothing")


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """Listing and healing make nothing."""
    folder = RecordingsFolder(tmp_path / "later")
    assert (folder.list(), folder.heal()) == ([], [])
    assert not folder.path.exists()


def test_a_stranger_in_the_folder_does_not_hide_the_recordings(tmp_path: Path, recorded: Any) -> None:
    """A folder named like a recording, a file of nonsense: the list goes on."""
    writer = recorded(20)
    writer.seal()
    (tmp_path / "folder.duckdb").mkdir()
    (tmp_path / "nonsense.journal").write_bytes(b"?")
    listed = {one["id"]: one["state"] for one in RecordingsFolder(tmp_path).list()}
    assert listed[writer.id] == "sealed"
    assert "folder" not in listed


@pytest.mark.parametrize(
    "content",
    [b"Dear diary, " * 3000, b"hi", struct.pack("<8sII", b"TTLVJRNL", 2, 0) + bytes(range(256)) * 40],
    ids=["text", "short", "later version"],
)
def test_what_says_nothing_to_us_is_not_healed_away(tmp_path: Path, content: bytes) -> None:
    """It may be somebody's diary, or a later version's journal: it stays, and a sentence says so."""
    (tmp_path / "diary.journal").write_bytes(content)
    folder = RecordingsFolder(tmp_path)
    (report,) = folder.heal()
    assert not report.sealed
    assert "nothing in diary.journal can be read: it is left as it is" in str(report)
    with pytest.raises(NotARecording):
        folder.rebuild("diary")
    assert (tmp_path / "diary.journal").read_bytes() == content
    assert not list(tmp_path.glob("*.duckdb*"))


@pytest.mark.parametrize(("kept_bytes", "is_healed"), [(24, True), (4096, True), (4097, False)])
def test_a_journal_that_never_got_its_first_record_is_a_recording_of_nothing(
    tmp_path: Path, kept_bytes: int, is_healed: bool
) -> None:
    """Its recorder was killed in that moment; there is nothing to keep. None is longer than 4 KiB."""
    writer = JournalWriter(tmp_path / "x.journal")
    begins_at = writer.bytes
    writer.append(RecordType.HEADER, b'{"user": "alice"}'.ljust(8000))
    writer.close()
    os.truncate(writer.path, begins_at + kept_bytes)
    (report,) = RecordingsFolder(tmp_path).heal()
    assert (report.sealed, report.frames) == (is_healed, 0)


@pytest.mark.timeout(20)
def test_a_pipe_in_the_place_of_the_owners_file_is_told(tmp_path: Path) -> None:
    """One sentence that names it; nobody waits for its other end."""
    os.mkfifo(tmp_path / ".owner")
    with pytest.raises(FolderNotWritable, match=r"cannot be written: \.owner in it is no file"):
        RecordingsFolder(tmp_path).lock()


def test_pipes_and_devices_named_like_a_recording_stop_nobody(tmp_path: Path, recorded: Any) -> None:
    """A reader would wait for ever at the one and never come to the end of the other."""
    writer = recorded(20)
    writer.abandon()
    os.mkfifo(tmp_path / "pipe.journal")
    os.mkfifo(tmp_path / "pipe-2.duckdb")
    (tmp_path / "zeros.journal").symlink_to("/dev/zero")
    folder = RecordingsFolder(tmp_path)
    assert [one["id"] for one in folder.list()] == [writer.id]
    for stranger in ("pipe", "zeros"):
        with pytest.raises(NotARecording, match="it is no file"):
            folder.info(stranger)
        with pytest.raises(NotARecording, match="it is no file"):
            folder.verify(stranger)
        with pytest.raises(NotARecording, match="it is no file"):
            open_recording(stranger, tmp_path)
    reports = {report.id: report.sealed for report in folder.heal()}
    assert reports == {writer.id: True, "pipe": False, "zeros": False}
