"""
When each frame had passed each stage: for whoever measures, off otherwise.

One line per frame and stage, ``STAGE FRAME_NO MICROSECONDS``, the time on the wall
clock. Stages: ``journaled`` (may be acknowledged) and ``projected`` (in the
database); of a replay ``due`` and ``played``. `toolkit load-test` turns it on in the
server that it starts; a frame costs some microseconds then, and nothing when it is off.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

__all__ = ["note", "read", "start", "stop"]

_file: TextIO | None = None


def start(path: Path) -> None:
    """
    Write to ``path`` from now on, after what is there.

    Raises:
        OSError: It cannot be written.
    """
    global _file
    stop()
    # By lines: what a killed process has noted is there.
    _file = path.open("a", buffering=1, encoding="ascii")


def stop() -> None:
    """Write no more. Harmless when repeated."""
    global _file
    if _file is not None:
        file, _file = _file, None
        file.close()


def note(stage: str, frame_no: int, ago_ns: int = 0) -> None:
    """Note that a frame has passed a stage just now, or some nanoseconds ago. From any thread."""
    file = _file
    if file is not None:
        file.write(f"{stage} {frame_no} {(time.time_ns() - ago_ns) // 1000}\n")


def read(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield (stage, frame number, microseconds); a line that was cut off is left out."""
    with path.open(encoding="ascii") as file:
        for line in file:
            if line.endswith("\n"):
                stage, frame_no, at = line.split()
                yield stage, int(frame_no), int(at)
