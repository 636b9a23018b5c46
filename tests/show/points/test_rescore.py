"""`toolkit rescore` on the bundled recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolkit.cli import main

BANK = """\
- {id: greeting, text: Say hello, answers: [hello, hi, hola], at: 30, seconds: 20}
- {id: gap, text: Pick one, choices: [gg, lol, wow], answers: [gg, lol, wow], at: "2:15"}
- {id: silent, text: "?", answers: [nobody ever writes this], at: 200}
"""


def test_the_bundled_recording_has_the_same_winners_every_time(
    project_root: Path, tmp_path: Path, capsys: Any
) -> None:
    """A question that was on air in a gap is disputed; numbers of viewers are text in JSON."""
    bank = tmp_path / "bank.yaml"
    bank.write_text(BANK)
    command = ["rescore", str(project_root / "recordings" / "sample.duckdb"), str(bank)]
    printed = []
    for _ in range(2):
        assert main([*command, "--json"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    greeting, gap, silent = json.loads(printed[0])["results"]
    assert greeting["winner"]["text"].lower().strip("!. ") in ("hello", "hi", "hola")
    assert (greeting["is_disputed"], gap["is_disputed"], silent["winner"]) == (False, True, None)
    assert isinstance(greeting["winner"]["user_id"], str)
    assert main(command) == 0
    said = capsys.readouterr().out
    assert greeting["winner"]["name"] in said and "disputed" in said and "nobody; no answer" in said


def test_a_bank_with_mistakes_is_a_list_of_sentences(project_root: Path, tmp_path: Path, capsys: Any) -> None:
    """Exit code 2, nothing asked."""
    bank = tmp_path / "bank.csv"
    bank.write_text("text,answers,seconds\n,,1\n")
    assert main(["rescore", str(project_root / "recordings" / "sample.duckdb"), str(bank)]) == 2
    said = capsys.readouterr().err
    assert "bank.csv:2: text: is missing" in said and "bank.csv:2: seconds" in said
    assert "Traceback" not in said
