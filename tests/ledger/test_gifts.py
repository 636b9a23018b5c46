"""The gift ledger: never double, never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.ledger.gifts import SETTLE_US, GiftEntry, GiftLedger, GiftState
from toolkit.model.event import Gift, User

S = 1_000_000


def told(ledger: GiftLedger, *messages: Gift, now_us: int = 0) -> list[int]:
    """Return what each message added."""
    return [ledger.take(message, now_us) for message in messages]


def only(ledger: GiftLedger) -> GiftEntry:
    """Return the one entry there is."""
    (entry,) = ledger.entries()
    return entry


def test_a_streak_runs_until_its_end_and_counts_by_growth(make: Any) -> None:
    """Taps 1, 2, 5, and an end that repeats 5: five gifts, provisional until the end."""
    ledger = GiftLedger()
    assert told(ledger, make.gift(1), make.gift(2), make.gift(5)) == [1, 1, 3]
    assert (only(ledger).count, only(ledger).state) == (5, GiftState.RUNNING)
    assert told(ledger, make.gift(5, end=True)) == [0]
    assert (only(ledger).count, only(ledger).state) == (5, GiftState.FINAL)


def test_a_streak_whose_end_never_comes_is_settled_after_silence(make: Any) -> None:
    """Not a moment before; each message gives it the whole time again, unless it is over."""
    ledger = GiftLedger()
    ledger.take(make.gift(1), 0)
    ledger.take(make.gift(3), 20 * S)
    ledger.settle(20 * S + SETTLE_US - 1)
    assert only(ledger).state is GiftState.RUNNING
    ledger.settle(20 * S + SETTLE_US)
    assert (only(ledger).state, only(ledger).count) == (GiftState.SETTLED, 3)


def test_any_message_settles_the_streaks_of_others(make: Any) -> None:
    """Time passes with what arrives."""
    ledger = GiftLedger()
    ledger.take(make.gift(4), 0)
    ledger.take(make.gift(1, user=User(2)), SETTLE_US)
    first, second = ledger.entries()
    assert (first.state, second.state) == (GiftState.SETTLED, GiftState.RUNNING)


def test_an_end_after_settling_still_raises_the_count(make: Any) -> None:
    """Settled is an assumption; TikTok's word is final."""
    ledger = GiftLedger()
    ledger.take(make.gift(3), 0)
    assert ledger.take(make.gift(7, end=True), 10 * SETTLE_US) == 4
    assert (only(ledger).count, only(ledger).state) == (7, GiftState.FINAL)


def test_a_late_tap_behind_the_end_changes_nothing(make: Any) -> None:
    """Order is loose."""
    ledger = GiftLedger()
    assert told(ledger, make.gift(2, end=True), make.gift(1)) == [2, 0]
    assert (only(ledger).count, only(ledger).state) == (2, GiftState.FINAL)


def test_streaks_settle_in_the_order_of_their_last_message(make: Any) -> None:
    """One that goes on does not keep a silent one waiting."""
    ledger = GiftLedger()
    ledger.take(make.gift(1, group_id=1), 0)
    ledger.take(make.gift(1, group_id=2), 1 * S)
    ledger.take(make.gift(2, group_id=1), 2 * S)
    ledger.settle(1 * S + SETTLE_US)
    assert [entry.state for entry in ledger.entries()] == [GiftState.RUNNING, GiftState.SETTLED]
    assert 10 * S <= SETTLE_US <= 60 * S


def test_an_end_that_says_less_than_was_seen_takes_nothing_back(make: Any) -> None:
    """Nothing ever lowers a count."""
    ledger = GiftLedger()
    assert told(ledger, make.gift(5), make.gift(4, end=True)) == [5, 0]
    assert (only(ledger).count, only(ledger).state) == (5, GiftState.FINAL)


def test_a_streak_across_a_gap_is_whole_and_says_so(make: Any) -> None:
    """The count is cumulative; the time nobody listened settles nothing."""
    ledger = GiftLedger()
    ledger.take(make.gift(3), 0, 1)
    ledger.settle(20 * SETTLE_US, 2)
    assert only(ledger).state is GiftState.RUNNING
    assert ledger.take(make.gift(24, end=True), 20 * SETTLE_US + S, 2) == 21
    assert (only(ledger).count, only(ledger).is_across_gap, only(ledger).state) == (24, True, GiftState.FINAL)
    assert only(ledger).segment_id == 2


