"""Events and frames of lives that tests make up."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from random import Random
from typing import Any

import pytest

from toolkit.ledger.gaps import RecordingLedger
from toolkit.model.event import Comment, Event, Gift, Like, User, ViewerCount
from toolkit.model.frame import DecodedFrame, Frame, FrameKind, Message
from toolkit.model.recording import Cause, Gap, Segment
from toolkit.simulator.profile import PRESETS
from toolkit.simulator.traffic import Burst, Traffic
from toolkit.store.sequencer import Sequencer
from toolkit.wire.events import interpret

_NUMBERS = itertools.count(1)


def gift(count: int, *, end: bool = False, **options: Any) -> Gift:
    """Return one message of a gift; each has a number and an id of its own."""
    number = next(_NUMBERS)
    values: dict[str, Any] = {
        "seq": number,
        "msg_id": number,
        "occurred_at": None,
        "received_at": 0,
        "user": User(1, "ann"),
        "gift_id": 5655,
        "gift_name": "Rose",
        "diamonds": 1,
        "gift_type": 1,
        "repeat_count": count,
        "repeat_end": end,
        "group_id": 77,
        "to_user_id": 0,
        "image_url": "",
    }
    return Gift(**(values | options))


def comment(**options: Any) -> Comment:
    """Return a comment."""
    number = next(_NUMBERS)
    values: dict[str, Any] = {
        "seq": number,
        "msg_id": number,
        "occurred_at": None,
        "received_at": 0,
        "user": User(1, "ann"),
        "text": "hello",
        "language": "en",
        "emotes": "",
        "mentions": "",
        "is_history": False,
    }
    return Comment(**(values | options))


@pytest.fixture
def make() -> Any:
    """Return the makers."""

    class Make:
        gift = staticmethod(gift)
        comment = staticmethod(comment)

    return Make


@dataclass
class Outage:
    """
    A time in which nobody listened, and what it truly cost.

    Attributes:
        seconds: How long.
        recovered: Comments in it that were replayed afterwards.
        truth: What was missed for good, by kind, as a gap row counts it.
    """

    seconds: float
    recovered: int = 0
    truth: dict[str, int] = field(default_factory=dict)


class World:
    """
    A simulated live with known truth, listened to with interruptions.

    Attributes:
        ledger: What was made of it.
        segments: The connected stretches, as a recorder would note them.
        outages: The truth about the times between them.
    """

    def __init__(self, preset: str, seed: int, *, skew_us: int = 0) -> None:
        self.ledger = RecordingLedger()
        self.segments: list[Segment] = []
        self.outages: list[Outage] = []
        self._rng = Random(f"world:{preset}:{seed}")
        self._skew_us = skew_us
        self._traffic = Traffic(PRESETS[preset], seed, 1_790_000_000_000)
        self._likes_at: dict[int, int] = {}
        self._spy_on_likes()
        self._sequencer = Sequencer()
        self._frame_no = 0
        self._history: deque[Message] = deque(maxlen=6)
        self._stored: set[int] = set()
        # Truth about what was delivered and what was not, as events.
        self._missed: list[list[Event]] = []
        self._seen: list[list[Event]] = []

    def _spy_on_likes(self) -> None:
        """Note the room's true likes at each message, whose own total wobbles."""
        desk: Any = self._traffic._desk
        tally = self._traffic._tally
        make_like = desk.like

        def like(*args: Any) -> Message:
            message = make_like(*args)
            self._likes_at[message.msg_id] = tally.likes
            return message

        desk.like = like

    def listen(self, seconds: float) -> None:
        """Connect, be told the last six comments, and stay."""
        number = len(self.segments) + 1
        now_us = self._now_us()
        self._seen.append([])
        if number > 1:
            replay = [m for m in self._history if m.msg_id not in self._stored]
            self.outages[-1].recovered = len(replay)
        self.segments.append(Segment(number, self._traffic.room_id, now_us))
        self._take([replace(message, is_history=True) for message in self._history], now_us)
        for burst in self._bursts(seconds):
            self._take(burst.messages, burst.at_ms * 1000 + self._skew_us)
        last = self.segments[-1]
        self.segments[-1] = replace(last, ended_at=self._now_us(), cause=Cause.NETWORK)

    def be_away(self, seconds: float) -> None:
        """Let a stretch of the live pass unheard."""
        self.outages.append(Outage(seconds))
        self._missed.append([])
        for burst in self._bursts(seconds):
            for message in burst.messages:
                self._remember(message)
                event = interpret(message, 0).event
                if event is not None:
                    self._missed[-1].append(event)

    def end(self) -> list[Gap]:
        """End in order; work out the truth; return the gaps."""
        self.segments[-1] = replace(self.segments[-1], cause=Cause.LIVE_ENDED)
        given: dict[tuple[int, int, int], int] = {}
        for event in chain.from_iterable(self._seen):
            if isinstance(event, Gift):
                given[_gift_key(event)] = max(given.get(_gift_key(event), 0), event.repeat_count)
        for i, outage in enumerate(self.outages):
            outage.truth = self._truth(i, outage, given)
        return self.ledger.gaps(self.ledger.observed(self.segments))

    def _truth(self, i: int, outage: Outage, given: dict[tuple[int, int, int], int]) -> dict[str, int]:
        missed, before, after = self._missed[i], self._seen[i], self._seen[i + 1]
        kinds = Counter(event.kind for event in missed)
        best: dict[tuple[int, int, int], tuple[int, int]] = {}
        for gift in (event for event in missed if isinstance(event, Gift)):
            count, price = best.get(_gift_key(gift), (0, gift.diamonds))
            best[_gift_key(gift)] = max(count, gift.repeat_count, 1), price
        lost = [(max(0, count - given.get(key, 0)), price) for key, (count, price) in best.items()]
        truth = {
            "comment": kinds["comment"] - outage.recovered,
            "follow": kinds["follow"],
            "share": kinds["share"],
            "gift": sum(count for count, _ in lost),
            "diamond": sum(count * price for count, price in lost),
        }
        likes = _edge(before, after, Like)
        if likes:
            truth["like"] = self._likes_at[likes[1].msg_id] - self._likes_at[likes[0].msg_id]
        counts = _edge(before, after, ViewerCount)
        if counts:
            truth["join"] = counts[1].viewers_total - counts[0].viewers_total
        return truth

    def _bursts(self, seconds: float) -> Iterator[Burst]:
        end_ms = self._traffic._at_ms + seconds * 1000
        while self._traffic._at_ms < end_ms:
            yield self._traffic.next_burst()

    def _take(self, messages: list[Message], now_us: int) -> None:
        now_us += self._rng.randrange(40_000)
        self._frame_no += 1
        frame = Frame(FrameKind.PUSH, b"", len(self.segments), now_us, now_us * 1000)
        batch = self._sequencer.take(frame, self._traffic.room_id, DecodedFrame(messages=messages))
        self.ledger.take(batch)
        self._seen[-1] += batch.events
        for message in messages:
            self._stored.add(message.msg_id)
            if not message.is_history:
                self._remember(message)

    def _remember(self, message: Message) -> None:
        if message.method == "WebcastChatMessage":
            self._history.append(message)

    def _now_us(self) -> int:
        return int(self._traffic._at_ms * 1000) + self._skew_us


def _edge(before: list[Event], after: list[Event], kind: type[Event]) -> tuple[Any, Any] | None:
    old = [event for event in before if type(event) is kind]
    new = [event for event in after if type(event) is kind]
    return (old[-1], new[0]) if old and new else None


def _gift_key(gift: Gift) -> tuple[int, int, int]:
    assert gift.user is not None
    return gift.user.user_id, gift.gift_id, gift.group_id


@pytest.fixture(scope="session")
def world() -> type[World]:
    """Return what makes lives."""
    return World
