"""The host: what is on air, who has won, what comes next."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.bus.live_state import rehearsal_cleared, run_started
from toolkit.bus.notice import Notice
from toolkit.model.event import Comment, Deletion, Event, Question, User
from toolkit.show.audience.inbox import Inbox
from toolkit.show.part import ShowError
from toolkit.show.question.deck import Deck
from toolkit.show.question.host import Host
from toolkit.show.question.shelf import Shelf
from toolkit.store.rows import iso_time

S = 1_000_000
BEGAN = 1_700_000_000 * S
BANK = [
    {"id": "paris", "text": "Capital of France?", "answers": ["Paris"]},
    {"id": "rome", "text": "Capital of Italy?", "answers": ["Rome"], "difficulty": "hard"},
    {
        "id": "red",
        "text": "Which is red?",
        "choices": ["Sky", "Tomato"],
        "answers": ["Tomato"],
        "seconds": 10,
    },
]


class Studio:
    """A host with a clock that moves when told to, in a live that is connected."""

    def __init__(
        self, folder: Path, *, kind: str = "live", bank: list[dict[str, Any]] = BANK, **options: Any
    ):
        self.folder = folder
        (folder / "questions").mkdir(exist_ok=True)
        self.write(bank)
        self.inbox = Inbox()
        self.now, self.seq = BEGAN, 0
        self.host = Host(Shelf(folder / "questions"), Deck(3), inbox=self.inbox, **options)
        self.edges: list[dict[str, Any]] = []
        if kind != "none":
            self.hear(*run_started(kind, "ann", "rec-1"))
            self.connected(True)
        self.wait(0)

    def write(self, bank: list[dict[str, Any]]) -> None:
        """Write the bank."""
        (self.folder / "questions" / "bank.json").write_text(json.dumps(bank))

    def hear(self, kind: str, data: Event | dict[str, Any], *, rehearsal: bool = False) -> None:
        """Let the host hear of something now."""
        self.seq += 1
        notice = Notice(self.seq, kind, self.now, data, rehearsal)
        self.inbox.take(notice, self.now)
        self.host.take(notice, self.now)
        self.wait(0)

    def connected(self, is_connected: bool) -> None:
        """Let the connection come or go."""
        self.hear("status", {"connected": is_connected})

    def say(
        self, viewer: int, text: str, *, ago_s: float = 0.9, rehearsal: bool = False, **changes: Any
    ) -> None:
        """Let a viewer's comment arrive, written some time ago."""
        written = self.now - round(ago_s * S)
        if rehearsal:
            written -= 400_000 * S
        author = User(viewer, f"handle{viewer}", f"Viewer {viewer}", avatar_url="https://x")
        event = Comment(0, self.seq, written, written + S, author, text, "en", "", "", False)
        self.hear("comment", dataclasses.replace(event, **changes), rehearsal=rehearsal)

    def asks(self, text: str = "How tall are you?", *, by: int = 77) -> str:
        """Let a viewer ask something in TikTok's Q&A; return its id."""
        self.seq += 1
        author = User(by, "quinn", "Quinn")
        question = Question(self.seq, self.seq, None, self.now, author, self.seq, text, 0)
        self.hear("question", question)
        return f"a{self.inbox._number}"

    def became(self, question_id: str) -> str:
        """Return what has become of a question of the audience."""
        found = self.inbox.find(question_id)
        return "gone" if found is None else str(found.state)

    def wait(self, seconds: float) -> dict[str, Any]:
        """Let time pass, doing what is due when it is due; return the state."""
        end = self.now + round(seconds * S)
        for _ in range(10_000):
            due = self.host.tick(self.now)
            self.edges += [data for _, data in self.host.outbox()]
            if due is None or due > end:
                self.now = end
                return self.state
            assert due > self.now, "the host wants to be asked again at once"
            self.now = due
        raise AssertionError("the host is never done")

    def do(self, action: str, **values: Any) -> dict[str, Any]:
        """Command; return the state."""
        action = f"question.{action.removeprefix('question.')}"
        self.host.command(action, {"action": action, **values}, self.now)
        return self.wait(0)

    def refused(self, action: str, **values: Any) -> str:
        """Command what is refused; return why."""
        with pytest.raises(ShowError) as caught:
            self.do(action, **values)
        assert caught.value.hint
        return str(caught.value)

    @property
    def state(self) -> dict[str, Any]:
        """What the screens are told."""
        return self.host.state()

    @property
    def on_air(self) -> tuple[str, str]:
        """State and id of what is on air."""
        return self.state["state"], self.state["id"]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """Return a host in a live."""
    return Studio(tmp_path)


