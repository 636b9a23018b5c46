"""
The words of a text, and what they may be a disguise of.

People who want to say what is blocked write s.p.a.m, s p a m, $p4m, spaaaam, ѕраm with
Cyrillic letters, or put something invisible in between. :func:`words_of` returns all
that a text could mean by that; whether one of these is on a list is the list's
business. So an innocent word is never changed, only looked at twice.

Bounded whatever is written: the caller cuts the text, and every pattern is linear.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from toolkit.show.reading.folding import fold

__all__ = ["revealed", "runs_of", "words_of", "words_of_name"]

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\u0334-\u0338\U000e0000-\U000e0fff]"
)
"""Zero width, direction, variation, and strokes through letters."""

# Letters in which no language is written.
_FANCY = str.maketrans(
    dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡ", "abcdefghijklmnoprstuvwyzag", strict=True))
    | {chr(0x1F1E6 + n): chr(ord("a") + n) for n in range(26)}  # flags are spelt with these
    | {chr(0x1F150 + n): chr(ord("a") + n) for n in range(26)}  # white on a black circle
    | {chr(0x1F170 + n): chr(ord("a") + n) for n in range(26)}  # white on a black square
)
_HAS_FANCY = re.compile("[ɐ-ʯᴀ-ᵿꜰꜱ\U0001f150-\U0001f1ff]")

# Cyrillic, Greek and Cherokee that looks like Latin, in lower case.
_LOOKALIKES = str.maketrans(
    dict(zip("авсеѕіјһкмнорлтухԁԛԝӏьпи", "abcesijhkmhopntyxdqwlbnu"[:13] + "ltyxdqwlbnu", strict=True))
    | dict(zip("αβεηικνορτυχω", "abenikvoptuxw", strict=True))
    | dict(zip("ꮪꮲꭺꮇꭼꮯꮋꭲꮮ", "spamechtl", strict=True))
)
_HAS_LOOKALIKE = re.compile("[\u0370-\u052f\uab70-\uabbf\u13f8-\u13fd]")
_LOOKALIKE_LETTERS_MIN = 4
"""A word wholly in another alphabet is taken for a disguise from this length on: short
ones are too often words of that language."""

_LEET = str.maketrans("@$€£0345789+", "aseeoeastbgt")
_LEET_I, _LEET_L = str.maketrans("1!|¡", "iiii"), str.maketrans("1!|¡", "llll")
_HAS_LEET = re.compile(r"[@$€£0345789+1!|¡]")
_AROUND = "!?.,;:…\"'()[]{}<>«»“”¿¡"
"""Punctuation around a word, which would be read as letters otherwise."""

_LETTER = re.compile(r"[^\W\d_]")
_RUN = re.compile(r"(.)\1*", re.DOTALL)
_SEAM = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=[\d_])|(?<=[\d_])(?=[^\W\d_])")
"""Where one word of a name ends and the next begins: kingOfSpam99."""
_SINGLES_MIN = 3
_SINGLES_MAX = 32
"""Letters that stand alone, one after the other, and are read as a word."""


def revealed(text: str) -> str:
    """Return a text without what is invisible, in plain letters of lower case."""
    text = _INVISIBLE.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        if _HAS_FANCY.search(text):
            text = text.translate(_FANCY)
    return text.casefold()


def words_of(text: str) -> tuple[list[str], list[str]]:
    """
    Return the words of a text, and what else they may be read as.

    Args:
        text: As :func:`revealed` returns it.

    Returns:
        The words in their order, folded; and further readings, of which one that
        begins with a space is letters that stood alone, to be searched for words.
    """
    words: list[str] = []
    readings: list[str] = []
    for chunk in text.split():
        parts = _folded(chunk)
        words += parts
        if not chunk.isalpha():
            readings += _readings(chunk, parts)
        if _HAS_LOOKALIKE.search(chunk):
            readings += _in_latin(chunk)
    readings += _spelt(words)
    if _HAS_LEET.search(text):
        readings += _spelt(_folded(text.translate(_LEET).translate(_LEET_I)))
    return words, readings


def words_of_name(name: str) -> tuple[list[str], list[str]]:
    """Return the same of a name, which has seams where others have spaces."""
    plain = revealed(name)
    words, readings = words_of(plain)
    apart = revealed(_SEAM.sub(" ", name))
    if apart != plain:
        readings += _folded(apart)
    return words, readings


def runs_of(word: str) -> tuple[str, tuple[int, ...]]:
    """Return a word with each letter once, and how often it stands there: ``("gol", (1, 3, 1))``."""
    runs = [match.group() for match in _RUN.finditer(word)]
    return "".join(run[0] for run in runs), tuple(map(len, runs))


def _folded(text: str) -> list[str]:
    if text.isascii() and text.isalpha():
        return [text]
    return list(_words(text))


@lru_cache(maxsize=8_192)
def _words(text: str) -> tuple[str, ...]:
    # A chat has few words, said again and again.
    return tuple(fold(text).split())


def _readings(chunk: str, parts: list[str]) -> Iterator[str]:
    """Yield what a word with digits or punctuation in it may mean."""
    if len(parts) > 1:
        yield "".join(parts)
    core = chunk.strip(_AROUND)
    if not _LETTER.search(core) and not ("$" in core or "@" in core):
        return
    bare = core.strip("0123456789")
    if bare != core:
        yield "".join(_folded(bare))
    # A mark at the edge may be a letter, too, or just a mark.
    for written in dict.fromkeys((core, chunk)):
        if _HAS_LEET.search(written):
            plain = written.translate(_LEET)
            for either in (_LEET_I, _LEET_L):
                found = _folded(plain.translate(either))
                yield "".join(found)
                if len(found) > 1:
                    yield from found


def _in_latin(chunk: str) -> list[str]:
    latin = chunk.translate(_LOOKALIKES)
    is_mixed = bool(re.search("[a-z]", chunk))
    letters = _LETTER.findall(latin)
    if not is_mixed and (len(letters) < _LOOKALIKE_LETTERS_MIN or not all(c.isascii() for c in letters)):
        return []
    found = _folded(latin)
    return [*found, "".join(found)] if len(found) > 1 else found


def _spelt(words: list[str]) -> list[str]:
    """Return letters that stand alone, joined: what is spelt out."""
    found, run = [], ""
    for word in [*words, ".."]:
        if len(word) == 1:
            run += word
            continue
        if len(run) >= _SINGLES_MIN:
            found.append(" " + run[:_SINGLES_MAX])
        run = ""
    return found
