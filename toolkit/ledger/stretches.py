"""
What one connected stretch says about the time around it: all that is kept of it.

Bounded whatever its length: ten minutes of activity from each end, first and last
readings of the counters, the replayed comments of its beginning.
"""

from __future__ import annotations

from toolkit.ledger.counters import Levels, Likes, Steps
from toolkit.ledger.gifts import GiftLedger
from toolkit.ledger.rates import Activity
from toolkit.ledger.replayed import OPENING_US, DelayMeter
from toolkit.model.event import Batch, Comment, Event, Follow, Gift, Like, RoomDiamonds, Share, ViewerCount

__all__ = ["EDGE_US", "Stretch"]

EDGE_US = 30_000_000
"""Gifts this close to an edge are kept one by one, to be compared with the room's diamonds."""
GIFTS_MAX = 400
REPLAYS_MAX = 100


class Stretch:
    """
    One connected stretch, as the gap ledger remembers it.

    Attributes:
        segment_id: Its segment.
        first_frame_no: Its first frame; 0 before it.
        last_frame_no: Its last.
        first_at: Our clock at the first frame.
        last_at: Our clock at the last.
        first_occurred_at: TikTok's time of the first message that is no replay.
        last_occurred_at: The newest time of TikTok's seen in it.
        replays: TikTok's times of the new comments that were replayed in it.
        repeats: Messages at its beginning that were here before.
        regained_gifts: Gifts of earlier stretches whose streaks went on in this one.
        regained_diamonds: What those cost.
    """

    def __init__(self, segment_id: int, started_at: int) -> None:
        self.segment_id = segment_id
        self.first_frame_no = self.last_frame_no = 0
        self.first_at = self.last_at = started_at
        self.first_occurred_at: int | None = None
        self.last_occurred_at: int | None = None
        self.replays: list[int] = []
        self.repeats = 0
        self.regained_gifts = 0
        self.regained_diamonds = 0
        self.delays = DelayMeter()
        self.activity = Activity(started_at)
        self.follows = Steps()
        self.shares = Steps()
        self.entries = Levels()
        self.diamonds = Levels()
        self.likes = Likes()
        self.early_gifts: list[tuple[int, int]] = []
        """TikTok's time and diamonds of the gifts at its beginning, regained ones not among them."""
        self.late_gifts: list[tuple[int, int]] = []
        """The same at its end."""

    def take(self, batch: Batch, gifts: GiftLedger) -> None:
        """Take in a batch; ``gifts`` is the ledger of the whole recording."""
        now_us = batch.received_at
        if not self.first_frame_no:
            self.first_frame_no = batch.frame_no
        self.last_frame_no = batch.frame_no
        self.last_at = max(self.last_at, now_us)
        self.activity.reach(self.last_at)
        if now_us - self.first_at <= OPENING_US:
            self.repeats += batch.duplicates
        gifts.settle(now_us, batch.segment_id)
        for event in batch.events:
            self._note(event, now_us, gifts)

    def _note(self, event: Event, now_us: int, gifts: GiftLedger) -> None:
        at = now_us if event.occurred_at is None else event.occurred_at
        match event:
            case Comment():
                self._note_comment(event, now_us)
                return
            case Gift():
                self._note_gift(event, now_us, at, gifts)
            case Like():
                self.likes.add(event.total, now_us)
            case ViewerCount():
                self.entries.add(event.viewers_total, at)
            case RoomDiamonds():
                self.diamonds.add(event.total, at)
            case Follow():
                self.follows.add(event.follow_count, now_us)
                self.activity.add("follow", 1, now_us)
            case Share():
                self.shares.add(event.share_count, now_us)
                self.activity.add("share", 1, now_us)
            case _:
                # Other types arrive half a minute late or carry times of long ago.
                return
        self._note_time(event.occurred_at)

    def _note_time(self, occurred_at: int | None) -> None:
        if occurred_at is not None:
            if self.first_occurred_at is None:
                self.first_occurred_at = occurred_at
            self.last_occurred_at = max(self.last_occurred_at or 0, occurred_at)

    def _note_comment(self, comment: Comment, now_us: int) -> None:
        if comment.is_history:
            if comment.occurred_at is not None and len(self.replays) < REPLAYS_MAX:
                self.replays.append(comment.occurred_at)
            return
        self.activity.add("comment", 1, now_us)
        if comment.occurred_at is not None:
            self.delays.add(comment.occurred_at, now_us)
        self._note_time(comment.occurred_at)

    def _note_gift(self, gift: Gift, now_us: int, at: int, gifts: GiftLedger) -> None:
        regained = gifts.regained
        added = gifts.take(gift, now_us, self.segment_id)
        if not added:
            return
        if gifts.regained > regained:
            self.regained_gifts += added
            self.regained_diamonds += added * gift.diamonds
            return
        self.activity.add("gift", added, now_us)
        self.activity.add("diamond", added * gift.diamonds, now_us)
        if self.diamonds.first is None or now_us - self.first_at <= EDGE_US:
            self.early_gifts = [*self.early_gifts, (at, added * gift.diamonds)][:GIFTS_MAX]
        self.late_gifts.append((at, added * gift.diamonds))
        if len(self.late_gifts) > GIFTS_MAX:
            since = self.diamonds.last_at - EDGE_US
            self.late_gifts = [g for g in self.late_gifts if g[0] > since][-GIFTS_MAX // 2 :]
