"""A rehearsal as its operator plays it: the bar, its timeline, and nothing of it in a live."""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.dashboard.conftest import Dashboard, Visit, with_overlay
from tests.waiting import WITHIN_S, wait_until
from toolkit.dashboard.transport import BUCKETS
from toolkit.replay.clip import clipped
from toolkit.replay.recording_plan import RecordingPlan
from toolkit.simulator.profile import profile_named
from toolkit.simulator.server import Simulator, SimulatorThread
from toolkit.store.reader import open_recording

pytestmark = pytest.mark.browser

SAMPLE = Path(__file__).parents[2] / "recordings" / "sample.duckdb"
LINE = Path(__file__).with_name("line.js")
GAP_S = (141.287, 160.542)
"""Where the sample has its gap."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return a dashboard that records nothing yet, beside a simulated TikTok where @demo is live."""
    with SimulatorThread(Simulator(profile_named("busy").at_rate(20, 30), seed=11, user="demo")) as simulator:
        folder = tmp_path_factory.mktemp("rehearsal") / "recordings"
        server = Dashboard(folder, **simulator.environment()).start()
        yield server
        server.stop()


@pytest.fixture(scope="module")
def window(server, chromium):
    """Return a browser window with the dashboard, and the overlay in another one."""
    window = Visit(chromium)
    window.page.add_init_script(path=LINE)
    yield from with_overlay(window, server)


@pytest.fixture
def stage(server, window):
    """Return page, overlay and the API, with nothing rehearsed."""

    def ask(values=None, buckets=0):
        body = None if values is None else json.dumps(values).encode()
        request = urllib.request.Request(f"{server.url}/api/replay?buckets={buckets}", body)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def begin(at_s=0.0, **options):
        ask({"action": "start", "id": "sample", **options, "paused": True})
        ask({"action": "seek", "to_s": at_s})
        wait_until(lambda: page.locator(".strip-area svg").count() == 2)
        wait_until(lambda: page.locator(".position").inner_text() == clock(at_s))
        if not options.get("paused"):
            ask({"action": "resume"})

    page, bar = window.page, window.page.locator(".transport-card")
    ask({"action": "reset"})
    bar.wait_for(state="hidden")
    return SimpleNamespace(
        page=page,
        overlay=window.overlay,
        bar=bar,
        strip=page.locator(".strip"),
        ask=ask,
        begin=begin,
        progress=lambda: ask()["rehearsal"],
        press=lambda name: bar.get_by_role("button", name=name, exact=True).click(),
    )


@pytest.fixture
def line(stage):
    """Return a hand on the page's line to its server: in which order messages arrive is the test's."""
    page = stage.page
    # It asks by itself when the page opens: from here on the bar's answers are the only ones.
    page.locator(".bank-list li").first.wait_for(state="attached")

    def do(what):
        page.evaluate(f"line.{what}")

    def press(name):
        asked = page.evaluate("line.asked")
        stage.press(name)
        # What was pressed before may still be waiting for its own.
        wait_until(lambda: page.evaluate("line.answers === line.asked && line.asked") > asked)

    yield SimpleNamespace(do=do, press=press)
    do("release()")
    do("garbled = ''")


def clock(seconds):
    """Return minutes and seconds as the bar shows them."""
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def tiles(page):
    """Return what the tiles add up: no rates, which begin again at a seek."""
    names = ("likes", "diamonds", "gifts", "follows", "joins", "shares")
    shown = {name: page.locator(f".tile[data-name={name}] .tile-value").inner_text() for name in names}
    return shown | {"comments": page.locator(".tile[data-name=comments] .tile-sub").inner_text()}


def test_a_recording_is_chosen_played_and_paused(stage, line):
    """One click in the list; ribbons on both pages; after a pause nothing more comes, then it goes on."""
    stage.page.get_by_role("navigation").get_by_role("link", name="Recordings").click()
    stage.page.get_by_role("button", name="Rehearse: sample").click()
    stage.bar.wait_for()
    assert stage.page.locator(".ribbon").is_visible()
    stage.overlay.locator(".tl-ribbon").wait_for()
    stage.press("10×")
    rows = stage.page.locator(".feed-list li")
    wait_until(lambda: rows.count() > 5)
    # The page shows all that came before the pause once that is answered.
    line.press("Pause")
    stage.bar.get_by_role("button", name="Resume").wait_for()
    stood = stage.progress()
    assert stood["state"] == "paused"
    seen = rows.last.get_attribute("data-id"), tiles(stage.page)
    # Twenty-six comments would have come in this second.
    stage.page.wait_for_timeout(1000)
    assert (rows.last.get_attribute("data-id"), tiles(stage.page)) == seen
    assert stage.progress()["position_s"] == stood["position_s"]
    assert stage.page.locator(".position").inner_text() == clock(stood["position_s"])
    stage.press("Resume")
    wait_until(lambda: rows.last.get_attribute("data-id") != seen[0])