# -- a round ---------------------------------------------------------------------


def test_a_right_answer_leads_at_once_and_wins_after_the_settle_time(studio: Studio) -> None:
    """With who, what, how many points and how fast."""
    state = studio.do("next")
    assert studio.on_air == ("on_air", "paris") and state["accepted"] == []
    assert state["closes_at"] - state["opened_at"] == 30 * S
    studio.wait(5)
    studio.say(11, "paris!")
    assert studio.on_air[0] == "leading" and studio.state["leader"]["nickname"] == "Viewer 11"
    state = studio.wait(1.74)
    assert state["state"] == "leading" and studio.edges == []
    state = studio.wait(0.02)
    assert state["state"] == "decided" and state["accepted"] == ["Paris"]
    assert state["winner"] == {
        "user_id": "11", "nickname": "Viewer 11", "handle": "handle11", "avatar": True,
        "answer": "paris!", "points": 28, "after_ms": 5000,
    }  # fmt: skip
    [edge] = studio.edges
    assert (edge["round"], edge["question_id"], edge["recording"], edge["points"]) == (
        1,
        "paris",
        "rec-1",
        28,
    )
    assert edge["winner"]["user_id"] == "11" and not edge["void"] and not edge["is_disputed"]
    assert edge["key"]["accepted"] == ["Paris"]
    assert studio.wait(8)["state"] == "idle"


def test_the_earlier_by_tiktoks_clock_takes_the_lead_and_wins(studio: Studio) -> None:
    """It arrived later."""
    studio.do("next")
    studio.wait(5)
    studio.say(11, "paris")
    studio.wait(1)
    studio.say(12, "paris", ago_s=2.5)
    assert studio.state["leader"]["user_id"] == "12"
    assert studio.wait(1)["winner"]["user_id"] == "12"


def test_without_a_right_answer_it_closes_and_says_what_was_right(studio: Studio) -> None:
    """The result is a result, too."""
    studio.do("next")
    studio.wait(5)
    studio.say(11, "london")
    state = studio.wait(25)
    assert (state["state"], state["winner"], state["accepted"]) == ("closed", None, ["Paris"])
    assert [(edge["winner"], edge["points"]) for edge in studio.edges] == [(None, 0)]
    assert studio.wait(5)["state"] == "idle"


def test_what_is_no_answer_of_now_does_not_count(studio: Studio) -> None:
    """What TikTok replays after a reconnect, what nobody wrote, what came too early."""
    studio.do("next")
    studio.say(10, "paris")
    studio.wait(5)
    studio.say(11, "paris", is_history=True)
    studio.say(12, "paris", user=None)
    studio.hear("comment", {"text": "paris"})
    assert studio.state["state"] == "on_air" and studio.state["answered"] == 0


@pytest.mark.parametrize("skew_s", [0, -7], ids=["clocks agree", "ours is 7 s behind"])
def test_a_right_answer_written_before_the_question_does_not_win_however_late_it_comes(
    studio: Studio, skew_s: int
) -> None:
    """By how long it was on its way, beside the chat of the last minute; a fresh one counts."""

    def say(viewer: int, text: str, took_s: float) -> None:
        arrived = studio.now + skew_s * S
        studio.say(viewer, text, occurred_at=studio.now - round(took_s * S), received_at=arrived)

    for viewer in range(20):
        say(100 + viewer, "hello", 0.4 + viewer / 40)
        studio.wait(1)
    studio.do("next")
    studio.wait(1.5)
    say(11, "paris", 1.6)
    assert (studio.state["answered"], studio.state["leader"]) == (0, None)
    studio.wait(0.5)
    say(12, "paris", 0.8)
    assert studio.state["leader"]["user_id"] == "12"
    assert studio.wait(2)["winner"]["user_id"] == "12"


def test_who_does_not_count_wins_nothing(tmp_path: Path) -> None:
    """A viewer whom the operator has hidden."""
    studio = Studio(tmp_path, counts=lambda event: event.user is None or event.user.user_id != 11)
    studio.do("next")
    studio.wait(5)
    studio.say(11, "paris")
    studio.say(12, "paris")
    assert studio.state["leader"]["user_id"] == "12"


