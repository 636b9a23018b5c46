"""
The journal: an append-only file, one checksummed record per frame.

It is the truth of a recording while it runs. A record is in the kernel's hands
when `append` returns, so a killed process loses nothing; it is on the disk at
most half a second later, so a power cut loses at most that.

    file    = magic (8 bytes), version (u32), reserved (u32), record ...
    record  = length (u32), crc32 of the body (u32), body
    body    = number (u64), type (u8), segment (u32), received_at (i64, us),
              mono (i64, ns), frame kind (u8), payload

Little endian throughout. Numbers count 1, 2, 3 ... A reader needs no lock: it
stops where the bytes stop making sense, and goes on from there later.

May import ``model`` and ``errors``. Knows files, not recordings.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from toolkit import failpoint
from toolkit.errors import DiskFull, JournalNotWritten, NotARecording, RecordingBusy
from toolkit.store.plain_file import open_file
from toolkit.store.syncing import SYNC_INTERVAL_S, Syncer

__all__ = [
    "RECORD_BYTES_MAX",
    "DamagedRange",
    "JournalReader",
    "JournalWriter",
    "Record",
    "RecordType",
    "is_being_written",
    "read_journal",
]

_MAGIC = b"TTLVJRNL"
_VERSION = 1
_FILE_HEADER = struct.Struct("<8sII")
_PREFIX = struct.Struct("<II")
_BODY = struct.Struct("<QBIqqB")

RECORD_BYTES_MAX = 64 * 1024 * 1024
"""Longest body. The socket accepts frames of 4 MiB; anything longer is damage."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No room: on the disk, for this user, or for a file so long."""

_CLAIM_TRIES, _CLAIM_EVERY_S = 10, 0.02
"""Who lists the folder holds a journal for microseconds; a recorder does not let go."""

_SCAN_BYTES = 4 * 1024 * 1024
"""Window in which a reader looks for the next whole record behind damage."""


class RecordType(IntEnum):
    """What a record says. Stored: never renumber. A reader skips types it does not know."""

    HEADER = 1
    """JSON: whose recording this is and what wrote it."""
    SEGMENT_OPENED = 2
    """JSON: the room a connected stretch belongs to."""
    FRAME = 3
    """The frame's bytes, untouched."""
    SEGMENT_CLOSED = 4
    """JSON: why the stretch ended."""
    NOTE = 5
    """JSON: facts about the recording that were not known when it began."""


@dataclass(frozen=True, slots=True)
class Record:
    """
    One record.

    Attributes:
        number: Position in the journal, 1-based.
        type: A :class:`RecordType` value, or one that a later version invented.
        segment_id: The connected stretch; 0 where there is none.
        received_at: Wall clock, microseconds UTC.
        mono_ns: Monotonic clock, nanoseconds.
        kind: A :class:`~toolkit.model.frame.FrameKind` value for frames, else 0.
        payload: The rest.
    """

    number: int
    type: int
    segment_id: int
    received_at: int
    mono_ns: int
    kind: int
    payload: bytes


