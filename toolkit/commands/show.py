"""``toolkit rescore`` and ``leaderboard``: the show, told again from what was kept."""

from __future__ import annotations

import argparse
from typing import Any

import toolkit.show.points.command as rescoring
from toolkit.clock import SystemClock
from toolkit.commands.verb import AddVerb, add_folder, locate, print_result, settings_of
from toolkit.show.points.recount import board_lines, boards, rebuild
from toolkit.show.points.weeks import Weeks

__all__ = ["add_verbs"]


def _rescore(args: argparse.Namespace) -> int:
    own = settings_of(args)
    settings, args.id = locate(own, args.id)
    args.recordings, args.show = settings.recordings, own.show_folder
    return rescoring.run(args)


def _leaderboard(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    if args.rebuild:
        recount = rebuild(settings.show_folder, settings.recordings)
        print_result(args, recount.as_dict(), recount.lines)
        return 0 if recount.agrees else 1
    weeks = Weeks(settings.week_begins, settings.time_zone)
    told = boards(settings.show_folder, weeks, SystemClock().now_us())
    shown: Any = told if args.scope is None else told[args.scope]
    print_result(args, shown, lambda: board_lines(told, args.scope))
    return 0


def add_verbs(verb: AddVerb) -> None:
    """Add ``rescore`` and ``leaderboard``."""
    sub = verb("rescore", _rescore, "Tell who would have won: a recording, asked a bank's questions.")
    rescoring.add_arguments(sub)
    add_folder(sub)
    board = verb("leaderboard", _leaderboard, "Show who has won how many points, or count them again.")
    board.add_argument("--scope", choices=("live", "week", "all"), help="one board; live is the last one")
    board.add_argument(
        "--rebuild", action="store_true", help="make the points again from the log and the recordings"
    )
    add_folder(board)
