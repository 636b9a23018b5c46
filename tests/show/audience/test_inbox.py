"""The inbox: what the audience asks, each question once."""

from __future__ import annotations

import json

import pytest

from tests.show.audience.audience import Audience
from toolkit.bus.live_state import rehearsal_cleared
from toolkit.bus.notice import event_data
from toolkit.model.event import Event
from toolkit.show.audience.inbox import CLOSED_MAX, OPEN_MAX, Inbox
from toolkit.show.part import ShowError


@pytest.fixture
def audience() -> Audience[Inbox]:
    """Return an audience of an inbox, in a live."""
    return Audience(Inbox())


def texts(audience: Audience[Inbox]) -> dict[str, tuple[str, int]]:
    """Return state and count of each question that is told, by its text."""
    return {one["text"]: (one["state"], one["count"]) for one in audience.state()["questions"]}


def id_of(audience: Audience[Inbox], text: str) -> str:
    """Return the id of a question by its text."""
    return next(one["id"] for one in audience.state()["questions"] if one["text"] == text)


def test_questions_of_the_chat_wait_for_the_operator_and_those_of_the_qna_queue_up(
    audience: Audience[Inbox],
) -> None:
    """The chat asks much that is not meant to be shown."""
    audience.says(1, "how old are you")
    audience.says(2, "so pretty")
    audience.asks(3, "Where do you live?")
    assert texts(audience) == {"how old are you": ("new", 1), "Where do you live?": ("queued", 1)}
    assert audience.part.waiting == 1
    audience.do("inbox.queue", id=id_of(audience, "how old are you"))
    assert audience.part.waiting == 2
    first = audience.part.next()
    assert first is not None
    assert (first.text, first.users[0].user_id) == ("Where do you live?", 3)


def test_by_hand_questions_of_the_qna_wait_too(audience: Audience[Inbox]) -> None:
    """The switch ``inbox.auto``."""
    assert audience.do("inbox.auto", on=False)["auto"] is False
    audience.asks(3, "Where do you live?")
    assert texts(audience) == {"Where do you live?": ("new", 1)}


@pytest.mark.parametrize(
    "again",
    [
        "HOW OLD ARE YOU???",
        "hi, how old are you ❤️",
        "how old are you pls",
        "you are how old?",
        "howww old are you",
        "@anna how old are you?",
    ],
)
def test_the_same_question_in_other_words_is_counted_and_not_added(
    audience: Audience[Inbox], again: str
) -> None:
    """Case, greetings, emoji, order and stretched letters make no other question."""
    audience.says(1, "how old are you")
    audience.says(2, again)
    assert texts(audience) == {"how old are you": ("new", 2)}
    (told,) = audience.state()["questions"]
    assert [user["user_id"] for user in told["users"]] == ["1", "2"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("what is your favourite song", "what is your favorite song"),
        ("quelle est ta chanson préférée ?", "quelle est ta chanson prefere ?"),
    ],
)
def test_a_slip_of_the_finger_makes_no_other_question(
    audience: Audience[Inbox], one: str, other: str
) -> None:
    """In a word long enough that nothing else can be meant."""
    audience.says(1, one)
    audience.says(2, other)
    assert texts(audience) == {one: ("new", 2)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("how old are you", "how tall are you"),
        ("what is 2+2?", "what is 2+3?"),
        ("is it Iran?", "is it Iraq?"),
        ("where is your brother", "where is your mother"),
        ("你几岁结婚的？", "你几岁离婚的？"),
    ],
)
def test_a_question_that_only_looks_alike_is_another(audience: Audience[Inbox], one: str, other: str) -> None:
    """A word that was lost cannot be answered."""
    audience.says(1, one)
    audience.says(2, other)
    assert set(texts(audience).values()) == {("new", 1)}
    assert len(texts(audience)) == 2


def test_who_asks_twice_counts_once(audience: Audience[Inbox]) -> None:
    """However often."""
    for _ in range(5):
        audience.says(1, "how old are you")
    assert texts(audience) == {"how old are you": ("new", 1)}
    assert len(audience.state()["questions"][0]["users"]) == 1


def test_the_qna_lifts_a_question_that_the_chat_had_asked(audience: Audience[Inbox]) -> None:
    """Somebody asked it properly."""
    audience.says(1, "how old are you")
    audience.asks(2, "How old are you?")
    assert texts(audience) == {"how old are you": ("queued", 2)}


def test_what_was_answered_or_dismissed_does_not_come_back(audience: Audience[Inbox]) -> None:
    """It is counted where it is."""
    audience.says(1, "how old are you")
    audience.says(1, "where are you from")
    counts = audience.do("inbox.answered", id=id_of(audience, "how old are you"))["counts"]
    assert (counts["answered"], counts["dismissed"]) == (1, 0)
    audience.do("inbox.dismiss", id=id_of(audience, "where are you from"))
    audience.says(2, "how old are you")
    audience.asks(2, "Where are you from?")
    state = audience.state()
    assert (state["questions"], state["counts"]["answered"], state["counts"]["dismissed"]) == ([], 1, 1)


