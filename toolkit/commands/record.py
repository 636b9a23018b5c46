"""``toolkit record``: record a live until it ends, the time is up, or somebody ends it."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from typing import Any

from toolkit.background import Worker
from toolkit.bus.live_state import LiveState
from toolkit.bus.memory import MemoryBus
from toolkit.clock import SystemClock
from toolkit.commands.verb import AddVerb, add_folder, positive, print_result, settings_of
from toolkit.config import Settings
from toolkit.errors import (
    INTERRUPTED,
    Blocked,
    CaptureError,
    NetworkDown,
    RecordingError,
    SignerRefused,
    UserNotFound,
    UserOffline,
)
from toolkit.model.recording import Cause, RecordingState, is_handle
from toolkit.observe import logs
from toolkit.store.folder import RecordingsFolder
from toolkit.store.summary import info_lines

__all__ = ["add_verbs"]

_PROGRESS_EVERY_S = 10.0


def _handle(text: str) -> str:
    handle = text.strip().removeprefix("@")
    if not is_handle(handle):
        raise argparse.ArgumentTypeError(f"{text!r} is not the @name of a profile page")
    return handle


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
    settings = settings_of(args)
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
        print_result(args, info, lambda: info_lines(info))
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
            os._exit(INTERRUPTED)
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


def add_verbs(verb: AddVerb) -> None:
    """Add ``record``."""
    record = verb("record", _record, "Record a live until it ends, the time is up, or Ctrl-C.")
    record.add_argument("user", type=_handle, help="whose live: the @name, with or without the @")
    record.add_argument("--seconds", type=positive, help="stop after this long")
    record.add_argument("--keep-trying", action="store_true", help="also when the first connection fails")
    add_folder(record)
