"""Moderation: what the gate lets through, what the operator decides, and what a replay makes of it."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.app import App
from toolkit.bus.live_state import run_started
from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice, event_data
from toolkit.clock import ManualClock
from toolkit.config import load_settings
from toolkit.model.event import Comment, Deletion, Gift, Question, User
from toolkit.replay.options import ReplayOptions
from toolkit.show.conductor import Conductor
from toolkit.show.moderation.blocklist import Blocklist
from toolkit.show.moderation.decisions import DECIDED, Decisions, public_comments
from toolkit.show.moderation.gate import APPROVED, Gate
from toolkit.show.moderation.moderation import HELD_MAX, Moderation
from toolkit.show.moderation.ruling import Decided, Rules
from toolkit.show.part import ShowError
from toolkit.store.reader import open_recording

NOW = 1_700_000_000_000_000


def comment(
    text: str = "hello", *, user: int = 7, nickname: str = "Ann", handle: str = "ann", msg: int = 1
) -> Comment:
    """Return a comment."""
    author = User(user, handle, nickname)
    return Comment(0, msg, None, NOW, author, text, "en", "", "", is_history=False)


# -- the gate ----------------------------------------------------------------


def gate_with(*entries: str, **rules: Any) -> Gate:
    """Return a gate with a list in force."""
    return Gate(Rules(blocklist=Blocklist(entries), **rules))


def notice(data: Any, kind: str = "", seq: int = 1) -> Notice:
    """Return a notice of an event or of data."""
    return Notice(seq, kind or data.kind, NOW, data)


def test_the_gate_lets_through_what_nothing_speaks_against() -> None:
    """The very notice, so that it is encoded once for all."""
    told = notice(comment("hello"))
    assert Gate().public(told) is told
    assert gate_with("spam").public(told) is told


@pytest.mark.parametrize(
    "event",
    [
        comment("buy $p4m"),
        comment(nickname="spam"),
        comment(handle="spam"),
        Question(0, 1, None, NOW, User(7, "a", "A"), 5, "spam?", 0),
        Gift(0, 1, None, NOW, User(7, "a", "S.P.A.M"), 1, "Rose", 1, 1, 1, True, 1, 0, ""),
    ],
)
def test_a_blocked_word_or_name_is_not_shown_at_all(event: Any) -> None:
    """Names count as words do, whatever their bearer does."""
    assert gate_with("spam").public(notice(event)) is None
    assert not gate_with("spam").lets_through(event)


def test_what_cannot_be_judged_is_held_back_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """It fails closed: a fault of ours shows nothing."""
    broken = comment()
    broken.text = 5  # type: ignore[assignment]  # what must never happen
    with caplog.at_level(logging.ERROR, "toolkit.show"):
        assert gate_with("spam").public(notice(broken)) is None
        assert not gate_with("spam").counts(broken)
        assert gate_with("spam").public(notice({"no": "kind"}, APPROVED)) is None
        snapshot = {"comments": [{"seq": 1, "data": {"msg_id": "x"}}, {"seq": 2}], "run": "live"}
        assert gate_with("spam").public_snapshot(snapshot) == {"comments": [], "run": "live"}
    assert "held back" in caplog.text


def test_what_waits_for_approval_counts_as_an_answer_and_what_is_blocked_does_not() -> None:
    """Else nobody could win while everything is held."""
    gate = gate_with("spam", holds=True)
    assert not gate.lets_through(comment("Paris"))
    assert gate.counts(comment("Paris"))
    assert not gate.counts(comment("spam"))
    assert not gate_with("x1", hidden_users=frozenset({7})).counts(comment("Paris"))


def test_the_operators_parts_of_the_show_are_not_public() -> None:
    """What waits for approval would be readable otherwise."""
    gate = Gate()
    assert gate.public(notice({"held": [{"text": "spam"}]}, "show:moderation")) is None
    assert gate.public(notice({"questions": []}, "show:inbox")) is None
    assert gate.public(notice({}, DECIDED)) is None
    assert gate.public(notice({}, "show:whatever-comes")) is None
    assert gate.public(notice({"is_blank": False}, "show:stage")) is not None
    shown = gate.public_snapshot({"show": {"moderation": {}, "inbox": {}, "stage": {"is_blank": True}}})
    assert shown == {"show": {"stage": {"is_blank": True}}}


def test_who_is_hidden_is_taken_out_of_the_states_too() -> None:
    """Rows about them are left out, elsewhere there is nobody, and their words are gone."""
    bad = {"user_id": "7", "nickname": "Ann", "handle": "ann", "avatar": False}
    good = bad | {"user_id": "8", "nickname": "Bob"}
    gate = Gate(Rules(hidden_users=frozenset({7})))

    def shown(state: dict[str, Any], part: str) -> Any:
        public = gate.public(notice(state, f"show:{part}"))
        assert public is not None
        return public.data

    rows = [{"rank": 1, "user": bad, "points": 3}, {"rank": 2, "user": good, "points": 2}]
    assert shown({"live": rows, "players": 2}, "leaderboard") == {"live": rows[1:], "players": 2}
    assert shown({"current": {"kind": "gift", "user": bad}, "waiting": 0}, "alert") == {
        "current": None,
        "waiting": 0,
    }
    asked = {"state": "on_air", "text": "Age?", "asked_by": bad, "winner": None}
    assert shown(asked, "question") == {"state": "idle", "text": "", "asked_by": None, "winner": None}
    won = {"state": "decided", "text": "Capital?", "asked_by": None, "winner": bad | {"answer": "Paris"}}
    assert shown(won, "question") == won | {"winner": None}
    assert shown(won | {"winner": good | {"answer": "Paris"}}, "question")["winner"]["answer"] == "Paris"


def test_a_blocked_answer_is_not_on_screen_beside_its_winner() -> None:
    """Nor is a question of the audience with a blocked word; the operator's own are not judged."""
    winner = {"user_id": "8", "nickname": "Bob", "handle": "bob", "avatar": False}
    gate = gate_with("spam")
    result = {"text": "What is spam?", "winner": winner, "answer": "spam", "asked_by": None}
    public = gate.public(notice(result, "show:result"))
    assert public is not None and public.data == result | {"answer": ""}
    asked = gate.public(notice({"state": "on_air", "text": "spam?", "asked_by": winner}, "show:question"))
    assert asked is not None and asked.data == {"state": "idle", "text": "", "asked_by": winner}


