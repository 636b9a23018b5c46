"""A rehearsal under the dashboard's controls, without a browser: sentences, separation, few messages."""

import json
import math

import pytest

from toolkit.app import App
from toolkit.config import load_settings
from toolkit.dashboard.board import Board, Reading
from toolkit.dashboard.card import Feed, Transport
from toolkit.dashboard.desk import Desk
from toolkit.dashboard.transport import TOLERANCE_S, Playhead, bar
from toolkit.replay.options import ReplayOptions

GAP_S = (141.287, 160.542)
"""Where the bundled sample has its gap."""


@pytest.fixture
def app(tmp_path):
    """Return an App with the bundled sample and nothing else."""
    app = App(load_settings({"TOOLKIT_RECORDINGS": str(tmp_path)}))
    yield app
    app.stop_replay()


HOSTILE = [
    {"action": "seek", "to_s": math.nan},
    {"action": "seek", "to_s": math.inf},
    {"action": "seek", "to_s": -1},
    {"action": "seek", "to_s": "12"},
    {"action": "seek", "to_s": 1, "by_s": 1},
    {"action": "seek"},
    {"action": "rate", "rate": 1e9},
    {"action": "rate", "rate": 0},
    {"action": "rate", "rate": math.nan},
    {"action": "rate", "rate": True},
    {"action": "next", "kind": ["comment"]},
    {"action": "next", "kind": "x" * 1000},
    {"action": "burst", "frames": 10**12},
    {"action": "loop", "loop": "yes"},
    {"action": "gaps"},
    {"action": "gaps", "heal": 1},
    {"action": ["seek"]},
    {"action": "__init__"},
    {},
]


@pytest.mark.parametrize("is_on", [True, False], ids=["while one plays", "while nothing does"])
def test_a_control_that_makes_no_sense_gets_a_sentence(app, is_on):
    """What a page may send, however wrong: an answer for a person, and the rehearsal as it was."""
    if is_on:
        app.start_replay("sample", ReplayOptions(is_paused=True))
        app.control_replay({"action": "seek", "to_s": 50})
    before = app.replay()
    desk = Desk(app)
    for asked in HOSTILE:
        answer = desk.carry_out({"verb": "replay", "number": 1, **asked})
        assert (answer["ok"], bool(answer["text"])) == (False, True), asked
        assert "fault of ours" not in answer["text"], asked
    for asked in ({"id": "nobody-1"}, {"id": "../x"}, {"id": None}, {"id": "sample", "rate": 1e9}):
        answer = desk.carry_out({"verb": "rehearse", **asked})
        assert (answer["ok"], bool(answer["text"])) == (False, True), asked
    assert app.replay() == before


def test_gaps_are_cut_and_put_back_at_the_same_message(app):
    """Behind the gap the place moves by its length, before it not at all; paused stays paused."""
    app.start_replay("sample", ReplayOptions(is_paused=True, rate=2.0))
    whole_s = app.replay()["rehearsal"]["duration_s"]
    cut_s = GAP_S[1] - GAP_S[0]
    for at_s, expected_s in ((200.0, 200.0 - cut_s), (100.0, 100.0)):
        app.control_replay({"action": "seek", "to_s": at_s})
        totals = app.figures().totals
        told = app.control_replay({"action": "gaps", "heal": True})
        assert told["position_s"] == pytest.approx(expected_s, abs=1.5)
        assert told["duration_s"] == pytest.approx(whole_s - cut_s, abs=1.5)
        assert (told["state"], told["rate"]) == ("paused", 2.0)
        assert app.figures().totals == totals
        assert app.replay(10)["timeline"]["gaps"] == []
        told = app.control_replay({"action": "gaps", "heal": False})
        assert told["position_s"] == pytest.approx(at_s, abs=0.01)
        assert len(app.replay(10)["timeline"]["gaps"]) == 1


def test_a_reset_clears_a_rehearsal_and_never_a_live(app):
    """Nothing for those who come later either; what was counted of a live stays."""
    app.start_replay("sample", ReplayOptions(is_paused=True))
    app.control_replay({"action": "seek", "to_s": 100})
    assert app.snapshot()["comments"]
    app.control_replay({"action": "stop"})
    assert app.figures().totals["comment"] > 100
    # An overlay that is opened now has no ribbon.
    assert (app.snapshot()["comments"], app.snapshot()["totals"]) == ([], {})
    app.control_replay({"action": "reset"})
    assert (app.figures().totals, app.figures().recording) == ({}, "")
    app.bus.publish([("run", {"kind": "live", "user": "ann", "recording": "ann-1"})])
    app.bus.publish([("run", {"kind": "none", "user": "ann", "recording": ""})])
    app.control_replay({"action": "reset"})
    assert app.figures().recording == "ann-1"


