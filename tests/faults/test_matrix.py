"""Every fault that TikTok, the network and the signing service can bring, against the real stack."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

import pytest

from tests.faults.oracle import judge
from tests.faults.scenario import finish, names, run
from tests.faults.studio import SPEED, Studio, studio
from tests.simulator.raw_client import until
from toolkit.capture import tiktok_source
from toolkit.connect import watchdog
from toolkit.connect.backoff import BackoffPolicy
from toolkit.model.recording import Cause
from toolkit.simulator.server import Simulator

KEPT = [
    ("bad-gzip", {}),
    ("gzip-bomb", {"mib": 1}),
    ("gzip-bomb", {"mib": 16}),
    ("field-bomb", {}),
    ("truncated", {}),
    ("mutated", {"count": 10}),
    ("text", {}),
    ("bad-utf8", {}),
    ("oversize", {"kib": 1100}),
    ("oversize", {"kib": 4200}),
    ("oversize", {"kib": 15_000, "count": 2}),
    ("duplicate", {"copies": 3}),
    ("repeat", {"count": 3}),
    ("reorder", {"count": 3}),
    ("late-end", {}),
    ("no-end", {}),
    ("clock-skew", {"count": 3}),
    ("clock-skew", {"skew_ms": -(1 << 62)}),
    ("mute", {"seconds": 0.7}),
    ("joins-only", {"seconds": 0.7}),
    ("unknown-types", {}),
]
"""Faults that cost at most a frame, never the connection."""

LOST = [
    ("drop", {}),
    ("reset", {}),
    ("close", {"code": 1000}),
    ("close", {"code": 1001}),
    ("close", {"code": 1008}),
    ("close", {"code": 1009}),
    ("close", {"code": 1011}),
    ("close", {"code": 4000}),
    ("half-frame", {}),
    ("oversize", {"kib": 16_384}),
    ("server-down", {"seconds": 0.3}),
]
"""Faults that cost the connection; the recorder comes back by itself."""


@pytest.mark.parametrize(("kind", "parameters"), KEPT, ids=names(KEPT))
def test_a_bad_frame_costs_no_connection(tmp_path, kind, parameters):
    """Rows 9-13: one connection throughout, damage noticed, everything else stored once."""

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected()
            room.throw(kind, **parameters)
            await room.until_spent()
            await finish(room)
            room.assert_never_lost()

    run(scenario)


@pytest.mark.parametrize(("kind", "parameters"), LOST, ids=names(LOST))
def test_a_lost_connection_comes_back_into_the_same_recording(tmp_path, kind, parameters):
    """Rows 1, 3: two segments, one gap that holds everything missed, nothing doubled."""

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected()
            room.throw(kind, **parameters)
            await room.until_connected(2)
            await finish(room)
            assert len(room.recordings()) == 1
            assert room.query("SELECT count(*) FROM segments") == [(2,)]
            assert room.query("SELECT count(*) FROM gaps") == [(1,)]

    run(scenario)


@pytest.fixture
def quick_watchdog(monkeypatch):
    """Notice silence within two seconds instead of fifteen."""
    monkeypatch.setattr(watchdog, "PING_S_MIN", 0.3)
    monkeypatch.setattr(watchdog, "PING_S_MAX", 0.3)
    monkeypatch.setattr(watchdog, "MARGIN_S", 0.7)
    monkeypatch.setattr(watchdog, "LOOK_S", 0.1)
    # Shorter than the margin: a machine that is busy for so long is not a silent server.
    monkeypatch.setattr(watchdog, "STALL_S", 0.5)
    monkeypatch.setattr(tiktok_source, "CLOSE_TIMEOUT_S", 0.3)


def test_half_open_silence_is_noticed(tmp_path, quick_watchdog):
    """Row 2: the dead socket is given up before another one is opened; the gap begins at the last frame."""

    async def scenario():
        async with studio(tmp_path) as room:
            first = await room.until_connected()
            room.throw("half-open")
            await room.until_connected(2, frames=0)
            assert first.is_frozen and first.closed_at is None
            await room.until_connected(2)
            await finish(room)
            assert room.query("SELECT cause FROM segments WHERE segment_id = 1") == [("silence",)]

    run(scenario)


def test_a_drip_is_not_mistaken_for_life(tmp_path, quick_watchdog):
    """Row 3: bytes that trickle in feed no watchdog; no part of a frame is stored."""

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected()
            room.throw("slow-drip", byte_ms=50)
            await room.until_connected(2)
            await finish(room)
            assert room.query("SELECT cause FROM segments WHERE segment_id = 1") == [("silence",)]

    run(scenario)


def test_a_frame_that_drips_in_time_is_read(tmp_path):
    """Slow is not broken."""

    async def scenario():
        async with Studio(tmp_path, Simulator("small", speed=4)) as room:
            await room.until_connected(frames=1)
            room.throw("slow-drip", byte_ms=0.1)
            # A short frame: a byte may cost a busy machine many times its tenth of a millisecond.
            room.simulator.say("tavis", "letter by letter")
            await room.until_spent()
            await finish(room)
            room.assert_never_lost()

    run(scenario)


def test_a_quiet_room_is_not_a_silent_one(tmp_path, quick_watchdog):
    """Row 2: heartbeats are answered, so nobody hangs up, however long nothing is said."""

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected()
            room.throw("mute")
            await asyncio.sleep(1.5)
            room.assert_never_lost()
            assert room.recorder.status()["connected"]
            room.simulator.faults.clear()
            await finish(room)

    run(scenario)


def test_a_loop_that_stands_still_is_not_taken_for_silence(tmp_path, quick_watchdog):
    """Row 27: after two seconds in which we did nothing, what waited is read first."""

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected()
            time.sleep(2)  # noqa: ASYNC251  # the stall
            await room.fresh_message_passes()
            await finish(room)
            room.assert_never_lost()

    run(scenario)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_burst_loses_nothing(tmp_path, signal_number):
    """Row 26: what was acknowledged is stored and sealed, the exit is clean and quick."""

    async def scenario():
        simulator = Simulator("comments-100", speed=SPEED)
        await simulator.start()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from toolkit.cli import main; raise SystemExit(main())"),
            *("record", "demo", "--recordings", str(tmp_path)),
            env=os.environ | simulator.environment(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        connections = simulator.ledger.connections
        await until(lambda: connections and connections[0].acked >= 10, "ten acknowledgements", 30)
        process.send_signal(signal_number)
        async with asyncio.timeout(40):
            _, err = await process.communicate()
        await simulator.stop()
        assert process.returncode in (0, 130), err
        assert b"Traceback" not in err, err
        recordings = list(tmp_path.glob("*.duckdb"))
        assert len(recordings) == 1 and list(tmp_path.glob("*.journal")) == []
        assert not (found := judge(simulator.ledger, recordings).violations()), found

    run(scenario)


@pytest.mark.parametrize("hangs_up", ["yes", "no"])
def test_a_live_that_ends_without_notice_is_noticed(tmp_path, quick_watchdog, hangs_up):
    """No message says so: the connection or the heartbeats end, and the page tells."""

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected()
            room.throw("end-unnoticed", hangs_up=hangs_up)
            if hangs_up == "no":
                room.throw("half-open")
            await room.until(lambda: room.states()[-1:] == ["stopped"], "the end")
            assert (await room.finish()).cause is Cause.LIVE_ENDED
            assert room.judge().violations() == {}

    run(scenario)


def test_a_new_broadcast_without_notice_is_a_new_recording(tmp_path):
    """Another room id is another live, announced or not."""

    async def scenario():
        async with studio(tmp_path) as room:
            await room.until_connected()
            room.throw("room-change")
            await room.until_connected(2)
            await finish(room)
            rooms = {connection.room_id for connection in room.simulator.ledger.connections}
            assert len(room.recordings()) == len(rooms) == 2

    run(scenario)


def test_stop_works_while_it_waits(tmp_path):
    """A timer of ten minutes delays nobody."""

    async def scenario():
        async with studio(tmp_path, policy=BackoffPolicy(base_s=600, ceiling_s=600)) as room:
            await room.until_connected()
            room.throw("close", code=1011)
            await room.until(lambda: room.states()[-1:] == ["reconnecting"], "the wait")
            async with asyncio.timeout(30):
                assert (await room.finish()).cause is Cause.STOPPED
            assert room.judge().violations() == {}

    run(scenario)
