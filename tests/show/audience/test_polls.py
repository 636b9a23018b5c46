"""Polls: one vote each, the first one counts; TikTok's own as they arrive."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.show.audience.audience import Audience
from toolkit.model.event import Deletion, Event
from toolkit.show.audience.polls import Polls
from toolkit.show.part import ShowError


@pytest.fixture
def audience() -> Audience[Polls]:
    """Return an audience of the polls, in a live."""
    return Audience(Polls())


def ask(audience: Audience[Polls], **values: Any) -> None:
    """Open a poll of three."""
    asked = {"text": "Which map?", "options": ["Desert", "Ice land", "Jungle"], "seconds": 30}
    audience.do("poll.open", **asked | values)


def votes(audience: Audience[Polls]) -> list[int]:
    """Return the votes of each option, in order."""
    return [option["votes"] for option in audience.state()["options"]]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1", 0), ("2", 1), ("3.", 2), ("A", 0), ("b", 1), ("c ❤️", 2), ("desert", 0), ("DESERT!!", 0),
        ("iceland", 1), ("Jungel", 2), ("the jungle", 2), ("three", 2), ("٢", 1),
    ],
)  # fmt: skip
def test_a_vote_is_a_number_a_letter_or_the_option_itself(
    audience: Audience[Polls], text: str, place: int
) -> None:
    """Read as an answer to a quiz is read."""
    ask(audience)
    audience.says(1, text)
    assert votes(audience) == [int(here == place) for here in range(3)]


@pytest.mark.parametrize("text", ["", "4", "0", "d", "12", "desert or jungle", "I like 1", "❤️", "1 2 3"])
def test_whatever_else_is_written_is_chat(audience: Audience[Polls], text: str) -> None:
    """Nobody's vote is guessed."""
    ask(audience)
    audience.says(1, text)
    assert votes(audience) == [0, 0, 0]


def test_everybody_has_one_vote_and_the_first_one_counts(audience: Audience[Polls]) -> None:
    """By TikTok's number of the viewer; shares are of those who voted."""
    ask(audience)
    for user, text in ((1, "1"), (1, "2"), (2, "b"), (3, "2"), (3, "ice land"), (4, "jungle")):
        audience.says(user, text)
    state = audience.state()
    assert (votes(audience), state["total"]) == ([1, 2, 1], 4)
    assert [option["share"] for option in state["options"]] == [0.25, 0.5, 0.25]


def test_a_vote_counts_while_the_poll_is_open(audience: Audience[Polls]) -> None:
    """The result stays until the operator takes it off."""
    audience.says(1, "1")
    ask(audience)
    state = audience.state()
    assert (state["state"], state["closes_at"] - state["opened_at"]) == ("open", 30_000_000)
    audience.wait(29)
    audience.says(2, "1")
    audience.says(3, "1", is_history=True)
    audience.wait(1)
    audience.says(4, "1")
    assert (audience.state()["state"], votes(audience)) == ("closed", [1, 0, 0])
    audience.wait(3_600)
    assert audience.state()["state"] == "closed"
    assert audience.do("poll.clear")["state"] == "idle"


def test_the_operator_closes_a_poll_before_its_time(audience: Audience[Polls]) -> None:
    """Once."""
    ask(audience)
    audience.says(1, "2")
    audience.wait(3)
    state = audience.do("poll.close")
    assert (state["state"], state["closes_at"]) == ("closed", audience.now)
    with pytest.raises(ShowError, match="No poll"):
        audience.do("poll.close")
    ask(audience, options=["yes", "no"])
    audience.says(1, "no")
    assert votes(audience) == [0, 1]


def test_options_that_are_numbers_are_voted_for_by_what_they_say(audience: Audience[Polls]) -> None:
    """As in the quiz: 3 is the third option only where no option is a number."""
    ask(audience, options=["3", "2", "1"])
    audience.says(1, "1")
    audience.says(2, "a")
    assert votes(audience) == [1, 0, 1]


def test_who_is_kept_from_the_public_has_no_vote() -> None:
    """Moderation says whose comments count."""

    def counts(event: Event) -> bool:
        return event.user is not None and event.user.user_id != 1

    audience = Audience(Polls(counts=counts))
    ask(audience)
    audience.says(1, "1")
    audience.says(2, "1")
    assert votes(audience) == [1, 0, 0]


@pytest.mark.parametrize(
    "values",
    [
        {"text": ""},
        {"options": ["one"]},
        {"options": list("abcdefghi")},
        {"options": "yes no"},
        {"options": ["yes", 5]},
        {"options": ["Yes", "yes!"]},
        {"options": ["...", "!!!"], "seconds": 0},
        {"options": ["", "b"]},
        {"options": ["x" * 61, "b"]},
        {"seconds": 4},
        {"seconds": 1e9},
        {"seconds": "soon"},
    ],
)
def test_a_poll_that_nobody_could_vote_in_is_not_opened(
    audience: Audience[Polls], values: dict[str, Any]
) -> None:
    """It is refused with a sentence; what was open stays."""
    ask(audience)
    audience.says(1, "1")
    before = audience.state()
    with pytest.raises(ShowError):
        ask(audience, **values)
    assert audience.state() == before
    audience.says(2, "1")
    assert votes(audience) == [2, 0, 0]


