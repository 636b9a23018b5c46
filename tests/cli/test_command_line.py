"""The command line meets bad input: a sentence, the next step, an exit code, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from toolkit.cli import main
from toolkit.simulator.server import Simulator, SimulatorThread


@pytest.fixture(scope="module")
def simulator() -> Any:
    """A small room that is live."""
    with SimulatorThread(Simulator("comments-100", seed=4)) as running:
        yield running


@pytest.fixture
def tiktok(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """Point the settings at the simulator."""
    for name, value in simulator.environment().items():
        monkeypatch.setenv(name, value)
    return simulator


def fails(capsys: Any, code: int, *arguments: str) -> str:
    """Run a verb that must fail; return what it says."""
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.strip()
    return said


@pytest.mark.parametrize(("user", "sentence"), [("offline", "not live"), ("nobody_here", "no TikTok user")])
def test_a_user_who_cannot_be_recorded(
    tiktok: Simulator, tmp_path: Path, capsys: Any, user: str, sentence: str
) -> None:
    """Offline and unknown are told apart, with what to do next."""
    said = fails(capsys, 4, "record", user, "--recordings", str(tmp_path))
    assert sentence in said
    assert "\n  " in said, "a hint follows"


def test_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    """Nothing listens where TikTok should be."""
    for name in ("TIKTOK_APP_URL", "TIKTOK_WEBCAST_URL", "TIKTOK_SIGN_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert "network" in fails(capsys, 4, "record", "demo", "--recordings", str(tmp_path)).lower()


def test_settings_out_of_range_come_all_at_once(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Every verb that reads settings says the same."""
    monkeypatch.setenv("RECONNECTION_BASE_DELAY", "-1")
    monkeypatch.setenv("WEBSOCKET_ENABLED", "perhaps")
    for arguments in (["check-config"], ["record", "demo"], ["recordings"]):
        said = fails(capsys, 2, *arguments)
        assert "RECONNECTION_BASE_DELAY is '-1'" in said
        assert "WEBSOCKET_ENABLED is 'perhaps'" in said


@pytest.mark.parametrize("where", ["a file", "below a file", "read-only"])
def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: Any, where: str) -> None:
    """Said before anything is dialled."""
    taken = tmp_path / "taken"
    taken.write_text("not a folder")
    folder = {"a file": taken, "below a file": taken / "recordings", "read-only": Path("/proc/recordings")}[
        where
    ]
    said = fails(capsys, 3, "record", "demo", "--recordings", str(folder))
    assert str(folder) in said


def test_what_is_not_a_recording(tmp_path: Path, capsys: Any) -> None:
    """No such id, a text file, somebody else's database, half a file: each is named."""
    folder = ["--recordings", str(tmp_path)]
    assert "toolkit recordings" in fails(capsys, 3, "info", "missing", *folder)
    (tmp_path / "text.duckdb").write_text("hello")
    (tmp_path / "empty.duckdb").write_bytes(b"")
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("CREATE TABLE invoices(id INTEGER)")
    (tmp_path / "half.duckdb").write_bytes((tmp_path / "other.duckdb").read_bytes()[:5000])
    for name in ("text", "empty", "other", "half"):
        # A verdict is what `verify` is asked for: it reports, and the exit code says so.
        assert main(["verify", name, *folder]) == 1
        said = capsys.readouterr().out
        assert f"{name}: sealed, damaged" in said and f"`toolkit rebuild {name}`" in said
        for verb in ("info", "rebuild", "replay"):
            extra = ["--headless"] if verb == "replay" else []
            assert name in fails(capsys, 3, verb, name, *extra, *folder), verb
    for hostile in ("../../etc/passwd", "a b", "x" * 300, "con:1"):
        fails(capsys, 3, "info", hostile, *folder)


def test_record_info_verify_rebuild_and_replay_work_together(
    tiktok: Simulator, tmp_path: Path, capsys: Any
) -> None:
    """The verbs of a recording's life, with the JSON that outsiders rely on."""
    folder = ["--recordings", str(tmp_path)]
    assert main(["record", "@demo", "--seconds", "4", "--json", *folder]) == 0
    info = json.loads(capsys.readouterr().out)
    assert info["state"] == "sealed"
    assert info["user"] == "demo"
    assert info["counts"]["comment"] > 50
    assert {
        "id",
        "started_at",
        "ended_at",
        "format_version",
        "frames",
        "messages",
        "segments",
        "gaps",
    } <= info.keys()
    assert {"quarantined", "duplicates"} <= info.keys()
    assert main(["recordings", "--json", *folder]) == 0
    assert [r["id"] for r in json.loads(capsys.readouterr().out)] == [info["id"]]
    assert main(["verify", info["id"], *folder]) == 0
    assert main(["rebuild", info["id"], *folder]) == 0
    capsys.readouterr()
    assert main(["info", str(tmp_path / f"{info['id']}.duckdb"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == info["counts"]
    assert main(["replay", info["id"], "--headless", "--rate", "100", "--json", *folder]) == 0
    played = json.loads(capsys.readouterr().out)
    assert played["totals"] == {kind: count for kind, count in info["counts"].items() if count}
    assert played["frames"] == info["frames"]


def test_wrong_usage_is_explained_and_exits_with_2(capsys: Any) -> None:
    """The parser's own words."""
    for arguments in (
        [],
        ["recrod"],
        ["record"],
        ["record", "demo", "--seconds", "-5"],
        ["record", "demo", "--seconds", "nan"],
        ["record", ""],
        ["record", "../x y"],
        ["replay", "sample", "--rate", "5000"],
    ):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
        assert "usage" in capsys.readouterr().err


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    """`toolkit recordings | head -1` ends quietly."""
    program = 'from toolkit.cli import main; raise SystemExit(main(["check-config"]))'
    command = f"{sys.executable} -c '{program}' | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
