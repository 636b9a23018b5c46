"""The overlay in a real Chromium, on a real server whose show the test conducts by hand."""

import time

import pytest

from tests.waiting import wait_until
from tests.web.conftest import Server, Studio


class Stage(Studio):
    """A process with a show: what is put on is announced, and told to whoever comes later."""

    def __init__(self, **states):
        super().__init__()
        self.states = states

    def put(self, part, **state):
        """Announce the state of a part; return the notice's number."""
        self.states[part] = state
        return self.bus.publish([(f"show:{part}", state)])[0].seq

    def snapshot(self):
        """Return what a late joiner needs, the show included."""
        return super().snapshot() | {"show": dict(self.states)}


def now_us():
    """Return the wall clock, microseconds."""
    return Studio.now()


def person(number, nickname, **more):
    """Return a viewer as states name them."""
    return {"user_id": str(number), "nickname": nickname, "handle": f"u{number}", "avatar": False} | more


def quiz(state="on_air", **more):
    """Return the state of a question of the quiz."""
    return {
        "state": state, "round": 3, "source": "bank", "id": "q3", "text": "Largest planet?",
        "choices": ["Mars", "Jupiter", "Venus", "Earth"], "category": "Space", "difficulty": "hard",
        "opened_at": now_us(), "closes_at": now_us() + 60_000_000, "seconds": 60, "asked_by": None,
        "asked_count": 0, "answered": 12, "right": 2, "leader": None, "winner": None, "accepted": [],
        "is_disputed": False,
    } | more  # fmt: skip


def alert(number, kind="gift", **more):
    """Return the state of the alerts with one on screen."""
    current = {
        "id": number, "kind": kind, "user": person(5, "Gina"), "text": "", "gift": "Rose", "count": 1,
        "diamonds": 1, "final": True, "merged": 1, "is_test": False,
    } | more  # fmt: skip
    return {"current": current, "waiting": 0, "queue": [], "is_paused": False, "is_muted": False}


def poll(votes, state="open"):
    """Return the state of a poll."""
    total = sum(votes)
    options = [
        {"label": f"option {n}", "votes": v, "share": v / total if total else 0} for n, v in enumerate(votes)
    ]
    return {
        "state": state, "source": "chat", "text": "Which one?", "options": options, "total": total,
        "opened_at": 1_000_000, "closes_at": now_us() + 60_000_000,
    }  # fmt: skip


def board(*players):
    """Return the state of the leaderboard; players as (number, name, points)."""
    rows = [
        {"rank": rank, "user": person(number, name), "points": points, "wins": 1, "streak": 3}
        for rank, (number, name, points) in enumerate(players, 1)
    ]
    return {"live": rows, "week": [], "all": [], "players": len(rows)}


def goal(value, target=100, title=""):
    """Return the state of the goals with one for likes."""
    one = {"id": "g", "kind": "likes", "title": title, "value": value, "target": target}
    return {"goals": [one | {"is_reached": value >= target}]}


def stage_of(**more):
    """Return the state of the stage."""
    return {
        "is_blank": False, "language": "en", "preset": "", "speech": {"on": False, "stop": 0},
        "sound": {"volume": 0.6},
    } | more  # fmt: skip


@pytest.fixture
def until():
    """Return the function that waits on a condition."""
    return wait_until


@pytest.fixture
def stage():
    """Return a process with a show that is idle."""
    return Stage(stage=stage_of(), question={"state": "idle"})


@pytest.fixture
def server(stage):
    """Return a running server."""
    running = Server(stage)
    yield running
    running.stop()


class Pages:
    """Pages of one browser. Those without wishes of their own are used again by the next test."""

    def __init__(self, chromium):
        self._chromium = chromium
        self._idle = []
        self._used = []
        self._contexts = []

    def take(self, script, options):
        """Return a page that nobody uses."""
        if script or options:
            context = self._chromium.new_context(**options)
            self._contexts.append(context)
            context.add_init_script(script)
            return self._new(context)
        # Each in a context of its own: of several pages in one, those behind get few frames.
        page = self._idle.pop() if self._idle else self._new(self._chromium.new_context())
        self._used.append(page)
        return page

    @staticmethod
    def _new(context):
        page = context.new_page()
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("requestfailed", lambda request: page.complaints.append(request.url))
        return page

    def give_back(self):
        """Empty all pages."""
        for page in self._used:
            page.complaints = []
            page.goto("about:blank")
        self._idle += self._used
        self._used = []
        for context in self._contexts:
            context.close()
        self._contexts = []


@pytest.fixture(scope="module")
def pages(chromium):
    """Return the pages of this module."""
    return Pages(chromium)


@pytest.fixture
def visit(pages, server):
    """Return a function that opens a page; what the browser complains of is in ``page.complaints``."""

    def start(path="/overlay", *, width=1280, height=720, script="", **options):
        page = pages.take(script, options)
        page.complaints = []
        page.set_viewport_size({"width": width, "height": height})
        page.goto(server.url + path)
        if "builder" not in path and "demo" not in path:
            holds(page, "window.__tl?.connection === 'open'")
            holds(page, "Boolean(window.__tl.live)")
        return page

    yield start
    pages.give_back()


def holds(page, expression, *, within_s=20):
    """Wait until an expression is true in the page; Playwright's own way needs eval, which it forbids."""
    deadline = time.monotonic() + within_s
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


def painted(page, seq):
    """Wait until the page has painted notice ``seq``."""
    holds(page, f"Number(document.documentElement.dataset.lastSeq) >= {seq}")