def test_an_open_streak_is_settled_when_a_new_segment_stays_silent_about_it(make: Any) -> None:
    """The clock starts again with the segment, and runs."""
    ledger = GiftLedger()
    ledger.take(make.gift(3), 0, 1)
    ledger.settle(100 * S, 2)
    ledger.settle(100 * S + SETTLE_US - 1, 2)
    assert only(ledger).state is GiftState.RUNNING
    ledger.settle(100 * S + SETTLE_US, 2)
    assert only(ledger).state is GiftState.SETTLED
    assert not only(ledger).is_across_gap


def test_the_end_of_a_recording_settles_everything(make: Any) -> None:
    """Nothing will follow."""
    ledger = GiftLedger()
    told(ledger, make.gift(3), make.gift(1, user=User(2), end=True))
    ledger.settle_all()
    assert [entry.state for entry in ledger.entries()] == [GiftState.SETTLED, GiftState.FINAL]


def test_single_gifts_count_at_once_and_each_for_itself(make: Any) -> None:
    """Types 2 and 4 have no end; the same message again is no gift."""
    ledger = GiftLedger()
    first = make.gift(1, gift_type=2, diamonds=100)
    second = make.gift(1, gift_type=4)
    assert told(ledger, first, second, first, make.gift(1, gift_type=2)) == [1, 1, 0, 1]
    assert {entry.state for entry in ledger.entries()} == {GiftState.FINAL}
    assert {entry.group_id for entry in ledger.entries()} == {0}


def test_single_gifts_without_an_id_are_told_apart_by_their_place(make: Any) -> None:
    """Nothing says that they are repetitions."""
    ledger = GiftLedger()
    assert told(ledger, *(make.gift(1, gift_type=2, msg_id=0) for _ in range(3))) == [1, 1, 1]


def test_a_gift_without_a_description_is_a_streak_if_it_has_a_group(make: Any) -> None:
    """Else it is single."""
    ledger = GiftLedger()
    assert told(ledger, make.gift(1, gift_type=0), make.gift(4, gift_type=0)) == [1, 3]
    ledger = GiftLedger()
    assert told(ledger, *(make.gift(1, gift_type=0, group_id=0) for _ in range(2))) == [1, 1]


def test_streaks_without_a_group_are_told_apart_by_the_time_of_tiktok(make: Any) -> None:
    """A tap that is later than the end begins a new one; one that is earlier was late."""
    ledger = GiftLedger()
    messages = [
        make.gift(1, group_id=0, occurred_at=1 * S),
        make.gift(3, group_id=0, occurred_at=4 * S, end=True),
        make.gift(2, group_id=0, occurred_at=3 * S),
        make.gift(1, group_id=0, occurred_at=60 * S),
        make.gift(2, group_id=0, occurred_at=61 * S, end=True),
    ]
    assert told(ledger, *messages) == [1, 2, 0, 1, 1]
    assert [entry.count for entry in ledger.entries()] == [3, 2]


def test_streaks_differ_by_giver_gift_and_group(make: Any) -> None:
    """All three make the key."""
    ledger = GiftLedger()
    messages = [make.gift(2), make.gift(2, user=User(2)), make.gift(2, gift_id=1), make.gift(2, group_id=78)]
    assert told(ledger, *messages, make.gift(2)) == [2, 2, 2, 2, 0]


def test_a_giver_that_tiktok_does_not_name_counts_too(make: Any) -> None:
    """In one streak, as with anybody else."""
    ledger = GiftLedger()
    assert told(ledger, make.gift(1, user=None), make.gift(2, user=None)) == [1, 1]
    assert only(ledger).user is None


def test_a_count_of_zero_is_one_gift(make: Any) -> None:
    """TikTok leaves the field out for single gifts."""
    assert told(GiftLedger(), make.gift(0, gift_type=2)) == [1]


def test_a_bounded_ledger_forgets_the_oldest(make: Any) -> None:
    """Running or not; the newest stay known."""
    ledger = GiftLedger(entries_max=2)
    told(ledger, *(make.gift(2, group_id=group) for group in (1, 2, 3)))
    assert [entry.group_id for entry in ledger.entries()] == [2, 3]
    assert told(ledger, make.gift(2, group_id=3), now_us=10 * SETTLE_US) == [0]


