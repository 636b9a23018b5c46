"""One page of the dashboard: template, cards, and the tick that keeps them fresh."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import panel as pn

from toolkit.dashboard import card, show_cards
from toolkit.dashboard.board import Board
from toolkit.dashboard.chart import Chart
from toolkit.dashboard.desk import POOL, SHOW_POOL, Answer, Desk
from toolkit.dashboard.words import LANGUAGES, language_of, words_of
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.app import App

__all__ = ["show_page"]

log = logging.getLogger("toolkit.dashboard")
# Panel tells of every tick of every page: eight lines a second.
logging.getLogger("panel").setLevel(logging.WARNING)

TICK_MS = 250
PAGES_AT_FULL_PACE = 4
"""Ten pages at four ticks a second took half a core; beyond this they share its cost."""
CONTROLS_AT_ONCE = 8
"""A seek may take a second, and must not keep anybody from stopping."""
CUES_AT_ONCE = 32
"""Commands to the show take a millisecond; more than these at once is no person."""
LANGUAGE_COOKIE = "toolkit-language"
HIDDEN_EVERY_S = 2.0
"""Pace of a page whose tab is in the background."""
CARDS = (
    card.Header,
    show_cards.Air,
    card.Transport,
    card.Control,
    card.Totals,
    card.Feed,
    card.Gifters,
    card.Connection,
    card.Gaps,
    show_cards.Host,
    show_cards.Inbox,
    show_cards.Bank,
    show_cards.Alerts,
    show_cards.Moderation,
    show_cards.Goals,
    show_cards.Poll,
    show_cards.Leaders,
    show_cards.Overlay,
    card.Recordings,
)


def show_page(get_app: Callable[[], App]) -> None:
    """
    Make the dashboard the page of the current Bokeh session.

    Args:
        get_app: Returns the process's App. Called once, here; what it raises
            becomes a page that says so.
    """
    # reconnect stays off: the header brings the page back, see its script.
    pn.extension()
    try:
        app = get_app()
    except ToolkitError as error:
        _template("unavailable.html", _language(), error=str(error), hint=error.hint).servable()
        return
    Page(app, _language()).servable()


@lru_cache(maxsize=1)
def _shared(app: App) -> Board:
    """Return what all pages of this process share."""
    return Board(app)


def _language() -> str:
    """Return the language of whoever opened this page."""
    chosen = str(pn.state.cookies.get(LANGUAGE_COOKIE, ""))
    return language_of(chosen, str(pn.state.headers.get("Accept-Language", "")))


def _template(name: str, language: str, **variables: Any) -> pn.Template:
    template = pn.Template((card.ASSETS / name).read_text("utf-8"))
    variables |= {
        "language": language,
        "words": words_of("page", language),
        "style": (card.ASSETS / "page.css").read_text("utf-8"),
        "script": (card.ASSETS / "page.js").read_text("utf-8"),
    }
    for key, value in variables.items():
        template.add_variable(key, value)
    return template


class Page:
    """One open page. Everything here runs in the server's loop, under the session's lock."""

    def __init__(self, app: App, language: str) -> None:
        self._app, self._board, self._desk = app, _shared(app), Desk(app, language)
        self._language, self._words = language, words_of("page", language)
        now_ms = app.clock.now_us() // 1000
        self._cards = [make(self._ask, language, clock_ms=now_ms) for make in CARDS]
        self._chart = Chart(self._words)
        self._doc = pn.state.curdoc
        self._asking: set[asyncio.Future[Answer]] = set()
        self._cueing: set[asyncio.Future[Answer]] = set()
        # A change that is sent while the document is still on its way to the browser
        # gets lost now and then, so nothing is until the header says that it stands.
        self._stands = False
        self._is_hidden = False
        self._ticked_at_s = 0.0
        self._ticker: Any = None
        self._update()

    def servable(self) -> None:
        """Show it and keep it fresh while it is open."""
        template = _template("page.html", self._language, languages=LANGUAGES)
        for one in self._cards:
            template.add_panel(one.key, one)
        template.add_panel("chart", self._chart.root)
        template.servable(title=self._words["title"])
        # A dry run of the script (--warm, --dev) has no browser to keep fresh.
        if pn.state.curdoc and pn.state.curdoc.session_context:
            self._ticker = pn.state.add_periodic_callback(self._tick, period=TICK_MS)
            pn.state.on_session_destroyed(self._close)

    def _close(self, session_context: Any) -> None:
        self._app.pages_open -= self._stands

    def _tick(self) -> None:
        now_s = time.monotonic()
        if not self._stands or (self._is_hidden and now_s - self._ticked_at_s < HIDDEN_EVERY_S):
            return
        self._ticked_at_s = now_s
        self._keep_pace()
        self._update()

    def _keep_pace(self) -> None:
        share = -(-self._app.pages_open // PAGES_AT_FULL_PACE)
        period_ms = TICK_MS * max(share, 1)
        if self._ticker.period != period_ms:
            self._ticker.period = period_ms

    def _update(self) -> None:
        reading = self._board.read()
        # One message for all changes instead of one for each.
        with pn.io.hold():
            for one in self._cards:
                one.update(reading)
            self._chart.update(reading)

    def _ask(self, request: Mapping[str, Any], answer: Callable[[Answer], None]) -> None:
        """Do what a card asks; what concerns this page alone at once, the rest in the pool."""
        verb = request.get("verb")
        if verb == "look":
            self._app.pages_open += not self._stands
            self._stands = True
            with pn.io.hold():
                self._chart.set_theme(str(request.get("theme")))
                self._chart.set_zone(request.get("minutes_ahead"))
        elif verb == "hidden":
            self._is_hidden = request.get("hidden") is True
        elif verb in ("show", "bank"):
            self._send(request, answer, SHOW_POOL, self._cueing, CUES_AT_ONCE)
        else:
            at_once = CONTROLS_AT_ONCE if verb in ("replay", "stop_rehearsal") else 1
            self._send(request, answer, POOL, self._asking, at_once)

    def _send(
        self,
        request: Mapping[str, Any],
        answer: Callable[[Answer], None],
        pool: Executor,
        under_way: set[asyncio.Future[Answer]],
        at_once: int,
    ) -> None:
        """Have the desk carry it out in ``pool``, unless ``at_once`` of its kind are under way already."""
        if len(under_way) >= at_once:
            answer({"ok": False, "text": self._words["busy"], "hint": ""})
            return
        future = asyncio.get_running_loop().run_in_executor(pool, self._desk.carry_out, dict(request))
        under_way.add(future)
        future.add_done_callback(under_way.discard)
        future.add_done_callback(partial(self._answer, answer, pool is POOL))

    def _answer(
        self, answer: Callable[[Answer], None], may_be_of_files: bool, future: asyncio.Future[Answer]
    ) -> None:
        self._board.forget(recordings=may_be_of_files)
        if not future.cancelled():
            # Back under the session's lock: we are between two of its callbacks.
            self._doc.add_next_tick_callback(partial(self._tell, answer, future.result()))

    def _tell(self, answer: Callable[[Answer], None], told: Answer) -> None:
        """Show what has come of a request, then answer it: no card has to wonder what it hears first."""
        if self._stands:
            self._update()
        answer(told)
