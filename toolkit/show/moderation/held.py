"""What is held back: a message of a viewer, when it arrived and why; also over a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from types import NoneType
from typing import Any, TypeVar

from toolkit.model.event import Comment, Event, Question, User
from toolkit.show.moderation.ruling import Reason, Ruling
from toolkit.show.part import user_data

__all__ = ["TEXT_CHARS_MAX", "Held", "held_of"]

TEXT_CHARS_MAX = 160
"""Of a text or a name, as the dashboard is told: a state has 12 KiB."""

_KINDS: dict[str, type[Event]] = {Comment.kind: Comment, Question.kind: Question}
_TYPES: dict[Any, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "bool": (bool,), "int | None": (int, NoneType)
}  # fmt: skip

_T = TypeVar("_T", bound=Event | User)


@dataclass(frozen=True)
class Held:
    """
    One message that waits.

    Attributes:
        event: The message.
        at: When it arrived, our clock, microseconds UTC.
        ruling: Why it is held.
    """

    event: Event
    at: int
    ruling: Ruling

    @property
    def user_id(self) -> int:
        """Whose it is; 0 where nobody knows."""
        return 0 if self.event.user is None else self.event.user.user_id

    def told(self) -> dict[str, Any]:
        """Return it as the dashboard shows it."""
        return {
            "msg_id": str(self.event.msg_id),
            "kind": self.event.kind,
            "user": None if self.event.user is None else user_data(self.event.user),
            "text": str(getattr(self.event, "text", ""))[:TEXT_CHARS_MAX],
            "at": self.at,
            "reason": str(self.ruling.reason),
            "word": self.ruling.entry,
        }

    @cached_property
    def saved(self) -> dict[str, Any]:
        """All of it as JSON data. Made once: a thousand may wait, and are saved every second."""
        return {
            "kind": self.event.kind,
            "event": _columns(self.event) | {"user": self.event.user and _columns(self.event.user)},
            "at": self.at,
            "reason": str(self.ruling.reason),
            "word": self.ruling.entry,
        }


def held_of(saved: Any) -> Held | None:
    """Return what :attr:`Held.saved` said; None if it cannot be read as a whole."""
    try:
        told, word = saved["event"], saved["word"]
        user = None if told["user"] is None else _read(User, told["user"])
        event = _read(_KINDS[saved["kind"]], told, user=user)
        if not isinstance(saved["at"], int) or not isinstance(word, str):
            return None
        return Held(event, saved["at"], Ruling(Reason(saved["reason"]), word))
    except (KeyError, TypeError, ValueError):
        return None


def _columns(of: Event | User) -> dict[str, Any]:
    return {one.name: getattr(of, one.name) for one in fields(of)}


def _read(into: type[_T], told: Mapping[str, Any], **known: Any) -> _T:
    """Return an event or a user; raise if a value is missing or of another type."""
    values = dict(known)
    for one in fields(into):
        if one.name not in known:
            values[one.name] = told[one.name]
            if type(told[one.name]) not in _TYPES[one.type]:
                raise TypeError(one.name)
    return into(**values)
