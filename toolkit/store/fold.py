"""
A journal told from the beginning: its records become batches, segments, totals.

Whoever needs to know what a journal says folds it: the check before sealing, the
healing of a killed recording, a notebook that follows a live one. All of them
thereby number and count exactly alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.ledger.gaps import RecordingLedger
from toolkit.model.event import Batch
from toolkit.model.frame import Frame, FrameKind
from toolkit.model.recording import Cause, Gap, Segment
from toolkit.store.journal import JournalReader, Record, RecordType
from toolkit.store.sequencer import Sequencer
from toolkit.store.totals import Totals

__all__ = ["WATCHED_UNTIL", "JournalFold", "watched_until"]

WATCHED_UNTIL = "watched_until"
"""Name of the note that says when a recorder without a connection stopped waiting for one."""

_US_MAX = 4_100_000_000_000_000
"""The year 2099: a later time is damage that happens to have a checksum."""
_DIGITS_MAX = 20
_ATTEMPTS_MAX = 1_000_000
_FRAME_KINDS = frozenset(int(kind) for kind in FrameKind)
_CAUSES = frozenset(str(cause) for cause in Cause)


@dataclass
class JournalFold:
    """
    Reads a journal from the beginning. Not thread-safe.

    Attributes:
        path: The journal.
        header: What the recorder wrote about itself; empty if that record is lost.
        totals: What was read so far adds up to.
        ledger: What it adds up to beyond its rows: gifts, withdrawals, gaps.
        sequencer: Where its numbering stands.
        first_at: Wall clock of the first record with a time, microseconds; 0 before it.
        last_at: The same of the last.
    """

    path: Path
    header: dict[str, str] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    ledger: RecordingLedger = field(default_factory=RecordingLedger)
    first_at: int = 0
    last_at: int = 0
    _segments: dict[int, Segment] = field(default_factory=dict)
    _last_frame_at: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Stand at the beginning."""
        self.reader = JournalReader(self.path)
        self.sequencer = Sequencer()

    def batches(self) -> Iterator[Batch]:
        """
        Yield a batch per frame that is there now; call again for what came since.

        Raises:
            OSError: The journal cannot be opened.
        """
        for record in self.reader:
            if record.type == RecordType.NOTE:
                # What the header says stays: a note adds, and a later one wins.
                notes = {f"note_{key}": str(value) for key, value in _json(record.payload).items()}
                self.header |= notes
                continue
            if not 0 < record.received_at < _US_MAX:
                record = replace(record, received_at=self.last_at)
            self.first_at = self.first_at or record.received_at
            self.last_at = max(self.last_at, record.received_at)
            if record.type == RecordType.FRAME:
                yield self._take(record)
            elif record.type == RecordType.SEGMENT_OPENED:
                self._open(record)
            elif record.type == RecordType.SEGMENT_CLOSED:
                self._close(record)
            elif record.type == RecordType.HEADER:
                self.header |= {key: str(value) for key, value in _json(record.payload).items()}

    def segments(self, *, is_live: bool) -> list[Segment]:
        """
        Return the connected stretches so far, in order, each up to its last moment observed.

        Args:
            is_live: The recorder is alive, so the last one may still be open. If
                not, it ended with its last frame when the process died.
        """
        segments = [self._segments[key] for key in sorted(self._segments)]
        last = len(segments) - 1
        closed = [
            segment
            if segment.cause is not None or (is_live and i == last)
            else replace(
                segment,
                ended_at=self._last_frame_at.get(segment.segment_id, segment.started_at),
                # Only the last can have been open when the process died: an earlier
                # one without an end lost that record to damage.
                cause=Cause.PROCESS_DIED if i == last else Cause.INTERNAL,
            )
            for i, segment in enumerate(segments)
        ]
        return self.ledger.observed(closed)

    def gaps(self, *, is_live: bool) -> list[Gap]:
        """Return the stretches nobody observed so far, as far as they are understood by now."""
        return self.ledger.gaps(self.segments(is_live=is_live), until=watched_until(self.header))

    def ended_at(self, *, is_live: bool) -> int | None:
        """
        Return when the live ended, or its recorder stopped waiting for it; None while it runs.

        Microseconds UTC. One that has ended may still be open, because its host may be back in a moment.
        """
        if not is_live:
            return self.last_at
        segments = self.segments(is_live=True)
        last_at = segments[-1].ended_at if segments else None
        if last_at is None or segments[-1].cause in (Cause.LIVE_ENDED, Cause.STOPPED):
            return last_at
        # A word of before it is about an earlier gap.
        until = watched_until(self.header)
        return until if until is not None and until > last_at else None

    def _open(self, record: Record) -> None:
        said = _json(record.payload)
        room_id, attempts = _number(said.get("room_id")), _number(said.get("attempts"))
        self._segments[record.segment_id] = Segment(
            record.segment_id, room_id, record.received_at, attempts=min(max(attempts, 0), _ATTEMPTS_MAX)
        )

    def _take(self, record: Record) -> Batch:
        segment = self._segments.get(record.segment_id)
        if segment is None:
            # The record that opened it is damaged. Messages name their room themselves.
            segment = Segment(record.segment_id, 0, record.received_at)
            self._segments[record.segment_id] = segment
        self._last_frame_at[record.segment_id] = record.received_at
        kind = FrameKind(record.kind) if record.kind in _FRAME_KINDS else FrameKind.PUSH
        frame = Frame(kind, record.payload, record.segment_id, record.received_at, record.mono_ns)
        batch = self.sequencer.take(frame, segment.room_id)
        self.totals.add(batch)
        self.ledger.take(batch)
        return batch

    def _close(self, record: Record) -> None:
        segment = self._segments.get(record.segment_id)
        if segment is not None:
            cause = str(_json(record.payload).get("cause"))
            known = Cause(cause) if cause in _CAUSES else Cause.INTERNAL
            at = record.received_at
            if segment.cause is not None:
                # It had ended already: meanwhile TikTok said why.
                self._segments[record.segment_id] = replace(segment, cause=known)
                return
            self._segments[record.segment_id] = replace(segment, ended_at=at, cause=known, noticed_at=at)


def watched_until(facts: Mapping[str, str]) -> int | None:
    """Return when a recorder without a connection stopped waiting for one, microseconds UTC."""
    text = facts.get(f"note_{WATCHED_UNTIL}", "")
    is_number = text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX
    return int(text) if is_number and int(text) < _US_MAX else None


def _json(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) and abs(value) < 2**63 else 0
