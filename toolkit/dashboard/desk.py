"""
Carries out what a page asks for: start, stop, rehearse, direct the show.

Requests come from a browser, so each is checked here and everything else about them
is ignored. They run in a small pool: sealing or opening a recording takes seconds,
during which every page must stay alive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from toolkit.dashboard.catalogue import milliseconds
from toolkit.dashboard.plain import plain
from toolkit.dashboard.show_states import tamed
from toolkit.dashboard.steadiness import gap_line
from toolkit.dashboard.words import DEFAULT, words_of
from toolkit.errors import ToolkitError
from toolkit.replay.options import ReplayOptions

if TYPE_CHECKING:
    from toolkit.app import App

__all__ = ["POOL", "SHOW_POOL", "Answer", "Desk"]

log = logging.getLogger("toolkit.dashboard")

POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="toolkit-desk")
"""Where requests of all pages run. Four at once; more wait."""
SHOW_POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="toolkit-show-desk")
"""Where the show's run: whoever reads a recording must not keep the panic button waiting."""
BANK_ROWS_MAX = 50
"""Questions that one search shows."""

Answer = dict[str, Any]
"""
``{"ok", "text", "hint"}``, ``data`` where something was asked for, and ``mistakes``, each
``{"field", "problem"}``, where a form was filled in wrong.
"""


class Desk:
    """Answers the requests of a page, in its language. Call :meth:`carry_out` in a worker thread."""

    def __init__(self, app: App, language: str = DEFAULT) -> None:
        self._app = app
        self._words = words_of("page", language)
        self._verbs: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
            "record": self._record,
            "stop": self._stop,
            "reconnect": self._reconnect,
            "rehearse": self._rehearse,
            "stop_rehearsal": self._stop_rehearsal,
            "replay": self._replay,
            "details": self._details,
            "show": self._direct,
            "bank": self._search_bank,
        }

    def carry_out(self, request: Mapping[str, Any]) -> Answer:
        """Do what is asked, and return a sentence about it; never raises."""
        verb = self._verbs.get(str(request.get("verb")))
        if verb is None:
            return {"ok": False, "text": self._words["failed"], "hint": ""}
        try:
            return verb(request)
        except ToolkitError as error:
            told = {"ok": False, "text": plain(str(error)), "hint": plain(error.hint)}
            return told | _mistakes(error)
        except Exception:
            log.exception("the request %s failed", verb.__name__)
            return {"ok": False, "text": self._words["fault"], "hint": ""}

    def _record(self, request: Mapping[str, Any]) -> Answer:
        user = str(request.get("user", "")).strip()
        ended = self._app.is_rehearsing
        self._app.start_recording(user)
        key = "started_instead" if ended else "started"
        return self._done(key, user=plain(user.removeprefix("@"), 48))

    def _stop(self, request: Mapping[str, Any]) -> Answer:
        self._app.stop_recording()
        return self._done("stopped")

    def _reconnect(self, request: Mapping[str, Any]) -> Answer:
        self._app.reconnect()
        return self._done("dialled")

    def _rehearse(self, request: Mapping[str, Any]) -> Answer:
        asked = {key: request[key] for key in ("rate", "heal_gaps") if key in request}
        self._app.start_replay(str(request.get("id", "")), ReplayOptions.of(asked))
        return self._done("rehearsing")

    def _replay(self, request: Mapping[str, Any]) -> Answer:
        """Control the rehearsal. The bar shows what has come of it: no sentence but for a reset."""
        asked = {key: value for key, value in request.items() if key not in ("verb", "number")}
        self._app.control_replay(asked)
        text = self._words["rehearsal_cleared"] if asked.get("action") == "reset" else ""
        return {"ok": True, "text": text, "hint": ""}

    def _stop_rehearsal(self, request: Mapping[str, Any]) -> Answer:
        self._app.stop_replay()
        return self._done("rehearsal_stopped")

    def _details(self, request: Mapping[str, Any]) -> Answer:
        info = self._app.recording_info(str(request.get("id", "")))
        return {"ok": True, "text": "", "hint": "", "data": _told(info)}

    def _direct(self, request: Mapping[str, Any]) -> Answer:
        """Have the show do something. What has come of it is in its state: no sentence."""
        command = request.get("command")
        self._app.show.command(command if isinstance(command, dict) else {})
        return {"ok": True, "text": "", "hint": ""}

    def _search_bank(self, request: Mapping[str, Any]) -> Answer:
        found = self._app.show.bank(str(request.get("search", ""))[:200], BANK_ROWS_MAX)
        return {"ok": True, "text": "", "hint": "", "data": tamed(found)}

    def _done(self, key: str, **values: str) -> Answer:
        return {"ok": True, "text": self._words[key].format(**values), "hint": ""}


def _mistakes(error: ToolkitError) -> dict[str, Any]:
    """Return what is wrong with which field, of an error that knows."""
    found = getattr(error, "mistakes", ())
    if not found:
        return {}
    return {"mistakes": [{"field": one.field, "problem": plain(one.problem)} for one in found]}


def _told(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the details of a recording show."""
    return {
        "id": plain(str(info.get("id", "")), 80),
        "user": plain(str(info.get("user") or ""), 48),
        "started_at": milliseconds(info.get("started_at")),
        "ended_at": milliseconds(info.get("ended_at")),
        "counts": {plain(str(k), 40): int(v) for k, v in (info.get("counts") or {}).items() if v},
        "figures": {k: info[k] for k in ("frames", "messages", "quarantined", "duplicates") if k in info},
        "gaps": [gap_line(gap) for gap in (info.get("gaps") or [])[:50]],
    }
