"""What verbs have in common: their options, the settings behind them, a printed result."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from toolkit.bundled import folder_of
from toolkit.config import Settings, load_settings

__all__ = ["DEFAULT_PORT", "AddVerb", "add_folder", "locate", "positive", "print_result", "settings_of"]

_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
DEFAULT_PORT = 5006
"""Of the server, as `panel serve` has it."""


class AddVerb(Protocol):
    """Adds one verb to the command line and returns its parser."""

    def __call__(
        self, name: str, run: Callable[[argparse.Namespace], int], summary: str, *, reports: bool = True
    ) -> argparse.ArgumentParser:
        """Add verb ``name``, carried out by ``run``; one that reports gets ``--json``."""
        ...


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add ``--recordings``."""
    parser.add_argument("--recordings", type=Path, metavar="DIR", help="folder of the recordings")


def positive(text: str) -> float:
    """Return a number above 0, for `argparse`."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings, with what the command line says instead."""
    folder = getattr(args, "recordings", None)
    return load_settings(**({"recordings": folder} if folder is not None else {}))


def locate(settings: Settings, text: str) -> tuple[Settings, str]:
    """Accept an id, or a path to a recording anywhere."""
    if text.endswith((".duckdb", ".journal")) or os.sep in text:
        path = Path(text)
        return settings.model_copy(update={"recordings": path.parent}), path.stem
    return settings.model_copy(update={"recordings": folder_of(text, settings.recordings)}), text


def print_result(args: argparse.Namespace, value: Any, lines: Callable[[], list[str]]) -> None:
    """Print a result: as JSON where that was asked for, else as lines."""
    if args.json:
        print(json.dumps(value, indent=2, default=str, ensure_ascii=False))
    else:
        # Names come from viewers, and a terminal obeys what is in them.
        print("\n".join(_OBEYED.sub("\ufffd", line) for line in lines()))
