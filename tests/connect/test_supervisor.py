"""The supervisor, told as a dialogue: what happened, what it answers."""

from random import Random

import pytest

from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.breaker import FAILURES_MAX, BreakerState
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
from toolkit.connect.supervisor import STABLE_AFTER_S, Supervisor
from toolkit.connect.transitions import TRANSITIONS
from toolkit.model.connection import ConnectionState
from toolkit.model.recording import Cause

EXACT = BackoffPolicy(jitter=0.0)
S = ConnectionState


class Dialogue:
    """A supervisor with exact waits, and a clock that is told."""

    def __init__(self, policy=EXACT, **options):
        self.supervisor, self.now_s = Supervisor(policy, Random(1), **options), 0.0

    def at(self, now_s, *stimuli):
        """Tell what happened at a time; return the last answer."""
        self.now_s = now_s
        return [self.supervisor.handle(stimulus, now_s) for stimulus in stimuli][-1]

    def later(self, seconds, *stimuli):
        """Tell what happened after a while; return the last answer."""
        return self.at(self.now_s + seconds, *stimuli)

    @property
    def state(self):
        """Where it stands."""
        return self.supervisor.state

    def connect(self):
        """Bring it up."""
        assert self.later(0, Start() if self.state is S.IDLE else Timer()) == [
            Resolve(self.supervisor.attempt)
        ]
        assert self.later(0.1, Live()) == [Dial(self.supervisor.attempt)]
        assert self.later(0.1, Up()) == []
        return self


def connected(policy=EXACT, **options):
    """Return one that stands."""
    return Dialogue(policy, **options).connect()


def waits(commands):
    """Return the one wait of an answer, in seconds."""
    return [c.seconds for c in commands if isinstance(c, Wait)]


def test_a_lost_connection_is_dialled_again_after_growing_waits():
    """5, 10, 20 seconds; each wait is followed by a look-up and a dial that know their number."""
    d = connected()
    seen = []
    for attempt in (1, 2, 3):
        (wait,) = d.later(1, Down(Cause.CLOSED))
        seen.append(wait.seconds)
        assert d.state is S.RECONNECTING
        assert d.later(wait.seconds, Timer()) == [Resolve(attempt)]
        assert d.later(0, Live()) == [Dial(attempt)]
        d.later(0, Up())
    assert seen == [5, 10, pytest.approx(30)], "the third failure opens the breaker, whose pause is longer"


def test_waits_grow_to_the_ceiling_when_the_look_up_fails():
    """What costs no signature is not the breaker's business."""
    d = Dialogue()
    d.at(0, Start())
    seen = []
    for _ in range(8):
        (wait,) = d.later(0, Down(Cause.INTERNAL))
        seen.append(wait.seconds)
        d.later(wait.seconds, Timer())
    assert seen == [5, 10, 20, 40, 80, 160, 300, 300]


def test_a_stable_connection_starts_the_count_afresh():
    """A minute of connection forgives; a connection that drops at once does not."""
    d = connected()
    assert d.later(1, Down(Cause.CLOSED)) == [Wait(5)]
    d.later(5, Timer(), Live(), Up())
    assert d.later(STABLE_AFTER_S - 1, Down(Cause.CLOSED)) == [Wait(10)]
    d.later(10, Timer(), Live(), Up())
    assert d.later(STABLE_AFTER_S + 1, Down(Cause.CLOSED)) == [Wait(5)]


def test_it_gives_up_after_the_last_attempt_and_says_so():
    """With two attempts, the third failure is the operator's."""
    d = Dialogue(BackoffPolicy(jitter=0, attempts_max=2))
    d.at(0, Start())
    for _ in range(2):
        (wait,) = d.later(0, Down(Cause.CLOSED))
        d.later(wait.seconds, Timer())
    assert d.later(0, Down(Cause.CLOSED, "no luck")) == [Finish(Cause.CLOSED)]
    assert d.state is S.NEEDS_OPERATOR
    assert d.supervisor.announce()[-1].detail == "no luck"


def test_zero_attempts_means_no_limit():
    """A thousand failures later it still tries, at the ceiling."""
    d = Dialogue(BackoffPolicy(jitter=0, attempts_max=0))
    d.at(0, Start())
    for _ in range(1000):
        (wait,) = d.later(0, Down(Cause.CLOSED))
        d.later(wait.seconds, Timer())
    assert wait == Wait(300)


