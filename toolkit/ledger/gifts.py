"""
The gift ledger: each gift once, whatever arrives, repeats or stays away.

A gift that can be streaked is several messages with one ``group_id`` and a
cumulative ``repeat_count``, so the largest count seen is what was given: repeated,
reordered and lost messages change nothing as long as the last one arrives, and a
streak that runs across a gap is whole as soon as one message of it comes after.

    running   taps may follow; what is counted so far is provisional
    final     TikTok sent the end
    settled   no end came in time, or the recording ended; what was seen counts

A message that comes even later still raises the count. Nothing ever lowers it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from toolkit.model.event import Gift, User

__all__ = ["ENTRIES_MAX", "SETTLE_US", "STREAKABLE", "GiftEntry", "GiftLedger", "GiftState"]

STREAKABLE = 1
"""TikTok's type of gifts that are tapped in streaks; 2 and 4 arrive once."""
_TYPE_UNKNOWN = 0

SETTLE_US = 30_000_000
"""Silence after which a streak is over. Taps come 0.15 to 2 s apart and the end 2.6 to
3.9 s after the last (measured), delivery takes up to 2 s more: ten times that is generous,
and a message that is later still is not lost."""

ENTRIES_MAX = 10_000
"""Entries that a ledger with a bound remembers: hours of a busy room."""

_Key = tuple[int, int, int, int]
_SAVED_NUMBERS, _ID_MAX = 9, 2**63 - 1


class GiftState(StrEnum):
    """Whether more may come. Stored: never rename."""

    RUNNING = "running"
    FINAL = "final"
    SETTLED = "settled"


@dataclass(slots=True)
class GiftEntry:
    """
    One gift, or one streak of them.

    Attributes:
        first_seq: Number of its first message in the recording.
        last_seq: Number of the last that changed it.
        user: Who gave it; None if TikTok did not say.
        to_user_id: The receiver in a room with guests; 0 is the host.
        gift_id: TikTok's number.
        gift_name: As TikTok calls it.
        gift_type: 1 can be streaked.
        group_id: TikTok's id of the streak; 0 for single gifts.
        diamonds: Price of one.
        count: How many were given.
        state: Whether more may come.
        started_at: Our clock at its first message, microseconds UTC.
        ended_at: Our clock at the last message that changed it.
        occurred_at: TikTok's clock of that; None if it gave none.
        segment_id: The connected stretch of that; 0 where nobody said.
        is_across_gap: Its messages lie on both sides of a gap.
    """

    first_seq: int
    last_seq: int
    user: User | None
    to_user_id: int
    gift_id: int
    gift_name: str
    gift_type: int
    group_id: int
    diamonds: int
    count: int
    state: GiftState
    started_at: int
    ended_at: int
    occurred_at: int | None
    segment_id: int = 0
    is_across_gap: bool = False


