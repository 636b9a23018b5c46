"""
One connection to TikTok: the only place that runs TikTokLive.

TikTokLive does what it is best at: find the room, have the request signed, shake
hands, enter the room, send heartbeats, acknowledge. What it does badly is routed
around with public knobs only:

* Its parser is slow and loses data, so we see every raw frame first
  (``ws_kwargs["create_protocol"]``) and hand it a stub to acknowledge.
* Its requests to the signing service have no timeout and do not verify TLS, so it
  gets an HTTP client of ours.
* It opens its WebSocket wherever the signing service says, cookies included, so
  the address is checked first and no redirect is followed.
* It sends heartbeats as often as the server says, be it thousands a second, so the
  announced interval is clamped before it reads it.
* A frame that is too large would cost its connection, and the next one too; it is
  read past (``tapped``).
* It raises out of its task without an event on most faults and never notices
  silence, so its task and the time since the last frame are watched here.
* Cancelled while it asks whether a live is on, it takes that for an answer; so that
  question is asked here.

Source: facts measured with TikTokLive 7.0.1; each knob is named where it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
from TikTokLive import TikTokLiveClient
from TikTokLive.client import errors as upstream
from TikTokLive.client.web.routes.fetch_is_live import MissingRoomIdInResponse

from toolkit import failpoint
from toolkit.capture.options import KEPT_METHODS, TIKTOK, SourceOptions
from toolkit.capture.outcomes import classify
from toolkit.capture.tapped import Skipped, TappedProtocol
from toolkit.capture.transport import MovedTransport, SignatureTransport
from toolkit.clock import Clock
from toolkit.connect.stimuli import Down, Live
from toolkit.connect.watchdog import LOOK_S, Watchdog
from toolkit.errors import CaptureError, FrameError, ToolkitError
from toolkit.model.frame import FrameKind
from toolkit.model.recording import Cause
from toolkit.wire.decode import decode_frame
from toolkit.wire.encode import encode_fetch_stub
from toolkit.wire.inflate import FRAME_BYTES_MAX

__all__ = ["TikTokSource"]

log = logging.getLogger("toolkit.recorder")

RESOLVE_TIMEOUT_S = 45.0
"""Room lookup and alive check together. Each request has its own limit too."""
SIGN_TIMEOUT_S = 20.0
REQUEST_TIMEOUT_S = 15.0
HANDSHAKE_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
"""For a polite goodbye. Who does not answer it in time is hung up on."""
STALL_LOOK_S = 0.25
"""Between looks whether our own loop runs."""
STALL_TOLD_S = 0.5
"""How late such a look is when it is told: heartbeats may be late by that, too."""
STALL_TOLD_EVERY_S = 60.0
ANSWER_BYTES_MAX = 256
"""A heartbeat's answer is some fifty bytes; larger frames need not be looked into."""


