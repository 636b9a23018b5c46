"""
A message changed: other people, other ids, other times, other totals. The rest stays.

protobuf keeps the fields it does not know, so what is written back lacks nothing; only
the order of its bytes may change. Which fields mean what is known here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from toolkit.model.frame import Message
from toolkit.wire.schema import ANY_MESSAGE, DecodeError, ProtoMessage, message_class, method_names

__all__ = [
    "PEOPLE_METHODS",
    "Person",
    "actor_of",
    "ends_live",
    "give_people",
    "open_message",
    "remap_ids",
    "scale_totals",
    "seal_message",
    "shift_times",
]

PEOPLE_METHODS = frozenset(
    {
        "WebcastChatMessage", "WebcastEmoteChatMessage", "WebcastGiftMessage", "WebcastLikeMessage",
        "WebcastMemberMessage", "WebcastSocialMessage", "WebcastQuestionNewMessage",
        "WebcastSubNotifyMessage", "WebcastBarrageMessage",
    }
)  # fmt: skip
"""Types that one viewer causes; the room itself causes all others."""

_CONTROL, _ENDING = "WebcastControlMessage", (3, 4)
"""The host's own acts; of these, that the live has ended, and that TikTok has suspended it."""
_SECONDS_BELOW = 100_000_000_000
"""Smaller times are seconds: some types carry those where others carry milliseconds."""
_INT64_MAX = (1 << 63) - 1
_METHODS_CACHED = 256


@dataclass(frozen=True, slots=True)
class Person:
    """
    Who a viewer is.

    Attributes:
        user_id: TikTok's number.
        handle: The @name.
        nickname: What is displayed.
    """

    user_id: int
    handle: str
    nickname: str


def open_message(message: Message) -> ProtoMessage | None:
    """Return a message taken apart; None if it is damaged. A type nobody knows shows what all share."""
    try:
        return _class_of(message.method).FromString(message.payload)
    except DecodeError:
        return None


@lru_cache(_METHODS_CACHED)
def _class_of(method: str) -> ProtoMessage:
    """Return the class of a message type; what all share for one that is not known, or is no message."""
    found = message_class(method) if method in method_names() else message_class(ANY_MESSAGE)
    return found if "common" in found.DESCRIPTOR.fields_by_name else message_class(ANY_MESSAGE)


def seal_message(message: Message, parsed: ProtoMessage, msg_id: int | None = None) -> Message:
    """
    Return the message with what was changed in it.

    Args:
        message: As it was.
        parsed: What it says now.
        msg_id: Its new id; None keeps it.
    """
    if msg_id is None or not message.msg_id:
        msg_id = message.msg_id
    elif parsed.common.msg_id:
        parsed.common.msg_id = msg_id
    # Maps have no order of their own: without this the same seed gives other bytes.
    return replace(message, msg_id=msg_id, payload=parsed.SerializeToString(deterministic=True))


def ends_live(message: Message) -> bool:
    """Return whether a message says that the live is over."""
    if message.method != _CONTROL:
        return False
    parsed = open_message(message)
    return parsed is not None and parsed.action in _ENDING


def actor_of(method: str, parsed: ProtoMessage) -> ProtoMessage | None:
    """Return the ``User`` who caused a message of :data:`PEOPLE_METHODS`; None if it names nobody."""
    owner = parsed.data if method == "WebcastQuestionNewMessage" else parsed
    return owner.user if owner.HasField("user") and owner.user.id else None


def give_people(method: str, parsed: ProtoMessage, change: Callable[[ProtoMessage], Person]) -> None:
    """
    Put other people into a message: who caused it, wherever named, and who is mentioned.

    The host and the guests stay who they are.

    Args:
        method: One of :data:`PEOPLE_METHODS`.
        parsed: The message.
        change: Returns who takes the place of a ``User``.
    """
    actor = actor_of(method, parsed)
    if actor is None:
        return
    was_id, was_called, person = actor.id, actor.nickname, change(actor)
    for user in _appearances(method, parsed):
        if user.id == was_id:
            _become(user, person)
    if was_called and parsed.common.describe:
        parsed.common.describe = parsed.common.describe.replace(was_called, person.nickname)
    if method == "WebcastChatMessage":
        _mention(parsed, change)


def shift_times(method: str, parsed: ProtoMessage, shift_ms: int) -> None:
    """Move what a message says of its own time, in the unit it has; absent times stay absent."""
    common = parsed.common
    common.create_time = _shifted(common.create_time, shift_ms)
    if method == "WebcastCaptionMessage":
        parsed.timestamp_ms = _shifted(parsed.timestamp_ms, shift_ms)
    elif method == "WebcastQuestionNewMessage":
        parsed.data.create_time = _shifted(parsed.data.create_time, shift_ms)
    elif method == "WebcastRoomPinMessage":
        parsed.pin_time = _shifted(parsed.pin_time, shift_ms)
    elif method == "WebcastLinkMicBattle":
        settings = parsed.battle_settings
        settings.start_time_ms = _shifted(settings.start_time_ms, shift_ms)


