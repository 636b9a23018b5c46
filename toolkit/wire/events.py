"""
Message to event: one small function per message type.

Fields are read by the names of TikTokLiveProto v3. Text that looks absent in old
names (``uniqueId``, ``giftName``) lives under new ones: see the table in each
function. What a function does not read is not lost: the payload is stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from toolkit.model.event import (
    Barrage,
    Battle,
    BattleScore,
    Caption,
    Comment,
    Control,
    Deletion,
    Emote,
    Envelope,
    Event,
    Follow,
    Gift,
    Goal,
    Join,
    Like,
    Pin,
    Poll,
    Question,
    RankUpdate,
    RoomDiamonds,
    RoomMessage,
    Share,
    Subscription,
    User,
    ViewerCount,
)
from toolkit.model.frame import Message, Quarantined
from toolkit.wire.decode import quarantine
from toolkit.wire.schema import ANY_MESSAGE, DecodeError, ProtoMessage, message_class

__all__ = ["Interpreted", "interpret", "typed_methods"]

PAYLOAD_BYTES_MAX = 256 * 1024
"""Larger payloads are kept raw and not interpreted: the largest real one is 9 KB,
and a quarter megabyte of empty submessages is what upb expands within 5 ms."""

_SECONDS_BELOW = 100_000_000_000
"""Some messages (RoomMessage) carry seconds where others carry milliseconds."""
_US_MIN, _US_MAX = 1_400_000_000_000_000, 4_100_000_000_000_000
"""2014 to 2099. A time outside is no time."""

_BADGE_GIFTER, _BADGE_FANS = 8, 10

_Common = tuple[int, int, "int | None", int, "User | None"]


@dataclass(slots=True)
class Interpreted:
    """
    What is known of a message.

    Attributes:
        msg_id: Its id: the envelope's, or its own where the envelope has none.
        room_id: The room it names; 0 if it names none.
        occurred_at: TikTok's clock, microseconds; None if it gave none.
        event: Its meaning; None for a type nobody reads yet, and for a damaged one.
        quarantined: Set when the payload is damaged.
    """

    msg_id: int
    room_id: int = 0
    occurred_at: int | None = None
    event: Event | None = None
    quarantined: Quarantined | None = None


def interpret(message: Message, received_at: int) -> Interpreted:
    """
    Return what a message means. Never raises on any payload.

    Args:
        message: The raw message.
        received_at: Our wall clock for it, microseconds UTC.
    """
    read, cls = _readers().get(message.method, _UNREAD)
    payload = message.payload
    if len(payload) > PAYLOAD_BYTES_MAX:
        detail = f"{message.method} of {len(payload)} bytes"
        return Interpreted(
            message.msg_id, quarantined=quarantine(payload, "oversize", detail, message.method)
        )
    try:
        parsed = (cls or message_class(ANY_MESSAGE)).FromString(payload)
    except DecodeError as error:
        if read is None:
            return Interpreted(message.msg_id)
        return Interpreted(
            message.msg_id, quarantined=quarantine(payload, "payload", str(error), message.method)
        )
    common = parsed.common
    occurred_at = _us(common.create_time)
    found = Interpreted(common.msg_id or message.msg_id, common.room_id, occurred_at)
    if read is not None:
        found.event = read(parsed, _Context(message, found.msg_id, occurred_at, received_at))
        found.occurred_at = found.event.occurred_at if found.event else occurred_at
    return found


def typed_methods() -> frozenset[str]:
    """Return the message types that become events."""
    return frozenset(_READERS)


@dataclass(slots=True)
class _Context:
    message: Message
    msg_id: int
    occurred_at: int | None
    received_at: int

    def head(self, user: User | None) -> _Common:
        """Return the fields every event starts with; seq is given later."""
        return 0, self.msg_id, self.occurred_at, self.received_at, user


def _us(value: int) -> int | None:
    """Turn TikTok's milliseconds (or, sometimes, seconds) into microseconds."""
    us = value * (1_000_000 if 0 < value < _SECONDS_BELOW else 1000)
    return us if _US_MIN < us < _US_MAX else None


# json.dumps with options builds an encoder at every call, which costs more than encoding.
_json: Callable[[list[dict[str, Any]]], str] = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":")
).encode


def _ids(values: Any) -> str:
    return ",".join(str(value) for value in values)


