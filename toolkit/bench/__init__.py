"""
Where performance is known: ``toolkit bench``.

    decode   our decoder against TikTokLive's pipeline, same bytes, same run
    record   wire to disk: a real client, a real socket, a sealed file
    machine  what the figures were measured on

Ratios are measured side by side in one run, because a shared machine halves any
absolute figure. Results are printed, and kept as JSON on request. Nothing here is
a test; nothing fails because a machine is slow, but the exit code tells when a
target is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from toolkit.bench.machine import Figure, machine

__all__ = ["add_arguments", "run"]


def _decode(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import decode

    return decode.measure(rounds=args.rounds)


def _record(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import record

    return record.measure(seconds=args.seconds)


_SUITES: dict[str, Callable[[argparse.Namespace], Iterable[Figure]]] = {"decode": _decode, "record": _record}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``toolkit bench``."""
    parser.add_argument(
        "suites", nargs="*", metavar="SUITE", help=f"any of: {', '.join(_SUITES)}; all by default"
    )
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of a comparison")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of a recording at 250 messages/s")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also keep the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Run the suites. Returns 1 when a target is missed."""
    unknown = [name for name in args.suites if name not in _SUITES]
    if unknown:
        print(f"no such suite: {', '.join(unknown)}; there are {', '.join(_SUITES)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in args.suites or _SUITES:
        for figure in _SUITES[name](args):
            figures.append(figure)
            if not args.json:
                print(figure.line(), flush=True)
    result = {"machine": machine(), "figures": [figure.as_dict() for figure in figures]}
    if args.json:
        print(json.dumps(result, indent=2))
    if args.save is not None:
        args.save.parent.mkdir(parents=True, exist_ok=True)
        args.save.write_text(json.dumps(result, indent=2))
    return 0 if all(figure.is_met for figure in figures) else 1
