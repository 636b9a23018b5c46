"""kill -9 at any moment: what was acknowledged to TikTok is in the recording."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import kill
from toolkit import failpoint
from toolkit.simulator.server import Simulator, SimulatorThread
from toolkit.store.reader import open_recording

CYCLES = int(os.environ.get("KILL_CYCLES", "50"))
LANES = 3
"""Cycles at a time: one waits most of its time, so three keep two cores at work."""


def test_every_failpoint_is_a_phase() -> None:
    """None is left out of the cycles."""
    assert set(kill.PHASES) == {*failpoint.NAMES, kill.RANDOM}


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(CYCLES * 20 + 120)
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """
    All phases in turn, each time the next start goes on.

    Longer: `python tests/e2e/kill.py --cycles 1000 --lanes 3`, or KILL_CYCLES and KILL_SEED here.
    """
    seed = int(os.environ.get("KILL_SEED", time.time_ns() % 1_000_000))
    tally = kill.run_cycles(range(CYCLES), seed=seed, root=tmp_path, lanes=LANES, tell=print)
    print(*tally.lines(), sep="\n")
    assert tally.cycles.total() == CYCLES
    assert tally.kept > CYCLES * 20, "the test must have met acknowledged frames"
    assert tally.resumed >= CYCLES // 5, "the same recording must have gone on"


@pytest.mark.slow
def test_a_killed_server_goes_on_with_what_somebody_had_started_by_a_click(
    serve: Callable[..., Any], wait_until: Callable[..., Any], tmp_path: Path
) -> None:
    """No setting names the user: the server knows whom it was recording, and goes on at once."""
    with SimulatorThread(Simulator("comments-100", seed=78)) as simulator:
        environment = simulator.environment() | {"TOOLKIT_RECORDINGS": str(tmp_path)}
        first = serve(environment)
        first.ask("/api/tiktok/start", {"user": "demo"})
        wait_until(lambda: simulator.ledger.connections and simulator.ledger.connections[-1].acked >= 3)
        first.stop(signal.SIGKILL)
        second = serve(environment)
        wait_until(lambda: len(simulator.ledger.connections) == 2)
        wait_until(lambda: simulator.ledger.connections[-1].acked >= 3)
        assert second.ask("/api/tiktok/status")["user"] == "demo"
        assert second.ask("/api/tiktok/reconnect", {})["dialled"] is False, "a connection stands"
        second.ask("/api/tiktok/stop", {})
        wait_until(lambda: second.ask("/api/tiktok/status")["is_recording"] is False)
        second.stop(signal.SIGKILL)
        third = serve(environment)
        wait_until(lambda: third.ask("/readyz")["ok"])
        assert third.ask("/api/tiktok/status")["is_recording"] is False, "it had been stopped"
        acknowledged = {
            msg_id
            for connection in simulator.ledger.connections
            for frame in list(connection.frames.values())
            if frame.acked_at
            for msg_id in frame.msg_ids
        }
    (path,) = tmp_path.glob("*.duckdb")
    with open_recording(path) as recording:
        assert recording.segments["cause"].to_list() == ["process_died", "stopped"]
        assert recording.gaps["cause"].to_list() == ["process_died"]
        stored = {row[0] for row in recording.sql("SELECT msg_id FROM messages").rows()}
    assert acknowledged <= stored
