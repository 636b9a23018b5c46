"""The show, end to end: a question over REST, viewers of a simulated live, the winner on the socket."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from toolkit.show.quiz import Rules
from toolkit.simulator.server import Simulator, SimulatorThread

DECIDED_WITHIN_S = 1.0
"""From the right answer's arrival to the winner at a screen, beyond the time that rules give to others."""
RULES = Rules()


def notices(socket: ClientConnection, within_s: float = 20) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield what arrives, each with when it did: microseconds UTC."""
    deadline = time.monotonic() + within_s
    while (left_s := deadline - time.monotonic()) > 0:
        yield json.loads(socket.recv(timeout=left_s)), time.time_ns() // 1000
    pytest.fail(f"not within {within_s} s")


def first(socket: ClientConnection, wanted: Callable[[dict[str, Any]], bool]) -> tuple[dict[str, Any], int]:
    """Return the first notice that is wanted, and when it arrived."""
    return next(found for found in notices(socket) if wanted(found[0]))


def is_question(state: str) -> Callable[[dict[str, Any]], bool]:
    """Return whether a notice is the question in some state."""
    return lambda notice: notice["type"] == "show:question" and notice["data"]["state"] == state


@pytest.mark.slow
def test_the_first_right_viewer_is_on_every_screen_within_a_second_and_after_a_restart(
    tmp_path: Path, serve: Any, wait_until: Any
) -> None:
    """The one who was first, from real frames, in the log, and the bank as it was left."""
    show = tmp_path / "show"
    (show / "questions").mkdir(parents=True)
    bank = show / "questions" / "bank.yaml"
    bank.write_text("- {id: paris, text: Capital of France?, answers: [Paris]}\n")
    thread = SimulatorThread(Simulator("small", seed=21))
    with thread as simulator:
        environment = {"TIKTOK_USERNAME": "demo", "TOOLKIT_RECORDINGS": str(tmp_path)}
        server = serve(simulator.environment() | environment)
        wait_until(lambda: server.ask("/api/tiktok/status")["connected"], what="connected")
        with connect(f"ws://127.0.0.1:{server.port}/ws", proxy=None) as screen:
            screen.send(json.dumps({"type": "subscribe", "topics": ["show:*", "comment"], "snapshot": True}))
            snapshot, _ = first(screen, lambda notice: notice["type"] == "snapshot")
            assert snapshot["data"]["show"]["question"]["next"]["id"] == "paris"
            opened = server.ask("/api/show", {"action": "question.next"})["question"]
            counts_from_s = opened["opened_at"] / 1e6 + RULES.blind_s
            wait_until(lambda: time.time() > counts_from_s + 0.3, what="answers count")
            for viewer, text in (("ann", "london"), ("bob", "paris!!"), ("cem", "Paris"), ("dee", "lol")):
                thread.call(lambda viewer=viewer, text=text: simulator.say(viewer, text))
            answer, _ = first(screen, lambda n: n["type"] == "comment" and n["data"]["text"] == "paris!!")
            leading, leading_at = first(screen, is_question("leading"))
            assert leading["data"]["leader"]["handle"] == "bob"
            decided, decided_at = first(screen, is_question("decided"))
            assert decided["data"]["winner"]["handle"] == "bob"
            result, _ = first(screen, lambda notice: notice["type"] == "show:result")
            assert result["data"]["winner"] and not result["data"]["is_disputed"]
        late_s = (decided_at - answer["at"]) / 1e6 - RULES.settle_s
        print(f"leading after {(leading_at - answer['at']) / 1e6:.3f} s, decided {late_s:.3f} s late")
        assert 0 <= late_s <= DECIDED_WITHIN_S
        [line] = (show / "rounds.jsonl").read_text().splitlines()
        assert json.loads(line) == result["data"]
        bank.write_text(bank.read_text() + "- {id: rome, text: Capital of Italy?, answers: [Rome]}\n")
        wait_until(lambda: _question(server)["bank"]["questions"] == 2, within_s=10, what="the bank is read")
        before = server.ask("/api/show", {"action": "question.auto", "mode": "winner", "audience": False})
        server.stop()
        again = serve({"TOOLKIT_RECORDINGS": str(tmp_path)})
        wait_until(lambda: _question(again)["bank"]["questions"] == 2, what="the bank is read")
        after = _question(again)
        assert (after["mode"], after["audience"], after["next"]["id"]) == ("winner", False, "rome")
        assert before["question"]["bank"] | {"asked": 1} == after["bank"]


def _question(server: Any) -> dict[str, Any]:
    return dict(server.ask("/api/show")["question"])
