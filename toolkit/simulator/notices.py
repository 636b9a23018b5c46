"""
Messages that the room itself causes: counts, ranks, goals, battles, polls, control.

Functions over a :class:`~toolkit.simulator.messages.Desk`. Where TikTok's clock
misbehaves in the wild (captions have no create_time, room messages have seconds
instead of milliseconds) it does so here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toolkit.model.frame import Message
from toolkit.simulator.audience import Viewer, fill_image
from toolkit.simulator.gifts import ROSE
from toolkit.simulator.messages import Desk, display_text, people_piece
from toolkit.wire.schema import ANY_MESSAGE, message_class

__all__ = [
    "BATTLE_FINISH",
    "BATTLE_OPEN",
    "POLL_END",
    "POLL_START",
    "POLL_UPDATE",
    "battle",
    "battle_scores",
    "caption",
    "control",
    "deletion",
    "envelope",
    "fan_ticket",
    "filtered_notice",
    "goal",
    "link_mic",
    "pin",
    "poll",
    "rank",
    "unmapped",
    "viewer_count",
]

_RANKED_WITH_AVATAR = 4
BATTLE_OPEN, BATTLE_FINISH = 4, 5
POLL_START, POLL_END, POLL_UPDATE = 0, 1, 2


def viewer_count(
    desk: Desk, created_ms: int, viewers: int, entries: int, top: Sequence[tuple[Viewer, int]]
) -> Message:
    """
    Return the viewer count.

    Args:
        desk: Where messages are written.
        created_ms: TikTok's clock.
        viewers: Watching now.
        entries: Entries since the live began.
        top: Ranked supporters with their scores, best first.
    """
    message = desk.new("WebcastRoomUserSeqMessage", created_ms, shown=False)
    for rank_number, (viewer, score) in enumerate(top, 1):
        rank_entry = message.ranks.add(rank=rank_number, score=score)
        if rank_number <= _RANKED_WITH_AVATAR:
            rank_entry.user.MergeFromString(viewer.plain)
        else:
            rank_entry.user.id = viewer.user_id
    message.total = viewers
    message.pop_str = str(viewers)
    message.popularity = viewers
    message.total_user = entries
    message.anonymous = viewers // 20
    return desk.seal(message)


def rank(desk: Desk, created_ms: int, place: int, countdown_s: int) -> Message:
    """Return the host's place in the weekly ranking."""
    message = desk.new("WebcastRankUpdateMessage", created_ms, shown=False)
    update = message.updates.add(rank_type=1, own_rank=place, countdown=countdown_s, owneronrank=True)
    display_text(update.default_content, "pm_mt_Live_WRMark", "Weekly No. {0:string}")
    update.default_content.pieces.add(type=1, string_value=str(place))
    message.group_type, message.rank_priority = 1, 10
    return desk.seal(message)


def fan_ticket(desk: Desk, created_ms: int, diamonds: int) -> Message:
    """Return the diamonds collected so far in a room with guests."""
    message = desk.new("WebcastLinkMicFanTicketMethod", created_ms)
    notice = message.fan_ticket_room_notice
    notice.user_fan_ticket.add(user_id=desk.host_id, fan_ticket=diamonds)
    notice.total_linkmic_fan_ticket = diamonds
    notice.fan_ticket_icon_url = "https://cdn.example.invalid/a/ticket"
    return desk.seal(message)


def link_mic(desk: Desk, created_ms: int, diamonds: int) -> Message:
    """Return the short state message of a room with guests."""
    message = desk.new("WebcastLinkMicMethod", created_ms, shown=False)
    message.message_type = 8
    message.user_id = desk.host_id
    message.fan_ticket = message.total_linkmic_fan_ticket = diamonds
    return desk.seal(message)


def goal(
    desk: Desk, created_ms: int, progress: int, target: int, supporters: Sequence[tuple[Viewer, int]]
) -> Message:
    """Return that the host's goal moved; the first of ``supporters`` moved it."""
    message = desk.new("WebcastGoalUpdateMessage", created_ms)
    message.indicator.key, message.indicator.op = "live_goal_indicator_stream_goal", 3
    stream_goal = message.goal
    stream_goal.id, stream_goal.type, stream_goal.status = desk.room_id + 1, 1, 2
    stream_goal.description = "roses for the new lamp 🌹"
    sub_goal = stream_goal.sub_goals.add(type=1, id=ROSE.gift_id, progress=progress, target=target)
    sub_goal.gift.name, sub_goal.gift.diamond_count, sub_goal.gift.type = ROSE.name, ROSE.diamonds, 1
    fill_image(sub_goal.gift.icon, f"webcast-sim/gift_{ROSE.gift_id}.png~tplv-obj.image", urls=2)
    for viewer, score in supporters:
        contributor = stream_goal.contributors.add(
            user_id=viewer.user_id,
            display_id=viewer.handle,
            score=score,
            user_id_str=str(viewer.user_id),
        )
        contributor.avatar.MergeFromString(viewer.avatar)
    stream_goal.contributors_length = progress
    contributor_viewer = supporters[0][0]
    message.contributor_id = contributor_viewer.user_id
    message.contributor_display_id = contributor_viewer.handle
    message.contribute_count = message.contribute_score = 1
    return desk.seal(message)


