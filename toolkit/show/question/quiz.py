"""
One round of the quiz: a question on air, answers, the first right one.

Rules, all of them:

- A comment counts if it reached us while the question was on air, the first second
  (``blind_s``) left out: what arrives then was written before anybody saw the question.
  One that was delayed counts as if it had come as fast as others do (``lag_us``): it may
  arrive later than that and be from before the question all the same.
- A viewer is a numeric user id; names change. With choices the first choice a viewer
  names is their answer, whatever else they write. To an open question each may try as
  often as the rules allow; their first right answer counts. First is by TikTok's clock.
- Of the right answers the one with the earliest time of TikTok's clock wins; of two
  with the same time the one that reached us first.
- TikTok delivers out of order, up to 1.7 s. So the first right answer leads at once,
  on screen too, and wins if nothing earlier arrives for a short while (``settle_s``).
- A right answer that was earlier but arrived after that changes nothing. It is kept in
  the result as ``late``, for the operator to judge.
- What is withdrawn before the decision, by TikTok or by the operator who hides somebody,
  was never said. A winner who is hidden while the result is shown has not won: the next
  in order has. Who takes their comment back then has won all the same.
- A gap while the question is on air makes the result disputed: somebody may have been
  first whom nobody saw.

Pure: the caller brings answers in the order in which they arrived, and the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from toolkit.show.reading.answers import Key, Verdict

__all__ = ["Answer", "Difficulty", "Question", "Result", "Round", "Rules"]

_LATE_MAX = 20
"""Late answers kept of a round: for a person to look at."""


class Difficulty(Enum):
    """How hard a question is; decides its points."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    One question of the bank.

    Attributes:
        id: Names it in results; unique within a bank.
        text: What is shown.
        accepted: Right answers, at least one.
        choices: Shown with letters, in this order; empty for an open question.
        wrong: Answers that look like a right one and are not.
        difficulty: Decides the points, unless ``points`` does.
        category: A word of the author's.
        seconds: How long it is on air.
        points: For the winner; 0 for what the difficulty is worth.
        at_s: Where in a recording it is asked, seconds from the start; None if nowhere.
    """

    id: str
    text: str
    accepted: tuple[str, ...]
    choices: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    difficulty: Difficulty = Difficulty.MEDIUM
    category: str = ""
    seconds: float = 30.0
    points: int = 0
    at_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    How rounds are judged.

    Attributes:
        blind_s: Beginning of the time on air in which nothing counts. A comment is about
            0.9 s on its way to us, and the picture takes longer to the viewers.
        settle_s: Time between the first right answer and the decision: the largest
            step back that was seen in TikTok's order is 1.7 s.
        tries: Comments of one viewer that are looked at in an open question.
        points: For a right winner, by difficulty.
        speed_bonus: Added for an answer at once, falling to nothing at the end of the
            time, as a share of the points.
    """

    blind_s: float = 1.0
    settle_s: float = 1.75
    tries: int = 20
    points: Mapping[Difficulty, int] = field(
        default_factory=lambda: {Difficulty.EASY: 10, Difficulty.MEDIUM: 20, Difficulty.HARD: 30}
    )
    speed_bonus: float = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A comment, as the quiz sees it.

    Attributes:
        seq: Its place in the order of arrival; unique.
        user_id: The viewer, TikTok's number.
        occurred_at: TikTok's clock, microseconds UTC; 0 where there is none.
        received_at: Ours, microseconds UTC.
        text: What was written.
        name: The viewer's name at that moment, shown and not compared.
        msg_id: TikTok's number of the comment; 0 where nobody needs it.
        lag_us: How much longer than fast comments it was on its way, microseconds
            (:mod:`toolkit.show.question.travel`).
    """

    seq: int
    user_id: int
    occurred_at: int
    received_at: int
    text: str
    name: str = ""
    msg_id: int = 0
    lag_us: int = 0

    @property
    def order(self) -> tuple[int, int]:
        """Who was first: the smaller. An answer without TikTok's time has ours."""
        return (self.occurred_at or self.received_at, self.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """
    How a round ended.

    Attributes:
        question_id: Which question.
        opened_at: When it went on air, our clock, microseconds UTC.
        decided_at: When the winner was decided, or the time was up.
        winner: The winning answer; None if nobody was right.
        points: What the winner gets; 0 without one.
        right: Viewers who were right until the decision.
        wrong: Viewers whose answer was a wrong choice.
        answered: Viewers with an answer, right or wrong.
        is_disputed: A gap lay in the time on air.
        late: Right answers that were earlier by TikTok's clock than the winner's and
            arrived after the decision.
    """

    question_id: str
    opened_at: int
    decided_at: int
    winner: Answer | None
    points: int
    right: int
    wrong: int
    answered: int
    is_disputed: bool = False
    late: tuple[Answer, ...] = ()


class Round:
    """
    One question on air.

    Feed every comment to :meth:`take` in the order of arrival; ask :attr:`decides_at`
    when to call :meth:`decide`.
    """

    def __init__(self, question: Question, opened_at: int, rules: Rules) -> None:
        self.question = question
        self.opened_at = opened_at
        self.closes_at = opened_at + round(question.seconds * 1e6)
        self._counts_from = opened_at + round(rules.blind_s * 1e6)
        self._rules = rules
        self._key = Key(question.accepted, choices=question.choices, wrong=question.wrong)
        self._answers: dict[int, tuple[Answer, Verdict]] = {}
        self._tries: dict[int, int] = {}
        self._first_right_at: int | None = None
        self._is_disputed = False
        self._result: Result | None = None

    @property
    def decides_at(self) -> int:
        """When this round is to be decided, our clock, microseconds UTC; it may come nearer."""
        if self._first_right_at is None:
            return self.closes_at
        return self._first_right_at + round(self._rules.settle_s * 1e6)

    @property
    def leader(self) -> Answer | None:
        """The right answer that wins unless an earlier one arrives; None as long as nobody is right."""
        return min(self._right(), key=lambda answer: answer.order, default=None)

    @property
    def result(self) -> Result | None:
        """How it ended; None while it runs."""
        return self._result

    @property
    def answered(self) -> int:
        """Viewers with an answer so far, right or wrong."""
        return len(self._answers)

    @property
    def right(self) -> int:
        """Viewers who are right so far."""
        return sum(1 for _ in self._right())

    @property
    def is_disputed(self) -> bool:
        """Whether something may have been missed while the question was on air."""
        return self._is_disputed

    def take(self, answer: Answer) -> Verdict:
        """
        Judge a comment. One that came outside the time on air is chat.

        A comment that arrives after the moment of decision first decides the round:
        the outcome depends on the clock of arrival, not on how often somebody looked.
        """
        if self._result is None and answer.received_at >= self.decides_at:
            self.decide(answer.received_at)
        came_after = self._counts_from <= answer.received_at - answer.lag_us
        is_in_time = came_after and answer.received_at < self.closes_at
        if not is_in_time or not self._may_try(answer.user_id):
            return Verdict.CHAT
        verdict = self._key.verdict(answer.text)
        if self._result is not None:
            self._note_late(answer, verdict)
        elif verdict is not Verdict.CHAT:
            self._keep(answer, verdict)
        return verdict

    def withdraw(self, is_gone: Callable[[Answer], bool]) -> bool:
        """
        Forget answers that were taken back. Once it is decided the next in order wins instead.

        Returns:
            Whether there were any.
        """
        left = {user_id: judged for user_id, judged in self._answers.items() if not is_gone(judged[0])}
        had_any = len(left) < len(self._answers)
        if had_any:
            self._answers = left
            self._first_right_at = min((one.received_at for one in self._right()), default=None)
        return self._withdraw_decided(is_gone) or had_any

    def dispute(self) -> None:
        """Say that something may have been missed while the question was on air."""
        self._is_disputed = True
        if self._result is not None:
            self._result = replace(self._result, is_disputed=True)

    def decide(self, now: int) -> Result | None:
        """
        Return the result once it is due at ``now``; None before. The first call decides.

        Args:
            now: Our clock, microseconds UTC.
        """
        if self._result is None and now >= self.decides_at:
            self._result = self._decided()
        return self._result

    def close(self, now: int) -> Result:
        """Take no more answers, and decide: who leads has won. The first decision stands."""
        result = self.decide(now)
        if result is None:
            self.closes_at = min(self.closes_at, now)
            result = self._result = replace(self._decided(), decided_at=now)
        return result

    def points_of(self, answer: Answer) -> int:
        """Return what an answer is worth if it wins."""
        # By our clock: TikTok's and ours may be seconds apart.
        length = round(self.question.seconds * 1e6)
        left = (self.opened_at + length - answer.received_at) / length
        points = self.question.points or self._rules.points[self.question.difficulty]
        return round(points * (1 + self._rules.speed_bonus * left))

    def _decided(self) -> Result:
        winner, right = self.leader, self.right
        return Result(
            question_id=self.question.id,
            opened_at=self.opened_at,
            decided_at=self.decides_at,
            winner=winner,
            points=0 if winner is None else self.points_of(winner),
            right=right,
            wrong=len(self._answers) - right,
            answered=len(self._answers),
            is_disputed=self._is_disputed,
        )

    def _withdraw_decided(self, is_gone: Callable[[Answer], bool]) -> bool:
        was = self._result
        if was is None:
            return False
        late = tuple(answer for answer in was.late if not is_gone(answer))
        now = replace(self._decided(), decided_at=was.decided_at, late=late)
        self._result = now
        return now != was

    def _keep(self, answer: Answer, verdict: Verdict) -> None:
        before = self._answers.get(answer.user_id)
        # What a viewer wrote first may arrive second.
        if before is not None and before[0].order < answer.order:
            return
        self._answers[answer.user_id] = (answer, verdict)
        if verdict is Verdict.RIGHT:
            if self._first_right_at is None:
                self._first_right_at = answer.received_at
        elif before is not None and before[1] is Verdict.RIGHT:
            # Not right after all: perhaps nobody is any more.
            self._first_right_at = min((one.received_at for one in self._right()), default=None)

    def _right(self) -> Iterator[Answer]:
        return (answer for answer, verdict in self._answers.values() if verdict is Verdict.RIGHT)

    def _may_try(self, user_id: int) -> bool:
        if self.question.choices:
            return True
        self._tries[user_id] = self._tries.get(user_id, 0) + 1
        return self._tries[user_id] <= self._rules.tries

    def _note_late(self, answer: Answer, verdict: Verdict) -> None:
        result = self._result
        assert result is not None
        is_earlier = result.winner is not None and answer.order < result.winner.order
        if verdict is Verdict.RIGHT and is_earlier and len(result.late) < _LATE_MAX:
            self._result = replace(result, late=(*result.late, answer))
