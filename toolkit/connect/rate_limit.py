"""
What a refusal's headers say about the time to wait.

Services say it in several ways, at times in two at once, at times nonsense. The
longest wait that makes sense wins: waiting too long costs minutes of a live, too
short costs the quota of a day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["DEFAULT_S", "named_wait_s"]

DEFAULT_S = 30.0
"""Wait after a refusal for too many requests that names no time, or nonsense."""
WAIT_S_MIN = 1.0
"""A refusal that says 'try again in 0 seconds' would be a hot loop."""
WAIT_S_MAX = 3600.0
_RESET_HEADERS = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")
_EPOCH_S_MIN, _EPOCH_MS_MIN, _EPOCH_MS_MAX = 1e9, 1e11, 1e14
"""RateLimit-Reset is seconds from now in the standard's draft, an epoch time in seconds
or milliseconds elsewhere. No wait is thirty years, and no epoch time of ours so small."""


def named_wait_s(headers: Mapping[str, str], now_us: int) -> float | None:
    """
    Return how long a response asks to wait, in seconds, 1 to 3600; None where it names no time.

    Args:
        headers: Of the response; names in any case.
        now_us: Wall clock, microseconds UTC.
    """
    found = {name.lower(): value.strip() for name, value in headers.items()}
    waits = [_retry_after_s(found.get("retry-after", ""), now_us)]
    waits += [_reset_s(found.get(name, ""), now_us) for name in _RESET_HEADERS]
    waits.append(_draft_s(found.get("ratelimit", "")))
    named = [wait for wait in waits if wait is not None]
    if not named:
        return None
    return min(max(*named, WAIT_S_MIN), WAIT_S_MAX)


def _number(text: str) -> float | None:
    try:
        value = float(text) if text.isascii() and len(text) <= 64 else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _retry_after_s(text: str, now_us: int) -> float | None:
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        wait_s = at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now_us / 1e6
    except (ValueError, OverflowError):
        return None
    # A date that has passed says more about the clocks than about the wait.
    return wait_s if wait_s > 0 else None


def _reset_s(text: str, now_us: int) -> float | None:
    value = _number(text)
    if value is None or value < _EPOCH_S_MIN:
        return value
    if value >= _EPOCH_MS_MAX:
        return None
    wait_s = (value if value < _EPOCH_MS_MIN else value / 1000) - now_us / 1e6
    return wait_s if wait_s > 0 else None


def _draft_s(text: str) -> float | None:
    """Read ``limit=5, remaining=0, reset=17`` and the later ``"default";r=0;t=17``."""
    for part in text.replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        if name in ("reset", "t"):
            return _number(value)
    return None
