"""
Grades the simulation: faults planted in the supervisor, which it has to find.

Each mutant is one replacement in the text of a module, made in memory; the files
stay as they are. A mutant that survives all hours shows what nobody watches.

    python tests/connect/mutants.py --hours 300
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.util
import sys
import time
from pathlib import Path

import toolkit

PACKAGE = Path(toolkit.__file__).parent / "connect"
SIMULATION = Path(__file__).with_name("simulation.py")

MUTANTS: list[tuple[str, str, str]] = [
    # what a wait is
    ("backoff", "min(attempt - 1, 64)", "min(attempt, 64)"),
    ("backoff", "min(grown, self.ceiling_s) * (1", "grown * (1"),
    ("backoff", "rng.uniform(-self.jitter, self.jitter)", "rng.uniform(0, 3 * self.jitter)"),
    ("backoff", "self.attempts_max > 0 and attempt > self.attempts_max", "attempt > self.attempts_max"),
    ("backoff", "attempt > self.attempts_max", "attempt > self.attempts_max + 1"),
    ("supervisor", "is_exhausted(self._attempt + 1)", "is_exhausted(self._attempt)"),
    ("supervisor", "STABLE_AFTER_S = 60.0", "STABLE_AFTER_S = 6.0"),
    ("supervisor", "STABLE_AFTER_S = 60.0", "STABLE_AFTER_S = 600.0"),
    ("supervisor", "        self._attempt += 1\n", "        self._attempt += 2\n"),
    ("supervisor", "self.budget.wait_s(now_s), self.breaker.wait_s(now_s))", "0.0)"),
    ("supervisor", "base_s=335.0", "base_s=33.5"),
    ("supervisor", "            self._blocked += 1\n", "            self._blocked = 1\n"),
    ("supervisor", "LOOK_EVERY_S = 60.0", "LOOK_EVERY_S = 30.0"),
    # when it may look up or dial
    ("supervisor", "if early_s > TIMER_SLACK_S:", "if early_s > 5:"),
    ("supervisor", "if self._is_probing and not self._is_reachable:", "if self._is_reachable is False:"),
    ("supervisor", "if self._is_probing and not self._is_reachable:", "if False:"),
    ("supervisor", "is_back = self._is_reachable is False", "is_back = False"),
    ("supervisor", "is_back = self._is_reachable is False", "is_back = True"),
    ("supervisor", "(is_back or self._attempt == 1) and self.breaker.state", "self.breaker.state"),
    ("supervisor", "if is_due or (may_be_early", "if (may_be_early"),
    ("supervisor", "PROBE_EVERY_S = 2.0", "PROBE_EVERY_S = 20.0"),
    ("supervisor", "frozenset({Cause.NETWORK, Cause.SILENCE})", "frozenset({Cause.NETWORK})"),
    ("supervisor", "frozenset({Cause.NETWORK, Cause.SILENCE})", "frozenset({Cause.SILENCE})"),
    ("supervisor", "        self._is_reachable = False\n", "        pass\n"),
    ("supervisor", "        return [] if self._is_looking else self._look()", "        return self._look()"),
    ("supervisor", "        self._is_looking = True\n", "        self._is_looking = False\n"),
    ("supervisor", "        self._is_looking = False\n        wait_s, why", "        wait_s, why"),
    # signatures
    ("supervisor", "                self.budget.spend(now_s)\n", "                pass\n"),
    ("supervisor", "            self.budget.hold(down.retry_after_s, now_s)\n", "            pass\n"),
    ("supervisor", "if wait_s == 0.0:\n            if self.breaker", "if True:\n            if self.breaker"),
    ("supervisor", "if self.breaker.let_through(now_s):", "if True:"),
    ("budget", "waits = [self.hold_s(now_s)]", "waits = [0.0]"),
    ("budget", "len(inside) >= limit", "len(inside) > limit"),
    ("budget", "inside[len(inside) - limit] + width_s", "inside[0] + width_s / 2"),
    ("budget", "inside[len(inside) - limit] + width_s", "inside[-1] + width_s"),
    ("budget", "HOLD_S_MAX = 3600.0", "HOLD_S_MAX = 600.0"),
    ("budget", '            if age_s < WINDOWS_S["day"]:\n', "            if False:\n"),
    ("budget", "now_s - age_s", "now_s"),
    ("budget", "if _is_time(hold_until) and hold_until > now_us:", "if False:"),
    # the breaker
    ("breaker", "FAILURES_MAX = 3", "FAILURES_MAX = 5"),
    ("breaker", "OPEN_S = 30.0", "OPEN_S = 10.0"),
    ("breaker", "self._state is BreakerState.HALF_OPEN or self.failures >= FAILURES_MAX", "False"),
    ("breaker", "CLOSED\n        self.failures = 0\n", "CLOSED\n"),
    ("breaker", "        self._open_until_s = 0.0\n\n    def failed", "        pass\n\n    def failed"),
    # what a cause leads to
    ("supervisor", "down.hopeless or down.cause is Cause.UNKNOWN_USER", "down.hopeless"),
    ("supervisor", "down.hopeless or down.cause is Cause.UNKNOWN_USER", "down.cause is Cause.UNKNOWN_USER"),
    ("supervisor", "if self._was_up and down.cause is Cause.OFFLINE:", "if False:"),
    ("supervisor", "down.cause is Cause.LIVE_ENDED and self._keep_waiting", "down.cause is Cause.LIVE_ENDED"),
    ("supervisor", "*([Conclude()] if had_one else []), ", ""),
    ("supervisor", "return not self._was_up and not self._keep_trying", "return not self._keep_trying"),
    ("supervisor", "return [Hangup(), Finish(Cause.STOPPED)]", "return [Finish(Cause.STOPPED)]"),
    ("supervisor", "return [Wait(wait_s), *probe]", "return [Wait(wait_s)]"),
    ("supervisor", "return [Wait(wait_s), *probe]", "return [*probe]"),
    ("transitions", "        Retry: frozenset({_S.RESOLVING}),\n        Stop", "        Stop"),
    # what a dial in vain leads to
    ("supervisor", "UNUSABLE_MAX = 2", "UNUSABLE_MAX = 4"),
    ("supervisor", "UNUSABLE_MAX = 2", "UNUSABLE_MAX = 1"),
    ("supervisor", "            self._unusable += 1\n", "            self._unusable = 1\n"),
    (
        "supervisor",
        "            self._unusable = 0\n        self._up_since",
        "            pass\n        self._up_since",
    ),
    (
        "supervisor",
        "self._blocked = self._unusable = 0\n            self.breaker",
        "self._blocked = 0\n            self.breaker",
    ),
    (
        "supervisor",
        "self._blocked = self._unusable = 0\n        self.breaker",
        "self._blocked = 0\n        self.breaker",
    ),
    ("supervisor", "down.is_unusable and self._unusable > UNUSABLE_MAX", "self._unusable > UNUSABLE_MAX"),
    # figures
    ("stability", "passed_s if self._state is ConnectionState.CONNECTED else 0.0", "passed_s"),
    ("stability", "            self.reconnects += 1\n", "            pass\n"),
    (
        "stability",
        "        if not self._is_out:\n            self._is_out = True",
        "        if True:\n            self._is_out = True",
    ),
]


class Patched(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports ``toolkit.connect`` afresh, one module of it changed."""

    def __init__(self, module, old, new):
        self.module, self.old, self.new = module, old, new

    def find_spec(self, fullname, path=None, target=None):
        """Claim the modules of the package."""
        if not fullname.startswith("toolkit.connect."):
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module):
        """Run the module's text, changed or not."""
        name = module.__name__.rpartition(".")[2]
        text = (PACKAGE / f"{name}.py").read_text("utf-8")
        if name == self.module:
            if self.old not in text:
                raise LookupError(f"{self.old!r} is no longer in {name}.py: change the mutant")
            text = text.replace(self.old, self.new, 1)
        exec(compile(text, f"{name}.py", "exec"), module.__dict__)


