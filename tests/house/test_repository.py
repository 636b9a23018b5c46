"""What must not stand in any file of the project, and lock files that can be trusted."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

LOCKS = ("requirements-build.lock", "requirements.lock", "requirements-test.lock", "requirements-dev.lock")
LOCK_OF_EXTRA = {"": "requirements.lock", "test": "requirements-test.lock", "dev": "requirements-dev.lock"}
PLATFORMS = ("linux", "darwin", "win32")
PYTHONS = ("3.11", "3.12", "3.13")

# Spelled in two halves, or this file would be its own first finding.
REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npm" + "js",
    "deb.deb" + "ian.org",
    "crates" + ".io",
)
HOMES = re.compile(
    r"(?<![\w.])/(?:ho" + r"me|Us" + r"ers)/\w+|(?<![\w.])/ro" + r"ot/[.\w]+|\b[A-Z]:\\Us" + r"ers\\\w+"
)


def banned_text(name: str, text: str) -> list[str]:
    """Return a sentence for each registry and each home folder that a file names."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        found += [f"{name}:{number}: names the registry {host}" for host in REGISTRIES if host in line]
        found += [f"{name}:{number}: names a home folder: {home}" for home in HOMES.findall(line)]
    return found


def pins(text: str) -> dict[str, tuple[Requirement, list[str]]]:
    """Return each package of a lock file with its pin and its hashes."""
    found = {}
    for block in re.split(r"\n(?=\S)", text):
        if block.startswith("#") or not block.strip():
            continue
        requirement = Requirement(block.split("\\\n")[0].strip())
        hashes = re.findall(r"--hash=(sha256:[0-9a-f]{64})(?:\s|$)", block)
        assert canonicalize_name(requirement.name) not in found, f"{requirement.name} is pinned twice"
        found[canonicalize_name(requirement.name)] = requirement, hashes
    return found


def out_of_bounds(wanted: list[str], text: str) -> list[str]:
    """Return a sentence for each requirement that a lock does not meet."""
    locked, found = pins(text), []
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        if name not in locked:
            found.append(f"{name} is not in the lock")
            continue
        (pin,) = locked[name][0].specifier
        if pin.operator != "==" or not requirement.specifier.contains(Version(pin.version)):
            found.append(f"{name} is locked at {pin}, pyproject.toml asks for {requirement.specifier}")
    return found


def direct_requirements(root: Path, extra: str) -> list[str]:
    """Return what pyproject.toml asks for, with an extra or without."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = list(project["dependencies"])
    for requirement in project["optional-dependencies"].get(extra, []):
        if requirement.startswith(project["name"] + "["):
            wanted += direct_requirements(root, Requirement(requirement).extras.pop())
        else:
            wanted.append(requirement)
    return wanted


def test_no_file_names_a_registry_or_somebodys_home(project_root, project_files):
    """Where packages come from is a setting of the machine; where the project lies, too."""
    found = []
    for path in project_files:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += banned_text(path.relative_to(project_root).as_posix(), text)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line", [f"see {REGISTRIES[0]}/simple", "open('/ho" + "me/ann/x')", "cd /ro" + "ot/.cache"]
)
def test_a_registry_or_a_home_is_found(line):
    """The scan finds what is planted."""
    assert len(banned_text("a.txt", line)) == 1


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_address(project_root, name):
    """Pip may take the bytes from anywhere: it checks them."""
    text = (project_root / name).read_text("utf-8")
    assert "://" not in text and "--index-url" not in text and "--find-links" not in text
    assert all(hashes for _, hashes in pins(text).values())


@pytest.mark.parametrize(("extra", "name"), LOCK_OF_EXTRA.items())
def test_a_lock_holds_what_pyproject_asks_for(project_root, extra, name):
    """Every direct dependency is pinned, within its bounds: else run `run.py lock`."""
    wanted = direct_requirements(project_root, extra)
    found = out_of_bounds(wanted, (project_root / name).read_text("utf-8"))
    assert not found, "\n".join([*found, "`python3 run.py lock` makes the locks again"])


def test_the_build_backend_is_locked(project_root):
    """The project itself is built without asking an index."""
    build = tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    assert not out_of_bounds(build, (project_root / "requirements-build.lock").read_text("utf-8"))


def test_the_locks_agree(project_root):
    """The tests run on the versions that users get."""
    seen: dict[str, str] = {}
    for name in LOCKS:
        for package, (requirement, _) in pins((project_root / name).read_text("utf-8")).items():
            assert seen.setdefault(package, str(requirement.specifier)) == str(requirement.specifier), package


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_each_direct_dependency_is_installed_on_every_platform(project_root, platform, python):
    """No marker in the lock leaves out what the program imports."""
    locked = pins((project_root / "requirements.lock").read_text("utf-8"))
    there = {"sys_platform": platform, "python_version": python, "python_full_version": python + ".0"}
    for wanted in map(Requirement, direct_requirements(project_root, "")):
        marker = locked[canonicalize_name(wanted.name)][0].marker
        assert marker is None or marker.evaluate(there), wanted.name


def test_a_lock_that_lags_behind_is_found():
    """A pin out of bounds and a missing one are both named."""
    lock = "a==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
    assert len(out_of_bounds(["a>=2", "b"], lock)) == 2
    assert out_of_bounds(["A>=1,<2"], lock) == []
