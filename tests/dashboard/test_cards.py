"""What cards say, without a browser: text made fit, words complete, nothing sent twice."""

import json
import re
import time

import pytest

from toolkit.app import App
from toolkit.bus.live_state import run_started
from toolkit.config import load_settings
from toolkit.dashboard.board import FEED_ROWS, Board
from toolkit.dashboard.card import ASSETS, Feed, Totals
from toolkit.dashboard.desk import Desk
from toolkit.dashboard.plain import plain
from toolkit.dashboard.words import LANGUAGES
from toolkit.model.event import Comment, Deletion, User

MARKUP_SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|"
    r"setHTMLUnsafe|srcdoc|\beval\b|new Function"
)


@pytest.fixture
def app(tmp_path):
    """Return an App that records nothing."""
    return App(load_settings({"TOOLKIT_RECORDINGS": str(tmp_path)}))


def comment(app, number, text="hello"):
    """Publish one comment."""
    now = app.clock.now_us()
    author = User(number % 7, f"u{number}", f"User {number}")
    app.bus.publish([("comment", Comment(number, number, now, now, author, text, "en", "", "", False))])


def reading_of(board):
    """Return what the board shows right now."""
    board.forget()
    return board.read()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hello", "hello"),
        ("a\nb\tc", "a b c"),
        ("x\u202eevil\u2066y\u200e", "xevily"),
        ("nul\x00bell\x07", "nulbell"),
        ("lone \ud800 half", "lone half"),
        ("<b>kept as text</b>", "<b>kept as text</b>"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
    ],
)
def test_text_is_one_line_without_controls_and_overrides(text, shown):
    """Joiners of emoji stay, reordering marks go, markup stays text."""
    assert plain(text) == shown


def test_text_is_cut_to_a_bound():
    """Ten thousand characters become four hundred and an ellipsis."""
    assert len(plain("W" * 10_000)) == 400
    assert plain("W" * 10_000).endswith("…")


@pytest.mark.parametrize("path", sorted(ASSETS.glob("*.js")), ids=lambda path: path.name)
def test_no_script_turns_text_into_markup(path):
    """The one rule that keeps viewers' text harmless, checked in every script."""
    assert MARKUP_SINKS.findall(path.read_text("utf-8")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_a_script_uses_exists(language):
    """A missing word would show as `undefined`."""
    table = LANGUAGES[language]
    for path in ASSETS.glob("*.js"):
        known = {**table["common"], **table.get(path.stem, {})}
        used = set(re.findall(r"\bwords\.(\w+)", path.read_text("utf-8")))
        if path.stem == "dom":
            known |= {"empty": "", "empty_hint": ""}
        assert used <= set(known), path.name


def test_a_card_is_silent_when_nothing_changed(app):
    """Two looks at the same figures send one message."""
    board, sent = Board(app), []
    card = Totals(lambda request, answer: None)
    card.param.watch(sent.append, "state")
    comment(app, 1)
    card.update(reading_of(board))
    card.update(reading_of(board))
    assert len(sent) == 1


def test_what_tiktok_withdraws_leaves_the_feed(app):
    """A deleted message and everything of a deleted user; the lines around them stay."""
    board, states = Board(app), []
    feed = Feed(lambda request, answer: None)
    feed.param.watch(lambda event: states.append(json.loads(event.new)), "state")
    app.bus.publish([run_started("live", "u", "r")])
    for number in range(1, 11):
        comment(app, number)
    feed.update(reading_of(board))
    shown = {row["id"] for row in states[-1]["rows"]}
    now = app.clock.now_us()
    app.bus.publish([("deletion", Deletion(20, 20, now, now, None, message_ids="4", user_ids="2"))])
    feed.update(reading_of(board))
    assert states[-1]["rows"] == []
    # Messages 2 and 9 are of viewer 2; notice numbers are one ahead, after the run's own.
    assert sorted(states[-1]["withdrawn"]) == [3, 5, 10]
    assert set(states[-1]["withdrawn"]) <= shown
    sent = len(states)
    feed.update(reading_of(board))
    assert len(states) == sent, "told once"
    comment(app, 11)
    feed.update(reading_of(board))
    assert [row["id"] for row in states[-1]["rows"]] == [13]


def test_a_feed_gets_each_line_once_and_begins_again_with_a_run(app):
    """New lines only; a new run clears what was shown."""
    board, states = Board(app), []
    feed = Feed(lambda request, answer: None)
    feed.param.watch(lambda event: states.append(event.new), "state")
    app.bus.publish([run_started("live", "ann", "ann-1")])
    for number in range(100):
        comment(app, number)
    feed.update(reading_of(board))
    comment(app, 100, "the newest")
    feed.update(reading_of(board))
    feed.update(reading_of(board))
    app.bus.publish([run_started("live", "ann", "ann-2")])
    feed.update(reading_of(board))
    assert [state.count('"id"') for state in states] == [FEED_ROWS, 1, 0]
    assert "the newest" in states[1]


def test_figures_are_read_once_for_all_pages(app):
    """A second page within the same fifth of a second gets the very same reading."""
    board = Board(app)
    assert board.read() is board.read()
    first = board.read()
    time.sleep(0.25)
    assert board.read() is not first


@pytest.mark.parametrize(
    "request_", [{}, {"verb": "os.system"}, {"verb": "rehearse", "id": "../../etc"}, {"verb": "record"}]
)
def test_a_request_that_makes_no_sense_gets_a_sentence(app, request_):
    """Requests come from browsers: no traceback, no effect."""
    answer = Desk(app).carry_out(request_)
    assert answer["ok"] is False
    assert answer["text"]
    assert not app.is_recording
