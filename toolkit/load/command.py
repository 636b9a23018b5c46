"""``toolkit load-test``: one run at a rate or preset, or a ladder of them."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from toolkit.errors import ServerError, SettingsError
from toolkit.load.browsers import find_chromium
from toolkit.load.feeds import DEPTHS
from toolkit.load.ladder import find_knee
from toolkit.load.objectives import Limits, load_limits
from toolkit.load.report import keep, lines, new_report
from toolkit.load.room import RecordedRoom, Room
from toolkit.load.run import Load, Progress, run
from toolkit.simulator.profile import PRESETS, profile_named

__all__ = ["add_arguments", "execute", "loads_of"]

RATE_MAX = 5_000.0
"""Comments per second; making more than that fills a core."""
SECONDS_MAX = 86_400.0
SUBSCRIBERS_MAX = 5_000
BROWSERS_MAX = 8
_LOAD_PRESET = "comments-100"
"""The room whose rates are set by ``--rate``."""
_RECORD_SENTENCES = {
    True: "--record: a rehearsal is kept nowhere; choose --depth wire",
    False: "--no-record: over the wire it is on disk before it is acknowledged; choose --depth inside",
}
_SWAPPED = re.compile(r"(\d+)-comments")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``toolkit load-test``."""
    load = parser.add_mutually_exclusive_group()
    load.add_argument("--preset", metavar="NAME", help=f"kind of room: {', '.join(PRESETS)}, or 100-comments")
    load.add_argument("--rate", type=float, metavar="R", help="comments per second (default: 100)")
    load.add_argument("--ladder", metavar="R,R,...", help="one run for each rate, up to the first that fails")
    parser.add_argument(
        "--recording",
        metavar="ID",
        help="play a recording over and over, grown to --rate, in place of an invented room",
    )
    parser.add_argument("--recordings", type=Path, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--others", type=float, metavar="R", help="other messages per second")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="N", help="length of a run")
    parser.add_argument(
        "--depth",
        choices=DEPTHS,
        default="wire",
        help="wire: a simulator, the real client, a recording; inside: the server's own player",
    )
    parser.add_argument(
        "--record",
        action=argparse.BooleanOptionalAction,
        help="into a scratch recording, or none: which of the two is what the depth does",
    )
    parser.add_argument("--subscribers", type=int, default=10, metavar="N", help="sockets that read")
    parser.add_argument("--never-reading", type=int, default=0, metavar="M", help="sockets that never read")
    parser.add_argument(
        "--browsers",
        type=int,
        metavar="K",
        help="Chromium pages of the overlay that tell what they painted (default: 1 where there is one)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same people and texts")
    parser.add_argument("--objectives", type=Path, metavar="FILE", help="limits of your own (TOML)")
    parser.add_argument("--report", type=Path, metavar="DIR", help="keep the result as JSON, JUnit and HTML")


def execute(args: argparse.Namespace, recording: Path | None = None) -> int:
    """
    Run it.

    Args:
        args: See :func:`add_arguments`.
        recording: What is played, if ``--recording`` names one.

    Returns:
        0, or 1 when an objective fails.

    Raises:
        SettingsError: An option is out of range; all problems at once.
        ServerError: A part of the rig could not be started.
        RecordingError: The recording cannot be read.
        ReplayError: It cannot be grown.
    """
    loads, limits = loads_of(args, recording), load_limits(args.objectives)
    _make_folder(args.report)
    # Told to end, it ends what it has started, too.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        done = _run_all(args, loads, limits)
    finally:
        signal.signal(signal.SIGTERM, before)
    return _conclude(args, done)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _run_all(args: argparse.Namespace, loads: list[Load], limits: Limits) -> list[dict[str, Any]]:
    """Run one after the other, up to the first at which an objective fails."""
    done: list[dict[str, Any]] = []
    for load in loads:
        with _Screen(load, is_quiet=args.json) as screen:
            done.append(new_report(run(load, screen.tell, screen.tell_progress), limits))
        if not args.json:
            print("\n".join([*lines(done[-1]), ""]), flush=True)
        if not done[-1]["ok"]:
            break
    return done


def _make_folder(folder: Path | None) -> None:
    """Refuse a folder that cannot be written now, not after ten minutes."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError([f"--report {folder}: {error.strerror}"]) from error


def _conclude(args: argparse.Namespace, done: Sequence[dict[str, Any]]) -> int:
    knee = None if args.ladder is None else find_knee(done)
    result = done[0] if knee is None else {"ok": knee["breaks"] is None, "knee": knee, "ladder": list(done)}
    if args.json:
        print(json.dumps(result, indent=2))
    elif knee is not None:
        print(knee["sentence"])
    if args.report is not None:
        for path in keep(args.report, result, done, knee):
            print(f"kept: {path}", file=sys.stderr)
    return 0 if all(report["ok"] for report in done) else 1


def loads_of(args: argparse.Namespace, recording: Path | None = None) -> list[Load]:
    """
    Return what the options ask for.

    Args:
        args: See :func:`add_arguments`.
        recording: What is played, if ``--recording`` names one.

    Raises:
        SettingsError: An option is out of range; all problems at once.
        ServerError: Pages are asked for, and there is no browser.
        RecordingError: The recording cannot be read.
        ReplayError: It cannot be grown.
    """
    problems = _problems(args)
    if problems:
        raise SettingsError(problems)
    rooms = _rooms(args, recording)
    chromium = find_chromium()
    if args.browsers and chromium is None:
        raise ServerError(
            "There is no Chromium here, so nothing can be painted.",
            hint="Install one, name it in the environment variable CHROMIUM, or use --browsers 0.",
        )
    if chromium is None and args.browsers is None:
        print("There is no Chromium here: painting is not measured.", file=sys.stderr)
    browsers = int(chromium is not None) if args.browsers is None else args.browsers
    return [
        Load(
            name=name,
            room=room,
            seconds=args.seconds,
            depth=args.depth,
            subscribers=args.subscribers,
            never_reading=args.never_reading,
            browsers=browsers,
            chromium=chromium or "",
            seed=args.seed,
        )
        for name, room in rooms
    ]


def _rooms(args: argparse.Namespace, recording: Path | None) -> list[tuple[str, Room]]:
    if recording is not None:
        return _recorded(args, recording)
    if args.preset is not None:
        name = _preset_name(args.preset)
        return [(name, profile_named(name).at_rate(None, args.others))]
    rates = _rates(args.ladder) if args.ladder is not None else [args.rate or 100.0]
    room = profile_named(_LOAD_PRESET)
    return [(f"rate-{rate:g}", room.at_rate(rate, args.others)) for rate in rates]


def _recorded(args: argparse.Namespace, recording: Path) -> list[tuple[str, Room]]:
    rates = [args.rate] if args.ladder is None else _rates(args.ladder)
    rooms = [RecordedRoom(path=recording, comments_per_s=rate) for rate in rates]
    for room in rooms:
        # Whether it can be grown is known now, not in another process.
        room.plan(args.seed)
    return [(r.name if r.comments_per_s is None else f"{r.name}-{r.comments_per_s:g}", r) for r in rooms]


def _preset_name(name: str) -> str:
    """Return the preset meant: what is called comments-100 may be called 100-comments."""
    swapped = _SWAPPED.fullmatch(name)
    return f"comments-{swapped.group(1)}" if swapped else name


def _rates(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        return []


def _problems(args: argparse.Namespace) -> list[str]:
    problems = []
    if args.preset is not None and _preset_name(args.preset) not in PRESETS:
        problems.append(f"--preset {args.preset}: choose one of {', '.join(PRESETS)}")
    if args.recording is not None:
        problems += [
            f"--{option}: not with --recording, which brings its own"
            for option in ("preset", "others")
            if getattr(args, option) is not None
        ]
    if args.record is not None and args.record != (args.depth == "wire"):
        problems.append(_RECORD_SENTENCES[args.record])
    rates = {"--rate": [args.rate] if args.rate is not None else [], "--others": [args.others or 0.1]}
    if args.ladder is not None:
        rates["--ladder"] = _rates(args.ladder)
        if not rates["--ladder"]:
            problems.append(f"--ladder {args.ladder}: give rates with commas between, such as 50,100,200")
    for option, values in rates.items():
        problems += [
            f"{option} {v:g}: choose 0.1 to {RATE_MAX:g}" for v in values if not 0.1 <= v <= RATE_MAX
        ]
    if not 1 <= args.seconds <= SECONDS_MAX:
        problems.append(f"--seconds {args.seconds:g}: choose 1 to {SECONDS_MAX:g}")
    for option, low, high in (
        ("subscribers", 1, SUBSCRIBERS_MAX),
        ("never_reading", 0, SUBSCRIBERS_MAX),
        ("browsers", 0, BROWSERS_MAX),
    ):
        value = getattr(args, option)
        if value is not None and not low <= value <= high:
            problems.append(f"--{option.replace('_', '-')} {value}: choose {low} to {high}")
    return problems


class _Screen:
    """What is seen while it runs: a line that is written over, on a terminal only."""

    def __init__(self, load: Load, *, is_quiet: bool) -> None:
        self._load = load
        self._is_live = sys.stderr.isatty()
        self._is_quiet = is_quiet and not self._is_live

    def __enter__(self) -> _Screen:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._is_live:
            sys.stderr.write("\r\x1b[K")

    def tell(self, what: str) -> None:
        """Say what is being done."""
        self._write(f"{self._load.name}: {what}")

    def tell_progress(self, progress: Progress) -> None:
        """Say how far it is."""
        if not self._is_live and round(progress.at_s) % 10:
            return
        fan_out = (
            "" if progress.fan_out_p99_ms is None else f", delivered p99 {progress.fan_out_p99_ms:.0f} ms"
        )
        cpu = ", ".join(f"{name} {share * 100:.0f} %" for name, share in progress.cpu.items())
        self._write(
            f"{self._load.name}: {progress.at_s:.0f} of {self._load.seconds:.0f} s, "
            f"{progress.messages:,} messages{fan_out}, CPU: {cpu}, "
            f"server {progress.rss_bytes['server'] / 1e6:.0f} MB"
        )

    def _write(self, line: str) -> None:
        if self._is_live:
            sys.stderr.write(f"\r\x1b[K{line}")
        elif not self._is_quiet:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
