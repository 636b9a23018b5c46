"""A real ``panel serve``, a real Chromium, and a simulator that plays TikTok."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from toolkit.simulator.profile import profile_named
from toolkit.simulator.server import Simulator, SimulatorThread

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 40.0
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def wait_until(condition, *, within_s=DEADLINE_S, every_s=0.05):
    """Return the first true value of ``condition``; fail when there is none in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(every_s)
    raise AssertionError(f"not within {within_s} s: {condition}")


def free_port():
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Dashboard:
    """One ``panel serve`` with its own recordings folder; may be stopped and started again."""

    def __init__(self, folder, script=ROOT / "panel_app.py", *options, **environment):
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._script, self._options, self._environment = script, options, environment
        self._process = None
        self.log = folder.parent / f"{folder.name}.log"

    @property
    def page_url(self):
        """Address of the dashboard."""
        return f"{self.url}/{self._script.stem}"

    def start(self):
        """Start it and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("TIKTOK_")}
        command = [sys.executable, "-m", "panel", "serve", str(self._script)]
        command += ["--address", "127.0.0.1", "--port", str(self.port), *self._options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**kept, "TOOLKIT_RECORDINGS": str(self.folder), **self._environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._answers)
        return self

    def _answers(self):
        assert self._process.poll() is None, self.log.read_text()
        try:
            urllib.request.urlopen(f"{self.url}/healthz", timeout=2).close()
        except urllib.error.HTTPError:
            return True  # a refusal is an answer, as under --prefix
        except OSError:
            return False
        return True

    def stop(self):
        """Stop it as an operator does."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(DEADLINE_S)


@pytest.fixture(scope="module")
def on_air(tmp_path_factory):
    """Return a dashboard that records @demo, for tests that only look."""
    profile = profile_named("busy").at_rate(20, 30)
    with SimulatorThread(Simulator(profile, seed=11, user="demo")) as simulator:
        folder = tmp_path_factory.mktemp("on-air") / "recordings"
        server = Dashboard(folder, TIKTOK_USERNAME="demo", **simulator.environment()).start()
        yield server
        server.stop()


@pytest.fixture
def dashboard(tmp_path):
    """Return a function that starts a dashboard; all are stopped at the end."""
    started = []

    def start(*options, folder="recordings", script=ROOT / "panel_app.py", **environment):
        started.append(Dashboard(tmp_path / folder, script, *options, **environment))
        return started[-1].start()

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def tiktok():
    """Return a simulated TikTok on which @demo is live, 20 comments a second."""
    with SimulatorThread(Simulator(profile_named("busy").at_rate(20, 30), seed=11, user="demo")) as simulator:
        yield simulator


class Visit:
    """One browser window on a dashboard, with a record of what it asked for and said."""

    def __init__(self, browser, **options):
        options.setdefault("viewport", {"width": 1280, "height": 800})
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requested = []
        self.problems = []
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("websocket", lambda opened: self.requested.append(opened.url))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def open(self, url):
        """Open a dashboard and wait until its cards stand."""
        self.page.goto(url)
        self.page.locator(".tile").first.wait_for(timeout=DEADLINE_S * 1000)
        return self.page


def with_overlay(window, server):
    """Yield a window with the dashboard, and the overlay in another tab; close it, without a complaint."""
    window.open(server.page_url)
    window.overlay = window.context.new_page()
    window.overlay.goto(f"{server.url}/overlay?smooth=0&motion=0")
    yield window
    assert window.problems == []
    window.context.close()


@pytest.fixture
def visit(chromium):
    """Return a function that opens a browser window; all are closed at the end."""
    visits = []

    def start(**options):
        visits.append(Visit(chromium, **options))
        return visits[-1]

    yield start
    for one in visits:
        one.context.close()


@pytest.fixture
def until():
    """Return the function that waits on a condition."""
    return wait_until
