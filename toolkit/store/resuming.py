"""
Whether a recording without a recorder may be continued: told by its journal alone.

The frames are not taken apart, only the few records between them are read, so this
takes a moment even for the journal of a long live.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.model.recording import Cause
from toolkit.store.journal import JournalReader, RecordType

__all__ = ["RESUME_WITHIN_US", "LastStretch", "last_stretch"]

RESUME_WITHIN_US = 600_000_000
"""Ten minutes: a host whose connection breaks is back by then, in the same room."""
_ENDED = (Cause.LIVE_ENDED.value, Cause.STOPPED.value)


@dataclass(slots=True)
class LastStretch:
    """
    How a journal ends.

    Attributes:
        user: Whom it records.
        room_id: The room of the last segment; 0 if there is none.
        last_at: Wall clock of the last frame, or of the beginning; microseconds UTC.
        cause: Why the last segment ended; empty while it is open.
    """

    user: str = ""
    room_id: int = 0
    last_at: int = 0
    cause: str = ""

    def continues(self, user: str, room_id: int | None, now_us: int) -> bool:
        """Return whether a connection to this room now belongs to the same recording."""
        return (
            self.user == user
            and self.room_id != 0
            and room_id in (None, self.room_id)
            and self.cause not in _ENDED
            # Either way: the wall clock may have been set back since.
            and abs(now_us - self.last_at) <= RESUME_WITHIN_US
        )


def last_stretch(journal: Path) -> LastStretch:
    """
    Return how a journal ends.

    Raises:
        OSError: It cannot be read.
    """
    found = LastStretch()
    for record in JournalReader(journal):
        if record.type == RecordType.FRAME:
            found.last_at = record.received_at
        elif record.type == RecordType.HEADER:
            found.user, found.last_at = str(_said(record.payload).get("user", "")), record.received_at
        elif record.type == RecordType.SEGMENT_OPENED:
            room_id = _said(record.payload).get("room_id")
            found.room_id = room_id if isinstance(room_id, int) else 0
            found.cause = ""
            found.last_at = record.received_at
        elif record.type == RecordType.SEGMENT_CLOSED:
            found.cause = str(_said(record.payload).get("cause"))
    return found


def _said(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