# -- the part ----------------------------------------------------------------


class Desk:
    """Moderation with its gate, on a real bus with a conductor and a clock that moves when told to."""

    def __init__(self, folder: Path | None = None) -> None:
        self.clock = ManualClock(NOW)
        self.bus = MemoryBus(clock=self.clock)
        self.gate = Gate()
        self.part = Moderation(self.gate)
        keepers = {}
        if folder is not None:
            decisions = Decisions(folder)
            self.gate.follow(self.bus, decisions.of)
            keepers = {DECIDED: [decisions.keep]}
        self.show = Conductor(self.bus, [self.part], clock=self.clock, folder=folder, keepers=keepers)
        self.run("live", "rec-1")

    def run(self, kind: str, recording: str) -> None:
        """Begin a run."""
        self.bus.publish([run_started(kind, "demo", recording)], rehearsal=kind == "rehearsal")
        self.show.step()

    def say(self, event: Any) -> None:
        """Have something happen."""
        self.bus.publish([(event.kind, event)])
        self.show.step()

    def ask(self, action: str, **values: Any) -> dict[str, Any]:
        """Ask as the dashboard does; return the part's state."""
        self.clock.advance(0.001)
        answer = self.show.command({"action": f"moderation.{action}", **values})
        self.show.step()
        state: dict[str, Any] = answer["moderation"]
        return state

    def state(self) -> dict[str, Any]:
        """Return what the dashboard shows, announced by now."""
        self.clock.advance(2)
        self.show.step()
        return self.show.state()["moderation"]

    def close(self) -> None:
        """End, with everything saved."""
        self.state()
        self.show.stop()

    def announced(self, kind: str) -> list[Any]:
        """Return the data of all notices of a type."""
        return [n.data for n in self.bus.since(0)[0] if n.type == kind]


def test_what_is_held_back_waits_until_it_is_approved_and_is_then_shown() -> None:
    """Under hold-for-approval everything a viewer writes does."""
    desk = Desk()
    desk.ask("hold", on=True)
    desk.say(comment("Paris", msg=11))
    state = desk.state()
    assert [(h["msg_id"], h["text"], h["reason"]) for h in state["held"]] == [("11", "Paris", "hold")]
    state = desk.ask("approve", msg_id="11")
    assert state["held"] == []
    (approved,) = desk.announced(APPROVED)
    public = desk.gate.public(notice(approved, APPROVED, seq=9))
    assert public is not None
    assert (public.type, public.seq) == ("comment", 9)
    assert public.data == event_data(comment("Paris", msg=11))
    assert desk.gate.lets_through(comment("Paris", msg=11)), "also in a snapshot"


