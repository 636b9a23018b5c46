"""Goals: from the server's totals where there are any, since the goal was set."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.show.audience.audience import Audience
from toolkit.bus.live_state import rehearsal_cleared
from toolkit.show.audience.goals import GOALS_MAX, Goals
from toolkit.show.part import ShowError


@pytest.fixture
def audience() -> Audience[Goals]:
    """Return an audience of the goals, in a live."""
    return Audience(Goals())


def values(audience: Audience[Goals]) -> dict[str, int]:
    """Return the value of each goal, by its id."""
    return {goal["id"]: goal["value"] for goal in audience.state()["goals"]}


def aim(audience: Audience[Goals], *kinds: str, target: int = 10**6) -> None:
    """Set a goal of each kind, named after it."""
    for kind in kinds:
        audience.do("goals.set", id=kind, kind=kind, title="", target=target)


def test_a_goal_counts_from_the_moment_it_is_set(audience: Audience[Goals]) -> None:
    """Of likes the room's own total, of which we see one in ten."""
    audience.likes(1, 5_000)
    aim(audience, "likes")
    assert values(audience) == {"likes": 0}
    audience.likes(2, 5_400)
    assert values(audience) == {"likes": 400}


def test_a_goal_set_before_the_live_counts_from_the_first_message_on(audience: Audience[Goals]) -> None:
    """The likes in that message too."""
    aim(audience, "likes", "follows")
    audience.likes(1, 700, count=15)
    audience.follows(1, 1_001)
    assert values(audience) == {"likes": 15, "follows": 1}


def test_a_total_that_wobbles_takes_nothing_back(audience: Audience[Goals]) -> None:
    """It steps back by hundreds."""
    audience.likes(1, 100_000)
    aim(audience, "likes")
    seen = []
    for total in (100_300, 99_900, 100_200, 100_500, 100_100):
        audience.wait(1)
        audience.likes(1, total)
        seen.append(values(audience)["likes"])
    assert seen == [300, 300, 300, 500, 500]


def test_a_guest_s_likes_are_not_the_room_s(audience: Audience[Goals]) -> None:
    """In co-hosted rooms two series are mixed, tens of thousands apart."""
    audience.likes(1, 329_000)
    aim(audience, "likes")
    for step in range(1, 31):
        audience.wait(1)
        audience.likes(1, 329_000 + 50 * step)
        audience.likes(1, 362_000 + 80 * step)
    assert values(audience) == {"likes": 1_500}


def test_when_the_followed_series_falls_silent_another_one_goes_on(audience: Audience[Goals]) -> None:
    """Without what lies between the two."""
    audience.likes(1, 329_000)
    aim(audience, "likes")
    audience.likes(1, 329_500)
    for step in range(100):
        audience.wait(1)
        audience.likes(1, 362_000 + 10 * step, count=1)
    assert 500 < values(audience)["likes"] <= 1_500


def test_followers_missed_in_a_gap_are_in_the_total(audience: Audience[Goals]) -> None:
    """Where TikTok tells none, those that were seen are counted."""
    aim(audience, "follows")
    audience.follows(1, 1_001)
    audience.wait(60)
    audience.follows(2, 1_012)
    audience.follows(3, 1_011)
    audience.follows(4, 0)
    assert values(audience) == {"follows": 12}
    audience.follows(5, 0)
    audience.follows(6, 0)
    assert values(audience)["follows"] == 12
    for user in range(10, 20):
        audience.follows(user, 0)
    assert values(audience)["follows"] == 16


def test_a_follower_count_of_somebody_else_is_not_believed(audience: Audience[Goals]) -> None:
    """It jumps by more than people can click."""
    aim(audience, "follows")
    audience.follows(1, 1_001)
    audience.wait(1)
    audience.follows(2, 950_000)
    audience.wait(1)
    audience.follows(3, 950_003)
    assert values(audience)["follows"] <= 5


def test_gifts_and_diamonds_count_each_tap_once(audience: Audience[Goals]) -> None:
    """However often its message is repeated; a running combo counts already."""
    aim(audience, "gifts", "diamonds")
    for count in (1, 3, 2, 3):
        audience.gives(1, count, group=9, price=5)
    audience.gives(1, 3, group=9, price=5, end=True)
    audience.gives(2, price=100)
    assert values(audience) == {"gifts": 4, "diamonds": 115}


