"""A real `panel serve`, a real Chromium, a simulator: what the whole product needs to be used."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

START_WITHIN_S = 60


@pytest.fixture(name="wait_until")
def _wait_until() -> Callable[..., Any]:
    """Wait for a condition with a deadline."""
    return wait_until


def wait_until(condition: Callable[[], Any], *, within_s: float = 30, what: str = "") -> Any:
    """Return the first true value of a condition; fail when it never comes."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"not within {within_s} s: {what or condition}")


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A `panel serve panel_app.py` of its own process."""

    def __init__(self, root: Path, environment: dict[str, str], port: int, *arguments: str) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - lives as long as the server
        command = ["-m", "panel", "serve", "panel_app.py", "--address", "127.0.0.1", "--port", str(port)]
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "TOOLKIT_"))
        }
        self.process = subprocess.Popen(
            [sys.executable, *command, *arguments],
            cwd=root,
            env=clean | environment,
            stdout=self.log,
            stderr=self.log,
        )

    def ask(self, path: str, value: Any = None) -> Any:
        """GET, or POST a value, as JSON. None while nobody answers."""
        data = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:
            return None

    def text(self, path: str) -> str:
        """GET as text."""
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return str(response.read().decode())

    def wait_ready(self) -> None:
        """Wait for the first answer."""
        wait_until(
            lambda: self.process.poll() is not None or self.ask("/healthz"),
            within_s=START_WITHIN_S,
            what="healthz",
        )
        assert self.process.poll() is None, self.output()

    def output(self) -> str:
        """Return what it printed so far."""
        self.log.seek(0)
        return self.log.read()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        if code:
            print(self.output())  # pytest shows it with the failure
        return code


@pytest.fixture
def serve(project_root: Path) -> Iterator[Callable[..., Server]]:
    """Start servers; they are stopped at the end."""
    servers: list[Server] = []

    def start(environment: dict[str, str], *arguments: str, port: int = 0, wait: bool = True) -> Server:
        server = Server(project_root, environment, port or free_port(), *arguments)
        servers.append(server)
        if wait:
            server.wait_ready()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def browse(chromium: Any) -> Callable[..., Any]:
    """Open pages in a window of their own."""

    @contextmanager
    def open_pages(**options: Any) -> Iterator[Callable[[str], Page]]:
        context = chromium.new_context(**options)

        def open_page(url: str) -> Page:
            page: Page = context.new_page()
            page.goto(url)
            return page

        yield open_page
        context.close()

    return open_pages
