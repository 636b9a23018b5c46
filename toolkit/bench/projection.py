"""From batches to rows: what the projector does every 250 ms, and what a row weighs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from toolkit.bench.machine import Figure
from toolkit.bench.material import MESSAGES_PER_FRAME, new_batches
from toolkit.load.histogram import Histogram
from toolkit.store.database import Database

__all__ = ["measure"]

BATCHES = 2_000
BATCHES_PER_WRITE = 10
"""250 messages: a quarter of a second at 1,000 messages/s."""
WRITE_P99_MS_MAX = 250.0
"""Beyond its interval the projector falls behind."""


def measure(batches: int = BATCHES) -> Iterator[Figure]:
    """Yield speed, cost and latency of writing rows, and the size of what was written."""
    material = new_batches(batches)
    messages = sum(len(batch.messages) for batch in material)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.duckdb"
        database = Database.open(path)
        latency = Histogram()
        cpu_s, began_s = time.process_time(), time.monotonic()
        for start in range(0, len(material), BATCHES_PER_WRITE):
            started_ns = time.perf_counter_ns()
            database.append(material[start : start + BATCHES_PER_WRITE])
            latency.record((time.perf_counter_ns() - started_ns) // 1000)
        took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
        database.checkpoint()
        database.close()
        yield Figure("projection: rows", messages / took_s, "messages/s", note="each write one transaction")
        yield Figure("projection: CPU per message", cpu_s / messages * 1e6, "us", note="all threads")
        yield Figure(
            "projection: write p99",
            (latency.percentile(99) or 0) / 1000,
            "ms",
            WRITE_P99_MS_MAX,
            at_most=True,
            note=f"{BATCHES_PER_WRITE * MESSAGES_PER_FRAME} messages at once",
        )
        yield Figure(
            "projection: size per message", path.stat().st_size / messages, "bytes", note="payload and rows"
        )
