"""
What must not be shown: words, parts of words, handles, links.

An entry is what a person types into a list:

    spam            that word, whole, in every disguise of :mod:`~toolkit.show.reading.disguise`:
                    "spam" is not found in "spammer" nor "ass" in "class"
    buy followers   a phrase: these words, one after the other
    *spam*  spam*   within words; a star stands for any letters, none included
    @some.handle    the viewer with exactly this handle

In scripts that put no spaces between words (Chinese, Japanese, Thai, Khmer, Lao,
Burmese) a word is found anywhere.

A stretched word is found (spaaam), where a letter stands three times or more; "good" is
not a stretched "god". A word with masked letters is found (sp*m, s**m), if its first
letter and one more are left and the length is right. Not found: spam written backwards,
with a letter missing or wrong, or in two pieces with a space between (sp am).

A list is immutable, so that any thread may look while another puts a new one in place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from toolkit.show.part import ShowError
from toolkit.show.reading.disguise import revealed, runs_of, words_of, words_of_name
from toolkit.show.reading.folding import TEXT_MAX, fold
from toolkit.show.reading.links import has_link

__all__ = ["CHARS_MAX", "ENTRIES_MAX", "LINK", "TOO_LONG", "Blocklist"]

ENTRIES_MAX = 1_000
"""Of a list. The longest that others ship has 743."""
STARRED_MAX = 200
"""Entries with a star: each is looked for in each word."""
KEPT = 4_000
"""Texts and names remembered with what was found in them: about a megabyte."""
CHARS_MAX = 64
"""Of an entry."""
LETTERS_MIN = 2
"""Of an entry; with a star on both sides one more, or it would be in every comment."""
STARS_MAX = 4
LINK = "link"
"""What is named as found where it is a link."""
TOO_LONG = "too long"
"""What is named where a text is longer than anybody looks: ten times the longest seen."""

_MASKED = re.compile(r"[^\W\d_][\w*#%•·×█-]{1,62}[\w*#%•·×█]")
_MASKS = frozenset("*#%•·×█_-")
_UNMASKED_MIN = 2
_REVEALED_MAX = 4 * TEXT_MAX
"""One character of Arabic may stand for a sentence of eighteen."""
_DOUBLE = re.compile(r"(.)\1", re.DOTALL)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_STRETCHED = re.compile(r"(.)\1{2,}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Glob:
    """A pattern with stars, as what stands between them. Matching is linear, whatever is written."""

    entry: str
    head: str
    middle: tuple[str, ...]
    tail: str

    @property
    def longest(self) -> str:
        return max((self.head, *self.middle, self.tail), key=len)

    def matches(self, word: str) -> bool:
        if not (word.startswith(self.head) and word.endswith(self.tail)):
            return False
        at, end = len(self.head), len(word) - len(self.tail)
        for part in self.middle:
            at = word.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return at <= end


class Blocklist:
    """
    One list. Never changes; any thread may use it.

    Attributes:
        entries: As they were typed.
        blocks_links: Whether links are blocked, too.
    """

    def __init__(self, entries: Iterable[str] = (), *, blocks_links: bool = False) -> None:
        """
        Read a list.

        Args:
            entries: What is blocked. Empty ones and doubles are left out.
            blocks_links: Links as well.

        Raises:
            ShowError: Some mean nothing, or would block everything; it names them all.
        """
        self.entries = tuple(dict.fromkeys(entry.strip() for entry in entries if entry.strip()))
        self.blocks_links = blocks_links
        self._words: dict[str, list[tuple[tuple[int, ...], str]]] = {}
        self._by_length: dict[int, list[tuple[str, str]]] = {}
        self._phrases: list[tuple[str, str]] = []
        self._globs: list[tuple[str, _Glob]] = []
        self._anywhere: list[tuple[str, str]] = []
        self._handles: dict[str, str] = {}
        # The hub asks, and then the show; a third of a chat is said more than once, and
        # a few hundred people say most of it.
        self._judged_text = lru_cache(KEPT)(self._look)
        self._judged_name = lru_cache(KEPT)(self._look_at_name)
        mistakes = [mistake for entry in self.entries if (mistake := self._add(entry))]
        if len(self.entries) > ENTRIES_MAX:
            mistakes.append(f"{len(self.entries)} entries are more than {ENTRIES_MAX}")
        if len(self._globs) > STARRED_MAX:
            mistakes.append(f"{len(self._globs)} entries with a star are more than {STARRED_MAX}")
        if mistakes:
            raise ShowError("The list was not taken: " + "; ".join(mistakes[:20]) + ".", hint=_HINT)

    def __bool__(self) -> bool:
        """Return whether anything is blocked."""
        return bool(self.entries) or self.blocks_links

    def find(self, text: str) -> str:
        """Return the entry that a text breaks, :data:`LINK` or :data:`TOO_LONG`; empty if none."""
        if not self or not text:
            return ""
        # Nobody looks at the end of a longer one.
        return TOO_LONG if len(text) > TEXT_MAX else self._judged_text(text)

    def find_in_name(self, nickname: str, handle: str) -> str:
        """Return the entry that a viewer's name breaks, :data:`LINK` or :data:`TOO_LONG`; empty if none."""
        if not self:
            return ""
        is_long = len(nickname) > TEXT_MAX or len(handle) > TEXT_MAX
        return TOO_LONG if is_long else self._judged_name(nickname, handle)

    # -- looking -----------------------------------------------------------

    def _look(self, text: str) -> str:
        if self.blocks_links and has_link(text):
            return LINK
        if not self.entries:
            return ""
        plain = revealed(text)
        if len(plain) > _REVEALED_MAX:
            return TOO_LONG
        return self._find_word(*words_of(plain)) or self._find_masked(plain)

    def _look_at_name(self, nickname: str, handle: str) -> str:
        if found := self._handles.get(handle.casefold(), ""):
            return found
        for name in (nickname, handle):
            if self.entries and (found := self._find_word(*words_of_name(name))):
                return found
        # A handle may have dots, and leads nowhere by itself.
        return LINK if self.blocks_links and has_link(nickname) else ""

    def _find_word(self, words: list[str], readings: list[str]) -> str:
        for word in (*words, *readings):
            if word[:1] == " ":
                if found := self._find_spelt(word[1:]):
                    return found
            elif found := self._find_whole(word):
                return found
        return self._find_within(words, readings)

    def _find_whole(self, word: str) -> str:
        # Most words have no letter twice in a row, and need not be taken apart.
        letters, runs = runs_of(word) if _DOUBLE.search(word) else (word, (1,) * len(word))
        for wanted, entry in self._words.get(letters, ()):
            if all(run == least or run >= max(3, least) for run, least in zip(runs, wanted, strict=True)):
                return entry
        return ""

    def _find_spelt(self, letters: str) -> str:
        for length in self._by_length:
            for at in range(len(letters) - length + 1):
                if found := self._find_whole(letters[at : at + length]):
                    return found
        return self._find_whole(letters)

    def _find_masked(self, plain: str) -> str:
        for match in _MASKED.finditer(plain):
            chunk = match.group()
            if _MASKS.isdisjoint(chunk) or sum(c not in _MASKS for c in chunk) < _UNMASKED_MIN:
                continue
            for letters, entry in self._by_length.get(len(chunk), ()):
                if all(c == letter or c in _MASKS for c, letter in zip(chunk, letters, strict=True)):
                    return entry
        return ""

    def _find_within(self, words: list[str], readings: list[str]) -> str:
        if not (self._phrases or self._globs or self._anywhere):
            return ""
        together = _unstretched(f" {' '.join(words)} ")
        for phrase, entry in self._phrases:
            if phrase in together:
                return entry
        for part, entry in self._anywhere:
            if part in together.replace(" ", ""):
                return entry
        everything = " ".join((*words, *readings))
        forms = {everything, _unstretched(everything), _STRETCHED.sub(r"\1\1", everything)}
        for form in forms:
            for longest, glob in self._globs:
                if longest in form and any(glob.matches(word) for word in form.split()):
                    return glob.entry
        return ""

    # -- reading -----------------------------------------------------------

    def _add(self, entry: str) -> str:
        """Take up an entry; return what is wrong with it."""
        if len(entry) > CHARS_MAX:
            return f"{entry[:20]!r}... is longer than {CHARS_MAX} characters"
        if entry.startswith("@"):
            if len(entry) == 1:
                return f"{entry!r} names nobody"
            self._handles[entry[1:].casefold()] = entry
            return ""
        if "*" in entry:
            return self._add_glob(entry)
        words = fold(revealed(entry)).split()
        letters = "".join(words)
        if _UNSPACED.search(letters):
            self._anywhere.append((letters, entry))
            return ""
        if len(letters) < LETTERS_MIN:
            return f"{entry!r} has fewer than {LETTERS_MIN} letters"
        if len(words) > 1:
            self._phrases.append((_unstretched(f" {' '.join(words)} "), entry))
        once, runs = runs_of(letters)
        self._words.setdefault(once, []).append((runs, entry))
        self._by_length.setdefault(len(letters), []).append((letters, entry))
        return ""

    def _add_glob(self, entry: str) -> str:
        parts = [fold(revealed(part)) for part in entry.split("*")]
        least = LETTERS_MIN + (1 if not parts[0] and not parts[-1] else 0)
        if len(parts) > STARS_MAX + 1:
            return f"{entry!r} has more than {STARS_MAX} stars"
        if any(" " in part for part in parts):
            return f"{entry!r} has a star and a space: a star goes with one word"
        if max(map(len, parts)) < least:
            return f"{entry!r} needs {least} letters in a row, or it would block almost everything"
        glob = _Glob(entry, parts[0], tuple(part for part in parts[1:-1] if part), parts[-1])
        self._globs.append((glob.longest, glob))
        return ""


_HINT = "A word, a phrase, *part* of a word, or @handle; one a line."


def _unstretched(text: str) -> str:
    return _STRETCHED.sub(r"\1", text)