class JournalWriter:
    """
    Appends records. One thread at a time; a second thread only flushes to the disk.

    Holds an exclusive lock on the file, so that others can tell a journal being
    written from one whose writer died. Close it when done.

    Attributes:
        path: The file.
        bytes: Its length.
        records: How many it holds.
    """

    def __init__(self, path: Path, *, sync_interval_s: float = SYNC_INTERVAL_S) -> None:
        """
        Create the file.

        Raises:
            FileExistsError: There is one already; see :meth:`resume`.
            OSError: The folder refuses it.
        """
        self.path = path
        self.records = 0
        self._fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            self.bytes = 0
            self._put(_FILE_HEADER.pack(_MAGIC, _VERSION, 0))
        except BaseException:
            os.close(self._fd)
            path.unlink(missing_ok=True)
            raise
        self._sync = Syncer(self._fd, sync_interval_s)

    @classmethod
    def resume(
        cls, path: Path, *, reader: JournalReader | None = None, sync_interval_s: float = SYNC_INTERVAL_S
    ) -> JournalWriter:
        """
        Go on with the journal of a writer that died.

        Args:
            path: The file.
            reader: One that has read it already, to save reading it again.
            sync_interval_s: Longest time that a record waits for the disk.

        Raises:
            RecordingBusy: It is being written, or healed, by somebody.
            NotARecording: There is no whole record in it.
            OSError: There is no such file, or it cannot be written.
        """
        writer = cls.__new__(cls)
        writer.path = path
        writer._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            _claim(writer._fd, path)
            reader = reader or JournalReader(path)
            for _ in reader:
                pass
            if not reader.number:
                raise NotARecording(f"{path.name} holds no whole record")
            writer.bytes, writer.records = reader.offset, reader.number
            if reader.tail_bytes and _is_whole_length(writer._fd, reader.offset):
                # A record that was finished, and has been damaged since: it stays where
                # it is and its number stays taken, so that the loss can be seen.
                writer.bytes += reader.tail_bytes
                writer.records += 1
            os.ftruncate(writer._fd, writer.bytes)
        except BaseException:
            os.close(writer._fd)
            raise
        writer._sync = Syncer(writer._fd, sync_interval_s)
        return writer

    def append(
        self,
        record_type: int,
        payload: bytes,
        *,
        segment_id: int = 0,
        received_at: int = 0,
        mono_ns: int = 0,
        kind: int = 0,
    ) -> int:
        """
        Write one record; it survives the death of this process once this returns.

        Args:
            record_type: A :class:`RecordType`.
            payload: What the record says.
            segment_id: The connected stretch; 0 where there is none.
            received_at: Wall clock, microseconds UTC.
            mono_ns: Monotonic clock, nanoseconds.
            kind: The frame's kind, for frames.

        Returns:
            The record's number.

        Raises:
            DiskFull: There is no room. The journal is whole and without this record.
            JournalNotWritten: The disk is failing; the same holds.
        """
        self._sync.check()
        if len(payload) > RECORD_BYTES_MAX - _BODY.size:
            raise JournalNotWritten(f"a record of {len(payload)} bytes is longer than any frame can be")
        number = self.records + 1
        head = _BODY.pack(number, record_type, segment_id, received_at, mono_ns, kind)
        checksum = zlib.crc32(payload, zlib.crc32(head))
        self._put(b"".join((_PREFIX.pack(len(head) + len(payload), checksum), head, payload)))
        self.records = number
        self._sync.wake()
        return number

    def close(self) -> None:
        """Flush to the disk and let go of the file. Harmless when repeated."""
        if self._fd < 0:
            return
        try:
            self._sync.stop()
        finally:
            os.close(self._fd)
            self._fd = -1

    def _put(self, data: bytes) -> None:
        # A position of our own instead of O_APPEND: whatever a failed write left
        # behind is overwritten by the next one, even if truncating fails too.
        if failpoint.is_due("half-record"):
            os.pwrite(self._fd, data[: len(data) // 2], self.bytes)
            failpoint.die()
        refused: type[JournalNotWritten]
        try:
            written = os.pwrite(self._fd, data, self.bytes)
            if written == len(data):
                self.bytes += written
                return
            refused = DiskFull
            reason = os.strerror(errno.ENOSPC)
        except OSError as error:
            refused = DiskFull if error.errno in _FULL else JournalNotWritten
            reason = error.strerror or str(error)
        self._roll_back()
        raise refused(
            f"{self.path.name}: {len(data)} bytes could not be written ({reason})",
            hint="Free space on the disk of the recordings folder; recording goes on by itself.",
        )

    def _roll_back(self) -> None:
        try:
            os.ftruncate(self._fd, self.bytes)
        except OSError:
            # A torn tail stays until the next write covers it. Readers skip it.
            return


def is_being_written(path: Path) -> bool:
    """
    Return whether a living process writes this journal.

    Raises:
        OSError: There is no such file, or it cannot be read.
    """
    with open_file(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class JournalClaim:
    """
    Holds a dead writer's journal while it is healed, so that nobody else does.

    Raises:
        RecordingBusy: It is being written, or healed, by somebody.
    """

    def __init__(self, path: Path) -> None:
        self._file = open_file(path)
        try:
            _claim(self._file.fileno(), path)
        except RecordingBusy:
            self._file.close()
            raise

    def __enter__(self) -> JournalClaim:
        """Return itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Let go of the journal."""
        self._file.close()


def _claim(descriptor: int, path: Path) -> None:
    """Take the lock of a dead writer; not put off by somebody who looks at the journal right now."""
    for tries_left in reversed(range(_CLAIM_TRIES)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not tries_left:
                raise RecordingBusy(
                    f"{path.stem} is being recorded", hint="Stop its recorder, or wait for it to end."
                ) from error
            time.sleep(_CLAIM_EVERY_S)
        else:
            return


def _is_whole_length(descriptor: int, offset: int) -> bool:
    """Return whether the bytes behind ``offset`` are as many as a record there claims."""
    prefix = os.pread(descriptor, _PREFIX.size, offset)
    if len(prefix) < _PREFIX.size:
        return False
    length, _ = _PREFIX.unpack(prefix)
    whole = offset + _PREFIX.size + length <= os.fstat(descriptor).st_size
    return bool(_BODY.size <= length <= RECORD_BYTES_MAX and whole)


@dataclass(frozen=True, slots=True)
class DamagedRange:
    """Bytes of a journal that are not records: from ``start`` up to, not including, ``end``."""

    start: int
    end: int


@dataclass
class JournalReader:
    """
    Iterates over the records that are there now; iterate again for what came since.

    Never raises on any content. Takes no lock.

    Attributes:
        path: The file.
        offset: Where the next record is expected.
        number: Number of the last record read.
        damaged: Ranges skipped because they are not records.
        lost: Records that those ranges held, by their numbers.
        tail_bytes: Bytes behind the last whole record: a record that is being
            written, or one that never was finished.
    """

    path: Path
    offset: int = 0
    number: int = 0
    damaged: list[DamagedRange] = field(default_factory=list)
    lost: int = 0
    tail_bytes: int = 0

    def __iter__(self) -> Iterator[Record]:
        """
        Yield records in order.

        Raises:
            OSError: The file cannot be opened.
        """
        # Opened afresh each time: a buffer kept open would show the bytes of a
        # record that has been rolled back since.
        with open_file(self.path) as file:
            if self.offset == 0 and not self._skip_file_header(file):
                return
            while True:
                record = _read_record(file, self.offset)
                if record is None or record.number <= self.number:
                    found = self._resync(file)
                    if found is None:
                        break
                    record = found
                self.lost += record.number - self.number - 1
                self.number = record.number
                self.offset += _PREFIX.size + _BODY.size + len(record.payload)
                yield record
            self.tail_bytes = max(0, file.seek(0, os.SEEK_END) - self.offset)

    def _skip_file_header(self, file: BinaryIO) -> bool:
        header = file.read(_FILE_HEADER.size)
        is_ours = _FILE_HEADER.pack(_MAGIC, _VERSION, 0).startswith(header)
        if len(header) < _FILE_HEADER.size:
            self.tail_bytes = len(header)
            if not is_ours and not self.damaged:
                self._note_damage(0, len(header))
            return False
        if not is_ours:
            self._note_damage(0, _FILE_HEADER.size)
        self.offset = _FILE_HEADER.size
        return True

    def _note_damage(self, start: int, end: int) -> None:
        if self.damaged and self.damaged[-1].end == start:
            start = self.damaged.pop().start
        self.damaged.append(DamagedRange(start, end))

    def _resync(self, file: BinaryIO) -> Record | None:
        """Find the next whole record behind ``offset`` and move there; None if there is none."""
        for position in _candidates(file, self.offset + 1, self.number):
            record = _read_record(file, position)
            if record is not None and record.number > self.number:
                # Where the writer is at work, what could not be read a moment ago may be whole
                # by now, and is for sure if something follows it.
                with open_file(self.path) as afresh:
                    first = _read_record(afresh, self.offset)
                if first is not None and first.number > self.number:
                    return first
                self._note_damage(self.offset, position)
                self.offset = position
                return record
        return None


def read_journal(path: Path) -> JournalReader:
    """Return a reader at the start of a journal."""
    return JournalReader(path)


def _read_record(file: BinaryIO, offset: int) -> Record | None:
    file.seek(offset)
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        return None
    length, checksum = _PREFIX.unpack(prefix)
    if not _BODY.size <= length <= RECORD_BYTES_MAX:
        return None
    body = file.read(length)
    if len(body) < length or zlib.crc32(body) != checksum:
        return None
    number, record_type, segment_id, received_at, mono_ns, kind = _BODY.unpack_from(body)
    return Record(number, record_type, segment_id, received_at, mono_ns, kind, body[_BODY.size :])


_NUMBER_TAIL = re.compile(rb"[^\0]\0{4,7}")
"""The end of a record number below 2^32: its last byte that is not zero, then zeros."""


def _candidates(file: BinaryIO, start: int, number: int) -> Iterator[int]:
    """
    Yield positions at or behind ``start`` where a record could begin, in order.

    Looking at every byte would cost a checksum each; record numbers are small and
    only grow, so the zeros of their upper half give the few places worth it.
    """
    size = file.seek(0, os.SEEK_END)
    number_max = number + size // (_PREFIX.size + _BODY.size) + 1
    head = _PREFIX.size + _BODY.size
    for window_start in range(start, max(start, size - head + 1), _SCAN_BYTES):
        file.seek(window_start)
        window = file.read(_SCAN_BYTES + head)
        positions: set[int] = set()
        for match in _NUMBER_TAIL.finditer(window):
            # The last byte that is not zero is byte 0 to 3 of the number.
            positions.update(match.start() - i - _PREFIX.size for i in range(4))
        for position in sorted(positions):
            if not 0 <= position < _SCAN_BYTES or position + head > len(window):
                continue
            length, _ = _PREFIX.unpack_from(window, position)
            (candidate,) = struct.unpack_from("<Q", window, position + _PREFIX.size)
            fits = window_start + position + _PREFIX.size + length <= size
            if number < candidate <= number_max and _BODY.size <= length <= RECORD_BYTES_MAX and fits:
                yield window_start + position
