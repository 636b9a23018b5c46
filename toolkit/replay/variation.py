"""
The same thing said by somebody else: comments that resemble real ones without repeating them.

Lengths, languages, emoji and the share of exact repetitions stay near those of the
texts it is given. Pure: the caller owns the random generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from toolkit.simulator.language import COMMENT_CHARS_MAX, EMOJI

__all__ = ["vary"]

_SAME_SHARE = 0.2
"""Said exactly as somebody said it: with what chance adds, 30 % of real comments are."""
_BORROWED_SHARE = 0.5
"""Of the rest, those that say what somebody else said."""
_WORDS_MIN = 3


def vary(text: str, others: Sequence[str], rng: Random) -> str:
    """
    Return what another viewer writes in place of ``text``.

    Args:
        text: What one viewer wrote; empty stays empty.
        others: What viewers of the same language wrote elsewhere; may be empty.
        rng: Random generator.
    """
    if not text or rng.random() < _SAME_SHARE:
        return text
    if others and rng.random() < _BORROWED_SHARE:
        text = rng.choice(others)
    for change in rng.sample(_CHANGES, k=rng.choice((1, 2, 2, 3))):
        text = change(text, rng)
    return text[:COMMENT_CHARS_MAX]


def _in_other_case(text: str, rng: Random) -> str:
    return rng.choice((str.lower, str.upper, str.capitalize, str.swapcase))(text)


def _drawn_out(text: str, rng: Random) -> str:
    return text + text[-1] * rng.randint(1, 4) if text and text[-1].isalnum() else text


def _with_emoji(text: str, rng: Random) -> str:
    return f"{text} {rng.choice(EMOJI)}" if rng.random() < 0.4 else text


def _with_ending(text: str, rng: Random) -> str:
    return text.rstrip(".!?… ") + rng.choice(("", "", "!", "!!", "?", "...", " .", " lol", " :)", " pls"))


def _in_other_order(text: str, rng: Random) -> str:
    words = text.split()
    if len(words) < _WORDS_MIN:
        return text
    at = rng.randrange(len(words) - 1)
    words[at], words[at + 1] = words[at + 1], words[at]
    return " ".join(words)


def _without_a_word(text: str, rng: Random) -> str:
    words = text.split()
    if len(words) < _WORDS_MIN:
        return text
    del words[rng.randrange(len(words))]
    return " ".join(words)


def _with_a_slip(text: str, rng: Random) -> str:
    if len(text) < _WORDS_MIN:
        return text
    at = rng.randrange(len(text) - 1)
    # Two letters change places; marks that belong to the letter before them stay there.
    if not (text[at].isascii() and text[at + 1].isascii()):
        return text
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


_CHANGES: Sequence[Callable[[str, Random], str]] = (
    _in_other_case,
    _drawn_out,
    _with_emoji,
    _with_ending,
    _in_other_order,
    _without_a_word,
    _with_a_slip,
)
