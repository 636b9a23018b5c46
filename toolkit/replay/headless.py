"""A replay without a server: decoded, counted, hashed, and recorded if asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.bus.live_state import LiveState
from toolkit.bus.memory import MemoryBus
from toolkit.replay.digest import OutputDigest
from toolkit.replay.options import ReplayOptions
from toolkit.replay.player import Player
from toolkit.replay.tap import ScratchTap
from toolkit.store.folder import RecordingsFolder

__all__ = ["play"]


def play(path: Path, asked: Mapping[str, Any], record: Path | None = None) -> dict[str, Any]:
    """
    Play a sealed recording to its end.

    Args:
        path: The recording.
        asked: Options, as :meth:`ReplayOptions.of` reads them.
        record: Folder for a recording of it, with the plan's times; None for none.

    Returns:
        The player's progress, and ``totals``, ``digest``, ``recorded`` (path or None).

    Raises:
        ReplayError: An option means nothing.
        RecordingError: It cannot be read, or the folder cannot be written.
    """
    options = ReplayOptions.of(asked)
    plan = options.plan(path)
    bus, digest = MemoryBus(), OutputDigest()
    live_state = LiveState(bus)
    bus.tap(digest.take)
    folder = RecordingsFolder(record) if record is not None else None
    tap = ScratchTap(record, f"replay-{plan.name}") if record is not None else None
    player = Player(plan, bus=bus, rate=options.rate, loops=options.loops, tap=tap, prime=live_state.prime)
    if folder is not None:
        folder.lock()
    try:
        progress = asyncio.run(player.run())
        report = tap.seal() if tap is not None else None
    finally:
        if tap is not None:
            tap.discard()
        if folder is not None:
            folder.unlock()
    return progress.as_dict() | {
        "totals": live_state.snapshot(0).totals,
        "digest": digest.hexdigest(),
        "recorded": str(report.path) if report is not None else None,
    }
