"""TikTokLive made safe: no secret leaves, nothing hangs, nothing floods, silence is noticed."""

import asyncio
import io
import json
import logging
import os
import shutil
import ssl
import subprocess
import time
from datetime import datetime
from random import Random

import pytest
from TikTokLive.client.web.web_settings import WebDefaults

from tests.waiting import Lateness
from toolkit.bus.memory import MemoryBus
from toolkit.capture.options import SourceOptions
from toolkit.capture.quota_file import QUOTA_FILE, load_quota, save_quota
from toolkit.capture.reachability import is_reachable
from toolkit.capture.recorder import Recorder
from toolkit.capture.tiktok_source import TikTokSource
from toolkit.clock import SystemClock
from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.budget import SignLimits
from toolkit.connect.stimuli import Down
from toolkit.model.recording import Cause
from toolkit.observe import logs
from toolkit.simulator.fault_plan import FaultPlan
from toolkit.simulator.faults import Fault
from toolkit.simulator.server import Simulator
from toolkit.store.folder import RecordingsFolder

KEY, SESSION, TOKEN = "canary-key-5150", "canarysessionid77", "canaryMsToken99"
LIMIT_S = 60
ROUNDED_S = 1e-5
"""Times are stored in microseconds: a few of them, rounded."""
POLICY = BackoffPolicy(base_s=0.2, ceiling_s=0.5, attempts_max=0)


def addresses(simulator, **other):
    """Return a simulator's addresses, some replaced."""
    environment = simulator.environment()
    given = {
        "app_url": environment["TIKTOK_APP_URL"],
        "webcast_url": environment["TIKTOK_WEBCAST_URL"],
        "sign_url": environment["TIKTOK_SIGN_URL"],
        "sign_api_key": KEY,
    }
    return SourceOptions(**{**given, **other})


def recorder(folder, options, **arguments):
    """Return a recorder of the simulated user, and what the bus carries."""
    clock, bus = SystemClock(), MemoryBus()
    heard = bus.subscribe(notices_max=100_000)
    made = Recorder(
        "demo",
        folder=folder,
        bus=bus,
        clock=clock,
        rng=Random(1),
        new_source=lambda: TikTokSource(options, "demo", clock),
        probe=lambda: is_reachable(options.webcast_url),
        **{"policy": POLICY, **arguments},
    )
    return made, heard


async def until(condition, limit_s=LIMIT_S):
    """Wait for something to become true; return how long it took."""
    began = time.monotonic()
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - the condition is another task's
            await asyncio.sleep(0.01)
    return time.monotonic() - began


async def simulated(*faults, **arguments):
    """Return a running simulator that misbehaves."""
    simulator = Simulator("small", plan=FaultPlan.at_once(*faults), **arguments)
    await simulator.start()
    return simulator


