"""The widgets of the overlay on the show's states, in a real Chromium."""

import json

import pytest

from tests.overlay.conftest import alert, board, goal, holds, now_us, painted, person, poll, quiz, stage_of
from toolkit.web.overlay import WIDGETS

pytestmark = pytest.mark.browser

PANELS = (
    "[...document.querySelectorAll('.tl-panel')].filter(p => p.checkVisibility({visibilityProperty: true}))"
)


def test_a_quiz_runs_from_the_question_to_the_winner(stage, visit):
    """Choices with letters, how many answered, who leads, then who won: all from states."""
    page = visit()
    painted(page, stage.put("question", **quiz()))
    card = page.locator(".tl-quiz")
    assert card.locator(".tl-quiz-text").inner_text() == "Largest planet?"
    assert card.locator(".tl-letter").all_inner_texts() == ["A", "B", "C", "D"]
    assert card.locator(".tl-choice-text").all_inner_texts() == ["Mars", "Jupiter", "Venus", "Earth"]
    assert card.locator(".tl-quiz-answered").inner_text() == "12 answers"
    shown = card.locator(".tl-clock").inner_text().split(":")[::-1]
    # Rounded up, by a server's clock that a page knows to some milliseconds.
    assert 50 <= sum(60**n * int(s) for n, s in enumerate(shown)) <= 61
    painted(page, stage.put("question", **quiz("leading", answered=13, leader=person(7, "Zoë"))))
    assert card.locator(".tl-quiz-leader .tl-name").inner_text() == "Zoë"
    winner = person(7, "Zoë", answer="Jupiter", points=120, after_ms=2_340)
    painted(page, stage.put("question", **quiz("decided", winner=winner, accepted=["Jupiter"])))
    won = page.locator(".tl-winner")
    assert won.locator(".tl-winner-title").inner_text() == "You won!"
    assert won.locator(".tl-winner-name").inner_text() == "Zoë"
    assert won.locator(".tl-initials").inner_text() == "Z"
    assert won.locator(".tl-winner-answer").inner_text() == "Jupiter"
    assert won.locator(".tl-winner-points").inner_text() == "+120 points"
    painted(page, stage.put("question", state="idle"))
    holds(page, "!document.querySelector('.tl-winner')")
    assert page.complaints == []


def test_the_operator_may_judge_otherwise_while_it_is_on_screen(stage, visit):
    """Another winner is another card; a void question has none."""
    page = visit("/overlay/quiz")
    for number, name in ((7, "Zoë"), (8, "Ann")):
        decided = quiz("decided", winner=person(number, name, points=9), accepted=["Jupiter"])
        painted(page, stage.put("question", **decided))
        assert page.locator(".tl-winner-name").inner_text() == name
    painted(page, stage.put("question", **decided | {"is_void": True}))
    assert page.locator(".tl-winner").count() == 0
    assert page.locator(".tl-quiz-answered").inner_text() == "Nobody knew"


def test_without_a_winner_the_right_choice_is_shown(stage, visit):
    """And that nobody knew."""
    page = visit("/overlay/quiz")
    painted(page, stage.put("question", **quiz("closed", accepted=["jupiter"])))
    assert page.locator('[data-right="yes"] .tl-choice-text').all_inner_texts() == ["Jupiter"]
    assert page.locator(".tl-quiz-answered").inner_text() == "Nobody knew"


def test_a_question_of_the_audience_is_the_card_of_old(stage, visit):
    """Asker, question, how many asked the same; it leaves when it is no longer on air."""
    page = visit("/overlay?view=question")
    asked = quiz(source="audience", text="Why?", choices=[], asked_by=person(4, "Marta"), asked_count=3)
    painted(page, stage.put("question", **asked))
    card = page.locator(".tl-question")
    assert card.locator(".tl-name").inner_text() == "Marta"
    assert card.locator(".tl-question-text").inner_text() == "Why?"
    assert card.locator(".tl-chip").inner_text() == "×3"
    stage.question("Not conducted?")
    painted(page, stage.put("question", state="idle"))
    holds(page, "document.querySelectorAll('.tl-question').length === 0")
    assert "Not conducted?" not in page.content()


def test_the_page_speaks_the_language_of_the_stage(stage, visit):
    """French when the operator says so, at once, what is on screen included; the address goes before."""
    stage.put("question", **quiz("decided", winner=person(7, "Zoë", answer="J", points=1, after_ms=0)))
    page, english = visit(), visit("/overlay?lang=en")
    stage.put("stage", **stage_of(language="fr"))
    holds(page, "document.querySelector('.tl-winner-title')?.textContent === 'Tu as gagné !'")
    assert page.locator(".tl-winner-points").inner_text() == "+1 point"
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert english.locator(".tl-winner-title").inner_text() == "You won!"


