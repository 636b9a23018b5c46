"""
What TikTok's pages, the handshake and the signing service answer when they do not answer.

Pure. Not answering at all is the handler's: it waits until the asker goes away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from toolkit.simulator.faults import Fault
from toolkit.simulator.pages import Room

__all__ = ["Answer", "page_answer", "room_under", "sign_answer"]

CAPTCHA = (
    "<!DOCTYPE html><html><head><title>Security Check</title></head><body>"
    '<div id="captcha_container">Please verify that you are human.</div></body></html>'
)
_GARBAGE_JSON = '{"data": {"user": {"roomId": '
_GARBAGE_BYTES = bytes(range(251, 0, -1))
_QUOTA_HEADERS = (
    ("retry_after", "Retry-After"),
    ("reset", "RateLimit-Reset"),
    ("remaining", "RateLimit-Remaining"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An HTTP answer.

    Attributes:
        status: Its status.
        body: Its body.
        headers: Further headers.
    """

    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def sign_answer(fault: Fault) -> Answer | None:
    """Return what the signing service says instead; None if it says what it should, in part."""
    match fault.kind:
        case "sign-status":
            status = fault.whole("status")
            return Answer(status, f'{{"code": {status}, "message": "refused"}}')
        case "sign-rate-limited":
            headers = {name: fault.text(key) for key, name in _QUOTA_HEADERS if fault.text(key)}
            return Answer(429, '{"code": 429, "message": "rate_limit_account_minute"}', headers)
        case "sign-empty":
            return Answer()
        case "sign-garbage":
            return Answer(body=_GARBAGE_BYTES, headers={"X-Set-TT-Cookie": "ttwid=simulated"})
    return None


def page_answer(fault: Fault) -> Answer | None:
    """Return what a page says instead; None if only the room is another, see :func:`room_under`."""
    match fault.kind:
        case "page-captcha":
            return Answer(body=CAPTCHA)
        case "page-garbage":
            return Answer(body=_GARBAGE_JSON)
        case "page-status":
            return Answer(fault.whole("status"), "<html><body>error</body></html>")
    return None


def room_under(fault: Fault | None, room: Room | None) -> Room | None:
    """Return the room that a page shows while a fault lasts."""
    if fault is not None and fault.kind == "page-user-not-found":
        return None
    if fault is not None and fault.kind == "page-offline" and room is not None:
        return replace(room, is_live=False)
    return room
