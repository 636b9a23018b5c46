"""
What all open pages show, worked out and encoded once per process.

A page's tick costs a comparison of texts; the figures behind them are copied at most
five times a second, whether one page is open or ten.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.background import Worker
from toolkit.bus.live_state import Snapshot
from toolkit.dashboard import cards, steadiness
from toolkit.dashboard.catalogue import Catalogue
from toolkit.dashboard.show_states import ShowStates, screens
from toolkit.dashboard.transport import Playhead, Strip, bar
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.app import App

__all__ = ["FEED_ROWS", "Board", "Reading", "encode"]

log = logging.getLogger("toolkit.dashboard")

READ_EVERY_S = 0.2
"""A little under a page's tick, so that each tick finds something new."""
LIST_EVERY_S = 10.0
"""How old the list of recordings may be: files also come and go without us."""
FEED_ROWS = 60
"""Lines a feed keeps. A person reads five a second at best."""


def encode(data: Any) -> str:
    """Return ``data`` as JSON. ASCII only, so no text can upset what carries it."""
    return json.dumps(data, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Reading:
    """
    Everything a page shows, at one moment.

    Attributes:
        states: JSON by card.
        show: JSON by part of the show.
        run: ``live``, ``rehearsal`` or ``none``.
        run_seq: Another number means another run: forget what was shown.
        comments: Newest lines of the feed, (number of the notice, JSON), oldest first.
        history: Per second, oldest first: (epoch second, comments, all events).
        withdrawn: Numbers of lines that TikTok withdrew, of those a page may still show.
        gaps: From when to when nothing was observed, epoch seconds; None while it lasts.
        playhead: Where the rehearsal is; None without one.
        strip: Its timeline, as JSON.
    """

    states: dict[str, str]
    run: str = "none"
    run_seq: int = 0
    comments: list[tuple[int, str]] = field(default_factory=list)
    history: list[tuple[int, int, int]] = field(default_factory=list)
    withdrawn: list[int] = field(default_factory=list)
    gaps: list[tuple[float, float | None]] = field(default_factory=list)
    playhead: Playhead | None = None
    strip: str = "null"
    show: dict[str, str] = field(default_factory=dict)


class Board:
    """The process's one source of what pages show. Use it in the server's loop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._reading = Reading({})
        self._read_at_s = float("-inf")
        self._rows: deque[tuple[int, str]] = deque(maxlen=FEED_ROWS)
        self._withdrawn: deque[int] = deque(maxlen=FEED_ROWS)
        self._run_seq = -1
        self._catalogue = Catalogue(app)
        self._show = ShowStates()
        self._strip = Strip(app)
        self._strip_text: tuple[dict[str, Any] | None, str] = (None, "null")
        self._list: list[dict[str, Any]] = []
        self._listed_at_s = float("-inf")
        self._listed_for: object = None
        self._listing = threading.Lock()

    def read(self) -> Reading:
        """Return what to show, at most :data:`READ_EVERY_S` old."""
        now_s = time.monotonic()
        if now_s - self._read_at_s >= READ_EVERY_S:
            self._read_at_s = now_s
            self._reading = self._fresh()
        return self._reading

    def forget(self, *, recordings: bool = True) -> None:
        """Have the next read look again, at the recordings too by default: something was asked for."""
        self._read_at_s = float("-inf")
        if recordings:
            self._listed_at_s = float("-inf")

    def _fresh(self) -> Reading:
        figures, status = self._app.figures(), self._app.status()
        playhead = Playhead.of(status["rehearsal"], time.monotonic())
        self._strip.follow(status["rehearsal"], is_left=figures.is_rehearsed)
        self._keep_list_fresh(status)
        self._take_comments(figures)
        found = self._list
        states = {
            "header": cards.header(figures, status),
            "transport": bar(figures, status["rehearsal"], self._strip.drawn),
            "control": cards.control(status, found),
            "totals": cards.totals(figures),
            "connection": steadiness.connection(status),
            "gaps": steadiness.gap_lines(figures.gaps),
            "gifters": cards.gifters(figures),
            "recordings": {"rows": found, "may_rehearse": not status["is_recording"]},
        }
        return Reading(
            {name: encode(state) for name, state in states.items()},
            cards.run_of(figures, status),
            figures.run_seq,
            list(self._rows),
            figures.history,
            list(self._withdrawn),
            steadiness.gap_spans(figures.gaps),
            playhead,
            self._encoded_strip(),
            self._show.texts(self._app.show.state()) | {"screens": encode(screens(self._app.screens()))},
        )

    def _encoded_strip(self) -> str:
        """Encode the timeline once, not at every look."""
        drawn = self._strip.drawn
        if drawn is not self._strip_text[0]:
            self._strip_text = (drawn, encode(drawn))
        return self._strip_text[1]

    def _take_comments(self, figures: Snapshot) -> None:
        """Encode the comments not seen before; each is encoded once for all pages."""
        if figures.run_seq != self._run_seq:
            self._run_seq = figures.run_seq
            self._rows.clear()
            self._withdrawn.clear()
        self._drop_withdrawn(figures)
        # What a seek brings with it has numbers below zero.
        last = self._rows[-1][0] if self._rows else float("-inf")
        for seq, comment in figures.comments[-FEED_ROWS:]:
            if seq > last:
                row = cards.comment_row(seq, comment, first=seq in figures.firsts)
                self._rows.append((seq, encode(row)))

    def _drop_withdrawn(self, figures: Snapshot) -> None:
        """Take back the lines whose comments TikTok withdrew: those that are gone before their time."""
        kept = {seq for seq, _ in figures.comments}
        oldest = min(kept, default=0)
        gone = [seq for seq, _ in self._rows if seq >= oldest and seq not in kept]
        if gone:
            self._withdrawn.extend(gone)
            rows = [row for row in self._rows if row[0] not in gone]
            self._rows.clear()
            self._rows.extend(rows)

    def _keep_list_fresh(self, status: dict[str, Any]) -> None:
        """List the folder again in a thread when it may have changed: it opens files."""
        key = (status["recording"], status["is_recording"], bool(status["rehearsal"]))
        now_s = time.monotonic()
        if key == self._listed_for and now_s - self._listed_at_s < LIST_EVERY_S:
            return
        if self._listing.acquire(blocking=False):
            self._listed_for, self._listed_at_s = key, now_s
            Worker("toolkit-list", self._list_recordings)

    def _list_recordings(self) -> None:
        try:
            self._list = self._catalogue.rows()
        except ToolkitError as error:
            log.warning("the recordings could not be listed: %s %s", error, error.hint)
        finally:
            self._listing.release()
