"""``/api/overlay/presets``: options and styles of the overlay under a name, and a QR code of an address."""

from __future__ import annotations

import io
from typing import Any

import segno

from toolkit.web.handler import BadRequest, SurfaceHandler

__all__ = ["routes"]

ADDRESS_CHARS_MAX = 800
"""More makes a QR code that a phone cannot read off a screen."""


class PresetsHandler(SurfaceHandler):
    """GET: all presets, by name."""

    async def get(self) -> None:
        presets = await self.surface.in_worker(self.surface.backend.presets.all)
        self.answer({"presets": [preset.told() for preset in presets]})


class PresetHandler(SurfaceHandler):
    """GET, PUT ``{"options", "css"}``, DELETE: one preset."""

    SUPPORTED_METHODS = (*SurfaceHandler.SUPPORTED_METHODS, "PUT", "DELETE")

    async def get(self, name: str) -> None:
        preset = await self.surface.in_worker(self.surface.backend.presets.get, name)
        self.answer(preset.told())

    async def put(self, name: str) -> None:
        preset = await self.surface.in_worker(self.surface.backend.presets.put, name, self.body())
        self.answer(preset.told())

    async def delete(self, name: str) -> None:
        await self.surface.in_worker(self.surface.backend.presets.remove, name)
        self.answer({"removed": name})


class StylesHandler(SurfaceHandler):
    """GET: a preset's styles, from our own origin: the page's policy takes no others."""

    async def get(self, name: str) -> None:
        preset = await self.surface.in_worker(self.surface.backend.presets.get, name)
        self.set_header("Content-Type", "text/css; charset=utf-8")
        self.finish(preset.css)


class QrHandler(SurfaceHandler):
    """GET ``?text=``: a QR code as a picture, so that no address is given to anybody else's service."""

    def get(self) -> None:
        text = self.get_query_argument("text", "")
        if not 0 < len(text) <= ADDRESS_CHARS_MAX:
            raise BadRequest(f"text must have 1 to {ADDRESS_CHARS_MAX} characters.", hint="An address.")
        picture = io.BytesIO()
        segno.make(text, error="m", micro=False).save(picture, kind="svg", border=3, xmldecl=False)
        self.set_header("Content-Type", "image/svg+xml")
        self.finish(picture.getvalue())


routes: list[tuple[str, Any]] = [
    (r"/api/overlay/presets", PresetsHandler),
    (r"/api/overlay/presets/([^/]+)", PresetHandler),
    (r"/api/overlay/qr", QrHandler),
    (r"/overlay/presets/([a-z0-9-]+)\.css", StylesHandler),
]
