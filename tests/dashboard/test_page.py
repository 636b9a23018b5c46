"""The dashboard as its operator meets it: a real server, a real browser."""

import json
import re
import urllib.request

import pytest
from websockets.sync.client import connect

from tests.waiting import WITHIN_S
from toolkit.clock import SystemClock
from toolkit.model.recording import Cause
from toolkit.store.writer import RecordingWriter

pytestmark = pytest.mark.browser

HOSTILE = [
    "<img src=x onerror=\"window.hit('img')\">",
    "<script>window.hit('script')</script>",
    "<svg onload=\"window.hit('svg')\"></svg>",
    '"><iframe srcdoc="<script>parent.hit(\'frame\')</script>"></iframe>',
    "javascript:window.hit('url')",
    "' onmouseover='window.hit(1)' x='",
    "<style onload=\"window.hit('style')\">*{display:none}</style>",
    "{{constructor.constructor('window.hit(2)')()}} ${window.hit(3)} <%= hit %> {user}",
    "</script><script>window.hit('close')</script>",
    "<details open ontoggle=\"window.hit('toggle')\">x</details>",
    "\u202eevil\u202c \u2066x\u2069 \u200e\u0007\u0000 tail",
    "<b>" + "W" * 10_000,
    "a" + "\u0301" * 500,
    "👩‍👩‍👧‍👦" * 60,
]


def record(page, user="@demo"):
    """Start a recording the way an operator does."""
    page.get_by_label("TikTok name").fill(user)
    page.get_by_role("button", name="Record", exact=True).click()


def view(page, name):
    """Go to one of the page's views."""
    page.get_by_role("navigation").get_by_role("link", name=name).click()


def pill(page):
    """Return what the state at the top says."""
    return page.locator(".pill [role=status]").inner_text()


@pytest.mark.slow
def test_a_live_is_recorded_watched_stopped_and_rehearsed(dashboard, tiktok, visit, until):
    """Start, comments as they come, stop with a question, a complete recording, a rehearsal."""
    server = dashboard(**tiktok.environment())
    window = visit()
    page = window.open(server.page_url)
    assert pill(page) == "Not recording"

    record(page)
    until(lambda: pill(page) == "Connected")
    page.get_by_text("Recording @demo").wait_for()
    rows = page.locator(".feed-list li")
    until(lambda: rows.count() >= 50)
    newest = int(rows.last.get_attribute("data-id"))
    until(lambda: int(rows.last.get_attribute("data-id")) > newest)
    ids = [int(text) for text in rows.evaluate_all("all => all.map(one => one.dataset.id)")]
    assert ids == sorted(set(ids))
    assert len(ids) <= 60
    assert float(page.locator(".tile[data-name=comments] .tile-value").inner_text()) > 0

    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Keep recording").click()
    assert pill(page) == "Connected"
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop and save").click()
    until(lambda: pill(page) == "Stopped")
    # The bundled sample is the other one.
    until(lambda: page.locator(".chip.sealed").count() == 2)
    assert [path.suffix for path in server.folder.glob("demo-*")] == [".duckdb"]

    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play", exact=True).click()
    page.locator(".ribbon").wait_for()
    assert "REHEARSAL" in page.locator(".ribbon").inner_text()
    assert pill(page) == "Rehearsal"
    until(lambda: rows.count() > 0)
    page.get_by_role("button", name="Stop rehearsal").click()
    page.locator(".ribbon").wait_for(state="hidden")
    assert window.problems == []


