"""
What an open page of the dashboard costs the server, in front of a flood of comments.

A real Chromium has the page open, and shuts it, in turns: a shared machine halves any
absolute figure, and the live itself costs more than the page. A page counts as open when
it has said itself that it stands; the server counts them (``toolkit_dashboard_pages``).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator

from toolkit.bench.live import served_live
from toolkit.bench.machine import Figure
from toolkit.load.browsers import Browser, find_chromium
from toolkit.load.gauges import ProcessGauge
from toolkit.load.server import Server, wait_for

__all__ = ["measure"]

PROFILE = "comments-1000"
ROUNDS = 3
CPU_PERCENT_MAX = 25.0
OPEN_WITHIN_S = 60.0
SHUT_WITHIN_S = 90.0
"""A server keeps a page for some 30 s, in case it comes back."""
SETTLE_S = 3.0
"""For what a page is sent at first; what it costs to stay open is measured."""


def measure(seconds: float, profile: str = PROFILE, rounds: int = ROUNDS) -> Iterator[Figure]:
    """
    Yield CPU of the server without a page and for one, and of its browser; nothing without a Chromium.

    Args:
        seconds: Length of each measurement, with the page and without.
        profile: Kind of room.
        rounds: How often the page is opened.

    Raises:
        ServerError: A part cannot be started, or the page does not come up.
    """
    chromium = find_chromium()
    if chromium is None:
        print("dashboard: there is no Chromium here to open it in", file=sys.stderr)
        return
    with served_live(profile) as server:
        gauge = ProcessGauge(server.pid)
        time.sleep(SETTLE_S)
        without, extra, browsers = [], [], []
        for _ in range(rounds):
            _wait_for_pages(server, 0, SHUT_WITHIN_S)
            without.append(_cpu_percent(gauge, seconds))
            with Browser(chromium, f"{server.url}/panel_app") as browser:
                _wait_for_pages(server, 1, OPEN_WITHIN_S)
                time.sleep(SETTLE_S)
                page = ProcessGauge(browser.pid, with_children=True)
                extra.append(_cpu_percent(gauge, seconds) - without[-1])
                browsers.append(page.look().cpu * 100)
    note = f"median of {rounds} rounds of {seconds:g} s; the live is recorded, too"
    yield Figure("dashboard: server CPU without a page", statistics.median(without), "% of a core", note=note)
    yield Figure(
        "dashboard: server CPU for an open page",
        statistics.median(extra),
        "% of a core",
        CPU_PERCENT_MAX,
        at_most=True,
        note=f"more than without; {min(extra):.1f} to {max(extra):.1f}",
    )
    yield Figure("dashboard: CPU of its browser", statistics.median(browsers), "% of a core")


def _wait_for_pages(server: Server, number: int, within_s: float) -> None:
    what = "The page stands" if number else "The page is gone"
    wait_for(lambda: server.metrics().get("toolkit_dashboard_pages") == number, within_s, what)


def _cpu_percent(gauge: ProcessGauge, seconds: float) -> float:
    gauge.look()
    time.sleep(seconds)
    return gauge.look().cpu * 100
