"""
kill -9 in every phase of a recording, and what must be true after it.

A cycle lets the real `toolkit record` die against the simulator, at a place of
`toolkit.failpoint` or at a random moment, and starts it again. Then: every message that was
acknowledged to the simulator is stored, once, byte for byte; the database is what the
journal says; the death is a gap; and the new process recorded again soon enough.

    python tests/e2e/kill.py --cycles 1000 --lanes 3  all phases in turn, three cycles at a time
    python tests/e2e/kill.py --phase commit           one of them
    python tests/e2e/kill.py --seed 4711 --cycle 17   one cycle again
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psutil

from toolkit import failpoint
from toolkit.simulator.ledger import Connection
from toolkit.simulator.server import Simulator, SimulatorThread
from toolkit.store.fold import JournalFold
from toolkit.store.folder import RecordingsFolder
from toolkit.store.reader import open_recording
from toolkit.store.sealing import read_back

RECORDING = ("dial", "handshake", "first-frame", "half-record", "fsync", "ack", "taken")
PROJECTING = ("projection", "commit", "committed")
SEALING = ("shutdown", "summary", "checkpoint", "compare", "compared", "removed")
STARTING = ("resume", "catch-up", "heal")
REBUILDING = ("anew-moved", "rebuild-rename", "rebuild-renamed")
RANDOM = "random"
PHASES = (*RECORDING, *PROJECTING, *SEALING, *STARTING, *REBUILDING, RANDOM)

COLD_EVERY = 25
"""Every so many cycles the recorder starts as a user starts it, imports included. The
others are forked from a process that has imported everything: a tenth of the time."""
DEADLINE_S = 60.0
SPEED = 4.0
"""A burst every 0.2 s instead of every 0.8 s: most of a cycle is waiting for the next one."""
LIVES_S_MAX = 0.8
"""Longest time between the first frame and a kill at random."""

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["toolkit.app", "toolkit.cli", "toolkit.capture.tiktok_source"])
_GATE = threading.Lock()
"""multiprocessing looks after all its children whenever one is started or asked for, and
two threads that see the same end get two answers."""


class Violation(AssertionError):
    """A promise was broken."""


def run_toolkit(environment: dict[str, str], failpoint_text: str, log: str, *arguments: str) -> None:
    """In the process that will die: the command a user types."""
    from toolkit.cli import main

    os.environ.update(environment)
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    os.dup2(2, 1)
    failpoint.arm(failpoint_text)
    raise SystemExit(main(arguments))


class Toolkit:
    """One process of the command line."""

    def __init__(
        self, environment: dict[str, str], log: Path, *arguments: str, dies_at: str = "", cold: bool = False
    ) -> None:
        self.started_s = time.monotonic()
        self._popen: subprocess.Popen[bytes] | None = None
        if cold:
            variables = os.environ | environment | ({failpoint.VARIABLE: dies_at} if dies_at else {})
            with log.open("ab") as output:
                self._popen = subprocess.Popen(
                    [Path(sys.executable).with_name("toolkit"), *arguments],
                    env=variables,
                    stdout=output,
                    stderr=output,
                )
        else:
            self._process = _PROCESSES.Process(
                target=run_toolkit, args=(environment, dies_at, str(log), *arguments)
            )
            with _GATE:
                self._process.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        pid = self._popen.pid if self._popen is not None else self._process.pid
        assert pid is not None
        return pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code; minus the signal that ended it; None while it runs."""
        if self._popen is not None:
            return self._popen.poll()
        with _GATE:
            return self._process.exitcode

    def send(self, number: int) -> None:
        """Send a signal; nothing happens if it is dead."""
        if self.exit_code is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait for its end."""
        wait_until(lambda: self.exit_code is not None, "the process ends")
        code = self.exit_code
        assert code is not None
        return code


def wait_until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise Violation(f"not within {DEADLINE_S:g} s: {what}")
        time.sleep(0.005)


@dataclass
class Tally:
    """
    What the cycles add up to.

    Attributes:
        cycles: Cycles by phase.
        kept: Acknowledged messages that were looked for, and found.
        ready_s: From the start of the process to its first acknowledged frame.
        cold_s: The same with interpreter and imports.
        ready_cpu_s: Of :attr:`ready_s`, what the process computed: others may use the machine.
        cold_cpu_s: The same of :attr:`cold_s`.
        resumed: Deaths after which the same recording went on.
    """

    cycles: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    ready_s: list[float] = field(default_factory=list)
    cold_s: list[float] = field(default_factory=list)
    ready_cpu_s: list[float] = field(default_factory=list)
    cold_cpu_s: list[float] = field(default_factory=list)
    resumed: int = 0

    def take(self, cycle: Cycle) -> None:
        """Take in a cycle that went well."""
        self.cycles[cycle.phase] += 1
        self.kept += len(cycle.acknowledged())
        self.resumed += cycle.had_frames and not cycle.was_stopped
        (self.cold_s if cycle.cold else self.ready_s).append(cycle.ready_s)
        (self.cold_cpu_s if cycle.cold else self.ready_cpu_s).append(cycle.ready_cpu_s)

    def lines(self) -> list[str]:
        """Return the summary."""
        phases = ", ".join(f"{name} {count}" for name, count in self.cycles.items())
        return [
            f"{self.cycles.total()} cycles: {phases}",
            f"acknowledged messages lost: 0 of {self.kept}; recordings that went on: {self.resumed}",
            f"recording again after: {_spread(self.ready_s)}",
            f"  of that computing: {_spread(self.ready_cpu_s)}",
            f"the same, with interpreter and imports: {_spread(self.cold_s)}",
            f"  of that computing: {_spread(self.cold_cpu_s)}",
        ]


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "not measured"
    ordered = sorted(seconds)
    p50, p99 = (ordered[min(int(len(ordered) * q), len(ordered) - 1)] for q in (0.5, 0.99))
    return f"p50 {p50:.2f} s, p99 {p99:.2f} s, at most {ordered[-1]:.2f} s ({len(ordered)} starts)"


class Cycle:
    """One recording, its death and its second life, in a folder of its own."""

    def __init__(self, ground: Ground, phase: str, rng: Random, folder: Path, *, cold: bool) -> None:
        self.ground = ground
        self.phase = phase
        self.rng = rng
        self.folder = folder / "recordings"
        self.folder.mkdir(parents=True)
        self.log = folder / "log"
        self.kept_journals = folder / "journals"
        self.kept_journals.mkdir()
        self.cold = cold
        self.ready_s = self.ready_cpu_s = 0.0
        self.was_stopped = False
        self.had_frames = False
        self.first_connection = ground.last_connection_id + 1
        self._processes: list[Toolkit] = []

    def run(self) -> None:
        """Die, come back, check. No process is left when it returns or raises."""
        try:
            self._live_twice()
        finally:
            for process in self._processes:
                process.send(signal.SIGKILL)

    def _live_twice(self) -> None:
        if self.phase in REBUILDING:
            self._die_rebuilding()
        elif self.phase in STARTING:
            self._die_starting()
        elif self.phase in SEALING:
            self._die_sealing(self.phase)
        elif self.phase == RANDOM:
            self._die_at_random(may_stop=True)
        else:
            self._die_recording()
        self.had_frames = any(c.acked for c in self.connections())
        self._come_back()
        self._check()

    # -- dying ---------------------------------------------------------------

    def _start(self, *arguments: str, dies_at: str = "", cold: bool = False) -> Toolkit:
        arguments = arguments or ("record", self.ground.simulator.user)
        process = Toolkit(
            self.ground.simulator.environment(),
            self.log,
            *arguments,
            "--recordings",
            str(self.folder),
            dies_at=dies_at,
            cold=cold,
        )
        self._processes.append(process)
        return process

    def _expect_death(self, process: Toolkit) -> None:
        code = process.wait()
        if code != -signal.SIGKILL:
            raise Violation(f"it was to die at {self.phase} and ended with {code}")
        self._settled()

    def _settled(self) -> None:
        """Wait until the simulator has read the last acknowledgement and seen the end."""
        wait_until(
            lambda: all(c.closed_at is not None for c in self.connections()), "the connections are closed"
        )

    def _die_recording(self) -> None:
        nth = {"half-record": 12, "ack": 12, "taken": 12, "fsync": 3, "projection": 4}.get(self.phase, 1)
        nth = 4 if self.phase in PROJECTING else nth
        self._expect_death(self._start(dies_at=f"{self.phase}:{self.rng.randint(1, nth)}", cold=self.cold))

    def _die_sealing(self, phase: str) -> None:
        process = self._start(dies_at=phase)
        self._wait_for_frames(1 + self.rng.randrange(6), process)
        process.send(signal.SIGTERM)
        self.was_stopped = True
        self._expect_death(process)

    def _die_at_random(self, *, may_stop: bool) -> None:
        process = self._start()
        self._wait_for_frames(1, process)
        time.sleep(self.rng.uniform(0, LIVES_S_MAX))
        if may_stop and self.rng.random() < 0.25:
            process.send(signal.SIGTERM)
            self.was_stopped = True
            time.sleep(self.rng.uniform(0, 0.3))
        process.send(signal.SIGKILL)
        process.wait()
        self._settled()

    def _die_starting(self) -> None:
        if self.phase == "heal":
            self._die_sealing("shutdown")
        else:
            self._die_at_random(may_stop=False)
        self._expect_death(self._start(dies_at=self.phase))

    def _die_rebuilding(self) -> None:
        if self.phase == "anew-moved":
            self._die_at_random(may_stop=False)
            # Without the database nothing would be moved out of the way.
            if not list(self.folder.glob("*.duckdb")):
                return
        else:
            process = self._start()
            self._wait_for_frames(2, process)
            process.send(signal.SIGTERM)
            self.was_stopped = True
            process.wait()
        (recording,) = RecordingsFolder(self.folder).list()
        self._expect_death(self._start("rebuild", recording["id"], dies_at=self.phase))

    # -- coming back -----------------------------------------------------------

    def connections(self) -> list[Connection]:
        """Return the connections of this cycle so far."""
        return self.ground.connections_from(self.first_connection)

    def _wait_for_frames(self, count: int, process: Toolkit, *, seen: int = 0) -> None:
        def is_there() -> bool:
            if process.exit_code is not None:
                raise Violation(f"it ended with {process.exit_code} before it recorded anything")
            return any(c.connection_id > seen and c.acked >= count for c in self.connections())

        wait_until(is_there, "a frame is acknowledged")

    def _come_back(self) -> None:
        seen = self.ground.last_connection_id
        process = self._start(cold=self.cold)
        self._wait_for_frames(1, process, seen=seen)
        self.ready_s = time.monotonic() - process.started_s
        times = psutil.Process(process.pid).cpu_times()
        self.ready_cpu_s = times.user + times.system
        self._wait_for_frames(3, process, seen=seen)
        # The journal goes when the recording is sealed. A second name keeps it for the check.
        for journal in self.folder.glob("*.journal"):
            os.link(journal, self.kept_journals / journal.name)
        process.send(signal.SIGTERM)
        code = process.wait()
        if code != 0:
            raise Violation(f"after its second life it ended with {code}")
        self._settled()

    # -- checking --------------------------------------------------------------

    def acknowledged(self) -> set[int]:
        """Return the ids of the messages whose frames were acknowledged."""
        frames = [frame for c in self.connections() for frame in list(c.frames.values())]
        return {msg_id for frame in frames if frame.acked_at for msg_id in frame.msg_ids}

    def _check(self) -> None:
        stored: set[int] = set()
        gaps: list[str] = []
        paths = sorted(self.folder.glob("*.duckdb"))
        for path in paths:
            stored |= self._stored(path)
            gaps += self._gaps(path)
        if lost := self.acknowledged() - stored:
            raise Violation(f"{len(lost)} acknowledged messages are lost, {min(lost)} the first")
        strays = [p.name for p in self.folder.iterdir() if p.suffix in (".journal", ".wal", ".new")]
        if strays:
            raise Violation(f"left behind: {', '.join(strays)}")
        goes_on = self.had_frames and not self.was_stopped
        if goes_on and (len(paths) != 1 or "process_died" not in gaps):
            raise Violation(f"{len(paths)} recordings with gaps {gaps}: the same one should have gone on")
        for journal in self.kept_journals.iterdir():
            fold = JournalFold(journal)
            for _ in fold.batches():
                pass
            differences = fold.totals.differences(read_back(self.folder / f"{journal.stem}.duckdb"))
            if differences:
                raise Violation(f"{journal.stem}: journal and database differ in {differences}")

    def _stored(self, path: Path) -> set[int]:
        report = RecordingsFolder(self.folder).verify(path.stem)
        if not report.ok:
            raise Violation(f"{path.stem}: {report.problems}")
        with open_recording(path) as recording:
            rows = recording.sql("SELECT msg_id, sha256(payload) FROM messages").rows()
        found = dict(rows)
        if len(rows) != len(found):
            raise Violation(f"{path.stem}: {len(rows) - len(found)} messages are there twice")
        for msg_id, digest in rows:
            if self.ground.digest_of(msg_id) != digest:
                raise Violation(f"{path.stem}: message {msg_id} is not what was sent")
        return set(found)

    def _gaps(self, path: Path) -> list[str]:
        with open_recording(path) as recording:
            segments, gaps = recording.segments, recording.gaps
        causes: list[str] = gaps["cause"].to_list()
        if causes != segments["cause"].to_list()[:-1]:
            raise Violation(f"{path.stem}: segments {segments['cause'].to_list()}, gaps {causes}")
        if not all(after >= before for before, after in gaps.select("started_at", "ended_at").iter_rows()):
            raise Violation(f"{path.stem}: a gap ends before it begins")
        return causes


class Ground:
    """A simulator, and what it knows of everything it ever sent."""

    def __init__(self, thread: SimulatorThread) -> None:
        self._thread = thread
        self.simulator = thread.simulator
        self._digests: dict[int, str] = {}
        self._read = 0

    @property
    def last_connection_id(self) -> int:
        """Id of the newest connection; 0 before the first."""
        connections = self.simulator.ledger.connections
        return connections[-1].connection_id if connections else 0

    def connections_from(self, first: int) -> list[Connection]:
        """Return the connections with this id and later ones."""
        return [c for c in list(self.simulator.ledger.connections) if c.connection_id >= first]

    def digest_of(self, msg_id: int) -> str:
        """Return the digest of what was sent under an id; empty if nothing was."""
        if msg_id not in self._digests:
            new = self._thread.call(lambda: list(self.simulator.ledger.since(self._read, 10**9)))
            self._digests |= {sent.msg_id: sent.sha256.hex() for sent in new}
            self._read += len(new)
        return self._digests.get(msg_id, "")


@contextmanager
def ground(seed: int) -> Iterator[Ground]:
    """Run a simulator."""
    thread = SimulatorThread(Simulator("comments-100", seed=seed, speed=SPEED))
    with thread:
        yield Ground(thread)


def run_cycles(
    cycles: range,
    *,
    seed: int,
    phases: tuple[str, ...] = PHASES,
    root: Path,
    lanes: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> Tally:
    """
    Run cycles, so many at a time, one phase after the other, and tell of each.

    Raises:
        Violation: A promise was broken; it says how to see it again.
    """
    tally, gate, is_over = Tally(), threading.Lock(), threading.Event()
    numbers = iter(cycles)

    def lane() -> None:
        try:
            with ground(seed) as there:
                # One iterator for all lanes: each takes the next number.
                for number in numbers:
                    if is_over.is_set():
                        return
                    cycle = _cycle(there, number, seed, phases, root)
                    with gate:
                        tally.take(cycle)
                        tell(
                            f"{number} {cycle.phase}: again after {cycle.ready_s:.2f} s{' cold' * cycle.cold}"
                        )
        except BaseException:
            # The others finish the cycle they are at.
            is_over.set()
            raise

    with ThreadPoolExecutor(lanes) as pool:
        try:
            for done in [pool.submit(lane) for _ in range(lanes)]:
                done.result()
        finally:
            is_over.set()
    return tally


def _cycle(there: Ground, number: int, seed: int, phases: tuple[str, ...], root: Path) -> Cycle:
    """Run one cycle and return it. Number and seed alone decide what it does."""
    phase, folder = phases[number % len(phases)], root / str(number)
    cold = number % COLD_EVERY == COLD_EVERY - 1
    cycle = Cycle(there, phase, Random(f"{seed}:{number}"), folder, cold=cold)
    try:
        cycle.run()
    except Violation as broken:
        again = f"python tests/e2e/kill.py --seed {seed} --cycle {number}"
        if phases != PHASES:
            again += f" --phase {phases[0]}"
        raise Violation(f"cycle {number}, {phase}: {broken}\n  again: {again}\n  {folder}") from broken
    shutil.rmtree(folder)
    return cycle


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--cycle", type=int, help="only the cycle with this number")
    parser.add_argument("--lanes", type=int, default=1, help="how many cycles at a time")
    parser.add_argument("--phase", choices=PHASES)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    args = parser.parse_args()
    cycles = range(args.cycles) if args.cycle is None else range(args.cycle, args.cycle + 1)
    root = Path(tempfile.mkdtemp(prefix="kill-"))
    started_s = time.monotonic()
    # As from the keyboard: no recorder outlives this.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"seed {args.seed}", flush=True)
    phases = (args.phase,) if args.phase else PHASES
    try:
        tally = run_cycles(
            cycles,
            seed=args.seed,
            phases=phases,
            root=root,
            lanes=args.lanes,
            tell=lambda line: print(line, flush=True),
        )
    except Violation as broken:
        print(broken)
        return 1
    shutil.rmtree(root)
    print(*tally.lines(), f"in {time.monotonic() - started_s:.0f} s", sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
