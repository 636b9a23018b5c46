"""The journal's writer: when bytes reach the disk, what a failing one leads to, how it is resumed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.waiting import wait_until
from toolkit.errors import DiskFull, JournalNotWritten, NotARecording, RecordingBusy
from toolkit.store import journal as module
from toolkit.store import syncing
from toolkit.store.journal import JournalClaim, JournalWriter, RecordType, is_being_written, read_journal

HEADER_BYTES, RECORD_BYTES = 16, 38
"""Of the file, and of a record around its payload."""


class Disk:
    """Counts the flushes to a disk, which may fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.flushes = 0
        self.flushed_at_s: list[float] = []
        self.error: OSError | None = None
        self._flush = syncing._flush
        monkeypatch.setattr(syncing, "_flush", self.flush)

    def flush(self, descriptor: int) -> None:
        """Flush really, unless it fails."""
        self.flushes += 1
        self.flushed_at_s.append(time.monotonic())
        if self.error is not None:
            raise self.error
        self._flush(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Return the disk under the journal."""
    return Disk(monkeypatch)


def test_each_burst_reaches_the_disk_without_being_asked(tmp_path: Path, disk: Disk) -> None:
    """A power cut costs what came since the last flush, so there is one after every burst."""
    writer = JournalWriter(tmp_path / "x.journal", sync_interval_s=0)
    for burst in (1, 2, 3):
        writer.append(RecordType.FRAME, b"x")
        wait_until(lambda burst=burst: disk.flushes >= burst)
    writer.close()


def test_a_flood_is_flushed_twice_a_second_at_most(tmp_path: Path, disk: Disk) -> None:
    """A flush for each frame would wear the disk out and hold the recorder up."""
    assert syncing.SYNC_INTERVAL_S <= 0.5, "the most that a power cut may cost"
    writer = JournalWriter(tmp_path / "x.journal")
    writer.append(RecordType.FRAME, b"x")
    wait_until(lambda: disk.flushes == 1)
    began = time.monotonic()
    while time.monotonic() < began + 0.2:
        writer.append(RecordType.FRAME, b"x")
    assert all(after - before > 0.4 for before, after in pairwise(disk.flushed_at_s))
    writer.close()


def test_a_journal_that_nobody_writes_to_is_not_flushed(tmp_path: Path, disk: Disk) -> None:
    """Neither before its first record nor after the last: the disk may sleep."""
    writer = JournalWriter(tmp_path / "x.journal", sync_interval_s=0)
    time.sleep(0.02)
    assert disk.flushes == 0
    writer.append(RecordType.FRAME, b"x")
    wait_until(lambda: disk.flushes == 1)
    time.sleep(0.05)
    assert disk.flushes == 1
    writer.close()


def test_a_process_that_never_closes_its_journal_ends_all_the_same(tmp_path: Path) -> None:
    """Nobody waits for the thread that flushes; what was written is there."""
    code = (
        "import sys; from pathlib import Path\n"
        "from toolkit.store.journal import JournalWriter\n"
        "writer = JournalWriter(Path(sys.argv[1]), sync_interval_s=3600)\n"
        "writer.append(3, b'x'); writer.append(3, b'y')\n"
    )
    path = tmp_path / "x.journal"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=30)
    assert [record.payload for record in read_journal(path)] == [b"x", b"y"]


def test_closing_flushes_at_once_whatever_the_interval(tmp_path: Path, disk: Disk) -> None:
    """It does not wait for the next one, and is harmless when repeated."""
    writer = JournalWriter(tmp_path / "x.journal", sync_interval_s=3600)
    writer.append(RecordType.FRAME, b"x")
    wait_until(lambda: disk.flushes == 1)
    writer.append(RecordType.FRAME, b"y")
    began = time.monotonic()
    writer.close()
    assert disk.flushes == 2
    assert time.monotonic() < began + 60
    writer.close()
    assert disk.flushes == 2
    assert os.fstat(1), "repeating it must not close what somebody else has opened since"


def test_after_a_failed_flush_nothing_more_is_acknowledged(tmp_path: Path, disk: Disk) -> None:
    """The kernel may have dropped the very pages it could not write: no trying again."""
    writer = JournalWriter(tmp_path / "x.journal", sync_interval_s=0)
    disk.error = OSError(errno.EIO, "Input/output error")
    writer.append(RecordType.FRAME, b"x")
    wait_until(lambda: disk.flushes == 1)
    disk.error = None
    wait_until(lambda: writer._sync._error is not None)
    with pytest.raises(JournalNotWritten, match=r"disk failed .*Input/output error") as failed:
        writer.append(RecordType.FRAME, b"y")
    assert "new recording" in failed.value.hint
    assert writer.records == 1
    with pytest.raises(JournalNotWritten):
        writer.close()
    assert not is_being_written(writer.path), "it lets go of the file all the same"
    writer.close()


def test_a_record_says_only_what_it_was_given(tmp_path: Path) -> None:
    """Segment, times and kind are 0 where there are none; the writer knows its length and count."""
    writer = JournalWriter(tmp_path / "x.journal")
    assert (writer.bytes, writer.records) == (HEADER_BYTES, 0)
    assert writer.path.stat().st_mode & 0o700 == 0o600, "its owner reads and writes it"
    assert writer.append(RecordType.NOTE, b"abc") == 1
    assert writer.append(9, b"", segment_id=2, received_at=-3, mono_ns=4, kind=5) == 2
    assert writer.bytes == writer.path.stat().st_size == HEADER_BYTES + 2 * RECORD_BYTES + 3
    assert writer.records == 2
    writer.close()
    one, two = read_journal(writer.path)
    assert (one.type, one.segment_id, one.received_at, one.mono_ns, one.kind, one.payload) == (
        RecordType.NOTE, 0, 0, 0, 0, b"abc"
    )  # fmt: skip
    assert (two.type, two.segment_id, two.received_at, two.mono_ns, two.kind, two.payload) == (
        9, 2, -3, 4, 5, b""
    )  # fmt: skip


def test_the_longest_record_is_written_and_read_and_a_longer_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte, or the longest would be taken for damage; and so it would with a smaller limit."""
    assert module.RECORD_BYTES_MAX == 64 << 20
    monkeypatch.setattr(module, "RECORD_BYTES_MAX", 1000)
    writer = JournalWriter(tmp_path / "x.journal")
    writer.append(RecordType.FRAME, bytes(1000 - 30))
    with pytest.raises(JournalNotWritten, match="971 bytes is longer"):
        writer.append(RecordType.FRAME, bytes(1000 - 29))
    writer.append(RecordType.FRAME, b"")
    writer.close()
    assert [len(record.payload) for record in read_journal(writer.path)] == [970, 0]


def test_the_longest_record_is_found_behind_damage_and_counts_when_it_is_damaged_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte as well: the only record left is not passed over, a lost one leaves its number."""
    monkeypatch.setattr(module, "RECORD_BYTES_MAX", 1000)
    writer = JournalWriter(tmp_path / "x.journal")
    writer.append(RecordType.FRAME, b"first")
    writer.append(RecordType.FRAME, bytes(1000 - 30))
    writer.close()
    whole = writer.path.read_bytes()
    writer.path.write_bytes(whole[:50] + b"\xff" + whole[51:])
    reader = read_journal(writer.path)
    assert [(record.number, len(record.payload)) for record in reader] == [(2, 970)]
    assert (reader.lost, reader.tail_bytes) == (1, 0)
    writer.path.write_bytes(whole[:-1] + b"\xff")
    again = JournalWriter.resume(writer.path)
    assert again.append(RecordType.FRAME, b"third") == 3
    again.close()


def test_a_journal_that_cannot_begin_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a header would be taken for a recording."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(
        JournalNotWritten, match=r"x\.journal: 16 bytes .*\(No space left on device\)"
    ) as failed:
        JournalWriter(tmp_path / "x.journal")
    assert "Free space" in failed.value.hint
    assert list(tmp_path.iterdir()) == []
    numbers = []
    for _ in range(20):
        with pytest.raises(JournalNotWritten):
            JournalWriter(tmp_path / "x.journal")
        with (tmp_path / "other").open("wb") as file:
            numbers.append(file.fileno())
    assert max(numbers) < min(numbers) + 10, "files stay open"


@pytest.mark.parametrize(
    ("number", "is_full"),
    [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EFBIG, True), (errno.EIO, False)],
)
def test_a_disk_without_room_is_told_from_one_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_full: bool
) -> None:
    """Room may be made; the disk, the quota and the longest file there can be are the same to a frame."""
    writer = JournalWriter(tmp_path / "x.journal")

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as failing:
        failing.setattr(os, "pwrite", refuse)
        with pytest.raises(JournalNotWritten) as failed:
            writer.append(RecordType.FRAME, b"one")
    assert isinstance(failed.value, DiskFull) == is_full
    assert writer.append(RecordType.FRAME, b"one") == 1
    writer.close()


def test_a_write_cut_short_is_a_full_disk_even_if_nothing_can_be_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The half record is covered by the next one."""
    writer = JournalWriter(tmp_path / "x.journal")
    writer.append(RecordType.FRAME, b"one")
    with monkeypatch.context() as failing:
        pwrite = os.pwrite
        failing.setattr(os, "pwrite", lambda fd, data, at: pwrite(fd, data[:20], at))
        failing.setattr(os, "ftruncate", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "no")))
        with pytest.raises(DiskFull, match="No space left"):
            writer.append(RecordType.FRAME, b"two" * 100)
    assert writer.path.stat().st_size == writer.bytes + 20
    assert writer.append(RecordType.FRAME, b"three") == 2
    writer.close()
    reader = read_journal(writer.path)
    assert [record.payload for record in reader] == [b"one", b"three"]
    assert (reader.damaged, reader.tail_bytes) == ([], 0)


