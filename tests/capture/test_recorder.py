"""The recorder with the real TikTokLive client, against the simulator, over real sockets."""

import asyncio
import hashlib
import json
import time
from collections import Counter
from random import Random

import duckdb
import pytest

from tests.served import free_port
from tests.waiting import Lateness
from toolkit.bus.memory import MemoryBus
from toolkit.capture.options import SourceOptions
from toolkit.capture.reachability import is_reachable
from toolkit.capture.recorder import Recorder
from toolkit.capture.tiktok_source import TikTokSource
from toolkit.clock import SystemClock
from toolkit.connect.backoff import BackoffPolicy
from toolkit.model.recording import Cause
from toolkit.simulator.ledger import Connection
from toolkit.simulator.server import Simulator
from toolkit.store.journal import read_journal
from toolkit.wire.decode import decode_frame
from toolkit.wire.schema import message_class

QUICK = BackoffPolicy(base_s=0.05, ceiling_s=0.2, attempts_max=5)
LIMIT_S = 60


def options(simulator):
    """Return the addresses of a simulator."""
    environment = simulator.environment()
    return SourceOptions(
        app_url=environment["TIKTOK_APP_URL"],
        webcast_url=environment["TIKTOK_WEBCAST_URL"],
        sign_url=environment["TIKTOK_SIGN_URL"],
    )


