"""What the routes need from the rest of the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from toolkit.bus.memory import MemoryBus
from toolkit.observe.metrics import Readings
from toolkit.replay.options import ReplayOptions
from toolkit.show.look.faces import Faces
from toolkit.show.look.presets import Presets
from toolkit.web.frames import Gate

__all__ = ["Backend", "Show"]


class Show(Protocol):
    """Questions, alerts, goals ...: states, and what the operator asks."""

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the state of every part by its name, at once."""
        ...

    def command(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a request says, as it says it; return ``{"ok": True, NAME: state}``. May block."""
        ...


class Backend(Protocol):
    """
    The process behind the routes.

    ``status``, ``readiness``, ``readings`` and ``snapshot`` are called in the
    server's loop and return at once. Everything else is called in a worker thread
    and may block; a :class:`~toolkit.errors.ToolkitError` it raises becomes a 4xx
    answer with the error's sentence and hint.
    """

    @property
    def bus(self) -> MemoryBus:
        """Where everything is announced."""
        ...

    @property
    def gate(self) -> Gate | None:
        """What decides what public clients get; None lets everything through."""
        ...

    @property
    def show(self) -> Show:
        """The show."""
        ...

    @property
    def faces(self) -> Faces:
        """Where viewers' pictures are; its methods may block."""
        ...

    @property
    def presets(self) -> Presets:
        """Options and styles of the overlay under a name; its methods may block."""
        ...

    def status(self) -> dict[str, Any]:
        """Return where recorder and rehearsal stand: ``connected``, ``user``, ``reconnectionState`` ..."""
        ...

    def readiness(self) -> dict[str, dict[str, Any]]:
        """Return each check by name: ``{"ok": bool, "detail": sentence}``."""
        ...

    def readings(self) -> Readings:
        """Return the figures that Prometheus may ask for."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """
        Return what somebody who joins late has to know.

        ``run`` (live, rehearsal, none), ``status``, ``show``, and ``comments`` and
        ``questions``, oldest first, each ``{"seq": number of its notice, "data": event}``.
        """
        ...

    def recordings(self) -> list[dict[str, Any]]:
        """Return the recordings, newest first."""
        ...

    def recording_info(self, recording_id: str) -> dict[str, Any]:
        """Return what is known of one recording."""
        ...

    def events_arrow(self, recording_id: str, since_seq: int, table: str) -> bytes:
        """Return the rows of ``table`` after message ``since_seq`` as one Arrow IPC stream."""
        ...

    def reconnect(self) -> dict[str, Any]:
        """Dial TikTok now instead of waiting."""
        ...

    def start_recording(self, user: str) -> dict[str, Any]:
        """Record ``user`` from now on."""
        ...

    def stop_recording(self) -> dict[str, Any]:
        """Stop and seal."""
        ...

    def start_replay(self, recording_id: str, options: ReplayOptions) -> dict[str, Any]:
        """Play a sealed recording, marked as a rehearsal."""
        ...

    def control_replay(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Pause, resume, seek ...: what a request says, as it says it."""
        ...

    def replay(self, buckets: int) -> dict[str, Any]:
        """Return how far the rehearsal is, and its timeline in so many stretches unless 0."""
        ...

    def stop_replay(self) -> dict[str, Any]:
        """Stop the rehearsal."""
        ...
