"""Alerts: one at a time, nothing stale, every gift once."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.show.audience.audience import Audience
from toolkit.bus.notice import Notice
from toolkit.model.event import Event, Gift, User
from toolkit.show.audience.alerts import SETTLE_US, Alerts
from toolkit.show.audience.lineup import AGE_MAX_US, KINDS, QUEUE_MAX
from toolkit.show.part import ShowError


@pytest.fixture
def audience() -> Audience[Alerts]:
    """Return an audience of the alerts, in a live."""
    return Audience(Alerts())


def shown(audience: Audience[Alerts]) -> dict[str, Any]:
    """Return what is on screen, which must be something."""
    current = audience.state()["current"]
    assert current is not None
    return dict(current)


def names(audience: Audience[Alerts], seconds: float) -> list[str]:
    """Return who is shown during the next while, one after the other."""
    seen: list[str] = []
    for _ in range(round(seconds * 10)):
        current = audience.state()["current"]
        name = (current["user"] or {"nickname": current["kind"]})["nickname"] if current else ""
        if not seen or seen[-1] != name:
            seen.append(name)
        audience.wait(0.1)
    return [name for name in seen if name]


# -- one after the other ----------------------------------------------------------


def test_an_alert_is_shown_for_eight_seconds(audience: Audience[Alerts]) -> None:
    """When nobody else waits."""
    audience.follows(1)
    alert = shown(audience)
    assert (alert["kind"], alert["user"]["nickname"], alert["merged"]) == ("follow", "N1", 1)
    assert alert["until"] - alert["shown_at"] == 8_000_000
    audience.wait(7.9)
    assert shown(audience)["id"] == alert["id"]
    audience.wait(0.2)
    assert audience.state()["current"] is None


def test_the_more_wait_the_shorter_each_is_shown(audience: Audience[Alerts]) -> None:
    """Never shorter than three seconds."""
    for user in range(1, 12):
        audience.gives(user, price=user)
    alert = shown(audience)
    assert alert["until"] - alert["shown_at"] == 3_000_000
    audience.wait(2.9)
    assert shown(audience)["id"] == alert["id"]
    audience.wait(0.4)
    assert shown(audience)["id"] != alert["id"]


def test_the_most_valuable_is_shown_next_and_the_cheapest_is_dropped(audience: Audience[Alerts]) -> None:
    """Of twenty that wait none is dropped."""
    for user in range(1, 22):
        audience.gives(user, price=user)
    assert (audience.state()["waiting"], audience.state()["dropped"]) == (QUEUE_MAX, 0)
    audience.gives(22, price=1_000)
    state = audience.state()
    assert (state["waiting"], state["dropped"]) == (QUEUE_MAX, 1)
    assert [one["user"]["user_id"] for one in state["queue"]] == ["22", "21", "20", "19", "18"]
    assert names(audience, 7) == ["N1", "N22", "N21"]


def test_nothing_is_shown_that_has_waited_thirty_seconds(audience: Audience[Alerts]) -> None:
    """By then it is no news."""
    for user in range(1, 21):
        audience.gives(user, price=user)
    audience.wait(60)
    state = audience.state()
    assert (state["current"], state["waiting"]) == (None, 0)
    lineup = audience.part.lineup
    assert lineup.gifts_shown + lineup.gifts_dropped == 20
    assert 8 <= lineup.gifts_shown <= 12


def test_followers_who_wait_become_one_alert(audience: Audience[Alerts]) -> None:
    """Rather than as many cards; a single one keeps a card of its own."""
    audience.gives(100, price=500)
    for user in range(1, 9):
        audience.follows(user)
    assert audience.state()["waiting"] == 2
    audience.wait(8.3)
    first = shown(audience)
    audience.wait(8.3)
    assert {first["merged"], shown(audience)["merged"]} == {1, 7}


def test_nobody_is_announced_again_for_following_again(audience: Audience[Alerts]) -> None:
    """Nor for sharing every minute."""
    for _ in range(3):
        audience.follows(1)
        audience.shares(1)
        audience.wait(60)
    assert names(audience, 20) == []
    audience.wait(600)
    audience.follows(1)
    assert shown(audience)["kind"] == "follow"


# -- gifts ----------------------------------------------------------------------


def test_a_combo_is_one_alert_that_counts_up_in_place(audience: Audience[Alerts]) -> None:
    """It stays while it runs, and for a moment with its final count."""
    audience.gives(1, 1, group=9, price=5)
    first = shown(audience)
    assert (first["count"], first["final"]) == (1, False)
    for count in range(2, 16):
        audience.wait(1)
        audience.gives(1, count, group=9, price=5)
    assert shown(audience) == first | {
        "count": 15, "diamonds": 75, "until": shown(audience)["until"],
    }  # fmt: skip
    audience.wait(3)
    audience.gives(1, 15, group=9, price=5, end=True)
    assert (shown(audience)["id"], shown(audience)["final"]) == (first["id"], True)
    audience.wait(2.9)
    assert shown(audience)["id"] == first["id"]
    audience.wait(0.2)
    assert audience.state()["current"] is None
    assert (audience.part.lineup.gifts_shown, audience.part.lineup.gifts_dropped) == (15, 0)


def test_a_combo_whose_end_never_comes_is_settled(audience: Audience[Alerts]) -> None:
    """And shown once."""
    audience.gives(1, 3, group=9)
    audience.wait(8)
    assert audience.state()["current"] is None
    audience.wait(60)
    assert (audience.part.lineup.gifts_shown, audience.state()["dropped"]) == (3, 0)


def test_what_is_tapped_after_a_combo_has_left_the_screen_is_shown_when_it_is_over(
    audience: Audience[Alerts],
) -> None:
    """Others had to be shown; it comes once more, with all of it, under its own name."""
    audience.gives(1, 1, group=9)
    first = shown(audience)
    audience.gives(2, price=1_000)
    for count in range(2, 13):
        audience.wait(1)
        audience.gives(1, count, group=9)
    assert shown(audience)["user"]["user_id"] == "2"
    audience.gives(1, 12, group=9, end=True)
    audience.wait(8)
    again = shown(audience)
    assert (again["id"], again["count"], again["final"]) == (first["id"], 12, True)
    assert audience.part.lineup.gifts_shown == 13


def test_repeated_and_reordered_messages_of_a_gift_change_nothing(audience: Audience[Alerts]) -> None:
    """The largest count is what was given."""
    audience.gives(1, 3, group=9)
    audience.gives(1, 2, group=9)
    audience.gives(1, 3, group=9)
    audience.gives(1, 3, group=9, end=True)
    audience.gives(1, 3, group=9, end=True)
    single = audience.gives(2, price=100)
    assert isinstance(single, Gift)
    audience.notice("gift", single)
    assert (shown(audience)["count"], audience.state()["waiting"]) == (3, 1)
    audience.wait(60)
    assert (audience.part.lineup.gifts_shown, audience.state()["dropped"]) == (4, 0)


def test_single_gifts_of_one_giver_that_wait_are_one_alert(audience: Audience[Alerts]) -> None:
    """Of the same gift; their counts add up."""
    audience.gives(9, price=1_000)
    for _ in range(4):
        audience.gives(1, price=30)
    audience.gives(1, price=99, gift_id=6)
    assert audience.state()["waiting"] == 2
    audience.wait(8.5)
    assert (shown(audience)["count"], shown(audience)["diamonds"], shown(audience)["merged"]) == (4, 120, 1)


def test_gifts_below_the_minimum_are_not_shown_until_their_combo_reaches_it(
    audience: Audience[Alerts],
) -> None:
    """The smallest of all are four of five gifts."""
    assert audience.do("alert.minimum", diamonds=10)["minimum"] == 10
    audience.gives(1, 1)
    audience.gives(2, 9, group=9)
    assert audience.state()["current"] is None
    audience.gives(2, 10, group=9)
    assert shown(audience)["count"] == 10
    audience.wait(60)
    lineup = audience.part.lineup
    assert (lineup.gifts_shown, lineup.gifts_dropped, lineup.dropped) == (10, 1, 0)


# -- what is old ------------------------------------------------------------------


def test_what_happened_before_a_reconnect_is_not_announced(audience: Audience[Alerts]) -> None:
    """Older than 30 s by TikTok's clock."""
    audience.gives(1, price=100, age_s=31)
    audience.follows(2, age_s=40)
    assert audience.state()["current"] is None
    audience.follows(3, age_s=29)
    assert shown(audience)["user"]["user_id"] == "3"


