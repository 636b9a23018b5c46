"""What the supervisor tells about each step: state, attempt, wait, cause, sentence, outage."""

from random import Random

import pytest

from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.budget import SignBudget, SignLimits
from toolkit.connect.stimuli import Down, Live, ProbeFailed, ProbeOk, Retry, Start, Stop, Timer, Up
from toolkit.connect.supervisor import Supervisor
from toolkit.model.connection import ConnectionState as S
from toolkit.model.recording import Cause

EXACT = BackoffPolicy(jitter=0.0)


def told(*steps, policy=EXACT, **options):
    """Return what was told of the steps, each ``(time, stimulus)``; the last one's is what matters."""
    supervisor = Supervisor(policy, Random(1), **options)
    for at_s, stimulus in steps:
        supervisor.handle(stimulus, at_s)
    return supervisor.announce()


def up(at_s=0.0):
    """Return the steps to a connection."""
    return [(at_s, Start()), (at_s, Live()), (at_s, Up())]


def test_a_lost_connection_is_told_with_its_wait_and_reason():
    """From where to where, which attempt of how many, how long, why, in whose words."""
    lost = told(*up(), (9, Down(Cause.CLOSED, "TikTok hung up.")))[-1]
    assert (lost.previous, lost.state) == (S.CONNECTED, S.RECONNECTING)
    assert (lost.attempt, lost.attempts_max) == (1, 10)
    assert (lost.wait_s, lost.cause, lost.detail) == (5.0, Cause.CLOSED, "TikTok hung up.")
    assert len(lost.outage) == 8


def test_a_network_that_is_away_is_told_when_its_wait_is_over():
    """The cause stays the one that broke the connection; there is no wait to name."""
    away = told(*up(), (9, Down(Cause.SILENCE, "quiet")), (10, ProbeFailed()), (14, Timer()))[-1]
    assert (away.state, away.cause, away.wait_s) == (S.RECONNECTING, Cause.SILENCE, None)
    assert "network is away" in away.detail


def test_a_signature_that_is_not_there_is_told_as_the_signers_doing():
    """The sentence says so, and the wait is the budget's."""
    budget = SignBudget(SignLimits(minute=1, hour=0, day=0))
    steps = [*up(), (10, Down(Cause.CLOSED)), (15, Retry()), (15, Live())]
    waiting = told(*steps, budget=budget)[-1]
    assert (waiting.state, waiting.cause, waiting.wait_s) == (S.RECONNECTING, Cause.SIGNER, 45.0)
    assert "No signature" in waiting.detail
    assert waiting.attempt == 1


def test_the_breakers_pause_is_told_with_the_cause_that_led_to_it():
    """It is no attempt, and not the breaker's doing that the connection broke."""
    supervisor = Supervisor(EXACT, Random(1))
    for at_s, stimulus in [*up(), (1, Down(Cause.CLOSED))]:
        supervisor.handle(stimulus, at_s)
    for at_s in (10, 30):
        for stimulus in (Timer(), Live(), Down(Cause.INTERNAL)):
            supervisor.handle(stimulus, at_s)
    supervisor.announce()
    supervisor.breaker.failed(40)
    for stimulus in (Timer(), Live()):
        supervisor.handle(stimulus, 61)
    resting = supervisor.announce()[-1]
    assert (resting.state, resting.cause, resting.wait_s) == (S.RECONNECTING, Cause.INTERNAL, 9.0)
    assert "kept failing" in resting.detail


def test_what_is_of_no_use_is_told_to_be_minutes_away_from_the_third_on():
    """Twice it may be chance; then the sentence says that Reconnect does not wait."""
    steps = up()
    for at_s in (1, 100, 200):
        steps += [(at_s, Down(Cause.UNREADABLE, "No end.", is_unusable=True))]
        steps += [(at_s + 90, Timer()), (at_s + 90, Live()), (at_s + 90, Up())]
    lost = [t for t in told(*steps, policy=BackoffPolicy(jitter=0)) if t.state is S.RECONNECTING and t.wait_s]
    assert [t.detail for t in lost[:2]] == ["No end."] * 2
    assert lost[2].detail.startswith("No end. ")
    assert "Reconnect makes one now" in lost[2].detail
    assert lost[2].wait_s >= 300


def test_waiting_for_a_live_is_told_with_the_next_look():
    """And belongs to no outage."""
    waiting = told((0, Start()), (0, Down(Cause.OFFLINE, "Not live.")))[-1]
    assert (waiting.previous, waiting.state) == (S.RESOLVING, S.WAITING)
    assert (waiting.cause, waiting.detail, waiting.outage) == (Cause.OFFLINE, "Not live.", "")
    assert 48 <= waiting.wait_s <= 72


