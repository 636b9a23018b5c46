"""How the overlay looks: contrast of every theme, every size, every language."""

import json
import re
from pathlib import Path

import pytest

from tests.overlay.conftest import holds

pytestmark = pytest.mark.browser

OVERLAY = Path(__file__).parents[2] / "overlay"
THEMES = ("midnight", "paper", "neon", "candy", "clear", "contrast", "plain")
CONTRAST_MIN = 4.5
"""WCAG 2.2, 1.4.3: text of any size."""

HUES = (15, 42, 70, 95, 130, 155, 180, 205, 235, 275, 310, 345)
NAMES = [f"oklch(var(--tl-name-light) var(--tl-name-chroma) {hue})" for hue in HUES]
INKS = [f"var(--tl-{name})" for name in ("ink", "soft", "bright", "loud")]
GROUNDS = [
    ["var(--tl-panel)"],
    ["var(--tl-panel-top)"],
    ["var(--tl-panel)", "var(--tl-row)"],
    ["var(--tl-panel-top)", "var(--tl-row)"],
]
PAIRS = [
    *(([*ground], ink) for ground in GROUNDS for ink in [*INKS, *NAMES]),
    *((["var(--tl-card)"], ink) for ink in ["var(--tl-ink)", "var(--tl-bright)", *NAMES]),
    *(([f"var(--tl-{n})"], f"var(--tl-on-{n})") for n in ("accent", "accent-2", "right", "a", "b", "c", "d")),
    (["var(--tl-panel-top)", "var(--tl-track)"], "var(--tl-on-track)"),
]
"""(layers of the ground from below, text): all that stands on something."""

MEASURE = Path(__file__).with_name("contrast.js").read_text()


def test_every_text_of_every_theme_can_be_read(server, visit):
    """At least 4.5 to 1 for each pair of text and ground, over a white and over a black picture."""
    page = visit("/overlay?demo=still&show=goal")
    for theme in THEMES:
        page.goto(f"{server.url}/overlay?demo=still&show=goal&theme={theme}")
        page.locator(".tl-goal").first.wait_for()
        found = page.evaluate(MEASURE, [PAIRS, theme == "clear"])
        assert len(found) == 2 * len(PAIRS)
        assert len({round(ratio, 3) for *_, ratio in found}) > 3, "nothing was measured"
        weak = [one for one in found if one[-1] < CONTRAST_MIN]
        assert weak == [], theme


def test_every_theme_of_the_page_is_measured():
    """The lists of the page and of this test are one."""
    text = (OVERLAY / "options.js").read_text()
    assert tuple(re.findall(r'"(\w+)"', re.search(r"THEMES = \[(.*?)\]", text)[1])) == THEMES
    assert {f.stem for f in (OVERLAY / "themes").iterdir()} | {"midnight"} == set(THEMES)


OVERLAPS = Path(__file__).with_name("overlaps.js").read_text()
SIZES = (
    (1920, 1080), (1280, 720), (1080, 1920), (400, 800), (1280, 600), (1080, 900), (1024, 768), (854, 480),
)  # fmt: skip
CARD_EM = """(() => {
  const card = document.querySelector(".tl-question-slot > *");
  return card.offsetWidth / parseFloat(getComputedStyle(document.querySelector(".tl-stage")).fontSize);
})()"""
"""How many letters' width a card has: below, words break."""


@pytest.mark.parametrize("state", ["leading", "winner", "question"])
def test_at_every_size_everything_has_its_place(visit, state):
    """Nothing lies over anything else, nothing leaves the picture, with all widgets busy at once."""
    page = visit(f"/overlay?demo=still&motion=0&lang=fr&state={state}")
    holds(page, "document.querySelector('.tl-feed').childElementCount >= 12")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        count, wrong = page.evaluate(OVERLAPS)
        assert count >= 15
        assert wrong == [], (width, height)
        assert page.evaluate(CARD_EM) >= 17, (width, height)


def test_what_moves_costs_no_layout_and_nothing_flashes():
    """Frames of animations name transform and opacity alone; styles have no animations of their own."""
    frames = []
    for file in OVERLAY.rglob("*.js"):
        text = file.read_text()
        frames += re.findall(r"\.animate\(\s*\{(.*?)\}", text, re.DOTALL)
        assert len(re.findall(r"\.animate\(", text)) == len(re.findall(r"\.animate\(\s*\{", text)), file.name
        assert "iterations" not in text
    assert len(frames) >= 10
    assert {key for one in frames for key in re.findall(r"(\w+):\s*\[", one)} == {"transform", "opacity"}
    for file in OVERLAY.glob("*.css"):
        assert not re.search(r"@keyframes|animation|transition", file.read_text()), file.name


def test_a_demonstration_is_played_by_the_page_alone(visit):
    """No socket is opened, and nothing but the page's own files is asked for."""
    page = visit("/overlay?demo=1&sound=0")
    asked, sockets = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.reload()
    page.locator(".tl-quiz").wait_for()
    page.locator(".tl-board").wait_for()
    assert sockets == []
    assert [url for url in asked if "/overlay/assets/" not in url and "/overlay?" not in url] == []


def test_every_language_has_every_word():
    """The same keys, and the same places for values in each sentence."""
    for prefix in ("", "builder."):
        tables = {
            file.name: json.loads(file.read_text("utf-8"))
            for file in sorted((OVERLAY / "lang").glob(f"{prefix}*.json"))
            if file.name.startswith("builder.") == bool(prefix)
        }
        english = tables.pop(f"{prefix}en.json")
        assert tables
        for name, table in tables.items():
            assert table.keys() == english.keys(), name
            for key, words in table.items():
                assert set(re.findall(r"{\w+}", words)) == set(re.findall(r"{\w+}", english[key])), (
                    name,
                    key,
                )


def test_every_word_that_is_asked_for_exists():
    """In both directions: no word is missing, none is left over."""
    english = json.loads((OVERLAY / "lang" / "en.json").read_text("utf-8"))
    text = "".join(f.read_text() for f in OVERLAY.rglob("*.js") if "builder" not in f.name)
    asked = set(re.findall(r'say\(\s*"([\w.]+)"', text)) | {
        "goal.likes", "goal.follows", "goal.gifts", "goal.diamonds", "board.live", "board.week", "board.all",
        *(f"alert.{kind}" for kind in ("gift", "follow", "share", "subscribe", "raid", "winner")),
    }  # fmt: skip
    assert asked == {key.removesuffix(".one") for key in english}
