"""Where TikTok is, for one recorder: the real one, or a simulator on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["KEPT_METHODS", "TIKTOK", "SourceOptions"]

KEPT_METHODS = frozenset({"WebcastControlMessage"})
"""The only messages TikTokLive still sees: it hangs up when a live ends."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PUSH_HOSTS = (".tiktok.com", ".tiktokv.com", ".tiktokv.us", ".tiktokv.eu", ".tiktokw.us", ".eulerstream.com")
"""Where a WebSocket with our cookies may go. The signing service relays for some rooms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """
    Addresses and the key.

    Attributes:
        app_url: TikTok's site.
        webcast_url: TikTok's live API, including ``/webcast``.
        sign_url: The signing service.
        sign_api_key: Its key; empty for none. Never shown.
    """

    app_url: str = "https://www.tiktok.com"
    webcast_url: str = "https://webcast.tiktok.com/webcast"
    sign_url: str = "https://api.eulerstream.com"
    sign_api_key: str = field(default="", repr=False)

    @property
    def is_test_server(self) -> bool:
        """Whether TikTok is played by a server on this machine."""
        return urlsplit(self.webcast_url).hostname in _LOOPBACK

    @property
    def is_signer_local(self) -> bool:
        """Whether signatures come from this machine, where nobody counts them."""
        return urlsplit(self.sign_url).hostname in _LOOPBACK

    def allows_push_server(self, address: str) -> bool:
        """
        Return whether a WebSocket, which carries our cookies, may be opened to ``address``.

        The signing service names it, so whoever answers in its place could name
        any host: only TikTok's own over TLS count, or this machine in a test.
        """
        try:
            url = urlsplit(address)
        except ValueError:
            return False  # no address at all, such as http://[
        host = url.hostname or ""
        if url.scheme == "wss" and host.endswith(_PUSH_HOSTS):
            return True
        return self.is_test_server and host in _LOOPBACK and url.scheme in ("ws", "wss")


TIKTOK = SourceOptions()
"""The real one, without a key."""
