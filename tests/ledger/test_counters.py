"""TikTok's own totals, read on both sides of a gap."""

from __future__ import annotations

from random import Random

import pytest

from toolkit.ledger.counters import SERIES_MAX, WOBBLE_MAX, Levels, Likes, Steps, likes_grown, steps_missed

S = 1_000_000


def steps(*readings: tuple[float, int]) -> Steps:
    """Return readings at so many seconds."""
    found = Steps()
    for at_s, value in readings:
        found.add(value, int(at_s * S))
    return found


def likes(*readings: tuple[float, int]) -> Likes:
    """Return like totals at so many seconds."""
    found = Likes()
    for at_s, value in readings:
        found.add(value, int(at_s * S))
    return found


def test_what_a_counter_grew_by_less_what_was_received_was_missed() -> None:
    """From 100 to 105 with the fifth received: four."""
    assert steps_missed(steps((0, 99), (60, 100)), steps((90, 105), (200, 106))) == 4
    assert steps_missed(steps((0, 100)), steps((90, 101))) == 0


def test_order_at_the_edges_changes_nothing() -> None:
    """The same readings swapped; one that was lost on the way is missed too."""
    assert steps_missed(steps((0, 100), (50, 102), (51, 101)), steps((90, 106), (91, 105))) == 2
    assert steps_missed(steps((0, 100), (50, 102)), steps((90, 103))) == 1


def test_readings_long_after_the_first_do_not_count_as_the_edge() -> None:
    """Five seconds are the edge, on both sides."""
    before = steps((0, 90), (10, 91), (100, 92))
    assert before.before() == (91, 1)
    after = steps((0, 95), (4, 96), (6, 97))
    assert after.after() == (96, 2)
    assert (before.last, after.first) == (92, 96)


@pytest.mark.parametrize("seed", range(50))
def test_steps_are_exact_for_any_disorder_within_two_seconds(seed: int) -> None:
    """Each follow moves the counter by one; any stretch of deliveries may be missing."""
    rng = Random(seed)
    times = sorted(rng.uniform(0, 600) for _ in range(rng.randrange(6, 120)))
    delivered = sorted((at + rng.uniform(0, 2), 1000 + i) for i, at in enumerate(times))
    cut, back = sorted(rng.sample(range(1, len(delivered)), 2))
    before, after = steps(*delivered[:cut]), steps(*delivered[back:])
    assert steps_missed(before, after) == back - cut


def test_zero_is_no_reading() -> None:
    """TikTok leaves fields out."""
    assert not steps((0, 0))
    levels = Levels()
    levels.add(0, 5)
    assert (levels.first, levels.last, levels.first_at, levels.last_at) == (None, None, 0, 0)
    assert likes((0, 0)).first() == []


def test_levels_remember_the_first_and_the_largest() -> None:
    """With the time of each."""
    levels = Levels()
    for at, value in ((10, 50), (20, 60), (30, 55)):
        levels.add(value, at)
    assert (levels.first, levels.first_at, levels.last, levels.last_at) == (50, 10, 60, 20)


def test_likes_are_compared_with_a_margin_for_their_wobble() -> None:
    """An estimate, and the truth within 800 on a large room."""
    before = likes(*((i, 300_000 + 200 * i) for i in range(60)))
    after = likes(*((i, 312_000 + 200 * i) for i in range(120, 130)))
    found = likes_grown(before, after)
    assert found is not None
    estimate, low, high, old, new = found
    assert (old.last, new.first) == (311_800, 336_000)
    assert (estimate, low, high) == (24_200, 24_200 - WOBBLE_MAX, 24_200 + WOBBLE_MAX)


def test_a_small_room_wobbles_less_and_a_wild_one_more() -> None:
    """In proportion, but at least by what was seen."""
    assert likes((0, 4_000)).series[0].margin == 101
    wild = likes((0, 300_000), (1, 301_000), (2, 300_000))
    assert wild.series[0].wobble == 1_000
    assert wild.series[0].margin == 1_500


def test_interleaved_series_are_told_apart_and_compared_each_with_its_own() -> None:
    """Two hosts, 33,000 apart; no step between them is taken for growth."""
    before = likes(*((i, (329_000, 362_000)[i % 2] + 100 * i) for i in range(60)))
    after = likes(*((i, (329_000, 362_000)[(i + 1) % 2] + 100 * i) for i in range(120, 180)))
    assert [s.readings for s in before.series] == [30, 30]
    found = likes_grown(before, after)
    assert found is not None
    estimate, low, high, _, _ = found
    assert estimate == pytest.approx(6_200, abs=200)
    assert low <= 6_200 <= high
    assert high - low < 2_000