def envelope(
    desk: Desk, created_ms: int, envelope_id: int, sender: Viewer, diamonds: int, *, is_new: bool
) -> Message:
    """Return that a treasure chest appeared (``is_new``) or went away."""
    message = desk.new("WebcastEnvelopeMessage", created_ms)
    info = message.envelope_info
    info.envelope_id, info.business_type, info.room_id = str(envelope_id), 1, str(desk.room_id)
    if is_new:
        info.send_user_id, info.send_user_name = str(sender.user_id), sender.nickname
        info.diamond_count, info.people_count = diamonds, 10
        info.create_at = str(created_ms // 1000)
        info.unpack_at = created_ms // 1000 + 60
    message.display = 1 if is_new else 2
    return desk.seal(message)


def poll(
    desk: Desk, created_ms: int, poll_id: int, stage: int, title: str, options: Mapping[str, int]
) -> Message:
    """Return a poll's state at a stage; ``options`` are texts and their votes."""
    message = desk.new("WebcastPollMessage", created_ms)
    message.message_type = stage
    message.poll_id = poll_id
    message.poll_kind = 1
    if stage == POLL_START:
        message.start_content.title = title
        message.start_content.start_time = created_ms
        message.start_content.end_time = created_ms + 60_000
    content = {POLL_START: message.start_content, POLL_END: message.end_content}.get(
        stage, message.update_votes_content
    )
    for index, (text, votes) in enumerate(options.items()):
        content.option_list.add(display_content=text, votes=votes, option_idx=index)
    message.poll_basic_info.title = title
    message.poll_basic_info.poll_id_str = str(poll_id)
    return desk.seal(message)


def battle(
    desk: Desk, created_ms: int, battle_id: int, action: int, duration_s: int, scores: Mapping[int, int]
) -> Message:
    """Return that a battle opened or finished; ``scores`` by host id."""
    message = desk.new("WebcastLinkMicBattle", created_ms)
    message.battle_id = battle_id
    message.action = action
    message.battle_settings.battle_id = battle_id
    message.battle_settings.start_time_ms = created_ms
    message.battle_settings.duration = duration_s
    if action == BATTLE_FINISH:
        best = max(scores.values())
        for host_id, score in scores.items():
            entry = message.battle_result[host_id]
            entry.user_id, entry.score, entry.result = host_id, score, 1 if score == best else 2
    return desk.seal(message)


def battle_scores(
    desk: Desk, created_ms: int, battle_id: int, scores: Mapping[int, int], supporter: Viewer
) -> Message:
    """Return the scores within a battle, moved by a gift of ``supporter``."""
    message = desk.new("WebcastLinkMicArmies", created_ms)
    message.battle_id = battle_id
    for host_id, score in scores.items():
        army = message.armies[host_id]
        army.hostscore = score
        army.anchor_id_str = str(host_id)
        army.user_armies.add(
            user_id=supporter.user_id,
            score=score // 3,
            nickname=supporter.nickname,
            user_id_str=str(supporter.user_id),
        )
    message.from_user_id = supporter.user_id
    message.gift_id, message.gift_count = ROSE.gift_id, 1
    message.total_diamond_count = sum(scores.values())
    message.repeat_count = 1
    return desk.seal(message)


def caption(desk: Desk, created_ms: int, sentence_id: int, text: str) -> Message:
    """Return a live caption. It has no create_time, only the time of the speech."""
    message = desk.new("WebcastCaptionMessage", created_ms, shown=False)
    message.common.create_time = 0
    message.timestamp_ms = created_ms - 900
    message.duration_ms = 1800
    message.content.add(lang="en", content=text)
    message.sentence_id = message.sequence_id = sentence_id
    message.definite = True
    return desk.seal(message)


def filtered_notice(desk: Desk, created_ms: int) -> Message:
    """Return TikTok's notice about filtered comments, whose create_time is in seconds."""
    message = desk.new("WebcastRoomMessage", created_ms)
    message.common.create_time = created_ms // 1000
    key = "pm_mt_LIVE_commentFiltered_notif"
    display_text(message.common.display_text, key, "Some comments were filtered")
    message.content = "Some comments were filtered to keep the LIVE friendly."
    message.source = 1
    message.scene = "comment_filter"
    return desk.seal(message)


def pin(desk: Desk, created_ms: int, comment: Message, operator: Viewer) -> Message:
    """Return that a comment was pinned, some time after it was written."""
    message = desk.new("WebcastRoomPinMessage", created_ms)
    message.chat_message.MergeFromString(comment.payload)
    message.common.create_time = message.chat_message.common.create_time
    message.method = comment.method
    message.pin_time = created_ms
    message.operator.MergeFromString(operator.brief)
    message.action = 1
    message.display_duration = 60
    message.pin_msg_id = comment.msg_id
    return desk.seal(message)


def deletion(desk: Desk, created_ms: int, msg_ids: Sequence[int], user_ids: Sequence[int] = ()) -> Message:
    """Return that messages, or everything of some users, are withdrawn."""
    message = desk.new("WebcastImDeleteMessage", created_ms, shown=False)
    message.delete_msg_ids.extend(msg_ids)
    message.delete_user_ids.extend(user_ids)
    return desk.seal(message)


def control(desk: Desk, created_ms: int, action: int) -> Message:
    """Return the live's own state: 1 paused, 2 resumed, 3 ended, 4 suspended."""
    message = desk.new("WebcastControlMessage", created_ms)
    message.action = action
    return desk.seal(message)


def unmapped(desk: Desk, created_ms: int, method: str, number: int, viewer: Viewer | None = None) -> Message:
    """Return a message of a type that no schema knows: a common part and one number."""
    message = message_class(ANY_MESSAGE)()
    desk.head(message.common, method, created_ms)
    if viewer is not None:
        text = message.common.display_text
        display_text(text, "pm_mt_simulated", "{0:user} did something new")
        people_piece(text, viewer.brief)
    return desk.seal(message, _number_field(2, number) + _text_field(3, "simulated://something/new"))


def _number_field(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text_field(field: int, value: str) -> bytes:
    data = value.encode()
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    assert value >= 0, value
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
