"""
What a replay put out, as one hash: the same plan and controls, the same hash.

Left out is what belongs to the moment and not to what is played: numbers on the bus,
wall times, and how far the player says it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.bus.notice import Notice, event_data
from toolkit.model.event import EVENT_CLASSES, Event
from toolkit.store.database import Database

__all__ = ["OutputDigest", "tables_digest"]

_MOMENTARY = frozenset({"at", "since", "received_at", "nextAttemptAt"})
_PROGRESS = "replay"
_TABLES = (
    "segments",
    "gaps",
    "frames",
    "messages",
    "quarantine",
    "users",
    "gift_ledger",
    "tombstones",
    *(event_class.table for event_class in EVENT_CLASSES),
)


class OutputDigest:
    """
    A hash over notices, in order. Tap a bus with :meth:`take`.

    Attributes:
        notices: How many are in it.
    """

    def __init__(self) -> None:
        self.notices = 0
        self._hash = hashlib.sha256()

    def take(self, notices: list[Notice]) -> None:
        """Take in notices."""
        for notice in notices:
            if notice.type == _PROGRESS:
                continue
            data = event_data(notice.data) if isinstance(notice.data, Event) else notice.data
            said = [notice.type, notice.rehearsal, _lasting(data)]
            self._hash.update(json.dumps(said, sort_keys=True, separators=(",", ":")).encode() + b"\n")
            self.notices += 1

    def hexdigest(self) -> str:
        """Return the hash so far, hexadecimal."""
        return self._hash.hexdigest()


def tables_digest(path: Path) -> str:
    """
    Return a hash over every row of a sealed recording, ``meta`` left out: it names file and versions.

    Raises:
        RecordingError: It cannot be read.
    """
    total = hashlib.sha256()
    database = Database.read(path)
    try:
        for table in _TABLES:
            total.update(f"{table}\n".encode())
            rows = database.rows(f"SELECT md5(t::VARCHAR) FROM {table} AS t ORDER BY rowid")
            for (row,) in rows:
                total.update(row.encode())
    finally:
        database.close()
    return total.hexdigest()


def _lasting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _lasting(item) for key, item in value.items() if key not in _MOMENTARY}
    return [_lasting(item) for item in value] if isinstance(value, list) else value
