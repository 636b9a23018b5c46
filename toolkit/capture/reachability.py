"""Can TikTok's live server be reached at all? One connection, no request, no signature."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

__all__ = ["is_reachable"]

PROBE_TIMEOUT_S = 1.5
"""Shorter than the pause between probes, so that there is one at a time."""


async def is_reachable(url: str) -> bool:
    """
    Return whether a TCP connection, with TLS where ``url`` is https, can be opened.

    The certificate is checked: the login page of a hotel answers too, and is not TikTok.
    """
    address = urlsplit(url)
    secure = address.scheme in ("https", "wss")
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(
                address.hostname,
                address.port or (443 if secure else 80),
                ssl=ssl.create_default_context() if secure else None,
            )
    except (OSError, TimeoutError, ssl.SSLError, UnicodeError):
        return False
    # No farewell: a TLS goodbye to a server that has gone again would hang.
    writer.transport.abort()
    return True
