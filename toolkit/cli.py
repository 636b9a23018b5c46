"""
The command line: ``toolkit VERB``. Each verb is one function; each that reports has ``--json``.

What goes wrong is one sentence, the next step, and an exit code: 0 done, 1 an
objective failed, 2 wrong usage or settings, 3 a recording, 4 TikTok, 5 the server,
130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import runpy
import signal
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from toolkit.background import Worker
from toolkit.bundled import folder_of, panel_app
from toolkit.bus.live_state import LiveState
from toolkit.bus.memory import MemoryBus
from toolkit.clock import SystemClock
from toolkit.config import Settings, load_settings
from toolkit.errors import (
    Blocked,
    CaptureError,
    NetworkDown,
    RecordingError,
    ServerError,
    SignerRefused,
    ToolkitError,
    UserNotFound,
    UserOffline,
)
from toolkit.model.recording import Cause, RecordingState, is_handle
from toolkit.observe import logs
from toolkit.store.folder import RecordingsFolder
from toolkit.store.summary import info_lines

__all__ = ["build_parser", "main"]

_INTERRUPTED = 130
_PROGRESS_EVERY_S = 10.0
_DEFAULT_PORT = 5006


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
        return _INTERRUPTED
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

    record = verb("record", _record, "Record a live until it ends, the time is up, or Ctrl-C.")
    record.add_argument("user", type=_handle, help="whose live: the @name, with or without the @")
    record.add_argument("--seconds", type=_positive, help="stop after this long")
    record.add_argument("--keep-trying", action="store_true", help="also when the first connection fails")
    _folder(record)

    serve = verb("serve", _serve, "Start dashboard, overlay and API on this machine.", reports=False)
    serve.add_argument("--port", type=int, default=_DEFAULT_PORT)
    serve.add_argument("panel_args", nargs="*", help="further arguments of `panel serve`, after --")
    _folder(serve)

    replay = verb("replay", _replay, "Play a recording into dashboard and overlay, as a rehearsal.")
    _replay_arguments(replay)
    _folder(replay)

    _folder(verb("recordings", _recordings, "List the recordings."))
    for name, run, summary in (
        ("info", _info, "Tell what a recording holds: counts, segments, gaps."),
        ("verify", _verify, "Check a recording against its own checksums."),
        ("rebuild", _rebuild, "Make the tables again from the raw messages, with today's decoder."),
    ):
        sub = verb(name, run, summary)
        sub.add_argument("id", help="id of a recording, or a path to one")
        _folder(sub)

    import toolkit.show.command as show

    sub = verb("rescore", _rescore, "Tell who would have won: a recording, asked a bank's questions.")
    show.add_arguments(sub)
    _folder(sub)

    _add_laboratory(verb)
    verb("check-config", _check_config, "Check the settings and print them.")
    return parser


def _replay_arguments(replay: argparse.ArgumentParser) -> None:
    replay.add_argument("id", help="id of a recording, or a path to one")
    replay.add_argument("--rate", type=_rate, default=1.0, help="speed, 0.1 to 1000, or max; 1 is as it was")
    replay.add_argument("--from", type=_seconds, dest="from_s", metavar="S", help="begin S seconds into it")
    replay.add_argument("--until", type=_seconds, dest="until_s", metavar="S", help="end S seconds into it")
    replay.add_argument("--loop", action="store_true", help="begin again at the end")
    replay.add_argument("--heal-gaps", action="store_true", help="cut its gaps to nothing")
    replay.add_argument("--idle-max", type=_seconds, metavar="S", help="shorten longer silences to S seconds")
    replay.add_argument("--port", type=int, default=_DEFAULT_PORT, help="of the server to play in")
    replay.add_argument("--headless", action="store_true", help="without a server: only decode and count")
    replay.add_argument(
        "--record", type=Path, metavar="DIR", help="without a server: record what is played into DIR"
    )


def _add_laboratory(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the verbs that try the toolkit out."""
    import toolkit.load.command as load_test
    import toolkit.simulator.command as simulate
    from toolkit import bench

    sub = verb("simulate", _simulate, "Run a local TikTok to record from.", reports=False)
    simulate.add_arguments(sub)
    sub = verb("load-test", load_test.execute, "Hold a load on the real thing, and judge it.")
    load_test.add_arguments(sub)
    sub = verb("bench", bench.run, "Measure this machine against the rivals and the targets.")
    bench.add_arguments(sub)


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recordings", type=Path, metavar="DIR", help="folder of the recordings")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def _seconds(text: str) -> float:
    return 0.0 if text in ("0", "0.0") else _positive(text)


def _rate(text: str) -> float:
    from toolkit.errors import ReplayError
    from toolkit.replay.options import read_rate

    try:
        return read_rate(text if text == "max" else _positive(text))
    except ReplayError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _handle(text: str) -> str:
    handle = text.strip().removeprefix("@")
    if not is_handle(handle):
        raise argparse.ArgumentTypeError(f"{text!r} is not the @name of a profile page")
    return handle


