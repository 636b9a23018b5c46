"""
What the cards say about the show: the states of its parts, fit to be shown, encoded once.

A state that is the one of the last look is not looked at again: parts announce at most
four times a second, and most of them almost never.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.dashboard.cards import HUES
from toolkit.dashboard.plain import plain

__all__ = ["ShowStates", "screens", "tamed"]

NAME_CHARS_MAX = 48
SCREENS_MAX = 12
"""Lines of the card; whoever has more reads /api/overlay/screens."""
DEPTH_MAX = 6
"""Levels of a state; ours have four."""


class ShowStates:
    """The JSON text of each part's state. Use it in the server's loop."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, str]] = {}

    def texts(self, states: Mapping[str, Any]) -> dict[str, str]:
        """Return the text of each part, ``bank`` apart from the question it belongs to."""
        question = states.get("question")
        if isinstance(question, Mapping) and "bank" in question:
            states = {**states, "bank": question["bank"]}
        return {name: self._text(name, state) for name, state in states.items()}

    def _text(self, name: str, state: object) -> str:
        known = self._known.get(name)
        if known is None or known[0] is not state:
            known = (state, json.dumps(tamed(state), separators=(",", ":")))
            self._known[name] = known
        return known[1]


def screens(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each screen as the card shows it: only what seldom changes."""
    return [
        {
            "id": one["client"],
            "widget": plain(str(one["widget"] or ""), NAME_CHARS_MAX),
            "is_visible": one["is_visible"],
            "is_active": one["is_active"],
            "is_obs": one["is_obs"],
            "fps": one["fps"] and round(one["fps"]),
        }
        for one in found[:SCREENS_MAX]
    ]


def tamed(value: Any, depth: int = DEPTH_MAX) -> Any:
    """Return ``value`` with every text in it fit to be shown, and users as the cards show them."""
    if isinstance(value, str):
        return plain(value)
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        kept = {str(key): tamed(one, depth - 1) for key, one in value.items() if key != "bank"}
        return kept | _user(value) if "user_id" in value else kept
    if isinstance(value, list | tuple):
        return [tamed(one, depth - 1) for one in value]
    return value


def _user(user: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a card shows of a user, as of the author of a comment."""
    number = str(user["user_id"])
    name = plain(str(user.get("nickname") or ""), NAME_CHARS_MAX)
    return {
        "id": number,
        "name": name or plain(str(user.get("handle") or ""), NAME_CHARS_MAX),
        "hue": int(number) % HUES if number.isdecimal() and len(number) <= 20 else 0,
    }
