"""The gap ledger: where a gap lies and what it cost, against lives whose truth is known."""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from random import Random
from typing import Any

import pytest

from toolkit.ledger.gaps import MISSED_KINDS, RecordingLedger
from toolkit.model.event import (
    Batch,
    Comment,
    Event,
    Follow,
    Gift,
    Like,
    RoomDiamonds,
    User,
    ViewerCount,
)
from toolkit.model.recording import Cause, Gap, Missed, Quality, Segment

S = 1_000_000
DELAY = 1 * S
"""TikTok's clock to ours in these tests."""
LIVES = int(os.environ.get("TOOLKIT_LEDGER_LIVES", "0"))


class Tape:
    """Batches at seconds of our clock, segment by segment."""

    def __init__(self) -> None:
        self.ledger = RecordingLedger()
        self.segments: list[Segment] = []
        self._numbers = itertools.count(1)
        self._frame_no = 0

    def up(self, at_s: float, *, attempts: int = 0) -> None:
        """Begin a segment."""
        self.segments.append(Segment(len(self.segments) + 1, 7, int(at_s * S), attempts=attempts))

    def down(self, at_s: float, cause: Cause = Cause.NETWORK, *, noticed_s: float | None = None) -> None:
        """End it, as the journal notes it: by when it was noticed."""
        noticed_at = int((noticed_s or at_s) * S)
        last = self.segments[-1]
        self.segments[-1] = Segment(
            last.segment_id, 7, last.started_at, noticed_at, cause, noticed_at, last.attempts
        )

    def frame(self, at_s: float, *events: Event, duplicates: int = 0) -> None:
        """Take a frame."""
        self._frame_no += 1
        batch = Batch(self._frame_no, len(self.segments), int(at_s * S), int(at_s * S * 1000), 1)
        batch.events, batch.duplicates = list(events), duplicates
        self.ledger.take(batch)

    def head(self, at_s: float, said_s: float | None = None) -> tuple[int, int, int, int, User]:
        """Return what every event begins with."""
        number = next(self._numbers)
        said = int(said_s * S) if said_s is not None else int(at_s * S) - DELAY
        return number, number, said, int(at_s * S), User(5)

    def chat(self, at_s: float, said_s: float | None = None, *, history: bool = False) -> Comment:
        """Return a comment."""
        return Comment(*self.head(at_s, said_s), "hi", "en", "", "", history)

    def steady(self, start_s: float, stop_s: float, every_s: float = 1.0) -> None:
        """Take a comment every so often."""
        count = int((stop_s - start_s) / every_s)
        for i in range(count + 1):
            at_s = start_s + i * every_s
            self.frame(at_s, self.chat(at_s))

    def gaps(self) -> list[Gap]:
        """Return the gaps."""
        return self.ledger.gaps(self.ledger.observed(self.segments))

    def only(self) -> Gap:
        """Return the only gap."""
        (gap,) = self.gaps()
        return gap


@pytest.fixture
def tape() -> Tape:
    """Return an empty tape."""
    return Tape()


def two(tape: Tape, *, replay: tuple[Comment, ...] = (), duplicates: int = 0, every_s: float = 1.0) -> Gap:
    """Record 200 s, miss 60 s, record 200 s; return the gap."""
    tape.up(100)
    tape.steady(100, 300, every_s)
    tape.down(300.5)
    tape.up(360)
    tape.frame(360.2, *replay, duplicates=duplicates)
    tape.steady(361, 560, every_s)
    tape.down(560, Cause.LIVE_ENDED)
    return tape.only()


def exact(number: int) -> Missed:
    """Return an exact figure."""
    return Missed(number, number, number, Quality.EXACT)