def left_behind(path: Path, *payloads: bytes) -> bytes:
    """Write records as a recorder that died; return the file's bytes."""
    writer = JournalWriter(path)
    for payload in payloads:
        writer.append(RecordType.FRAME, payload)
    writer.close()
    return path.read_bytes()


def test_resuming_goes_on_behind_the_last_whole_record(tmp_path: Path) -> None:
    """Numbers and bytes, and the file is locked again."""
    path = tmp_path / "x.journal"
    whole = left_behind(path, b"one", b"two")
    writer = JournalWriter.resume(path)
    assert (writer.path, writer.bytes, writer.records) == (path, len(whole), 2)
    assert is_being_written(path)
    assert writer.append(RecordType.FRAME, b"three") == 3
    writer.close()
    assert [record.number for record in read_journal(path)] == [1, 2, 3]


@pytest.mark.parametrize("left", [1, 7, 8, 20, 37, 40])
def test_resuming_cuts_off_a_record_that_was_never_finished(tmp_path: Path, left: int) -> None:
    """However much of it there is; its number was never acknowledged."""
    path = tmp_path / "x.journal"
    whole = left_behind(path, b"one", b"two")
    path.write_bytes(whole[: len(whole) - 41 + left])
    writer = JournalWriter.resume(path)
    assert (writer.bytes, writer.records) == (len(whole) - 41, 1)
    assert path.stat().st_size == writer.bytes
    writer.close()


