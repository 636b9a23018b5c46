"""Rules of the house that a reader would otherwise have to police."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

LINES_OF_FILE_MAX = 500
LINES_OF_FUNCTION_MAX = 60

NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

# Parts that get their time and their dice from the caller, so that a year runs in a
# second and the same seed gives the same live.
PURE = ("toolkit/model/", "toolkit/wire/", "toolkit/connect/", "toolkit/show/", "toolkit/bus/")
IMPURE_CALLS = re.compile(
    r"time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|sleep)"
    r"|asyncio\.sleep"
    r"|random\.(?!Random$|SystemRandom$)\w+"
    r"|datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"
)

# asyncio forgets a task that nobody holds. A TaskGroup holds its own, an attribute and
# a function that awaits it hold theirs; these few hold it in another way.
KEEPERS_OF_TASKS = {("toolkit/app.py", "_keep"): "in App._tasks until done"}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method, nested ones included."""
    yield from (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how long a function is, its docstring left out."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def oversized(sources) -> list[str]:
    """Return files and functions that got away, with their sizes."""
    found = []
    for source in sources:
        lines = len(source.text.splitlines())
        if lines > LINES_OF_FILE_MAX:
            found.append(f"{source.path}: {lines} lines (at most {LINES_OF_FILE_MAX})")
        for function in functions(source.tree):
            if (lines := body_lines(function)) > LINES_OF_FUNCTION_MAX:
                where = f"{source.path}:{function.lineno}: {function.name}"
                found.append(f"{where} has {lines} lines (at most {LINES_OF_FUNCTION_MAX})")
    return found


def empty_names(sources) -> list[str]:
    """Return modules and folders whose name says nothing of this field."""
    return [
        f"{source.path}: name it after what it does"
        for source in sources
        if NAMES_THAT_SAY_NOTHING & set(PurePosixPath(source.path).with_suffix("").parts)
    ]


def undocumented_packages(sources) -> list[str]:
    """Return folders without an ``__init__.py`` that says what lives there."""
    by_path = {source.path: source for source in sources}
    folders = sorted({str(PurePosixPath(path).parent) for path in by_path})
    inits = {folder: by_path.get(f"{folder}/__init__.py") for folder in folders}
    return [
        f"{folder}/__init__.py: its docstring is the folder's architecture page; write it"
        for folder, init in inits.items()
        if init is None or not ast.get_docstring(init.tree)
    ]


def full_names(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for: ``{"sleep": "time.sleep"}``."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {
                (a.asname or a.name.split(".")[0]): (a.asname and a.name) or a.name.split(".")[0]
                for a in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {(a.asname or a.name): f"{node.module}.{a.name}" for a in node.names}
    return names


def impure_calls(sources) -> list[str]:
    """Return each use of the machine's clock or dice in a part that is to be pure."""
    found = []
    for source in sources:
        if not source.path.startswith(PURE):
            continue
        names = full_names(source.tree)
        for node in ast.walk(source.tree):
            # Uses, not only calls: `default_factory=time.time` reads the clock too.
            if not isinstance(node, ast.Attribute | ast.Name):
                continue
            first, _, rest = ast.unparse(node).partition(".")
            name = names.get(first, "") + ("." + rest if rest else "")
            if IMPURE_CALLS.fullmatch(name):
                found.append(f"{source.path}:{node.lineno}: {name}; take a clock or a Random from the caller")
    return found


def loose_tasks(sources) -> list[str]:
    """Return each task that is started without somebody who holds it."""
    found = []
    for source in sources:
        held = held_calls(source.tree)
        for function in functions(source.tree):
            if (source.path, function.name) in KEEPERS_OF_TASKS:
                continue
            found += [
                f"{source.path}:{node.lineno}: use a TaskGroup, or keep the task and say where"
                for node in ast.walk(function)
                if isinstance(node, ast.Call) and starts_task(node) and node not in held
            ]
    return found


def starts_task(node: ast.AST) -> bool:
    """Return whether a node is a call that starts a task."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return node.func.attr in ("create_task", "ensure_future")


def held_calls(tree: ast.AST) -> set[ast.AST]:
    """Return the calls whose task has a holder: a TaskGroup, an attribute, or who awaits it."""
    groups = {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name) and "TaskGroup" in ast.unparse(item.context_expr)
    }
    held: set[ast.AST] = {n for n in ast.walk(tree) if starts_task(n) and ast.unparse(n.func.value) in groups}
    for function in functions(tree):
        awaited = {ast.unparse(n.value) for n in ast.walk(function) if isinstance(n, ast.Await)}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and starts_task(node.value):
                target = node.targets[0]
                if isinstance(target, ast.Attribute) or ast.unparse(target) in awaited:
                    held.add(node.value)
    return held


def bare_ignores(sources) -> list[str]:
    """Return each silenced warning that does not say why, or silences all of them."""
    directive = re.compile(r"#\s*(noqa|type:\s*ignore)(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[\w, -]+\])?(.*)")
    found = []
    for source in sources:
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
            match = directive.match(token.string) if token.type == tokenize.COMMENT else None
            if match and not (match.group(2) and re.match(r"\s*(#|-)\s*\w+", match.group(4))):
                found.append(
                    f"{source.path}:{token.start[0]}: {token.string!r} needs a code and a reason: "
                    "`# noqa: E501  # why`"
                )
    return found


def broken_exports(sources) -> list[str]:
    """Return names in ``__all__`` that are missing or undocumented."""
    found = []
    for source in sources:
        definitions = documented_names(source)
        for line, name in exported(source.tree):
            if name not in definitions:
                found.append(f"{source.path}:{line}: __all__ names {name}, which is not here")
            elif not definitions[name]:
                found.append(f"{source.path}: {name} is public and has no docstring")
    return found


def exported(tree: ast.Module) -> list[tuple[int, str]]:
    """Return (line, name) of each entry of ``__all__``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            assert isinstance(node.value, ast.List | ast.Tuple), "__all__ is a plain list"
            return [(e.lineno, e.value) for e in node.value.elts if isinstance(e, ast.Constant)]
    return []


def documented_names(source) -> dict[str, bool]:
    """
    Return each name of a module with whether it is documented.

    A number that was chosen and the name of a type are by a docstring below, or a
    comment above or beside; other constants and `routes` may speak for themselves.
    Imported names are documented where they come from.
    """
    names: dict[str, bool] = {}
    lines = source.text.splitlines()
    statements = [s for n in source.tree.body for s in (n.body if isinstance(n, ast.If) else [n])]
    for node, following in zip(statements, [*statements[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names[node.name] = bool(ast.get_docstring(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name: True for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            explained = (
                (isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant))
                or lines[node.lineno - 2].startswith("#")
                or "  # " in lines[node.lineno - 1]
            )
            chosen = isinstance(node.value, ast.Constant) and isinstance(node.value.value, int | float)
            for name in (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)):
                is_plain = (name.isupper() or name == "routes") and not chosen
                names[name] = names.get(name, False) or explained or is_plain
    return names


def test_no_file_and_no_function_has_got_away(sources):
    """Every codebase has one file that grew out of hand; not this one."""
    assert not (found := oversized(sources)), "\n".join(found)


def test_names_say_what_a_module_does(all_sources):
    """No utils, helpers, common or manager."""
    assert not (found := empty_names(all_sources)), "\n".join(found)


def test_every_folder_says_what_lives_there(sources):
    """The docstring of ``__init__`` is the architecture page."""
    assert not (found := undocumented_packages(sources)), "\n".join(found)


def test_the_pure_parts_read_no_clock_and_roll_no_dice(sources):
    """Time and chance are injected."""
    assert not (found := impure_calls(sources)), "\n".join(found)


def test_every_task_is_held_by_somebody(sources):
    """A task that nobody holds may vanish in the middle of its work."""
    assert not (found := loose_tasks(sources)), "\n".join(found)


def test_every_silenced_warning_says_why(all_sources):
    """``noqa`` and ``type: ignore`` carry a code and a reason."""
    assert not (found := bare_ignores(all_sources)), "\n".join(found)


def test_every_public_name_exists_and_is_documented(sources):
    """``__all__`` is a promise."""
    assert not (found := broken_exports(sources)), "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (oversized, "toolkit/app.py", "x = 1\n" * (LINES_OF_FILE_MAX + 1)),
        (oversized, "toolkit/app.py", "def f():\n" + "    x = 1\n" * LINES_OF_FUNCTION_MAX),
        (empty_names, "toolkit/web/utils.py", ""),
        (empty_names, "toolkit/common/time.py", ""),
        (undocumented_packages, "toolkit/web/__init__.py", "import os\n"),
        (undocumented_packages, "toolkit/web/api.py", ""),
        (impure_calls, "toolkit/connect/backoff.py", "import time\ntime.sleep(1)\n"),
        (impure_calls, "toolkit/connect/backoff.py", "from time import time as now\nnow()\n"),
        (impure_calls, "toolkit/show/question/quiz.py", "import random\nrandom.choice([1])\n"),
        (impure_calls, "toolkit/bus/memory.py", "from datetime import datetime\ndatetime.now()\n"),
        (
            impure_calls,
            "toolkit/bus/memory.py",
            "import asyncio as a\nasync def f():\n    await a.sleep(1)\n",
        ),
        (loose_tasks, "toolkit/web/api.py", "def f(loop):\n    loop.create_task(g())\n"),
        (loose_tasks, "toolkit/web/api.py", "def f(loop):\n    t = loop.create_task(g())\n"),
        (bare_ignores, "toolkit/app.py", "x = 1  # noqa\n"),
        (bare_ignores, "toolkit/app.py", "x = 1  # noqa: E501\n"),
        (bare_ignores, "toolkit/app.py", "x = 1  # type: ignore[misc]\n"),
        (broken_exports, "toolkit/app.py", '__all__ = ["missing"]\n'),
        (broken_exports, "toolkit/app.py", '__all__ = ["f"]\ndef f(): ...\n'),
        (broken_exports, "toolkit/app.py", '__all__ = ["X"]\nX = 1\n'),
    ],
)
def test_a_broken_rule_is_noticed(planted, rule, path, text):
    """Each rule finds what is planted for it, and names the file."""
    found = rule(planted({path: text}))
    assert len(found) == 1
    assert path.rsplit("/", 1)[0] in found[0]


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (impure_calls, "toolkit/connect/backoff.py", "from random import Random\nrng = Random(7)\n"),
        (impure_calls, "toolkit/capture/recorder.py", "import time\ntime.time()\n"),
        (loose_tasks, "toolkit/cli.py",
         "async def f():\n    async with TaskGroup() as group:\n        group.create_task(g())\n"),
        (loose_tasks, "toolkit/web/hub.py", "def f(self, loop):\n    self.t = loop.create_task(g())\n"),
        (bare_ignores, "toolkit/app.py", "x = 1  # noqa: E501  # an address\n"),
        (bare_ignores, "toolkit/app.py", 'x = "# noqa"\n'),
        (broken_exports, "toolkit/app.py", '__all__ = ["X"]\nX = 1\n"""What it is."""\n'),
        (broken_exports, "toolkit/app.py", '__all__ = ["X", "Y"]\n# Two things.\nX, Y = 1, 2\n'),
    ],
)  # fmt: skip
def test_what_is_allowed_is_left_alone(planted, rule, path, text):
    """The rules do not cry wolf."""
    assert rule(planted({path: text})) == []