def test_what_tiktok_replays_after_a_reconnect_was_asked_before(audience: Audience[Inbox]) -> None:
    """It is not asked again."""
    audience.says(1, "how old are you", is_history=True)
    assert texts(audience) == {}


def test_a_pinned_question_is_next_and_the_rest_come_in_the_order_in_which_they_were_queued(
    audience: Audience[Inbox],
) -> None:
    """What the host gives back comes again."""
    for number in range(4):
        audience.asks(number + 1, f"Question number {number}?")
    audience.do("inbox.pin", id=id_of(audience, "Question number 2?"), on=True)
    shown = []
    while (question := audience.part.next()) is not None:
        shown.append(question.text[-2])
        audience.part.mark(question.id, "on_air", audience.now)
        audience.part.mark(question.id, "answered", audience.now)
    assert shown == ["2", "0", "1", "3"]


def test_what_is_dismissed_while_on_air_stays_dismissed(audience: Audience[Inbox]) -> None:
    """The host says later that it was answered: he had not heard of it yet."""
    audience.asks(1, "Where do you live?")
    one = id_of(audience, "Where do you live?")
    audience.part.mark(one, "on_air", audience.now)
    with pytest.raises(ShowError, match="on air"):
        audience.do("inbox.queue", id=one)
    audience.do("inbox.dismiss", id=one)
    audience.part.mark(one, "answered", audience.now)
    counts = audience.state()["counts"]
    assert (counts["answered"], counts["dismissed"]) == (0, 1)
    audience.part.mark("a99", "answered", audience.now)


def test_each_step_of_the_operator_can_be_taken_back(audience: Audience[Inbox]) -> None:
    """The last one first, until nothing is left."""
    audience.says(1, "how old are you")
    one = id_of(audience, "how old are you")
    audience.do("inbox.queue", id=one)
    audience.do("inbox.pin", id=one, on=True)
    audience.do("inbox.dismiss", id=one)
    assert audience.state()["questions"] == []
    audience.do("inbox.undo")
    (told,) = audience.state()["questions"]
    assert (told["state"], told["is_pinned"]) == ("queued", True)
    audience.do("inbox.undo")
    (told,) = audience.do("inbox.undo")["questions"]
    assert (told["state"], told["is_pinned"]) == ("new", False)
    with pytest.raises(ShowError, match="nothing to take back"):
        audience.do("inbox.undo")


def test_a_question_goes_with_the_last_of_those_who_asked_it(audience: Audience[Inbox]) -> None:
    """TikTok withdraws a message, or everything of a viewer; so does moderation."""
    asked = audience.says(1, "how old are you")
    audience.says(2, "how old are you")
    audience.withdraws(messages=(asked.msg_id,))
    (told,) = audience.state()["questions"]
    assert (told["count"], [user["user_id"] for user in told["users"]]) == (1, ["2"])
    audience.withdraws(users=(2,))
    assert texts(audience) == {}
    assert audience.part.find(told["id"]) is None
    # Nothing left to take back either: the operator's steps were about a question that is gone.
    with pytest.raises(ShowError, match="no such question"):
        audience.do("inbox.queue", id=told["id"])


def test_a_withdrawal_may_overtake_the_question(audience: Audience[Inbox]) -> None:
    """Order is loose on the wire."""
    audience.withdraws(messages=(77,))
    audience.says(1, "how old are you", msg_id=77)
    assert texts(audience) == {}


def test_what_moderation_holds_back_is_taken_in_once_it_is_approved() -> None:
    """And a question that is withdrawn meanwhile never is."""

    def lets_through(event: Event) -> bool:
        return event.user is not None and event.user.user_id != 1

    audience = Audience(Inbox(lets_through=lets_through))
    held = audience.says(1, "how old are you")
    gone = audience.asks(1, "Where do you live?")
    audience.says(2, "when is the next live")
    assert texts(audience) == {"when is the next live": ("new", 1)}
    audience.withdraws(messages=(gone.msg_id,))
    for event in (held, gone, held):
        audience.notice("show:approved", {"kind": event.kind} | event_data(event))
    assert texts(audience) == {"when is the next live": ("new", 1), "how old are you": ("new", 1)}


def test_what_the_operator_puts_in_is_queued_and_goes_first_if_it_is_to_go_on_air(
    audience: Audience[Inbox],
) -> None:
    """Typed, or picked from the chat with its author."""
    audience.asks(1, "Where do you live?")
    audience.do("inbox.add", text="Who won yesterday")
    audience.do(
        "inbox.add",
        text="the blue one",
        user={"user_id": "7", "nickname": "Ann", "handle": "ann"},
        on_air=True,
    )
    first = audience.part.next()
    assert first is not None
    assert (first.text, first.users[0].nickname) == ("the blue one", "Ann")
    assert audience.part.waiting == 3
    audience.do("inbox.undo")
    assert audience.part.waiting == 2
    audience.says(4, "who won yesterday")
    assert texts(audience)["Who won yesterday"] == ("queued", 1)


