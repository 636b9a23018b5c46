"""What a gap cost, figure by figure: which stretch is asked, what is taken off, how far it may be off."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.ledger.gaps import MISSED_KINDS, RecordingLedger
from toolkit.ledger.rates import Sample, predict
from toolkit.model.event import (
    Batch,
    Comment,
    Deletion,
    Event,
    Follow,
    Gift,
    Like,
    RoomDiamonds,
    Share,
    User,
    ViewerCount,
)
from toolkit.model.recording import Cause, Gap, Missed, Quality, Segment

S = 1_000_000
LOST = Missed(None, 0, None, Quality.LOST)


class Live:
    """A recording told second by second: each part says when it was up, and what came."""

    def __init__(self) -> None:
        self.ledger = RecordingLedger()
        self.segments: list[Segment] = []
        self._number = 0

    def part(self, start_s: float, end_s: float, *events: tuple[float, Event], cause: Cause = Cause.NETWORK,
             attempts: int = 0) -> Live:  # fmt: skip
        """Connect, take a frame at the beginning, one per event and one at the end, and lose it."""
        number = len(self.segments) + 1
        frames = [(start_s, None), *events, (end_s, None)]
        for at_s, event in sorted(frames, key=lambda frame: frame[0]):
            self._number += 1
            batch = Batch(self._number, number, int(at_s * S), 0, 1)
            batch.events = [event] if event else []
            self.ledger.take(batch)
        end = int(end_s * S)
        self.segments.append(Segment(number, 7, int(start_s * S), end, cause, end, attempts))
        return self

    def gaps(self, **options: Any) -> list[Gap]:
        """Return the gaps of a recording that ended in order."""
        return self.ledger.gaps(self.ledger.observed(self.segments), **options)


def head(at_s: float) -> tuple[int, int, int, int, User]:
    """Return what an event begins with; TikTok's clock is ours."""
    return int(at_s * 10), int(at_s * 1000), int(at_s * S), int(at_s * S), User(5)


def chat(at_s: float) -> tuple[float, Event]:
    """Return a comment."""
    return at_s, Comment(*head(at_s), "hi", "en", "", "", False)


def chats(start_s: int, end_s: int, every_s: int) -> list[tuple[float, Event]]:
    """Return comments."""
    return [chat(at_s) for at_s in range(start_s, end_s, every_s)]


def viewers(at_s: float, total: int) -> tuple[float, Event]:
    """Return a count of entries."""
    return at_s, ViewerCount(*head(at_s)[:4], None, 40, total, 0, 0)


def follow(at_s: float, count: int) -> tuple[float, Event]:
    """Return a follow."""
    return at_s, Follow(*head(at_s), count)


def share(at_s: float, count: int) -> tuple[float, Event]:
    """Return a share."""
    return at_s, Share(*head(at_s), 1, "", count)


def like(at_s: float, total: int) -> tuple[float, Event]:
    """Return a like."""
    return at_s, Like(*head(at_s), 15, total)


def lion(at_s: float, price: int, group: int = 0) -> tuple[float, Event]:
    """Return a single gift."""
    return at_s, Gift(*head(at_s), 9, "Lion", price, 2, 1, False, group, 0, "")


def rose(at_s: float, count: int, group: int, price: int = 5) -> tuple[float, Event]:
    """Return a tap of a streak."""
    return at_s, Gift(*head(at_s), 8, "Rose", price, 1, count, False, group, 0, "")


def diamonds(at_s: float, total: int) -> tuple[float, Event]:
    """Return the room's diamonds."""
    return at_s, RoomDiamonds(*head(at_s)[:4], None, total)


def exact(number: int) -> Missed:
    """Return an exact figure."""
    return Missed(number, number, number, Quality.EXACT)


