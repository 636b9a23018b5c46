"""``toolkit simulate``: a local TikTok to rehearse on, until somebody ends it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit.errors import ServerError, SettingsError
from toolkit.simulator.fault_plan import FaultPlan, load_plan, random_plan
from toolkit.simulator.profile import PRESETS, TrafficProfile, profile_named
from toolkit.simulator.server import Simulator

__all__ = ["add_arguments", "run"]

PORT = 8765
STATUS_EVERY_S = 10.0
RATE_MAX = 5000.0
"""Comments per second; generating more than that fills a core."""
FAULT_EVERY_S = 30.0
"""Mean time between two drawn faults: time to come back from one before the next."""
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


def run(options: argparse.Namespace) -> int:
    """
    Run the simulator until the live ends by itself or a signal ends it.

    Returns:
        The exit code: 0.

    Raises:
        SettingsError: An option is out of range, or the fault plan cannot be used.
        ServerError: The port is taken.
    """
    simulator = Simulator(
        _profile(options),
        options.seed,
        options.user.removeprefix("@"),
        options.port,
        seconds=options.seconds,
        plan=_plan(options),
    )
    asyncio.run(_serve(simulator, as_json=options.json))
    return 0


def _profile(options: argparse.Namespace) -> TrafficProfile:
    problems = []
    if options.preset not in PRESETS:
        problems.append(f"--preset {options.preset}: choose one of {', '.join(PRESETS)}")
    for name in ("comments", "others"):
        rate = getattr(options, f"{name}_per_second")
        if rate is not None and not 0 <= rate <= RATE_MAX:
            problems.append(f"--{name}-per-second {rate:g}: choose 0 to {RATE_MAX:g}")
    if not 0 <= options.port <= 65_535:
        problems.append(f"--port {options.port}: choose 0 to 65535")
    if options.seconds is not None and not 0 < options.seconds < float("inf"):
        problems.append(f"--seconds {options.seconds:g}: choose more than 0")
    if not options.user.removeprefix("@").strip():
        problems.append("--user: give a name")
    if problems:
        raise SettingsError(problems)
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
    profile = simulator.profile
    if as_json:
        _print_json({"url": simulator.base_url, "environment": simulator.environment(), **simulator.state()})
        return
    lines = [
        f"@{simulator.user} is live at {simulator.base_url}/@{simulator.user}/live",
        f"{profile.comments_per_s:g} comments and {profile.others_per_s:g} other messages per second,"
        f" seed {simulator.seed}. Everybody in it is invented.",
        "",
        "In the terminal that records:",
        *(f"  export {name}={value}" for name, value in simulator.environment().items()),
        f"  toolkit record {simulator.user}",
        "",
        *_fault_lines(simulator),
        "Ctrl-C ends the live.",
    ]
    _print("\n".join(lines))


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