@pytest.mark.parametrize("gone", [{"user_ids": "11"}, {"message_ids": "777"}], ids=["viewer", "message"])
def test_who_leads_and_is_taken_back_has_not_answered(tmp_path: Path, gone: dict[str, str]) -> None:
    """Who was next leads, and the time to wait for earlier ones is theirs; afterwards it is decided."""
    studio = Studio(tmp_path)
    studio.do("next")
    studio.wait(5)
    studio.say(11, "paris", msg_id=777)
    studio.wait(1)
    studio.say(12, "paris")
    assert studio.state["leader"]["user_id"] == "11"
    withdrawn = Deletion(0, 0, None, studio.now, None, "", "")
    studio.hear("deletion", dataclasses.replace(withdrawn, **gone))
    assert studio.state["leader"]["user_id"] == "12"
    assert studio.wait(1)["state"] == "leading"
    assert studio.wait(1)["winner"]["user_id"] == "12"


def decided_by_three(studio: Studio) -> None:
    """Have viewers 11, 12 and 13 answer in this order, and 11 win."""
    studio.do("next")
    studio.wait(5)
    for viewer in (11, 12, 13):
        studio.say(viewer, "paris", msg_id=770 + viewer)
        studio.wait(0.1)
    assert studio.wait(2)["winner"]["user_id"] == "11"


def withdraw(studio: Studio, **gone: str) -> None:
    """Let TikTok or the operator take something back."""
    studio.hear("deletion", dataclasses.replace(Deletion(0, 0, None, studio.now, None, "", ""), **gone))


def test_a_winner_who_is_hidden_while_the_result_is_shown_passes_the_win_on(studio: Studio) -> None:
    """To the next in order, told as a result that the operator has judged, shown for its full time."""
    decided_by_three(studio)
    studio.wait(4)
    withdraw(studio, user_ids="11,12")
    state = studio.state
    assert (state["state"], state["winner"]["user_id"], state["right"]) == ("decided", "13", 1)
    first, second = studio.edges
    assert (second["winner"]["user_id"], second["judged"], second["void"]) == ("13", True, False)
    assert 0 < second["points"] <= first["points"]
    assert first["opened_at"] == second["opened_at"] and first["decided_at"] == second["decided_at"]
    assert studio.wait(7)["state"] == "decided"
    assert studio.wait(2)["state"] == "idle"


def test_without_another_right_answer_a_hidden_winner_leaves_nobody(studio: Studio) -> None:
    """The answer is still shown."""
    decided_by_three(studio)
    withdraw(studio, user_ids="11,12,13")
    assert (studio.state["state"], studio.state["winner"]) == ("closed", None)
    assert studio.state["accepted"] == ["Paris"]
    assert (studio.edges[-1]["winner"], studio.edges[-1]["points"]) == (None, 0)


def test_who_takes_a_comment_back_or_is_hidden_afterwards_has_won(studio: Studio) -> None:
    """A result that has left the screen is the operator's to judge, and others' hiding changes no winner."""
    decided_by_three(studio)
    withdraw(studio, message_ids="781")
    withdraw(studio, user_ids="13")
    assert studio.state["winner"]["user_id"] == "11" and studio.state["right"] == 2
    studio.wait(20)
    withdraw(studio, user_ids="11")
    assert [edge["winner"]["user_id"] for edge in studio.edges] == ["11"]


def test_a_late_winner_who_is_hidden_gives_the_win_back(studio: Studio) -> None:
    """To who had won by the clock."""
    decided_by_three(studio)
    studio.say(14, "paris", ago_s=5.5)
    studio.do("judge", verdict="late")
    assert studio.state["winner"]["user_id"] == "14"
    withdraw(studio, user_ids="14")
    assert studio.state["winner"]["user_id"] == "11" and studio.state["late_answers"] == []


def test_in_a_rehearsal_the_recordings_clocks_decide_who_was_first(tmp_path: Path) -> None:
    """Also for a comment that has no time of TikTok's; ours only tells what arrived in time."""
    studio = Studio(tmp_path, kind="rehearsal")
    studio.do("next")
    studio.wait(5)
    studio.say(11, "paris", rehearsal=True)
    studio.wait(1)
    studio.say(12, "paris", ago_s=3.5, occurred_at=None, rehearsal=True)
    assert studio.wait(1)["winner"]["user_id"] == "12"


