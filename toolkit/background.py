"""
A thread with a loop of its own, for work that a slow page must not delay.

The recorder and a rehearsal each run in one: what they do in the server's loop
would wait for every page that is being built there.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from toolkit.errors import ToolkitError

__all__ = ["Background"]

log = logging.getLogger("toolkit.background")


class Background(threading.Thread):
    """
    Runs one coroutine to its end; starts at once.

    Attributes:
        error: Why it failed; None if it did not.
    """

    def __init__(self, name: str, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """
        Start.

        Args:
            name: Shown in logs.
            make: Makes the coroutine, in the thread.
        """
        super().__init__(name=name, daemon=True)
        self.error: ToolkitError | None = None
        self._make = make
        self.start()

    def run(self) -> None:
        """Run the coroutine; a failure is kept and logged, never raised."""
        try:
            asyncio.run(self._make())
        except ToolkitError as error:
            self.error = error
            log.error("%s: %s", self.name, error)
        except Exception:
            self.error = ToolkitError("It stopped because of a fault of ours; the log has the details.")
            log.exception("%s stopped", self.name)
