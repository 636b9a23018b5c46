"""
`RecordingWriter`: the one thing capture needs of the store.

    frame = writer.write(kind, data)   # in the journal now: may be acknowledged
    batch = writer.take(frame)         # numbered; on its way into the database

One thread writes and takes, in that order, every frame once. A second thread
flushes the journal to the disk, a third fills the database.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.clock import Clock
from toolkit.errors import FolderNotWritable
from toolkit.model.event import Batch
from toolkit.model.frame import DecodedFrame, Frame, FrameKind
from toolkit.model.recording import FORMAT_VERSION, Cause, new_recording_id
from toolkit.store.journal import JournalWriter, RecordType
from toolkit.store.projector import Lag, Projector
from toolkit.store.sealing import SealReport, iso_time, seal_journal
from toolkit.store.sequencer import Sequencer
from toolkit.store.totals import Totals

__all__ = ["RecordingWriter", "SealReport", "WriterCounts"]

_SAME_SECOND_MAX = 1000
"""Recordings of one user that may begin in the same second."""


@dataclass(frozen=True, slots=True)
class WriterCounts:
    """
    Where a recording stands.

    Attributes:
        frames: Frames in the journal.
        messages: Messages taken from them.
        duplicates: Messages left out because they were here before.
        quarantined: What could not be read.
        counts: Events by kind.
        journal_bytes: Length of the journal.
        last_write_at: Wall clock of the last frame, microseconds; None before it.
        lag: How far the database is behind.
    """

    frames: int
    messages: int
    duplicates: int
    quarantined: int
    counts: dict[str, int]
    journal_bytes: int
    last_write_at: int | None
    lag: Lag


class RecordingWriter:
    """
    Writes one recording. End it with :meth:`seal`, or :meth:`abandon`.

    Attributes:
        id: The recording's id.
        path: The database, the one file that a sealed recording is.
    """

    def __init__(self, journal: JournalWriter, clock: Clock) -> None:
        self.id = journal.path.stem
        self.path = journal.path.with_suffix(".duckdb")
        self._journal = journal
        self._clock = clock
        self._sequencer = Sequencer()
        self._totals = Totals()
        self._projector = Projector(self.path)
        self._segment_id = 0
        self._room_id = 0
        self._is_open = False
        self._frames = 0
        self._last_write_at: int | None = None

    @classmethod
    def create(
        cls, folder: Path, user: str, *, clock: Clock, extra: Mapping[str, str] | None = None
    ) -> RecordingWriter:
        """
        Begin a recording.

        Args:
            folder: Where recordings are kept; made if it is missing.
            user: Whom it records.
            clock: Where the frames' times come from.
            extra: More facts to keep in ``meta``.

        Raises:
            FolderNotWritable: The folder refuses new files.
            JournalNotWritten: The disk is full.
        """
        started_at = clock.now_us()
        journal = _new_journal(folder, new_recording_id(user, started_at))
        writer = cls(journal, clock)
        header = {
            **(extra or {}),
            "recording_id": writer.id,
            "user": user,
            "started_at": iso_time(started_at),
            "format_version": str(FORMAT_VERSION),
            **_versions(),
        }
        try:
            writer._note(RecordType.HEADER, header)
        except BaseException:
            journal.close()
            journal.path.unlink(missing_ok=True)
            raise
        writer._projector.start()
        return writer

    def open_segment(self, room_id: int) -> int:
        """
        Begin a connected stretch.

        Returns:
            Its number, 1-based.

        Raises:
            JournalNotWritten: The disk is full or failing.
        """
        assert not self._is_open, "the last segment is still open"
        self._note(RecordType.SEGMENT_OPENED, {"room_id": room_id}, self._segment_id + 1)
        self._segment_id += 1
        self._room_id = room_id
        self._is_open = True
        return self._segment_id

    def write(self, kind: FrameKind, data: bytes) -> Frame:
        """
        Write a frame to the journal. Once this returns it may be acknowledged.

        Raises:
            JournalNotWritten: It was not written: it must not be acknowledged.
        """
        assert self._is_open, "no segment is open"
        frame = Frame(kind, data, self._segment_id, self._clock.now_us(), self._clock.mono_ns())
        self._journal.append(
            RecordType.FRAME,
            data,
            segment_id=frame.segment_id,
            received_at=frame.received_at,
            mono_ns=frame.received_mono_ns,
            kind=kind,
        )
        self._frames += 1
        self._last_write_at = frame.received_at
        return frame

    def take(self, frame: Frame, decoded: DecodedFrame | None = None) -> Batch:
        """
        Number a frame's messages and send them on to the database. Never blocks on it.

        Args:
            frame: What :meth:`write` returned, in that order.
            decoded: The frame taken apart already, if the caller had to.

        Returns:
            What the frame added; for the bus.
        """
        batch = self._sequencer.take(frame, self._room_id, decoded)
        self._totals.count(batch)
        self._projector.offer(batch)
        return batch

    def close_segment(self, cause: Cause) -> None:
        """
        End the connected stretch; nothing happens when none is open.

        Raises:
            JournalNotWritten: The disk is full or failing.
        """
        if self._is_open:
            self._note(RecordType.SEGMENT_CLOSED, {"cause": cause.value}, self._segment_id)
            self._is_open = False

    def counts(self) -> WriterCounts:
        """Return where the recording stands. May be asked from any thread."""
        totals = self._totals
        return WriterCounts(
            self._frames,
            totals.messages,
            totals.duplicates,
            totals.quarantined,
            dict(totals.counts),
            self._journal.bytes,
            self._last_write_at,
            self._projector.lag,
        )

    def lag_s(self) -> float:
        """Return how far the database is behind the journal, in seconds."""
        return self._projector.lag.ms / 1000

    def seal(self) -> SealReport:
        """
        End the recording: complete the database, check it against the journal, remove that.

        Blocks: about a second per 15,000 messages. An open segment is closed as stopped.

        Raises:
            RecordingError: It could not be sealed now. The journal stays, and the
                next start heals it.
        """
        try:
            self.close_segment(Cause.STOPPED)
            self._projector.stop()
            # The journal stays locked while it is sealed: to everybody else this
            # recording is live until it is done.
            return seal_journal(self._journal.path)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of everything as it is, for the next start to heal."""
        self._projector.stop()
        self._journal.close()

    def _note(self, record_type: RecordType, value: Mapping[str, object], segment_id: int = 0) -> None:
        self._journal.append(
            record_type,
            json.dumps(value, ensure_ascii=True).encode(),
            segment_id=segment_id,
            received_at=self._clock.now_us(),
            mono_ns=self._clock.mono_ns(),
        )


