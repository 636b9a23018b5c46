"""
Signatures: how many were spent, and when the next one may be asked for.

Each connection costs one signature of a service that allows so many per minute,
hour and day. Spent ones are kept across restarts, or a recorder that crashes and
restarts would burn the day's quota in minutes. A wait that the service named is
kept the same way.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

__all__ = ["SignBudget", "SignLimits", "WindowUse"]

WINDOWS_S = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0}
SPENT_MAX = 10_000
"""Signatures remembered. More than any plan of the service allows in a day."""
HOLD_S_MAX = 3600.0
"""Longest wait the service may name. Beyond it a header is broken, not strict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignLimits:
    """
    Signatures allowed in any minute, hour and day; 0 for no limit.

    The defaults stay below what the public service was seen to allow without a key:
    5 a minute, 30 an hour, 100 a day.
    """

    minute: int = 4
    hour: int = 25
    day: int = 90


UNLIMITED = SignLimits(minute=0, hour=0, day=0)
"""For a signing service on this machine."""


@dataclass(frozen=True, slots=True)
class WindowUse:
    """
    One window of the budget.

    Attributes:
        window: ``minute``, ``hour`` or ``day``.
        limit: Signatures allowed in it; 0 for no limit.
        used: Spent in it.
        left: Still allowed; None without a limit.
        reset_s: Seconds until the oldest one leaves the window; 0 when there is none.
    """

    window: str
    limit: int
    used: int
    left: int | None
    reset_s: float


class SignBudget:
    """Sliding windows over the signatures spent, and a hold that the service asked for."""

    def __init__(self, limits: SignLimits = UNLIMITED) -> None:
        self.limits = limits
        self._spent_s: deque[float] = deque(maxlen=SPENT_MAX)
        self._hold_until_s = -math.inf

    def spend(self, now_s: float) -> None:
        """Take one signature. Ask :meth:`wait_s` first."""
        assert self.wait_s(now_s) == 0.0, "a signature that the budget does not allow"
        self._spent_s.append(now_s)

    def hold(self, seconds: float, now_s: float) -> None:
        """Ask for nothing for ``seconds``: the service said so. Never shortens an earlier hold."""
        self._hold_until_s = max(self._hold_until_s, now_s + min(max(seconds, 0.0), HOLD_S_MAX))

    def hold_s(self, now_s: float) -> float:
        """Return how long the service asked to be left alone from now, in seconds."""
        return max(0.0, self._hold_until_s - now_s)

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait before the next signature, in seconds; 0 if it may go."""
        waits = [self.hold_s(now_s)]
        for window, width_s in WINDOWS_S.items():
            limit = getattr(self.limits, window)
            inside = self._inside(width_s, now_s)
            if limit and len(inside) >= limit:
                # Room comes when so many have left that one less than the limit is inside.
                waits.append(inside[len(inside) - limit] + width_s - now_s)
        return max(waits)

    def use(self, now_s: float) -> list[WindowUse]:
        """Return the three windows as they stand, shortest first."""
        uses = []
        for window, width_s in WINDOWS_S.items():
            limit, inside = getattr(self.limits, window), self._inside(width_s, now_s)
            reset_s = inside[0] + width_s - now_s if inside else 0.0
            left = max(0, limit - len(inside)) if limit else None
            uses.append(WindowUse(window, limit, len(inside), left, reset_s))
        return uses

    def _inside(self, width_s: float, now_s: float) -> list[float]:
        return [at_s for at_s in self._spent_s if at_s + width_s > now_s]

    def saved(self, now_s: float, now_us: int) -> dict[str, Any]:
        """
        Return what a later process has to know, as JSON data in wall time.

        Args:
            now_s: Monotonic time, seconds.
            now_us: Wall clock of the same moment, microseconds UTC.
        """
        spent = [now_us + round((at_s - now_s) * 1e6) for at_s in self._inside(WINDOWS_S["day"], now_s)]
        hold_s = self.hold_s(now_s)
        return {"version": 1, "spent_at": spent, "hold_until": now_us + round(hold_s * 1e6) if hold_s else 0}

    def restore(self, saved: object, now_s: float, now_us: int) -> None:
        """
        Take over what :meth:`saved` returned in an earlier process.

        Whatever in it makes no sense is left out: a damaged file must not stop a
        recording, and must not hold it back for longer than the service could.
        """
        if not isinstance(saved, Mapping):
            return
        spent = saved.get("spent_at")
        for at_us in sorted(filter(_is_time, spent if isinstance(spent, list) else [])):
            # The wall clock may have been set back since: what is then in the
            # future was spent just now at the earliest.
            age_s = max(0.0, (now_us - at_us) / 1e6)
            if age_s < WINDOWS_S["day"]:
                self._spent_s.append(now_s - age_s)
        hold_until = saved.get("hold_until")
        if _is_time(hold_until) and hold_until > now_us:
            self.hold((hold_until - now_us) / 1e6, now_s)


def _is_time(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 62
