"""A recording whose recorder died goes on: numbers, duplicates and gaps as if it never had."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from toolkit.clock import ManualClock
from toolkit.errors import NotARecording, RecordingBusy, RecordingNotFound
from toolkit.model.frame import FrameKind
from toolkit.model.recording import Cause
from toolkit.store.folder import RecordingsFolder
from toolkit.store.journal import JournalWriter, RecordType
from toolkit.store.rows import iso_time
from toolkit.store.writer import RecordingWriter

Record = Callable[..., RecordingWriter]


def query(path: Path, sql: str) -> list[Any]:
    """Run SQL on a finished file, in a connection of the test's own."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def resumed(folder: Path, recording_id: str, clock: ManualClock) -> RecordingWriter:
    """Go on with a recording, and know its past."""
    writer = RecordingWriter.resume(folder, recording_id, clock=clock)
    writer.catch_up()
    return writer


def go_on(writer: RecordingWriter, make: Any, clock: ManualClock, ids: range) -> list[int]:
    """Record a frame of comments; return the numbers of the new ones."""
    clock.advance(0.75)
    batch = writer.take(writer.write(FrameKind.PUSH, make.push([make.comment(i) for i in ids])))
    return [message.seq for message in batch.messages]


def test_a_recording_goes_on_after_its_recorder_died(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any
) -> None:
    """One file at the end: numbers without holes, replayed comments recognised, the gap told."""
    first = recorded(50)
    last_frame_at = clock.now_us()
    first.abandon()
    clock.advance(90)
    second = resumed(tmp_path, first.id, clock)
    assert (second.id, second.room_id, second.counts().messages) == (first.id, make.room, 50)
    assert second.open_segment(make.room, attempts=2) == 2
    # 41 to 49 are in; 50 was a gift, so the comment with its number is new, and so is the rest.
    assert go_on(second, make, clock, range(45, 53)) == [51, 52, 53]
    assert second.counts().duplicates == 5
    report = second.seal()
    assert (report.frames, report.messages, report.duplicates, report.problems) == (6, 53, 5, [])
    assert not report.rebuilt
    assert [path.name for path in tmp_path.iterdir()] == [f"{first.id}.duckdb"]
    assert RecordingsFolder(tmp_path).verify(first.id).ok
    info = RecordingsFolder(tmp_path).info(first.id)
    assert [(s["segment_id"], s["cause"]) for s in info["segments"]] == [(1, "process_died"), (2, "stopped")]
    (gap,) = info["gaps"]
    assert (gap["cause"], gap["attempts"]) == ("process_died", 2)
    assert query(first.path, "SELECT epoch_us(started_at), epoch(ended_at - started_at) FROM gaps") == [
        (last_frame_at, 90.0)
    ]


def test_resuming_gives_the_recording_that_an_unbroken_recorder_would_have_made(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any
) -> None:
    """However often it dies; the projection goes on exactly where it stood."""
    writer = recorded(100)
    for start in (101, 111, 121):
        writer.close_segment(Cause.NETWORK)
        writer.abandon()
        clock.advance(20)
        writer = resumed(tmp_path, writer.id, clock)
        writer.open_segment(make.room)
        go_on(writer, make, clock, range(start - 3, start + 10))
    report = writer.seal()
    assert (report.messages, report.rebuilt, report.caught_up_frames) == (130 + 1, False, 0)
    assert query(writer.path, "SELECT count(*), count(DISTINCT seq), max(seq) FROM messages") == [
        (131, 131, 131)
    ]
    assert query(writer.path, "SELECT cause, count(*) FROM segments GROUP BY ALL ORDER BY 1") == [
        ("network", 3),
        ("stopped", 1),
    ]


@pytest.mark.parametrize("damage", ["gone", "broken", "behind"])
def test_the_database_may_be_gone_broken_or_behind(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any, damage: str
) -> None:
    """The journal has everything."""
    writer = recorded(100)
    writer.abandon()
    if damage == "broken":
        writer.path.write_bytes(b"not a database" * 1000)
    elif damage == "gone":
        writer.path.unlink()
    else:
        with duckdb.connect(str(writer.path)) as connection:
            for table in ("frames", "messages"):
                connection.execute(f"DELETE FROM {table} WHERE frame_no > 4")
            for table in ("comments", "gifts"):
                connection.execute(f"DELETE FROM {table} WHERE seq > 40")
    again = resumed(tmp_path, writer.id, clock)
    again.open_segment(make.room)
    go_on(again, make, clock, range(201, 205))
    report = again.seal()
    assert (report.messages, report.rebuilt) == (104, False)
    assert RecordingsFolder(tmp_path).verify(writer.id).ok


