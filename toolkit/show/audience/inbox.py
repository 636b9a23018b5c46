"""
The inbox: what the audience asks, from TikTok's Q&A and from the chat, each question once.

Questions of the Q&A are queued by themselves, unless the operator has switched that off;
those found in the chat wait as *new* until the operator queues them. Two are the same if
they have the same words in any order, small words left out, one slip of the finger
forgiven: then it is one question that several have asked. Who asks twice counts once.

What TikTok or the operator withdraws is taken out: a question goes with the last of those
who asked it.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from toolkit.bus.notice import Notice
from toolkit.ledger.tombstones import Scope, tombstones_of
from toolkit.model.event import Comment, Deletion, Event, Question, User
from toolkit.show.part import ShowError, user_data
from toolkit.show.reading.asking import is_question
from toolkit.show.reading.folding import TEXT_MAX
from toolkit.show.reading.wording import are_same, words_of
from toolkit.show.request import read_flag, read_text
from toolkit.show.run import Runs

__all__ = ["Inbox", "InboxQuestion", "QuestionState"]

OPEN_MAX = 100
"""Questions that wait or are on air. Nobody answers more in a live."""
CLOSED_MAX = 200
"""Answered and dismissed ones that are remembered, so that they do not come back as new."""
ASKERS_MAX = 500
"""People remembered of one question; more of them are not counted."""
USERS_SHOWN_MAX = 3
SHOWN_MAX = 30
STATE_BYTES_MAX = 11_000
UNDO_MAX = 50
HELD_MAX = 200
WITHDRAWN_MAX = 1_000


class QuestionState(StrEnum):
    """What has become of a question. Kept and sent: never rename."""

    NEW = "new"
    QUEUED = "queued"
    ON_AIR = "on_air"
    ANSWERED = "answered"
    DISMISSED = "dismissed"

    @property
    def is_open(self) -> bool:
        """Whether it is still to be shown, or is shown now."""
        return self not in _CLOSED


_CLOSED = (QuestionState.ANSWERED, QuestionState.DISMISSED)


@dataclass(slots=True)
class InboxQuestion:
    """
    One question, however many have asked it.

    Attributes:
        id: Names it in commands.
        text: As it was asked first.
        source: ``qna``, ``chat``, or ``operator``.
        at: When it was asked first, our clock, microseconds UTC.
        users: The first of those who asked, at most three.
        askers: Message by which each of them asked it, by their ids.
        state: What has become of it.
        is_pinned: Shown before all others, and never crowded out.
        order: Place in the queue: the smaller is shown first.
    """

    id: str
    text: str
    source: str
    at: int
    words: frozenset[str]
    users: list[User] = field(default_factory=list)
    askers: dict[int, int] = field(default_factory=dict)
    state: QuestionState = QuestionState.NEW
    is_pinned: bool = False
    order: int = 0

    @property
    def count(self) -> int:
        """How many have asked it."""
        return max(1, len(self.askers))

    def told(self) -> dict[str, Any]:
        """Return it as the state has it."""
        return {
            "id": self.id,
            "text": self.text,
            "users": [user_data(user) for user in self.users],
            "count": self.count,
            "state": str(self.state),
            "at": self.at,
            "is_pinned": self.is_pinned,
            "from": self.source,
        }


@dataclass(frozen=True, slots=True)
class _Before:
    """How a question was before the operator did something; None for state: it was not there."""

    id: str
    state: QuestionState | None
    is_pinned: bool
    order: int


class Inbox:
    """The part ``inbox``."""

    name = "inbox"
    actions = frozenset(
        f"inbox.{action}" for action in ("queue", "dismiss", "pin", "answered", "undo", "auto", "add")
    )

    def __init__(self, *, lets_through: Callable[[Event], bool] = lambda _event: True) -> None:
        """
        Begin empty.

        Args:
            lets_through: Whether what somebody wrote may be shown. What it refuses is taken
                in once ``show:approved`` names it.
        """
        self.version = 1
        self._lets_through = lets_through
        self._runs = Runs()
        self._is_auto = True
        self._number = 0
        self._order = 0
        self._dropped = 0
        self._empty()

    def _empty(self) -> None:
        self._questions: dict[str, InboxQuestion] = {}
        self._undo: deque[_Before] = deque(maxlen=UNDO_MAX)
        self._held: OrderedDict[int, Question | Comment] = OrderedDict()
        self._withdrawn: deque[int] = deque(maxlen=WITHDRAWN_MAX)
        self._dropped = 0

    # -- for the host ------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many are queued."""
        return sum(question.state is QuestionState.QUEUED for question in self._questions.values())

    def next(self) -> InboxQuestion | None:
        """Return the one that is shown next, without taking it: pinned ones first, then in order."""
        queued = (q for q in self._questions.values() if q.state is QuestionState.QUEUED)
        return min(queued, key=lambda question: (not question.is_pinned, question.order), default=None)

    def find(self, question_id: str) -> InboxQuestion | None:
        """Return a question by its id; None if there is none, or it was withdrawn."""
        return self._questions.get(question_id)

    def mark(self, question_id: str, state: str, now: int) -> None:
        """Note what has become of a question; nothing if it is gone, or was dismissed meanwhile."""
        question = self._questions.get(question_id)
        if question is None or question.state is QuestionState.DISMISSED:
            return
        question.state = QuestionState(state)
        if question.state is QuestionState.ON_AIR:
            # Its turn is over; what is given back comes where it was.
            question.is_pinned = False
        self._crowd_out()
        self.version += 1

    # -- what happens ------------------------------------------------------

    def take(self, notice: Notice, now: int) -> None:
        """Take in a question, a comment, a withdrawal, an approval, a new run."""
        match notice.data:
            case Question() | Comment() as event:
                self._hear(event, now)
            case Deletion() as deletion:
                self._withdraw(deletion)
            case Mapping() if notice.type == "show:approved":
                held = self._held.pop(_id_of(notice.data.get("msg_id")), None)
                if held is not None:
                    self._ask(held, now)
        if self._runs.take(notice):
            self._empty()
            self.version += 1

    def tick(self, now: int) -> int | None:
        """Do nothing; nothing here is ever due."""
        return None

    def _hear(self, event: Question | Comment, now: int) -> None:
        if isinstance(event, Comment) and (event.is_history or not is_question(event.text)):
            return
        if event.msg_id in self._withdrawn:
            return
        if self._lets_through(event):
            self._ask(event, now)
            return
        self._held[event.msg_id] = event
        while len(self._held) > HELD_MAX:
            self._held.popitem(last=False)

    def _ask(self, event: Question | Comment, now: int) -> None:
        """Have somebody ask: a question that is here already counts one more."""
        text = _tidy(event.text)
        is_qna = isinstance(event, Question)
        if not text:
            return
        question = self._same(words_of(text))
        if question is None:
            question = self._add(text, "qna" if is_qna else "chat", now)
        _count(question, event.user, event.msg_id)
        if is_qna:
            question.source = "qna"
            if self._is_auto and question.state is QuestionState.NEW:
                self._queue(question)
        self._crowd_out()
        self.version += 1

    def _add(self, text: str, source: str, now: int) -> InboxQuestion:
        self._number += 1
        question = InboxQuestion(f"a{self._number}", text, source, now, words_of(text))
        self._questions[question.id] = question
        return question

    def _same(self, words: frozenset[str]) -> InboxQuestion | None:
        return next((q for q in self._questions.values() if are_same(q.words, words)), None)

    def _queue(self, question: InboxQuestion) -> None:
        self._order += 1
        question.state, question.order = QuestionState.QUEUED, self._order

    def _withdraw(self, deletion: Deletion) -> None:
        stones = list(tombstones_of(deletion))
        messages = {stone.target_id for stone in stones if stone.scope is Scope.MESSAGE}
        users = {stone.target_id for stone in stones if stone.scope is Scope.USER}
        # A withdrawal may overtake what it withdraws.
        self._withdrawn.extend(messages)
        for msg_id, event in list(self._held.items()):
            if msg_id in messages or _asker(event) in users:
                del self._held[msg_id]
        for question in list(self._questions.values()):
            self._take_back(question, messages, users)

    def _take_back(self, question: InboxQuestion, messages: set[int], users: set[int]) -> None:
        """Take askers out of a question, and the question with the last one."""
        left = {
            user_id: msg_id
            for user_id, msg_id in question.askers.items()
            if user_id not in users and msg_id not in messages
        }
        if len(left) == len(question.askers):
            return
        question.askers = left
        question.users = [user for user in question.users if user.user_id in left]
        if not left:
            del self._questions[question.id]
        self.version += 1

    def _crowd_out(self) -> None:
        """Keep to the bounds: what the fewest have asked goes first, of these the oldest."""
        if len(self._questions) <= OPEN_MAX:
            return
        # One pass: in a flood this is done for every question that comes.
        open_ones: list[InboxQuestion] = []
        closed: list[InboxQuestion] = []
        for question in self._questions.values():
            (closed if question.state in _CLOSED else open_ones).append(question)
        if len(open_ones) > OPEN_MAX:
            loose = [q for q in open_ones if not q.is_pinned and q.state is not QuestionState.ON_AIR]
            least = min(loose, key=_worth, default=open_ones[-1])
            del self._questions[least.id]
            self._dropped += 1
        if len(closed) > CLOSED_MAX:
            del self._questions[min(closed, key=lambda question: question.at).id]

    # -- what the operator asks --------------------------------------------

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        """
        Do what the operator asks.

        Raises:
            ShowError: It means nothing, or nothing now.
        """
        match action:
            case "inbox.auto":
                self._is_auto = read_flag(values, "on")
            case "inbox.undo":
                self._undo_last()
            case "inbox.add":
                self._put_in(values, now)
            case _:
                question = self._chosen(values)
                before = _Before(question.id, question.state, question.is_pinned, question.order)
                self._change(question, action, values)
                self._undo.append(before)
        self._crowd_out()
        self.version += 1

    def _chosen(self, values: Mapping[str, Any]) -> InboxQuestion:
        question = self._questions.get(read_text(values, "id"))
        if question is None:
            raise ShowError("There is no such question.", hint="It may have been withdrawn.")
        return question

    def _change(self, question: InboxQuestion, action: str, values: Mapping[str, Any]) -> None:
        is_on_air = question.state is QuestionState.ON_AIR
        if action == "inbox.pin":
            question.is_pinned = read_flag(values, "on")
        elif is_on_air and action == "inbox.queue":
            raise ShowError("It is on air.", hint="Skip it, or wait until it is over.")
        elif action == "inbox.queue":
            self._queue(question)
        else:
            is_answered = action == "inbox.answered"
            question.state = QuestionState.ANSWERED if is_answered else QuestionState.DISMISSED
            question.is_pinned = False

    def _put_in(self, values: Mapping[str, Any], now: int) -> None:
        """Queue what the operator typed or picked from the chat, first of all if it is to go on air."""
        text = read_text(values, "text")
        is_first = read_flag(values, "on_air", False)
        user = _user_of(values.get("user"))
        question = self._same(words_of(text))
        if question is None:
            question = self._add(text, "operator" if user is None else "chat", now)
            self._undo.append(_Before(question.id, None, False, 0))
        else:
            self._undo.append(_Before(question.id, question.state, question.is_pinned, question.order))
        if user is not None:
            _count(question, user, _id_of(values.get("msg_id")))
        if question.state is not QuestionState.ON_AIR:
            self._queue(question)
        if is_first:
            question.is_pinned = True
            question.order = min(q.order for q in self._questions.values()) - 1

    def _undo_last(self) -> None:
        while self._undo:
            before = self._undo.pop()
            question = self._questions.get(before.id)
            if question is None or question.state is QuestionState.ON_AIR:
                continue
            if before.state is None:
                del self._questions[before.id]
            else:
                is_shown_already = before.state is QuestionState.ON_AIR
                question.state = QuestionState.QUEUED if is_shown_already else before.state
                question.is_pinned, question.order = before.is_pinned, before.order
            return
        raise ShowError("There is nothing to take back.", hint="Only what was done in this list is.")

    # -- what is told and kept ---------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the questions that are open, newest first, and how many there are of each state."""
        counts = dict.fromkeys(map(str, QuestionState), 0)
        for question in self._questions.values():
            counts[question.state] += 1
        return {
            "questions": self._shown(),
            "counts": counts,
            "auto": self._is_auto,
            "dropped": self._dropped,
        }

    def _shown(self) -> list[dict[str, Any]]:
        """Return what fits: pinned and queued ones before new ones, newer ones before older."""
        # Those of one moment too: what came last is the newest.
        open_ones = [question for question in reversed(self._questions.values()) if question.state.is_open]
        open_ones.sort(key=lambda q: (not q.is_pinned, q.state is QuestionState.NEW, -q.at))
        shown, left = [], STATE_BYTES_MAX
        for question in open_ones[:SHOWN_MAX]:
            told = question.told()
            left -= len(json.dumps(told, ensure_ascii=False).encode()) + 1
            if left < 0:
                break
            shown.append(told)
        return sorted(shown, key=lambda one: -one["at"])

    def outbox(self) -> Sequence[tuple[str, Event | dict[str, Any]]]:
        """Return nothing: the state says it all."""
        return ()

    def saved(self) -> dict[str, Any]:
        """Return all questions, for a live that goes on after a restart."""
        return {
            "recording": self._runs.recording,
            "auto": self._is_auto,
            "number": self._number,
            "questions": [_kept(question) for question in self._questions.values()],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up what was saved; what cannot be read is left out."""
        recording, is_auto = saved.get("recording"), saved.get("auto")
        self._runs = Runs(recording if isinstance(recording, str) else "")
        self._is_auto = is_auto if isinstance(is_auto, bool) else True
        rows = saved.get("questions")
        for row in rows[: OPEN_MAX + CLOSED_MAX] if isinstance(rows, list) else []:
            question = _unkept(row)
            if question is not None:
                self._questions[question.id] = question
                self._number = max(self._number, int(question.id[1:]))
                self._order = max(self._order, question.order)
        self.version += 1


def _count(question: InboxQuestion, user: User | None, msg_id: int) -> None:
    """Count somebody in, once."""
    user_id = 0 if user is None else user.user_id
    if user_id in question.askers or len(question.askers) >= ASKERS_MAX:
        return
    question.askers[user_id] = msg_id
    if user is not None and len(question.users) < USERS_SHOWN_MAX:
        question.users.append(user)


def _asker(event: Event) -> int:
    return 0 if event.user is None else event.user.user_id


def _worth(question: InboxQuestion) -> tuple[bool, bool, int, int]:
    is_queued = question.state is QuestionState.QUEUED
    return is_queued, question.source == "qna", question.count, question.at


def _tidy(text: str) -> str:
    return " ".join(text[:TEXT_MAX].split())


def _id_of(value: Any) -> int:
    """Return a number that was sent as text; 0 if it is none."""
    is_number = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 19
    return int(value) if is_number else 0


def _user_of(value: Any) -> User | None:
    if not isinstance(value, Mapping) or not (user_id := _id_of(value.get("user_id"))):
        return None
    nickname, handle = value.get("nickname"), value.get("handle")
    return User(
        user_id,
        handle=_tidy(handle) if isinstance(handle, str) else "",
        nickname=_tidy(nickname) if isinstance(nickname, str) else "",
    )


def _kept(question: InboxQuestion) -> dict[str, Any]:
    return question.told() | {
        "order": question.order,
        "askers": {str(user_id): str(msg_id) for user_id, msg_id in question.askers.items()},
    }


def _unkept(row: Any) -> InboxQuestion | None:
    try:
        text = _tidy(row["text"])
        state = QuestionState(row["state"])
        question = InboxQuestion(
            f"a{int(row['id'][1:])}",
            text,
            str(row["from"]),
            int(row["at"]),
            words_of(text),
            users=[user for one in row["users"][:USERS_SHOWN_MAX] if (user := _user_of(one)) is not None],
            askers={
                int(user_id): int(msg_id) for user_id, msg_id in list(row["askers"].items())[:ASKERS_MAX]
            },
            # What was on air when we went is shown again: nobody has answered it.
            state=QuestionState.QUEUED if state is QuestionState.ON_AIR else state,
            is_pinned=bool(row["is_pinned"]),
            order=int(row["order"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    return question if text else None
