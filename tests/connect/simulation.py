"""
The supervisor in a small world with its own truth, hour after hour, from seeds.

The world decides when the network is there, when the live is on, what the signing
service answers. It carries out commands as the recorder does, and an oracle that
knows nothing of the supervisor's inside checks every one of them.

    python tests/connect/simulation.py --hours 1000           look for a failing seed
    python tests/connect/simulation.py --seed 4711 --tell     what happened in one
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import sys
import time
from dataclasses import dataclass, field
from random import Random

from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.budget import SignBudget, SignLimits
from toolkit.connect.stimuli import (
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
    Stop,
    Timer,
    Up,
    Wait,
)
from toolkit.connect.supervisor import Supervisor
from toolkit.model.connection import ConnectionState
from toolkit.model.recording import Cause

HOUR_S = 3600.0
WALL_US = 1_700_000_000_000_000
STEPS_MAX = 40_000
"""In an hour of probes every 2 s there are 1,800; this many is a loop."""
BACK_S_MAX = 5.0
IN_VAIN_AFTER = 2
STABLE_S, PAUSE_S, DIALS_TO_PAUSE = 60.0, 30.0, 3
RETURN_S = 600.0
NEAR_S = 0.05
"""Clocks are floats, and timers may be a moment early."""
NOTICED_AFTER_S = 14.0
"""A line that went dead without a word; any other end comes at once, whatever was heard last."""
QUIET_S_MAX = 8.0
"""Between the last thing heard and such an end."""


class Violation(AssertionError):
    """The supervisor did what it must not."""


@dataclass
class Spans:
    """When something is the case: sorted stretches of world time."""

    spans: list[tuple[float, float]]

    def at(self, t):
        """Return whether it is the case now."""
        return any(a <= t < b for a, b in self.spans)

    def ends(self):
        """Return when each stretch ends."""
        return [b for _, b in self.spans]


def draw_spans(rng, pause_s, lengths):
    """Return stretches with pauses around ``pause_s`` and a length drawn from a list of ranges."""
    spans, t = [], rng.expovariate(1 / pause_s)
    while t < 2 * HOUR_S:
        length = rng.uniform(*rng.choice(lengths))
        spans.append((t, t + length))
        t += length + rng.expovariate(1 / pause_s)
    return Spans(spans)


@dataclass
class Result:
    """What one hour came to."""

    steps: int = 0
    dials: int = 0
    backs_s: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


class Line:
    """What came over the line, and when: what is connected time, and what a gap."""

    def __init__(self):
        self.up_s = 0.0  # of the connections before this one
        self.up_at = self.silent_at = None
        self.gap_at = None
        self.connected_s = self.disconnected_s = self.before_gap_s = 0.0

    def up(self, t, silent_at):
        """A connection stands, on which the last thing is said at ``silent_at``."""
        self.up_at, self.silent_at = t, silent_at

    def down(self, t, in_order):
        """It has ended. If not in order, a gap began with the last thing heard."""
        self.up_s += (t if in_order else self.heard_at(t)) - self.up_at
        self.gap_at = None if in_order else self.heard_at(t)
        self.before_gap_s = self.disconnected_s
        self.up_at = None

    def heard_at(self, t):
        """Return when something was last heard on the connection that stands."""
        return min(t, self.silent_at)

    def judge(self, t, figures):
        """Hold figures against it, at any moment: nothing unheard counts, nothing is taken back."""
        true = self.up_s + (0.0 if self.up_at is None else self.heard_at(t) - self.up_at)
        if abs(figures["connected_s"] - true) > NEAR_S / 10:
            raise Violation(f"connected {true:.3f} s, it says {figures['connected_s']:.3f} s")
        for name in ("connected_s", "disconnected_s"):
            if figures[name] < getattr(self, name):
                raise Violation(f"{name} fell from {getattr(self, name)} to {figures[name]}")
            setattr(self, name, figures[name])

    def judge_gap(self, t):
        """The whole of a gap was disconnected, where a connection was wanted all the time."""
        if self.gap_at is None:
            return
        told, true = self.disconnected_s - self.before_gap_s, t - self.gap_at
        if abs(told - true) > NEAR_S / 10:
            raise Violation(f"of a gap of {true:.3f} s, {told:.3f} s count as disconnected")


class Oracle:
    """What must hold whatever happens, judged from outside; it keeps its own books."""

    def __init__(self, policy, limits, keep_trying, keep_waiting):
        self.policy, self.limits = policy, limits
        self.keep_trying, self.keep_waiting = keep_trying, keep_waiting
        self.dials: list[float] = []
        self.not_before = 0.0
        self.forget()

    def forget(self):
        """Begin a process: what it alone knew is gone; signatures and deadlines are not."""
        self.failures = 0  # attempts in a row that failed
        self.failed_dials = 0
        self.last_dial_failed_at = -HOUR_S
        self.blocked = 0
        self.in_vain = 0  # dials in a row that brought nothing of use
        self.up_at = None
        self.was_up = False
        self.has_had_attempt = False
        self.retried = False
        self.probe_said = None
        self.last_down = None
        self.found_live = False
        self.due_at = 0.0
        self.was_away = self.is_postponed = False
        self.is_out = False
        self.outages = self.reconnects = self.given_up = 0
        self.last_room, self.over_at = None, None

    def lose(self):
        """An outage begins, unless one is on."""
        self.outages += not self.is_out
        self.is_out = True

    def _fail(self, sentence):
        raise Violation(sentence)

    def budget_wait(self, t):
        """Return how long no signature may be spent."""
        waits = [self.not_before - t, 0.0]
        for width, limit in ((60, self.limits.minute), (3600, self.limits.hour), (86_400, self.limits.day)):
            inside = [d for d in self.dials if d > t - width]
            if limit and len(inside) >= limit:
                waits.append(inside[-limit] + width - t)
        return max(waits)

    def pause(self, t):
        """Return how long the breaker must keep dials back."""
        if self.failed_dials < DIALS_TO_PAUSE:
            return 0.0
        return max(0.0, self.last_dial_failed_at + min(PAUSE_S, self.policy.ceiling_s) - t)

    def resolve(self, t, command, state):
        """A look-up begins."""
        waited_for_network = self.last_down is not None and self.last_down.cause in (
            Cause.NETWORK,
            Cause.SILENCE,
        )
        if self.is_postponed and self.probe_said is None:
            waited_for_network = False
        if state is ConnectionState.RESOLVING and waited_for_network and not self.retried:
            if self.probe_said is not True:
                self._fail("a look-up while the network was not known to be there")
            is_early = t < self.due_at - NEAR_S
            if is_early and not (self.was_away or self.failures == 1):
                self._fail("a look-up at the probe's pace")
            if is_early and (self.failed_dials >= DIALS_TO_PAUSE or self.budget_wait(t) > NEAR_S):
                self._fail("an early look-up that cannot lead to a dial")
        elif not self.retried and t < self.due_at - NEAR_S:
            self._fail("a look-up before its time")
        if command.attempt != self.failures:
            self._fail(f"attempt {command.attempt} announced, {self.failures} were made")
        self.retried = False
        self.found_live = False

    def dial(self, t):
        """A signature is asked for."""
        if not self.found_live:
            self._fail("a signature for a live that was not found")
        if self.budget_wait(t) > NEAR_S:
            self._fail(f"a signature {self.budget_wait(t):.1f} s too early")
        if self.pause(t) > NEAR_S:
            self._fail("a dial through an open breaker")
        self.dials.append(t)
        self.found_live = False

    def recorded(self, t, room, goes_on):
        """The connection is recorded: into the same recording if it is the same broadcast, soon enough."""
        in_time = self.over_at is None or t <= self.over_at + RETURN_S
        if goes_on != (room == self.last_room and in_time):
            self._fail("one broadcast was cut in two" if in_time else "two recordings became one")
        self.last_room, self.over_at = room, None

    def is_left_open(self, t):
        """Whether a recording that is open now should have been completed."""
        return self.over_at is not None and t > self.over_at + RETURN_S + NEAR_S

    def up(self, t):
        """The connection stands."""
        self.up_at, self.was_up = t, True
        self.reconnects += self.is_out
        self.is_out = False

    def down(self, t, down, was_dialled, looking):
        """An attempt or a connection ended."""
        self.last_down, self.probe_said = down, None
        if down.retry_after_s is not None:
            self.not_before = max(self.not_before, t + min(down.retry_after_s, HOUR_S))
        if self.up_at is not None and t - self.up_at >= STABLE_S:
            self.failures = self.failed_dials = self.blocked = self.in_vain = 0
        elif was_dialled:
            self.failed_dials += 1
            self.last_dial_failed_at = t
        if down.is_unusable:
            self.in_vain += 1
        elif self.up_at is not None:
            self.in_vain = 0
        self.up_at = None
        if down.cause in (Cause.OFFLINE, Cause.LIVE_ENDED):
            self.is_out = False
        elif not looking:
            self.failures += 1
            self.lose()

    def wait(self, t, seconds, state, postponed):
        """A wait was chosen: neither too short nor too long."""
        self.due_at, self.was_away = t + seconds, False
        self.is_postponed, self.probe_said = postponed, None
        down = self.last_down
        forced = max(self.budget_wait(t), self.pause(t))
        if postponed:
            low, high = forced, forced
            self.lose()
        elif state is ConnectionState.WAITING and down.cause is not Cause.BLOCKED:
            low, high = 48.0, max(72.0, down.retry_after_s or 0)
        elif down.cause is Cause.BLOCKED or (down.is_unusable and self.in_vain > IN_VAIN_AFTER):
            # Two to the power of how often it was so, from 5 minutes, to an hour.
            is_blocked = down.cause is Cause.BLOCKED
            times = self.blocked if is_blocked else self.in_vain - IN_VAIN_AFTER - 1
            low, high = min(300.0 * 2**times, 2900.0), 3600.0
            high = min(high, 370.0 * 2**times)
            self.blocked += is_blocked
            low, high = max(low, forced), max(high, forced)
        else:
            grown = min(
                self.policy.base_s * self.policy.multiplier ** (self.failures - 1), self.policy.ceiling_s
            )
            low = max(grown * (1 - self.policy.jitter), forced)
            high = max(grown * (1 + self.policy.jitter), forced)
        if not low - NEAR_S <= seconds <= high + NEAR_S:
            self._fail(f"a wait of {seconds:.1f} s, due were {low:.1f} to {high:.1f} s")

    def finish(self, t, state, cause, postponed):
        """It gave up or ended."""
        if postponed:
            self.lose()
        self.given_up += self.is_out and state is ConnectionState.NEEDS_OPERATOR
        self.is_out = False
        self.last_room = self.over_at = None
        down, limit = self.last_down, self.policy.attempts_max
        ended = self.was_up and down is not None and down.cause in (Cause.OFFLINE, Cause.LIVE_ENDED)
        ended = ended or (down is not None and down.cause is Cause.LIVE_ENDED)
        if state is ConnectionState.STOPPED:
            if not ended or self.keep_waiting:
                self._fail("it stopped without being told to")
            return
        impatient = not self.was_up and not (self.keep_trying or self.keep_waiting)
        exhausted = limit > 0 and self.failures > limit
        hopeless = down is not None and (down.hopeless or down.cause is Cause.UNKNOWN_USER)
        if not (hopeless or exhausted or impatient):
            self._fail(f"it gave up after {self.failures} failures ({cause})")

    def goes_on(self):
        """A wait or a look-up follows a failure: it must not be one too many."""
        down, limit = self.last_down, self.policy.attempts_max
        if down is not None and (down.hopeless or down.cause is Cause.UNKNOWN_USER):
            self._fail("it goes on where only the operator can")
        if limit and self.failures > limit:
            self._fail(f"attempt {self.failures} of {limit}")


class World:
    """One hour."""

    def __init__(self, seed):
        self.rng = rng = Random(seed)
        self.t = 0.0
        self.heap, self.serial = [], itertools.count()
        self.result = Result()
        lengths = [(0.5, 4), (2, 20), (20, 120), (120, 900)]
        never = Spans([])
        self.down = draw_spans(rng, rng.choice([60, 300, 1500]), lengths)
        self.refusing = draw_spans(rng, 1200, [(5, 300)]) if rng.random() < 0.4 else never
        self.signer_out = draw_spans(rng, 1200, [(5, 300)]) if rng.random() < 0.3 else never
        self.strict = draw_spans(rng, 1000, [(10, 200)]) if rng.random() < 0.3 else never
        self.blocking = draw_spans(rng, 2000, [(60, 1500)]) if rng.random() < 0.2 else never
        self.off = draw_spans(rng, 1500, [(30, 900)]) if rng.random() < 0.5 else never
        # Of their own dice, so that the seeds from before tell the same stories.
        more = Random(f"in vain {seed}")
        self.garbled = draw_spans(more, 1200, [(5, 60), (60, 1800)]) if more.random() < 0.3 else never
        self.endless = draw_spans(more, 1200, [(5, 60), (60, 1800)]) if more.random() < 0.15 else never
        self.quiet = Random(f"quiet {seed}")
        # After each time off: the same broadcast, or another one.
        rooms = Random(f"rooms {seed}")
        self.rooms = list(itertools.accumulate(rooms.random() < 0.5 for _ in self.off.spans))
        self.flaky_s = rng.choice([None, None, 20, 200, 1000])
        self.quota = rng.choice([None, 3, 6])
        self.is_unknown = rng.random() < 0.02
        self.policy = BackoffPolicy(
            base_s=rng.choice([0.1, 5, 5]),
            attempts_max=rng.choice([0, 3, 10]),
            ceiling_s=rng.choice([20, 300]),
        )
        self.limits = rng.choice([SignLimits(), SignLimits(minute=2, hour=9, day=12), SignLimits(minute=0)])
        patience = {"keep_trying": rng.random() < 0.85, "keep_waiting": rng.random() < 0.6}
        self.patience = patience
        self.oracle = Oracle(self.policy, self.limits, **patience)
        self.signed: list[float] = []
        self.saved = None
        self.operator_s = rng.choice([None, 120, 600])
        self.boot()
        for t in self.down.ends():
            self.at(t, self._network_is_back)
        self.back_since = None
        for _ in range(rng.choice([0, 0, 1, 4])):
            self.at(rng.uniform(100, 3500), self._crash)
        for _ in range(rng.choice([0, 10, 100])):
            self.at(rng.uniform(0, 3500), self._late)
        self._next_click()

    # -- a process -----------------------------------------------------------

    def boot(self):
        """Start a supervisor, with what an earlier one saved."""
        rng = self.rng
        self.mono_s = rng.uniform(0, 1e6) - self.t
        budget = SignBudget(self.limits)
        if self.saved is not None:
            budget.restore(json.loads(self.saved), self.mono, self.wall)
        self.supervisor = Supervisor(self.policy, Random(rng.random()), budget=budget, **self.patience)
        self.oracle.forget()
        self.life = object()
        self.timer = self.probe = self.work = self.connection = None
        self.recording = self.sealing = None
        self.line = Line()
        self.finished = False
        self.tell(Start())

    @property
    def mono(self):
        """The process's monotonic clock."""
        return self.t + self.mono_s

    @property
    def wall(self):
        """The wall clock."""
        return WALL_US + int(self.t * 1e6)

    def _crash(self):
        if self.finished:
            return
        self.note("crash")
        self.life = self.back_since = None
        self.work = self.connection = None
        self.at(self.t + self.rng.uniform(1, 60), self.boot)

    def at(self, t, action):
        """Do something later."""
        heapq.heappush(self.heap, (t, next(self.serial), action))

    def after(self, seconds, action):
        """Do something later, in this process; return a mark that cancels it when replaced."""
        mark, life = object(), self.life

        def act():
            if self.life is life:
                action(mark)

        self.at(self.t + seconds, act)
        return mark

    def note(self, text):
        """Keep a line of what happened."""
        self.result.told.append(f"{self.t:9.2f} {text}")

    def run(self, until_s=HOUR_S):
        """Run to the end and return what it came to."""
        while self.heap and self.heap[0][0] < until_s:
            self.t, _, action = heapq.heappop(self.heap)
            action()
            self.result.steps += 1
            if self.result.steps > STEPS_MAX:
                raise Violation("it runs in circles")
            self._look()
        self.t = until_s
        if self.life is not None and not self.finished:
            self.tell(Stop())
            if self.supervisor.state is not ConnectionState.STOPPED or self.connection or self.work:
                raise Violation("stop did not stop")
            self._judge_time()
        return self.result

    def _look(self):
        """Judge the moment."""
        if self.life is None or self.finished:
            return
        supervisor = self.supervisor
        self._judge_time()
        if (supervisor.state is ConnectionState.CONNECTED) != (self.connection is not None):
            raise Violation(f"it says {supervisor.state.value}, and it is not so")
        if not (self.timer or self.probe or self.work or self.connection):
            raise Violation(f"it is stuck in {supervisor.state.value}")
        if self.recording is not None and self.oracle.is_left_open(self.t):
            raise Violation("a recording that is over was left open")
        since = self.back_since
        if since is not None and self.t - since > BACK_S_MAX:
            raise Violation(f"not back {self.t - since:.1f} s after the network was")

    # -- what happens --------------------------------------------------------

    def _network_is_back(self):
        """Start the stopwatch, if nothing but the network was in the way."""
        oracle, supervisor = self.oracle, self.supervisor
        horizon = [self.t + d for d in (0, 1, 2, 3, 4, 5)]
        hindered = any(
            s.at(t)
            for s in (self.down, self.refusing, self.signer_out, self.strict, self.blocking, self.off)
            for t in horizon
        )
        hindered = hindered or any(s.at(t) for s in (self.garbled, self.endless) for t in horizon)
        may_dial = oracle.budget_wait(self.t) <= 0 and oracle.pause(self.t) <= 0 and self._quota_left()
        waited = supervisor.state is ConnectionState.RECONNECTING and oracle.probe_said is False
        probing = self.life is not None and self.probe is not None
        if probing and waited and may_dial and not hindered and oracle.failed_dials < DIALS_TO_PAUSE:
            self.back_since = self.t

    def _quota_left(self):
        recent = [t for t in self.signed if t > self.t - 60]
        return self.quota is None or len(recent) < self.quota

    def _next_click(self):
        if self.operator_s is None:
            return

        def click():
            if self.life is not None and not self.finished:
                self._click()
            self._next_click()

        self.at(self.t + self.rng.expovariate(1 / self.operator_s), click)

    def _late(self):
        """Something arrives that was cancelled a moment ago, or that is not for now."""
        if self.life is None or self.finished:
            return
        before = self.supervisor.state, self.timer, self.probe, self.work, self.connection
        stimulus = self.rng.choice([Timer(), Timer(), Start()])
        is_due = self.t >= self.oracle.due_at - NEAR_S
        self.tell(stimulus)
        after = self.supervisor.state, self.timer, self.probe, self.work, self.connection
        if not is_due and (before[0], *before[2:]) != (after[0], *after[2:]):
            raise Violation(f"a stray {type(stimulus).__name__} was acted upon")

    def _click(self):
        oracle, state = self.oracle, self.supervisor.state
        if state is ConnectionState.NEEDS_OPERATOR:
            oracle.failures = oracle.blocked = oracle.in_vain = 0
            oracle.last_down = None
        if state in (ConnectionState.NEEDS_OPERATOR, ConnectionState.RECONNECTING):
            # Something has changed, says the operator: the breaker's pause is over.
            oracle.retried, oracle.last_dial_failed_at = True, -HOUR_S
        oracle.retried = oracle.retried or (state is ConnectionState.WAITING and not self.work)
        self.tell(Retry())
        if not (self.work or self.connection or self.finished):
            raise Violation(f"the operator was not heard in {state.value}")

    def tell(self, stimulus):
        """Hand a stimulus over and carry out the answer."""
        self.note(f"{stimulus}")
        before = self.supervisor.state
        commands = self.supervisor.handle(stimulus, self.mono)
        self.supervisor.announce()
        postponed = isinstance(stimulus, Live)
        self.answering = type(stimulus)
        for command in commands:
            self.note(f"    {command}")
            self._carry_out(command, postponed)
        if self.supervisor.state in (ConnectionState.WAITING, ConnectionState.NEEDS_OPERATOR):
            self.line.gap_at = None
        if isinstance(stimulus, Down) and stimulus.retry_after_s is not None:
            self._save()
        if self.supervisor.state is ConnectionState.WAITING and self.oracle.was_up:
            raise Violation("a live is over, and its recording was not told")
        held_back = isinstance(stimulus, Timer) and not commands and before is ConnectionState.RECONNECTING
        if held_back and self.oracle.probe_said is True:
            raise Violation("its time is up, and it held back although the network is there")

    def _carry_out(self, command, postponed):
        oracle, state = self.oracle, self.supervisor.state
        match command:
            case Resolve():
                if self.work or self.connection:
                    raise Violation("two attempts at once")
                self.timer = self.probe = None
                oracle.resolve(self.t, command, state)
                self._look_up()
            case Dial():
                if self.work or self.connection:
                    raise Violation("two connections at once")
                oracle.dial(self.t)
                shown = self.supervisor.breaker.state.value
                if shown != ("half_open" if oracle.failed_dials >= DIALS_TO_PAUSE else "closed"):
                    raise Violation(f"a dial after {oracle.failed_dials} failures shows {shown}")
                self._save()
                self._dial()
            case Wait(seconds):
                if self.answering is Timer:
                    if abs(self.t + seconds - oracle.due_at) > NEAR_S:
                        raise Violation("a wait was set again, to another time")
                else:
                    oracle.goes_on()
                    oracle.wait(self.t, seconds, state, postponed)
                self.timer = self.after(seconds, self._ring)
            case Probe(seconds):
                first = oracle.probe_said is None
                if not (0.2 <= seconds <= 1.0 if first else seconds == 2.0):
                    raise Violation(f"a probe after {seconds} s")
                self.probe = self.after(seconds, self._probe)
            case Conclude(seconds):
                if not (oracle.was_up and self.patience["keep_waiting"]):
                    raise Violation("a recording was completed that was not over")
                oracle.was_up, oracle.over_at = False, self.t
                self.sealing = self.after(seconds, self._seal)
            case Hangup():
                if self.connection is not None:
                    self.line.down(self.t, in_order=True)
                self.timer = self.probe = self.work = self.connection = None
            case Finish(cause):
                self.finished = self.answering is not Stop and state is not ConnectionState.NEEDS_OPERATOR
                self.timer = self.probe = self.recording = self.sealing = None
                if self.answering is not Stop:
                    oracle.finish(self.t, state, cause, postponed)
                    self._judge_figures()
                    if state is ConnectionState.NEEDS_OPERATOR:
                        self._ask_operator()

    def _seal(self, mark):
        if self.sealing is mark:
            self.recording = None

    def _record(self):
        """Go on with what is open, or begin, as the recorder does."""
        room = self.room()
        goes_on = self.recording == room
        self.recording, self.sealing = room, None
        self.oracle.recorded(self.t, room, goes_on)

    def room(self):
        """Return which broadcast is on: the first, or that after the last time off."""
        over = sum(end <= self.t for end in self.off.ends())
        return self.rooms[over - 1] if over else 0

    def _ask_operator(self):
        """The operator comes after a while and says: once more. Or goes home."""
        if self.rng.random() < 0.5 or self.is_unknown:
            self.finished = True
            return

        def again(mark):
            if self.timer is mark:
                self.timer = None
                self._click()

        self.timer = self.after(self.rng.uniform(1, 600), again)

    def _save(self):
        self.saved = json.dumps(self.supervisor.budget.saved(self.mono, self.wall))

    def _ring(self, mark):
        if self.timer is mark:
            self.timer = None
            self.tell(Timer())
            if not (self.timer or self.work) and not self.finished and not self.probe:
                raise Violation("nothing follows a timer")

    def _probe(self, mark):
        if self.probe is not mark:
            return

        def answer(mark):
            if self.probe is mark:
                self.probe = None
                ok = not self.down.at(self.t)
                oracle = self.oracle
                oracle.probe_said, oracle.was_away = ok, oracle.was_away or not ok
                self.tell(ProbeOk() if ok else ProbeFailed())
                if ok and self.t >= oracle.due_at and not self.work:
                    raise Violation("the network is there, the time is up, and nothing is done")

        self.probe = self.after(1.5 if self.down.at(self.t) else self.rng.uniform(0.01, 0.2), answer)

    # -- an attempt ------------------------------------------------------------

    def _look_up(self):
        was_down = self.down.at(self.t)

        def found(mark):
            if self.work is not mark:
                return
            self.work = None
            if self.is_unknown:
                self._report(Down(Cause.UNKNOWN_USER))
            elif was_down or self.down.at(self.t):
                self._report(Down(Cause.NETWORK))
            elif self.blocking.at(self.t):
                self._report(Down(Cause.BLOCKED))
            elif self.off.at(self.t):
                self._report(Down(Cause.OFFLINE))
            else:
                self.oracle.found_live = True
                self.tell(Live())

        self.work = self.after(self.rng.uniform(1, 15) if was_down else self.rng.uniform(0.05, 0.5), found)

    def _report(self, down):
        looking = self.supervisor.state is ConnectionState.WAITING
        if down.cause is Cause.OFFLINE and self.oracle.was_up:
            self.off_after_up = True
        self.oracle.down(self.t, down, False, looking)
        self._after_end(down, looking)

    def _after_end(self, down, looking):
        oracle = self.oracle
        if down.cause in (Cause.OFFLINE, Cause.LIVE_ENDED) and not looking:
            ended = down.cause is Cause.LIVE_ENDED or oracle.was_up
            if self.patience["keep_waiting"] or (self.patience["keep_trying"] and not ended):
                oracle.failures = oracle.failed_dials = 0
        self.back_since = None
        self.tell(down)

    def _dial(self):
        self.result.dials += 1
        rng, began = self.rng, self.t
        took_s = rng.uniform(0.1, 1.0)
        down = self._outcome_of_dial()

        def done(mark):
            if self.work is not mark:
                return
            self.work = None
            if down is None and not self.down.at(self.t):
                self._connected(began)
                return
            self.oracle.down(self.t, down or Down(Cause.NETWORK), True, False)
            self._after_end(down or Down(Cause.NETWORK), False)

        self.work = self.after(took_s, done)

    def _outcome_of_dial(self):
        """Return why it fails; None if it works. The signing service counts."""
        rng = self.rng
        if self.down.at(self.t):
            return Down(Cause.NETWORK)
        if self.signer_out.at(self.t):
            return Down(Cause.SIGNER, hopeless=rng.random() < 0.05)
        quota_left = self._quota_left()
        self.signed.append(self.t)
        if not quota_left or self.strict.at(self.t):
            return Down(Cause.SIGNER, retry_after_s=rng.choice([1.0, 30.0, 120.0, 900.0]))
        if self.garbled.at(self.t):
            return Down(Cause.SIGNER, is_unusable=True)
        if self.refusing.at(self.t):
            return Down(rng.choice([Cause.NETWORK, Cause.CLOSED]))
        return None

    def _connected(self, began):
        rng, t = self.rng, self.t
        if self.back_since is not None:
            self.result.backs_s.append(t - self.back_since)
            self.back_since = None
        ends = [(t + 10 * HOUR_S, Down(Cause.CLOSED))]
        if self.endless.at(t):
            ends.append((t + 0.5, Down(Cause.UNREADABLE, is_unusable=True)))
        if self.flaky_s:
            ends.append((t + rng.expovariate(1 / self.flaky_s), Down(Cause.CLOSED)))
        for a, b in self.down.spans:
            if b > t and b - a > 3:
                if rng.random() < 0.5:
                    ends.append((max(a, t), Down(Cause.NETWORK)))
                elif b - a > NOTICED_AFTER_S:
                    ends.append((max(a, t) + NOTICED_AFTER_S, Down(Cause.SILENCE)))
        ends += [(a, Down(Cause.LIVE_ENDED)) for a, _ in self.off.spans if a > t]
        at, down = min(ends, key=lambda end: end[0])
        at = max(at, t + 0.01)

        def end(mark):
            if self.connection is mark:
                self._judge_time()
                self.connection = None
                self.line.down(self.t, in_order=down.cause is Cause.LIVE_ENDED)
                self.oracle.down(self.t, down, True, False)
                self._after_end(down, False)

        self.connection = self.after(at - t, end)
        silent_s = NOTICED_AFTER_S if down.cause is Cause.SILENCE else self.quiet.uniform(0, QUIET_S_MAX)
        self.oracle.up(t)
        self._record()
        self.tell(Up())
        self.line.up(t, max(t, at - silent_s))
        self._judge_time()
        self.line.judge_gap(t)

    def _judge_time(self):
        """Something comes as long as the line carries it; the figures of time are the world's."""
        if self.connection is not None:
            self.supervisor.stability.heard(self.line.heard_at(self.t) + self.mono_s)
        self.line.judge(self.t, self.supervisor.stability.figures(self.mono))

    def _judge_figures(self):
        """The supervisor's other figures are the world's, too."""
        figures = self.supervisor.stability.figures(self.mono)
        own = tuple(figures[name] for name in ("outages", "reconnects", "given_up"))
        true = (self.oracle.outages, self.oracle.reconnects, self.oracle.given_up)
        if own != true:
            raise Violation(f"outages, reconnects, given up were {true}, it says {own}")
        if not 0 <= (figures["score"] or 0) <= 100:
            raise Violation("a score out of its range")


