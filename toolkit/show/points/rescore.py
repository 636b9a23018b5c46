"""
A finished recording, asked again: the questions at their times, the answers as they came.

The same rounds as on air, fed from the recording, so the same recording and the same
bank always give the same winners.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolkit.show.question.quiz import Answer, Question, Result, Round, Rules

__all__ = ["Standing", "rescore", "standings"]


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What a viewer has won.

    Attributes:
        user_id: The viewer, TikTok's number.
        name: The name with the last win.
        points: Sum of their points.
        wins: Questions won.
    """

    user_id: int
    name: str
    points: int
    wins: int


def rescore(
    questions: Sequence[Question],
    answers: Iterable[Answer],
    *,
    started_at: int,
    unobserved: Sequence[tuple[int, int]] = (),
    rules: Rules | None = None,
) -> list[Result]:
    """
    Return the result of each question that has a time, in the order of these times.

    Args:
        questions: The bank; those without ``at_s`` are left out.
        answers: Comments in the order of arrival.
        started_at: Beginning of the recording, our clock, microseconds UTC.
        unobserved: Gaps, as (from, until) on the same clock. A question on air in one
            is disputed.
        rules: How rounds are judged; the usual ones by default.
    """
    timed = sorted(
        ((question.at_s, question) for question in questions if question.at_s is not None),
        key=lambda pair: pair[0],
    )
    rounds = [Round(question, started_at + round(at_s * 1e6), rules or Rules()) for at_s, question in timed]
    waiting, running = list(reversed(rounds)), list[Round]()
    for answer in answers:
        while waiting and waiting[-1].opened_at <= answer.received_at:
            running.append(waiting.pop())
        running = [one for one in running if answer.received_at < one.closes_at]
        for one in running:
            one.take(answer)
    for one in rounds:
        if any(begin < one.closes_at and end > one.opened_at for begin, end in unobserved):
            one.dispute()
    results = [one.decide(one.decides_at) for one in rounds]
    return [result for result in results if result is not None]


def standings(results: Iterable[Result]) -> list[Standing]:
    """
    Return who won how much, the most points first.

    Viewers with as many points share a place; they are listed by wins, then by their
    number, so that the order never depends on chance.
    """
    found: dict[int, Standing] = {}
    for result in results:
        winner = result.winner
        if winner is None:
            continue
        before = found.get(winner.user_id, Standing(winner.user_id, "", 0, 0))
        found[winner.user_id] = Standing(
            winner.user_id, winner.name, before.points + result.points, before.wins + 1
        )
    return sorted(found.values(), key=lambda one: (-one.points, -one.wins, one.user_id))