def test_an_unknown_user_and_a_refused_key_are_the_operators():
    """An attempt that cannot help costs a signature."""
    for down in (Down(Cause.UNKNOWN_USER), Down(Cause.SIGNER, hopeless=True)):
        d = Dialogue()
        d.at(0, Start())
        assert d.at(1, down) == [Finish(down.cause)]
        assert d.state is S.NEEDS_OPERATOR


def test_whoever_is_not_live_is_looked_for_every_minute_without_a_signature():
    """60 seconds, 20 % either way; the state stays, and no dial is made."""
    d = Dialogue(budget=SignBudget(SignLimits()))
    d.at(0, Start())
    (wait,) = d.at(0, Down(Cause.OFFLINE))
    seen = [wait.seconds]
    for _ in range(200):
        assert d.state is S.WAITING
        assert d.later(seen[-1], Timer()) == [Resolve(0)]
        assert d.later(0, Timer()) == [], "one look at a time"
        (wait,) = d.later(0, Down(Cause.OFFLINE))
        seen.append(wait.seconds)
    assert 48 <= min(seen) < 50
    assert 70 < max(seen) <= 72
    assert d.supervisor.budget.use(d.now_s)[2].used == 0
    d.later(seen[-1], Timer())
    assert d.later(0, Live()) == [Dial(0)]


def test_an_ended_live_is_the_end_unless_told_to_keep_waiting():
    """Told so, it waits for the next one; the recording is complete in ten minutes unless it goes on."""
    d = connected()
    assert d.later(9, Down(Cause.LIVE_ENDED)) == [Finish(Cause.LIVE_ENDED)]
    assert d.state is S.STOPPED
    d = connected(keep_waiting=True)
    conclude, wait = d.later(9, Down(Cause.LIVE_ENDED))
    assert conclude == Conclude(600)
    assert 48 <= wait.seconds <= 72
    assert d.state is S.WAITING


def test_offline_after_a_connection_means_the_live_has_ended():
    """The end can come while the connection is down."""
    d = connected()
    d.later(5, Down(Cause.CLOSED))
    d.later(5, Timer())
    assert d.later(1, Down(Cause.OFFLINE)) == [Finish(Cause.LIVE_ENDED)]
    assert d.state is S.STOPPED


def test_a_named_wait_wins_over_a_shorter_backoff():
    """Retry-After is honoured, and never shortens the wait."""
    d = Dialogue()
    d.at(0, Start(), Live())
    assert d.at(0, Down(Cause.SIGNER, retry_after_s=42)) == [Wait(42)]
    d.at(42, Timer(), Live())
    assert d.at(43, Down(Cause.SIGNER, retry_after_s=1)) == [Wait(10)]


def test_a_wait_for_our_own_disk_holds_back_no_signature_and_no_operator():
    """It is not the signer's word: it is not remembered, and Retry dials at once."""
    d = Dialogue()
    d.at(0, Start(), Live())
    assert d.at(0, Down(Cause.INTERNAL, "The disk is full.", retry_after_s=30)) == [Wait(30)]
    assert d.supervisor.budget.hold_s(0) == 0.0
    assert d.at(1, Retry()) == [Resolve(1)]
    assert d.at(1, Live()) == [Dial(1)]


def test_not_even_the_operator_gets_a_signature_before_a_named_time():
    """The live is looked up at once; the dial waits for the rest of the time."""
    d = Dialogue()
    d.at(0, Start(), Live())
    d.at(0, Down(Cause.SIGNER, retry_after_s=600))
    assert d.at(100, Retry()) == [Resolve(1)]
    assert d.at(101, Live()) == [Wait(499)]
    assert d.state is S.RECONNECTING
    assert d.at(600, Timer()) == [Resolve(1)]
    assert d.at(600, Live()) == [Dial(1)]


def test_a_used_up_budget_is_waited_for_and_costs_no_attempt():
    """Two a minute: the third dial waits until the first is a minute old."""
    d = connected(budget=SignBudget(SignLimits(minute=2, hour=0, day=0)))
    d.at(1, Down(Cause.CLOSED))
    d.at(6, Timer(), Live(), Up())
    (wait,) = d.at(7, Down(Cause.CLOSED))
    assert wait.seconds == pytest.approx(53.1)
    d.at(8, Retry())
    assert waits(d.at(8, Live())) == [pytest.approx(52.1)]
    assert d.supervisor.attempt == 2
    d.at(60.2, Timer())
    assert d.at(60.2, Live()) == [Dial(2)]


