"""The routes for programs: JSON in and out, errors included."""

import json

import pytest

from toolkit.replay.options import ReplayOptions


def test_status_tells_the_connection_and_the_sockets(server, until):
    """What the backend says, and every socket with how far its screen is."""
    with server.socket() as client:
        client.recv()
        client.send('{"type": "subscribe", "ack": true}')
        client.recv()
        client.send('{"type": "painted", "seq": 0}')
        status = until(lambda: _painted(server))
    assert status["reconnectionState"] == {"state": "connected"}
    assert status["sockets"][0]["painted_seq"] == 0


def _painted(server):
    code, status = server.ask_json("/api/tiktok/status")
    assert code == 200
    return status if status["sockets"][0]["painted_at"] else None


@pytest.mark.parametrize(
    ("path", "value", "called"),
    [
        ("/api/tiktok/reconnect", None, ("reconnect",)),
        ("/api/tiktok/start", {"user": "ann"}, ("start_recording", "ann")),
        ("/api/tiktok/stop", {}, ("stop_recording",)),
        ("/api/replay/start", {"id": "ann-1", "rate": 10}, ("start_replay", "ann-1", ReplayOptions(rate=10))),
        ("/api/replay/start", {"id": "ann-1"}, ("start_replay", "ann-1", ReplayOptions())),
        (
            "/api/replay",
            {"action": "start", "id": "ann-1", "from": 5, "until": 9.5, "loop": True, "heal_gaps": True},
            ("start_replay", "ann-1", ReplayOptions(from_s=5, until_s=9.5, loops=True, heals_gaps=True)),
        ),
        (
            "/api/replay",
            {"action": "seek", "by_s": -10},
            ("control_replay", {"action": "seek", "by_s": -10}),
        ),
        ("/api/replay/stop", None, ("stop_replay",)),
    ],
)
def test_a_change_reaches_the_backend(server, path, value, called):
    """POST, with the body's values as arguments."""
    assert server.ask_json(path, "POST", value) == (200, {"called": called[0]})
    assert server.studio.called == [called]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/tiktok/start", b"{}"),
        ("/api/tiktok/start", b'{"user": 7}'),
        ("/api/tiktok/start", b'{"user": "  "}'),
        ("/api/tiktok/start", b"[1]"),
        ("/api/tiktok/start", b"\xff\xfe"),
        ("/api/tiktok/start", b"[" * 100_000),
        ("/api/replay/start", b'{"id": 1}'),
        ("/api/replay/start", b'{"id": "ann-1", "rate": 0}'),
        ("/api/replay/start", b'{"id": "ann-1", "rate": NaN}'),
        ("/api/replay/start", b'{"id": "ann-1", "rate": true}'),
        ("/api/replay/start", b'{"id": "ann-1", "rate": 1e999}'),
        ("/api/replay/start", b'{"id": "ann-1", "rate": 1001}'),
        ("/api/replay/start", b'{"id": "ann-1", "from": -1}'),
        ("/api/replay/start", b'{"id": "ann-1", "until": "end"}'),
        ("/api/replay/start", b'{"id": "ann-1", "until": 1e999}'),
        ("/api/replay/start", b'{"id": "ann-1", "loop": 1}'),
        ("/api/replay", b'{"action": "start"}'),
        ("/api/replay", b'{"action": "start", "id": "ann-1", "idle_max": []}'),
    ],
)
def test_a_body_that_means_nothing_is_a_400_with_a_hint(server, path, body):
    """Never a traceback, and nothing is started."""
    status, _, answer = server.ask(path, "POST", body, Content_Type="application/json")
    assert status == 400
    assert json.loads(answer)["error"]
    assert server.studio.called == []


