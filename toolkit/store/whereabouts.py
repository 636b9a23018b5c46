"""
A journal that is moved or deleted while it is written: noticed, and written again in full.

Whoever has a file open keeps its content, wherever its name went. So nothing of it is
lost as long as this process lives, and all of it can be copied to where it belongs. A
copy and not a link: a file without a name cannot be given one again.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from toolkit.errors import JournalNotWritten, RecordingError
from toolkit.store.journal import JournalWriter

__all__ = ["Whereabouts"]

_COPY_BYTES = 1 << 20


class Whereabouts:
    """Knows whether a journal is still where it belongs. Close it when done."""

    def __init__(self, path: Path) -> None:
        """
        Remember the file that is at ``path`` now.

        Raises:
            OSError: There is none.
        """
        self._path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def is_in_place(self) -> bool:
        """Return whether the path still leads to the file."""
        try:
            there = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # Nobody can say, so nothing is done about it.
        return os.path.samestat(there, os.fstat(self._fd))

    def written_again(self, journal: JournalWriter) -> JournalWriter:
        """
        Copy what was written to where it belongs; return the writer to go on with.

        Blocks: about a second per GB. The old writer is closed.

        Raises:
            JournalNotWritten: It cannot be written there. The old writer is as it was.
        """
        try:
            again = self._copied(journal.bytes)
        except (OSError, RecordingError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise JournalNotWritten(
                f"{self._path} was moved or deleted while it was recorded, and cannot be written again "
                f"({reason or error}): what it holds is gone when this process ends",
                hint="Make room where it was; it is tried every second.",
            ) from error
        # The disk of the old file no longer counts.
        with contextlib.suppress(JournalNotWritten):
            journal.close()
        os.close(self._fd)
        self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return again

    def close(self) -> None:
        """Let go of the file. Harmless when repeated."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _copied(self, size: int) -> JournalWriter:
        """Put a copy where the journal belongs, and hold it."""
        if self._path.exists():
            raise FileExistsError(0, "another file is in its place")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".again")
        self._copy(fresh, size)
        # Held before it has its name: nobody takes it for a dead recorder's, and a copy
        # that does not do is not in the way of the next attempt.
        again = JournalWriter.resume(fresh)
        try:
            fresh.rename(self._path)
        except BaseException:
            again.close()
            raise
        again.path = self._path
        return again

    def _copy(self, target: Path, size: int) -> None:
        descriptor = os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o644)
        try:
            position = 0
            while position < size:
                data = os.pread(self._fd, min(_COPY_BYTES, size - position), position)
                if not data:
                    raise OSError(0, "the file was cut short")
                position += os.pwrite(descriptor, data, position)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
