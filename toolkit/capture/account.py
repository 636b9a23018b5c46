"""
The connection's account of itself: what status, sockets and logs are told.

Written by the recorder's loop after every step of the supervisor, read by any
thread.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from typing import Any

from toolkit.clock import Clock
from toolkit.connect.kind_silence import KindWarning
from toolkit.connect.stability import Stability
from toolkit.connect.supervisor import Supervisor
from toolkit.model.connection import ConnectionState, Transition

__all__ = ["ConnectionAccount", "idle_status", "reconnection_of", "warning_data"]

log = logging.getLogger("toolkit.recorder")

HISTORY_MAX = 50
"""Changes of state kept for the dashboard: an evening with a bad line."""
NOTICES_MAX = 3


class ConnectionAccount:
    """
    Where a connection stands and how it got there.

    Attributes:
        lock: Held while the supervisor moves, so that a reader sees one moment.
    """

    def __init__(self, supervisor: Supervisor, clock: Clock) -> None:
        self.lock = threading.Lock()
        self._supervisor = supervisor
        self._clock = clock
        self._last = Transition(ConnectionState.IDLE, ConnectionState.IDLE)
        self._since = self._last_at = clock.now_us()
        self._history: deque[dict[str, Any]] = deque(maxlen=HISTORY_MAX)
        self._warnings: list[KindWarning] = []
        self._notices: list[dict[str, Any]] = []

    @property
    def last(self) -> Transition:
        """The newest change."""
        return self._last

    def take(self, transition: Transition) -> None:
        """Keep a change and write its line in the log."""
        is_news = (transition.state, transition.cause) != (self._last.state, self._last.cause)
        with self.lock:
            self._last, self._last_at = transition, self._clock.now_us()
            if transition.state is not transition.previous:
                self._since = self._last_at
            if is_news or transition.state is ConnectionState.RECONNECTING:
                self._history.append(self._entry(transition))
        # Looking for a live every minute is one line, not sixty an hour.
        log.log(
            logging.INFO if is_news else logging.DEBUG,
            "connection %s%s%s",
            transition.state.value,
            f": {transition.detail}" if transition.detail else "",
            f" Next attempt in {transition.wait_s:.0f} s." if transition.wait_s is not None else "",
            extra={"outage": transition.outage} if transition.outage else {},
        )

    def warn(self, warnings: list[KindWarning]) -> None:
        """Replace the warnings about kinds that have stopped."""
        with self.lock:
            self._warnings = list(warnings)

    def say(self, notice: dict[str, Any] | None) -> None:
        """Add something to read for as long as this recording runs; None forgets what there was."""
        with self.lock:
            self._notices = [*self._notices, notice][-NOTICES_MAX:] if notice is not None else []

    def status(self) -> dict[str, Any]:
        """Return the connection's part of the status, as JSON data."""
        now_s, now_us = self._clock.mono_ns() / 1e9, self._clock.now_us()
        supervisor = self._supervisor
        with self.lock:
            last = self._last
            cause = last.cause.value if last.cause else None
            connected = last.state is ConnectionState.CONNECTED
            warnings = [warning_data(w) for w in self._warnings]
            return {
                "state": last.state.value,
                "connected": connected,
                "degraded": connected and (bool(warnings) or supervisor.is_settling(now_s)),
                "warnings": [*warnings, *self._notices],
                "since": self._since,
                "cause": cause,
                "detail": last.detail,
                "reconnectionState": {
                    "state": last.state.value,
                    "attempt": last.attempt,
                    "maxAttempts": last.attempts_max,
                    "nextAttemptAt": self._next_at(last, self._last_at),
                    "cause": cause,
                    "outage": last.outage or None,
                    "breaker": supervisor.breaker.state.value,
                },
                "history": list(self._history),
                "stability": supervisor.stability.figures(now_s),
                "sign_budget": self._budget(now_s, now_us),
            }

    def heard(self, mono_ns: int) -> None:
        """Take in when a frame came. Called for every one."""
        self._supervisor.stability.heard(mono_ns / 1e9)

    def stability_saved(self) -> dict[str, Any]:
        """Return how steady the connection was, as the recording keeps it; ``at`` is up to when."""
        with self.lock:
            now_s, stability = self._clock.mono_ns() / 1e9, self._supervisor.stability
            saved, unheard_s = stability.saved(now_s), stability.unheard_s(now_s)
        return {**saved, "at": self._clock.now_us() - round(unheard_s * 1e6)}

    def begin_anew(self) -> None:
        """Count how steady the connection is from here on: another recording begins."""
        with self.lock:
            self._supervisor.stability = Stability(self._supervisor.state, self._clock.mono_ns() / 1e9)

    def resume(self, saved: str, last_frame_at: int | None) -> None:
        """
        Go on counting where the recorder stood that wrote ``saved`` into its recording.

        Args:
            saved: The note, JSON; empty if there is none.
            last_frame_at: Wall clock of the recording's last frame.
        """
        try:
            said = json.loads(saved)
        except (ValueError, RecursionError):
            return
        now_s, now_us = self._clock.mono_ns() / 1e9, self._clock.now_us()
        at = said.get("at") if isinstance(said, dict) else None
        if not isinstance(at, int) or not isinstance(last_frame_at, int):
            return
        last_at = max(last_frame_at, at) if said.get("is_connected") is not True else last_frame_at
        connected_s, away_s = (last_at - at) / 1e6, max(0.0, (now_us - last_at) / 1e6)
        with self.lock:
            self._supervisor.stability.resume(said, connected_s, away_s, now_s)

    def reconnection(self, transition: Transition) -> dict[str, Any]:
        """Return what is announced when a reconnection begins, succeeds or fails."""
        return {**self._entry(transition), "maxAttempts": transition.attempts_max}

    def _entry(self, transition: Transition) -> dict[str, Any]:
        return {
            "at": self._last_at,
            "state": transition.state.value,
            "attempt": transition.attempt,
            "cause": transition.cause.value if transition.cause else None,
            "detail": transition.detail,
            "wait_s": round(transition.wait_s, 3) if transition.wait_s is not None else None,
            "nextAttemptAt": self._next_at(transition, self._last_at),
            "outage": transition.outage or None,
        }

    @staticmethod
    def _next_at(transition: Transition, at: int) -> int | None:
        return at + int(transition.wait_s * 1e6) if transition.wait_s is not None else None

    def _budget(self, now_s: float, now_us: int) -> dict[str, Any]:
        budget = self._supervisor.budget
        wait_s = budget.wait_s(now_s)
        return {
            "next_at": now_us + round(wait_s * 1e6) if wait_s else None,
            "held": budget.hold_s(now_s) > 0,
            "windows": [
                {
                    "window": use.window,
                    "limit": use.limit or None,
                    "used": use.used,
                    "left": use.left,
                    "reset_at": now_us + round(use.reset_s * 1e6) if use.reset_s else None,
                }
                for use in budget.use(now_s)
            ],
        }


