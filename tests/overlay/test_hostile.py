"""What viewers write, against every widget: nothing runs, nothing is reported, nothing grows."""

from pathlib import Path

import pytest

from tests.overlay.conftest import painted
from tests.overlay.hostile import PAYLOADS

pytestmark = pytest.mark.browser

ATTACK = Path(__file__).with_name("attack.js").read_text()
FOREIGN = "script:not([src]), img:not(.tl-picture), iframe, a, style, form, input, object, embed, video, base"


def test_nothing_of_the_corpus_reaches_beyond_being_text(visit, server):
    """Two hundred payloads as text, name, title and number of every widget; no policy is ever asked."""
    assert len(PAYLOADS) >= 200
    page = visit("/overlay?motion=0&show=chat,question,quiz,winner,leaderboard,goal,poll,alert,viewers",
                 width=400, height=800)  # fmt: skip
    wrong = page.evaluate(ATTACK, [PAYLOADS, f"{server.url}/overlay/assets/"])
    assert wrong == []
    assert page.evaluate("window.__hit") is None
    assert page.evaluate("window.__reports") == []
    assert page.locator(f"body :is({FOREIGN})").count() == 0
    # Some payloads are good names of presets that nobody has made.
    assert [complaint for complaint in page.complaints if "404" not in complaint] == []


def test_the_corpus_comes_through_the_socket_as_text(visit, stage):
    """The same as comments: bounded, tame, and still all there."""
    page = visit("/overlay/chat?limit=200&smooth=0&motion=0")
    seq = stage.comments(PAYLOADS[-200:], nickname="<b>x</b>")[-1].seq
    painted(page, seq)
    texts = page.locator(".tl-text").all_text_contents()
    assert len(texts) > 150
    assert not set("".join(texts)) & set(
        "\u202e\u202d\u2066\u2067\u2069\u0000\u0007\u001b\n\u2028\u200b\u2800\u3164"
    )
    assert max(map(len, texts)) <= 2_100
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("window.__hit") is None
    assert page.complaints == []