# -- gaps and the operator's word ---------------------------------------------------


def test_a_lost_connection_disputes_the_question_on_air_and_holds_the_next(studio: Studio) -> None:
    """Time goes on for the one; no other begins until it is back."""
    studio.do("auto", mode="timer", every_s=10)
    studio.wait(3)
    assert studio.on_air == ("on_air", "paris")
    studio.connected(False)
    assert studio.state["paused"] == "disconnected" and studio.state["is_disputed"]
    studio.say(11, "paris")
    assert studio.wait(2)["state"] == "decided"
    assert studio.edges[-1]["is_disputed"]
    studio.wait(60)
    assert studio.on_air == ("idle", "")
    assert "connection is away" in studio.refused("next")
    assert "connection is away" in studio.refused("ask", text="What?", answers=["that"])
    studio.connected(True)
    assert studio.on_air == ("on_air", "rome") and not studio.state["is_disputed"]


def test_a_gap_that_is_noticed_late_disputes_the_results_that_lie_in_it(studio: Studio) -> None:
    """A silence of 45 s is told when the question is over."""
    studio.do("next")
    studio.wait(30)
    at = studio.now
    studio.wait(20)
    studio.do("next")
    gap = {
        "recording": "rec-1",
        "gap_id": 1,
        "started_at": iso_time(at - 10 * S),
        "ended_at": iso_time(at - S),
    }
    studio.hear("gap", gap | {"recording": "another"})
    assert [edge["is_disputed"] for edge in studio.edges] == [False]
    studio.hear("gap", gap)
    studio.hear("gap", gap)
    assert [(edge["round"], edge["is_disputed"]) for edge in studio.edges] == [(1, False), (1, True)]
    assert not studio.state["is_disputed"]
    studio.hear("gap", gap | {"ended_at": None})
    assert studio.state["is_disputed"]


@pytest.mark.parametrize("gap", [{}, {"started_at": 7}, {"started_at": "soon", "ended_at": "later"}, []])
def test_a_gap_without_times_is_taken_for_everything(studio: Studio, gap: Any) -> None:
    """It never fails."""
    studio.do("next")
    studio.hear("gap", {"recording": "rec-1", **gap} if isinstance(gap, dict) else gap)
    assert studio.state["is_disputed"] is isinstance(gap, dict)


def test_the_operator_accepts_a_disputed_result_and_that_stands(studio: Studio) -> None:
    """What is told of the gap afterwards changes nothing more."""
    studio.do("next")
    studio.connected(False)
    studio.connected(True)
    studio.wait(4)
    studio.say(11, "paris")
    studio.wait(2)
    assert studio.state["is_disputed"]
    assert not studio.do("judge", verdict="accept")["is_disputed"]
    studio.hear("gap", {"recording": "rec-1", "started_at": iso_time(BEGAN), "ended_at": None})
    assert [(e["is_disputed"], e["judged"], e["points"] > 0) for e in studio.edges] == [
        (True, False, True),
        (False, True, True),
    ]


def test_a_void_result_has_no_winner_until_it_is_accepted_after_all(studio: Studio) -> None:
    """The result is told again each time, with the same round."""
    studio.do("next")
    studio.wait(4)
    studio.say(11, "paris")
    studio.wait(2)
    state = studio.do("judge", verdict="void", round=1)
    assert (state["state"], state["winner"], state["is_void"]) == ("closed", None, True)
    studio.wait(60)
    studio.do("judge", verdict="accept")
    assert [(e["round"], e["void"], e["winner"] is None) for e in studio.edges] == [
        (1, False, False),
        (1, True, True),
        (1, False, False),
    ]


def test_a_late_answer_wins_if_the_operator_says_so(studio: Studio) -> None:
    """It was earlier by TikTok's clock and arrived after the decision."""
    studio.do("next")
    studio.wait(5)
    studio.say(11, "paris")
    studio.wait(2)
    studio.say(12, "Paris", ago_s=5)
    state = studio.state
    assert (state["late"], state["winner"]["user_id"]) == (1, "11")
    [late] = state["late_answers"]
    assert (late["user"]["user_id"], late["before_ms"]) == ("12", 2100)
    assert "no such late answer" in studio.refused("judge", verdict="late", seq=late["seq"] + 1)
    state = studio.do("judge", verdict="late", seq=late["seq"])
    assert state["winner"]["user_id"] == studio.edges[-1]["winner"]["user_id"] == "12"


