"""The simulator against the real client, and against a client that counts every message."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from random import Random

import httpx
import pytest
from EulerApiSdk.models.get_rate_limits import GetRateLimits
from EulerApiSdk.models.sign_tik_tok_url_response import SignTikTokUrlResponse
from TikTokLive import TikTokLiveClient
from TikTokLive.client.errors import UserNotFoundError, UserOfflineError
from TikTokLive.client.web.web_settings import WebDefaults
from TikTokLive.events import (
    CommentEvent,
    ConnectEvent,
    DisconnectEvent,
    GiftEvent,
    JoinEvent,
    LikeEvent,
    LiveEndEvent,
    RoomUserSeqEvent,
    WebsocketResponseEvent,
)
from tornado.websocket import websocket_connect

from tests.simulator.raw_client import digests, in_loop, raw_client, until
from toolkit.model.frame import Message
from toolkit.simulator import ledger as ledger_module
from toolkit.simulator import pages, push
from toolkit.simulator.push import WATCH_PATH
from toolkit.simulator.server import Simulator, SimulatorThread


@pytest.fixture
def real_client(monkeypatch: pytest.MonkeyPatch) -> Callable[..., TikTokLiveClient]:
    """The unmodified client, pointed at a simulator through its own settings."""

    def make(simulator: Simulator, user: str = "demo") -> TikTokLiveClient:
        monkeypatch.setattr(WebDefaults, "tiktok_app_url", simulator.base_url)
        monkeypatch.setattr(WebDefaults, "tiktok_webcast_url", f"{simulator.base_url}/webcast")
        return TikTokLiveClient(
            user,
            web_kwargs={
                "signer_kwargs": {"sign_api_base": simulator.base_url},
                # A proxy in the environment must not see a loopback address.
                "httpx_kwargs": {"trust_env": False},
            },
        )

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return make


def test_the_real_client_connects_and_receives_all_kinds(real_client):
    """Room page, check_alive, room info, gift list, sign, handshake, frames, end of live."""

    async def body():
        simulator = Simulator("comments-100", seed=3)
        await simulator.start()
        client = real_client(simulator)
        seen: Counter[str] = Counter()
        kinds = (CommentEvent, GiftEvent, LikeEvent, JoinEvent, RoomUserSeqEvent)
        for kind in (*kinds, ConnectEvent, LiveEndEvent, DisconnectEvent):

            async def count(event, name=kind.__name__):
                seen[name] += 1

            client.add_listener(kind, count)
        task = await client.start(fetch_room_info=True, fetch_gift_info=True)
        assert client.room_info["id"] == simulator.room_id
        assert client.gift_info["gifts"][0]["name"] == "Rose"
        await until(lambda: all(seen[kind.__name__] for kind in kinds), "every kind of event")
        await simulator.end_live()
        await asyncio.wait_for(task, 5)
        await until(lambda: seen["DisconnectEvent"] == 1, "the disconnect event")
        assert seen["ConnectEvent"] == seen["LiveEndEvent"] == 1
        connection = simulator.ledger.connections[0]
        assert connection.entered and connection.heartbeats >= 1
        await until(lambda: connection.closed_at is not None, "the socket to close")
        await simulator.stop()

    in_loop(body)


def test_every_message_sent_arrives_once_and_in_order():
    """Five seconds of bursts: the ledger and what a client got are the same list."""

    async def body():
        simulator = Simulator("comments-100", seed=4, seconds=5)
        await simulator.start()
        first, first_read = await raw_client(simulator)
        second, second_read = await raw_client(simulator)
        await simulator.wait_ended()
        await asyncio.gather(first_read, second_read)
        expected = [(s.method, s.msg_id, s.sha256) for s in simulator.ledger.sent]
        for client in (first, second):
            # Whoever came in after the first burst has missed it.
            fresh = [message for message in client.messages if not message.is_history]
            assert len(fresh) > 800
            assert digests(fresh) == expected[-len(fresh) :]
        assert len({msg_id for _, msg_id, _ in expected}) == len(expected)
        await simulator.stop()

    in_loop(body)


def test_frames_are_numbered_and_acknowledgements_are_kept():
    """seq_id counts 1, 2, 3 ... per connection; log_id is unique; each ack finds its frame."""

    async def body():
        simulator = Simulator("comments-100", seed=5, seconds=3)
        await simulator.start()
        polite, polite_read = await raw_client(simulator)
        mute, mute_read = await raw_client(simulator, acknowledges=False)
        await simulator.wait_ended()
        await asyncio.gather(polite_read, mute_read)
        kept_polite, kept_mute = simulator.ledger.connections
        for client, kept in ((polite, kept_polite), (mute, kept_mute)):
            frames = [frame for frame in client.frames if frame.payload_type == "msg"]
            assert [frame.push_seq for frame in frames] == list(range(1, len(frames) + 1))
            assert [frame.log_id for frame in frames] == list(kept.frames)
            assert all(
                frame.need_ack and frame.cursor and "push_time" in frame.internal_ext for frame in frames
            )
        assert not set(kept_polite.frames) & set(kept_mute.frames)
        assert kept_polite.acked == len(kept_polite.frames)
        assert all(frame.acked_at >= frame.sent_at for frame in kept_polite.frames.values())
        assert kept_mute.acked == 0
        assert kept_polite.strays == 0
        await simulator.stop()

    in_loop(body)


def test_a_connect_replays_the_last_six_comments_unchanged():
    """Same id, same bytes, marked as history, nothing but comments, then the live goes on."""

    async def body():
        simulator = Simulator("comments-100", seed=6)
        await simulator.start()
        await raw_client(simulator)
        await until(lambda: simulator.broadcast.comments > 20, "some comments")
        second, _ = await raw_client(simulator)
        await until(lambda: len(second.frames) >= 2, "history and one burst")
        history, live = second.frames[0].messages, second.messages[len(second.frames[0].messages) :]
        sent = list(simulator.ledger.sent)
        # The burst that is its first: how many were sent before it.
        _, burst, *_ = simulator.ledger.connections[1].frames.values()
        before = [s.batch_no for s in sent].index(burst.batch_no)
        comments = [s for s in sent[:before] if s.method == "WebcastChatMessage"][-6:]
        assert [(m.msg_id, hashlib.sha256(m.payload).digest()) for m in history] == [
            (s.msg_id, s.sha256) for s in comments
        ]
        assert all(message.is_history for message in history)
        assert not any(message.is_history for message in live)
        assert digests(live)[0] == (sent[before].method, sent[before].msg_id, sent[before].sha256)
        assert simulator.ledger.connections[1].history == [message.msg_id for message in history]
        await simulator.stop()

    in_loop(body)


def test_the_history_can_come_with_the_signers_answer(real_client):
    """The other place in which TikTok may replay: once there, and not a second time."""

    async def body():
        simulator = Simulator("comments-100", seed=6, history_in_fetch=True)
        await simulator.start()
        await until(lambda: simulator.broadcast.comments > 20, "some comments")
        client = real_client(simulator)
        history: dict[int, bool] = {}
        later: list[bool] = []

        async def look(event: WebsocketResponseEvent) -> None:
            for message in event.raw.messages:
                if event.raw.is_first:
                    history[message.msg_id] = message.is_history
                else:
                    later.append(message.is_history)

        client.add_listener(WebsocketResponseEvent, look)
        task = await client.start()
        await until(lambda: bool(later), "a burst")
        assert len(history) == 6 and all(history.values())
        assert not any(later)
        task.cancel()
        await simulator.stop()

    in_loop(body)


def test_who_is_offline_and_who_does_not_exist(real_client):
    """The client's own exceptions, without a connection to the push server."""

    async def body():
        simulator = Simulator("small")
        await simulator.start()
        with pytest.raises(UserOfflineError):
            await real_client(simulator, "offline").start()
        with pytest.raises(UserNotFoundError):
            await real_client(simulator, "nobody").start()
        await simulator.end_live()
        with pytest.raises(UserOfflineError):
            await real_client(simulator).start()
        with pytest.raises(UserOfflineError):
            await real_client(simulator).start(room_id=simulator.room_id)
        assert not simulator.ledger.connections
        await simulator.stop()

    in_loop(body)


