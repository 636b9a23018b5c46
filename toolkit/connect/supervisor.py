"""
What to do when a connection comes up, ends or fails.

Sans-IO: a stimulus and the time go in, commands come out. The caller owns the
socket, the clock and the timers, carries the commands out in order, and reports
what came of them with the next stimulus.

    stimulus            in state              commands
    Start               idle                  Dial
    Up                  connecting            (announce connected)
    Down, worth trying  connecting, connected Wait, later Dial
    Down, hopeless      connecting, connected Finish
    Timer               reconnecting          Dial
    Retry               reconnecting          Dial
    Stop                any                   Hangup, Finish
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from toolkit.connect.backoff import BackoffPolicy
from toolkit.model.connection import ConnectionState, Transition
from toolkit.model.recording import Cause

__all__ = [
    "Command",
    "Dial",
    "Down",
    "Finish",
    "Hangup",
    "Retry",
    "Start",
    "Stimulus",
    "Stop",
    "Supervisor",
    "Timer",
    "Up",
    "Wait",
]

STABLE_AFTER_S = 60.0
"""A connection that lived this long starts the count of attempts afresh. Shorter
ones do not: a server that accepts and drops at once must not be dialled forever."""

_HOPELESS = {
    Cause.UNKNOWN_USER: ConnectionState.NEEDS_OPERATOR,
    Cause.OFFLINE: ConnectionState.NEEDS_OPERATOR,
    Cause.LIVE_ENDED: ConnectionState.STOPPED,
    Cause.STOPPED: ConnectionState.STOPPED,
}
"""Causes after which another attempt cannot help, and the state they lead to."""


@dataclass(frozen=True, slots=True)
class Start:
    """Begin."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End, from whatever state."""


@dataclass(frozen=True, slots=True)
class Up:
    """The connection stands."""


@dataclass(frozen=True, slots=True)
class Down:
    """
    The connection ended, or did not come up.

    Attributes:
        cause: Why.
        detail: One sentence for the operator.
        retry_after_s: The other side named a time to wait; it wins over the backoff.
        hopeless: Trying again cannot help whatever the cause (a refused key).
    """

    cause: Cause
    detail: str = ""
    retry_after_s: float | None = None
    hopeless: bool = False


@dataclass(frozen=True, slots=True)
class Timer:
    """The wait is over."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The operator does not want to wait."""


Stimulus = Start | Stop | Up | Down | Timer | Retry
"""What the supervisor is told."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect. ``attempt`` is 0 for the first time, then 1, 2, 3 ..."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Send :class:`Timer` after ``seconds``, unless something else happens first."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection, or give up dialling."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing more will be tried. ``cause`` says why."""

    cause: Cause


Command = Dial | Wait | Hangup | Finish
"""What the supervisor has the recorder do."""


class Supervisor:
    """
    One recorder's connection, decided.

    Attributes:
        state: Where it stands.
        transitions: Every change so far, oldest first. The caller takes them
            with :meth:`announce`.
    """

    def __init__(self, policy: BackoffPolicy, rng: Random, *, keep_trying: bool = True) -> None:
        """
        Start idle.

        Args:
            policy: Waits between attempts.
            rng: Source of the jitter.
            keep_trying: Whether a first connection that fails is tried again. A
                person at a terminal wants the reason at once; a server waits.
        """
        self.state = ConnectionState.IDLE
        self._policy = policy
        self._rng = rng
        self._keep_trying = keep_trying
        self._attempt = 0
        self._up_since_s: float | None = None
        self._was_up = False
        self._transitions: list[Transition] = []

    @property
    def attempt(self) -> int:
        """Attempts since the last stable connection."""
        return self._attempt

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will be tried."""
        return self.state in (ConnectionState.STOPPED, ConnectionState.NEEDS_OPERATOR)

    def announce(self) -> list[Transition]:
        """Return the changes of state since the last call."""
        transitions, self._transitions = self._transitions, []
        return transitions

    def handle(self, stimulus: Stimulus, now_s: float) -> list[Command]:
        """
        Take in what happened.

        Args:
            stimulus: What happened.
            now_s: Monotonic time, seconds from any start.

        Returns:
            What to do, in order.
        """
        if self.is_finished:
            return []
        match stimulus:
            case Start() if self.state is ConnectionState.IDLE:
                return self._dial()
            case Timer() | Retry() if self.state is ConnectionState.RECONNECTING:
                return self._dial()
            case Up() if self.state is ConnectionState.CONNECTING:
                self._up_since_s = now_s
                self._was_up = True
                self._enter(ConnectionState.CONNECTED)
                return []
            case Down() if self.state in (ConnectionState.CONNECTING, ConnectionState.CONNECTED):
                return self._lost(stimulus, now_s)
            case Stop():
                self._enter(ConnectionState.STOPPED, cause=Cause.STOPPED)
                return [Hangup(), Finish(Cause.STOPPED)]
        return []

    def _dial(self) -> list[Command]:
        self._enter(ConnectionState.CONNECTING)
        return [Dial(self._attempt)]

    def _lost(self, down: Down, now_s: float) -> list[Command]:
        if self._up_since_s is not None and now_s - self._up_since_s >= STABLE_AFTER_S:
            self._attempt = 0
        self._up_since_s = None
        if self._was_up and down.cause is Cause.OFFLINE:
            # It was live a moment ago: the end came while we were away.
            down = Down(Cause.LIVE_ENDED, "The live ended while the connection was down.")
        final = ConnectionState.NEEDS_OPERATOR if down.hopeless else _HOPELESS.get(down.cause)
        if final is None and not self._was_up and not self._keep_trying:
            final = ConnectionState.NEEDS_OPERATOR
        if final is None and self._policy.is_exhausted(self._attempt + 1):
            final = ConnectionState.NEEDS_OPERATOR
        if final is not None:
            self._enter(final, cause=down.cause, detail=down.detail)
            return [Finish(down.cause)]
        self._attempt += 1
        wait_s = max(self._policy.delay_s(self._attempt, self._rng), down.retry_after_s or 0.0)
        self._enter(ConnectionState.RECONNECTING, wait_s=wait_s, cause=down.cause, detail=down.detail)
        return [Wait(wait_s)]

    def _enter(
        self,
        state: ConnectionState,
        *,
        wait_s: float | None = None,
        cause: Cause | None = None,
        detail: str = "",
    ) -> None:
        self._transitions.append(
            Transition(self.state, state, self._attempt, self._policy.attempts_max, wait_s, cause, detail)
        )
        self.state = state