def test_an_entry_tells_what_when_and_by_whom(make: Any) -> None:
    """What the table of the recording shows."""
    ledger = GiftLedger()
    ledger.take(make.gift(1, seq=10, occurred_at=5, diamonds=9), 100, 1)
    ledger.take(make.gift(2, seq=12, occurred_at=7, diamonds=9), 200, 1)
    ledger.take(make.gift(2, seq=13, occurred_at=8, diamonds=9), 300, 1)
    entry = only(ledger)
    assert (entry.first_seq, entry.last_seq, entry.started_at, entry.ended_at) == (10, 12, 100, 200)
    assert (entry.occurred_at, entry.diamonds, entry.is_across_gap) == (7, 9, False)
    assert entry.user is not None
    assert (entry.user.user_id, entry.gift_name, entry.group_id) == (1, "Rose", 77)


def test_every_field_of_an_entry_is_the_messages(make: Any) -> None:
    """A single gift to a guest, and a streak."""
    ledger = GiftLedger()
    ledger.take(
        make.gift(2, seq=3, gift_type=2, gift_id=8, gift_name="Lion", diamonds=30, to_user_id=55), 9, 4
    )
    assert only(ledger) == GiftEntry(
        3, 3, User(1, "ann"), 55, 8, "Lion", 2, 0, 30, 2, GiftState.FINAL, 9, 9, None, 4, False
    )
    ledger = GiftLedger()
    ledger.take(make.gift(2, seq=3, occurred_at=6), 9)
    ledger.take(make.gift(5, seq=4, occurred_at=7, end=True), 12)
    assert only(ledger) == GiftEntry(
        3, 4, User(1, "ann"), 0, 5655, "Rose", 1, 77, 1, 5, GiftState.FINAL, 9, 12, 7, 0, False
    )


def test_the_states_of_a_gift_are_stored() -> None:
    """Recordings hold them: they stay as they are."""
    assert [state.value for state in GiftState] == ["running", "final", "settled"]


def test_an_end_that_adds_nothing_still_dates_the_streak(make: Any) -> None:
    """It is the last message that changed it; a late tap behind it is not."""
    ledger = GiftLedger()
    told(ledger, make.gift(5, seq=1, occurred_at=1))
    ledger.take(make.gift(5, seq=2, occurred_at=2, end=True), 50)
    ledger.take(make.gift(4, seq=3, occurred_at=3), 60)
    assert (only(ledger).last_seq, only(ledger).ended_at, only(ledger).occurred_at) == (2, 50, 2)


def test_only_what_a_streak_gained_behind_a_gap_is_regained(make: Any) -> None:
    """Not what it had before, nor what it gains later in the same segment."""
    ledger = GiftLedger()
    ledger.take(make.gift(3), 0, 1)
    assert ledger.regained == 0
    ledger.take(make.gift(3), 1 * S, 2)
    assert (ledger.regained, only(ledger).is_across_gap) == (0, False)
    ledger.take(make.gift(8), 2 * S, 2)
    assert (ledger.regained, only(ledger).is_across_gap, only(ledger).segment_id) == (5, True, 2)
    ledger.take(make.gift(9), 3 * S, 2)
    assert ledger.regained == 5
    ledger.take(make.gift(9, end=True), 4 * S, 3)
    assert (ledger.regained, only(ledger).segment_id) == (5, 3)


def test_a_gift_without_a_giver_is_not_the_first_users(make: Any) -> None:
    """Nor anybody's whose number is one."""
    ledger = GiftLedger()
    assert (
        told(ledger, make.gift(2, user=None), make.gift(2, user=User(1)), make.gift(2, user=User(2)))
        == [2] * 3
    )


def test_single_gifts_are_told_apart_by_giver_and_gift_even_with_one_id(make: Any) -> None:
    """An id is TikTok's, and may be anything."""
    ledger = GiftLedger()
    single = {"gift_type": 2, "msg_id": 4}
    messages = [
        make.gift(1, **single),
        make.gift(1, user=User(2), **single),
        make.gift(1, gift_id=9, **single),
    ]
    assert told(ledger, *messages, messages[0]) == [1, 1, 1, 0]


def test_a_streak_is_never_the_single_gift_whose_id_is_its_group(make: Any) -> None:
    """Ids and groups are numbers of different things."""
    ledger = GiftLedger()
    single = make.gift(1, gift_type=2, msg_id=4, group_id=0)
    assert told(ledger, make.gift(2, group_id=4), single) == [2, 1]


def test_a_single_gift_without_an_id_is_never_the_one_with_that_number(make: Any) -> None:
    """Its place in the recording tells it apart from every id."""
    ledger = GiftLedger()
    assert told(ledger, make.gift(1, gift_type=2, msg_id=0, seq=1), make.gift(1, gift_type=2, msg_id=1)) == [
        1,
        1,
    ]


