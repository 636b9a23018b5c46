"""Public clients of the socket: what moderation lets through, on a real socket and on a real screen."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from toolkit.clock import SystemClock
from toolkit.show.conductor import Conductor
from toolkit.show.moderation.gate import Gate
from toolkit.show.moderation.moderation import Moderation


class Moderated:
    """A show of moderation alone, started, on the bus of a studio whose gate it rules."""

    def __init__(self, studio: Any) -> None:
        self.studio = studio
        studio.gate = Gate()
        studio.gate.follow(studio.bus, lambda _: studio.gate.rules.decided)
        self.show = Conductor(studio.bus, [Moderation(studio.gate)], clock=SystemClock())
        self.show.start()

    def ask(self, action: str, **values: Any) -> dict[str, Any]:
        """Ask as the dashboard does."""
        state: dict[str, Any] = self.show.command({"action": f"moderation.{action}", **values})["moderation"]
        return state


@pytest.fixture
def moderated(studio):
    """Return a studio's moderation; it ends with the test."""
    desk = Moderated(studio)
    yield desk
    desk.show.stop()


@pytest.fixture
def server(new_server, moderated):
    """Return a server whose public clients are moderated."""
    return new_server(moderated.studio)


def receive(client: Any) -> Any:
    """Return the next message."""
    return json.loads(client.recv(timeout=15))


def subscribe(client: Any, **wish: Any) -> dict[str, Any]:
    """Subscribe as an overlay does; return hello, having read the confirmation."""
    hello = receive(client)
    client.send(json.dumps({"type": "subscribe", "topics": ["comment", "deletion", "show:*"], **wish}))
    assert receive(client)["type"] == "subscribed"
    return hello  # type: ignore[no-any-return]  # JSON


def texts(client: Any, last: str) -> list[str]:
    """Return the texts of comments up to one."""
    found: list[str] = []
    while last not in found:
        message = receive(client)
        for one in message if isinstance(message, list) else [message]:
            if one["type"] == "comment":
                found.append(one["data"]["text"])
    return found


def test_a_public_client_gets_only_what_passes_and_another_gets_all(server, moderated):
    """Texts and names; side by side, of the same notices."""
    moderated.ask("words", words=["spam"])
    with server.socket() as public, server.socket() as private:
        subscribe(public, public=True, batch=True)
        subscribe(private)
        server.studio.comments(["one", "s.p.a.m", "two"])
        server.studio.comment("three", nickname="Spam King")
        server.studio.comment("end")
        assert texts(public, "end") == ["one", "two", "end"]
        assert texts(private, "end") == ["one", "s.p.a.m", "two", "three", "end"]


def test_what_is_held_back_takes_no_room_on_a_screen(server, moderated):
    """The newest two that may be shown, however many come after them that may not."""
    moderated.ask("words", words=["spam"])
    with server.socket() as client:
        subscribe(client, public=True, batch=True, comments_max=2)
        server.studio.comments(["one", "two", "three", *(f"spam {n}" for n in range(10))])
        server.studio.comment("end")
        assert texts(client, "end") in (["two", "three", "end"], ["three", "end"])


@pytest.mark.parametrize("wish", [{"since": 0}, {"snapshot": True}])
def test_whoever_comes_late_gets_no_more(server, moderated, wish):
    """Neither from the ring nor in the snapshot; nor what is hidden only now."""
    server.studio.comments(["one", "s.p.a.m", "two", "rude"])
    moderated.ask("words", words=["spam"])
    rude = server.studio.live_state.snapshot(0).comments[-1][1]
    moderated.ask("hide_message", msg_id=str(rude.msg_id))
    with server.socket() as client:
        subscribe(client, public=True, **wish)
        if "snapshot" in wish:
            told = receive(client)["data"]
            assert [one["data"]["text"] for one in told["comments"]] == ["one", "two"]
        server.studio.comment("end")
        assert texts(client, "end") == (["end"] if "snapshot" in wish else ["one", "two", "end"])


def test_no_comment_slips_through_while_rules_change(server, moderated):
    """What is published after the answer to the operator is judged by what they asked for, 50 times over."""
    with server.socket() as client:
        subscribe(client, public=True, batch=True)
        for n in range(50):
            moderated.ask("words", words=["spam"])
            server.studio.comments([f"spam {n}"])
            moderated.ask("words", words=[])
            server.studio.comments([f"fine {n}"])
        server.studio.comment("end")
        shown = texts(client, "end")
    # What waits when the list is emptied goes on waiting.
    assert [text for text in shown if text.startswith("spam")] == []
    assert shown[-2:] == ["fine 49", "end"]


def test_what_is_approved_arrives_as_a_comment(server, moderated):
    """After it was held back; the operator's own view has it from the beginning, once."""
    moderated.ask("hold", on=True)
    with server.socket() as client:
        subscribe(client, public=True)
        server.studio.comment("please")
        held = _held(moderated)
        moderated.ask("approve", msg_id=held[0]["msg_id"])
        assert texts(client, "please") == ["please"]
    assert [c.text for _, c in server.studio.live_state.snapshot(0).comments] == ["please"]


def test_the_queue_of_what_waits_is_not_told_to_the_public(server, moderated):
    """Its own texts would be on the socket otherwise."""
    moderated.ask("hold", on=True)
    with server.socket() as public, server.socket() as private:
        subscribe(public, public=True)
        subscribe(private)
        server.studio.comment("secret")
        kinds = set()
        while "show:moderation" not in kinds:
            kinds.add(receive(private)["type"])
        moderated.ask("hold", on=False)
        server.studio.comment("end")
        seen = []
        while '"end"' not in (seen or [""])[-1]:
            seen.append(public.recv(timeout=15))
    assert "secret" not in "".join(seen)
    assert "show:moderation" not in "".join(seen)


def test_a_flood_that_nobody_may_see_does_not_stop_what_may_be_seen(server, moderated):
    """Catching up over thousands of blocked comments, a few at a time."""
    moderated.ask("words", words=["spam"])
    with server.socket() as client:
        hello = subscribe(client, public=True, batch=True)
        for _ in range(6):
            server.studio.comments([f"spam {n}" for n in range(500)])
        server.studio.comment("end")
        assert texts(client, "end") == ["end"]
    moderated.ask("words", words=["other"])
    with server.socket() as client:
        subscribe(client, public=True, batch=True, since=0, stream=hello["data"]["stream"])
        assert texts(client, "end") == ["end"]


def _held(moderated: Moderated) -> Any:
    deadline = time.monotonic() + 15
    while not (held := moderated.show.state()["moderation"]["held"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return held


@pytest.mark.browser
def test_a_screen_shows_what_passes_and_takes_back_what_is_hidden(server, moderated, chromium, until):
    """In Chromium: blocked words and names never appear; a hidden viewer's lines vanish."""
    moderated.ask("words", words=["spam"])
    page = chromium.new_page()
    try:
        page.goto(f"{server.url}/overlay")
        until(lambda: any(s["painted_seq"] is not None for s in server.surface.hub.status()))

        def lines() -> str:
            return " | ".join(page.locator(".tl-comment").all_inner_texts())

        server.studio.comment("first", user=1)
        server.studio.comment("buy s p a m", user=2)
        server.studio.comment("second", user=3, nickname="Spam")
        server.studio.comment("third", user=4)
        until(lambda: "third" in lines())
        assert "first" in lines()
        assert "s p a m" not in lines() and "second" not in lines()
        moderated.ask("hide_user", user_id="4")
        until(lambda: "third" not in lines())
        assert "first" in lines()
    finally:
        page.close()