class GiftLedger:
    """
    Gift messages in, gifts out. Not thread-safe.

    Time is what the caller says it is: wall microseconds of the messages, so that
    a replay of the same messages settles the same streaks.

    Attributes:
        regained: Gifts of streaks that went on behind a gap: missed, and counted after all.
    """

    def __init__(self, *, entries_max: int | None = None) -> None:
        """
        Start empty.

        Args:
            entries_max: Forget the oldest entries beyond so many, for a ledger that
                only adds up; None keeps all.
        """
        self._entries_max = entries_max
        self._entries: OrderedDict[_Key, GiftEntry] = OrderedDict()
        self._done: list[GiftEntry] = []
        # In the order of their last message; the value is when that was.
        self._running: OrderedDict[_Key, int] = OrderedDict()
        self._segment_id = 0
        self.regained = 0

    def take(self, gift: Gift, now_us: int, segment_id: int = 0) -> int:
        """
        Take in a message.

        Args:
            gift: The message.
            now_us: Our clock, microseconds.
            segment_id: The connected stretch it came in, if the caller knows.

        Returns:
            How many gifts it adds: 0 for a repetition, and never less.
        """
        self.settle(now_us, segment_id)
        is_streak = _is_streak(gift)
        key = _key(gift, is_streak)
        entry = self._entries.get(key)
        if entry is not None and _is_next_streak(entry, gift):
            self._done.append(self._entries.pop(key))
            entry = None
        if entry is None:
            self._add(key, gift, now_us, segment_id, is_streak)
            return _count(gift)
        return self._grow(key, entry, gift, now_us, segment_id) if is_streak else 0

    def entry_of(self, gift: Gift) -> GiftEntry | None:
        """Return the entry that a message is part of; None if it is not, or no longer, remembered."""
        return self._entries.get(_key(gift, _is_streak(gift)))

    def settle(self, now_us: int, segment_id: int = 0) -> None:
        """
        Settle the streaks that have been silent for too long.

        A new segment gives all running ones the whole time again: nobody listened
        in between.
        """
        if segment_id != self._segment_id:
            self._segment_id = segment_id
            self._running = OrderedDict.fromkeys(self._running, now_us)
        while self._running:
            key, seen_at = next(iter(self._running.items()))
            if now_us - seen_at < SETTLE_US:
                return
            del self._running[key]
            self._entries[key].state = GiftState.SETTLED

    def settle_all(self) -> None:
        """Settle every running streak: nothing will follow."""
        for key in self._running:
            self._entries[key].state = GiftState.SETTLED
        self._running.clear()

    def saved(self, since_us: int) -> list[list[int]]:
        """
        Return the gifts that changed since, for :meth:`restore`: numbers, as JSON data.

        Single gifts without an id are not among them: nothing would know them again.
        """
        known = [(key, entry) for key, entry in self._entries.items() if entry.ended_at >= since_us]
        # Streaks are settled in the order of their last message.
        known.sort(key=lambda pair: pair[1].ended_at)
        return [
            [*key, one.count, one.gift_type, int(key in self._running), one.ended_at, one.occurred_at or 0]
            for key, one in known
            if key[-1] >= 0
        ]

    def restore(self, saved: Sequence[Sequence[int]]) -> None:
        """
        Know gifts again after a restart, so that what goes on or is repeated is not counted twice.

        Raises:
            ValueError: A row is not of those that :meth:`saved` returned; nothing is known then.
        """
        for row in saved:
            if len(row) != _SAVED_NUMBERS or not all(type(one) is int and abs(one) <= _ID_MAX for one in row):
                raise ValueError(f"no gift: {row}")
        for row in saved:
            user_id, gift_id, group_id, is_single, count, gift_type, is_running, at, occurred_at = row
            key = (user_id, gift_id, group_id, is_single)
            state = GiftState.RUNNING if is_running else GiftState.FINAL
            self._entries[key] = GiftEntry(
                0, 0, User(user_id), 0, gift_id, "", gift_type, 0 if is_single else group_id, 0, count, state,
                at, at, occurred_at or None,
            )  # fmt: skip
            if is_running:
                self._running[key] = at

    def entries(self) -> Iterator[GiftEntry]:
        """Yield what is remembered, in the order in which the gifts began."""
        yield from sorted([*self._done, *self._entries.values()], key=lambda entry: entry.first_seq)

    def _add(self, key: _Key, gift: Gift, now_us: int, segment_id: int, is_streak: bool) -> None:
        is_running = is_streak and not gift.repeat_end
        self._entries[key] = GiftEntry(
            gift.seq,
            gift.seq,
            gift.user,
            gift.to_user_id,
            gift.gift_id,
            gift.gift_name,
            gift.gift_type,
            gift.group_id if is_streak else 0,
            gift.diamonds,
            _count(gift),
            GiftState.RUNNING if is_running else GiftState.FINAL,
            now_us,
            now_us,
            gift.occurred_at,
            segment_id,
        )
        if is_running:
            self._running[key] = now_us
        if self._entries_max is not None:
            self._forget(self._entries_max)

    def _grow(self, key: _Key, entry: GiftEntry, gift: Gift, now_us: int, segment_id: int) -> int:
        added = max(0, _count(gift) - entry.count)
        if gift.repeat_end:
            entry.state = GiftState.FINAL
            self._running.pop(key, None)
        elif key in self._running:
            self._running[key] = now_us
            self._running.move_to_end(key)
        if added or gift.repeat_end:
            entry.count += added
            entry.last_seq, entry.ended_at, entry.occurred_at = gift.seq, now_us, gift.occurred_at
            if segment_id != entry.segment_id:
                entry.is_across_gap = True
                entry.segment_id = segment_id
                self.regained += added
        return added

    def _forget(self, entries_max: int) -> None:
        self._done.clear()
        while len(self._entries) > entries_max:
            key, _ = self._entries.popitem(last=False)
            self._running.pop(key, None)


def _is_streak(gift: Gift) -> bool:
    # Without its description a gift has no type; a group tells that it is a streak.
    return gift.gift_type == STREAKABLE or (gift.gift_type == _TYPE_UNKNOWN and gift.group_id != 0)


def _key(gift: Gift, is_streak: bool) -> _Key:
    user_id = gift.user.user_id if gift.user is not None else 0
    if is_streak:
        return user_id, gift.gift_id, gift.group_id, 0
    # A single gift is its message. One without an id cannot be a repetition.
    return user_id, gift.gift_id, gift.msg_id, 1 if gift.msg_id else -gift.seq


def _count(gift: Gift) -> int:
    return max(gift.repeat_count, 1)


def _is_next_streak(entry: GiftEntry, gift: Gift) -> bool:
    """
    Return whether a message without a group begins a new streak.

    Only a later time on TikTok's clock tells it from a late tap of the old one.
    """
    return (
        entry.gift_type == STREAKABLE
        and gift.group_id == 0
        and entry.state is not GiftState.RUNNING
        and _count(gift) <= entry.count
        and entry.occurred_at is not None
        and gift.occurred_at is not None
        and gift.occurred_at > entry.occurred_at
        and not gift.repeat_end
    )
