"""Gaps, gifts and withdrawals of a recording: the same live, healed, rebuilt and followed."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from toolkit.analysis.coverage import coverage_box
from toolkit.analysis.observed import minutes_observed
from toolkit.clock import ManualClock
from toolkit.errors import NotARecording
from toolkit.model.frame import FrameKind, Message
from toolkit.model.recording import Cause
from toolkit.simulator.profile import PRESETS
from toolkit.simulator.traffic import Traffic
from toolkit.store.folder import RecordingsFolder
from toolkit.store.reader import open_recording
from toolkit.store.rows import iso_time
from toolkit.store.summary import info_lines
from toolkit.store.writer import RecordingWriter
from toolkit.wire.encode import encode_fetch_result, encode_push_frame
from toolkit.wire.schema import message_class

ACCOUNT = ("segments", "gaps", "gift_ledger", "tombstones", "comments", "room_diamonds")


def query(path: Path, sql: str) -> list[Any]:
    """Run SQL on a finished file, in a connection of the test's own."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def account(path: Path) -> dict[str, list[Any]]:
    """Return the tables that the ledger fills, and those it may touch."""
    return {table: sorted(query(path, f"FROM {table}"), key=repr) for table in ACCOUNT}


@pytest.fixture
def live(tmp_path: Path, clock: ManualClock) -> RecordingWriter:
    """Return a typical live of three minutes with two gaps, recorded and not sealed."""
    traffic = Traffic(PRESETS["typical"], 3, clock.now_us() // 1000)
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    history: deque[Message] = deque(maxlen=6)
    for number, (seconds, away) in enumerate(((60, 2), (60, 20), (60, 0))):
        writer.open_segment(traffic.room_id, attempts=number)
        push(writer, [replace(message, is_history=True) for message in history])
        for messages in bursts(traffic, clock, seconds, history):
            push(writer, messages)
        if away:
            writer.close_segment(Cause.NETWORK)
            for _ in bursts(traffic, clock, away, history):
                pass
    return writer


def bursts(traffic: Traffic, clock: ManualClock, seconds: float, history: deque[Message]) -> Any:
    """Yield the messages of the next seconds, and keep the last comments."""
    end_us = clock.now_us() + seconds * 1_000_000
    while clock.now_us() < end_us:
        burst = traffic.next_burst()
        clock.advance(max(0.0, burst.at_ms / 1e3 - clock.now_us() / 1e6))
        history.extend(m for m in burst.messages if m.method == "WebcastChatMessage")
        yield burst.messages


def push(writer: RecordingWriter, messages: list[Message]) -> None:
    """Record a frame."""
    data = encode_push_frame(encode_fetch_result(messages, cursor="c"), seq_id=1, log_id=1)
    writer.take(writer.write(FrameKind.PUSH, data))


def test_live_healed_rebuilt_and_followed_recordings_say_the_same(
    tmp_path: Path, live: RecordingWriter
) -> None:
    """To the last digit: all of them fold the same messages."""
    told = live.gaps()
    live.close_segment(Cause.LIVE_ENDED)
    folder = RecordingsFolder(tmp_path)
    with open_recording(live.path) as followed:
        running = {
            table: followed.sql(f"FROM {table} ORDER BY ALL").rows() for table in ("gaps", "tombstones")
        }
        streaks = followed.gift_ledger.select("count").collect()["count"].sum()
    during = folder.info(live.id)["gaps"]
    live.abandon()
    (report,) = folder.heal()
    assert report.sealed
    healed = account(live.path)
    assert len(healed["gaps"]) == 2
    assert len(healed["gift_ledger"]) > 20
    after = folder.info(live.id)["gaps"]
    assert during == after
    assert [g["missed"] for g in after] == [{k: m.as_dict() for k, m in gap.missed.items()} for gap in told]
    folder.rebuild(live.id)
    assert account(live.path) == healed
    with open_recording(live.path) as sealed:
        for table, rows in running.items():
            assert sealed.sql(f"FROM {table} ORDER BY ALL").rows() == rows
        assert sealed.gift_ledger.select("count").collect()["count"].sum() == streaks


def test_a_recording_that_ends_without_a_connection_ends_in_a_gap(
    tmp_path: Path, live: RecordingWriter, clock: ManualClock
) -> None:
    """Waited for in vain for a minute: a gap with its cause, all of it lost, in every account."""
    before = live.counts().last_write_at
    assert before is not None
    live.close_segment(Cause.NETWORK)
    assert live.gaps()[-1].ended_at is None, "it may still come back"
    clock.advance(60)
    ended_at = clock.now_us()
    live.seal()
    for rebuilt in (False, True):
        if rebuilt:
            RecordingsFolder(tmp_path).rebuild(live.id)
        with open_recording(live.path) as recording:
            gap = recording.info["gaps"][-1]
            box = coverage_box(recording.segments, recording.frames, recording.coverage.ended_at)
            minutes = minutes_observed(recording.segments, recording.coverage.ended_at)
            coverage = recording.coverage
        assert (gap["started_at"], gap["ended_at"]) == (iso_time(before), iso_time(ended_at))
        assert (gap["cause"], gap["missed"]["comment"]["quality"]) == ("network", "lost")
        assert coverage.share == pytest.approx(box["observed_share"].item())
        assert coverage.total_s - coverage.observed_s == pytest.approx(60 + 2 + 20, abs=2)
        assert (coverage.gaps, box["gaps"].item()) == (3, 3)
        assert minutes["observed_s"].sum() == pytest.approx(coverage.observed_s)
        assert minutes["observed_s"].to_list()[-1] == 0


def test_info_tells_a_person_each_gap_in_a_line(
    tmp_path: Path, live: RecordingWriter, clock: ManualClock
) -> None:
    """What is missing with its bounds; what nobody knows; how steady it was."""
    live.note({"stability": json.dumps({"uptime_share": 0.5, "outages": 3, "score": 61})})
    live.close_segment(Cause.SILENCE)
    clock.advance(60)
    live.seal()
    lines = info_lines(RecordingsFolder(tmp_path).info(live.id))
    assert "  connected 50.0% of the time, 3 interruptions, score 61 of 100" in lines
    short, long, lost = [line for line in lines if line.startswith("  gap ")]
    assert re.search(r"\([23] s\), network: ", short)
    assert re.search(r"\(2[01] s\), network: missed about \d+ comment \(\d+ to \d+\), ", long)
    assert re.search(r"\d+ comments came back$", long)
    assert lost.endswith("(60 s), silence: what was missed is not known")


def test_a_gap_that_nobody_saw_end_is_told_as_such(tmp_path: Path, live: RecordingWriter) -> None:
    """The recorder died, and nobody went on."""
    live.abandon()
    RecordingsFolder(tmp_path).heal()
    lines = info_lines(RecordingsFolder(tmp_path).info(live.id))
    assert lines[-1].endswith("to nobody knows when, process died: what was missed is not known")


def test_a_recording_that_is_stopped_while_connected_has_no_gap_at_its_end(
    tmp_path: Path, live: RecordingWriter
) -> None:
    """Nothing was waited for."""
    live.seal()
    assert len(RecordingsFolder(tmp_path).info(live.id)["gaps"]) == 2


def test_info_has_the_figures_of_each_gap(tmp_path: Path, live: RecordingWriter) -> None:
    """As the design shows them, and the same as JSON in the table."""
    live.seal()
    short, long = RecordingsFolder(tmp_path).info(live.id)["gaps"]
    assert short["missed"]["join"]["quality"] == long["missed"]["join"]["quality"] == "exact"
    comments = long["missed"]["comment"]
    assert comments["low"] <= comments["estimate"] <= comments["high"]
    assert (long["recovered_comments"], long["attempts"], long["cause"]) == (6, 2, "network")
    assert long["counters"]["entries"]["before"] < long["counters"]["entries"]["after"]
    stored = query(live.path, "SELECT missed, counters FROM gaps ORDER BY gap_id")
    assert [json.loads(missed) for missed, _ in stored] == [short["missed"], long["missed"]]
    assert query(live.path, "SELECT count(*) FROM comments WHERE is_history")[0][0] >= 6


def test_a_recording_from_before_the_gap_ledger_is_read_and_gains_it_by_a_rebuild(
    tmp_path: Path, live: RecordingWriter
) -> None:
    """Old columns only, and gaps that begin when they were noticed."""
    live.seal()
    now = account(live.path)
    with duckdb.connect(str(live.path)) as connection:
        for column in ("noticed_at", "attempts"):
            connection.execute(f"ALTER TABLE segments DROP {column}")
        for column in ("detected_at", "attempts", "last_frame_no", "first_frame_no", "last_occurred_at",
                       "first_occurred_at", "counters"):  # fmt: skip
            connection.execute(f"ALTER TABLE gaps DROP {column}")
        connection.execute("UPDATE gaps SET missed = '{}', recovered_comments = 0")
        for table in ("gift_ledger", "tombstones", "room_diamonds"):
            connection.execute(f"DROP TABLE {table}")
    folder = RecordingsFolder(tmp_path)
    assert [gap["missed"] for gap in folder.info(live.id)["gaps"]] == [{}, {}]
    assert folder.verify(live.id).ok
    with open_recording(live.path) as recording:
        assert recording.comments.collect().height == len(now["comments"])
    folder.rebuild(live.id)
    again = account(live.path)
    for table in ("gift_ledger", "tombstones", "room_diamonds", "comments"):
        assert again[table] == now[table], table
    # Who counted the attempts is forgotten; everything else is found again.
    figures = "SELECT started_at, ended_at, cause, recovered_comments, missed, counters FROM gaps"
    assert sorted(query(live.path, figures)) == sorted(
        (row[1], row[2], row[3], row[4], row[5], row[12]) for row in now["gaps"]
    )


def test_a_file_whose_later_columns_have_other_types_is_not_ours(
    tmp_path: Path, live: RecordingWriter
) -> None:
    """They may be absent, not different."""
    live.seal()
    with duckdb.connect(str(live.path)) as connection:
        connection.execute("ALTER TABLE gaps ALTER counters TYPE BLOB")
    with pytest.raises(NotARecording, match="gaps"):
        open_recording(live.path)


def test_figures_of_a_stranger_that_are_no_figures_are_left_out(
    tmp_path: Path, live: RecordingWriter
) -> None:
    """A recording may come from anybody."""
    live.seal()
    strange = ["[1]", "x", '{"comment": 5, "like": {"quality": "sure"}}', "[" * 100_000]
    folder = RecordingsFolder(tmp_path)
    for text in strange:
        with duckdb.connect(str(live.path)) as connection:
            connection.execute("UPDATE gaps SET missed = ?, counters = ?, cause = 'magic'", [text, text])
        gaps = folder.info(live.id)["gaps"]
        assert [(gap["missed"], gap["cause"]) for gap in gaps] == [({}, "internal")] * 2


def delete(msg_id: int, messages: list[int], users: list[int]) -> Message:
    """Return TikTok's word that something is withdrawn."""
    deletion = message_class("WebcastImDeleteMessage")()
    deletion.common.msg_id = msg_id
    deletion.delete_msg_ids.extend(messages)
    deletion.delete_user_ids.extend(users)
    return Message("WebcastImDeleteMessage", msg_id, deletion.SerializeToString())


def test_withdrawn_comments_stay_and_are_not_public(
    tmp_path: Path, clock: ManualClock, make: Any, recorded: Callable[..., RecordingWriter]
) -> None:
    """By message, by author up to then; sealed or running; plain rows keep everything."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(make.room)
    push(writer, [make.comment(i, user_id=i % 3) for i in range(1, 7)])
    push(writer, [delete(90, [2, 8], [1])])
    push(writer, [make.comment(7, user_id=1), make.comment(8, user_id=2)])
    for is_sealed in (False, True):
        if is_sealed:
            writer.seal()
        with open_recording(writer.path) as recording:
            assert recording.comments.collect()["msg_id"].to_list() == list(range(1, 9))
            public = recording.public_comments.collect().sort("seq")
            assert public["msg_id"].to_list() == [3, 5, 6, 7]
            assert recording.sql("SELECT count(*) AS n FROM public_comments")["n"][0] == 4
            assert recording.tombstones.collect().select("scope", "target_id").rows() == [
                ("message", 2),
                ("message", 8),
                ("user", 1),
            ]


def test_a_file_that_brings_the_views_itself_is_refused(tmp_path: Path, live: RecordingWriter) -> None:
    """They are made when it is opened: a view in a file could read anything."""
    live.seal()
    with duckdb.connect(str(live.path)) as connection:
        connection.execute("CREATE VIEW public_comments AS SELECT 1")
    with pytest.raises(NotARecording, match="public_comments"):
        open_recording(live.path)


def test_pins_polls_and_battles_keep_their_last_state(tmp_path: Path, clock: ManualClock) -> None:
    """Ends win over what arrives after them."""
    writer = RecordingWriter.create(tmp_path, "alice", clock=clock)
    writer.open_segment(1)
    traffic = Traffic(PRESETS["typical"].at_rate(2, 60), 5, clock.now_us() // 1000)
    for messages in bursts(traffic, clock, 400, deque(maxlen=6)):
        push(writer, messages)
    writer.seal()
    with open_recording(writer.path) as recording:
        for view, table, key, end in (
            ("last_polls", "polls", "poll_id", "stage = 1"),
            ("last_battles", "battles", "battle_id", "action = 5"),
            ("last_battle_scores", "battle_scores", "battle_id", "TRUE"),
            ("last_pins", "pins", "pinned_msg_id", "TRUE"),
        ):
            last = recording.sql(f"SELECT count(*) AS n, count(DISTINCT {key}) AS d FROM {view}").row(0)
            known = recording.sql(f"SELECT count(DISTINCT {key}) AS d FROM {table}")["d"][0]
            assert last == (known, known), view
            ended = recording.sql(f"SELECT count(DISTINCT {key}) AS d FROM {table} WHERE {end}")["d"][0]
            assert recording.sql(f"SELECT count(*) AS n FROM {view} WHERE {end}")["n"][0] == ended > 0, view