def _new_journal(folder: Path, base: str) -> JournalWriter:
    """Create a journal under the first free id: ``base``, ``base-2``, ``base-3`` ..."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for n in range(1, _SAME_SECOND_MAX):
            path = folder / (f"{base}.journal" if n == 1 else f"{base}-{n}.journal")
            if path.with_suffix(".duckdb").exists():
                continue
            try:
                return JournalWriter(path)
            except FileExistsError:
                continue
    except OSError as error:
        raise _not_writable(folder, error.strerror or str(error)) from error
    raise _not_writable(folder, f"it holds {_SAME_SECOND_MAX} recordings of this second")


def _not_writable(folder: Path, reason: str) -> FolderNotWritable:
    who = f"user {os.getuid()}"
    return FolderNotWritable(
        f"the recordings folder {folder} cannot be written: {reason}",
        hint=f"Make it a folder that {who} may write, or choose another one with --recordings.",
    )


def _versions() -> dict[str, str]:
    """Versions of what decides how a recording comes out, as facts for ``meta``."""
    names = {
        "toolkit_version": "tiktok-live-toolkit",
        "tiktoklive_version": "TikTokLive",
        "schema_version": "TikTokLiveProto",
    }
    found = {}
    for key, distribution in names.items():
        try:
            found[key] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            found[key] = "unknown"
    return found
