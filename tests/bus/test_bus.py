"""The bus: numbered, bounded, ordered."""

import itertools
import json
import threading

from toolkit.bus.live_state import LiveState, run_started
from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import encode_notice
from toolkit.clock import ManualClock
from toolkit.model.event import (
    EVENT_CLASSES,
    Comment,
    Deletion,
    Gift,
    Like,
    Question,
    User,
    ViewerCount,
    columns,
)

MSG_IDS = itertools.count(1)
BIG = 7_123_456_789_012_345_678


def comment(text="hi", **options):
    """Return a comment."""
    values = {
        "seq": 1,
        "msg_id": BIG,
        "occurred_at": None,
        "received_at": 2,
        "user": User(BIG, "h", "n"),
        "text": text,
        "language": "en",
        "emotes": "",
        "mentions": "",
        "is_history": False,
    }
    return Comment(**(values | options))


def gift(count, *, end=False, group=1, kind=1, price=5, user=1):
    """Return one message of a gift."""
    return Gift(
        0, next(MSG_IDS), None, 1, User(user, f"u{user}"), gift_id=9, gift_name="Rose", diamonds=price,
        gift_type=kind, repeat_count=count, repeat_end=end, group_id=group, to_user_id=0, image_url="",
    )  # fmt: skip


def test_a_slow_reader_loses_the_oldest_and_knows_how_many():
    """The queue is bounded, what is left is the newest, in order."""
    bus = MemoryBus()
    slow = bus.subscribe(notices_max=10)
    bus.publish([("x", {"n": n}) for n in range(25)])
    assert [n.data["n"] for n in slow.take()] == list(range(15, 25))
    assert slow.dropped == 15
    assert slow.take() == []


def test_a_reader_that_returns_catches_up_from_the_ring():
    """`since` gives what followed, and counts what is gone."""
    bus = MemoryBus(ring_notices=10)
    bus.publish([("x", {}) for _ in range(25)])
    notices, missed = bus.since(20)
    assert ([n.seq for n in notices], missed) == ([21, 22, 23, 24, 25], 0)
    notices, missed = bus.since(3)
    assert (notices[0].seq, len(notices), missed) == (16, 10, 12)
    assert bus.since(99) == ([], 0)


def test_numbers_have_no_holes_and_no_order_is_lost_between_threads():
    """Four publishers at once: every reader sees 1, 2, 3 ..."""
    bus = MemoryBus()
    reader = bus.subscribe(notices_max=10_000)

    def publish():
        for _ in range(500):
            bus.publish([("x", {}), ("y", {})])

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [n.seq for n in reader.take()] == list(range(1, 4001))


def test_only_wanted_types_arrive_and_the_reader_is_woken_once():
    """One wake-up for a batch, none for what nobody asked for."""
    bus = MemoryBus()
    woken = []
    with bus.subscribe(["comment"], wake=lambda: woken.append(1)) as reader:
        bus.publish([("like", {})])
        bus.publish([("comment", {}), ("comment", {})])
        bus.publish([("comment", {})])
        assert len(woken) == 1
        assert len(reader.take()) == 3
    bus.publish([("comment", {})])
    assert reader.take() == []


def test_whoever_is_woken_can_publish_before_the_publisher_goes_on():
    """Waking is no part of publishing: nobody has to wait for who does it."""
    bus = MemoryBus()
    came_through = []

    def wake() -> None:
        other = threading.Thread(target=lambda: bus.publish([("like", {})]))
        other.start()
        other.join(5)
        came_through.append(not other.is_alive())

    with bus.subscribe(["comment"], wake=wake):
        bus.publish([("comment", {})])
    assert came_through == [True]


def test_ids_leave_as_text_because_javascript_rounds_them():
    """Nineteen digits survive a browser."""
    bus = MemoryBus()
    (notice,) = bus.publish([("comment", comment('</script> "x"'))], rehearsal=True)
    message = json.loads(encode_notice(notice))
    assert message["data"]["msg_id"] == str(BIG)
    assert message["data"]["user"]["user_id"] == str(BIG)
    assert message["data"]["text"] == '</script> "x"'
    assert (message["type"], message["seq"], message["rehearsal"]) == ("comment", 1, True)