def test_what_cannot_be_judged_is_refused(studio: Studio) -> None:
    """Nothing, an open question, a round of long ago, a word that means nothing."""
    assert "no such result" in studio.refused("judge", verdict="accept")
    studio.do("next")
    assert "no such result" in studio.refused("judge", verdict="void")
    studio.do("close")
    assert "no such result" in studio.refused("judge", verdict="void", round=7)
    assert "no such verdict" in studio.refused("judge", verdict="maybe")
    assert "seq" in studio.refused("judge", verdict="late", seq=-1)


# -- by itself ------------------------------------------------------------------


def test_by_timer_a_question_comes_every_30_seconds_and_none_is_cut_off(studio: Studio) -> None:
    """Counted from the one before; one that is still on air is waited for."""
    studio.do("auto", mode="timer")
    opened = []
    for _ in range(4):
        studio.wait(5)
        opened.append((studio.state["id"], studio.state["opened_at"]))
        studio.say(studio.seq + 100, {"paris": "paris", "rome": "rome"}.get(studio.state["id"], "b"))
        studio.wait(25)
    assert [one for one, _ in opened] == ["paris", "rome", "red", "paris"]
    assert [after - before for (_, before), (_, after) in itertools.pairwise(opened)] == [30 * S] * 3
    studio.do("auto", every_s=5)
    studio.wait(3)
    assert studio.wait(27)["state"] == "closed"


def test_by_winner_the_next_comes_when_the_result_was_shown(studio: Studio) -> None:
    """Also when nobody was right: a show does not stand still."""
    studio.do("auto", mode="winner")
    studio.wait(5)
    studio.say(11, "paris")
    studio.wait(1.75 + 8)
    assert studio.on_air == ("idle", "")
    studio.wait(0.5)
    assert studio.on_air == ("on_air", "rome")
    studio.wait(30 + 5 + 0.5)
    assert studio.on_air == ("on_air", "red")


def test_questions_of_the_audience_go_on_air_by_themselves_in_between(studio: Studio) -> None:
    """Between two of the bank, and never two of the bank while one waits."""
    asked = [studio.asks(text) for text in ("How tall are you?", "Where do you live?", "What is your name?")]
    assert studio.on_air == ("on_air", asked[0])
    studio.do("auto", mode="winner")
    seen = []
    for _ in range(400):
        studio.wait(0.5)
        if studio.state["id"] and studio.state["id"] not in seen:
            seen.append(studio.state["id"])
    assert seen == [asked[0], "paris", asked[1], "rome", asked[2], "red"]
    assert {studio.became(one) for one in asked} == {"answered"}


def test_how_long_a_viewers_question_stays_depends_on_its_length_and_on_who_waits(studio: Studio) -> None:
    """From 8 to 12 s, 3.5 s when eight others wait."""
    short = studio.asks("Why?")
    studio.asks("Why?", by=78)
    state = studio.state
    assert (state["source"], state["asked_count"], state["asked_by"]["nickname"]) == ("audience", 2, "Quinn")
    assert state["seconds"] == pytest.approx(8.1)
    studio.say(11, "paris")
    assert studio.state["answered"] == 0
    studio.wait(8)
    assert studio.on_air == ("on_air", short)
    assert studio.wait(0.2)["state"] == "idle" and studio.became(short) == "answered"
    studio.asks("Where do you " + "really " * 30 + "live?")
    studio.wait(0.5)
    assert studio.state["seconds"] == 12
    more = [studio.asks(f"Question number {n} of {n * 7}?") for n in range(9)]
    studio.wait(12.5)
    assert (studio.state["id"], studio.state["seconds"]) == (more[0], 3.5)


def test_a_question_that_is_taken_back_leaves_the_screen(studio: Studio) -> None:
    """TikTok withdraws messages, and the operator dismisses questions."""
    studio.asks()
    studio.hear("deletion", Deletion(0, 0, None, studio.now, None, "", "77"))
    assert studio.state["state"] == "idle"
    studio.wait(1)
    second = studio.asks("Where do you live?", by=78)
    assert studio.on_air == ("on_air", second)
    studio.inbox.command("inbox.dismiss", {"id": second}, studio.now)
    assert studio.wait(0)["state"] == "idle"


