"""
The line-up of alerts: one on screen at a time, the most valuable next, nothing stale.

- One is shown for 8 s, the more wait the shorter, down to 3 s. A combo that still runs
  stays until it is over, within limits.
- At most 20 wait. Followers who wait become one alert, so do single gifts of one giver;
  beyond that the least valuable is dropped. One that has waited 30 s is dropped too.
- While the operator pauses nothing is shown and nothing grows stale.

Pure: time is what the caller says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["AGE_MAX_US", "KINDS", "QUEUE_MAX", "SHOWN_US_MIN", "Alert", "Lineup"]

SHOWN_US, SHOWN_US_MIN = 8_000_000, 3_000_000
PRESSED_BY = 5
"""So many waiting, and each is shown for the shortest time only."""
BETWEEN_US = 250_000
"""One leaves before the next enters."""
QUEUE_MAX = 20
"""Waiting. At 3 s each they are a minute, by which time nobody remembers the first."""
AGE_MAX_US = 30_000_000
"""What is older is no news."""
COMBO_QUIET_US = 4_000_000
"""The end of a combo comes 2.6 to 3.9 s after its last tap (measured): so long its card stays."""
COMBO_US_MAX, COMBO_PRESSED_US_MAX = 30_000_000, 8_000_000
"""However long it runs."""

WORTH = {"share": 0, "follow": 2, "subscribe": 500, "raid": 1_000, "winner": 10_000}
"""In diamonds, to be compared with gifts."""
KINDS = ("gift", *WORTH)
BATCHED = ("follow", "share", "subscribe")
_BATCHED_FROM = 2
_WANTED_WORTH = 2**80
"""More than the dearest gift could be."""
_NUMBER_MAX = 2**53
"""What a reader in JavaScript can hold."""


@dataclass(slots=True)
class Alert:
    """
    One thing to be shown.

    Attributes:
        id: Names it; a combo keeps its own however often it is updated.
        kind: One of :data:`KINDS`.
        user: Who it is about, as states have viewers; None for nobody in particular.
        at: When it happened, or was updated last.
        text: A winner's answer.
        gift: Name of the gift.
        gift_id: TikTok's number of it.
        count: Gifts given, or people who came.
        diamonds: What all of it is worth.
        points: What a winner got.
        is_final: Nothing more is expected of it.
        merged: How many people it is about.
        owed: Gifts in it that have not been on screen.
        is_test: The operator tries it out.
        is_wanted: The operator waits for it: it goes before all others.
        is_skipped: The operator wants no more of it, though its combo may still run.
        topic: What it is about, for who wants to change or withdraw it.
        expires_at: When it is too old to be shown.
        shown_at: When it went on screen; 0 before.
        until: When it leaves.
    """

    id: str
    kind: str
    user: dict[str, Any] | None
    at: int
    text: str = ""
    gift: str = ""
    gift_id: int = 0
    count: int = 1
    diamonds: int = 0
    points: int = 0
    is_final: bool = True
    merged: int = 1
    owed: int = 0
    is_test: bool = False
    is_wanted: bool = False
    is_skipped: bool = False
    topic: str = ""
    expires_at: int = 0
    shown_at: int = 0
    until: int = 0

    @property
    def worth(self) -> int:
        """What it is worth in diamonds: more is shown sooner."""
        if self.is_wanted:
            return _WANTED_WORTH
        return self.diamonds if self.kind == "gift" else WORTH[self.kind] * self.merged

    def told(self) -> dict[str, Any]:
        """Return it as a screen gets it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "user": self.user,
            "text": self.text,
            "gift": self.gift,
            "count": min(self.count, _NUMBER_MAX),
            "diamonds": min(self.diamonds, _NUMBER_MAX),
            "points": self.points,
            "final": self.is_final,
            "merged": self.merged,
            "shown_at": self.shown_at,
            "until": self.until,
            "is_test": self.is_test,
        }


