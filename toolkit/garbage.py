"""
Python's garbage collector, told what needs no looking at.

A full collection goes through every container that lives: with Panel and TikTokLive
imported those are half a million, and all threads stand still for a third of a second
on a busy machine. What has been imported stays until the end, so it is taken out;
and since events hold no cycles, the young ones are looked at less often.
"""

from __future__ import annotations

import atexit
import gc
from typing import Any

__all__ = ["instances_of", "leave_alone_what_is_imported"]

_THRESHOLDS = (10_000, 20, 20)
"""Python's own are (700, 10, 10): at 1,000 messages/s that is a look at the young every
0.1 s and at the middle-aged every second."""


def leave_alone_what_is_imported() -> None:
    """
    Take everything that lives out of collection, for good.

    To be called after imports, and seldom: a cycle that is thrown away later stays
    in memory if it lives now.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    # At the very end everything is thrown away; what is frozen would be reported as leaked.
    atexit.unregister(gc.unfreeze)
    atexit.register(gc.unfreeze)


def instances_of(cls: type) -> list[Any]:
    """
    Return every living instance of a class and its subclasses, those taken out of collection included.

    Asks who refers to the class, as an instance does. To list all objects instead would
    hold each for a moment, and Python cannot finish a tuple that somebody else holds:
    another thread that is just making one from an iterator would get a ``SystemError``.
    """
    classes = [cls]
    for one in classes:
        classes += one.__subclasses__()
    was_frozen = gc.get_freeze_count() > 0
    gc.unfreeze()
    found = [one for one in gc.get_referrers(*classes) if isinstance(one, cls)]
    if was_frozen:
        gc.freeze()
    return found