def test_a_look_that_was_told_to_wait_longer_waits_longer():
    """A service that names a time is believed while waiting for a live as well."""
    asked = told((0, Start()), (0, Down(Cause.OFFLINE, retry_after_s=500.0)))[-1]
    assert asked.wait_s == 500.0


def test_a_block_met_while_waiting_for_a_live_is_waited_out_for_minutes():
    """Looking every minute would prolong it; the next ordinary answer ends that."""
    steps = [(0, Start()), (0, Down(Cause.OFFLINE)), (80, Timer()), (80, Down(Cause.BLOCKED, "captcha"))]
    blocked = told(*steps)[-1]
    assert (blocked.state, blocked.cause) == (S.WAITING, Cause.BLOCKED)
    assert 300 <= blocked.wait_s <= 370


def test_the_end_of_a_live_and_the_operators_stop_are_told_with_their_cause():
    """Who reads the log later can tell them apart."""
    ended = told(*up(), (9, Down(Cause.LIVE_ENDED, "The host ended it.")))[-1]
    assert (ended.state, ended.cause, ended.detail) == (S.STOPPED, Cause.LIVE_ENDED, "The host ended it.")
    stopped = told(*up(), (9, Stop()))[-1]
    assert (stopped.state, stopped.cause, stopped.wait_s) == (S.STOPPED, Cause.STOPPED, None)


def test_giving_up_is_told_with_the_reason_and_ends_the_outage():
    """A later outage has another id."""
    supervisor = Supervisor(BackoffPolicy(jitter=0, attempts_max=1), Random(1))
    for at_s, stimulus in [*up(), (1, Down(Cause.CLOSED)), (6, Timer()), (7, Down(Cause.INTERNAL, "odd"))]:
        supervisor.handle(stimulus, at_s)
    first = supervisor.announce()[-1]
    assert (first.state, first.cause, first.detail) == (S.NEEDS_OPERATOR, Cause.INTERNAL, "odd")
    for at_s, stimulus in [(8, Retry()), (9, Live()), (10, Up()), (11, Down(Cause.CLOSED))]:
        supervisor.handle(stimulus, at_s)
    later = supervisor.announce()
    assert later[-1].attempt == 1, "the operator's word starts the count afresh"
    assert later[-1].outage not in ("", first.outage)


@pytest.mark.parametrize(
    "down", [Down(Cause.UNKNOWN_USER, "nobody"), Down(Cause.SIGNER, "no", hopeless=True)]
)
def test_a_look_that_cannot_help_is_the_operators_while_waiting_too(down):
    """A user who vanished between two lives."""
    steps = [(0, Start()), (0, Down(Cause.OFFLINE)), (80, Timer()), (81, down)]
    told_last = told(*steps)[-1]
    assert (told_last.state, told_last.cause, told_last.detail) == (S.NEEDS_OPERATOR, down.cause, down.detail)


def test_the_time_to_be_back_runs_from_the_return_of_the_network():
    """Hours in which the network was away are not held against us; our own seconds are."""
    supervisor = Supervisor(EXACT, Random(1))
    steps = [(0, Start()), (0, Live()), (0, Up()), (100, Down(Cause.NETWORK))]
    steps += [(101, ProbeFailed()), (7000, ProbeOk()), (7001, Live()), (7003, Up())]
    supervisor.stability.heard(88)
    for at_s, stimulus in steps:
        supervisor.handle(stimulus, at_s)
    figures = supervisor.stability.figures(7003)
    assert figures["back_s_p50"] == figures["back_s_p99"] == 3
    assert figures["detect_s_p50"] == figures["detect_s_max"] == 12
    assert (figures["connected_s"], figures["disconnected_s"]) == (88, 6915)


def test_patience_comes_with_waiting_for_the_next_live():
    """Who waits for the next live is not sent away by a first failure."""
    steps = [(0, Start()), (0, Down(Cause.OFFLINE))]
    assert told(*steps, keep_trying=False)[-1].state is S.NEEDS_OPERATOR
    assert told(*steps, keep_trying=False, keep_waiting=True)[-1].state is S.WAITING


def test_the_breaker_never_rests_longer_than_the_longest_wait():
    """A recorder told to wait ten seconds at most is not held for thirty."""
    for ceiling_s, rest_s in ((10.0, 10.0), (300.0, 30.0)):
        breaker = Supervisor(BackoffPolicy(ceiling_s=ceiling_s), Random(1)).breaker
        for _ in range(3):
            breaker.failed(0)
        assert breaker.wait_s(0) == rest_s
