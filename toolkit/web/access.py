"""
Who may ask anything at all. One place, in front of every route of the server.

Plain ``panel serve`` listens on every interface, and any web page in the operator's
browser can send requests to this machine. So a request is answered only when

- its peer is this machine (loopback), and it did not come through a proxy,
- it names us as this machine does (a rebound name reaches us as another host), and
- when it changes something or opens a socket, it comes from our own page or from
  an origin that the settings name.

The guard is the application's first rule: what it lets through meets the other
rules as if it were not there, what it refuses meets nothing else. So it covers
Bokeh's own routes and sockets as well as ours, unknown paths included.
"""

from __future__ import annotations

import ipaddress
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.routing import Matcher, Rule
from tornado.web import Application, OutputTransform, RequestHandler, stream_request_body

__all__ = ["Policy", "Refusal", "Request", "guard", "judge", "request_of"]

log = logging.getLogger("toolkit.web.access")

BODY_BYTES_MAX = 1024 * 1024
"""Largest request body. Ours are a line of JSON; a login form is a few hundred bytes."""
_LOCAL_NAMES = frozenset({"localhost"})
_ANY_ADDRESS = frozenset({"", "0.0.0.0", "::", "*"})
_FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_LOG_EVERY_S = 10.0
_GUARDED = "toolkit_guarded"


@dataclass(frozen=True, slots=True)
class Policy:
    """
    What is allowed beyond this machine's own names.

    Attributes:
        hosts: Further host names this server answers to, such as ``--address``.
        origins: Origins that may change things and open sockets, such as
            ``https://example.org``: WEBSOCKET_CORS_ORIGIN.
    """

    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, address: str | None = None, origins: Iterable[str] = ()) -> Policy:
        """Return the policy for a server bound to ``address`` (None: every interface)."""
        hosts = set() if (address or "") in _ANY_ADDRESS else {str(address).strip("[]").lower()}
        return cls(frozenset(hosts), frozenset(origin.rstrip("/").lower() for origin in origins))


@dataclass(frozen=True, slots=True)
class Request:
    """
    What a request tells about where it comes from.

    Attributes:
        peer: Address of the socket's other end; empty for none (a Unix socket).
        host: The Host header; None when missing or given twice.
        origin: The Origin header, if any.
        is_change: It changes something: any method but GET and HEAD.
        is_socket: It asks for a WebSocket.
        is_forwarded: A proxy passed it on.
        is_embedded: Another site's page asks for it as a part of itself.
        body_bytes: Announced size of the body; None when it is not announced.
    """

    peer: str
    host: str | None
    origin: str | None = None
    is_change: bool = False
    is_socket: bool = False
    is_forwarded: bool = False
    is_embedded: bool = False
    body_bytes: int | None = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request gets no answer: the HTTP status, a sentence, and what to do."""

    status: int
    error: str
    hint: str


_ELSEWHERE = Refusal(
    403,
    "This server answers only to the machine it runs on.",
    "Open it there as http://localhost, or bring it here with `ssh -L 5006:localhost:5006 THAT-MACHINE`.",
)
_PROXIED = Refusal(
    403,
    "This request came through a proxy, so nobody knows who sent it.",
    "Open the server directly, on the machine it runs on, as http://localhost.",
)
_OTHER_NAME = Refusal(
    421,
    "This server does not answer to that host name.",
    "Open it as http://localhost, or start it with `--address NAME`.",
)
_OTHER_SITE = Refusal(
    403,
    "Another website tried to use this server.",
    "If you trust that site, name its origin in WEBSOCKET_CORS_ORIGIN and restart.",
)
_TOO_LARGE = Refusal(413, "The request's body is too large.", f"At most {BODY_BYTES_MAX} bytes, announced.")


def judge(request: Request, policy: Policy) -> Refusal | None:
    """Return why ``request`` is refused; None to let it through."""
    if not _is_loopback(request.peer):
        return _ELSEWHERE
    if request.is_forwarded:
        return _PROXIED
    if not _is_our_name(request.host, policy):
        return _OTHER_NAME
    is_guarded = request.is_change or request.is_socket
    if is_guarded and request.origin is not None and not _is_our_page(request, policy):
        return _OTHER_SITE
    if request.is_embedded and not is_guarded and not _is_our_page(request, policy):
        return _OTHER_SITE
    if request.body_bytes is None or request.body_bytes > BODY_BYTES_MAX:
        return _TOO_LARGE
    return None


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped.is_loopback
    return ip.is_loopback


def _is_our_name(host: str | None, policy: Policy) -> bool:
    name = _hostname(host or "")
    # A literal loopback address cannot be rebound: there is no name to rebind.
    return bool(name) and (name in _LOCAL_NAMES or name in policy.hosts or _is_loopback(name))


def _hostname(netloc: str) -> str:
    try:
        parts = urlsplit(f"//{netloc}")
        _ = parts.port  # raises when it is not a number
    except ValueError:
        return ""
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return ""
    return parts.hostname or ""


def _is_our_page(request: Request, policy: Policy) -> bool:
    """Return whether the origin is the very address asked, port included: another port is another program."""
    origin = (request.origin or "").lower()
    if origin in policy.origins:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc == (request.host or "").lower()


def request_of(request: HTTPServerRequest) -> Request:
    """Return what Tornado's request tells about where it comes from."""
    headers = request.headers
    hosts = headers.get_list("Host")
    return Request(
        peer=_peer(request),
        host=hosts[0] if len(hosts) == 1 else None,
        origin=headers.get("Origin"),
        is_change=request.method not in _SAFE_METHODS,
        is_socket=headers.get("Upgrade", "").lower() == "websocket",
        is_forwarded=any(name in headers for name in _FORWARDING),
        is_embedded=headers.get("Sec-Fetch-Site") == "cross-site"
        and headers.get("Sec-Fetch-Mode") != "navigate",
        body_bytes=_body_bytes(headers),
    )


