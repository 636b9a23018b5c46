"""A real `panel serve`, a real Chromium, a simulator: what the whole product needs to be used."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page

from tests import waiting
from tests.served import LOOPBACK, ROOT, Served


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """Return what waits for a condition, with a deadline."""
    return waiting.wait_until


class Server(Served):
    """The whole product, asked over HTTP."""

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


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers; they are stopped at the end."""
    servers: list[Server] = []
    logs = tmp_path_factory.mktemp("logs")

    def start(environment: dict[str, str], *arguments: str, port: int = 0, wait: bool = True) -> Server:
        log = logs / f"{len(servers)}.log"
        script = ROOT / "panel_app.py"
        server = Server(script, *LOOPBACK, *arguments, log=log, environment=environment, port=port)
        servers.append(server.start())
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