def test_a_gap_begins_with_the_last_frame_and_not_when_it_was_noticed(tape: Tape) -> None:
    """Silence is noticed 45 s late; the segment ends with its last frame too."""
    tape.up(100)
    tape.steady(100, 200)
    tape.down(245, Cause.SILENCE)
    tape.up(260, attempts=3)
    tape.steady(261, 300)
    tape.down(310, Cause.STOPPED)
    gap = tape.only()
    assert (gap.gap_id, gap.started_at, gap.ended_at, gap.detected_at) == (1, 200 * S, 260 * S, 245 * S)
    assert (gap.cause, gap.attempts, gap.last_frame_no, gap.first_frame_no) == (Cause.SILENCE, 3, 101, 102)
    assert (gap.last_occurred_at, gap.first_occurred_at) == (199 * S, 260 * S)
    assert [s.ended_at for s in tape.ledger.observed(tape.segments)] == [200 * S, 310 * S]


def test_in_a_live_that_was_over_nobody_is_taken_to_have_talked(tape: Tape) -> None:
    """The host is back in the same room: as much as usual may have been missed, and most likely nothing."""
    gaps = []
    for cause in (Cause.NETWORK, Cause.LIVE_ENDED):
        other = Tape()
        other.up(100)
        other.steady(100, 300)
        other.down(300.5, cause)
        other.up(360)
        other.frame(360.2, *(other.chat(360.2, 350 + i, history=True) for i in range(6)))
        other.steady(361, 560)
        gaps.append(other.only())
    lost, over = (gap.missed["comment"] for gap in gaps)
    assert gaps[1].cause is Cause.LIVE_ENDED
    assert (lost.estimate or 0) > lost.low > 0
    assert over == Missed(0, 0, lost.high, Quality.ESTIMATED)
    assert (gaps[1].missed["gift"].estimate, gaps[1].missed["gift"].low) == (0, 0)


def test_a_recording_without_interruption_has_no_gap(tape: Tape) -> None:
    """Whether it ended in order or still runs."""
    assert tape.gaps() == []
    tape.up(100)
    tape.steady(100, 110)
    assert tape.gaps() == []
    for cause in (Cause.STOPPED, Cause.LIVE_ENDED):
        tape.down(120, cause)
        assert tape.gaps() == []


@pytest.mark.parametrize("cause", [Cause.NETWORK, Cause.PROCESS_DIED, Cause.SILENCE, Cause.CLOSED])
def test_a_recording_that_ends_in_a_gap_says_so(tape: Tape, cause: Cause) -> None:
    """Nothing was observed after it, so nothing is known of it."""
    tape.up(100)
    tape.steady(100, 200)
    tape.down(230, cause)
    gap = tape.only()
    assert (gap.started_at, gap.ended_at, gap.cause) == (200 * S, None, cause)
    assert gap.missed == dict.fromkeys(MISSED_KINDS, Missed(None, 0, None, Quality.LOST))
    assert [s.ended_at for s in tape.ledger.observed(tape.segments)] == [200 * S]


def test_a_connection_without_a_frame_observed_nothing(tape: Tape) -> None:
    """It ends where it began."""
    tape.up(100)
    tape.steady(100, 200)
    tape.down(200)
    tape.up(230)
    tape.down(275, Cause.SILENCE)
    tape.up(300)
    tape.steady(300, 400)
    tape.down(400, Cause.STOPPED)
    first, second = tape.gaps()
    assert (first.started_at, first.ended_at) == (200 * S, 230 * S)
    assert (second.started_at, second.ended_at) == (230 * S, 300 * S)
    assert second.missed["comment"].high is not None


def test_a_clock_set_back_makes_no_gap_of_negative_length(tape: Tape) -> None:
    """The wall clock of a restarted machine may be behind."""
    tape.up(100)
    tape.steady(100, 200)
    tape.down(200, Cause.PROCESS_DIED)
    tape.up(150)
    tape.steady(150, 160)
    gap = tape.only()
    assert gap.ended_at == gap.started_at == 200 * S
    assert gap.missed["comment"].estimate == 0


def test_a_replay_that_touches_what_is_stored_leaves_nothing_missing(tape: Tape) -> None:
    """Two of the six are new, four were here: nothing lies between."""
    gap = two(
        tape, replay=(tape.chat(360.2, 310, history=True), tape.chat(360.2, 340, history=True)), duplicates=4
    )
    assert gap.recovered_comments == 2
    assert gap.missed["comment"] == exact(0)


