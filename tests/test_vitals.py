"""Readiness and readings of a recording that is really written, by how it really goes wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.waiting import wait_until
from toolkit.bus.live_state import LiveState
from toolkit.bus.memory import MemoryBus
from toolkit.capture.account import idle_status
from toolkit.clock import ManualClock
from toolkit.connect.stability import Stability
from toolkit.errors import JournalNotWritten
from toolkit.model.connection import ConnectionState
from toolkit.model.frame import FrameKind, Message
from toolkit.observe.metrics import render
from toolkit.store import projector
from toolkit.store.writer import RecordingWriter
from toolkit.vitals import Vitals
from toolkit.wire.encode import encode_fetch_result, encode_push_frame


@pytest.fixture
def writer(tmp_path: Path) -> RecordingWriter:
    """Return a recording with an open segment and no frame."""
    folder = tmp_path / "recordings"
    writer = RecordingWriter.create(folder, "ann", clock=ManualClock())
    writer.open_segment(7)
    yield writer
    writer.abandon()


def vitals(writer: RecordingWriter, status: dict[str, object] | None = None) -> Vitals:
    """Return the signs of life of a process that writes this recording."""
    return Vitals(
        folder=writer.path.parent,
        refusal="",
        is_healed=True,
        loop_lag_s=0.0,
        status={**idle_status("ann"), **(status or {})},
        figures=LiveState(MemoryBus()).snapshot(0),
        written=writer.counts(),
        bus_seq=0,
        is_rehearsing=False,
        pages_open=0,
    )


def push(writer: RecordingWriter) -> None:
    """Record one frame."""
    body = encode_fetch_result([Message("WebcastChatMessage", 1, b"")], cursor="")
    writer.take(writer.write(FrameKind.PUSH, encode_push_frame(body, seq_id=1, log_id=1)))


def test_everything_passes_while_everything_is_well(writer: RecordingWriter) -> None:
    """A frame, written and projected."""
    push(writer)
    wait_until(lambda: writer.counts().lag.batches == 0)
    assert all(check["ok"] for check in vitals(writer).readiness().values())


def test_a_database_that_cannot_be_written_is_told_before_it_is_late(writer: RecordingWriter) -> None:
    """The first failed write is enough, and the sentence names it."""
    writer.path.mkdir()
    push(writer)
    wait_until(lambda: writer.counts().lag.error)
    check = vitals(writer).readiness()["projector"]
    assert not check["ok"]
    assert writer.counts().lag.error in check["detail"]


def test_a_database_that_was_given_up_is_told(
    writer: RecordingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits any more, so lateness alone would say that all is well."""
    monkeypatch.setattr(projector, "QUEUE_BATCHES_MAX", 1)
    for _ in range(3):
        push(writer)
    wait_until(lambda: writer.counts().lag.batches == 0)
    check = vitals(writer).readiness()["projector"]
    assert not check["ok"]
    assert "when the recording is sealed" in check["detail"]


def test_frames_that_are_not_written_are_told_with_the_reason(writer: RecordingWriter) -> None:
    """There may be space and no file to write to."""
    push(writer)
    folder = writer.path.parent
    shutil.rmtree(folder)
    folder.write_text("in the way")
    with pytest.raises(JournalNotWritten):
        writer.keep_in_place()
    with pytest.raises(JournalNotWritten):
        push(writer)
    check = vitals(writer).readiness()["disk"]
    assert not check["ok"]
    assert "cannot be written again" in check["detail"]
    folder.unlink()
    assert writer.keep_in_place()
    push(writer)
    assert vitals(writer).readiness()["disk"]["ok"]
    assert writer.counts().frames == 2


def test_frames_that_wait_for_room_are_told(writer: RecordingWriter) -> None:
    """The recorder's own sentence, with how many: the connection stands, and yet all is not well."""
    warnings = [{"kind": "file", "text": "something else"}, {"kind": "disk", "text": "12 frames are held"}]
    check = vitals(writer, {"warnings": warnings}).readiness()["disk"]
    assert check == {"ok": False, "detail": "12 frames are held"}
    assert vitals(writer, {"warnings": warnings[:1]}).readiness()["disk"]["ok"]


def test_a_disk_that_is_nearly_full_is_told_with_what_to_do(
    writer: RecordingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How much is left, what it takes, what helps."""
    monkeypatch.setattr("toolkit.vitals.DISK_FREE_BYTES_MIN", 1 << 60)
    check = vitals(writer).readiness()["disk"]
    assert not check["ok"]
    assert "Make space" in check["detail"]


def test_how_steady_the_connection_is_can_be_scraped(writer: RecordingWriter) -> None:
    """Shares, the objective's rate, and the times by quantile."""
    stability = Stability(ConnectionState.CONNECTED, 0)
    stability.heard(202.5)
    stability.lost(215)
    stability.moved(ConnectionState.RECONNECTING, 215)
    stability.moved(ConnectionState.CONNECTED, 225)
    readings = vitals(writer, {"stability": stability.figures(225)}).readings()
    shown = render(readings).decode()
    for line in (
        "toolkit_uptime_share 0.9",
        "toolkit_reconnect_success_rate 1.0",
        'toolkit_detect_seconds{quantile="0.99"} 12.5',
        'toolkit_back_seconds{quantile="0.5"} 10.0',
        'toolkit_back_seconds{quantile="1"} 10.0',
        "toolkit_outages_total 1.0",
    ):
        assert line in shown
