"""Whether a page that runs for hours stays as small as it was."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

STEP_S = 0.1
WARM_UP_S = 30
"""By then what a page keeps is full: the overlay's chat, 2,000 ids of messages at 100 a second."""
SAMPLES = 24
HEAP_KB_PER_HOUR_MAX = 2_000
"""An hour's growth that nobody could notice; and far more than what measuring itself adds."""
HEAP_NOISE_KB = 120
"""A short run cannot tell less: so much the engine goes on learning of the code in its first minutes."""
NODES_NOISE = 60


def watch(
    page: Any,
    minutes: float,
    *,
    step: Callable[[], Any] = lambda: None,
    more: Callable[[], dict[str, float]] = dict,
    warm_up_s: float = WARM_UP_S,
) -> dict[str, dict[str, float]]:
    """
    Return by figure its mean at first and at last, and how much it grows in an hour.

    Args:
        page: Of a Chromium, open.
        minutes: How long.
        step: Called every :data:`STEP_S`.
        more: Returns further figures, by name.
        warm_up_s: What is not measured; half of the time at most.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    total_s = minutes * 60
    samples: dict[str, list[tuple[float, float]]] = {}
    warm_s = min(warm_up_s, total_s / 2)
    begun, due_s, sample_s = time.monotonic(), 0.0, warm_s
    while due_s < total_s:
        step()
        due_s += STEP_S
        page.wait_for_timeout(max(0.0, begun + due_s - time.monotonic()) * 1_000)
        if due_s >= sample_s:
            sample_s += (total_s - warm_s) / SAMPLES
            for name, value in (_measure(session) | more()).items():
                samples.setdefault(name, []).append((due_s, value))
    return {
        name: {
            "first": round(statistics.mean(v for _, v in told[:4]), 1),
            "last": round(statistics.mean(v for _, v in told[-4:]), 1),
            "per_hour": round(statistics.linear_regression(*zip(*told, strict=True)).slope * 3_600, 1),
        }
        for name, told in samples.items()
    }


def growing(figures: dict[str, dict[str, float]], minutes: float) -> list[str]:
    """Return what grows of a page, in sentences."""
    hours = minutes / 60
    bounds = {
        "heap_kb": max(HEAP_KB_PER_HOUR_MAX, HEAP_NOISE_KB / hours),
        "nodes": NODES_NOISE / hours,
        "listeners": NODES_NOISE / hours,
    }
    return [
        f"{name} grows by {figures[name]['per_hour']:.0f} an hour; {bound:.0f} would be noise"
        for name, bound in bounds.items()
        if figures[name]["per_hour"] > bound
    ]


def _measure(session: Any) -> dict[str, float]:
    """Return heap after a collection, nodes and listeners of the page."""
    session.send("HeapProfiler.collectGarbage")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return {
        "heap_kb": metrics["JSHeapUsedSize"] / 1_000,
        "nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
    }
