"""`open_recording`: sealed files, running recordings, and files that are neither."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from toolkit import open_recording
from toolkit.clock import ManualClock
from toolkit.errors import NotARecording, RecordingError, RecordingNotFound
from toolkit.model.frame import FrameKind
from toolkit.model.recording import RecordingState
from toolkit.store.reader import read_frames
from toolkit.store.writer import RecordingWriter

Record = Callable[..., RecordingWriter]
UTC = pl.Datetime("us", "UTC")


def test_a_sealed_recording_is_read_as_frames_and_by_sql(tmp_path: Path, recorded: Record) -> None:
    """By path or by id; times are UTC."""
    writer = recorded(50, segments=2)
    writer.seal()
    with open_recording(writer.id, tmp_path) as rec:
        assert rec.state is RecordingState.SEALED
        comments = rec.comments.collect()
        assert comments.height == 90
        assert comments["seq"].is_sorted()
        assert comments.schema["received_at"] == comments.schema["occurred_at"] == UTC
        assert rec.gifts.select(pl.col("diamonds").sum()).collect().item() == 10
        assert rec.messages.filter(pl.col("seq") > 95).select("method").collect().height == 5
        assert rec.likes.collect().is_empty()
        assert rec.sql("SELECT count(*) AS n FROM comments WHERE seq <= ?", [10]).item() == 9
        assert rec.gaps["cause"].to_list() == ["network"]
        assert rec.segments["room_id"].to_list() == [7001, 7001]
        assert rec.users.collect().height == 9
        assert rec.info["counts"]["comment"] == 90
        rec.refresh()
    with open_recording(str(writer.path)) as rec:
        assert rec.comments.collect().height == 90


def test_coverage_says_how_much_was_observed(recorded: Record) -> None:
    """Two segments of five frames, 30 s apart."""
    writer = recorded(50, segments=2)
    writer.seal()
    with open_recording(writer.path) as rec:
        coverage = rec.coverage
    assert (coverage.observed_s, coverage.total_s, coverage.gaps) == (7.5, 37.5, 1)
    assert coverage.share == pytest.approx(0.2)


def test_several_scans_run_at_once(recorded: Record) -> None:
    """Polars reads them in threads of its own."""
    writer = recorded(200)
    writer.seal()
    with open_recording(writer.path) as rec:
        plans = [rec.comments, rec.gifts, rec.messages.select("seq"), rec.frames, rec.users] * 4
        heights = [frame.height for frame in pl.collect_all(plans)]
    assert heights == [180, 20, 200, 20, 9] * 4


_RECORDER = """
import sys
from pathlib import Path
from toolkit.clock import SystemClock
from toolkit.model.frame import FrameKind, Message
from toolkit.store.writer import RecordingWriter
from toolkit.wire.encode import encode_fetch_result, encode_push_frame
from toolkit.wire.schema import message_class
writer = RecordingWriter.create(Path(sys.argv[1]), "alice", clock=SystemClock())
writer.open_segment(7)
msg_id = 0
print(writer.id, flush=True)
for command in sys.stdin:
    if command.strip() == "seal":
        writer.seal()
    else:
        for _ in range(int(command)):
            msg_id += 1
            chat = message_class("WebcastChatMessage")(content=str(msg_id))
            chat.common.msg_id = msg_id
            message = Message("WebcastChatMessage", msg_id, chat.SerializeToString())
            data = encode_push_frame(encode_fetch_result([message], cursor=""))
            writer.take(writer.write(FrameKind.PUSH, data))
    print("done", flush=True)
"""


def test_a_recording_in_another_process_can_be_followed_and_outlived(tmp_path: Path) -> None:
    """Open, refresh, refresh after it was sealed: the same object, all the way."""
    recorder = subprocess.Popen(
        [sys.executable, "-c", _RECORDER, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert recorder.stdin is not None
    assert recorder.stdout is not None
    recording_id = recorder.stdout.readline().strip()

    def tell(command: str) -> None:
        recorder.stdin.write(command + "\n")
        recorder.stdin.flush()
        assert recorder.stdout.readline() == "done\n"

    tell("20")
    with open_recording(recording_id, tmp_path) as rec:
        comments = rec.comments
        assert comments.collect().height == 20
        assert rec.state is RecordingState.LIVE
        assert rec.segments["cause"].to_list() == [None]
        tell("15")
        assert comments.collect().height == 20
        rec.refresh()
        assert comments.collect().height == 35
        assert rec.sql("SELECT max(seq) FROM messages").item() == 35
        assert 0 < rec.coverage.total_s < 60
        tell("1")
        tell("seal")
        rec.refresh()
        assert rec.state is RecordingState.SEALED
        assert rec.comments.collect().height == 36
        assert rec.segments["cause"].to_list() == ["stopped"]
    recorder.communicate()
    assert recorder.returncode == 0


def test_reading_a_running_recording_does_not_disturb_it(recorded: Record) -> None:
    """In the recorder's own process as well: its database is never touched."""
    writer = recorded(50)
    with open_recording(writer.path) as rec:
        assert rec.comments.collect().height == 45
        with pytest.raises(RecordingError, match="the query failed"):
            rec.sql("SELECT * FROM read_text('/etc/hostname')")
    report = writer.seal()
    assert (report.messages, report.rebuilt) == (50, False)


