"""
Turning a journal into a sealed recording: one file, checked, then the journal goes.

The same steps end a recording properly and heal one whose recorder was killed:
bring in what the database lacks, write what the recording adds up to, read every
message back and compare. A database that does not match, or does not open, is
moved aside and built again from the journal. The journal is removed last, and
only after a database was read back that holds all of it.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit import failpoint
from toolkit.errors import NotARecording, RecordingError
from toolkit.model.recording import FORMAT_VERSION, RecordingState
from toolkit.store.account import write_account
from toolkit.store.database import Database, DatabaseError, duckdb_version
from toolkit.store.fold import JournalFold, watched_until
from toolkit.store.journal import JournalReader
from toolkit.store.rows import iso_time
from toolkit.store.totals import Totals

__all__ = [
    "SealReport",
    "fresh_beside",
    "move_aside",
    "read_back",
    "remove_database",
    "seal_journal",
    "sync_folder",
]

_BEGINNING_BYTES_MAX = 4096
"""A recorder that was killed while it wrote its first record left no more than this."""


@dataclass
class SealReport:
    """
    What sealing found and did.

    Attributes:
        id: The recording.
        path: Its one file.
        frames: Frames in it.
        messages: Messages in it.
        counts: Events by kind.
        duplicates: Messages left out because they were there before.
        quarantined: What could not be read.
        caught_up_frames: Frames that only the journal had.
        rebuilt: The database did not match, or did not open, and was built again.
        problems: Why it was rebuilt, and damage found in the journal; one sentence each.
        size_bytes: Size of the file.
        sealed: It worked. If not, ``problems`` says why, and the journal is as it was.
    """

    id: str
    path: Path
    frames: int = 0
    messages: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    quarantined: int = 0
    caught_up_frames: int = 0
    rebuilt: bool = False
    problems: list[str] = field(default_factory=list)
    size_bytes: int = 0
    sealed: bool = True

    def __str__(self) -> str:
        """Return one line for a log."""
        return ": ".join([self._outcome(), "; ".join(self.problems)]) if self.problems else self._outcome()

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return asdict(self) | {"path": str(self.path)}

    def lines(self) -> list[str]:
        """Return the report for a person."""
        return [self._outcome(), *(f"  {problem}" for problem in self.problems)]

    def _outcome(self) -> str:
        if not self.sealed:
            return f"{self.id}: not sealed"
        how = ", rebuilt" if self.rebuilt else ""
        return f"{self.id}: {self.frames} frames, {self.messages} messages{how}"


def seal_journal(journal: Path, *, anew: bool = False) -> SealReport:
    """
    Make the database beside ``journal`` complete, check it, remove the journal.

    The caller makes sure that nobody writes either file. Can be repeated after
    being killed at any point.

    Args:
        journal: The recording's journal.
        anew: Build the database from the journal even if the one there would do.

    Raises:
        RecordingError: The database cannot be written, as on a full disk, or does
            not match even when built anew. The journal stays.
        NotARecording: Nothing in the journal can be read. It stays.
    """
    target = journal.with_suffix(".duckdb")
    report = SealReport(journal.stem, target)
    try:
        _refuse_what_says_nothing(journal)
        totals = _complete_or_build(journal, target, report, anew)
        # One that was being built when its process died.
        remove_database(fresh_beside(target))
        sync_folder(target.parent)
        failpoint.reach("compared")
        journal.unlink()
        failpoint.reach("removed")
        sync_folder(target.parent)
        report.size_bytes = target.stat().st_size
    except (DatabaseError, OSError) as error:
        raise RecordingError(
            f"{journal.stem} could not be sealed: {_first_line(error)}",
            hint="Its journal is whole. Free space on the disk, then start again: it is healed at start.",
        ) from error
    report.frames, report.messages, report.counts = totals.frames, totals.messages, dict(totals.counts)
    report.duplicates, report.quarantined = totals.duplicates, totals.quarantined
    return report


def _refuse_what_says_nothing(journal: Path) -> None:
    """A text that happens to be called so, or a later version's journal, would be removed for nothing."""
    reader = JournalReader(journal)
    is_empty = next(iter(reader), None) is None
    if is_empty and (reader.damaged or reader.tail_bytes > _BEGINNING_BYTES_MAX):
        raise NotARecording(
            f"nothing in {journal.name} can be read: it is left as it is",
            hint="Move it away if it is no recording.",
        )


