"""The overlay in a real Chromium: what a viewer of the stream would see."""

import gzip
import json
import re
import time
from pathlib import Path

import pytest

from tests.overlay.conftest import holds, painted
from toolkit.web.overlay import ASSETS, WIDGETS

pytestmark = pytest.mark.browser

OVERLAY = Path(__file__).parents[2] / "overlay"

HOSTILE = [
    "<img src=x onerror=window.__hit=1>",
    "<script>window.__hit=1</script>",
    "<svg onload=window.__hit=1>",
    "<svg><script>window.__hit=1</script></svg>",
    "<iframe srcdoc='<script>parent.__hit=1</script>'></iframe>",
    "<body onload=window.__hit=1>",
    "<a href='javascript:window.__hit=1'>click</a>",
    "javascript:window.__hit=1",
    "data:text/html,<script>window.__hit=1</script>",
    "<details open ontoggle=window.__hit=1>x</details>",
    "<video><source onerror=window.__hit=1></video>",
    "<input autofocus onfocus=window.__hit=1>",
    "<math><mtext><style><img src onerror=window.__hit=1></style></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=window.__hit=1>'>",
    "<template><script>window.__hit=1</script></template>",
    "<object data='javascript:window.__hit=1'></object>",
    "<embed src='javascript:window.__hit=1'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>body{display:none}</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><button>x</button></form>",
    "'\"><img src=x onerror=window.__hit=1>",
    "</bdi></li></ol><script>window.__hit=1</script>",
    "]]><script>window.__hit=1</script>",
    "<!--<img src='--><img src=x onerror=window.__hit=1>'>",
    "{{constructor.constructor('window.__hit=1')()}}",
    "${window.__hit=1}",
    "<%= window.__hit=1 %>",
    "&lt;script&gt;window.__hit=1&lt;/script&gt;",
    "\\u003cscript\\u003ewindow.__hit=1\\u003c/script\\u003e",
    "%3Cscript%3Ewindow.__hit=1%3C/script%3E",
    "\u202egnirts desrever a\u202c",
    "\u2066\u2067isolates\u2069\u2069",
    "\u0000null\u0007bell\u001b[31mred",
    "line\nbreak\r\nand\ttab\u2028separator",
    "z" + "\u0301\u0327\u0489" * 200,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 family",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f flag",
    "مرحبا hello שלום mixed 123",
    "\ufdfd" * 50,
    "W" * 10_000,
    "\u200b" * 1000,
    "\u200d" * 2000,
    "👍🏽" * 3000,
    "__proto__",
    "constructor",
    " ",
]


@pytest.fixture
def open_overlay(chromium, until):
    """Return a function that opens the overlay; the page's complaints are in ``page.complaints``."""
    contexts = []

    def start(server, query="", *, width=1280, height=720, **context_options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **context_options)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{server.url}/overlay?{query}")
        holds(page, "window.__tl?.connection === 'open'")
        # Greeted; now the subscription must have reached the hub.
        stream = page.evaluate("window.__tl.stream")
        until(lambda: stream != server.studio.bus.stream or _all_subscribed(server))
        return page

    yield start
    for context in contexts:
        context.close()


def _all_subscribed(server):
    return all(s["painted_seq"] is not None for s in server.surface.hub.status())


def test_a_comment_appears_as_text(server, open_overlay):
    """Name and text, newest at the bottom, in the document that OBS loads."""
    page = open_overlay(server)
    server.studio.comment("first", nickname="Ann")
    seq = server.studio.comment("second <b>bold</b>", nickname="Zoë", user=9, is_moderator=True)
    painted(page, seq)
    rows = page.locator(".tl-comment")
    assert rows.count() == 2
    assert rows.last.locator(".tl-name").inner_text() == "Zoë"
    assert rows.last.locator(".tl-text").inner_text() == "second <b>bold</b>"
    assert rows.last.get_attribute("data-role") == "moderator"
    assert page.complaints == []


