"""
Whom a server is recording, in a file: known again after it was killed.

The file is there from the start of a recording until it has ended or somebody has
stopped it. What the journal of an interrupted recording cannot tell is told by it: that
a server recorded it, and that nobody meant it to end.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from toolkit.model.recording import is_handle
from toolkit.store.plain_file import open_file

__all__ = ["Intent"]

log = logging.getLogger("toolkit.intent")

INTENT_FILE = ".recording"
_BYTES_MAX = 100


class Intent:
    """The file, in a folder that the caller owns. Without it recording works all the same."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / INTENT_FILE

    def keep(self, user: str) -> None:
        """Note that ``user`` is being recorded."""
        fresh = self._path.with_name(f"{INTENT_FILE}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Whatever is there by that name: opening a pipe would wait for its reader.
            fresh.unlink(missing_ok=True)
            fresh.write_text(f"{user}\n", "ascii")
            fresh.replace(self._path)
        except (OSError, ValueError) as error:
            log.warning("whom this server records could not be noted: %s", error)

    def drop(self) -> None:
        """Note that nobody is to be recorded any more. Harmless when repeated."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    @property
    def user(self) -> str:
        """Who was being recorded when the last server died; empty for nobody."""
        try:
            with open_file(self._path) as file:
                text = file.read(_BYTES_MAX).decode("ascii", "replace").strip()
        except OSError:
            return ""
        return text if is_handle(text) else ""
