"""The one place where text of viewers is made fit to be shown."""

from __future__ import annotations

import unicodedata

__all__ = ["plain"]

TEXT_CHARS_MAX = 400
"""Longer than TikTok's comments; a line of 10,000 characters is an attack on the layout."""

_DROPPED = frozenset(
    # Marks that reorder the text around them, beyond what <bdi> isolates in a tooltip or title.
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, 0xFEFF]
)


def plain(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """
    Return ``text`` on one line, without control characters and bidi overrides, cut to a bound.

    It may still hold markup: whoever shows it uses ``textContent``.
    """
    if text.isascii() and text.isprintable() and len(text) <= chars_max:
        return text
    # Cut first: what follows costs a look-up per character.
    cut = text[: 2 * chars_max]
    kept = "".join(
        " " if char.isspace() else char
        for char in cut
        if char.isspace() or (ord(char) not in _DROPPED and unicodedata.category(char) not in ("Cc", "Cs"))
    )
    line = " ".join(kept.split())
    return line if len(line) <= chars_max and len(text) <= 2 * chars_max else line[: chars_max - 1] + "…"