def test_hostile_text_executes_nothing(server, open_overlay):
    """As name and comment: no script, no element, no report, no word lost to the page."""
    page = open_overlay(server, "limit=200&smooth=0&motion=0")
    for number, text in enumerate(HOSTILE):
        seq = server.studio.comments([text], nickname=text, user=number)[-1].seq
    painted(page, seq)
    assert page.evaluate("window.__hit") is None
    foreign = "script:not([src]), img, svg, iframe, a, style, form, input, object, embed, video, base"
    assert page.locator(f"body :is({foreign})").count() == 0
    texts = page.locator(".tl-text").all_text_contents()
    assert "<img src=x onerror=window.__hit=1>" in texts
    assert max(map(len, texts)) <= 2_100
    shown = "".join(texts)
    assert not set(shown) & set("\u202e\u202c\u2066\u2067\u2069\u0000\u0007\u001b\n\u2028")
    assert "\u0301\u0327\u0489" * 2 not in shown
    assert any(t.startswith("\U0001f468\u200d\U0001f469") for t in texts)
    assert page.complaints == []


def test_no_comment_can_grow_beyond_its_place(server, open_overlay):
    """Ten thousand letters, piled marks and wide glyphs stay inside the chat column."""
    page = open_overlay(server, "smooth=0", width=400, height=800)
    for text in HOSTILE:
        seq = server.studio.comment(text, nickname="W" * 300)
    painted(page, seq)
    sizes = page.evaluate(
        "[...document.querySelectorAll('.tl-comment')]"
        ".map(row => [row.getBoundingClientRect().right, row.offsetHeight])"
    )
    assert all(right <= 400 and height < 200 for right, height in sizes), sizes
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_page_survives_a_restart_of_the_server(new_server, new_studio, open_overlay):
    """Same port, new process, new numbers: what was on screen stays, what comes is shown."""
    server = new_server(new_studio())
    page = open_overlay(server)
    painted(page, server.studio.comment("before"))
    server.stop()
    holds(page, "window.__tl.connection === 'waiting'")
    again = new_studio()
    again.comment("while away")
    server = new_server(again, port=server.port)
    holds(page, "window.__tl.connection === 'open'")
    holds(page, "document.body.innerText.includes('while away')")
    painted(page, again.comment("after"))
    texts = page.locator(".tl-text").all_inner_texts()
    assert texts == ["before", "while away", "after"]
    assert page.evaluate("window.__tl.reconnects") == 1


def test_a_dropped_connection_loses_no_comment(server, open_overlay, until):
    """Same server: the page says where it was and gets the rest, once."""
    page = open_overlay(server)
    painted(page, server.studio.comment("one"))
    hub = server.surface.hub
    dropped = list(hub._subscribers)
    for subscriber in dropped:
        server.loop.call_soon_threadsafe(subscriber.outlet.close, 1011, "test")
    # It may be back before anybody looks.
    until(lambda: not any(subscriber in hub._subscribers for subscriber in dropped))
    server.studio.comment("two")
    painted(page, server.studio.comment("three"))
    assert page.locator(".tl-text").all_inner_texts() == ["one", "two", "three"]


def test_a_late_page_shows_what_was_said(server, open_overlay):
    """The present state comes with the first connection, and nothing twice."""
    server.studio.comments(["a", "b", "c"])
    page = open_overlay(server)
    painted(page, server.studio.comment("d"))
    assert page.locator(".tl-text").all_inner_texts() == ["a", "b", "c", "d"]


def test_a_flood_keeps_the_page_small_and_current(server, open_overlay):
    """A thousand comments a second for three seconds: bounded nodes, the last one on screen."""
    page = open_overlay(server, "limit=40")
    page.evaluate(
        "() => { window.__most = 0; new MutationObserver(() => { window.__most = Math.max(window.__most,"
        " document.querySelectorAll('.tl-comment').length) }).observe(document.body,"
        " {childList: true, subtree: true}) }"
    )
    started, seq = time.monotonic(), 0
    for step in range(60):
        texts = [f"comment {step}.{n}" for n in range(50)]
        seq = server.studio.comments(texts)[-1].seq
        time.sleep(max(0.0, started + (step + 1) * 0.05 - time.monotonic()))
    painted(page, seq)
    assert page.evaluate("window.__most") <= 40
    assert page.locator(".tl-text").last.inner_text() == "comment 59.49"
    assert page.locator("*").count() < 300
    assert page.complaints == []