def test_a_new_broadcast_has_a_new_room():
    """The room id is stable for one live and never comes back."""

    async def body():
        simulator = Simulator("small", room_id=7_500_000_000_000_000_123)
        await simulator.start()
        first = simulator.room_id
        assert first == 7_500_000_000_000_000_123
        await simulator.end_live()
        second = simulator.go_live()
        await simulator.end_live()
        third = simulator.go_live()
        assert len({first, second, third}) == 3
        assert simulator.live_rooms() == {third}
        await simulator.stop()

    in_loop(body)


def test_a_latecomer_to_an_ended_live_is_told_so():
    """Whoever kept the room id connects, reads the end, and is hung up on."""

    async def body():
        simulator = Simulator("small")
        await simulator.start()
        await simulator.end_live()
        client, read = await raw_client(simulator)
        await asyncio.wait_for(read, 5)
        assert [m.method for m in client.messages] == ["WebcastControlMessage"]
        assert client.socket.close_code == 1000
        await simulator.stop()

    in_loop(body)


def test_a_live_ends_after_so_many_messages():
    """Exactly so many, and the one that ends it."""

    async def body():
        simulator = Simulator("comments-100", messages=123)
        await simulator.start()
        await asyncio.wait_for(simulator.wait_ended(), 10)
        assert simulator.ledger.total == 124
        assert simulator.ledger.sent[-1].method == "WebcastControlMessage"
        await simulator.stop()

    in_loop(body)


