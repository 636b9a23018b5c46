"""The show over HTTP and the socket: states out, commands in."""

import json
from pathlib import Path

import pytest

from toolkit.clock import SystemClock
from toolkit.show.conductor import Conductor
from toolkit.show.look.stage import Stage
from toolkit.show.question.deck import Deck
from toolkit.show.question.host import Host
from toolkit.show.question.shelf import Shelf


@pytest.fixture
def show_server(studio, new_server, until, tmp_path):
    """Return a server with a show in front of the sample bank."""
    host = Host(Shelf(tmp_path / "questions"), Deck(1))
    studio.show = Conductor(studio.bus, [Stage(), host], clock=SystemClock(), folder=tmp_path)
    studio.show.start()
    until(lambda: studio.show.state()["question"]["bank"]["questions"])
    yield new_server(studio)
    studio.show.stop()


def test_get_tells_every_part(show_server):
    """By its name."""
    status, states = show_server.ask_json("/api/show")
    assert status == 200 and set(states) == {"stage", "question"}
    assert states["question"]["state"] == "idle" and states["stage"]["language"] == "en"


def test_a_command_is_done_answered_and_on_every_screen(show_server):
    """The socket has it before the answer is there."""
    with show_server.socket() as screen:
        screen.recv()
        screen.send('{"type": "subscribe", "topics": ["show:*"]}')
        screen.recv()
        status, answer = show_server.ask_json("/api/show", "POST", {"action": "question.next"})
        assert (status, answer["ok"], answer["question"]["state"]) == (200, True, "on_air")
        notice = json.loads(screen.recv())
        assert (notice["type"], notice["data"]) == ("show:question", answer["question"])
    assert show_server.ask_json("/api/show")[1]["question"] == answer["question"]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"[1]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"action": null}',
        b'{"action": "question.explode"}',
        b'{"action": ["question.next"]}',
        b'{"action": "__class__"}',
        b'{"action": "question.pin"}',
        b'{"action": "question.pin", "on": "yes"}',
        b'{"action": "question.auto", "every_s": NaN}',
        b'{"action": "question.auto", "every_s": 1e999}',
        b'{"action": "question.auto", "mode": {}}',
        b'{"action": "question.ask"}',
        b'{"action": "question.ask", "id": 7}',
        b'{"action": "question.ask", "text": "\\ud800", "answers": ["x"]}',
        b'{"action": "question.ask", "text": "x", "answers": "%s"}' % (b"x" * 900_000),
        b'{"action": "question.ask", "text": "x", "answers": [%s"x"]}' % (b'"x",' * 200_000),
        b'{"action": "question.add", "text": "%s", "answers": ["x"]}' % (b"x" * 900_000),
        b'{"action": "question.edit", "id": "../../etc/passwd"}',
        b'{"action": "question.judge", "verdict": "void", "round": 1e3}',
        b'{"action": "stage.volume", "volume": true}',
    ],
)
def test_a_command_that_means_nothing_is_a_400_with_a_hint(show_server, body, tmp_path):
    """Never a traceback, and nothing has changed."""
    before = show_server.ask_json("/api/show")[1]
    status, _, answer = show_server.ask("/api/show", "POST", body, Content_Type="application/json")
    told = json.loads(answer)
    assert status == 400 and told["error"] and told["hint"]
    assert "Traceback" not in told["error"]
    assert show_server.ask_json("/api/show")[1] == before
    assert not (tmp_path / "questions").exists()


def test_a_form_of_another_site_commands_nothing(show_server):
    """Neither by its type nor by its origin."""
    body = b'{"action": "question.next"}'
    assert show_server.ask("/api/show", "POST", body, Content_Type="text/plain")[0] == 400
    headers = {"Content_Type": "application/json", "Origin": "https://evil.example"}
    assert show_server.ask("/api/show", "POST", body, **headers)[0] == 403
    assert show_server.ask_json("/api/show")[1]["question"]["state"] == "idle"


def test_the_bank_is_in_the_folder_of_the_show(show_server, tmp_path):
    """What the form writes is there for an editor."""
    value = {"action": "question.add", "text": "Mine?", "answers": ["yes"]}
    status, answer = show_server.ask_json("/api/show", "POST", value)
    assert (status, answer["question"]["bank"]["questions"]) == (200, 1)
    assert "Mine?" in Path(tmp_path / "questions" / "added.yaml").read_text("utf-8")
