"""The supervisor, told as a dialogue: what happened, what it answers."""

from random import Random

import pytest

from toolkit.connect.backoff import BackoffPolicy
from toolkit.connect.supervisor import (
    STABLE_AFTER_S,
    Dial,
    Down,
    Finish,
    Hangup,
    Retry,
    Start,
    Stop,
    Supervisor,
    Timer,
    Up,
    Wait,
)
from toolkit.model.connection import ConnectionState
from toolkit.model.recording import Cause

EXACT = BackoffPolicy(jitter=0.0)


def supervisor(policy=EXACT, **options):
    """Return one whose waits are exact."""
    return Supervisor(policy, Random(1), **options)


def test_a_lost_connection_is_dialled_again_after_growing_waits():
    """5, 10, 20 seconds; each wait is followed by a dial that knows its number."""
    s = supervisor()
    assert s.handle(Start(), 0) == [Dial(0)]
    assert s.handle(Up(), 1) == []
    waits = []
    for attempt in (1, 2, 3):
        (wait,) = s.handle(Down(Cause.NETWORK), 2)
        waits.append(wait.seconds)
        assert s.state is ConnectionState.RECONNECTING
        assert s.handle(Timer(), 3) == [Dial(attempt)]
    assert waits == [5, 10, 20]


def test_a_stable_connection_starts_the_count_afresh():
    """A minute of connection forgives; a connection that drops at once does not."""
    s = supervisor()
    s.handle(Start(), 0)
    s.handle(Up(), 0)
    s.handle(Down(Cause.CLOSED), 1)
    s.handle(Timer(), 6)
    s.handle(Up(), 7)
    assert s.handle(Down(Cause.CLOSED), 8) == [Wait(10)]
    s.handle(Timer(), 18)
    s.handle(Up(), 20)
    assert s.handle(Down(Cause.CLOSED), 20 + STABLE_AFTER_S) == [Wait(5)]


def test_it_gives_up_after_the_last_attempt_and_says_so():
    """With two attempts, the third failure is the operator's."""
    s = supervisor(BackoffPolicy(jitter=0, attempts_max=2))
    s.handle(Start(), 0)
    for _ in range(2):
        assert isinstance(s.handle(Down(Cause.NETWORK), 0)[0], Wait)
        s.handle(Timer(), 0)
    assert s.handle(Down(Cause.NETWORK, "no route"), 0) == [Finish(Cause.NETWORK)]
    assert s.state is ConnectionState.NEEDS_OPERATOR
    assert s.announce()[-1].detail == "no route"


def test_zero_attempts_means_no_limit():
    """A thousand failures later it still tries, at the ceiling."""
    s = supervisor(BackoffPolicy(jitter=0, attempts_max=0))
    s.handle(Start(), 0)
    for _ in range(1000):
        (wait,) = s.handle(Down(Cause.NETWORK), 0)
        s.handle(Timer(), 0)
    assert wait == Wait(300)


@pytest.mark.parametrize(
    ("cause", "state"),
    [
        (Cause.UNKNOWN_USER, ConnectionState.NEEDS_OPERATOR),
        (Cause.OFFLINE, ConnectionState.NEEDS_OPERATOR),
        (Cause.LIVE_ENDED, ConnectionState.STOPPED),
    ],
)
def test_hopeless_causes_are_not_tried_again(cause, state):
    """An attempt that cannot help costs a signature."""
    s = supervisor()
    s.handle(Start(), 0)
    assert s.handle(Down(cause), 1) == [Finish(cause)]
    assert s.state is state


def test_offline_after_a_connection_means_the_live_has_ended():
    """The end can come while the connection is down."""
    s = supervisor()
    s.handle(Start(), 0)
    s.handle(Up(), 0)
    s.handle(Down(Cause.NETWORK), 5)
    s.handle(Timer(), 10)
    assert s.handle(Down(Cause.OFFLINE), 11) == [Finish(Cause.LIVE_ENDED)]
    assert s.state is ConnectionState.STOPPED


def test_a_named_wait_wins_over_a_shorter_backoff():
    """Retry-After is honoured, and never shortens the wait."""
    s = supervisor()
    s.handle(Start(), 0)
    assert s.handle(Down(Cause.SIGNER, retry_after_s=42), 0) == [Wait(42)]
    s.handle(Timer(), 42)
    assert s.handle(Down(Cause.SIGNER, retry_after_s=1), 43) == [Wait(10)]


def test_the_operator_can_skip_the_wait():
    """Retry dials at once, and only while waiting."""
    s = supervisor()
    s.handle(Start(), 0)
    assert s.handle(Retry(), 0) == []
    s.handle(Down(Cause.NETWORK), 0)
    assert s.handle(Retry(), 1) == [Dial(1)]
    assert s.handle(Timer(), 5) == [], "the wait that was skipped must not dial a second time"


def test_stop_works_in_every_state():
    """Hang up and finish, once."""
    for stimuli in ([], [Start()], [Start(), Up()], [Start(), Down(Cause.NETWORK)]):
        s = supervisor()
        for stimulus in stimuli:
            s.handle(stimulus, 0)
        assert s.handle(Stop(), 1) == [Hangup(), Finish(Cause.STOPPED)]
        assert s.handle(Stop(), 2) == []


def test_an_impatient_first_connection_fails_at_once():
    """A person at a terminal wants the reason, not a wait; later losses are retried."""
    s = supervisor(keep_trying=False)
    s.handle(Start(), 0)
    assert s.handle(Down(Cause.NETWORK), 0) == [Finish(Cause.NETWORK)]
    s = supervisor(keep_trying=False)
    s.handle(Start(), 0)
    s.handle(Up(), 0)
    assert s.handle(Down(Cause.NETWORK), 0) == [Wait(5)]


def test_jitter_spreads_the_ceiling():
    """Waits at the ceiling differ, within ten percent either way."""
    policy, rng = BackoffPolicy(), Random(3)
    delays = [policy.delay_s(20, rng) for _ in range(200)]
    assert 270 <= min(delays) < 285
    assert 315 < max(delays) <= 330


def test_every_change_of_state_is_announced_in_order():
    """What the operator saw can be told again."""
    s = supervisor()
    s.handle(Start(), 0)
    s.handle(Up(), 0)
    s.handle(Down(Cause.SILENCE, "quiet"), 100)
    states = [t.state.value for t in s.announce()]
    assert states == ["connecting", "connected", "reconnecting"]
    assert s.announce() == []
