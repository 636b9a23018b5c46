"""
One connection to TikTok: the only place that imports TikTokLive.

TikTokLive does what it is best at: find the room, have the request signed, shake
hands, enter the room, send heartbeats, acknowledge. What it does badly is routed
around with public knobs only:

* Its parser is slow and loses data, so we see every raw frame first
  (``ws_kwargs["create_protocol"]``) and hand it a stub to acknowledge.
* Its requests to the signing service have no timeout and do not verify TLS, so it
  gets an HTTP client of ours.
* It opens its WebSocket wherever the signing service says, cookies included, so
  the address is checked first.
* It raises out of its task without an event on most faults and never notices
  silence, so its task and the time since the last frame are watched here.

Source: facts measured with TikTokLive 7.0.1; each knob is named where it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx
from TikTokLive import TikTokLiveClient
from TikTokLive.client import errors as upstream
from TikTokLive.client.web.routes.fetch_is_live import MissingRoomIdInResponse
from TikTokLive.client.web.routes.fetch_room_id_live_html import FailedParseRoomIdError
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.legacy.client import WebSocketClientProtocol

from toolkit.capture.options import KEPT_METHODS, TIKTOK, SourceOptions
from toolkit.clock import Clock
from toolkit.connect.supervisor import Down
from toolkit.errors import FrameError, SignerRefused, ToolkitError
from toolkit.model.frame import FrameKind
from toolkit.model.recording import Cause
from toolkit.wire.encode import encode_fetch_stub
from toolkit.wire.inflate import FRAME_BYTES_MAX

__all__ = ["TikTokSource", "classify"]

RESOLVE_TIMEOUT_S = 45.0
"""Room lookup, alive check and signature together. Each request has its own limit too."""
REQUEST_TIMEOUT_S = 15.0
HANDSHAKE_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
RATE_LIMIT_DEFAULT_S = 30.0
"""Wait after a 429 that names no time."""
RATE_LIMIT_MAX_S = 3600.0
SILENCE_MAX_S = 45.0
"""Three of TikTok's announced heartbeats (15 s). Heartbeat replies count as frames,
so a quiet room is not a silent one."""


class TikTokSource:
    """
    Connects to one user's live. Use a new one for each attempt.

    All callbacks run in the loop that runs :meth:`listen`.
    """

    def __init__(self, options: SourceOptions, user: str, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._user = user
        self._first_frame: bytes | None = None
        self._last_frame_ns = clock.mono_ns()
        self._on_up: Callable[[int], None] | None = None
        self._on_frame: Callable[[FrameKind, bytes], bytes] | None = None
        self._client = self._build_client()

    async def listen(
        self, on_up: Callable[[int], None], on_frame: Callable[[FrameKind, bytes], bytes]
    ) -> Down:
        """
        Connect, and stay until the connection ends.

        Args:
            on_up: Called once with the room id, when the WebSocket stands.
            on_frame: Called with each frame before TikTokLive sees it; returns the
                bytes TikTokLive shall read instead. What it raises ends the connection.

        Returns:
            Why it ended or did not come up. Errors of the network and of TikTok are
            outcomes, not exceptions.
        """
        self._on_up, self._on_frame = on_up, on_frame
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                task = await self._client.start()
            return await self._watch(task)
        except SignerRefused as error:
            return Down(Cause.SIGNER, str(error), retry_after_s=error.retry_after_s)
        except FrameError as error:
            return Down(Cause.SIGNER, f"The signing service's answer cannot be used: {error}.")
        except ToolkitError:
            raise
        except Exception as error:
            return classify(error, self._user)
        finally:
            await self._close()

    async def _watch(self, task: asyncio.Task[None]) -> Down:
        """Wait for the end of TikTokLive's task, or for silence."""
        self._last_frame_ns = self._clock.mono_ns()
        try:
            while not task.done():
                silent_s = (self._clock.mono_ns() - self._last_frame_ns) / 1e9
                if silent_s >= SILENCE_MAX_S:
                    return Down(Cause.SILENCE, f"Nothing arrived for {silent_s:.0f} s.")
                await asyncio.wait({task}, timeout=SILENCE_MAX_S - silent_s)
            error = task.exception()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=CLOSE_TIMEOUT_S * 2)
        if isinstance(error, ToolkitError):
            raise error
        return classify(error, self._user) if error else Down(Cause.CLOSED, "TikTok closed the connection.")

    async def _close(self) -> None:
        # client.close() and client.disconnect() wait for a running loop or for an
        # open socket, forever; closing the two HTTP clients is all that is left.
        for close in (self._client.web.close, self._signer_http.aclose):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(close(), CLOSE_TIMEOUT_S)

    def _build_client(self) -> Any:
        options = self._options
        client = TikTokLiveClient(
            self._user,
            web_kwargs={
                "signer_kwargs": {"sign_api_base": options.sign_url},
                "httpx_kwargs": self._page_options(),
            },
            ws_kwargs={
                "create_protocol": self._protocol,
                "max_size": FRAME_BYTES_MAX,
                "open_timeout": HANDSHAKE_TIMEOUT_S,
                "close_timeout": CLOSE_TIMEOUT_S,
            },
        )
        key = options.sign_api_key
        self._signer_http = httpx.AsyncClient(
            base_url=options.sign_url,
            headers={"User-Agent": "tiktok-live-toolkit", **({"X-Api-Key": key} if key else {})},
            timeout=REQUEST_TIMEOUT_S,
            transport=_SignatureTransport(self._take_signature),
        )
        # The SDK's own client verifies no certificate and waits for ever.
        client.web.signer.sdk_client.set_async_httpx_client(self._signer_http)
        return client

    def _page_options(self) -> dict[str, Any]:
        routes = {
            TIKTOK.app_url: self._options.app_url,
            TIKTOK.webcast_url: self._options.webcast_url,
        }
        moved = {source: target for source, target in routes.items() if source != target}
        options: dict[str, Any] = {"timeout": REQUEST_TIMEOUT_S}
        if moved:
            options["transport"] = _MovedTransport(moved)
        return options

    def _take_signature(self, data: bytes) -> bytes:
        """Keep the signing service's answer as it came; return what TikTokLive may parse."""
        stub = encode_fetch_stub(data, KEPT_METHODS)
        # An empty address is TikTokLive's to report: it has an error for it.
        if stub.push_server and not self._options.allows_push_server(stub.push_server):
            raise FrameError("push_server", f"it names {stub.push_server[:80]!r} as TikTok's server")
        self._first_frame = data
        return stub.data

    def _protocol(self, *args: Any, **kwargs: Any) -> _TappedProtocol:
        protocol = _TappedProtocol(*args, **kwargs)
        protocol.on_frame = self._take_frame
        protocol.on_open = self._take_open
        return protocol

    def _take_open(self) -> None:
        assert self._on_up is not None
        assert self._on_frame is not None
        self._last_frame_ns = self._clock.mono_ns()
        self._on_up(int(self._client.room_id or 0))
        if self._first_frame is not None:
            self._on_frame(FrameKind.FETCH, self._first_frame)

    def _take_frame(self, data: bytes) -> bytes:
        assert self._on_frame is not None
        self._last_frame_ns = self._clock.mono_ns()
        return self._on_frame(FrameKind.PUSH, data)