def test_resuming_keeps_the_number_of_a_finished_record_that_is_damaged(tmp_path: Path) -> None:
    """The loss can then be seen: a record is missing between its neighbours."""
    path = tmp_path / "x.journal"
    whole = left_behind(path, b"one", b"two")
    path.write_bytes(whole[:-1] + b"?")
    writer = JournalWriter.resume(path)
    assert (writer.bytes, writer.records) == (len(whole), 2)
    assert writer.append(RecordType.FRAME, b"three") == 3
    writer.close()
    reader = read_journal(path)
    assert [record.number for record in reader] == [1, 3]
    assert (reader.lost, len(reader.damaged)) == (1, 1)


@pytest.mark.parametrize("length", [0, 29, 64 * 1024 * 1024 + 1])
def test_resuming_believes_no_length_that_a_record_cannot_have(tmp_path: Path, length: int) -> None:
    """Whatever follows the last whole record is then a torn one."""
    path = tmp_path / "x.journal"
    whole = left_behind(path, b"one")
    path.write_bytes(whole + length.to_bytes(4, "little") + bytes(100))
    writer = JournalWriter.resume(path)
    assert (writer.bytes, writer.records) == (len(whole), 1)
    writer.close()


def test_what_cannot_be_resumed_is_said_and_let_go(tmp_path: Path) -> None:
    """No record, somebody else's, not there: and afterwards nobody holds the file."""
    empty = tmp_path / "empty.journal"
    left_behind(empty)
    with pytest.raises(NotARecording, match=r"empty\.journal holds no whole record"):
        JournalWriter.resume(empty)
    with JournalClaim(empty), pytest.raises(RecordingBusy, match="empty is being recorded") as busy:
        JournalWriter.resume(empty)
    assert "Stop its recorder" in busy.value.hint
    assert not is_being_written(empty)
    with pytest.raises(FileNotFoundError):
        JournalWriter.resume(tmp_path / "missing.journal")
    with pytest.raises(FileNotFoundError):
        is_being_written(tmp_path / "missing.journal")


def test_a_resumed_journal_is_flushed_as_any_other(tmp_path: Path, disk: Disk) -> None:
    """With the interval it was given."""
    path = tmp_path / "x.journal"
    left_behind(path, b"one")
    before = disk.flushes
    writer = JournalWriter.resume(path, sync_interval_s=0)
    for burst in (1, 2):
        writer.append(RecordType.FRAME, b"x")
        wait_until(lambda burst=burst: disk.flushes >= before + burst)
    writer.close()


def test_a_claim_keeps_others_out_until_it_ends(tmp_path: Path) -> None:
    """Two healers, or a healer and a recorder, never at once."""
    path = tmp_path / "x.journal"
    left_behind(path, b"one")
    with JournalClaim(path) as claim:
        assert isinstance(claim, JournalClaim)
        with pytest.raises(RecordingBusy):
            JournalClaim(path)
    JournalWriter.resume(path).close()
