"""
Whether a text has a link in it, also one that is written so that a filter overlooks it.

``https://...``, ``www...``, ``example.com``, ``t.me/x``, ``example dot com``,
``example[.]com``, ``example .com``. A name with one of the endings that are also words
(me, it, is, so ...) is a link only with a path behind it: "hola.me gusta" is none.
"""

from __future__ import annotations

import re

from toolkit.show.reading.disguise import revealed

__all__ = ["has_link"]

_ENDINGS = (
    "com|net|org|info|biz|xyz|gg|io|ly|shop|store|site|online|club|link|app|vip|top|icu|cc|ru|uk|fr|eu|br|cn|"
    "jp|pl|tk|cf|ml|ga|gq|pw|website|space|live|stream|click|bet|casino|onlyfans"
)
"""Endings that nobody writes behind a dot by accident."""

_DOT = re.compile(
    r"\s?[\[({<]\s?(?:dot|punto|point|ponto|punkt|\.)\s?[\])}>]\s?"
    rf"|\s(?:dot|punto|point|ponto|punkt)\s(?=(?:{_ENDINGS})\b)"
    rf"|\s\.\s?(?=(?:{_ENDINGS})\b)"
)
_FULL_STOPS = str.maketrans("。․｡", "...")
_LINK = re.compile(
    r"\bh(?:tt|xx)ps?\s?:\s?/"
    r"|\bwww\d?\s?\.\s?\w"
    rf"|[\w-]\.(?:{_ENDINGS})(?![\w-])"
    r"|[\w-]\.[a-z]{2,10}/\w"
)


def has_link(text: str) -> bool:
    """Return whether a text has a link in it. The caller bounds the text."""
    plain = revealed(text).translate(_FULL_STOPS)
    return _LINK.search(_DOT.sub(".", plain)) is not None
