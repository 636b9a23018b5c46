"""
What an operator decided about a live, kept beside it: so a replay, a new count of the
points and whatever else is made public of the recording leave out the same.

One file per recording, ``moderation/ID.jsonl`` in the folder of the show, a decision a
line: ``{"decision", "msg_id" or "user_id", "at"}``. The recording itself is not touched:
it stays true.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.show.moderation.ruling import Decided
from toolkit.show.rounds import RoundsLog

__all__ = ["DECIDED", "Decisions", "public_comments"]

log = logging.getLogger("toolkit.show")

DECIDED = "show:decided"
"""Notice: the operator decided about a message or a viewer of a live."""
BYTES_MAX = 8_000_000
"""Read of one file: about 80,000 decisions."""
_ID = re.compile(r"[\w.-]{1,200}", re.ASCII)


class Decisions:
    """The decisions about all recordings."""

    def __init__(self, folder: Path) -> None:
        """
        Look into a folder, which need not be there.

        Args:
            folder: The folder of the show.
        """
        self._folder = folder / "moderation"

    def keep(self, decided: Mapping[str, Any]) -> None:
        """Write down what :data:`DECIDED` tells and bring it to the disk. A disk that refuses is logged."""
        path = self._path_of(str(decided.get("recording", "")))
        if path is not None:
            RoundsLog(path).append({key: value for key, value in decided.items() if key != "recording"})

    def of(self, recording: str, *, until: int | None = None) -> Decided:
        """
        Return what was decided about a recording. What cannot be read is left out, and logged.

        Args:
            recording: Its id.
            until: Only what was decided by then, microseconds UTC.
        """
        path = self._path_of(recording)
        if path is None:
            return Decided()
        try:
            with path.open("rb") as file:
                lines = file.read(BYTES_MAX).split(b"\n")
        except FileNotFoundError:
            return Decided()
        except OSError as error:
            log.error("%s cannot be read: %s", path, error.strerror)
            return Decided()
        found, damaged = [], 0
        for line in filter(None, lines):
            try:
                found.append(json.loads(line))
            except (ValueError, RecursionError):
                damaged += 1
        if damaged:
            log.warning("%s: %d lines are damaged", path, damaged)
        made = [one for one in found if isinstance(one, dict)]
        return Decided.of(one for one in made if until is None or _at(one) <= until)

    def _path_of(self, recording: str) -> Path | None:
        # Ids are names of files already; anything else is no recording of ours.
        is_name = _ID.fullmatch(recording) and not recording.startswith(".")
        return self._folder / f"{recording}.jsonl" if is_name else None


def _at(decision: Mapping[str, Any]) -> int:
    at = decision.get("at")
    return at if isinstance(at, int) else 0


def public_comments(decided: Decided) -> str:
    """
    Return SQL for the comments of a recording that the public may see, after what was decided about it.

    Neither what TikTok withdrew nor what the operator hid. It has the columns of
    ``comments`` and stands where a table does.
    """
    hidden = ", ".join(map(str, sorted(decided.hidden_messages))) or "NULL"
    users = ", ".join(map(str, sorted(decided.hidden_users))) or "NULL"
    return (
        "(SELECT * FROM public_comments "
        f"WHERE coalesce(msg_id NOT IN ({hidden}), true) AND coalesce(user_id NOT IN ({users}), true))"
    )