def test_a_series_that_ends_in_the_gap_leaves_bounds_that_hold_every_pairing() -> None:
    """The co-host left."""
    before = likes(*((i, (329_000, 362_000)[i % 2] + 100 * i) for i in range(60)))
    after = likes(*((i, 329_000 + 100 * i) for i in range(120, 140)))
    found = likes_grown(before, after)
    assert found is not None
    estimate, low, high, _, _ = found
    assert low <= 6_200 <= high
    assert 0 <= estimate <= high


def test_a_series_that_fell_silent_long_before_the_gap_is_not_asked() -> None:
    """A minute of silence is enough."""
    before = likes((0, 500_000), *((i, 300_000 + i) for i in range(1, 90)))
    assert [s.last for s in before.last()] == [300_089]
    after = likes((0, 300_500), (61, 900_000))
    assert [s.first for s in after.first()] == [300_500]


def test_a_room_where_either_side_is_silent_says_nothing() -> None:
    """Likes are lost then."""
    assert likes_grown(Likes(), likes((0, 5))) is None
    assert likes_grown(likes((0, 5)), Likes()) is None


def test_hostile_totals_make_no_more_series_than_a_handful() -> None:
    """Each far from the last."""
    wild = likes(*((i, 10_000_000 * (i + 1)) for i in range(100)))
    assert len(wild.series) == SERIES_MAX == 8


def test_the_edge_of_a_stretch_is_five_seconds_to_the_microsecond() -> None:
    """Readings at exactly five seconds belong to it, on both sides."""
    after = Steps()
    for value, now_us in ((10, 0), (12, 5 * S), (13, 5 * S + 1)):
        after.add(value, now_us)
    assert after.after() == (12, 2)
    before = Steps()
    for value, now_us in ((10, 0), (11, 1), (12, 5 * S)):
        before.add(value, now_us)
    assert before.before() == (9, 3), "nothing older: one less than the smallest"
    before.add(13, 5 * S + 1)
    assert before.before() == (10, 3)
    assert (before.first, before.last) == (12, 13)


def test_an_older_reading_that_was_higher_counts_as_the_last() -> None:
    """People leave, and order is loose."""
    before = steps((0, 50), (60, 40))
    assert before.last == 50
    assert before.before() == (50, 1)
    assert bool(before) is True
    assert bool(Steps()) is False


def test_a_counter_that_was_turned_back_is_negative() -> None:
    """Whoever asks decides what that means."""
    assert steps_missed(steps((0, 100)), steps((90, 90))) == -11


def test_the_smallest_reading_is_one() -> None:
    """Zero is left out by TikTok, less is damage."""
    for made, value in ((steps((0, 1)), 1), (steps((0, 1), (1, -5)), 1)):
        assert (made.first, made.last) == (value, value)
    levels = Levels()
    levels.add(-3, 9)
    levels.add(1, 10)
    assert (levels.first, levels.last) == (1, 1)
    assert [s.first for s in likes((0, -3), (1, 1)).series] == [1]


def test_the_largest_level_is_as_new_as_its_last_reading() -> None:
    """The same figure again is news of its time."""
    levels = Levels()
    for at, value in ((10, 60), (20, 60), (30, 59)):
        levels.add(value, at)
    assert (levels.first_at, levels.last, levels.last_at) == (10, 60, 20)


@pytest.mark.parametrize(("apart", "series"), [(1_600, 1), (1_601, 2)])
def test_totals_closer_than_two_wobbles_are_one_series(apart: int, series: int) -> None:
    """At the same moment; a second of silence leaves room for a thousand likes more."""
    assert len(likes((0, 300_000), (0, 300_000 + apart)).series) == series
    assert len(likes((0, 300_000), (0, 300_000 - apart)).series) == series
    assert len(likes((0, 300_000), (2.5, 302_500 + apart)).series) == series


def test_a_reading_belongs_to_the_series_it_is_nearest_to() -> None:
    """Even if both could have brought it; peak, wobble and number are that one's."""
    found = likes((0, 300_000), (0, 303_000), (1, 301_400), (2, 301_700), (3, 302_600), (4, 302_500))
    first, second = found.series
    assert (first.first, first.last, first.peak, first.wobble, first.readings) == (
        300_000, 301_700, 301_700, 0, 3
    )  # fmt: skip
    assert (second.first, second.last, second.peak, second.wobble, second.readings) == (
        303_000, 302_500, 303_000, 500, 3
    )  # fmt: skip
    assert (second.first_at, second.last_at) == (0, 4 * S)


def test_of_too_many_series_the_one_that_spoke_first_goes() -> None:
    """The newest speak for the edge of the gap."""
    found = likes(*((i, 10_000_000 * (i + 1)) for i in range(SERIES_MAX)), (50, 10_000_001), (51, 5))
    assert [s.first for s in found.series] == [
        10_000_000,
        *(10_000_000 * i for i in range(3, SERIES_MAX + 1)),
        5,
    ]


