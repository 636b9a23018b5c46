"""
The recordings of the folder with what their files say, each file read once.

Listing a folder opens no file; user, time and length are inside. A sealed recording
does not change, so what it says is kept as long as its size stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from toolkit.dashboard.plain import plain
from toolkit.errors import ToolkitError
from toolkit.model.recording import RecordingState

if TYPE_CHECKING:
    from toolkit.app import App

__all__ = ["SAMPLE_ID", "Catalogue", "milliseconds"]

SAMPLE_ID = "sample"
"""The recording that comes with the project."""
ROWS_MAX = 100
"""A folder may hold thousands; the command line lists them all."""

_ID = re.compile(r"(.+)-(\d{8}-\d{6})")


class Catalogue:
    """Lists recordings for the page. Blocks while it reads: use it in a worker thread."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._known: dict[tuple[str, int], dict[str, Any]] = {}

    def rows(self) -> list[dict[str, Any]]:
        """Return the newest :data:`ROWS_MAX` recordings, newest first, as the list shows them."""
        listed = self._app.recordings()[:ROWS_MAX]
        known = {(one["id"], one["size_bytes"]): self._read(one) for one in listed}
        # Only what is still there is remembered.
        self._known = {key: said for key, said in known.items() if said is not None}
        return [_row(one, known[one["id"], one["size_bytes"]] or {}) for one in listed]

    def _read(self, listed: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what a sealed file says; None for one that says nothing, or not cheaply."""
        key = (listed["id"], listed["size_bytes"])
        if key in self._known:
            return self._known[key]
        # A running recording would be read from its first record to its last.
        if listed["state"] != RecordingState.SEALED:
            return None
        try:
            return self._app.recording_info(listed["id"])
        except ToolkitError:
            # Damaged: the row stays, its details say what is wrong.
            return {}


def _row(listed: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    recording_id = plain(str(listed["id"]), 80)
    user, started_at = _from_id(recording_id)
    length_s = said.get("duration_s")
    return {
        "id": recording_id,
        "user": plain(said.get("user") or user, 48),
        "started_at": milliseconds(said.get("started_at")) or started_at,
        "length_s": round(length_s) if length_s else None,
        "bytes": listed["size_bytes"],
        "state": listed["state"],
    }


def _from_id(recording_id: str) -> tuple[str, int | None]:
    """Return user and start as the id tells them, for a file that cannot be asked."""
    match = _ID.fullmatch(recording_id)
    if match is None:
        return "", None
    try:
        started = datetime.strptime(match[2], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return "", None
    return match[1], int(started.timestamp() * 1000)


def milliseconds(iso_time: str | None) -> int | None:
    """Return a time as recordings tell it, in milliseconds since 1970; None for none."""
    try:
        return int(datetime.fromisoformat(iso_time or "").timestamp() * 1000)
    except ValueError:
        return None
