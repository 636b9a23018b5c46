"""
What the show keeps on disk: files that are replaced whole, and one that only grows.

A file that cannot be read is set aside under another name, never overwritten: there
may be something in it that somebody wants back. A disk that refuses is said and
survived: the live goes on.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["StateFile", "replace_whole"]

log = logging.getLogger("toolkit.show")

STATE_BYTES_MAX = 32_000_000
"""Ten times what all parts keep at their bounds."""
SET_ASIDE = ".unreadable"


def replace_whole(path: Path, content: bytes) -> None:
    """
    Replace a file, or make it: a reader, and whoever comes after a power cut, sees all of it or the old.

    Raises:
        OSError: It could not be written; the old one is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class StateFile:
    """
    What each part of the show wants to have after a restart, by the part's name.

    Not thread-safe.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = b""

    def load(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what was saved, by part; nothing where there is none or it cannot be read."""
        try:
            with self._path.open("rb") as file:
                content = file.read(STATE_BYTES_MAX + 1)
            saved = json.loads(content)
            parts = saved["parts"]
            loaded = {str(name): part for name, part in parts.items() if isinstance(part, dict)}
        except FileNotFoundError:
            return {}
        except OSError as error:
            log.warning("%s cannot be read: %s", self._path, error.strerror)
            return {}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._set_aside()
            return {}
        self._content = content
        return loaded

    def save(self, parts: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace the file, unless it says that already. A disk that refuses is logged."""
        texts = []
        for name, part in parts.items():
            try:
                # ASCII: a name may hold half a character, which no file can.
                texts.append(f"{json.dumps(name)}: {json.dumps(part, separators=(',', ':'))}")
            except (TypeError, ValueError, RecursionError):
                log.exception("what %s wants to keep cannot be written", name)
        content = ('{"version": 1, "parts": {\n' + ",\n".join(texts) + "\n}}\n").encode()
        if content == self._content:
            return
        try:
            replace_whole(self._path, content)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror)
        # Not tried again until there is something new to say.
        self._content = content

    def _set_aside(self) -> None:
        aside = self._path.with_name(self._path.name + SET_ASIDE)
        log.warning("%s cannot be read; it is now %s", self._path, aside.name)
        try:
            self._path.replace(aside)
        except OSError as error:
            log.warning("%s cannot be set aside: %s", self._path, error.strerror)
