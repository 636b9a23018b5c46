"""
The shelf: the folder ``questions/`` of a show, read again whenever a file changes.

A file with mistakes costs nothing that was there: its last good version goes on until
it is corrected. ``added.yaml`` is the file that the form writes; the others are the
operator's own and never written.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit.show.keeping import replace_whole
from toolkit.show.part import ShowError
from toolkit.show.question.bank import (
    BankError,
    BankFile,
    bank_files,
    dump_bank,
    fields_of,
    gather,
    question_of,
    read_bank_file,
)
from toolkit.show.question.quiz import Question
from toolkit.show.reading.folding import fold

__all__ = ["ADDED", "Shelf", "checked"]

log = logging.getLogger("toolkit.show")

ADDED = "added.yaml"
FILES_MAX = 100
FILE_BYTES_MAX = 1_000_000
"""Some 7,000 questions, read in about a second, during a live."""
_SAMPLES = Path(__file__).parent / "samples"
EMPTY: Mapping[str, Any] = {
    "answers": [],
    "choices": [],
    "wrong": [],
    "category": "",
    "points": 0,
    "at": None,
}
"""What a question without them has."""
_HEAD = "# Written by the form on the dashboard, which keeps nothing but the questions.\n"

_Mark = tuple[int, int, int]


class Shelf:
    """
    Bank files, as they were when :meth:`look` was last called.

    Attributes:
        questions: Of all files, in the order of the files.
        mistakes: What is wrong with them.
        is_sample: The folder holds no bank; these questions come with the toolkit.
    """

    def __init__(self, folder: Path) -> None:
        """
        Begin with nothing.

        Args:
            folder: ``questions/``; it need not be there.
        """
        self._folder = folder
        self._files: dict[str, BankFile] = {}
        self._marks: dict[str, _Mark] = {}
        self._language = ""
        self.questions: Sequence[Question] = ()
        self.mistakes: Sequence[str] = ()
        self.is_sample = False

    def look(self, language: str) -> bool:
        """
        Read what has changed; return whether the questions or the mistakes have.

        Args:
            language: Of the sample, where there is no bank.
        """
        marks = self._look_at_files()
        if marks == self._marks and language == self._language:
            return False
        files = {}
        for name, mark in marks.items():
            before = self._files.get(name)
            if before is None or mark != self._marks.get(name):
                files[name] = _newer(read_bank_file(self._folder / name, bytes_max=FILE_BYTES_MAX), before)
            else:
                files[name] = before
        self._files, self._marks, self._language = files, marks, language
        return self._gather()

    def forget(self) -> None:
        """Have all files read at the next look, also where nothing seems to have changed."""
        self._marks = {}

    def _gather(self) -> bool:
        questions, mistakes = gather(self._files.values())
        self.is_sample = not self._files
        if self.is_sample:
            questions = list(_sample(self._language))
        told = [str(mistake) for mistake in mistakes]
        was = (self.questions, self.mistakes)
        self.questions, self.mistakes = questions, told
        return was != (questions, told)

    def _look_at_files(self) -> dict[str, _Mark]:
        marks = {}
        try:
            for path in bank_files(self._folder)[:FILES_MAX]:
                found = path.stat()
                # A pipe would keep us waiting for whoever writes into it.
                if stat.S_ISREG(found.st_mode):
                    marks[path.name] = (found.st_mtime_ns, found.st_size, found.st_ino)
        except FileNotFoundError:
            # No folder, or a file that went while we looked: the next look tells.
            pass
        except OSError as error:
            log.warning("%s cannot be read: %s", self._folder, error.strerror)
            return self._marks
        return marks

    def find(self, search: str) -> list[dict[str, Any]]:
        """Return the questions with ``search`` in them, as a file has them, and where they stand."""
        wanted = fold(search)
        return [
            {**EMPTY, **fields_of(question), "file": file, "line": line, "is_added": file == ADDED}
            for file, line, question in self._lines()
            if wanted in fold(" ".join((question.text, question.category, *question.accepted, question.id)))
        ]

    def _lines(self) -> Iterator[tuple[str, int, Question]]:
        if self.is_sample:
            yield from (("", 0, question) for question in self.questions)
        for file in self._files.values():
            yield from ((file.name, line, question) for line, question in file.questions)

    # -- the form --------------------------------------------------------

    def add(self, fields: Mapping[str, Any]) -> Question:
        """
        Write a new question.

        Raises:
            ShowError: Its fields have mistakes, it is there already, or the disk refuses.
        """
        question = checked(fields)
        if any(one.id == question.id for one in self.questions) and not self.is_sample:
            raise ShowError(
                f"There is a question {question.id} already.", hint="Edit it, or choose another id."
            )
        self._write([*self._added(), question])
        return question

    def edit(self, question_id: str, fields: Mapping[str, Any]) -> Question:
        """
        Replace a question that the form has written. Fields that are left out stay as they are.

        Raises:
            ShowError: It is another file's, its fields have mistakes, or the disk refuses.
        """
        added = self._added()
        place = self._place_of(question_id, added)
        question = checked({**fields_of(added[place]), **fields, "id": question_id})
        added[place] = question
        self._write(added)
        return question

    def remove(self, question_id: str) -> None:
        """
        Take out a question that the form has written.

        Raises:
            ShowError: It is another file's, or the disk refuses.
        """
        added = self._added()
        del added[self._place_of(question_id, added)]
        self._write(added)

    def _place_of(self, question_id: str, added: Sequence[Question]) -> int:
        for place, question in enumerate(added):
            if question.id == question_id:
                return place
        for file in self._files.values():
            if any(question.id == question_id for _, question in file.questions):
                raise ShowError(
                    f"That question is in {file.name}.", hint="Change that file; it is read at once."
                )
        if self.is_sample and any(question.id == question_id for question in self.questions):
            raise ShowError("That question is a sample.", hint="The samples go when you add your own.")
        raise ShowError("There is no such question.", hint="GET /api/show tells what is asked next.")

    def _added(self) -> list[Question]:
        """Return what the form has written so far, as it is on the disk now."""
        path = self._folder / ADDED
        if not path.exists():
            return []
        file = read_bank_file(path, bytes_max=FILE_BYTES_MAX)
        if file.mistakes:
            raise ShowError(f"{ADDED} has mistakes: {file.mistakes[0]}", hint="Correct the file first.")
        return [question for _, question in file.questions]

    def _write(self, questions: Sequence[Question]) -> None:
        content = (_HEAD + dump_bank(questions)).encode() if questions else b""
        if len(content) > FILE_BYTES_MAX:
            raise ShowError(f"{ADDED} is full.", hint="Move its questions into a file of your own.")
        try:
            if content:
                replace_whole(self._folder / ADDED, content)
            else:
                # An empty bank would stand in the way of the sample.
                (self._folder / ADDED).unlink(missing_ok=True)
        except OSError as error:
            raise ShowError(
                f"{ADDED} cannot be written: {error.strerror}.",
                hint="Free space, or choose another TOOLKIT_SHOW.",
            ) from error


def _newer(file: BankFile, before: BankFile | None) -> BankFile:
    """Return a file as it counts: with mistakes it has the questions of its last good version."""
    if not file.mistakes:
        return file
    return replace(file, questions=before.questions if before is not None else ())


def checked(fields: Mapping[str, Any]) -> Question:
    """
    Return a question, checked as one in a file.

    Raises:
        ShowError: With its ``mistakes``.
    """
    try:
        return question_of(fields)
    except BankError as error:
        raise ShowError(str(error), hint="Correct these fields.", mistakes=error.mistakes) from error


def _sample(language: str) -> Sequence[Question]:
    path = _SAMPLES / f"{language}.yaml"
    return [question for _, question in read_bank_file(path).questions]
