"""
Fetches viewers' pictures from TikTok's image hosts, and from nowhere else.

The address comes out of an event, so it is hostile text: it must be https, name a host
of the list, resolve to public addresses only (those very addresses are connected to, so
a name that changes its mind gains nothing), and answer without a redirect with a small
picture. Whatever is not that is no picture.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tornado.httpclient import HTTPRequest
from tornado.netutil import DefaultLoopResolver, Resolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from toolkit.show.look.faces import PICTURE_BYTES_MAX, Faces, type_of

__all__ = ["Pictures", "is_image_host", "is_public"]

log = logging.getLogger("toolkit.web.pictures")

IMAGE_HOSTS = ("tiktokcdn.com", "tiktokcdn-us.com", "tiktokcdn-eu.com", "ibyteimg.com", "muscdn.com")
"""Where TikTok keeps pictures: these and their subdomains."""
HTTPS_PORT = 443
CONNECT_S_MAX = 4.0
FETCH_S_MAX = 8.0
WAITING_MAX = 40
"""Fetches at once, waiting ones included. Beyond that a viewer has initials for now."""
FAILED_S = 600.0
"""So long a picture that could not be had is not asked for again."""
FAILED_MAX = 2_000


def is_image_host(url: SplitResult) -> bool:
    """Return whether an address is one of TikTok's pictures."""
    host = (url.hostname or "").lower()
    is_named = any(host == name or host.endswith(f".{name}") for name in IMAGE_HOSTS)
    is_plain = url.username is None and url.password is None and url.port in (None, HTTPS_PORT)
    return url.scheme == "https" and is_named and is_plain


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the internet, and to nobody's own network."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


class _CheckedResolver(Resolver):
    """Resolves names, and refuses those that lead to where they must not."""

    def initialize(self, may_connect: Callable[[str], bool]) -> None:
        self._may_connect = may_connect
        self._resolver = DefaultLoopResolver()

    async def resolve(self, host: str, port: int, family: Any = 0) -> list[tuple[int, Any]]:
        found: list[tuple[int, Any]] = await self._resolver.resolve(host, port, family)
        if not found or not all(self._may_connect(address[0]) for _, address in found):
            raise OSError("the host leads to a private address")
        return found


class Pictures:
    """Viewers' pictures: kept ones, or fetched. Create and use it in the server's loop."""

    def __init__(
        self,
        faces: Faces,
        *,
        may_ask: Callable[[SplitResult], bool] = is_image_host,
        may_connect: Callable[[str], bool] = is_public,
    ) -> None:
        """
        Prepare; asks nobody.

        Args:
            faces: Addresses, and pictures that are there already.
            may_ask: Which addresses may be fetched.
            may_connect: Which IP addresses may be connected to.
        """
        self._faces = faces
        self._may_ask = may_ask
        self._resolver = _CheckedResolver(may_connect=may_connect)
        self._client: SimpleAsyncHTTPClient | None = None
        self._hosts: dict[str, asyncio.Lock] = {}
        self._waiting = 0
        self._failed: OrderedDict[int, float] = OrderedDict()

    async def of(self, user_id: int) -> bytes | None:
        """Return a viewer's picture; None where there is none, or none now."""
        loop = asyncio.get_running_loop()
        if (picture := await loop.run_in_executor(None, self._faces.kept, user_id)) is not None:
            return picture
        url = self._address_of(user_id)
        if url is None or self._has_failed(user_id) or self._waiting >= WAITING_MAX:
            return None
        async with self._turn_at(url.netloc):
            # Another page may have asked for it meanwhile.
            picture = await loop.run_in_executor(None, self._faces.kept, user_id)
            if picture is None and not self._has_failed(user_id):
                picture = await self._fetch(url.geturl())
                if picture is None:
                    self._note_failure(user_id)
                else:
                    await loop.run_in_executor(None, self._faces.keep, user_id, picture)
        return picture

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()

    def _address_of(self, user_id: int) -> SplitResult | None:
        try:
            url = urlsplit(self._faces.address_of(user_id) or "")
            return url if self._may_ask(url) else None
        except ValueError:
            return None

    @asynccontextmanager
    async def _turn_at(self, host: str) -> AsyncIterator[None]:
        """Wait for a host's turn: it gets one request of ours at a time."""
        lock = self._hosts.setdefault(host, asyncio.Lock())
        self._waiting += 1
        try:
            async with lock:
                yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._hosts.clear()

    async def _fetch(self, address: str) -> bytes | None:
        if self._client is None:
            self._client = SimpleAsyncHTTPClient(
                force_instance=True, resolver=self._resolver, max_body_size=PICTURE_BYTES_MAX,
                max_header_size=16 * 1024, max_clients=WAITING_MAX,
            )  # fmt: skip
        request = HTTPRequest(
            address, connect_timeout=CONNECT_S_MAX, request_timeout=FETCH_S_MAX, follow_redirects=False,
            decompress_response=False, headers={"Accept": "image/webp,image/jpeg,image/png"},
        )  # fmt: skip
        try:
            picture = (await self._client.fetch(request)).body
        except Exception as error:
            # The other end may do anything; a viewer without a picture has initials.
            log.debug("no picture: %s", type(error).__name__)
            return None
        return picture if type_of(picture) is not None else None

    def _has_failed(self, user_id: int) -> bool:
        return asyncio.get_running_loop().time() - self._failed.get(user_id, -FAILED_S) < FAILED_S

    def _note_failure(self, user_id: int) -> None:
        self._failed[user_id] = asyncio.get_running_loop().time()
        self._failed.move_to_end(user_id)
        while len(self._failed) > FAILED_MAX:
            self._failed.popitem(last=False)
