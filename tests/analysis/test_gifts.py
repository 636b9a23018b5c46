"""A streak is counted once."""

from __future__ import annotations

from toolkit.analysis import diamonds_by_gift, diamonds_by_giver, gift_streaks


def test_a_streak_counts_its_largest_number_once(by_hand):
    """Five messages, seven roses; out of order changes nothing."""
    streaks = gift_streaks(
        by_hand.gifts(*({"repeat_count": n} for n in (1, 4, 2, 7)), {"repeat_count": 7, "repeat_end": True})
    )
    assert streaks.select("count", "diamonds", "is_provisional").rows() == [(7, 7, False)]
    assert streaks.select("started_at", "last_at").row(0) == (by_hand.at(0), by_hand.at(4))


def test_a_streak_that_a_gap_interrupted_is_whole(by_hand):
    """The count is cumulative: taps nobody saw are in the next one."""
    streaks = gift_streaks(
        by_hand.gifts(
            {"repeat_count": 2}, {"repeat_count": 40, "repeat_end": True, "received_at": by_hand.at(90)}
        )
    )
    assert streaks.select("count", "is_provisional").rows() == [(40, False)]


def test_a_streak_without_an_end_is_provisional(by_hand):
    """There may have been more."""
    streaks = gift_streaks(by_hand.gifts({"repeat_count": 1}, {"repeat_count": 3}))
    assert streaks.select("count", "is_provisional").rows() == [(3, True)]
    assert diamonds_by_gift(streaks)["provisional"].to_list() == [3]
    assert diamonds_by_giver(streaks, by_hand.users("ann"))["provisional"].to_list() == [3]


def test_gifts_that_come_once_are_added_up_each(by_hand):
    """Types 2 and 4 never say that they ended, and are not provisional."""
    streaks = gift_streaks(by_hand.gifts(*({"gift_type": t, "diamonds": 30} for t in (2, 2, 4))))
    assert streaks["diamonds"].to_list() == [30, 30, 30]
    assert not streaks["is_provisional"].any()


def test_streaks_are_told_apart_by_viewer_gift_and_group(by_hand):
    """Any of the three makes another streak."""
    rows = by_hand.gifts({}, {"user_id": 2}, {"gift_id": 1}, {"group_id": 78}, {"repeat_count": 2})
    assert gift_streaks(rows)["count"].to_list() == [2, 1, 1, 1]


def test_a_gift_of_nobody_named_is_not_a_streak(by_hand):
    """Two strangers are not one; a count of 0 is still a gift."""
    rows = by_hand.gifts({"user_id": None}, {"user_id": None}, {"repeat_count": 0})
    streaks = gift_streaks(rows)
    assert streaks["count"].to_list() == [1, 1, 1]
    assert diamonds_by_gift(streaks)["givers"].to_list() == [1]
    assert diamonds_by_giver(streaks, by_hand.users("ann")).select("handle", "gifts").rows() == [
        (None, 2), ("ann", 1)
    ]  # fmt: skip


def test_sums_are_sorted_by_diamonds(by_hand):
    """By gift and by giver, with shares."""
    streaks = gift_streaks(
        by_hand.gifts(
            {"repeat_count": 10, "repeat_end": True},
            {"user_id": 2, "gift_id": 9, "gift_name": "Kite", "gift_type": 2, "diamonds": 30},
        )
    )
    assert diamonds_by_gift(streaks).select("gift_name", "gifts", "diamonds", "givers").rows() == [
        ("Kite", 1, 30, 1),
        ("Rose", 10, 10, 1),
    ]
    givers = diamonds_by_giver(streaks, by_hand.users("ann", "bob"))
    assert givers.select("handle", "diamonds", "share").rows() == [("bob", 30, 0.75), ("ann", 10, 0.25)]


def test_gifts_without_a_price_have_no_share(by_hand):
    """0 of 0 is not a number to show."""
    streaks = gift_streaks(by_hand.gifts({"diamonds": 0}))
    assert diamonds_by_giver(streaks, by_hand.users("ann"))["share"].to_list() == [None]


def test_no_gifts_give_empty_tables(by_hand):
    """With their columns."""
    streaks = gift_streaks(by_hand.gifts())
    assert streaks.is_empty()
    assert diamonds_by_gift(streaks).is_empty()
    assert diamonds_by_giver(streaks, by_hand.users()).is_empty()