def test_a_replay_that_brings_nothing_new_proves_that_nothing_was_said(tape: Tape) -> None:
    """All six were here."""
    gap = two(tape, duplicates=6)
    assert (gap.recovered_comments, gap.missed["comment"]) == (0, exact(0))


@pytest.mark.parametrize("duplicates", [0, 1, 5])
def test_a_replay_that_was_cut_short_proves_nothing(tape: Tape, duplicates: int) -> None:
    """Fewer than six altogether, so it may have begun anywhere."""
    gap = two(tape, duplicates=duplicates)
    assert gap.missed["comment"].quality is Quality.ESTIMATED
    assert 50 <= (gap.missed["comment"].estimate or 0) <= 70


def test_a_replay_that_reaches_behind_the_gap_leaves_nothing_missing(tape: Tape) -> None:
    """A comment of before the gap that nobody delivered is in it: it is no part of the gap."""
    replay = (
        tape.chat(360.2, 200, history=True),
        *(tape.chat(360.2, 330 + i, history=True) for i in range(5)),
    )
    gap = two(tape, replay=replay)
    assert (gap.recovered_comments, gap.missed["comment"]) == (5, exact(0))


def test_six_new_comments_leave_the_time_before_the_oldest_in_doubt(tape: Tape) -> None:
    """The replay covers the last 30 of 60 s: about 30 comments of one a second are missing."""
    replay = tuple(tape.chat(360.2, 329 + 5 * i, history=True) for i in range(6))
    gap = two(tape, replay=replay, duplicates=1)
    comments = gap.missed["comment"]
    assert gap.recovered_comments == 6
    assert comments.quality is Quality.ESTIMATED
    assert comments.estimate == 30
    assert comments.high is not None
    assert comments.low <= 30 <= comments.high < 80


def test_what_was_recovered_is_no_longer_missing(tape: Tape) -> None:
    """Fewer than six came back: they are taken off what the rate says."""
    replay = tuple(tape.chat(360.2, 340 + i, history=True) for i in range(3))
    with_replay = two(tape, replay=replay).missed["comment"]
    without = two(Tape()).missed["comment"]
    assert with_replay.estimate == (without.estimate or 0) - 3
    assert with_replay.low == max(0, without.low - 3)


def test_comments_are_replayed_only_at_the_beginning(tape: Tape) -> None:
    """Duplicates later on are the fault of the wire."""
    tape.up(100)
    tape.steady(100, 300)
    tape.down(300)
    tape.up(360)
    tape.steady(360, 370)
    tape.frame(371, duplicates=6)
    assert tape.only().missed["comment"].quality is Quality.ESTIMATED


def counted(tape: Tape, before: list[tuple[float, Event]], after: list[tuple[float, Event]]) -> Gap:
    """Return the gap from 200 to 260 s between such events."""
    tape.up(100)
    tape.frame(100)
    for at_s, event in before:
        tape.frame(at_s, event)
    tape.frame(200)
    tape.down(200)
    tape.up(260)
    tape.frame(260)
    for at_s, event in after:
        tape.frame(at_s, event)
    tape.frame(400)
    tape.down(400, Cause.STOPPED)
    return tape.only()


def viewers(tape: Tape, at_s: float, total: int) -> tuple[float, ViewerCount]:
    """Return a viewer count."""
    return at_s, ViewerCount(*tape.head(at_s)[:4], None, 40, total, 0, 0)


def follow(tape: Tape, at_s: float, count: int) -> tuple[float, Follow]:
    """Return a follow."""
    return at_s, Follow(*tape.head(at_s), count)


def like(tape: Tape, at_s: float, total: int) -> tuple[float, Like]:
    """Return a like."""
    return at_s, Like(*tape.head(at_s), 15, total)


def rose(tape: Tape, at_s: float, count: int, group: int = 1, *, end: bool = False) -> tuple[float, Gift]:
    """Return a tap of a rose of 5 diamonds."""
    return at_s, Gift(*tape.head(at_s), 9, "Rose", 5, 1, count, end, group, 0, "")


