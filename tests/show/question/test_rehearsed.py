"""The show in a rehearsal: a real recording through the real player, and nothing of it is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit import open_recording
from toolkit.bus.live_state import LiveState
from toolkit.bus.memory import MemoryBus
from toolkit.clock import SystemClock
from toolkit.replay.clock import SystemTime
from toolkit.replay.options import ReplayOptions
from toolkit.replay.rehearsal import Rehearsal
from toolkit.show.conductor import Conductor
from toolkit.show.question.deck import Deck
from toolkit.show.question.host import Host
from toolkit.show.question.quiz import Rules
from toolkit.show.question.shelf import Shelf

DEADLINE_S = 30.0
RATE = 4.0
FROM_S = 125.0
GAP_S = 141.3
"""Where the sample has its gap."""
_ANSWER = """
    WITH played AS (
        SELECT *, epoch(received_at - (SELECT min(received_at) FROM messages)) AS at_s FROM public_comments
    )
    SELECT text, user_id FROM played WHERE at_s BETWEEN ? AND ? AND length(text) > 5
    ORDER BY occurred_at, seq LIMIT 1
"""


class Stage:
    """A bus with a show and a rehearsal, all of them running."""

    def __init__(self, folder: Path) -> None:
        self.bus = MemoryBus()
        self.rehearsal = Rehearsal(self.bus, LiveState(self.bus), SystemTime())
        rules = Rules(blind_s=0.1, settle_s=0.2)
        host = Host(Shelf(folder / "questions"), Deck(1), rules=rules)
        self.show = Conductor(self.bus, [host], clock=SystemClock(), folder=folder)
        self.show.start()

    def question(self) -> dict[str, Any]:
        """Return what is on air."""
        return self.show.state()["question"]

    def wait_for(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the question is as wanted."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition(state := self.question()):
            assert time.monotonic() < deadline, state
            time.sleep(0.01)
        return state

    def ask(self, answer: str, seconds: float = 30) -> None:
        """Ask something."""
        self.show.command(
            {"action": "question.ask", "text": "What comes?", "answers": [answer], "seconds": seconds}
        )


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Return a stage; it is struck at the end."""
    stage = Stage(tmp_path / "show")
    yield stage
    stage.rehearsal.stop()
    stage.show.stop()


@pytest.mark.timeout(120)
def test_a_rehearsal_has_winners_and_disputes_as_a_live_and_leaves_nothing(
    stage: Stage, tmp_path: Path, project_root: Path
) -> None:
    """Who wrote it then wins now; a gap in the recording disputes; no file is written."""
    sample = project_root / "recordings" / "sample.duckdb"
    with open_recording(sample) as recording:
        [(text, user_id)] = recording.sql(_ANSWER, [FROM_S + 1, FROM_S + 4]).rows()
    options = ReplayOptions(rate=RATE, is_paused=True)
    stage.rehearsal.start(options.plan(sample), options)
    stage.rehearsal.control({"action": "seek", "to_s": FROM_S})
    stage.rehearsal.settled()
    stage.wait_for(lambda state: not state["paused"])
    stage.ask(text)
    stage.rehearsal.control({"action": "resume"})
    assert stage.wait_for(lambda state: state["state"] == "decided")["winner"]["user_id"] == str(user_id)
    # Paused: a second before the gap is soon over.
    stage.rehearsal.control({"action": "pause"})
    stage.rehearsal.control({"action": "seek", "to_s": GAP_S - 1})
    stage.rehearsal.settled()
    stage.wait_for(lambda state: state["state"] == "idle")
    stage.ask("nothing that anybody says")
    stage.rehearsal.control({"action": "resume"})
    state = stage.wait_for(lambda state: bool(state["is_disputed"]))
    assert (state["state"], state["paused"]) == ("on_air", "disconnected")
    stage.rehearsal.reset()
    stage.wait_for(lambda state: state["state"] == "idle" and not state["paused"])
    assert not list((tmp_path / "show").glob("rounds.jsonl"))