def test_of_streaks_without_a_group_only_a_later_smaller_tap_begins_another(make: Any) -> None:
    """Each of the conditions by itself keeps it one streak."""
    first = {"group_id": 0, "occurred_at": 10 * S}

    def after_the_end(**second: Any) -> list[int]:
        ledger = GiftLedger()
        ledger.take(make.gift(3, end=True, **first), 0)
        ledger.take(make.gift(**({"count": 3, "group_id": 0, "occurred_at": 20 * S} | second)), 1)
        return [entry.count for entry in ledger.entries()]

    assert after_the_end() == [3, 3], "as many as before: a streak of its own"
    assert after_the_end(count=4) == [4], "more than before: the same one went on"
    assert after_the_end(occurred_at=10 * S) == [3]
    assert after_the_end(occurred_at=None) == [3]
    assert after_the_end(end=True) == [3]
    assert after_the_end(group_id=5) == [3, 3], "another group is another streak anyway"
    ledger = GiftLedger()
    ledger.take(make.gift(3, **first), 0)
    ledger.take(make.gift(2, group_id=0, occurred_at=20 * S), 1)
    assert [entry.count for entry in ledger.entries()] == [3], "it still runs"
    ledger = GiftLedger()
    ledger.take(make.gift(3, group_id=0, occurred_at=None, end=True), 0)
    ledger.take(make.gift(2, group_id=0, occurred_at=20 * S), 1)
    assert [entry.count for entry in ledger.entries()] == [3], "without a time nothing tells them apart"


def test_a_streak_with_a_group_is_never_taken_for_the_next_one(make: Any) -> None:
    """TikTok's group says which it is, whatever the times."""
    ledger = GiftLedger()
    ledger.take(make.gift(3, occurred_at=10 * S, end=True), 0)
    assert ledger.take(make.gift(2, occurred_at=20 * S), 1) == 0
    ledger = GiftLedger()
    single = {"gift_type": 2, "group_id": 0, "msg_id": 4}
    ledger.take(make.gift(1, occurred_at=10 * S, **single), 0)
    assert ledger.take(make.gift(1, occurred_at=20 * S, **single), 1) == 0, "a single gift is its message"


def test_a_bounded_ledger_forgets_replaced_streaks_too(make: Any) -> None:
    """And an entry it has forgotten no longer runs."""
    ledger = GiftLedger(entries_max=1)
    ledger.take(make.gift(3, group_id=0, occurred_at=1, end=True), 0)
    ledger.take(make.gift(2, group_id=0, occurred_at=2), 1)
    assert [entry.count for entry in ledger.entries()] == [2]
    ledger.take(make.gift(4, group_id=9), 2)
    ledger.settle(100 * SETTLE_US)
    assert [(entry.group_id, entry.state) for entry in ledger.entries()] == [(9, GiftState.SETTLED)]


def test_an_unbounded_ledger_forgets_nothing(make: Any) -> None:
    """In the order in which the gifts began, replaced ones among them."""
    ledger = GiftLedger()
    ledger.take(make.gift(3, seq=1, group_id=0, occurred_at=1, end=True), 0)
    ledger.take(make.gift(1, seq=2, group_id=5), 0)
    ledger.take(make.gift(2, seq=3, group_id=0, occurred_at=2), 1)
    assert [entry.first_seq for entry in ledger.entries()] == [1, 2, 3]


def test_settling_stops_at_the_first_streak_that_may_go_on(make: Any) -> None:
    """And settles every one before it."""
    ledger = GiftLedger()
    for group, at in ((1, 0), (2, 1), (3, 10 * S)):
        ledger.take(make.gift(1, group_id=group), at)
    ledger.settle(SETTLE_US + 1)
    assert [entry.state for entry in ledger.entries()] == [
        GiftState.SETTLED, GiftState.SETTLED, GiftState.RUNNING
    ]  # fmt: skip
    ledger.settle_all()
    ledger.take(make.gift(2, group_id=3), 12 * S)
    ledger.settle(100 * SETTLE_US)
    assert [entry.count for entry in ledger.entries()] == [1, 1, 2]


def restarted(ledger: GiftLedger, since_us: int = 0) -> GiftLedger:
    """Return a ledger that knows what another one has saved."""
    again = GiftLedger()
    again.restore(json.loads(json.dumps(ledger.saved(since_us))))
    return again


