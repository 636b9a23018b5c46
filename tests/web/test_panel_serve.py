"""Our routes and our guard on a real ``panel serve``: no flag, from the first request on."""

import json
import re
import socket
import urllib.error
import urllib.request

import pytest

from tests.served import Served, network_address
from tests.waiting import wait_until

SCRIPT = """
from toolkit.app import get_app
import panel as pn
pn.pane.Str("page").servable()
"""
THEIRS = """
import panel as pn
pn.pane.Str("page").servable()
"""
START_S_MAX = 60


class Serving(Served):
    """One ``panel serve`` of a script in a folder of its own."""

    def __init__(self, folder, *flags, script=SCRIPT, name="panel_app.py"):
        (folder / name).write_text(script)
        super().__init__(name, *flags, log=folder / "log.txt", folder=folder)

    def ask(self, path, method="GET", host="localhost", **headers):
        """Return (status, body); None while nobody listens."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header("Host", f"{host}:{self.port}" if host == "localhost" else host)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=START_S_MAX) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return None

    def first(self, path):
        """Return the answer to the very first request there is."""

        def answer():
            assert self.process.poll() is None, self.output()
            return self.ask(path)

        return wait_until(answer, path, within_s=START_S_MAX)

    def shake_hands(self, path, host="localhost", origin=None):
        """Ask for a WebSocket; return the status."""
        host = f"{host}:{self.port}" if host == "localhost" else host
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
        lines += [f"Origin: {origin}"] if origin else []
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as raw:
            raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            return int(raw.recv(4096).split()[1])


@pytest.fixture
def serve(tmp_path):
    """Return a function that starts ``panel serve``; all are stopped at the end."""
    running = []

    def start(*flags, **options):
        running.append(Serving(tmp_path, *flags, **options).start())
        return running[-1]

    yield start
    for serving in running:
        serving.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "prefix"),
    [
        ((), ""),
        (("--prefix", "studio"), "/studio"),
        (("--warm",), ""),
        (("--dev",), ""),
        (("--plugins", "toolkit.web.plugin"), ""),
        (("--rest-provider", "toolkit"), ""),
    ],
)
def test_the_overlay_answers_the_very_first_request(serve, flags, prefix):
    """Before any page of the dashboard was opened, whatever the flags; SIGTERM ends it well."""
    serving = serve(*flags)
    status, body = serving.first(f"{prefix}/overlay")
    assert (status, b"tl-stage" in body) == (200, True)
    status, body = serving.ask(f"{prefix}/api/tiktok/status")
    assert (status, json.loads(body)["connected"]) == (200, False)
    assert serving.ask(f"{prefix}/readyz")[0] in (200, 503)
    assert serving.shake_hands(f"{prefix}/ws") == 101
    assert serving.ask(f"{prefix}/panel_app")[0] == 200
    # A guard that was set only for our routes would let this through.
    assert serving.ask(f"{prefix}/panel_app", host="evil.example")[0] == 421
    assert serving.stop() == 0
    assert "Traceback" not in serving.log.read_text()


def _every_route(prefix=""):
    """Return the paths of a real server: Bokeh's for the app, its static files, and ours."""
    from toolkit.web.routes import ROUTES

    bokeh = [
        "/",
        "/panel_app",
        "/panel_app/ws",
        "/panel_app/metadata",
        "/panel_app/autoload.js",
        "/favicon.ico",
    ]
    static = ["/static/js/bokeh.min.js", "/static/extensions/panel/panel.min.js", "/panel_app/static/x"]
    ours = [
        re.sub(r"\([^)]*\)", "x", pattern).replace("\\.", ".").removesuffix("?") for pattern, *_ in ROUTES
    ]
    return [prefix + path for path in [*bokeh, *static, *ours, "/no/such/path"]]


@pytest.mark.slow
def test_no_route_of_the_server_answers_strangers(serve):
    """Every route, Bokeh's included: rebound names, other sites, proxies, other machines."""
    serving = serve()
    serving.first("/healthz")
    for path in _every_route():
        assert serving.ask(path, host="evil.example")[0] == 421, path
        assert serving.ask(path, "POST", Origin="http://evil.example")[0] == 403, path
        assert serving.ask(path, X_Forwarded_For="10.0.0.1")[0] == 403, path
        assert serving.shake_hands(path, origin="http://evil.example") == 403, path
        assert serving.shake_hands(path, host="evil.example", origin="http://evil.example") == 421, path
    own = f"http://localhost:{serving.port}"
    assert serving.shake_hands("/ws", origin=own) == 101
    assert serving.shake_hands("/panel_app/ws", origin=own) == 101
    address = network_address()
    if address is not None:
        with socket.create_connection((address, serving.port), timeout=20) as raw:
            raw.sendall(f"GET /panel_app HTTP/1.1\r\nHost: {address}:{serving.port}\r\n\r\n".encode())
            assert raw.recv(4096).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("flag", [("--num-procs", "2"), ("--num-procs=0",), ("--num-p", "4")])
def test_several_processes_are_refused_with_a_sentence(serve, flag):
    """One line, a non-zero exit, nothing listens."""
    serving = serve(*flag)
    assert serving.process.wait(START_S_MAX) == 2
    said = serving.log.read_text().strip().splitlines()
    assert len(said) == 1
    assert "--num-procs" in said[0]


@pytest.mark.slow
def test_other_peoples_apps_are_left_alone(serve):
    """A script that does not import the toolkit gets no routes, no guard and no word from us."""
    serving = serve(script=THEIRS, name="theirs.py")
    assert serving.first("/theirs")[0] == 200
    assert serving.ask("/overlay")[0] == 404
    assert serving.ask("/theirs", host="other.example")[0] == 200
    assert "toolkit" not in serving.log.read_text()


@pytest.mark.slow
def test_a_wrong_setting_ends_the_server_with_a_sentence(serve, monkeypatch):
    """Rather than serve a dashboard without its guard."""
    monkeypatch.setenv("RECONNECTION_MAX_ATTEMPTS", "-3")
    serving = serve()
    assert serving.process.wait(START_S_MAX) == 2
    assert "RECONNECTION_MAX_ATTEMPTS" in serving.log.read_text()
    assert "Traceback" not in serving.log.read_text()
