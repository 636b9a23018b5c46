"""
Going on with a long recording at once: its past is told in a thread, while frames arrive.

To write on, a recorder needs nothing but the end of the journal. Numbers, duplicates,
totals and gaps rest on everything before it, which takes a second per 20,000 messages.
So a thread folds the journal, hands the database what it lacks, and goes on through the
frames that were written in the meantime; when it has come to the end, the writer reads
the few that are left and takes over. The journal is the only thing they share.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from toolkit import failpoint
from toolkit.background import Worker
from toolkit.errors import RecordingError
from toolkit.store.database import Database, DatabaseError
from toolkit.store.fold import JournalFold
from toolkit.store.projector import Projector
from toolkit.store.sealing import move_aside

__all__ = ["CatchUp"]

log = logging.getLogger("toolkit.recorder")

_PAUSE_S = 0.05
"""Between looks at a database that cannot keep up."""


class CatchUp:
    """
    Folds a journal that is being written; starts at once. Stop it, or wait for it.

    Attributes:
        fold: The journal so far. Its totals may be looked at; the rest is the thread's
            until :attr:`is_done`.
    """

    def __init__(self, journal: Path, database: Path, projector: Projector) -> None:
        """
        Start.

        Args:
            journal: What is told.
            database: The dead recorder's, perhaps behind, broken or missing.
            projector: Fills it; not started yet.
        """
        self.fold = JournalFold(journal)
        self._database = database
        self._projector = projector
        self._is_done = threading.Event()
        self._stopping = threading.Event()
        self._thread = Worker("catch-up", self._run, ask_to_end=self._stopping.set)

    @property
    def is_done(self) -> bool:
        """Whether the fold has come to the end, but for what was written just now."""
        return self._is_done.is_set()

    def wait(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def stop(self) -> None:
        """End the thread, wherever it is. Harmless when repeated."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        written = self._frames_in_database()
        self._projector.start()
        for batch in self.fold.batches():
            failpoint.reach("catch-up")
            if self._stopping.is_set():
                return
            if batch.frame_no > written:
                # A queue that overflows leaves the rest to the sealing. Live frames cannot
                # wait, the past can.
                while self._projector.is_pressed and not self._stopping.wait(_PAUSE_S):
                    pass
                self._projector.offer(batch)
        self._is_done.set()

    def _frames_in_database(self) -> int:
        """Return how many frames the dead recorder's database holds: a whole prefix."""
        if not self._database.exists():
            return 0
        try:
            database = Database.open(self._database)
            try:
                return database.last_frame_no()
            finally:
                database.close()
        except (DatabaseError, RecordingError):
            # The journal has everything: it is filled again from the start.
            try:
                move_aside(self._database)
            except OSError as error:
                # Left where it is, it is told as what cannot be written, and sealing decides.
                log.warning("%s cannot be moved out of the way: %s", self._database.name, error.strerror)
            return 0