def test_an_impatient_first_connection_fails_at_once():
    """A person at a terminal wants the reason, not a wait; later losses are retried."""
    for down in (Down(Cause.NETWORK), Down(Cause.OFFLINE), Down(Cause.BLOCKED)):
        d = Dialogue(keep_trying=False)
        d.at(0, Start())
        assert d.at(0, down) == [Finish(down.cause)]
        assert d.state is S.NEEDS_OPERATOR
    d = connected(keep_trying=False)
    assert d.later(0, Down(Cause.CLOSED)) == [Wait(5)]
    held = SignBudget()
    held.hold(60, 0)
    d = Dialogue(keep_trying=False, budget=held)
    d.at(0, Start())
    assert d.at(1, Live()) == [Finish(Cause.SIGNER)]


def test_the_operator_can_skip_the_wait():
    """Retry dials at once, and only while there is something to skip."""
    d = Dialogue()
    d.at(0, Start())
    assert d.at(0, Retry()) == []
    d.at(0, Down(Cause.CLOSED))
    assert d.at(1, Retry()) == [Resolve(1)]
    assert d.at(5, Timer()) == [], "the wait that was skipped must not dial a second time"


def test_the_operator_is_heard_while_waiting_and_after_giving_up():
    """Reconnect works in every state that is not connected."""
    d = Dialogue()
    d.at(0, Start(), Down(Cause.OFFLINE))
    assert d.at(1, Retry()) == [Resolve(0)]
    assert d.at(1, Retry()) == [], "one look at a time"
    d.at(2, Down(Cause.UNKNOWN_USER))
    assert d.state is S.NEEDS_OPERATOR
    assert d.at(3, Retry()) == [Resolve(0)]
    assert d.state is S.RESOLVING


def test_stop_works_in_every_state():
    """Hang up and finish, once."""
    for stimuli in (
        [],
        [Start()],
        [Start(), Live()],
        [Start(), Live(), Up()],
        [Start(), Down(Cause.NETWORK)],
        [Start(), Down(Cause.OFFLINE)],
        [Start(), Down(Cause.UNKNOWN_USER)],
    ):
        d = Dialogue()
        for stimulus in stimuli:
            d.at(0, stimulus)
        assert d.at(1, Stop()) == [Hangup(), Finish(Cause.STOPPED)]
        assert d.at(2, Stop()) == []


def test_while_the_network_is_away_nothing_is_dialled_and_no_attempt_is_burnt():
    """Hours of failed probes later it is still the first attempt, made the moment it is back."""
    d = connected()
    wait, probe = d.at(100, Down(Cause.NETWORK))
    assert wait == Wait(5)
    assert 0.2 <= probe.seconds <= 1.0
    assert d.at(101, ProbeFailed()) == [Probe(2)]
    assert d.at(105, Timer()) == [], "its time is up, and it would be for nothing"
    for at_s in range(106, 10_000, 2):
        assert d.at(at_s, ProbeFailed()) == [Probe(2)]
    assert d.at(10_001, ProbeOk()) == [Resolve(1)]
    assert d.supervisor.breaker.failures == 0


def test_a_network_that_was_never_away_is_dialled_after_the_first_probe():
    """A connection that broke for a moment comes back in about a second."""
    d = connected()
    d.at(100, Down(Cause.SILENCE))
    assert d.at(100.6, ProbeOk()) == [Resolve(1)]


def test_a_server_that_can_be_reached_and_refuses_is_not_asked_at_the_probes_pace():
    """Early once; after that the backoff decides, until the network was away again."""
    d = connected()
    d.at(100, Down(Cause.NETWORK))
    d.at(101, ProbeOk(), Live())
    assert waits(d.at(101, Down(Cause.NETWORK))) == [10]
    assert d.at(102, ProbeOk()) == [Probe(2)]
    assert d.at(104, ProbeOk()) == [Probe(2)]
    d.at(106, ProbeFailed())
    assert d.at(108, ProbeOk()) == [Resolve(2)]


def test_a_late_probe_is_answered_with_nothing():
    """Only whoever waits for the network wants to know."""
    d = connected()
    assert d.later(1, ProbeOk()) == []
    d.later(1, Down(Cause.CLOSED))
    assert d.later(1, ProbeOk()) == []
    assert d.later(1, ProbeFailed()) == []
    assert d.state is S.RECONNECTING