def _int(text: str) -> int:
    """Return a number that TikTok wrote as text; 0 if it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _first_url(image: ProtoMessage) -> str:
    urls = image.url_list
    return str(urls[0]) if urls else ""


def _user(owner: ProtoMessage, name: str = "user", identity: ProtoMessage | None = None) -> User | None:
    """Read a user field. Levels come from badges: the named fields are always empty."""
    if not owner.HasField(name):
        return None
    user = getattr(owner, name)
    if not user.id:
        return None
    fan_level = gifter_level = 0
    for badge in user.badge_list:
        scene = badge.scene_type
        if scene == _BADGE_GIFTER:
            gifter_level = _int(badge.privilege_log_extra.level)
        elif scene == _BADGE_FANS:
            fan_level = _int(badge.privilege_log_extra.level)
    follow = user.follow_info
    return User(
        user.id,
        user.display_id,
        user.nickname,
        user.sec_uid,
        _first_url(user.avatar_thumb),
        follow.follower_count,
        user.user_attr.is_admin or (identity is not None and identity.is_moderator_of_anchor),
        user.is_subscribe or (identity is not None and identity.is_subscriber_of_anchor),
        follow.follow_status in (1, 2) or (identity is not None and identity.is_follower_of_anchor),
        fan_level,
        gifter_level,
        user.verified,
    )


def _comment(m: ProtoMessage, c: _Context) -> Event:
    return Comment(
        *c.head(_user(m, identity=m.user_identity)),
        text=m.content,
        language=m.content_language,
        emotes=",".join([emote.emote.emote_id for emote in m.emotes]) if m.emotes else "",
        mentions=_mentions(m),
        is_history=c.message.is_history,
    )


def _mentions(m: ProtoMessage) -> str:
    if m.mention_users:
        return _ids(user.id for user in m.mention_users)
    return str(m.at_user.id) if m.HasField("at_user") else ""


def _emote(m: ProtoMessage, c: _Context) -> Event:
    user = _user(m, identity=m.user_identity)
    return Emote(*c.head(user), emotes=",".join(emote.emote_id for emote in m.emote_list))


def _gift(m: ProtoMessage, c: _Context) -> Event:
    gift = m.gift
    return Gift(
        *c.head(_user(m, identity=m.user_identity)),
        gift_id=m.gift_id or gift.id,
        gift_name=gift.name,
        diamonds=gift.diamond_count,
        gift_type=gift.type,
        repeat_count=m.repeat_count,
        repeat_end=bool(m.repeat_end),
        group_id=m.group_id,
        to_user_id=m.to_user.id,
        image_url=_first_url(gift.image),
    )


def _like(m: ProtoMessage, c: _Context) -> Event:
    return Like(*c.head(_user(m)), count=m.count, total=m.total)


def _join(m: ProtoMessage, c: _Context) -> Event:
    return Join(*c.head(_user(m)), action=m.action, member_count=m.member_count, source=m.client_enter_source)


def _social(m: ProtoMessage, c: _Context) -> Event | None:
    """Follows and shares are one type; the text template tells which."""
    key = m.common.display_text.key
    if "follow" in key or (not key and m.follow_count):
        return Follow(*c.head(_user(m)), follow_count=m.follow_count)
    if "share" in key or m.share_type or m.share_target:
        return Share(
            *c.head(_user(m)),
            share_type=m.share_type,
            share_target=m.share_target,
            share_count=m.share_count,
        )
    return None


def _viewer_count(m: ProtoMessage, c: _Context) -> Event:
    return ViewerCount(
        *c.head(None),
        viewers=m.total,
        viewers_total=m.total_user,
        popularity=m.popularity,
        anonymous=m.anonymous,
    )


def _room_diamonds(m: ProtoMessage, c: _Context) -> Event:
    return RoomDiamonds(*c.head(None), total=m.fan_ticket_room_notice.total_linkmic_fan_ticket)


def _question(m: ProtoMessage, c: _Context) -> Event:
    question = m.data
    return Question(
        *c.head(_user(question)),
        question_id=question.question_id,
        text=question.content,
        status=question.answer_status,
    )


def _poll(m: ProtoMessage, c: _Context) -> Event:
    content = {0: m.start_content, 1: m.end_content}.get(m.message_type, m.update_votes_content)
    options = [
        {"index": option.option_idx, "text": option.display_content, "votes": option.votes}
        for option in content.option_list
    ]
    return Poll(
        *c.head(_user(content, "operator")),
        poll_id=m.poll_id,
        stage=m.message_type,
        title=m.start_content.title,
        options=_json(options),
    )


def _battle(m: ProtoMessage, c: _Context) -> Event:
    setting = m.battle_settings
    results = [
        {"user_id": str(user_id), "result": result.result, "score": result.score}
        for user_id, result in sorted(m.battle_result.items())
    ]
    return Battle(
        *c.head(None),
        battle_id=m.battle_id,
        action=m.action,
        starts_at=_us(setting.start_time_ms),
        duration_s=setting.duration,
        results=_json(results),
    )


def _battle_score(m: ProtoMessage, c: _Context) -> Event:
    armies = [
        {"host_id": str(host_id), "score": army.hostscore} for host_id, army in sorted(m.armies.items())
    ]
    return BattleScore(
        *c.head(User(m.from_user_id) if m.from_user_id else None),
        battle_id=m.battle_id,
        gift_id=m.gift_id,
        gift_count=m.gift_count,
        diamonds_total=m.total_diamond_count,
        armies=_json(armies),
    )


def _envelope(m: ProtoMessage, c: _Context) -> Event:
    info = m.envelope_info
    sender_id = _int(info.send_user_id)
    return Envelope(
        *c.head(User(sender_id, nickname=info.send_user_name) if sender_id else None),
        envelope_id=info.envelope_id,
        business_type=info.business_type,
        display=m.display,
        sender_id=sender_id,
        sender_name=info.send_user_name,
        diamonds=info.diamond_count,
        people=info.people_count,
        opens_at=_us(info.unpack_at),
    )


def _subscription(m: ProtoMessage, c: _Context) -> Event:
    return Subscription(
        *c.head(_user(m)),
        months=m.sub_month,
        subscribe_type=m.subscribe_type,
        status=m.subscribing_status,
        is_gift=bool(m.gift_source),
    )


def _barrage(m: ProtoMessage, c: _Context) -> Event:
    return Barrage(*c.head(_user(m)), barrage_type=m.msg_type, content_key=m.content.key)


def _goal(m: ProtoMessage, c: _Context) -> Event:
    goal = m.goal
    sub_goals = [
        {
            "id": str(sub.id),
            "type": sub.type,
            "progress": sub.progress,
            "target": sub.target,
            "gift_name": sub.gift.name,
        }
        for sub in goal.sub_goals
    ]
    return Goal(
        *c.head(User(m.contributor_id, m.contributor_display_id) if m.contributor_id else None),
        goal_id=goal.id,
        goal_type=goal.type,
        status=goal.status,
        description=goal.description,
        progress=sum(sub["progress"] for sub in sub_goals),
        target=sum(sub["target"] for sub in sub_goals),
        sub_goals=_json(sub_goals),
        contributor_id=m.contributor_id,
        contribution=m.contribute_count,
    )


def _pin(m: ProtoMessage, c: _Context) -> Event:
    pinned = {
        "WebcastSocialMessage": m.social_message,
        "WebcastGiftMessage": m.gift_message,
        "WebcastMemberMessage": m.member_message,
        "WebcastLikeMessage": m.like_message,
    }.get(m.method, m.chat_message)
    return Pin(
        *c.head(_user(pinned)),
        action=m.action,
        pinned_msg_id=m.pin_msg_id or pinned.common.msg_id,
        pinned_method=m.method,
        text=m.chat_message.content,
        pinned_at=_us(m.pin_time),
        display_s=m.display_duration,
        operator_id=m.operator.id,
    )


def _deletion(m: ProtoMessage, c: _Context) -> Event:
    return Deletion(*c.head(None), message_ids=_ids(m.delete_msg_ids), user_ids=_ids(m.delete_user_ids))


def _caption(m: ProtoMessage, c: _Context) -> Event:
    # create_time is always 0 here; the speech has a time of its own.
    c.occurred_at = c.occurred_at or _us(m.timestamp_ms)
    return Caption(
        *c.head(None),
        language=m.content[0].lang if m.content else "",
        text=" ".join(part.content for part in m.content),
        duration_ms=m.duration_ms,
        sentence_id=m.sentence_id,
        is_final=m.definite,
    )


def _rank(m: ProtoMessage, c: _Context) -> Event:
    ranks = [
        {
            "type": update.rank_type,
            "rank": update.own_rank,
            "score": update.current_score,
            "countdown_s": update.countdown,
        }
        for update in m.updates
    ]
    return RankUpdate(*c.head(None), ranks=_json(ranks))


def _room_message(m: ProtoMessage, c: _Context) -> Event:
    return RoomMessage(*c.head(None), text=m.content, scene=m.scene, source=m.source)


def _control(m: ProtoMessage, c: _Context) -> Event:
    return Control(*c.head(None), action=m.action, tips=m.tips, reason=m.extra.reason_no)


_READERS: dict[str, Callable[[ProtoMessage, _Context], Event | None]] = {
    "WebcastChatMessage": _comment,
    "WebcastEmoteChatMessage": _emote,
    "WebcastGiftMessage": _gift,
    "WebcastLikeMessage": _like,
    "WebcastMemberMessage": _join,
    "WebcastSocialMessage": _social,
    "WebcastRoomUserSeqMessage": _viewer_count,
    "WebcastLinkMicFanTicketMethod": _room_diamonds,
    "WebcastQuestionNewMessage": _question,
    "WebcastPollMessage": _poll,
    "WebcastLinkMicBattle": _battle,
    "WebcastLinkMicArmies": _battle_score,
    "WebcastEnvelopeMessage": _envelope,
    "WebcastSubNotifyMessage": _subscription,
    "WebcastBarrageMessage": _barrage,
    "WebcastGoalUpdateMessage": _goal,
    "WebcastRoomPinMessage": _pin,
    "WebcastImDeleteMessage": _deletion,
    "WebcastCaptionMessage": _caption,
    "WebcastRankUpdateMessage": _rank,
    "WebcastRoomMessage": _room_message,
    "WebcastControlMessage": _control,
}

_UNREAD = (None, None)


@cache
def _readers() -> dict[str, tuple[Callable[[ProtoMessage, _Context], Event | None], ProtoMessage]]:
    """Return each type's function and class; built on first use, as classes are."""
    return {method: (read, message_class(method)) for method, read in _READERS.items()}
