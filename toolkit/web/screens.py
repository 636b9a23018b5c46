"""``/api/overlay/screens``: which pages of the overlay are open, and whether OBS shows them."""

from __future__ import annotations

from typing import Any

from toolkit.web.handler import SurfaceHandler

__all__ = ["routes"]


class ScreensHandler(SurfaceHandler):
    """GET: every screen that told of itself, as :meth:`toolkit.web.hub.Hub.screens` returns them."""

    def get(self) -> None:
        self.answer({"screens": self.surface.hub.screens()})


routes: list[tuple[str, Any]] = [(r"/api/overlay/screens", ScreensHandler)]
