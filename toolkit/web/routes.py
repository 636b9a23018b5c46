"""All routes, in order. Patterns are relative to the server's prefix."""

from __future__ import annotations

from typing import Any

from toolkit.web import api, avatar, health, overlay, presets, screens, show, socket

__all__ = ["ROUTES"]

ROUTES: list[tuple[str, Any]] = [
    *overlay.routes,
    *presets.routes,
    *screens.routes,
    *avatar.routes,
    *socket.routes,
    *health.routes,
    *show.routes,
    *api.routes,
]