def test_what_a_killed_recorder_had_acknowledged_is_there_after_resuming(tmp_path: Path) -> None:
    """Killed with -9 in the middle of writing, resumed, sealed: every frame it had reported."""
    code = (
        "import sys; from pathlib import Path\n"
        "from toolkit.clock import SystemClock\n"
        "from toolkit.model.frame import FrameKind, Message\n"
        "from toolkit.store.writer import RecordingWriter\n"
        "from toolkit.wire.encode import encode_fetch_result, encode_push_frame\n"
        "writer = RecordingWriter.create(Path(sys.argv[1]), 'alice', clock=SystemClock())\n"
        "writer.open_segment(7001); print(writer.id, flush=True)\n"
        "for n in range(1, 10**6):\n"
        "    body = encode_fetch_result([Message('X', n, b'')], cursor='c')\n"
        "    data = encode_push_frame(body, seq_id=n, log_id=n)\n"
        "    writer.take(writer.write(FrameKind.PUSH, data)); print(n, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    recording_id = process.stdout.readline().strip()
    while int(process.stdout.readline()) < 300:
        pass
    process.kill()
    told = [int(line) for line in process.stdout.read().split("\n") if line.strip()]
    process.wait()
    process.stdout.close()
    writer = resumed(tmp_path, recording_id, ManualClock())
    assert writer.counts().frames >= max(told, default=300)
    report = writer.seal()
    assert report.frames == writer.counts().frames
    assert RecordingsFolder(tmp_path).verify(recording_id).ok


def test_a_torn_record_is_cut_off_and_a_damaged_one_keeps_its_number(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any
) -> None:
    """What was never finished was never acknowledged; what was finished is told as lost."""
    writer = recorded(50)
    writer.abandon()
    journal = tmp_path / f"{writer.id}.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[-30:-10])
    again = resumed(tmp_path, writer.id, clock)
    again.open_segment(make.room)
    again.abandon()
    assert RecordingsFolder(tmp_path).verify(writer.id).problems == []
    data = bytearray(whole)
    data[-5] ^= 1
    journal.write_bytes(data)
    again = resumed(tmp_path, writer.id, clock)
    assert again.counts().messages == 40
    again.open_segment(make.room)
    go_on(again, make, clock, range(60, 62))
    again.abandon()
    found = RecordingsFolder(tmp_path).verify(writer.id)
    assert "1 records are lost" in found.problems
    assert found.messages == 42


def test_only_a_recording_of_this_broadcast_and_of_a_moment_ago_is_resumable(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any
) -> None:
    """Same user, same room or any, ten minutes; not one that is being written."""
    folder = RecordingsFolder(tmp_path)
    assert folder.resumable("alice", make.room, clock.now_us()) is None
    writer = recorded(10)
    assert folder.resumable("alice", make.room, clock.now_us()) is None
    writer.abandon()
    assert folder.resumable("alice", make.room, clock.now_us()) == writer.id
    assert folder.resumable("alice", None, clock.now_us()) == writer.id
    assert folder.resumable("alice", make.room + 1, clock.now_us()) is None
    assert folder.resumable("bob", make.room, clock.now_us()) is None
    assert folder.resumable("alice", make.room, clock.now_us() + 600_000_000) == writer.id
    assert folder.resumable("alice", make.room, clock.now_us() + 600_000_001) is None


def test_of_several_the_one_that_ended_last_is_resumed(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any
) -> None:
    """The others are healed."""
    older, newer = recorded(10), recorded(20)
    older.abandon()
    newer.abandon()
    folder = RecordingsFolder(tmp_path)
    assert folder.resumable("alice", make.room, clock.now_us()) == newer.id
    (report,) = folder.heal(keep=newer.id)
    assert (report.id, report.sealed) == (older.id, True)
    assert {r["id"]: r["state"] for r in folder.list()} == {older.id: "sealed", newer.id: "interrupted"}
    (report,) = folder.heal()
    assert report.id == newer.id


@pytest.mark.parametrize("cause", [Cause.STOPPED, Cause.LIVE_ENDED])
def test_what_ended_in_order_is_not_resumed(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any, cause: Cause
) -> None:
    """Its recorder died while sealing it: healing does the rest."""
    writer = recorded(10)
    writer.close_segment(cause)
    writer.abandon()
    assert RecordingsFolder(tmp_path).resumable("alice", make.room, clock.now_us()) is None


@pytest.mark.parametrize("cause", [Cause.LIVE_ENDED, Cause.NETWORK])
def test_what_tiktok_called_ended_goes_on_when_its_host_is_back(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any, cause: Cause
) -> None:
    """
    Said in the live, or found out after a drop. Meanwhile it has an end; then one more
    segment, and the gap between them says that TikTok called the live ended.
    """
    folder = RecordingsFolder(tmp_path)
    writer = recorded(50)
    last_frame_at = clock.now_us()
    clock.advance(5)
    writer.close_segment(cause)
    closed_at = clock.now_us()
    clock.advance(5)
    writer.conclude()
    over = folder.info(writer.id)
    is_orderly = cause is Cause.LIVE_ENDED
    assert over["state"] == "live"
    assert over["ended_at"] == iso_time(closed_at if is_orderly else clock.now_us())
    assert [gap["cause"] for gap in over["gaps"]] == [] if is_orderly else ["network"]
    clock.advance(200)
    writer.open_segment(make.room)
    assert folder.info(writer.id)["ended_at"] is None
    go_on(writer, make, clock, range(100, 120))
    (told,) = writer.gaps()
    assert (told.cause, told.started_at, told.detected_at) == (Cause.LIVE_ENDED, last_frame_at, closed_at)
    clock.advance(30)
    writer.close_segment(Cause.NETWORK)
    clock.advance(30)
    writer.conclude()
    writer.seal()
    sealed = folder.info(writer.id)
    assert [segment["cause"] for segment in sealed["segments"]] == ["live_ended", "network"]
    assert [gap["cause"] for gap in sealed["gaps"]] == ["live_ended", "network"]
    assert sealed["ended_at"] == iso_time(clock.now_us())
    assert sealed["messages"] == 70
    folder.rebuild(writer.id)
    assert folder.info(writer.id)["gaps"] == sealed["gaps"]


def test_what_went_on_after_its_end_is_healed_as_it_was(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any
) -> None:
    """Killed while it waited for the host: it is over. Killed after the return: it goes on."""
    writer = recorded(50)
    writer.close_segment(Cause.NETWORK)
    writer.conclude()
    folder = RecordingsFolder(tmp_path)
    clock.advance(60)
    writer.open_segment(make.room)
    go_on(writer, make, clock, range(100, 120))
    writer.abandon()
    assert folder.resumable("alice", make.room, clock.now_us()) == writer.id
    again = resumed(tmp_path, writer.id, clock)
    again.open_segment(make.room)
    again.close_segment(Cause.LIVE_ENDED)
    again.conclude()
    again.abandon()
    assert folder.resumable("alice", make.room, clock.now_us()) is None
    (report,) = folder.heal()
    assert (report.sealed, report.problems) == (True, [])
    assert [gap["cause"] for gap in folder.info(writer.id)["gaps"]] == ["live_ended", "process_died"]


def test_what_lost_its_connection_before_its_recorder_died_is_resumed(
    tmp_path: Path, recorded: Record, clock: ManualClock, make: Any
) -> None:
    """The gap keeps the cause with which it began."""
    writer = recorded(10)
    writer.close_segment(Cause.SILENCE)
    writer.abandon()
    assert RecordingsFolder(tmp_path).resumable("alice", make.room, clock.now_us()) == writer.id
    clock.advance(60)
    writer = resumed(tmp_path, writer.id, clock)
    assert [(gap.cause, gap.ended_at) for gap in writer.gaps()] == [(Cause.SILENCE, None)]
    writer.open_segment(make.room)
    assert [gap.ended_at for gap in writer.gaps()] == [clock.now_us()]
    writer.seal()


def test_sealed_missing_busy_and_empty_recordings_are_not_resumed(
    tmp_path: Path, recorded: Record, clock: ManualClock
) -> None:
    """Each with a sentence; nothing is touched."""
    writer = recorded(10)
    with pytest.raises(RecordingBusy):
        RecordingWriter.resume(tmp_path, writer.id, clock=clock)
    writer.seal()
    before = writer.path.read_bytes()
    with pytest.raises(RecordingNotFound, match="no journal"):
        RecordingWriter.resume(tmp_path, writer.id, clock=clock)
    assert writer.path.read_bytes() == before
    (tmp_path / "empty.journal").touch()
    with pytest.raises(NotARecording):
        RecordingWriter.resume(tmp_path, "empty", clock=clock)


def test_a_listing_at_the_wrong_moment_does_not_cut_a_recording_in_two(
    tmp_path: Path, recorded: Record, clock: ManualClock
) -> None:
    """Whoever looks holds the journal for a moment, as a dashboard does that comes back with the server."""
    writer = recorded(10)
    writer.abandon()
    held = (tmp_path / f"{writer.id}.journal").open("rb")
    fcntl.flock(held, fcntl.LOCK_SH)
    release = threading.Timer(0.06, held.close)
    release.start()
    again = RecordingWriter.resume(tmp_path, writer.id, clock=clock)
    release.join()
    assert again.id == writer.id
    again.abandon()


def long_journal(folder: Path, make: Any, frames: int) -> str:
    """Write the journal of a dead recorder: twenty comments a frame; return the recording's id."""
    writer = JournalWriter(folder / "alice-20261121-100000.journal")
    writer.append(RecordType.HEADER, json.dumps({"user": "alice"}).encode(), received_at=1)
    opened = json.dumps({"room_id": make.room}).encode()
    writer.append(RecordType.SEGMENT_OPENED, opened, segment_id=1, received_at=1)
    for n in range(frames):
        data = make.push([make.comment(n * 20 + i + 1) for i in range(20)], n + 1)
        writer.append(RecordType.FRAME, data, segment_id=1, received_at=n + 2, kind=int(FrameKind.PUSH))
    writer.close()
    return writer.path.stem


def test_a_long_recording_is_written_on_while_its_past_is_told(
    tmp_path: Path, clock: ManualClock, make: Any
) -> None:
    """Frames are journaled at once; when the past is known, the numbers are those of an unbroken one."""
    recording_id = long_journal(tmp_path, make, 500)
    writer = RecordingWriter.resume(tmp_path, recording_id, clock=clock)
    writer.open_segment(make.room)
    numbers = go_on(writer, make, clock, range(9_999, 10_003))
    assert (numbers, writer.gaps()) == ([1, 2, 3, 4], []), "nothing of the past is known yet"
    assert (writer.counts().frames, writer.counts().messages < 10_000) == (501, True)
    writer.catch_up()
    assert (writer.counts().messages, writer.counts().duplicates) == (10_002, 2)
    assert go_on(writer, make, clock, range(10_001, 10_005)) == [10_003, 10_004]
    (gap,) = writer.gaps()
    assert (gap.cause, gap.last_frame_no, gap.first_frame_no) == (Cause.PROCESS_DIED, 500, 501)
    report = writer.seal()
    assert (report.messages, report.duplicates, report.rebuilt, report.problems) == (10_004, 4, False, [])
    assert RecordingsFolder(tmp_path).verify(recording_id).ok


def test_a_recording_is_sealed_before_its_past_was_told(
    tmp_path: Path, clock: ManualClock, make: Any
) -> None:
    """A stop does not wait for the thread: sealing goes through everything anyway."""
    recording_id = long_journal(tmp_path, make, 300)
    writer = RecordingWriter.resume(tmp_path, recording_id, clock=clock)
    writer.open_segment(make.room)
    go_on(writer, make, clock, range(6_000, 6_003))
    report = writer.seal()
    assert (report.frames, report.messages, report.duplicates) == (301, 6_002, 1)
    info = RecordingsFolder(tmp_path).info(recording_id)
    assert [s["cause"] for s in info["segments"]] == ["process_died", "stopped"]


def test_a_recorder_killed_while_it_tells_the_past_loses_nothing(
    tmp_path: Path, clock: ManualClock, make: Any
) -> None:
    """What it had journaled in the meantime is there, after the past and once."""
    recording_id = long_journal(tmp_path, make, 300)
    code = (
        "import sys; from pathlib import Path\n"
        "from toolkit import failpoint\n"
        "from toolkit.clock import SystemClock\n"
        "from toolkit.model.frame import FrameKind, Message\n"
        "from toolkit.store.writer import RecordingWriter\n"
        "from toolkit.wire.encode import encode_fetch_result, encode_push_frame\n"
        "failpoint.arm('catch-up:200')\n"
        "writer = RecordingWriter.resume(Path(sys.argv[1]), sys.argv[2], clock=SystemClock())\n"
        "writer.open_segment(7001)\n"
        "for n in range(10**6, 2 * 10**6):\n"
        "    body = encode_fetch_result([Message('X', n, b'')], cursor='c')\n"
        "    writer.take(writer.write(FrameKind.PUSH, encode_push_frame(body, seq_id=n, log_id=n)))\n"
        "    print(n, flush=True)\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), recording_id], capture_output=True, text=True, timeout=60
    )
    told = [int(line) for line in died.stdout.split()]
    assert (died.returncode, bool(told)) == (-signal.SIGKILL, True), died.stderr
    writer = resumed(tmp_path, recording_id, clock)
    assert writer.counts().frames >= 300 + len(told)
    report = writer.seal()
    assert report.messages == report.frames - 300 + 6_000
    assert query(writer.path, "SELECT max(seq), count(*), count(DISTINCT seq) FROM messages") == [
        (report.messages,) * 3
    ]
    assert RecordingsFolder(tmp_path).verify(recording_id).ok