def test_a_click_a_drag_and_a_finger_seek(stage, server, window):
    """Within a stretch of the strip from where one pointed; a finger on a phone as well."""
    stage.begin(paused=True)
    timeline = stage.ask(buckets=BUCKETS)["timeline"]
    box = stage.strip.bounding_box()

    def at(share):
        return box["x"] + share * box["width"], box["y"] + box["height"] / 2

    def arrives(share, page=stage.page):
        expected_s = share * timeline["duration_s"]
        wait_until(lambda: abs(stage.progress()["position_s"] - expected_s) <= timeline["bucket_s"])
        wait_until(lambda: page.locator(".position").inner_text() == clock(stage.progress()["position_s"]))

    stage.page.mouse.click(*at(0.25))
    arrives(0.25)
    stage.page.mouse.move(*at(0.3))
    stage.page.mouse.down()
    stage.page.mouse.move(*at(0.5))
    stage.page.mouse.move(*at(0.75))
    assert stage.progress()["position_s"] == pytest.approx(0.25 * timeline["duration_s"], abs=1.1)
    stage.page.mouse.up()
    arrives(0.75)
    assert stage.progress()["state"] == "paused"
    stage.page.mouse.move(*at((GAP_S[0] + 5) / timeline["duration_s"]))
    assert "not observed" in stage.page.locator(".strip-tip").inner_text()
    gift = next(mark for mark in timeline["markers"] if mark["kind"] == "gift" and mark["diamonds"] == 88)
    stage.page.mouse.move(*at(gift["at_s"] / timeline["duration_s"]))
    assert f"{gift['text']}, 88 diamonds" in stage.page.locator(".strip-tip").inner_text()

    phone = Visit(window.context.browser, viewport={"width": 400, "height": 800}, has_touch=True)
    page = phone.open(server.page_url)
    wait_until(lambda: page.locator(".strip-area svg").count() == 2)
    box = page.locator(".strip").bounding_box()
    page.locator(".strip").tap(position={"x": 0.4 * box["width"], "y": box["height"] / 2})
    arrives(0.4, page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    heights = page.locator(".transport-card button:visible").evaluate_all(
        "all => all.map(b => b.offsetHeight)"
    )
    assert min(heights) >= 44
    phone.context.close()
    assert phone.problems == []


def test_the_keyboard_seeks_and_a_screen_reader_is_told(stage):
    """Arrows, Page keys, Home and End on the slider; space plays and pauses; ten seconds by button."""
    stage.begin(100.0, paused=True)
    stage.strip.focus()
    for key, to_s in (
        ("ArrowRight", 105), ("ArrowLeft", 100), ("PageUp", 130), ("PageDown", 100), ("Home", 0),
    ):  # fmt: skip
        stage.page.keyboard.press(key)
        wait_until(lambda to_s=to_s: stage.progress()["position_s"] == pytest.approx(to_s, abs=0.2))
        wait_until(lambda to_s=to_s: stage.strip.get_attribute("aria-valuetext") == f"{clock(to_s)} of 04:01")
    assert stage.strip.get_attribute("role") == "slider"
    assert stage.strip.get_attribute("aria-valuenow") == "0"
    assert stage.strip.get_attribute("aria-valuemax").startswith("241")
    # A key that repeats: each one counts, though not each becomes a seek of its own.
    for _ in range(12):
        stage.page.keyboard.press("ArrowRight")
    wait_until(lambda: stage.progress()["position_s"] == pytest.approx(60, abs=0.2))
    stage.press("Forward 10 seconds")
    wait_until(lambda: stage.progress()["position_s"] == pytest.approx(70, abs=0.2))
    stage.press("Back 10 seconds")
    wait_until(lambda: stage.progress()["position_s"] == pytest.approx(60, abs=0.2))
    stage.strip.focus()
    stage.page.keyboard.press("Space")
    wait_until(lambda: stage.progress()["state"] == "playing")
    stage.page.keyboard.press("Space")
    wait_until(lambda: stage.progress()["state"] == "paused")


def test_speed_and_loop_take_effect(stage):
    """Sixty seconds of the recording within twenty; at the end it begins again, and goes on."""
    stage.begin(0.0, rate=0.5)
    assert stage.bar.locator("[data-rate='0.5']").get_attribute("aria-pressed") == "true"
    stage.press("10×")
    wait_until(lambda: stage.bar.locator("[data-rate='10']").get_attribute("aria-pressed") == "true")
    wait_until(lambda: stage.progress()["position_s"] > 60, within_s=20)
    # The page's own playhead keeps up: one second of reading is ten of the recording.
    wait_until(
        lambda: (
            abs(seconds(stage.page.locator(".position").inner_text()) - stage.progress()["position_s"]) < 10
        )
    )
    stage.press("Loop")
    wait_until(lambda: stage.progress()["loop"])
    stage.ask({"action": "seek", "to_s": 235})
    wait_until(lambda: stage.progress()["rounds"] >= 1)
    assert stage.progress()["state"] == "playing"
    wait_until(lambda: seconds(stage.page.locator(".position").inner_text()) < 200)
    stage.press("Skip gaps")
    wait_until(lambda: stage.progress()["heal_gaps"])
    wait_until(lambda: stage.page.locator(".strip-gap").count() == 0)
    assert (stage.progress()["loop"], stage.progress()["rate"]) == (True, 10)


def seconds(text):
    """Return the seconds that a position says."""
    minutes, rest = text.split(":")
    return 60 * int(minutes) + int(rest)


def test_next_plays_one_while_paused(stage):
    """One frame, or up to and with the next question; while it plays there is no next."""
    stage.begin(80.0, paused=True)
    before = stage.progress()["frames"]
    stage.press("Next")
    wait_until(lambda: stage.progress()["frames"] == before + 1)
    questions = stage.page.locator(".question-list li")
    shown = questions.count()
    stage.bar.get_by_label("Next what").select_option("question")
    stage.press("Next")
    wait_until(lambda: questions.count() > shown)
    stage.page.locator(".onair[data-phase=on_air]").wait_for()
    assert stage.progress()["state"] == "paused"
    stage.press("Resume")
    wait_until(lambda: stage.bar.get_by_role("button", name="Next", exact=True).is_disabled())


def test_a_seek_shows_what_playing_up_to_there_had_shown_and_clears_the_overlay(stage, line):
    """The figures of the tiles are the same either way; no card and no burst on the overlay."""
    stage.begin(0.0, paused=True)
    stage.ask({"action": "burst", "seconds": 100})
    assert stage.progress()["position_s"] == 100
    comments = stage.overlay.locator(".tl-comment")
    wait_until(lambda: comments.count() > 20)
    (said,) = clipped(RecordingPlan(SAMPLE), until_s=100).timeline(1).comments
    # Answered, it has everything on the page, whatever of the burst the last look had in it.
    line.press("2×")
    played = tiles(stage.page)
    assert played["comments"] == f"{said} in all"
    stage.ask({"action": "seek", "to_s": 0})
    wait_until(lambda: tiles(stage.page)["comments"] == "none yet")
    wait_until(lambda: comments.count() == 0)
    stage.ask({"action": "seek", "to_s": 100})
    wait_until(lambda: tiles(stage.page) == played)
    assert stage.page.locator(".feed-list li").count() == 60
    # Everything that was announced has been painted, and it was nothing.
    stage.ask({"action": "next"})
    wait_until(lambda: comments.count() > 0)
    assert comments.count() < 10
    assert stage.overlay.locator(".tl-ribbon").is_visible()


def test_stop_keeps_the_figures_and_reset_clears_them(stage, server):
    """The overlay is empty after either; the dashboard says whose figures it shows, and plays again."""
    stage.begin(100.0, rate=10)
    comments = stage.overlay.locator(".tl-comment")
    wait_until(lambda: comments.count() > 3)
    stage.press("Stop")
    stage.page.get_by_text("What is shown is still the rehearsal's").wait_for()
    stage.overlay.locator(".tl-ribbon").wait_for(state="hidden")
    wait_until(lambda: comments.count() == 0)
    assert tiles(stage.page)["comments"] != "none yet"
    late = stage.overlay.context.new_page()
    late.goto(f"{server.url}/overlay")
    # By a selector: the overlay's policy forbids the eval that a polled expression needs.
    late.locator("html[data-connection='open']").wait_for(state="attached")
    stage.press("Play again")
    wait_until(lambda: late.locator(".tl-comment").count() > 0)
    assert late.locator(".tl-ribbon").is_visible()
    late.close()
    stage.press("Reset")
    stage.bar.wait_for(state="hidden")
    wait_until(lambda: tiles(stage.page)["comments"] == "none yet")
    assert stage.page.locator(".feed-list li").count() == 0
    assert stage.page.locator(".ribbon").is_hidden()
    wait_until(lambda: comments.count() == 0)
    assert stage.progress() is None


def test_a_live_after_a_rehearsal_begins_at_zero_and_has_no_trace_of_it(stage, server):
    """Record ends what plays and says so; figures are the recording's own; a rehearsal has to wait."""
    stage.begin(100.0, rate=10)
    wait_until(lambda: stage.overlay.locator(".tl-comment").count() > 3)
    stage.page.get_by_label("TikTok name").fill("@demo")
    stage.page.get_by_role("button", name="Record", exact=True).click()
    stage.page.get_by_text("The rehearsal has ended and is cleared. Connecting to @demo.").wait_for()
    stage.bar.wait_for(state="hidden")
    wait_until(lambda: stage.page.locator(".pill [role=status]").inner_text() == "Connected")
    wait_until(lambda: stage.overlay.locator(".tl-comment").count() > 20)
    painted = stage.overlay.locator(".tl-comment").evaluate_all("all => all.map(row => row.dataset.msg)")
    assert stage.overlay.locator(".tl-ribbon").is_hidden()
    for values in ({"action": "start", "id": "sample"}, {"action": "resume"}):
        assert stage.ask(values)["error"].startswith("A live is being recorded")
    stage.page.get_by_role("button", name="Stop", exact=True).click()
    stage.page.get_by_role("button", name="Stop and save").click()
    wait_until(lambda: stage.page.locator(".pill [role=status]").inner_text() == "Stopped")
    (path,) = server.folder.glob("demo-*")
    with open_recording(path) as recorded, open_recording(SAMPLE) as sample:
        own = set(recorded.comments.collect()["msg_id"])
        rehearsed = set(sample.comments.collect()["msg_id"])
        assert own.isdisjoint(rehearsed)
        assert {str(msg_id) for msg_id in rehearsed}.isdisjoint(painted)
        assert len(recorded.sql("SELECT DISTINCT room_id FROM messages")) == 1
    # The state may be a look ahead of the figures.
    wait_until(lambda: int(re.sub(r"\D", "", tiles(stage.page)["comments"])) == len(own))


@pytest.mark.parametrize("name", ["Pause", "Resume", "Forward 10 seconds", "4×", "Stop"])
def test_an_end_that_is_told_before_the_answer_to_a_press_is_not_forgotten(stage, line, name):
    """Told once: the answer that arrives later is of what was so before."""
    stage.begin(100.0, paused=name == "Resume")
    line.do("holdAnswers()")
    line.press(name)
    stage.ask({"action": "stop"})
    # In the same message as what the bar is told.
    stage.page.locator(".ribbon").wait_for(state="hidden")
    line.do("release()")
    stage.bar.get_by_role("button", name="Play again").wait_for()


def test_what_has_come_of_a_press_is_told_before_its_answer(stage, line):
    """With the answer hope is over: nothing that arrives later is needed to show what is so."""
    stage.begin(100.0, paused=True)
    for name, is_shown in (
        ("4×", lambda: stage.bar.locator("[data-rate='4']").get_attribute("aria-pressed") == "true"),
        ("Forward 10 seconds", lambda: stage.page.locator(".position").inner_text() == clock(110)),
        ("Skip gaps", lambda: stage.bar.locator("[data-name=gaps]").get_attribute("aria-pressed") == "true"),
        ("Resume", lambda: stage.bar.get_by_role("button", name="Pause", exact=True).is_visible()),
    ):
        line.do("holdAfterAnswer()")
        line.press(name)
        assert is_shown(), name
        line.do("release()")


def test_a_press_that_is_refused_leaves_the_bar_as_it_was(stage, line):
    """It plays on, and so does the playhead, after a sentence about the refusal."""
    stage.begin(100.0)
    line.do("garbled = 'pause'")
    line.press("Pause")
    stage.page.locator(".toast.bad").wait_for()
    assert stage.bar.get_by_role("button", name="Pause", exact=True).is_visible()
    wait_until(lambda: seconds(stage.page.locator(".position").inner_text()) > 101)


def test_an_answer_that_is_lost_with_its_socket_is_not_waited_for(stage, line):
    """The page comes back, with what is so by then."""
    stage.begin(100.0)
    line.do("holdAnswers()")
    line.press("Pause")
    stage.ask({"action": "resume"})
    with stage.page.expect_navigation():
        line.do("cut()")
    stage.bar.get_by_role("button", name="Pause", exact=True).wait_for()