def test_a_clock_that_is_minutes_off_silences_nothing(audience: Audience[Alerts]) -> None:
    """Old is what is later than usual, whichever of the clocks is wrong."""
    for user in range(10):
        audience.says(user, "hi", age_s=120)
    audience.follows(1, age_s=121)
    assert shown(audience)["kind"] == "follow"
    audience.follows(2, age_s=160)
    audience.gives(3, price=100, age_s=160)
    assert audience.state()["waiting"] == 0


def test_a_notice_that_was_not_looked_at_in_time_is_old(audience: Audience[Alerts]) -> None:
    """The show did not keep up, or the machine slept."""
    gift = audience.gives(1, price=100)
    audience.do("alert.clear")
    then = audience.now
    audience.wait(40)
    gift.msg_id += 1
    audience.part.take(Notice(999, "gift", then, gift), audience.now)
    assert audience.state()["current"] is None


def test_a_combo_that_runs_across_a_gap_is_news_once_it_goes_on(audience: Audience[Alerts]) -> None:
    """What is tapped now is now."""
    audience.gives(1, 5, group=9)
    audience.wait(50)
    audience.gives(1, 9, group=9)
    assert (shown(audience)["count"], audience.part.lineup.gifts_shown) == (9, 9)


# -- bursts -----------------------------------------------------------------------