def test_what_is_rehearsed_is_in_no_metric(app):
    """Neither while it plays nor afterwards; that one plays is told."""
    app.start_replay("sample", ReplayOptions(is_paused=True))
    app.control_replay({"action": "seek", "to_s": 200})
    room = {"toolkit_events", "toolkit_diamonds", "toolkit_viewers", "toolkit_gaps"}
    assert app.readings().keys() & room == set()
    assert app.readings()["toolkit_rehearsal"] == 1.0
    app.stop_replay()
    assert app.readings().keys() & room == set()
    app.control_replay({"action": "reset"})
    assert app.readings()["toolkit_events"] == {}


def test_a_playing_bar_is_not_sent_again_and_again():
    """Eighty looks in two seconds; the page moves the playhead itself until it is wrong."""
    card, sent = Transport(lambda request, answer: None), []
    card.param.watch(sent.append, "state")
    card.param.watch(sent.append, "strip")

    def look_at(position_s, at_s):
        states = {"transport": '{"state":"playing"}'}
        card.update(Reading(states, playhead=Playhead(position_s, at_s, 2.0), strip="[1]"))

    for number in range(80):
        look_at(10.0 + 0.05 * number, 100.0 + 0.025 * number)
    # The timeline, the state, and the state once more: the first is sent at a moment that nobody knows.
    assert len(sent) == 3
    look_at(14.0, 103.0)
    assert len(sent) == 4


def test_a_pause_is_told_at_once(app, until):
    """At the next look, with the place where it stands."""
    board, card = Board(app), Transport(lambda request, answer: None)
    app.start_replay("sample", ReplayOptions(rate=2.0))
    until(lambda: look(board, card)["bar"])
    app.control_replay({"action": "pause"})
    told = look(board, card)
    assert told["bar"]["state"] == "paused"
    assert told["position_s"] == pytest.approx(app.replay()["rehearsal"]["position_s"], abs=0.01)


def test_a_playhead_knows_how_long_it_is_right():
    """Right while it goes as it was told; not after a jump, another speed or a stand-still."""
    told = Playhead(10.0, 100.0, 2.0)
    assert told.foresaw(Playhead(14.0, 102.0, 2.0))
    assert told.foresaw(Playhead(14.0 + 1.9 * TOLERANCE_S, 102.0, 2.0))
    assert not told.foresaw(Playhead(14.0 + 2.1 * TOLERANCE_S, 102.0, 2.0))
    assert not told.foresaw(Playhead(14.0, 102.0, 1.0))
    assert not told.foresaw(Playhead(14.0, 102.0, 0.0))
    # While it stands there is nothing to spare.
    assert not Playhead(10.0, 100.0, 0.0).foresaw(Playhead(10.04, 101.0, 0.0))


def test_a_rehearsal_has_ended_for_the_bar_when_its_player_has(app):
    """Its thread takes a moment longer: there is nothing to control in it."""
    app.start_replay("sample", ReplayOptions(is_paused=True))
    app.control_replay({"action": "seek", "to_s": 100})
    for state, shown in (("paused", "paused"), ("finished", "ended"), ("stopped", "ended")):
        assert bar(app.figures(), app.replay()["rehearsal"] | {"state": state}, None)["state"] == shown


def test_the_feed_shows_what_was_said_before_the_place_of_a_seek(app):
    """As it would be had one played up to there, not an empty list."""
    board, feed = Board(app), Feed(lambda request, answer: None)
    app.start_replay("sample", ReplayOptions(is_paused=True))
    look(board, feed)
    app.control_replay({"action": "seek", "to_s": 100})
    rows = look(board, feed)["rows"]
    texts = [comment.text for _, comment in app.figures().comments[-60:]]
    assert [row["text"] for row in rows] == texts
    assert len(rows) == 60


def look(board, card):
    """Have a card look at what is so now, and return what it shows."""
    board.forget()
    card.update(board.read())
    return json.loads(card.state)