def test_a_blocked_word_waits_with_the_entry_that_holds_it() -> None:
    """The operator sees why, and may show it all the same."""
    desk = Desk()
    desk.ask("words", words=["spam", "spam ", "*scam*"])
    desk.say(comment("no s.p.a.m please", msg=5))
    (held,) = desk.state()["held"]
    assert (held["reason"], held["word"], held["user"]["nickname"]) == ("word", "spam", "Ann")
    assert desk.state()["lists"]["words"] == ["spam", "*scam*"]
    desk.ask("approve", msg_id="5")
    assert desk.gate.lets_through(comment("no s.p.a.m please", msg=5))


@pytest.mark.parametrize(
    "change", [("hold", {"on": False}), ("words", {"words": []}), ("links", {"on": False})]
)
def test_a_list_that_grows_shorter_lets_nothing_go_by_itself(change: tuple[str, dict[str, Any]]) -> None:
    """What waits goes on waiting: a screen that connects then must not get it."""
    desk = Desk()
    desk.ask("words", words=["spam"])
    desk.ask("links", on=True)
    desk.say(comment("spam at example.com", msg=5))
    desk.ask("hold", on=True)
    desk.say(comment("fine", msg=6))
    for action, values in (
        ("words", {"words": []}),
        ("links", {"on": False}),
        ("hold", {"on": False}),
        change,
    ):
        desk.ask(action, **values)
        assert not desk.gate.lets_through(comment("spam at example.com", msg=5))
        assert not desk.gate.lets_through(comment("fine", msg=6))
    assert desk.gate.lets_through(comment("fine", msg=7))


def test_words_are_added_and_removed_also_where_the_list_is_too_long_to_be_shown() -> None:
    """Who sends back what a screen shows would lose the rest; the state says that it is not all."""
    desk = Desk()
    state = desk.ask("words", words=[f"word{n}" for n in range(500)])
    assert (state["words"], state["lists"]["is_whole"]) == (500, False)
    assert len(json.dumps(state).encode()) < 12 * 1024
    state = desk.ask("words", add=["spam"], remove=["word0", "unknown"])
    assert state["words"] == 500
    assert desk.gate.lets_through(comment("word0"))
    assert not desk.gate.lets_through(comment("spam word499"))
    assert desk.ask("words", words=[])["lists"] == {
        "words": [],
        "is_whole": True,
        "users": [],
        "links": False,
    }


def test_a_comment_that_arrives_while_the_rules_change_is_not_lost() -> None:
    """The hub held it back under the old rules; the part hears of it under the new ones: it waits."""
    desk = Desk()
    desk.ask("hold", on=True)
    told = desk.bus.publish([("comment", comment("early", msg=5))])
    assert desk.gate.public(told[0]) is None
    desk.part.command("moderation.hold", {"on": False}, desk.clock.now_us() + 5)
    desk.show.step()
    assert [held["msg_id"] for held in desk.state()["held"]] == ["5"]


def test_hiding_a_message_takes_it_back_everywhere() -> None:
    """As TikTok's own withdrawals are announced; it stays out of what is shown later."""
    desk = Desk()
    desk.say(comment("rude", msg=5))
    desk.ask("hide_message", msg_id="5")
    (deletion,) = desk.announced("deletion")
    assert (deletion.message_ids, deletion.user_ids) == ("5", "")
    assert not desk.gate.lets_through(comment("rude", msg=5))
    desk.ask("show_message", msg_id="5")
    assert desk.gate.lets_through(comment("rude", msg=5))


def test_rejecting_takes_it_off_the_operators_screens_too() -> None:
    """What waited is gone for good."""
    desk = Desk()
    desk.ask("hold", on=True)
    desk.say(comment("rude", msg=5))
    assert desk.ask("reject", msg_id="5")["held"] == []
    desk.ask("hold", on=False)
    assert not desk.gate.lets_through(comment("rude", msg=5))
    assert [d.message_ids for d in desk.announced("deletion")] == ["5"]
    with pytest.raises(ShowError, match="does not wait"):
        desk.ask("approve", msg_id="5")


