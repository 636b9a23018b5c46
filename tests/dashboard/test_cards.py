"""What cards say, without a browser: text made fit, words complete, nothing sent twice."""

import json
import re
import time
import tomllib

import pytest

from toolkit.app import App
from toolkit.bus.live_state import run_started
from toolkit.capture.account import idle_status
from toolkit.clock import ManualClock
from toolkit.config import load_settings
from toolkit.connect.stability import Stability
from toolkit.dashboard.board import FEED_ROWS, Board, Reading
from toolkit.dashboard.card import ASSETS, Feed, Totals
from toolkit.dashboard.cards import header
from toolkit.dashboard.chart import Chart
from toolkit.dashboard.desk import Desk
from toolkit.dashboard.plain import plain
from toolkit.dashboard.show_cards import Goals
from toolkit.dashboard.show_states import ShowStates, tamed
from toolkit.dashboard.steadiness import connection
from toolkit.dashboard.words import DEFAULT, LANGUAGES, language_of, words_of
from toolkit.ledger.gaps import MISSED_KINDS
from toolkit.model.connection import ConnectionState
from toolkit.model.event import Comment, Deletion, User
from toolkit.model.recording import Cause, Missed, Quality
from toolkit.store.rows import iso_time

MARKUP_SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|"
    r"setHTMLUnsafe|srcdoc|\beval\b|new Function"
)


@pytest.fixture
def app(tmp_path):
    """Return an App that records nothing. Its time stands, so no rate changes from one look to the next."""
    return App(load_settings({"TOOLKIT_RECORDINGS": str(tmp_path)}), ManualClock())


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
    for path in ASSETS.glob("*.js"):
        used = set(re.findall(r"\bwords\.(\w+)", path.read_text("utf-8")))
        if path.stem == "dom":
            used -= {"empty", "empty_hint"}
        group = path.stem if path.stem in groups_of(language) else "common"
        assert used <= set(words_of(group, language)), path.name


def groups_of(language):
    """Return the tables of a language."""
    return tomllib.loads((ASSETS.parent / "languages" / f"{language}.toml").read_text("utf-8"))


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != DEFAULT])
def test_every_language_has_the_same_texts_with_the_same_gaps(language):
    """A key that is missing would show as `undefined`, a gap that is not as its code name."""
    ours, theirs = groups_of(DEFAULT), groups_of(language)
    assert {group: set(texts) for group, texts in ours.items()} == {
        group: set(texts) for group, texts in theirs.items()
    }
    gaps = {
        (group, key): (
            sorted(re.findall(r"\{\w*\}", text)),
            sorted(re.findall(r"\{\w*\}", theirs[group][key])),
        )
        for group, texts in ours.items()
        for key, text in texts.items()
    }
    assert {key: pair for key, pair in gaps.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("", "de,en;q=0.7,fr;q=0.9", "fr"),
        ("", "de", "en"),
        ("en", "fr", "en"),
        ("fr", "en", "fr"),
        ("xx", "fr", "fr"),
        ("../en", ";q=,,q;q=x,\x00", "en"),
    ],
)
def test_a_page_speaks_the_language_that_was_chosen_or_else_the_browsers(chosen, accepted, language):
    """Anything may be in a cookie and in a header."""
    assert language_of(chosen, accepted) == language


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


def test_figures_are_read_once_for_all_pages(app, until):
    """A second page within the same fifth of a second gets the very same reading."""
    board = Board(app)
    # Again where this machine took a fifth of a second from one look to the other.
    until(lambda: board.read() is board.read())
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


def gap(number, started_at, ended_at, **missed):
    """Return a gap as it is announced."""
    return {
        "gap_id": number,
        "state": "open" if ended_at is None else "closed",
        "started_at": iso_time(started_at),
        "ended_at": ended_at and iso_time(ended_at),
        "cause": "network",
        "attempts": 1,
        "recovered_comments": 6,
        "missed": {kind: one.as_dict() for kind, one in missed.items()},
    }


