"""
Whether a recording without a recorder may be continued: told by its journal alone.

The frames are checked and not taken apart, only the few records between them are read:
0.2 s for a million messages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.model.recording import RETURN_WITHIN_S, Cause
from toolkit.store.fold import WATCHED_UNTIL
from toolkit.store.journal import JournalReader, Record, RecordType

__all__ = ["RESUME_WITHIN_US", "LastStretch", "last_stretch"]

RESUME_WITHIN_US = round(RETURN_WITHIN_S * 1e6)
CLOCK_SET = "clock_set_s"
"""Name of the note that says how far the machine's clock was set ahead of the recording's own."""
_DIGITS_MAX = 19
_CLOCK_SET_S_MAX = 1e9
_ENDED = (Cause.LIVE_ENDED.value, Cause.STOPPED.value)


@dataclass(slots=True)
class LastStretch:
    """
    How a journal ends.

    Attributes:
        reader: Has read the journal, and stands at its end.
        facts: What the header and the notes say; of notes of one name the last.
        segment_id: The last segment; 0 if there is none.
        room_id: Its room; 0 if there is none.
        started_at: When it began, microseconds UTC.
        last_at: Wall clock of the last frame, or of the beginning; microseconds UTC.
        cause: Why the last segment ended; empty while it is open.
        frames: Frames in the journal.
        is_over: Its recorder had stopped waiting for a connection and was about to seal it.
    """

    reader: JournalReader
    facts: dict[str, str] = field(default_factory=dict)
    segment_id: int = 0
    room_id: int = 0
    started_at: int = 0
    last_at: int = 0
    cause: str = ""
    frames: int = 0
    is_over: bool = False

    @property
    def id(self) -> str:
        """The recording."""
        return self.reader.path.stem

    @property
    def user(self) -> str:
        """Whom it records."""
        return self.facts.get("user", "")

    @property
    def clock_set_s(self) -> float:
        """By how much the machine's clock was set while this was recorded, in seconds."""
        try:
            set_s = float(self.facts.get(f"note_{CLOCK_SET}", "0"))
        except ValueError:
            return 0.0
        return set_s if abs(set_s) < _CLOCK_SET_S_MAX else 0.0

    def continues(self, user: str, room_id: int | None, now_us: int) -> bool:
        """Return whether a connection to this room now belongs to the same recording."""
        return self.user == user and room_id in (None, self.room_id) and self.is_fresh(now_us)

    def is_fresh(self, now_us: int) -> bool:
        """Return whether it lost its recorder a moment ago, with the live going on."""
        return (
            self.room_id != 0
            and self.cause not in _ENDED
            and not self.is_over
            # Either way: the wall clock may have been set back since.
            and abs(now_us - self.clock_set_s * 1e6 - self.last_at) <= RESUME_WITHIN_US
        )

    def _take(self, record: Record) -> None:
        if record.type == RecordType.FRAME:
            self.frames += 1
            self.last_at = record.received_at
            self.segment_id = max(self.segment_id, record.segment_id)
        elif record.type == RecordType.HEADER:
            self.facts |= _said(record.payload)
            self.last_at = record.received_at
        elif record.type == RecordType.NOTE:
            notes = _said(record.payload)
            self.facts |= {f"note_{name}": text for name, text in notes.items()}
            self.is_over = self.is_over or WATCHED_UNTIL in notes
        elif record.type == RecordType.SEGMENT_OPENED:
            room_id = _said(record.payload).get("room_id", "")
            self.segment_id = record.segment_id
            is_id = room_id.isascii() and room_id.isdecimal() and len(room_id) <= _DIGITS_MAX
            self.room_id = int(room_id) if is_id else 0
            self.started_at = self.last_at = record.received_at
            self.cause, self.is_over = "", False
        elif record.type == RecordType.SEGMENT_CLOSED:
            self.cause = _said(record.payload).get("cause", "")


def last_stretch(journal: Path) -> LastStretch:
    """
    Return how a journal ends.

    Raises:
        OSError: It cannot be read.
    """
    found = LastStretch(JournalReader(journal))
    for record in found.reader:
        found._take(record)
    return found


def _said(payload: bytes) -> dict[str, str]:
    try:
        value: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return {key: str(text) for key, text in value.items()} if isinstance(value, dict) else {}
