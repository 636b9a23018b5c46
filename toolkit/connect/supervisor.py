"""
What to do when a connection comes up, ends or fails.

Sans-IO: a stimulus and the time go in, commands come out. The caller owns the
socket, the clock and the timers, carries the commands out in order, and reports
what came of them with the next stimulus. Where each state can lead is one table,
:data:`toolkit.connect.transitions.TRANSITIONS`; why it leads there is the cause:

    cause                           what happens
    network, silence                backoff, and a probe every 2 s that cuts it short
    closed, internal, signer        backoff
    unusable: an answer of the      backoff twice; from the third in a row on 5 to 60
      signer, a frame without end     minutes, for each costs a signature in vain
    signer with a named wait        no signature before that time, kept over a restart
    blocked                         5 to 60 minutes
    offline                         a look every minute, without a signature
    live ended                      the same if told to keep waiting, else the end; who is
                                      back in the same room soon goes on with the recording
    unknown user, refused key       the operator

A person at a terminal (``keep_trying=False``) gets the reason of a first failure at
once; a server waits.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.breaker import OPEN_S, BreakerState, CircuitBreaker
from toolkit.connect.budget import SignBudget
from toolkit.connect.stability import Stability
from toolkit.connect.stimuli import (
    Command,
    Conclude,
    Dial,
    Down,
    Finish,
    Hangup,
    Live,
    Probe,
    ProbeFailed,
    ProbeOk,
    Resolve,
    Retry,
    Start,
    Stimulus,
    Stop,
    Timer,
    Up,
    Wait,
)
from toolkit.connect.transitions import TRANSITIONS
from toolkit.model.connection import ConnectionState, Transition
from toolkit.model.recording import RETURN_WITHIN_S, Cause

__all__ = ["Supervisor"]

STABLE_AFTER_S = 60.0
"""A connection that lived this long starts the count of attempts afresh. Shorter
ones do not: a server that accepts and drops at once must not be dialled forever."""
PROBE_EVERY_S = 2.0
PROBE_FIRST_S = (0.2, 1.0)
"""The first probe comes after a moment drawn from this range: a server that drops a
thousand clients is not called by all of them in the same instant."""
LOOK_EVERY_S = 60.0
LOOK_JITTER = 0.2
BLOCKED_POLICY = BackoffPolicy(base_s=335.0, multiplier=2.0, ceiling_s=3270.0, jitter=0.1, attempts_max=0)
"""5 to 60 minutes, jitter included: asking a site that blocks us prolongs the block."""
UNUSABLE_MAX = 2
"""Dials in a row whose yield was of no use and that are followed by the usual wait. A
signing service that restarts answers nonsense once or twice; one that points elsewhere,
or is no signing service, would be sent a signature's worth of requests for ever."""
TIMER_SLACK_S = 0.01
"""A timer of the operating system may be this early."""

_NETWORK = frozenset({Cause.NETWORK, Cause.SILENCE})
"""Causes after which reaching the server means that a dial is worth its signature."""
_AWAY = "The network is away. The live is dialled as soon as it is back."
_NO_SIGNATURE = "No signature may be asked for now: the limit is used up, or the service asked to wait."
_IN_VAIN = "It is so each time, so the next attempt is minutes away; Reconnect makes one now."
_MAY_RETURN = "If the same live goes on within ten minutes, so does its recording."
_RESTING = "Connections kept failing: a pause, then one more attempt."


