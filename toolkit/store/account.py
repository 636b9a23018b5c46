"""
What a recording says about itself: segments, gaps, gifts, withdrawals, as rows and back.

These tables are small, are replaced as a whole, and come out of the ledger. A file of
an earlier version may lack some of their columns: they are read as unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from toolkit.ledger.gaps import RecordingLedger
from toolkit.ledger.gifts import GiftEntry
from toolkit.ledger.tombstones import Tombstone
from toolkit.model.recording import Cause, Gap, Missed, Quality, Segment
from toolkit.store.database import Database
from toolkit.store.rows import Row, from_timestamp, iso_time, to_timestamp

__all__ = ["gap_info", "gap_rows", "gaps_of", "segments_of", "stability_of", "write_account"]

_CAUSES = frozenset(str(cause) for cause in Cause)
_QUALITIES = frozenset(str(quality) for quality in Quality)


def write_account(
    database: Database, segments: list[Segment], ledger: RecordingLedger, until: int | None
) -> None:
    """
    Replace what the tables say about segments, gaps, gifts and withdrawals.

    ``until`` is when its recorder stopped waiting for a connection; see :meth:`RecordingLedger.gaps`.
    """
    database.replace(
        {
            "segments": [_segment_row(segment) for segment in segments],
            "gaps": list(gap_rows(ledger.gaps(segments, until=until))),
            "gift_ledger": [_gift_row(entry) for entry in ledger.gifts.entries()],
            "tombstones": [_tombstone_row(stone) for stone in ledger.tombstones.stones],
        }
    )


def segments_of(database: Database) -> list[Segment]:
    """Return a recording's connected stretches, in order."""
    found = []
    for row in database.dicts("segments", "segment_id"):
        cause, ended_at = _cause(row["cause"]), _us(row["ended_at"])
        # Once the end was stored as it was noticed, if anybody was left to notice.
        guess = None if cause is Cause.PROCESS_DIED else ended_at
        noticed_at = _us(row["noticed_at"]) if "noticed_at" in row else guess
        started_at = from_timestamp(row["started_at"])
        attempts = row.get("attempts") or 0
        found.append(
            Segment(row["segment_id"], row["room_id"], started_at, ended_at, cause, noticed_at, attempts)
        )
    return found


def gaps_of(database: Database) -> list[Gap]:
    """Return a recording's gaps, in order."""
    return [
        Gap(
            row["gap_id"],
            from_timestamp(row["started_at"]),
            _us(row["ended_at"]),
            _cause(row["cause"]) or Cause.INTERNAL,
            _us(row.get("detected_at")),
            row.get("attempts") or 0,
            row.get("last_frame_no") or 0,
            row.get("first_frame_no") or 0,
            _us(row.get("last_occurred_at")),
            _us(row.get("first_occurred_at")),
            row["recovered_comments"],
            _missed(_json(row["missed"])),
            _counters(_json(row.get("counters") or "")),
        )
        for row in database.dicts("gaps", "gap_id")
    ]


def gap_info(gap: Gap) -> dict[str, Any]:
    """Return a gap as JSON data: what `toolkit info` prints and what the bus announces."""
    return {
        "gap_id": gap.gap_id,
        "started_at": iso_time(gap.started_at),
        "ended_at": iso_time(gap.ended_at) if gap.ended_at else None,
        "cause": gap.cause.value,
        "detected_at": iso_time(gap.detected_at) if gap.detected_at else None,
        "attempts": gap.attempts,
        "recovered_comments": gap.recovered_comments,
        "missed": {kind: missed.as_dict() for kind, missed in gap.missed.items()},
        "counters": {name: {"before": a, "after": b} for name, (a, b) in gap.counters.items()},
    }


def stability_of(facts: Mapping[str, str]) -> dict[str, Any] | None:
    """Return how steady the connection was, as the recorder noted it; None if it did not."""
    return _json(facts.get("note_stability", "")) or None


def gap_rows(gaps: Iterable[Gap]) -> Iterator[Row]:
    """Yield the rows of ``gaps``."""
    for gap in gaps:
        missed = {kind: missed.as_dict() for kind, missed in gap.missed.items()}
        counters = {name: {"before": a, "after": b} for name, (a, b) in gap.counters.items()}
        yield (
            gap.gap_id,
            to_timestamp(gap.started_at),
            _timestamp(gap.ended_at),
            gap.cause.value,
            gap.recovered_comments,
            json.dumps(missed),
            _timestamp(gap.detected_at),
            gap.attempts,
            gap.last_frame_no,
            gap.first_frame_no,
            _timestamp(gap.last_occurred_at),
            _timestamp(gap.first_occurred_at),
            json.dumps(counters),
        )


def _segment_row(s: Segment) -> Row:
    started_at, ended_at, noticed_at = (
        to_timestamp(s.started_at),
        _timestamp(s.ended_at),
        _timestamp(s.noticed_at),
    )
    return s.segment_id, s.room_id, started_at, ended_at, s.cause and s.cause.value, noticed_at, s.attempts


def _gift_row(entry: GiftEntry) -> Row:
    return (
        entry.first_seq,
        entry.last_seq,
        None if entry.user is None else entry.user.user_id,
        entry.to_user_id,
        entry.gift_id,
        entry.gift_name,
        entry.gift_type,
        entry.group_id,
        entry.diamonds,
        entry.count,
        entry.count * entry.diamonds,
        entry.state.value,
        entry.is_across_gap,
        to_timestamp(entry.started_at),
        to_timestamp(entry.ended_at),
    )


def _tombstone_row(stone: Tombstone) -> Row:
    occurred_at, received_at = _timestamp(stone.occurred_at), to_timestamp(stone.received_at)
    return stone.seq, stone.scope.value, stone.target_id, occurred_at, received_at


def _missed(value: Mapping[str, Any]) -> dict[str, Missed]:
    found = {}
    for kind, said in value.items():
        if not isinstance(said, dict) or said.get("quality") not in _QUALITIES:
            continue
        estimate, low, high = (_number(said.get(key)) for key in ("estimate", "low", "high"))
        found[kind] = Missed(estimate, low or 0, high, Quality(said["quality"]))
    return found


def _counters(value: Mapping[str, Any]) -> dict[str, tuple[int | None, int | None]]:
    return {
        name: (_number(pair.get("before")), _number(pair.get("after")))
        for name, pair in value.items()
        if isinstance(pair, dict)
    }


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _us(value: Any) -> int | None:
    return None if value is None else from_timestamp(value)


def _timestamp(us: int | None) -> Any:
    return None if us is None else to_timestamp(us)


def _cause(text: str | None) -> Cause | None:
    if not text:
        return None
    return Cause(text) if text in _CAUSES else Cause.INTERNAL
