"""``toolkit questions``: what is wrong with files of questions, before the live."""

from __future__ import annotations

import argparse
from pathlib import Path

from toolkit.commands.verb import AddVerb, add_folder, print_result, settings_of
from toolkit.show.programme import QUESTIONS
from toolkit.show.question.bank import BankError, load_bank

__all__ = ["add_verbs"]

_MISTAKES_EXIT_CODE = 2


def _questions(args: argparse.Namespace) -> int:
    path = args.path if args.path is not None else settings_of(args).show_folder / QUESTIONS
    try:
        questions = load_bank(path)
    except BankError as error:
        mistakes = [str(mistake) for mistake in error.mistakes]
        print_result(args, {"path": str(path), "questions": None, "mistakes": mistakes}, lambda: mistakes)
        return _MISTAKES_EXIT_CODE
    told = {"path": str(path), "questions": len(questions), "mistakes": []}
    print_result(args, told, lambda: [f"{len(questions)} questions, nothing wrong with them."])
    return 0


def add_verbs(verb: AddVerb) -> None:
    """Add ``questions``."""
    sub = verb("questions", _questions, "Check files of questions: every mistake with file, line and field.")
    sub.add_argument("action", choices=("check",), help="what to do with them")
    sub.add_argument("path", type=Path, nargs="?", help="file or folder; the show's own by default")
    add_folder(sub)