def test_the_rehearsal_tells_how_far_it_is(server):
    """With as many stretches of its timeline as are asked for; a number, and nothing else."""
    assert server.ask_json("/api/replay") == (200, {"called": "replay"})
    assert server.ask_json("/api/replay?buckets=200") == (200, {"called": "replay"})
    assert server.studio.called == [("replay", 0), ("replay", 200)]
    for wrong in ("-1", "many", "1e3", "9" * 30):
        assert server.ask_json(f"/api/replay?buckets={wrong}")[0] == 400


def test_a_form_of_another_site_cannot_pass_for_json(server):
    """A type that a form can send without asking is not taken."""
    status, answer = server.ask_json("/api/tiktok/start", "POST", {"user": "x"}, Content_Type="text/plain")
    assert status == 400
    assert "application/json" in answer["hint"]


@pytest.mark.parametrize("name", ["nope", "..%2Fsecret", "a%00b", "x" * 200])
def test_an_unknown_recording_is_a_404(server, name):
    """By wrong id, by path, by anything."""
    for suffix in ("", "/events.arrow"):
        status, answer = server.ask_json(f"/api/recordings/{name}{suffix}")
        assert status == 404, answer
        assert answer["hint"]


def test_events_come_as_one_stream(server):
    """All bytes, the right type, and HEAD tells the size only."""
    path = "/api/recordings/ann-1/events.arrow?since_seq=5"
    status, headers, body = server.ask(path)
    assert (status, len(body)) == (200, 1_000_000)
    assert headers["Content-Type"] == "application/vnd.apache.arrow.stream"
    status, headers, body = server.ask(path, "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "1000000", b"")
    for wrong in ("-1", "x", "1e3", "9" * 30, "\u0663"):
        encoded = "".join(f"%{byte:02x}" for byte in wrong.encode())
        assert server.ask(f"/api/recordings/ann-1/events.arrow?since_seq={encoded}")[0] == 400


def test_a_fault_of_ours_is_a_500_without_its_details(server):
    """The traceback is in the log, not in the answer."""
    status, _, body = server.ask("/api/recordings/broken")
    assert status == 500
    assert b"secret" not in body
    assert b"Traceback" not in body
    assert json.loads(body)["error"]


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/api/tiktok/start", "GET", "POST, OPTIONS"),
        ("/api/recordings", "POST", "GET, HEAD, OPTIONS"),
        ("/overlay", "POST", "GET, HEAD, OPTIONS"),
        ("/healthz", "DELETE", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_a_405_that_names_the_right_one(server, path, method, allowed):
    """With the Allow header."""
    status, headers, body = server.ask(path, method)
    assert (status, headers["Allow"]) == (405, allowed)
    assert json.loads(body)["error"]


def test_an_origin_of_the_settings_may_use_the_api_from_its_pages(new_server, new_studio):
    """Preflight and answer carry what its browser wants to see; others get nothing."""
    from toolkit.web.access import Policy

    server = new_server(new_studio(), policy=Policy.of(None, ["https://studio.example"]))
    status, headers, _ = server.ask("/api/tiktok/start", "OPTIONS", Origin="https://studio.example")
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, "https://studio.example")
    assert (
        server.ask("/api/tiktok/status", Origin="https://x.example")[1]["Access-Control-Allow-Origin"] is None
    )


def test_health_readiness_and_metrics(server):
    """200 while all checks pass, 503 with the reasons when one does not."""
    assert server.ask_json("/healthz") == (200, {"ok": True})
    assert server.ask_json("/readyz")[0] == 200
    server.studio.ready = False
    status, answer = server.ask_json("/readyz")
    assert (status, answer["ok"], answer["checks"]["disk"]["detail"]) == (503, False, "3 GB free.")
    status, _, text = server.ask("/metrics")
    assert status == 200
    assert b"toolkit_socket_clients 0.0" in text
    assert b"toolkit_bus_notices_total 0.0" in text


def test_what_is_not_there_is_json_too(server):
    """A path under /api that means nothing."""
    assert server.ask_json("/api/nothing") == (404, {"error": "There is nothing here.", "hint": ""})
    assert server.ask_json("/api")[0] == 404
