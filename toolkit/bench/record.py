"""
Wire to disk: a simulator in another process, the real client, a sealed recording.

Everything a live needs is in the path: WebSocket, TikTokLive's acknowledgements,
journal, decoder, bus, projector, seal. The simulator has prepared its messages
before the clock starts, so that it is never what limits.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from toolkit.assembly import new_recorder
from toolkit.bench.machine import Figure
from toolkit.bus.memory import MemoryBus
from toolkit.clock import SystemClock
from toolkit.config import load_settings
from toolkit.model.frame import Message
from toolkit.simulator.ledger import Connection as Watched
from toolkit.simulator.profile import profile_named
from toolkit.simulator.server import Simulator
from toolkit.simulator.traffic import Traffic
from toolkit.store.folder import RecordingsFolder

__all__ = ["measure"]

FLOOD_MESSAGES = 60_000
MESSAGES_PER_FRAME = 35
"""The largest frame seen in a real room."""
FLOOD_PER_S_MIN = 10_000.0
QUIET_PER_S = 250
QUIET_CPU_MAX_PERCENT = 5.0
_FRAMES_AHEAD_MAX = 100
"""Frames pushed and not acknowledged. The flood is limited by the reader, not by a
queue that would drop the connection."""
_LIMIT_S = 180.0


def measure(seconds: float) -> Iterator[Figure]:
    """
    Yield throughput of a flood, and the CPU share of a busy room.

    Args:
        seconds: Length of the recording at 250 messages/s.
    """
    for run in (_flood, _quiet):
        with tempfile.TemporaryDirectory() as folder:
            yield from run(Path(folder), seconds)


def _flood(folder: Path, _: float) -> Iterator[Figure]:
    began = time.monotonic()
    facts = _record(folder, _serve_flood, FLOOD_MESSAGES)
    lost = facts["sent"] - facts["stored"]
    yield Figure(
        "record: wire to disk",
        facts["stored"] / facts["listening_s"],
        "messages/s",
        FLOOD_PER_S_MIN,
        note=f"{facts['stored']:,} messages, first to last frame; all in {time.monotonic() - began:.0f} s",
    )
    yield Figure(
        "record: lost", lost, "messages", 0, at_most=True, note="sent by the simulator and not stored"
    )
    yield Figure("record: CPU per message, all threads", facts["cpu_s"] / facts["stored"] * 1e6, "us")
    yield Figure("record: seal", facts["seal_s"], "s", note="read back, compare, remove the journal")


def _quiet(folder: Path, seconds: float) -> Iterator[Figure]:
    facts = _record(folder, _serve_quiet, seconds)
    yield Figure(
        f"record: CPU at {QUIET_PER_S} messages/s",
        facts["cpu_s"] / facts["listening_s"] * 100,
        "% of a core",
        QUIET_CPU_MAX_PERCENT,
        at_most=True,
        note=f"{facts['stored']:,} messages in {facts['listening_s']:.0f} s, connecting and sealing left out",
    )
    yield Figure("record: size per message", facts["bytes"] / facts["stored"], "bytes", note="sealed file")


def _record(folder: Path, serve: Any, amount: float) -> dict[str, float]:
    """Record a simulator of another process; return what it cost."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, amount), daemon=True)
    process.start()
    try:
        return asyncio.run(_listen(folder, ours))
    finally:
        process.join(10)
        process.kill()


async def _listen(folder: Path, pipe: Connection) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    environment = await loop.run_in_executor(None, pipe.recv)
    bus = MemoryBus()
    recorder = new_recorder("demo", load_settings(environment, recordings=folder), bus, SystemClock())
    marks: dict[str, float] = {}

    def mark(notices: Any) -> None:
        # The first events start the clock; each later batch moves its end.
        marks.setdefault("first_s", time.monotonic())
        marks.setdefault("first_cpu_s", time.process_time())
        if any(notice.type == "recording" for notice in notices):
            marks.setdefault("sealing_s", time.monotonic())
        elif any(notice.type not in ("status", "run") for notice in notices):
            marks["last_s"], marks["last_cpu_s"] = time.monotonic(), time.process_time()

    recording = asyncio.ensure_future(recorder.run())
    async with asyncio.timeout(_LIMIT_S):
        while not recorder.status()["connected"]:  # noqa: ASYNC110 - the state belongs to another task
            await asyncio.sleep(0.01)
        bus.tap(mark)
        pipe.send("go")
        outcome = await recording
    sealed_s = time.monotonic()
    sent = await loop.run_in_executor(None, pipe.recv)
    info = RecordingsFolder(folder).info(outcome.recordings[0])
    return {
        "sent": sent,
        "stored": info["messages"],
        "bytes": info["size_bytes"],
        "listening_s": marks["last_s"] - marks["first_s"],
        "cpu_s": marks["last_cpu_s"] - marks["first_cpu_s"],
        "seal_s": sealed_s - marks["sealing_s"],
    }


def _serve_flood(pipe: Connection, amount: float) -> None:
    """In the other process: prepare, wait for the client, push as fast as it reads."""
    traffic = Traffic(profile_named("comments-1000"), 1, 1_700_000_000_000)
    messages: list[Message] = []
    while len(messages) < amount:
        messages += traffic.next_burst().messages
    asyncio.run(_push(pipe, messages[: int(amount)]))


async def _push(pipe: Connection, messages: list[Message]) -> None:
    simulator = Simulator(profile_named("small").at_rate(0, 0), seed=2)
    await simulator.start()
    pipe.send(simulator.environment())
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    connection = simulator.ledger.connections[0]
    before = simulator.ledger.total
    for pushed, start in enumerate(range(0, len(messages), MESSAGES_PER_FRAME)):
        simulator.broadcast.send(messages[start : start + MESSAGES_PER_FRAME])
        while pushed - connection.acked > _FRAMES_AHEAD_MAX:  # noqa: ASYNC110 - counted by the socket's handler
            await asyncio.sleep(0.001)
    await simulator.end_live()
    await _until_read(connection)
    pipe.send(simulator.ledger.total - before)
    await simulator.stop()


def _serve_quiet(pipe: Connection, seconds: float) -> None:
    """In the other process: an even room of 250 messages/s."""
    asyncio.run(_broadcast(pipe, seconds))


async def _broadcast(pipe: Connection, seconds: float) -> None:
    simulator = Simulator(profile_named("comments-100"), seed=3)
    await simulator.start()
    pipe.send(simulator.environment())
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    await asyncio.sleep(seconds)
    connection = simulator.ledger.connections[0]
    await simulator.end_live()
    await _until_read(connection)
    pipe.send(simulator.ledger.total)
    await simulator.stop()


async def _until_read(connection: Watched) -> None:
    """Wait until the client has read the end of the live and hung up."""
    async with asyncio.timeout(_LIMIT_S):
        while connection.closed_at is None:  # noqa: ASYNC110 - noted by the socket's handler
            await asyncio.sleep(0.01)
