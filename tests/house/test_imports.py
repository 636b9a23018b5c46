"""Imports point one way, and each third-party package has one adapter."""

from __future__ import annotations

import itertools
import sys

import pytest

# From the bottom up. A part may import what stands on a lower line; parts of one line
# may import each other as long as no circle comes of it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "clock", "failpoint"),
    ("observe", "background", "garbage"),  # seeing inside is for everybody, so it stands on almost nothing
    ("model",),
    ("wire", "connect", "ledger"),
    ("store", "bus"),
    ("capture", "simulator", "replay", "show", "analysis", "deliver"),
    # Settings are read in one place and passed down as plain values: no part below asks for them.
    ("config", "vitals", "bundled"),
    ("assembly",),
    ("web", "dashboard"),
    ("app",),
    ("load",),
    ("bench",),
    ("commands",),
    ("cli",),
)
# The same inside a part that has rooms of its own, and stricter: a room imports what stands
# on a lower line, never a neighbour.
ROOMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "toolkit.show": (
        ("mistake", "run", "keeping", "rounds"),
        ("part",),
        ("request", "reading"),
        ("look", "audience", "moderation"),
        ("question",),
        ("points",),
        ("conductor", "programme"),
    ),
}
LEVELS = {part: level for level, parts in enumerate(LAYERS) for part in parts}

# (file, part): who may look upwards after all, and why.
UPWARDS: dict[tuple[str, str], str] = {
    ("toolkit/web/panel_hook.py", "app"): "an entry point: Panel calls it, nothing imports it",
}

# Package -> the files or folders that may import it. One adapter each, so that a new
# release of a dependency changes one place.
ADAPTERS: dict[str, tuple[str, ...]] = {
    "duckdb": ("toolkit/store/database.py",),
    "TikTokLive": ("toolkit/capture/", "toolkit/bench"),  # the bench measures against it
    "TikTokLiveProto": ("toolkit/wire/",),
    "betterproto2": ("toolkit/wire/",),
    "google": ("toolkit/wire/",),
    "websockets": ("toolkit/capture/",),
    "httpx": ("toolkit/capture/",),
    "panel": ("toolkit/dashboard/", "toolkit/web/panel_hook.py"),
    "bokeh": ("toolkit/dashboard/", "toolkit/web/panel_hook.py"),
    "param": ("toolkit/dashboard/",),
    "orjson": ("toolkit/bus/notice.py",),
    "tornado": ("toolkit/web/", "toolkit/simulator/"),
    "polars": ("toolkit/store/reader.py", "toolkit/analysis/"),
    "pyarrow": ("toolkit/store/",),
    "prometheus_client": ("toolkit/observe/",),
    "pydantic": ("toolkit/config.py",),
    "pydantic_settings": ("toolkit/config.py",),
    "rapidfuzz": ("toolkit/show/reading/answers.py",),
    "segno": ("toolkit/web/presets.py",),
    "yaml": ("toolkit/show/question/bank.py",),
    "platformdirs": ("toolkit/wire/schema.py", "toolkit/config.py", "toolkit/bench/npm_rival.py"),
}


def part_of(module: str) -> str:
    """Return the part a module belongs to: ``toolkit.wire.decode`` is of ``wire``."""
    return module.split(".")[1] if "." in module else ""


def imported_parts(source) -> list[tuple[int, str]]:
    """Return (line, part) of each import from the project itself."""
    parts = []
    for line, module, name in source.imports():
        if module == "toolkit":
            # `from toolkit import bench` names a part, `open_recording` the public face.
            parts.append((line, name if name in LEVELS else ""))
        elif module.startswith("toolkit."):
            parts.append((line, part_of(module)))
    return [(line, part) for line, part in parts if part]


def upward_imports(sources) -> list[str]:
    """Return a sentence for each import that points upwards."""
    found = []
    for source in sources:
        here = part_of(source.module)
        if not here:
            continue  # The package's own face may show anything.
        if here not in LEVELS:
            found.append(f"{source.path}: `{here}` has no place in LAYERS; give it one")
            continue
        found += [
            f"{source.path}:{line}: {here} imports {part}, which stands above it"
            for line, part in imported_parts(source)
            if LEVELS.get(part, len(LAYERS)) > LEVELS[here] and (source.path, part) not in UPWARDS
        ]
    return found


def circles(sources) -> list[str]:
    """Return each circle of imports between parts, as ``a > b > a``."""
    edges: dict[str, dict[str, str]] = {}
    for source in sources:
        here = part_of(source.module)
        for line, part in imported_parts(source):
            if here and part != here and (source.path, part) not in UPWARDS:
                edges.setdefault(here, {}).setdefault(part, f"{source.path}:{line}")
    found: dict[frozenset[str], str] = {}

    def walk(path: list[str]) -> None:
        for part in edges.get(path[-1], {}):
            if part in path:
                circle = [*path[path.index(part) :], part]
                where = ", ".join(edges[a][b] for a, b in itertools.pairwise(circle))
                found.setdefault(frozenset(circle), f"{' > '.join(circle)} ({where})")
            else:
                walk([*path, part])

    for start in edges:
        walk([start])
    return list(found.values())


