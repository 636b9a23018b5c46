"""Frames that come while the disk is full: real journal and database, a disk that refuses on demand."""

from __future__ import annotations

import errno
import json
import os
from random import Random

import pytest

from toolkit.bus.memory import MemoryBus
from toolkit.capture import intake
from toolkit.capture.account import ConnectionAccount
from toolkit.capture.intake import Intake
from toolkit.capture.kind_watch import KindWatch
from toolkit.clock import ManualClock
from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.kind_silence import USUAL_LIMITS
from toolkit.connect.stimuli import Live, Start, Up
from toolkit.connect.supervisor import Supervisor
from toolkit.errors import DiskFull, JournalNotWritten
from toolkit.model.event import Control
from toolkit.model.frame import FrameKind, Message
from toolkit.model.recording import Cause
from toolkit.store.journal import RecordType, read_journal
from toolkit.store.writer import RecordingWriter
from toolkit.wire.decode import decode_frame
from toolkit.wire.encode import encode_fetch_result, encode_push_frame
from toolkit.wire.schema import message_class


def connected_account(clock):
    """Return the account of a connection that just came up."""
    supervisor = Supervisor(BackoffPolicy(), Random(1))
    for stimulus in (Start(), Live(), Up()):
        supervisor.handle(stimulus, clock.mono_ns() / 1e9)
    return ConnectionAccount(supervisor, clock)


class Desk:
    """An intake with a recording, on a disk that refuses while ``refusal`` is not 0."""

    def __init__(self, folder, monkeypatch):
        self.clock, self.bus = ManualClock(), MemoryBus()
        self.heard = self.bus.subscribe(notices_max=1000)
        self.account = account = connected_account(self.clock)
        self.intake = Intake(self.bus, self.clock, KindWatch(account, USUAL_LIMITS), account)
        self.writer = RecordingWriter.create(folder, "ann", clock=self.clock)
        self.writer.open_segment(7)
        self.refusal = 0
        pwrite = os.pwrite

        def refuse_or_write(descriptor, data, position):
            if self.refusal:
                raise OSError(self.refusal, os.strerror(self.refusal))
            return pwrite(descriptor, data, position)

        monkeypatch.setattr(os, "pwrite", refuse_or_write)

    def take(self, number, *, kind=FrameKind.PUSH, method="WebcastChatMessage", payload=b""):
        """Take a frame in; return the numbers of those that may be acknowledged now."""
        data = encode_fetch_result([Message(method, number, payload)], cursor="")
        if kind is FrameKind.PUSH:
            data = encode_push_frame(data, seq_id=number, log_id=number)
        return numbers(self.intake.take(self.writer, kind, data))

    def look(self, after_s):
        """Look again after some seconds; return the numbers of those that may be acknowledged now."""
        self.clock.advance(after_s)
        return numbers(self.intake.look(self.writer))

    def written(self):
        """Return the times of the frames in the journal, in seconds after the first."""
        path = self.writer.path.with_suffix(".journal")
        frames = [record for record in read_journal(path) if record.type == RecordType.FRAME]
        return [round((frame.mono_ns - frames[0].mono_ns) / 1e9) for frame in frames]

    def told(self):
        """Return what reached the bus so far of comments and ends."""
        return [notice.data.msg_id for notice in self.heard.take() if hasattr(notice.data, "msg_id")]


