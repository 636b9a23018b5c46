"""One captured live: its identity, its connected stretches, the time between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

__all__ = [
    "FORMAT_VERSION",
    "RETURN_WITHIN_S",
    "Cause",
    "Gap",
    "Missed",
    "Outcome",
    "Quality",
    "RecordingState",
    "Segment",
    "is_handle",
    "is_recording_id",
    "new_recording_id",
]

FORMAT_VERSION = 1
"""Version of the recording's tables. Apart from the release: it moves only when they do."""

RETURN_WITHIN_S = 600.0
"""Ten minutes: a host whose connection breaks, and whose live TikTok may call ended
meanwhile, is back by then, in the same room."""

_HANDLE = re.compile(r"[A-Za-z0-9_.]{1,64}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HANDLE_CHARS_MAX = 40


class RecordingState(StrEnum):
    """Where a recording stands."""

    LIVE = "live"
    """A recorder has it open. It may have an end already: its host may be back in a moment."""
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
    UNREADABLE = "unreadable"
    """TikTok sent what nobody can read on after."""
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
        ended_at: Wall clock of the last moment observed: its last frame, or its end
            if that was an orderly one; None while it runs.
        cause: Why it ended; None while it runs.
        noticed_at: When its end was noticed: silence is noticed late. None while it
            runs, and when nobody was left to notice.
        attempts: Attempts it took to connect; 0 if nobody counted.
    """

    segment_id: int
    room_id: int
    started_at: int
    ended_at: int | None = None
    cause: Cause | None = None
    noticed_at: int | None = None
    attempts: int = 0


class Quality(StrEnum):
    """How a figure about something missed came about. Stored: never rename."""

    EXACT = "exact"
    """TikTok's own count on both sides of the gap, or nothing can have been missed."""
    ESTIMATED = "estimated"
    """From what surrounds the gap; the truth is within the bounds in at least 19 of 20."""
    LOST = "lost"
    """Nothing is known that an estimate could rest on."""


@dataclass(frozen=True, slots=True)
class Missed:
    """
    How much of one kind was missed in a gap.

    Attributes:
        estimate: The best figure; None when it is lost.
        low: At least so many.
        high: At most so many; None when nothing bounds it.
        quality: How it came about.
    """

    estimate: int | None
    low: int
    high: int | None
    quality: Quality

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "quality": self.quality.value,
        }


@dataclass(frozen=True, slots=True)
class Gap:
    """
    A stretch that nobody observed, between two segments or behind the last.

    Attributes:
        gap_id: 1, 2, 3 ... within the recording.
        started_at: Last moment observed before it, microseconds UTC: never the
            moment at which it was noticed.
        ended_at: First moment observed after it. Where nothing was observed after it:
            when the recorder stopped waiting for the connection; None while it waits,
            and when it died.
        cause: Why it happened.
        detected_at: When it was noticed; None when nobody was left to notice.
        attempts: Attempts it took to connect again; 0 if nobody counted.
        last_frame_no: The last frame before it; 0 if there was none.
        first_frame_no: The first frame after it; 0 if there was none.
        last_occurred_at: The newest time on TikTok's clock seen before it. Some
            types arrive 25 s late, so this is no edge, only a witness.
        first_occurred_at: TikTok's time of the first message after it that is no replay.
        recovered_comments: Comments in it that TikTok replayed after it.
        missed: By kind, what is missing for good.
        counters: By name, TikTok's own totals before and after it.
    """

    gap_id: int
    started_at: int
    ended_at: int | None
    cause: Cause
    detected_at: int | None = None
    attempts: int = 0
    last_frame_no: int = 0
    first_frame_no: int = 0
    last_occurred_at: int | None = None
    first_occurred_at: int | None = None
    recovered_comments: int = 0
    missed: Mapping[str, Missed] = field(default_factory=dict)
    counters: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How a recorder's work ended.

    Attributes:
        cause: Why it ended.
        detail: One sentence for the operator; empty when there is nothing to add.
        recordings: Ids of what was recorded, oldest first; empty if it never connected.
        unsealed: Ids among them that could not be sealed: the next start heals them.
    """

    cause: Cause
    detail: str
    recordings: tuple[str, ...]
    unsealed: tuple[str, ...]


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


def is_handle(text: str) -> bool:
    """Return whether ``text`` can be a TikTok user's @name, without the @."""
    return _HANDLE.fullmatch(text) is not None
