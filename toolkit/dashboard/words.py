"""Every text of the dashboard: one file per language in ``languages/``, one table per card."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

__all__ = ["DEFAULT", "LANGUAGES", "language_of", "words_of"]

_FOLDER = Path(__file__).parent / "languages"
DEFAULT = "en"
LANGUAGES = (DEFAULT, *sorted(path.stem for path in _FOLDER.glob("*.toml") if path.stem != DEFAULT))
_WISHES_MAX = 10
"""Languages that a browser names which are looked at; it sends three."""


@lru_cache
def _table(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))


def words_of(group: str, language: str = DEFAULT) -> dict[str, str]:
    """Return the texts of one card, those common to all included."""
    table = _table(language)
    return {**table["common"], **table[group]}


def language_of(chosen: str, accepted: str) -> str:
    """
    Return the language for one browser.

    Args:
        chosen: What its user chose, empty for nothing.
        accepted: Its ``Accept-Language``, as it came.
    """
    if chosen in LANGUAGES:
        return chosen
    wishes = []
    for place, wish in enumerate(accepted.split(",")[:_WISHES_MAX]):
        name, _, weight = wish.partition(";q=")
        try:
            wishes.append((-float(weight or 1), place, name.strip().split("-")[0].lower()))
        except ValueError:
            continue
    return next((name for _, _, name in sorted(wishes) if name in LANGUAGES), DEFAULT)