def _peer(request: HTTPServerRequest) -> str:
    # Not request.remote_ip: with --use-xheaders a header can set it.
    address = getattr(getattr(request.connection, "context", None), "address", None)
    return str(address[0]) if isinstance(address, tuple) and address else ""


def _body_bytes(headers: HTTPHeaders) -> int | None:
    if "Transfer-Encoding" in headers:
        return None
    length = headers.get("Content-Length", "0")
    return int(length) if length.isascii() and length.isdigit() else None


def guard(application: Application, policy: Policy) -> None:
    """Put the guard in front of every route of ``application``. Repeated calls do nothing."""
    if application.settings.get(_GUARDED):
        return
    application.settings[_GUARDED] = True
    application.default_router.rules.insert(0, Rule(_Refused(policy), _RefusalHandler, {"policy": policy}))
    application.transforms.append(_CarefulHeaders)


class _Refused(Matcher):
    """Matches what must not be answered."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._logged_at = 0.0
        self._unlogged = 0

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        refusal = judge(request_of(request), self._policy)
        if refusal is None:
            return None
        self._log(refusal)
        return {}

    def _log(self, refusal: Refusal) -> None:
        now = IOLoop.current().time()
        if now - self._logged_at < _LOG_EVERY_S:
            self._unlogged += 1
            return
        log.warning("refused a request: %s", refusal.error, extra={"more_before": self._unlogged})
        self._logged_at, self._unlogged = now, 0


# Streaming, so that the answer goes out before the body is read.
@stream_request_body
class _RefusalHandler(RequestHandler):
    """Says why, to a person or to a program."""

    def initialize(self, policy: Policy) -> None:
        self._policy = policy

    def prepare(self) -> None:
        refusal = judge(request_of(self.request), self._policy)
        assert refusal is not None
        self.set_status(refusal.status)
        self.set_header("Cache-Control", "no-store")
        if "text/html" in self.request.headers.get("Accept", ""):
            self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
            self.set_header("Content-Type", "text/html; charset=utf-8")
            # Fixed sentences only: nothing of the request is repeated.
            self.finish(
                f'<!doctype html><html lang="en"><title>Refused</title>'
                f"<h1>{refusal.error}</h1><p>{refusal.hint}</p></html>"
            )
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps({"error": refusal.error, "hint": refusal.hint}))

    def data_received(self, chunk: bytes) -> None:
        """Drop the body: the connection closes after the answer."""

    def check_xsrf_cookie(self) -> None:
        """Skip: everything is refused anyway, with a better sentence."""


class _CarefulHeaders(OutputTransform):
    """Headers that no route of the server, Bokeh's included, is worse off with."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        for name, value in (
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Frame-Options", "SAMEORIGIN"),
        ):
            if name not in headers:
                headers[name] = value
        return status_code, headers, chunk
