"""
`RecordingWriter`: the one thing capture needs of the store.

    frame = writer.write(kind, data)   # in the journal now: may be acknowledged
    batch = writer.take(frame)         # numbered; on its way into the database

A recording whose recorder died is continued with `resume`, at once: frames are journaled
while a thread tells the journal from the beginning, so numbering, duplicates and totals
go on where they stood.

One thread writes and takes, in that order, every frame once. A second thread
flushes the journal to the disk, a third fills the database.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit import failpoint
from toolkit.clock import Clock
from toolkit.errors import JournalNotWritten, RecordingNotFound
from toolkit.ledger.gaps import RecordingLedger
from toolkit.ledger.gifts import ENTRIES_MAX
from toolkit.model.event import Batch
from toolkit.model.frame import DecodedFrame, Frame, FrameKind
from toolkit.model.recording import FORMAT_VERSION, Cause, Gap, Segment, new_recording_id
from toolkit.observe import trace
from toolkit.store.beginning import new_journal, not_writable, versions
from toolkit.store.catching_up import CatchUp
from toolkit.store.fold import WATCHED_UNTIL
from toolkit.store.journal import JournalWriter, RecordType
from toolkit.store.projector import Lag, Projector
from toolkit.store.resuming import LastStretch, last_stretch
from toolkit.store.rows import iso_time
from toolkit.store.sealing import SealReport, seal_journal
from toolkit.store.sequencer import Sequencer
from toolkit.store.totals import Totals
from toolkit.store.whereabouts import Whereabouts

__all__ = ["RecordingWriter", "SealReport", "WriterCounts"]

_CAUSES = frozenset(str(cause) for cause in Cause)


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
        write_error: Why the last frame was not written; empty after a success.
        lag: How far the database is behind.
    """

    frames: int
    messages: int
    duplicates: int
    quarantined: int
    counts: dict[str, int]
    journal_bytes: int
    last_write_at: int | None
    write_error: str
    lag: Lag