def test_who_joins_late_sees_the_same(stage, visit):
    """Every part comes with the first connection, and a state that comes again changes nothing."""
    stage.put("question", **quiz("leading", leader=person(7, "Zoë")))
    stage.put("alert", **alert(1, count=4))
    stage.put("poll", **poll([3, 1]))
    stage.put("goals", **goal(40))
    stage.put("leaderboard", **board((1, "Ann", 90), (2, "Bob", 30)))
    page = visit()
    holds(page, "document.querySelector('.tl-board')")
    text = page.locator(".tl-stage").inner_text()
    for words in ("Zoë", "×4", "Which one?", "75 %", "40 / 100", "Ann", "90"):
        assert words in text.replace("\u202f", " "), words
    page.evaluate(f"window.__before = {PANELS}")
    for part, state in list(stage.states.items()):
        seq = stage.put(part, **state)
    painted(page, seq)
    assert page.evaluate(
        f"(p => p.length === __before.length && p.every((x, n) => x === __before[n]))({PANELS})"
    )


def test_a_combo_counts_up_on_its_card(stage, visit):
    """One card, one count; the next alert is another card."""
    page = visit("/overlay/alert")
    painted(page, stage.put("alert", **alert(1, count=2, diamonds=2, final=False)))
    page.evaluate("window.__card = document.querySelector('.tl-alert')")
    painted(page, stage.put("alert", **alert(1, count=9, diamonds=9, final=True)))
    assert page.evaluate("__card === document.querySelector('.tl-alert')")
    assert page.locator(".tl-alert-times").inner_text() == "×9"
    assert page.locator(".tl-alert-worth").inner_text() == "9"
    painted(page, stage.put("alert", **alert(2, "follow", merged=5)))
    assert page.locator(".tl-alert-text").inner_text() == "is a new follower and 4 more"
    assert page.evaluate("__card !== document.querySelector('.tl-alert')")
    painted(page, stage.put("alert", **alert(3, "raid", user=None, count=42)))
    assert page.locator(".tl-alert-text").inner_text() == "42 people came in at once"
    painted(page, stage.put("alert", current=None))
    holds(page, "document.querySelectorAll('.tl-alert').length === 0")


def test_a_poll_and_a_goal_grow_where_they_stand(stage, visit):
    """Bars by transform; the first is marked when the poll is closed."""
    page = visit("/overlay?motion=0")
    stage.put("goals", **goal(25))
    painted(page, stage.put("poll", **poll([1, 3])))
    scale = "[...document.querySelectorAll('%s .tl-bar')].map(b => b.style.transform)"
    assert page.evaluate(scale % ".tl-poll") == ["scaleX(0.25)", "scaleX(0.75)"]
    assert page.evaluate(scale % ".tl-goal") == ["scaleX(0.25)"]
    stage.put("goals", **goal(120))
    painted(page, stage.put("poll", **poll([5, 3], "closed")))
    assert page.evaluate(scale % ".tl-goal") == ["scaleX(1)"]
    assert page.locator(".tl-goal").get_attribute("data-reached") == "true"
    assert page.locator("[data-first] .tl-poll-label").all_inner_texts() == ["option 0"]


def test_who_overtakes_stands_above(stage, visit):
    """Rows keep their element: what moves is a person, not a text."""
    page = visit("/overlay/leaderboard")
    painted(page, stage.put("leaderboard", **board((1, "Ann", 90), (2, "Bob", 30))))
    page.evaluate("window.__bob = document.querySelectorAll('.tl-board-row')[1]")
    painted(page, stage.put("leaderboard", **board((2, "Bob", 130), (1, "Ann", 90), (3, "Cyd", 5))))
    assert page.locator(".tl-board-row .tl-name").all_inner_texts() == ["Bob", "Ann", "Cyd"]
    assert page.evaluate("__bob === document.querySelectorAll('.tl-board-row')[0]")
    painted(page, stage.put("leaderboard", **board()))
    assert page.locator(".tl-board").count() == 0


def test_the_panic_button_blanks_everything_at_once(stage, visit):
    """Cards, chat and ribbon; what goes on behind it is there when it is lifted."""
    page = visit("/overlay?status=1")
    stage.put("question", **quiz())
    painted(page, stage.comment("unwanted"))
    assert page.evaluate(f"{PANELS}.length") == 1
    painted(page, stage.put("stage", **stage_of(is_blank=True)))
    seen = "e => e.checkVisibility({visibilityProperty: true})"
    assert page.evaluate(f"[...document.querySelectorAll('body *')].some({seen})") is False
    painted(page, stage.comment("behind"))
    painted(page, stage.put("stage", **stage_of()))
    assert page.locator(".tl-text").all_inner_texts() == ["unwanted", "behind"]
    assert page.locator(".tl-quiz").is_visible()