def test_rows_grow_faint_at_the_top_and_none_stands_above_it(server, open_overlay):
    """A full chat ends softly, and keeps no rows that nobody sees; a few comments are all plain."""
    page = open_overlay(server, "view=chat&smooth=0&motion=0")
    opacities = "[...document.querySelectorAll('.tl-comment')].map((row) => +getComputedStyle(row).opacity)"
    painted(page, server.studio.comments(["a", "b"])[-1].seq)
    assert page.evaluate(opacities) == [1, 1]
    for first in range(0, 120, 30):
        painted(page, server.studio.comments([f"c{n}" for n in range(first, first + 30)])[-1].seq)
    holds(page, f"(() => {{ const found = {opacities}; return found.length < 60 && found[0] < 0.5 }})()")
    found = page.evaluate(opacities)
    assert found[-1] == 1
    assert found == sorted(found)


def test_a_crowd_that_says_the_same_is_one_line_and_a_count(server, open_overlay):
    """Under flood only, and the count is right. The line is the newest's, in the newest's place."""
    page = open_overlay(server)
    notices = server.studio.comments(["🔥"] * 29 + ["unique", "🔥"])
    painted(page, notices[-1].seq)
    assert page.locator(".tl-text").all_inner_texts() == ["unique", "🔥"]
    assert page.locator(".tl-times").inner_text() == "×30"
    last = page.locator(".tl-comment").last
    assert last.get_attribute("data-seq") == str(notices[-1].seq)
    assert last.get_attribute("data-msg") == str(notices[-1].data.msg_id)


def test_what_tiktok_withdraws_leaves_the_screen(server, open_overlay):
    """One message by its id, then everything of a user."""
    page = open_overlay(server)
    server.studio.comments(["good"], user=1)
    seq = server.studio.comments(["bad", "worse"], user=2)[-1].seq
    painted(page, seq)
    message = page.locator(".tl-comment").nth(1).get_attribute("data-msg")
    server.studio.withdraw(messages=message)
    holds(page, "document.querySelectorAll('.tl-comment').length === 2")
    server.studio.withdraw(users="2")
    holds(page, "document.querySelectorAll('.tl-comment').length === 1")
    assert page.locator(".tl-text").all_inner_texts() == ["good"]


def test_a_rehearsal_wears_a_ribbon(server, open_overlay):
    """From its first notice to its end; then the stage is the live's again."""
    page = open_overlay(server)
    painted(page, server.studio.comment("live"))
    assert page.locator(".tl-ribbon").is_hidden()
    server.studio.run("rehearsal")
    painted(page, server.studio.comment("played", rehearsal=True))
    assert page.locator(".tl-ribbon").is_visible()
    assert page.locator(".tl-text").all_inner_texts() == ["played"]
    late = open_overlay(server)
    assert late.locator(".tl-ribbon").is_visible()
    server.studio.run("live")
    painted(page, server.studio.comment("live again"))
    assert page.locator(".tl-ribbon").is_hidden()
    assert page.locator(".tl-text").all_inner_texts() == ["live again"]


def test_what_was_rehearsed_leaves_the_screen_with_the_ribbon(server, open_overlay):
    """At the end, not only when a live begins: nobody goes live with it unmarked."""
    page = open_overlay(server)
    server.studio.run("rehearsal")
    painted(page, server.studio.comment("played", rehearsal=True))
    server.studio.run("none")
    holds(page, "document.querySelector('.tl-ribbon').hidden")
    assert page.locator(".tl-comment").count() == 0


