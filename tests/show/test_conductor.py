"""The conductor: parts, a real bus, a clock that moves when told to, real files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from toolkit.bus.live_state import rehearsal_cleared, run_started
from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import Notice
from toolkit.clock import ManualClock
from toolkit.show.conductor import Conductor
from toolkit.show.look.stage import Stage
from toolkit.show.part import Part, ShowError
from toolkit.show.rounds import RoundsLog, read_rounds


class _Tally:
    """A part that counts what it hears, to be conducted."""

    name = "tally"
    actions = frozenset({"tally.fail", "tally.decide", "tally.say"})

    def __init__(self) -> None:
        self.version = 1
        self.heard: list[tuple[str, int]] = []
        self.ticks: list[int] = []
        self.due: int | None = None
        self.edges: list[tuple[str, dict[str, Any]]] = []

    def take(self, notice: Notice, now: int) -> None:
        if notice.type.startswith("show:"):
            return
        self.heard.append((notice.type, now))
        self.version += 1
        if notice.type == "poison":
            raise RuntimeError("hostile")

    def tick(self, now: int) -> int | None:
        self.ticks.append(now)
        if self.due is not None and now >= self.due:
            self.due = None
        return self.due

    def command(self, action: str, values: Mapping[str, Any], now: int) -> None:
        if action == "tally.say":
            raise ShowError("No.", hint="Say please.")
        if action == "tally.fail":
            raise RuntimeError("a fault of ours")
        self.version += 1
        self.heard.append((action, now))
        self.edges.append(
            ("show:result", {"round": values["round"], "recording": "x", "opened_at": now + values["round"]})
        )

    def state(self) -> dict[str, Any]:
        return {"heard": len(self.heard)}

    def outbox(self) -> list[tuple[str, dict[str, Any]]]:
        edges, self.edges = self.edges, []
        return edges

    def saved(self) -> dict[str, Any]:
        return {"heard": len(self.heard)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.heard = [("before", 0)] * saved["heard"]


class Hall:
    """A conductor with its bus and clock, stepped by hand."""

    def __init__(self, folder: Path | None = None, *parts: Part) -> None:
        self.clock = ManualClock()
        self.bus = MemoryBus(clock=self.clock)
        self.tally = _Tally()
        self.conductor = Conductor(self.bus, parts or (self.tally, Stage()), clock=self.clock, folder=folder)

    def publish(self, kind: str, **data: Any) -> None:
        """Publish one notice."""
        self.bus.publish([(kind, data)])

    def announced(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what the show has announced so far."""
        notices, _ = self.bus.since(0)
        return [(n.type, n.data) for n in notices if n.type.startswith("show:") and isinstance(n.data, dict)]


def test_a_change_is_announced_at_once_and_many_changes_four_times_a_second() -> None:
    """A burst costs four notices a second, whatever is in it."""
    hall = Hall()
    for _ in range(100):
        hall.publish("comment")
        hall.conductor.step()
        hall.clock.advance(0.01)
    hall.clock.advance(0.25)
    hall.conductor.step()
    assert [state["heard"] for _, state in hall.announced()] == [1, 26, 51, 76, 100]


def test_what_a_part_heard_and_did_not_care_about_is_not_announced() -> None:
    """A busy chat does not send the same state four times a second."""
    hall = Hall()
    hall.conductor.command({"action": "stage.blank", "on": True})
    hall.conductor.command({"action": "stage.blank", "on": True})
    assert [kind for kind, _ in hall.announced()] == ["show:stage"]


def test_the_wait_is_until_the_next_thing_that_is_due() -> None:
    """A change that was held back, or a part's own time; nothing is asked all the time."""
    hall = Hall()
    assert hall.conductor.step() == 60
    hall.publish("comment")
    hall.conductor.step()
    hall.clock.advance(0.1)
    hall.publish("comment")
    assert hall.conductor.step() == pytest.approx(0.15)
    hall.tally.due = hall.clock.now_us() + 30_000
    assert hall.conductor.step() == pytest.approx(0.03)


def test_a_part_that_is_always_due_does_not_take_a_core() -> None:
    """A fault of ours costs little."""
    hall = Hall()
    hall.tally.tick = lambda now: now - 1  # type: ignore[method-assign]  # the fault
    assert hall.conductor.step() > 0


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    """What changes is announced all the same."""
    hall = Hall()
    hall.publish("comment")
    hall.conductor.step()
    hall.clock.wall_us -= 3_600_000_000
    hall.publish("comment")
    hall.conductor.step()
    assert [state["heard"] for _, state in hall.announced()] == [1, 2]


