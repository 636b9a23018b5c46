"""The programme: which parts a show has, in the order in which they hear of things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from toolkit.show.audience.alerts import Alerts
from toolkit.show.audience.goals import Goals
from toolkit.show.audience.inbox import Inbox
from toolkit.show.audience.polls import Polls
from toolkit.show.look.stage import Stage
from toolkit.show.moderation.gate import Gate
from toolkit.show.moderation.moderation import Moderation
from toolkit.show.part import Part
from toolkit.show.points.leaderboard import Leaderboard
from toolkit.show.points.weeks import Weeks
from toolkit.show.question.deck import Deck
from toolkit.show.question.host import Host
from toolkit.show.question.shelf import Shelf
from toolkit.store.scores import KeptRound

__all__ = ["programme"]

QUESTIONS = "questions"
"""Name of the folder for bank files."""


def programme(
    folder: Path,
    *,
    seed: int,
    gate: Gate,
    weeks: Weeks | None = None,
    history: Callable[[], Sequence[KeptRound] | None] = lambda: (),
) -> list[Part]:
    """
    Return the parts of a show.

    Args:
        folder: What the show keeps: ``questions/`` and the rest. It need not be there.
        gate: What may be shown, and who may win; moderation sets its rules.
        seed: Of the order in which a shuffled bank is asked, before one was saved.
        weeks: When the board of the week begins anew; on Mondays here by default.
        history: Earlier rounds; None as long as they are being read.
    """
    inbox = Inbox(lets_through=gate.lets_through)
    host = Host(Shelf(folder / QUESTIONS), Deck(seed), counts=gate.counts, inbox=inbox)
    return [
        Moderation(gate),
        Stage(),
        # Before the host: it has heard of a question, or of its withdrawal, when he looks.
        inbox,
        host,
        Leaderboard(weeks or Weeks(), history),
        Alerts(lets_through=gate.lets_through),
        Goals(),
        Polls(counts=gate.counts),
    ]