@pytest.fixture
def certificate(tmp_path):
    """Return a certificate for this machine that nobody vouches for, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    certificate, key = tmp_path / "own.pem", tmp_path / "own.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=evil"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


async def unvouched_server(certificate, heard):
    """Return a TLS server with a certificate of its own; what it is told goes to ``heard``."""

    async def listen(reader, writer):
        heard.append(await reader.read(65_536))
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)


def test_a_signing_service_that_nobody_vouches_for_gets_no_key(tmp_path, certificate):
    """TLS fails before the first byte of a request; the reachability probe fails too."""
    heard = []

    async def scenario():
        server = await unvouched_server(certificate, heard)
        evil = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert not await is_reachable(evil)
        simulator = await simulated()
        source = TikTokSource(addresses(simulator, sign_url=evil), "demo", SystemClock())
        await source.resolve()
        down = await source.listen(lambda room_id: None, lambda kind, data: [data], list)
        assert down.cause is Cause.SIGNER
        assert not simulator.ledger.connections
        server.close()
        await simulator.stop()

    asyncio.run(scenario())
    assert not any(KEY.encode() in data for data in heard)
    assert not any(heard), "not even a request line"


def test_a_live_server_that_nobody_vouches_for_gets_no_cookie(tmp_path, certificate):
    """The signing service names a server of this machine: TLS fails before the first byte of a handshake."""
    heard = []

    async def scenario():
        server = await unvouched_server(certificate, heard)
        evil = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        simulator = await simulated(Fault.of("sign-push-server", address=evil, count=0))
        source = TikTokSource(addresses(simulator), "demo", SystemClock())
        await source.resolve()
        down = await source.listen(lambda room_id: None, lambda kind, data: [data], list)
        assert (down.cause, down.is_unusable) == (Cause.SIGNER, True)
        assert "certificate" in down.detail
        server.close()
        await simulator.stop()

    asyncio.run(scenario())
    assert not any(heard), "not even a request line"


@pytest.mark.parametrize("status", [301, 302, 307])
def test_nobody_is_followed_elsewhere(tmp_path, status):
    """A redirect of the signing service or of the WebSocket ends the attempt; its target hears nothing."""
    heard = []

    async def scenario():
        async def listen(reader, writer):
            heard.append(await reader.read(65_536))
            writer.close()

        target = await asyncio.start_server(listen, "127.0.0.1", 0)
        elsewhere = f"//127.0.0.1:{target.sockets[0].getsockname()[1]}/"

        async def redirect(reader, writer):
            request = await reader.readuntil(b"\r\n\r\n")
            scheme = "ws" if b"Upgrade" in request else "http"
            answer = f"HTTP/1.1 {status} Go\r\nLocation: {scheme}:{elsewhere}\r\nContent-Length: 0\r\n\r\n"
            writer.write(answer.encode())
            writer.close()

        server = await asyncio.start_server(redirect, "127.0.0.1", 0)
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for fault, other in (
            ([Fault.of("sign-push-server", address=f"ws://{host}/ws", count=0)], {}),
            ([], {"sign_url": f"http://{host}"}),
        ):
            simulator = await simulated(*fault)
            source = TikTokSource(addresses(simulator, **other), "demo", SystemClock())
            await source.resolve()
            down = await source.listen(lambda room_id: None, lambda kind, data: [data], list)
            assert isinstance(down, Down)
            await simulator.stop()

    asyncio.run(scenario())
    assert heard == []


def test_heartbeats_keep_to_a_sane_pace(tmp_path):
    """A server that wants them all the time gets one every three seconds; one that wants none, some."""

    async def scenario(interval_s, least, most):
        simulator = await simulated(Fault.of("ping-interval", interval_s=interval_s, count=0))
        made, _ = recorder(tmp_path / str(interval_s), addresses(simulator))
        running = asyncio.ensure_future(made.run())
        await until(lambda: made.status()["connected"])
        await asyncio.sleep(4)
        assert least <= simulator.ledger.connections[0].heartbeats <= most
        made.stop()
        await running
        await simulator.stop()

    async def both():
        await asyncio.gather(scenario(0, 1, 3), scenario(86_400, 1, 2))

    asyncio.run(both())


def looked_at(made, seen):
    """Return a recorder's status, and keep what it says of time."""
    status = made.status()
    seen.append(status["stability"])
    return status


def judge_silence(info):
    """What a recording says of its connection agrees with its gap: nobody was connected in it."""
    (gap,) = info["gaps"]
    observed_s, figures = sum(length_s(segment) for segment in info["segments"]), info["stability"]
    assert length_s(gap) > 3
    assert figures["disconnected_s"] >= length_s(gap) - ROUNDED_S
    assert 0 < figures["connected_s"] <= observed_s + ROUNDED_S


def length_s(stretch):
    """Return how long a segment or a gap was."""
    from_, to = (datetime.fromisoformat(stretch[key]) for key in ("started_at", "ended_at"))
    return (to - from_).total_seconds()


def test_half_open_silence_is_noticed_and_healed_within_5_seconds(tmp_path):
    """
    A server that goes mute with its socket open: detected, and connected again; then not in vain.

    It announces its shortest interval. That it takes 15 s at most with any is arithmetic:
    tests/connect/test_watching.py. For what a busy machine keeps all of us waiting nobody can be blamed.
    """

    async def scenario():
        simulator = await simulated(Fault.of("ping-interval", interval_s=3, count=0))
        made, heard = recorder(tmp_path, addresses(simulator))
        running = asyncio.ensure_future(made.run())
        await until(lambda: made.status()["connected"])
        await asyncio.sleep(0.5)
        lateness = Lateness()
        simulator.freeze_connections()
        seen = []
        noticed_s = await until(lambda: looked_at(made, seen)["state"] != "connected")
        back_s = await until(lambda: looked_at(made, seen)["connected"])
        late_s = lateness.stop()
        print(f"noticed after {noticed_s:.2f} s, back after {back_s:.2f} s, the machine {late_s:.2f} s late")
        assert 3 < noticed_s <= 15 + late_s
        assert back_s <= 5 + late_s
        status = made.status()
        assert status["degraded"], "just back is not yet well"
        assert status["stability"]["detect_s_max"] <= 15 + late_s
        assert status["stability"]["reconnects"] == 1
        told = [(n.type, n.data) for n in heard.take() if n.type.startswith("tiktok:")]
        assert [kind for kind, _ in told] == ["tiktok:reconnection:started", "tiktok:reconnection:success"]
        (_, started), (_, success) = told
        assert started["cause"] == "silence"
        assert started["attempt"] == 1
        assert started["wait_s"] > 0
        assert started["outage"] == success["outage"] != ""
        made.stop()
        (recording_id,) = (await running).recordings
        await simulator.stop()
        judge_silence(RecordingsFolder(tmp_path).info(recording_id))
        for name in ("connected_s", "disconnected_s"):
            counted = [figures[name] for figures in seen]
            assert counted == sorted(counted), f"{name} is scraped as a counter"

    asyncio.run(scenario())