def test_each_thing_happens_at_its_time_however_late_the_conductor_looks() -> None:
    """A part that was due before a notice ticks before it, at the notice's time."""
    hall = Hall()
    hall.tally.due = hall.clock.now_us() + 1_000_000
    hall.conductor.step()
    hall.tally.ticks.clear()
    hall.clock.advance(2)
    at = hall.clock.now_us()
    hall.publish("comment")
    hall.clock.advance(5)
    hall.conductor.step()
    assert hall.tally.ticks[0] == at
    assert hall.tally.heard == [("comment", at)]


def test_a_part_that_fails_is_passed_over_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    """What a viewer wrote never ends the show."""
    first, second = _Tally(), _Tally()
    second.name = "other"
    hall = Hall(None, first, second)
    hall.publish("poison")
    hall.publish("comment")
    hall.conductor.step()
    assert [kind for kind, _ in first.heard] == [kind for kind, _ in second.heard] == ["poison", "comment"]
    assert "the part tally failed" in caplog.text


def test_a_command_is_answered_with_the_state_and_announced_before_the_answer() -> None:
    """Who has commanded sees it on every screen at once."""
    hall = Hall()
    reply = hall.conductor.command({"action": "stage.blank", "on": True})
    assert reply["ok"] is True and reply["stage"]["is_blank"] is True
    assert hall.announced() == [("show:stage", reply["stage"])]
    assert hall.conductor.state()["stage"] == reply["stage"]
    hall.conductor.command({"action": "stage.blank", "on": False})
    assert [state["is_blank"] for _, state in hall.announced()] == [True, False]


@pytest.mark.parametrize("action", [None, "", "stage.explode", 7, ["stage.blank"], {"a": 1}, "tally.fail"])
def test_a_command_that_means_nothing_is_a_sentence_with_a_hint(action: object) -> None:
    """A fault of ours as well."""
    hall = Hall()
    with pytest.raises(ShowError) as caught:
        hall.conductor.command({"action": action})
    assert str(caught.value) and caught.value.hint


def test_an_edge_follows_the_state_it_comes_from_at_once(tmp_path: Path) -> None:
    """A screen never shows a result that its state does not know."""
    hall = Hall(tmp_path)
    hall.publish("comment")
    hall.conductor.step()
    hall.conductor.command({"action": "tally.decide", "round": 1})
    hall.conductor.command({"action": "tally.decide", "round": 2})
    hall.conductor.step()
    assert [kind for kind, _ in hall.announced()] == [
        "show:tally", "show:tally", "show:result", "show:tally", "show:result",
    ]  # fmt: skip
    assert [line["round"] for line in read_rounds(tmp_path / "rounds.jsonl")] == [1, 2]


def test_what_is_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    """Written whole, at most every second, and at the end."""
    hall = Hall(tmp_path)
    hall.clock.advance(10)
    hall.publish("comment")
    hall.conductor.step()
    file = tmp_path / "state.json"
    assert json.loads(file.read_text())["parts"]["tally"] == {"heard": 1}
    hall.clock.advance(0.5)
    hall.publish("comment")
    hall.conductor.step()
    assert json.loads(file.read_text())["parts"]["tally"] == {"heard": 1}
    hall.clock.advance(0.5)
    hall.conductor.step()
    assert Hall(tmp_path).conductor.state()["tally"] == {"heard": 2}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"parts": 7}', b"\xff\xfe", b"[" * 100_000, b'{"parts": {"tally": {}}}']
)
def test_a_state_file_that_cannot_be_read_is_set_aside(tmp_path: Path, content: bytes) -> None:
    """The show begins all the same, and nothing is overwritten."""
    (tmp_path / "state.json").write_bytes(content)
    hall = Hall(tmp_path)
    hall.publish("comment")
    hall.clock.advance(10)
    hall.conductor.step()
    assert hall.conductor.state()["tally"] == {"heard": 1}
    aside = tmp_path / "state.json.unreadable"
    assert not aside.exists() if b"tally" in content else aside.read_bytes() == content


