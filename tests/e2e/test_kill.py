"""kill -9 at any moment: what was acknowledged to TikTok is in the recording."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from toolkit.simulator.server import Simulator, SimulatorThread
from toolkit.store.folder import RecordingsFolder
from toolkit.store.reader import open_recording

CYCLES = int(os.environ.get("KILL_CYCLES", "50"))
LIVES_S_MAX = 1.2
"""Longest time between the first frame and the kill."""
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["toolkit.app", "toolkit.cli", "toolkit.capture.tiktok_source"])


def record(environment: dict[str, str], folder: str) -> None:
    """In the process that will be killed: the command a user types."""
    from toolkit.cli import main

    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    raise SystemExit(main(["record", "demo", "--recordings", folder]))


@pytest.mark.slow
@pytest.mark.timeout(CYCLES * 10 + 60)
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, wait_until: Any) -> None:
    """
    Random moments, of recording and of sealing; each time the next start heals.

    Run it longer with KILL_CYCLES=1000.
    """
    seed = int(os.environ.get("KILL_SEED", time.time_ns() % 1_000_000))
    rng = Random(seed)
    kept = 0
    ready_s = []
    thread = SimulatorThread(Simulator("comments-100", seed=seed))
    with thread as simulator:
        for cycle in range(CYCLES):
            context = f"cycle {cycle} of KILL_SEED={seed}"
            folder = tmp_path / str(cycle)
            opened = len(simulator.ledger.connections)
            process = PROCESSES.Process(target=record, args=(simulator.environment(), str(folder)))
            process.start()
            wait_until(lambda opened=opened: len(simulator.ledger.connections) > opened, what=context)
            connection = simulator.ledger.connections[-1]
            time.sleep(rng.uniform(0, LIVES_S_MAX))
            if rng.random() < 0.25:
                # Meet the seal: ask it to stop, kill it while it does.
                os.kill(process.pid, signal.SIGTERM)
                time.sleep(rng.uniform(0, 0.3))
            process.kill()
            process.join()
            wait_until(lambda connection=connection: connection.closed_at is not None, what=context)
            frames = [frame for frame in list(connection.frames.values()) if frame.acked_at]
            acknowledged = {msg_id for frame in frames for msg_id in frame.msg_ids}
            kept += len(acknowledged)
            started = time.monotonic()
            RecordingsFolder(folder).heal()
            ready_s.append(time.monotonic() - started)
            sent = thread.call(lambda: {s.msg_id: s.sha256.hex() for s in simulator.ledger.sent})
            assert acknowledged <= stored(folder, sent, context), context
    assert kept > CYCLES * 20, "the test must have met acknowledged frames"
    print(f"{CYCLES} kills, {kept} messages kept, healed in {max(ready_s):.2f} s at most")


def stored(folder: Path, sent: dict[int, str], context: str) -> set[int]:
    """Return what the healed recordings hold; every payload must be what was sent."""
    found: set[int] = set()
    for path in folder.glob("*.duckdb"):
        with open_recording(path) as recording:
            assert recording.info["state"] == "sealed", context
            rows = recording.sql("SELECT msg_id, sha256(payload) FROM messages").rows()
        assert len(rows) == len(dict(rows)), f"{context}: a message is there twice"
        assert all(sent[msg_id] == digest for msg_id, digest in rows), context
        found |= dict(rows).keys()
    assert not list(folder.glob("*.journal")), context
    return found


@pytest.mark.slow
def test_a_killed_recorder_goes_on_with_its_recording(tmp_path: Path, wait_until: Any) -> None:
    """Same broadcast, minutes later: one recording, two segments, a gap that names the death."""
    thread = SimulatorThread(Simulator("comments-100", seed=77))
    with thread as simulator:
        for attempt in (1, 2):
            process = PROCESSES.Process(target=record, args=(simulator.environment(), str(tmp_path)))
            process.start()
            wait_until(lambda n=attempt: len(simulator.ledger.connections) == n)
            connection = simulator.ledger.connections[-1]
            wait_until(lambda c=connection: c.acked >= 3)
            if attempt == 1:
                process.kill()
            else:
                os.kill(process.pid, signal.SIGTERM)
            process.join(60)
        acknowledged = {
            msg_id
            for connection in simulator.ledger.connections
            for frame in list(connection.frames.values())
            if frame.acked_at
            for msg_id in frame.msg_ids
        }
        sent = thread.call(lambda: {s.msg_id: s.sha256.hex() for s in simulator.ledger.sent})
    (path,) = tmp_path.glob("*.duckdb")
    assert acknowledged <= stored(tmp_path, sent, "resumed")
    with open_recording(path) as recording:
        assert recording.segments["cause"].to_list() == ["process_died", "stopped"]
        assert recording.gaps["cause"].to_list() == ["process_died"]
