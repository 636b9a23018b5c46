"""What every route of ours does alike: access, headers, HEAD, errors as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any

from tornado.web import HTTPError, RequestHandler

from toolkit.errors import RecordingNotFound, ReplayError, SettingsError, ToolkitError, UserNotFound
from toolkit.show.look.presets import PresetNotFound
from toolkit.show.part import ShowError
from toolkit.web.access import judge, request_of
from toolkit.web.surface import Surface, surface_of

__all__ = ["BadRequest", "NotFoundHandler", "SurfaceHandler"]

log = logging.getLogger("toolkit.web")

_STATUS_OF: tuple[tuple[type[ToolkitError], int], ...] = (
    (PresetNotFound, HTTPStatus.NOT_FOUND),
    (RecordingNotFound, HTTPStatus.NOT_FOUND),
    (UserNotFound, HTTPStatus.NOT_FOUND),
    (SettingsError, HTTPStatus.BAD_REQUEST),
    (ReplayError, HTTPStatus.BAD_REQUEST),
    (ShowError, HTTPStatus.BAD_REQUEST),
    (ToolkitError, HTTPStatus.CONFLICT),
)


class BadRequest(ToolkitError):
    """The request itself is not what this route takes."""


class SurfaceHandler(RequestHandler):
    """Base of our routes."""

    SUPPORTED_METHODS: tuple[str, ...] = ("GET", "HEAD", "POST", "OPTIONS")

    @property
    def surface(self) -> Surface:
        """The process behind; set once :meth:`prepare` has passed."""
        surface = surface_of(self.application)
        assert surface is not None
        return surface

    def prepare(self) -> None:
        """Refuse what the guard would refuse, should a route ever be mounted without it."""
        surface = surface_of(self.application)
        if surface is None:
            self._refuse(503, "The server is starting.", "Try again in a second.")
            return
        refusal = judge(request_of(self.request), surface.policy)
        if refusal is not None:
            self._refuse(refusal.status, refusal.error, refusal.hint)
            return
        self._allow_origin(surface)

    def _refuse(self, status: int, error: str, hint: str) -> None:
        self.set_status(status)
        self.answer({"error": error, "hint": hint})

    def _allow_origin(self, surface: Surface) -> None:
        origin = self.request.headers.get("Origin", "").lower()
        if origin in surface.policy.origins:
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Allow-Headers", "Content-Type")
            self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.set_header("Vary", "Origin")

    def set_default_headers(self) -> None:
        """Set what every answer carries."""
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.set_header("Cache-Control", "no-store")

    def compute_etag(self) -> str | None:
        """Hash nothing: what we answer changes all the time."""
        return None

    def check_xsrf_cookie(self) -> None:
        """Skip Tornado's cookie: access is judged by Host, Origin and content type."""

    async def head(self, *args: str) -> None:
        """Answer like GET; Tornado leaves the body out."""
        result = self.get(*args)
        if isinstance(result, Awaitable):
            await result

    def options(self, *args: str) -> None:
        """Answer a browser that asks before it sends."""
        self.set_header("Allow", self._allowed())
        self.set_header("Access-Control-Allow-Methods", self._allowed())
        self.set_status(204)

    def answer(self, value: Any) -> None:
        """Finish with ``value`` as JSON."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":")))

    def body(self) -> dict[str, Any]:
        """
        Return the request's JSON object; empty if there is no body.

        Raises:
            BadRequest: It is something else.
        """
        if not self.request.body:
            return {}
        # A form of another site cannot send this type without asking first.
        if self.request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
            raise BadRequest("The body must be JSON.", hint="Send Content-Type: application/json.")
        try:
            value = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise BadRequest(
                "The body is not JSON.", hint='Send an object such as {"user": "name"}.'
            ) from None
        if not isinstance(value, dict):
            raise BadRequest("The body must be a JSON object.", hint='Such as {"user": "name"}.')
        return value

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error as JSON; the traceback stays in the log."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, ToolkitError):
            self.set_status(_status_of(error))
            self.answer({"error": str(error), "hint": error.hint})
            return
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", self._allowed())
        self.answer({"error": _sentence(status_code), "hint": _hint(status_code)})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log our faults with a traceback, what callers do wrong not at all."""
        if not isinstance(value, (ToolkitError, HTTPError)):
            log.error("a route failed: %s", self.request.path, exc_info=(typ, value, tb))

    def _allowed(self) -> str:
        own = [
            method
            for method in ("GET", "POST", "PUT", "DELETE")
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
        ]
        return ", ".join([*own, *(["HEAD"] if "GET" in own else []), "OPTIONS"])


class NotFoundHandler(SurfaceHandler):
    """Answers paths under our names that mean nothing, as JSON like the rest."""

    def prepare(self) -> None:
        """Answer 404, whatever the method."""
        super().prepare()
        if not self._finished:
            self.send_error(404)


def _status_of(error: ToolkitError) -> int:
    if isinstance(error, BadRequest):
        return HTTPStatus.BAD_REQUEST
    return next(status for kind, status in _STATUS_OF if isinstance(error, kind))


def _sentence(status_code: int) -> str:
    if status_code >= 500:
        return "The server made a mistake."
    return {404: "There is nothing here.", 405: "This route does not take that method."}.get(
        status_code, "The request was not understood."
    )


def _hint(status_code: int) -> str:
    return "The log has the details." if status_code >= 500 else ""
