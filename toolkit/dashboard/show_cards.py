"""The cards of the show: each shows the state of one part or a few, and asks through the desk."""

from __future__ import annotations

from typing import Any, ClassVar

from toolkit.dashboard.board import Reading
from toolkit.dashboard.card import ASSETS, STYLE, Ask, Card, script
from toolkit.dashboard.words import DEFAULT

__all__ = [
    "Air",
    "Alerts",
    "Bank",
    "Goals",
    "Host",
    "Inbox",
    "Leaders",
    "Moderation",
    "Overlay",
    "Poll",
    "ShowCard",
]

SHOW_STYLE = (ASSETS / "show.css").read_text("utf-8")


class ShowCard(Card):
    """
    A card of the show.

    Attributes:
        parts: Names of the parts whose states it shows, as one JSON object.
    """

    parts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, ask: Ask, language: str = DEFAULT, **params: Any) -> None:
        super().__init__(ask, language, stylesheets=[STYLE, SHOW_STYLE], **params)

    def update(self, reading: Reading) -> None:
        """Show the parts. Sends nothing when they are as before."""
        told = (f'"{part}":{reading.show.get(part, "null")}' for part in self.parts)
        self.state = f"{{{','.join(told)}}}"


class Air(ShowCard):
    """The strip at the top: what is on air, the keys, the panic button."""

    key = "air"
    parts = ("question", "stage")
    _esm = script("air")


class Host(ShowCard):
    """The question on air in full, the judgement of a doubtful result, and what comes by itself."""

    key = "host"
    parts = ("question",)
    _esm = script("host")


class Inbox(ShowCard):
    """Questions of the audience."""

    key = "inbox"
    parts = ("inbox",)
    _esm = script("inbox")


class Bank(ShowCard):
    """The question bank: search, form, mistakes of its files."""

    key = "bank"
    parts = ("bank",)
    _esm = script("bank")


class Alerts(ShowCard):
    """The alert on screen, those that wait, and tests."""

    key = "alerts"
    parts = ("alert",)
    _esm = script("alerts")


class Goals(ShowCard):
    """Goals."""

    key = "goals"
    parts = ("goals",)
    _esm = script("goals")


class Poll(ShowCard):
    """The poll."""

    key = "poll"
    parts = ("poll",)
    _esm = script("poll")


class Moderation(ShowCard):
    """Held comments, block lists, hidden users."""

    key = "moderation"
    parts = ("moderation",)
    _esm = script("moderation")


class Leaders(ShowCard):
    """The leaderboards."""

    key = "leaders"
    parts = ("leaderboard",)
    _esm = script("leaders")


class Overlay(ShowCard):
    """The overlay: its addresses, and which screens show it."""

    key = "overlay"
    parts = ("stage", "screens")
    _esm = script("overlay")
