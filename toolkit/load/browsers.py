"""
Real Chromium pages of the overlay, each a browser of its own.

No driver: the page itself tells over its socket when each notice was on screen
(``/overlay?ack=1``), on the wall clock that all processes here share. A browser
of its own for each, because a page in the background gets no frames.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from toolkit.errors import ServerError

__all__ = ["Browser", "find_chromium"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
_FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-quic",
    "--no-proxy-server",
    "--window-size=1080,1920",
    # Without it a headless browser ends when its page has loaded.
    "--remote-debugging-port=0",
)
_END_WITHIN_S = 10.0
_REMOVAL_TRIES = 10


def find_chromium() -> str | None:
    """Return the path of a Chromium or a browser made of it; ``CHROMIUM`` names one, and no other."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return found or next((path for path in _PATHS if Path(path).is_file()), None)


class Browser:
    """
    One browser with one page, as a context manager.

    Attributes:
        pid: The browser's process; its helpers are its children.
    """

    def __init__(self, executable: str, url: str) -> None:
        self.pid = 0
        self._command = [executable, *_FLAGS]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # Chromium refuses to sandbox what root starts; this page is our own.
            self._command.append("--no-sandbox")
        self._url = url
        self._process: subprocess.Popen[bytes] | None = None
        self._exits = ExitStack()

    def __enter__(self) -> Browser:
        """Start it."""
        profile = tempfile.mkdtemp(prefix="toolkit-browser-")
        self._exits.callback(_remove, profile)
        try:
            self._process = subprocess.Popen(
                [*self._command, f"--user-data-dir={profile}", self._url],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            self._exits.close()
            raise ServerError(
                f"{self._command[0]} cannot be started: {error.strerror}.",
                hint="Name a Chromium in the environment variable CHROMIUM, or use --browsers 0.",
            ) from error
        self.pid = self._process.pid
        return self

    @property
    def is_running(self) -> bool:
        """Whether it is still there."""
        return self._process is not None and self._process.poll() is None

    def __exit__(self, *exc_info: object) -> None:
        """End it, and forget its profile."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_END_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            # Its helpers write into the profile until they have noticed.
            with suppress(ProcessLookupError, PermissionError, AttributeError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._exits.close()


def _remove(folder: str) -> None:
    """Remove a profile; a helper that is just dying may write into it once more."""
    for _ in range(_REMOVAL_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists():
            return
        time.sleep(0.1)
