"""Question files that people write, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.show.question.bank import BankError, load_bank
from toolkit.show.question.quiz import Difficulty

YAML = """\
- text: Capital of France?
  answers: [Paris, Lutetia]
  difficulty: hard
  seconds: 20
  at: 12:30
- text: "Which is red?"
  choices: [Sky, Tomato]
  answers: b
"""
CSV = """\
text;answers;choices;seconds;at
Capital of France?;Paris|Lutetia;;20;12:30
"Which is red?";Tomato;Sky|Tomato;;
"""


def write(folder: Path, name: str, text: str | bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mistakes(path: Path) -> list[str]:
    """Return what is wrong with a bank."""
    with pytest.raises(BankError) as caught:
        load_bank(path)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_yaml_json_and_csv_say_the_same(tmp_path: Path) -> None:
    """A folder may hold all of them."""
    from_yaml = load_bank(write(tmp_path, "a.yaml", YAML))
    from_csv = load_bank(write(tmp_path, "b.csv", "\ufeff" + CSV))
    rows = [{"text": "Capital of France?", "answers": ["Paris", "Lutetia"], "seconds": 20, "at": "0:12:30"}]
    from_json = load_bank(write(tmp_path, "c.json", json.dumps(rows)))
    assert (
        [q.text for q in from_yaml] == [q.text for q in from_csv] == ["Capital of France?", "Which is red?"]
    )
    assert from_yaml[0].difficulty is Difficulty.HARD
    for first in (from_yaml[0], from_csv[0], from_json[0]):
        assert (first.accepted, first.seconds, first.at_s) == (("Paris", "Lutetia"), 20, 750)
    for second in (from_yaml[1], from_csv[1]):
        assert (second.choices, second.accepted, second.seconds) == (("Sky", "Tomato"), ("Tomato",), 30)
    assert from_yaml[0].id == from_csv[0].id == from_json[0].id


def test_everything_wrong_is_told_at_once_with_file_line_and_field(tmp_path: Path) -> None:
    """Not one mistake for each try."""
    write(tmp_path, "a.yaml", "- answers: [x]\n- text: One?\n  answers: []\n  seconds: 2\n  colour: red\n")
    write(tmp_path, "b.csv", "text,answers,difficulty,points\nTwo?,x,soft,-1\n")
    write(tmp_path, "c.json", '[\n{"text": "Three?",\n"answers": ["x"], "choices": ["a", "A", "b"]}\n]')
    assert mistakes(tmp_path) == [
        "a.yaml:1: text: is missing",
        "a.yaml:2: colour: no such field; there are id, text, answers, choices, wrong, difficulty, category,"
        " seconds, points, at",
        "a.yaml:2: seconds: '2' is not a number from 5 to 600",
        "b.csv:2: difficulty: 'soft' is not easy, medium or hard",
        "b.csv:2: points: '-1' is not a number from 0 to 100000",
        "c.json:2: choices: two are the same to a viewer who types fast",
        "c.json:2: answers: 'x' is none of the choices",
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"[" * 100_000, "a.json"),
        ("a.json", b'{"text": "x"}', "a list of questions was expected"),
        ("a.json", b'[{"text": "x", ]', "is not JSON"),
        ("a.json", b"[1, 2", "is not JSON"),
        ("a.json", b'[{"text": "\\ud800", "answers": ["x"]}]', "characters that are no text"),
        ("a.json", b'[{"text": "q", "answers": [true]}]', "put true, false, yes and no in quotes"),
        ("a.json", b'[{"text": "q", "answers": ["x"], "seconds": 1e999}]', "is not a number"),
        ("a.json", b'[{"text": "q", "answers": ["..."]}]', ""),
        ("a.json", b'[{"text": "q", "answers": [" "]}]', "nothing in '' can be compared"),
        ("a.csv", b"text,answers\nWhat, then?,x\n", "more fields than columns"),
        ("a.csv", b'text,answers\n"What?,x\n', "is not CSV"),
        ("a.yaml", b"a: &a [x]\nb: *a\n", "aliases"),
        ("a.yaml", b"text: [", "is not YAML"),
        ("a.yaml", b"- !!python/object/apply:os.system [id]\n", "is not YAML"),
        ("a.yaml", b"[" * 5000, "a.yaml"),
        ("a.yaml", b"\x00", "is not YAML"),
        ("a.csv", "text,answers\né,x".encode("latin-1"), "is not UTF-8"),
        ("a.txt", b"hello", "not a kind of file"),
        ("a.json", b"[]", "no questions in it"),
        ("a.json", b" " * 4_000_001, "larger than 4 MB"),
    ],
)
def test_a_file_that_is_wrong_or_hostile_is_a_sentence(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    """Never a traceback; symbols that are nothing but dots are an answer."""
    path = write(tmp_path, name, content)
    if not said:
        assert load_bank(path)
        return
    found = mistakes(path)
    assert said in found[0], found


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    """And so is an empty folder."""
    assert mistakes(tmp_path / "none.json") == ["none.json: No such file or directory"]
    assert mistakes(tmp_path) == [f"{tmp_path.name}: no questions in it"]


def test_an_id_is_there_once(tmp_path: Path) -> None:
    """Results are named by it, over all files."""
    write(tmp_path, "a.csv", "id,text,answers\n1,x,x\n")
    write(tmp_path, "b.csv", "id,text,answers\n\n1,y,x\n")
    assert mistakes(tmp_path) == ["b.csv:3: id: 1 is there twice"]


@pytest.mark.parametrize("suffix", ["json", "csv", "yaml"])
@given(
    content=st.binary(max_size=200)
    | st.text(alphabet='[]{}:,"-|\n textanswer1', max_size=200).map(str.encode)
)
def test_no_file_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, content: bytes
) -> None:
    """Files come from anywhere."""
    path = write(tmp_path_factory.getbasetemp(), f"any.{suffix}", content)
    try:
        assert load_bank(path)
    except BankError as error:
        assert error.mistakes
