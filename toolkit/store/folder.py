"""
The recordings folder: who owns it, what is in it, what to do about the broken.

A recording is ``<id>.duckdb`` alone when sealed; with ``<id>.journal`` beside it
while it is recorded (the journal is locked) or after its recorder died (it is
not). Nothing else in the folder is a recording. Nothing is ever deleted before
what replaces it was read back and compared.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import fcntl
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit import failpoint
from toolkit.errors import (
    FolderNotWritable,
    NotARecording,
    RecordingBusy,
    RecordingError,
    RecordingNotFound,
)
from toolkit.model.event import EVENT_CLASSES
from toolkit.model.recording import RecordingState, Segment, is_recording_id
from toolkit.store.account import gap_info, gaps_of, segments_of, stability_of
from toolkit.store.fold import JournalFold
from toolkit.store.journal import JournalClaim, is_being_written
from toolkit.store.plain_file import refuse_other_kinds
from toolkit.store.rebuilding import rebuild_sealed
from toolkit.store.resuming import RESUME_WITHIN_US, LastStretch, last_stretch
from toolkit.store.rows import iso_time
from toolkit.store.sealing import SealReport, fresh_beside, remove_database, seal_journal
from toolkit.store.verifying import VerifyReport, reading, verify_journal, verify_sealed

__all__ = ["RecordingsFolder", "VerifyReport"]

_OWNER_FILE = ".owner"
_REBUILD_FILE = ".rebuild"


class RecordingsFolder:
    """
    A folder of recordings. Everything but :meth:`lock` may be called by anybody.

    Attributes:
        path: The folder. It need not exist until something is recorded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._owner: int | None = None

    # Owning it

    def lock(self) -> None:
        """
        Become the one process that records into this folder, until :meth:`unlock`.

        Raises:
            RecordingBusy: Another process is; the message names it.
            FolderNotWritable: The folder refuses it.
        """
        if self._owner is None:
            self._owner = self._claim(_OWNER_FILE)

    def unlock(self) -> None:
        """Let another process own the folder. Harmless when repeated."""
        if self._owner is not None:
            os.close(self._owner)
            self._owner = None

    def _claim(self, name: str) -> int:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(self.path / name, flags, 0o644)
            refuse_other_kinds(descriptor, self.path / name)
        except OSError as error:
            reason = f"{name} in it is no file" if error.errno == errno.EINVAL else error.strerror or error
            raise FolderNotWritable(
                f"the recordings folder {self.path} cannot be written: {reason}",
                hint=f"Make it a folder that user {os.getuid()} may write, or choose another one.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise RecordingBusy(
                f"the recordings folder {self.path} belongs to process {owner}",
                hint="Stop that process, or choose another folder with --recordings.",
            ) from error
        # The file stays when the lock goes: removing it would let two processes
        # hold a lock each, on the old file and on the new.
        os.ftruncate(descriptor, 0)
        with contextlib.suppress(OSError):
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor

    # Looking

    def list(self) -> list[dict[str, Any]]:
        """
        Return the recordings, newest first: ``id``, ``state``, ``size_bytes``, ``path``.

        Opens no database, so it is cheap and works whatever the files contain.
        """
        found = []
        for recording_id in self._ids():
            # It may be sealed or deleted between two looks, or be a folder, or a
            # journal that nobody may read: one stranger does not hide the others.
            with contextlib.suppress(FileNotFoundError, RecordingNotFound, NotARecording):
                journal, database = self._paths(recording_id)
                state = self.state_of(recording_id)
                parts = [part for part in (journal, database) if part.exists()]
                stats = [part.stat() for part in parts]
                if stats:
                    found.append(
                        {
                            "id": recording_id,
                            "state": state.value,
                            "size_bytes": sum(stat.st_size for stat in stats),
                            "path": str(database.absolute()),
                            "begun": _begun(recording_id, max(stat.st_mtime for stat in stats)),
                        }
                    )
        found.sort(key=lambda recording: (recording.pop("begun"), recording["id"]), reverse=True)
        return found

    def state_of(self, recording_id: str) -> RecordingState:
        """
        Return where a recording stands.

        Raises:
            RecordingNotFound: There is none under that id.
            NotARecording: Its journal cannot be read.
        """
        journal, database = self._paths(recording_id)
        try:
            return RecordingState.LIVE if is_being_written(journal) else RecordingState.INTERRUPTED
        except FileNotFoundError:
            if database.is_file():
                return RecordingState.SEALED
        except OSError as error:
            raise NotARecording(f"{journal.name} cannot be read: {error.strerror}") from error
        raise RecordingNotFound(
            f"there is no recording {recording_id} in {self.path}",
            hint="`toolkit recordings` lists them.",
        )

    def path_of(self, recording_id: str) -> Path:
        """
        Return the file of a sealed recording.

        Raises:
            RecordingNotFound: There is none under that id.
            RecordingBusy: It is not sealed yet.
        """
        state = self.state_of(recording_id)
        if state is not RecordingState.SEALED:
            raise RecordingBusy(
                f"{recording_id} is {state.value}, not sealed",
                hint="Stop its recorder."
                if state is RecordingState.LIVE
                else f"`toolkit rebuild {recording_id}` completes it.",
            )
        return self._paths(recording_id)[1]

    def info(self, recording_id: str) -> dict[str, Any]:
        """
        Return what is known of a recording, as JSON data.

        Reads the whole journal of one that is not sealed.

        Raises:
            RecordingNotFound: There is none under that id.
            NotARecording: The file is something else, or damaged.
        """
        state = self.state_of(recording_id)
        if state is not RecordingState.SEALED:
            # It may have been sealed since: then the file tells.
            with contextlib.suppress(FileNotFoundError):
                return self._journal_info(recording_id, state)
        return self._sealed_info(recording_id)

    def _journal_info(self, recording_id: str, state: RecordingState) -> dict[str, Any]:
        journal, _ = self._paths(recording_id)
        fold = JournalFold(journal)
        for _ in fold.batches():
            pass
        is_live = state is RecordingState.LIVE
        segments = fold.segments(is_live=is_live)
        ended_at = fold.ended_at(is_live=is_live)
        totals = fold.totals
        return {
            "id": recording_id,
            "user": fold.header.get("user", ""),
            "state": state.value,
            "started_at": iso_time(fold.first_at),
            "ended_at": iso_time(ended_at) if ended_at else None,
            "duration_s": (fold.last_at - fold.first_at) / 1e6,
            "format_version": _int(fold.header.get("format_version", "")),
            "size_bytes": journal.stat().st_size,
            "frames": totals.frames,
            "messages": totals.messages,
            "counts": {kind.kind: totals.counts[kind.kind] for kind in EVENT_CLASSES},
            "segments": [_segment_info(segment) for segment in segments],
            "gaps": [gap_info(gap) for gap in fold.gaps(is_live=is_live)],
            "stability": stability_of(fold.header),
            "quarantined": totals.quarantined,
            "duplicates": totals.duplicates,
            "journal_records_lost": fold.reader.lost,
        }

    def _sealed_info(self, recording_id: str) -> dict[str, Any]:
        path = self._paths(recording_id)[1]
        with reading(path) as database:
            meta = database.meta()
            segments, gaps = segments_of(database), gaps_of(database)
            started_at = segments[0].started_at if segments else 0
            ended_at = (segments[-1].ended_at or 0) if segments else 0
            ended_at = max(ended_at, (gaps[-1].ended_at or 0) if gaps else 0)
            return {
                "id": recording_id,
                "user": meta.get("user", ""),
                "state": RecordingState.SEALED.value,
                "started_at": meta.get("started_at", ""),
                "ended_at": meta.get("ended_at") or None,
                "duration_s": (ended_at - started_at) / 1e6,
                "format_version": _int(meta.get("format_version", "")),
                "size_bytes": path.stat().st_size,
                "frames": _int(meta.get("frames", "")),
                "messages": _int(meta.get("messages", "")),
                "counts": database.event_counts(),
                "segments": [_segment_info(segment) for segment in segments],
                "gaps": [gap_info(gap) for gap in gaps],
                "stability": stability_of(meta),
                "quarantined": _int(meta.get("quarantined", "")),
                "duplicates": _int(meta.get("duplicates", "")),
                "journal_records_lost": _int(meta.get("journal_records_lost", "")),
            }

    # Repairing

    def resumable(self, user: str, room_id: int | None, now_us: int) -> str | None:
        """
        Return the recording of this very broadcast that lost its recorder a moment ago.

        It is one that is not sealed, whose last frame is at most ten minutes old, and
        that ended neither in order nor with the live. Go on with it through
        :meth:`RecordingWriter.resume`; until then keep :meth:`heal` away from it.

        Args:
            user: Whose live.
            room_id: The broadcast; None for any, to be compared once it is known.
            now_us: Wall clock, microseconds UTC.

        Returns:
            Its id; None if there is none. Of several the one that ended last.
        """
        found = [last for last in self.interrupted(now_us) if last.continues(user, room_id, now_us)]
        return found[-1].id if found else None

    def interrupted(self, now_us: int) -> builtins.list[LastStretch]:
        """
        Return the ends of all recordings that lost their recorder a moment ago, the latest last.

        Reads their journals: 0.2 s for a million messages.

        Args:
            now_us: Wall clock, microseconds UTC.
        """
        found = []
        for recording_id in self._ids():
            journal, _ = self._paths(recording_id)
            with contextlib.suppress(OSError):
                # The journal is read only if the file was touched in time.
                is_old = journal.stat().st_mtime * 1e6 < now_us - RESUME_WITHIN_US
                if is_old or is_being_written(journal):
                    continue
                last = last_stretch(journal)
                if last.is_fresh(now_us):
                    found.append(last)
        return sorted(found, key=lambda last: (last.last_at, last.id))

    def heal(
        self, *, keep: str | None = None, is_leaving: Callable[[], bool] = lambda: False
    ) -> builtins.list[SealReport]:
        """
        Seal every recording whose recorder died. The caller owns the folder.

        Args:
            keep: A recording to leave alone, because somebody is about to go on with it.
            is_leaving: Asked before each; the rest waits for the next start once it is true.

        One that cannot be sealed now, as on a full disk, is reported with its
        problem and stays as it is for the next start.
        """
        self._sweep()
        reports = []
        for recording_id in self._ids():
            if is_leaving():
                break
            journal, database = self._paths(recording_id)
            try:
                if recording_id == keep or not journal.exists():
                    continue
                with JournalClaim(journal):
                    failpoint.reach("heal")
                    reports.append(seal_journal(journal))
            except RecordingBusy:
                continue
            except (RecordingError, OSError) as error:
                reports.append(SealReport(recording_id, database, problems=[str(error)], sealed=False))
        return reports

    def _sweep(self) -> None:
        """Remove what rebuilds left that were killed: the recording itself is whole."""
        pairs = [self._paths(recording_id) for recording_id in self._ids()]
        left = [fresh_beside(database) for journal, database in pairs if not journal.exists()]
        left = [fresh for fresh in left if fresh.exists()]
        if not left:
            return
        with contextlib.suppress(RecordingError, OSError):
            # Not while a rebuild runs: one of these is its own.
            claim = self._claim(_REBUILD_FILE)
            try:
                for fresh in left:
                    remove_database(fresh)
            finally:
                os.close(claim)

    def verify(self, recording_id: str) -> VerifyReport:
        """
        Check a recording: every message of a sealed one, every record of a journal.

        Raises:
            RecordingNotFound: There is none under that id.
        """
        state = self.state_of(recording_id)
        if state is not RecordingState.SEALED:
            with contextlib.suppress(FileNotFoundError):
                return verify_journal(self._paths(recording_id)[0], state)
        return verify_sealed(self._paths(recording_id)[1])

    def rebuild(self, recording_id: str) -> SealReport:
        """
        Make a recording's tables anew, from its journal or from its own raw messages.

        Raises:
            RecordingNotFound: There is none under that id.
            RecordingBusy: It is being recorded, or another rebuild runs.
            RecordingError: It did not work; the recording is as it was.
        """
        state = self.state_of(recording_id)
        journal, database = self._paths(recording_id)
        claim = self._claim(_REBUILD_FILE)
        try:
            if state is RecordingState.SEALED:
                return rebuild_sealed(database)
            with JournalClaim(journal):
                return seal_journal(journal, anew=True)
        finally:
            os.close(claim)

    # Finding

    def _ids(self) -> builtins.list[str]:
        try:
            names = sorted(entry.name for entry in os.scandir(self.path))
        except OSError:
            return []
        stems = dict.fromkeys(
            stem for stem, _, suffix in (n.rpartition(".") for n in names) if suffix in ("journal", "duckdb")
        )
        return [stem for stem in stems if is_recording_id(stem)]

    def _paths(self, recording_id: str) -> tuple[Path, Path]:
        if not is_recording_id(recording_id):
            raise RecordingNotFound(
                f"{recording_id[:80]!r} is not the id of a recording",
                hint="An id has letters, digits, - and _. `toolkit recordings` lists them.",
            )
        return self.path / f"{recording_id}.journal", self.path / f"{recording_id}.duckdb"


def _begun(recording_id: str, changed_at_s: float) -> str:
    """Return when a recording began, as its id tells, else when its file last changed."""
    told = re.search(r"-(\d{8}-\d{6})(?:-\d+)?$", recording_id)
    return told[1] if told else f"{datetime.fromtimestamp(changed_at_s, UTC):%Y%m%d-%H%M%S}"


def _segment_info(segment: Segment) -> dict[str, Any]:
    return {
        "segment_id": segment.segment_id,
        "room_id": str(segment.room_id),
        "started_at": iso_time(segment.started_at),
        "ended_at": iso_time(segment.ended_at) if segment.ended_at else None,
        "cause": segment.cause and segment.cause.value,
    }


def _int(text: str) -> int:
    return int(text) if text.isdecimal() else 0
