"""Whether two people ask the same: the words of a question, without what is said around it."""

from __future__ import annotations

import re

from toolkit.show.reading.answers import slips_between
from toolkit.show.reading.folding import fold_stretched, symbols

__all__ = ["are_same", "words_of"]

_SMALL = """
    a an the is are so and hi hey hello please pls plz bro sis guys s t d m re ve um oh ok omg
    le la les un une des l c est de du bonjour salut coucou stp svp mdr
    el los las una y hola por favor o os as um uma e oi ola pra
    der die das ein eine bitte hallo مرحبا هلا السلام عليكم يا
"""
_SMALL_WORDS = frozenset(_SMALL.split())
"""What is said around a question and not meant, folded."""
_MENTION = re.compile(r"@\S+")
_SLIPS_BELOW = "\u0900"
"""In scripts from here on (Indic, Thai, Chinese, Korean ...) one letter more is another word."""


def words_of(text: str) -> frozenset[str]:
    """Return the words that make a question what it is, folded; its symbols if it has none."""
    words = frozenset(fold_stretched(_MENTION.sub(" ", text)).split())
    return words - _SMALL_WORDS or words or frozenset([symbols(text)])


def are_same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two questions have the same words, one slip of the finger forgiven."""
    if one == other:
        return True
    if len(one) != len(other) or len(one ^ other) != 2:
        return False
    (mine,), (theirs,) = one - other, other - one
    # One of them may be empty: a text of nothing but marks.
    is_spelled = max(mine + theirs) < _SLIPS_BELOW
    return is_spelled and slips_between(mine, theirs) is not None