def numbers(stubs):
    """Return what TikTokLive would acknowledge."""
    return [decode_frame(stub).log_id for stub in stubs]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Return an intake with space on its disk."""
    desk = Desk(tmp_path, monkeypatch)
    yield desk
    desk.refusal = 0
    desk.writer.abandon()


def test_how_steady_the_connection_is_is_noted_up_to_the_last_frame(desk):
    """What came after it was silence: who goes on with the recording counts it as time away, once."""
    desk.clock.advance(3)
    desk.take(1)
    heard_at = desk.clock.now_us()
    desk.clock.advance(11)
    saved = desk.account.stability_saved()
    assert (saved["connected_s"], saved["disconnected_s"], saved["at"]) == (3, 0, heard_at)
    later = ConnectionAccount(Supervisor(BackoffPolicy(), Random(1)), desk.clock)
    later.resume(json.dumps(saved), heard_at)
    figures = later.status()["stability"]
    assert (figures["connected_s"], figures["disconnected_s"]) == (3, 11)


@pytest.mark.parametrize("full", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_what_comes_while_the_disk_is_full_waits_in_order(desk, full):
    """Nothing is acknowledged or told before it is written; then all is, with the time it came at."""
    assert desk.take(1) == [1]
    desk.refusal = full
    assert desk.take(2) == []
    desk.clock.advance(0.6)
    assert desk.take(3) == []
    assert (desk.intake.held, desk.told(), desk.written()) == (2, [1], [0])
    desk.refusal = 0
    assert desk.look(0.3) == [], "tried again each second, not each time"
    assert desk.look(2.1) == [2, 3]
    assert desk.take(4) == [4]
    assert (desk.intake.held, desk.told(), desk.written()) == (0, [2, 3, 4], [0, 0, 1, 3])


def test_a_frame_that_comes_when_there_is_room_again_brings_the_others_along(desk):
    """In a busy room nobody looks between frames."""
    desk.refusal = errno.ENOSPC
    assert desk.take(1) == []
    desk.refusal = 0
    desk.clock.advance(1.5)
    assert desk.take(2) == [1, 2]


def test_room_for_some_is_used_for_some(desk, monkeypatch):
    """The rest waits on, and the order stays."""
    desk.refusal = errno.ENOSPC
    for number in (1, 2, 3):
        assert desk.take(number) == []
    desk.refusal, passed = 0, []
    publish = desk.bus.publish

    def full_after_two(items):
        passed.append(items)
        desk.refusal = errno.ENOSPC if len(passed) == 2 else 0
        return publish(items)

    monkeypatch.setattr(desk.bus, "publish", full_after_two)
    assert desk.look(1.5) == [1, 2]
    desk.refusal = 0
    assert desk.look(1.5) == [3]


def test_the_memory_for_it_is_bounded_in_bytes(desk, monkeypatch):
    """One frame more than fits ends the connection; those that wait are kept for its end."""
    monkeypatch.setattr(intake, "HELD_BYTES_MAX", 4200)
    desk.refusal = errno.ENOSPC
    assert desk.take(1, payload=Random(1).randbytes(1000)) == []
    with pytest.raises(DiskFull, match=r"so is the memory for what comes meanwhile \(3 frames\)"):
        for number in range(2, 20):
            desk.take(number, payload=Random(number).randbytes(500))
    desk.refusal = 0
    desk.intake.flush(desk.writer)
    desk.writer.close_segment(Cause.INTERNAL)
    assert (desk.intake.held, len(desk.written())) == (0, 3)
    assert desk.intake.warnings() == []


def test_frames_of_no_bytes_fill_the_memory_too(desk, monkeypatch):
    """Each costs what it takes to keep one."""
    monkeypatch.setattr(intake, "HELD_BYTES_MAX", 10 * intake.FRAME_OVERHEAD_BYTES)
    desk.refusal = errno.ENOSPC
    with pytest.raises(DiskFull):
        for _ in range(11):
            desk.intake.take(desk.writer, FrameKind.PUSH, b"")
    assert desk.intake.held == 10


def test_it_is_said_how_many_wait_and_what_to_do(desk):
    """One warning while they do, none before and after; who asks hears of each change once."""
    assert (desk.intake.warnings(), desk.intake.has_news()) == ([], False)
    desk.refusal = errno.ENOSPC
    desk.take(1)
    desk.take(2)
    (warning,) = desk.intake.warnings()
    assert warning["kind"] == "disk"
    assert warning["text"].startswith("The disk is full: 2 frames (0.0 MB of at most 34) are held in memory")
    assert "Free space" in warning["text"]
    assert [desk.intake.has_news(), desk.intake.has_news()] == [True, False]
    desk.refusal = 0
    desk.look(2)
    assert (desk.intake.warnings(), desk.intake.has_news()) == ([], True)


def test_what_opened_the_connection_is_not_acknowledged_late(desk):
    """TikTokLive has it from the signing service, and nobody waits for a word about it."""
    assert desk.take(1, kind=FrameKind.FETCH) == []
    desk.refusal = errno.ENOSPC
    assert desk.take(2, kind=FrameKind.FETCH) == []
    assert desk.take(3) == []
    desk.refusal = 0
    assert desk.look(1.5) == [3]
    assert len(desk.written()) == 3


def test_the_end_of_the_live_counts_when_it_is_written(desk):
    """Also where it comes to light after the connection is gone."""
    desk.refusal = errno.ENOSPC
    ended = message_class("WebcastControlMessage")(action=3)
    desk.take(1, method="WebcastControlMessage", payload=ended.SerializeToString())
    assert not desk.intake.live_ended
    desk.refusal = 0
    desk.intake.flush(desk.writer)
    (notice,) = [n for n in desk.heard.take() if isinstance(n.data, Control)]
    assert notice.data.action == 3
    assert desk.intake.live_ended


def test_what_is_given_up_is_gone(desk):
    """The recording is sealed without it."""
    desk.refusal = errno.ENOSPC
    desk.take(1)
    with pytest.raises(DiskFull):
        desk.intake.flush(desk.writer)
    desk.intake.drop()
    desk.refusal = 0
    assert (desk.intake.held, desk.look(2), desk.written()) == (0, [], [])


def test_a_disk_that_fails_is_not_waited_for(desk):
    """Nothing is kept in memory for one that may never write again."""
    desk.refusal = errno.EIO
    with pytest.raises(JournalNotWritten) as failed:
        desk.take(1)
    assert not isinstance(failed.value, DiskFull)
    assert desk.intake.held == 0