def test_another_process_steers_and_reads_the_ledger():
    """State, ledger, say, inject, drop, end over HTTP; a web page is refused."""

    async def body():
        simulator = Simulator("small", seed=9)
        await simulator.start()
        client, read = await raw_client(simulator)
        async with httpx.AsyncClient(base_url=simulator.base_url, trust_env=False) as http:
            said = (await http.post("/sim/say", json={"user": "olmira", "text": "Does it glow? 💡"})).json()
            payload = base64.b64encode(b"\x0a\x00").decode()
            injected = {"method": "WebcastNovelMessage", "payload": payload, "msg_id": 77}
            assert (await http.post("/sim/inject", json=injected)).status_code == 200
            assert (await http.post("/sim/pause")).json()["is_live"] is True
            assert (await http.post("/sim/resume")).status_code == 200
            ledger = (await http.get("/sim/ledger")).json()
            assert ledger["next"] == ledger["total"] == simulator.ledger.total
            assert said["msg_id"] in {entry[1] for entry in ledger["sent"]}
            tail = (await http.get("/sim/ledger", params={"since": ledger["next"] - 1, "limit": 1})).json()
            assert len(tail["sent"]) == 1

            for answer in (
                await http.post("/sim/end", headers={"Origin": "http://elsewhere.example"}),
                await http.get("/sim/ledger", headers={"Host": "rebound.example"}),
            ):
                assert answer.status_code == 403
            for path, content, status in (
                ("/sim/say", b"not json", 400),
                ("/sim/say", b"[" * 50_000, 400),
                ("/sim/say", b'{"text": 5}', 400),
                ("/sim/inject", b'{"method": "x", "payload": "***"}', 400),
                ("/sim/inject", b'{"method": "x", "payload": "", "msg_id": "many"}', 400),
                ("/sim/inject", b'{"method": "x", "payload": "", "msg_id": 99999999999999999999}', 400),
                ("/sim/inject", b'{"method": "\\ud800", "payload": ""}', 400),
                ("/sim/say", b'{"text": "\\ud800"}', 400),
                ("/sim/nothing", b"{}", 404),
            ):
                assert (await http.post(path, content=content)).status_code == status, (path, content[:40])

            assert (await http.post("/sim/end")).json()["is_live"] is False
            assert (await http.post("/sim/say", json={"text": "late"})).status_code == 400
            await asyncio.wait_for(read, 5)
            texts = {m.method for m in client.messages}
            assert {"WebcastChatMessage", "WebcastNovelMessage", "WebcastControlMessage"} <= texts
            assert (await http.post("/sim/live")).json()["is_live"] is True
            client, read = await raw_client(simulator)
            await until(lambda: (simulator.state()["connections"]) == 1, "the connection")
            assert (await http.post("/sim/drop")).json() == {"dropped": 1}
            await asyncio.wait_for(read, 5)
            assert client.socket.close_code is None or client.socket.close_code == 1006
        await simulator.stop()

    in_loop(body)


