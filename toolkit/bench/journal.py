"""What stands between a frame and its acknowledgement: the journal, on a real disk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from toolkit.bench.machine import Figure
from toolkit.bench.material import MESSAGES_PER_FRAME, new_frames
from toolkit.load.histogram import Histogram
from toolkit.store.journal import JournalReader, JournalWriter, RecordType

__all__ = ["measure"]

FRAMES = 4_000
APPEND_P99_US_MAX = 5_000.0
"""Every frame waits for it before it is acknowledged."""


def measure(frames: int = FRAMES) -> Iterator[Figure]:
    """Yield what a frame costs on its way to the disk, and how fast a journal is read back."""
    material = new_frames(min(frames, 400))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.journal"
        latency = Histogram()
        cpu_s, began_s = time.process_time(), time.monotonic()
        journal = JournalWriter(path)
        for n in range(frames):
            started_ns = time.perf_counter_ns()
            journal.append(RecordType.FRAME, material[n % len(material)].data, segment_id=1, kind=1)
            latency.record((time.perf_counter_ns() - started_ns) // 1000)
        journal.close()
        took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
        yield Figure(
            "journal: append", frames * MESSAGES_PER_FRAME / took_s, "messages/s", note="to the disk"
        )
        yield Figure("journal: CPU per message", cpu_s / frames / MESSAGES_PER_FRAME * 1e6, "us")
        yield Figure(
            "journal: append p99",
            float(latency.percentile(99) or 0),
            "us",
            APPEND_P99_US_MAX,
            at_most=True,
            note=f"{frames:,} frames of {MESSAGES_PER_FRAME} messages, synced every 0.5 s",
        )
        yield Figure("journal: size per message", path.stat().st_size / frames / MESSAGES_PER_FRAME, "bytes")
        began_s = time.monotonic()
        read = sum(1 for _ in JournalReader(path))
        took_s = time.monotonic() - began_s
        yield Figure("journal: read back", read * MESSAGES_PER_FRAME / took_s, "messages/s", note="checksums")
