"""The socket: order, catching up, bounds, and clients that misbehave."""

import itertools
import json
import socket
import time

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from toolkit.web import hub as hub_module
from toolkit.web.inbound import Topics, Unreadable, parse

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def receive(client):
    """Return the next message."""
    return json.loads(client.recv(timeout=15))


def subscribed(client, **wish):
    """Subscribe; return hello, having read the confirmation."""
    hello = receive(client)
    assert hello["type"] == "hello"
    client.send(json.dumps({"type": "subscribe", **wish}))
    assert receive(client)["type"] == "subscribed"
    return hello


def notices(client, count):
    """Return the next ``count`` notices, whatever they come in."""
    found = []
    while len(found) < count:
        message = receive(client)
        found += message if isinstance(message, list) else [message]
    return found


def test_a_subscriber_gets_its_topics_one_object_a_message(server):
    """The form that outsiders rely on: type, seq, at, data."""
    with server.socket() as client:
        subscribed(client, topics=["comment", "tiktok:*"])
        server.studio.bus.publish([("like", {"n": 1}), ("tiktok:reconnection:started", {"attempt": 1})])
        seq = server.studio.comment("hello", nickname="Zoë")
        first, second = notices(client, 2)
    assert (first["type"], first["data"]) == ("tiktok:reconnection:started", {"attempt": 1})
    assert set(second) == {"type", "seq", "at", "data"}
    assert (second["type"], second["seq"], second["data"]["text"]) == ("comment", seq, "hello")
    assert second["data"]["user"]["nickname"] == "Zoë"


def test_a_batch_is_one_array_a_tick_in_order(server):
    """A thousand notices arrive whole, in order, in far fewer messages."""
    with server.socket() as client:
        subscribed(client, topics=["comment"], batch=True)
        server.studio.comments([f"c{n}" for n in range(1000)])
        arrays = []
        while sum(map(len, arrays)) < 1000:
            arrays.append(receive(client))
    assert [n["data"]["text"] for n in itertools.chain(*arrays)] == [f"c{n}" for n in range(1000)]
    assert len(arrays) < 30


def test_a_screen_gets_the_newest_comments_that_fit_and_the_number_of_the_others(server):
    """Of a burst, as many as it has room for; whatever is no comment comes whole and in order."""
    with server.socket() as client:
        subscribed(client, topics=["comment", "gift", "end"], batch=True, comments_max=3)
        server.studio.bus.publish([("gift", {"n": 0})])
        server.studio.comments([f"c{n}" for n in range(1000)])
        server.studio.bus.publish([("gift", {"n": 1}), ("end", {})])
        found = notices(client, 1)
        while found[-1]["type"] != "end":
            found += notices(client, 1)
    comments = [n["data"]["text"] for n in found if n["type"] == "comment"]
    skipped = sum(n["data"]["count"] for n in found if n["type"] == "skipped")
    assert comments[-3:] == ["c997", "c998", "c999"]
    assert len(comments) + skipped == 1000
    assert len(comments) < 200  # more than three, if the burst took more than one tick
    assert [n["data"]["n"] for n in found if n["type"] == "gift"] == [0, 1]
    numbers = [n["seq"] for n in found if n["type"] != "skipped"]
    assert numbers == sorted(set(numbers))


def test_one_who_comes_back_misses_nothing_that_is_still_kept(server):
    """`since` continues exactly after the last number seen."""
    with server.socket() as client:
        hello = subscribed(client, topics=["comment"])
        server.studio.comments(["a", "b"])
        last = notices(client, 2)[-1]["seq"]
    server.studio.comments(["c", "d"])
    with server.socket() as client:
        subscribed(client, topics=["comment"], since=last, stream=hello["data"]["stream"])
        server.studio.comment("e")
        assert [n["data"]["text"] for n in notices(client, 3)] == ["c", "d", "e"]


def test_what_is_no_longer_kept_is_counted(new_server, new_studio):
    """`missed` says how many, then the oldest kept follows without a hole."""
    server = new_server(new_studio(ring_notices=100))
    server.studio.comments([str(n) for n in range(250)])
    with server.socket() as client:
        hello = subscribed(client, since=0, batch=True)
        missed, *rest = notices(client, 101)
    assert hello["data"]["oldest_seq"] == 151
    assert (missed["type"], missed["data"]) == ("missed", {"count": 150})
    assert [n["seq"] for n in rest] == list(range(151, 251))