def test_each_gap_has_its_number_edges_and_attempts() -> None:
    """Two gaps, three stretches; frames and TikTok's times around each."""
    live = Live().part(100, 200, chat(150)).part(230, 300, chat(250), attempts=2)
    live.part(330, 400, chat(350), cause=Cause.STOPPED, attempts=5)
    first, second = live.gaps()
    assert (first.gap_id, first.started_at, first.ended_at, first.attempts) == (1, 200 * S, 230 * S, 2)
    assert (second.gap_id, second.started_at, second.ended_at, second.attempts) == (2, 300 * S, 330 * S, 5)
    assert (first.last_frame_no, first.first_frame_no) == (3, 4)
    assert (second.last_occurred_at, second.first_occurred_at) == (250 * S, 350 * S)
    assert tuple(first.missed) == MISSED_KINDS == (
        "comment", "like", "join", "follow", "share", "gift", "diamond"
    )  # fmt: skip


def test_only_the_newest_gaps_are_told_if_asked_so() -> None:
    """With the numbers they have among all."""
    live = Live()
    for start in (100, 200, 300, 400):
        live.part(start, start + 50, chat(start + 10))
    assert [gap.gap_id for gap in live.gaps()] == [1, 2, 3, 4]
    assert [gap.gap_id for gap in live.gaps(newest=1)] == [4]
    assert [gap.gap_id for gap in live.gaps(newest=2)] == [3, 4]
    assert live.gaps(newest=3) == live.gaps()[1:]
    assert live.gaps(newest=9) == live.gaps()


def test_a_gap_at_the_end_lasts_until_nobody_waited_any_longer() -> None:
    """A word of before it is about an earlier gap; without one nobody knows."""
    live = Live().part(100, 200, chat(150), cause=Cause.SILENCE)
    for until, ended_at in ((None, None), (200 * S, None), (150 * S, None), (200 * S + 1, 200 * S + 1)):
        (gap,) = live.gaps(until=until)
        assert (gap.gap_id, gap.started_at, gap.ended_at, gap.cause) == (1, 200 * S, ended_at, Cause.SILENCE)
        assert (gap.last_frame_no, gap.first_frame_no, gap.attempts) == (3, 0, 0)
        assert gap.missed == dict.fromkeys(MISSED_KINDS, LOST)


def test_a_segment_that_is_open_is_not_followed_by_a_gap() -> None:
    """Its recorder listens."""
    live = Live().part(100, 200, chat(150))
    still_open = Segment(1, 7, 100 * S)
    assert live.ledger.observed([still_open]) == [still_open]
    assert live.ledger.gaps([still_open]) == []
    assert live.ledger.gaps([]) == []
    assert live.ledger.observed([]) == []


def test_an_order_to_stop_is_one_only_at_the_end() -> None:
    """A recorder stopped by mistake, and resumed: the silence between is not observed."""
    live = Live().part(100, 200, cause=Cause.STOPPED).part(300, 350, cause=Cause.LIVE_ENDED)
    stop, end = (
        Segment(i, 7, 0, at * S, c) for i, at, c in ((1, 260, Cause.STOPPED), (2, 390, Cause.LIVE_ENDED))
    )
    first, second = live.ledger.observed([stop, end])
    assert (first.ended_at, second.ended_at) == (200 * S, 390 * S)
    (gap,) = live.gaps()
    assert (gap.started_at, gap.ended_at, gap.cause) == (200 * S, 300 * S, Cause.STOPPED)


def test_a_segment_that_ended_before_its_last_frame_ends_when_it_says() -> None:
    """A clock that was set."""
    live = Live().part(100, 200)
    (segment,) = live.ledger.observed([Segment(1, 7, 100 * S, 180 * S, Cause.NETWORK)])
    assert segment.ended_at == 180 * S


def test_a_gap_beside_segments_nobody_observed_lost_everything() -> None:
    """No frame on one side of it: nothing to compare, nothing to go by."""
    live = Live().part(100, 200, *chats(110, 190, 5))
    silent = [Segment(0, 7, 50 * S, 60 * S, Cause.NETWORK), *live.segments]
    first, second = live.ledger.gaps(silent)
    assert first.missed == dict.fromkeys(MISSED_KINDS, LOST)
    assert (first.recovered_comments, first.last_frame_no, first.last_occurred_at) == (0, 0, None)
    assert second.ended_at is None


