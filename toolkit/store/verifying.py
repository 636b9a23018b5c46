"""Whether a recording holds what it says it holds: every message, every record."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toolkit.errors import NotARecording, RecordingError
from toolkit.model.recording import RecordingState
from toolkit.store.database import Database, DatabaseError
from toolkit.store.fold import JournalFold

__all__ = ["VerifyReport", "reading", "verify_journal", "verify_sealed"]


@dataclass
class VerifyReport:
    """
    Whether a recording holds what it says it holds.

    Attributes:
        id: The recording.
        state: Where it stands.
        ok: Nothing is wrong with it.
        frames: Frames found.
        messages: Messages found.
        problems: What is wrong, one sentence each.
        notes: What is worth knowing and not wrong.
    """

    id: str
    state: str
    frames: int = 0
    messages: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {"ok": self.ok, **asdict(self)}

    def lines(self) -> list[str]:
        """Return the report for a person."""
        verdict = "whole" if self.ok else "damaged"
        head = f"{self.id}: {self.state}, {verdict}; {self.frames} frames, {self.messages} messages"
        next_step = []
        if not self.ok and self.state != RecordingState.LIVE:
            next_step = [f"`toolkit rebuild {self.id}` makes its tables again if its raw messages are whole."]
        return [head, *(f"  {line}" for line in self.problems + self.notes + next_step)]


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Database]:
    """Open a sealed recording; damage met while reading is told as such."""
    database = Database.read(path)
    try:
        yield database
    except DatabaseError as error:
        raise NotARecording(
            f"{path.name} is damaged: {str(error).splitlines()[0]}",
            hint=f"`toolkit verify {path.stem}` says more.",
        ) from error
    finally:
        database.close()


def verify_journal(journal: Path, state: RecordingState) -> VerifyReport:
    """Check every record of a journal."""
    fold = JournalFold(journal)
    for _ in fold.batches():
        pass
    report = VerifyReport(journal.stem, state.value, fold.totals.frames, fold.totals.messages)
    report.problems = [f"bytes {r.start} to {r.end} of the journal are damaged" for r in fold.reader.damaged]
    if fold.reader.lost:
        report.problems.append(f"{fold.reader.lost} records are lost")
    if fold.reader.tail_bytes:
        report.notes.append(
            f"the last {fold.reader.tail_bytes} bytes are a record that was never finished, nor acknowledged"
        )
    return report


def verify_sealed(path: Path) -> VerifyReport:
    """Check every message of a sealed recording."""
    report = VerifyReport(path.stem, RecordingState.SEALED.value)
    try:
        with reading(path) as database:
            totals = database.totals()
            report.frames, report.messages = totals.frames, totals.messages
            meta = database.meta()
            found = {
                "frames": str(totals.frames),
                "messages": str(totals.messages),
                "duplicates": str(totals.duplicates),
                "quarantined": str(totals.quarantined),
                "content_sha256": totals.content_sha256,
            }
            report.problems = [
                f"it was sealed with {name} {meta.get(name, 'unknown')} and holds {value}"
                for name, value in found.items()
                if meta.get(name) != value
            ]
            report.problems += database.inconsistencies()
            lost = meta.get("journal_records_lost", "")
            if lost.isdecimal() and lost.strip("0"):
                report.notes.append(f"{lost} records were lost to a damaged journal before it was sealed")
    except RecordingError as error:
        report.problems.append(str(error))
    return report
