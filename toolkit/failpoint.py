"""
Places at which the process can be told to die, as `kill -9` would have it.

    TOOLKIT_FAILPOINT=ack        dies when it gets to the place named ``ack``
    TOOLKIT_FAILPOINT=ack:7      dies the seventh time

For tests of what a recording survives: `tests/e2e/kill.py` goes through all of them.
Without the variable a place costs one comparison. Not a setting: it is taken out of
the environment when the process starts, so no child inherits it.
"""

from __future__ import annotations

import os
import signal
import threading
import time

__all__ = ["NAMES", "arm", "die", "die_meanwhile", "is_due", "reach"]

VARIABLE = "TOOLKIT_FAILPOINT"

NAMES = (
    "dial",
    "handshake",
    "first-frame",
    "half-record",
    "fsync",
    "ack",
    "taken",
    "projection",
    "commit",
    "committed",
    "shutdown",
    "summary",
    "checkpoint",
    "compare",
    "compared",
    "removed",
    "resume",
    "catch-up",
    "heal",
    "anew-moved",
    "rebuild-rename",
    "rebuild-renamed",
)
"""In the order in which a recording gets to them."""

_armed = ""
_passes_left = 0


def arm(text: str) -> None:
    """
    Choose where this process dies.

    Args:
        text: A name, perhaps with ``:`` and which time; empty for nowhere.

    Raises:
        ValueError: There is no such place: a test that waits for it would wait for ever.
    """
    global _armed, _passes_left
    name, _, nth = text.partition(":")
    if name and name not in NAMES:
        raise ValueError(f"{VARIABLE}={text}: no such place; there are {', '.join(NAMES)}")
    _armed, _passes_left = name, int(nth or 1)


def is_due(name: str) -> bool:
    """Return whether to die at this place now; each call counts as one time."""
    global _passes_left
    if name != _armed:
        return False
    _passes_left -= 1
    return _passes_left == 0


def reach(name: str) -> None:
    """Die here if told to."""
    if is_due(name):
        die()


def die_meanwhile(name: str) -> None:
    """Die, if told to, while this thread goes on with the system call that comes next."""
    if is_due(name):
        threading.Thread(target=die, name="toolkit-failpoint", daemon=True).start()


def die() -> None:
    """End this process with a signal that nothing can catch."""
    os.kill(os.getpid(), signal.SIGKILL)
    while True:  # Not one more instruction of the caller's, should the signal take a moment.
        time.sleep(1)


arm(os.environ.pop(VARIABLE, ""))