def test_the_rate_is_that_of_ten_minutes_on_each_side_over_several_stretches() -> None:
    """Short stretches near the gap, then those behind them, never more than ten minutes."""
    live = Live()
    live.part(0, 1000, *chats(0, 1000, 1))
    live.part(1100, 1300, *chats(1100, 1300, 10))
    live.part(1400, 1500, *chats(1400, 1500, 5))
    live.part(1600, 2600, *chats(1600, 2600, 2), cause=Cause.STOPPED)
    comments = live.gaps()[1].missed["comment"]
    # 20 bins of one, 40 of ten; behind it 10 of two and 50 of five.
    samples = [Sample(10 * S, n) for n in [10] * 40 + [1] * 20 + [2] * 10 + [5] * 50]
    found = predict(samples, 100 * S, "comment")
    assert found is not None
    assert comments == Missed(round(found.estimate), found.low, found.high, Quality.ESTIMATED)
    assert live.gaps()[1].missed["follow"].estimate == 0


def test_entries_are_read_where_they_were_last_and_first_told() -> None:
    """Two gaps with a silent stretch between: each has its share by time."""
    live = (
        Live()
        .part(0, 100, viewers(50, 500))
        .part(130, 140)
        .part(230, 300, viewers(230, 700), cause=Cause.STOPPED)
    )
    first, second = live.gaps()
    # From the last frame before to the first after, 130 s passed; the gaps are 30 and 90 s of it.
    assert first.missed["join"] == Missed(46, 0, 200, Quality.ESTIMATED)
    assert second.missed["join"] == Missed(138, 0, 200, Quality.ESTIMATED)
    assert (first.counters["entries"], second.counters["entries"]) == ((500, None), (None, 700))


def test_a_counter_over_gaps_in_which_the_clock_was_set_back_may_lie_in_either() -> None:
    """No time passed between its readings, so there is no share of it."""
    live = Live().part(200, 300, viewers(250, 500)).part(310, 320)
    live.part(100, 150, viewers(110, 540), cause=Cause.STOPPED)
    for gap in live.gaps():
        assert gap.missed["join"] == Missed(40, 0, 40, Quality.ESTIMATED)


def test_a_counter_that_stood_still_is_exactly_nothing() -> None:
    """And one that fell bounds nothing."""
    for total, missed in ((500, exact(0)), (499, Missed(0, 0, 0, Quality.ESTIMATED)), (501, exact(1))):
        live = Live().part(0, 100, viewers(50, 500)).part(130, 200, viewers(150, total), cause=Cause.STOPPED)
        assert live.gaps()[0].missed["join"] == missed


def test_shares_and_follows_have_counters_of_their_own() -> None:
    """Each its own readings, less what was received."""
    live = Live().part(0, 100, follow(50, 10), share(60, 1000))
    live.part(130, 200, follow(150, 14), share(160, 1003), share(161, 1004), cause=Cause.STOPPED)
    gap = live.gaps()[0]
    assert (gap.missed["follow"], gap.missed["share"]) == (exact(3), exact(2))
    assert (gap.counters["followers"], gap.counters["shares"]) == ((10, 14), (1000, 1004))
    assert gap.counters["likes"] == gap.counters["entries"] == gap.counters["diamonds"] == (None, None)


def test_a_counter_read_on_one_side_only_is_told_and_the_rate_decides() -> None:
    """One share in a hundred seconds before, none after."""
    live = Live().part(0, 100, share(60, 1000)).part(200, 300, cause=Cause.STOPPED)
    gap = live.gaps()[0]
    assert gap.counters["shares"] == (1000, None)
    found = predict(
        [Sample(10 * S, 0)] * 6 + [Sample(10 * S, 1)] + [Sample(10 * S, 0)] * 13, 100 * S, "share"
    )
    assert found is not None
    assert gap.missed["share"] == Missed(round(found.estimate), found.low, found.high, Quality.ESTIMATED)
    live = Live().part(0, 100).part(200, 300, share(260, 1000), cause=Cause.STOPPED)
    assert live.gaps()[0].counters["shares"] == (None, 1000)