def test_a_crowd_that_comes_at_once_is_a_raid_and_counts_on(audience: Audience[Alerts]) -> None:
    """Against what is usual in this room."""
    for number in range(40):
        audience.joins(number)
        audience.wait(2.5)
    assert audience.state()["current"] is None
    for number in range(60):
        audience.joins(1_000 + number)
        audience.wait(0.1)
    alert = shown(audience)
    assert (alert["kind"], alert["user"]) == ("raid", None)
    assert 55 <= alert["count"] <= 65
    audience.follows(1)
    assert shown(audience)["count"] == alert["count"]
    audience.joins(5_000)
    assert shown(audience)["count"] == alert["count"] + 1
    for number in range(200):
        audience.joins(2_000 + number)
        audience.wait(0.1)
    assert names(audience, 30) == []


@pytest.mark.parametrize("every_s", [0.13, 0.5, 5])
def test_a_steady_stream_of_people_is_no_raid(audience: Audience[Alerts], every_s: float) -> None:
    """However many come, if they always do."""
    for number in range(round(200 / every_s)):
        audience.joins(number)
        audience.wait(every_s)
    assert names(audience, 1) == []


@pytest.mark.parametrize(
    "silence",
    [[("status", {"connected": False}), ("status", {"connected": True})], [("missed", {"count": 9})]],
)
def test_the_crowd_after_a_reconnect_is_no_raid(
    audience: Audience[Alerts], silence: list[tuple[str, dict[str, Any]]]
) -> None:
    """Nobody knows what was usual while nobody listened."""
    for number in range(40):
        audience.joins(number)
        audience.wait(2.5)
    for kind, data in silence:
        audience.notice(kind, data)
        audience.wait(150)
    for number in range(100):
        audience.joins(1_000 + number)
        audience.wait(0.1)
    assert audience.state()["current"] is None


# -- winners ------------------------------------------------------------------------


def result(**values: Any) -> dict[str, Any]:
    """Return a result as the host announces it."""
    user = {"user_id": "7", "nickname": "Ann", "handle": "ann", "avatar": True}
    return {
        "round": 1, "recording": "live-1", "opened_at": 5, "winner": user, "answer": "Paris", "points": 25,
        "void": False,
    } | values  # fmt: skip


def test_a_winner_goes_before_all_others(audience: Audience[Alerts]) -> None:
    """With the answer and the points."""
    audience.gives(1, price=100)
    audience.gives(2, price=5_000)
    audience.notice("show:result", result())
    audience.wait(9)
    alert = shown(audience)
    assert (alert["kind"], alert["user"]["nickname"], alert["text"], alert["points"]) == (
        "winner", "Ann", "Paris", 25,
    )  # fmt: skip


def test_a_judgement_changes_the_winner_that_is_shown(audience: Audience[Alerts]) -> None:
    """The same again is no news; void takes it back; another winner is one."""
    audience.notice("show:result", result())
    first = shown(audience)
    audience.notice("show:result", result(is_disputed=True))
    assert (shown(audience), audience.state()["waiting"]) == (first, 0)
    audience.notice("show:result", result(void=True))
    assert audience.state()["current"] is None
    other = {"user_id": "8", "nickname": "Bob", "handle": "bob", "avatar": False}
    audience.wait(1)
    audience.notice("show:result", result(winner=other))
    assert shown(audience)["user"]["nickname"] == "Bob"
    audience.wait(9)
    audience.notice("show:result", result(winner=None, opened_at=9))
    assert audience.state()["current"] is None


