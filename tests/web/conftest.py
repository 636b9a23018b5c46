"""A real server on loopback, a real Chromium, and a small process behind the routes."""

import asyncio
import itertools
import json
import threading
import time
import urllib.error
import urllib.request

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from websockets.sync.client import connect

from tests.waiting import wait_until
from toolkit.bus.live_state import LiveState, run_started
from toolkit.bus.memory import MemoryBus
from toolkit.bus.notice import event_data
from toolkit.clock import SystemClock
from toolkit.errors import RecordingNotFound
from toolkit.model.event import Comment, Deletion, Question, User
from toolkit.show.look.faces import Faces
from toolkit.show.look.presets import Presets
from toolkit.web.access import Policy
from toolkit.web.routes import ROUTES
from toolkit.web.surface import install

DEADLINE_S = 20.0
CALLS = (
    "reconnect",
    "start_recording",
    "stop_recording",
    "start_replay",
    "control_replay",
    "replay",
    "stop_replay",
)


class Studio:
    """The process behind the routes: a real bus and real live state, no recorder."""

    gate = None

    def __init__(self, **bus_options):
        self.bus = MemoryBus(**bus_options)
        self.live_state = LiveState(self.bus)
        self.presets = Presets(None, self.bus)
        self.faces = Faces(self.bus, None, SystemClock())
        self.ready = True
        self.called = []
        # As TikTok's: large, and never the same in another process.
        self._ids = itertools.count(time.time_ns())

    def comment(self, text, nickname="Ann", **options):
        """Publish one comment; return its number."""
        return self.comments([text], nickname=nickname, **options)[-1].seq

    def comments(self, texts, *, nickname="Ann", user=1, rehearsal=False, **flags):
        """Publish several comments at once."""
        author = User(user, f"user{user}", nickname, **flags)
        events = [
            Comment(0, next(self._ids), None, self.now(), author, t, "en", "", "", False) for t in texts
        ]
        return self.bus.publish([("comment", event) for event in events], rehearsal=rehearsal)

    def question(self, text, nickname="Quinn", user=2):
        """Publish one question."""
        number = next(self._ids)
        author = User(user, f"user{user}", nickname)
        question = Question(0, number, None, self.now(), author, number, text, 0)
        return self.bus.publish([("question", question)])[0].seq

    def withdraw(self, *, messages="", users=""):
        """Publish TikTok's withdrawal of messages or users."""
        self.bus.publish([("deletion", Deletion(0, 0, None, self.now(), None, messages, users))])

    def run(self, kind):
        """Publish the start of a run."""
        self.bus.publish([run_started(kind, "ann", "x")], rehearsal=kind == "rehearsal")

    @staticmethod
    def now():
        """Return the wall clock, microseconds."""
        return SystemClock().now_us()

    def status(self):
        """Return a status such as the App's."""
        return {
            "connected": True,
            "user": "ann",
            "recording": None,
            "reconnectionState": {"state": "connected"},
        }

    def readiness(self):
        """Return one check."""
        return {"disk": {"ok": self.ready, "detail": "3 GB free."}}

    def readings(self):
        """Return one figure."""
        return {"toolkit_bus_notices": self.bus.seq}

    def snapshot(self):
        """Return what a late joiner needs."""
        figures = self.live_state.snapshot(self.now())
        return {
            "run": figures.run,
            "status": self.status(),
            "comments": [{"seq": seq, "data": event_data(event)} for seq, event in figures.comments[-50:]],
            "questions": [{"seq": seq, "data": event_data(event)} for seq, event in figures.questions[-20:]],
        }

    def recordings(self):
        """Return one recording."""
        return [{"id": "ann-1"}]

    def recording_info(self, recording_id):
        """Return that one."""
        if recording_id == "broken":
            raise RuntimeError("a fault of ours, with /secret/paths")
        if recording_id != "ann-1":
            raise RecordingNotFound(f"No recording {recording_id}.", hint="Run `toolkit recordings`.")
        return {"id": recording_id}

    def events_arrow(self, recording_id, since_seq, table):
        """Return bytes larger than one chunk."""
        self.recording_info(recording_id)
        return b"%020d" % since_seq * 50_000

    def __getattr__(self, name):
        """Note the calls that change something."""
        if name not in CALLS:
            raise AttributeError(name)

        def note(*args):
            self.called.append((name, *args))
            return {"called": name}

        return note


class Server:
    """Our routes on a real Tornado server in a thread of its own."""

    def __init__(self, studio, port=0, address="127.0.0.1", policy=None, **options):
        self.studio = studio
        self._sockets = bind_sockets(port, address)
        self.port = self._sockets[0].getsockname()[1]
        self._begun = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._run(policy or Policy(), options),), daemon=True
        )
        self._thread.start()
        assert self._begun.wait(DEADLINE_S)

    async def _run(self, policy, options):
        self.loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.application = Application(ROUTES)
        self.surface = install(self.application, self.studio, policy, **options)
        server = HTTPServer(self.application)
        server.add_sockets(self._sockets)
        self._begun.set()
        await self._ended.wait()
        self.surface.close()
        server.stop()
        await server.close_all_connections()

    def stop(self):
        """Stop; the port is free afterwards."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(DEADLINE_S)

    @property
    def url(self):
        """Address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path, method="GET", body=None, **headers):
        """Return (status, headers, body) of one request, whatever its status."""
        request = urllib.request.Request(self.url + path, method=method, data=body)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=DEADLINE_S) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def ask_json(self, path, method="GET", value=None, **headers):
        """Return (status, value) of a request with JSON in and out."""
        body = None if value is None else json.dumps(value).encode()
        if body is not None:
            headers.setdefault("Content_Type", "application/json")
        status, _, answer = self.ask(path, method, body, **headers)
        return status, json.loads(answer)

    def socket(self, **options):
        """Open a WebSocket; usable as a context manager."""
        return connect(f"ws://127.0.0.1:{self.port}/ws", proxy=None, **options)


@pytest.fixture
def studio():
    """Return a process without a server."""
    return Studio()


@pytest.fixture
def new_server():
    """Return a function that starts a server; all are stopped at the end."""
    servers = []

    def start(studio=None, **options):
        servers.append(Server(studio or Studio(), **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(new_server):
    """Return a running server."""
    return new_server()


@pytest.fixture
def new_studio():
    """Return the class, for a second process."""
    return Studio


@pytest.fixture
def until():
    """Return the function that waits on a condition."""
    return wait_until