def test_an_interrupted_recording_can_be_read_before_it_is_healed(recorded: Record) -> None:
    """From its journal."""
    writer = recorded(50)
    writer.abandon()
    with open_recording(writer.path) as rec:
        assert rec.state is RecordingState.INTERRUPTED
        assert rec.comments.collect().height == 45
        assert rec.segments["cause"].to_list() == ["process_died"]


def test_frames_come_back_in_order_for_a_replay(tmp_path: Path, clock: ManualClock, make: Any) -> None:
    """With everything needed to push them again; frames without messages included."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(make.room)
    sent = []
    for n in range(1, 30):
        clock.advance(0.1)
        messages = [make.comment(n * 100 + i) for i in range(n % 4)]
        sent.append((clock.now_us(), clock.mono_ns(), messages))
        writer.take(writer.write(FrameKind.PUSH, make.push(messages, n)))
    writer.seal()
    frames = list(read_frames(writer.path))
    assert [(f.received_at, f.received_mono_ns, f.messages) for f in frames] == sent
    assert [f.push_seq for f in frames] == list(range(1, 30))
    assert {(f.kind, f.room_id, f.segment_id, f.payload_type) for f in frames} == {
        (FrameKind.PUSH, make.room, 1, "msg")
    }
    assert frames[4].cursor == "c5"


def test_what_is_not_a_recording_is_said_to_be_none(tmp_path: Path) -> None:
    """A missing file, a text, a database of somebody else, a folder."""
    text = tmp_path / "text.duckdb"
    text.write_text("hello " * 5000)
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute("CREATE TABLE messages(seq INT)")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(RecordingNotFound):
        open_recording(tmp_path / "nothing.duckdb")
    with pytest.raises(RecordingNotFound):
        open_recording("nothing", tmp_path)
    for path in (text, other, tmp_path / "notes.txt", tmp_path):
        with pytest.raises(NotARecording):
            open_recording(path)
    with pytest.raises(RecordingError):
        list(read_frames(other))


@pytest.mark.parametrize(
    "trap",
    [
        "CREATE VIEW secrets AS SELECT * FROM read_text('/etc/hostname')",
        "CREATE MACRO upper(x) AS 'hijacked'",
        "ALTER TABLE messages RENAME TO real; CREATE VIEW messages AS SELECT * FROM real",
        "ALTER TABLE messages ALTER seq TYPE VARCHAR",
    ],
)
def test_a_strangers_recording_with_a_trap_in_it_is_refused(recorded: Record, trap: str) -> None:
    """Views, macros and columns that are not ours."""
    writer = recorded(10)
    writer.seal()
    with duckdb.connect(str(writer.path)) as connection:
        connection.execute(trap)
    with pytest.raises(NotARecording, match="not a recording"):
        open_recording(writer.path)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY comments TO '/tmp/out.csv'",
        "ATTACH '/tmp/x.duckdb'",
        "DELETE FROM comments",
        "SET enable_external_access = true",
        "SELEC nonsense",
    ],
)
def test_sql_reaches_nothing_outside_and_changes_nothing(recorded: Record, query: str) -> None:
    """A clear error each time, and the recording goes on being readable."""
    writer = recorded(10)
    writer.seal()
    with open_recording(writer.path) as rec:
        with pytest.raises(RecordingError, match="the query failed"):
            rec.sql(query)
        assert rec.comments.collect().height == 9


def test_a_recording_of_a_newer_version_is_refused_with_advice(recorded: Record) -> None:
    """Update, says the hint."""
    writer = recorded(10)
    writer.seal()
    with duckdb.connect(str(writer.path)) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'format_version'")
    with pytest.raises(NotARecording, match="newer version") as caught:
        open_recording(writer.path)
    assert "update" in caught.value.hint


def test_an_unknown_table_is_an_attribute_error_that_lists_the_known(recorded: Record) -> None:
    """As Python expects of attributes."""
    writer = recorded(10)
    writer.seal()
    with open_recording(writer.path) as rec:
        assert "gifts" in dir(rec)
        with pytest.raises(AttributeError, match="comments"):
            _ = rec.coments


def test_importing_the_toolkit_alone_is_cheap() -> None:
    """Neither DuckDB nor polars is loaded before a recording is opened."""
    code = "import sys, toolkit; print(sorted({'duckdb', 'polars'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
