"""``toolkit questions check``: mistakes before the live."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.cli import main


def test_mistakes_are_told_with_file_line_and_field(tmp_path: Path, capsys: Any) -> None:
    """All at once, and the exit code says so."""
    folder = tmp_path / "show" / "questions"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text("- text: One?\n  answers: []\n  seconds: 2\n")
    arguments = ["questions", "check", "--recordings", str(tmp_path)]
    assert main(arguments) == 2
    assert capsys.readouterr().out.splitlines() == [
        "a.yaml:1: answers: is missing",
        "a.yaml:1: seconds: '2' is not a number from 5 to 600",
    ]
    (folder / "a.yaml").write_text("- text: One?\n  answers: [1]\n")
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 1


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_nothing_to_check_is_a_mistake(tmp_path: Path, capsys: Any, name: str) -> None:
    """A file that is not there, a folder without questions."""
    assert main(["questions", "check", str(tmp_path / name)]) == 2
    assert "questions" in capsys.readouterr().out or name == "missing.yaml"