def test_nothing_comes_by_itself_without_a_live_or_while_it_is_paused(tmp_path: Path) -> None:
    """By hand it does."""
    studio = Studio(tmp_path, kind="none")
    studio.do("auto", mode="timer")
    studio.asks()
    assert studio.wait(100)["state"] == "idle"
    studio.do("next")
    assert studio.on_air == ("on_air", "paris")
    studio.do("close")
    studio.do("close")
    studio.hear(*run_started("live", "ann", "rec-1"))
    studio.connected(True)
    asked = studio.asks()
    studio.wait(0.5)
    assert studio.on_air == ("on_air", asked)
    studio.do("pause", on=True)
    assert studio.wait(100)["state"] == "idle" and studio.state["paused"] == "by_hand"
    studio.do("pause", on=False)
    assert studio.on_air == ("on_air", "rome")


def test_audience_off_leaves_the_screen_to_the_bank(studio: Studio) -> None:
    """What the operator takes out of the inbox by hand still goes."""
    studio.do("auto", audience=False)
    asked = studio.asks()
    assert studio.wait(60)["state"] == "idle"
    assert studio.state["next"] == {"source": "bank", "id": "paris", "text": "Capital of France?"}
    assert studio.do("next", source="audience")["id"] == asked
    studio.do("close")
    assert studio.do("ask", id=asked)["id"] == asked and studio.became(asked) == "on_air"
    studio.inbox.command("inbox.dismiss", {"id": asked}, studio.now)
    assert "no such question" in studio.refused("ask", id=asked)


# -- by hand --------------------------------------------------------------------


def test_next_and_skip_are_taken_back(studio: Studio) -> None:
    """The one before comes on air again, from its beginning; the other was not asked."""
    studio.do("next")
    studio.wait(10)
    studio.do("next")
    assert studio.on_air == ("on_air", "rome")
    state = studio.do("undo")
    assert studio.on_air == ("on_air", "paris")
    assert state["closes_at"] == studio.now + 30 * S
    assert state["next"]["id"] == "rome" and state["bank"]["asked"] == 1
    studio.do("skip")
    assert studio.state["state"] == "idle"
    studio.do("undo")
    assert studio.on_air == ("on_air", "paris")
    studio.do("undo")
    assert studio.state["state"] == "idle" and studio.state["bank"]["asked"] == 0
    assert not studio.state["can_undo"] and "nothing to take back" in studio.refused("undo")
    assert studio.edges == []


def test_a_question_of_the_audience_is_given_back_and_shown_again(studio: Studio) -> None:
    """Undo works on both kinds."""
    asked = studio.asks()
    studio.do("next")
    assert studio.on_air == ("on_air", "paris") and studio.became(asked) == "answered"
    studio.do("undo")
    assert studio.on_air == ("on_air", asked) and studio.became(asked) == "on_air"


def test_who_leads_when_the_operator_goes_on_has_won(studio: Studio) -> None:
    """That is not taken back."""
    studio.do("next")
    studio.wait(5)
    studio.say(11, "paris")
    studio.do("next")
    assert studio.on_air == ("on_air", "rome")
    assert [(e["winner"]["user_id"], e["decided_at"]) for e in studio.edges] == [("11", studio.now)]
    studio.do("undo")
    assert studio.state["state"] == "idle"


def test_a_decided_question_is_not_undone_but_judged(studio: Studio) -> None:
    """There is a winner on screen."""
    studio.do("next")
    studio.do("close")
    assert "decided already" in studio.refused("undo")


def test_close_ends_the_answering_and_then_the_showing(studio: Studio) -> None:
    """Without a winner, with one, and for the audience."""
    studio.do("next")
    studio.wait(3)
    assert studio.do("close")["state"] == "closed"
    assert studio.state["closes_at"] == studio.now
    assert studio.do("close")["state"] == "idle"
    assert "Nothing is on air" in studio.refused("close")
    studio.wait(1)
    asked = studio.asks()
    assert studio.do("close")["state"] == "idle" and studio.became(asked) == "answered"


