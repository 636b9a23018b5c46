"""The states of a connection to a live, and what is said when they change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from toolkit.model.recording import Cause

__all__ = ["ConnectionState", "Transition"]


class ConnectionState(StrEnum):
    """Where the recorder stands. Shown to the operator, stored in no recording."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    """The connection was lost, or never came up; another attempt is scheduled."""
    NEEDS_OPERATOR = "needs_operator"
    """Trying again would not help: a person has to change something."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Transition:
    """
    One change of state.

    Attributes:
        previous: The state before.
        state: The state after.
        attempt: Attempts since the last connection, 0 when there was none.
        attempts_max: When it gives up; 0 for never.
        wait_s: Seconds until the next attempt; None when none is scheduled.
        cause: Why the connection ended or did not come up; None otherwise.
        detail: One sentence for the operator.
    """

    previous: ConnectionState
    state: ConnectionState
    attempt: int = 0
    attempts_max: int = 0
    wait_s: float | None = None
    cause: Cause | None = None
    detail: str = ""
