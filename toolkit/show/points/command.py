"""``toolkit rescore``: who would have won, from a recording and a bank with times."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from toolkit.show.moderation.decisions import Decisions, public_comments
from toolkit.show.moderation.ruling import Decided
from toolkit.show.points.rescore import rescore, standings
from toolkit.show.question.bank import load_bank
from toolkit.show.question.quiz import Answer, Question, Result
from toolkit.show.question.travel import REMEMBERED_US, Travel
from toolkit.store.reader import Recording, open_recording

__all__ = ["add_arguments", "answers_of", "rescored", "run", "unobserved_in"]

_ANSWERS = """
    SELECT c.seq, c.user_id, coalesce(epoch_us(c.occurred_at), 0), epoch_us(c.received_at), c.text,
           coalesce(nullif(u.nickname, ''), u.handle, '')
    FROM {comments} c LEFT JOIN users u USING (user_id)
    -- Replayed after a reconnect: written before, so nobody answered with it in time.
    WHERE NOT c.is_history AND c.received_at BETWEEN make_timestamp(?::BIGINT) AND make_timestamp(?::BIGINT)
    ORDER BY c.seq
"""
_FOR_EVER = 2**52
"""Microseconds: the year 2112."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``toolkit rescore``."""
    parser.add_argument("id", help="id of a recording, or a path to one")
    parser.add_argument(
        "bank",
        type=Path,
        help="file or folder of questions; those with `at` are asked (toolkit/show/question/bank.py)",
    )


def run(options: argparse.Namespace) -> int:
    """
    Print the results.

    Raises:
        BankError: The questions have mistakes.
        RecordingError: There is no such recording, or it is damaged.
    """
    questions = load_bank(options.bank)
    decided = Decisions(options.show).of(options.id)
    with open_recording(options.id, options.recordings) as recording:
        results = rescored(recording, questions, decided)
    if options.json:
        print(json.dumps(_report(results), ensure_ascii=False, indent=2))
        return 0
    texts = {question.id: question.text for question in questions}
    for result in results:
        print(_line(result, texts[result.question_id]))
    for place, standing in enumerate(standings(results), 1):
        print(f"{place:>3}. {standing.name}: {standing.points} points, {standing.wins} won")
    if not results:
        print("No question of the bank has a time (`at`), so none was asked.")
    return 0


def rescored(recording: Recording, questions: list[Question], decided: Decided | None = None) -> list[Result]:
    """
    Return the results of a bank over a recording; the same every time.

    Args:
        recording: Where the answers are.
        questions: The bank.
        decided: What moderation decided about it: who is hidden wins nothing.
    """
    segments = recording.segments.rows(named=True)
    if not segments:
        return []
    return rescore(
        questions,
        answers_of(recording, decided or Decided()),
        started_at=_us(segments[0]["started_at"]),
        unobserved=unobserved_in(recording),
    )


def unobserved_in(recording: Recording) -> list[tuple[int, int]]:
    """Return the gaps of a recording as (from, until), microseconds UTC."""
    return [
        # One that never ended: nothing was observed after it.
        (_us(gap["started_at"]), 2**62 if gap["ended_at"] is None else _us(gap["ended_at"]))
        for gap in recording.gaps.rows(named=True)
    ]


def answers_of(
    recording: Recording, decided: Decided, *, since: int = 0, until: int = _FOR_EVER
) -> Iterator[Answer]:
    """Yield the comments that the public may see, in the order in which they arrived."""
    query, travel = _ANSWERS.format(comments=public_comments(decided)), Travel()
    # Those just before tell how long a comment is on its way.
    rows = recording.sql(query, [max(0, since - REMEMBERED_US), until]).iter_rows()
    for seq, user_id, occurred_at, received_at, text, name in rows:
        lag_us = travel.lag_us(occurred_at, received_at)
        if received_at >= since:
            yield Answer(seq, user_id, occurred_at, received_at, text, name, lag_us=lag_us)


def _us(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _line(result: Result, text: str) -> str:
    said = f"{result.right} right of {result.answered}" if result.answered else "no answer"
    who = f"{result.winner.name} ({result.points} points)" if result.winner else "nobody"
    disputed = "; disputed: a gap while it was on air" if result.is_disputed else ""
    late = f"; {len(result.late)} earlier by TikTok's clock, too late here" if result.late else ""
    return f"{text}: {who}; {said}{disputed}{late}"


def _report(results: list[Result]) -> dict[str, Any]:
    return {
        "results": [_plain(asdict(result)) for result in results],
        "standings": [_plain(asdict(standing)) for standing in standings(results)],
    }


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """Return JSON data: TikTok's numbers are text, for readers whose numbers end at 2^53."""
    return {
        name: str(value)
        if name == "user_id"
        else _plain(value)
        if isinstance(value, dict)
        else [_plain(one) for one in value]
        if isinstance(value, tuple | list)
        else value
        for name, value in data.items()
    }
