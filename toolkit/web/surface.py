"""What all routes of one application share: the backend, the hub, worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar, cast

from tornado.web import Application

from toolkit.errors import ServerError
from toolkit.web.access import Policy, guard
from toolkit.web.backend import Backend
from toolkit.web.hub import CLIENTS_MAX, Hub
from toolkit.web.pictures import Pictures

__all__ = ["Surface", "install", "surface_of"]

_SETTING = "toolkit_surface"
WORKERS = 4
WAITING_MAX = 32
"""Calls that may wait for a worker. Beyond it a caller is told to come back."""

_FILES_BY_DEFAULT = 1_024

P = ParamSpec("P")
T = TypeVar("T")


class Surface:
    """
    The web side of one process.

    Attributes:
        backend: The process behind the routes.
        hub: The sockets.
        pictures: Viewers' pictures, fetched for the overlay.
        policy: Who may ask.
        websocket_enabled: Whether ``/ws`` answers.
    """

    def __init__(self, backend: Backend, policy: Policy, *, websocket_enabled: bool = True) -> None:
        self.backend = backend
        self.policy = policy
        clients_max = min(CLIENTS_MAX, _files_max() // 2)
        self.hub = Hub(backend.bus, backend.snapshot, gate=backend.gate, clients_max=clients_max)
        self.pictures = Pictures(backend.faces)
        self.websocket_enabled = websocket_enabled
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="toolkit-web")
        self._waiting = 0

    async def in_worker(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """
        Run a blocking call beside the loop.

        Raises:
            ServerError: Too many wait already.
        """
        if self._waiting >= WAITING_MAX:
            raise ServerError("The server is busy.", hint="Try again in a few seconds.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._workers, lambda: call(*args, **kwargs))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Close the sockets; take no more calls. Does not wait for running ones."""
        self.hub.close()
        self.pictures.close()
        self._workers.shutdown(wait=False, cancel_futures=True)


def _files_max() -> int:
    """
    Return how many files this process may have open, after asking for as many as it gets.

    Sockets may take half of them: the recorder needs the rest.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit, and nobody there has run out.
        return _FILES_BY_DEFAULT
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENTS_MAX * 2 + _FILES_BY_DEFAULT
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            more = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if soft == resource.RLIM_INFINITY else soft


def install(
    application: Application, backend: Backend, policy: Policy, *, websocket_enabled: bool = True
) -> Surface:
    """
    Give ``application`` its backend and its guard. Call in the server's loop.

    Its routes answer 503 before. Repeated calls return the first surface.
    """
    guard(application, policy)
    surface = surface_of(application)
    if surface is None:
        surface = Surface(backend, policy, websocket_enabled=websocket_enabled)
        application.settings[_SETTING] = surface
    return surface


def surface_of(application: Any) -> Surface | None:
    """Return the surface of ``application``; None before :func:`install`."""
    return cast("Surface | None", application.settings.get(_SETTING))