class Supervisor:
    """
    One recorder's connection, decided.

    Attributes:
        state: Where it stands.
        budget: Signatures spent and left.
        breaker: What repeated failures lead to.
        stability: How well it went so far.
    """

    def __init__(
        self,
        policy: BackoffPolicy,
        rng: Random,
        *,
        keep_trying: bool = True,
        keep_waiting: bool = False,
        budget: SignBudget | None = None,
    ) -> None:
        """
        Start idle.

        Args:
            policy: Waits between attempts.
            rng: Source of the jitter and of the outages' ids.
            keep_trying: Whether a first connection that fails is tried again, and a
                live that has not begun is waited for.
            keep_waiting: Whether, after a live has ended, the next one is waited for.
            budget: Signatures; none are counted out by default.
        """
        self.state = ConnectionState.IDLE
        self.budget = budget or SignBudget()
        self.breaker = CircuitBreaker(open_s=min(OPEN_S, policy.ceiling_s))
        self.stability = Stability()
        self._policy = policy
        self._rng = rng
        # Who waits for the next live has the patience for this one.
        self._keep_trying = keep_trying or keep_waiting
        self._keep_waiting = keep_waiting
        self._attempt = 0
        self._blocked = 0
        self._unusable = 0
        self._outage = ""
        self._up_since_s: float | None = None
        self._was_up = False
        self._wait_until_s = 0.0
        self._cause: Cause | None = None
        self._is_probing = False
        self._is_reachable: bool | None = None
        self._is_looking = False
        self._transitions: list[Transition] = []

    @property
    def attempt(self) -> int:
        """Attempts since the last stable connection."""
        return self._attempt

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will be tried."""
        return self.state in (ConnectionState.STOPPED, ConnectionState.NEEDS_OPERATOR)

    def is_settling(self, now_s: float) -> bool:
        """Return whether it is connected, but only just again: it may not last."""
        return self._attempt > 0 and self._up_since_s is not None and not self._is_stable(now_s)

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
        allowed = TRANSITIONS[self.state].get(type(stimulus))
        if allowed is None:
            return []
        commands = self._answer(stimulus, now_s)
        assert self.state in allowed, (stimulus, self.state)
        return commands

    def _answer(self, stimulus: Stimulus, now_s: float) -> list[Command]:
        match stimulus:
            case Start():
                return self._resolve(now_s)
            case Live():
                return self._found(now_s)
            case Up():
                self._up_since_s = now_s
                self._was_up = True
                self.breaker.connected()
                self._enter(ConnectionState.CONNECTED, now_s)
                return []
            case Down():
                if self.state is ConnectionState.WAITING:
                    return self._not_found(stimulus, now_s)
                return self._lost(stimulus, now_s)
            case Timer():
                return self._time_is_up(now_s)
            case ProbeOk():
                return self._reached(now_s)
            case ProbeFailed():
                return self._not_reached()
            case Retry():
                return self._urged(now_s)
            case Stop():
                self._enter(ConnectionState.STOPPED, now_s, cause=Cause.STOPPED)
                return [Hangup(), Finish(Cause.STOPPED)]

    # -- towards a connection ---------------------------------------------

    def _resolve(self, now_s: float) -> list[Command]:
        self._is_probing = False
        self._enter(ConnectionState.RESOLVING, now_s)
        return [Resolve(self._attempt)]

    def _found(self, now_s: float) -> list[Command]:
        """Dial, if a signature may be spent."""
        self._is_looking = False
        wait_s, why, cause = self.budget.wait_s(now_s), _NO_SIGNATURE, Cause.SIGNER
        if wait_s == 0.0:
            if self.breaker.let_through(now_s):
                self.budget.spend(now_s)
                self._enter(ConnectionState.CONNECTING, now_s)
                return [Dial(self._attempt)]
            wait_s, why, cause = self.breaker.wait_s(now_s), _RESTING, self._cause or Cause.CLOSED
        self._begin_outage(now_s)
        if self._is_impatient():
            return self._give_up(cause, why, now_s)
        # No attempt was made, so none is counted.
        return self._wait_to_retry(wait_s, cause, why, now_s)

    def _time_is_up(self, now_s: float) -> list[Command]:
        if self._is_looking:
            return []
        early_s = self._wait_until_s - now_s
        if early_s > TIMER_SLACK_S:
            # The timer of an older wait, or a clock that is not ours.
            return [Wait(early_s)]
        if self.state is ConnectionState.WAITING:
            return self._look()
        if self._is_probing and not self._is_reachable:
            self._enter(ConnectionState.RECONNECTING, now_s, cause=self._cause, detail=_AWAY)
            return []
        return self._resolve(now_s)

    def _look(self) -> list[Command]:
        """Look whether the live is on. The state does not change until it is."""
        self._is_looking = True
        return [Resolve(self._attempt)]

    def _urged(self, now_s: float) -> list[Command]:
        """Do as the operator says, except ask for a signature that is not there."""
        if self.state is ConnectionState.WAITING:
            return [] if self._is_looking else self._look()
        if self.state is ConnectionState.NEEDS_OPERATOR:
            self._attempt = self._blocked = self._unusable = 0
        self.breaker.rest_is_over()
        return self._resolve(now_s)

    # -- the probe --------------------------------------------------------

    def _reached(self, now_s: float) -> list[Command]:
        if not self._is_probing:
            return []
        is_back = self._is_reachable is False
        if is_back:
            self.stability.reachable_again(now_s)
        self._is_reachable = True
        is_due = now_s >= self._wait_until_s - TIMER_SLACK_S
        # Early once per outage, and once each time the network comes back: a server
        # that can be reached and still refuses is not asked again at the probe's pace.
        may_be_early = (is_back or self._attempt == 1) and self.breaker.state is BreakerState.CLOSED
        if is_due or (may_be_early and self.budget.wait_s(now_s) == 0.0):
            return self._resolve(now_s)
        return [Probe(PROBE_EVERY_S)]

    def _not_reached(self) -> list[Command]:
        if not self._is_probing:
            return []
        self._is_reachable = False
        return [Probe(PROBE_EVERY_S)]

    # -- away from it -----------------------------------------------------

    def _is_stable(self, now_s: float) -> bool:
        return self._up_since_s is not None and now_s - self._up_since_s >= STABLE_AFTER_S

    def _is_impatient(self) -> bool:
        return not self._was_up and not self._keep_trying

    def _lost(self, down: Down, now_s: float) -> list[Command]:
        was_dialled = self.state is not ConnectionState.RESOLVING
        if self._is_stable(now_s):
            self._attempt = self._blocked = self._unusable = 0
            self.breaker.lasted()
        elif was_dialled:
            self.breaker.failed(now_s)
        if down.is_unusable:
            self._unusable += 1
        elif self.state is ConnectionState.CONNECTED:
            # It came up and ended otherwise: what it was given was of use.
            self._unusable = 0
        self._up_since_s = None
        if down.retry_after_s is not None and down.cause is not Cause.INTERNAL:
            # Outlives this process. A wait for our own disk does not concern the signer.
            self.budget.hold(down.retry_after_s, now_s)
        if self._was_up and down.cause is Cause.OFFLINE:
            # It was live a moment ago: the end came while we were away.
            down = Down(Cause.LIVE_ENDED, "The live ended while the connection was down.")
        if down.cause in (Cause.LIVE_ENDED, Cause.OFFLINE, Cause.STOPPED):
            return self._over(down, now_s)
        self._begin_outage(now_s)
        is_exhausted = self._policy.is_exhausted(self._attempt + 1)
        if _is_hopeless(down) or self._is_impatient() or is_exhausted:
            return self._give_up(down.cause, down.detail, now_s)
        self._attempt += 1
        detail = f"{down.detail} {_IN_VAIN}" if self._is_in_vain(down) else down.detail
        return self._wait_to_retry(self._pause_s(down, now_s), down.cause, detail, now_s)

    def _over(self, down: Down, now_s: float) -> list[Command]:
        """There is nothing to be connected to: wait for the live, or end."""
        had_one, self._was_up = self._was_up, False
        self.breaker.lasted()
        if down.cause is Cause.LIVE_ENDED and self._keep_waiting:
            self._attempt = 0
            if not had_one:
                return self._wait_for_live(down, now_s)
            down = replace(down, detail=f"{down.detail} {_MAY_RETURN}".strip())
            return [Conclude(RETURN_WITHIN_S), *self._wait_for_live(down, now_s)]
        if down.cause is Cause.OFFLINE and self._keep_trying:
            self._attempt = 0
            return self._wait_for_live(down, now_s)
        if down.cause is Cause.OFFLINE:
            return self._give_up(down.cause, down.detail, now_s)
        self._enter(ConnectionState.STOPPED, now_s, cause=down.cause, detail=down.detail)
        return [Finish(down.cause)]

    def _not_found(self, down: Down, now_s: float) -> list[Command]:
        """Take in that a look while waiting found no live."""
        self._is_looking = False
        if _is_hopeless(down):
            return self._give_up(down.cause, down.detail, now_s)
        return self._wait_for_live(down, now_s)

    def _wait_for_live(self, down: Down, now_s: float) -> list[Command]:
        wait_s = LOOK_EVERY_S * (1 + self._rng.uniform(-LOOK_JITTER, LOOK_JITTER))
        if down.cause is Cause.BLOCKED:
            wait_s = self._pause_s(down, now_s)
        wait_s = max(wait_s, down.retry_after_s or 0.0)
        self._wait_until_s = now_s + wait_s
        self._enter(ConnectionState.WAITING, now_s, wait_s=wait_s, cause=down.cause, detail=down.detail)
        return [Wait(wait_s)]

    def _wait_to_retry(self, wait_s: float, cause: Cause, detail: str, now_s: float) -> list[Command]:
        self._wait_until_s = now_s + wait_s
        self._cause = cause
        self._is_probing, self._is_reachable = cause in _NETWORK, None
        self._enter(ConnectionState.RECONNECTING, now_s, wait_s=wait_s, cause=cause, detail=detail)
        probe = [Probe(self._rng.uniform(*PROBE_FIRST_S))] if self._is_probing else []
        return [Wait(wait_s), *probe]

    def _pause_s(self, down: Down, now_s: float) -> float:
        if down.cause is Cause.BLOCKED:
            self._blocked += 1
            pause_s = BLOCKED_POLICY.delay_s(self._blocked, self._rng)
        elif self._is_in_vain(down):
            pause_s = BLOCKED_POLICY.delay_s(self._unusable - UNUSABLE_MAX, self._rng)
        else:
            pause_s = self._policy.delay_s(max(self._attempt, 1), self._rng)
        asked_s = down.retry_after_s or 0.0
        return max(pause_s, asked_s, self.budget.wait_s(now_s), self.breaker.wait_s(now_s))

    def _is_in_vain(self, down: Down) -> bool:
        return down.is_unusable and self._unusable > UNUSABLE_MAX

    def _give_up(self, cause: Cause, detail: str, now_s: float) -> list[Command]:
        self._enter(ConnectionState.NEEDS_OPERATOR, now_s, cause=cause, detail=detail)
        return [Finish(cause)]

    # -- telling ----------------------------------------------------------

    def _begin_outage(self, now_s: float) -> None:
        self.stability.lost(now_s)
        self._outage = self._outage or f"{self._rng.getrandbits(32):08x}"

    def _enter(
        self,
        state: ConnectionState,
        now_s: float,
        *,
        wait_s: float | None = None,
        cause: Cause | None = None,
        detail: str = "",
    ) -> None:
        self._transitions.append(
            Transition(
                self.state,
                state,
                self._attempt,
                self._policy.attempts_max,
                wait_s,
                cause,
                detail,
                self._outage,
            )
        )
        self.state = state
        self.stability.moved(state, now_s)
        if state in _ENDS_OUTAGE:
            self._outage = ""


_ENDS_OUTAGE = frozenset(
    {
        ConnectionState.CONNECTED,
        ConnectionState.WAITING,
        ConnectionState.NEEDS_OPERATOR,
        ConnectionState.STOPPED,
    }
)


def _is_hopeless(down: Down) -> bool:
    return down.hopeless or down.cause is Cause.UNKNOWN_USER
