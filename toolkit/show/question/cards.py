"""
What is on screen: a question of the quiz with its round, or one that a viewer has asked.

A card says how it looks and when it goes by itself. What comes next is the host's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit.ledger.tombstones import withdrawn_by
from toolkit.model.event import Deletion, User
from toolkit.show.audience.inbox import InboxQuestion
from toolkit.show.part import ShowError, user_data
from toolkit.show.question.quiz import Answer, Question, Round, Rules
from toolkit.show.reading.answers import Verdict

__all__ = ["NO_CARD", "AudienceCard", "QuizCard"]

WON_US, NOT_WON_US = 8_000_000, 5_000_000
"""How long a result stays: a name is read and cheered, a right answer only read."""
CALM_S_MIN, CALM_S_MAX, PRESSED_S = 8.0, 12.0, 3.5
"""How long a viewer's question stays, by its length; shorter when others wait."""
_S_PER_CHARACTER = 0.025
_PRESSED_BY = 8
CHARS_MAX = 120
"""Of a choice or an answer on screen. A question is shown whole."""
ACCEPTED_MAX = 3
LATE_MAX = 5
VERDICTS = ("accept", "void", "late")

NO_CARD: dict[str, Any] = {
    "state": "idle",
    "round": 0,
    "source": "",
    "id": "",
    "text": "",
    "choices": [],
    "category": "",
    "difficulty": "",
    "opened_at": None,
    "closes_at": None,
    "seconds": 0,
    "asked_by": None,
    "asked_count": 0,
    "answered": 0,
    "right": 0,
    "leader": None,
    "winner": None,
    "accepted": [],
    "is_disputed": False,
    "is_void": False,
    "late": 0,
    "late_answers": [],
}
"""What a screen is told when nothing is on it; every card says all of these."""


class AudienceCard:
    """
    A viewer's question on screen. Nobody's answers count.

    Attributes:
        leaves_at: When it goes by itself.
    """

    source = "audience"
    is_open = False

    def __init__(self, asked: InboxQuestion, opened_at: int, waiting: int) -> None:
        """
        Show it.

        Args:
            asked: Which.
            opened_at: Now.
            waiting: How many others wait.
        """
        self.asked, self.id, self.text = asked, asked.id, asked.text
        self.opened_at = opened_at
        calm_s = min(CALM_S_MAX, CALM_S_MIN + len(asked.text) * _S_PER_CHARACTER)
        pressure = min(1.0, waiting / _PRESSED_BY)
        self.seconds = calm_s + (PRESSED_S - calm_s) * pressure
        self.leaves_at: int | None = opened_at + round(self.seconds * 1e6)

    def state(self) -> dict[str, Any]:
        """Return how it looks."""
        asked = self.asked
        return NO_CARD | {
            "state": "on_air",
            "source": self.source,
            "id": self.id,
            "text": self.text,
            "opened_at": self.opened_at,
            "closes_at": self.leaves_at,
            "seconds": self.seconds,
            "asked_by": user_data(asked.users[0]) if asked.users else None,
            "asked_count": asked.count,
        }


