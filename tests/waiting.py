"""How tests wait for what another thread, process or page does: on a condition, with a deadline."""

from __future__ import annotations

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
