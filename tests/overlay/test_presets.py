"""Presets: what may be saved, what open pages make of it, and the page on which they are made."""

import json
import re
from pathlib import Path

import pytest

from tests.overlay.conftest import holds, stage_of
from toolkit.bus.memory import MemoryBus
from toolkit.show.look.presets import CSS_BYTES_MAX, OPTIONS, PRESETS_MAX, PresetNotFound, Presets
from toolkit.show.part import ShowError

browser = pytest.mark.browser

REFUSED = [
    "@import 'x.css';",
    "@IMPORT url(x.css);",
    "@\\69mport 'x.css';",
    "a { background: url(https://evil.example/x) }",
    "a { background: url( //evil.example/x ) }",
    "a { background: URL('x.png') }",
    "a { background: u\\72l(x) }",
    "a { background: \\75 rl(x) }",
    "a { background: url(data:text/html,x) }",
    "a { background: url(/**/x) }",
    'a::before { content: "/*"; background: url(x); } b::before { content: "*/" }',
    "a { background: image-set('x.png' 1x) }",
    "a { background: -webkit-image-set(url(data:image/png,x) 1x) }",
    "a { background: cross-fade(url(data:image/png,x), red) }",
    "a { background: src('x') }",
    "@font-face { font-family: x; src: local(y) }",
    "a { color: red } \x00",
    "a" * (CSS_BYTES_MAX + 1),
    "é" * (CSS_BYTES_MAX // 2 + 1),
    "\ud800",
]


@pytest.fixture
def presets(tmp_path):
    """Return presets kept in a file."""
    return Presets(tmp_path / "presets.json", MemoryBus())


@pytest.mark.parametrize("css", REFUSED)
def test_styles_that_would_load_something_are_refused(presets, css):
    """However they are spelled; so are styles too large."""
    with pytest.raises(ShowError) as caught:
        presets.put("x", {"css": css})
    assert caught.value.hint
    assert presets.all() == []


@pytest.mark.parametrize(
    "css",
    [
        "",
        ":root { --tl-ink: red }",
        ".tl-comment::before { content: '\\201C'; }",
        "/* as in url: see the manual */ .tl-panel { border: 0 }",
        ".a { background: url(data:image/png;base64,AAAA) }",
        '.b { background: url( "data:image/svg+xml,%3Csvg/%3E" ) }',
    ],
)  # fmt: skip
def test_styles_that_only_style_are_kept_as_they_are(presets, css):
    """Pictures inside the text are fine."""
    assert presets.put("x", {"css": css}).css == css


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("", {}), ("Big", {}), ("a b", {}), ("../x", {}), ("a" * 33, {}), ("é", {}),
        ("x", {"options": []}), ("x", {"options": {"token": "1"}}), ("x", {"options": {"theme": ["a"]}}),
        ("x", {"options": {"theme": "a" * 200}}), ("x", {"options": {"theme": "a\nb"}}), ("x", {"css": 1}),
    ],
)  # fmt: skip
def test_what_is_no_preset_is_refused_with_a_sentence(presets, name, values):
    """Name, options and styles are checked before anything is saved."""
    with pytest.raises(ShowError) as caught:
        presets.put(name, values)
    assert str(caught.value).endswith(".")


def test_presets_outlive_the_process(presets, tmp_path):
    """The file is read again; what somebody broke in it is left out, the rest is not lost."""
    presets.put("one", {"options": {"theme": "paper", "motion": False, "scale": 1.5}})
    presets.put("two", {"css": "a{}"})
    presets.remove("two")
    path = tmp_path / "presets.json"
    again = Presets(path, MemoryBus())
    assert [(p.name, dict(p.options)) for p in again.all()] == [
        ("one", {"theme": "paper", "motion": "0", "scale": "1.5"})
    ]
    kept = json.loads(path.read_text())
    kept["parts"]["bad"] = {"css": "@import 'x'"}
    path.write_text(json.dumps(kept))
    assert [p.name for p in Presets(path, MemoryBus()).all()] == ["one"]
    path.write_text("not JSON")
    assert Presets(path, MemoryBus()).all() == []
    assert list(tmp_path.glob("presets.json.*"))


def test_there_is_an_end_to_presets(presets):
    """And what is not there cannot be had or removed."""
    for number in range(PRESETS_MAX):
        presets.put(f"p{number}", {})
    with pytest.raises(ShowError):
        presets.put("more", {})
    presets.put("p0", {"options": {"theme": "neon"}})
    for call in (presets.get, presets.remove):
        with pytest.raises(PresetNotFound):
            call("nothing")


def test_a_preset_knows_the_options_that_the_page_reads():
    """What tests and load tests ask for is left to the address."""
    text = (Path(__file__).parents[2] / "overlay" / "options.js").read_text()
    read = set(re.findall(r'(?:query\.(?:get|has)|number|choice|on|off|list)\("(\w+)"', text))
    assert read - OPTIONS == {"demo", "debug", "ack"}
    assert read >= OPTIONS