def test_nothing_of_a_rehearsal_is_kept(tmp_path: Path) -> None:
    """Neither while it plays nor of what it has left, until that is cleared."""
    hall = Hall(tmp_path)
    hall.clock.advance(10)
    hall.bus.publish([run_started("rehearsal", "", "x")], rehearsal=True)
    hall.conductor.step()
    hall.conductor.command({"action": "tally.decide", "round": 1})
    hall.bus.publish([run_started("none", "", "")], rehearsal=True)
    hall.clock.advance(10)
    hall.conductor.step()
    hall.conductor.command({"action": "tally.decide", "round": 2})
    hall.clock.advance(10)
    hall.conductor.step()
    assert list(tmp_path.iterdir()) == []
    hall.bus.publish([rehearsal_cleared()], rehearsal=True)
    hall.conductor.step()
    hall.conductor.command({"action": "tally.decide", "round": 3})
    hall.conductor.step()
    assert [line["round"] for line in read_rounds(tmp_path / "rounds.jsonl")] == [3]
    assert (tmp_path / "state.json").exists()


def test_a_disk_that_refuses_is_said_and_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The show is on screen, whatever the disk does."""
    (tmp_path / "show").write_text("a file where the folder should be")
    hall = Hall(tmp_path / "show")
    hall.clock.advance(10)
    hall.conductor.command({"action": "tally.decide", "round": 1})
    hall.conductor.step()
    assert [kind for kind, _ in hall.announced()] == ["show:tally", "show:result"]
    assert "cannot be written" in caplog.text and "could not be written" in caplog.text


def test_what_the_bus_dropped_is_told_to_the_parts() -> None:
    """An answer may have been among it."""
    hall = Hall()
    hall.bus.publish([("comment", {})] * 20_001)
    hall.conductor.step()
    assert hall.tally.heard[0] == ("missed", hall.clock.now_us())
    assert len(hall.tally.heard) == 20_001


def test_a_round_that_was_judged_again_counts_as_it_was_judged_last(tmp_path: Path) -> None:
    """A line that a killed process has left half written costs itself alone."""
    path = tmp_path / "show" / "rounds.jsonl"
    log = RoundsLog(path)
    assert read_rounds(path) == []
    log.append({"recording": "x", "opened_at": 10, "points": 5})
    with path.open("ab") as file:
        file.write(b'{"recording": "x", "open')
    log.append({"recording": "y", "opened_at": 10, "points": 5})
    log.append({"recording": "x", "opened_at": 10, "points": 0})
    assert read_rounds(path) == [
        {"recording": "x", "opened_at": 10, "points": 0},
        {"recording": "y", "opened_at": 10, "points": 5},
    ]


def test_what_a_part_cannot_keep_costs_the_others_nothing(tmp_path: Path) -> None:
    """A fault of ours, or half a character in a name."""
    hall = Hall(tmp_path)
    hall.tally.saved = lambda: {"heard": object()}  # type: ignore[method-assign,dict-item]  # the fault
    hall.clock.advance(10)
    hall.conductor.command({"action": "stage.language", "language": "fr"})
    hall.conductor.step()
    parts = json.loads((tmp_path / "state.json").read_text())["parts"]
    assert list(parts) == ["stage"] and parts["stage"]["language"] == "fr"
    hall.tally.saved = lambda: {"heard": "\ud800"}  # type: ignore[method-assign,dict-item]  # the fault
    hall.clock.advance(10)
    hall.conductor.command({"action": "stage.language", "language": "en"})
    hall.conductor.step()
    assert "tally" in json.loads((tmp_path / "state.json").read_text())["parts"]


def test_the_thread_does_what_is_due_and_saves_when_it_ends(tmp_path: Path) -> None:
    """The real thing: it wakes by itself, survives what nobody foresaw, and a stop is its last word."""
    hall = Hall(tmp_path)
    hall.conductor.step = _failing_once(hall.conductor.step)  # type: ignore[method-assign]  # the fault
    hall.conductor.start()
    hall.conductor.start()
    with hall.bus.subscribe(["show:tally"]) as heard:
        hall.publish("comment")
        deadline = 2_000
        while not (notices := heard.take()) and deadline:
            deadline -= 1
            hall.conductor._worker.join(0.005)  # type: ignore[union-attr]  # started above
    assert [notice.data for notice in notices] == [{"heard": 1}]
    hall.conductor.stop()
    assert json.loads((tmp_path / "state.json").read_text())["parts"]["tally"] == {"heard": 1}


def _failing_once(step: Callable[[], float]) -> Callable[[], float]:
    failed: list[bool] = []

    def stumble() -> float:
        if not failed:
            failed.append(True)
            raise RuntimeError("a fault of ours")
        return step()

    return stumble