def test_follows_without_a_counter_on_both_sides_go_by_their_rate() -> None:
    """Six in a hundred seconds before, none after."""
    live = Live().part(0, 100, *(follow(at_s, at_s) for at_s in range(5, 95, 15)))
    live.part(200, 300, cause=Cause.STOPPED)
    samples = [Sample(10 * S, n) for n in (1, 0, 1, 1, 0, 1, 1, 0, 1, 0, *[0] * 10)]
    found = predict(samples, 100 * S, "follow")
    assert found is not None
    assert live.gaps()[0].missed["follow"].estimate == round(found.estimate) == 3
    assert live.gaps()[0].missed["follow"].high == found.high


def replayed(at_s: float, said_s: float) -> tuple[float, Event]:
    """Return a comment that TikTok repeats."""
    return at_s, Comment(int(at_s * 10), 1, int(said_s * S), int(at_s * S), User(5), "hi", "en", "", "", True)


@pytest.mark.parametrize(("said_s", "recovered"), [(90.999999, 5), (91, 6), (97, 6)])
def test_a_replayed_comment_of_just_before_the_gap_is_one_of_it(said_s: float, recovered: int) -> None:
    """It was on its way: up to three seconds before what was last heard, to the microsecond."""
    live = Live().part(0, 94, *chats(4, 94, 5), chat(94))
    live.part(
        200, 300, replayed(201, said_s), *(replayed(201, 150 + n) for n in range(5)), cause=Cause.STOPPED
    )
    gap = live.gaps()[0]
    assert gap.recovered_comments == recovered
    reached = recovered < 6
    assert (gap.missed["comment"].quality is Quality.EXACT) == reached


def test_with_few_comments_the_time_of_the_last_one_stands_for_the_clocks() -> None:
    """Ours may be minutes off TikTok's: what was said after it is of the gap, and is not proof of none."""
    behind_s = 500
    live = Live().part(990, 1100, *((at_s, chat(at_s - behind_s)[1]) for at_s in (1000, 1050)))
    again = [(1200.5, replayed(1, 1160 - behind_s + n)[1]) for n in range(6)]
    live.part(1200, 1300, *again, cause=Cause.STOPPED)
    gap = live.gaps()[0]
    assert gap.recovered_comments == 6
    # The last was said at 550, the first that came again at 660: longer than the gap itself.
    found = predict([Sample(10 * S, n) for n in (0, 1, 0, 0, 0, 0, 1, *[0] * 14)], 100 * S, "comment")
    assert found is not None
    assert gap.missed["comment"].quality is Quality.ESTIMATED
    assert gap.missed["comment"].estimate == round(found.estimate)


def test_with_no_time_of_tiktoks_before_the_gap_ours_has_to_do() -> None:
    """Nothing was heard before it that could say how far the clocks are apart."""
    again = [replayed(131, said_s) for said_s in (96.9, 97, 99, 110, 120, 125)]
    live = Live().part(0, 100).part(130, 200, *again, cause=Cause.STOPPED)
    gap = live.gaps()[0]
    assert (gap.recovered_comments, gap.missed["comment"]) == (5, exact(0))


def test_a_replay_is_compared_with_the_stretch_just_before_its_gap() -> None:
    """It reaches back behind what that one had heard: nothing is missing, whatever was long ago."""
    live = Live().part(0, 100, chat(50)).part(130, 190, chat(180))
    again = [replayed(251, 150 + 10 * n) for n in range(6)]
    live.part(250, 300, *again, cause=Cause.STOPPED)
    gap = live.gaps()[1]
    assert (gap.recovered_comments, gap.missed["comment"]) == (3, exact(0))


def test_entries_told_on_one_side_only_are_lost() -> None:
    """Nothing to compare them with."""
    for before, after in (([viewers(50, 500)], []), ([], [viewers(150, 500)])):
        live = Live().part(0, 100, *before).part(130, 200, *after, cause=Cause.STOPPED)
        assert live.gaps()[0].missed["join"] == LOST


