"""
The dashboard's one component class.

State goes down as one JSON text, requests come up as messages and are answered with
messages. The markup is made by the card's script out of DOM nodes and textContent.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from toolkit.dashboard.board import Reading, encode
from toolkit.dashboard.transport import Playhead
from toolkit.dashboard.words import DEFAULT, words_of

__all__ = [
    "ASSETS",
    "Card",
    "Connection",
    "Control",
    "Feed",
    "Gaps",
    "Gifters",
    "Header",
    "Recordings",
    "Totals",
    "Transport",
]

log = logging.getLogger("toolkit.dashboard")

ASSETS = Path(__file__).parent / "assets"
"""Scripts, styles and pages."""
STYLE = (ASSETS / "cards.css").read_text("utf-8")
TRANSPORT_STYLE = (ASSETS / "transport.css").read_text("utf-8")
REQUEST_CHARS_MAX = 40_000
"""A whole list of blocked words."""

Ask = Callable[[Mapping[str, Any], Callable[[dict[str, Any]], None]], None]
"""Carries out a request and calls back with its answer, under the page's lock."""


def script(name: str) -> str:
    """Return a card's script: what all cards share, then its own."""
    return (ASSETS / "dom.js").read_text("utf-8") + (ASSETS / f"{name}.js").read_text("utf-8")


class Card(JSComponent):  # type: ignore[misc]  # panel has no types
    """
    One card of the page. Built once, then :meth:`update`.

    Attributes:
        key: Its script, its words and its state have this name.
        state: What it shows, as JSON.
        words: Its texts, as JSON.
        clock_ms: Our wall clock when the page was made: a phone's may be wrong by minutes.
    """

    key: ClassVar[str] = ""

    state = param.String("null")
    words = param.String("{}")
    clock_ms = param.Integer(0)

    def __init__(self, ask: Ask, language: str = DEFAULT, **params: Any) -> None:
        params = {"stylesheets": [STYLE], **params}
        super().__init__(words=encode(words_of(self.key, language)), sizing_mode="stretch_width", **params)
        self._ask = ask
        self.on_msg(self._take)

    def update(self, reading: Reading) -> None:
        """Show ``reading``. Sends nothing when it looks the same as before."""
        # param compares the texts and stays silent when they are equal.
        self.state = reading.states.get(self.key, "null")

    def _take(self, event: Any) -> None:
        """Hand a request on. It comes from a browser: anything but a small mapping is ignored."""
        request = event.data
        if not isinstance(request, dict) or len(repr(request)) > REQUEST_CHARS_MAX:
            log.warning("a page sent something that is not a request")
            return
        number = request.get("number")
        self._ask(request, lambda answer: self._send_msg({**answer, "number": number}))


class Header(Card):
    """Connection state, what is on screen, theme, the rehearsal's ribbon."""

    key = "header"
    _esm = script("header")


class Control(Card):
    """Start and stop of a recording and of a rehearsal."""

    key = "control"
    _esm = script("control")


class Transport(Card):
    """The rehearsal's bar: play, seek, speed, and its timeline."""

    key = "transport"
    _esm = script("transport")

    strip = param.String("null")
    """The timeline, as JSON; apart from the state, which changes more often."""

    def __init__(self, ask: Ask, language: str = DEFAULT, **params: Any) -> None:
        super().__init__(ask, language, stylesheets=[STYLE, TRANSPORT_STYLE], **params)
        self._told: tuple[str, Playhead | None] = ("", None)
        self._times = 0

    def update(self, reading: Reading) -> None:
        """Tell where it is when the page cannot know: something was changed, or it is late."""
        self.strip = reading.strip
        text, playhead = reading.states.get(self.key, "null"), reading.playhead
        told, last = self._told
        is_known = last is playhead or (last is not None and playhead is not None and last.foresaw(playhead))
        # The first state is on its way to the browser for a moment that nobody knows.
        if text == told and is_known and self._times != 1:
            return
        self._told = (text, playhead)
        self._times += 1
        place_s = None if playhead is None else round(playhead.position(time.monotonic()), 2)
        self.state = f'{{"bar":{text},"position_s":{encode(place_s)},"times":{self._times}}}'


class Totals(Card):
    """The tiles with the figures."""

    key = "totals"
    _esm = script("totals")


class Connection(Card):
    """How steady the connection is, and the signatures that are left."""

    key = "connection"
    _esm = script("connection")


class Gaps(Card):
    """What was not observed, why, and what it cost."""

    key = "gaps"
    _esm = script("gaps")


class Gifters(Card):
    """Who gave most."""

    key = "gifters"
    _esm = script("gifters")


class Recordings(Card):
    """The recordings of the folder."""

    key = "recordings"
    _esm = script("recordings")


class Feed(Card):
    """Comments as they come: each update brings the new lines only."""

    key = "feed"
    _esm = script("feed")

    def __init__(self, ask: Ask, language: str = DEFAULT, **params: Any) -> None:
        super().__init__(ask, language, **params)
        self._run_seq = -1
        self._last = -(2**53)
        self._withdrawn: list[int] = []

    def update(self, reading: Reading) -> None:
        """Send the lines this page has not seen, those withdrawn, or that another run began."""
        is_new_run = reading.run_seq != self._run_seq
        rows = [row for seq, row in reading.comments if is_new_run or seq > self._last]
        if not rows and not is_new_run and reading.withdrawn == self._withdrawn:
            return
        self._withdrawn = reading.withdrawn
        self._run_seq = reading.run_seq
        # Below every number: what a seek brings with it has numbers below zero.
        newest = reading.comments[-1][0] if reading.comments else -(2**53)
        self._last = newest if is_new_run else max(newest, self._last)
        # The lines are JSON already, encoded once for all pages.
        self.state = (
            f'{{"run":{reading.run_seq},"rows":[{",".join(rows)}],"withdrawn":{json.dumps(self._withdrawn)}}}'
        )