def diamonds(tape: Tape, at_s: float, total: int) -> tuple[float, RoomDiamonds]:
    """Return the room's diamonds."""
    return at_s, RoomDiamonds(*tape.head(at_s)[:4], None, total)


def test_entries_are_exact_from_the_count_on_both_sides(tape: Tape) -> None:
    """Everybody who came in, told or not."""
    gap = counted(tape, [viewers(tape, 150, 600), viewers(tape, 199, 640)], [viewers(tape, 261, 900)])
    assert gap.missed["join"] == exact(260)
    assert gap.counters["entries"] == (640, 900)


def test_follows_are_exact_from_the_follower_count(tape: Tape) -> None:
    """Less the one that was received."""
    gap = counted(tape, [follow(tape, 150, 50)], [follow(tape, 380, 54)])
    assert gap.missed["follow"] == exact(3)
    assert gap.counters["followers"] == (50, 54)


def test_a_count_that_was_turned_back_bounds_nothing(tape: Tape) -> None:
    """People leave again."""
    gap = counted(tape, [follow(tape, 150, 50)], [follow(tape, 380, 44)])
    assert gap.missed["follow"] == Missed(0, 0, 0, Quality.ESTIMATED)


def test_a_counter_nobody_read_leaves_it_to_the_rate_or_lost(tape: Tape) -> None:
    """No follow after the gap, no viewer count, no like at all."""
    gap = counted(tape, [follow(tape, 150, 50)], [])
    assert gap.missed["follow"].quality is Quality.ESTIMATED
    assert gap.missed["follow"].low == 0
    assert gap.missed["join"] == gap.missed["like"] == Missed(None, 0, None, Quality.LOST)
    assert gap.counters["followers"] == (50, None)
    assert gap.counters["likes"] == (None, None)


def test_a_counter_across_two_gaps_gives_each_its_share_and_one_bound(tape: Tape) -> None:
    """Between them nothing was read: all of it may be in either."""
    tape.up(100)
    tape.frame(100, viewers(tape, 100, 500)[1])
    tape.frame(200)
    tape.down(200)
    tape.up(230)
    tape.frame(230)
    tape.down(240)
    tape.up(330)
    tape.frame(330, viewers(tape, 330, 630)[1])
    first, second = tape.gaps()
    assert first.missed["join"] == Missed(30, 0, 130, Quality.ESTIMATED)
    assert second.missed["join"] == Missed(100, 0, 130, Quality.ESTIMATED)


def test_likes_come_from_the_total_with_a_margin(tape: Tape) -> None:
    """Not from the few that were told."""
    gap = counted(tape, [like(tape, 198, 100_000)], [like(tape, 262, 109_000)])
    assert gap.missed["like"] == Missed(9_000, 8_200, 9_800, Quality.ESTIMATED)
    assert gap.counters["likes"] == (100_000, 109_000)


def test_a_streak_that_goes_on_after_the_gap_was_not_missed(tape: Tape) -> None:
    """Its count is cumulative: it is taken off what the rate says."""
    before = [rose(tape, 110 + 20 * i, 10, 50 + i, end=True) for i in range(4)] + [rose(tape, 199, 3)]
    gap = counted(tape, before, [rose(tape, 261, 24, end=True)])
    other = counted(
        Tape(), [rose(tape, 110 + 20 * i, 10, 50 + i, end=True) for i in range(4)] + [rose(tape, 199, 3)], []
    )
    assert (gap.missed["gift"].estimate or 0) < (other.missed["gift"].estimate or 0)
    entries = {entry.group_id: entry for entry in tape.ledger.gifts.entries()}
    assert (entries[1].count, entries[1].is_across_gap) == (24, True)
    assert tape.ledger.gifts.regained == 21


