"""
The table: in which state what can happen, and where it leads.

A stimulus that a state does not list is ignored there: it is late, or makes no
sense. The supervisor is held to this table at every step, and a test walks it
until each entry has been seen and no other.
"""

from __future__ import annotations

from toolkit.connect.stimuli import (
    Down,
    Live,
    ProbeFailed,
    ProbeOk,
    Retry,
    Start,
    Stimulus,
    Stop,
    Timer,
    Up,
)
from toolkit.model.connection import ConnectionState

__all__ = ["TRANSITIONS"]

_S = ConnectionState

TRANSITIONS: dict[ConnectionState, dict[type[Stimulus], frozenset[ConnectionState]]] = {
    _S.IDLE: {
        Start: frozenset({_S.RESOLVING}),
        Stop: frozenset({_S.STOPPED}),
    },
    _S.RESOLVING: {
        # Live and no signature to spend: wait for one, or say so to who will not wait.
        Live: frozenset({_S.CONNECTING, _S.RECONNECTING, _S.NEEDS_OPERATOR}),
        Down: frozenset({_S.RECONNECTING, _S.WAITING, _S.NEEDS_OPERATOR, _S.STOPPED}),
        Stop: frozenset({_S.STOPPED}),
    },
    _S.CONNECTING: {
        Up: frozenset({_S.CONNECTED}),
        Down: frozenset({_S.RECONNECTING, _S.WAITING, _S.NEEDS_OPERATOR, _S.STOPPED}),
        Stop: frozenset({_S.STOPPED}),
    },
    _S.CONNECTED: {
        Down: frozenset({_S.RECONNECTING, _S.WAITING, _S.NEEDS_OPERATOR, _S.STOPPED}),
        Stop: frozenset({_S.STOPPED}),
    },
    _S.RECONNECTING: {
        # Staying means: too early, or the network is still away.
        Timer: frozenset({_S.RECONNECTING, _S.RESOLVING}),
        ProbeOk: frozenset({_S.RECONNECTING, _S.RESOLVING}),
        ProbeFailed: frozenset({_S.RECONNECTING}),
        Retry: frozenset({_S.RESOLVING}),
        Stop: frozenset({_S.STOPPED}),
    },
    _S.WAITING: {
        # Looking again does not leave this state: a look every minute is no news.
        Timer: frozenset({_S.WAITING}),
        Retry: frozenset({_S.WAITING}),
        Live: frozenset({_S.CONNECTING, _S.RECONNECTING}),
        Down: frozenset({_S.WAITING, _S.NEEDS_OPERATOR}),
        Stop: frozenset({_S.STOPPED}),
    },
    _S.NEEDS_OPERATOR: {
        Retry: frozenset({_S.RESOLVING}),
        Stop: frozenset({_S.STOPPED}),
    },
    _S.STOPPED: {},
}
"""State -> stimulus -> the states it can lead to."""