SHOWN = {
    "chat": "tl-comment", "question": "tl-question", "quiz": "tl-quiz", "winner": "tl-winner",
    "leaderboard": "tl-board", "goal": "tl-goal", "poll": "tl-poll", "alert": "tl-alert",
    "viewers": "tl-viewers", "connection": "tl-dot",
}  # fmt: skip


def test_each_widget_has_a_page_of_its_own(visit, server):
    """With nothing else on it: each is a source of its own in OBS."""
    page = visit("/overlay?demo=still")
    for widget in WIDGETS:
        page.goto(f"{server.url}/overlay/{widget}?demo=still&motion=0")
        page.locator(f".{SHOWN[widget]}").first.wait_for()
        visible = [name for name, kind in SHOWN.items() if page.locator(f".{kind}").first.is_visible()]
        assert visible == [widget]
    # Leaving a page cuts off what it was still asking for.
    assert [c for c in page.complaints if not c.startswith(server.url)] == []


def test_a_winner_has_one_card_where_the_quiz_is_shown(stage, visit):
    """The alert about him is for pages without it."""
    both, alone = visit(), visit("/overlay/alert")
    seq = stage.put("alert", **alert(1, "winner", text="Jupiter"))
    painted(both, seq)
    painted(alone, seq)
    assert both.locator(".tl-alert").count() == 0
    assert alone.locator(".tl-alert-text").inner_text() == "won the quiz: Jupiter"


def test_who_has_no_picture_has_initials(stage, visit):
    """Also when there should be one and it cannot be had; the browser has nothing to complain of."""
    page = visit("/overlay/quiz")
    winner = person(7, "Zoë Martin", avatar=True, points=1)
    painted(page, stage.put("question", **quiz("decided", winner=winner)))
    page.wait_for_load_state("networkidle")
    assert page.locator(".tl-initials").inner_text() == "ZM"
    assert page.locator("img").count() == 0
    assert page.complaints == []


def test_careful_words_leave_out_what_platforms_punish(stage, visit):
    """Neither follow nor like nor a gift, in words or in pictures."""
    page = visit("/overlay?policy=safe")
    stage.put("goals", **goal(5, title="Follow me for 100 likes"))
    for number, kind in enumerate(("gift", "follow", "subscribe", "share")):
        painted(page, stage.put("alert", **alert(number, kind, count=5, diamonds=5)))
        text = page.locator(".tl-stage").inner_text().lower()
        assert not any(word in text for word in ("follow", "like", "gift", "rose")), text
        assert page.locator(".tl-icon-gift, .tl-icon-heart, .tl-icon-follow, .tl-icon-diamond").count() == 0


def test_nothing_moves_when_motion_is_not_wanted(stage, visit):
    """Not one animation over all widgets; the clock still tells."""
    page = visit("/overlay?motion=0")
    page.evaluate("void (Element.prototype.animate = () => { throw new Error('moved') })")
    for state in (quiz(), quiz("leading", leader=person(7, "Z")), quiz("decided", winner=person(7, "Z"))):
        stage.put("question", **state)
        stage.put("alert", **alert(state["answered"]))
        stage.put("poll", **poll([1, 2]))
        painted(page, stage.put("goals", **goal(50)))
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.complaints == []


def test_a_hidden_source_keeps_its_state_and_returns_without_a_burst(stage, visit):
    """What happened meanwhile is there, and nothing of it plays."""
    page = visit()
    show = "dispatchEvent(new CustomEvent('obsSourceVisibleChanged', {detail: {visible: %s}}))"
    page.evaluate(show % "false")
    page.evaluate(
        "() => { window.__moved = 0; const real = Element.prototype.animate;"
        "Element.prototype.animate = function (...a) { __moved += 1; return real.apply(this, a) } }"
    )
    for number in range(5):
        stage.put("alert", **alert(number))
    painted(page, stage.put("question", **quiz("decided", winner=person(7, "Zoë"))))
    page.evaluate(show % "true")
    assert page.locator(".tl-winner-name").inner_text() == "Zoë"
    assert page.locator(".tl-alert").count() == 1
    assert page.evaluate("__moved") == 0


def test_cards_that_have_left_are_not_kept(stage, visit):
    """Twenty questions with a minute each: the page has no more nodes than after five."""
    page = visit("/overlay/quiz")
    session = page.context.new_cdp_session(page)

    def nodes_after(rounds):
        for number in rounds:
            painted(
                page, stage.put("question", **quiz("leading", round=number, leader=person(number, "Zoë")))
            )
        session.send("HeapProfiler.collectGarbage")
        return session.send("Memory.getDOMCounters")["nodes"]

    few, many = nodes_after(range(5)), nodes_after(range(5, 20))
    assert many <= few + 40


