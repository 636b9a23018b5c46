"""Comments that a new connection repeats, marked or not."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.ledger.replayed import DELAYS_MIN, OPENING_US, DelayMeter, ReplayMarker
from toolkit.model.event import Batch, Comment

S = 1_000_000
SKEW = -7 * S
"""Our clock against TikTok's, delivery included: recorder clocks lie."""


def frame(marker: ReplayMarker, segment: int, at_s: float, *comments: Comment) -> list[bool]:
    """Return what the comments of a frame are marked as."""
    batch = Batch(1, segment, int(at_s * S), 0, 1)
    batch.events = list(comments)
    marker.mark(batch)
    return [comment.is_history for comment in comments]


@pytest.fixture
def said(make: Any) -> Any:
    """Return what makes a comment that usually would arrive at such a second."""
    return lambda at_s, **options: make.comment(occurred_at=int(at_s * S) - SKEW, **options)


def settled(said: Any) -> ReplayMarker:
    """Return a marker that has seen a minute of a live."""
    marker = ReplayMarker()
    for second in range(60):
        assert frame(marker, 1, second, said(second)) == [False]
    return marker


def test_an_unmarked_replay_is_recognised_by_the_time_it_was_said(said: Any) -> None:
    """Clearly before the connection began; what is new stays new."""
    marker = settled(said)
    assert frame(marker, 2, 100, said(70), said(96.9), said(97.1), said(100)) == [True, True, False, False]


def test_a_frame_that_is_late_itself_does_not_make_its_comments_history(said: Any) -> None:
    """It is the connection's beginning that counts."""
    marker = settled(said)
    frame(marker, 2, 100)
    assert frame(marker, 2, 104.5, said(98), said(90)) == [False, True]


def test_only_the_beginning_of_a_connection_replays(said: Any) -> None:
    """Later a late comment is just late."""
    marker = settled(said)
    frame(marker, 2, 100)
    assert frame(marker, 2, 100 + OPENING_US / S + 0.1, said(50)) == [False]


def test_what_tiktok_marks_stays_marked_and_what_has_no_time_unmarked(make: Any, said: Any) -> None:
    """Nothing is guessed without a clock."""
    marker = settled(said)
    assert frame(marker, 2, 100, said(100, is_history=True), make.comment(occurred_at=None)) == [True, False]


def test_without_enough_to_go_by_nothing_is_marked(said: Any) -> None:
    """The clocks may be far apart: the first connection, and one after a few comments."""
    marker = ReplayMarker()
    assert frame(marker, 1, 100, said(10)) == [False]
    for second in range(DELAYS_MIN - 1):
        frame(marker, 1, 110 + second, said(110 + second))
    assert frame(marker, 2, 200, said(10)) == [False]


def test_one_late_comment_does_not_move_the_usual_delay() -> None:
    """It is a median."""
    meter = DelayMeter()
    for _ in range(DELAYS_MIN - 1):
        meter.add(0, S)
        assert meter.usual_us() is None
    meter.add(0, 500 * S)
    assert meter.usual_us() == S


def test_the_opening_of_a_connection_lasts_five_seconds(said: Any) -> None:
    """A frame at its very end still replays, the next one does not."""
    marker = settled(said)
    frame(marker, 2, 100)
    assert frame(marker, 2, 105, said(50)) == [True]
    assert frame(marker, 2, 105.000001, said(50)) == [False]


def test_only_comments_are_replayed(make: Any, said: Any) -> None:
    """A gift of long ago is a gift that is late."""
    marker = settled(said)
    late = make.gift(1, occurred_at=1)
    batch = Batch(1, 2, 100 * S, 0, 1)
    batch.events = [late, said(50)]
    marker.mark(batch)
    assert batch.events[1].is_history


def test_later_than_three_seconds_is_before(said: Any) -> None:
    """On TikTok's own clock, to the microsecond."""
    marker = settled(said)
    assert frame(marker, 2, 100, said(97), said(96.999999)) == [False, True]


def test_what_a_connection_brings_first_says_nothing_about_delays(said: Any) -> None:
    """Replayed comments would make the usual delay minutes."""
    marker = ReplayMarker()
    for segment in range(1, 4):
        frame(marker, segment, 100 * segment, *(said(100 * segment - 50) for _ in range(20)))
    for second in range(306, 306 + DELAYS_MIN):
        frame(marker, 3, second, said(second))
    assert frame(marker, 4, 400, said(399), said(390)) == [False, True]


def test_the_usual_delay_is_that_of_the_last_64_comments(said: Any) -> None:
    """A recorder's clock may be set in the middle of a live."""
    marker = settled(said)
    for second in range(64):
        frame(marker, 1, 100 + second, said(90 + second))
    assert frame(marker, 2, 300, said(289), said(286.5)) == [False, True]


def test_a_delay_is_known_from_the_fifth_comment_on() -> None:
    """The lower of the two in the middle, so that it is one that was measured."""
    meter = DelayMeter()
    for delay in (9, 1, 3, 7):
        meter.add(100, 100 + delay)
    assert meter.usual_us() is None
    meter.add(100, 105)
    assert meter.usual_us() == 5
    meter.add(100, 104)
    assert meter.usual_us() == 4