def test_what_was_counted_before_a_restart_is_known_after_it(make: Any) -> None:
    """Streaks that go on, with a group or without; gifts that are repeated; nothing that is older."""
    first = GiftLedger()
    old, single = make.gift(1, gift_type=2, group_id=0), make.gift(1, gift_type=2, group_id=0)
    nameless = make.gift(1, gift_type=2, group_id=0, msg_id=0)
    first.take(old, 1 * S)
    told(first, single, nameless, make.gift(5), make.gift(3, group_id=0, occurred_at=S), now_us=100 * S)
    again = restarted(first, since_us=100 * S)
    assert told(again, single, make.gift(7), make.gift(4, group_id=0, occurred_at=S), now_us=101 * S) == [
        0,
        2,
        1,
    ]
    assert told(again, nameless, old, now_us=101 * S) == [1, 1]


def test_streaks_that_ran_at_a_restart_are_settled_in_their_order(make: Any) -> None:
    """After the silence that ends any streak, and over two restarts; a later tap still counts once."""
    ledger = GiftLedger()
    for group, count, at in ((1, 1, 0), (2, 1, 1), (1, 2, 10 * S)):
        ledger.take(make.gift(count, group_id=group), at)
    ledger = restarted(restarted(ledger))
    ledger.settle(SETTLE_US + 1)
    states = {entry.group_id: entry.state for entry in ledger.entries()}
    assert states == {1: GiftState.RUNNING, 2: GiftState.SETTLED}
    ledger.settle(SETTLE_US + 10 * S)
    assert told(ledger, make.gift(6, group_id=1), now_us=50 * S) == [4]


@pytest.mark.parametrize(
    "row", [[1] * 8, [1] * 10, [1] * 8 + ["9"], [1] * 8 + [True], [1] * 8 + [2**63], [1] * 8 + [None]]
)
def test_a_saved_row_that_is_no_gift_is_refused_and_nothing_known(row: list[Any]) -> None:
    """Whoever restores goes on with an empty ledger."""
    ledger = GiftLedger()
    with pytest.raises(ValueError, match="no gift"):
        ledger.restore([[1, 2, 3, 0, 5, 1, 1, 0, 0], row])
    assert list(ledger.entries()) == []


@st.composite
def _streaks(draw: st.DrawFn) -> list[tuple[int, list[int]]]:
    """Draw streaks: the giver, and the counts of the messages."""
    return [
        (draw(st.integers(1, 3)), sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=8))))
        for _ in range(draw(st.integers(1, 5)))
    ]


@settings(max_examples=300, deadline=None)
@given(streaks=_streaks(), data=st.data())
def test_nothing_that_happens_to_the_messages_counts_a_gift_twice_or_loses_a_delivered_one(
    streaks: list[tuple[int, list[int]]], data: st.DataObject
) -> None:
    """
    Any order, any repetition, any loss, any pauses and reconnects.

    A streak never counts more than was given, exactly what its best message says,
    and so all of it when the last message arrived.
    """
    messages = [
        (number, Gift(i, i, None, 0, User(user), gift_id=1, gift_name="Rose", diamonds=7, gift_type=1,
                      repeat_count=count, repeat_end=count == counts[-1], group_id=number + 1,
                      to_user_id=0, image_url=""))
        for number, (user, counts) in enumerate(streaks)
        for i, count in enumerate(counts, start=100 * number + 1)
    ]  # fmt: skip
    order = data.draw(st.lists(st.sampled_from(messages), min_size=1, max_size=2 * len(messages)))
    ledger = GiftLedger()
    now_us, segment_id, added = 0, 1, 0
    for _, message in order:
        now_us += data.draw(st.integers(0, 2 * SETTLE_US))
        segment_id += data.draw(st.booleans())
        grown = ledger.take(message, now_us, segment_id)
        assert grown >= 0
        added += grown
    best: dict[int, int] = {}
    for number, message in order:
        best[number] = max(best.get(number, 0), message.repeat_count)
    assert added == sum(best.values()) == sum(entry.count for entry in ledger.entries())
    for entry in ledger.entries():
        user, counts = streaks[entry.group_id - 1]
        assert entry.count == best[entry.group_id - 1] <= counts[-1]
        assert entry.user is not None
        assert entry.user.user_id == user
        if (entry.group_id - 1, counts[-1]) in {(n, m.repeat_count) for n, m in order}:
            assert (entry.count, entry.state) == (counts[-1], GiftState.FINAL)
