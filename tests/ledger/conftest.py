"""Events and frames of lives that tests make up."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from toolkit.model.event import Comment, Gift, User

_NUMBERS = itertools.count(1)


def gift(count: int, *, end: bool = False, **options: Any) -> Gift:
    """Return one message of a gift; each has a number and an id of its own."""
    number = next(_NUMBERS)
    values: dict[str, Any] = {
        "seq": number,
        "msg_id": number,
        "occurred_at": None,
        "received_at": 0,
        "user": User(1, "ann"),
        "gift_id": 5655,
        "gift_name": "Rose",
        "diamonds": 1,
        "gift_type": 1,
        "repeat_count": count,
        "repeat_end": end,
        "group_id": 77,
        "to_user_id": 0,
        "image_url": "",
    }
    return Gift(**(values | options))


def comment(**options: Any) -> Comment:
    """Return a comment."""
    number = next(_NUMBERS)
    values: dict[str, Any] = {
        "seq": number,
        "msg_id": number,
        "occurred_at": None,
        "received_at": 0,
        "user": User(1, "ann"),
        "text": "hello",
        "language": "en",
        "emotes": "",
        "mentions": "",
        "is_history": False,
    }
    return Comment(**(values | options))


@pytest.fixture
def make() -> Any:
    """Return the makers."""

    class Make:
        gift = staticmethod(gift)
        comment = staticmethod(comment)

    return Make
