"""An audience for one part of the show: events, commands and time, without a conductor's thread."""

from __future__ import annotations

import json
from typing import Any, Generic, TypeVar

from toolkit.bus.live_state import run_started
from toolkit.bus.notice import Notice
from toolkit.model.event import (
    Comment,
    Deletion,
    Event,
    Follow,
    Gift,
    Join,
    Like,
    Poll,
    Question,
    RoomDiamonds,
    Share,
    Subscription,
    User,
)
from toolkit.show.part import Part

START = 1_800_000_000_000_000
STATE_BYTES_MAX = 12 * 1024

P = TypeVar("P", bound=Part)


class Audience(Generic[P]):
    """
    Brings a part what happens, as the conductor does: due ticks first, each at its time.

    Attributes:
        part: Who listens.
        now: Our clock, microseconds UTC.
        told: What the part announced beside its state, in order.
    """

    def __init__(self, part: P, *, recording: str = "live-1") -> None:
        self.part = part
        self.now = START
        self.told: list[tuple[str, Any]] = []
        self._seq = 0
        self._due: int | None = START
        self._seen = (part.version, "")
        if recording:
            self.run("live", recording)

    # -- time and commands -------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass; the part is ticked whenever it asked to be."""
        until = self.now + round(seconds * 1e6)
        while self._due is not None and self._due <= until:
            self.now = max(self.now, self._due)
            self.state()
            self._tick()
            self.state()
        self.now = until

    def do(self, action: str, **values: Any) -> dict[str, Any]:
        """Have the operator ask for something; return the state after it."""
        assert action in self.part.actions
        self.state()
        self.part.command(action, values, self.now)
        self._tick()
        return self.state()

    def state(self) -> dict[str, Any]:
        """Return the part's state, as a screen gets it."""
        told = json.dumps(self.part.state(), ensure_ascii=False, allow_nan=False)
        assert len(told.encode()) <= STATE_BYTES_MAX
        version, before = self._seen
        assert told == before or self.part.version > version or not before, "it changed and did not say so"
        self._seen = (self.part.version, told)
        state: dict[str, Any] = json.loads(told)
        return state

    def notice(self, kind: str, data: Event | dict[str, Any], **options: Any) -> None:
        """Have something happen now."""
        self._seq += 1
        self.part.take(Notice(self._seq, kind, self.now, data, **options), self.now)
        self._tick()

    def _tick(self) -> None:
        due = self.part.tick(self.now)
        assert due is None or due > self.now, "it would be ticked for ever"
        self._due = due
        self.told += self.part.outbox()

    # -- what happens ------------------------------------------------------

    def run(self, kind: str, recording: str = "") -> None:
        """Begin or end a run."""
        self.notice(*run_started(kind, "host", recording))

    def event(self, event_class: type[Event], user: int | User | None, **values: Any) -> Event:
        """Have somebody do something. ``age_s`` is how long ago by TikTok's clock."""
        age_us = round(values.pop("age_s", 0.9) * 1e6)
        msg_id = values.pop("msg_id", self._seq + 1_000)
        if isinstance(user, int):
            user = User(user, handle=f"h{user}", nickname=f"N{user}")
        event = event_class(self._seq + 1, msg_id, self.now - age_us, self.now, user, **values)
        self.notice(event.kind, event)
        return event

    def says(self, user: int, text: str, *, is_history: bool = False, **values: Any) -> Event:
        """Write a comment."""
        return self.event(
            Comment, user, text=text, language="", emotes="", mentions="", is_history=is_history, **values
        )

    def asks(self, user: int, text: str, *, question_id: int = 0, **values: Any) -> Event:
        """Ask through the Q&A."""
        return self.event(Question, user, question_id=question_id, text=text, status=0, **values)

    def gives(
        self, user: int, count: int = 1, *, end: bool = False, group: int = 0, price: int = 1, **values: Any
    ) -> Event:
        """Tap a gift that can be streaked; without a group a single gift."""
        shape = {
            "gift_id": 5, "gift_name": "Rose", "diamonds": price, "gift_type": 1 if group else 2,
            "repeat_count": count, "repeat_end": end, "group_id": group, "to_user_id": 0, "image_url": "",
        }  # fmt: skip
        return self.event(Gift, user, **shape | values)

    def follows(self, user: int, total: int = 0, **values: Any) -> Event:
        """Follow the host."""
        return self.event(Follow, user, follow_count=total, **values)

    def shares(self, user: int, **values: Any) -> Event:
        """Share the live."""
        return self.event(Share, user, share_type=1, share_target="", share_count=0, **values)

    def subscribes(self, user: int, **values: Any) -> Event:
        """Subscribe."""
        return self.event(Subscription, user, months=1, subscribe_type=0, status=0, is_gift=False, **values)

    def joins(self, user: int, action: int = 1, **values: Any) -> Event:
        """Enter the room."""
        return self.event(Join, user, action=action, member_count=0, source="", **values)

    def likes(self, user: int, total: int, count: int = 15, **values: Any) -> Event:
        """Tap hearts."""
        return self.event(Like, user, count=count, total=total, **values)

    def room_has(self, diamonds: int) -> Event:
        """Tell the room's own count of diamonds."""
        return self.event(RoomDiamonds, None, total=diamonds)

    def tiktok_polls(self, poll_id: int, stage: int, options: list[Any], title: str = "") -> Event:
        """Have TikTok tell of a poll of its own."""
        return self.event(Poll, None, poll_id=poll_id, stage=stage, title=title, options=json.dumps(options))

    def withdraws(self, *, messages: tuple[int, ...] = (), users: tuple[int, ...] = ()) -> Event:
        """Have TikTok, or the operator, withdraw something."""
        ids = {"message_ids": ",".join(map(str, messages)), "user_ids": ",".join(map(str, users))}
        return self.event(Deletion, None, **ids)
