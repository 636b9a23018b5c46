"""A real `panel serve` in a process of its own."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.waiting import WITHIN_S, wait_until

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = ("--address", "127.0.0.1")
PORTS = range(20_000, 30_000)
"""Below those that a system gives to whoever asks for any: a server takes seconds to listen."""
LANES_MAX = 8
"""Each lane of tests looks among ports of its own: what one has found it does not use at once."""
CLEARED = ("TIKTOK_", "TOOLKIT_")


def free_port() -> int:
    """Return a port that nothing listens on, and that nobody else gets meanwhile."""
    lane = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % LANES_MAX
    # Seeded by nobody: somebody else's tests may look for one as well.
    for port in random.SystemRandom().sample(PORTS[lane::LANES_MAX], 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a hundred ports are taken")


def network_address() -> str | None:
    """Return this machine's address as others see it; None when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: this only asks which of our addresses would be used.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


class Served:
    """
    One `panel serve`; may be stopped and started again at the same port.

    Attributes:
        port: Where it listens.
        url: Address of it, without a slash at the end.
        log: File of all it printed.
        process: The process; its last one, or none before the first start.
    """

    process: subprocess.Popen[bytes]

    def __init__(
        self,
        script: str | Path,
        *options: str,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        port: int = 0,
    ) -> None:
        """
        Prepare it.

        Args:
            script: What it serves.
            options: Further ones of `panel serve`.
            log: File for what it prints.
            environment: Settings; those of whoever runs the tests are left out.
            folder: Where it runs.
            port: Where to listen; 0 looks for a free one.
        """
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._folder = folder
        self._command = [sys.executable, "-m", "panel", "serve", str(script)]
        self._command += ["--port", str(self.port), *options]
        self._environment = dict(environment or {})

    def start(self) -> Self:
        """Start it; it does not answer yet."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(CLEARED)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=self._folder, env=kept | self._environment, stdout=log, stderr=log
            )
        return self

    def wait_ready(self) -> None:
        """Wait for the first answer; fail when it has ended instead."""
        wait_until(self._answers, "the first answer", within_s=60)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.output()
        try:
            urllib.request.urlopen(f"{self.url}/healthz", timeout=5).close()
        except urllib.error.HTTPError:
            return True  # a refusal is an answer, as under --prefix
        except OSError:
            return False
        return True

    def output(self) -> str:
        """Return what it printed so far."""
        return self.log.read_text("utf-8", "replace")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it as an operator does; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if code:
            print(self.output())  # shown with the failure
        return code