class TikTokSource:
    """
    Connects to one user's live. Use a new one for each attempt, and close it.

    All callbacks run in the loop that runs :meth:`listen`.
    """

    def __init__(self, options: SourceOptions, user: str, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._user = user
        self._room_id = 0
        self._first_frame: bytes | None = None
        self._watchdog: Watchdog | None = None
        self._quiet_until_s = 0.0
        self._socket: TappedProtocol | None = None
        self._on_up: Callable[[int], None] | None = None
        self._on_frame: Callable[[FrameKind, bytes], list[bytes]] | None = None
        self._on_look: Callable[[], list[bytes]] | None = None
        self._client = self._build_client()

    async def resolve(self, known_room_id: int = 0) -> Live | Down:
        """
        Find the room, and whether the live is on. Costs no signature.

        Args:
            known_room_id: Where the user was live a moment ago; 0 to look it up. One
                request in place of three, and no page that might ask for a captcha.
        """
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                self._room_id = await self._find_room(known_room_id)
        except Exception as error:
            return classify(error, self._user, self._clock.now_us())
        return Live()

    async def listen(
        self,
        on_up: Callable[[int], None],
        on_frame: Callable[[FrameKind, bytes], list[bytes]],
        on_look: Callable[[], list[bytes]],
    ) -> Down:
        """
        Connect to the room found, and stay until the connection ends. Costs one signature.

        Args:
            on_up: Called once with the room id, when the WebSocket stands.
            on_frame: Called with each frame before TikTokLive sees it; returns what
                TikTokLive shall read, and acknowledge, instead: of this frame, or of
                those that had to wait; nothing if this one has to wait, too. What it
                raises ends the connection.
            on_look: Called each second while frames wait; returns the same of them.

        Returns:
            Why it ended or did not come up. Errors of the network and of TikTok are
            outcomes, not exceptions. Nothing is open any more.
        """
        assert self._room_id, "resolve() comes first"
        self._on_up, self._on_frame, self._on_look = on_up, on_frame, on_look
        failpoint.reach("dial")
        try:
            async with asyncio.timeout(SIGN_TIMEOUT_S):
                task = await self._client.start(room_id=self._room_id, fetch_live_check=False)
            return await self._watch(task)
        except ToolkitError as error:
            return self._ours(error)
        except Exception as error:
            return classify(error, self._user, self._clock.now_us())
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of everything. Bounded; harmless when repeated."""
        # client.close() and client.disconnect() wait for a running loop or for an
        # open socket, forever; closing the two HTTP clients is all that is left.
        for close in (self._client.web.close, self._signer_http.aclose):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(close(), CLOSE_TIMEOUT_S)

    # -- the room ----------------------------------------------------------

    async def _find_room(self, known_room_id: int) -> int:
        web = self._client.web
        if known_room_id and await self._is_alive(known_room_id):
            return known_room_id
        # The same order as TikTokLive's own: a page that cannot be read may be a
        # captcha, so the API has the last word.
        try:
            found = await web.fetch_room_id_from_html(self._user)
        except upstream.UserOfflineError:
            raise
        except Exception as first:
            try:
                found = await web.fetch_room_id_from_api(self._user)
            except Exception as error:
                raise error from first
        room_id = int(found)
        if room_id <= 0 or not await self._is_alive(room_id):
            raise upstream.UserOfflineError
        return room_id

    async def _is_alive(self, room_id: int) -> bool:
        web = self._client.web
        web.params["room_id"] = str(room_id)
        try:
            (alive,) = await web.fetch_is_live.fetch_is_live_room_ids(room_id)
        except (LookupError, TypeError, ValueError) as error:
            raise MissingRoomIdInResponse from error
        return bool(alive)

    # -- the connection ----------------------------------------------------

    def _ours(self, error: ToolkitError) -> Down:
        """Return what an error of ours means, or raise it: a full disk is nobody else's."""
        if isinstance(error, FrameError | CaptureError):
            return classify(error, self._user, self._clock.now_us())
        raise error

    async def _watch(self, task: asyncio.Task[None]) -> Down:
        """Wait for the end of TikTokLive's task, or for silence."""
        is_polite = True
        try:
            while not task.done():
                look_s = LOOK_S
                if self._watchdog is not None:
                    look_s = self._watchdog.look_again_s(self._now_s())
                    if look_s == 0.0:
                        is_polite = False
                        unseen_s = self._watchdog.unseen_s(self._now_s())
                        return Down(Cause.SILENCE, f"Nothing arrived for {unseen_s:.0f} s.")
                await self._wait(task, look_s)
            error = task.exception()
        finally:
            await self._end(task, is_polite=is_polite)
        if isinstance(error, ToolkitError):
            raise error
        if error is not None:
            return classify(error, self._user, self._clock.now_us())
        return Down(Cause.CLOSED, "TikTok closed the connection.")

    async def _wait(self, task: asyncio.Task[None], seconds: float) -> None:
        """Wait for a task, so long at most; say so if this loop stood still meanwhile."""
        until_s = self._now_s() + seconds
        while not task.done() and (now_s := self._now_s()) < until_s:
            pause_s = min(until_s - now_s, STALL_LOOK_S)
            await asyncio.wait({task}, timeout=pause_s)
            late_s = self._now_s() - now_s - pause_s
            if late_s >= STALL_TOLD_S and self._now_s() >= self._quiet_until_s:
                self._quiet_until_s = self._now_s() + STALL_TOLD_EVERY_S
                log.warning("this process stood still for %.1f s: frames and heartbeats waited", late_s)

    async def _end(self, task: asyncio.Task[None], *, is_polite: bool) -> None:
        """End TikTokLive's task and its socket, whatever state they are in."""
        if not is_polite:
            self._abort()
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=CLOSE_TIMEOUT_S)
        # A task that failed can leave its socket open, and a goodbye can hang.
        self._abort()
        if not task.done():
            await asyncio.wait({task}, timeout=CLOSE_TIMEOUT_S)

    def _abort(self) -> None:
        transport = getattr(self._socket, "transport", None)
        if transport is not None:
            transport.abort()

    def _now_s(self) -> float:
        return self._clock.mono_ns() / 1e9

    # -- what TikTokLive is given --------------------------------------------

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
        host = urlsplit(options.sign_url).hostname or ""
        self._signer_http = httpx.AsyncClient(
            base_url=options.sign_url,
            headers={"User-Agent": "tiktok-live-toolkit", **({"X-Api-Key": key} if key else {})},
            timeout=REQUEST_TIMEOUT_S,
            transport=SignatureTransport(host, self._clock, self._take_signature),
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
        options: dict[str, Any] = {
            "timeout": REQUEST_TIMEOUT_S,
            "event_hooks": {"response": [_refuse_server_error]},
        }
        if moved:
            options["transport"] = MovedTransport(moved)
        return options

    def _take_signature(self, data: bytes) -> bytes:
        """Keep the signing service's answer as it came; return what TikTokLive may parse."""
        stub = encode_fetch_stub(data, KEPT_METHODS)
        # An empty address is TikTokLive's to report: it has an error for it.
        if stub.push_server and not self._options.allows_push_server(stub.push_server):
            raise FrameError("push_server", f"it names {stub.push_server[:80]!r} as TikTok's server")
        self._first_frame = data
        return stub.data

    def _protocol(self, *args: Any, **kwargs: Any) -> TappedProtocol:
        protocol = self._socket = TappedProtocol(*args, **kwargs)
        protocol.on_frame = self._take_frame
        protocol.on_look = self._on_look or list
        protocol.on_open = self._take_open
        return protocol

    def _take_open(self, ping_s: float) -> None:
        assert self._on_up is not None
        assert self._on_frame is not None
        self._watchdog = Watchdog(ping_s, self._now_s())
        self._on_up(self._room_id)
        if self._first_frame is not None:
            self._on_frame(FrameKind.FETCH, self._first_frame)

    def _take_frame(self, data: bytes) -> list[bytes]:
        assert self._on_frame is not None
        assert self._watchdog is not None
        if isinstance(data, Skipped):
            self._watchdog.feed(self._now_s())
            return self._on_frame(FrameKind.SKIPPED, bytes(data))
        is_answer = len(data) <= ANSWER_BYTES_MAX and decode_frame(data).payload_type == "hb"
        self._watchdog.feed(self._now_s(), is_answer=is_answer)
        return self._on_frame(FrameKind.PUSH, data)


async def _refuse_server_error(response: httpx.Response) -> None:
    """Raise where TikTok's server failed: its error page would be taken for a captcha."""
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        response.raise_for_status()
