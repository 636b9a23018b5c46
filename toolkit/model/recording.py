"""One captured live: its identity, its connected stretches, the time between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

__all__ = [
    "FORMAT_VERSION",
    "Cause",
    "Gap",
    "RecordingState",
    "Segment",
    "is_recording_id",
    "new_recording_id",
]

FORMAT_VERSION = 1
"""Version of the recording's tables. Apart from the release: it moves only when they do."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HANDLE_CHARS_MAX = 40


class RecordingState(StrEnum):
    """Where a recording stands."""

    LIVE = "live"
    """A recorder is writing it now."""
    SEALED = "sealed"
    """Complete, checked against its journal, one file."""
    INTERRUPTED = "interrupted"
    """Its recorder died. The journal is whole; the next start heals it."""


class Cause(StrEnum):
    """Why a connected stretch ended, or why there was none. Stored: never rename."""

    LIVE_ENDED = "live_ended"
    STOPPED = "stopped"
    """We were asked to stop."""
    PROCESS_DIED = "process_died"
    CLOSED = "closed"
    """TikTok closed the connection."""
    NETWORK = "network"
    SILENCE = "silence"
    SIGNER = "signer"
    BLOCKED = "blocked"
    OFFLINE = "offline"
    UNKNOWN_USER = "unknown_user"
    INTERNAL = "internal"
    """Our own fault. The log has the details."""


@dataclass(frozen=True, slots=True)
class Segment:
    """
    One connected stretch.

    Attributes:
        segment_id: 1, 2, 3 ... within the recording.
        room_id: TikTok's id of the broadcast.
        started_at: Wall clock, microseconds UTC.
        ended_at: Wall clock of its last frame or of the noticed end; None while it runs.
        cause: Why it ended; None while it runs.
    """

    segment_id: int
    room_id: int
    started_at: int
    ended_at: int | None = None
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """
    A stretch that nobody observed, between two segments.

    Attributes:
        gap_id: 1, 2, 3 ... within the recording.
        started_at: Last moment observed before it, microseconds UTC.
        ended_at: First moment observed after it; None while it is open.
        cause: Why it happened.
    """

    gap_id: int
    started_at: int
    ended_at: int | None
    cause: Cause


def new_recording_id(user: str, started_at: int) -> str:
    """
    Return an id that sorts by time within a user and is safe as a file name.

    Args:
        user: The @name; characters that a file name cannot have become ``_``.
        started_at: Wall clock, microseconds UTC.
    """
    handle = re.sub(r"[^A-Za-z0-9_-]", "_", user)[:_HANDLE_CHARS_MAX] or "live"
    started = datetime.fromtimestamp(started_at / 1e6, UTC)
    return f"{handle}-{started:%Y%m%d-%H%M%S}"


def is_recording_id(text: str) -> bool:
    """Return whether ``text`` can be a recording's id (no dots, slashes or spaces)."""
    return _ID.fullmatch(text) is not None
