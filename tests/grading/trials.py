"""
Which tests run a line, and whether they notice that it is wrong.

All of it happens in copies of the project in a temporary folder. A process that has
loaded pytest, but nothing of the project, forks for each trial: so a trial costs what
its tests cost, and each begins with an untouched interpreter.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from grading.mutants import Mutant, mutants_of

__all__ = ["Part", "Plan", "Verdict", "made_plan", "tried"]

PRELOADED = ("pytest", "hypothesis", "duckdb", "google.protobuf", "pydantic")
"""Costly to load, and without threads, so that a process that has loaded them may fork."""
COPIED = ("toolkit", "tests", "overlay", "recordings", "panel_app.py", "pyproject.toml")
TESTS_S_MAX = 30.0
"""Of the tests that run a line, the quickest that take so long together are asked."""
LIMIT_S = 10.0
LIMIT_FACTOR = 4
"""A trial that takes this many times what its tests need, and LIMIT_S more, hangs."""
GLANCE_S = 0.1
LIKELY = 0.2
"""Tests named after the module, or that run a line with its constant, come this much earlier."""


@dataclass(frozen=True, slots=True)
class Part:
    """
    What is graded together.

    Attributes:
        sources: Files and folders whose faults are to be found.
        tests: Files and folders of the tests that have to find them.
        without: Expression of pytest for tests too slow to be asked.
    """

    sources: tuple[str, ...]
    tests: tuple[str, ...]
    without: str = ""


class Verdict(StrEnum):
    """What came of a mutant."""

    KILLED = "killed"
    HUNG = "hung"
    """Its tests did not end: noticed as well."""
    SURVIVED = "survived"


@dataclass
class Plan:
    """
    What is known about a part before anything is changed.

    Attributes:
        mutants: Every fault in lines that a test runs.
        idle: Faults in lines that no test runs.
        seconds: How long each test takes.
        runs: For each file, the tests that run each of its lines.
        starters: Tests that start other processes, where lines are not seen to run.
    """

    mutants: list[Mutant] = field(default_factory=list)
    idle: list[Mutant] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    runs: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    starters: set[str] = field(default_factory=set)

    def tests_of(self, mutant: Mutant, source: str) -> list[str]:
        """Return the tests that could notice a fault, the likeliest and quickest first."""
        lines = self.runs.get(mutant.path, {})
        if mutant.is_in_body:
            asked = _union(lines, range(mutant.lines[0], mutant.lines[1] + 1))
            asked = asked or _union(lines, range(mutant.statement[0], mutant.statement[1] + 1))
        else:
            asked = _union(lines, list(lines))
            # A test that only looks at what a module defines runs none of its lines.
            files = {test.split("::")[0] for test in asked}
            asked |= {
                test for test, s in self.seconds.items() if s < GLANCE_S and test.split("::")[0] in files
            }
        if not asked:
            return []
        stem = Path(mutant.path).stem
        likely = {test for test in asked if stem in test.split("::")[0]}
        likely |= _union(lines, _uses(source, mutant.name)) if mutant.name else set()

        def order(test: str) -> float:
            return self.seconds[test] * (LIKELY if test in likely else 1)

        chosen, total_s = [], 0.0
        for test in [*sorted(asked, key=order), *sorted(self.starters - asked, key=order)]:
            total_s += self.seconds[test]
            if total_s <= TESTS_S_MAX or not chosen:
                chosen.append(test)
        return chosen


def _union(lines: dict[int, set[str]], numbers: Iterable[int]) -> set[str]:
    return set().union(*(lines.get(number, set()) for number in numbers))


def _uses(source: str, name: str) -> list[int]:
    """Return the lines of a module that read one of its constants."""
    return [n.lineno for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name) and n.id == name]


def made_plan(part: Part, root: Path, scratch: Path) -> Plan:
    """
    Run the tests of a part once, unchanged, and note which lines each of them runs.

    Args:
        part: What is to be graded.
        root: The project.
        scratch: An empty folder; the copy in it, ``0``, is the first to try mutants in.

    Raises:
        RuntimeError: The tests fail as it is, or need something the copy lacks.
    """
    copy = scratch / "0"
    copy.mkdir()
    for path in (root / name for name in COPIED):
        if path.is_dir():
            shutil.copytree(path, copy / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.exists():
            shutil.copy2(path, copy / path.name)
    # A module that is loaded here would be found loaded in each trial, unchanged.
    assert "toolkit" not in sys.modules, "trials start from a process without the project"
    for name in PRELOADED:
        importlib.import_module(name)
    log = copy / "observed.log"
    code = _wait(_forked(copy, log, lambda: _observe(part, copy)), limit_s=1800)
    if code != 0:
        raise RuntimeError(f"the tests fail without any mutant:\n{log.read_text('utf-8')[-4000:]}")
    seen = json.loads((copy / "observed.json").read_text("utf-8"))
    plan = Plan(seconds=seen["seconds"], starters=set(seen["starters"]))
    for path, lines in seen["runs"].items():
        plan.runs[path] = {int(line): set(tests) for line, tests in lines.items()}
    # Every test has to be found by its name, or each mutant would count as noticed.
    code = _wait(_forked(copy, log, lambda: _pytest(["--collect-only", *plan.seconds])), limit_s=300)
    if code != 0:
        raise RuntimeError(f"tests are not found by their names:\n{log.read_text('utf-8')[-4000:]}")
    for path in _files(part, copy):
        source = (copy / path).read_text("utf-8")
        for mutant in mutants_of(path, source):
            (plan.mutants if plan.tests_of(mutant, source) else plan.idle).append(mutant)
    return plan


def _files(part: Part, root: Path) -> list[str]:
    found = []
    for name in part.sources:
        path = root / name
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [path.relative_to(root).as_posix() for path in found]


def tried(
    plan: Plan, mutants: list[Mutant], scratch: Path, *, jobs: int
) -> Iterator[tuple[Mutant, Verdict, str]]:
    """
    Yield each mutant with what came of it and the end of what its tests said, as they end.

    Args:
        plan: As :func:`made_plan` left it, together with its copy in ``scratch``.
        mutants: The ones to try.
        scratch: The folder of the copies.
        jobs: Trials at a time, each in a copy of its own.
    """
    copies = [scratch / str(n) for n in range(jobs)]
    for copy in copies[1:]:
        if not copy.exists():
            shutil.copytree(copies[0], copy)
    waiting, running = list(reversed(mutants)), {}
    while waiting or running:
        for copy in [c for c in copies if c not in running][: len(waiting)]:
            mutant = waiting.pop()
            running[copy] = _Trial(plan, mutant, copy)
        time.sleep(0.005)
        for copy, trial in list(running.items()):
            if (verdict := trial.verdict()) is not None:
                del running[copy]
                yield trial.mutant, verdict, trial.log.read_text("utf-8", "replace")[-3000:]


class _Trial:
    """One mutant in one copy, and the process that runs its tests."""

    def __init__(self, plan: Plan, mutant: Mutant, copy: Path) -> None:
        self.mutant = mutant
        self.log = copy / "trial.log"
        self._file = copy / mutant.path
        self._source = self._file.read_bytes()
        self._times = self._file.stat()
        tests = plan.tests_of(mutant, self._source.decode())
        usual_s = sum(plan.seconds[test] for test in tests)
        self._deadline = time.monotonic() + LIMIT_S + LIMIT_FACTOR * usual_s
        self._file.write_bytes(mutant.planted(self._source))
        # A compiled file is told to be of its source by time and size alone.
        for compiled in self._file.parent.glob(f"__pycache__/{self._file.stem}.*.pyc"):
            compiled.unlink()
        self._pid = _forked(copy, self.log, lambda: _pytest(["-x", *tests]))

    def verdict(self) -> Verdict | None:
        """Return what came of it; None while it runs."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid == 0 and time.monotonic() < self._deadline:
            return None
        if pid == 0:
            os.killpg(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        self._file.write_bytes(self._source)
        os.utime(self._file, ns=(self._times.st_atime_ns, self._times.st_mtime_ns))
        if pid == 0:
            return Verdict.HUNG
        code = os.waitstatus_to_exitcode(status)
        return Verdict.SURVIVED if code == 0 else Verdict.KILLED


def _forked(copy: Path, log: Path, run: Callable[[], int]) -> int:
    """Run a function in a process of its own, inside a copy; return the process's id."""
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    code = 70
    try:
        os.setsid()
        os.chdir(copy)
        output = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ["PYTHONPATH"] = str(copy)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.path.insert(0, str(copy))
        code = run()
        sys.stdout.flush()
    finally:
        os._exit(code)


def _wait(pid: int, *, limit_s: float) -> int:
    deadline = time.monotonic() + limit_s
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return -signal.SIGKILL
        time.sleep(0.05)


def _pytest(arguments: list[str], plugins: list[object] | None = None) -> int:
    import pytest

    sys.dont_write_bytecode = plugins is None
    options = ["-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    return int(pytest.main([*options, *arguments], plugins))


def _observe(part: Part, copy: Path) -> int:
    from coverage import Coverage

    watch = Coverage(data_file=None, include=[str(copy / "toolkit" / "*")], concurrency=["thread"])
    observer = _Observer(watch)
    sys.addaudithook(observer.heard)
    watch.start()
    chosen = ["-k", part.without] if part.without else []
    code = _pytest([*part.tests, *chosen], [observer])
    watch.stop()
    data = watch.get_data()
    runs: dict[str, dict[int, list[str]]] = {}
    for path in _files(part, copy):
        by_line = data.contexts_by_lineno(str(copy / path))
        runs[path] = {line: [t for t in tests if t] for line, tests in by_line.items() if any(tests)}
    seen = {"seconds": observer.seconds, "starters": sorted(observer.starters), "runs": runs}
    (copy / "observed.json").write_text(json.dumps(seen), "utf-8")
    return code


class _Observer:
    """A plugin of pytest: tells the coverage which test runs, and notes what it takes."""

    def __init__(self, watch: object) -> None:
        self._watch = watch
        self._test = ""
        self.seconds: dict[str, float] = {}
        self.starters: set[str] = set()

    def heard(self, event: str, arguments: object) -> None:
        """Take in an audit event of Python."""
        if event in ("subprocess.Popen", "os.fork", "os.posix_spawn") and self._test:
            self.starters.add(self._test)

    def pytest_runtest_logstart(self, nodeid: str, location: object) -> None:
        """Take in the beginning of a test."""
        self._test = nodeid
        self._watch.switch_context(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str, location: object) -> None:
        """Take in the end of a test."""
        self._test = ""
        self._watch.switch_context("")

    def pytest_runtest_logreport(self, report: object) -> None:
        """Take in how long it took; what is skipped is not asked."""
        if report.skipped:
            self.seconds.pop(report.nodeid, None)
        else:
            self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