@pytest.mark.parametrize(
    ("action", "values"),
    [
        ("inbox.queue", {}),
        ("inbox.queue", {"id": "a99"}),
        ("inbox.queue", {"id": ["a1"]}),
        ("inbox.pin", {"id": "a1"}),
        ("inbox.pin", {"id": "a1", "on": "yes"}),
        ("inbox.auto", {}),
        ("inbox.add", {"text": ""}),
        ("inbox.add", {"text": "x", "on_air": 1}),
    ],
)
def test_a_command_that_means_nothing_changes_nothing(
    audience: Audience[Inbox], action: str, values: dict[str, object]
) -> None:
    """It is refused with a sentence."""
    audience.says(1, "how old are you")
    before = audience.state()
    with pytest.raises(ShowError):
        audience.do(action, **values)
    assert audience.state() == before


def test_a_flood_of_questions_crowds_out_what_the_fewest_have_asked(audience: Audience[Inbox]) -> None:
    """Never what is pinned, queued by somebody or on air; and the closed ones are bounded too."""
    audience.says(1, "how old are you")
    audience.do("inbox.pin", id=id_of(audience, "how old are you"), on=True)
    audience.asks(2, "Where do you live?")
    for number in range(OPEN_MAX * 3):
        audience.says(10 + number, f"what is the number {number:04}")
    state = audience.state()
    assert sum(state["counts"].values()) == OPEN_MAX
    assert state["dropped"] == OPEN_MAX * 2 + 2
    assert {"how old are you", "Where do you live?"} <= set(texts(audience))
    assert "what is the number 0299" in texts(audience)
    for question in [*audience.part.saved()["questions"]]:
        audience.do("inbox.dismiss", id=question["id"])
    for number in range(CLOSED_MAX):
        audience.asks(10, f"Another one, {number}?")
        next_one = audience.part.next()
        assert next_one is not None
        audience.part.mark(next_one.id, "answered", audience.now)
    assert sum(audience.state()["counts"].values()) <= CLOSED_MAX


def test_long_questions_in_wide_letters_fit_a_state(audience: Audience[Inbox]) -> None:
    """Whatever is left out is told once there is room."""
    for number in range(40):
        audience.asks(number + 1, f"{number} " + "🧑‍🚀" * 100 + "?")
    assert 5 <= len(audience.state()["questions"]) < 30


def test_a_live_that_goes_on_after_a_restart_has_its_questions(audience: Audience[Inbox]) -> None:
    """What was on air is queued again; who asked is still counted once."""
    audience.says(1, "how old are you")
    audience.asks(2, "Where do you live?")
    audience.part.mark(id_of(audience, "Where do you live?"), "on_air", audience.now)
    audience.do("inbox.pin", id=id_of(audience, "how old are you"), on=True)
    audience.do("inbox.auto", on=False)
    kept = json.loads(json.dumps(audience.part.saved()))
    again = Audience(Inbox(), recording="")
    again.part.restore(kept)
    again.run("live", "live-1")
    told = again.state()
    assert (told["auto"], {one["text"]: one["is_pinned"] for one in told["questions"]}) == (
        False, {"how old are you": True, "Where do you live?": False},
    )  # fmt: skip
    assert {user["handle"] + user["nickname"] for one in told["questions"] for user in one["users"]} == {
        "h1N1", "h2N2",
    }  # fmt: skip
    again.says(1, "how old are you")
    again.says(3, "how old are you")
    assert texts(again) == {"how old are you": ("new", 2), "Where do you live?": ("queued", 1)}
    again.says(4, "when is the next live")
    assert len({one["id"] for one in again.state()["questions"]}) == 3
    again.run("live", "live-2")
    assert texts(again) == {}


def test_a_rehearsal_and_a_live_never_mix(audience: Audience[Inbox]) -> None:
    """The end of a live leaves its questions to be read; a rehearsal's go when it is cleared."""
    audience.says(1, "how old are you")
    audience.run("none")
    assert texts(audience)
    audience.run("rehearsal", "sample")
    assert texts(audience) == {}
    audience.says(1, "where are you from")
    audience.run("none")
    assert texts(audience)
    audience.notice(*rehearsal_cleared())
    assert texts(audience) == {}


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"questions": "x", "auto": 1, "recording": 5},
        {"questions": [None, 1, {}, {"id": "a1"}, {"id": "zz", "text": "x"}]},
        {
            "questions": [
                {
                    "id": "a5", "text": "ok", "state": "new", "from": "chat", "at": 1, "users": [None, {}],
                    "askers": {"x": "y"}, "is_pinned": False, "order": 0,
                },
                {
                    "id": "a6", "text": "good", "state": "new", "from": "chat", "at": 1, "users": [None, {}],
                    "askers": {}, "is_pinned": False, "order": 0,
                },
            ]
        },
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_left_out(saved: dict[str, object]) -> None:
    """A file that somebody has edited stops nothing."""
    inbox = Inbox()
    inbox.restore(saved)
    assert [one["text"] for one in inbox.state()["questions"]] in ([], ["good"])
