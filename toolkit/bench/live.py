"""A live of the simulator and a server that records it, each a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.load.pipes import RemoteActor
from toolkit.load.server import Server, wait_for
from toolkit.load.source import Source
from toolkit.simulator.profile import profile_named

__all__ = ["served_live"]

CONNECT_WITHIN_S = 60.0
_SEED = 5


@contextmanager
def served_live(profile: str) -> Iterator[Server]:
    """
    Have a live recorded for as long as it is looked at; what was recorded is thrown away.

    Args:
        profile: Kind of room, as in :data:`~toolkit.simulator.profile.PRESETS`.

    Raises:
        ServerError: A part cannot be started, or they do not meet within a minute.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        RemoteActor("simulator", Source, profile_named(profile), _SEED) as source,
        Server(Path(folder), _environment(Path(folder), source)) as server,
    ):
        wait_for(lambda: server.status()["connected"], CONNECT_WITHIN_S, "The recorder connects")
        yield server


def _environment(folder: Path, source: RemoteActor) -> dict[str, str]:
    return {
        **source.started,
        "TIKTOK_USERNAME": "demo",
        "TOOLKIT_RECORDINGS": str(folder / "recordings"),
    }