def test_the_breaker_opens_and_lets_exactly_one_dial_through():
    """Open: probes do not dial. Rested: one dial, and its failure opens it again."""
    d = connected()
    for _ in range(FAILURES_MAX):
        (wait, *_) = d.later(1, Down(Cause.NETWORK))
        d.later(wait.seconds, ProbeOk())
        if d.supervisor.breaker.state is BreakerState.CLOSED:
            d.later(0, Live(), Up())
    assert wait.seconds == pytest.approx(30)
    assert d.supervisor.breaker.state is BreakerState.OPEN
    assert d.state is S.RESOLVING, "looking up costs nothing"
    assert d.later(0, Live()) == [Dial(3)]
    assert d.supervisor.breaker.state is BreakerState.HALF_OPEN
    assert waits(d.later(0, Down(Cause.NETWORK))) == [40]
    assert d.supervisor.breaker.state is BreakerState.OPEN
    d.later(1, ProbeFailed())
    assert d.later(1, ProbeOk()) == [Probe(2)], "an open breaker is not dialled early"
    d.later(40, ProbeOk(), Live(), Up())
    assert d.supervisor.breaker.state is BreakerState.CLOSED


def test_blocked_is_waited_out_for_minutes():
    """5 minutes at least, an hour at most, at most one dial in five minutes."""
    d = Dialogue(BackoffPolicy(attempts_max=0))
    d.at(0, Start())
    seen = []
    for _ in range(100):
        seen += waits(d.later(0, Down(Cause.BLOCKED)))
        d.later(seen[-1], Timer())
    assert min(seen) >= 300
    assert max(seen) <= 3600
    assert seen[0] < 400 < 3000 < seen[-1]


USELESS = Down(Cause.SIGNER, "It names no server.", is_unusable=True)


def in_vain(d, times, down=USELESS):
    """Dial so many times for nothing; return the waits that followed."""
    seen = []
    for _ in range(times):
        d.later(0, Live())
        seen += waits(d.later(0, down))
        d.later(seen[-1], Timer())
    return seen


def test_dials_in_vain_are_minutes_apart_from_the_third_on():
    """Twice the usual wait; then 5 to 60 minutes, and the sentence says so."""
    d = Dialogue(BackoffPolicy(jitter=0.0, attempts_max=0))
    d.at(0, Start())
    assert in_vain(d, 2) == [5, 10]
    assert not any("each time" in transition.detail for transition in d.supervisor.announce())
    first, second, *rest = in_vain(d, 20)
    assert 300 <= first <= 370 < 600 <= second <= 740
    assert all(2900 <= wait_s <= 3600 for wait_s in rest[4:])
    told = [transition for transition in d.supervisor.announce() if transition.wait_s]
    assert all(t.detail.startswith("It names no server. It is so each time") for t in told)


def test_dials_in_vain_end_with_the_attempts():
    """After ten in a row it is the operator's, who begins afresh."""
    d = Dialogue()
    d.at(0, Start())
    in_vain(d, 10)
    d.later(0, Live())
    assert d.later(0, USELESS) == [Finish(Cause.SIGNER)]
    assert d.later(0, Retry()) == [Resolve(0)]
    assert in_vain(d, 2) == [30, 30], "the breaker's pause, and no more than that"


def test_a_connection_that_was_of_use_forgives_dials_in_vain():
    """However it ended; a failure of the network in between forgives nothing."""
    d = Dialogue(BackoffPolicy(jitter=0.0, base_s=40, ceiling_s=40))
    d.at(0, Start())
    in_vain(d, 2)
    d.later(0, Live(), Up())
    d.later(1, Down(Cause.CLOSED))
    d.later(40, Timer())
    assert in_vain(d, 2) == [40, 40]
    d.later(0, Live())
    d.later(0, Down(Cause.NETWORK))
    d.later(40, ProbeOk())
    assert in_vain(d, 1)[0] >= 300


