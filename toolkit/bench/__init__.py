"""
Where performance is known: ``toolkit bench``.

    decode      our decoder against TikTokLive's pipeline, same bytes, same run; and against
                that of the npm package tiktok-live-connector, where node is there
    record      wire to disk: a real client, a real socket, a sealed file
    journal     what stands between a frame and its acknowledgement
    projection  from batches to rows
    bus         from an event to everybody who listens
    sockets     fan-out to 1, 10, 100, 1,000 sockets, and some that never read
    dashboard   what an open page costs the server
    queries     the charts of the standard notebook on ten million events, against pandas
    replay      how punctual the player is, how much it holds, how quickly it seeks
    startup     how long one waits for the first answer
    compare     two results side by side
    machine     a figure, and what it was measured on; ``material`` what is worked on,
                ``live`` a live that is recorded meanwhile

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
from toolkit.errors import SettingsError

__all__ = ["add_arguments", "run"]

EVENTS = 10_000_000
"""Twenty broadcasts of the busiest kind."""


def _decode(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import decode

    yield from decode.measure(rounds=args.rounds)
    yield from decode.measure_npm(rounds=args.rounds)


def _record(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import record

    return record.measure(seconds=args.seconds)


def _journal(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import journal

    return journal.measure()


def _projection(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import projection

    return projection.measure()


def _bus(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import bus

    return bus.measure(rounds=args.rounds)


def _sockets(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import sockets

    return sockets.measure(seconds=args.seconds / 2)


def _dashboard(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import dashboard

    return dashboard.measure(seconds=args.seconds)


def _queries(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import queries

    return queries.measure(args.events, rounds=min(args.rounds, 3))


def _replay(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import replay

    return replay.measure(seconds=args.seconds)


def _startup(args: argparse.Namespace) -> Iterable[Figure]:
    from toolkit.bench import startup

    return startup.measure(rounds=args.rounds)


_SUITES: dict[str, Callable[[argparse.Namespace], Iterable[Figure]]] = {
    "decode": _decode,
    "record": _record,
    "journal": _journal,
    "projection": _projection,
    "bus": _bus,
    "sockets": _sockets,
    "dashboard": _dashboard,
    "queries": _queries,
    "replay": _replay,
    "startup": _startup,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``toolkit bench``."""
    parser.add_argument(
        "suites", nargs="*", metavar="SUITE", help=f"any of: {', '.join(_SUITES)}; all by default"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds of a comparison")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="N", help="length of a live")
    parser.add_argument("--events", type=int, default=EVENTS, metavar="N", help="events of the queries")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also keep the result as JSON")
    parser.add_argument(
        "--compare", type=Path, nargs=2, metavar=("A", "B"), help="instead: what changed from A to B"
    )


def run(args: argparse.Namespace) -> int:
    """
    Run the suites, or compare two results.

    Returns:
        1 when a target is missed, or when something became worse.

    Raises:
        SettingsError: An option cannot be used.
    """
    if args.compare is not None:
        from toolkit.bench import compare

        return compare.run(*args.compare, as_json=args.json)
    _check(args)
    figures: list[Figure] = []
    for name in args.suites or _SUITES:
        for figure in _SUITES[name](args):
            figures.append(figure)
            if not args.json:
                print(figure.line(), flush=True)
    result = {"machine": machine(), "figures": [figure.as_dict() for figure in figures]}
    if args.json:
        print(json.dumps(result, indent=2))
    if args.out is not None:
        args.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
        print(f"kept: {args.out}", file=sys.stderr)
    return 0 if all(figure.is_met for figure in figures) else 1


def _check(args: argparse.Namespace) -> None:
    problems = [
        f"there is no suite {name}; choose of {', '.join(_SUITES)}"
        for name in args.suites
        if name not in _SUITES
    ]
    for name, value, low, high in (
        ("--rounds", args.rounds, 1, 1_000),
        ("--seconds", args.seconds, 1, 86_400),
        ("--events", args.events, 10_000, 1_000_000_000),
    ):
        if not low <= value <= high:
            problems.append(f"{name} {value:g}: choose {low} to {high}")
    if args.out is not None:
        try:
            # Now, not after ten minutes.
            args.out.parent.mkdir(parents=True, exist_ok=True)
            args.out.touch()
        except OSError as error:
            problems.append(f"--out {args.out}: {error.strerror}")
    if problems:
        raise SettingsError(problems)