def test_a_pinned_card_stays_until_it_is_unpinned(studio: Studio) -> None:
    """Its answers still end in time, and nothing comes by itself."""
    assert "Nothing is on air" in studio.refused("pin", on=True)
    studio.do("auto", mode="timer")
    studio.do("pin", on=True)
    state = studio.wait(300)
    assert (state["state"], state["id"], state["is_pinned"]) == ("closed", "paris", True)
    studio.do("pin", on=False)
    studio.wait(0.5)
    assert studio.on_air == ("on_air", "rome") and not studio.state["is_pinned"]


def test_a_question_can_be_asked_by_its_id_or_made_up(studio: Studio) -> None:
    """By the rules of a bank file."""
    assert studio.do("ask", id="red")["choices"] == ["Sky", "Tomato"]
    assert studio.state["bank"]["asked"] == 1
    state = studio.do("ask", text="2 + 2?", answers=["4"], seconds=5)
    assert (state["text"], state["seconds"], state["bank"]["asked"]) == ("2 + 2?", 5, 1)
    assert "no such question" in studio.refused("ask", id="nothing")
    assert "answers: is missing" in studio.refused("ask", text="2 + 2?")
    assert "seconds" in studio.refused("ask", text="2 + 2?", answers=["4"], seconds=1)


def test_an_empty_bank_is_a_sentence(tmp_path: Path) -> None:
    """Also by timer."""
    studio = Studio(tmp_path, bank=[])
    assert "no questions" in studio.refused("next")
    assert "No question of the audience" in studio.refused("next", source="audience")
    studio.do("auto", mode="timer")
    assert studio.wait(60)["state"] == "idle"


# -- the bank -------------------------------------------------------------------


def test_a_bank_that_changes_is_taken_up_in_two_seconds_and_the_one_on_air_stays(studio: Studio) -> None:
    """Even when it is no longer in it."""
    studio.do("next")
    studio.write([{"id": "new", "text": "New?", "answers": ["yes"]}])
    state = studio.wait(2)
    assert (state["text"], state["bank"]["questions"], state["next"]["id"]) == (
        "Capital of France?",
        1,
        "new",
    )
    studio.wait(3)
    studio.say(11, "paris")
    assert studio.wait(2)["winner"]["user_id"] == "11"


def test_mistakes_are_told_and_the_old_bank_goes_on(studio: Studio) -> None:
    """Until they are corrected."""
    studio.write([{"text": "New?", "answers": ["yes"], "seconds": 1}])
    state = studio.wait(2)
    assert state["bank"]["mistakes"] == ["bank.json:1: seconds: '1' is not a number from 5 to 600"]
    assert state["bank"]["questions"] == 3 and studio.do("next")["id"] == "paris"
    studio.write(BANK)
    assert studio.do("reload")["bank"]["mistakes"] == []


def test_the_form_adds_edits_and_removes_questions(studio: Studio) -> None:
    """They can be asked at once."""
    studio.do("add", id="mine", text="Mine?", answers=["yes"])
    assert studio.do("ask", id="mine")["text"] == "Mine?"
    studio.do("edit", id="mine", text="Yours?")
    assert studio.state["text"] == "Mine?"
    assert studio.do("ask", id="mine")["text"] == "Yours?"
    found = studio.host.bank("yours", 10)
    assert (found["total"], found["questions"][0]["is_added"], found["questions"][0]["is_asked"]) == (
        1,
        True,
        True,
    )
    studio.do("remove", id="mine")
    assert "no such question" in studio.refused("ask", id="mine")
    assert "answers" in studio.refused("add", text="Mine?")


def test_the_sample_follows_the_language_of_the_stage(tmp_path: Path) -> None:
    """As long as there is no bank."""
    studio = Studio(tmp_path)
    (tmp_path / "questions" / "bank.json").unlink()
    assert studio.wait(2)["bank"]["is_sample"]
    english = studio.state["next"]["text"]
    studio.hear("show:stage", {"language": "fr"})
    assert studio.wait(2)["next"]["text"] != english


# -- runs and restarts ------------------------------------------------------------


def test_a_new_live_begins_with_nothing_on_air_and_the_question_was_not_asked(studio: Studio) -> None:
    """Nobody of the new live could have seen it."""
    studio.do("next")
    studio.hear(*run_started("live", "bob", "rec-2"))
    state = studio.state
    assert (state["state"], state["next"]["id"], state["can_undo"], state["paused"]) == (
        "idle",
        "paris",
        False,
        "",
    )
    assert "no such result" in studio.refused("judge", verdict="void")