def test_a_gap_is_told_when_it_opens_and_with_its_cost_when_it_closes(app):
    """The card, the chart's hatching and the legend's switch follow the same notices."""
    board = Board(app)
    app.bus.publish([run_started("live", "u", "r")])
    start = 1_700_000_000_000_000
    app.bus.publish([("gap", gap(1, start, None, comment=Missed(None, 0, None, Quality.LOST)))])
    reading = reading_of(board)
    (line,) = json.loads(reading.states["gaps"])
    assert (line["at"], line["end"], line["lost"], line["missed"]) == (start // 1000, None, True, [])
    assert reading.gaps == [(start / 1e6, None)]
    costs = {
        "comment": Missed(38, 31, 45, Quality.ESTIMATED),
        "like": Missed(512, 512, 512, Quality.EXACT),
        "share": Missed(0, 0, 0, Quality.EXACT),
    }
    app.bus.publish([("gap", gap(1, start, start + 14_000_000, **costs))])
    reading = reading_of(board)
    (line,) = json.loads(reading.states["gaps"])
    assert [one["kind"] for one in line["missed"]] == ["comment", "like"]
    assert line["missed"][0] == {"kind": "comment", **costs["comment"].as_dict()}
    assert (line["recovered"], line["cause"], line["lost"]) == (6, "network", False)
    assert reading.gaps == [(start / 1e6, start / 1e6 + 14)]
    app.bus.publish([run_started("live", "u", "r2")])
    assert json.loads(reading_of(board).states["gaps"]) == []


def test_the_chart_hatches_a_gap_that_lasts_up_to_now():
    """It grows with the chart, ends where the gap ends, and goes with its run."""
    chart = Chart(words_of("page"))
    history = [(second, 1, 2) for second in range(100, 160)]
    chart.update(Reading({}, "live", 1, [], history, [], [(150.5, None)]))
    assert (chart._gaps.data["from"], chart._gaps.data["until"]) == ([150_500], [159_000])
    chart.update(Reading({}, "live", 1, [], [*history, (160, 0, 0)], [], [(150.5, None)]))
    assert chart._gaps.data["until"] == [160_000]
    chart.update(Reading({}, "live", 1, [], [*history, (160, 0, 0), (161, 1, 1)], [], [(150.5, 155.0)]))
    assert chart._gaps.data["until"] == [155_000]
    chart.update(Reading({}, "live", 2, [], [(200, 0, 0)], [], []))
    assert chart._gaps.data["until"] == []


def test_a_rehearsal_is_told_on_the_clock_of_its_recording(app):
    """Chart and rates count the recording's seconds at any speed, as the comments' times do."""
    recorded_at = 1_700_000_000_000_000
    app.bus.publish([run_started("rehearsal", "", "r")], rehearsal=True)
    for number in range(1, 41):
        now = app.clock.now_us()
        event = Comment(number, number, recorded_at, now, None, "hello", "en", "", "", False)
        at = recorded_at + number * 500_000
        app.bus.publish([("comment", event)], rehearsal=True, recorded_at=at)
    figures = app.figures()
    seconds = [second for second, _, _ in figures.history]
    assert seconds == list(range(recorded_at // 10**6, recorded_at // 10**6 + 20))
    assert {comments for _, comments, _ in figures.history[1:]} == {2}
    assert figures.rates["comment"] == 2.0


def test_the_connection_card_has_the_figures_of_the_status():
    """Rounded to what is shown; unknown where nothing was measured; windows without a limit left out."""
    assert connection(idle_status("ann")) == {"known": False}
    stability = Stability(ConnectionState.CONNECTED, 0)
    stability.heard(76.38)
    stability.lost(90)
    stability.moved(ConnectionState.RECONNECTING, 90)
    stability.moved(ConnectionState.CONNECTED, 92)
    stability.heard(100)
    windows = [
        {"window": "minute", "limit": None, "used": 0, "left": None, "reset_at": None},
        {"window": "day", "limit": 90, "used": 2, "left": 88, "reset_at": 1},
    ]
    status = {
        "stability": stability.figures(100),
        "sign_budget": {"windows": windows, "held": True, "next_at": None},
    }
    said = connection(status)
    assert (said["uptime"], said["down_s"], said["success"], said["meets"]) == (0.8438, 16, 1.0, True)
    assert (said["detect"], said["back"]) == ([13.6] * 3, [2.0] * 3)
    assert said["budget"] == [{"window": "day", "limit": 90, "left": 88}]
    assert said["held"]


def test_what_stopped_is_in_the_header(app):
    """Connected and not well is said as such, with the sentence."""
    text = "No comment for 4 min while other events arrive; normal is 30 per minute."
    status = {**app.status(), "state": "connected", "warnings": [{"kind": "comment", "text": text}]}
    shown = header(app.figures(), status)
    assert (shown["phase"], shown["warnings"]) == ("degraded", [text])
    shown = header(app.figures(), {**status, "warnings": []})
    assert (shown["phase"], shown["warnings"]) == ("connected", [])


@pytest.mark.parametrize("kind", ["cause", "missed"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_and_every_kind_of_a_gap_has_its_words(language, kind):
    """A new cause without a sentence would show as its code name."""
    common = words_of("common", language)
    if kind == "cause":
        assert {f"why_{cause}" for cause in Cause} - {"why_unknown_user"} <= set(common)
    else:
        assert {f"missed_{kind}" for kind in MISSED_KINDS} <= set(common)


def test_a_state_of_the_show_is_encoded_once_and_has_no_text_that_upsets_a_page():
    """Reordering marks and control characters go, users get name and colour, numbers stay."""
    viewer = {"user_id": "7311", "nickname": "\u202eevil\x00", "handle": "ann", "avatar": False}
    question = {"text": "a\nb", "winner": viewer, "answered": 3, "bank": {"mistakes": ["x\u2066y"]}}
    states = ShowStates()
    texts = states.texts({"question": question, "stage": {"is_blank": False}})
    told = json.loads(texts["question"])
    assert (told["text"], told["winner"]["name"], told["winner"]["id"], told["answered"]) == (
        "a b", "evil", "7311", 3,
    )  # fmt: skip
    assert json.loads(texts["bank"]) == {"mistakes": ["xy"]}
    assert states.texts({"question": question})["question"] is texts["question"]
    assert tamed({"user_id": "x" * 99, "nickname": None})["hue"] == 0
    nested = []
    nested.append(nested)
    assert tamed(nested) is not None


def test_a_card_of_the_show_is_silent_when_other_parts_change(app):
    """Four times a second somebody answers; the goals have nothing to say to that."""
    sent = []
    goals = Goals(lambda request, answer: None)
    goals.param.watch(sent.append, "state")
    for answered in range(5):
        goals.update(Reading({}, show={"goals": '{"goals":[]}', "question": f'{{"answered":{answered}}}'}))
    assert len(sent) == 1


def test_what_is_wrong_with_a_question_comes_back_with_its_fields(app):
    """The form tells it beside the field."""
    wrong = {"action": "question.add", "text": "How many?", "answers": [], "seconds": 3}
    answer = Desk(app, "fr").carry_out({"verb": "show", "command": wrong})
    assert not answer["ok"]
    assert {one["field"] for one in answer["mistakes"]} >= {"answers", "seconds"}


@pytest.mark.parametrize(
    "command", [None, [], "question.next", {"action": ["x"]}, {"action": "question.judge"}]
)
def test_a_command_to_the_show_that_makes_no_sense_gets_a_sentence(app, command):
    """Whatever a browser sends."""
    answer = Desk(app).carry_out({"verb": "show", "command": command})
    assert (answer["ok"], bool(answer["text"])) == (False, True)
    assert "fault of ours" not in answer["text"]
    found = Desk(app).carry_out({"verb": "bank", "search": command})
    assert found["ok"]