def test_a_comment_without_a_time_counts_and_says_nothing_about_delays() -> None:
    """Nor is it a replay that anything can be concluded from."""
    ledger = RecordingLedger()

    def timeless(number: int, *, is_history: bool = False) -> Comment:
        return Comment(number, number, None, 0, User(5), "hi", "en", "", "", is_history)

    for number, segment, at_s in ((1, 1, 0), (2, 1, 50), (3, 2, 130), (4, 2, 200)):
        batch = Batch(number, segment, at_s * S, 0, 1)
        batch.events = [timeless(number), timeless(number + 10, is_history=True)]
        ledger.take(batch)
    segments = [Segment(1, 7, 0, 60 * S, Cause.NETWORK), Segment(2, 7, 130 * S, 200 * S, Cause.STOPPED)]
    (gap,) = ledger.gaps(ledger.observed(segments))
    assert (gap.recovered_comments, gap.last_occurred_at, gap.first_occurred_at) == (0, None, None)
    # Two in two minutes, and eighty seconds of silence.
    assert gap.missed["comment"].quality is Quality.ESTIMATED
    assert gap.missed["comment"].estimate == 1


def test_a_gift_lies_at_tiktoks_time_if_it_has_one() -> None:
    """It is compared with the reading of the diamonds, on one clock; ours only where there is none."""

    def estimate(occurred_s: float | None) -> int | None:
        told = lion(97, 70)[1]
        told.occurred_at = None if occurred_s is None else int(occurred_s * S)
        live = Live().part(0, 100, diamonds(90, 1_000), (97, told))
        live.part(130, 200, diamonds(150, 3_000), cause=Cause.STOPPED)
        return live.gaps()[0].missed["diamond"].estimate

    assert (estimate(80), estimate(95), estimate(None)) == (2_000, 1_930, 1_930)


def test_each_gap_compares_the_stretches_on_its_two_sides() -> None:
    """Not the first of the recording, nor the last: diamonds and likes of three stretches."""
    live = Live().part(0, 100, diamonds(90, 1_000), like(91, 10_000))
    live.part(130, 200, diamonds(150, 3_000), diamonds(190, 3_500), like(150, 12_000), like(195, 12_500))
    live.part(230, 300, diamonds(250, 9_000), like(251, 20_000), cause=Cause.STOPPED)
    first, second = live.gaps()
    assert (first.missed["diamond"].estimate, second.missed["diamond"].estimate) == (2_000, 5_500)
    assert (first.missed["like"].estimate, second.missed["like"].estimate) == (2_000, 7_500)
    assert (first.counters["diamonds"], second.counters["diamonds"]) == ((1_000, 3_000), (3_500, 9_000))
    assert (first.counters["likes"], second.counters["likes"]) == ((10_000, 12_000), (12_500, 20_000))


def test_six_replayed_comments_leave_the_time_before_the_oldest_with_half_a_second_either_way() -> None:
    """Between the last that was heard and the first that came again."""
    live = Live().part(0, 100, *chats(0, 100, 1), chat(99.5))
    live.part(200, 300, *(replayed(201, 150 + n) for n in range(6)), *chats(210, 300, 1), cause=Cause.STOPPED)
    missed = live.gaps()[0].missed["comment"]
    samples = [Sample(10 * S, 10)] * 9 + [Sample(10 * S, 11)] + [Sample(10 * S, n) for n in [0] + [10] * 9]
    middle, low, high = (predict(samples, int(us * S), "comment") for us in (50, 49.5, 50.5))
    assert middle is not None
    assert low is not None
    assert high is not None
    assert missed == Missed(round(middle.estimate), low.low, high.high, Quality.ESTIMATED)


def test_gifts_regained_in_the_next_stretch_only_are_taken_off() -> None:
    """What goes on after a later gap was missed in that one."""
    taps = [rose(at, 1, group) for group, at in enumerate(range(5, 95, 2), start=10)]

    def gifts(*parts: list[tuple[float, Event]]) -> list[Missed]:
        live = Live().part(0, 100, *taps, rose(99, 1, 1))
        for i, events in enumerate(parts):
            start = 130 * (i + 1)
            live.part(
                start, start + 70, *events, cause=Cause.STOPPED if i == len(parts) - 1 else Cause.NETWORK
            )
        return [gap.missed["gift"] for gap in live.gaps()]

    plain = gifts([])[0]
    grown = gifts([rose(131, 5, 1)])[0]
    assert plain.estimate is not None
    assert grown.estimate == plain.estimate - 4
    later = gifts([], [rose(261, 5, 1)])
    assert later[0].estimate == gifts([], [])[0].estimate
    assert later[1].estimate == (gifts([], [])[1].estimate or 0) - min(4, gifts([], [])[1].estimate or 0)


