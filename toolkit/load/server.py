"""The server under load: ``panel serve panel_app.py`` as a process of its own, in a scratch folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from toolkit.bundled import panel_app
from toolkit.errors import ServerError
from toolkit.load.gauges import read_metrics

__all__ = ["Server", "wait_for"]

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 60.0
ASK_TIMEOUT_S = 10.0
_ASKED_TIMES = 3
"""A server under load may be late with an answer."""
_LOG_LINES_SHOWN = 15
_OURS = ("TIKTOK_", "TOOLKIT_", "RECONNECTION_", "WEBSOCKET_", "WEBHOOK_")


class Server:
    """
    One server, as a context manager; it answers when it is entered.

    Attributes:
        port: On 127.0.0.1.
        pid: Its process.
        started_s: Seconds from its start to its first answer.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """
        Prepare.

        Args:
            folder: Where its log goes.
            environment: Its settings. None are taken from ours: a load test is
                never about the live of a real person.
        """
        self.port = _free_port()
        self.pid = 0
        self.started_s = 0.0
        self._log_path = folder / "server.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        self._environment = clean | dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        # Never through a proxy: this is a server on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        """Start it, and wait for its first answer."""
        command = ["-m", "panel", "serve", str(panel_app()), "--address", "127.0.0.1", "--port"]
        began_s = time.monotonic()
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *command, str(self.port)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self._process.pid
        try:
            while self.ask("/healthz") is None:
                if time.monotonic() - began_s > READY_WITHIN_S:
                    raise self._failed(f"did not answer within {READY_WITHIN_S:g} s")
                time.sleep(0.02)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        self.started_s = time.monotonic() - began_s
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop it as an operator would; what it records is sealed by then."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, path: str, value: Mapping[str, Any] | None = None) -> Any:
        """
        GET, or POST a value, as JSON; None while nobody answers.

        Raises:
            ServerError: It has ended.
        """
        body = None if value is None else json.dumps(value).encode()
        answer = self._fetch(path, body)
        return None if answer is None else json.loads(answer)

    def status(self) -> dict[str, Any]:
        """
        Return what ``/api/tiktok/status`` says.

        Raises:
            ServerError: It does not answer.
        """
        for _ in range(_ASKED_TIMES):
            answer = self.ask("/api/tiktok/status")
            if answer is not None:
                return dict(answer)
        raise ServerError("The server under load does not answer any more.", hint="Try a lower rate.")

    def metrics(self) -> dict[str, float]:
        """Return what ``/metrics`` says."""
        return read_metrics((self._fetch("/metrics") or b"").decode())

    def _fetch(self, path: str, body: bytes | None = None) -> bytes | None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise self._failed(f"ended with exit code {self._process.returncode}")
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=ASK_TIMEOUT_S) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            return bytes(error.read())
        except OSError:
            return None

    def _failed(self, what: str) -> ServerError:
        lines = self._log_path.read_text("utf-8", "replace").splitlines()[-_LOG_LINES_SHOWN:]
        return ServerError(f"The server under load {what}.", hint="\n  ".join(["It said:", *lines]))


def wait_for(condition: Callable[[], Any], within_s: float, what: str) -> None:
    """
    Wait until something holds.

    Args:
        condition: What is asked ten times a second.
        within_s: How long.
        what: It in words, such as "The recorder connects".

    Raises:
        ServerError: It does not, in time.
    """
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise ServerError(f"{what}: not within {within_s:g} s.", hint="Try a lower rate first.")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