@pytest.mark.parametrize("wish", [{"since": 3, "stream": "anothersrv"}, {"since": 99_999}])
def test_numbers_of_another_server_are_reset(server, wish):
    """Told so, given the present state if wanted, and what happens from now on."""
    server.studio.comment("before")
    with server.socket() as client:
        subscribed(client, topics=["comment"], snapshot=True, **wish)
        reset, snapshot = receive(client), receive(client)
        seq = server.studio.comment("after")
        assert notices(client, 1)[0]["seq"] == seq
    assert (reset["type"], reset["data"]["stream"]) == ("reset", server.studio.bus.stream)
    assert [c["data"]["text"] for c in snapshot["data"]["comments"]] == ["before"]


def test_a_rehearsal_is_marked(server):
    """On every notice that a replay plays."""
    with server.socket() as client:
        subscribed(client)
        server.studio.comment("x", rehearsal=True)
        server.studio.comment("y")
        first, second = notices(client, 2)
    assert first["rehearsal"] is True
    assert "rehearsal" not in second


def test_a_notice_that_json_cannot_carry_stops_no_other(server):
    """Unknown objects, lone surrogates, numbers beyond 64 bits and megabytes are announced without data."""
    bad = [{"n": 2**64}, {"n": object()}, {"n": "\ud800"}, {"n": "x" * 1_000_000}]
    with server.socket() as client:
        subscribed(client, batch=True)
        server.studio.bus.publish([("bad", data) for data in bad])
        server.studio.comment("fine")
        found = notices(client, 5)
    assert [n.get("omitted") for n in found] == ["unreadable"] * 3 + ["size", None]
    assert found[-1]["data"]["text"] == "fine"


def test_what_nobody_wants_is_not_encoded(server, caplog):
    """It costs nothing: here it could not even be said."""
    with server.socket() as client:
        subscribed(client, topics=["comment"])
        server.studio.bus.publish([("odd", {"cannot be said": object()})])
        server.studio.comment("wanted")
        assert receive(client)["type"] == "comment"
    assert "could not be encoded" not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "[" * 4000,
        '{"type": "dance"}',
        '{"type": "subscribe", "topics": []}',
        '{"type": "subscribe", "topics": "comment"}',
        '{"type": "subscribe", "topics": ["A B"]}',
        '{"type": "subscribe", "topics": ["*", ""]}',
        '{"type": "subscribe", "since": -1}',
        '{"type": "subscribe", "since": true}',
        '{"type": "subscribe", "since": 1e400}',
        '{"type": "subscribe", "stream": {"a": 1}}',
        '{"type": "subscribe", "batch": 1}',
        '{"type": "subscribe", "comments_max": -1}',
        '{"type": "subscribe", "comments_max": "8"}',
        '{"type": "subscribe", "comments_max": 501}',
        '{"type": "painted"}',
        '{"type": "painted", "seq": "9"}',
        '{"type": "painted", "seq": 9, "frames": [[1, 2, 3]]}',
        '{"type": "painted", "seq": 9, "frames": [[1, -2]]}',
        '{"type": "painted", "seq": 9, "frames": {"1": 2}}',
        '{"type": "painted", "seq": 9, "skipped": null}',
        '{"type": "painted", "seq": 9, "frames": [' + ", ".join(["[1, 2]"] * 65) + "]}",
    ],
)
def test_a_message_that_means_nothing_is_refused_with_a_sentence(text):
    """The reader of messages raises one kind of error only."""
    with pytest.raises(Unreadable, match=r"\.$"):
        parse(text)


def test_topics_are_names_prefixes_or_everything():
    """A star at the end, alone for all."""
    some = Topics.of(["comment", "tiktok:*"])
    assert "comment" in some and "tiktok:reconnection:failed" in some
    assert "comments" not in some and "like" not in some
    assert "anything" in Topics.of(["*"]) and "anything" in Topics()


def test_five_messages_that_mean_nothing_end_the_socket(server):
    """Each is answered; then close code 1008."""
    with server.socket() as client:
        receive(client)
        for _ in range(4):
            client.send("nonsense")
            assert receive(client)["type"] == "error"
        client.send("nonsense")
        with pytest.raises(ConnectionClosed):
            while True:
                client.recv(timeout=10)
        assert client.close_code == 1008


def test_a_flood_of_messages_ends_the_socket(server):
    """Forty at once are heard, more per second than twenty are not."""
    with server.socket() as client:
        with pytest.raises(ConnectionClosed):
            for _ in range(500):
                client.send('{"type": "ping"}')
                time.sleep(0.0005)
            while True:
                client.recv(timeout=10)
        assert client.close_code == 1008


