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
import sys
from collections.abc import Iterator
from functools import partial

from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM_FLAGS
from tests.leaks import STEP_S, growing, watch
from tests.overlay.conftest import Stage, alert, board, goal, person, poll, quiz, stage_of
from tests.web.conftest import Server
from toolkit.load.browsers import find_chromium

COMMENTS_HZ = 100


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


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    server = Server(Stage(stage=stage_of()))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS.split())
            page = browser.new_page(viewport={"width": 1080, "height": 1920})
            page.goto(f"{server.url}/overlay")
            figures = watch(page, minutes, step=partial(next, traffic(server.studio)))
            comments = page.evaluate("window.__tl.comments")
            browser.close()
    finally:
        server.stop()
    wrong = growing(figures, minutes)
    print(
        json.dumps({"minutes": minutes, "comments": comments, "figures": figures, "wrong": wrong}, indent=1)
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