def warning_data(warning: KindWarning) -> dict[str, Any]:
    """Return a warning as JSON data, with the sentence that the operator reads."""
    minutes = max(1, round(warning.silent_s / 60))
    return {
        "kind": warning.kind,
        "silent_s": round(warning.silent_s),
        "normal_per_minute": round(warning.normal_per_minute, 1),
        "text": f"No {warning.kind} for {minutes} min while other events arrive; "
        f"normal is {warning.normal_per_minute:.0f} per minute.",
    }


def reconnection_of(transition: Transition) -> str | None:
    """Return what a transition means for whoever waits for the connection to return."""
    state = transition.state
    if state is ConnectionState.RECONNECTING and transition.previous is not state:
        return "started"
    if state is ConnectionState.CONNECTED and transition.outage:
        return "success"
    if state is ConnectionState.NEEDS_OPERATOR and transition.attempt > 0:
        return "failed"
    return None


def idle_status(user: str) -> dict[str, Any]:
    """Return the status while there is no recorder: the same keys, nothing known."""
    return {
        "state": "idle",
        "connected": False,
        "since": None,
        "user": user or None,
        "room_id": "",
        "recording": None,
        "cause": None,
        "detail": "",
        "reconnectionState": {
            "state": "idle",
            "attempt": 0,
            "maxAttempts": 0,
            "nextAttemptAt": None,
            "cause": None,
            "outage": None,
            "breaker": "closed",
        },
        "degraded": False,
        "warnings": [],
        "history": [],
        "stability": None,
        "sign_budget": None,
    }
