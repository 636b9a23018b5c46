"""
Threads of our own, and how they end with the process.

An interpreter that exits kills its daemon threads where they stand. One that is
inside DuckDB just then takes the process down with SIGABRT. So each thread here is
asked to end and waited for, whichever way the process leaves.

The recorder and a rehearsal each run in a thread with a loop of its own: what they
do in the server's loop would wait for every page that is being built there.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from toolkit.errors import ToolkitError

__all__ = ["EXIT_WITHIN_S", "Background", "Worker", "end_all"]

log = logging.getLogger("toolkit.background")

EXIT_WITHIN_S = 20.0
"""How long an exit waits for threads. What a recorder leaves undone is in its journal,
and done at the next start."""

_UNFINISHED_EXIT_CODE = 1


class Worker(threading.Thread):
    """A thread that the exit of the process waits for; starts at once."""

    def __init__(
        self, name: str, work: Callable[[], None], *, ask_to_end: Callable[[], None] | None = None
    ) -> None:
        """
        Start.

        Args:
            name: Shown in logs.
            work: What it does.
            ask_to_end: Called at exit to make ``work`` return soon. Must not block.
        """
        # A daemon, although it is waited for: Python would wait without a limit and
        # without asking it to end.
        super().__init__(name=name, daemon=True)
        self._work = work
        self._ask_to_end = ask_to_end
        _running.add(self)
        self.start()

    def run(self) -> None:
        """Do the work; what it raises is logged."""
        try:
            self._work()
        except Exception:
            log.exception("%s stopped", self.name)
        finally:
            _running.discard(self)

    def ask_to_end(self) -> None:
        """Make it end soon, where it knows how."""
        if self._ask_to_end is not None:
            self._ask_to_end()


class Background(Worker):
    """
    Runs one coroutine to its end, in a loop of its own.

    Attributes:
        error: Why it failed; None if it did not.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Coroutine[Any, Any, Any]],
        *,
        ask_to_end: Callable[[], None] | None = None,
    ) -> None:
        """
        Start.

        Args:
            name: Shown in logs.
            make: Makes the coroutine, in the thread.
            ask_to_end: Called at exit to make the coroutine return soon. Must not block.
        """
        self.error: ToolkitError | None = None
        self._make = make
        super().__init__(name, self._run_coroutine, ask_to_end=ask_to_end)

    def _run_coroutine(self) -> None:
        try:
            asyncio.run(self._make())
        except ToolkitError as error:
            self.error = error
            log.error("%s: %s", self.name, error)
        except Exception:
            self.error = ToolkitError("It stopped because of a fault of ours; the log has the details.")
            raise


_running: set[Worker] = set()


def end_all(within_s: float | None = None) -> None:
    """
    Ask every thread to end and wait for all; leave without Python's farewell if one does not.

    Called at exit. A server calls it before, because Python first waits for the threads
    of executors, without a limit, and one of them may be sealing a long recording.

    Args:
        within_s: How long it waits; :data:`EXIT_WITHIN_S` by default.
    """
    workers = list(_running)
    for worker in workers:
        worker.ask_to_end()
    deadline_s = time.monotonic() + (EXIT_WITHIN_S if within_s is None else within_s)
    for worker in workers:
        worker.join(max(deadline_s - time.monotonic(), 0))
    late = [worker.name for worker in workers if worker.is_alive()]
    if late:
        log.error("left before %s had ended; the next start completes what was recorded", ", ".join(late))
        sys.stderr.flush()
        os._exit(_UNFINISHED_EXIT_CODE)


atexit.register(end_all)
