"""``/api/show``: what is on screen, and what the operator asks of it. JSON in and out."""

from __future__ import annotations

from typing import Any

from toolkit.web.handler import SurfaceHandler

__all__ = ["routes"]


class ShowHandler(SurfaceHandler):
    """
    The show.

    GET: the state of every part by its name. POST ``{"action", ...}``: what
    :meth:`toolkit.show.conductor.Conductor.command` takes; answers with the state of the
    part that took it.
    """

    def get(self) -> None:
        self.answer(self.surface.backend.show.state())

    async def post(self) -> None:
        self.answer(await self.surface.in_worker(self.surface.backend.show.command, self.body()))


routes: list[tuple[str, Any]] = [(r"/api/show", ShowHandler)]