class Studio:
    """A simulator, a bus and a recorder that meet in one test."""

    def __init__(self, folder, simulator, user="demo", source_options=None, policy=QUICK, **recorder):
        self.simulator, self.folder, self.bus = simulator, folder, MemoryBus()
        self.heard = self.bus.subscribe(notices_max=1_000_000)
        clock = SystemClock()
        addresses = source_options or options(simulator)
        self.recorder = Recorder(
            user,
            folder=folder,
            bus=self.bus,
            clock=clock,
            policy=policy,
            rng=Random(1),
            new_source=lambda: TikTokSource(addresses, user, clock),
            probe=lambda: is_reachable(addresses.webcast_url),
            **recorder,
        )

    async def record(self, seconds=None):
        """Record to the end."""
        async with asyncio.timeout(LIMIT_S):
            return await self.recorder.run(seconds)

    async def until(self, condition):
        """Wait for something to become true."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110 - the condition is another thread's or a file's
                await asyncio.sleep(0.01)

    def query(self, sql):
        """Ask the only recording."""
        (path,) = self.folder.glob("*.duckdb")
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def states(self):
        """Return the states announced so far."""
        return [n.data["state"] for n in self.heard.take() if n.type == "status"]


async def simulated(profile="comments-100", **arguments):
    """Return a running simulator."""
    simulator = Simulator(profile, **arguments)
    await simulator.start()
    return simulator


def test_every_message_of_a_live_is_recorded_once(tmp_path):
    """Ledger and recording agree on every message and every byte, to the end of the live."""

    async def scenario():
        simulator = await simulated(speed=2.0)
        studio = Studio(tmp_path, simulator)
        recording = asyncio.ensure_future(studio.record())
        await studio.until(lambda: studio.recorder.writer and studio.recorder.writer.counts().messages > 1000)
        await simulator.end_live()
        outcome = await recording
        await simulator.stop()
        assert outcome.cause is Cause.LIVE_ENDED
        connection = simulator.ledger.connections[0]
        seen = {msg_id for frame in connection.frames.values() for msg_id in frame.msg_ids}
        sent = Counter((s.msg_id, s.sha256.hex()) for s in simulator.ledger.sent if s.msg_id in seen)
        stored = Counter(studio.query("SELECT msg_id, sha256(payload) FROM messages"))
        assert stored == sent
        assert len(stored) > 500
        assert set(stored.values()) == {1}
        heard = [n for n in studio.heard.take() if n.type == "comment"]
        assert len(heard) == studio.query("SELECT count(*) FROM comments")[0][0]

    asyncio.run(scenario())


def test_a_frame_is_in_the_journal_before_it_is_acknowledged(tmp_path, monkeypatch):
    """At the moment an acknowledgement arrives, the file on disk holds its frame."""
    too_early, checked = [], []

    async def scenario():
        simulator = await simulated(speed=4.0)
        acknowledge = Connection.acknowledge

        def watched(self, log_id, at):
            (path,) = tmp_path.glob("*.journal")
            frames = [decode_frame(e.payload, e.kind).log_id for e in read_journal(path) if e.kind]
            checked.append(log_id)
            if log_id not in frames:
                too_early.append(log_id)
            acknowledge(self, log_id, at)

        monkeypatch.setattr(Connection, "acknowledge", watched)
        studio = Studio(tmp_path, simulator)
        recording = asyncio.ensure_future(studio.record())
        await studio.until(lambda: len(checked) >= 5)
        studio.recorder.stop()
        await recording
        await simulator.stop()

    asyncio.run(scenario())
    assert too_early == []


def test_a_dropped_connection_comes_back_into_the_same_recording(tmp_path):
    """One recording, two segments, a gap between them; replayed comments are not doubled."""

    async def scenario():
        # A small room, slow enough that what is replayed was there before the gap.
        simulator = await simulated("small", speed=4.0)
        studio = Studio(tmp_path, simulator)
        recording = asyncio.ensure_future(studio.record())
        await studio.until(lambda: studio.recorder.writer and studio.recorder.writer.counts().messages > 20)
        simulator.drop_connections()
        await studio.until(lambda: len(simulator.ledger.connections) == 2)
        await studio.until(
            lambda: sum(f.acked_at is not None for f in simulator.ledger.connections[1].frames.values()) > 0
        )
        studio.recorder.stop()
        outcome = await recording
        await simulator.stop()
        assert outcome.cause is Cause.STOPPED
        assert len(outcome.recordings) == 1
        assert studio.query("SELECT segment_id, cause FROM segments ORDER BY 1") == [
            (1, "network"),
            (2, "stopped"),
        ]
        assert studio.query("SELECT count(*) FROM gaps") == [(1,)]
        assert studio.query("SELECT count(*) - count(DISTINCT msg_id) FROM messages WHERE msg_id > 0") == [
            (0,)
        ]
        assert studio.query("SELECT sum(duplicates) FROM frames")[0][0] >= 1
        ((stability,),) = studio.query("SELECT value FROM meta WHERE key = 'note_stability'")
        assert json.loads(stability)["reconnects"] == 1
        types = [n.type for n in studio.heard.take() if n.type.startswith("tiktok:")]
        assert types == ["tiktok:reconnection:started", "tiktok:reconnection:success"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("user", "cause"), [("offline", Cause.OFFLINE), ("nobody_at_all", Cause.UNKNOWN_USER)]
)
def test_a_user_who_cannot_be_recorded_leaves_no_file(tmp_path, user, cause):
    """Offline and unknown are told apart, and nothing is created."""

    async def scenario():
        simulator = await simulated("small")
        outcome = await Studio(tmp_path, simulator, user, keep_trying=False).record()
        await simulator.stop()
        assert outcome.cause is cause
        assert user in outcome.detail

    asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_no_attempt_is_made_until_it_is_there(tmp_path):
    """Nothing listens: probes only. Then something does, and the live is recorded at once."""

    async def scenario():
        port = free_port()
        nowhere = SourceOptions(
            app_url=f"http://127.0.0.1:{port}",
            webcast_url=f"http://127.0.0.1:{port}/webcast",
            sign_url=f"http://127.0.0.1:{port}",
        )
        studio = Studio(tmp_path, None, source_options=nowhere)
        recording = asyncio.ensure_future(studio.record())
        await studio.until(lambda: studio.recorder.status()["detail"].startswith("The network is away"))
        assert studio.recorder.status()["reconnectionState"]["attempt"] == 1
        simulator = await simulated("small", port=port)
        returned_at, lateness = time.monotonic(), Lateness()
        await studio.until(lambda: studio.recorder.status()["connected"])
        assert time.monotonic() - returned_at <= 5 + lateness.stop()
        studio.recorder.stop()
        await recording
        await simulator.stop()

    asyncio.run(scenario())


def test_a_server_that_does_not_speak_tiktok_is_handed_to_the_operator(tmp_path):
    """It can be reached and never answers well: the attempts are made, then a person is asked."""

    async def scenario():
        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        broken = SourceOptions(app_url=base, webcast_url=f"{base}/webcast", sign_url=base)
        studio = Studio(tmp_path, None, source_options=broken)
        outcome = await studio.record()
        server.close()
        assert outcome.cause is Cause.NETWORK
        assert "500" in outcome.detail
        states = studio.states()
        assert states.count("reconnecting") >= QUICK.attempts_max
        assert states[-1] == "needs_operator"

    asyncio.run(scenario())


def test_an_impatient_recorder_says_at_once_that_there_is_no_network(tmp_path):
    """At a terminal the first failure is the answer."""
    nowhere = SourceOptions(
        app_url="http://127.0.0.1:9", webcast_url="http://127.0.0.1:9/webcast", sign_url="http://127.0.0.1:9"
    )
    studio = Studio(tmp_path, None, source_options=nowhere, keep_trying=False)
    assert asyncio.run(studio.record()).cause is Cause.NETWORK
    assert "reconnecting" not in studio.states()


def test_stop_works_while_it_waits_to_reconnect(tmp_path):
    """Stopping never waits for a timer."""

    async def scenario():
        simulator = await simulated("small")
        studio = Studio(tmp_path, simulator, policy=BackoffPolicy(base_s=600, ceiling_s=600))
        recording = asyncio.ensure_future(studio.record())
        await studio.until(lambda: simulator.ledger.connections)
        await studio.until(lambda: studio.recorder.status()["connected"])
        simulator.drop_connections()
        await studio.until(lambda: studio.recorder.status()["state"] == "reconnecting")
        studio.recorder.stop()
        outcome = await recording
        await simulator.stop()
        assert outcome.cause is Cause.STOPPED
        assert outcome.unsealed == ()

    asyncio.run(scenario())


def test_a_new_broadcast_begins_a_new_recording(tmp_path):
    """Another room id is another live."""

    async def scenario():
        simulator = await simulated()
        # Time enough to end one live and begin the next while nobody watches.
        studio = Studio(tmp_path, simulator, policy=BackoffPolicy(base_s=1.5, jitter=0))
        recording = asyncio.ensure_future(studio.record())
        await studio.until(lambda: studio.recorder.writer and studio.recorder.writer.counts().messages > 50)
        first = studio.recorder.writer.id
        simulator.drop_connections()
        await simulator.end_live()
        simulator.go_live()
        await studio.until(lambda: studio.recorder.writer.id != first)
        await studio.until(lambda: studio.recorder.writer.counts().messages > 50)
        studio.recorder.stop()
        outcome = await recording
        await simulator.stop()
        assert len(outcome.recordings) == 2
        assert outcome.unsealed == ()
        assert len(list(tmp_path.glob("*.duckdb"))) == 2
        assert list(tmp_path.glob("*.journal")) == []

    asyncio.run(scenario())


def test_an_unreadable_frame_is_quarantined_and_the_connection_lives(tmp_path):
    """Damage costs one frame, never the live; the bytes stay identified by their hash."""

    async def scenario():
        simulator = await simulated()
        studio = Studio(tmp_path, simulator)
        recording = asyncio.ensure_future(studio.record())
        await studio.until(lambda: studio.recorder.writer and studio.recorder.writer.counts().messages > 50)
        bad = b"\x1a\x03\xff\xff\xff"
        simulator.inject("WebcastChatMessage", bad, 4711)
        chat = message_class("WebcastChatMessage")(content="after the damage")
        chat.common.msg_id = 4712
        simulator.inject("WebcastChatMessage", chat.SerializeToString(), 4712)
        await studio.until(lambda: studio.recorder.writer.counts().quarantined == 1)
        await studio.until(
            lambda: any(getattr(n.data, "text", "") == "after the damage" for n in studio.heard.take())
        )
        studio.recorder.stop()
        await recording
        await simulator.stop()
        assert len(simulator.ledger.connections) == 1
        assert studio.query("SELECT reason, method, sha256 FROM quarantine") == [
            ("payload", "WebcastChatMessage", hashlib.sha256(bad).hexdigest())
        ]
        assert studio.query("SELECT payload FROM messages WHERE msg_id = 4711") == [(bad,)]

    asyncio.run(scenario())


def test_a_websocket_may_be_opened_to_tiktok_only():
    """Whoever answers for the signing service must not choose where our cookies go."""
    real = SourceOptions()
    assert real.allows_push_server("wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/")
    for address in (
        "ws://webcast-ws.tiktok.com/",
        "wss://tiktok.com.evil.test/",
        "wss://eviltiktok.com/",
        "ws://127.0.0.1:1/",
        "wss://127.0.0.1:1/",
        "https://webcast.tiktok.com/",
        "",
    ):
        assert not real.allows_push_server(address), address
    local = SourceOptions(webcast_url="http://127.0.0.1:8765/webcast")
    assert local.allows_push_server("ws://127.0.0.1:8765/ws")
    assert not local.allows_push_server("ws://192.0.2.7/ws")