def test_the_routes_keep_give_and_take_presets(server, stage):
    """PUT, GET, DELETE; errors are sentences with a status."""
    assert server.ask_json("/api/overlay/presets") == (200, {"presets": []})
    value = {"options": {"theme": "paper"}, "css": ".tl-name { color: red }"}
    status, told = server.ask_json("/api/overlay/presets/evening", "PUT", value)
    assert (status, told["options"], told["css"]) == (200, value["options"], value["css"])
    assert server.ask_json("/api/overlay/presets/evening") == (200, told)
    status, headers, body = server.ask("/overlay/presets/evening.css")
    assert (status, headers["Content-Type"], body.decode()) == (200, "text/css; charset=utf-8", value["css"])
    assert server.ask_json("/api/overlay/presets/x", "PUT", {"css": "@import 'x'"})[0] == 400
    assert server.ask_json("/api/overlay/presets/X", "PUT", {})[0] == 400
    assert server.ask_json("/api/overlay/presets/evening", "DELETE") == (200, {"removed": "evening"})
    assert server.ask_json("/api/overlay/presets/evening")[0] == 404
    assert server.ask("/overlay/presets/evening.css")[0] == 404
    assert server.ask("/api/overlay/presets/x", "OPTIONS")[1]["Allow"] == "GET, PUT, DELETE, HEAD, OPTIONS"
    assert [n.type for n in stage.bus.since(0)[0]] == ["overlay:preset"] * 2


def test_a_qr_code_is_a_picture_of_ours(server):
    """SVG, of anything that fits; nothing is asked elsewhere."""
    status, headers, body = server.ask("/api/overlay/qr?text=http%3A%2F%2Flocalhost%3A5006%2Foverlay")
    assert (status, headers["Content-Type"]) == (200, "image/svg+xml")
    assert body.startswith(b"<svg")
    for text in ("", "x" * 900):
        assert server.ask_json(f"/api/overlay/qr?text={text}")[0] == 400


@browser
def test_an_open_page_follows_its_preset_at_once(visit, stage):
    """Options, styles, and which widgets there are, without a reload; the address goes before."""
    stage.presets.put("evening", {"options": {"theme": "paper", "scale": "1.5"}})
    page = visit("/overlay?preset=evening&scale=2")
    page.evaluate("window.__same = true")
    assert page.evaluate("document.documentElement.dataset.theme") == "paper"
    assert page.evaluate("document.documentElement.style.getPropertyValue('--tl-scale')") == "2"
    css = ":root { --tl-ink: rgb(1, 2, 3) }"
    stage.presets.put("evening", {"options": {"theme": "neon", "show": "poll"}, "css": css})
    holds(page, "document.documentElement.dataset.theme === 'neon'")
    holds(page, "getComputedStyle(document.querySelector('.tl-stage')).color === 'rgb(1, 2, 3)'")
    assert page.locator(".tl-chat").is_hidden()
    stage.presets.remove("evening")
    holds(page, "document.documentElement.dataset.theme === 'midnight'")
    holds(page, "getComputedStyle(document.querySelector('.tl-stage')).color === 'rgb(255, 255, 255)'")
    assert page.evaluate("window.__same")
    # It asks for what is gone, and the browser says so.
    assert all("404" in complaint for complaint in page.complaints)


@browser
def test_the_operator_chooses_a_preset_for_pages_without_one(visit, stage):
    """By the stage; back to none as well."""
    stage.presets.put("night", {"options": {"theme": "contrast"}})
    page = visit()
    stage.put("stage", **stage_of(preset="night"))
    holds(page, "document.documentElement.dataset.theme === 'contrast'")
    stage.put("stage", **stage_of())
    holds(page, "document.documentElement.dataset.theme === 'midnight'")


@browser
def test_the_builder_puts_an_address_together_and_saves_it(visit, stage, server):
    """Options, preview, copy, QR code, preset; in French as well."""
    page = visit("/overlay/builder?lang=en")
    address = page.get_by_label("Address for OBS")
    holds(page, "document.getElementById('presets').options.length === 1")
    page.get_by_label("Widget").select_option("quiz")
    page.get_by_label("Paper").check()
    page.get_by_label("Motion").uncheck()
    assert address.input_value() == f"{server.url}/overlay/quiz?theme=paper&motion=0"
    page.frame_locator("#preview").locator(".tl-quiz").wait_for()
    holds(page, "document.getElementById('qr').naturalWidth > 0")
    page.get_by_label("Name").fill("evening")
    page.get_by_label("Own styles").fill(".tl-chip { color: red }")
    page.get_by_role("button", name="Save preset").click()
    page.get_by_text("Saved.").wait_for()
    assert stage.presets.get("evening").told()["options"] == {"theme": "paper", "motion": "0"}
    assert address.input_value() == f"{server.url}/overlay/quiz?preset=evening"
    page.get_by_label("Own styles").fill("@import 'x'")
    page.get_by_role("button", name="Save preset").click()
    page.get_by_text("would load something").wait_for()
    page.get_by_label("Language of this page").select_option("fr")
    page.get_by_role("button", name="Enregistrer").wait_for()
    assert page.evaluate("document.documentElement.lang") == "fr"
    page.get_by_role("button", name="Supprimer").click()
    page.get_by_text("Supprimé.").wait_for()
    assert stage.presets.all() == []
    # The browser's own words on the broken styles, and on previews that were left before they were there.
    assert [c for c in page.complaints if not re.search("400|@import|/overlay", c)] == []
