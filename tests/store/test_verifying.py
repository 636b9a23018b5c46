"""Verifying: what is wrong with a recording is said in a sentence each, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from toolkit.errors import NotARecording
from toolkit.model.recording import RecordingState
from toolkit.store.folder import RecordingsFolder
from toolkit.store.verifying import VerifyReport, reading, verify_journal, verify_sealed
from toolkit.store.writer import RecordingWriter

Record = Callable[..., RecordingWriter]


@pytest.fixture
def sealed(recorded: Record) -> Path:
    """Return a sealed recording of five frames, fifty messages."""
    writer = recorded(50)
    writer.seal()
    return writer.path


@pytest.fixture
def journal(recorded: Record) -> Path:
    """Return the same, interrupted."""
    writer = recorded(50)
    writer.abandon()
    return writer.path.with_suffix(".journal")


def change(path: Path, sql: str) -> None:
    """Change a sealed recording behind its back."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def test_a_report_is_lines_for_a_person_and_data_for_a_program() -> None:
    """Whole or damaged first, then what is wrong, then what is worth knowing."""
    whole = VerifyReport("a-1", "sealed")
    assert (whole.ok, whole.lines()) == (True, ["a-1: sealed, whole; 0 frames, 0 messages"])
    report = VerifyReport("a-1", "live", 3, 9, problems=["one", "two"], notes=["three"])
    assert not report.ok
    assert report.lines() == ["a-1: live, damaged; 3 frames, 9 messages", "  one", "  two", "  three"]
    hurt = VerifyReport("a-1", "sealed", problems=["one"]).lines()
    assert hurt[-1] == "  `toolkit rebuild a-1` makes its tables again if its raw messages are whole."
    assert json.loads(json.dumps(report.as_dict())) == {
        "ok": False,
        "id": "a-1",
        "state": "live",
        "frames": 3,
        "messages": 9,
        "problems": ["one", "two"],
        "notes": ["three"],
    }


def test_a_whole_journal_has_nothing_wrong(journal: Path) -> None:
    """It says where it stands and what is in it."""
    assert verify_journal(journal, RecordingState.INTERRUPTED) == VerifyReport(
        journal.stem, "interrupted", 5, 50
    )


def test_damage_of_a_journal_is_told_by_its_place_and_what_it_cost(journal: Path) -> None:
    """The record that a byte of was changed, to the byte, and that it is one."""
    whole = journal.read_bytes()
    ends, position = [], 16
    while position < len(whole):
        position += 8 + int.from_bytes(whole[position : position + 4], "little")
        ends.append(position)
    journal.write_bytes(whole[: ends[2] + 20] + b"\xff\xff" + whole[ends[2] + 22 :])
    report = verify_journal(journal, RecordingState.INTERRUPTED)
    assert report.problems == [
        f"bytes {ends[2]} to {ends[3]} of the journal are damaged",
        "1 records are lost",
    ]
    assert (report.ok, report.notes, report.frames, report.messages) == (False, [], 4, 40)


def test_a_record_that_was_never_finished_is_no_damage(journal: Path) -> None:
    """It was not acknowledged: worth knowing, not wrong."""
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[16:40])
    report = verify_journal(journal, RecordingState.LIVE)
    assert (report.ok, report.problems, report.state) == (True, [], "live")
    assert report.notes == ["the last 24 bytes are a record that was never finished, nor acknowledged"]


def test_a_whole_sealed_recording_has_nothing_wrong(sealed: Path) -> None:
    """Nor anything worth knowing beyond its figures."""
    assert verify_sealed(sealed) == VerifyReport(sealed.stem, "sealed", 5, 50)


def test_each_figure_that_it_was_sealed_with_is_compared(sealed: Path) -> None:
    """With what is there now; one that is gone as well."""
    names = ["frames", "messages", "duplicates", "quarantined", "content_sha256"]
    listed = ", ".join(f"'{name}'" for name in names)
    change(sealed, f"UPDATE meta SET value = '77' WHERE key IN ({listed})")
    for name, problem in zip(names, verify_sealed(sealed).problems, strict=True):
        assert problem.startswith(f"it was sealed with {name} 77 and holds ")
    change(sealed, f"DELETE FROM meta WHERE key IN ({listed})")
    for name, problem in zip(names, verify_sealed(sealed).problems, strict=True):
        assert problem.startswith(f"it was sealed with {name} unknown and holds ")


def test_what_the_journal_had_lost_is_worth_knowing_and_not_wrong(sealed: Path) -> None:
    """The file holds what it says; a number that is none, or is not there, says nothing."""
    for lost, said in (
        ("3", 1),
        ("10", 1),
        ("9" * 5000, 1),
        ("0", 0),
        ("00", 0),
        ("", 0),
        ("many", 0),
        (None, 0),
    ):
        value = f"UPDATE meta SET value = '{lost}'" if lost is not None else "DELETE FROM meta"
        change(sealed, f"{value} WHERE key = 'journal_records_lost'")
        report = verify_sealed(sealed)
        notes = [f"{lost} records were lost to a damaged journal before it was sealed"] * said
        assert (report.ok, report.notes) == (True, notes), lost


def test_what_is_no_recording_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    """In a sentence, with the name of the file."""
    (tmp_path / "text.duckdb").write_text("this is not a database " * 1000)
    report = verify_sealed(tmp_path / "text.duckdb")
    (problem,) = report.problems
    assert "text.duckdb" in problem
    assert (report.id, report.state, report.frames) == ("text", "sealed", 0)


def test_damage_met_while_reading_is_told_with_what_says_more(sealed: Path) -> None:
    """One line, whatever the database writes; and the file is let go of."""
    with (
        pytest.raises(NotARecording, match=rf"^{sealed.name} is damaged: .+") as told,
        reading(sealed) as database,
    ):
        database.rows("SELECT * FROM a_table_that_is_gone")
    assert "\n" not in str(told.value)
    assert told.value.hint == f"`toolkit verify {sealed.stem}` says more."
    change(sealed, "CHECKPOINT")


def test_a_reading_ends_with_the_file_let_go_of(sealed: Path) -> None:
    """So that it can be written at once."""
    with reading(sealed) as database:
        assert database.totals().messages == 50
    change(sealed, "CHECKPOINT")


def test_a_recording_is_verified_as_what_it_is(journal: Path) -> None:
    """By its journal until it is sealed, by its file from then on."""
    folder = RecordingsFolder(journal.parent)
    assert (folder.verify(journal.stem).state, folder.verify(journal.stem).messages) == ("interrupted", 50)
    folder.heal()
    assert (folder.verify(journal.stem).state, folder.verify(journal.stem).messages) == ("sealed", 50)
