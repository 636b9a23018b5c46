"""
``toolkit simulate``: a local TikTok to rehearse on, until somebody ends it.

Makes its live up, or plays a plan that the caller brings: what a recording becomes a
plan by stands above this part.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit.errors import ServerError, SettingsError
from toolkit.model.plan import Plan
from toolkit.simulator.fault_plan import FaultPlan, load_plan, random_plan
from toolkit.simulator.playback import RATE_MAX as SPEED_MAX
from toolkit.simulator.playback import Playback
from toolkit.simulator.profile import PRESETS, TrafficProfile, profile_named
from toolkit.simulator.server import Simulator

__all__ = ["add_arguments", "run"]

PORT = 8765
STATUS_EVERY_S = 10.0
RATE_MAX = 5000.0
"""Comments per second; generating more than that fills a core."""
FAREWELL_S = 5.0
"""For clients to read the end of the live and hang up."""
FAULT_EVERY_S = 30.0
"""Mean time between two drawn faults: time to come back from one before the next."""
_ONLY_WITH_RECORDING = ("heal-gaps", "loop", "fresh", "strict-time")
FAULTS_FOR_S = 86_400.0
"""How long faults are drawn for when the live has no planned end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``toolkit simulate``."""
    presets = ", ".join(PRESETS)
    parser.add_argument("--user", default="demo", metavar="NAME", help="who is live (default: demo)")
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"port on 127.0.0.1, 0 for a free one (default: {PORT})"
    )
    parser.add_argument("--preset", default="typical", metavar="NAME", help=f"kind of room: {presets}")
    parser.add_argument(
        "--comments-per-second", type=float, metavar="N", help="rate of comments instead of the preset's"
    )
    parser.add_argument(
        "--others-per-second", type=float, metavar="N", help="rate of everything else instead of the preset's"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same people and texts")
    parser.add_argument("--seconds", type=float, metavar="N", help="end the live after so many seconds")
    parser.add_argument(
        "--faults", type=Path, metavar="FILE", help="what goes wrong, and when (TOML or JSON)"
    )
    parser.add_argument(
        "--fault-seed",
        type=int,
        metavar="N",
        help=f"draw what goes wrong, about every {FAULT_EVERY_S:g} s; with --faults: the dice of that plan",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line instead of text")
    _add_recording(parser)


def _add_recording(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("a recording in place of a made-up live")
    group.add_argument("--recording", metavar="ID", help="id of a recording, or a path to one")
    group.add_argument("--recordings", type=Path, metavar="DIR", help="folder of the recordings")
    group.add_argument("--rate", type=float, default=1.0, metavar="R", help="speed; 1 is as it was")
    group.add_argument(
        "--from", type=float, default=0.0, dest="from_s", metavar="S", help="begin S s into it"
    )
    group.add_argument("--until", type=float, dest="until_s", metavar="S", help="end S s into it")
    group.add_argument("--heal-gaps", action="store_true", help="cut its gaps to nothing")
    group.add_argument("--loop", action="store_true", help="begin again at the end, for a day")
    group.add_argument("--fresh", action="store_true", help="times and ids as if it happened now")
    group.add_argument(
        "--strict-time", action="store_true", help="begin at once, and go on whether anybody watches or not"
    )


def run(options: argparse.Namespace, plan: Plan | None = None) -> int:
    """
    Run the simulator until the live ends by itself or a signal ends it.

    Args:
        options: See :func:`add_arguments`, checked by :func:`check`.
        plan: What to play in place of a made-up live.

    Returns:
        The exit code: 0.

    Raises:
        SettingsError: An option is out of range, or the fault plan cannot be used.
        ServerError: The port is taken.
        RecordingError: The plan cannot be read.
    """
    check(options)
    playback = None
    if plan is not None:
        playback = Playback(plan, rate=options.rate, waits=not options.strict_time)
    simulator = Simulator(
        _profile(options),
        options.seed,
        options.user.removeprefix("@"),
        options.port,
        seconds=options.seconds,
        plan=_plan(options),
        playback=playback,
    )
    asyncio.run(_serve(simulator, as_json=options.json))
    return 0


def check(options: argparse.Namespace) -> None:
    """
    Check the options.

    Raises:
        SettingsError: One sentence for each that is out of range.
    """
    problems = [*_room_problems(options), *_recording_problems(options)]
    if problems:
        raise SettingsError(problems)


def _room_problems(options: argparse.Namespace) -> Iterator[str]:
    if options.preset not in PRESETS:
        yield f"--preset {options.preset}: choose one of {', '.join(PRESETS)}"
    for name in ("comments", "others"):
        rate = getattr(options, f"{name}_per_second")
        if rate is not None and not 0 <= rate <= RATE_MAX:
            yield f"--{name}-per-second {rate:g}: choose 0 to {RATE_MAX:g}"
    if not 0 <= options.port <= 65_535:
        yield f"--port {options.port}: choose 0 to 65535"
    if options.seconds is not None and not 0 < options.seconds < float("inf"):
        yield f"--seconds {options.seconds:g}: choose more than 0"
    if not options.user.removeprefix("@").strip():
        yield "--user: give a name"


def _recording_problems(options: argparse.Namespace) -> Iterator[str]:
    if not 0 < options.rate <= SPEED_MAX:
        yield f"--rate {options.rate:g}: choose more than 0, and at most {SPEED_MAX:g}"
    for name, value in (("from", options.from_s), ("until", options.until_s)):
        if value is not None and not 0 <= value < float("inf"):
            yield f"--{name} {value:g}: choose 0 or more"
    if options.recording is None:
        given = [name for name in _ONLY_WITH_RECORDING if getattr(options, name.replace("-", "_"))]
        yield from (f"--{name}: it needs --recording" for name in given)
    elif options.others_per_second is not None:
        yield "--others-per-second: with --recording, everything grows with --comments-per-second"
    elif options.comments_per_second == 0:
        yield "--comments-per-second 0: with --recording, choose more than 0"


def _profile(options: argparse.Namespace) -> TrafficProfile:
    profile = profile_named(options.preset)
    return profile.at_rate(options.comments_per_second, options.others_per_second)


def _plan(options: argparse.Namespace) -> FaultPlan:
    if options.faults is not None:
        plan = load_plan(options.faults)
        return plan if options.fault_seed is None else replace(plan, seed=options.fault_seed)
    if options.fault_seed is None:
        return FaultPlan()
    return random_plan(options.fault_seed, seconds=options.seconds or FAULTS_FOR_S, every_s=FAULT_EVERY_S)


async def _serve(simulator: Simulator, *, as_json: bool) -> None:
    try:
        await simulator.start()
    except OSError as error:
        raise ServerError(
            f"The simulator cannot listen on port {simulator.port}: {error.strerror}.",
            hint="Another program has it. Choose one with `toolkit simulate --port 0`.",
        ) from error
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not on Windows, and not outside the main thread: Ctrl-C still raises there.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stopped.set)
    try:
        _print_start(simulator, as_json=as_json)
        await _watch(simulator, stopped, as_json=as_json)
    finally:
        await simulator.end_live()
        await simulator.wait_gone(FAREWELL_S)
        _print_state(simulator, as_json=as_json)
        await simulator.stop()


async def _watch(simulator: Simulator, stopped: asyncio.Event, *, as_json: bool) -> None:
    """Report every ten seconds until the live ends or somebody stops us."""
    async with asyncio.TaskGroup() as tasks:
        waiting = {
            tasks.create_task(simulator.wait_ended(), name="live"),
            tasks.create_task(stopped.wait(), name="signal"),
        }
        while True:
            done, _ = await asyncio.wait(waiting, timeout=STATUS_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            if done:
                break
            _print_state(simulator, as_json=as_json)
        for task in waiting:
            task.cancel()


def _print_start(simulator: Simulator, *, as_json: bool) -> None:
    if as_json:
        _print_json({"url": simulator.base_url, "environment": simulator.environment(), **simulator.state()})
        return
    lines = [
        f"@{simulator.user} is live at {simulator.base_url}/@{simulator.user}/live",
        _programme(simulator),
        "",
        "In the terminal that records:",
        *(f"  export {name}={value}" for name, value in simulator.environment().items()),
        f"  toolkit record {simulator.user}",
        "",
        *_fault_lines(simulator),
        "Ctrl-C ends the live.",
    ]
    _print("\n".join(lines))


def _programme(simulator: Simulator) -> str:
    """Say what is broadcast."""
    playback, profile = simulator.playback, simulator.profile
    if playback is None:
        return (
            f"{profile.comments_per_s:g} comments and {profile.others_per_s:g} other messages per second,"
            f" seed {simulator.seed}. Everybody in it is invented."
        )
    breaks = len(playback.plan.breaks)
    begins = "It begins when somebody watches." if playback.is_waiting else "It has begun."
    return (
        f"{playback.plan.name}, {playback.plan.duration_s:.0f} s with {breaks} gaps,"
        f" at {playback.rate:g}x. {begins}"
    )


def _fault_lines(simulator: Simulator) -> list[str]:
    planned = len(simulator.faults.plan.planned)
    return [f"{planned} faults planned, see {simulator.base_url}/sim/faults", ""] if planned else []


def _print_state(simulator: Simulator, *, as_json: bool) -> None:
    state = simulator.state()
    if as_json:
        _print_json(state)
        return
    late = f", {state['bursts_late']} of {state['bursts']} bursts late" if state["bursts_late"] else ""
    watching = f"{state['connections']} connected" if state["is_live"] else "the live has ended"
    _print(f"{state['messages']} messages, {state['comments']} comments, {watching}{late}")


def _print_json(value: dict[str, Any]) -> None:
    _print(json.dumps(value, ensure_ascii=False))


def _print(text: str) -> None:
    # Flushed, because a test or a script reads the first lines to know where it is.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
