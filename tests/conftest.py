"""
What every test may use, and how several lanes of tests share a machine.

What belongs to one part lives beside its tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from toolkit.load.browsers import find_chromium

try:
    import fcntl
except ImportError:  # Windows: there the lanes do not wait for one another
    fcntl = None  # type: ignore[assignment]  # asked for where it is used

CHROMIUM_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
"""Runs as root, without a graphics card, and asks nobody outside for anything."""
ROOM = Path(__file__)
DOOR = ROOM.parent
"""Held while one waits for the room: who wants it alone is not overtaken by others for ever."""
FIRST_MARKS = ("alone", "slow", "browser")

# How long an example takes tells how busy the machine is. `timeout` in pyproject.toml stays.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first: at the end no lane is idle for long."""
    marks: dict[Path, set[str]] = {}
    for item in items:
        marks.setdefault(item.path, set()).update(mark.name for mark in item.iter_markers())
    items.sort(key=lambda item: [name not in marks[item.path] for name in FIRST_MARKS])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let a test marked `alone` wait until the other lanes pause; its timeout begins afterwards."""
    if fcntl is None or not hasattr(item.config, "workerinput"):
        return (yield)
    with (
        _locked(DOOR, is_alone=True) as leave_door,
        _locked(ROOM, is_alone=item.get_closest_marker("alone") is not None),
    ):
        leave_door()
        return (yield)


@contextmanager
def _locked(path: Path, *, is_alone: bool) -> Iterator[Any]:
    """Hold a lock on a file or folder, with others unless alone; yields what gives it up early."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        # Given up by name: a process that a test has forked may still have it open.
        yield lambda: fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Return the folder of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the path of a Chromium; `run.py test` has found or installed it."""
    path = find_chromium()
    if path is None:
        pytest.fail("no Chromium: `python3 run.py test` installs one where it can")
    return path


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Any]:
    """
    Return a real Chromium, one per module.

    Not one per session: while it runs, this thread has a running loop, and the
    tests of other modules start loops of their own.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_FLAGS.split())
        yield browser
        browser.close()