def hunt(mutant, hours):
    """Return the seed that found a mutant and what it said; None if none did."""
    for name in [name for name in sys.modules if name.startswith("toolkit.connect")]:
        del sys.modules[name]
    finder = Patched(*mutant)
    sys.meta_path.insert(0, finder)
    try:
        spec = importlib.util.spec_from_file_location("simulation_of_a_mutant", SIMULATION)
        simulation = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = simulation
        spec.loader.exec_module(simulation)
        for seed in range(hours):
            try:
                simulation.run(seed)
            except LookupError:
                raise
            except Exception as error:
                return seed, f"{type(error).__name__}: {error}"
    finally:
        sys.meta_path.remove(finder)
    return None


def main(arguments=None):
    """Plant each mutant; exit code 1 if fewer than 95 % are found."""
    parser = argparse.ArgumentParser(description="Plant faults and look who notices.")
    parser.add_argument("--hours", type=int, default=300, help="simulated hours per mutant at most")
    args = parser.parse_args(arguments)
    began, killed = time.monotonic(), 0
    for mutant in MUTANTS:
        found = hunt(mutant, args.hours)
        killed += found is not None
        if found is None:
            print(f"SURVIVED {mutant[0]}: {mutant[1]!r} -> {mutant[2]!r}")
    seconds = time.monotonic() - began
    print(f"{killed} of {len(MUTANTS)} mutants killed in {seconds:.0f} s")
    return 0 if killed >= 0.95 * len(MUTANTS) else 1


if __name__ == "__main__":
    sys.exit(main())
