"""
The player: how punctual it is, how much it holds, how quickly it seeks.

Plays real recordings through the live's decoder onto a bus with the live figures
listening, as a rehearsal does; only the sockets are left out, which have a bench of
their own.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from toolkit import garbage
from toolkit.bench.machine import Figure
from toolkit.bench.many_events import write_recording
from toolkit.bench.material import new_frames
from toolkit.bus.live_state import LiveState
from toolkit.bus.memory import MemoryBus
from toolkit.clock import ManualClock
from toolkit.replay.clip import clipped
from toolkit.replay.clock import UNLIMITED, SystemTime
from toolkit.replay.lateness import Lateness
from toolkit.replay.player import Player
from toolkit.replay.progress import Progress
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.store.database import Database
from toolkit.store.writer import RecordingWriter
from toolkit.wire.decode import decode_frame

__all__ = ["measure"]

MESSAGES_PER_FRAME = 25
FRAME_S = 0.1
"""A frame each 100 ms: 250 messages/s, a very busy room."""
LATE_P99_MS_MAX = 5.0
LOAD_PER_S = 10_000
LOAD_S = 6
SEEK_MESSAGES = 1_000_000
SEEKS = 9
_Took = tuple[float, float]
"""Milliseconds: on the wall, and of the processor."""
_SLICE = 100_000
"""Messages that get their payload at a time: all at once would not fit into memory."""
SEEK_MS_MAX = 200.0


def measure(seconds: float) -> Iterator[Figure]:
    """
    Yield lateness at 1x, what is held at 10,000 messages/s and without a limit, and times of seeks.

    Args:
        seconds: How long it plays at 1x.
    """
    with tempfile.TemporaryDirectory() as folder:
        per_s = MESSAGES_PER_FRAME / FRAME_S
        path = _recorded(Path(folder), round(LOAD_PER_S * LOAD_S / MESSAGES_PER_FRAME))
        plan = RecordingPlan(path)
        # As a server does that plays.
        garbage.leave_alone_what_is_imported()
        yield from _punctuality(clipped(plan, 0, min(seconds, plan.duration_s)))
        yield from _load(plan, LOAD_PER_S / per_s)
    with tempfile.TemporaryDirectory() as folder:
        yield from _seeks(Path(folder) / "million.duckdb")


def _punctuality(plan: Any) -> Iterator[Figure]:
    # In a process of its own, at the same time: what a machine does to both is nobody's fault.
    with ProcessPoolExecutor(1, get_context("spawn")) as beside:
        waiting = beside.submit(_wait_alone, plan.duration_s)
        late = _played(plan, 1.0).late
        timer = waiting.result()
    yield Figure(
        "replay: late at 1x, p99",
        late["p99_ms"],
        "ms",
        LATE_P99_MS_MAX,
        at_most=True,
        note=f"median {late['p50_ms']:g} ms, at most {late['max_ms']:g} ms, {late['count']} frames",
    )
    yield Figure(
        "replay: late with nothing to play, p99",
        timer["p99_ms"],
        "ms",
        note=f"what the machine and its timers add; at most {timer['max_ms']:g} ms",
    )


def _wait_alone(seconds: float) -> dict[str, Any]:
    """Return how late somebody is who only waits for each frame's moment."""
    return asyncio.run(_waited(seconds)).as_dict()


async def _waited(seconds: float) -> Lateness:
    clock, late, nobody = SystemTime(), Lateness(), asyncio.Event()
    began_ns = clock.mono_ns()
    for number in range(1, round(seconds / FRAME_S) + 1):
        due_ns = began_ns + round(number * FRAME_S * 1e9)
        await clock.wait(due_ns, nobody)
        late.take(clock.mono_ns() - due_ns)
    return late


def _load(plan: Any, rate: float) -> Iterator[Figure]:
    messages = sum(plan.timeline(1).messages)
    began = time.monotonic()
    progress = _played(plan, rate)
    took_s = time.monotonic() - began
    yield Figure(
        "replay: held of 10,000 messages/s",
        100 * plan.duration_s / rate / took_s,
        "%",
        95.0,
        note=f"{messages:,} messages, due in {plan.duration_s / rate:.1f} s, out in {took_s:.1f} s",
    )
    yield Figure(
        "replay: late at 10,000 messages/s, p99",
        progress.late["p99_ms"],
        "ms",
        note=f"median {progress.late['p50_ms']:g} ms, at most {progress.late['max_ms']:g} ms",
    )
    (wall_ms, cpu_ms), _ = _timed(lambda: _played(plan, UNLIMITED))
    yield Figure("replay: without a limit", messages / wall_ms * 1000, "messages/s")
    yield Figure(
        "replay: CPU per message",
        cpu_ms / messages * 1e3,
        "us",
        note="read, encoded, decoded, published, counted",
    )


def _seeks(path: Path) -> Iterator[Figure]:
    write_recording(path, SEEK_MESSAGES)
    _fill(path)
    opened, plan = _timed(lambda: RecordingPlan(path))
    yield _figure("open a million messages", [opened])
    places = [plan.duration_s * (n + 0.5) / SEEKS for n in range(SEEKS)]
    firsts = [_timed(partial(next, plan.frames(at_s)))[0] for at_s in places]
    yield _figure("seek in a million messages, to the first frame", firsts, SEEK_MS_MAX)
    yield _figure(
        "figures at a place of a million messages", [_timed(partial(plan.priming, s))[0] for s in places]
    )
    yield _figure("timeline of a million messages", [_timed(lambda: plan.timeline(500))[0]])


def _figure(name: str, took_ms: list[_Took], target: float | None = None) -> Figure:
    """Return the median; the note tells processor time, which a busy machine does not stretch."""
    wall_ms, cpu_ms = zip(*took_ms, strict=True)
    note = (
        f"processor {statistics.median(cpu_ms):.0f} ms; at most {max(wall_ms):.0f} ms, {max(cpu_ms):.0f} ms"
    )
    return Figure(f"replay: {name}", statistics.median(wall_ms), "ms", target, at_most=True, note=note)


def _recorded(folder: Path, frames: int) -> Path:
    """Return a sealed recording of an even, busy room."""
    clock = ManualClock()
    writer = RecordingWriter.create(folder, "bench", clock=clock)
    writer.open_segment(1)
    for frame in new_frames(frames, per_frame=MESSAGES_PER_FRAME):
        writer.take(writer.write(frame.kind, frame.data))
        clock.advance(FRAME_S)
    return writer.seal().path


def _fill(path: Path) -> None:
    """Give the messages of a made-up recording payloads as long as real ones, and its frames a pace."""
    payload = max((m.payload for f in new_frames(4) for m in decode_frame(f.data).messages), key=len)
    database = Database.open(path, memory_mb=4_000)
    try:
        for first in range(1, SEEK_MESSAGES + 1, _SLICE):
            between = [payload, first, first + _SLICE]
            database.rows("UPDATE messages SET payload = ? WHERE seq >= ? AND seq < ?", between)
            database.checkpoint()
        database.rows("UPDATE frames SET received_mono_ns = frame_no * 100000000")
        database.checkpoint()
    finally:
        database.close()


def _played(plan: Any, rate: float) -> Progress:
    bus = MemoryBus()
    live_state = LiveState(bus)
    return asyncio.run(Player(plan, bus=bus, rate=rate, prime=live_state.prime).run())


def _timed(work: Callable[[], Any]) -> tuple[_Took, Any]:
    began, cpu_s = time.perf_counter(), time.process_time()
    result = work()
    return ((time.perf_counter() - began) * 1000, (time.process_time() - cpu_s) * 1000), result
