"""
Messages that people cause: one builder per type, payloads of the real sizes.

A builder gets everything it shows and the time it is created at; it draws
nothing but the id. ``created_ms`` is TikTok's clock, milliseconds.
"""

from __future__ import annotations

from random import Random

from toolkit.model.frame import Message
from toolkit.simulator.audience import Viewer, fill_image
from toolkit.simulator.gifts import CATALOGUE, Gift, Tap
from toolkit.simulator.language import Language
from toolkit.wire.schema import ProtoMessage, message_class

__all__ = ["Desk", "display_text", "people_piece"]

_LOW_BITS = 32
_SPREAD = 2_654_435_761
"""Odd, so multiplying by it modulo 2^32 never gives the same value twice."""

_ID_LAG_S = {"WebcastChatMessage": (6, 142, 17), "WebcastGiftMessage": (20, 90, 41)}
_ID_LAG_S_DEFAULT = (1, 60, 10)
"""How far the time inside a msg_id is behind the message: it is not a clock."""

_COLOR = "#ffffffff"
_SCORE_NAMES = (
    "quality_main", "quality_second", "toxicity_total_v2", "account_age", "relevance_recent", "textLn",
    "language_model_en", "repetition_in_room", "model_first_stage_20000_v1_m400000",
    "model_second_stage_20000_v2_m400000_live", "emoji_ratio", "m01_s100001", "m02_s100002", "wide_model",
)  # fmt: skip


