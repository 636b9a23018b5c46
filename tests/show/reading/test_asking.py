"""
What counts as a question in the chat, and how often the rules are right.

``.venv/bin/python tests/show/reading/test_asking.py`` prints precision and recall over
``questions_labelled.toml``: the lines that were looked at while the rules were made, and
those that were not. ``--misses`` names what the rules get wrong in the former.
"""

from __future__ import annotations

import argparse
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.show.reading.asking import is_question

LABELLED = Path(__file__).with_name("questions_labelled.toml")

PRECISION_MIN = 0.8
RECALL_MIN = 0.85
"""Measured: 0.86 and 0.93, on lines of which most that are no question begin like one. On
the plain chat of the bundled sample there was no false alarm in 381 lines."""


@dataclass(frozen=True)
class Line:
    """One labelled line."""

    text: str
    language: str
    is_question: bool
    written: str

    @property
    def is_held_out(self) -> bool:
        """Whether nobody looked at it while the rules were made."""
        return self.written == "last"


def labelled() -> list[Line]:
    """Return all labelled lines."""
    return [
        Line(text, language, label == "questions", written)
        for written, languages in tomllib.loads(LABELLED.read_text(encoding="utf-8")).items()
        for language, lists in languages.items()
        for label, texts in lists.items()
        for text in texts
    ]


@dataclass(frozen=True)
class Figures:
    """How the rules do on some lines."""

    lines: int
    hits: int
    false_alarms: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of what was called a question that is one."""
        return self.hits / (self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """Share of the questions that were found."""
        return self.hits / (self.hits + self.missed)

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.lines:>4} lines  precision {self.precision:.3f}  recall {self.recall:.3f}"


def figures(lines: list[Line]) -> Figures:
    """Return how the rules do."""
    said = [(is_question(line.text), line.is_question) for line in lines]
    return Figures(
        len(lines),
        hits=said.count((True, True)),
        false_alarms=said.count((True, False)),
        missed=said.count((False, True)),
    )


def test_questions_are_found_in_lines_that_nobody_had_looked_at() -> None:
    """Over all languages of the labelled set."""
    held_out = [line for line in labelled() if line.is_held_out]
    assert len(held_out) >= 250
    measured = figures(held_out)
    assert measured.precision >= PRECISION_MIN, measured
    assert measured.recall >= RECALL_MIN, measured


@pytest.mark.parametrize("mark", "?؟？⁇⁈⁉❓❔﹖")
def test_a_question_mark_of_any_script_asks(mark: str) -> None:
    """Whatever the language: the mark is understood where no word is."""
    assert is_question(f"xyzzy plugh quux{mark}")
    assert is_question(f"xyzzy plugh quux {mark}{mark} 😂")


@pytest.mark.parametrize("text", ["πού μένεις;", "πού μένεις ;;", "πού μένεις\u037e"])
def test_the_question_mark_of_greek_looks_like_a_semicolon(text: str) -> None:
    """In Greek only, and at the end only."""
    assert is_question(text)
    assert not is_question("one; two")


@pytest.mark.parametrize(
    "text",
    ["?", "??!!", "?!?! 😂", "😂😂?", "1 2 3?", "@anna ?", "https://a.example/b?c=d", "www.a.example/?q", ""],
)
def test_a_mark_with_nothing_to_ask_is_none(text: str) -> None:
    """Nor is the one in a link."""
    assert not is_question(text)


def test_a_command_is_for_a_robot() -> None:
    """Whatever it asks."""
    assert not is_question("!song what is playing?")
    assert not is_question("/help how do I play?")


def test_a_link_beside_a_question_takes_nothing_from_it() -> None:
    """What is left of the line is read as any other."""
    assert is_question("https://a.example/b how old is this")
    assert is_question("@anna how old are you")


@given(st.text(max_size=400))
def test_any_text_has_an_answer(text: str) -> None:
    """Never an exception, and the same answer twice."""
    assert is_question(text) is is_question(text)


@pytest.mark.parametrize("piece", ["a ", "hi ", "que ", "tu ", "hola qui ", "wie st du ", "?a", "w" * 10])
def test_no_line_takes_long(piece: str) -> None:
    """A pattern that goes back and forth over a hostile line would hold up the whole show."""
    began = time.thread_time()
    for _ in range(20):
        is_question(piece * 400)
    assert time.thread_time() - began < 1.0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Precision and recall of question detection.")
    parser.add_argument("--misses", action="store_true", help="name what is wrong in those looked at")
    options = parser.parse_args()
    lines = labelled()
    for title, part in (
        ("looked at", [line for line in lines if not line.is_held_out]),
        ("held out", [line for line in lines if line.is_held_out]),
    ):
        print(f"{title:<9}", figures(part))
        for language in dict.fromkeys(line.language for line in part):
            print(f"  {language:<7}", figures([line for line in part if line.language == language]))
    if options.misses:
        for line in lines:
            if not line.is_held_out and is_question(line.text) is not line.is_question:
                print("missed  " if line.is_question else "alarm   ", line.language, repr(line.text))


if __name__ == "__main__":
    main()
