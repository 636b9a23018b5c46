"""
The book of points: reads what was scored earlier, and writes what is scored now.

In a thread of its own, so that neither a slow disk nor a notebook that has the file open
holds up the show. What is not written yet is not lost either: every result is in the log
of rounds first, and whatever the file lacks of it is written at the next start.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.background import Worker
from toolkit.errors import NotARecording, RecordingError
from toolkit.show.points.tally import round_of
from toolkit.show.rounds import ROUNDS_FILE, read_rounds
from toolkit.store.scores import SCORES_FILE, KeptRound, Scores

__all__ = ["ScoreBook", "rounds_of_log"]

log = logging.getLogger("toolkit.show")

_RETRY_S = 5.0
"""Between attempts at a file that somebody else has open, or a disk that refuses."""


class ScoreBook:
    """The points of one folder. Any thread; nothing here waits for the disk."""

    def __init__(self, folder: Path, *, retry_s: float = _RETRY_S) -> None:
        """
        Begin without touching anything.

        Args:
            folder: The folder of the show. It need not be there.
            retry_s: Between attempts at a file that refuses.
        """
        self._log_path = folder / ROUNDS_FILE
        self._scores = Scores(folder / SCORES_FILE)
        self._retry_s = retry_s
        self._earlier: list[KeptRound] | None = None
        self._waiting: dict[tuple[str, int], KeptRound] = {}
        self._results: queue.SimpleQueue[KeptRound | None] = queue.SimpleQueue()
        self._worker: Worker | None = None
        self._is_ending = False
        self._is_told = False

    def earlier(self) -> Sequence[KeptRound] | None:
        """Return all rounds there were at the start; None as long as they are being read."""
        self._begin()
        return self._earlier

    def put(self, result: Mapping[str, Any]) -> None:
        """Write down a result, soon. The caller has written it to the log of rounds already."""
        try:
            self._results.put(round_of(result))
        except ValueError as error:
            log.warning("a result is not kept: %s", error)
            return
        self._begin()

    def close(self) -> None:
        """Write what waits, and end. Blocks for as long as one attempt takes."""
        self._ask_to_end()
        if self._worker is not None:
            self._worker.join()

    def _begin(self) -> None:
        if self._worker is None and not self._is_ending:
            self._worker = Worker("toolkit-scores", self._work, ask_to_end=self._ask_to_end)

    def _ask_to_end(self) -> None:
        self._is_ending = True
        self._results.put(None)

    # -- in its thread -------------------------------------------------------

    def _work(self) -> None:
        logged = rounds_of_log(self._log_path)
        kept = {one.key: one for one in self._read()}
        lacking = [one for one in logged if kept.get(one.key) != one]
        self._earlier = list((kept | {one.key: one for one in logged}).values())
        is_first = True
        while not self._is_ending:
            one = self._next()
            if one is not None and is_first:
                # Only who has something to write may write: another process may own the folder.
                self._waiting.update({lost.key: lost for lost in lacking})
                is_first = False
            if one is not None:
                self._waiting[one.key] = one
            if self._waiting and self._results.empty():
                self._write()
        self._drain()

    def _next(self) -> KeptRound | None:
        try:
            return self._results.get(timeout=self._retry_s if self._waiting else None)
        except queue.Empty:
            return None

    def _drain(self) -> None:
        while not self._results.empty():
            one = self._results.get()
            if one is not None:
                self._waiting[one.key] = one
        if self._waiting:
            self._write()

    def _read(self) -> list[KeptRound]:
        try:
            return self._scores.rounds()
        except RecordingError as error:
            # All of it is in the log as well.
            log.warning("points: %s", error)
            return []

    def _write(self) -> None:
        waiting = dict(self._waiting)
        try:
            self._scores.put(list(waiting.values()))
        except NotARecording as error:
            log.error("points: %s", error)
            self._anew()
            return
        except RecordingError as error:
            if not self._is_told:
                log.warning("points wait to be written: %s", error)
            self._is_told = True
            return
        self._is_told = False
        self._waiting = {key: one for key, one in self._waiting.items() if waiting.get(key) != one}

    def _anew(self) -> None:
        """Put a damaged file out of the way and write all of it again."""
        try:
            aside = self._scores.set_aside()
            log.error("points: the file is now %s; a new one is made from the log of rounds", aside.name)
            everything = {one.key: one for one in self._earlier or ()}
            everything |= {one.key: one for one in rounds_of_log(self._log_path)}
            self._scores.replace(list((everything | self._waiting).values()))
            self._waiting.clear()
        except (OSError, RecordingError) as error:
            log.error("points: %s", error)


def rounds_of_log(path: Path) -> list[KeptRound]:
    """Return the rounds of a log, each once as it was judged last; what cannot be read is left out."""
    found = []
    try:
        for line in read_rounds(path):
            try:
                found.append(round_of(line))
            except ValueError as error:
                log.warning("%s: %s", path, error)
    except OSError as error:
        log.error("%s cannot be read: %s", path, error.strerror)
    return found
