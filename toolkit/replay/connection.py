"""What a rehearsal says of the connection it pretends to have: the recorder's notices for breaks."""

from __future__ import annotations

from typing import Any

from toolkit.capture.account import idle_status
from toolkit.model.connection import ConnectionState
from toolkit.model.plan import Break
from toolkit.replay.course import Edge

__all__ = ["announce", "status_notice"]

_STARTED = "tiktok:reconnection:started"
_SUCCESS = "tiktok:reconnection:success"

Notices = list[tuple[str, dict[str, Any]]]


def announce(edge: Edge, at: int) -> Notices:
    """
    Return what is announced where a break begins or ends.

    Args:
        edge: Which, and of which break.
        at: Our wall clock, microseconds UTC.
    """
    state = ConnectionState.RECONNECTING if edge.is_lost else ConnectionState.CONNECTED
    lost = edge.stretch if edge.is_lost else None
    told = {
        "at": at,
        "state": state.value,
        "attempt": 1,
        "cause": lost.cause if lost else None,
        "detail": "Rehearsed: the recording has a gap here." if lost else "",
        "wait_s": None,
        "nextAttemptAt": None,
        "outage": f"rehearsed-{edge.number}",
        "maxAttempts": 0,
    }
    return [(_STARTED if lost else _SUCCESS, told), status_notice(state, at, lost)]


def status_notice(
    state: ConnectionState, at: int, stretch: Break | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the status of a connection that a rehearsal pretends to have, or of none."""
    status = idle_status("")
    cause = stretch.cause if stretch is not None else None
    status |= {
        "state": state.value,
        "connected": state is ConnectionState.CONNECTED,
        "since": at,
        "cause": cause,
        "reconnectionState": status["reconnectionState"] | {"state": state.value, "cause": cause},
    }
    return "status", status