def room_in(part: str, module: str) -> str:
    """Return the room of a part to which a module belongs: ``toolkit.show.points.tally`` to ``points``."""
    return module[len(part) + 1 :].split(".")[0] if module.startswith(part + ".") else ""


def imports_between_rooms(sources) -> list[str]:
    """Return a sentence for each import between rooms of a part that does not point downwards."""
    found = []
    for part, lines in ROOMS.items():
        levels = {room: level for level, rooms in enumerate(lines) for room in rooms}
        for source in sources:
            here = room_in(part, source.module)
            if here and here not in levels:
                found.append(f"{source.path}: `{here}` has no place in ROOMS; give it one")
                continue
            for line, module, name in source.imports() if here else ():
                room = room_in(part, f"{module}.{name}")
                if room not in ("", here) and levels.get(room, len(lines)) >= levels[here]:
                    found.append(f"{source.path}:{line}: {here} imports {room}, which stands no lower")
    return found


def misplaced_packages(sources) -> list[str]:
    """Return a sentence for each third-party import outside its adapter."""
    found = []
    for source in sources:
        for line, module, _ in source.imports():
            package = module.split(".")[0]
            if package == "toolkit" or package in sys.stdlib_module_names:
                continue
            homes = ADAPTERS.get(package)
            if homes is None:
                found.append(f"{source.path}:{line}: {package} has no adapter; name one in ADAPTERS")
            elif not source.path.startswith(homes):
                found.append(f"{source.path}:{line}: {package} belongs into {' or '.join(homes)}")
    return found


def test_imports_point_downwards(sources):
    """No part of the package imports a part that stands above it."""
    assert not (found := upward_imports(sources)), "\n".join(found)


def test_no_two_parts_import_each_other(sources):
    """Parts of one layer may lean on each other, never in a circle."""
    assert not (found := circles(sources)), "\n".join(found)


def test_the_rooms_of_a_part_import_downwards(sources):
    """No room imports its neighbour, or one above it."""
    assert not (found := imports_between_rooms(sources)), "\n".join(found)


def test_each_third_party_package_has_one_adapter(sources):
    """A dependency is imported in its adapter and nowhere else."""
    assert not (found := misplaced_packages(sources)), "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "import toolkit.store.journal",
        "from toolkit.web import routes",
        "from toolkit import app",
        "from ..capture import recorder",
        "def late():\n    from toolkit.cli import main",
    ],
)
def test_an_upward_import_is_found_in_every_spelling(planted, line):
    """The rule sees plain, relative and late imports."""
    assert len(upward_imports(planted({"toolkit/wire/decode.py": line}))) == 1


def test_an_import_for_type_checkers_alone_is_not_held_against_a_part(planted):
    """It runs nothing."""
    text = "if TYPE_CHECKING:\n    from toolkit.app import App\n"
    assert upward_imports(planted({"toolkit/dashboard/page.py": text})) == []


def test_a_part_without_a_layer_is_found(planted):
    """A new folder has to be given its place."""
    assert "no place" in upward_imports(planted({"toolkit/magic/spell.py": ""}))[0]


def test_a_circle_between_siblings_is_found(planted):
    """Each import alone is allowed; together they are a knot."""
    files = {"toolkit/wire/a.py": "import toolkit.connect.b", "toolkit/connect/b.py": "import toolkit.wire.a"}
    assert upward_imports(planted(files)) == []
    assert len(circles(planted(files))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "from toolkit.show.audience.inbox import Inbox",
        "from toolkit.show import points",
        "import toolkit.show.conductor as above",
        "from ..question import quiz",
    ],
)
def test_an_import_of_a_neighbour_or_of_a_room_above_is_found(planted, line):
    """In every spelling; what stands below may be imported, and so may the room itself."""
    fine = "from toolkit.show.part import Part\nfrom toolkit.show.moderation.ruling import Rules\n"
    found = imports_between_rooms(planted({"toolkit/show/moderation/gate.py": f"{fine}{line}"}))
    assert len(found) == 1, found


def test_a_room_without_a_place_is_found(planted):
    """A new one has to be given its line."""
    assert "no place" in imports_between_rooms(planted({"toolkit/show/attic/box.py": ""}))[0]


def test_a_package_outside_its_adapter_is_found(planted):
    """As is one that nobody has named."""
    files = {"toolkit/web/api.py": "import duckdb", "toolkit/bus/memory.py": "from redis import Redis"}
    found = misplaced_packages(planted(files))
    assert len(found) == 2
    assert found[0].startswith("toolkit/web/api.py:1: duckdb belongs")