def test_a_server_that_was_down_is_back_within_5_seconds_of_its_return(tmp_path):
    """Whatever the backoff says: the probe decides, and one signature is spent."""

    async def scenario():
        simulator = await simulated()
        slow = BackoffPolicy(base_s=60, ceiling_s=300)
        made, _ = recorder(tmp_path, addresses(simulator), policy=slow, sign_limits=SignLimits())
        running = asyncio.ensure_future(made.run())
        await until(lambda: made.status()["connected"])
        simulator.go_down(2.0)
        gone, lateness = time.monotonic(), Lateness()
        await until(lambda: made.status()["state"] == "reconnecting")
        await until(lambda: made.status()["connected"])
        back_s, late_s = time.monotonic() - gone - 2.0, lateness.stop()
        print(f"back {back_s:.2f} s after the server was, the machine {late_s:.2f} s late")
        assert back_s <= 5 + late_s
        assert made.status()["sign_budget"]["windows"][0]["used"] == 2
        made.stop()
        await running
        await simulator.stop()

    asyncio.run(scenario())


def test_signatures_and_named_waits_survive_a_restart(tmp_path):
    """A second recorder on the same folder does not ask before the time that the first was told."""

    async def scenario():
        simulator = await simulated(Fault.of("sign-rate-limited", retry_after="600", count=0))
        first, _ = recorder(tmp_path, addresses(simulator), sign_limits=SignLimits())
        running = asyncio.ensure_future(first.run())
        await until(lambda: first.status()["state"] == "reconnecting")
        first.stop()
        await running
        signed = sum(call.route == "sign" for call in simulator.ledger.calls)
        second, _ = recorder(tmp_path, addresses(simulator), sign_limits=SignLimits())
        running = asyncio.ensure_future(second.run())
        await until(lambda: second.status()["state"] == "reconnecting")
        second.retry_now()
        await until(lambda: len(second.status()["history"]) >= 4)
        budget = second.status()["sign_budget"]
        assert budget["held"]
        assert 500 < budget["next_at"] / 1e6 - time.time() <= 600
        assert budget["windows"][2]["used"] == 1
        assert sum(call.route == "sign" for call in simulator.ledger.calls) == signed == 1
        second.stop()
        await running
        await simulator.stop()

    asyncio.run(scenario())


def test_a_damaged_memory_of_the_quota_costs_nothing_but_itself(tmp_path):
    """Garbage, a folder in its place, a folder that cannot be written: said, and survived."""
    path = tmp_path / QUOTA_FILE
    assert load_quota(path) is None
    assert save_quota(path, {"spent_at": [1]})
    assert load_quota(path) == {"spent_at": [1]}
    assert [p.name for p in tmp_path.iterdir()] == [QUOTA_FILE]
    for garbage in (b"", b"\xff\xfe", b"[" * 100_000, b'{"a":', b"NaN"):
        path.write_bytes(garbage)
        assert json.dumps(load_quota(path)) in ("null", "NaN")
    path.unlink()
    os.mkfifo(path)
    os.mkfifo(path.with_name(f"{QUOTA_FILE}.new"))
    assert load_quota(path) is None, "a pipe would be waited for"
    assert save_quota(path, {"spent_at": [2]})
    assert load_quota(path) == {"spent_at": [2]}
    path.unlink()
    path.mkdir()
    assert load_quota(path) is None
    assert not save_quota(path, {})