def test_diamonds_of_the_room_are_believed_where_they_are_told(audience: Audience[Goals]) -> None:
    """In battles; gifts in a gap are in them."""
    audience.gives(1, price=100)
    audience.room_has(5_100)
    aim(audience, "diamonds")
    audience.room_has(5_350)
    assert values(audience) == {"diamonds": 250}
    audience.gives(1, price=20)
    assert values(audience) == {"diamonds": 250}


def test_a_goal_is_announced_once_when_it_is_reached(audience: Audience[Goals]) -> None:
    """And again only after it was reset."""
    audience.do("goals.set", kind="gifts", title="Roses", target=3)
    for _ in range(5):
        audience.gives(1)
    reached = {"id": "g1", "kind": "gifts", "title": "Roses", "value": 3, "target": 3}
    assert audience.told == [("goal:reached", reached)]
    assert audience.state()["goals"] == [reached | {"value": 5, "is_reached": True}]
    audience.do("goals.reset", id="g1")
    assert audience.state()["goals"] == [reached | {"value": 0, "is_reached": False}]
    for _ in range(3):
        audience.gives(1)
    assert len(audience.told) == 2


def test_changing_a_goal_keeps_what_it_has_reached(audience: Audience[Goals]) -> None:
    """Unless it counts something else."""
    aim(audience, "gifts", target=10)
    audience.gives(1)
    audience.do("goals.set", id="gifts", kind="gifts", title="More", target=50)
    assert values(audience) == {"gifts": 1}
    (lower,) = audience.do("goals.set", id="gifts", kind="gifts", title="One", target=1)["goals"]
    assert (lower["title"], lower["is_reached"], audience.told) == ("One", True, [])
    (higher,) = audience.do("goals.set", id="gifts", kind="gifts", title="", target=2)["goals"]
    assert not higher["is_reached"]
    audience.gives(2)
    assert [kind for kind, _ in audience.told] == ["goal:reached"]
    audience.do("goals.set", id="gifts", kind="likes", title="", target=50)
    assert values(audience) == {"gifts": 0}
    assert audience.do("goals.remove", id="gifts") == {"goals": []}


def test_a_live_that_goes_on_after_a_restart_has_its_goals_and_what_was_missed(
    audience: Audience[Goals],
) -> None:
    """TikTok's totals went on meanwhile. Another live begins at nothing."""
    aim(audience, "likes", "follows", "gifts", "diamonds")
    audience.likes(1, 1_000, count=10)
    audience.likes(1, 1_500)
    audience.follows(1, 101)
    audience.gives(1, price=7)
    kept = json.loads(json.dumps(audience.part.saved()))
    again = Audience(Goals(), recording="")
    again.part.restore(kept)
    assert values(again) == {"likes": 510, "follows": 1, "gifts": 1, "diamonds": 7}
    again.run("live", "live-1")
    again.likes(1, 21_000)
    again.follows(2, 110)
    again.gives(2, price=3)
    assert values(again) == {"likes": 20_010, "follows": 10, "gifts": 2, "diamonds": 10}
    again.run("live", "live-2")
    again.likes(1, 50)
    assert values(again) == {"likes": 15, "follows": 0, "gifts": 0, "diamonds": 0}


def test_a_combo_that_goes_on_over_a_restart_counts_once(audience: Audience[Goals]) -> None:
    """Its taps say how many there are from the first; what is repeated is known again, too."""
    aim(audience, "gifts", "diamonds")
    audience.gives(1, 5, group=77, price=2)
    audience.gives(2, msg_id=900, price=10)
    kept = json.loads(json.dumps(audience.part.saved()))
    again = Audience(Goals(), recording="")
    again.part.restore(kept)
    again.run("live", "live-1")
    again.gives(1, 9, group=77, price=2)
    again.gives(1, 9, group=77, price=2, end=True)
    again.gives(2, msg_id=900, price=10)
    assert values(again) == {"gifts": 10, "diamonds": 28}
    again.gives(1, 1, group=78, price=2)
    assert values(again) == {"gifts": 11, "diamonds": 30}