@pytest.mark.slow
def test_a_gap_and_a_deleted_journal_are_told_on_the_page_and_on_the_socket(dashboard, tiktok, visit, until):
    """Hatched and listed while it lasts, with its cost when it is over; a sentence about the file."""
    server = dashboard(RECONNECTION_BASE_DELAY="1000", TIKTOK_USERNAME="demo", **tiktok.environment())
    window = visit()
    page = window.open(server.page_url)
    until(lambda: pill(page) == "Connected")
    until(lambda: page.locator(".feed-list li").count() > 10)
    page.get_by_text("Nothing was missed while recording.").wait_for()
    assert page.locator(".legend .gaps").is_hidden()
    told = []
    with connect(f"ws{server.url.removeprefix('http')}/ws") as socket:
        socket.send(json.dumps({"type": "subscribe", "topics": ["gap", "warning"]}))
        fault = json.dumps({"kind": "server-down", "seconds": 2}).encode()
        urllib.request.urlopen(
            f"{tiktok.environment()['TIKTOK_APP_URL']}/sim/fault", fault, timeout=WITHIN_S
        ).close()
        page.locator(".gap.open", has_text="the network was away").wait_for()
        assert page.locator(".legend .gaps").is_visible()
        page.locator(".gap:not(.open)", has_text="comments").wait_for()
        assert re.search(r"\d+ joins \(exact\)|\(estimated, \d", page.locator(".gap").inner_text())
        page.locator("[data-name=outages]", has_text="1 came back").wait_for()
        (journal,) = server.folder.glob("*.journal")
        journal.unlink()
        page.locator(".warnings", has_text="was moved or deleted while it was recorded").wait_for()
        assert pill(page) == "Connected, not well"
        while not any(notice["type"] == "warning" for notice in told):
            told.append(json.loads(socket.recv(timeout=WITHIN_S)))
    states = [notice["data"]["state"] for notice in told if notice["type"] == "gap"]
    assert states[0] == "open"
    assert set(states[1:]) == {"closed"}
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop and save").click()
    until(lambda: page.locator(".chip.sealed").count() == 2)
    view(page, "Recordings")
    page.get_by_role("button", name="Details").first.click()
    page.locator("dialog[open] .gap", has_text="the network was away").wait_for()
    assert window.problems == []


def test_what_cannot_be_recorded_is_told_with_the_next_step(dashboard, tiktok, visit, until):
    """No name, nonsense, nobody: a sentence and the form again. Who is not live yet is waited for."""
    page = visit().open(dashboard(**tiktok.environment()).page_url)
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_text("Give the @name of the account first.").wait_for()
    record(page, "two words")
    page.locator("#user-problem", has_text="not a TikTok user name").wait_for()
    record(page, "nobody_at_all")
    until(lambda: pill(page) == "Needs you")
    page.get_by_text("no TikTok user @nobody_at_all").wait_for()
    record(page, "offline")
    until(lambda: pill(page) == "Waiting for the live")
    page.get_by_text("Waiting for @offline to go live").wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    until(lambda: page.get_by_role("button", name="Record", exact=True).is_enabled())


def test_hostile_text_is_shown_and_never_run(dashboard, visit, until, tmp_path, project_root):
    """Nicknames, comments, questions, gifts and ids full of markup: text on the page, nothing else."""
    corpus = tmp_path / "corpus.txt"
    lines = [text.replace("\n", " ").replace("\x00", "") for text in HOSTILE]
    corpus.write_text("\n".join(lines), "utf-8")
    script = project_root / "tests" / "dashboard" / "hostile_app.py"
    folder = tmp_path / "recordings"
    folder.mkdir()
    writer = RecordingWriter.create(folder, HOSTILE[0], clock=SystemClock())
    writer.open_segment(1)
    writer.close_segment(Cause.STOPPED)
    writer.seal()
    server = dashboard(script=script, HOSTILE_CORPUS=str(corpus))
    window = visit()
    window.page.add_init_script("window.hits = []; window.hit = (what) => window.hits.push(what);")
    page = window.open(server.page_url)
    until(lambda: page.locator(".feed-list li").count() >= len(lines))
    until(lambda: page.locator(".question-list li").count() >= len(lines))
    until(lambda: page.locator(".gifter-table tbody tr").count() >= 10)
    for row in page.locator(".feed-list li, .gifter-table tr").all():
        row.hover()
    view(page, "Show")
    for row in page.locator(".question-list li").all():
        row.hover()
    view(page, "Recordings")
    page.get_by_role("button", name="Details").first.click()
    page.locator("dialog[open] h3", has_text=HOSTILE[0]).wait_for()
    page.get_by_role("button", name="Close").click()
    # A form value and an answer that quote it back.
    view(page, "Live")
    record(page, HOSTILE[0][:40])
    page.locator("#user-problem", has_text="not a TikTok user name").wait_for()

    assert HOSTILE[0] in page.locator(".feed-list").inner_text()
    assert page.evaluate("window.hits") == []
    assert page.locator("iframe, .feed-list img, .feed-list script, bdi *").count() == 0
    longest = max(len(text) for text in page.locator(".feed-list .said").all_inner_texts())
    assert longest <= 400
    assert "\u202e" not in page.locator("body").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_asks_nobody_but_its_own_server(on_air, visit, until):
    """No font, script or style from elsewhere, before and while something happens."""
    window = visit()
    page = window.open(on_air.page_url)
    until(lambda: page.locator(".feed-list li").count() > 5)
    own = re.compile(rf"^(https?|ws)://127\.0\.0\.1:{on_air.port}/|^(data|blob):")
    assert [url for url in window.requested if not own.match(url)] == []
    assert window.problems == []