class Lineup:
    """
    What is shown, and what waits.

    Attributes:
        current: On screen; None for nothing.
        waiting: In no particular order.
        last: What was on screen before; for showing it again.
        is_paused: Nothing new is shown.
        dropped: Alerts that were never shown.
        gifts_shown: Gifts that were on screen.
        gifts_dropped: Gifts whose alert never was.
    """

    def __init__(self) -> None:
        self.current: Alert | None = None
        self.waiting: list[Alert] = []
        self.last: Alert | None = None
        self.is_paused = False
        self.dropped = 0
        self.gifts_shown = 0
        self.gifts_dropped = 0
        self._free_at = 0
        self._paused_at = 0

    def next(self) -> list[Alert]:
        """Return what waits in the order in which it will be shown, as things are."""
        return sorted(self.waiting, key=lambda alert: (-alert.worth, alert.at))

    def offer(self, alert: Alert, now: int) -> None:
        """Line up an alert: merged with one that waits, or in place of the least valuable one."""
        alert.expires_at = now + AGE_MAX_US
        twin = None if alert.is_wanted else self._twin(alert)
        if twin is not None:
            _merge(twin, alert, now)
            return
        self.waiting.append(alert)
        if len(self.waiting) > QUEUE_MAX:
            self._drop(min(self.waiting, key=lambda one: (one.worth, one.at)))

    def update(self, alert: Alert, now: int) -> None:
        """Take in that an alert has changed, wherever it is; it may be neither shown nor waiting."""
        alert.at = now
        if alert is self.current:
            self._credit(alert)
        elif any(alert is one for one in self.waiting):
            alert.expires_at = now + AGE_MAX_US
            twin = self._twin(alert)
            if twin is not None:
                self.waiting = [one for one in self.waiting if one is not alert]
                _merge(twin, alert, now)

    def holds(self, alert: Alert) -> bool:
        """Return whether an alert is shown or waits."""
        return alert is self.current or any(alert is one for one in self.waiting)

    def withdraw(self, is_meant: Callable[[Alert], bool], now: int) -> bool:
        """Take out what is not to be shown; return whether there was any."""
        gone = [alert for alert in self.waiting if is_meant(alert)]
        for alert in gone:
            self._drop(alert)
        if self.current is not None and is_meant(self.current):
            gone.append(self.current)
            self._retire(now)
        if self.last is not None and is_meant(self.last):
            self.last = None
        return bool(gone)

    def pause(self, is_on: bool, now: int) -> None:
        """Stop showing new ones, or go on: time in which nothing could be shown ages nothing."""
        if is_on and not self.is_paused:
            self._paused_at = now
        if self.is_paused and not is_on:
            for alert in self.waiting:
                alert.expires_at += max(0, now - max(self._paused_at, alert.at))
        self.is_paused = is_on

    def skip(self, now: int) -> None:
        """Take off what is shown."""
        if self.current is not None:
            self.current.is_skipped = True
        self._retire(now)

    def clear(self, now: int) -> None:
        """Take off what is shown, and forget all that waits."""
        for alert in list(self.waiting):
            alert.is_skipped = True
            self._drop(alert)
        self.skip(now)

    def advance(self, now: int) -> tuple[bool, int | None]:
        """
        Do what is due.

        Returns:
            Whether anything has changed, and when to look again.
        """
        self._mind_the_clock(now)
        before = self.current, self.current and self.current.until, len(self.waiting)
        if not self.is_paused:
            for alert in [one for one in self.waiting if now >= one.expires_at]:
                self._drop(alert)
        if self.current is not None:
            self._set_until(self.current)
            if now >= self.current.until:
                self._retire(now)
        if self.current is None and self.waiting and not self.is_paused and now >= self._free_at:
            self._show(self.next()[0], now)
        has_changed = before != (self.current, self.current and self.current.until, len(self.waiting))
        return has_changed, self._due()

    def _due(self) -> int | None:
        moments = [] if self.current is None else [self.current.until]
        if self.waiting and not self.is_paused:
            moments.append(min(alert.expires_at for alert in self.waiting))
            if self.current is None:
                moments.append(self._free_at)
        return min(moments, default=None)

    def _show(self, alert: Alert, now: int) -> None:
        self.waiting = [one for one in self.waiting if one is not alert]
        alert.shown_at, alert.until = now, 0
        if not alert.is_final:
            alert.until = alert.at + COMBO_QUIET_US
        self.current = alert
        self._credit(alert)
        self._set_until(alert)

    def _set_until(self, alert: Alert) -> None:
        """Set how long it stays: shorter once others wait, longer while a combo runs."""
        pressure = min(1.0, len(self.waiting) / PRESSED_BY)
        calm_until = alert.shown_at + round(SHOWN_US + (SHOWN_US_MIN - SHOWN_US) * pressure)
        longest = COMBO_PRESSED_US_MAX if self.waiting else COMBO_US_MAX
        # A combo's last news has moved `until`; what is over needs no longer than any other.
        news_until = alert.at + (SHOWN_US_MIN if alert.is_final else COMBO_QUIET_US)
        is_combo = alert.at > alert.shown_at or not alert.is_final
        wanted = max(calm_until, news_until) if is_combo else calm_until
        alert.until = max(calm_until, min(wanted, alert.shown_at + longest))

    def _retire(self, now: int) -> None:
        if self.current is not None:
            self.last, self.current = self.current, None
            self._free_at = now + BETWEEN_US

    def _drop(self, alert: Alert) -> None:
        self.waiting = [one for one in self.waiting if one is not alert]
        self.dropped += alert.merged
        self.gifts_dropped += alert.owed
        alert.owed = 0

    def _credit(self, alert: Alert) -> None:
        self.gifts_shown += alert.owed
        alert.owed = 0

    def _twin(self, alert: Alert) -> Alert | None:
        """Return the alert that waits and can say this one too."""
        for one in self.waiting:
            if one is alert or one.kind != alert.kind or one.is_wanted:
                continue
            if alert.kind in BATCHED and len(self.waiting) >= _BATCHED_FROM:
                return one
            is_same_gift = alert.kind == "gift" and (one.user, one.gift_id) == (alert.user, alert.gift_id)
            if is_same_gift and alert.user is not None and one.is_final and alert.is_final:
                return one
        return None

    def _mind_the_clock(self, now: int) -> None:
        """Have nothing wait for a time that a clock set back will not reach for hours."""
        self._free_at = min(self._free_at, now + BETWEEN_US)
        if self.current is not None and now < self.current.shown_at:
            self.current.shown_at = self.current.at = now
        for alert in self.waiting:
            alert.expires_at = min(alert.expires_at, now + AGE_MAX_US)


def _merge(into: Alert, alert: Alert, now: int) -> None:
    into.at, into.expires_at = now, now + AGE_MAX_US
    if alert.kind != "gift":
        into.merged += alert.merged
    else:
        into.count += alert.count
        into.diamonds += alert.diamonds
        into.owed += alert.owed
        alert.owed = 0
