"""A streak is counted once."""

from __future__ import annotations

from random import Random

import pytest

from toolkit.analysis import diamonds_by_gift, diamonds_by_giver, gift_streaks
from toolkit.ledger.gifts import GiftLedger, GiftState
from toolkit.model.event import Gift, User


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


def test_streaks_without_a_group_are_told_apart_by_their_ends(by_hand):
    """A tap that arrives after the end belongs to the streak in which it was tapped."""
    rows = ((1, False, 0), (5, True, 4), (3, False, 2), (1, False, 9), (2, True, 12))
    streaks = gift_streaks(
        by_hand.gifts(
            *(
                {"repeat_count": n, "repeat_end": end, "occurred_at": by_hand.at(s), "group_id": 0}
                for n, end, s in rows
            )
        )
    )
    assert streaks["count"].to_list() == [5, 2]


def test_a_gift_of_nobody_named_counts(by_hand):
    """Two strangers are not one; a count of 0 is still a gift."""
    rows = by_hand.gifts(*({"user_id": None, "gift_type": 2} for _ in "ab"), {"repeat_count": 0})
    streaks = gift_streaks(rows)
    assert streaks["count"].to_list() == [1, 1, 1]
    assert diamonds_by_gift(streaks)["givers"].to_list() == [1]
    assert diamonds_by_giver(streaks, by_hand.users("ann")).select("handle", "gifts").rows() == [
        (None, 2),
        ("ann", 1),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_gift_ledger_counts_alike(by_hand, seed):
    """What the dashboard showed during the live is what a notebook says after it."""
    rng = Random(seed)
    rows = [
        {
            "msg_id": i,
            "user_id": rng.choice((1, 2, 3, None)),
            "gift_id": rng.choice((5655, 7)),
            "gift_type": rng.choice((0, 1, 1, 1, 2, 4)),
            "group_id": rng.choice((77, 78, 79)),
            "repeat_count": rng.randrange(12),
            "repeat_end": rng.random() < 0.2,
        }
        for i in range(1, 200)
    ]
    rows = [row | {"repeat_end": row["repeat_end"] and row["gift_type"] < 2} for row in rows]
    ledger = GiftLedger()
    for seq, row in enumerate(rows, 1):
        user = None if row["user_id"] is None else User(row["user_id"])
        fields = {k: v for k, v in row.items() if k != "user_id"}
        gift = Gift(
            seq=seq, occurred_at=None, received_at=seq, user=user, gift_name="", diamonds=1,
            to_user_id=0, image_url="", **fields,
        )  # fmt: skip
        ledger.take(gift, seq * 1_000_000)
    streaks = gift_streaks(by_hand.gifts(*rows))
    assert sorted(streaks["count"]) == sorted(entry.count for entry in ledger.entries())
    assert streaks["is_provisional"].sum() == sum(e.state is not GiftState.FINAL for e in ledger.entries())


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