def test_every_kind_of_event_has_columns_and_a_table_of_its_own():
    """No two kinds share a name."""
    assert len({cls.kind for cls in EVENT_CLASSES}) == len(EVENT_CLASSES)
    assert len({cls.table for cls in EVENT_CLASSES}) == len(EVENT_CLASSES)
    assert all(
        columns(cls)[:5] == ("seq", "msg_id", "occurred_at", "received_at", "user_id")
        for cls in EVENT_CLASSES
    )


def figures_after(*events):
    """Return the live figures after a live that brought these events."""
    clock = ManualClock()
    bus = MemoryBus(clock=clock)
    state = LiveState(bus)
    bus.publish([run_started("live", "u", "r")])
    bus.publish([(event.kind, event) for event in events])
    clock.advance(1)
    return state.snapshot(clock.now_us())


def test_a_gift_streak_is_counted_by_its_growth():
    """Taps 1, 2, 5, and the end message that repeats 5, are five gifts."""
    figures = figures_after(gift(1), gift(2), gift(5), gift(5, end=True), gift(1, group=2))
    assert figures.diamonds == 6 * 5
    assert figures.gifters[0].gifts == 6


def test_a_gift_that_cannot_be_streaked_counts_at_once_each_time():
    """Types 2 and 4 arrive once, with no end."""
    assert figures_after(gift(1, kind=2, price=100), gift(1, kind=2, price=100)).diamonds == 200


def test_totals_rates_and_viewers_follow_the_events():
    """Two comments a second ago are 0.2/s over ten seconds; likes keep their largest total."""
    figures = figures_after(
        comment("a"),
        comment("b"),
        Like(0, 1, None, 1, None, count=5, total=900),
        Like(0, 2, None, 1, None, count=5, total=880),
        ViewerCount(0, 3, None, 1, None, viewers=40, viewers_total=90, popularity=0, anonymous=0),
        ViewerCount(0, 4, None, 1, None, viewers=0, viewers_total=0, popularity=0, anonymous=0),
    )
    assert figures.totals["comment"] == 2
    assert figures.rates["comment"] == 0.2
    assert figures.likes_total == 900
    assert (figures.viewers, figures.viewers_peak) == (40, 40)
    assert [c.text for _, c in figures.comments] == ["a", "b"]


def test_a_new_run_starts_from_zero_and_its_end_keeps_the_figures():
    """A rehearsal never mixes with a live; the last figures stay readable."""
    clock = ManualClock()
    bus = MemoryBus(clock=clock)
    state = LiveState(bus)
    bus.publish([run_started("live", "u", "r"), ("comment", comment())])
    bus.publish([run_started("rehearsal", "", "r")], rehearsal=True)
    assert state.snapshot(clock.now_us()).totals == {}
    bus.publish([("comment", comment())], rehearsal=True)
    bus.publish([run_started("none", "", "")], rehearsal=True)
    figures = state.snapshot(clock.now_us())
    assert (figures.run, figures.totals) == ("none", {"comment": 1})


def test_what_tiktok_withdraws_leaves_the_recent_comments():
    """A message, or all of a user; also a message that is named before it arrives."""
    deletion = {"occurred_at": None, "received_at": 3, "user": None}
    figures = figures_after(
        comment("kept", msg_id=1, user=User(1)),
        comment("named", msg_id=2, user=User(1)),
        comment("of a removed user", msg_id=3, user=User(2)),
        Deletion(1, 90, message_ids="2,4,nonsense,,-1", user_ids="2", **deletion),
        comment("late", msg_id=4, user=User(3)),
    )
    assert [c.text for _, c in figures.comments] == ["kept"]
    assert figures.totals["comment"] == 4


def test_a_question_that_is_withdrawn_leaves_the_recent_questions():
    """As a comment does: by its own number or with who asked, before or after it arrives."""

    def question(text, msg_id, user):
        fields = {
            "occurred_at": None,
            "received_at": 3,
            "user": User(user),
            "question_id": msg_id,
            "status": 0,
        }
        return Question(1, msg_id, text=text, **fields)

    figures = figures_after(
        question("kept", 1, 1),
        question("named", 2, 1),
        question("of a removed user", 3, 2),
        Deletion(1, 90, occurred_at=None, received_at=3, user=None, message_ids="2,4", user_ids="2"),
        question("late", 4, 3),
    )
    assert [q.text for _, q in figures.questions] == ["kept"]