# -- the operator ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_tried_out(audience: Audience[Alerts], kind: str) -> None:
    """At once, before all others, and marked as a test."""
    audience.gives(1, price=10**6)
    audience.gives(2, price=10**6)
    audience.do("alert.test", kind=kind)
    audience.wait(9)
    alert = shown(audience)
    assert (alert["kind"], alert["is_test"], alert["merged"]) == (kind, True, 1)


def test_while_paused_nothing_is_shown_and_nothing_grows_old(audience: Audience[Alerts]) -> None:
    """What is on screen may finish."""
    audience.follows(1)
    audience.gives(2, price=100)
    audience.wait(5)
    audience.do("alert.pause", on=True)
    audience.wait(100)
    state = audience.state()
    assert (state["current"], state["waiting"], state["is_paused"]) == (None, 1, True)
    audience.do("alert.pause", on=False)
    assert shown(audience)["user"]["user_id"] == "2"


def test_skip_replay_mute_and_clear(audience: Audience[Alerts]) -> None:
    """Each does what it says, and says so where there is nothing to do."""
    for action in ("alert.skip", "alert.replay"):
        with pytest.raises(ShowError):
            audience.do(action)
    audience.gives(1, price=100)
    audience.gives(2, price=50)
    audience.do("alert.skip")
    audience.wait(0.3)
    assert shown(audience)["user"]["user_id"] == "2"
    audience.do("alert.replay")
    audience.wait(8)
    assert shown(audience)["user"]["user_id"] == "1"
    assert audience.do("alert.mute", on=True)["is_muted"] is True
    audience.follows(3)
    state = audience.do("alert.clear")
    assert (state["current"], state["waiting"], state["is_muted"]) == (None, 0, True)


def test_a_combo_that_was_skipped_does_not_come_back(audience: Audience[Alerts]) -> None:
    """However long it goes on."""
    audience.gives(1, 1, group=9)
    audience.do("alert.skip")
    for count in range(2, 9):
        audience.wait(1)
        audience.gives(1, count, group=9)
    audience.gives(1, 8, group=9, end=True)
    audience.wait(SETTLE_US / 1e6)
    assert audience.state()["current"] is None
    assert (audience.part.lineup.gifts_shown, audience.part.lineup.gifts_dropped) == (1, 7)


def test_what_a_withdrawn_viewer_did_leaves_the_screen(audience: Audience[Alerts]) -> None:
    """TikTok's notice and moderation's are the same."""
    audience.gives(1, price=100)
    audience.gives(2, price=50)
    audience.gives(1, price=20)
    audience.withdraws(users=(1,))
    state = audience.state()
    assert (state["current"], [one["user"]["user_id"] for one in state["queue"]]) == (None, ["2"])
    audience.wait(1)
    assert shown(audience)["user"]["user_id"] == "2"


def test_what_may_not_be_shown_is_not_lined_up() -> None:
    """Its gifts are counted all the same."""

    def lets_through(event: Event) -> bool:
        return event.user is not None and event.user.user_id != 1

    audience = Audience(Alerts(lets_through=lets_through))
    audience.gives(1, price=100)
    audience.follows(1)
    assert audience.state()["current"] is None
    assert audience.part.lineup.gifts_dropped == 1


def test_settings_survive_a_restart_and_alerts_do_not(audience: Audience[Alerts]) -> None:
    """Names go on, or a screen that stayed would take a new alert for an old one."""
    audience.gives(1, price=100)
    audience.do("alert.mute", on=True)
    audience.do("alert.minimum", diamonds=7)
    again = Audience(Alerts(), recording="")
    again.part.restore(audience.part.saved())
    again.run("live", "live-1")
    state = again.state()
    assert (state["current"], state["is_muted"], state["minimum"]) == (None, True, 7)
    again.gives(1, price=100)
    assert shown(again)["id"] != shown(audience)["id"]


def test_a_new_run_begins_with_an_empty_line(audience: Audience[Alerts]) -> None:
    """A rehearsal and a live never mix; a place that was jumped to has no earlier alerts."""
    audience.gives(1, price=100)
    audience.gives(2, price=100)
    audience.run("rehearsal", "sample")
    assert (audience.state()["current"], audience.state()["waiting"]) == (None, 0)


# -- whatever happens -------------------------------------------------------------------