def test_diamonds_come_from_the_room_less_what_was_seen(tape: Tape) -> None:
    """Before the gap 50 after the last reading, 25 after it, and 30 of a streak that went on."""
    before = [
        rose(tape, 185, 20, 6, end=True),
        diamonds(tape, 190, 1_000),
        rose(tape, 195, 10, 7, end=True),
        rose(tape, 199, 3),
    ]
    after = [rose(tape, 261, 9, end=True), rose(tape, 263, 5, 8, end=True), diamonds(tape, 270, 2_000)]
    gap = counted(tape, before, after)
    missed = gap.missed["diamond"]
    # 15 of the streak's first taps came after the reading, too.
    assert missed.estimate == 1_000 - 50 - 15 - 30 - 25
    assert missed.high is not None
    assert missed.low <= 880 <= missed.high
    assert gap.counters["diamonds"] == (1_000, 2_000)


def test_gifts_that_were_under_way_leave_room_on_both_sides(tape: Tape) -> None:
    """The room had counted what was lost on the way."""
    gap = counted(
        tape, [rose(tape, 120, 9, end=True), diamonds(tape, 190, 1_000)], [diamonds(tape, 270, 2_000)]
    )
    missed = gap.missed["diamond"]
    assert missed.estimate == 1_000
    assert missed.high is not None
    assert missed.low < 1_000 < missed.high


def test_replays_are_no_sign_of_how_much_is_said_now(tape: Tape) -> None:
    """And the newest time before a gap is the newest, whatever came last."""
    tape.up(100)
    tape.frame(110, tape.chat(110), tape.chat(110, 104), tape.chat(110, 50, history=True))
    tape.down(110)
    stretch = tape.ledger._stretches[1]
    tape.frame(115)
    assert sum(sample.count for sample in stretch.activity.first("comment")) == 2
    assert tape.only().last_occurred_at == 109 * S


def test_the_ledger_is_the_same_however_often_it_is_asked(tape: Tape) -> None:
    """Asking changes nothing; more data after the gap makes it surer, nothing else."""
    gap = two(tape)
    assert tape.only() == gap == tape.only()


def outages_of(world: Any, preset: str, seed: int) -> list[tuple[Any, Gap]]:
    """Return the truth and the gaps of a live with outages of 5 s to 10 minutes."""
    rng = Random(f"outages:{seed}")
    live = world(preset, seed, skew_us=rng.randrange(-12 * S, 2 * S))
    live.listen(rng.uniform(60, 600))
    for seconds in rng.sample((5, 15, 45, 120, 300, 600), 4):
        live.be_away(seconds * rng.uniform(0.8, 1.2))
        live.listen(rng.uniform(60, 600))
    return list(zip(live.outages, live.end(), strict=True))


@pytest.mark.parametrize(("preset", "lives"), [("small", 20), ("typical", 2), ("busy", 1)])
def test_figures_hold_against_lives_whose_truth_is_known(world: Any, preset: str, lives: int) -> None:
    """
    Recovered and exact figures are the truth; the truth is within the others' bounds.

    TOOLKIT_LEDGER_LIVES=200 runs so many lives of each kind; it takes 3 s per typical
    live. In at least 95 % of the gaps of a long run, and in 90 % of a short one (a few
    dozen gaps), the truth is within the bounds.
    """
    lives = LIVES or lives
    inside: defaultdict[str, list[bool]] = defaultdict(list)
    widths: defaultdict[str, list[float]] = defaultdict(list)
    for seed in range(lives):
        for outage, gap in outages_of(world, preset, seed):
            assert gap.recovered_comments == outage.recovered, (preset, seed, gap)
            for kind, truth in outage.truth.items():
                missed = gap.missed[kind]
                if missed.quality is Quality.EXACT:
                    assert missed.estimate == missed.low == missed.high == truth, (preset, seed, kind, gap)
                elif missed.high is not None:
                    inside[kind].append(missed.low <= truth <= missed.high)
                    if outage.seconds > 60:
                        widths[kind].append((missed.high - missed.low) / max(truth, 1))
    floor = 0.95 if LIVES >= 100 else 0.9
    for kind, held in inside.items():
        assert sum(held) >= floor * len(held), (preset, kind, sum(held), len(held))
    # Of use: comments of gaps above a minute within about half of the truth either way.
    if preset != "small":
        assert sorted(widths["comment"])[len(widths["comment"]) // 2] < 1.5
        assert sorted(widths["like"])[len(widths["like"]) // 2] < 0.5
