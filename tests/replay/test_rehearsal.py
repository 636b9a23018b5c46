"""The one replay of a process: started, controlled, ended; and what requests may say."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit.app import App
from toolkit.cli import main
from toolkit.config import load_settings
from toolkit.errors import RecordingNotFound, ReplayError
from toolkit.replay.clock import UNLIMITED
from toolkit.replay.options import ACTIONS, ReplayOptions, carry_out
from toolkit.replay.player import Player

DEADLINE_S = 30.0


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Return an App whose folder is empty: the bundled sample is what it can play."""
    app = App(load_settings({"TOOLKIT_RECORDINGS": str(tmp_path)}))
    yield app
    app.stop_replay()


def until_over(app: App) -> None:
    """Wait for the end of the rehearsal."""
    deadline = time.monotonic() + DEADLINE_S
    while app.is_rehearsing:
        assert time.monotonic() < deadline, app.replay()
        time.sleep(0.01)


def test_a_rehearsal_is_controlled_from_outside(app):
    """Start paused, step, seek, speed up, to the end: each answer tells what has happened."""
    started = app.start_replay("sample", ReplayOptions(is_paused=True))
    assert started["recording"] == "sample"
    assert app.control_replay({"action": "next"})["frames"] == 1
    found = app.control_replay({"action": "seek", "to_s": 200})
    assert (found["state"], found["position_s"], found["seeking"]) == ("paused", 200.0, False)
    figures = app.figures()
    assert (figures.run, figures.recording) == ("rehearsal", "sample")
    assert sum(figures.totals.values()) > 1_000
    assert app.status()["rehearsal"]["state"] == "paused"
    assert app.control_replay({"action": "seek", "by_s": -10})["position_s"] == 190.0
    assert app.control_replay({"action": "rate", "rate": "max"})["rate"] == "max"
    json.dumps(app.replay(100), allow_nan=False)
    app.control_replay({"action": "resume"})
    until_over(app)
    assert sum(app.figures().totals.values()) == 1_686
    assert app.replay(100) == {"rehearsal": None, "timeline": None}


def test_a_replay_that_has_ended_plays_again_on_a_seek(app):
    """From the place that was asked for; other controls say that it is over."""
    app.start_replay("sample", ReplayOptions(rate=UNLIMITED))
    until_over(app)
    with pytest.raises(ReplayError, match="over"):
        app.control_replay({"action": "pause"})
    assert app.control_replay({"action": "seek", "to_s": 235})["position_s"] >= 235
    until_over(app)
    assert sum(app.figures().totals.values()) == 1_686


def test_starting_another_ends_the_first(app):
    """There is one; what it shows is the second's alone."""
    app.start_replay("sample", ReplayOptions())
    app.start_replay("sample", ReplayOptions(rate=UNLIMITED, from_s=100, until_s=140))
    until_over(app)
    assert 0 < sum(app.figures().totals.values()) < 1_000


def test_the_timeline_is_drawn_while_something_plays(app):
    """As many stretches as asked for, of the part that plays."""
    app.start_replay("sample", ReplayOptions(is_paused=True, from_s=100, until_s=200))
    drawn = app.replay(50)["timeline"]
    assert (len(drawn["comments"]), drawn["duration_s"]) == (50, 100.0)
    assert app.replay(50)["timeline"] == drawn
    (gap,) = drawn["gaps"]
    assert gap["cause"] == "network"
    for wrong in (-1, 2_001, 10**9):
        with pytest.raises(ReplayError):
            app.replay(wrong)


def test_without_a_rehearsal_there_is_nothing_to_control(app):
    """A sentence, not a fault; a stop is harmless."""
    with pytest.raises(ReplayError, match="Nothing plays"):
        app.control_replay({"action": "pause"})
    assert app.control_replay({"action": "stop"}) == {"state": "stopped"}
    assert app.replay() == {"rehearsal": None, "timeline": None}
    with pytest.raises(RecordingNotFound):
        app.start_replay("missing", ReplayOptions())


HOSTILE: list[Any] = [None, True, "", "x" * 10_000, "1e999", [], {}, -1, float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize(
    "name", ["rate", "from", "until", "loop", "paused", "heal_gaps", "idle_max", "faults"]
)
def test_an_option_that_means_nothing_is_named(name):
    """Whatever JSON can hold."""
    for value in HOSTILE:
        if (value is True and name in ("loop", "paused", "heal_gaps")) or (
            value is None and name in ("until", "idle_max", "faults")
        ):
            continue
        if value == {} and name == "faults":
            continue  # A plan in which nothing goes wrong.
        with pytest.raises(ReplayError, match=name):
            ReplayOptions.of({name: value})


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"action": None},
        {"action": ["seek"]},
        {"action": "explode"},
        {"action": "seek"},
        {"action": "seek", "to_s": 1, "by_s": 1},
        *({"action": "seek", "to_s": value} for value in HOSTILE),
        *({"action": "seek", "by_s": value} for value in HOSTILE if value != -1),
        *({"action": "rate", "rate": value} for value in HOSTILE),
        {"action": "next", "kind": 7},
        {"action": "next", "kind": "x" * 100},
        {"action": "next"},
        {"action": "burst"},
        {"action": "burst", "frames": 1.5},
        *({"action": "burst", "frames": value} for value in HOSTILE),
        *({"action": "burst", "seconds": value} for value in HOSTILE),
        *({"action": "loop", "loop": value} for value in HOSTILE if value is not True),
    ],
)
def test_a_control_that_means_nothing_is_refused_and_changes_nothing(by_hand, said):
    """With a sentence; the player is as it was."""
    from toolkit.bus.memory import MemoryBus

    player = Player(by_hand(), bus=MemoryBus())
    before = player.progress()
    with pytest.raises(ReplayError) as refused:
        carry_out(player, said)
    assert str(refused.value)
    assert player.progress() == before


