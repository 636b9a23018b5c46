"""The README and the code tell the same story, both ways."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from toolkit.cli import build_parser
from toolkit.config import Settings
from toolkit.show.look.presets import OPTIONS
from toolkit.simulator.faults import KINDS
from toolkit.web.overlay import WIDGETS
from toolkit.web.routes import ROUTES

LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
FILE = re.compile(r"[\w./-]*[\w-](?:/|\.(?:py|md|ipynb|toml|lock|png|sql|duckdb))")
VARIABLE = re.compile(r"\b(?:TIKTOK|RECONNECTION|WEBSOCKET|WEBHOOK|TOOLKIT)_[A-Z_]+\b")
ROUTE = re.compile(r"(?<![\w.:/])/(?:api|avatar|overlay|ws|healthz|readyz|metrics)(?![\w-])[\w./-]*")


@pytest.fixture(scope="module")
def readme(project_root: Path) -> str:
    """Return the README."""
    return (project_root / "README.md").read_text("utf-8")


def named_files(text: str) -> set[str]:
    """Return the files and folders of the project that a text names."""
    links = {a or b for a, b in LINK.findall(text)}
    files = {
        link.split("#")[0] for link in links if "://" not in link and not link.startswith(("#", "mailto:"))
    }
    for span in CODE.findall(text):
        files |= {word for word in span.strip("`").split() if FILE.fullmatch(word)}
    return {file for file in files if file and not file.startswith(("/", "..", ".venv"))}


def named_verbs(text: str, command: str) -> set[str]:
    """Return the verbs with which a text calls a command, in its code spans."""
    spans = "\n".join(CODE.findall(text))
    return set(re.findall(rf"(?<![\w./-]){re.escape(command)} ([a-z][a-z-]+)\b(?![./])", spans))


def public_routes(patterns: list[str]) -> set[str]:
    """Return routes as people write them: ``/api/recordings/ID``; parts of a page are left out."""
    plain = {re.sub(r"\([^)]*\)", "ID", p).replace("\\", "") for p in patterns if "(?:" not in p}
    return {path for path in plain if not path.startswith("/overlay/")}


def code_verbs() -> set[str]:
    """Return the verbs of the command line."""
    actions = build_parser()._actions
    return {verb for a in actions if isinstance(a, argparse._SubParsersAction) for verb in a.choices}


def code_variables() -> set[str]:
    """Return the environment variables that are settings."""
    return {str(field.validation_alias) for field in Settings.model_fields.values()}


def code_routes() -> set[str]:
    """Return the routes of the server."""
    return public_routes([pattern for pattern, *_ in ROUTES])


def test_every_file_that_the_readme_names_exists(readme, project_root):
    """A path in the README can be opened."""
    missing = {name for name in named_files(readme) if not (project_root / name).exists()}
    # What a user will make, in examples.
    missing = {name for name in missing if not name.startswith("recordings/")}
    assert not missing, f"README.md names what is not there: {sorted(missing)}"


def test_every_verb_is_in_the_readme_and_the_other_way_round(readme):
    """`toolkit VERB`, each of them."""
    assert named_verbs(readme, "toolkit") == code_verbs()


def test_every_setting_is_in_the_readme_and_the_other_way_round(readme):
    """A variable that is documented works, one that works is documented."""
    assert set(VARIABLE.findall(readme)) == code_variables()


def test_every_route_is_in_the_readme_and_the_other_way_round(readme):
    """What the server answers to is written down."""
    named = {route.rstrip("./") for route in ROUTE.findall(readme)}
    pages = {route for route in named if route.startswith("/overlay/")}
    assert named - pages == code_routes()
    assert pages <= {f"/overlay/{name}" for name in (*WIDGETS, "builder", "NAME")}


def test_every_verb_of_run_py_that_the_readme_names_exists(readme, project_root):
    """`python3 run.py VERB` does what it says."""
    text = (project_root / "run.py").read_text("utf-8")
    assert {verb for verb in named_verbs(readme, "run.py") if f'    "{verb}": ' not in text} == set()


def test_every_option_of_the_overlay_is_in_the_readme_and_the_other_way_round(readme):
    """What a preset may set, and what only an address asks for."""
    section = readme.partition("### The overlay")[2].partition("\n## ")[0]
    of_an_address = {"preset", "demo", "debug"}
    assert set(re.findall(r"`\??(\w+)=", section)) == OPTIONS | of_an_address


def test_the_readme_counts_the_faults_of_the_simulator(readme):
    """As many as there are."""
    assert f"misbehave in {len(KINDS)} ways" in readme


def test_every_longer_run_that_the_readme_names_exists(readme, project_root):
    """A test reads the variable."""
    (paragraph,) = re.findall(r"Longer runs of the same tests: (.*?)\n\n", readme, re.DOTALL)
    named = set(re.findall(r"`([A-Z_]+)=", paragraph))
    text = "".join(file.read_text("utf-8") for file in (project_root / "tests").rglob("*.py"))
    assert named and named == {name for name in named if f'environ.get("{name}"' in text}


def test_the_readers_of_the_readme_read_what_people_write():
    """Links, code spans, verbs, variables and routes are told apart from prose."""
    text = (
        "See [the format](recordings/README.md#tables), `toolkit/wire/` and ![x](docs/a.png).\n"
        "Run `toolkit load-test` or `python3 run.py test`; a toolkit for all. Set `TIKTOK_USERNAME`.\n"
        "```\n.venv/bin/toolkit info ID\ntoolkit verify ID\n```\n"
        "Ask `/api/recordings/ID/events.arrow?since_seq=` or http://localhost/overlay now.\n"
    )
    assert named_files(text) == {"recordings/README.md", "toolkit/wire/", "docs/a.png", "run.py"}
    assert named_verbs(text, "toolkit") == {"load-test", "verify"}
    assert named_verbs(text, "run.py") == {"test"}
    assert VARIABLE.findall(text) == ["TIKTOK_USERNAME"]
    assert ROUTE.findall(text) == ["/api/recordings/ID/events.arrow"]
    assert public_routes([r"/api/recordings/([^/]+)/events\.arrow", "/overlay/", r"/api(?:/.*)?"]) == {
        "/api/recordings/ID/events.arrow"
    }
