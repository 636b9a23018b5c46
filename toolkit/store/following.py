"""The one recording that is kept open for a notebook that asks for its new rows again and again."""

from __future__ import annotations

import threading
from pathlib import Path

from toolkit.model.recording import RecordingState
from toolkit.store.reader import Recording, open_recording

__all__ = ["Following"]


class Following:
    """At most one open recording. Any thread; callers wait for one another."""

    def __init__(self) -> None:
        self._recording: Recording | None = None
        self._lock = threading.Lock()

    def arrow_after(self, recording_id: str, folder: Path, since_seq: int, table: str) -> bytes:
        """
        Return the rows of a table after message ``since_seq`` as an Arrow IPC stream.

        Works while it is being recorded: the journal is followed, the database is
        the recorder's own.

        Raises:
            RecordingError: There is no such recording or table.
        """
        with self._lock:
            recording = self._recording
            if recording is None or recording.path.stem != recording_id:
                self._let_go()
                recording = open_recording(recording_id, folder)
            # One that is being recorded stays open: a notebook that follows it asks
            # every second. A sealed file is let go: it may be rebuilt or deleted.
            self._recording = recording
            try:
                recording.refresh()
                return recording.arrow_after(since_seq, table)
            finally:
                if recording.state is not RecordingState.LIVE:
                    self._let_go()

    def close(self) -> None:
        """Let go of what is open."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._recording is not None:
            self._recording.close()
            self._recording = None