def test_every_action_is_known_to_the_readme(project_root):
    """The table of the API names what can be asked for."""
    readme = (project_root / "README.md").read_text("utf-8")
    row = next(line for line in readme.splitlines() if line.startswith("| `POST /api/replay` "))
    assert all(f"`{action}`" in row for action in ACTIONS)


def test_a_replay_without_a_server_tells_what_it_did(tmp_path, capsys):
    """A part of the sample, healed, recorded: counts, lateness, one digest however fast."""
    asked = ["--from", "120", "--until", "200", "--heal-gaps", "--json"]
    told = []
    for further in (["--rate", "max", "--headless"], ["--rate", "1000", "--record", str(tmp_path)]):
        assert main(["replay", "sample", *asked, *further]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0]["digest"] == told[1]["digest"]
    assert told[0]["totals"] == told[1]["totals"]
    assert (told[0]["rate"], told[1]["rate"], told[0]["recorded"]) == ("max", 1000.0, None)
    assert told[1]["late"]["count"] == told[1]["frames"] > 50
    assert main(["info", told[1]["recorded"], "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["state"], info["frames"], len(info["segments"])) == ("sealed", told[1]["frames"], 1)


def test_a_replay_meets_the_faults_of_a_file_the_same_way_each_time(tmp_path, capsys):
    """Repeated frames are known for what they are, damaged ones are missing."""
    file = tmp_path / "faults.toml"

    def played(*faults: str) -> dict[str, Any]:
        file.write_text("\n".join(f"[[fault]]\n{fault}" for fault in faults))
        arguments = ["--headless", "--rate", "max", "--until", "60", "--json", "--faults", str(file)]
        assert main(["replay", "sample", *arguments]) == 0
        return json.loads(capsys.readouterr().out)

    honest = played()
    assert played('frame = 2\nkind = "duplicate"')["totals"] == honest["totals"]
    mutated = 'frame = 2\nkind = "mutated"\nflips = 9\ncount = 20'
    assert played(mutated)["digest"] == played(mutated)["digest"] != honest["digest"]
    lost = played('at_s = 0\nkind = "bad-gzip"\ncount = 5')
    assert lost["frames"] == honest["frames"]
    assert sum(lost["totals"].values()) < sum(honest["totals"].values())


def test_a_rehearsal_with_faults_is_drawn_and_mended_like_one_without(app):
    """Chat stops 20 s into the part that plays; the transport bar and its gaps stay."""
    asked = {"paused": True, "from": 100, "faults": {"fault": [{"at_s": 20, "kind": "joins-only"}]}}
    app.start_replay("sample", ReplayOptions.of(asked))
    assert len(app.replay(50)["timeline"]["gaps"]) == 1
    assert app.control_replay({"action": "gaps", "heal": True})["state"] == "paused"
    assert app.replay(50)["timeline"]["gaps"] == []
    app.control_replay({"action": "seek", "to_s": 20})
    comments = app.figures().totals["comment"]
    app.control_replay({"action": "burst", "seconds": 60})
    figures = app.figures()
    assert figures.totals["comment"] == comments > 0
    assert figures.totals["join"] > 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[fault]]\nat_s = 1\nkind = "drop"', "fault 1, drop: it needs a connection"),
        ('[[fault]]\nat_s = 1\nkind = "bad-luck"', "bad-luck"),
        ("fault = 7", "[[fault]]"),
        (None, "No such file"),
    ],
)
def test_faults_that_cannot_happen_here_are_refused_before_anything_plays(tmp_path, capsys, text, sentence):
    """Said as the simulator says it, and where it is possible."""
    file = tmp_path / "faults.toml"
    if text is not None:
        file.write_text(text)
    assert main(["replay", "sample", "--headless", "--faults", str(file)]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--rate", "0"], ["--rate", "fast"], ["--from", "-1"], ["--until", "x"], ["--idle-max", "nan"]],
)
def test_wrong_arguments_are_explained(capsys, arguments):
    """Before anything is played."""
    with pytest.raises(SystemExit) as caught:
        main(["replay", "sample", "--headless", *arguments])
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_part_with_nothing_in_it_and_a_folder_that_refuses_are_said(tmp_path, capsys):
    """One sentence, the next step, an exit code."""
    assert main(["replay", "sample", "--headless", "--from", "9999"]) == 2
    assert "Nothing is left" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["replay", "sample", "--record", str(tmp_path / "file")]) == 3
    assert str(tmp_path / "file") in capsys.readouterr().err
