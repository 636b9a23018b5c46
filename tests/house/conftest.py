"""The project's own source as data: what the house rules are checked on."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root of the project, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """The name under which it is imported, such as ``toolkit.wire.decode``."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def imports(self) -> Iterator[tuple[int, str, str]]:
        """
        Yield (line, module, name) of each import that runs, late ones in functions included.

        ``name`` is empty for ``import module``. What stands under ``if TYPE_CHECKING``
        is left out: it ties no code to other code, only a name to a signature.
        """
        yield from _imports(self.tree, self.module, is_package=self.path.endswith("__init__.py"))


def _imports(node: ast.AST, module: str, *, is_package: bool) -> Iterator[tuple[int, str, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name, "") for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            origin = child.module or ""
            if child.level:
                here = module.split(".")
                above = here[: len(here) - child.level + (1 if is_package else 0)]
                origin = ".".join([*above, *([origin] if origin else [])])
            yield from ((child.lineno, origin, alias.name) for alias in child.names)
        else:
            yield from _imports(child, module, is_package=is_package)


@pytest.fixture(scope="session")
def sources(project_root: Path) -> list[Source]:
    """Return every Python file of the package."""
    files = sorted((project_root / "toolkit").rglob("*.py"))
    return [Source(f.relative_to(project_root).as_posix(), f.read_text("utf-8")) for f in files]


@pytest.fixture(scope="session")
def all_sources(project_root: Path, project_files: list[Path]) -> list[Source]:
    """Return every Python file of the project, tests included."""
    files = [f for f in project_files if f.suffix == ".py"]
    return [Source(f.relative_to(project_root).as_posix(), f.read_text("utf-8")) for f in files]


@pytest.fixture(scope="session")
def project_files(project_root: Path) -> list[Path]:
    """Return every file that git knows or would take up."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=project_root, capture_output=True, check=True).stdout
    paths = [project_root / name for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.fixture
def planted() -> Callable[..., list[Source]]:
    """Return a function that makes sources out of path and text, to plant a violation."""
    return lambda files: [Source(path, text) for path, text in files.items()]
