"""
Points, added up from rounds: ranks, wins, streaks.

A round is named by its recording and the moment at which it went on air. Putting one in
again replaces it, so the order in which results come does not matter, nor how often, and
a judgement that changes takes back exactly what it had given.

Viewers are numeric user ids: whoever changes their name keeps their points, under the
name they had at their last win. Viewers with as many points share a rank.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import Any

from toolkit.show.moderation.ruling import number_of
from toolkit.store.scores import KeptRound

__all__ = ["Row", "Tally", "round_of"]

POINTS_MAX = 1_000_000
_TEXT_MAX = 300
_NAME_MAX = 40
_HANDLE_MAX = 24
"""TikTok's own limit."""

Row = dict[str, Any]
"""``{"rank", "user", "points", "wins", "streak"}``, as screens show it."""


def round_of(result: Mapping[str, Any]) -> KeptRound:
    """
    Return the round of which ``show:result`` or a line of the log tells.

    Raises:
        ValueError: It tells of none.
    """
    try:
        winner = result["winner"] or {}
        user_id = number_of(winner["user_id"]) if winner else 0
        points = int(result["points"])
        opened_at, decided_at = int(result["opened_at"]), int(result["decided_at"])
        if user_id is None or not 0 <= points <= POINTS_MAX:
            raise ValueError("a winner without a number, or points out of range")
        if not (0 <= opened_at < 2**53 and 0 <= decided_at < 2**53):
            raise ValueError("a time out of range")
        return KeptRound(
            recording=_text(result.get("recording", ""), _TEXT_MAX),
            opened_at=opened_at,
            decided_at=decided_at,
            question_id=_text(result.get("question_id", ""), _TEXT_MAX),
            question=_text(result.get("text", ""), _TEXT_MAX),
            user_id=user_id,
            nickname=_text(winner.get("nickname", ""), _NAME_MAX),
            handle=_text(winner.get("handle", ""), _HANDLE_MAX),
            has_avatar=winner.get("avatar") is True,
            points=points if user_id else 0,
            is_disputed=result.get("is_disputed") is True,
            is_void=result.get("void") is True,
            is_judged=result.get("judged") is True,
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"no result of a round: {error}") from None


def _text(value: Any, chars_max: int) -> str:
    # A lone surrogate cannot be stored nor sent.
    return str(value)[:chars_max].encode(errors="replace").decode()


class Tally:
    """Rounds of one stretch of time, and what they add up to."""

    def __init__(self, rounds: Iterable[KeptRound] = ()) -> None:
        self._rounds: dict[tuple[str, int], KeptRound] = {}
        self._won: dict[int, dict[tuple[str, int], KeptRound]] = {}
        self._points: dict[int, int] = {}
        self._lives: dict[str, Counter[int]] = {}
        self._lives_began: dict[str, int] = {}
        for one in rounds:
            self.put(one)

    @property
    def rounds(self) -> list[KeptRound]:
        """All, in the order in which they went on air."""
        return sorted(self._rounds.values(), key=lambda one: (one.opened_at, one.recording))

    @property
    def players(self) -> int:
        """How many viewers have won something."""
        return len(self._won)

    def __contains__(self, key: tuple[str, int]) -> bool:
        """Return whether a round of that name is in."""
        return key in self._rounds

    def put(self, one: KeptRound) -> None:
        """Put a round in, or in the place of what was said of it before."""
        before = self._rounds.get(one.key)
        if before is not None:
            self._take_back(before)
        self._rounds[one.key] = one
        began = self._lives_began.get(one.recording, one.opened_at)
        self._lives_began[one.recording] = min(began, one.opened_at)
        if not one.is_void:
            self._lives.setdefault(one.recording, Counter())[one.winner_id] += 1
        if one.winner_id:
            self._won.setdefault(one.winner_id, {})[one.key] = one
            self._points[one.winner_id] = self._points.get(one.winner_id, 0) + one.points

    def _take_back(self, before: KeptRound) -> None:
        if not before.is_void:
            self._lives[before.recording][before.winner_id] -= 1
        if not before.winner_id:
            return
        won = self._won[before.winner_id]
        del won[before.key]
        self._points[before.winner_id] -= before.points
        if not won:
            del self._won[before.winner_id], self._points[before.winner_id]

    def top(self, number: int, *, by_live: bool) -> list[Row]:
        """
        Return the first ``number`` viewers.

        Args:
            number: How many; ties at the end are cut.
            by_live: What a streak is: the latest lives in a row in which they won
                something, or else the latest questions in a row that they won. A
                question or live that somebody else won ends it, one that nobody won
                too; a void question is as if it had not been.
        """
        first = nsmallest(number, self._won, key=lambda u: (-self._points[u], -len(self._won[u]), u))
        winners = self._winners_by_live() if by_live else self._winners_by_question()
        rows: list[Row] = []
        for place, user_id in enumerate(first, 1):
            points = self._points[user_id]
            is_tie = bool(rows) and rows[-1]["points"] == points
            rows.append(
                {
                    "rank": rows[-1]["rank"] if is_tie else place,
                    "user": self._user(user_id),
                    "points": points,
                    "wins": len(self._won[user_id]),
                    "streak": _streak(winners, user_id),
                }
            )
        return rows

    def _user(self, user_id: int) -> dict[str, Any]:
        last = max(self._won[user_id].values(), key=lambda one: (one.decided_at, one.key))
        return {
            "user_id": str(user_id),
            "nickname": last.nickname,
            "handle": last.handle,
            "avatar": last.has_avatar,
        }

    def _winners_by_question(self) -> list[set[int]]:
        return [{one.winner_id} for one in self.rounds if not one.is_void]

    def _winners_by_live(self) -> list[set[int]]:
        began = self._lives_began
        lives = sorted(self._lives.items(), key=lambda live: (began[live[0]], live[0]))
        # A live with nothing but void questions is as if it had not been.
        return [winners for _, rounds in lives if (winners := set(+rounds))]


def _streak(winners: list[set[int]], user_id: int) -> int:
    streak = 0
    for won in reversed(winners):
        if user_id not in won:
            break
        streak += 1
    return streak
