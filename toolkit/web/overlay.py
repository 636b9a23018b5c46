"""
``/overlay``: the page for OBS, whole or one widget of it, and the builder of its address.

Static files, a strict policy, nothing from elsewhere. What is shown is decided by the
page: by its path, by the options of its address, by a preset.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from tornado.web import HTTPError

from toolkit.web.handler import SurfaceHandler

__all__ = ["ASSETS", "WIDGETS", "overlay_folder", "routes"]

WIDGETS = (
    "chat", "question", "quiz", "winner", "leaderboard", "goal", "poll", "alert", "viewers", "connection",
)  # fmt: skip
"""Each is a page of its own: ``/overlay/chat``."""

ASSETS = (
    "overlay.css", "cards.css", "themes.css", "builder.css",
    "overlay.js", "options.js", "state.js", "text.js", "people.js", "icons.js", "words.js", "motion.js",
    "socket.js", "painting.js", "screen.js", "chat.js", "show.js", "preset.js", "sound.js", "speech.js",
    "sheets.js", "demo.js", "builder.js",
    "widgets/question.js", "widgets/quiz.js", "widgets/winner.js", "widgets/leaderboard.js",
    "widgets/goal.js", "widgets/poll.js", "widgets/alert.js", "widgets/viewers.js",
    "themes/paper.css", "themes/neon.css", "themes/candy.css", "themes/clear.css", "themes/contrast.css",
    "themes/plain.css",
    "lang/en.json", "lang/fr.json", "lang/builder.en.json", "lang/builder.fr.json",
)  # fmt: skip
"""Every file there is: a name that is not here does not exist, whatever the folder holds."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
}
_FROM_ABOVE, _FROM_WITHIN = b'"overlay/assets/', b'"assets/'
"""How a page names its files: relative, so that it holds behind any prefix."""


def overlay_folder() -> Path:
    """Return the folder of the page's files, of a checkout or of an installed package."""
    package = Path(__file__).parent.parent
    installed = package / "_overlay"
    return installed if installed.is_dir() else package.parent / "overlay"


@cache
def _read(name: str, changed_ns: int) -> tuple[bytes, str]:
    """Return a file and its ETag, read again when it changed."""
    content = (overlay_folder() / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


class _FileHandler(SurfaceHandler):
    _etag: str | None = None

    def compute_etag(self) -> str | None:
        """Return the file's own tag: a reload of the page transfers nothing."""
        return self._etag

    def send(self, name: str, *, is_within: bool = False) -> None:
        """Answer with one of the overlay's files; ``is_within``: for an address below ``/overlay/``."""
        content, self._etag = _read(name, (overlay_folder() / name).stat().st_mtime_ns)
        if is_within:
            content = content.replace(_FROM_ABOVE, _FROM_WITHIN)
        self.set_header("Content-Type", _TYPES[Path(name).suffix])
        self.set_header("Cache-Control", "no-cache")
        self.finish(content)

    def send_page(self, name: str, *, is_within: bool) -> None:
        """Answer with one of the pages, under a policy that lets nothing of elsewhere in."""
        # The guard has checked the name; 'self' alone does not cover ws: everywhere.
        host = self.request.host
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; form-action 'none'; "
            "frame-src 'self'; frame-ancestors 'self'; "
            "require-trusted-types-for 'script'; trusted-types 'none'",
        )
        self.send(name, is_within=is_within)


class OverlayHandler(_FileHandler):
    """GET: the page. Its query options are read by the page itself."""

    def get(self) -> None:
        self.send_page("index.html", is_within=False)


class WidgetHandler(_FileHandler):
    """GET: one widget of the page, or the builder."""

    def get(self, name: str) -> None:
        if name != "builder" and name not in WIDGETS:
            raise HTTPError(404)
        self.send_page("builder.html" if name == "builder" else "index.html", is_within=True)


class AssetHandler(_FileHandler):
    """GET: a file of the page."""

    def get(self, name: str) -> None:
        if name not in ASSETS:
            raise HTTPError(404)
        self.send(name)


class SlashHandler(SurfaceHandler):
    """GET: to the page, with its options."""

    def get(self) -> None:
        # Relative, so that it holds behind any prefix.
        query = f"?{self.request.query}" if self.request.query else ""
        self.set_status(301)
        self.set_header("Location", f"../overlay{query}")
        self.finish()


routes = [
    (r"/overlay", OverlayHandler),
    (r"/overlay/", SlashHandler),
    (r"/overlay/assets/(.*)", AssetHandler),
    (r"/overlay/([^/]+)", WidgetHandler),
]
