"""The show as its operator runs it: keys, panic, form, moderation, and nobody kept out."""

import json
import time
import urllib.request
from importlib.resources import files
from types import SimpleNamespace

import pytest

from tests.dashboard.conftest import Dashboard, Visit, with_overlay
from tests.waiting import WITHIN_S, wait_until

pytestmark = pytest.mark.browser

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
GRAVE = ("serious", "critical")
TABS_MAX = 40
TARGET_PX_MIN = 24
QUESTION = "Who wrote this test?"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return a dashboard that records nobody and has a bank of its own."""
    folder = tmp_path_factory.mktemp("show") / "recordings"
    questions = folder / "show" / "questions"
    questions.mkdir(parents=True)
    rows = [f"How many legs has a table of {n}?,four" for n in range(1, 9)]
    (questions / "own.csv").write_text("\n".join(["text,answers", *rows]))
    (questions / "wrong.csv").write_text("text,answers\nWho forgot the answer?,\n")
    server = Dashboard(folder).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def window(server, chromium):
    """Return a browser window with the dashboard on the view of the show, and the overlay beside it."""
    # Without transitions: halfway between two themes there is no contrast to speak of.
    window = Visit(chromium, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    yield from with_overlay(window, server)


@pytest.fixture
def stage(server, window):
    """Return page and overlay with a rehearsal that stands still and nothing on air."""

    def ask(path, values):
        request = urllib.request.Request(f"{server.url}/api/{path}", json.dumps(values).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            return json.load(answer)

    page = window.page
    page.evaluate("location.hash = 'show'")
    ask("replay", {"action": "start", "id": "sample", "paused": True})
    ask("replay", {"action": "seek", "to_s": 60})
    ask("show", {"action": "stage.blank", "on": False})
    # Questions that are asked in the chat stay in their list here.
    ask("show", {"action": "question.auto", "mode": "off", "audience": False})
    page.locator(".onair[data-phase=idle]").wait_for()
    yield SimpleNamespace(page=page, overlay=window.overlay, strip=page.locator(".onair"), ask=ask)
    ask("replay", {"action": "reset"})


def press(page, key):
    """Press a key where no field has the focus."""
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press(key)


def findings(page):
    """Return what axe finds that keeps somebody out, as lines."""
    page.evaluate(f"window.axe || (() => {{ {AXE} }})()")
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


def test_n_puts_the_next_question_on_the_overlay_and_b_blanks_it(stage):
    """What is next goes on air; the panic button empties the overlay, and all pages say so."""
    stage.strip.get_by_text("Next: ").wait_for()
    upcoming = stage.strip.locator(".air-more").inner_text().removeprefix("Next: ")
    press(stage.page, "n")
    stage.page.locator(".host-text", has_text=upcoming).wait_for()
    stage.overlay.locator(".tl-quiz", has_text=upcoming).wait_for()
    press(stage.page, "p")
    stage.strip.get_by_role("button", name="Unpin").wait_for()
    press(stage.page, "b")
    stage.page.get_by_role("alert").get_by_text("The overlay is blank").wait_for()
    stage.overlay.locator("html[data-blank]").wait_for(state="attached")
    assert not stage.overlay.locator(".tl-quiz").is_visible()
    assert stage.page.title().startswith("■ BLANK")
    for view in ("Live", "Recordings", "Show"):
        stage.page.get_by_role("navigation").get_by_role("link", name=view).click()
        assert stage.page.get_by_role("button", name="Show again").first.is_visible()
    press(stage.page, "B")
    stage.overlay.locator(".tl-quiz", has_text=upcoming).wait_for()
    wait_until(lambda: not stage.page.title().startswith("■"))
    press(stage.page, "s")
    stage.page.locator(".onair[data-phase=idle]").wait_for()
    press(stage.page, "u")
    stage.page.locator(".host-text", has_text=upcoming).wait_for()


def test_the_time_left_is_the_servers_however_long_the_page_took_to_load(stage):
    """By the clocks of this machine, which both of them read."""
    closes_at = stage.ask("show", {"action": "question.next"})["question"]["closes_at"]
    stage.page.locator(".onair[data-phase=on_air]").wait_for()

    def is_right():
        minutes, seconds = stage.strip.locator(".air-left").inner_text().split(":")
        return abs(int(minutes) * 60 + int(seconds) - (closes_at / 1e6 - time.time())) < 1.5

    wait_until(is_right)
    stage.ask("show", {"action": "question.skip"})


@pytest.mark.parametrize("width", [1280, 1440, 1600, 1700, 1920])
def test_nothing_in_the_bar_of_a_rehearsal_lies_over_something_else(stage, width):
    """Neither the position, which grows, nor the tools beside it."""
    stage.page.set_viewport_size({"width": width, "height": 900})
    card = stage.page.locator(".transport-card")
    card.wait_for()
    where, more = (card.locator(name).bounding_box() for name in (".where", ".transport-more"))
    stage.page.set_viewport_size({"width": 1440, "height": 900})
    is_beside = where["x"] + where["width"] <= more["x"]
    is_above = where["y"] + where["height"] <= more["y"]
    assert is_beside or is_above, (where, more)


def test_keys_belong_to_whoever_types_and_can_be_switched_off(stage):
    """Letters in a field are text. Esc twice blanks in any case."""
    search = stage.page.get_by_role("searchbox", name="Search the bank")
    search.press_sequentially("bns")
    assert search.input_value() == "bns"
    keys = stage.page.get_by_role("button", name="Keys")
    keys.click()
    press(stage.page, "n")
    press(stage.page, "b")
    search.fill("")
    # A round trip: whatever the keys had asked for would have happened before.
    stage.ask("show", {"action": "stage.hush"})
    assert stage.strip.get_attribute("data-phase") == "idle"
    assert stage.page.locator(".air-alarm").is_hidden()
    alarm = stage.page.locator(".air-alarm")

    def is_alarmed():
        stage.page.keyboard.press("Escape")
        return alarm.is_visible()

    # Until two of them are near enough to each other.
    wait_until(is_alarmed)
    keys.click()
    press(stage.page, "b")
    alarm.wait_for(state="hidden")


def test_a_question_is_added_by_the_form_with_a_mistake_and_then_right(stage):
    """What is wrong stands at its field; what is right is in the list, on air, changed and removed."""
    page = stage.page
    page.get_by_text("Mistakes in the files: 1").click()
    page.locator(".mistakes li", has_text="wrong.csv:2: answers").wait_for()
    page.get_by_role("button", name="Add", exact=True).click()
    form = page.get_by_role("dialog")
    form.get_by_label("Question", exact=True).fill(QUESTION)
    form.get_by_label("Seconds on air").fill("3")
    form.get_by_role("button", name="Save").click()
    form.locator(".field", has_text="Right answers").get_by_text("is missing").wait_for()
    form.locator(".field", has_text="Seconds").get_by_text("from 5 to 600").wait_for()
    assert form.get_by_label("Right answers").get_attribute("aria-invalid") == "true"
    assert findings(page) == []
    form.get_by_label("Right answers").fill("Ann\nAnna")
    form.get_by_label("Seconds on air").fill("20")
    form.get_by_role("button", name="Save").click()
    form.wait_for(state="hidden")
    page.get_by_role("searchbox").fill("wrote this")
    row = page.locator(".bank-list li", has_text=QUESTION)
    row.get_by_text("Ann · Anna").wait_for()
    row.get_by_role("button", name="Put on air").click()
    page.locator(".host-text", has_text=QUESTION).wait_for()
    row.get_by_role("button", name="Edit").click()
    assert form.get_by_label("Right answers").input_value() == "Ann\nAnna"
    form.get_by_label("Right answers").fill("Bob")
    form.get_by_role("button", name="Save").click()
    row.get_by_text("Bob").wait_for()
    row.get_by_role("button", name="Remove").click()
    row.wait_for(state="hidden")
    page.get_by_role("searchbox").fill("")


def test_a_person_is_hidden_from_the_row_of_a_comment_by_keyboard_and_shown_again(stage):
    """Their comments leave the overlay, others stay, and the list of the hidden takes it back."""
    page, feed = stage.page, stage.page.locator(".feed-list")
    feed.locator("li").nth(3).wait_for()
    row = feed.locator("li").last
    name = row.locator(".name").inner_text()
    said = row.locator(".said").inner_text()
    before = feed.locator("li").count()
    feed.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    menu = page.get_by_role("group", name="What to do with this comment")
    menu.wait_for()
    page.keyboard.press("ArrowUp")
    assert menu.get_by_role("button", name="Hide this person").evaluate("one => one.matches(':focus')")
    page.keyboard.press("Enter")
    feed.locator("li", has_text=said).filter(has_text=name).wait_for(state="detached")
    assert 0 < feed.locator("li").count() < before
    page.get_by_text("Hidden people: 1").click()
    hidden = page.locator(".hidden-users li")
    hidden.get_by_role("button", name="Show again").click()
    hidden.wait_for(state="detached")


def test_a_test_alert_a_goal_and_a_poll_show_on_both_pages(stage):
    """The card says what the overlay shows."""
    page = stage.page
    page.get_by_role("group", name="Try one on the overlay").get_by_role("button", name="Follow").click()
    stage.overlay.locator(".tl-alert").wait_for()
    page.locator(".alert-now", has_text="follows").wait_for()
    page.get_by_text("Set a goal").click()
    page.get_by_label("How many").fill("0")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_text("Give a number above zero.").wait_for()
    page.get_by_label("How many").fill("5000")
    page.get_by_label("Title").fill("Tonight")
    page.get_by_role("button", name="Set", exact=True).click()
    goal = page.locator(".goal-list li", has_text="Tonight")
    goal.wait_for()
    poll = page.get_by_role("region", name="Poll")
    poll.get_by_label("Question").fill("What next?")
    poll.get_by_label("Options").fill("Chess")
    poll.get_by_role("button", name="Open the poll").click()
    poll.get_by_role("alert").get_by_text("options").wait_for()
    poll.get_by_label("Options").fill("Chess\nGo")
    poll.get_by_role("button", name="Open the poll").click()
    poll.locator(".poll-bars li").nth(1).wait_for()
    poll.get_by_role("button", name="Close").click()
    poll.get_by_role("button", name="Take off screen").click()
    poll.get_by_role("button", name="Open the poll").wait_for()
    goal.get_by_role("button", name="Remove").click()
    goal.wait_for(state="detached")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_somebody_out(stage, theme):
    """At rest and with a question on air, on each view; targets large enough, nothing to scroll sideways."""
    page = stage.page
    page.evaluate("name => document.documentElement.dataset.theme = name", theme)
    found = []
    for view in ("recordings", "live", "show"):
        page.evaluate("view => location.hash = view", view)
        page.locator(f"html[data-view={view}]").wait_for(state="attached")
        found += findings(page)
    press(page, "n")
    page.locator(".onair[data-phase=on_air]").wait_for()
    found += findings(page)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert found == []
    targets = page.locator("button:visible, .views a:visible, summary:visible")
    sizes = targets.evaluate_all("all => all.map(one => [one.outerHTML, one.offsetWidth, one.offsetHeight])")
    assert [html for html, *size in sizes if min(size) < TARGET_PX_MIN] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_next_is_reached_and_pressed_with_the_keyboard_alone(stage):
    """From the top of the page by Tab, the focus to be seen at each stop and not behind the top."""
    page = stage.page
    page.locator("a.skip").focus()
    inner = """() => {
        let at = document.activeElement;
        while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
        const style = getComputedStyle(at);
        return [at.innerText ?? "", style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
    }"""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        text, is_seen = page.evaluate(inner)
        assert is_seen, text
        if text.startswith("Next"):
            break
    assert text.startswith("Next")
    page.keyboard.press("Enter")
    page.locator(".onair[data-phase=on_air]").wait_for()


def test_the_page_speaks_french_to_a_french_browser_and_english_when_chosen(server, chromium):
    """From the first paint, on the server's sentences too; the choice outlasts the browser's wish."""
    window = Visit(chromium, locale="fr-FR")
    page = window.open(server.page_url)
    assert page.evaluate("document.documentElement.lang") == "fr"
    page.get_by_role("link", name="Émission").click()
    page.get_by_role("button", name="Vider").wait_for()
    page.get_by_text("Rien à l’antenne").first.wait_for()
    page.get_by_role("combobox", name="Langue de cette page").select_option("en")
    page.get_by_role("button", name="Blank").wait_for()
    assert page.evaluate("location.hash") == "#show"
    assert window.problems == []
    window.context.close()


def test_a_phone_has_the_show_at_the_thumb(server, chromium):
    """390 pixels wide: next and panic are on the screen wherever one scrolls, nothing hides behind them."""
    window = Visit(chromium, viewport={"width": 390, "height": 844}, has_touch=True)
    page = window.open(server.page_url)
    page.get_by_role("navigation").get_by_role("link", name="Show").click()
    for place in (0, 100_000):
        page.evaluate("place => scrollTo(0, place)", place)
        for name in ("Next", "Blank"):
            box = page.locator(".onair").get_by_role("button", name=name).bounding_box()
            assert box["y"] + box["height"] <= 844
            assert min(box["height"], box["width"]) >= 40
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    top = page.locator(".onair").bounding_box()["y"]
    # Let the last card be above the strip when one has scrolled to the end.
    wait_until(
        lambda: (
            page.locator(".feed-card").bounding_box()["y"]
            + page.locator(".feed-card").bounding_box()["height"]
            <= top
        )
    )
    window.context.close()
