"""
Polls: the chat votes, or TikTok's own poll is shown as it arrives.

A vote is a comment that is nothing but an option: its number, its letter or its text,
as an answer to a quiz is read. Everybody has one, and the first one counts: whoever
could change a vote could be talked into it. It counts if it reached us while the poll
was open. A comment that is withdrawn before the end was no vote, nor was what a viewer
wrote who is hidden; the result of a closed poll stands.

One poll is on screen. One of the chat stays, closed, until the operator takes it off;
one of TikTok's goes by itself, and is not shown as long as there is one of the chat.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.bus.notice import Notice
from toolkit.ledger.tombstones import Withdrawn, withdrawn_by
from toolkit.model.event import Comment, Deletion, Event, Poll
from toolkit.show.part import ShowError
from toolkit.show.reading.answers import LETTERS, Choices
from toolkit.show.request import read_text, read_texts, read_whole
from toolkit.show.run import Runs

__all__ = ["Polls"]

OPTIONS_MAX = len(LETTERS)
TEXT_CHARS_MAX = 200
LABEL_CHARS_MAX = 60
SECONDS, SECONDS_MIN, SECONDS_MAX = 60, 5, 3_600
VOTERS_MAX = 20_000
"""More than ever wrote in one poll. Whoever comes later is not counted."""
RESULT_US = 30_000_000
"""How long the result of one of TikTok's polls stays."""
SILENT_US = 600_000_000
"""One of TikTok's that was not heard of for so long is over; its end was missed."""
_VOTES_MAX = 2**53
_START, _END = 0, 1


@dataclass(slots=True)
class _Poll:
    """
    One poll.

    Attributes:
        source: ``chat`` or ``tiktok``.
        votes: Of each option, in their order.
        closes_at: When it closes by itself; None where only TikTok knows.
        closed_at: When it was closed; None while it is open.
        voters: Who has voted, for which option, and in which message; empty for TikTok's.
    """

    source: str
    text: str
    labels: list[str]
    votes: list[int]
    opened_at: int
    closes_at: int | None = None
    closed_at: int | None = None
    heard_at: int = 0
    poll_id: int = 0
    voters: dict[int, tuple[int, int]] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        total = sum(self.votes)
        return {
            "state": "open" if self.closed_at is None else "closed",
            "source": self.source,
            "text": self.text,
            "options": [
                {"label": label, "votes": votes, "share": round(votes / total, 4) if total else 0.0}
                for label, votes in zip(self.labels, self.votes, strict=True)
            ],
            "total": total,
            "opened_at": self.opened_at,
            "closes_at": self.closes_at if self.closed_at is None else self.closed_at,
        }


_IDLE: dict[str, Any] = {
    "state": "idle", "source": "", "text": "", "options": [], "total": 0,
    "opened_at": None, "closes_at": None,
}  # fmt: skip


