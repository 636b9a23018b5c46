"""A recording that another process is writing can be read: over HTTP and from its folder."""

from __future__ import annotations

import io
import urllib.request
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from toolkit import open_recording
from toolkit.simulator.server import Simulator, SimulatorThread


def arrow(server: Any, recording: str, since: int, table: str) -> pl.DataFrame:
    """Return one stream of a recording's rows."""
    url = f"{server.url}/api/recordings/{recording}/events.arrow?since_seq={since}&table={table}"
    with urllib.request.urlopen(url, timeout=30) as response:
        return pl.read_ipc_stream(io.BytesIO(response.read()))


@pytest.mark.slow
def test_a_notebook_follows_a_live_while_it_is_recorded(tmp_path: Path, serve: Any, wait_until: Any) -> None:
    """Neither way blocks the recorder, both see what is acknowledged, and only what is new comes again."""
    with SimulatorThread(Simulator("comments-100", seed=21)) as simulator:
        environment = {"TIKTOK_USERNAME": "demo", "TOOLKIT_RECORDINGS": str(tmp_path)}
        server = serve(simulator.environment() | environment)
        wait_until(lambda: simulator.ledger.connections and simulator.ledger.connections[0].acked >= 3)
        recording = server.ask("/api/tiktok/status")["recording"]

        comments = arrow(server, recording, 0, "comments")
        assert comments.height > 50
        assert {"seq", "msg_id", "occurred_at", "received_at", "user_id", "text"} <= set(comments.columns)
        last = int(comments["seq"].max())
        wait_until(lambda: arrow(server, recording, last, "comments").height)
        newer = arrow(server, recording, last, "comments")
        assert int(newer["seq"].min()) > last
        assert "payload" not in arrow(server, recording, 0, "messages").columns

        with open_recording(tmp_path / f"{recording}.duckdb") as live:
            assert live.info["state"] == "live"
            before = live.comments.collect().height
            assert before >= comments.height
            seen = simulator.ledger.connections[0].acked
            wait_until(lambda: simulator.ledger.connections[0].acked >= seen + 2)
            live.refresh()
            assert live.comments.collect().height > before
            assert live.coverage.observed_s > 1

            server.ask("/api/tiktok/stop", {})
            wait_until(lambda: not server.ask("/api/tiktok/status")["is_recording"])
            live.refresh()
            assert live.info["state"] == "sealed"
            final = live.comments.collect().height
        assert arrow(server, recording, 0, "comments").height == final
        assert server.stop() == 0


def test_unknown_recordings_and_tables_are_refused_in_a_sentence(tmp_path: Path, serve: Any) -> None:
    """No traceback, a hint, the right status."""
    server = serve({"TOOLKIT_RECORDINGS": str(tmp_path)})
    for path in ("nothing/events.arrow", "nothing", "..%2f..%2fetc/events.arrow"):
        answer = server.ask(f"/api/recordings/{path}")
        assert answer["error"], path
