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
    assert (levels.first, levels.last) == (None, None)
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
    assert len(wild.series) == SERIES_MAX