class Polls:
    """The part ``poll``."""

    name = "poll"
    actions = frozenset({"poll.open", "poll.close", "poll.clear"})

    def __init__(self, *, counts: Callable[[Event], bool] = lambda _event: True) -> None:
        """
        Begin without a poll.

        Args:
            counts: Whether what somebody wrote counts as a vote.
        """
        self.version = 1
        self._counts = counts
        self._runs = Runs()
        self._chat: _Poll | None = None
        self._choices = Choices(())
        self._tiktok: _Poll | None = None

    # -- what happens ------------------------------------------------------

    def take(self, notice: Notice, now: int) -> None:
        """Take in a vote, a poll of TikTok's, a new run."""
        match notice.data:
            case Comment() as comment:
                self._vote(comment, now)
            case Poll() as poll:
                self._follow(poll, now)
            case Deletion() as deletion:
                self._withdraw(withdrawn_by(deletion))
            case _ if self._runs.take(notice):
                self._chat = self._tiktok = None
                self.version += 1

    def _vote(self, comment: Comment, now: int) -> None:
        poll = self._chat
        if poll is None or poll.closed_at is not None or comment.user is None or comment.is_history:
            return
        if poll.closes_at is not None and now >= poll.closes_at:
            return
        user_id = comment.user.user_id
        if user_id in poll.voters or len(poll.voters) >= VOTERS_MAX:
            return
        place = self._choices.place(comment.text)
        if place is not None and self._counts(comment):
            poll.voters[user_id] = place, comment.msg_id
            poll.votes[place] += 1
            self.version += 1

    def _withdraw(self, gone: Withdrawn) -> None:
        poll = self._chat
        if poll is None or poll.closed_at is not None:
            return
        votes = [
            (user_id, place)
            for user_id, (place, msg_id) in poll.voters.items()
            if gone.takes(user_id, msg_id)
        ]
        for user_id, place in votes:
            # Gone as if it had not been: its author may vote.
            del poll.voters[user_id]
            poll.votes[place] -= 1
            self.version += 1

    def _follow(self, event: Poll, now: int) -> None:
        """Show one of TikTok's: each message has all votes, only the first has the title."""
        poll = self._tiktok
        if poll is None or poll.poll_id != event.poll_id:
            if event.stage == _END and poll is None:
                return
            poll = _Poll("tiktok", "", [], [], now, poll_id=event.poll_id)
        labels, votes = _options(event.options, poll.labels)
        if labels:
            poll.labels, poll.votes = labels, votes
        poll.text = event.title[:TEXT_CHARS_MAX] or poll.text
        poll.heard_at = now
        if event.stage == _END and poll.closed_at is None:
            poll.closed_at = now
        elif event.stage == _START:
            poll.closed_at = None
        self._tiktok = poll if poll.labels else None
        self.version += 1

    def tick(self, now: int) -> int | None:
        """Close what is due, take off what was shown for long enough."""
        moments = []
        chat = self._chat
        if chat is not None and chat.closed_at is None and chat.closes_at is not None:
            if now >= chat.closes_at:
                self._close(chat, chat.closes_at)
            else:
                moments.append(chat.closes_at)
        leaves_at = self._tiktok_leaves_at(now)
        if leaves_at is not None and now >= leaves_at:
            self._tiktok = None
            self.version += 1
        elif leaves_at is not None:
            moments.append(leaves_at)
        return min(moments, default=None)

    def _tiktok_leaves_at(self, now: int) -> int | None:
        poll = self._tiktok
        if poll is None:
            return None
        if poll.closed_at is not None:
            return min(poll.closed_at, now) + RESULT_US
        return min(poll.heard_at, now) + SILENT_US

    def _close(self, poll: _Poll, at: int) -> None:
        poll.closed_at = at
        self.version += 1

    # -- what the operator asks --------------------------------------------

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        """
        Do what the operator asks.

        Raises:
            ShowError: It means nothing, or nothing now.
        """
        match action:
            case "poll.open":
                self._open(values, now)
            case "poll.close":
                if self._chat is None or self._chat.closed_at is not None:
                    raise ShowError("No poll of the chat is open.", hint="TikTok's own are closed there.")
                self._close(self._chat, now)
            case "poll.clear":
                self._chat = self._tiktok = None
        self.version += 1

    def _open(self, values: Mapping[str, Any], now: int) -> None:
        text = read_text(values, "text", chars_max=TEXT_CHARS_MAX)
        labels = read_texts(values, "options", least=2, most=OPTIONS_MAX, chars_max=LABEL_CHARS_MAX)
        seconds = read_whole(values, "seconds", SECONDS_MIN, SECONDS_MAX, SECONDS)
        choices = Choices(labels)
        for place, label in enumerate(labels):
            if choices.place(label) != place:
                raise ShowError(
                    f"{label} cannot be told from another option.", hint="Options have to differ in words."
                )
        self._choices = choices
        self._chat = _Poll("chat", text, labels, [0] * len(labels), now, closes_at=now + seconds * 1_000_000)

    # -- what is told and kept ---------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the poll on screen."""
        poll = self._chat or self._tiktok
        return dict(_IDLE) if poll is None else poll.told()

    def outbox(self) -> Sequence[tuple[str, Event | dict[str, Any]]]:
        """Return nothing: the state says it all."""
        return ()

    def saved(self) -> dict[str, Any] | None:
        """Return the poll of the chat with all who have voted, for a live that goes on after a restart."""
        poll = self._chat
        if poll is None:
            return None
        voters: list[list[tuple[str, str]]] = [[] for _ in poll.labels]
        for user_id, (place, msg_id) in poll.voters.items():
            voters[place].append((str(user_id), str(msg_id)))
        return {
            "recording": self._runs.recording,
            "text": poll.text,
            "options": poll.labels,
            "opened_at": poll.opened_at,
            "closes_at": poll.closes_at,
            "closed_at": poll.closed_at,
            "voters": voters,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up a poll; one that cannot be read as a whole is left out."""
        recording = saved.get("recording")
        self._runs = Runs(recording if isinstance(recording, str) else "")
        try:
            self._open({"text": saved["text"], "options": saved["options"]}, int(saved["opened_at"]))
            poll = self._chat
            assert poll is not None
            poll.closes_at = int(saved["closes_at"])
            poll.closed_at = None if saved["closed_at"] is None else int(saved["closed_at"])
            for place, votes in enumerate(saved["voters"][: len(poll.labels)]):
                poll.voters |= {int(user_id): (place, int(msg_id)) for user_id, msg_id in votes[:VOTERS_MAX]}
            places = [place for place, _ in poll.voters.values()]
            poll.votes = [places.count(place) for place in range(len(poll.labels))]
        except (ShowError, KeyError, TypeError, ValueError, OverflowError):
            self._chat = None
        self.version += 1


def _options(text: str, known: Sequence[str]) -> tuple[list[str], list[int]]:
    """
    Return labels and votes of one of TikTok's polls; nothing if they cannot be read.

    Args:
        text: JSON, as the event has it.
        known: Labels so far, for a message that tells votes only.
    """
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return [], []
    labels, votes = [], []
    for place, row in enumerate(rows[:OPTIONS_MAX] if isinstance(rows, list) else []):
        label, count = (row.get("text"), row.get("votes")) if isinstance(row, dict) else (None, None)
        if not isinstance(label, str) or not isinstance(count, int):
            continue
        labels.append(label[:LABEL_CHARS_MAX] or (known[place] if place < len(known) else str(place + 1)))
        votes.append(min(max(0, int(count)), _VOTES_MAX))
    return labels, votes