def test_the_ribbon_is_left_out_for_filming(server, open_overlay):
    """With `ribbon=0` alone; the rest is as in any rehearsal. Else it is as wide as the page, and still."""
    page, filmed = open_overlay(server), open_overlay(server, "ribbon=0")
    server.studio.run("rehearsal")
    seq = server.studio.comment("played", rehearsal=True)
    for one in (page, filmed):
        painted(one, seq)
        assert one.locator(".tl-text").all_inner_texts() == ["played"]
    assert filmed.locator(".tl-ribbon").is_hidden()
    assert (
        filmed.evaluate("getComputedStyle(document.querySelector('.tl-stage'), '::after').content") == "none"
    )
    box = page.locator(".tl-ribbon").bounding_box()
    assert (box["x"], box["y"], box["width"]) == (0, 0, 1280)
    assert box["height"] < 40
    assert page.evaluate("document.querySelector('.tl-ribbon').getAnimations({subtree: true}).length") == 0


@pytest.mark.parametrize(("query", "options"), [("", {"reduced_motion": "reduce"}), ("motion=0", {})])
def test_nothing_moves_when_motion_is_not_wanted(server, open_overlay, query, options):
    """By the system's setting or by ours: text appears, no animation runs."""
    page = open_overlay(server, query, **options)
    page.evaluate("void (Element.prototype.animate = () => { throw new Error('moved') })")
    asked = {"state": "on_air", "source": "audience", "round": 1, "id": "q1", "text": "Still?"}
    server.studio.bus.publish([("show:question", asked)])
    painted(page, server.studio.comment("calm"))
    page.locator(".tl-question").wait_for()
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.complaints == []


def test_a_screen_tells_what_it_has_painted(server, open_overlay, until):
    """At most four times a second, for whoever measures."""
    page = open_overlay(server)
    seq = server.studio.comment("measure me")
    painted(page, seq)
    until(lambda: [s["painted_seq"] for s in server.surface.hub.status()] == [seq])


def test_a_screen_of_a_load_test_tells_when_each_notice_was_painted(server, open_overlay, until):
    """With `ack=1`, on the wall clock; after a frame that was really shown, never before it was sent."""
    page = open_overlay(server, "ack=1&limit=5")
    before_ms = server.studio.now() // 1000
    seq = server.studio.comments([f"comment {n}" for n in range(40)])[-1].seq
    (told,) = until(lambda: [s for s in server.surface.hub.status() if seq in dict(s["paintings"])])
    assert told["skipped"] == 35
    painted_ms = dict(told["paintings"])[seq]
    assert before_ms <= painted_ms <= server.studio.now() // 1000
    assert page.complaints == []


def test_other_screens_tell_no_times(server, open_overlay, until):
    """It costs nothing where nobody measures."""
    page = open_overlay(server)
    painted(page, seq := server.studio.comment("measure me not"))
    until(lambda: [s["painted_seq"] for s in server.surface.hub.status()] == [seq])
    assert server.surface.hub.status()[0]["paintings"] == []


def test_an_empty_overlay_is_transparent_and_silent(server, open_overlay):
    """Nothing to see, nothing said, unless `status=1` asks for a word."""
    page = open_overlay(server)
    assert page.evaluate("document.body.innerText.trim()") == ""
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgba(0, 0, 0, 0)"
    told = open_overlay(server, "status=1&view=chat")
    assert told.locator(".tl-status").is_visible()
    solid = open_overlay(server, "transparent=0&theme=paper&align=right&scale=99&limit=bad&view=x")
    assert solid.evaluate(background) == "rgb(16, 16, 24)"
    assert solid.complaints == []


def test_comments_fade_when_asked_to(server, open_overlay):
    """After the seconds given, not before."""
    page = open_overlay(server, "fade=1")
    # Told by the page's own clock: whoever looks from outside may look late.
    page.evaluate(
        "() => { window.__seen = []; new MutationObserver((changes) => { for (const one of changes)"
        " if (one.addedNodes.length || one.removedNodes.length) window.__seen.push(performance.now()) })"
        ".observe(document.querySelector('.tl-feed'), {childList: true}) }"
    )
    painted(page, server.studio.comment("short-lived"))
    holds(page, "window.__seen.length === 2")
    assert page.locator(".tl-comment").count() == 0
    came_ms, went_ms = page.evaluate("window.__seen")
    assert went_ms - came_ms > 1_000