def test_a_hidden_viewer_is_gone_with_all_they_said_and_will_say() -> None:
    """Under any name; what they say later is taken off the operator's screens as well."""
    desk = Desk()
    desk.ask("hold", on=True)
    desk.say(comment("one", msg=5, user=9))
    state = desk.ask("hide_user", user_id="9")
    assert state["held"] == []
    assert [user["nickname"] for user in state["lists"]["users"]] == ["Ann"]
    desk.ask("hold", on=False)
    desk.say(comment("two", msg=6, user=9, nickname="Other", handle="other"))
    assert [(d.message_ids, d.user_ids) for d in desk.announced("deletion")] == [("", "9"), ("6", "")]
    assert not desk.gate.lets_through(comment("three", msg=7, user=9))
    desk.ask("show_user", user_id="9")
    assert desk.gate.lets_through(comment("four", msg=8, user=9))
    assert not desk.state()["lists"]["users"]


def test_what_tiktok_withdraws_no_longer_waits() -> None:
    """Neither a message nor all of a viewer."""
    desk = Desk()
    desk.ask("hold", on=True)
    for msg, user in ((5, 1), (6, 2), (7, 2), (8, 3)):
        desk.say(comment("x", msg=msg, user=user))
    desk.say(Deletion(0, 0, None, NOW, None, "5", "2"))
    assert [held["msg_id"] for held in desk.state()["held"]] == ["8"]


def test_the_queue_is_bounded_and_what_falls_out_is_never_shown() -> None:
    """A flood under hold."""
    desk = Desk()
    desk.ask("hold", on=True)
    desk.bus.publish([("comment", comment("x" * 200, msg=n)) for n in range(1, HELD_MAX + 51)])
    desk.show.step()
    desk.ask("hold", on=False)
    state = desk.state()
    assert state["waiting"] == HELD_MAX
    assert len(json.dumps(state, ensure_ascii=False).encode()) < 12 * 1024
    assert not any(desk.gate.lets_through(comment("x", msg=n)) for n in (1, 50, 51, HELD_MAX + 50))
    assert desk.gate.lets_through(comment("x", msg=HELD_MAX + 51))


def test_lists_survive_a_restart_and_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    """Hidden viewers, words, links and hold; a file that somebody has edited badly."""
    desk = Desk(tmp_path)
    desk.ask("words", words=["spam"])
    desk.ask("links", on=True)
    desk.ask("hide_user", user_id="9")
    desk.close()
    again = Desk(tmp_path)
    assert not again.gate.lets_through(comment("spam"))
    assert not again.gate.lets_through(comment("example.com"))
    assert not again.gate.lets_through(comment("hi", user=9))
    part = Moderation(gate := Gate())
    part.restore(
        {"words": ["spam", 5, "*", "x" * 99], "users": [{"user_id": "x"}, 3, {"user_id": "9"}], "hold": 1}
    )
    assert gate.rules.blocklist.entries == ("spam",)
    assert gate.rules.hidden_users == {9}
    assert not gate.rules.holds


def test_what_waits_survives_a_restart_of_the_same_live(tmp_path: Path) -> None:
    """It stays unshown, with why it waits, and can be approved as what it was; another live begins anew."""
    desk = Desk(tmp_path)
    desk.ask("words", words=["spam"])
    question = Question(3, 13, NOW - 5, NOW, User(8, "bob", "Bob", avatar_url="https://x"), 5, "spam?", 1)
    desk.say(comment("no spam", msg=11))
    desk.say(comment("spam \ud83d", msg=12))
    desk.say(question)
    before = desk.ask("words", words=[])
    desk.close()
    again = Desk(tmp_path)
    assert again.state()["held"] == before["held"] and before["waiting"] == 3
    assert not again.gate.lets_through(comment("no spam", msg=11))
    again.ask("approve", msg_id="13")
    again.ask("reject", msg_id="11")
    assert [data["text"] for data in again.announced(APPROVED)] == ["spam?"]
    assert again.announced(APPROVED) == [{"kind": "question"} | event_data(question)]
    again.close()
    third = Desk(tmp_path)
    assert [row["msg_id"] for row in third.state()["held"]] == ["12"]
    third.run("live", "rec-2")
    assert third.state()["held"] == []


