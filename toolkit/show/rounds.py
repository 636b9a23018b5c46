"""
The results of all rounds, a line of JSON each, in a file that only grows.

A line is the data of ``show:result``. When the operator judges a round there is another
line with the same ``recording`` and ``opened_at``: the last one counts. Leaderboards can be
made again from it. Rehearsals are not in it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["RESULT", "ROUNDS_FILE", "RoundsLog", "read_rounds"]

log = logging.getLogger("toolkit.show")

RESULT = "show:result"
"""Notice: how a round ended, once when it is decided and again when it is judged."""
ROUNDS_FILE = "rounds.jsonl"
"""Its name in the folder of the show."""

_flush = getattr(os, "fdatasync", os.fsync)
"""macOS has no fdatasync."""


class RoundsLog:
    """Appends results. The file is opened for each: a round ends every few seconds at most."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, result: Mapping[str, Any]) -> None:
        """Write one line and bring it to the disk. A disk that refuses is logged."""
        line = json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a+b") as file:
                if file.tell() and not _ends_with_newline(file.fileno(), file.tell()):
                    # Whoever wrote before was killed in the middle of a line.
                    line = b"\n" + line
                file.write(line)
                file.flush()
                _flush(file.fileno())
        except OSError as error:
            log.error("a result could not be written to %s: %s", self._path, error.strerror)


def read_rounds(path: Path) -> list[dict[str, Any]]:
    """
    Return the results of a file, each round once, in the order in which they were decided.

    Lines that are damaged are left out, and said in the log.

    Raises:
        OSError: The file cannot be read. That there is none means no rounds.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    found: dict[tuple[str, int], dict[str, Any]] = {}
    damaged = 0
    for line in lines:
        if not line.strip():
            continue
        try:
            result = json.loads(line)
            found[str(result["recording"]), int(result["opened_at"])] = result
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            damaged += 1
    if damaged:
        log.warning("%s: %d lines are damaged", path, damaged)
    return list(found.values())


def _ends_with_newline(descriptor: int, size: int) -> bool:
    return os.pread(descriptor, 1, size - 1) == b"\n"