def test_diamonds_at_the_rate_lose_what_a_streak_regained() -> None:
    """Where the room does not tell its diamonds."""
    before = [lion(at, 10) for at in range(5, 95, 5)]
    plain = Live().part(0, 100, *before, rose(99, 1, 1, 2)).part(130, 200, cause=Cause.STOPPED)
    grown = (
        Live()
        .part(0, 100, *before, rose(99, 1, 1, 2))
        .part(130, 200, rose(131, 9, 1, 2), cause=Cause.STOPPED)
    )
    estimate = plain.gaps()[0].missed["diamond"].estimate
    assert estimate is not None
    assert grown.gaps()[0].missed["diamond"].estimate == estimate - 16


def test_gifts_near_a_reading_may_have_been_counted_in_it_or_not() -> None:
    """Half a second either way widens the bounds by their price, on each side."""

    def missed(before_s: float, after_s: float) -> Missed:
        live = Live().part(0, 100, lion(before_s, 70), diamonds(90, 1_000))
        live.part(130, 200, lion(after_s, 30), diamonds(150, 3_000), cause=Cause.STOPPED)
        return live.gaps()[0].missed["diamond"]

    # Before the first reading and after the last one gifts are counted already.
    far = missed(80, 160)
    assert far.estimate == 2_000
    assert far.high is not None
    under_way = far.high - 2_000
    assert far.low == 2_000 - under_way
    assert missed(90, 160).estimate == 2_000, "told with the reading: in it"
    assert missed(90.5, 160).estimate == 1_930, "told after the reading: not in it"
    assert missed(80, 150).estimate == 1_970, "told with the reading: in it"
    for near, estimate, edge in ((missed(89.5, 160), 2_000, 70), (missed(80, 150.5), 2_000, 30)):
        assert (near.estimate, near.low, near.high) == (
            estimate, estimate - under_way - edge, estimate + under_way + edge
        )  # fmt: skip
    for clear in (missed(89.4, 160), missed(80, 150.6)):
        assert (clear.low, clear.high) == (far.low, far.high)


@pytest.mark.parametrize(("number", "seen"), [(300, 300), (400, 400), (401, 200)])
def test_many_gifts_after_the_last_reading_are_all_taken_off(number: int, seen: int) -> None:
    """Up to 400 of them; of a flood beyond that the newest 200 are kept."""
    flood = [lion(91 + n / 100, 1) for n in range(number)]
    live = Live().part(0, 100, diamonds(90, 1_000), *flood)
    live.part(130, 200, diamonds(150, 3_000), cause=Cause.STOPPED)
    assert live.gaps()[0].missed["diamond"].estimate == 2_000 - seen


def test_gifts_up_to_the_first_reading_are_taken_off_however_late_it_comes() -> None:
    """TikTok may tell its diamonds a minute after the connection; what came behind that is in no reading."""
    live = Live().part(0, 100, diamonds(90, 1_000))
    live.part(130, 300, lion(175, 40), diamonds(190, 3_000), lion(195, 7), cause=Cause.STOPPED)
    assert live.gaps()[0].missed["diamond"].estimate == 2_000 - 40


def test_many_gifts_before_the_first_reading_are_all_taken_off() -> None:
    """The first 400 of them."""
    flood = [lion(131 + n / 100, 1) for n in range(500)]
    live = Live().part(0, 100, diamonds(90, 1_000))
    live.part(130, 200, *flood, diamonds(150, 3_000), cause=Cause.STOPPED)
    assert live.gaps()[0].missed["diamond"].estimate == 2_000 - 400


