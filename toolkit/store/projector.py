"""
The thread that turns batches into rows, every 250 ms.

The capture thread only puts batches into a bounded queue and never waits. When
the queue is full the projector gives up on the live database for the rest of the
recording: what is in stays a whole prefix, and sealing brings in the rest from
the journal, which has everything. Nothing is lost; sealing takes longer.

A failed write (disk full, say) is held and tried again until it succeeds. A
database that died is opened again; the number of its last frame tells what had
been written, so no frame is written twice.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolkit import failpoint
from toolkit.background import Worker
from toolkit.errors import RecordingError
from toolkit.model.event import Batch
from toolkit.observe import trace
from toolkit.store.database import Database, DatabaseError

__all__ = ["Lag", "Projector"]

INTERVAL_S = 0.25
"""How often rows are written: at 1,000 messages a second about 9 ms of work each time."""

RETRY_S = 1.0
"""Pause after a failed write."""

QUEUE_MESSAGES_MAX = 50_000
"""Messages waiting before the projector gives up: about 100 MB, minutes of a busy room."""

MEMORY_MB = 256
"""Of the database while it is appended to: 600,000 messages at full speed need 160."""

QUEUE_BATCHES_MAX = 20_000
"""The same for batches, since one may be empty."""


@dataclass(frozen=True, slots=True)
class Lag:
    """
    How far the database is behind the journal.

    Attributes:
        batches: Frames waiting.
        ms: Age of the oldest of them, in milliseconds; 0 when none waits.
        gave_up: The queue overflowed: sealing will bring in the rest.
        error: Why the last write failed; empty after a success.
    """

    batches: int
    ms: float
    gave_up: bool
    error: str


def _open_to_append(path: Path) -> Database:
    return Database.open(path, memory_mb=MEMORY_MB)


class Projector:
    """Owns the database file from :meth:`start` to :meth:`stop`."""

    def __init__(
        self,
        path: Path,
        *,
        interval_s: float = INTERVAL_S,
        retry_s: float = RETRY_S,
        queue_messages_max: int = QUEUE_MESSAGES_MAX,
        open_database: Callable[[Path], Database] = _open_to_append,
    ) -> None:
        self._path = path
        self._interval_s = interval_s
        self._retry_s = retry_s
        self._queue_messages_max = queue_messages_max
        self._open_database = open_database
        self._queue: deque[tuple[float, Batch]] = deque()
        self._held: list[tuple[float, Batch]] = []
        self._waiting_messages = 0
        self._gave_up = False
        self._error = ""
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: Worker | None = None
        self._database: Database | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = Worker("projector", self._run, ask_to_end=self._stopping.set)

    def offer(self, batch: Batch) -> bool:
        """
        Queue a batch. Never blocks.

        Returns:
            False when it was not taken and sealing will have to bring it in.
        """
        with self._lock:
            full = (
                self._waiting_messages + len(batch.messages) > self._queue_messages_max
                or len(self._queue) >= QUEUE_BATCHES_MAX
            )
            if self._gave_up or (full and self._queue):
                self._gave_up = True
                return False
            self._queue.append((time.monotonic(), batch))
            self._waiting_messages += len(batch.messages)
        return True

    @property
    def is_pressed(self) -> bool:
        """Whether half of the queue is taken, and is getting shorter."""
        with self._lock:
            return (
                not self._gave_up
                and not self._error
                and self._waiting_messages > self._queue_messages_max // 2
            )

    @property
    def lag(self) -> Lag:
        """How far behind it is. May be asked from any thread."""
        with self._lock:
            held, queue = self._held, self._queue
            oldest = held[0][0] if held else queue[0][0] if queue else None
            ms = 0.0 if oldest is None else (time.monotonic() - oldest) * 1000
            return Lag(len(held) + len(queue), ms, self._gave_up, self._error)

    def stop(self) -> None:
        """
        Write what is queued, close the database, end the thread.

        A write that fails now is given up: the journal has it.
        """
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            while not self._stopping.wait(self._retry_s if self._error else self._interval_s):
                self._drain()
            self._drain()
        finally:
            self._close()

    def _drain(self) -> None:
        with self._lock:
            self._held.extend(self._queue)
            self._queue.clear()
        if not self._held:
            return
        try:
            database = self._open()
            if self._error:
                self._forget_written(database.last_frame_no())
            failpoint.reach("projection")
            database.append([batch for _, batch in self._held])
        except (DatabaseError, RecordingError) as error:
            # Whatever went wrong, a fresh connection tells the truth about what
            # is in; after a FatalException it is the only one that answers.
            self._error = str(error).splitlines()[0] or type(error).__name__
            self._close()
            return
        self._error = ""
        for _, batch in self._held:
            trace.note("projected", batch.frame_no)
        self._forget_written(self._held[-1][1].frame_no if self._held else 0)

    def _open(self) -> Database:
        if self._database is None:
            self._database = self._open_database(self._path)
        return self._database

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _forget_written(self, frame_no: int) -> None:
        with self._lock:
            written = sum(len(batch.messages) for _, batch in self._held if batch.frame_no <= frame_no)
            self._held = [item for item in self._held if item[1].frame_no > frame_no]
            self._waiting_messages -= written