class RecordingWriter:
    """
    Writes one recording. End it with :meth:`seal`, or :meth:`abandon`.

    Attributes:
        id: The recording's id.
        path: The database, the one file that a sealed recording is.
        notes: What :meth:`note` was told before, in a recording that goes on.
    """

    def __init__(self, journal: JournalWriter, clock: Clock) -> None:
        self.id = journal.path.stem
        self.path = journal.path.with_suffix(".duckdb")
        self.notes: dict[str, str] = {}
        self._journal = journal
        self._whereabouts = Whereabouts(journal.path)
        self._write_error = ""
        self._clock = clock
        self._sequencer = Sequencer()
        self._totals = Totals()
        self._ledger = RecordingLedger(gifts_max=ENTRIES_MAX)
        self._segments: list[Segment] = []
        self._projector = Projector(self.path)
        self._segment_id = 0
        self._room_id = 0
        self._is_open = False
        self._watched_until: int | None = None
        self._catch_up: CatchUp | None = None
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
        journal = new_journal(folder, new_recording_id(user, started_at))
        writer = cls(journal, clock)
        header = {
            **(extra or {}),
            "recording_id": writer.id,
            "user": user,
            "started_at": iso_time(started_at),
            "format_version": str(FORMAT_VERSION),
            **versions(),
        }
        try:
            writer._note(RecordType.HEADER, header)
        except BaseException:
            journal.close()
            journal.path.unlink(missing_ok=True)
            raise
        writer._projector.start()
        return writer

    @classmethod
    def resume(
        cls, folder: Path, recording_id: str, *, clock: Clock, last: LastStretch | None = None
    ) -> RecordingWriter:
        """
        Go on with a recording whose recorder died; the time in between is a gap.

        Blocks only to read how the journal ends, if ``last`` does not say. Until the thread
        that tells the rest has caught up, batches are numbered from 1, duplicates of
        what was before are not recognised in them, and no gap is known: they are good for
        the bus. The database gets the true ones. A sealed recording is never opened again.

        Args:
            folder: Where recordings are kept. The caller owns it.
            recording_id: The recording.
            clock: Where the frames' times come from.
            last: How its journal ends, as :meth:`RecordingsFolder.interrupted` found it.

        Raises:
            RecordingNotFound: There is no journal under that id: it is sealed, or never was.
            RecordingBusy: Somebody writes or heals it.
            NotARecording: Its journal holds no whole record.
            JournalNotWritten: The disk is full.
        """
        path = folder / f"{recording_id}.journal"
        try:
            last = last or last_stretch(path)
            journal = JournalWriter.resume(path, reader=last.reader)
        except FileNotFoundError as error:
            raise RecordingNotFound(
                f"{recording_id} has no journal to go on with", hint="`toolkit recordings` lists them."
            ) from error
        except OSError as error:
            raise not_writable(folder, error.strerror or str(error)) from error
        try:
            writer = cls(journal, clock)
            failpoint.reach("resume")
            writer._go_on(last)
        except BaseException:
            journal.close()
            raise
        return writer

    def open_segment(self, room_id: int, *, attempts: int = 0) -> int:
        """
        Begin a connected stretch.

        Args:
            room_id: TikTok's id of the broadcast.
            attempts: Attempts it took since the last one ended; 0 if nobody counted.

        Returns:
            Its number, 1-based.

        Raises:
            JournalNotWritten: The disk is full or failing.
        """
        assert not self._is_open, "the last segment is still open"
        self.keep_in_place()
        self._go_on_after_the_end()
        said = {"room_id": room_id, "attempts": attempts}
        at = self._note(RecordType.SEGMENT_OPENED, said, self._segment_id + 1)
        self._segment_id += 1
        self._segments.append(Segment(self._segment_id, room_id, at, attempts=attempts))
        self._room_id = room_id
        self._is_open = True
        return self._segment_id

    def write(self, kind: FrameKind, data: bytes) -> Frame:
        """
        Write a frame to the journal. Once this returns it may be acknowledged.

        Raises:
            DiskFull: There was no room: it must not be acknowledged.
            JournalNotWritten: It was not written for another reason: likewise.
        """
        frame = self.stamped(kind, data)
        self.write_stamped(frame)
        return frame

    def stamped(self, kind: FrameKind, data: bytes) -> Frame:
        """Return a frame as received now, for :meth:`write_stamped` of the same connected stretch."""
        assert self._is_open, "no segment is open"
        return Frame(kind, data, self._segment_id, self._clock.now_us(), self._clock.mono_ns())

    def write_stamped(self, frame: Frame) -> None:
        """Write a frame that was received a while ago; see :meth:`write`."""
        assert self._is_open, "no segment is open"
        assert frame.segment_id == self._segment_id, frame.segment_id
        failpoint.reach("first-frame")
        if self._write_error:
            self.keep_in_place()
        try:
            self._journal.append(
                RecordType.FRAME,
                frame.data,
                segment_id=frame.segment_id,
                received_at=frame.received_at,
                mono_ns=frame.received_mono_ns,
                kind=frame.kind,
            )
        except JournalNotWritten as error:
            self._write_error = str(error)
            raise
        self._write_error = ""
        self._frames += 1
        trace.note("journaled", self._frames)
        self._last_write_at = frame.received_at

    def take(self, frame: Frame, decoded: DecodedFrame | None = None) -> Batch:
        """
        Number a frame's messages and send them on to the database. Never blocks on it.

        Args:
            frame: What :meth:`write` returned, in that order.
            decoded: The frame taken apart already, if the caller had to.

        Returns:
            What the frame added; for the bus.
        """
        failpoint.reach("ack")
        batch = self._sequencer.take(frame, self._room_id, decoded)
        if self._catch_up is not None:
            self._take_over()
            return batch
        self._totals.count(batch)
        self._ledger.take(batch)
        self._projector.offer(batch)
        failpoint.reach("taken")
        return batch

    def close_segment(self, cause: Cause) -> None:
        """
        End the connected stretch; nothing happens when none is open.

        Raises:
            JournalNotWritten: The disk is full or failing.
        """
        if self._is_open:
            at = self._note(RecordType.SEGMENT_CLOSED, {"cause": cause.value}, self._segment_id)
            self._segments[-1] = replace(self._segments[-1], ended_at=at, cause=cause, noticed_at=at)
            self._is_open = False

    @property
    def room_id(self) -> int:
        """The room of the last segment; 0 before the first."""
        return self._room_id

    def gaps(self, *, newest: int | None = None) -> list[Gap]:
        """
        Return the gaps so far, as far as they are understood by now.

        The last one is without an end while nothing is connected. What is missed in
        it becomes surer as more is seen after it. Only for the thread that writes.
        None are known before a recording that goes on has caught up.

        Args:
            newest: Only so many, the newest; None for all.
        """
        self._take_over()
        if self._catch_up is not None:
            return []
        segments = self._ledger.observed(self._segments)
        return self._ledger.gaps(segments, until=self._watched_until, newest=newest)

    def keep_in_place(self) -> bool:
        """
        Write the journal again where it belongs, if somebody has moved or deleted it.

        Cheap unless somebody has. Until it succeeds no frame is taken.

        Returns:
            Whether it had to be.

        Raises:
            JournalNotWritten: It has to be and cannot.
        """
        if self._whereabouts.is_in_place():
            return False
        try:
            self._journal = self._whereabouts.written_again(self._journal)
        except JournalNotWritten as error:
            self._write_error = str(error)
            raise
        self._write_error = ""
        return True

    def note(self, facts: Mapping[str, str]) -> None:
        """
        Add facts about the recording to its ``meta``, each under ``note_`` and its name; the last one counts.

        Raises:
            JournalNotWritten: The disk is full or failing.
        """
        self._note(RecordType.NOTE, facts)

    def counts(self) -> WriterCounts:
        """Return where the recording stands. May be asked from any thread."""
        catch_up = self._catch_up
        totals = self._totals if catch_up is None else catch_up.fold.totals
        return WriterCounts(
            self._frames,
            totals.messages,
            totals.duplicates,
            totals.quarantined,
            dict(totals.counts),
            self._journal.bytes,
            self._last_write_at,
            self._write_error,
            self._projector.lag,
        )

    def seal(self) -> SealReport:
        """
        End the recording: complete the database, check it against the journal, remove that.

        Blocks: about a second per 15,000 messages. An open segment is closed as stopped;
        without one, the gap at the end reaches to this moment.

        Raises:
            RecordingError: It could not be sealed now. The journal stays, and the
                next start heals it.
        """
        try:
            self.keep_in_place()
            self.conclude()
            failpoint.reach("shutdown")
            self._stop_threads()
            # The journal stays locked while it is sealed: to everybody else this
            # recording is live until it is done.
            return seal_journal(self._journal.path)
        finally:
            self.abandon()

    def conclude(self) -> None:
        """
        Say that nothing more will come: the last segment ends, or the gap behind it.

        :meth:`seal` or :meth:`abandon` follow, or another segment after all: TikTok calls a
        live ended whose host is back in the same room minutes later. Harmless when repeated.

        Raises:
            JournalNotWritten: The disk is full or failing.
        """
        if self._is_open:
            self.close_segment(Cause.STOPPED)
        if self._is_waiting and self._watched_until is None:
            # On a full disk the gap stays without an end, and the rest is sealed.
            with contextlib.suppress(JournalNotWritten):
                now_us = self._clock.now_us()
                self._note(RecordType.NOTE, {WATCHED_UNTIL: now_us})
                self._watched_until = now_us

    def abandon(self) -> None:
        """Let go of everything as it is, for the next start to heal."""
        self._stop_threads()
        try:
            self._journal.close()
        finally:
            self._whereabouts.close()

    @property
    def _is_waiting(self) -> bool:
        """Whether the last segment ended in disorder, so that a gap lies behind it."""
        return bool(self._segments) and self._segments[-1].cause not in (Cause.STOPPED, Cause.LIVE_ENDED)

    def _go_on_after_the_end(self) -> None:
        """Say of the gap that ends now that TikTok had called the live ended in it, if it had."""
        if self._watched_until is None:
            return
        said = {"cause": Cause.LIVE_ENDED.value}
        self._note(RecordType.SEGMENT_CLOSED, said, self._segment_id)
        self._segments[-1] = replace(self._segments[-1], cause=Cause.LIVE_ENDED)
        self._watched_until = None

    def _stop_threads(self) -> None:
        if self._catch_up is not None:
            self._catch_up.stop()
        self._projector.stop()

    def _note(self, record_type: RecordType, value: Mapping[str, object], segment_id: int = 0) -> int:
        """Write a record about the recording; return its time."""
        at = self._clock.now_us()
        self._journal.append(
            record_type,
            json.dumps(value, ensure_ascii=True).encode(),
            segment_id=segment_id,
            received_at=at,
            mono_ns=self._clock.mono_ns(),
        )
        return at

    def _go_on(self, last: LastStretch) -> None:
        """Stand where the journal ends, and begin to tell the rest."""
        self.notes = {
            key.removeprefix("note_"): text for key, text in last.facts.items() if key.startswith("note_")
        }
        self._frames, self._last_write_at = last.frames, last.last_at or None
        self._segment_id, self._room_id = last.segment_id, last.room_id
        if last.segment_id:
            cause = Cause(last.cause) if last.cause in _CAUSES else Cause.INTERNAL
            segment = Segment(last.segment_id, last.room_id, last.started_at)
            self._is_open = not last.cause
            self._segments = [segment if self._is_open else replace(segment, cause=cause)]
            self.close_segment(Cause.PROCESS_DIED)
        self._catch_up = CatchUp(self._journal.path, self.path, self._projector)

    def catch_up(self) -> None:
        """Wait until a recording that goes on knows its past. Only for the thread that writes."""
        if self._catch_up is not None:
            self._catch_up.wait()
            self._take_over()

    def _take_over(self) -> None:
        """Go on from the thread that told the past, if it is done; take in what it has not seen."""
        if self._catch_up is None or not self._catch_up.is_done:
            return
        fold = self._catch_up.fold
        try:
            for batch in fold.batches():
                self._projector.offer(batch)
        except OSError:
            return  # Moved or deleted a moment ago: it is written again, and read on then.
        self._sequencer, self._totals, self._ledger = fold.sequencer, fold.totals, fold.ledger
        self._segments = fold.segments(is_live=True)
        self._catch_up = None
