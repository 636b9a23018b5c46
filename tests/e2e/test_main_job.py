"""The main job, end to end: a live is recorded, shown, sealed, replayed and opened."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import WITHIN_S
from toolkit import open_recording
from toolkit.background import EXIT_WITHIN_S
from toolkit.simulator.server import Simulator, SimulatorThread

LIVE_S = float(os.environ.get("MAIN_JOB_SECONDS", "60"))
"""Length of the live; a soak is the same test with more."""
NOTE_REHEARSAL = """
() => {
  window.rehearsed = false;
  const look = () => {
    const ribbon = document.querySelector(".tl-ribbon");
    window.rehearsed ||= ribbon.checkVisibility() && document.querySelector(".tl-feed [data-msg]") !== null;
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
}
"""


def own(server: Any) -> dict[str, Any]:
    """Return the only recording beside the bundled sample."""
    (listed,) = [one for one in server.ask("/api/recordings") if one["id"] != "sample"]
    return dict(listed)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(LIVE_S + 240)
def test_a_live_is_recorded_and_shown_without_losing_a_message(
    tmp_path: Path, serve: Any, browse: Any, wait_until: Any
) -> None:
    """
    100 comments/s and the rest of the mix, by the real client; `MAIN_JOB_SECONDS=3600` is a soak.

    Every message the simulator sent is in the recording, once and byte for byte; a
    real browser shows the last comment in the overlay and on the dashboard.
    """

    async def end() -> int:
        # At once, and in words of its own: whatever the crowd happens to say last may be
        # one with what others say, without any text, or withdrawn.
        msg_id = simulator.say("last_guest", "and these are the last words")
        await simulator.end_live()
        return msg_id

    thread = SimulatorThread(Simulator("comments-100", seed=11))
    with thread as simulator, browse() as open_page:
        environment = {"TIKTOK_USERNAME": "demo", "TOOLKIT_RECORDINGS": str(tmp_path)}
        server = serve(simulator.environment() | environment)
        wait_until(lambda: simulator.ledger.connections, what="the recorder connects")
        overlay, dashboard = open_page(f"{server.url}/overlay"), open_page(f"{server.url}/panel_app")
        dashboard.get_by_text("Recording @demo").wait_for(timeout=30_000)
        ends_at = time.monotonic() + LIVE_S
        while time.monotonic() < ends_at:
            overlay.wait_for_timeout(500)
        last = thread.call(end)
        wait_until(
            lambda: not server.ask("/api/tiktok/status")["is_recording"], what="the end is noticed and sealed"
        )
        assert last == [s.msg_id for s in simulator.ledger.sent if s.method == "WebcastChatMessage"][-1]
        shown = overlay.locator(f'.tl-feed [data-msg="{last}"]')
        shown.wait_for(timeout=30_000)
        on_dashboard = f'.feed-list [data-id="{shown.get_attribute("data-seq")}"]'
        dashboard.locator(on_dashboard).wait_for(timeout=30_000)
        listed = own(server)
        assert listed["state"] == "sealed"
        assert server.stop(signal.SIGINT) == 0
        (connection,) = simulator.ledger.connections
        pushed = [msg_id for frame in connection.frames.values() for msg_id in frame.msg_ids]
        sent = {s.msg_id: s.sha256.hex() for s in simulator.ledger.sent}
    with open_recording(tmp_path / f"{listed['id']}.duckdb") as recording:
        rows = recording.sql("SELECT msg_id, sha256(payload) FROM messages").rows()
        assert Counter(msg_id for msg_id, _ in rows) == Counter(pushed), "each message once, none missing"
        assert all(sent[msg_id] == digest for msg_id, digest in rows)
        assert recording.comments.collect().height >= 80 * LIVE_S
        assert recording.info["gaps"] == []
        assert recording.info["segments"][0]["cause"] == "live_ended"


@pytest.mark.browser
@pytest.mark.slow
def test_a_rehearsal_from_the_dashboard_reaches_the_overlay_and_leaves_the_recording_alone(
    tmp_path: Path, serve: Any, browse: Any, wait_until: Any
) -> None:
    """One click plays a recording at speed, marked as a rehearsal on both pages."""
    with SimulatorThread(Simulator("comments-100", seed=12)) as simulator:
        environment = {"TIKTOK_USERNAME": "demo", "TOOLKIT_RECORDINGS": str(tmp_path)}
        recorder = serve(simulator.environment() | environment)
        wait_until(lambda: simulator.ledger.connections and simulator.ledger.connections[0].acked >= 6)
        recorder.ask("/api/tiktok/stop", {})
        wait_until(lambda: not recorder.ask("/api/tiktok/status")["is_recording"])
        recorder.stop()
    (path,) = tmp_path.glob("*.duckdb")
    before = path.read_bytes()
    with open_recording(path) as recording:
        comments = recording.comments.collect().height
    server = serve({"TOOLKIT_RECORDINGS": str(tmp_path)})
    with browse() as open_page:
        overlay, dashboard = open_page(f"{server.url}/overlay"), open_page(f"{server.url}/panel_app")
        dashboard.get_by_role("link", name="Recordings").click()
        # At the end everything leaves the screen: what is there together is noted by the page.
        overlay.evaluate(NOTE_REHEARSAL)
        dashboard.get_by_role("button", name="Rehearse").first.click()
        dashboard.get_by_text("Rehearsal", exact=False).first.wait_for(timeout=30_000)
        wait_until(lambda: overlay.evaluate("window.rehearsed"), what="a comment under the ribbon")
        wait_until(
            lambda: (overlay.wait_for_timeout(100), server.ask("/api/tiktok/status")["rehearsal"] is None)[1],
            what="the rehearsal ends",
        )
        dashboard.get_by_text(f"{comments:,} in all", exact=True).wait_for(timeout=30_000)
    assert 'toolkit_events_total{kind="comment"}' not in server.text("/metrics"), "a rehearsal is no live"
    assert server.stop() == 0
    assert path.read_bytes() == before, "a rehearsal never touches the original"


@pytest.mark.slow
def test_a_second_server_on_the_same_folder_says_so_and_does_not_record(tmp_path: Path, serve: Any) -> None:
    """Two writers never meet; the second one still shows pages."""
    with SimulatorThread(Simulator("small", seed=1)) as simulator:
        environment = simulator.environment() | {
            "TIKTOK_USERNAME": "demo",
            "TOOLKIT_RECORDINGS": str(tmp_path),
        }
        serve(environment)
        second = serve(environment)
        assert not second.ask("/api/tiktok/status")["may_record"]
        assert str(tmp_path) in second.ask("/readyz")["checks"]["recordings"]["detail"]
        refused = second.ask("/api/tiktok/start", {"user": "demo"})
        assert "belongs to process" in refused["error"]
        assert refused["hint"]
        assert len(simulator.ledger.connections) <= 1


@pytest.mark.slow
def test_a_second_signal_exits_now_and_the_next_start_heals(
    tmp_path: Path, serve: Any, wait_until: Any
) -> None:
    """Nobody is held hostage by a seal; the journal keeps what was acknowledged."""
    with SimulatorThread(Simulator("comments-1000", seed=5)) as simulator:
        environment = simulator.environment() | {"TOOLKIT_RECORDINGS": str(tmp_path)}
        server = serve(environment | {"TIKTOK_USERNAME": "demo"})
        wait_until(lambda: simulator.ledger.connections and simulator.ledger.connections[0].acked >= 4)
        # Two kinds at once: of the same one only one may arrive, and who waits for a word
        # between them is late where sealing is quick.
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(WITHIN_S) == 130
        assert "stopping; a second signal exits at once" in server.output()
        frames = list(simulator.ledger.connections[0].frames.values())
        acknowledged = {msg_id for frame in frames if frame.acked_at for msg_id in frame.msg_ids}
        again = serve(environment)
        wait_until(lambda: again.ask("/readyz")["checks"]["healed"]["ok"], what="healing")
        listed = own(again)
        assert listed["state"] == "sealed"
        again.stop()
    with open_recording(tmp_path / f"{listed['id']}.duckdb") as recording:
        stored = set(recording.sql("SELECT msg_id FROM messages")["msg_id"])
    assert acknowledged <= stored


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["--num-procs", "2"], {}, "num-procs"),
        (
            [],
            {"RECONNECTION_BASE_DELAY": "-1", "RECONNECTION_MAX_ATTEMPTS": "many"},
            "RECONNECTION_MAX_ATTEMPTS",
        ),
    ],
)
def test_a_server_that_cannot_run_as_asked_says_why_and_exits(
    arguments: list[str], environment: dict[str, str], sentence: str, serve: Any
) -> None:
    """One clear sentence, a non-zero exit code, no traceback."""
    server = serve(environment, *arguments, wait=False)
    assert server.process.wait(60) != 0
    assert sentence in server.output()
    assert "Traceback" not in server.output()


@pytest.mark.slow
def test_a_stop_in_the_middle_of_a_rehearsal_is_clean(serve: Any, wait_until: Any, tmp_path: Path) -> None:
    """Ctrl-C while the bundled sample plays, from a folder that does not hold it: exit code 0, no crash."""
    server = serve({"TOOLKIT_RECORDINGS": str(tmp_path)})
    assert server.ask("/api/replay/start", {"id": "sample", "rate": 2})["state"] == "playing"
    wait_until(lambda: (server.ask("/api/tiktok/status")["rehearsal"] or {}).get("events", 0) > 20)
    assert server.ask("/api/replay", {"action": "pause"})["state"] == "paused"
    assert server.ask("/api/replay", {"action": "seek", "to_s": 120})["position_s"] == 120
    assert len(server.ask("/api/replay?buckets=50")["timeline"]["comments"]) == 50
    assert "error" in server.ask("/api/replay", {"action": "seek", "to_s": -1})
    assert server.ask("/api/replay", {"action": "resume"})["state"] == "playing"
    assert server.stop(signal.SIGINT) == 0, server.output()
    assert "terminate" not in server.output()


@pytest.mark.slow
def test_a_stop_during_the_first_seconds_of_a_recording_is_heard(
    tmp_path: Path, serve: Any, wait_until: Any
) -> None:
    """TikTokLive takes two seconds to import; who stops meanwhile is not ignored."""
    with SimulatorThread(Simulator("small", seed=8)) as simulator:
        server = serve(simulator.environment() | {"TOOLKIT_RECORDINGS": str(tmp_path)})
        assert server.ask("/api/tiktok/start", {"user": "demo"})["is_recording"]
        server.ask("/api/tiktok/stop", {})
        wait_until(lambda: not server.ask("/api/tiktok/status")["is_recording"], what="it stops")
        server.ask("/api/tiktok/start", {"user": "demo"})
        started = time.monotonic()
        assert server.stop(signal.SIGINT) == 0
        assert time.monotonic() - started < EXIT_WITHIN_S, "it ends, and is not given up"
    assert not list(tmp_path.glob("*.journal"))
