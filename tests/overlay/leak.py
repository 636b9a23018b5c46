"""
Does a page of the overlay that runs for hours stay as small as it was?

    python -m tests.overlay.leak --minutes 60

A hundred comments a second, an alert every two seconds with its combo, a quiz every ten,
a poll, goals and a leaderboard that moves, in a real Chromium on a real server. After a
warm-up the heap (after a collection) and the numbers of nodes and listeners are
measured again and again; a straight line through them says how fast they grow. Exits
with 1 when one does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM_FLAGS
from tests.overlay.conftest import Stage, alert, board, goal, person, poll, quiz, stage_of
from tests.web.conftest import Server

COMMENTS_HZ = 100
STEP_S = 0.1
WARM_UP_S = 30
"""By then the chat is full, and so is what it remembers of messages: 2,000 ids at 100 a second."""

SAMPLES = 24
HEAP_KB_PER_HOUR_MAX = 2_000
"""An hour's growth that nobody could notice; and far more than what measuring itself adds."""
HEAP_NOISE_KB = 120
"""A short run cannot tell less: so much the engine goes on learning of the code in its first minutes."""
NODES_NOISE = 60


def traffic(stage: Stage) -> Iterator[None]:
    """Publish a tenth of a second of a busy live at each step, for ever."""
    step = 0
    while True:
        texts = [f"comment {step} {n} \U0001f525" for n in range(int(COMMENTS_HZ * STEP_S))]
        stage.comments(texts, nickname=f"viewer {step % 997}", user=step % 997)
        if step % 5 == 0:
            stage.put(
                "alert", **alert(step // 20, count=step % 20, diamonds=step, user=person(step % 997, "Gina"))
            )
            stage.put("goals", **goal(step % 100))
            stage.put("poll", **poll([step % 7, 3, step % 5]))
        if step % 25 == 0:
            names = [(n, f"player {n}", (n * step) % 101) for n in range(1, 9)]
            stage.put("leaderboard", **board(*sorted(names, key=lambda one: -one[2])))
        phase, number = step % 100, step // 100
        if phase == 0:
            stage.put("question", **quiz(round=number, id=number))
        elif phase == 60:
            winner = person(step % 997, "Zoë", answer="Jupiter", points=90, after_ms=900)
            stage.put("question", **quiz("decided", round=number, id=number, winner=winner))
        elif phase == 90:
            stage.put("question", state="idle")
        step += 1
        yield


def slope_per_hour(samples: list[tuple[float, float]]) -> float:
    """Return how much a figure grows in an hour, by a line through (seconds, figure)."""
    return statistics.linear_regression(*zip(*samples, strict=True)).slope * 3_600


def measure(session: Any) -> dict[str, float]:
    """Return heap after a collection, nodes and listeners of the page."""
    session.send("HeapProfiler.collectGarbage")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return {
        "heap_kb": metrics["JSHeapUsedSize"] / 1_000,
        "nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
    }


def run(minutes: float, server: Server, page: Any) -> dict[str, Any]:
    """Play traffic for so long; return what was measured."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    steps, total_s = traffic(server.studio), minutes * 60
    samples: dict[str, list[tuple[float, float]]] = {"heap_kb": [], "nodes": [], "listeners": []}
    warm_s = min(WARM_UP_S, total_s / 2)
    begun, due_s, sample_s = time.monotonic(), 0.0, warm_s
    while due_s < total_s:
        next(steps)
        due_s += STEP_S
        page.wait_for_timeout(max(0.0, begun + due_s - time.monotonic()) * 1_000)
        if due_s >= sample_s:
            sample_s += (total_s - warm_s) / SAMPLES
            for name, value in measure(session).items():
                samples[name].append((due_s, value))
    return {
        "minutes": minutes,
        "comments": page.evaluate("window.__tl.comments"),
        "figures": {
            name: {
                "first": round(statistics.mean(v for _, v in told[:4]), 1),
                "last": round(statistics.mean(v for _, v in told[-4:]), 1),
                "per_hour": round(slope_per_hour(told), 1),
            }
            for name, told in samples.items()
        },
    }


def verdict(result: dict[str, Any]) -> list[str]:
    """Return what grows, in sentences."""
    wrong, hours = [], result["minutes"] / 60
    bounds = {
        "heap_kb": max(HEAP_KB_PER_HOUR_MAX, HEAP_NOISE_KB / hours),
        "nodes": NODES_NOISE / hours,
        "listeners": NODES_NOISE / hours,
    }
    for name, bound in bounds.items():
        grows = result["figures"][name]["per_hour"]
        if grows > bound:
            wrong.append(f"{name} grows by {grows:.0f} an hour; {bound:.0f} would be noise")
    return wrong


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    server = Server(Stage(stage=stage_of()))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS.split())
            page = browser.new_page(viewport={"width": 1080, "height": 1920})
            page.goto(f"{server.url}/overlay")
            result = run(minutes, server, page)
            browser.close()
    finally:
        server.stop()
    wrong = verdict(result)
    print(json.dumps(result | {"wrong": wrong}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