def _complete_or_build(journal: Path, target: Path, report: SealReport, anew: bool) -> Totals:
    if target.exists() and not anew:
        try:
            totals = _complete(journal, target, report)
        except (DatabaseError, RecordingError) as error:
            report.problems.append(f"the database did not open: {_first_line(error)}")
        else:
            if totals is not None:
                return totals
    return _build_anew(journal, target, report)


def _complete(journal: Path, path: Path, report: SealReport) -> Totals | None:
    """Bring the database up to the journal; None if it does not match afterwards."""
    fold = JournalFold(journal)
    database = Database.open(path)
    try:
        report.caught_up_frames = database.load(fold.batches(), after_frame=database.last_frame_no())
        failpoint.reach("summary")
        _write_summary(fold, database, journal.stem)
        database.checkpoint()
    finally:
        database.close()
    failpoint.reach("compare")
    differences = fold.totals.differences(read_back(path))
    report.problems = _damage(fold)
    if not differences:
        return fold.totals
    report.problems += [f"journal and database differ in {difference}" for difference in differences]
    return None


def _build_anew(journal: Path, target: Path, report: SealReport) -> Totals:
    report.rebuilt = target.exists()
    problems = report.problems
    fresh = fresh_beside(target)
    remove_database(fresh)
    totals = _complete(journal, fresh, report)
    if totals is None:
        raise RecordingError(
            f"{journal.stem} could not be sealed: {'; '.join(report.problems)}",
            hint="Its journal is kept. Please report this with the output of `toolkit verify`.",
        )
    report.problems = list(dict.fromkeys(problems + report.problems))
    report.caught_up_frames = totals.frames
    move_aside(target)
    failpoint.reach("anew-moved")
    fresh.replace(target)
    return totals


def _write_summary(fold: JournalFold, database: Database, recording_id: str) -> None:
    segments = fold.segments(is_live=False)
    # Whatever still ran when the recording ended will not be continued.
    fold.ledger.gifts.settle_all()
    until = watched_until(fold.header)
    write_account(database, segments, fold.ledger, until)
    started_at = segments[0].started_at if segments else fold.first_at
    ended_at = max((segments[-1].ended_at if segments else None) or fold.last_at, until or 0)
    totals = fold.totals
    database.write_meta(
        {
            **fold.header,
            "recording_id": recording_id,
            "format_version": str(FORMAT_VERSION),
            "duckdb_version": duckdb_version(),
            "state": RecordingState.SEALED.value,
            "started_at": iso_time(started_at),
            "ended_at": iso_time(ended_at),
            "frames": str(totals.frames),
            "messages": str(totals.messages),
            "duplicates": str(totals.duplicates),
            "quarantined": str(totals.quarantined),
            "content_sha256": totals.content_sha256,
            "journal_damaged_ranges": str(len(fold.reader.damaged)),
            "journal_records_lost": str(fold.reader.lost),
        }
    )


def _damage(fold: JournalFold) -> list[str]:
    reader = fold.reader
    found = [f"journal damaged from byte {r.start} to {r.end}" for r in reader.damaged]
    if reader.lost:
        found.append(f"{reader.lost} records of the journal are lost")
    if reader.tail_bytes:
        found.append(f"the journal's last {reader.tail_bytes} bytes were never finished")
    return found


def read_back(path: Path) -> Totals:
    """
    Add up a finished database, every message of it.

    Raises:
        RecordingError: It cannot be opened, or is damaged.
    """
    database = Database.read(path)
    try:
        return database.totals()
    except DatabaseError as error:
        raise NotARecording(f"{path.name} cannot be read back: {_first_line(error)}") from error
    finally:
        database.close()


def move_aside(path: Path) -> Path | None:
    """
    Rename a database, and its write-ahead log, out of the way; nothing is deleted.

    Returns:
        Where it is now; None if there was none.
    """
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    moved = None
    # The log first: left behind, it would be taken for that of the next database.
    for part in (path.with_name(path.name + ".wal"), path):
        if part.exists():
            moved = part.rename(part.with_name(f"{part.name}.damaged-{stamp}"))
    return moved


def fresh_beside(target: Path) -> Path:
    """Return where a database is built before it replaces ``target``."""
    return target.with_name(target.name + ".new")


def remove_database(path: Path) -> None:
    """Delete a database that was never finished, if it is there."""
    for part in (path.with_name(path.name + ".wal"), path):
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames and removals in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
