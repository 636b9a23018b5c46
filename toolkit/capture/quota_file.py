"""
The signatures spent, kept in the recordings folder for the next process.

A recorder that crashes and restarts must not burn the day's quota. The file is
replaced whole; whatever is wrong with it costs its content, never a recording.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from toolkit.store.plain_file import open_file

__all__ = ["QUOTA_FILE", "load_quota", "save_quota"]

log = logging.getLogger("toolkit.recorder")

QUOTA_FILE = ".signatures.json"
BYTES_MAX = 1 << 20
"""Ten thousand signatures take a fifth of it."""


def load_quota(path: Path) -> object:
    """Return what was saved; None if there is nothing that can be read."""
    try:
        with open_file(path) as file:
            return json.loads(file.read(BYTES_MAX))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s cannot be read (%s): signatures are counted afresh", path, type(error).__name__)
        return None


def save_quota(path: Path, saved: dict[str, Any]) -> bool:
    """
    Replace the file; return whether it worked.

    A full disk costs the memory of the quota, so it is said and survived.
    """
    draft = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whatever is there by that name: opening a pipe would wait for its reader.
        draft.unlink(missing_ok=True)
        with draft.open("w", encoding="ascii") as file:
            json.dump(saved, file, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error.strerror or error)
        return False
    return True
