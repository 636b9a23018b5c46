"""
What a command of the operator says, read and checked.

Values come from a request, so anything may be there. Each function returns what was
meant, or raises with a sentence that names the value and what it must be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolkit.show.part import ShowError

__all__ = ["read_choice", "read_flag", "read_number", "read_text", "read_texts", "read_whole"]

TEXT_CHARS_MAX = 300


def read_flag(values: Mapping[str, Any], name: str, default: bool | None = None) -> bool:
    """
    Return what is true or false.

    Raises:
        ShowError: It is neither, or is missing without a default.
    """
    value = values.get(name, default)
    if not isinstance(value, bool):
        raise ShowError(f"{name} must be true or false.", hint=f'Send {{"{name}": true}}.')
    return value


def read_number(
    values: Mapping[str, Any], name: str, low: float, high: float, default: float | None = None
) -> float:
    """
    Return a number from ``low`` to ``high``, both included.

    Raises:
        ShowError: It is none of these, or is missing without a default.
    """
    value = values.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ShowError(f"{name} must be a number from {low:g} to {high:g}.", hint=f"Such as {low:g}.")
    return float(value)


def read_whole(values: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    """
    Return a whole number from ``low`` to ``high``, both included.

    Raises:
        ShowError: It is none of these, or is missing without a default.
    """
    value = values.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ShowError(f"{name} must be a whole number from {low} to {high}.", hint=f"Such as {low}.")
    return value


def read_text(
    values: Mapping[str, Any], name: str, default: str | None = None, *, chars_max: int = TEXT_CHARS_MAX
) -> str:
    """
    Return a text in one line, spaces made single; never empty unless the default is.

    Raises:
        ShowError: It is no text, has nothing in it or too much, or is missing without a default.
    """
    value = values.get(name, default)
    if not isinstance(value, str):
        raise ShowError(f"{name} must be text.", hint=f'Send {{"{name}": "..."}}.')
    return _tidy(name, value, chars_max, may_be_empty=default == "")


def read_texts(
    values: Mapping[str, Any], name: str, *, least: int = 0, most: int, chars_max: int = TEXT_CHARS_MAX
) -> list[str]:
    """
    Return a list of texts, each as :func:`read_text` gives it; missing is an empty one.

    Raises:
        ShowError: It is no such list, or has too few or too many.
    """
    value = values.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ShowError(f"{name} must be a list of texts.", hint=f'Send {{"{name}": ["...", "..."]}}.')
    if not least <= len(value) <= most:
        raise ShowError(f"{name} has {len(value)} texts.", hint=f"From {least} to {most}.")
    return [_tidy(name, one, chars_max) for one in value]


def read_choice(
    values: Mapping[str, Any], name: str, choices: Sequence[str], default: str | None = None
) -> str:
    """
    Return one of ``choices``.

    Raises:
        ShowError: It is none of them, or is missing without a default.
    """
    value = values.get(name, default)
    if value not in choices:
        raise ShowError(f"There is no such {name}.", hint=f"There are: {', '.join(choices)}.")
    return cast("str", value)


def _tidy(name: str, text: str, chars_max: int, *, may_be_empty: bool = False) -> str:
    if len(text) > chars_max:
        raise ShowError(f"{name} has {len(text)} characters.", hint=f"At most {chars_max}.")
    # A lone surrogate cannot be sent to a screen, nor kept in a file.
    if any("\ud800" <= c <= "\udfff" or (c < " " and c not in "\t\n\r") for c in text):
        raise ShowError(f"{name} has characters that are no text.", hint="Type it again.")
    tidy = " ".join(text.split())
    if not tidy and not may_be_empty:
        raise ShowError(f"{name} is empty.", hint="Write something.")
    return tidy
