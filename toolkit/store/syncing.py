"""
Bringing a file to the disk while it is written: what a power cut may cost.

May import ``errors``. Knows a file descriptor, not what is written.
"""

from __future__ import annotations

import os
import threading

from toolkit import failpoint
from toolkit.errors import JournalNotWritten

__all__ = ["SYNC_INTERVAL_S", "Syncer"]

SYNC_INTERVAL_S = 0.5
"""What a power cut may cost. Every half second is a thousandth of a laptop's SSD."""

_flush = getattr(os, "fdatasync", os.fsync)
"""macOS has no fdatasync."""


class Syncer:
    """The thread that flushes a file to the disk, at most once per interval."""

    def __init__(self, fd: int, interval_s: float) -> None:
        self._fd = fd
        self._interval_s = interval_s
        self._dirty = threading.Event()
        self._stopping = threading.Event()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to flush."""
        if not self._dirty.is_set():
            self._dirty.set()

    def check(self) -> None:
        """
        Refuse to go on after a failed flush.

        After one the kernel may have dropped the very pages it could not write
        and report success next time, so there is no trying again.
        """
        if self._error is not None:
            raise JournalNotWritten(
                f"the disk failed while the journal was flushed ({self._error.strerror})",
                hint="Check the disk, then start a new recording.",
            )

    def stop(self) -> None:
        """Flush once more and end the thread."""
        self._stopping.set()
        self._dirty.set()
        self._thread.join()
        self.check()

    def _run(self) -> None:
        while True:
            self._dirty.wait()
            self._dirty.clear()
            stopping = self._stopping.is_set()
            try:
                failpoint.die_meanwhile("fsync")
                _flush(self._fd)
            except OSError as error:
                self._error = error
            if stopping:
                return
            self._stopping.wait(self._interval_s)