def _settings(args: argparse.Namespace) -> Settings:
    folder = getattr(args, "recordings", None)
    return load_settings(**({"recordings": folder} if folder is not None else {}))


# -- record ----------------------------------------------------------------


_ADVICE: dict[Cause, tuple[type[CaptureError], str]] = {
    Cause.OFFLINE: (
        UserOffline,
        "Run it again once they are live, add --keep-trying, or rehearse: `toolkit replay sample`.",
    ),
    Cause.UNKNOWN_USER: (UserNotFound, "Check the spelling: it is the @name of the profile page."),
    Cause.SIGNER: (SignerRefused, "Wait, or set TIKTOK_SIGN_API_KEY to a key of your own; see the README."),
    Cause.BLOCKED: (Blocked, "Wait some minutes, or record from another network."),
    Cause.NETWORK: (NetworkDown, "Check the network of this machine, or add --keep-trying."),
}


def _record(args: argparse.Namespace) -> int:
    settings = _settings(args)
    logs.configure(settings.log_level, settings.log_format)
    folder = RecordingsFolder(settings.recordings)
    folder.lock()
    try:
        leaving = threading.Event()
        # A live does not wait for yesterday's recording.
        healer = Worker("heal", lambda: _heal(folder, args.user, leaving), ask_to_end=leaving.set)
        outcome = asyncio.run(_record_until_done(args, settings))
        healer.join()
        folder.heal()
    finally:
        folder.unlock()
    if outcome.recordings:
        last = outcome.recordings[-1]
        info = folder.info(last)
        _print(args, info, lambda: info_lines(info))
    unsealed = [name for name in outcome.unsealed if folder.state_of(name) is not RecordingState.SEALED]
    if unsealed:
        raise RecordingError(
            f"{', '.join(unsealed)} is not sealed. Its journal holds everything that was acknowledged.",
            hint="See to the disk and the folder, then start again: it is completed at the next start.",
        )
    if outcome.cause in (Cause.LIVE_ENDED, Cause.STOPPED):
        return 0
    error, hint = _ADVICE.get(outcome.cause, (CaptureError, "See the log above."))
    raise error(outcome.detail or f"The recording ended: {outcome.cause.value}.", hint=hint)


def _heal(folder: RecordingsFolder, user: str, leaving: threading.Event) -> None:
    # The recorder may go on with what was interrupted a moment ago; the rest is completed.
    keep = folder.resumable(user, None, SystemClock().now_us())
    for healed in folder.heal(keep=keep, is_leaving=leaving.is_set):
        print(f"healed: {healed}", file=sys.stderr)


async def _record_until_done(args: argparse.Namespace, settings: Settings) -> Any:
    from toolkit.assembly import new_recorder

    clock = SystemClock()
    bus = MemoryBus(clock=clock)
    live_state = LiveState(bus)
    recorder = new_recorder(args.user, settings, bus, clock, keep_trying=args.keep_trying)

    signals = 0

    def on_signal() -> None:
        nonlocal signals
        signals += 1
        if signals > 1:
            os._exit(_INTERRUPTED)
        print("stopping; a second Ctrl-C exits at once", file=sys.stderr)
        recorder.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)

    async def tell() -> None:
        while True:
            await asyncio.sleep(_PROGRESS_EVERY_S)
            figures = live_state.snapshot(clock.now_us())
            print(
                f"{recorder.status()['state']}: {figures.totals.get('comment', 0)} comments, "
                f"{sum(figures.totals.values())} events, {figures.rates.get('comment', 0):.1f} comments/s",
                file=sys.stderr,
            )

    async with asyncio.TaskGroup() as group:
        telling = group.create_task(tell())
        outcome = await recorder.run(args.seconds)
        telling.cancel()
    return outcome


# -- serve and replay ------------------------------------------------------


def _serve(args: argparse.Namespace) -> int:
    settings = _settings(args)
    return _run_server(settings, args.port, args.panel_args)