class Desk:
    """
    Writes the messages of one room: its ids, its host, its recurring parts.

    Attributes:
        rng: What small variety there is comes from here.
        room_id: Where all messages belong.
        host_id: Whose room it is.
    """

    def __init__(self, rng: Random, room_id: int, host_id: int, *, first_id: int = 0) -> None:
        """
        Args:
            rng: Random generator; the caller may use it too.
            room_id: The broadcast's id.
            host_id: The host's user id.
            first_id: Desks of one room stay apart by 2^31 to issue distinct ids.
        """
        self.rng = rng
        self.room_id = room_id
        self.host_id = host_id
        self._issued = first_id
        scores = message_class("WebcastChatMessage")()
        for name in _SCORE_NAMES:
            scores.comment_quality_scores.add(
                version=name, score=6_800_000_000_000_000_000 + rng.randrange(10**15)
            )
        # Fields of a message can stand in any order on the wire, so a part
        # that never changes is serialised once and appended.
        self._chat_tail = bytes(scores.SerializeToString())
        self._gift_parts = {gift.gift_id: self._gift_part(gift) for gift in CATALOGUE}

    def issue_id(self, method: str, created_ms: int) -> int:
        """Return a new msg_id. Unique within the room, not ordered by time."""
        self._issued += 1
        low = self._issued * _SPREAD % (1 << _LOW_BITS)
        lag_s = self.rng.triangular(*_ID_LAG_S.get(method, _ID_LAG_S_DEFAULT))
        return (int(created_ms / 1000 - lag_s) << _LOW_BITS) | low

    def new(self, method: str, created_ms: int, *, shown: bool = True) -> ProtoMessage:
        """Return an empty message of a type, its common part filled."""
        message = message_class(method)()
        self.head(message.common, method, created_ms, shown=shown)
        return message

    def head(self, common: ProtoMessage, method: str, created_ms: int, *, shown: bool = True) -> None:
        """Fill the common part of a message."""
        common.method = method
        common.msg_id = self.issue_id(method, created_ms)
        common.room_id = self.room_id
        common.create_time = created_ms
        if shown:
            common.is_show_msg = True
            common.fold_type = common.anchor_fold_type = 1
            common.fold_type_for_web = common.anchor_fold_type_for_web = 1
            common.room_message_heat_level = 5

    def seal(self, message: ProtoMessage, tail: bytes = b"") -> Message:
        """Serialise a message."""
        common = message.common
        return Message(common.method, common.msg_id, message.SerializeToString() + tail)

    def comment(
        self,
        created_ms: int,
        viewer: Viewer,
        text: str,
        language: str,
        *,
        mention: Viewer | None = None,
        emote_id: str = "",
    ) -> Message:
        """Return a comment. ``text`` is empty when it consists of an emote only."""
        message = self.new("WebcastChatMessage", created_ms)
        message.common.from_idc = "simulated"
        message.common.client_send_time = created_ms - 400
        message.user.MergeFromString(viewer.writing)
        message.content = text
        message.content_language = language
        message.user_identity.MergeFromString(viewer.identity)
        if mention is not None:
            message.at_user.MergeFromString(mention.brief)
            message.mention_users.add().MergeFromString(mention.brief)
        if emote_id:
            emote = message.emotes.add(index=len(text))
            emote.emote.emote_id = emote_id
        message.comment_tag.append(0)
        return self.seal(message, self._chat_tail)

    def emote(self, created_ms: int, viewer: Viewer, emote_id: str) -> Message:
        """Return a message made of one subscriber emote."""
        message = self.new("WebcastEmoteChatMessage", created_ms)
        message.user.MergeFromString(viewer.badged)
        emote = message.emote_list.add(emote_id=emote_id, uuid=emote_id)
        fill_image(emote.image, f"webcast-sim/emote_{emote_id}.png~tplv-obj.image", urls=2)
        message.user_identity.MergeFromString(viewer.identity)
        return self.seal(message)

    def gift(self, created_ms: int, viewer: Viewer, gift: Gift, tap: Tap, group_id: int) -> Message:
        """Return one message of a gift."""
        message = self.new("WebcastGiftMessage", created_ms)
        text = message.common.display_text
        display_text(text, "webcast_aweme_gift_send_message", "{0:user} sent {1:gift} {2:string}")
        people_piece(text, viewer.badged)
        piece = text.pieces.add(type=12)
        piece.gift_value.gift_id = gift.gift_id
        piece.gift_value.name_ref.key = f"live_gift_copywriting_{gift.gift_id}"
        piece.gift_value.name_ref.default_pattern = gift.name
        text.pieces.add(type=1, string_value=f"×{tap.repeat_count}")
        message.common.describe = f"{viewer.nickname}: gifted the host {tap.repeat_count} {gift.name}"
        message.gift_id = gift.gift_id
        message.group_count = 1
        message.repeat_count = message.combo_count = tap.repeat_count
        message.fan_ticket_count = gift.diamonds * tap.repeat_count
        message.repeat_end = int(tap.is_end)
        message.group_id = group_id
        message.user.MergeFromString(viewer.badged)
        message.log_id = f"{created_ms}00SIMULATED{message.common.msg_id:020d}"
        message.send_type = 4
        info = message.monitor_info
        info.anchor_id = info.to_user_id = self.host_id
        info.send_gift_profit_api_start_ms = created_ms - 645
        info.send_gift_send_message_success_ms = created_ms
        info.send_gift_start_client_local_ms = created_ms - 628
        info.from_platform, info.from_version = "simulated", "1"
        message.user_identity.MergeFromString(viewer.identity)
        return self.seal(message, self._gift_parts[gift.gift_id])

    def like(self, created_ms: int, viewer: Viewer, count: int, total: int) -> Message:
        """Return a batch of taps of one viewer. ``total`` is the room's own count."""
        message = self.new("WebcastLikeMessage", created_ms)
        specified = message.specified_display_text.add(uid=self.host_id)
        for text in (message.common.display_text, specified.display_text):
            display_text(text, "pm_mt_msg_viewer", "{0:user} liked the LIVE")
            people_piece(text, viewer.brief)
        message.count = count
        message.total = total
        message.user.MergeFromString(viewer.badged)
        message.effect_cnt = min(count, 3)
        message.like_effect.add(effect_cnt=2, effect_interval_ms=500)
        message.like_effect.add(version=2, effect_cnt=2, effect_interval_ms=500)
        return self.seal(message)

    def join(self, created_ms: int, viewer: Viewer, viewers: int) -> Message:
        """Return that somebody came in; ``viewers`` is the count shown beside it."""
        message = self.new("WebcastMemberMessage", created_ms)
        for text in (message.common.display_text, message.anchor_display_text):
            display_text(text, "live_room_enter_toast", "{0:user} joined")
            people_piece(text, viewer.plain)
        message.user.MergeFromString(viewer.plain)
        message.member_count = viewers
        message.action = 1
        message.client_enter_source = self.rng.choice(
            (
                "homepage_hot-live_cell",
                "homepage_follow-live_cover",
                "others_homepage-others_photo",
                "push-push",
            )
        )
        return self.seal(message)

    def follow(self, created_ms: int, viewer: Viewer, follow_count: int) -> Message:
        """Return that somebody followed the host, who then has ``follow_count`` followers."""
        message = self._social(
            created_ms, viewer, "pm_main_follow_message_viewer_2", "followed the LIVE creator"
        )
        message.action = 1
        message.share_target = str(self.host_id)
        message.follow_count = follow_count
        return self.seal(message)

    def share(self, created_ms: int, viewer: Viewer, share_count: int) -> Message:
        """Return that somebody shared the live."""
        message = self._social(created_ms, viewer, "pm_mt_guidance_share", "shared the LIVE")
        message.action = 3
        message.share_type = 1
        message.share_target = "-9"
        message.share_count = share_count
        return self.seal(message)

    def question(self, created_ms: int, viewer: Viewer, question_id: int, text: str) -> Message:
        """Return a question asked through TikTok's Q&A."""
        message = self.new("WebcastQuestionNewMessage", created_ms)
        message.data.question_id = question_id
        message.data.content = text
        message.data.create_time = created_ms // 1000
        message.data.user.MergeFromString(viewer.badged)
        return self.seal(message)

    def subscription(self, created_ms: int, viewer: Viewer, months: int) -> Message:
        """Return that somebody pays for the room, for the ``months``-th month."""
        message = self.new("WebcastSubNotifyMessage", created_ms)
        text = message.common.display_text
        display_text(text, "pm_mt_sub_notify", "{0:user} just subscribed")
        people_piece(text, viewer.brief)
        message.user.MergeFromString(viewer.badged)
        message.sub_month = months
        message.subscribe_type = 1 if months > 1 else 0
        message.subscribing_status = 1
        return self.seal(message)

    def barrage(self, created_ms: int, viewer: Viewer, level: int) -> Message:
        """Return the banner of a viewer who reached a level."""
        message = self.new("WebcastBarrageMessage", created_ms)
        message.msg_type = 4
        message.duration = 3000
        display_text(message.content, "ttlive_gifterLevel_newLevel", "{0:user} reached level {1:string}")
        people_piece(message.content, viewer.brief)
        message.content.pieces.add(type=1, string_value=str(level))
        message.user.MergeFromString(viewer.badged)
        message.user_grade_param.current_grade = level
        message.user_grade_param.user_id = str(viewer.user_id)
        return self.seal(message)

    def intro(self, created_ms: int, viewer: Viewer, text: str, language: Language) -> Message:
        """Return the host's introduction, whose create_time is always 0."""
        message = self.new("WebcastLiveIntroMessage", created_ms)
        message.common.create_time = 0
        message.id = self.room_id
        message.audit_status = 2
        message.content = text
        message.content_language = language.code
        message.user.MergeFromString(viewer.plain)
        return self.seal(message)

    def _social(self, created_ms: int, viewer: Viewer, key: str, pattern: str) -> ProtoMessage:
        message = self.new("WebcastSocialMessage", created_ms)
        display_text(message.common.display_text, key, "{0:user} " + pattern)
        people_piece(message.common.display_text, viewer.badged)
        message.user.MergeFromString(viewer.badged)
        return message

    def _gift_part(self, gift: Gift) -> bytes:
        part = message_class("WebcastGiftMessage")()
        struct = part.gift
        struct.id, struct.name, struct.diamond_count, struct.type = (
            gift.gift_id,
            gift.name,
            gift.diamonds,
            gift.kind,
        )
        struct.combo = gift.kind == 1
        struct.describe = f"Sent {gift.name}"
        struct.duration = 1000
        struct.for_linkmic = struct.is_displayed_on_panel = True
        rng = Random(gift.gift_id)
        fill_image(struct.image, f"webcast-sim/{rng.randbytes(32).hex()}.png~tplv-obj.webp", urls=2)
        struct.icon.CopyFrom(struct.image)
        part.sponsorship_info.add(
            sponsor_id=self.host_id,
            unlighted_gift_icon=f"simulated-gift/{rng.randbytes(16).hex()}",
            gift_gallery_detail_page_scheme_url=f"simulated://gallery?id={rng.randbytes(40).hex()}",
        )
        return bytes(part.SerializeToString())


def display_text(text: ProtoMessage, key: str, pattern: str) -> None:
    """Fill the template of a text that TikTok's app would put together."""
    text.key = key
    text.default_pattern = pattern
    text.default_format.color = _COLOR
    text.default_format.weight = 400


def people_piece(text: ProtoMessage, user: bytes) -> None:
    """Add a person to a template; ``user`` is a serialised ``User``."""
    piece = text.pieces.add(type=11)
    piece.format.color = _COLOR
    piece.format.weight = 400
    piece.user_value.user.MergeFromString(user)