@pytest.mark.parametrize("ending", [run_started("none", "", ""), rehearsal_cleared()])
def test_a_rehearsal_leaves_the_bank_as_it_was(tmp_path: Path, ending: tuple[str, dict[str, Any]]) -> None:
    """And the screen empty."""
    studio = Studio(tmp_path)
    studio.do("next")
    studio.do("close")
    for _ in range(2):
        studio.hear(*run_started("rehearsal", "", "sample"))
        studio.connected(True)
        studio.do("next")
    assert studio.state["bank"]["asked"] == 2
    studio.do("auto", every_s=12)
    studio.hear(*ending)
    assert (studio.on_air, studio.state["bank"]["asked"]) == (("idle", ""), 1)
    assert studio.state["every_s"] == 12


def test_the_end_of_a_live_leaves_the_result_on_screen(studio: Studio) -> None:
    """Nothing follows it."""
    studio.do("auto", mode="winner")
    studio.wait(5)
    studio.say(11, "paris")
    studio.hear(*run_started("none", "", ""))
    studio.connected(False)
    assert studio.wait(2)["state"] == "decided"
    assert studio.wait(60)["state"] == "idle"


def test_a_restart_keeps_settings_and_what_was_asked(tmp_path: Path) -> None:
    """What was on air was not asked yet."""
    studio = Studio(tmp_path)
    studio.do("auto", mode="winner", every_s=45, order="shuffle", audience=False)
    studio.do("close")
    studio.do("next")
    saved = json.loads(json.dumps(studio.host.saved()))
    again = Host(Shelf(tmp_path / "questions"), Deck(99))
    again.restore(saved)
    again.tick(studio.now)
    state = again.state()
    assert [state[name] for name in ("mode", "every_s", "order", "audience")] == [
        "winner",
        45,
        "shuffle",
        False,
    ]
    assert state["bank"]["asked"] == 1 and state["next"]["id"] == studio.state["id"]
    again.command("question.next", {}, studio.now)
    assert again.state()["round"] == 3


# -- whatever comes -----------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["id", "text", "answers", "choices", "seconds", "on", "mode", "every_s", "order", "audience", "verdict",
     "seq", "round", "source", "points", "at"]
)  # fmt: skip
ACTIONS = sorted(Host(Shelf(Path()), Deck(1)).actions)
LIKELY = st.sampled_from(
    ["paris", "rome", "Paris", ["Paris"], True, False, 1, "timer", "winner", "void", "late"]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.dictionaries(NAMES, LIKELY | ANYTHING, max_size=4)),
        max_size=12,
    )
)
def test_whatever_is_commanded_is_done_or_is_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, commands: list[tuple[str, Mapping[str, Any]]]
) -> None:
    """And the show goes on: its state is always JSON of a bounded size."""
    studio = Studio(tmp_path_factory.mktemp("show"))
    for action, values in commands:
        try:
            studio.do(action, **values)
        except ShowError as error:
            assert str(error) and error.hint
        studio.say(studio.seq + 1, "paris")
        studio.wait(2)
        assert len(json.dumps(studio.state, ensure_ascii=False).encode()) < 12 * 1024
    json.dumps(studio.host.saved())


@given(st.dictionaries(st.sampled_from(["mode", "every_s", "order", "audience", "round", "deck"]), ANYTHING))
def test_whatever_was_saved_is_taken_up_or_left_out(saved: dict[str, Any]) -> None:
    """A file that somebody has edited by hand."""
    host = Host(Shelf(Path("/nowhere")), Deck(1))
    host.restore(saved)
    host.tick(BEGAN)
    host.command("question.next", {}, BEGAN)
    assert host.state()["state"] == "on_air"


def test_the_largest_state_fits_into_a_notice(tmp_path: Path) -> None:
    """Everything as long as the rules allow, in letters of four bytes."""
    long = "𝔘" * 300
    choices = [f"{n}{long[1:]}" for n in range(8)]
    row = {"text": long, "choices": choices, "answers": choices, "category": long}
    studio = Studio(tmp_path, bank=[row, {"text": "x" + long[1:], "answers": [long]}])
    studio.do("next")
    studio.wait(2)
    studio.say(11, choices[0], user=User(11, long, long))
    studio.wait(2)
    assert studio.state["state"] == "decided"
    assert len(json.dumps(studio.state, ensure_ascii=False).encode()) < 12 * 1024
