"""
The gap ledger: the stretches nobody observed, and what they cost.

A gap runs from the last frame before it to the connection after it; that silence is
noticed 45 s late does not shorten it. What was missed in it is said per kind, and
how well that is known:

    comment  none if the replay reaches back to what is stored; else by the rate
             around the gap, for the time that the replay does not cover
    like     by the room's total, which wobbles
    join     by the count of entries: everybody who came in, told or not
    follow   by the host's follower count
    share    by the share count
    gift     by the rate; streaks that went on after the gap were not missed
    diamond  by the room's diamonds where TikTok tells them, else by the rate

Entries and likes are counted between the last reading before the gap and the first
after it, a few seconds more than the gap itself. Where TikTok had called the live ended,
the rate bounds what may have been missed from above, and the best guess is nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from toolkit.ledger.counters import Levels, Steps, likes_grown, steps_missed
from toolkit.ledger.gifts import GiftLedger
from toolkit.ledger.rates import Sample, predict
from toolkit.ledger.replayed import LATE_US
from toolkit.ledger.stretches import Stretch
from toolkit.ledger.tombstones import Tombstones
from toolkit.model.event import Batch, Deletion
from toolkit.model.recording import Cause, Gap, Missed, Quality, Segment

__all__ = ["MISSED_KINDS", "RecordingLedger"]

MISSED_KINDS = ("comment", "like", "join", "follow", "share", "gift", "diamond")
"""What a gap row speaks of, in this order."""

REPLAYED_COMMENTS = 6
"""TikTok replays exactly the last six comments (30 of 31 real connects)."""
EDGE_US = 500_000
"""How loosely time of saying and order of delivery go together."""
UNDER_WAY_US = 1_500_000
"""Delivery takes up to so long, and what is lost on the way had been counted."""
SAMPLES_MIN = 60
"""Ten minutes of bins; stretches further away are asked when the nearest are shorter."""
_ORDERLY = (Cause.STOPPED, Cause.LIVE_ENDED)
_LOST = Missed(None, 0, None, Quality.LOST)


class RecordingLedger:
    """
    Everything a recording adds up to beyond its rows. Not thread-safe.

    Takes the batches of a recording in order; the same batches give the same gaps.

    Attributes:
        gifts: Its gifts.
        tombstones: What was withdrawn.
    """

    def __init__(self, *, gifts_max: int | None = None) -> None:
        """
        Start empty.

        Args:
            gifts_max: Remember at most so many gifts; None keeps all, for the table.
        """
        self.gifts = GiftLedger(entries_max=gifts_max)
        self.tombstones = Tombstones()
        self._stretches: dict[int, Stretch] = {}

    def take(self, batch: Batch) -> None:
        """Take in the next batch."""
        stretch = self._stretches.get(batch.segment_id)
        if stretch is None:
            stretch = self._stretches[batch.segment_id] = Stretch(batch.segment_id, batch.received_at)
        stretch.take(batch, self.gifts)
        for event in batch.events:
            if type(event) is Deletion:
                self.tombstones.take(event)

    def observed(self, segments: Sequence[Segment]) -> list[Segment]:
        """
        Return the segments, each ending with the last moment that was observed.

        That is the last frame, except where the recording ended in order: then
        listening ended when it ended.
        """
        found = []
        for i, segment in enumerate(segments):
            if segment.ended_at is None:
                found.append(segment)
                continue
            is_last = i == len(segments) - 1
            if is_last and segment.cause in _ORDERLY:
                found.append(segment)
                continue
            stretch = self._stretches.get(segment.segment_id)
            last_at = segment.started_at if stretch is None else stretch.last_at
            found.append(replace(segment, ended_at=min(last_at, segment.ended_at)))
        return found

    def gaps(
        self, segments: Sequence[Segment], *, until: int | None = None, newest: int | None = None
    ) -> list[Gap]:
        """
        Return the gaps between the segments, numbered from 1, and the one behind the
        last if it ended in disorder.

        Args:
            segments: All of the recording, in order, as :meth:`observed` gives them.
            until: When its recorder stopped waiting for a connection that did not
                return, microseconds UTC: there the one behind the last ends.
            newest: Only so many, the newest; the others no longer change.
        """
        gaps = []
        first = 1 if newest is None else max(1, len(segments) + 1 - newest)
        for i, (before, after) in enumerate(itertools.pairwise(segments), start=1):
            if i < first:
                continue
            gap = self._edges(i, before, after)
            gaps.append(_Around(gap, self._ordered(segments[:i]), self._ordered(segments[i:])).described())
        if segments and segments[-1].ended_at is not None and segments[-1].cause not in _ORDERLY:
            gap = self._edges(len(segments), segments[-1], None)
            # A word of before it is about an earlier gap.
            ended_at = until if until is not None and until > gap.started_at else None
            gaps.append(replace(gap, ended_at=ended_at, missed=dict.fromkeys(MISSED_KINDS, _LOST)))
        return gaps

    def _edges(self, gap_id: int, before: Segment, after: Segment | None) -> Gap:
        old = self._stretches.get(before.segment_id)
        new = self._stretches.get(after.segment_id) if after else None
        started_at = before.started_at if before.ended_at is None else before.ended_at
        return Gap(
            gap_id,
            started_at,
            # The wall clock may have been set back in the meantime.
            max(after.started_at, started_at) if after else None,
            before.cause or Cause.INTERNAL,
            before.noticed_at,
            after.attempts if after else 0,
            old.last_frame_no if old else 0,
            new.first_frame_no if new else 0,
            old.last_occurred_at if old else None,
            new.first_occurred_at if new else None,
        )

    def _ordered(self, segments: Sequence[Segment]) -> list[Stretch]:
        return [self._stretches[s.segment_id] for s in segments if s.segment_id in self._stretches]


@dataclass
class _Around:
    """A gap between what was observed before it and after it, both in order of time."""

    gap: Gap
    before: list[Stretch]
    after: list[Stretch]

    def described(self) -> Gap:
        """Return the gap with what it cost."""
        if not self.before or not self.after:
            return replace(self.gap, missed=dict.fromkeys(MISSED_KINDS, _LOST))
        recovered, comments = self._comments()
        missed = {
            "comment": comments,
            "like": self._likes(),
            "join": self._entries(),
            "follow": self._steps("follow", lambda stretch: stretch.follows),
            "share": self._steps("share", lambda stretch: stretch.shares),
            "gift": self._at_rate("gift", less=self.after[0].regained_gifts),
            "diamond": self._diamonds(),
        }
        return replace(self.gap, recovered_comments=recovered, missed=missed, counters=self._counters())

    @property
    def _length_us(self) -> int:
        assert self.gap.ended_at is not None
        return self.gap.ended_at - self.gap.started_at

    def _samples(self, kind: str) -> list[Sample]:
        """Return ten minutes of observed time on each side, or as much as there is."""
        samples: list[Sample] = []
        for stretch in reversed(self.before):
            samples = stretch.activity.last(kind) + samples
            if len(samples) >= SAMPLES_MIN:
                break
        behind: list[Sample] = []
        for stretch in self.after:
            behind += stretch.activity.first(kind)
            if len(behind) >= SAMPLES_MIN:
                break
        return samples[-SAMPLES_MIN:] + behind[:SAMPLES_MIN]

    def _at_rate(self, kind: str, *, less: int = 0) -> Missed:
        """Return what the rate around the gap says, less what came back after all."""
        found = predict(self._samples(kind), self._length_us, kind)
        if found is None:
            return _LOST
        return self._by_rate(found.estimate - less, found.low - less, found.high - less)

    def _by_rate(self, estimate: float, low: float, high: float) -> Missed:
        """Return what a rate says. In a live that was over, as TikTok said, nobody talks."""
        if self.gap.cause is Cause.LIVE_ENDED:
            estimate = low = 0.0
        return _bounded(estimate, low, high)

    def _comments(self) -> tuple[int, Missed]:
        """Return how many comments of the gap were replayed, and what is still missing."""
        old, new = self.before[-1], self.after[0]
        usual_us = old.delays.usual_us()
        started_at = self.gap.started_at - (usual_us or 0)
        if usual_us is None and old.last_occurred_at is not None:
            started_at = old.last_occurred_at
        mine = [at for at in new.replays if at >= started_at - LATE_US]
        is_reached = len(mine) < len(new.replays) or (
            len(new.replays) < REPLAYED_COMMENTS <= len(new.replays) + new.repeats
        )
        if is_reached:
            # The replay is one piece: it touches what is stored, so nothing lies between.
            return len(mine), Missed(0, 0, 0, Quality.EXACT)
        if len(mine) < REPLAYED_COMMENTS:
            return len(mine), self._at_rate("comment", less=len(mine))
        bare_us = min(max(0, min(mine) - started_at), self._length_us)
        samples = self._samples("comment")
        found = predict(samples, bare_us, "comment")
        widest = predict(samples, bare_us + EDGE_US, "comment")
        least = predict(samples, max(0, bare_us - EDGE_US), "comment")
        assert found is not None
        assert widest is not None
        assert least is not None
        return len(mine), self._by_rate(found.estimate, least.low, widest.high)

    def _likes(self) -> Missed:
        grown = likes_grown(self.before[-1].likes, self.after[0].likes)
        if grown is None:
            return _LOST
        estimate, low, high, _, _ = grown
        return _bounded(estimate, low, high)

    def _entries(self) -> Missed:
        old = _last_of(self.before, lambda stretch: stretch.entries.last is not None)
        new = _first_of(self.after, lambda stretch: stretch.entries.first is not None)
        if old is None or new is None:
            return _LOST
        assert old.entries.last is not None
        assert new.entries.first is not None
        grown = new.entries.first - old.entries.last
        return self._counted(grown, old, new)

    def _steps(self, kind: str, steps_of: Callable[[Stretch], Steps]) -> Missed:
        old = _last_of(self.before, lambda stretch: bool(steps_of(stretch)))
        new = _first_of(self.after, lambda stretch: bool(steps_of(stretch)))
        if old is None or new is None:
            return self._at_rate(kind)
        return self._counted(steps_missed(steps_of(old), steps_of(new)), old, new)

    def _counted(self, grown: int, old: Stretch, new: Stretch) -> Missed:
        """Return what a counter says: exact if it was read on both sides of this very gap."""
        if grown < 0:
            # Turned back: people left again, or TikTok corrected itself.
            return Missed(0, 0, 0, Quality.ESTIMATED)
        if old is self.before[-1] and new is self.after[0]:
            return Missed(grown, grown, grown, Quality.EXACT)
        # The counter spans several gaps: this one has its share by time, or all, or nothing.
        silent_us = new.first_at - old.last_at
        share = min(1.0, self._length_us / silent_us) if silent_us > 0 else 1.0
        return Missed(round(grown * share), 0, grown, Quality.ESTIMATED)

    def _diamonds(self) -> Missed:
        old, new = self.before[-1], self.after[0]
        if old.diamonds.last is None or new.diamonds.first is None:
            return self._at_rate("diamond", less=new.regained_diamonds)
        start, end = old.diamonds.last_at, new.diamonds.first_at
        seen = sum(cost for at, cost in old.late_gifts if at > start)
        seen += sum(cost for at, cost in new.early_gifts if at <= end)
        missed = new.diamonds.first - old.diamonds.last - seen - new.regained_diamonds
        edge = _near(old.late_gifts, start) + _near(new.early_gifts, end) + new.regained_diamonds
        # The counter ran ahead of what was delivered: gifts that it had counted were under way.
        under_way = predict(self._samples("diamond"), UNDER_WAY_US, "diamond")
        assert under_way is not None
        edge += under_way.high
        return _bounded(missed, missed - edge, missed + edge)

    def _counters(self) -> dict[str, tuple[int | None, int | None]]:
        old, new = self.before[-1], self.after[0]
        grown = likes_grown(old.likes, new.likes)
        return {
            "likes": (grown[3].last, grown[4].first) if grown else (None, None),
            "entries": (old.entries.last, new.entries.first),
            "followers": (
                old.follows.last if old.follows else None,
                new.follows.first if new.follows else None,
            ),
            "shares": (old.shares.last if old.shares else None, new.shares.first if new.shares else None),
            "diamonds": _pair(old.diamonds, new.diamonds),
        }


def _pair(old: Levels, new: Levels) -> tuple[int | None, int | None]:
    return old.last, new.first


def _near(gifts: list[tuple[int, int]], edge_us: int) -> int:
    """Return the diamonds of gifts so close to a reading that either may have come first."""
    return sum(cost for at, cost in gifts if abs(at - edge_us) <= EDGE_US)


def _bounded(estimate: float, low: float, high: float) -> Missed:
    low_, high_ = max(0, int(low)), max(0, int(high))
    value = min(max(round(estimate), low_), high_)
    return Missed(value, low_, high_, Quality.ESTIMATED)


def _last_of(stretches: Sequence[Stretch], is_wanted: Callable[[Stretch], bool]) -> Stretch | None:
    return next((stretch for stretch in reversed(stretches) if is_wanted(stretch)), None)


def _first_of(stretches: Sequence[Stretch], is_wanted: Callable[[Stretch], bool]) -> Stretch | None:
    return next((stretch for stretch in stretches if is_wanted(stretch)), None)