class QuizCard:
    """
    A question of the quiz on screen: its round, and what the operator has judged.

    Attributes:
        number: Of the round, over all lives.
        round: Answers and decision.
        leaves_at: When it goes by itself; None as long as answers count.
    """

    source = "bank"

    def __init__(self, question: Question, number: int, opened_at: int, rules: Rules) -> None:
        self.question, self.number = question, number
        self.id, self.text = question.id, question.text
        self.opened_at = opened_at
        self.round = Round(question, opened_at, rules)
        self.leaves_at: int | None = None
        self._users: dict[int, User] = {}
        self._late_winner: Answer | None = None
        self._is_void = False
        self._is_judged = False
        self._is_passed_on = False

    @property
    def is_open(self) -> bool:
        """Whether answers count."""
        return self.round.result is None

    @property
    def until(self) -> int:
        """When answers stop to count: what was missed before may have been one."""
        result = self.round.result
        return self.round.decides_at if result is None else result.decided_at

    @property
    def winner(self) -> Answer | None:
        """Who has won; None as long as it is open, without one, or void."""
        result = self.round.result
        if result is None or self._is_void:
            return None
        return self._late_winner or result.winner

    @property
    def is_disputed(self) -> bool:
        """Whether something may have been missed and nobody has judged it yet."""
        return self.round.is_disputed and not self._is_judged

    def take(self, answer: Answer, user: User) -> bool:
        """Judge a comment; return whether that changed anything."""
        was = self.round.result
        verdict = self.round.take(answer)
        if verdict is not Verdict.CHAT:
            self._users[answer.user_id] = user
        return verdict is not Verdict.CHAT or self.round.result is not was

    def withdraw(self, deletion: Deletion, now: int) -> bool:
        """
        Forget answers that TikTok or the operator takes back; return whether there were any.

        Once it is decided only those of viewers who are hidden. If the winner is among
        them the next in order has won, and is shown for as long as any winner.
        """
        gone = withdrawn_by(deletion)
        if self.is_open:
            return self.round.withdraw(lambda answer: gone.takes(answer.user_id, answer.msg_id))
        before, late_winner = self.winner, self._late_winner
        has_changed = self.round.withdraw(lambda answer: answer.user_id in gone.users)
        if late_winner is not None and late_winner.user_id in gone.users:
            self._late_winner = None
        if self.winner != before:
            self._is_passed_on = has_changed = True
            self.leaves_at = now + (NOT_WON_US if self.winner is None else WON_US)
        return has_changed

    def decide(self, now: int, *, closes: bool = False) -> bool:
        """Decide if it is due, or now; return whether it was decided just now."""
        if not self.is_open:
            return False
        result = self.round.close(now) if closes else self.round.decide(now)
        if result is None:
            return False
        self.leaves_at = result.decided_at + (NOT_WON_US if result.winner is None else WON_US)
        return True

    def dispute(self) -> bool:
        """Mark the result: something may have been missed. What was judged stays as it was judged."""
        was = self.is_disputed
        self.round.dispute()
        return self.is_disputed and not was

    def judge(self, verdict: str, seq: int | None) -> None:
        """
        Take the operator's word: ``accept`` it, make it ``void``, or let a ``late`` answer win.

        Raises:
            ShowError: It is still open, or there is no such late answer.
        """
        result = self.round.result
        if result is None:
            raise ShowError("Answers still count.", hint="Close the question first, or wait for its end.")
        if verdict == "late":
            late = next((answer for answer in result.late if seq in (None, answer.seq)), None)
            if late is None:
                raise ShowError("There is no such late answer.", hint="late_answers lists them, with seq.")
            self._late_winner = late
        self._is_void = verdict == "void"
        self._is_judged = True

    def edge(self, recording: str) -> dict[str, Any]:
        """
        Return how it ended, as ``show:result`` tells it.

        ``key`` is the question as it was asked: the round can be judged again from the recording.
        """
        question, result, winner = self.question, self.round.result, self.winner
        assert result is not None
        return {
            "round": self.number,
            "question_id": self.id,
            "text": self.text,
            "opened_at": self.opened_at,
            "closes_at": self.round.closes_at,
            "decided_at": result.decided_at,
            "winner": None if winner is None else self._user(winner),
            "answer": "" if winner is None else winner.text[:CHARS_MAX],
            "points": 0 if winner is None else self.round.points_of(winner),
            "is_disputed": self.is_disputed,
            "void": self._is_void,
            # The operator has decided, not the clock: by a verdict, or by hiding who had won.
            "judged": self._is_judged or self._is_passed_on,
            "recording": recording,
            "key": {
                "accepted": list(question.accepted),
                "choices": list(question.choices),
                "wrong": list(question.wrong),
                "difficulty": question.difficulty.value,
                "seconds": question.seconds,
                "points": question.points,
            },
        }

    def state(self) -> dict[str, Any]:
        """Return how it looks. The right answer is in it only once no more answers count."""
        question, result = self.question, self.round.result
        look = NO_CARD | {
            "state": "on_air",
            "round": self.number,
            "source": self.source,
            "id": self.id,
            "text": self.text,
            "choices": [choice[:CHARS_MAX] for choice in question.choices],
            "category": question.category[:CHARS_MAX],
            "difficulty": question.difficulty.value,
            "opened_at": self.opened_at,
            "closes_at": self.round.closes_at,
            "seconds": question.seconds,
            "answered": self.round.answered,
            "right": self.round.right,
            "is_disputed": self.is_disputed,
        }
        if result is not None:
            return look | self._ending(result.late)
        leader = self.round.leader
        return look if leader is None else look | {"state": "leading", "leader": self._user(leader)}

    def _ending(self, late: Sequence[Answer]) -> dict[str, Any]:
        winner = self.winner
        return {
            "state": "closed" if winner is None else "decided",
            "winner": None if winner is None else self._won(winner),
            "accepted": [text[:CHARS_MAX] for text in self.question.accepted[:ACCEPTED_MAX]],
            "is_void": self._is_void,
            "late": len(late),
            "late_answers": [self._late(answer) for answer in late[:LATE_MAX]],
        }

    def _won(self, winner: Answer) -> dict[str, Any]:
        return self._user(winner) | {
            "answer": winner.text[:CHARS_MAX],
            "points": self.round.points_of(winner),
            "after_ms": (winner.received_at - self.opened_at) // 1000,
        }

    def _late(self, answer: Answer) -> dict[str, Any]:
        result = self.round.result
        assert result is not None and result.winner is not None
        return {
            "seq": answer.seq,
            "user": self._user(answer),
            "answer": answer.text[:CHARS_MAX],
            "before_ms": (result.winner.order[0] - answer.order[0]) // 1000,
        }

    def _user(self, answer: Answer) -> dict[str, Any]:
        return user_data(self._users[answer.user_id])
