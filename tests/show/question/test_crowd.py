"""
A crowd answers: bus, conductor and host together, as in a live.

``QUIZ_SEEDS=1000`` tries as many crowds, here and in ``test_quiz.py``.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from toolkit.bus.live_state import run_started
from toolkit.bus.memory import MemoryBus
from toolkit.clock import ManualClock
from toolkit.model.event import Comment, User
from toolkit.show.conductor import Conductor
from toolkit.show.question.deck import Deck
from toolkit.show.question.host import Host
from toolkit.show.question.shelf import Shelf
from toolkit.show.rounds import read_rounds

S = 1_000_000
SEEDS = max(1, int(os.environ.get("QUIZ_SEEDS", "100")) // 20)
VIEWERS = 300
RIGHT = ("Paris", "paris!", "PARIS", "pariss", "c'est paris", "Prais", "🗼 paris 🗼")


@dataclass(frozen=True)
class _Line:
    """One comment: when it arrives and was written, seconds after the question; by whom."""

    at_s: float
    written_s: float
    user: int
    text: str


def crowd(rng: Random) -> list[_Line]:
    """Return what 300 viewers write within two seconds, as TikTok delivers it: late and out of order."""
    lines = []
    for user in range(1, VIEWERS + 1):
        written_s = rng.uniform(3, 5)
        lines.append(_Line(written_s + rng.uniform(0.1, 1.7), written_s, user, rng.choice(RIGHT)))
        if rng.random() < 0.3:
            again_s = written_s + rng.uniform(0, 2)
            lines.append(_Line(again_s + rng.uniform(0.1, 1.7), again_s, user, "paris"))
        if rng.random() < 0.3:
            chat = rng.choice(["lol", "london", "???", "is it rome"])
            lines.append(_Line(written_s + rng.uniform(0.1, 1.7), written_s - 1, user, chat))
    return sorted(lines, key=lambda line: line.at_s)


class Hall:
    """A show with a real bus, in a live, whose clock moves when told to."""

    def __init__(self, folder: Path) -> None:
        (folder / "questions").mkdir()
        bank = [{"id": "q", "text": "Capital of France?", "answers": ["Paris"]}]
        (folder / "questions" / "bank.json").write_text(json.dumps(bank))
        self.folder = folder
        self.clock = ManualClock()
        self.bus = MemoryBus(clock=self.clock)
        host = Host(Shelf(folder / "questions"), Deck(1))
        self.conductor = Conductor(self.bus, [host], clock=self.clock, folder=folder)
        self.bus.publish([run_started("live", "ann", "rec"), ("status", {"connected": True})])
        self.conductor.step()

    def deliver(self, lines: list[_Line], rng: Random) -> None:
        """Let the comments arrive, in frames as TikTok sends them; the conductor looks now and then."""
        opened = self.clock.now_us()
        for number, line in enumerate(lines):
            self._wait_until(opened + round(line.at_s * S))
            author = User(line.user, f"u{line.user}", f"Viewer {line.user}")
            written = opened + round(line.written_s * S)
            event = Comment(
                number, number, written, self.clock.now_us(), author, line.text, "", "", "", False
            )
            self.bus.publish([("comment", event)])
            if rng.random() < 0.2:
                self.conductor.step()

    def _wait_until(self, moment: int) -> None:
        self.clock.advance(max(0, moment - self.clock.now_us()) / S)

    def states(self) -> list[dict[str, Any]]:
        """Return the states of the question that were announced."""
        notices, _ = self.bus.since(0)
        return [n.data for n in notices if n.type == "show:question" and isinstance(n.data, dict)]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_of_300_viewers_who_answer_within_two_seconds_the_true_first_wins(seed: int, tmp_path: Path) -> None:
    """Whoever leads meanwhile; one result, in the log as on the bus, and few notices."""
    rng = Random(seed)
    hall, lines = Hall(tmp_path), crowd(rng)
    hall.conductor.command({"action": "question.next"})
    hall.deliver(lines, rng)
    hall.clock.advance(2)
    hall.conductor.step()
    right = [line for line in lines if line.text in RIGHT or line.text == "paris"]
    first = min(right, key=lambda line: line.written_s)
    state = hall.states()[-1]
    assert state["state"] == "decided", f"seed {seed}"
    assert state["winner"]["user_id"] == str(first.user), f"seed {seed}"
    # Those who answered before the decision; it is 1.75 s after the first right one.
    decided_s = right[0].at_s + 1.75
    expected = len({line.user for line in right if line.at_s < decided_s})
    assert state["right"] == state["answered"] == expected
    hall.conductor.step()
    [logged] = read_rounds(tmp_path / "rounds.jsonl")
    assert logged["winner"]["user_id"] == str(first.user)
    assert len(hall.states()) <= 4 * 8
