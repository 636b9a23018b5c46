"""One connected stretch: what is kept of it, and what does not count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from toolkit.ledger.gifts import GiftLedger
from toolkit.ledger.stretches import EDGE_US, GIFTS_MAX, REPLAYS_MAX, Stretch
from toolkit.model.event import Batch, Event, RoomDiamonds

S = 1_000_000
BEGAN = 1_000 * S


class Heard:
    """A stretch that began at second 1,000, with the ledger of its recording."""

    def __init__(self, segment_id: int = 1) -> None:
        self.gifts = GiftLedger()
        self.stretch = Stretch(segment_id, BEGAN)
        self._frame_no = 10

    def hear(self, after_s: float, *events: Event, duplicates: int = 0) -> Stretch:
        """Take in a frame so long after the beginning."""
        self._frame_no += 1
        batch = Batch(self._frame_no, self.stretch.segment_id, int(BEGAN + after_s * S), 0, 1)
        batch.events, batch.duplicates = list(events), duplicates
        self.stretch.take(batch, self.gifts)
        return self.stretch


@pytest.fixture
def heard() -> Heard:
    """Return a stretch that has heard nothing yet."""
    return Heard()


def diamonds(total: int, at_us: int) -> RoomDiamonds:
    """Return the room's diamonds."""
    return RoomDiamonds(1, 1, at_us, at_us, None, total)


def test_a_stretch_begins_with_nothing(heard: Heard) -> None:
    """Nothing repeated, regained or read; it lasts from its beginning to its beginning."""
    stretch = heard.stretch
    assert (stretch.first_frame_no, stretch.last_frame_no) == (0, 0)
    assert (stretch.first_at, stretch.last_at) == (BEGAN, BEGAN)
    assert (stretch.first_occurred_at, stretch.last_occurred_at) == (None, None)
    assert (stretch.repeats, stretch.regained_gifts, stretch.regained_diamonds) == (0, 0, 0)
    assert (stretch.replays, stretch.early_gifts, stretch.late_gifts) == ([], [], [])


def test_frames_move_its_end_and_never_back(heard: Heard) -> None:
    """A clock that was set back does not shorten what was observed."""
    heard.hear(5)
    heard.hear(30)
    stretch = heard.hear(20)
    assert (stretch.first_frame_no, stretch.last_frame_no) == (11, 13)
    assert (stretch.first_at, stretch.last_at) == (BEGAN, BEGAN + 30 * S)


def test_repeats_are_counted_at_the_beginning_only(heard: Heard) -> None:
    """In the first five seconds, the fifth included; later they are no replay."""
    heard.hear(0, duplicates=2)
    heard.hear(5, duplicates=3)
    assert heard.hear(5.000001, duplicates=100).repeats == 5


def test_its_first_and_newest_moment_are_tiktoks(heard: Heard, make: Any) -> None:
    """The first message that is no replay and has a time; a late one does not move the end back."""
    heard.hear(1, make.comment(occurred_at=50, is_history=True), make.comment())
    heard.hear(2, make.comment(occurred_at=700))
    heard.hear(3, make.comment(occurred_at=900), make.gift(1, occurred_at=800))
    stretch = heard.hear(4, make.comment(occurred_at=600))
    assert (stretch.first_occurred_at, stretch.last_occurred_at) == (700, 900)


def test_of_replays_only_so_many_are_kept(heard: Heard, make: Any) -> None:
    """A hostile room may send any number; those without a time say nothing."""
    said = [make.comment(occurred_at=n, is_history=True) for n in range(REPLAYS_MAX + 20)]
    stretch = heard.hear(1, make.comment(is_history=True), *said)
    assert REPLAYS_MAX == 100
    assert stretch.replays == list(range(100))


def test_a_streak_of_before_gives_back_what_it_grew_by(make: Any) -> None:
    """With its diamonds, and not as a gift of this stretch."""
    before, after = Heard(1), Heard(2)
    after.gifts = before.gifts
    before.hear(1, make.gift(3, diamonds=5))
    stretch = after.hear(2, make.gift(7, diamonds=5), make.gift(2, diamonds=10, group_id=78))
    assert (stretch.regained_gifts, stretch.regained_diamonds) == (4, 20)
    assert [cost for _, cost in stretch.early_gifts] == [cost for _, cost in stretch.late_gifts] == [20]
    assert before.stretch.regained_gifts == 0


def test_a_tap_that_adds_nothing_is_no_gift(heard: Heard, make: Any) -> None:
    """The same count again, or less."""
    heard.hear(1, make.gift(3))
    stretch = heard.hear(2, make.gift(3), make.gift(2))
    assert [cost for _, cost in stretch.late_gifts] == [3]


def test_gifts_at_the_beginning_are_kept_until_the_rooms_diamonds_are_told(heard: Heard, make: Any) -> None:
    """And for half a minute in any case."""
    edge_s = EDGE_US / S

    def single(after_s: float) -> Event:
        return make.gift(1, gift_type=2, occurred_at=int(BEGAN + after_s * S))

    heard.hear(1, single(1))
    heard.hear(edge_s + 5, single(edge_s + 5), diamonds(500, BEGAN))
    stretch = heard.hear(edge_s + 6, single(edge_s + 6))
    assert [(at - BEGAN) / S for at, _ in stretch.early_gifts] == [1, edge_s + 5]
    told = Heard()
    told.hear(0, diamonds(500, BEGAN))
    told.hear(edge_s, single(edge_s))
    stretch = told.hear(edge_s + 0.000001, single(edge_s + 1))
    assert [(at - BEGAN) / S for at, _ in stretch.early_gifts] == [edge_s]


def test_of_many_gifts_the_earliest_and_the_newest_are_kept(heard: Heard, make: Any) -> None:
    """Bounded on both sides; what is older than half a minute before the last reading goes first."""
    room = diamonds(500, BEGAN + 350 * S)
    for n in range(GIFTS_MAX):
        heard.hear(n, make.gift(1, gift_type=2, diamonds=n + 1, occurred_at=BEGAN + n * S))
    assert [cost for _, cost in heard.stretch.late_gifts] == list(range(1, GIFTS_MAX + 1))
    heard.hear(GIFTS_MAX, replace(room))
    stretch = heard.hear(
        GIFTS_MAX + 1, make.gift(1, gift_type=2, diamonds=9_000, occurred_at=BEGAN + GIFTS_MAX * S)
    )
    kept = [cost for _, cost in stretch.late_gifts]
    assert kept == [*range(322, GIFTS_MAX + 1), 9_000], "second 320 is half a minute before the reading"
    assert [cost for _, cost in stretch.early_gifts] == list(range(1, GIFTS_MAX + 1))


def test_of_a_flood_half_the_gifts_are_kept(heard: Heard, make: Any) -> None:
    """More than four hundred in half a minute: the newest two hundred."""
    heard.hear(0, diamonds(500, BEGAN))
    flood = [make.gift(1, gift_type=2, diamonds=n, occurred_at=BEGAN + n) for n in range(GIFTS_MAX + 1)]
    stretch = heard.hear(1, *flood)
    assert [cost for _, cost in stretch.late_gifts] == list(range(201, GIFTS_MAX + 1))
