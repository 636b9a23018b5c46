"""
What a live has grown by since it began: likes, followers, gifts, diamonds.

TikTok's own totals where there are any, since much of what happens never reaches us;
what was counted here where that is more. Totals are not to be believed blindly:

- likes step back by hundreds, and in co-hosted rooms two or three series of them are
  mixed. One series is followed: the first, and another one only if that falls silent;
- a follower count that jumps by more than people can click is another room's: the
  growth goes on from there without the jump.

What grew while nobody listened is in the totals, so a gap or a restart loses little; and
a combo that goes on over a restart is known again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from toolkit.ledger.counters import SERIES_QUIET_US, WOBBLE_MAX, Likes, LikeSeries
from toolkit.ledger.gifts import GiftLedger
from toolkit.model.event import Event, Follow, Gift, Like, RoomDiamonds

__all__ = ["KINDS", "Totals"]

KINDS = ("likes", "follows", "gifts", "diamonds")
FOLLOWS_JUMP_MAX, FOLLOWS_PER_S_MAX = 100, 20
DIAMONDS_JUMP_MAX, DIAMONDS_PER_S_MAX = 200_000, 20_000
"""The dearest gift is 39,999; several may come at once."""
RESUMED_LIKES_MAX = 500_000
"""Likes between the last total before a restart and the first after it: ten busy minutes."""
LEDGER_MAX = 2_000
GIFT_KNOWN_US = 120_000_000
"""After its last tap, over a restart: that takes seconds, and a combo is silent for seconds."""
_NUMBER_MAX = 2**53


class _Level:
    """A counter of TikTok's beside our own count of the same thing."""

    def __init__(self, jump_max: int, per_s_max: int) -> None:
        self.counted = 0
        self.grown = 0
        self.base: int | None = None
        self._jump_max, self._per_s_max = jump_max, per_s_max
        self._heard_at: int | None = None

    def add(self, counted: int, level: int, now: int) -> None:
        """Take in what we saw, and the counter after it; 0 and less is none."""
        self.counted += counted
        if level > 0:
            if self.base is None:
                self.base = level - self.counted
            silent_s = (now - (self._heard_at or now)) // 1_000_000
            jump = level - self.base - max(self.grown, self.counted)
            # After a restart nobody knows how long it was: what was saved is believed.
            if self._heard_at is not None and jump > self._jump_max + self._per_s_max * max(0, silent_s):
                self.base = level - max(self.grown, self.counted)
            self._heard_at = now
            self.grown = max(self.grown, level - self.base)
        self.grown = max(self.grown, self.counted)


class _Hearts:
    """The room's likes: growth of one of the series that arrive."""

    def __init__(self, grown: int = 0, peak: int | None = None) -> None:
        """
        Begin.

        Args:
            grown: By how much they have grown before.
            peak: The total at which that was, before a restart; None if nobody knows.
        """
        self._counted = self._carried = grown
        self._peak = peak
        self._likes = Likes()
        self._own: LikeSeries | None = None
        self._base = 0

    @property
    def peak(self) -> int | None:
        return self._peak if self._own is None else self._own.peak

    @property
    def grown(self) -> int:
        own = 0 if self._own is None else max(0, self._own.peak - self._base)
        return max(self._carried + own, self._counted)

    def add(self, count: int, total: int, now: int) -> None:
        count = min(max(0, count), _NUMBER_MAX)
        self._counted += count
        self._likes.add(total, now)
        if self._own is None:
            if self._likes.series:
                self._own = self._likes.series[0]
                self._base = self._first_base(self._own.peak, count)
        elif now - self._own.last_at > SERIES_QUIET_US:
            newest = max(self._likes.series, key=lambda series: (series.last_at, series.readings))
            if newest is not self._own:
                self._carried = self.grown
                self._own, self._base = newest, newest.peak

    def _first_base(self, total: int, count: int) -> int:
        """Return from where growth is measured: where a restart has cut, else before this message."""
        if self._peak is not None and -WOBBLE_MAX <= total - self._peak <= RESUMED_LIKES_MAX:
            return self._peak
        return total - count


class Totals:
    """Events in, growth out."""

    def __init__(self) -> None:
        self._hearts = _Hearts()
        self._levels = {
            "follows": _Level(FOLLOWS_JUMP_MAX, FOLLOWS_PER_S_MAX),
            "diamonds": _Level(DIAMONDS_JUMP_MAX, DIAMONDS_PER_S_MAX),
        }
        self._gifts = self._gift_at = 0
        self._ledger = GiftLedger(entries_max=LEDGER_MAX)

    def take(self, event: Event, now: int) -> bool:
        """Take in an event; return whether it is of those that count."""
        match event:
            case Like():
                self._hearts.add(event.count, event.total, now)
            case Follow():
                self._levels["follows"].add(1, event.follow_count, now)
            case Gift():
                added = self._ledger.take(event, now)
                self._gifts, self._gift_at = self._gifts + added, now
                self._levels["diamonds"].add(added * max(0, event.diamonds), 0, now)
            case RoomDiamonds():
                self._levels["diamonds"].add(0, event.total, now)
            case _:
                return False
        return True

    def grown(self, kind: str) -> int:
        """Return by how much one of :data:`KINDS` has grown; it never shrinks."""
        if kind == "likes":
            grown = self._hearts.grown
        elif kind == "gifts":
            grown = self._gifts
        else:
            grown = self._levels[kind].grown
        return min(grown, _NUMBER_MAX)

    def saved(self) -> dict[str, Any]:
        """Return what has to survive a restart."""
        levels = {kind: {"grown": level.grown, "base": level.base} for kind, level in self._levels.items()}
        return {
            "likes": {"grown": self.grown("likes"), "peak": self._hearts.peak},
            "gifts": self._gifts,
            "known_gifts": self._ledger.saved(self._gift_at - GIFT_KNOWN_US),
        } | levels

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up what was saved; what cannot be read begins at nothing."""
        likes = _mapping(saved.get("likes"))
        self._hearts = _Hearts(_number(likes.get("grown")) or 0, _number(likes.get("peak")))
        self._gifts = _number(saved.get("gifts")) or 0
        # Else a combo that goes on would count from its first tap.
        with suppress(ValueError, TypeError):
            self._ledger.restore(saved.get("known_gifts", ()))
        for kind, level in self._levels.items():
            kept = _mapping(saved.get(kind))
            level.grown = level.counted = _number(kept.get("grown")) or 0
            level.base = _number(kept.get("base"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _NUMBER_MAX
    return value if is_number else None