def run(seed):
    """Run one hour."""
    return World(seed).run()


def how_to_reproduce(seed):
    """Return the command that shows what happened."""
    return f"python tests/connect/simulation.py --seed {seed} --tell"


def main(arguments=None):
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Simulate outages by the hour.")
    parser.add_argument("--seed", type=int, default=0, help="the first hour")
    parser.add_argument("--hours", type=int, default=1)
    parser.add_argument("--tell", action="store_true", help="print what happened")
    args = parser.parse_args(arguments)
    began, backs, dials = time.monotonic(), [], 0
    for seed in range(args.seed, args.seed + args.hours):
        world = World(seed)
        try:
            result = world.run()
        except AssertionError as violation:
            print("\n".join(world.result.told[-2000 if args.tell else -15 :]))
            print(f"seed {seed}: {violation}\n{how_to_reproduce(seed)}")
            return 1
        if args.tell:
            print("\n".join(result.told))
        backs += result.backs_s
        dials += result.dials
    backs.sort()
    p99 = backs[int(0.99 * len(backs))] if backs else float("nan")
    print(
        f"{args.hours} hours, {dials} dials, {len(backs)} times the network returned: "
        f"back after p50 {backs[len(backs) // 2] if backs else 0:.2f} s, p99 {p99:.2f} s, "
        f"at most {backs[-1] if backs else 0:.2f} s; {time.monotonic() - began:.0f} s of this machine's time"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
