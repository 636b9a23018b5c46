"""
The command line: ``toolkit VERB``. Each that reports has ``--json``.

What goes wrong is one sentence, the next step, and an exit code: 0 done, 1 an
objective failed, 2 wrong usage or settings, 3 a recording, 4 TikTok, 5 the server,
130 interrupted. The verbs themselves stand in :mod:`toolkit.commands`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from toolkit.commands import laboratory, questions, record, recordings, replay, serve, show
from toolkit.errors import INTERRUPTED, ToolkitError

__all__ = ["build_parser", "main"]

_GROUPS = (record, serve, replay, recordings, show, questions, laboratory)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb. Returns the exit code."""
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args))
    except ToolkitError as error:
        print(f"toolkit: {error}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every verb; a test holds it against the README."""
    parser = argparse.ArgumentParser(
        prog="toolkit", description="Record, watch, rehearse and analyse TikTok LIVE."
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def verb(
        name: str, run: Callable[[argparse.Namespace], int], summary: str, *, reports: bool = True
    ) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=run)
        if reports:
            sub.add_argument("--json", action="store_true", help="print the result as JSON")
        return sub

    for group in _GROUPS:
        group.add_verbs(verb)
    return parser