def test_hostile_requests_get_an_answer():
    """Odd ids, odd names, a body that is no JSON, a socket to nowhere, rubbish on the socket."""

    async def body():
        simulator = Simulator("small")
        await simulator.start()
        async with httpx.AsyncClient(base_url=simulator.base_url, trust_env=False) as http:
            page = (await http.get("/@%3C%2Fscript%3E/live")).text
            assert "LiveRoom" not in page and page.count("</script>") == 1
            for path, status in (
                ("/webcast/fetch?room_id=" + "9" * 400, 404),
                ("/webcast/fetch?room_id=-1", 404),
                ("/webcast/fetch", 404),
                ("/webcast/room/check_alive/?room_ids=x,,²,1", 200),
                ("/webcast/room/info/?room_id=abc", 200),
                ("/api-live/user/room/?uniqueId=", 200),
                ("/webcast/im/push/v2/?room_id=1", 200),
                ("/elsewhere", 404),
            ):
                assert (await http.get(path)).status_code == status, path
            assert (await http.post("/webcast/sign_url", content=b"\xff")).status_code == 200
            limits = (await http.get("/webcast/rate_limits")).json()
            assert limits["minute"]["remaining"] > 0
        client, read = await raw_client(simulator)
        await client.socket.write_message(b"\xff\xff\xff", binary=True)
        await asyncio.wait_for(read, 5)
        assert client.socket.close_code == 1002
        await simulator.stop()

    in_loop(body)


def test_the_signing_services_sdk_understands_its_answers():
    """Quota and a signed address, parsed by the client's own classes."""
    limits = GetRateLimits.from_dict(pages.rate_limits(now_ms=1_790_000_000_000))
    assert limits.day.remaining == limits.day.max_ == 1000
    signed = SignTikTokUrlResponse.from_dict(pages.signed_url("https://example.invalid/webcast/x?a=1"))
    assert signed.response.signed_url.startswith("https://example.invalid/webcast/x?a=1&msToken=")


def test_a_client_that_does_not_read_is_dropped_and_delays_nobody(monkeypatch):
    """Its queue is bounded; another client gets everything."""
    monkeypatch.setattr(push, "QUEUED_FRAMES_MAX", 4)

    async def body():
        simulator = Simulator("small", seed=7)
        await simulator.start()
        url = f"ws://127.0.0.1:{simulator.port}{WATCH_PATH}?room_id={simulator.room_id}"
        stuck = await websocket_connect(url, max_message_size=1 << 26)
        reader, read = await raw_client(simulator)
        payload = Random(7).randbytes(1 << 19)
        watched = simulator.ledger.connections[0]
        for number in range(1, 200):
            simulator.inject("WebcastLargeMessage", payload, number)
            # The reader keeps up, whatever the machine does besides.
            await until(lambda n=number: any(m.msg_id == n for m in reader.messages[-9:]), "the reader")
            if watched.closed_at is not None:
                break
        assert watched.closed_at is not None
        await simulator.end_live()
        await asyncio.wait_for(read, 10)
        assert len(digests(reader.messages)) == simulator.ledger.total
        stuck.close()
        await simulator.stop()

    in_loop(body)


def test_the_ledger_forgets_the_oldest_and_says_so(monkeypatch):
    """A rehearsal of days must not fill the memory; positions stay true."""
    monkeypatch.setattr(ledger_module, "MESSAGES_MAX", 10)
    ledger = ledger_module.Ledger()
    for number in range(25):
        ledger.record([Message("m", number, b"x")], sent_at=1, batch_no=number)
    page = ledger.as_json(0, limit=3)
    assert (ledger.total, page["first"], page["next"]) == (25, 15, 18)
    assert [entry[1] for entry in page["sent"]] == ["15", "16", "17"]


def test_a_thread_runs_it_for_synchronous_code():
    """It listens inside the block, can be told things, and is gone afterwards."""
    thread = SimulatorThread(Simulator("small", seed=2))
    with thread as simulator:
        assert simulator.environment()["TIKTOK_WEBCAST_URL"].endswith("/webcast")
        msg_id = thread.call(lambda: simulator.say("tavis", "hello"))
        assert str(msg_id) in json.dumps(
            httpx.get(f"{simulator.base_url}/sim/ledger", trust_env=False).json()
        )
        url = simulator.base_url
        taken = SimulatorThread(Simulator(port=simulator.port))
        with pytest.raises(OSError), taken:
            pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/sim/state", trust_env=False)
