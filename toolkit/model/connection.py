"""The states of a connection to a live, and what is said when they change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from toolkit.model.recording import Cause

__all__ = ["ConnectionState", "Transition"]


class ConnectionState(StrEnum):
    """Where the recorder stands. Shown to the operator, stored in no recording."""

    IDLE = "idle"
    RESOLVING = "resolving"
    """Looking up the live: which room, and whether it is on. Costs no signature."""
    CONNECTING = "connecting"
    """The signature is asked for and the WebSocket opened."""
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    """The connection was lost, or never came up; another attempt is scheduled."""
    WAITING = "waiting"
    """The user is not live. A look every minute or so tells when that changes."""
    NEEDS_OPERATOR = "needs_operator"
    """Trying again would not help: a person has to change something."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Transition:
    """
    One change of state, or of the reason for being in it.

    Attributes:
        previous: The state before.
        state: The state after.
        attempt: Attempts since the last connection, 0 when there was none.
        attempts_max: When it gives up; 0 for never.
        wait_s: Seconds until the next attempt; None when none is scheduled.
        cause: Why the connection ended or did not come up; None otherwise.
        detail: One sentence for the operator.
        outage: The same short id on everything that belongs to one outage, from
            the loss to the connection after it; empty outside of one.
    """

    previous: ConnectionState
    state: ConnectionState
    attempt: int = 0
    attempts_max: int = 0
    wait_s: float | None = None
    cause: Cause | None = None
    detail: str = ""
    outage: str = ""
