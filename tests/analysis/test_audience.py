"""Who talks."""

from __future__ import annotations

from toolkit.analysis import chatters, chatters_per_minute


def test_people_are_listed_by_how_much_they_wrote(by_hand):
    """With their share; a user nobody described has no name."""
    rows = by_hand.comments(*({"s": i, "user_id": u} for i, u in enumerate((2, 1, 2, 3))))
    people = chatters(rows, by_hand.users("ann", "bob"))
    assert people.select("handle", "comments", "share").rows() == [
        ("bob", 2, 0.5), ("ann", 1, 0.25), (None, 1, 0.25)
    ]  # fmt: skip
    assert people.select("first_at", "last_at").row(0) == (by_hand.at(0), by_hand.at(2))


def test_comments_of_nobody_are_not_a_person(by_hand):
    """Id 0 and no id at all."""
    rows = by_hand.comments({"s": 0, "user_id": 0}, {"s": 1, "user_id": None}, {"s": 2})
    assert chatters(rows, by_hand.users("ann"))["share"].to_list() == [1.0]


def test_new_is_who_never_wrote_before(by_hand):
    """Twice in one minute is one person; known from a replayed comment is returning."""
    rows = by_hand.comments(
        {"s": 0, "user_id": 9, "is_history": True},
        {"s": 1, "user_id": 1},
        {"s": 2, "user_id": 1},
        {"s": 3, "user_id": 9},
        {"s": 61, "user_id": 1},
        {"s": 62, "user_id": 2},
    )
    minutes = chatters_per_minute(rows, by_hand.segments((0, 150)))
    assert minutes.select("new", "returning").rows() == [(1, 1), (1, 1), (0, 0)]
    assert minutes["observed_s"].to_list() == [60.0, 60.0, 30.0]


def test_one_comment_is_enough(by_hand):
    """And none is, too."""
    one, quiet = by_hand.comments({"s": 1}), by_hand.comments()
    assert chatters(one, by_hand.users())["share"].to_list() == [1.0]
    assert chatters_per_minute(one, by_hand.segments((0, 60))).select("new", "returning").row(0) == (1, 0)
    assert chatters(quiet, by_hand.users()).is_empty()
    assert chatters_per_minute(quiet, by_hand.segments((0, 59)))["new"].to_list() == [0]
    assert chatters_per_minute(quiet, by_hand.segments()).is_empty()
