"""
The question bank: a file or a folder of JSON, CSV and YAML files that anybody can write.

Everything wrong is told at once, each with file, line and field. A file is refused as a
whole or taken as a whole.

A question, in JSON or YAML a list of these, in CSV a row with these columns::

    text        what is shown (required)
    answers     right answers (required); in CSV separated by |
    choices     up to eight, shown with letters; an answer is then one of them, or its letter
    wrong       answers that look right and are not
    difficulty  easy, medium or hard
    category    a word of yours
    seconds     on air, 5 to 600
    points      for the winner, 0 to 100000; 0 is what the difficulty is worth
    at          where in a recording it was asked: 12:30, 1:02:03 or seconds
    id          names it in results; made from the text if left out
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from toolkit.errors import ToolkitError
from toolkit.show.mistake import Mistake
from toolkit.show.question.quiz import Difficulty, Question
from toolkit.show.reading.answers import LETTERS
from toolkit.show.reading.folding import TEXT_MAX, fold, symbols

__all__ = [
    "BankError",
    "BankFile",
    "bank_files",
    "dump_bank",
    "fields_of",
    "gather",
    "load_bank",
    "question_of",
    "read_bank_file",
]

FILE_BYTES_MAX = 4_000_000
QUESTIONS_MAX = 10_000
"""Far more than anybody asks; a limit for what a wrong file does to memory."""
TEXTS_MAX = 100
"""In one field: every way to write a name, and then some."""
MISTAKES_MAX = 50
"""Mistakes that are told; a file of another kind has one in every line."""
SECONDS_MIN, SECONDS_MAX, SECONDS_DEFAULT = 5.0, 600.0, 30.0
POINTS_MAX = 100_000

_SUFFIXES = (".json", ".csv", ".yaml", ".yml")
_FIELDS = (
    "id", "text", "answers", "choices", "wrong", "difficulty", "category", "seconds", "points", "at"
)  # fmt: skip
_LISTS = ("answers", "choices", "wrong")
_SEPARATOR = "|"


class BankError(ToolkitError):
    """
    Questions that cannot be used as they are.

    Attributes:
        mistakes: All that is wrong, at most :data:`MISTAKES_MAX`.
    """

    exit_code = 2

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes[:MISTAKES_MAX])
        super().__init__("\n".join(map(str, self.mistakes)), hint="Correct the file and try again.")


@dataclass(frozen=True, slots=True)
class BankFile:
    """
    One file as it was read.

    Attributes:
        name: Its name.
        questions: (line, question) of those that are good.
        mistakes: What is wrong with the rest.
    """

    name: str
    questions: tuple[tuple[int, Question], ...]
    mistakes: tuple[Mistake, ...]


def load_bank(path: Path) -> list[Question]:
    """
    Read a file, or every bank file of a folder in the order of their names.

    Raises:
        BankError: Something is wrong; it has all mistakes of all files.
    """
    questions, mistakes = gather(map(read_bank_file, bank_files(path) if path.is_dir() else [path]))
    if not questions and not mistakes:
        mistakes.append(Mistake(path.name, 0, "", "no questions in it"))
    if mistakes:
        raise BankError(mistakes)
    return questions


def bank_files(folder: Path) -> list[Path]:
    """
    Return the bank files of a folder in the order of their names.

    Raises:
        OSError: The folder cannot be read, or is not there.
    """
    return sorted(one for one in folder.iterdir() if one.suffix.lower() in _SUFFIXES)


def gather(files: Iterable[BankFile]) -> tuple[list[Question], list[Mistake]]:
    """Return the questions of several files, each id once, and what is wrong with all of them."""
    mistakes: list[Mistake] = []
    questions: dict[str, Question] = {}
    for file in files:
        mistakes += file.mistakes
        for line, question in file.questions:
            if question.id in questions:
                mistakes.append(Mistake(file.name, line, "id", f"{question.id} is there twice"))
            questions.setdefault(question.id, question)
    return list(questions.values()), mistakes


def read_bank_file(file: Path, *, bytes_max: int = FILE_BYTES_MAX) -> BankFile:
    """Read one file. Never raises: whatever is wrong with it is among its mistakes."""
    mistakes: list[Mistake] = []
    questions = tuple(_read_file(file, bytes_max, mistakes))
    return BankFile(file.name, questions, tuple(mistakes))


def question_of(fields: Mapping[str, Any]) -> Question:
    """
    Return a question from its fields, by the same rules as in a file.

    Raises:
        BankError: Something is wrong with them.
    """
    mistakes: list[Mistake] = []

    def mistake(field: str, problem: str) -> None:
        mistakes.append(Mistake("", 0, field, problem))

    question = _Reading(fields, mistake).question()
    if question is None:
        raise BankError(mistakes)
    return question


def dump_bank(questions: Iterable[Question]) -> str:
    """Return a YAML bank file that reads as these questions."""
    rows = [fields_of(question) for question in questions]
    return yaml.dump(rows, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=100)


def fields_of(question: Question) -> dict[str, Any]:
    """Return the fields as a file has them; what is empty is left out."""
    fields = {
        "id": question.id,
        "text": question.text,
        "answers": list(question.accepted),
        "choices": list(question.choices),
        "wrong": list(question.wrong),
        "difficulty": question.difficulty.value,
        "category": question.category,
        "seconds": question.seconds,
        "points": question.points,
        "at": question.at_s,
    }
    # At its very beginning is a time, too.
    return {name: value for name, value in fields.items() if value or (name == "at" and value == 0)}


def _read_file(file: Path, bytes_max: int, mistakes: list[Mistake]) -> Iterator[tuple[int, Question]]:
    def mistake(line: int, field: str, problem: str) -> None:
        mistakes.append(Mistake(file.name, line, field, problem))

    try:
        rows = list(_rows(file, bytes_max))
    except _Unreadable as error:
        mistake(error.line, "", error.problem)
        return
    if len(rows) > QUESTIONS_MAX:
        mistake(0, "", f"{len(rows)} questions; at most {QUESTIONS_MAX}")
        return
    for line, row in rows:
        question = _Reading(row, partial(mistake, line)).question()
        if question is not None:
            yield line, question


class _Unreadable(Exception):
    """A file that is not even the right kind."""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line


def _rows(file: Path, bytes_max: int) -> Iterable[tuple[int, Any]]:
    """Return (line, fields) of each question, not yet checked."""
    try:
        with file.open("rb") as opened:
            content = opened.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise _Unreadable(f"larger than {bytes_max // 1_000_000} MB")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise _Unreadable(error.strerror or "cannot be read") from error
    except UnicodeDecodeError as error:
        raise _Unreadable("is not UTF-8 text; save it as UTF-8") from error
    match file.suffix.lower():
        case ".json":
            return _json_rows(text)
        case ".csv":
            return _csv_rows(text)
        case ".yaml" | ".yml":
            return _yaml_rows(text)
    raise _Unreadable("not a kind of file that holds questions: .json, .csv, .yaml")


def _json_rows(text: str) -> Iterator[tuple[int, Any]]:
    # Item by item: the json module keeps no lines.
    decoder, position = json.JSONDecoder(), 0

    def skip(position: int) -> int:
        while position < len(text) and text[position] in " \t\r\n,":
            position += 1
        return position

    position = skip(0)
    if text[position : position + 1] != "[":
        raise _Unreadable("a list of questions was expected: [ {...}, {...} ]", 1)
    position = skip(position + 1)
    while text[position : position + 1] != "]":
        line = text.count("\n", 0, position) + 1
        try:
            value, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise _Unreadable(f"is not JSON: {error.msg}", error.lineno) from error
        except RecursionError as error:
            raise _Unreadable("is nested too deep", line) from error
        yield line, value
        position = skip(position)


def _csv_rows(text: str) -> Iterator[tuple[int, Any]]:
    head = text.split("\n", 1)[0]
    # A spreadsheet in French or German writes semicolons.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        for row in reader:
            if len(row) > len(names):
                raise _Unreadable("more fields than columns; put text with commas in quotes", reader.line_num)
            # An empty cell is a field that was left out; an empty row is none.
            fields = {name: value for name, value in zip(names, row, strict=False) if value.strip()}
            if fields:
                yield reader.line_num, fields
    except csv.Error as error:
        raise _Unreadable(f"is not CSV: {error}", reader.line_num) from error


def _yaml_rows(text: str) -> Iterator[tuple[int, Any]]:
    try:
        # An alias can make a few lines stand for billions of values: none is needed here.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.CSafeLoader)):
            raise _Unreadable("aliases (*name) are not read here")
        node = yaml.compose(text, yaml.CSafeLoader)
        if not isinstance(node, yaml.SequenceNode):
            raise _Unreadable("a list of questions was expected: each begins with a dash", 1)
        values = yaml.load(text, yaml.CSafeLoader)  # the safe loader, compiled
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _Unreadable(f"is not YAML: {error.problem}", mark.line + 1 if mark else 0) from error
    except (yaml.YAMLError, ValueError) as error:
        raise _Unreadable("is not YAML") from error
    except RecursionError as error:
        raise _Unreadable("is nested too deep") from error
    for item, value in zip(node.value, values, strict=True):
        yield item.start_mark.line + 1, value


class _Reading:
    """Checks the fields of one question and tells everything that is wrong with them."""

    def __init__(self, row: Any, mistake: Callable[[str, str], None]) -> None:
        self._row: Mapping[str, Any] = row if isinstance(row, Mapping) else {}
        self._tell = mistake
        self._is_good = True
        if not isinstance(row, Mapping):
            self._mistake("", "a question was expected: text, answers, ...")

    def _mistake(self, field: str, problem: str) -> None:
        self._is_good = False
        self._tell(field, problem)

    def question(self) -> Question | None:
        if not self._is_good:
            return None
        for field in self._row:
            if field not in _FIELDS:
                self._mistake(str(field)[:40], f"no such field; there are {', '.join(_FIELDS)}")
        text = self._text("text", needed=True)
        choices = self._texts("choices")
        accepted = self._accepted(choices)
        question = Question(
            id=self._text("id") or hashlib.sha256(text.encode()).hexdigest()[:12],
            text=text,
            accepted=accepted,
            choices=choices,
            wrong=self._texts("wrong"),
            difficulty=self._difficulty(),
            category=self._text("category"),
            seconds=self._number("seconds", SECONDS_DEFAULT, SECONDS_MIN, SECONDS_MAX),
            points=round(self._number("points", 0, 0, POINTS_MAX)),
            at_s=self._at(),
        )
        return question if self._is_good else None

    def _text(self, field: str, *, needed: bool = False) -> str:
        value = self._row.get(field)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value is None or (isinstance(value, str) and not value.strip()):
            if needed:
                self._mistake(field, "is missing")
            return ""
        if not isinstance(value, str):
            self._mistake(field, "text was expected")
            return ""
        if len(value) > TEXT_MAX:
            self._mistake(field, f"has {len(value)} characters; at most {TEXT_MAX}")
        # A lone surrogate cannot be stored or sent.
        if any("\ud800" <= c <= "\udfff" or (c < " " and c not in "\t\n\r") for c in value):
            self._mistake(field, "has characters that are no text")
            return ""
        return " ".join(value.split())

    def _texts(self, field: str) -> tuple[str, ...]:
        value = self._row.get(field)
        if value is None:
            return ()
        if isinstance(value, str):
            value = value.split(_SEPARATOR)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = [value]
        if not isinstance(value, list) or not all(
            isinstance(one, str | int | float) and not isinstance(one, bool) for one in value
        ):
            self._mistake(field, "a list of texts was expected; put true, false, yes and no in quotes")
            return ()
        if len(value) > TEXTS_MAX:
            self._mistake(field, f"has {len(value)} texts; at most {TEXTS_MAX}")
            return ()
        texts = tuple(" ".join(str(one).split()) for one in value)
        for one in texts:
            if not fold(one) and not symbols(one):
                self._mistake(field, f"nothing in {one[:20]!r} can be compared")
            if len(one) > TEXT_MAX:
                self._mistake(field, f"one has {len(one)} characters; at most {TEXT_MAX}")
        return texts

    def _accepted(self, choices: tuple[str, ...]) -> tuple[str, ...]:
        answers = self._texts("answers")
        if not answers:
            if self._is_good:
                self._mistake("answers", "is missing")
            return ()
        if not choices:
            return answers
        if not 2 <= len(choices) <= len(LETTERS):
            self._mistake("choices", f"has {len(choices)}; 2 to {len(LETTERS)}")
            return answers
        by_name = {fold(choice) or symbols(choice): choice for choice in choices}
        if len(by_name) < len(choices):
            self._mistake("choices", "two are the same to a viewer who types fast")
        by_letter = dict(zip(LETTERS, choices, strict=False))
        accepted = []
        for answer in answers:
            name = fold(answer) or symbols(answer)
            choice = by_name.get(name) or by_letter.get(name)
            if choice is None:
                self._mistake("answers", f"{answer[:40]!r} is none of the choices")
            else:
                accepted.append(choice)
        return tuple(accepted)

    def _difficulty(self) -> Difficulty:
        said = (self._text("difficulty") or "medium").lower()
        try:
            return Difficulty(said)
        except ValueError:
            self._mistake("difficulty", f"{said[:20]!r} is not easy, medium or hard")
            return Difficulty.MEDIUM

    def _number(self, field: str, default: float, low: float, high: float) -> float:
        value = self._row.get(field)
        if value is None:
            return default
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not low <= number <= high:
            self._mistake(field, f"{str(value)[:20]!r} is not a number from {low:g} to {high:g}")
            return default
        return number

    def _at(self) -> float | None:
        value = self._row.get("at")
        if value is None:
            return None
        # YAML 1.1 reads 12:30 as a number to the base of sixty, which is what it means here.
        parts = str(value).split(":")
        try:
            seconds = 0.0
            for part in parts:
                seconds = seconds * 60 + float(part)
        except ValueError:
            seconds = math.nan
        if len(parts) > 3 or not 0 <= seconds < 1e6:
            self._mistake("at", f"{str(value)[:20]!r} is not a time such as 12:30 or 1:02:03")
            return None
        return seconds
