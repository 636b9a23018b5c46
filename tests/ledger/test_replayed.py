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