class _TappedProtocol(WebSocketClientProtocol):  # type: ignore[misc]  # untyped upstream
    """A WebSocket whose frames pass through us before anybody else reads them."""

    on_open: Callable[[], None] | None = None
    on_frame: Callable[[bytes], bytes]

    async def recv(self) -> bytes:
        if self.on_open is not None:
            opened, self.on_open = self.on_open, None
            opened()
        data = await super().recv()
        return self.on_frame(data.encode() if isinstance(data, str) else data)


class _SignatureTransport(httpx.AsyncHTTPTransport):
    """Lets us see the signing service's answer before TikTokLive parses it."""

    def __init__(self, take: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._take = take

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            # TikTokLive takes the remaining quota for the time to wait, and
            # raises a TypeError where the header is missing.
            message = "The signing service's rate limit is reached."
            raise SignerRefused(message, retry_after_s=_retry_after_s(response))
        if response.status_code != httpx.codes.OK or not request.url.path.endswith("/webcast/fetch"):
            return response
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > FRAME_BYTES_MAX:
                raise FrameError("oversize", "the signing service's answer does not end")
        await response.aclose()
        headers = [(k, v) for k, v in response.headers.multi_items() if k not in _BODY_HEADERS]
        return httpx.Response(200, headers=headers, content=self._take(body) if body else b"")


_BODY_HEADERS = frozenset({"content-length", "content-encoding", "transfer-encoding"})


class _MovedTransport(httpx.AsyncHTTPTransport):
    """Sends requests for TikTok's addresses to other ones, for this client only."""

    def __init__(self, moved: dict[str, str]) -> None:
        super().__init__()
        self._moved = moved

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        for source, target in self._moved.items():
            if url.startswith(source):
                request.url = httpx.URL(target + url[len(source) :])
                request.headers["Host"] = request.url.netloc.decode()
                break
        return await super().handle_async_request(request)


def classify(error: BaseException, user: str) -> Down:
    """
    Tell what an exception of TikTokLive, of the network or of a server means.

    By type and by what the response says; never by the text of an exception.
    """
    match error:
        case upstream.UserOfflineError():
            return Down(Cause.OFFLINE, f"@{user} is not live.")
        case upstream.UserNotFoundError():
            return Down(Cause.UNKNOWN_USER, f"There is no TikTok user @{user} who goes live.")
        case upstream.WebcastBlockedError() | FailedParseRoomIdError() | json.JSONDecodeError():
            return Down(Cause.BLOCKED, "TikTok refused the connection or asks for a captcha.")
        case upstream.AgeRestrictedError():
            return Down(Cause.BLOCKED, "TikTok restricts this live by age.", hopeless=True)
        case upstream.SignAPIError():
            return _classify_signer(error)
        case MissingRoomIdInResponse():
            return Down(Cause.NETWORK, "TikTok did not say whether the live is running.")
        case ConnectionClosed():
            code = error.rcvd.code if error.rcvd else 1006
            cause = Cause.NETWORK if code == 1006 else Cause.CLOSED
            return Down(cause, f"The connection broke (code {code}).")
        case httpx.ConnectError() | socket.gaierror():
            return Down(Cause.NETWORK, "TikTok could not be reached.")
        case TimeoutError() | httpx.TimeoutException():
            return Down(Cause.NETWORK, "TikTok did not answer in time.")
        case httpx.HTTPError() | InvalidHandshake() | ssl.SSLError() | OSError():
            return Down(Cause.NETWORK, f"The connection failed ({type(error).__name__}).")
        case upstream.TikTokLiveError():
            return Down(Cause.CLOSED, f"TikTokLive gave up ({type(error).__name__}).")
    return Down(Cause.INTERNAL, f"An unexpected {type(error).__name__} ended the connection.")


def _classify_signer(error: Any) -> Down:
    response: httpx.Response | None = error.response
    if response is None:
        return Down(Cause.SIGNER, "The signing service could not be reached.")
    if response.status_code in (401, 403):
        return Down(Cause.SIGNER, "The signing service refused the API key.", hopeless=True)
    return Down(Cause.SIGNER, f"The signing service failed (status {response.status_code}).")


def _retry_after_s(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    wait_s = float(value) if value.isascii() and value.isdecimal() else RATE_LIMIT_DEFAULT_S
    return min(max(wait_s, 1.0), RATE_LIMIT_MAX_S)
