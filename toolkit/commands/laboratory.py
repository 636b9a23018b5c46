"""``toolkit simulate``, ``load-test`` and ``bench``: to try the toolkit out."""

from __future__ import annotations

import argparse

import toolkit.load.command as load_test
import toolkit.simulator.command as simulate
from toolkit import bench
from toolkit.clock import SystemClock
from toolkit.commands.verb import AddVerb, locate, settings_of
from toolkit.store.folder import RecordingsFolder

__all__ = ["add_verbs"]


def _simulate(args: argparse.Namespace) -> int:
    simulate.check(args)
    if args.recording is None:
        return simulate.run(args)
    from toolkit.replay.served import Serving

    settings, recording_id = locate(settings_of(args), args.recording)
    serving = Serving(
        rate=args.rate,
        from_s=args.from_s,
        until_s=args.until_s,
        heals_gaps=args.heal_gaps,
        loops=args.loop,
        is_fresh=args.fresh,
        comments_per_s=args.comments_per_second,
        seed=args.seed,
    )
    path = RecordingsFolder(settings.recordings).path_of(recording_id)
    return simulate.run(args, serving.plan(path, SystemClock().now_us))


def _load_test(args: argparse.Namespace) -> int:
    if args.recording is None:
        return load_test.execute(args)
    settings, recording_id = locate(settings_of(args), args.recording)
    return load_test.execute(args, RecordingsFolder(settings.recordings).path_of(recording_id))


def add_verbs(verb: AddVerb) -> None:
    """Add the verbs that try the toolkit out."""
    sub = verb("simulate", _simulate, "Run a local TikTok to record from.", reports=False)
    simulate.add_arguments(sub)
    sub = verb("load-test", _load_test, "Hold a load on the real thing, and judge it.")
    load_test.add_arguments(sub)
    sub = verb("bench", bench.run, "Measure this machine against the rivals and the targets.")
    bench.add_arguments(sub)
