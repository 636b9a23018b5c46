"""A real ``toolkit record`` in a process of its own, and what it said."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.waiting import WITHIN_S, wait_until
from toolkit.simulator.server import Simulator

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["toolkit.app", "toolkit.cli", "toolkit.capture.tiktok_source"])
"""A process that has imported everything already begins in a tenth of the time."""

QUICK = {"RECONNECTION_BASE_DELAY": "100", "RECONNECTION_MAX_DELAY": "500"}
_COMMAND = "import sys; exec({!r}); from toolkit.cli import main; raise SystemExit(main(sys.argv[1:]))"


class RecordProcess:
    """
    ``toolkit record demo --recordings FOLDER``.

    Attributes:
        process: The process: a fork of one that is warm, or a program of its own.
    """

    def __init__(
        self, simulator: Simulator, folder: Path, *options: str, hook: str = "", own_program: bool = False
    ) -> None:
        """
        Start it.

        Args:
            simulator: Where TikTok is.
            folder: Of the recordings.
            options: Further ones of the verb.
            hook: Python that runs in it before the command, such as a shorter wait.
            own_program: A whole start, whose memory is nobody else's.
        """
        self._log = folder.with_name(f"{folder.name}.{time.monotonic_ns()}.log")
        arguments = ["record", "demo", "--recordings", str(folder), *options]
        self.process: Any
        if own_program:
            command = [sys.executable, "-c", _COMMAND.format(hook), *arguments]
            with self._log.open("wb") as log:
                environment = os.environ | QUICK | simulator.environment()
                self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            return
        target = (QUICK | simulator.environment(), arguments, str(self._log), hook)
        self.process = PROCESSES.Process(target=_run, args=target)
        self.process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return int(self.process.pid)

    @property
    def said(self) -> str:
        """What it wrote so far, to both outputs."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def wait_said(self, text: str) -> None:
        """Wait until it has written something."""
        wait_until(lambda: text in self.said or not self._is_alive(), f"{text!r}; it said {self.said}")
        assert text in self.said, self.said

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def end(self, number: signal.Signals | None = None, within_s: float = WITHIN_S) -> int:
        """Wait for its end, after a signal if one is given; return its exit code."""
        if number is not None:
            self.send(number)
        wait_until(lambda: not self._is_alive(), f"the end of it; it said {self.said}", within_s=within_s)
        if isinstance(self.process, subprocess.Popen):
            return int(self.process.returncode)
        return int(self.process.exitcode)

    def _is_alive(self) -> bool:
        if isinstance(self.process, subprocess.Popen):
            return self.process.poll() is None
        return bool(self.process.is_alive())


def _run(environment: Mapping[str, str], arguments: list[str], log: str, hook: str) -> None:
    from toolkit.cli import main

    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    exec(hook, {})
    code = main(arguments)
    sys.stdout.flush()
    raise SystemExit(code)
