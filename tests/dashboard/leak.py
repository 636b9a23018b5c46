"""
Does a page of the dashboard that is open for a day stay as small as it was, and its server?

    python -m tests.dashboard.leak --minutes 15

A day of a room with ten comments a second in a quarter of an hour: a live of a thousand a
second is recorded by a real server, and a real Chromium has its dashboard open. Exits with 1
when the page grows; the server's memory is told beside it.
"""

from __future__ import annotations

import argparse
import json
import sys

from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM_FLAGS
from tests.leaks import growing, watch
from toolkit.bench.live import served_live
from toolkit.load.browsers import find_chromium
from toolkit.load.gauges import ProcessGauge

WARM_UP_S = 180
"""For the feed to be full, and the code learnt. The chart grows for ten minutes: 600 points."""


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--profile", default="comments-1000")
    args = parser.parse_args()
    with served_live(args.profile) as server, sync_playwright() as playwright:
        gauge = ProcessGauge(server.pid)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS.split())
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{server.url}/panel_app")
        page.locator(".feed-list li").first.wait_for()
        figures = watch(
            page,
            args.minutes,
            more=lambda: {"server_mb": gauge.look().rss_bytes / 1e6},
            warm_up_s=WARM_UP_S,
        )
        browser.close()
    wrong = growing(figures, args.minutes)
    print(json.dumps({"minutes": args.minutes, "figures": figures, "wrong": wrong}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
