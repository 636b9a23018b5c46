"""
What TikTok's web pages, its web API and the signing service answer.

Pure: a broadcast or None in, text or a JSON value out. Field names are those
that TikTokLive and TikTok's own player read; everything else is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolkit.simulator.gifts import CATALOGUE

__all__ = [
    "Room",
    "check_alive",
    "gift_list",
    "live_page",
    "rate_limits",
    "room_info",
    "signed_url",
    "user_room",
]

_LIVE, _OFFLINE = 2, 4


@dataclass(frozen=True, slots=True)
class Room:
    """
    A user of the simulator and the room they have.

    Attributes:
        user: The @name.
        room_id: The present or last broadcast; 0 if there never was one.
        host_id: The user's id.
        is_live: There is a broadcast now.
        viewers: How many watch.
        started_at_s: When the broadcast began, seconds since 1970 UTC.
    """

    user: str
    room_id: int
    host_id: int
    is_live: bool
    viewers: int
    started_at_s: int

    @property
    def status(self) -> int:
        """TikTok's code: 2 live, 4 offline."""
        return _LIVE if self.is_live else _OFFLINE


def live_page(room: Room | None) -> str:
    """Return the page of a user's live; None is a user who does not exist."""
    state: dict[str, Any] = {"AppContext": {"appContext": {"language": "en"}}}
    if room is not None:
        state["LiveRoom"] = {"liveRoomUserInfo": {"user": _user(room), "liveRoom": {"status": room.status}}}
    # Text inside a script element ends at "</": escape it, whatever a name is.
    data = json.dumps(state).replace("</", "<\\/")
    return (
        "<!DOCTYPE html><html><head><title>LIVE</title></head><body>"
        f'<script id="SIGI_STATE" type="application/json">{data}</script></body></html>'
    )


def user_room(room: Room | None) -> dict[str, Any]:
    """Return the answer of ``/api-live/user/room/``."""
    if room is None:
        return {"data": {}, "message": "user_not_found", "statusCode": 19881007}
    live_room = {"status": room.status, "title": _title(room), "startTime": room.started_at_s}
    return {"data": {"user": _user(room), "liveRoom": live_room}, "message": "", "statusCode": 0}


def check_alive(room_ids: list[str], live: frozenset[int], now_ms: int) -> dict[str, Any]:
    """Return the answer of ``/webcast/room/check_alive/`` for some room ids."""
    data = [
        {"alive": int(text) in live, "room_id": int(text), "room_id_str": text}
        for text in room_ids
        if text.isascii() and text.isdecimal()
    ]
    return {"data": data, "extra": {"now": now_ms}, "status_code": 0}


def room_info(room: Room | None, now_ms: int) -> dict[str, Any]:
    """Return the answer of ``/webcast/room/info/``."""
    if room is None:
        return {"data": {"message": "room not found"}, "extra": {"now": now_ms}, "status_code": 30003}
    data = {
        "id": room.room_id,
        "id_str": str(room.room_id),
        "status": room.status,
        "title": _title(room),
        "create_time": room.started_at_s,
        "owner_user_id": room.host_id,
        "owner": {
            "id": room.host_id,
            "id_str": str(room.host_id),
            "display_id": room.user,
            "nickname": room.user,
        },
        "user_count": room.viewers,
        "like_count": room.viewers * 100,
        "stats": {"total_user": room.viewers * 12, "like_count": room.viewers * 100},
        "live_room_mode": 0,
        # No picture: there is nothing to fetch from here.
        "stream_url": {},
    }
    return {"data": data, "extra": {"now": now_ms}, "status_code": 0}


def gift_list(now_ms: int) -> dict[str, Any]:
    """Return the answer of ``/webcast/gift/list/``."""
    gifts = [
        {
            "id": gift.gift_id,
            "name": gift.name,
            "diamond_count": gift.diamonds,
            "type": gift.kind,
            "combo": gift.kind == 1,
            "describe": f"sent {gift.name}",
            "image": {
                "uri": f"gift/{gift.gift_id}",
                "url_list": [f"https://cdn.example.invalid/g/{gift.gift_id}"],
            },
        }
        for gift in CATALOGUE
    ]
    return {"data": {"gifts": gifts}, "extra": {"now": now_ms}, "status_code": 0}


def rate_limits(now_ms: int) -> dict[str, Any]:
    """Return the signing service's answer about quota: plenty."""
    limits = {
        name: {"max": most, "remaining": most, "reset_at": _iso_s(now_ms, window_s)}
        for name, most, window_s in (("day", 1000, 86_400), ("hour", 200, 3600), ("minute", 30, 60))
    }
    return {"code": 200, "message": "ok", **limits, "load_shedding": {"at": 0, "chance": 0}}


def signed_url(url: str) -> dict[str, Any]:
    """Return the signing service's answer for one address."""
    joint = "&" if "?" in url else "?"
    response = {
        "signedUrl": f"{url}{joint}msToken=simulated&X-Bogus=simulated",
        "userAgent": "simulated",
        "browserName": "Mozilla",
        "browserVersion": "5.0",
        "requestHeaders": {},
        "cookies": "",
        "tokens": {"msToken": "simulated", "X-Bogus": "simulated", "X-Gnarly": "simulated"},
    }
    return {"code": 200, "message": "ok", "response": response}


def _user(room: Room) -> dict[str, Any]:
    return {
        "id": str(room.host_id),
        "uniqueId": room.user,
        "nickname": room.user,
        "roomId": str(room.room_id) if room.room_id else "",
        "status": room.status,
    }


def _title(room: Room) -> str:
    return f"A rehearsal with {room.user}"


def _iso_s(now_ms: int, window_s: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000 + window_s, UTC).isoformat()