def test_a_message_above_the_limit_ends_the_socket(server):
    """Four KiB is more than any wish needs."""
    with server.socket() as client:
        client.send(json.dumps({"type": "subscribe", "topics": ["x" * 9000]}))
        with pytest.raises(ConnectionClosed):
            while True:
                client.recv(timeout=10)


def test_never_reading_clients_cost_little_and_are_kicked(server, until, monkeypatch):
    """Fifty sockets that read nothing: bounded memory, then gone, and others notice nothing."""
    monkeypatch.setattr(hub_module, "STALLED_S_MAX", 3.0)
    bus, process = server.studio.bus, psutil.Process()
    texts = ["x" * 200] * 500
    with server.socket() as reader:
        subscribed(reader, topics=["comment"], batch=True)
        server.studio.comments(texts * 8)  # fills the shared ring before memory is measured
        notices(reader, 4000)
        stalled = [_never_reads(server) for _ in range(50)]
        until(lambda: len(server.surface.hub.status()) == 51)
        before = process.memory_info().rss
        for _ in range(16):
            server.studio.comments(texts)
            assert len(notices(reader, 500)) == 500
        grown = process.memory_info().rss - before
        # The bus keeps 8,000 more comments of about 1 KiB; the rest is the clients'.
        assert grown < 50 * 64 * 1024 + 8_000 * 2_500, grown
        until(lambda: server.surface.hub.kicked == 50)
        assert [s["behind"] for s in server.surface.hub.status()] == [0]
        server.studio.comment("still here")
        assert notices(reader, 1)[0]["seq"] == bus.seq
    for raw in stalled:
        raw.close()


def _never_reads(server, *, batch=True):
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", server.port))
    raw.sendall(HANDSHAKE)
    wish = b'{"type":"subscribe","batch":true}' if batch else b'{"type":"subscribe"}'
    raw.sendall(bytes([0x81, 0x80 | len(wish), 0, 0, 0, 0]) + wish)
    return raw


def test_one_that_reads_slowly_gets_everything(server):
    """Late, in order, without a hole: the ring is shared and nobody's own."""
    with server.socket(max_queue=1) as client:
        subscribed(client, topics=["comment"], batch=True)
        for _ in range(20):
            server.studio.comments(["y" * 300] * 300)
            time.sleep(0.01)
        found = []
        while len(found) < 6000:
            found += receive(client)
            time.sleep(0.002)
    assert [n["seq"] for n in found] == list(range(1, 6001))


def test_a_loop_that_stood_still_recovers_what_its_queue_lost(server):
    """More notices than the hub's queue holds in one breath: still none is missing."""
    with server.socket() as client:
        subscribed(client, topics=["comment"], batch=True)
        for _ in range(12):
            server.studio.comments(["z"] * 1000)
        assert [n["seq"] for n in notices(client, 12_000)] == list(range(1, 12_001))


def test_sockets_say_why_they_are_refused(new_server, new_studio):
    """A page of another site, too many, switched off: a status each."""
    server = new_server(new_studio())
    with pytest.raises(InvalidStatus) as refused:
        server.socket(origin="http://evil.example")
    assert refused.value.response.status_code == 403
    server.surface.hub.clients_max = 1
    with server.socket(), pytest.raises(InvalidStatus) as refused:
        server.socket()
    assert refused.value.response.status_code == 503
    off = new_server(new_studio(), websocket_enabled=False)
    with pytest.raises(InvalidStatus) as refused:
        off.socket()
    assert refused.value.response.status_code == 404
    assert server.ask("/ws")[0] == 426


def test_a_stopping_server_says_goodbye(server):
    """Close code 1001: whoever can, comes back."""
    with server.socket() as client:
        receive(client)
        server.stop()
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert client.close_code == 1001


def test_a_stop_with_clients_that_do_not_read_is_quiet(server, until, caplog):
    """Their unread frames are dropped at once, without a traceback for each."""
    stalled = [_never_reads(server, batch=False) for _ in range(20)]
    hub = server.surface.hub
    until(lambda: len(hub._subscribers) == 20)
    for _ in range(20):
        server.studio.comments(["x" * 400] * 500)
    until(lambda: all(subscriber.is_busy for subscriber in hub._subscribers))
    sent = -1
    while sent != hub.sent:  # until the kernel takes no more
        sent = hub.sent
        time.sleep(0.3)
    assert all(subscriber.is_busy for subscriber in hub._subscribers)
    server.stop()
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == []
    for raw in stalled:
        raw.close()