def test_a_hidden_source_returns_to_the_present(server, open_overlay):
    """What went by while OBS hid it does not play back in slow motion."""
    page = open_overlay(server, "limit=5")
    show = "dispatchEvent(new CustomEvent('obsSourceVisibleChanged', {detail: {visible: %s}}))"
    page.evaluate(show % "false")
    for number in range(8):
        seq = server.studio.comment(f"c{number}")
    painted(page, seq)
    page.evaluate(show % "true")
    assert page.locator(".tl-text").all_inner_texts() == [f"c{n}" for n in range(3, 8)]


def test_custom_css_wins_without_force(server, open_overlay):
    """What OBS injects comes later and is in no layer."""
    page = open_overlay(server, "", bypass_csp=True)
    page.add_style_tag(content=":root { --tl-ink: rgb(1, 2, 3) } .tl-comment { margin-top: 0 }")
    painted(page, server.studio.comment("styled"))
    assert page.evaluate("getComputedStyle(document.querySelector('.tl-text')).color") == "rgb(1, 2, 3)"


def test_the_page_refuses_scripts_even_if_somebody_wrote_one_in(server, open_overlay):
    """The policy and trusted types stand behind textContent."""
    page = open_overlay(server)
    assert page.evaluate(
        "(() => { try { document.body.innerHTML = '<b>x' } catch (e) { return e.name } })()"
    ) == ("TypeError")
    assert server.ask("/overlay")[1]["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self'"
    )


def weight_of(names):
    """Return the bytes of some of the page's files, each compressed as a server would."""
    return sum(len(gzip.compress((OVERLAY / name).read_bytes())) for name in names)


HEAVIEST = {
    "lang": max(("en", "fr"), key=lambda name: weight_of([f"lang/{name}.json"])),
    "theme": max(
        (f.stem for f in (OVERLAY / "themes").iterdir()), key=lambda n: weight_of([f"themes/{n}.css"])
    ),
}


def test_all_of_the_overlay_is_less_than_40_kb(server, open_overlay):
    """What Chromium loads for every widget with sound and speech, in the largest theme and language."""
    query = "&".join(f"{option}={value}" for option, value in HEAVIEST.items())
    page = open_overlay(server, f"sound=1&tts=1&show={','.join(WIDGETS)}&{query}")
    paths = page.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")
    loaded = {path.removeprefix("/overlay/assets/") for path in paths}
    # The examples of `demo=1` are for the builder's preview, never on air.
    one_of_each = {name for name in ASSETS if not re.match(r"builder|lang/|themes/|demo", name)}
    assert loaded == one_of_each | {f"lang/{HEAVIEST['lang']}.json", f"themes/{HEAVIEST['theme']}.css"}
    assert weight_of(loaded | {"index.html"}) < 40_000


def test_the_overlay_calls_nobody():
    """No address is in its files."""
    for name in ["index.html", "builder.html", *ASSETS]:
        text = (OVERLAY / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert "//" not in re.sub(r"(?m)(^|\s)//\s.*", "", text), name


def test_every_file_of_the_folder_is_served():
    """And every file that is served is there."""
    there = {f.relative_to(OVERLAY).as_posix() for f in OVERLAY.rglob("*") if f.is_file()}
    assert there == {"index.html", "builder.html", *ASSETS}


def test_its_files_are_a_fixed_list(server):
    """Known names with a tag that makes a reload free; nothing else of the folder or beyond."""
    status, headers, body = server.ask("/overlay/assets/overlay.js")
    assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert body == (OVERLAY / "overlay.js").read_bytes()
    assert server.ask("/overlay/assets/overlay.js", If_None_Match=headers["ETag"])[0] == 304
    for page in ("nothing", "index", "assets", "presets", "builder.html"):
        assert server.ask_json(f"/overlay/{page}")[0] == 404
    assert server.ask("/overlay/chat", "HEAD")[0] == 200
    for name in ("nothing.js", "..%2fpyproject.toml", "../pyproject.toml", "index.html.bak"):
        status, answer = server.ask_json(f"/overlay/assets/{name}")
        assert status == 404, json.dumps(answer)
