"""
When a week begins: on a set weekday at midnight, by the clocks of a place.

Days are those of the place, whatever is done to its clocks: a week in which they change
has an hour more or less, and no instant belongs to two weeks or to none.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

__all__ = ["WEEKDAYS", "Weeks"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""In the order of :meth:`datetime.date.weekday`."""


class Weeks:
    """Weeks of one place."""

    def __init__(self, begins: str = WEEKDAYS[0], zone: str = "") -> None:
        """
        Choose them.

        Args:
            begins: The first day, in English.
            zone: Where, such as ``Europe/Paris``; empty for where this machine is.

        Raises:
            ValueError: There is no such day.
            KeyError: There is no such place (``ZoneInfoNotFoundError``).
        """
        self._first = WEEKDAYS.index(begins)
        self._zone: tzinfo | None = ZoneInfo(zone) if zone else None

    def first_day(self, at: int) -> date:
        """Return the first day of the week in which an instant lies, microseconds UTC."""
        day = self._local(at).date()
        return day - timedelta(days=(day.weekday() - self._first) % len(WEEKDAYS))

    def next_at(self, at: int) -> int:
        """Return when the next week begins, microseconds UTC."""
        first = self.first_day(at) + timedelta(days=len(WEEKDAYS))
        # Midnight itself, or, where clocks skip it, the moment at which they do.
        midnight = datetime.combine(first, time(), self._zone).astimezone(UTC)
        return round(midnight.timestamp()) * 1_000_000

    def _local(self, at: int) -> datetime:
        moment = datetime.fromtimestamp(at // 1_000_000, UTC)
        return moment.astimezone(self._zone)
