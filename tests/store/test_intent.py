"""Whom a server is recording, for the next one to know."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.store.intent import INTENT_FILE, Intent


def test_what_was_noted_is_known_to_the_next_process(tmp_path: Path) -> None:
    """The last one counts; dropped is dropped, twice as well."""
    folder = tmp_path / "recordings"
    Intent(folder).keep("alice")
    Intent(folder).keep("b.o_b9")
    assert Intent(folder).user == "b.o_b9"
    assert [path.name for path in folder.iterdir()] == [INTENT_FILE]
    Intent(folder).drop()
    Intent(folder).drop()
    assert (Intent(folder).user, list(folder.iterdir())) == ("", [])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"../etc/passwd", b"two names", b"a" * 10**6, b"\n\n"])
def test_what_is_no_user_is_nobody(tmp_path: Path, content: bytes) -> None:
    """The file may be anybody's work."""
    (tmp_path / INTENT_FILE).write_bytes(content)
    assert Intent(tmp_path).user == ""


@pytest.mark.timeout(20)
def test_a_pipe_of_that_name_holds_nobody_up(tmp_path: Path) -> None:
    """Nor one in the place of the draft; what is noted then replaces it."""
    os.mkfifo(tmp_path / INTENT_FILE)
    os.mkfifo(tmp_path / f"{INTENT_FILE}.new")
    assert Intent(tmp_path).user == ""
    Intent(tmp_path).keep("alice")
    assert Intent(tmp_path).user == "alice"


def test_a_folder_that_refuses_the_note_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told, and recording begins."""
    (tmp_path / INTENT_FILE).mkdir()
    Intent(tmp_path).keep("alice")
    assert "could not be noted" in caplog.text
    assert Intent(tmp_path).user == ""
    Intent(tmp_path).drop()
