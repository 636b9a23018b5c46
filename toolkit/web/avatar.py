"""``/avatar/ID``: a viewer's picture, from our own origin: the overlay asks nobody else."""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError

from toolkit.show.look.faces import type_of
from toolkit.web.handler import SurfaceHandler

__all__ = ["routes"]

_ID_MAX = 2**63


class AvatarHandler(SurfaceHandler):
    """GET: the picture; nothing (204) where there is none, and the overlay shows initials."""

    async def get(self, user_id: str) -> None:
        is_id = user_id.isascii() and user_id.isdigit() and len(user_id) <= 20 and int(user_id) < _ID_MAX
        if not is_id:
            raise HTTPError(404)
        picture = await self.surface.pictures.of(int(user_id))
        kind = type_of(picture) if picture is not None else None
        if picture is None or kind is None:
            # Not an error: many have none, and a browser would complain of each.
            self.clear_header("Content-Type")
            self.set_status(204)
            return
        self.set_header("Content-Type", f"image/{kind}")
        self.set_header("Cache-Control", "private, max-age=3600")
        self.finish(picture)


routes: list[tuple[str, Any]] = [(r"/avatar/([^/]+)", AvatarHandler)]
