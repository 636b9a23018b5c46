"""How tests wait for what another thread, process or page does: on a condition, with a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

WITHIN_S = 40.0
"""Far more than anything takes: a machine that is busy is no reason to fail."""


def wait_until(
    condition: Callable[[], Any], what: str = "", *, within_s: float = WITHIN_S, every_s: float = 0.01
) -> Any:
    """Return the first true value of a condition; fail when it never comes."""
    __tracebackhide__ = True
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what or condition}"
        time.sleep(every_s)
    return value


class Lateness:
    """How late this loop is in all: time that the machine takes, not what runs in it. Made in the loop."""

    EVERY_S = 0.05

    def __init__(self) -> None:
        self.total_s = 0.0
        self._task = asyncio.ensure_future(self._measure())

    async def _measure(self) -> None:
        while True:
            asleep_at = time.monotonic()
            await asyncio.sleep(self.EVERY_S)
            self.total_s += max(0.0, time.monotonic() - asleep_at - 2 * self.EVERY_S)

    def stop(self) -> float:
        """End the measurement; return how late it was, in seconds."""
        self._task.cancel()
        return self.total_s
