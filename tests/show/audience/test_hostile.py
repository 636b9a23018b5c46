"""
Every part that listens to the audience, under anything that could arrive.

``SHOW_FUZZ=5000 .venv/bin/pytest tests/show/audience/test_hostile.py`` tries harder.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.show.audience.audience import START, STATE_BYTES_MAX, Audience
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
from toolkit.show.audience.alerts import Alerts
from toolkit.show.audience.goals import Goals
from toolkit.show.audience.inbox import Inbox
from toolkit.show.audience.polls import Polls
from toolkit.show.part import Part, ShowError

EXAMPLES = int(os.environ.get("SHOW_FUZZ", "60"))
PARTS: list[Callable[[], Part]] = [Inbox, Alerts, Goals, Polls]
OPENINGS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "goals": [
        ("goals.set", {"id": kind, "kind": kind, "target": 3})
        for kind in ("likes", "follows", "gifts", "diamonds")
    ],
    "poll": [("poll.open", {"text": "?", "options": ["yes", "no"]})],
}
"""With nothing to aim at and nothing to vote for, little can go wrong."""

# Few ids, so that events meet; and the largest that TikTok's fields can hold.
IDS = st.sampled_from([0, 1, 2, 3, 2**53 + 1, 2**63 - 1])
NUMBERS = st.sampled_from([-(2**31), -1, 0, 1, 2, 15, 1_000, 2**31 - 1, 2**63 - 1])
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["how old are you", "1", "b", "x" * 20_000, "🧑‍🚀" * 4_000, "\u202e?", "[" * 3_000]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
USERS = st.one_of(st.none(), st.builds(User, IDS, handle=TEXTS, nickname=TEXTS, avatar_url=TEXTS))


def events(event_class: type[Event]) -> st.SearchStrategy[Event]:
    """Return events of a class with anything in their fields."""
    chosen: dict[str, st.SearchStrategy[Any]] = {}
    for field in fields(event_class):
        kind = str(field.type)
        if field.name == "user":
            chosen["user"] = USERS
        elif field.name in ("occurred_at", "received_at"):
            chosen[field.name] = st.sampled_from([0, START, START - 10**9, START + 10**12])
        elif field.name.endswith("_id") or field.name == "seq":
            chosen[field.name] = IDS
        elif kind == "bool":
            chosen[field.name] = st.booleans()
        elif kind == "str":
            is_json = field.name == "options"
            chosen[field.name] = st.one_of(TEXTS, JSON.map(json.dumps)) if is_json else TEXTS
        else:
            chosen[field.name] = NUMBERS
    return st.builds(event_class, **chosen)


EVENTS = st.one_of(
    *map(
        events,
        (Comment, Deletion, Follow, Gift, Join, Like, Poll, Question, RoomDiamonds, Share, Subscription),
    )
)
NOTICES = st.one_of(
    EVENTS.map(lambda event: (event.kind, event)),
    st.tuples(
        st.sampled_from(
            ["run", "status", "gap", "missed", "show:result", "show:approved", "show:stage", "x"]
        ),
        st.one_of(
            st.dictionaries(TEXTS, JSON, max_size=3),
            st.fixed_dictionaries(
                {"kind": st.sampled_from(["live", "rehearsal", "none", 5]), "recording": TEXTS, "clear": JSON}
            ),
            st.fixed_dictionaries({"winner": JSON, "void": JSON, "opened_at": JSON, "msg_id": JSON}),
        ),
    ),
    st.tuples(
        st.just("show:result"),
        st.fixed_dictionaries(
            {
                "winner": st.fixed_dictionaries({"user_id": JSON, "nickname": TEXTS, "handle": JSON}),
                "answer": st.one_of(TEXTS, JSON),
                "points": st.one_of(NUMBERS, JSON),
            }
        ),
    ),
)
VALUES = st.one_of(
    st.dictionaries(TEXTS, JSON, max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.one_of(st.sampled_from(["a1", "a2", "g1", "likes"]), JSON),
            "on": st.one_of(st.booleans(), JSON),
            "kind": st.one_of(st.sampled_from(["gift", "raid", "winner", "likes", "follows"]), JSON),
            "text": TEXTS,
            "title": TEXTS,
            "target": st.one_of(st.integers(1, 100), NUMBERS, JSON),
            "diamonds": NUMBERS,
            "seconds": st.one_of(st.integers(1, 100), JSON),
            "options": st.one_of(st.lists(TEXTS, max_size=9), st.just(["yes", "no"]), JSON),
            "user": JSON,
            "on_air": st.one_of(st.booleans(), JSON),
        },
    ),
)
STEPS = st.one_of(
    st.tuples(st.just("notice"), NOTICES, st.sampled_from([0, 0, -(10**10), 10**7])),
    st.tuples(st.just("command"), st.integers(0, 20), VALUES),
    st.tuples(st.just("wait"), st.sampled_from([-(10**9), 1, 10**6, 9 * 10**6, 10**9]), st.none()),
)


def apply(part: Part, step: tuple[str, Any, Any], now: int, seq: int) -> int:
    """Do one step, as the conductor would; return the time after it."""
    what, first, second = step
    match what:
        case "notice":
            kind, data = first
            part.take(Notice(seq, kind, now - second, data, recorded_at=second or None), now)
        case "command":
            actions = sorted(part.actions)
            try:
                part.command(actions[first % len(actions)], second, now)
            except ShowError as error:
                assert str(error) and error.hint
                assert len(str(error)) < 500
        case "wait":
            # Backwards too: clocks are set.
            now += first
    due = part.tick(now)
    assert due is None or due > now
    assert isinstance(json.dumps(list(part.outbox()), allow_nan=False), str)
    return now


def check(part: Part, before: tuple[int, str]) -> tuple[int, str]:
    """Look at a part from outside: its state is bounded JSON, and whoever watches `version` sees it all."""
    state = json.dumps(part.state(), ensure_ascii=False, allow_nan=False)
    assert len(state.encode()) <= STATE_BYTES_MAX
    assert part.version >= before[0]
    assert state == before[1] or part.version > before[0], "it has changed and did not say so"
    return part.version, state


@pytest.mark.parametrize("make", PARTS)
@settings(max_examples=EXAMPLES, deadline=None)
@given(steps=st.lists(STEPS, max_size=25))
def test_anything_may_arrive(make: Callable[[], Part], steps: list[tuple[str, Any, Any]]) -> None:
    """No exception but a refused command; and what is kept can be taken up again."""
    part, now, seen = make(), START, (0, "")
    for action, values in OPENINGS.get(part.name, []):
        part.command(action, values, now)
    for seq, step in enumerate(steps):
        now = apply(part, step, now, seq)
        seen = check(part, seen)
    kept = json.loads(json.dumps(part.saved(), allow_nan=False))
    again = make()
    again.restore(kept or {})
    check(again, (0, ""))
    assert json.loads(json.dumps(again.saved())) is None or isinstance(again.saved(), dict)


@pytest.mark.parametrize("make", PARTS)
@settings(max_examples=EXAMPLES, deadline=None)
@given(saved=st.one_of(st.dictionaries(TEXTS, JSON, max_size=4), st.data()))
def test_anything_may_be_in_the_file(make: Callable[[], Part], saved: Any) -> None:
    """Edited by hand, or of another version: what cannot be read is left out."""
    part = make()
    if not isinstance(saved, dict):
        names = sorted(part.saved() or {"text": "", "options": "", "opened_at": "", "voters": ""})
        saved = {name: saved.draw(JSON) for name in names}
    part.restore(saved)
    check(part, (0, ""))


def elements(value: Any, seen: set[int]) -> int:
    """Return how much a part remembers: the elements of all its containers."""
    if id(value) in seen or isinstance(value, str | int | float | bytes | type(None)):
        return 1
    seen.add(id(value))
    if isinstance(value, Mapping):
        return sum(elements(one, seen) for one in value.values()) + len(value)
    if isinstance(value, list | tuple | set | frozenset | deque):
        return sum(elements(one, seen) for one in value)
    held = [getattr(value, f.name) for f in fields(value)] if is_dataclass(value) else []
    return sum(elements(one, seen) for one in [*held, *getattr(value, "__dict__", {}).values()])


def flood(audience: Audience[Part], first: int, count: int) -> None:
    """Have many different people do everything, each once."""
    for user in range(first, first + count):
        audience.says(user, f"how old is number {user}" if user % 2 else "1")
        audience.asks(user, f"What is {user}?")
        audience.gives(user, 1, group=user)
        audience.gives(user, 1, price=user % 50)
        audience.follows(user, user)
        audience.joins(user)
        audience.likes(user, user * 7)
        audience.withdraws(messages=(user * 31,), users=(user - 5,))
        audience.wait(0.05)


@pytest.mark.parametrize("make", PARTS)
def test_a_flood_does_not_grow_what_is_remembered(make: Callable[[], Part]) -> None:
    """Twice as many people, no more memory."""
    audience = Audience(make())
    if "poll.open" in audience.part.actions:
        audience.do("poll.open", text="?", options=["yes", "no"], seconds=3_600)
        audience.wait(3_000)
    flood(audience, 1, 3_000)
    once = elements(audience.part, set())
    flood(audience, 3_001, 3_000)
    allowed = 6_000 if isinstance(audience.part, Polls) else 0
    assert elements(audience.part, set()) <= once * 1.2 + 50 + allowed
