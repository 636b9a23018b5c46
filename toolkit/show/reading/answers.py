"""
Whether a comment answers a question.

Forgiving where people are careless (case, accents, punctuation, an article, a slip of
the finger), strict where forgiving would reward guessing: a comment with anything
else in it is chat, and a short word has to be exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from rapidfuzz.distance import OSA

from toolkit.show.reading.folding import fold, symbols, without_lead
from toolkit.show.reading.numbers import numbers_of

__all__ = ["LETTERS", "Choices", "Key", "Verdict", "slips_between"]

LETTERS = "abcdefgh"
"""Names of choices. Also 1 to 8, unless the choices are numbers themselves."""

_EXACT_BELOW = 5
"""A word of up to four letters must be exact: Iran is not Iraq."""
_TWO_SLIPS_FROM = 9
"""From nine letters on two slips are forgiven, between them one."""


class Verdict(Enum):
    """What a comment is to a question."""

    RIGHT = "right"
    WRONG = "wrong"
    """It names a choice, and not the right one."""
    CHAT = "chat"
    """It is no answer. To an open question a wrong answer looks like any chat."""


@dataclass(frozen=True, slots=True)
class _Form:
    """One accepted way to say something, prepared."""

    forms: tuple[str, ...]
    joined: tuple[str, ...]
    numbers: frozenset[Decimal]
    symbols: str

    @classmethod
    def of(cls, text: str) -> _Form:
        forms = tuple(without_lead(fold(text))) if fold(text) else ()
        joined = tuple(form.replace(" ", "") for form in forms)
        numbers = numbers_of(text)
        # "It's 42". What is folded has lost its decimal point, so the text itself goes first.
        for form in forms:
            numbers = numbers or numbers_of(form)
        return cls(forms, joined, numbers, "" if forms else symbols(text))

    def slips(self, other: _Form) -> int | None:
        """
        Return how many slips of the finger lie between two texts, or None if they differ.

        Spaces do not count: New York, newyork.
        """
        if self.numbers or other.numbers:
            # A digit is never a slip: 1815 is not 1816.
            return 0 if self.numbers & other.numbers else None
        if not self.forms or not other.forms:
            return 0 if self.symbols and self.symbols == other.symbols else None
        found = [slips_between(mine, theirs) for mine in self.joined for theirs in other.joined]
        return min((slips for slips in found if slips is not None), default=None)


class Choices:
    """
    Up to eight things of which a comment may name one: by its text, its letter or its number.

    Immutable once made.
    """

    def __init__(self, choices: Sequence[str]) -> None:
        assert len(choices) <= len(LETTERS), choices
        self._forms = tuple(_Form.of(text) for text in choices)
        self._are_numbers = any(form.numbers for form in self._forms)

    def place(self, text: str) -> int | None:
        """
        Return the place of the one choice that a text names; None for none, or two alike.

        Never raises, whatever the text.
        """
        said = _Form.of(text)
        found = [choice.slips(said) for choice in self._forms]
        best = min((slips for slips in found if slips is not None), default=None)
        if best is not None:
            places = [place for place, slips in enumerate(found) if slips == best]
            # Two choices that fold to the same, or are as near to a slip: nobody can tell.
            return places[0] if len(places) == 1 else None
        for form in said.forms:
            if len(form) == 1 and form in LETTERS[: len(self._forms)]:
                return LETTERS.index(form)
        if not self._are_numbers:
            for number in said.numbers:
                if number == number.to_integral_value() and 1 <= number <= len(self._forms):
                    return int(number) - 1
        return None

    def same_as(self, text: str) -> frozenset[int]:
        """Return the places of the choices that say exactly this."""
        form = _Form.of(text)
        return frozenset(place for place, choice in enumerate(self._forms) if form.slips(choice) == 0)


class Key:
    """
    What is right, for one question.

    Immutable once made; the same comment always gets the same verdict.
    """

    def __init__(
        self, accepted: Sequence[str], *, choices: Sequence[str] = (), wrong: Sequence[str] = ()
    ) -> None:
        """
        Prepare.

        Args:
            accepted: Right answers. With choices: the text of the right ones.
            choices: All choices in order, at most eight; empty for an open question.
            wrong: Answers that look like a right one and are not: Zambia for Gambia.
        """
        assert accepted, "nothing is right"
        self._accepted = tuple(_Form.of(text) for text in accepted)
        self._choices = Choices(choices) if choices else None
        self._wrong = tuple(_Form.of(text) for text in wrong)
        self._right: frozenset[int] = frozenset()
        if self._choices is not None:
            self._right = self._right.union(*(self._choices.same_as(text) for text in accepted))
            assert self._right, "no choice is right"

    def verdict(self, text: str) -> Verdict:
        """Return what a comment is to this question. Never raises, whatever the text."""
        if self._choices is not None:
            place = self._choices.place(text)
            if place is None:
                return Verdict.CHAT
            return Verdict.RIGHT if place in self._right else Verdict.WRONG
        said = _Form.of(text)
        slips = _fewest(self._accepted, said)
        if slips is None:
            return Verdict.CHAT
        rival = _fewest(self._wrong, said)
        return Verdict.CHAT if rival is not None and rival <= slips else Verdict.RIGHT


def slips_between(one: str, other: str) -> int | None:
    """
    Return how many slips of the finger lie between two folded words, 0 for the same.

    None if they are more than the length of ``one`` forgives, or differ in a digit.
    """
    if one == other:
        return 0
    limit = _slips_forgiven(one)
    if not limit or abs(len(one) - len(other)) > limit:
        return None
    distance = OSA.distance(one, other, score_cutoff=limit)
    return distance if distance <= limit and not _differ_in_a_digit(one, other) else None


def _fewest(forms: Sequence[_Form], said: _Form) -> int | None:
    return min((slips for form in forms if (slips := form.slips(said)) is not None), default=None)


def _slips_forgiven(word: str) -> int:
    if len(word) < _EXACT_BELOW:
        return 0
    return 1 if len(word) < _TWO_SLIPS_FROM else 2


def _differ_in_a_digit(one: str, other: str) -> bool:
    """Whether the digits within two words differ: Apollo 11 is not Apollo 12."""
    return [c for c in one if c.isdigit()] != [c for c in other if c.isdigit()]
