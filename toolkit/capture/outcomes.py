"""
What an exception of TikTokLive, of the network or of a server means.

By type and by what a response says; never by the text of an exception.
"""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

import httpx
from TikTokLive.client import errors as upstream
from TikTokLive.client.web.routes.fetch_is_live import MissingRoomIdInResponse
from TikTokLive.client.web.routes.fetch_room_id_live_html import FailedParseRoomIdError
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatusCode,
    InvalidURI,
)

from toolkit.connect.rate_limit import named_wait_s
from toolkit.connect.stimuli import Down
from toolkit.errors import FrameError, SignerRefused
from toolkit.model.recording import Cause

__all__ = ["classify"]

_CODE_ABNORMAL = 1006
_UNREADABLE = {
    1002: "what is no WebSocket frame",
    1007: "text that is none",
    1009: "a frame larger than any of its own",
}
"""Codes that we hang up with, by what came."""
_REFUSALS = (
    httpx.codes.FORBIDDEN,
    httpx.codes.UNSUPPORTED_MEDIA_TYPE,
    httpx.codes.TOO_MANY_REQUESTS,
)
"""What a handshake is answered with when it is us who are not wanted."""


def classify(error: BaseException, user: str, now_us: int) -> Down:
    """
    Tell what ended or prevented a connection.

    Args:
        error: What was raised.
        user: Whose live, for the operator's sentence.
        now_us: Wall clock, microseconds UTC.
    """
    return _of_the_live(error, user, now_us) or _of_the_signer(error, now_us) or _of_the_network(error)


def _of_the_live(error: BaseException, user: str, now_us: int) -> Down | None:
    match error:
        case InvalidStatusCode(status_code=status, headers=headers) if status in _REFUSALS:
            # Each further attempt would cost a signature and make it worse.
            wait_s = named_wait_s(headers, now_us)
            return Down(
                Cause.BLOCKED, f"TikTok refused the WebSocket (status {status}).", retry_after_s=wait_s
            )
        case upstream.UserOfflineError():
            return Down(Cause.OFFLINE, f"@{user} is not live.")
        case upstream.UserNotFoundError():
            return Down(Cause.UNKNOWN_USER, f"There is no TikTok user @{user} who goes live.")
        case upstream.WebcastBlockedError() | FailedParseRoomIdError() | json.JSONDecodeError():
            return Down(Cause.BLOCKED, "TikTok refused the connection or asks for a captcha.")
        case upstream.AgeRestrictedError():
            return Down(Cause.BLOCKED, "TikTok restricts this live by age.", hopeless=True)
        case MissingRoomIdInResponse():
            return Down(Cause.NETWORK, "TikTok did not say whether the live is running.")
    return None


def _of_the_signer(error: BaseException, now_us: int) -> Down | None:
    match error:
        case SignerRefused():
            return Down(Cause.SIGNER, str(error), retry_after_s=error.retry_after_s)
        case FrameError():
            detail = f"The signing service's answer cannot be used: {error}."
            return Down(Cause.SIGNER, detail, is_unusable=True)
        case upstream.SignAPIError():
            return _refusal(error, now_us)
        case upstream.InitialCursorMissingError() | upstream.WebsocketURLMissingError():
            detail = "The signing service's answer names no live server."
            return Down(Cause.SIGNER, detail, is_unusable=True)
        case ssl.SSLCertVerificationError():
            # Of the WebSocket: that of a page or of the service itself comes as httpx's.
            detail = "The signing service named a server whose certificate nobody vouches for."
            return Down(Cause.SIGNER, detail, is_unusable=True)
        case InvalidURI():
            detail = "The signing service named an address that is none."
            return Down(Cause.SIGNER, detail, is_unusable=True)
    return None


def _refusal(error: Any, now_us: int) -> Down:
    response: httpx.Response | None = error.response
    if response is None:
        return Down(Cause.SIGNER, "The signing service could not be reached.")
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Down(Cause.SIGNER, "The signing service refused the API key.", hopeless=True)
    wait_s = named_wait_s(response.headers, now_us)
    if response.is_success:
        detail = "The signing service's answer lacks what a connection needs."
        return Down(Cause.SIGNER, detail, retry_after_s=wait_s, is_unusable=True)
    detail = f"The signing service failed (status {response.status_code})."
    return Down(Cause.SIGNER, detail, retry_after_s=wait_s)


def _of_the_network(error: BaseException) -> Down:
    match error:
        case ConnectionClosed(sent=ours) if ours and ours.code in _UNREADABLE and not error.rcvd_then_sent:
            return Down(Cause.UNREADABLE, f"TikTok sent {_UNREADABLE[ours.code]}.", is_unusable=True)
        case ConnectionClosed():
            code = error.rcvd.code if error.rcvd else _CODE_ABNORMAL
            cause = Cause.NETWORK if code == _CODE_ABNORMAL else Cause.CLOSED
            return Down(cause, f"The connection broke (code {code}).")
        case httpx.ConnectError() | socket.gaierror():
            return Down(Cause.NETWORK, "TikTok could not be reached.")
        case TimeoutError() | httpx.TimeoutException():
            return Down(Cause.NETWORK, "TikTok did not answer in time.")
        case InvalidMessage():
            return Down(Cause.NETWORK, "The connection broke while it was opened.")
        case InvalidHandshake():
            # It can be reached and does not want us: the network is not to blame.
            return Down(Cause.CLOSED, f"TikTok refused the WebSocket ({type(error).__name__}).")
        case httpx.HTTPStatusError():
            return Down(Cause.NETWORK, f"TikTok's server failed (status {error.response.status_code}).")
        case httpx.HTTPError() | ssl.SSLError() | OSError() | EOFError():
            return Down(Cause.NETWORK, f"The connection failed ({type(error).__name__}).")
        case upstream.TikTokLiveError():
            return Down(Cause.CLOSED, f"TikTokLive gave up ({type(error).__name__}).")
        case LookupError() | ValueError() | TypeError() | AttributeError():
            return Down(Cause.CLOSED, f"TikTok's answer cannot be read ({type(error).__name__}).")
    return Down(Cause.INTERNAL, f"An unexpected {type(error).__name__} ended the connection.")
