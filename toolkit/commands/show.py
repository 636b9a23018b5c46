"""``toolkit rescore``: the show, told again from what was kept."""

from __future__ import annotations

import argparse

import toolkit.show.command as rescoring
from toolkit.commands.verb import AddVerb, add_folder, locate, settings_of

__all__ = ["add_verbs"]


def _rescore(args: argparse.Namespace) -> int:
    settings, args.id = locate(settings_of(args), args.id)
    args.recordings = settings.recordings
    return rescoring.run(args)


def add_verbs(verb: AddVerb) -> None:
    """Add ``rescore``."""
    sub = verb("rescore", _rescore, "Tell who would have won: a recording, asked a bank's questions.")
    rescoring.add_arguments(sub)
    add_folder(sub)
