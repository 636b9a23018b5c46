"""What a screen with little room is sent of a burst, and what that costs."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from toolkit.bus.notice import Notice
from toolkit.model.event import Comment
from toolkit.web.frames import CATCH_UP_NOTICES, Frame, Kept, Selection
from toolkit.web.inbound import Topics


class Judge:
    """Lets through what does not begin with `bad`; counts how often it was asked."""

    version = 1

    def __init__(self) -> None:
        self.asked = 0

    def public(self, notice: Notice) -> Notice | None:
        """Return the notice, or nothing."""
        self.asked += 1
        return None if str(getattr(notice.data, "text", "")).startswith("bad") else notice

    def public_snapshot(self, snapshot: dict[str, Any]) -> dict[str, Any]:
        """Return it as it is."""
        return snapshot


def entries(texts: list[str]) -> list[Kept]:
    """Return comments as the hub keeps them; an empty text is a like."""
    return [
        Kept(Notice(seq, "comment", 0, Comment(seq, seq, 0, 0, None, text, "", "", "", False)))
        if text
        else Kept(Notice(seq, "like", 0, {}))
        for seq, text in enumerate(texts, 1)
    ]


def frame(texts: list[str], room: int, judge: Judge) -> Frame:
    """Return what a public screen with room for so many comments is sent."""
    selection = Selection(0, Topics(), batch=True, is_public=True, comments_max=room)
    return Frame.of(selection, entries(texts), 0, judge)


@given(st.lists(st.sampled_from(["good", "bad", ""]), max_size=80), st.integers(1, 9))
def test_a_screen_gets_the_newest_that_it_may_show_and_all_else(kinds, room):
    """Whatever comes: as many of the newest as fit, in order; the rest is counted or held back."""
    sent = frame([kind and f"{kind} {place}" for place, kind in enumerate(kinds)], room, Judge())
    told = [json.loads(text) for text in sent.texts]
    shown = [n["data"]["text"] for n in told if n["type"] == "comment"]
    good = [f"good {place}" for place, kind in enumerate(kinds) if kind == "good"]
    assert shown == good[-room:]
    assert sum(n["type"] == "like" for n in told) == kinds.count("")
    assert [n["seq"] for n in told] == sorted(n["seq"] for n in told)
    assert len(good) - len(shown) <= sent.skipped <= kinds.count("good") + kinds.count("bad") - len(shown)
    assert sent.cursor == len(kinds)


def test_a_flood_that_nobody_may_see_is_not_judged_whole():
    """Who comes back in the middle of it is at the present without the loop's standing still."""
    judge = Judge()
    sent = frame([f"bad {n}" for n in range(4 * CATCH_UP_NOTICES)], 8, judge)
    assert sent.texts == []
    assert sent.cursor == 4 * CATCH_UP_NOTICES
    assert judge.asked == CATCH_UP_NOTICES


def test_one_that_wants_all_gets_all():
    """Without a number nothing is passed over."""
    sent = frame(["good"] * 100, 0, Judge())
    assert (len(sent.texts), sent.skipped) == (100, 0)


def test_a_page_without_a_chat_has_no_comment_judged():
    """Whatever room it tells of; what else there is reaches it."""
    judge = Judge()
    selection = Selection(0, Topics.of(["like"]), batch=True, is_public=True, comments_max=8)
    sent = Frame.of(selection, entries(["good", "bad", "", "good"]), 0, judge)
    assert [json.loads(text)["type"] for text in sent.texts] == ["like"]
    assert (sent.cursor, sent.skipped, judge.asked) == (4, 0, 1)