def test_the_theme_follows_the_system_until_chosen_and_is_remembered(on_air, visit, until):
    """Dark by the system's wish, light by a press, light again after a reload."""
    page = visit(color_scheme="dark").open(on_air.page_url)
    theme = "document.documentElement.dataset.theme"
    until(lambda: page.evaluate(theme) == "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 15, 20)"
    page.get_by_role("button", name="Switch to light").click()
    page.reload()
    page.get_by_role("button", name="Switch to dark").wait_for()
    assert page.evaluate(theme) == "light"


def test_the_page_comes_back_by_itself_after_a_restart(dashboard, visit):
    """It says that the server is gone, then shows live figures again, with its own styles."""
    server = dashboard()
    window = visit()
    page = window.open(server.page_url)
    server.stop()
    page.locator("#lost").wait_for(state="visible")
    # Within the time that a start and the page's way back may take together.
    with page.expect_navigation(timeout=100_000):
        server.start()
    page.locator(".tile").first.wait_for()
    assert page.locator("#lost").is_hidden()
    assert {url.split("/")[2] for url in window.requested if url.startswith("http")} == {
        f"127.0.0.1:{server.port}"
    }


def test_a_phone_shows_everything_without_scrolling_sideways(on_air, visit, until):
    """390 pixels wide, a live on screen, every button large enough for a thumb."""
    page = visit(viewport={"width": 390, "height": 844}).open(on_air.page_url)
    until(lambda: page.locator(".feed-list li").count() > 5)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = page.get_by_role("button").evaluate_all("all => all.map(one => one.offsetHeight)")
    assert min(height for height in heights if height) >= 36


def test_the_overlay_address_can_be_copied_under_a_prefix(dashboard, visit, until):
    """The address is made in the browser, so port and --prefix are right."""
    server = dashboard("--prefix", "studio")
    page = visit(permissions=["clipboard-read", "clipboard-write"]).open(f"{server.url}/studio/panel_app")
    view(page, "Show")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == f"{server.url}/studio/overlay"
    assert urllib.request.urlopen(address, timeout=WITHIN_S).status == 200
    page.get_by_label("Chat column").check(force=True)
    assert page.get_by_label("Overlay address").input_value() == f"{server.url}/studio/overlay?view=chat"


@pytest.mark.parametrize("flag", ["--warm", "--dev"])
def test_a_dry_run_of_the_script_serves_the_same_page(dashboard, visit, flag):
    """--warm and --dev run the script before there is a session."""
    server = dashboard(flag)
    page = visit().open(server.page_url)
    assert pill(page) == "Not recording"
    assert "Traceback" not in server.log.read_text()


def test_wrong_settings_become_a_sentence_on_the_page(dashboard, visit, tmp_path):
    """A page that cannot start names the setting, its range and what to do."""
    script = tmp_path / "broken_app.py"
    script.write_text(
        "from toolkit.config import load_settings\n"
        "from toolkit.dashboard import show_page\n"
        "show_page(lambda: load_settings({'RECONNECTION_MAX_ATTEMPTS': '<img src=x>'}))\n"
    )
    page = visit().page
    page.goto(dashboard(script=script).page_url)
    page.get_by_text("The dashboard cannot start").wait_for()
    page.get_by_text("RECONNECTION_MAX_ATTEMPTS").wait_for()
    assert page.locator("img").count() == 0
