"""
HTTP of one connection attempt: what we see and forbid below TikTokLive.

httpx follows no redirect unless told to, and nobody tells it: a key or a cookie
goes to the host that the settings name and to no other.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx

from toolkit.clock import Clock
from toolkit.connect.rate_limit import DEFAULT_S, named_wait_s
from toolkit.errors import FrameError, SignerRefused
from toolkit.wire.inflate import FRAME_BYTES_MAX

__all__ = ["MovedTransport", "SignatureTransport"]

_BODY_HEADERS = frozenset({"content-length", "content-encoding", "transfer-encoding"})


class SignatureTransport(httpx.AsyncHTTPTransport):
    """Lets us see the signing service's answer before TikTokLive parses it."""

    def __init__(self, host: str, clock: Clock, take: Callable[[bytes], bytes]) -> None:
        """
        Prepare; certificates are verified.

        Args:
            host: The only one that is asked: the key is in each request's headers.
            clock: Wall time, for headers that name a date.
            take: Called with a signature's bytes; returns what TikTokLive may parse.
        """
        super().__init__()
        self._host = host
        self._clock = clock
        self._take = take

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, and pass on what is safe to parse."""
        if request.url.host != self._host:
            raise FrameError("host", "it would be asked at another address than the settings name")
        response = await super().handle_async_request(request)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            # TikTokLive takes the remaining quota for the time to wait, and
            # raises a TypeError where the header is missing.
            wait_s = named_wait_s(response.headers, self._clock.now_us()) or DEFAULT_S
            await response.aclose()
            message = "The signing service's rate limit is reached."
            raise SignerRefused(message, retry_after_s=wait_s)
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > FRAME_BYTES_MAX:
                await response.aclose()
                raise FrameError("oversize", "the signing service's answer does not end")
        await response.aclose()
        if response.status_code == httpx.codes.OK and body and request.url.path.endswith("/webcast/fetch"):
            body = self._take(body)
        headers = [(k, v) for k, v in response.headers.multi_items() if k not in _BODY_HEADERS]
        return httpx.Response(response.status_code, headers=headers, content=body)


class MovedTransport(httpx.AsyncHTTPTransport):
    """Sends requests for TikTok's addresses to other ones, for this client only."""

    def __init__(self, moved: dict[str, str]) -> None:
        super().__init__()
        self._moved = moved

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Rewrite the address, then ask."""
        url = str(request.url)
        for source, target in self._moved.items():
            if url.startswith(source):
                request.url = httpx.URL(target + url[len(source) :])
                request.headers["Host"] = request.url.netloc.decode()
                break
        return await super().handle_async_request(request)
