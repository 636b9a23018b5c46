"""
The deck: which question of the bank comes next.

In the order of the files, or shuffled by a seed; no question twice until all have been
asked. The order depends on seed, lap and ids alone, so a bank that is edited during a
live keeps the order of what stays in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from toolkit.show.question.quiz import Question

__all__ = ["ORDERS", "Deck"]

ORDERS = ("file", "shuffle")
_IDS_MAX = 20_000
_ID_CHARS_MAX = 300
_NUMBER_MAX = 2**53


class Deck:
    """
    The questions of a bank, and which of them were asked.

    Attributes:
        order: One of :data:`ORDERS`.
        seed: What a shuffle depends on.
    """

    def __init__(self, seed: int) -> None:
        self.order = ORDERS[0]
        self.seed = seed
        self._lap = 0
        self._last = ""
        self._questions: dict[str, Question] = {}
        self._asked: dict[str, None] = {}
        self._sequences: dict[tuple[str, int], list[str]] = {}

    def fill(self, questions: Iterable[Question]) -> None:
        """Replace the bank. What was asked stays asked."""
        self._questions = {question.id: question for question in questions}
        self._sequences.clear()

    def __len__(self) -> int:
        """Return how many questions there are."""
        return len(self._questions)

    @property
    def asked(self) -> int:
        """How many of them were asked in this lap."""
        return sum(question_id in self._asked for question_id in self._questions)

    def find(self, question_id: str) -> Question | None:
        """Return a question by its id."""
        return self._questions.get(question_id)

    def is_asked(self, question_id: str) -> bool:
        """Whether a question was asked in this lap."""
        return question_id in self._asked

    def upcoming(self) -> Question | None:
        """Return the next one without taking it; None from an empty bank."""
        for question_id in self._sequence(self._lap):
            if question_id not in self._asked:
                return self._questions[question_id]
        lap = self._sequence(self._lap + 1)
        # The last of a lap is not the first of the next.
        first = next((one for one in lap if one != self._last), self._last)
        return self._questions.get(first)

    def take(self, question_id: str) -> None:
        """Note that a question is asked. Once all were, the next lap begins with it."""
        if all(one in self._asked for one in self._questions):
            self._lap += 1
            self._asked.clear()
            self._sequences.clear()
        while len(self._asked) >= _IDS_MAX:
            del self._asked[next(iter(self._asked))]
        self._asked[question_id] = None
        self._last = question_id

    def give_back(self, question_id: str) -> None:
        """Note that it was not asked after all."""
        self._asked.pop(question_id, None)

    def saved(self, *, without: str = "") -> dict[str, Any]:
        """Return what must survive a restart, as if ``without`` had not been asked yet."""
        return {
            "seed": self.seed,
            "lap": self._lap,
            "last": self._last,
            "asked": [question_id for question_id in self._asked if question_id != without],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up what was saved; what cannot be read is left out."""
        self.seed = _number(saved.get("seed"), self.seed)
        self._lap = _number(saved.get("lap"), 0)
        self._last = _id(saved.get("last"))
        asked = saved.get("asked")
        ids = [_id(one) for one in asked[:_IDS_MAX]] if isinstance(asked, list) else []
        self._asked = dict.fromkeys(one for one in ids if one)
        self._sequences.clear()

    def _sequence(self, lap: int) -> Sequence[str]:
        key = (self.order, lap)
        if key not in self._sequences:
            ids = list(self._questions)
            if self.order == "shuffle":
                ids.sort(key=lambda one: hashlib.sha256(f"{self.seed}:{lap}:{one}".encode()).digest())
            self._sequences[key] = ids
        return self._sequences[key]


def _number(value: object, default: int) -> int:
    is_good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _NUMBER_MAX
    return value if is_good and isinstance(value, int) else default


def _id(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _ID_CHARS_MAX else ""
