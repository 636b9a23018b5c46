"""``toolkit recordings``, ``info``, ``verify`` and ``rebuild``: what is in the folder."""

from __future__ import annotations

import argparse

from toolkit.commands.verb import AddVerb, add_folder, locate, print_result, settings_of
from toolkit.store.folder import RecordingsFolder
from toolkit.store.summary import info_lines

__all__ = ["add_verbs"]


def _recordings(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    listed = RecordingsFolder(settings.recordings).list()

    def lines() -> list[str]:
        if not listed:
            return [f"no recordings in {settings.recordings}: `toolkit record USER` makes one"]
        return [f"{r['id']:44} {r['state']:11} {r['size_bytes'] / 1e6:8.1f} MB" for r in listed]

    print_result(args, listed, lines)
    return 0


def _info(args: argparse.Namespace) -> int:
    settings, recording_id = locate(settings_of(args), args.id)
    info = RecordingsFolder(settings.recordings).info(recording_id)
    print_result(args, info, lambda: info_lines(info))
    return 0


def _verify(args: argparse.Namespace) -> int:
    settings, recording_id = locate(settings_of(args), args.id)
    report = RecordingsFolder(settings.recordings).verify(recording_id)
    print_result(args, report.as_dict(), report.lines)
    return 0 if report.ok else 1


def _rebuild(args: argparse.Namespace) -> int:
    settings, recording_id = locate(settings_of(args), args.id)
    report = RecordingsFolder(settings.recordings).rebuild(recording_id)
    print_result(args, report.as_dict(), report.lines)
    return 0


def add_verbs(verb: AddVerb) -> None:
    """Add the verbs about recordings."""
    add_folder(verb("recordings", _recordings, "List the recordings."))
    for name, run, summary in (
        ("info", _info, "Tell what a recording holds: counts, segments, gaps."),
        ("verify", _verify, "Check a recording against its own checksums."),
        ("rebuild", _rebuild, "Make the tables again from the raw messages, with today's decoder."),
    ):
        sub = verb(name, run, summary)
        sub.add_argument("id", help="id of a recording, or a path to one")
        add_folder(sub)