def test_connections_that_end_in_what_cannot_be_read_are_dials_in_vain():
    """They came up, and brought nothing; one that lasted first begins a new count."""
    d = Dialogue(BackoffPolicy(jitter=0.0, base_s=40, ceiling_s=40))
    d.at(0, Start())
    endless = Down(Cause.UNREADABLE, is_unusable=True)
    for wait_s in (40, 40):
        d.later(0, Live(), Up())
        assert waits(d.later(1, endless)) == [wait_s]
        d.later(wait_s, Timer())
    d.later(0, Live(), Up())
    assert waits(d.later(STABLE_AFTER_S, endless)) == [40]
    d.later(40, Timer(), Live(), Up())
    assert waits(d.later(1, endless)) == [40]
    d.later(40, Timer(), Live(), Up())
    assert waits(d.later(1, endless))[0] >= 300


def test_a_timer_that_is_early_is_set_again():
    """A wait that was replaced, or a clock that jumped, cannot cut a wait short."""
    d = connected()
    d.at(100, Down(Cause.CLOSED))
    assert d.at(101, Timer()) == [Wait(4)]
    assert d.at(104.995, Timer()) == [Resolve(1)], "a timer may be a moment early"


def test_jitter_spreads_the_ceiling():
    """Waits at the ceiling differ, within ten percent either way."""
    policy, rng = BackoffPolicy(), Random(3)
    delays = [policy.delay_s(20, rng) for _ in range(200)]
    assert 270 <= min(delays) < 285
    assert 315 < max(delays) <= 330


def test_a_recorder_without_a_limit_reaches_any_attempt():
    """A weekend of failures later the power would not fit a float."""
    assert EXACT.delay_s(100_000, Random(1)) == 300


def test_every_change_of_state_is_announced_in_order_with_its_outage():
    """What the operator saw can be told again; one id from the loss to the return."""
    d = connected()
    d.at(100, Down(Cause.SILENCE, "quiet"))
    d.at(101, ProbeOk(), Live(), Up())
    told = d.supervisor.announce()
    assert [t.state.value for t in told] == [
        "resolving",
        "connecting",
        "connected",
        "reconnecting",
        "resolving",
        "connecting",
        "connected",
    ]
    assert [bool(t.outage) for t in told] == [False] * 3 + [True] * 4
    assert len({t.outage for t in told[3:]}) == 1
    d.at(400, Down(Cause.NETWORK))
    assert d.supervisor.announce()[0].outage not in ("", told[-1].outage)
    assert d.supervisor.announce() == []


def test_it_is_settling_until_a_new_connection_has_lasted():
    """Connected again is not yet well again."""
    d = connected()
    assert not d.supervisor.is_settling(1)
    d.at(100, Down(Cause.SILENCE))
    assert not d.supervisor.is_settling(100)
    d.at(101, ProbeOk(), Live(), Up())
    assert d.supervisor.is_settling(102)
    assert not d.supervisor.is_settling(101 + STABLE_AFTER_S)


def random_stimulus(rng):
    """Return something that could happen, or could not."""
    cause = rng.choice(list(Cause))
    return rng.choice(
        [
            Live(),
            Up(),
            Timer(),
            ProbeOk(),
            ProbeFailed(),
            Down(cause, hopeless=rng.random() < 0.05, retry_after_s=rng.choice([None, None, 9.0])),
            *([Start(), Retry()] if rng.random() < 0.3 else []),
            *([Stop()] if rng.random() < 0.05 else []),
        ]
    )


def test_the_table_of_transitions_is_exactly_what_the_code_does():
    """Random walks see each entry of the table, and nothing that is not in it."""
    seen = set()
    for seed in range(1500):
        rng = Random(seed)
        budget = SignBudget(SignLimits(minute=1, hour=0, day=0))
        if rng.random() < 0.2:
            budget.hold(3600, 0)
        s = Supervisor(
            BackoffPolicy(attempts_max=rng.choice([0, 2])),
            rng,
            keep_trying=rng.random() < 0.7,
            keep_waiting=rng.random() < 0.5,
            budget=budget,
        )
        now_s = 0.0
        for _ in range(60):
            stimulus, before = random_stimulus(rng), s.state
            commands = s.handle(stimulus, now_s)
            if type(stimulus) in TRANSITIONS[before]:
                seen.add((before, type(stimulus), s.state))
            else:
                assert (commands, s.state) == ([], before), (seed, before, stimulus)
            now_s += rng.choice([0.0, 1.0, 100.0])
    table = {(b, t, a) for b, row in TRANSITIONS.items() for t, after in row.items() for a in after}
    assert seen == table, f"only in the code {seen - table}, only in the table {table - seen}"
