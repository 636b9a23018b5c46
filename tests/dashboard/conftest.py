"""A real ``panel serve``, a real Chromium, and a simulator that plays TikTok."""

import pytest

from tests.served import LOOPBACK, ROOT, Served
from tests.waiting import WITHIN_S, wait_until
from toolkit.simulator.profile import profile_named
from toolkit.simulator.server import Simulator, SimulatorThread


class Dashboard(Served):
    """One ``panel serve`` with its own recordings folder."""

    def __init__(self, folder, script=ROOT / "panel_app.py", *options, **environment):
        log = folder.parent / f"{folder.name}.log"
        environment = {"TOOLKIT_RECORDINGS": str(folder), **environment}
        super().__init__(script, *LOOPBACK, *options, log=log, environment=environment)
        self.folder, self._page = folder, script.stem

    @property
    def page_url(self):
        """Address of the dashboard."""
        return f"{self.url}/{self._page}"

    def start(self):
        """Start it and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        super().start()
        self.wait_ready()
        return self


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
        self.page.locator(".tile").first.wait_for(timeout=WITHIN_S * 1000)
        return self.page


def with_overlay(window, server):
    """Yield a window with the dashboard, and the overlay in another one; close both, without a complaint."""
    window.open(server.page_url)
    # Not in a tab: a page behind another one is painted once a second from its first click on,
    # and each click waits for two paintings.
    window.overlay = window.context.browser.new_context().new_page()
    window.overlay.goto(f"{server.url}/overlay?smooth=0&motion=0")
    yield window
    assert window.problems == []
    window.overlay.context.close()
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
