"""
Why something is shown or not: a pure function of immutable rules.

What is held back is shown later if the operator approves it. A name that is blocked
takes everything with it that its bearer does; it is never shown as stars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from toolkit.model.event import Comment, Envelope, Event, Pin, Question
from toolkit.show.moderation.blocklist import LINK, Blocklist

__all__ = ["HELD_KINDS", "Decided", "Reason", "Rules", "Ruling", "Said", "number_of"]

HELD_KINDS = frozenset({Comment.kind, Question.kind})
"""What a viewer writes. A gift waits for nobody's approval."""


class Reason(StrEnum):
    """Why something is not shown. Stored and shown: never rename."""

    HOLD = "hold"
    """Everything waits for approval."""
    WORD = "word"
    LINK = "link"
    NAME = "name"
    USER = "user"
    """The viewer is hidden."""
    MESSAGE = "message"
    """The message is."""
    FAULT = "fault"
    """It could not be judged."""


class Ruling(NamedTuple):
    """Why something is not shown, and the entry of the list that says so, if one does."""

    reason: Reason
    entry: str = ""


class Said(NamedTuple):
    """What there is to judge of an event: who, and which words."""

    kind: str
    msg_id: int
    user_id: int
    nickname: str
    handle: str
    text: str

    @classmethod
    def of(cls, event: Event) -> Said:
        """Take it from an event."""
        user = event.user
        text = event.text if isinstance(event, Comment | Question | Pin) else ""
        if isinstance(event, Envelope):
            text = event.sender_name
        if user is None:
            return cls(event.kind, event.msg_id, 0, "", "", text)
        return cls(event.kind, event.msg_id, user.user_id, user.nickname, user.handle, text)

    @classmethod
    def told(cls, kind: str, data: Mapping[str, Any]) -> Said:
        """Take it from an event as the socket tells it."""
        user = data.get("user") or {}
        user_id = int(user.get("user_id", 0))
        text = str(data.get("text", ""))
        return cls(kind, int(data["msg_id"]), user_id, user.get("nickname", ""), user.get("handle", ""), text)


@dataclass(frozen=True, slots=True)
class Decided:
    """
    What was decided about one live, message by message.

    Attributes:
        hidden_messages: Never shown.
        hidden_users: Nothing of theirs is shown.
        shown_users: Shown in this live although they are hidden otherwise.
        approved: Shown whatever the list says.
    """

    hidden_messages: frozenset[int] = frozenset()
    hidden_users: frozenset[int] = frozenset()
    shown_users: frozenset[int] = frozenset()
    approved: frozenset[int] = frozenset()

    @property
    def hides(self) -> bool:
        """Whether anything is hidden."""
        return bool(self.hidden_messages or self.hidden_users)

    @classmethod
    def of(cls, decisions: Iterable[Mapping[str, Any]]) -> Decided:
        """Add up decisions in their order; a later one undoes an earlier. What is unreadable is left out."""
        sets: dict[str, set[int]] = {name: set() for name in cls.__slots__}
        for decision in decisions:
            into, out_of, key = _EFFECTS.get(str(decision.get("decision")), ("", "", ""))
            number = number_of(decision.get(key))
            if into and number is not None:
                sets[into].add(number)
                sets[out_of].discard(number)
        return cls(**{name: frozenset(found) for name, found in sets.items()})

    def after(self, decision: Mapping[str, Any]) -> Decided:
        """Return it with one decision more."""
        into, out_of, key = _EFFECTS[decision["decision"]]
        number = number_of(decision[key])
        assert number is not None, decision
        return replace(
            self, **{into: getattr(self, into) | {number}, out_of: getattr(self, out_of) - {number}}
        )


_EFFECTS = {
    "hide_message": ("hidden_messages", "approved", "msg_id"),
    "reject": ("hidden_messages", "approved", "msg_id"),
    "show_message": ("approved", "hidden_messages", "msg_id"),
    "approve": ("approved", "hidden_messages", "msg_id"),
    "hide_user": ("hidden_users", "shown_users", "user_id"),
    "show_user": ("shown_users", "hidden_users", "user_id"),
}
"""Decision -> the set it adds to, the one it takes away from, and what names the target."""


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Everything that decides, at one moment. Judging is a pure function of it.

    Attributes:
        blocklist: Words and links.
        holds: Everything waits for approval.
        hidden_users: In every live.
        decided: In this one.
        waiting: Messages that were held back under other rules and have not been
            decided: a list that grows shorter lets nothing go by itself.
    """

    blocklist: Blocklist = field(default_factory=Blocklist)
    holds: bool = False
    hidden_users: frozenset[int] = frozenset()
    decided: Decided = field(default_factory=Decided)
    waiting: frozenset[int] = frozenset()

    @property
    def are_open(self) -> bool:
        """Whether nothing at all is held back."""
        return not (self.blocklist or self.holds or self.hidden_users or self.waiting or self.decided.hides)

    def hides(self, user_id: int) -> bool:
        """Return whether a viewer is hidden."""
        decided = self.decided
        if user_id in decided.shown_users:
            return False
        return user_id in self.hidden_users or user_id in decided.hidden_users

    def blocks(self, said: Said) -> Ruling | None:
        """Return why something must not be shown, approval apart; None if nothing speaks against it."""
        decided = self.decided
        if self.hides(said.user_id):
            return Ruling(Reason.USER)
        if said.msg_id in decided.hidden_messages:
            return Ruling(Reason.MESSAGE)
        if said.msg_id in decided.approved:
            return None
        if found := self.blocklist.find_in_name(said.nickname, said.handle):
            return Ruling(Reason.NAME, found)
        if found := self.blocklist.find(said.text):
            return Ruling(Reason.LINK if found == LINK else Reason.WORD, found)
        return None

    def judge(self, said: Said) -> Ruling | None:
        """Return why something is not shown now; None if it is."""
        ruling = self.blocks(said)
        if ruling is not None or said.kind not in HELD_KINDS or said.msg_id in self.decided.approved:
            return ruling
        return Ruling(Reason.HOLD) if self.holds or said.msg_id in self.waiting else None


def number_of(value: Any) -> int | None:
    """Return TikTok's number of a user or message, told as text or as a number; None if it is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 19:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 < value < 2**63 else None