def test_series_are_told_from_small_to_large_whatever_came_first() -> None:
    """So those of both sides can be paired by rank."""
    found = likes((0, 500_000), (1, 100_000), (2, 300_000))
    assert [s.first for s in found.first()] == [100_000, 300_000, 500_000]
    assert [s.last for s in found.last()] == [100_000, 300_000, 500_000]


def test_a_minute_of_silence_at_the_edge_is_just_enough_to_be_asked() -> None:
    """And a microsecond more is not."""
    late, early = Likes(), Likes()
    for total, now_us in ((500_000, 0), (100_000, 1), (100_001, 60 * S)):
        late.add(total, now_us)
    assert len(late.last()) == 2
    late.add(100_002, 60 * S + 1)
    assert [s.last for s in late.last()] == [100_002]
    for total, now_us in ((100_000, 0), (500_000, 60 * S), (900_000, 60 * S + 1)):
        early.add(total, now_us)
    assert [s.first for s in early.first()] == [100_000, 500_000]


@pytest.mark.parametrize(
    ("total", "margin"), [(39, 1), (40, 2), (4_000, 101), (31_959, 799), (31_960, 800), (1_000_000, 800)]
)
def test_a_margin_is_a_fortieth_and_one_up_to_eight_hundred(total: int, margin: int) -> None:
    """The wobble of small rooms is taken in proportion."""
    assert likes((0, total)).series[0].margin == margin


def test_a_wobble_that_was_seen_widens_the_margin_by_half_of_it() -> None:
    """Where that is more than the room's size says."""
    found = likes((0, 4_000), (1, 4_201), (2, 4_000), (3, 4_150)).series[0]
    assert (found.wobble, found.margin, found.readings) == (201, 301, 4)


def test_likes_that_went_back_over_a_gap_are_none_and_the_bounds_say_so() -> None:
    """Within the margins of both sides."""
    found = likes_grown(likes((0, 300_000)), likes((60, 299_500)))
    assert found is not None
    assert found[:3] == (0, 0, 300)
    assert (found[3].last, found[4].first) == (300_000, 299_500)
    back = likes_grown(likes((0, 300_000)), likes((60, 200_000)))
    assert back is not None
    assert back[:3] == (0, 0, 0)


def test_the_margin_of_the_wilder_side_counts() -> None:
    """Either reading may be off."""
    calm, wild = likes((0, 300_000)), likes((60, 310_000), (61, 311_400), (62, 310_000))
    wild.series[0].first = 310_000
    for before, after, estimate in ((calm, wild, 10_000), (likes((0, 298_600), (1, 300_000), (2, 298_600)),
                                                            likes((60, 310_000)), 11_400)):  # fmt: skip
        found = likes_grown(before, after)
        assert found is not None
        assert found[:3] == (estimate, estimate - 2_100, estimate + 2_100)


def test_series_of_a_different_number_are_paired_in_every_way_that_is_possible() -> None:
    """A total cannot have fallen by more than its margin; the busiest series says how much it was."""
    before = likes((0, 100_000), (1, 100_010), (2, 500_000))
    after = likes((60, 103_000))
    found = likes_grown(before, after)
    assert found is not None
    assert found[:3] == (2_990, 2_190, 3_790)
    assert (found[3].last, found[4].first) == (100_010, 103_000)
    came = likes_grown(after, likes((90, 104_000), (91, 600_000)))
    assert came is not None
    assert came[:3] == (1_000, 200, 497_800)
    assert came[4].first == 104_000, "the smallest growth that is possible"


def test_series_that_all_went_back_are_compared_by_the_busiest() -> None:
    """Nothing is possible, and something has to be said."""
    before = likes((0, 500_000), (1, 900_000), (2, 900_010))
    found = likes_grown(before, likes((60, 100_000)))
    assert found is not None
    assert found[:3] == (0, 0, 0)
    assert (found[3].last, found[4].first) == (900_010, 100_000)


def test_of_two_series_the_busier_one_says_how_much_it_was() -> None:
    """It is told most often, so its readings are the nearest to the gap; the bounds hold both."""
    before = likes((0, 100_000), (1, 500_000), (2, 500_010))
    found = likes_grown(before, likes((60, 100_100), (61, 505_010)))
    assert found is not None
    assert found[:3] == (5_000, 0, 5_800)
    assert (found[3].last, found[4].first) == (500_010, 505_010)


def test_what_is_possible_is_judged_by_the_margin_of_the_wilder_side() -> None:
    """A step back of 1,400 is nothing to a series that wobbles by 1,100."""
    before = likes((0, 100_000), (1, 500_000), (2, 500_010))
    found = likes_grown(before, likes((60, 98_600), (61, 99_900), (62, 98_800)))
    assert found is not None
    assert (found[3].last, found[4].first) == (100_000, 98_600)
