"""What travels on the bus and out of the sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from toolkit.model.event import EVENT_CLASSES, Event, columns

__all__ = ["Notice", "encode_notice", "event_data"]

_COLUMNS = {cls.kind: [name for name in columns(cls) if name != "user_id"] for cls in EVENT_CLASSES}
_ID_COLUMNS = {kind: [name for name in names if name.endswith("_id")] for kind, names in _COLUMNS.items()}


@dataclass(frozen=True, slots=True)
class Notice:
    """
    One thing that happened.

    Attributes:
        seq: Number on this bus: 1, 2, 3 ... without holes.
        type: What it is: an event's kind (``comment``), ``status``, ``warning``,
            ``gap``, ``tiktok:reconnection:started`` ...
        at: Our wall clock, microseconds UTC.
        data: An event, or a mapping that JSON can carry.
        rehearsal: It comes from a replay, not from a live.
        recorded_at: In a rehearsal, when it was first received, microseconds UTC; None
            where nobody says.
    """

    seq: int
    type: str
    at: int
    data: Event | dict[str, Any]
    rehearsal: bool = False
    recorded_at: int | None = None


def encode_notice(notice: Notice) -> bytes:
    """
    Return the notice as one JSON object: ``{"type", "seq", "at", "data"}``.

    A NaN becomes null. Never what UTF-8 cannot say: half of a pair of surrogates is an error.

    Raises:
        TypeError: The data holds what JSON cannot say.
    """
    data = event_data(notice.data) if isinstance(notice.data, Event) else notice.data
    message = {"type": notice.type, "seq": notice.seq, "at": notice.at, "data": data}
    if notice.rehearsal:
        message["rehearsal"] = True
    return orjson.dumps(message, option=orjson.OPT_NON_STR_KEYS)


def event_data(event: Event) -> dict[str, Any]:
    """
    Return an event as JSON data: its columns, plus ``user`` in full.

    Ids are text: they exceed what a JavaScript number can hold.
    """
    user = event.user
    data: dict[str, Any] = {name: getattr(event, name) for name in _COLUMNS[event.kind]}
    for name in _ID_COLUMNS[event.kind]:
        data[name] = str(data[name])
    data["user"] = user and {
        "user_id": str(user.user_id),
        "handle": user.handle,
        "nickname": user.nickname,
        "is_moderator": user.is_moderator,
        "is_subscriber": user.is_subscriber,
        "is_follower": user.is_follower,
        "fan_level": user.fan_level,
        "gifter_level": user.gifter_level,
    }
    return data