def test_a_poll_of_tiktok_is_shown_as_it_arrives_and_goes_by_itself(audience: Audience[Polls]) -> None:
    """Its title comes once, its votes with every message."""
    options = [{"index": 0, "text": "Yes", "votes": 0}, {"index": 1, "text": "No", "votes": 0}]
    audience.tiktok_polls(7, 0, options, "Shall we?")
    state = audience.state()
    assert (state["state"], state["source"], state["text"]) == ("open", "tiktok", "Shall we?")
    audience.tiktok_polls(7, 2, [{"index": 0, "text": "", "votes": 5}, {"index": 1, "text": "", "votes": 3}])
    state = audience.state()
    assert [(option["label"], option["votes"]) for option in state["options"]] == [("Yes", 5), ("No", 3)]
    audience.tiktok_polls(7, 1, [options[0] | {"votes": 9}, options[1] | {"votes": 6}])
    assert (audience.state()["state"], audience.state()["total"]) == ("closed", 15)
    audience.wait(29)
    assert audience.state()["state"] == "closed"
    audience.wait(1)
    assert audience.state()["state"] == "idle"


def test_a_poll_of_tiktok_whose_end_was_missed_goes_too(audience: Audience[Polls]) -> None:
    """In a gap, say."""
    audience.tiktok_polls(7, 0, [{"index": 0, "text": "Yes", "votes": 0}])
    audience.wait(601)
    assert audience.state()["state"] == "idle"
    audience.tiktok_polls(8, 1, [{"index": 0, "text": "Yes", "votes": 0}])
    assert audience.state()["state"] == "idle"


def test_options_without_a_text_have_their_number(audience: Audience[Polls]) -> None:
    """The message that had their texts was in a gap."""
    audience.tiktok_polls(7, 2, [{"index": 0, "text": "", "votes": 2}, {"index": 1, "text": "", "votes": 1}])
    assert [option["label"] for option in audience.state()["options"]] == ["1", "2"]


def test_the_chat_s_poll_goes_before_tiktok_s(audience: Audience[Polls]) -> None:
    """The operator has asked; TikTok's is shown once that is taken off, if it still runs."""
    ask(audience)
    audience.tiktok_polls(7, 0, [{"index": 0, "text": "Yes", "votes": 1}])
    assert audience.state()["source"] == "chat"
    assert audience.do("poll.clear")["state"] == "idle"
    audience.tiktok_polls(7, 2, [{"index": 0, "text": "Yes", "votes": 2}])
    assert audience.state()["source"] == "tiktok"


@pytest.mark.parametrize(
    "options",
    ["", "{", "[1]", '[{"text": 5}]', '{"text": "x"}', "[" * 5_000, "null", '[{"text": "x", "votes": "5"}]'],
)
def test_options_that_cannot_be_read_are_no_poll(audience: Audience[Polls], options: str) -> None:
    """Nothing is shown, nothing fails."""
    event = audience.tiktok_polls(7, 0, [])
    event.options = options  # type: ignore[attr-defined]  # as a recording may have it
    audience.notice("poll", event)
    assert audience.state()["state"] == "idle"


@pytest.mark.parametrize("is_restarted", [False, True], ids=["", "after a restart"])
@pytest.mark.parametrize("gone", [{"message_ids": "501,999"}, {"user_ids": "1,9"}], ids=["message", "viewer"])
def test_a_vote_that_is_withdrawn_is_taken_back(
    audience: Audience[Polls], gone: dict[str, str], is_restarted: bool
) -> None:
    """By TikTok, or by the operator who hides somebody; who is heard again may vote again."""
    ask(audience)
    audience.says(1, "1", msg_id=501)
    audience.says(2, "1", msg_id=502)
    if is_restarted:
        kept = json.loads(json.dumps(audience.part.saved()))
        audience = Audience(Polls(), recording="")
        audience.part.restore(kept)
        audience.run("live", "live-1")
    audience.event(Deletion, None, **({"message_ids": "", "user_ids": ""} | gone))
    assert votes(audience) == [1, 0, 0]
    audience.says(1, "3")
    assert votes(audience) == [1, 0, 1]


def test_the_result_of_a_closed_poll_stands_whatever_is_withdrawn(audience: Audience[Polls]) -> None:
    """It was shown; nor is anything taken back where there is no poll."""
    audience.event(Deletion, None, message_ids="501", user_ids="1")
    ask(audience)
    audience.says(1, "1", msg_id=501)
    audience.do("poll.close")
    audience.event(Deletion, None, message_ids="501", user_ids="1")
    assert votes(audience) == [1, 0, 0]


def test_a_poll_goes_on_after_a_restart(audience: Audience[Polls]) -> None:
    """Who has voted has voted."""
    ask(audience)
    audience.says(1, "1")
    audience.says(2, "2")
    kept = json.loads(json.dumps(audience.part.saved()))
    again = Audience(Polls(), recording="")
    again.part.restore(kept)
    again.run("live", "live-1")
    again.says(1, "3")
    again.says(3, "3")
    assert votes(again) == [1, 1, 1]
    again.wait(31)
    assert again.state()["state"] == "closed"
    again.run("live", "live-2")
    assert again.state()["state"] == "idle"


@pytest.mark.parametrize(
    "change",
    [
        {"options": ["one"]}, {"voters": 5}, {"voters": [["x"], [], []]}, {"closes_at": "x"}, {"text": None},
        {"opened_at": float("inf")}, {"voters": [[1], None, []]},
    ],
)  # fmt: skip
def test_a_poll_that_cannot_be_read_is_left_out(audience: Audience[Polls], change: dict[str, Any]) -> None:
    """A file that somebody has edited stops nothing."""
    ask(audience)
    kept = audience.part.saved()
    assert kept is not None
    polls = Polls()
    polls.restore(kept | change)
    assert polls.state()["state"] == "idle"


def test_a_rehearsal_and_a_live_never_mix(audience: Audience[Polls]) -> None:
    """Each begins without a poll."""
    ask(audience)
    audience.run("rehearsal", "sample")
    assert audience.state()["state"] == "idle"