def test_goals_stay_and_values_go_with_every_run(audience: Audience[Goals]) -> None:
    """The end of a live leaves them to be looked at."""
    aim(audience, "gifts")
    audience.gives(1)
    audience.run("none")
    assert values(audience) == {"gifts": 1}
    audience.run("rehearsal", "sample")
    audience.gives(1)
    audience.gives(1)
    assert values(audience) == {"gifts": 2}
    audience.run("none")
    audience.notice(*rehearsal_cleared())
    assert values(audience) == {"gifts": 0}


@pytest.mark.parametrize(
    ("action", "asked"),
    [
        ("goals.set", {}),
        ("goals.set", {"kind": "hearts", "target": 5}),
        ("goals.set", {"kind": "likes", "target": 0}),
        ("goals.set", {"kind": "likes", "target": 1.5}),
        ("goals.set", {"kind": "likes", "target": 10**13}),
        ("goals.set", {"kind": "likes", "target": 5, "title": "x" * 61}),
        ("goals.set", {"kind": "likes", "target": 5, "id": "Über"}),
        ("goals.remove", {"id": "g9"}),
        ("goals.reset", {}),
    ],
)
def test_a_command_that_means_nothing_changes_nothing(
    audience: Audience[Goals], action: str, asked: dict[str, Any]
) -> None:
    """It is refused with a sentence."""
    aim(audience, "likes")
    before = audience.state()
    with pytest.raises(ShowError):
        audience.do(action, **asked)
    assert audience.state() == before


def test_there_is_room_for_eight_goals(audience: Audience[Goals]) -> None:
    """More than a screen has."""
    for _ in range(GOALS_MAX):
        audience.do("goals.set", kind="likes", target=5)
    with pytest.raises(ShowError, match="already"):
        audience.do("goals.set", kind="likes", target=5)
    assert len(values(audience)) == GOALS_MAX


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"goals": 5, "totals": [], "recording": None},
        {"goals": [None, {}, {"id": "x"}, {"id": "g1", "kind": "likes", "target": "many"}]},
        {"totals": {"likes": 5, "gifts": "x", "follows": {"grown": -3, "base": 10**30}}},
        {"totals": {"known_gifts": 5}},
        {"totals": {"known_gifts": [5, {}]}},
        {"totals": {"known_gifts": [[1, 5, 77, 0, "many", 1, 1, 0, 0]]}},
        {"totals": {"known_gifts": [[1, 5, 77]]}},
    ],
)
def test_what_cannot_be_read_is_left_out(saved: dict[str, Any]) -> None:
    """A file that somebody has edited stops nothing."""
    goals = Goals()
    goals.restore(saved)
    audience = Audience(goals)
    aim(audience, "likes", "follows")
    audience.follows(1, 5)
    assert values(audience)["follows"] == 1


EVENTS = st.one_of(
    st.tuples(st.just("like"), st.integers(0, 400_000)),
    st.tuples(st.just("follow"), st.integers(0, 3_000)),
    st.tuples(st.just("gift"), st.integers(1, 500)),
    st.tuples(st.just("room"), st.integers(0, 10**7)),
    st.tuples(st.just("wait"), st.integers(1, 200)),
)


@settings(max_examples=int(os.environ.get("SHOW_FUZZ", "60")), deadline=None)
@given(st.lists(EVENTS, max_size=60))
def test_no_value_ever_shrinks_and_none_is_below_what_was_seen(events: list[tuple[str, int]]) -> None:
    """Whatever TikTok tells, in whatever order."""
    audience = Audience(Goals())
    aim(audience, "likes", "follows", "gifts", "diamonds")
    seen = dict.fromkeys(("likes", "follows", "gifts", "diamonds"), 0)
    before = values(audience)
    for what, number in events:
        match what:
            case "like":
                audience.likes(1, number, count=3)
                seen["likes"] += 3
            case "follow":
                audience.follows(1, number)
                seen["follows"] += 1
            case "gift":
                audience.gives(1, price=number)
                seen["gifts"] += 1
                seen["diamonds"] += number
            case "room":
                audience.room_has(number)
            case "wait":
                audience.wait(number)
        now = values(audience)
        assert all(now[kind] >= max(before[kind], seen[kind]) for kind in seen)
        before = now