def test_what_was_decided_after_the_state_was_saved_does_not_wait_again(tmp_path: Path) -> None:
    """A process that is killed has its decisions on disk, and an older state."""
    desk = Desk(tmp_path)
    desk.ask("hold", on=True)
    for msg, user in ((11, 7), (12, 8), (13, 9), (14, 7)):
        desk.say(comment("hello", msg=msg, user=user))
    desk.close()
    old = (tmp_path / "state.json").read_bytes()
    killed = Desk(tmp_path)
    killed.ask("approve", msg_id="11")
    killed.ask("reject", msg_id="12")
    killed.ask("hide_user", user_id="9")
    killed.close()
    (tmp_path / "state.json").write_bytes(old)
    assert [row["msg_id"] for row in Desk(tmp_path).state()["held"]] == ["14"]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "gift"}, {"kind": []}, {"at": "x"}, {"reason": "whim"}, {"word": None}, {"event": 5},
        {"event": {}}, {"event": {"user": {"user_id": "7"}}},
    ],
)  # fmt: skip
def test_what_waits_and_cannot_be_read_is_left_out(change: dict[str, Any]) -> None:
    """A file that somebody has edited stops nothing; what can be read waits."""
    desk = Desk()
    desk.ask("hold", on=True)
    desk.say(comment(msg=11))
    saved = desk.part.saved()
    assert saved is not None
    part = Moderation(Gate())
    part.restore(saved | {"held": [*saved["held"], saved["held"][0] | change, 5, None]})
    assert [row["msg_id"] for row in part.state()["held"]] == ["11"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "moderation.hold"}, {"action": "moderation.hold", "on": "yes"},
        {"action": "moderation.approve", "msg_id": "x"}, {"action": "moderation.approve"},
        {"action": "moderation.hide_user", "user_id": -5},
        {"action": "moderation.hide_user", "user_id": True},
        {"action": "moderation.hide_message", "msg_id": "9" * 30},
        {"action": "moderation.words"},
        {"action": "moderation.words", "words": "spam"},
        {"action": "moderation.words", "words": [["spam"]]},
        {"action": "moderation.words", "words": ["*"]},
        {"action": "moderation.links", "on": None},
    ],
)  # fmt: skip
def test_a_wrong_command_is_told_what_is_wrong_and_changes_nothing(wrong: dict[str, Any]) -> None:
    """A sentence, never a traceback."""
    desk = Desk()
    desk.ask("words", words=["keep"])
    before = desk.state()
    with pytest.raises(ShowError) as error:
        desk.show.command(wrong)
    assert str(error.value)
    assert desk.state() == before


# -- what was decided about a live ----------------------------------------------


def test_a_replay_leaves_out_what_the_operator_hid_from_its_first_notice_on(tmp_path: Path) -> None:
    """The gate knows before anybody has heard of the run; nothing of the rehearsal itself is kept."""
    live = Desk(tmp_path)
    live.ask("words", words=["spam"])
    live.say(comment("rude", msg=5))
    live.say(comment("spam, but fine", msg=6))
    live.ask("hide_message", msg_id="5")
    live.ask("approve", msg_id="6")
    live.ask("hide_user", user_id="9")
    live.ask("show_user", user_id="9")
    live.close()
    kept = (tmp_path / "moderation" / "rec-1.jsonl").read_text()
    assert [json.loads(line)["decision"] for line in kept.splitlines()] == [
        "hide_message", "approve", "hide_user", "show_user",
    ]  # fmt: skip

    replayed = Desk(tmp_path)
    replayed.bus.publish([run_started("rehearsal", "demo", "rec-1")], rehearsal=True)
    # The conductor has not looked yet.
    assert not replayed.gate.lets_through(comment("rude", msg=5))
    assert replayed.gate.lets_through(comment("spam, but fine", msg=6))
    replayed.show.step()
    replayed.ask("hide_user", user_id="8")
    replayed.ask("hide_message", msg_id="77")
    assert not replayed.gate.lets_through(comment("x", user=8))
    replayed.run("rehearsal", "rec-1")
    assert not replayed.gate.lets_through(comment("x", user=8)), "it jumped, and is the same rehearsal"
    assert not replayed.gate.lets_through(comment("x", msg=77))
    replayed.run("live", "rec-2")
    assert replayed.gate.lets_through(comment("x", user=8)), "hidden in a rehearsal, and only there"
    assert replayed.gate.lets_through(comment("rude", msg=5)), "another live, other decisions"
    replayed.close()
    assert (tmp_path / "moderation" / "rec-1.jsonl").read_text() == kept
    assert not (tmp_path / "moderation" / "rec-2.jsonl").exists()