def _run_server(settings: Settings, port: int, panel_args: Sequence[str] = ()) -> int:
    """Run ``panel serve`` in this process; the App is made with our settings first."""
    from toolkit.app import get_app

    get_app(settings)
    script = panel_app()
    print(f"dashboard  http://127.0.0.1:{port}/panel_app", file=sys.stderr)
    print(f"overlay    http://127.0.0.1:{port}/overlay", file=sys.stderr)
    sys.argv = ["panel", "serve", str(script), "--address", "127.0.0.1", "--port", str(port), *panel_args]
    try:
        runpy.run_module("panel", run_name="__main__", alter_sys=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _replay(args: argparse.Namespace) -> int:
    own = _settings(args)
    settings, recording_id = _locate(own, args.id)
    path = RecordingsFolder(settings.recordings).path_of(recording_id)
    asked = {
        "rate": "max" if math.isinf(args.rate) else args.rate,
        "from": args.from_s or 0.0,
        "until": args.until_s,
        "loop": args.loop,
        "heal_gaps": args.heal_gaps,
        "idle_max": args.idle_max,
    }
    if args.headless or args.record is not None:
        return _replay_headless(args, path, asked)
    answer = _ask_server(args.port, recording_id, asked, path)
    if answer is not None:
        _print(args, answer, lambda: [f"{recording_id} plays at http://127.0.0.1:{args.port}/panel_app"])
        return 0
    from toolkit.app import get_app
    from toolkit.replay.options import ReplayOptions

    app = get_app(settings.model_copy(update={"username": ""}))
    app.replay_at_start = (recording_id, ReplayOptions.of(asked))
    return _run_server(app.settings, args.port)


def _replay_headless(args: argparse.Namespace, path: Path, asked: dict[str, Any]) -> int:
    from toolkit.replay.headless import play

    result = play(path, asked, args.record)
    late = result["late"]

    def lines() -> list[str]:
        return [
            f"{result['recording']}: {result['state']}, {result['frames']} frames, {result['events']} events",
            f"late: median {late['p50_ms']:g} ms, p99 {late['p99_ms']:g} ms, at most {late['max_ms']:g} ms",
            f"digest {result['digest']}",
            *([f"recorded as {result['recorded']}"] if result["recorded"] else []),
        ]

    _print(args, result, lines)
    return 0


def _ask_server(port: int, recording_id: str, asked: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """Have a server that runs already play it. None if there is none."""
    base = f"http://127.0.0.1:{port}"
    # Never through a proxy: this is a server on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base}/api/recordings", timeout=10) as response:
            listed = {r["id"]: r.get("path") for r in json.load(response)}
        if listed.get(recording_id) != str(path.absolute()):
            raise ServerError(
                f"The server on port {port} keeps its recordings elsewhere and does not have {path}.",
                hint="Stop it, or play in a server of its own: add --port with another number.",
            )
        request = urllib.request.Request(
            f"{base}/api/replay/start",
            data=json.dumps({"id": recording_id} | asked).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with opener.open(request, timeout=10) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        try:
            body = json.load(error)
        except ValueError:
            return None  # Another program listens on that port.
        raise ServerError(str(body.get("error", error)), hint=str(body.get("hint", ""))) from None
    except (
        urllib.error.URLError,
        TimeoutError,
        ConnectionError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ):
        return None  # Nobody listens there, or another program.


# -- simulate --------------------------------------------------------------


def _simulate(args: argparse.Namespace) -> int:
    import toolkit.simulator.command as simulate

    simulate.check(args)
    if args.recording is None:
        return simulate.run(args)
    from toolkit.replay.served import Serving

    settings, recording_id = _locate(_settings(args), args.recording)
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


# -- recordings ------------------------------------------------------------


def _locate(settings: Settings, text: str) -> tuple[Settings, str]:
    """Accept an id, or a path to a recording anywhere."""
    if text.endswith((".duckdb", ".journal")) or os.sep in text:
        path = Path(text)
        return settings.model_copy(update={"recordings": path.parent}), path.stem
    return settings.model_copy(update={"recordings": folder_of(text, settings.recordings)}), text


def _recordings(args: argparse.Namespace) -> int:
    settings = _settings(args)
    listed = RecordingsFolder(settings.recordings).list()

    def lines() -> list[str]:
        if not listed:
            return [f"no recordings in {settings.recordings}: `toolkit record USER` makes one"]
        return [f"{r['id']:44} {r['state']:11} {r['size_bytes'] / 1e6:8.1f} MB" for r in listed]

    _print(args, listed, lines)
    return 0


def _info(args: argparse.Namespace) -> int:
    settings, recording_id = _locate(_settings(args), args.id)
    info = RecordingsFolder(settings.recordings).info(recording_id)
    _print(args, info, lambda: info_lines(info))
    return 0


def _verify(args: argparse.Namespace) -> int:
    settings, recording_id = _locate(_settings(args), args.id)
    report = RecordingsFolder(settings.recordings).verify(recording_id)
    _print(args, report.as_dict(), report.lines)
    return 0 if report.ok else 1


def _rebuild(args: argparse.Namespace) -> int:
    settings, recording_id = _locate(_settings(args), args.id)
    report = RecordingsFolder(settings.recordings).rebuild(recording_id)
    _print(args, report.as_dict(), report.lines)
    return 0


def _rescore(args: argparse.Namespace) -> int:
    import toolkit.show.command as show

    settings, args.id = _locate(_settings(args), args.id)
    args.recordings = settings.recordings
    return show.run(args)


def _check_config(args: argparse.Namespace) -> int:
    settings = load_settings()
    values = {
        str(field.validation_alias): getattr(settings, name) for name, field in Settings.model_fields.items()
    }
    shown = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
    shown["TIKTOK_SIGN_API_KEY"] = "set" if settings.sign_api_key.get_secret_value() else ""
    _print(args, shown, lambda: [f"{name:34} {value}" for name, value in shown.items()])
    return 0


def _print(args: argparse.Namespace, value: Any, lines: Callable[[], list[str]]) -> None:
    if args.json:
        print(json.dumps(value, indent=2, default=str, ensure_ascii=False))
    else:
        print("\n".join(lines()))
