"""Hours of outages in seconds, and proof that they would show a fault."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from toolkit.model.recording import Cause

HERE = Path(__file__).parent
HOURS = int(os.environ.get("TOOLKIT_SIM_HOURS", "300"))


def load(name):
    """Return a script of this folder as a module."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_hours_of_outages_leave_no_rule_broken():
    """
    300 seeded hours; `TOOLKIT_SIM_HOURS=100000` makes it a long run (7 minutes).

    Never two connections, no dial before a deadline, no signature while the network is
    away, back within 5 s of its return, attempts counted, never stuck; what counts as
    connected was heard, all of a gap was disconnected, no second is taken back. A failure
    names its seed and the command that shows it.
    """
    simulation = load("simulation")
    backs_s = []
    for seed in range(HOURS):
        try:
            backs_s += simulation.run(seed).backs_s
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}\n{simulation.how_to_reproduce(seed)}") from error
    backs_s.sort()
    assert len(backs_s) > HOURS / 2
    assert backs_s[int(0.99 * len(backs_s))] <= 5.0


def test_the_same_seed_tells_the_same_story():
    """Bit for bit, so that a failing seed can be looked at."""
    simulation = load("simulation")
    assert simulation.run(7).told == simulation.run(7).told


FAULTS = {
    "a connection that dropped at once counts as stable": ("supervisor", "STABLE_AFTER_S", 6.0),
    "a stable connection does not": ("supervisor", "STABLE_AFTER_S", 600.0),
    "the network is looked for too rarely": ("supervisor", "PROBE_EVERY_S", 20.0),
    "silence is not taken for the network's": ("supervisor", "_NETWORK", frozenset({Cause.NETWORK})),
    "timers may be seconds early": ("supervisor", "TIMER_SLACK_S", 5.0),
    "nonsense is asked for again and again": ("supervisor", "UNUSABLE_MAX", 4),
    "what cannot help is tried again": ("supervisor", "_is_hopeless", lambda down: False),
    "a host who is back soon finds the recording closed": ("supervisor", "RETURN_WITHIN_S", 60.0),
    "the recording of a live that is over stays open": ("supervisor", "RETURN_WITHIN_S", 1_200.0),
    "the breaker opens late": ("breaker", "FAILURES_MAX", 5),
    "the breaker never holds": ("breaker.CircuitBreaker", "let_through", lambda self, now_s: True),
    "signatures are not counted": ("budget.SignBudget", "spend", lambda self, now_s: None),
    "a named wait is cut short": ("budget", "HOLD_S_MAX", 600.0),
    "waits have no ceiling": (
        "backoff.BackoffPolicy",
        "delay_s",
        lambda self, n, rng: 5.0 * 2.0 ** min(n, 60),
    ),
    "silence counts as connected": ("stability.Stability", "_sure_s", lambda self, now_s: now_s),
    "what was heard is forgotten": ("stability.Stability", "heard", lambda self, at_s: None),
    "attempts have no end": ("backoff.BackoffPolicy", "is_exhausted", lambda self, n: False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_simulation_notices_a_planted_fault(fault, monkeypatch):
    """
    Its oracle knows the rules by itself: each of these breaks one within 300 hours.

    What all tests together notice is another question: `python tests/grade.py`.
    """
    where, name, value = FAULTS[fault]
    monkeypatch.setattr(f"toolkit.connect.{where}.{name}", value)
    simulation = load("simulation")
    with pytest.raises(AssertionError):
        for seed in range(300):
            simulation.run(seed)
