"""
What every part of the show looks like to its conductor.

A part is pure: notices, commands and time in, a state out. No clock of its own, no
files, no threads. So a rehearsal, a test and a live run the same code, and the same
input always gives the same show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from toolkit.bus.notice import Notice
from toolkit.errors import ToolkitError
from toolkit.model.event import Event, User
from toolkit.show.mistake import Mistake

__all__ = ["Part", "ShowError", "user_data"]

NAME_CHARS_MAX = 40
"""Of a name in a state: the longest nickname seen had 26, and a hostile one must not fill 12 KiB."""


class ShowError(ToolkitError):
    """
    A command that means nothing, or nothing now.

    Attributes:
        mistakes: What is wrong with each field of a question; empty where it is not about one.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", mistakes: Sequence[Mistake] = ()) -> None:
        super().__init__(message, hint=hint)
        self.mistakes = tuple(mistakes)


class Part(Protocol):
    """
    One part: the questions, the alerts, the goals ...

    The conductor calls one thing at a time, from its own thread or from that of who
    commands. Times are our wall clock, microseconds UTC.

    Attributes:
        name: Its state is announced as ``show:NAME`` and kept under that name in the snapshot.
        actions: Commands it understands, such as ``poll.open``.
        version: Grows whenever :meth:`state` would say something else.
    """

    name: str
    actions: frozenset[str]
    version: int

    def take(self, notice: Notice, now: int) -> None:
        """
        Take in what happened: an event, a gap, ``run``, ``status``, another part's ``show:...``.

        Never raises, whatever a viewer wrote. ``run`` begins anew: a rehearsal and a live
        never mix.
        """
        ...

    def tick(self, now: int) -> int | None:
        """Do what is due; return when to look again, None for not before something happens."""
        ...

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        """
        Do what the operator asks. ``values`` come from a request, unchecked.

        Raises:
            ShowError: It means nothing, or nothing now.
        """
        ...

    def state(self) -> dict[str, Any]:
        """Return all that a screen needs to show this part, as JSON data of at most 12 KiB."""
        ...

    def outbox(self) -> Sequence[tuple[str, Event | dict[str, Any]]]:
        """Return and forget what else is to be announced, such as ``show:result``, in order."""
        ...

    def saved(self) -> dict[str, Any] | None:
        """Return what must survive a restart, as JSON data; None for nothing."""
        ...

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up what :meth:`saved` returned once. What cannot be read is left out, never raised."""
        ...


def user_data(user: User) -> dict[str, Any]:
    """Return a viewer as states name them; ``avatar`` says whether ``/avatar/USER_ID`` has a picture."""
    return {
        "user_id": str(user.user_id),
        "nickname": user.nickname[:NAME_CHARS_MAX],
        "handle": user.handle[:NAME_CHARS_MAX],
        "avatar": bool(user.avatar_url),
    }