def test_diamonds_told_on_one_side_only_leave_it_to_the_rate() -> None:
    """Whichever side that is."""
    gifts = [lion(at, 10) for at in range(5, 95, 10)]
    for before, after in (([diamonds(90, 1_000)], []), ([], [diamonds(150, 3_000)])):
        live = Live().part(0, 100, *gifts, *before).part(130, 200, *after, cause=Cause.STOPPED)
        missed = live.gaps()[0].missed["diamond"]
        assert missed.quality is Quality.ESTIMATED
        assert missed.estimate == round(90 * 30 / 170)


def test_a_figure_is_never_outside_its_own_bounds() -> None:
    """Nor below nothing: the room told fewer diamonds than were seen."""
    live = Live().part(0, 100, diamonds(90, 1_000), lion(95, 500))
    live.part(130, 200, diamonds(150, 1_200), cause=Cause.STOPPED)
    missed = live.gaps()[0].missed["diamond"]
    assert (missed.estimate, missed.low) == (0, 0)
    assert missed.quality is Quality.ESTIMATED


def test_a_rate_that_says_more_than_is_likely_is_held_to_the_bound() -> None:
    """One huge gift in a minute: a hundredth of a second has 1.7 diamonds on average, most have none."""
    live = Live().part(0, 30, lion(5, 10_000)).part(30.01, 60.01, cause=Cause.STOPPED)
    found = predict([Sample(10 * S, n) for n in (10_000, 0, 0, 0, 0, 0)], 10_000, "diamond")
    assert found is not None
    assert round(found.estimate) > found.high
    assert live.gaps()[0].missed["diamond"] == Missed(found.high, found.low, found.high, Quality.ESTIMATED)


def test_what_tiktok_withdrew_is_noted_with_the_batch() -> None:
    """The ledger of a recording holds its tombstones."""
    live = Live().part(0, 100, (50, Deletion(9, 900, 5, 6, None, message_ids="11", user_ids="")))
    assert [stone.target_id for stone in live.ledger.tombstones.stones] == [11]


def test_a_ledger_may_forget_old_gifts() -> None:
    """The one that runs along a live is bounded, the one of the table is not."""
    bounded, whole = RecordingLedger(gifts_max=2), RecordingLedger()
    for ledger in (bounded, whole):
        for number in range(5):
            batch = Batch(number + 1, 1, number * S, 0, 1)
            batch.events = [lion(number + 1, 5)[1]]
            ledger.take(batch)
    assert (len(list(bounded.gifts.entries())), len(list(whole.gifts.entries()))) == (2, 5)


def test_a_clock_behind_does_not_shorten_what_was_observed() -> None:
    """A frame with an earlier time comes after the later one."""
    ledger = RecordingLedger()
    for number, at in ((1, 100), (2, 200), (3, 150)):
        ledger.take(Batch(number, 1, at * S, 0, 1))
    (segment,) = ledger.observed([Segment(1, 7, 100 * S, 250 * S, Cause.NETWORK)])
    assert segment.ended_at == 200 * S
    assert ledger._stretches[1].last_frame_no == 3


@pytest.mark.parametrize(
    ("duplicates", "quality"), [(5, Quality.ESTIMATED), (6, Quality.EXACT), (7, Quality.EXACT)]
)
def test_six_comments_that_were_here_before_prove_that_none_is_missing(
    duplicates: int, quality: Quality
) -> None:
    """They may come in several frames of the opening five seconds."""
    ledger = RecordingLedger()
    for number, (segment, at_s, repeats) in enumerate(
        [(1, 0, 9), (1, 100, 0), (2, 130, 2), (2, 135, duplicates - 2), (2, 135.1, 9), (2, 200, 0)], start=1
    ):
        batch = Batch(number, segment, int(at_s * S), 0, 1)
        batch.duplicates = repeats
        batch.events = [chat(at_s)[1]]
        ledger.take(batch)
    segments = [Segment(1, 7, 0, 100 * S, Cause.NETWORK), Segment(2, 7, 130 * S, 200 * S, Cause.STOPPED)]
    (gap,) = ledger.gaps(ledger.observed(segments))
    assert gap.missed["comment"].quality is quality
