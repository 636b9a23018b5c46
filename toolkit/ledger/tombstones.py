"""
Tombstones: what TikTok withdrew, and whether a comment is among it.

TikTok names messages, or users of whom everything goes. A message may be named
before it arrives, since order is loose; of a user only what was said before goes,
for who may write again has been let in again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from toolkit.model.event import Comment, Deletion

__all__ = ["Scope", "Tombstone", "Tombstones", "Withdrawn", "tombstones_of", "withdrawn_by"]

TARGETS_MAX = 1_000
"""Ids read of one notice: the longest real one has a handful."""
_ID_DIGITS_MAX = 19
_ID_MAX = 2**63 - 1


class Scope(StrEnum):
    """What was withdrawn. Stored: never rename."""

    MESSAGE = "message"
    USER = "user"
    """Everything the user had written by then."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """
    One withdrawal.

    Attributes:
        seq: Number of the notice in the recording.
        scope: A message, or all of a user.
        target_id: TikTok's id of it.
        occurred_at: TikTok's clock, microseconds UTC; None if it gave none.
        received_at: Ours.
    """

    seq: int
    scope: Scope
    target_id: int
    occurred_at: int | None
    received_at: int


def tombstones_of(deletion: Deletion) -> Iterator[Tombstone]:
    """Yield what a notice withdraws; what is no id is left out."""
    for scope, ids in ((Scope.MESSAGE, deletion.message_ids), (Scope.USER, deletion.user_ids)):
        for text in ids.split(",")[:TARGETS_MAX]:
            if text.isascii() and text.isdecimal() and len(text) <= _ID_DIGITS_MAX:
                target_id = int(text)
                if 0 < target_id <= _ID_MAX:
                    yield Tombstone(
                        deletion.seq, scope, target_id, deletion.occurred_at, deletion.received_at
                    )


class Withdrawn(NamedTuple):
    """Numbers of the messages that one notice withdraws, and of the users of whom everything goes."""

    messages: frozenset[int]
    users: frozenset[int]

    def takes(self, user_id: int, msg_id: int) -> bool:
        """Return whether something a user had written by then is among it."""
        return user_id in self.users or msg_id in self.messages


def withdrawn_by(deletion: Deletion) -> Withdrawn:
    """Return all that one notice withdraws, for whoever keeps no tombstones."""
    stones = list(tombstones_of(deletion))
    return Withdrawn(
        frozenset(stone.target_id for stone in stones if stone.scope is Scope.MESSAGE),
        frozenset(stone.target_id for stone in stones if stone.scope is Scope.USER),
    )


class Tombstones:
    """
    All withdrawals of a recording. Not thread-safe.

    Attributes:
        stones: In the order of arrival.
    """

    def __init__(self) -> None:
        self.stones: list[Tombstone] = []
        self._messages: set[int] = set()
        self._users: dict[int, int] = {}

    def take(self, deletion: Deletion) -> list[Tombstone]:
        """Take in a notice; return what it withdraws."""
        stones = list(tombstones_of(deletion))
        self.stones += stones
        for stone in stones:
            if stone.scope is Scope.MESSAGE:
                self._messages.add(stone.target_id)
            else:
                self._users[stone.target_id] = max(self._users.get(stone.target_id, 0), stone.seq)
        return stones

    def withdraws(self, comment: Comment) -> bool:
        """Return whether a comment was withdrawn, itself or with its author."""
        if comment.msg_id in self._messages:
            return True
        return comment.user is not None and comment.seq < self._users.get(comment.user.user_id, 0)
