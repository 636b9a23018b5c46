"""How long one waits: for an import, for the command line, for the first answer of the server."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from toolkit.bench.machine import Figure
from toolkit.load.gauges import ProcessGauge
from toolkit.load.server import Server

__all__ = ["measure"]

_IMPORT = "import toolkit"
_NOTEBOOK = "from toolkit import open_recording"
_HELP = "from toolkit.cli import build_parser; build_parser().format_help()"
_RIVAL = "import TikTokLive"
FIRST_ANSWER_S_MAX = 10.0


def measure(rounds: int) -> Iterator[Figure]:
    """Yield seconds from the start of a process to what one wanted of it."""
    for name, code, note in (
        ("import toolkit", _IMPORT, ""),
        ("import for a notebook", _NOTEBOOK, "DuckDB and polars"),
        ("toolkit --help", _HELP, ""),
        ("import TikTokLive", _RIVAL, "for comparison; only a recorder does it"),
    ):
        yield Figure(
            f"start: {name}", statistics.median(_python(code) for _ in range(rounds)), "s", note=note
        )
    with tempfile.TemporaryDirectory() as folder:
        environment = {"TOOLKIT_RECORDINGS": str(Path(folder) / "recordings")}
        with Server(Path(folder), environment) as server:
            yield Figure(
                "start: server, first answer", server.started_s, "s", FIRST_ANSWER_S_MAX, at_most=True
            )
            rss_mb = ProcessGauge(server.pid).look().rss_bytes / 1e6
            yield Figure("start: server, memory", rss_mb, "MB", note="idle, no page open")


def _python(code: str) -> float:
    began_s = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.monotonic() - began_s