def remap_ids(method: str, parsed: ProtoMessage, change: Callable[[int], int]) -> None:
    """
    Change what ties messages together: streaks, questions, polls, battles, pins, withdrawals.

    Args:
        method: The message's type.
        parsed: The message. Its own id is :func:`seal_message`'s to change.
        change: Returns the new id; called for ids of messages as well.
    """
    for owner, name in _references(method, parsed):
        value = getattr(owner, name)
        if value:
            setattr(owner, name, change(value))
    if method == "WebcastImDeleteMessage":
        parsed.delete_msg_ids[:] = [change(msg_id) for msg_id in parsed.delete_msg_ids]


def _references(method: str, parsed: ProtoMessage) -> Iterator[tuple[Any, str]]:
    match method:
        case "WebcastGiftMessage":
            yield parsed, "group_id"
        case "WebcastQuestionNewMessage":
            yield parsed.data, "question_id"
        case "WebcastPollMessage":
            yield parsed, "poll_id"
        case "WebcastLinkMicBattle":
            yield parsed, "battle_id"
            yield parsed.battle_settings, "battle_id"
        case "WebcastLinkMicArmies":
            yield parsed, "battle_id"
        case "WebcastRoomPinMessage":
            yield parsed, "pin_msg_id"
            if parsed.HasField("chat_message"):
                yield parsed.chat_message.common, "msg_id"


def scale_totals(method: str, parsed: ProtoMessage, scale: Callable[[str, int], int]) -> bool:
    """
    Change the room's totals in a message.

    Args:
        method: The message's type.
        parsed: The message.
        scale: Gets a total's name and value, returns the new value. Names: ``likes``,
            ``follows``, ``shares``, ``entries``, ``diamonds`` grow; ``viewers`` is a level.

    Returns:
        Whether there was one.
    """
    found = False
    for owner, name, total in _totals(method, parsed):
        value = getattr(owner, name)
        if value > 0:
            setattr(owner, name, max(min(scale(total, value), _INT64_MAX), 0))
            found = True
    return found


def _totals(method: str, parsed: ProtoMessage) -> Iterator[tuple[Any, str, str]]:
    """Yield (owner, field, name of the total)."""
    match method:
        case "WebcastLikeMessage":
            yield parsed, "total", "likes"
        case "WebcastMemberMessage":
            yield parsed, "member_count", "viewers"
        case "WebcastSocialMessage":
            yield parsed, "follow_count", "follows"
            yield parsed, "share_count", "shares"
        case "WebcastRoomUserSeqMessage":
            yield parsed, "total", "viewers"
            yield parsed, "popularity", "viewers"
            yield parsed, "anonymous", "viewers"
            yield parsed, "total_user", "entries"
        case "WebcastLinkMicFanTicketMethod":
            yield parsed.fan_ticket_room_notice, "total_linkmic_fan_ticket", "diamonds"


def _appearances(method: str, parsed: ProtoMessage) -> Iterator[ProtoMessage]:
    """Yield the places where a message may name who caused it."""
    actor = actor_of(method, parsed)
    texts = [parsed.common.display_text]
    if method == "WebcastBarrageMessage":
        texts.append(parsed.content)
    for text in texts:
        for piece in text.pieces:
            if piece.HasField("user_value"):
                yield piece.user_value.user
    # Last: the others are recognised by its id.
    if actor is not None:
        yield actor


def _become(user: ProtoMessage, person: Person) -> None:
    user.id = person.user_id
    user.nickname = person.nickname
    if user.display_id:
        user.display_id = person.handle
    if user.sec_uid:
        user.sec_uid = f"MS4wLjABAAAA{person.user_id:048d}"


def _mention(parsed: ProtoMessage, change: Callable[[ProtoMessage], Person]) -> None:
    mentioned = list(parsed.mention_users)
    if parsed.HasField("at_user"):
        mentioned.append(parsed.at_user)
    for user in mentioned:
        if not user.id:
            continue
        names, person = (user.display_id, user.nickname), change(user)
        for name, new in zip(names, (person.handle, person.nickname), strict=True):
            if name:
                parsed.content = parsed.content.replace(f"@{name}", f"@{new}")
        _become(user, person)


def _shifted(value: int, shift_ms: int) -> int:
    if value <= 0:
        return int(value)
    moved = value + (shift_ms // 1000 if value < _SECONDS_BELOW else shift_ms)
    return int(max(min(moved, _INT64_MAX), 1))
