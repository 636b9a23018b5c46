"""``toolkit replay``: a recording, played into a server that runs, one of its own, or none."""

from __future__ import annotations

import argparse
import json
import math
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from toolkit.commands.serve import run_server
from toolkit.commands.verb import (
    DEFAULT_PORT,
    AddVerb,
    add_folder,
    locate,
    positive,
    print_result,
    settings_of,
)
from toolkit.errors import ReplayError, ServerError
from toolkit.store.folder import RecordingsFolder

__all__ = ["add_verbs"]


def _seconds(text: str) -> float:
    return 0.0 if text in ("0", "0.0") else positive(text)


def _rate(text: str) -> float:
    from toolkit.replay.options import read_rate

    try:
        return read_rate(text if text == "max" else positive(text))
    except ReplayError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _replay(args: argparse.Namespace) -> int:
    own = settings_of(args)
    settings, recording_id = locate(own, args.id)
    path = RecordingsFolder(settings.recordings).path_of(recording_id)
    asked = {
        "rate": "max" if math.isinf(args.rate) else args.rate,
        "from": args.from_s or 0.0,
        "until": args.until_s,
        "loop": args.loop,
        "heal_gaps": args.heal_gaps,
        "idle_max": args.idle_max,
        "faults": _faults(args.faults),
    }
    if args.headless or args.record is not None:
        return _replay_headless(args, path, asked)
    answer = _ask_server(args.port, recording_id, asked, path)
    if answer is not None:
        print_result(
            args, answer, lambda: [f"{recording_id} plays at http://127.0.0.1:{args.port}/panel_app"]
        )
        return 0
    from toolkit.app import get_app
    from toolkit.replay.options import ReplayOptions

    app = get_app(settings.model_copy(update={"username": ""}))
    app.replay_at_start = (recording_id, ReplayOptions.of(asked))
    return run_server(app.settings, args.port)


def _faults(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    from toolkit.replay.faulty import check
    from toolkit.simulator.fault_plan import load_plan

    faults = load_plan(path)
    check(faults)
    return faults.as_json()


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

    print_result(args, result, lines)
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


def _add_arguments(replay: argparse.ArgumentParser) -> None:
    replay.add_argument("id", help="id of a recording, or a path to one")
    replay.add_argument("--rate", type=_rate, default=1.0, help="speed, 0.1 to 1000, or max; 1 is as it was")
    replay.add_argument("--from", type=_seconds, dest="from_s", metavar="S", help="begin S seconds into it")
    replay.add_argument("--until", type=_seconds, dest="until_s", metavar="S", help="end S seconds into it")
    replay.add_argument("--loop", action="store_true", help="begin again at the end")
    replay.add_argument("--heal-gaps", action="store_true", help="cut its gaps to nothing")
    replay.add_argument("--idle-max", type=_seconds, metavar="S", help="shorten longer silences to S seconds")
    replay.add_argument("--faults", type=Path, metavar="FILE", help="what goes wrong with its frames, when")
    replay.add_argument("--port", type=int, default=DEFAULT_PORT, help="of the server to play in")
    replay.add_argument("--headless", action="store_true", help="without a server: only decode and count")
    replay.add_argument(
        "--record", type=Path, metavar="DIR", help="without a server: record what is played into DIR"
    )


def add_verbs(verb: AddVerb) -> None:
    """Add ``replay``."""
    replay = verb("replay", _replay, "Play a recording into dashboard and overlay, as a rehearsal.")
    _add_arguments(replay)
    add_folder(replay)