def test_missed_states_are_asked_for(stage, visit, server):
    """A page that is told that notices are gone asks for the whole show."""
    page = visit()
    stage.states["question"] = quiz(text="Was missed")
    hub = server.surface.hub
    for subscriber in list(hub._subscribers):
        server.loop.call_soon_threadsafe(hub._answer, subscriber, "missed")
    holds(page, "document.querySelector('.tl-quiz-text')?.textContent === 'Was missed'")


def test_a_screen_tells_what_it_shows_and_whether_it_is_seen(server, visit, until):
    """As the dashboard asks: widget, visible, in OBS, frames per second."""
    page = visit("/overlay/poll")

    def told():
        status, answer = server.ask_json("/api/overlay/screens")
        assert status == 200
        return answer["screens"]

    (screen,) = until(told)
    assert (screen["widget"], screen["is_visible"], screen["is_active"], screen["is_obs"]) == (
        "poll", True, True, False,
    )  # fmt: skip
    page.evaluate("dispatchEvent(new CustomEvent('obsSourceVisibleChanged', {detail: {visible: false}}))")
    until(lambda: not told()[0]["is_visible"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"widget": ""}, {"widget": "A" * 17}, {"widget": 1}, {"fps": -1}, {"fps": 5_000}, {"fps": True},
        {"seq": -1}, {"seq": None}, {"visible": 1}, {"active": "yes"}, {"obs": []},
    ],
)  # fmt: skip
def test_a_screen_that_tells_nonsense_is_told_so(server, wrong):
    """And is not listed."""
    said = {"type": "screen", "widget": "chat", "visible": True, "active": True, "obs": False}
    said |= {"fps": 60, "seq": 1}
    with server.socket() as client:
        client.recv()
        client.send(json.dumps(said | wrong))
        assert json.loads(client.recv())["type"] == "error"
        assert server.surface.hub.screens() == []
        client.send(json.dumps(said))
        client.send('{"type": "ping"}')
        assert json.loads(client.recv())["type"] == "pong"
        assert [screen["fps"] for screen in server.surface.hub.screens()] == [60]


def test_speech_is_off_until_both_want_it_and_stops_at_a_word(stage, visit):
    """The address and the operator; links and endless letters are not spoken."""
    page = visit("/overlay?tts=1")
    page.evaluate(
        "() => { window.__said = []; window.__stopped = 0; speechSynthesis.speak = u => __said.push(u.text);"
        "speechSynthesis.cancel = () => __stopped++ }"
    )
    winner = person(7, "Zoooooooooë www.evil.example", points=5)
    painted(page, stage.put("question", **quiz()))
    painted(page, stage.put("question", **quiz("decided", winner=winner)))
    assert page.evaluate("__said") == []
    painted(page, stage.put("stage", **stage_of(speech={"on": True, "stop": 0})))
    stage.put("question", **quiz(round=4))
    stage.put("question", **quiz("decided", round=4, winner=winner))
    holds(page, "__said.length === 1")
    assert page.evaluate("__said[0]") == "Zooë has won, 5 points."
    page.evaluate("__stopped = 0")
    painted(page, stage.put("stage", **stage_of(speech={"on": True, "stop": 1})))
    assert page.evaluate("__stopped") == 1


WANTS_A_CLICK = """
const Real = AudioContext;
let isWoken = false;
window.AudioContext = class extends Real {
  get state() { return isWoken ? super.state : "suspended"; }
  resume() { isWoken = true; return super.resume(); }
};
"""
"""A browser without a head wants no click: play one that does."""


def test_a_browser_is_asked_for_a_click_before_there_is_sound(visit):
    """Once, where the browser wants one; OBS does not."""
    page = visit("/overlay?sound=1", script=WANTS_A_CLICK)
    page.locator(".tl-unlock").click()
    page.locator(".tl-unlock").wait_for(state="detached")
    in_obs = visit("/overlay?sound=1", script=WANTS_A_CLICK + "window.obsstudio = {};")
    assert in_obs.locator(".tl-unlock").count() == 0


def test_a_clock_of_another_hour_runs_out_with_the_servers(stage, visit):
    """What is left is told by the server's clock, not by this machine's."""
    page = visit("/overlay/quiz?motion=0")
    painted(
        page, stage.put("question", **quiz(opened_at=now_us() - 30_000_000, closes_at=now_us() + 30_000_000))
    )
    page.evaluate("void (window.__tl.aheadMs += 20_000)")
    holds(page, "Number(document.querySelector('.tl-clock').textContent) <= 10")
