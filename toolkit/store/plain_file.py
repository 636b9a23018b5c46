"""
Opening what has to be a file.

In a folder that others write to, a name may belong to a pipe, at which a reader would
wait for ever, or to a device without end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

__all__ = ["open_file", "refuse_other_kinds"]


def open_file(path: Path) -> BinaryIO:
    """
    Open a file to read it.

    Raises:
        OSError: There is none, it cannot be read, or it is something else than a file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    refuse_other_kinds(descriptor, path)
    return os.fdopen(descriptor, "rb")


def refuse_other_kinds(descriptor: int, path: Path) -> None:
    """Close ``descriptor`` and raise OSError if what was opened is no file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", str(path))
