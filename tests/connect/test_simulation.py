"""Hours of outages in seconds, and proof that they would show a fault."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

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
    away, back within 5 s of its return, attempts counted, never stuck. A failure names
    its seed and the command that shows it.
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


def test_the_simulation_notices_planted_faults():
    """At least 95 of 100 mutants of supervisor, backoff, breaker and budget are found."""
    done = subprocess.run(
        [sys.executable, HERE / "mutants.py", "--hours", "300"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
