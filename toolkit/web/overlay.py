"""``/overlay``: the page for OBS, and its two files. Static, strict, never from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from tornado.web import HTTPError

from toolkit.web.handler import SurfaceHandler

__all__ = ["routes"]

_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "overlay.css": "text/css; charset=utf-8",
    "overlay.js": "text/javascript; charset=utf-8",
}
"""Every file there is: a name that is not here does not exist, whatever the folder holds."""


def _overlay_folder() -> Path:
    package = Path(__file__).parent.parent
    installed = package / "_overlay"
    return installed if installed.is_dir() else package.parent / "overlay"


@cache
def _read(name: str, changed_ns: int) -> tuple[bytes, str]:
    """Return a file and its ETag, read again when it changed."""
    content = (_overlay_folder() / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


class _FileHandler(SurfaceHandler):
    _etag: str | None = None

    def compute_etag(self) -> str | None:
        """Return the file's own tag: a reload of the page transfers nothing."""
        return self._etag

    def send(self, name: str) -> None:
        """Answer with one of the overlay's files."""
        if name not in _TYPES:
            raise HTTPError(404)
        content, self._etag = _read(name, (_overlay_folder() / name).stat().st_mtime_ns)
        self.set_header("Content-Type", _TYPES[name])
        self.set_header("Cache-Control", "no-cache")
        self.finish(content)


class OverlayHandler(_FileHandler):
    """GET: the page. Its query options are read by the page itself."""

    def get(self) -> None:
        # The guard has checked the name; 'self' alone does not cover ws: everywhere.
        host = self.request.host
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
        )
        self.send("index.html")


class AssetHandler(_FileHandler):
    """GET: a file of the page."""

    def get(self, name: str) -> None:
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
]