def test_a_real_replay_is_public_without_what_was_hidden(tmp_path: Path) -> None:
    """The bundled sample, played by the process itself: notices and snapshots."""
    with open_recording("sample") as recording:
        (hidden, _), (_, user_id) = recording.sql(
            "SELECT msg_id, user_id FROM comments ORDER BY seq LIMIT 2"
        ).rows()
    decisions = Decisions(tmp_path / "show")
    decisions.keep({"recording": "sample", "decision": "hide_message", "msg_id": str(hidden), "at": 1})
    decisions.keep({"recording": "sample", "decision": "hide_user", "user_id": str(user_id), "at": 2})
    app = App(load_settings({}, recordings=tmp_path))
    seen: list[Comment] = []
    shown: list[Comment] = []

    def watch(notices: list[Notice]) -> None:
        events = [one for one in notices if isinstance(one.data, Comment)]
        seen.extend(one.data for one in events)
        shown.extend(one.data for one in events if app.gate.public(one) is not None)

    app.bus.tap(watch)
    app.start_replay("sample", ReplayOptions.of({"rate": "max"}))
    deadline = time.monotonic() + 30
    while app.is_rehearsing:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    is_hidden = [c.msg_id == hidden or (c.user is not None and c.user.user_id == user_id) for c in seen]
    assert shown == [c for c, hides in zip(seen, is_hidden, strict=True) if not hides]
    assert 2 <= sum(is_hidden) < len(seen)
    snapshot = app.gate.public_snapshot(app.snapshot())
    assert all(one["data"]["user"]["user_id"] != str(user_id) for one in snapshot["comments"])


def test_decisions_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    """Half a line, another kind of file, and names that lead elsewhere."""
    decisions = Decisions(tmp_path)
    good = {"decision": "hide_message", "msg_id": "5", "at": NOW}
    decisions.keep(good | {"recording": "a"})
    with (tmp_path / "moderation" / "a.jsonl").open("ab") as file:
        file.write(b'{"decision": "hide_user", "user_id": [1]}\nnull\n{"deci\n\xff\xff\n')
    decisions.keep(good | {"recording": "a", "msg_id": "6"})
    assert decisions.of("a") == Decided(hidden_messages=frozenset({5, 6}))
    for name in ("", "..", "../state", "a/b", ".hidden", "x" * 300):
        decisions.keep(good | {"recording": name})
        assert decisions.of(name) == Decided()
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["a.jsonl"]


def test_the_public_comments_of_a_recording_leave_out_what_was_hidden() -> None:
    """SQL that stands where a table does."""
    with open_recording("sample") as recording:
        everything = recording.sql("SELECT msg_id, user_id FROM public_comments ORDER BY seq").rows()
        (msg_id, _), (_, user_id) = everything[0], everything[10]
        decided = Decided(frozenset({msg_id}), frozenset({user_id}))
        shown = recording.sql(f"SELECT msg_id, user_id FROM {public_comments(decided)} ORDER BY seq").rows()
        same = recording.sql(f"SELECT msg_id, user_id FROM {public_comments(Decided())} ORDER BY seq").rows()
    assert same == everything
    assert shown == [(m, u) for m, u in everything if m != msg_id and u != user_id]
    assert len(shown) < len(everything)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["hide_message", "approve", "reject", "show_message", "hide_user", "show_user"]),
            st.integers(1, 3),
        ),
        max_size=12,
    )
)
def test_decisions_add_up_the_same_at_once_or_one_by_one(made: list[tuple[str, int]]) -> None:
    """Read from the file, or taken as the operator makes them."""
    lines = [{"decision": d, ("user_id" if d.endswith("user") else "msg_id"): str(n)} for d, n in made]
    one_by_one = Decided()
    for line in lines:
        one_by_one = one_by_one.after(line)
    assert Decided.of(lines) == one_by_one
    assert not one_by_one.hidden_messages & one_by_one.approved
    assert dataclasses.replace(one_by_one) == one_by_one