def test_the_operator_is_heard_after_the_recorder_gave_up_while_it_seals(tmp_path):
    """Reconnect pressed in the moment of sealing dials again; after a stop it is not heard."""

    async def scenario():
        simulator = await simulated()
        made, _ = recorder(tmp_path, addresses(simulator))
        running = asyncio.ensure_future(made.run())
        await until(lambda: made.writer is not None and made.writer.counts().messages > 0)
        simulator.throw(Fault.of("sign-status", status=401, count=1))
        simulator.drop_connections()
        await until(lambda: made.status()["state"] == "needs_operator")
        assert made.retry_now()
        await until(lambda: made.status()["connected"])
        made.stop()
        outcome = await running
        assert not made.retry_now()
        assert outcome.cause is Cause.STOPPED
        assert len(outcome.recordings) == 2
        assert outcome.unsealed == ()
        await simulator.stop()

    asyncio.run(scenario())


def test_a_stop_before_the_start_is_not_forgotten(tmp_path):
    """The button is pressed while TikTokLive is still being imported."""
    made, _ = recorder(tmp_path, SourceOptions())
    made.stop()
    assert asyncio.run(asyncio.wait_for(made.run(), 5)).cause is Cause.STOPPED


def test_waiting_for_the_next_live_records_it_into_its_own_file(tmp_path, monkeypatch):
    """The live ends, its recording is sealed when its host is awaited no longer, the next one begins."""
    monkeypatch.setattr("toolkit.connect.supervisor.LOOK_EVERY_S", 0.3)
    monkeypatch.setattr("toolkit.connect.supervisor.RETURN_WITHIN_S", 0.5)

    async def scenario():
        simulator = await simulated()
        made, _ = recorder(tmp_path, addresses(simulator), keep_waiting=True)
        running = asyncio.ensure_future(made.run())
        await until(lambda: made.writer is not None and made.writer.counts().messages > 0)
        await simulator.end_live()
        await until(lambda: made.status()["state"] == "waiting")
        await until(lambda: list(tmp_path.glob("*.duckdb")) and not list(tmp_path.glob("*.journal")))
        simulator.go_live()
        await until(lambda: made.writer is not None and made.writer.counts().messages > 0)
        made.stop()
        outcome = await running
        assert len(outcome.recordings) == 2
        assert outcome.unsealed == ()
        await simulator.stop()

    asyncio.run(scenario())


def test_no_secret_is_in_any_log(tmp_path, monkeypatch):
    """A run with a session, a token and a key planted, all loggers at DEBUG: none of them is printed."""
    printed = io.StringIO()
    monkeypatch.setattr("sys.stderr", printed)
    monkeypatch.setenv("WHITELIST_AUTHENTICATED_SESSION_ID_HOST", WebDefaults.tiktok_sign_url.split("://")[1])
    kept = {name: logging.getLogger(name).level for name in ("", "TikTokLive", "httpx", "toolkit")}
    handlers = logging.getLogger().handlers[:]

    async def scenario():
        simulator = await simulated()
        options = addresses(simulator)
        clock = SystemClock()
        for loud in (False, True):
            source = TikTokSource(options, "demo", clock)
            logs.configure("DEBUG")
            if loud:
                for name in kept:
                    logging.getLogger(name).setLevel(logging.DEBUG)
            source._client.web.cookies.set("sessionid", SESSION, ".tiktok.com")
            source._client.web.cookies.set("sid_tt", SESSION, ".tiktok.com")
            source._client.web.cookies.set("tt-target-idc", "eu-ttp2", ".tiktok.com")
            source._client.web.cookies.set("msToken", TOKEN, ".tiktok.com")
            await source.resolve()
            seen = len(simulator.ledger.connections)
            frames = []
            listening = asyncio.ensure_future(
                source.listen(
                    lambda room_id: None, lambda kind, data, f=frames: f.append(data) or [data], list
                )
            )
            await until(lambda f=frames, task=listening: len(f) > 2 or task.done())
            assert len(simulator.ledger.connections) == seen + 1
            listening.cancel()
            await asyncio.wait({listening})
            await source.close()
        await simulator.stop()

    try:
        asyncio.run(scenario())
    finally:
        for name, level in kept.items():
            logging.getLogger(name).setLevel(level)
        logging.getLogger().handlers[:] = handlers
    text = printed.getvalue()
    assert "TikTokLive" in text, "the library said something"
    for canary in (KEY, SESSION, SESSION[:8], TOKEN):
        assert canary not in text
