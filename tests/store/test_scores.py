"""The file of the points: real DuckDB files, processes that are killed, and others that hold it open."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from toolkit.errors import NotARecording, RecordingBusy, RecordingError
from toolkit.store.scores import SCORES_FILE, KeptRound, Scores

AT = 1_700_000_000_000_000

_WRITE_FOR_EVER = """
import sys
from pathlib import Path
from toolkit.store.scores import KeptRound, Scores
scores = Scores(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    scores.put([KeptRound("a", number, number, "q", "", side, "", "", False, 10) for side in (1, 2)][:1]
               + [KeptRound("b", number, number, "q", "", 2, "", "", False, 10)])
    print(number, flush=True)
"""
_HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def kept(
    number: int, *, user: int = 7, points: int = 20, recording: str = "live-1", **flags: bool
) -> KeptRound:
    """Return a round that somebody won."""
    at = AT + number * 30_000_000
    return KeptRound(
        recording, at, at + 9_000_000, f"q{number}", "Capital?", user, "Ann", "ann", True, points, **flags
    )


@pytest.fixture
def scores(tmp_path: Path) -> Scores:
    """Return a file in a folder that is not there yet."""
    return Scores(tmp_path / "show" / SCORES_FILE)


def test_what_is_put_is_there_in_the_order_of_time(scores: Scores) -> None:
    """Every field, also where nobody won; nothing where there is no file."""
    assert scores.rounds() == []
    assert not scores.path.exists()
    hostile = kept(3)._replace(nickname="'; DROP TABLE rounds; --", handle="\x00\u202e", question="𝓆" * 300)
    rounds = [
        kept(1),
        kept(2, user=0, points=0, is_disputed=True),
        hostile,
        kept(4, is_void=True, is_judged=True),
    ]
    scores.put(rounds[::-1])
    assert scores.rounds() == rounds
    assert scores.rounds()[1].winner_id == scores.rounds()[3].winner_id == 0


def test_a_round_that_is_put_again_replaces_what_was_said_of_it(scores: Scores) -> None:
    """Twice is once, and a judgement corrects; the same moment of another live is another round."""
    scores.put([kept(1), kept(2)])
    scores.put([kept(1), kept(1)])
    scores.put([kept(1, user=8, points=30), kept(1, recording="live-2")])
    assert sorted(scores.rounds()) == [kept(1, user=8, points=30), kept(2), kept(1, recording="live-2")]
    scores.replace([kept(5)])
    assert scores.rounds() == [kept(5)]


def test_people_who_write_sql_find_points(scores: Scores) -> None:
    """A view with what everybody has; void rounds and those nobody won are not in it."""
    scores.put([kept(1), kept(2), kept(3, user=8, points=5), kept(4, user=0), kept(5, is_void=True)])
    with duckdb.connect(str(scores.path), read_only=True) as connection:
        found = connection.sql(
            "SELECT user_id, nickname, points, wins FROM standings ORDER BY points DESC"
        ).fetchall()
    assert found == [(7, "Ann", 40, 2), (8, "Ann", 5, 1)]


def test_a_process_killed_while_it_writes_leaves_whole_transactions(tmp_path: Path) -> None:
    """With kill -9, three times over: whatever it said was written is there, both halves of it."""
    path = tmp_path / SCORES_FILE
    for _ in range(3):
        command = [sys.executable, "-c", _WRITE_FOR_EVER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(4)][-1]
            writer.send_signal(signal.SIGKILL)
        found = Scores(path).rounds()
        by_live = {name: {one.opened_at for one in found if one.recording == name} for name in "ab"}
        assert by_live["a"] == by_live["b"]
        assert set(range(1, told + 1)) <= by_live["a"]
        assert len(found) == 2 * len(by_live["a"])


def test_a_file_that_somebody_holds_open_refuses_with_a_sentence(scores: Scores) -> None:
    """Within seconds, not for ever; afterwards it works again."""
    scores.put([kept(1)])
    command = [sys.executable, "-c", _HOLD, str(scores.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(RecordingBusy, match="open in another process"):
            scores.put([kept(2)])
        holder.stdin.close()
        holder.wait(20)
    scores.put([kept(2)])
    assert scores.rounds() == [kept(1), kept(2)]


@pytest.mark.parametrize("content", [b"", b"not a database", b"\x00" * 5000])
def test_a_file_that_is_none_of_ours_is_said_and_can_be_set_aside(scores: Scores, content: bytes) -> None:
    """Never overwritten: there may be something in it that somebody wants back."""
    scores.path.parent.mkdir()
    scores.path.write_bytes(content)
    with pytest.raises(NotARecording, match="no file of points") as error:
        scores.put([kept(1)])
    assert "--rebuild" in error.value.hint
    assert scores.path.read_bytes() == content
    assert scores.set_aside().read_bytes() == content
    scores.put([kept(1)])
    assert scores.rounds() == [kept(1)]


def test_another_database_is_refused(scores: Scores) -> None:
    """One that has no table of rounds."""
    scores.path.parent.mkdir()
    with duckdb.connect(str(scores.path)) as connection:
        connection.execute("CREATE TABLE meta (key VARCHAR, value VARCHAR)")
    with pytest.raises(RecordingError, match="refuses"):
        scores.rounds()
