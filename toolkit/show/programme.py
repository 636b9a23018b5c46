"""The programme: which parts a show has, in the order in which they hear of things."""

from __future__ import annotations

from pathlib import Path

from toolkit.show.part import Part
from toolkit.show.stage import Stage

__all__ = ["programme"]


def programme(folder: Path, *, seed: int) -> list[Part]:
    """
    Return the parts of a show.

    Args:
        folder: What the show keeps: ``questions/`` and the rest. It need not be there.
        seed: Of the order in which a shuffled bank is asked, before one was saved.
    """
    return [Stage()]