STEPS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.5, 2, 5, 12, 40])),
    st.tuples(st.just("tap"), st.integers(1, 4), st.integers(1, 20), st.booleans(), st.integers(1, 3)),
    st.tuples(st.just("gift"), st.integers(1, 4), st.sampled_from([1, 30, 500])),
    st.tuples(st.just("follow"), st.integers(1, 50)),
    st.tuples(st.just("share"), st.integers(1, 50)),
    st.tuples(st.just("withdraw"), st.integers(1, 6)),
    st.tuples(
        st.just("do"), st.sampled_from(["skip", "clear", "replay", "pause", "go on", "test", "minimum"])
    ),
    st.tuples(st.just("flood"), st.integers(5, 40)),
)


class _Watcher:
    """Looks at the screen after every step, and at the counts."""

    def __init__(self) -> None:
        self.audience = Audience(Alerts())
        self.given = 0
        self.spells: list[tuple[str, int, int, bool]] = []
        self.is_cut = False
        self._on: tuple[str, int] | None = None
        tick = self.audience.part.tick

        def look(now: int) -> int | None:
            due = tick(now)
            self.look(now)
            return due

        self.audience.part.tick = look  # type: ignore[method-assign]  # to see every moment

    def look(self, now: int) -> None:
        lineup = self.audience.part.lineup
        current = lineup.current and (lineup.current.id, lineup.current.shown_at)
        if current != self._on:
            if self._on is not None:
                self.spells.append((self._on[0], self._on[1], now, self.is_cut))
            if lineup.current is not None and not lineup.is_paused:
                assert now < lineup.current.expires_at <= lineup.current.at + AGE_MAX_US + self.paused_us
        self._on = current
        assert len(lineup.waiting) <= QUEUE_MAX

    paused_us = 0

    def step(self, name: str, *values: Any) -> None:
        audience, began = self.audience, self.audience.now
        self.is_cut = name in ("withdraw", "do")
        match name:
            case "wait":
                audience.wait(*values)
            case "tap":
                user, count, end, group = values
                audience.gives(user, count, end=end, group=group)
            case "gift":
                audience.gives(values[0], price=values[1])
            case "follow":
                audience.follows(values[0])
            case "share":
                audience.shares(values[0])
            case "withdraw":
                audience.withdraws(users=values)
            case "flood":
                for number in range(values[0]):
                    audience.gives(100 + number, price=number)
            case "do":
                self.do(values[0])
        if audience.part.lineup.is_paused:
            self.paused_us += audience.now - began
        self.is_cut = False

    def do(self, what: str) -> None:
        action, values = {
            "pause": ("pause", {"on": True}), "go on": ("pause", {"on": False}),
            "test": ("test", {"kind": "raid"}), "minimum": ("minimum", {"diamonds": 40}),
        }.get(what, (what, {}))  # fmt: skip
        try:
            self.audience.do(f"alert.{action}", **values)
        except ShowError:
            assert what in ("skip", "replay")


@settings(max_examples=int(os.environ.get("SHOW_FUZZ", "100")), deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_whatever_happens_one_is_shown_at_a_time_nothing_stale_and_every_gift_is_accounted_for(
    steps: list[tuple[Any, ...]],
) -> None:
    """A gift is shown, or waits, or was dropped and counted: nothing else."""
    watcher = _Watcher()
    for step in steps:
        watcher.step(*step)
    part, lineup = watcher.audience.part, watcher.audience.part.lineup
    for spell, following in pairwise(watcher.spells):
        assert spell[2] <= following[1]
    assert all(left - came >= 3_000_000 for _, came, left, is_cut in watcher.spells if not is_cut)
    given = sum(entry.count for entry in part._ledger.entries())
    open_alerts = {id(a): a for a in [*lineup.waiting, *(s.alert for s in part._streaks.values())]}
    assert lineup.gifts_shown + lineup.gifts_dropped + sum(a.owed for a in open_alerts.values()) == given
    # In the end everything has been shown or dropped.
    watcher.do("go on")
    watcher.audience.wait(400)
    assert lineup.current is None and not lineup.waiting
    assert lineup.gifts_shown + lineup.gifts_dropped == given


def test_names_of_any_length_fit_a_state(audience: Audience[Alerts]) -> None:
    """Of viewers, of gifts, of a winner's answer."""
    wide = "🧑‍🚀" * 5_000
    for user in range(1, 9):
        audience.gives(User(user, handle=wide, nickname=wide), price=user, gift_name=wide)
    audience.notice("show:result", result(winner={"user_id": wide, "nickname": wide}, answer=wide))
    audience.wait(4)
    assert shown(audience)["kind"] == "winner"
    assert audience.state()["waiting"] == 7
