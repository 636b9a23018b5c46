"""Who may ask: loopback peers, our own names, our own pages."""

import json
import socket
from dataclasses import replace

import pytest
from tornado.routing import Rule

from tests.served import network_address
from toolkit.web.access import BODY_BYTES_MAX, Policy, Request, judge
from toolkit.web.routes import ROUTES

OURS = Request(peer="127.0.0.1", host="localhost:5006", origin="http://localhost:5006")
POLICY = Policy.of("0.0.0.0", ["https://studio.example"])


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"peer": "::1", "host": "[::1]:5006", "origin": "http://[::1]:5006", "is_socket": True},
        {"peer": "::ffff:127.0.0.1"},
        {"host": "127.0.0.1", "origin": "http://127.0.0.1", "is_change": True},
        {"origin": None, "is_change": True},
        {"origin": "https://studio.example", "is_socket": True},
        {"origin": "https://evil.example"},  # a link from elsewhere: a plain GET
    ],
)
def test_the_person_at_the_machine_is_let_through(change):
    """Loopback, by any of its names, from our own page or an origin that the settings name."""
    assert judge(replace(OURS, **change), POLICY) is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"peer": "192.168.1.9"}, 403),
        ({"peer": "fe80::1%eth0"}, 403),
        ({"peer": "::ffff:10.0.0.1"}, 403),
        ({"peer": ""}, 403),
        ({"is_forwarded": True}, 403),
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example", "origin": "http://evil.example", "is_socket": True}, 421),
        ({"host": "localhost.evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"host": "localhost@evil.example"}, 421),
        ({"host": "localhost:bad"}, 421),
        ({"host": "localhost/x"}, 421),
        ({"host": ""}, 421),
        ({"host": None}, 421),
        ({"host": "0.0.0.0:5006"}, 421),
        ({"origin": "http://evil.example", "is_socket": True}, 403),
        ({"origin": "http://evil.example", "is_change": True}, 403),
        ({"origin": "null", "is_change": True}, 403),
        ({"origin": "file://", "is_socket": True}, 403),
        ({"origin": "http://localhost:3000", "is_socket": True}, 403),
        ({"origin": "https://studio.example.evil", "is_socket": True}, 403),
        ({"origin": None, "is_embedded": True}, 403),
        ({"body_bytes": BODY_BYTES_MAX + 1}, 413),
        ({"body_bytes": None}, 413),
    ],
)
def test_everybody_else_is_refused_with_a_sentence(change, status):
    """Each refusal has its status, says what is wrong and what to do."""
    refusal = judge(replace(OURS, **change), POLICY)
    assert refusal is not None
    assert refusal.status == status
    assert refusal.error.endswith(".")
    assert refusal.hint


def test_the_address_given_to_serve_is_a_name_of_ours():
    """`--address studio-pc` answers to that name, `--address 0.0.0.0` to no further one."""
    assert judge(replace(OURS, host="studio-pc:5006"), Policy.of("studio-pc")) is None
    assert judge(replace(OURS, host="studio-pc:5006"), Policy.of("0.0.0.0")) is not None


def _paths():
    return [pattern.replace("([^/]+)", "x").replace(r"\.", ".").split("(")[0] for pattern, _ in ROUTES]


@pytest.mark.parametrize("path", [*sorted(set(_paths())), "/nothing/here"])
def test_every_route_refuses_strangers(server, path):
    """A wrong Host is refused everywhere, a wrong Origin wherever something changes."""
    status, headers, body = server.ask(path, Host="evil.example")
    assert status == 421
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(body)["hint"]
    assert server.ask(path, "POST", b"{}", Origin="http://evil.example")[0] == 403
    assert server.ask(path, "DELETE", Origin="http://evil.example")[0] == 403
    assert server.ask(path, X_Forwarded_For="127.0.0.1")[0] == 403


def test_a_refused_upload_is_answered_before_it_is_read(server):
    """A body of a terabyte is announced; the answer comes at once and the connection ends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(
            b"POST /api/tiktok/start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n"
        )
        assert raw.recv(4096).split(b"\r\n")[0].split()[1] in (b"413", b"400")


def test_a_person_gets_a_page_and_nothing_of_the_request_in_it(server):
    """The refusal page says fixed sentences only."""
    status, headers, body = server.ask("/overlay?<script>x", Host="<script>", Accept="text/html")
    assert status in (400, 421)
    assert b"<script>" not in body
    if status == 421:
        assert headers["Content-Type"].startswith("text/html")


def test_a_peer_on_another_interface_is_refused(new_server, new_studio):
    """Bound to every interface, asked through this machine's own network address: not loopback."""
    address = network_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    server = new_server(new_studio(), address="0.0.0.0")
    with socket.create_connection((address, server.port), timeout=10) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = raw.recv(4096)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"only to the machine it runs on" in answer


def test_a_route_mounted_without_the_guard_still_judges(server):
    """Our handlers ask again themselves: taking the first rule away changes nothing for them."""
    rule = server.application.default_router.rules.pop(0)
    assert isinstance(rule, Rule)
    assert server.ask("/api/tiktok/status", Host="evil.example")[0] == 421
    assert server.ask("/healthz", X_Real_Ip="1.2.3.4")[0] == 403


def test_before_the_backend_is_there_routes_say_so(server):
    """503 with a sentence, not a traceback."""
    del server.application.settings["toolkit_surface"]
    assert server.ask_json("/api/tiktok/status") == (
        503,
        {"error": "The server is starting.", "hint": "Try again in a second."},
    )
