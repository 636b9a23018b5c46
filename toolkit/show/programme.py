"""The programme: which parts a show has, in the order in which they hear of things."""

from __future__ import annotations

from pathlib import Path

from toolkit.show.deck import Deck
from toolkit.show.gate import Gate
from toolkit.show.host import Host
from toolkit.show.part import Part
from toolkit.show.shelf import Shelf
from toolkit.show.stage import Stage

__all__ = ["programme"]

QUESTIONS = "questions"
"""Name of the folder for bank files."""


def programme(folder: Path, *, seed: int, gate: Gate) -> list[Part]:
    """
    Return the parts of a show.

    Args:
        folder: What the show keeps: ``questions/`` and the rest. It need not be there.
        gate: What may be shown, and who may win; moderation sets its rules.
        seed: Of the order in which a shuffled bank is asked, before one was saved.
    """
    host = Host(Shelf(folder / QUESTIONS), Deck(seed), counts=gate.counts)
    return [Stage(), host]
