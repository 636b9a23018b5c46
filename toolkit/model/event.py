"""
Events: what a message means, one class per kind.

A class is also a table: its fields, in this order, are the columns of the table
it names (``user`` becomes ``user_id``), and the socket sends them under the same
names. So whoever knows one of the three knows all of them. A test holds the
classes against ``store/schema.sql``.

Times are microseconds since 1970 UTC. ``occurred_at`` is TikTok's clock, None where it gave
none; ``received_at`` is ours. A third of neighbours are out of order, by up to 1.7 s.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar

from toolkit.model.frame import Message, Quarantined

__all__ = [
    "EVENT_CLASSES",
    "Barrage",
    "Batch",
    "Battle",
    "BattleScore",
    "Caption",
    "Comment",
    "Control",
    "Deletion",
    "Emote",
    "Envelope",
    "Event",
    "Follow",
    "Gift",
    "Goal",
    "Join",
    "Like",
    "Pin",
    "Poll",
    "Question",
    "RankUpdate",
    "RoomDiamonds",
    "RoomMessage",
    "Share",
    "StoredMessage",
    "Subscription",
    "User",
    "ViewerCount",
    "columns",
]


@dataclass(slots=True)
class User:
    """
    A viewer as a message described them. Key on ``user_id``: handles change.

    Attributes:
        user_id: TikTok's numeric id.
        handle: The @name, without the @.
        nickname: What TikTok displays. Hostile text like every text here.
        sec_uid: TikTok's long id, needed by some of its APIs.
        avatar_url: A TikTok CDN address that expires within days; empty if none.
        followers: Follower count at that moment; 0 is also "not told".
        is_moderator: Moderates this room.
        is_subscriber: Pays for this room.
        is_follower: Follows the host.
        fan_level: Level in the host's fan club, 0 if none.
        gifter_level: TikTok-wide gifting level, 0 if none.
        is_verified: Has TikTok's verification mark.
    """

    user_id: int
    handle: str = ""
    nickname: str = ""
    sec_uid: str = ""
    avatar_url: str = ""
    followers: int = 0
    is_moderator: bool = False
    is_subscriber: bool = False
    is_follower: bool = False
    fan_level: int = 0
    gifter_level: int = 0
    is_verified: bool = False


@dataclass(slots=True)
class Event:
    """
    What every event has.

    Attributes:
        seq: Position in the recording: 1, 2, 3 ... over all messages, no two alike.
        msg_id: TikTok's id of the message.
        occurred_at: TikTok's clock; None where it gave none.
        received_at: Our wall clock.
        user: Who did it; None for what nobody did.
    """

    kind: ClassVar[str] = ""
    table: ClassVar[str] = ""

    seq: int
    msg_id: int
    occurred_at: int | None
    received_at: int
    user: User | None


@dataclass(slots=True)
class Comment(Event):
    """A chat comment. ``text`` is empty when it consists of emotes only."""

    kind = "comment"
    table = "comments"

    text: str
    language: str
    emotes: str
    """Ids of subscriber emotes in the text, comma separated."""
    mentions: str
    """User ids mentioned, comma separated."""
    is_history: bool
    """Sent before we connected, replayed by TikTok."""


@dataclass(slots=True)
class Emote(Event):
    """A message made of subscriber emotes."""

    kind = "emote"
    table = "emotes"

    emotes: str


@dataclass(slots=True)
class Gift(Event):
    """
    One message of a gift. A streak of taps is several messages that share
    ``group_id``; ``repeat_count`` is cumulative and the last has ``repeat_end``.
    Add up diamonds over final messages only, or take the gift ledger.
    """

    kind = "gift"
    table = "gifts"

    gift_id: int
    gift_name: str
    diamonds: int
    """Price of one, in diamonds."""
    gift_type: int
    """1 can be streaked; 2 and 4 arrive once, with repeat_end 0."""
    repeat_count: int
    repeat_end: bool
    group_id: int
    to_user_id: int
    """The receiver in a room with guests; 0 is the host."""
    image_url: str


@dataclass(slots=True)
class Like(Event):
    """
    A batch of likes of one viewer, at most 15 and only a sample of all. ``total``
    is the room's own count, but not monotone, and interleaved in co-hosted rooms.
    """

    kind = "like"
    table = "likes"

    count: int
    total: int


@dataclass(slots=True)
class Join(Event):
    """A viewer entered (``action`` 1) or subscribed (3). A sample: at most 6 to 8 per second."""

    kind = "join"
    table = "joins"

    action: int
    member_count: int
    source: str


@dataclass(slots=True)
class Follow(Event):
    """A viewer followed the host. ``follow_count`` is the host's total after it."""

    kind = "follow"
    table = "follows"

    follow_count: int


@dataclass(slots=True)
class Share(Event):
    """A viewer shared the live. ``share_count`` is TikTok's figure in the message."""

    kind = "share"
    table = "shares"

    share_type: int
    share_target: str
    share_count: int


@dataclass(slots=True)
class ViewerCount(Event):
    """``viewers`` now, ``viewers_total`` since the start (cumulative entries)."""

    kind = "viewer_count"
    table = "viewer_counts"

    viewers: int
    viewers_total: int
    popularity: int
    anonymous: int


@dataclass(slots=True)
class RoomDiamonds(Event):
    """Diamonds the room was given so far, told in rooms with guests or battles."""

    kind = "room_diamonds"
    table = "room_diamonds"

    total: int


@dataclass(slots=True)
class Question(Event):
    """A question asked through TikTok's Q&A. ``status`` is TikTok's answer status."""

    kind = "question"
    table = "questions"

    question_id: int
    text: str
    status: int


@dataclass(slots=True)
class Poll(Event):
    """A poll's state: ``stage`` 0 start, 1 end, 2 update. ``options`` is JSON."""

    kind = "poll"
    table = "polls"

    poll_id: int
    stage: int
    title: str
    options: str
    """JSON list of {"index", "text", "votes"}."""


@dataclass(slots=True)
class Battle(Event):
    """A battle opened or finished. ``action`` 4 open, 5 finish. ``results`` is JSON."""

    kind = "battle"
    table = "battles"

    battle_id: int
    action: int
    starts_at: int | None
    duration_s: int
    results: str
    """JSON list of {"user_id", "result", "score"}."""


@dataclass(slots=True)
class BattleScore(Event):
    """Scores within a battle. ``armies`` is JSON; ``gift_id`` names what moved them."""

    kind = "battle_score"
    table = "battle_scores"

    battle_id: int
    gift_id: int
    gift_count: int
    diamonds_total: int
    armies: str
    """JSON list of {"host_id", "score"}."""


@dataclass(slots=True)
class Envelope(Event):
    """A treasure chest. ``display`` 1 shows it, 2 hides it."""

    kind = "envelope"
    table = "envelopes"

    envelope_id: str
    business_type: int
    display: int
    sender_id: int
    sender_name: str
    diamonds: int
    people: int
    opens_at: int | None


@dataclass(slots=True)
class Subscription(Event):
    """A viewer subscribed, or was given a subscription (``is_gift``)."""

    kind = "subscription"
    table = "subscriptions"

    months: int
    subscribe_type: int
    status: int
    is_gift: bool


@dataclass(slots=True)
class Barrage(Event):
    """A banner across the screen: level-ups, fan club, subscription gifts."""

    kind = "barrage"
    table = "barrages"

    barrage_type: int
    content_key: str
    """TikTok's name of the text template, such as ``pm_mt_..._fan_level``."""


@dataclass(slots=True)
class Goal(Event):
    """The host's goal moved. ``sub_goals`` is JSON."""

    kind = "goal"
    table = "goals"

    goal_id: int
    goal_type: int
    status: int
    description: str
    progress: int
    target: int
    sub_goals: str
    """JSON list of {"id", "type", "progress", "target", "gift_name"}."""
    contributor_id: int
    contribution: int


@dataclass(slots=True)
class Pin(Event):
    """A message was pinned (``action`` 1) or unpinned (2). ``user`` is who wrote it."""

    kind = "pin"
    table = "pins"

    action: int
    pinned_msg_id: int
    pinned_method: str
    text: str
    pinned_at: int | None
    display_s: int
    operator_id: int


@dataclass(slots=True)
class Deletion(Event):
    """TikTok withdrew messages, or everything of some users. Comma-separated ids."""

    kind = "deletion"
    table = "deletions"

    message_ids: str
    user_ids: str


@dataclass(slots=True)
class Caption(Event):
    """Live caption of what the host says. ``occurred_at`` is when the speech began."""

    kind = "caption"
    table = "captions"

    language: str
    text: str
    duration_ms: int
    sentence_id: int
    is_final: bool


@dataclass(slots=True)
class RankUpdate(Event):
    """The host's place in one of TikTok's rankings. One event per message; ``ranks`` is JSON."""

    kind = "rank"
    table = "ranks"

    ranks: str
    """JSON list of {"type", "rank", "score", "countdown_s"}."""


@dataclass(slots=True)
class RoomMessage(Event):
    """A notice of TikTok to the room, such as the welcome text."""

    kind = "room_message"
    table = "room_messages"

    text: str
    scene: str
    source: int


@dataclass(slots=True)
class Control(Event):
    """The live's own state: ``action`` 1 pause, 2 resume, 3 ended, 4 suspended."""

    kind = "control"
    table = "controls"

    action: int
    tips: str
    reason: int


EVENT_CLASSES: tuple[type[Event], ...] = (
    Comment, Emote, Gift, Like, Join, Follow, Share, ViewerCount, RoomDiamonds, Question, Poll,
    Battle, BattleScore, Envelope, Subscription, Barrage, Goal, Pin, Deletion,
    Caption, RankUpdate, RoomMessage, Control,
)  # fmt: skip
"""Every kind there is, in the order they are documented."""


def columns(event_class: type[Event]) -> tuple[str, ...]:
    """Return the columns of an event's table, in order: the fields, ``user`` as ``user_id``."""
    return tuple("user_id" if f.name == "user" else f.name for f in fields(event_class))


@dataclass(slots=True)
class StoredMessage:
    """
    A message as the ``messages`` table keeps it: numbered, raw, never dropped.

    Attributes:
        seq: Position in the recording, 1-based.
        frame_no: The frame it came in, 1-based within the recording.
        segment_id: The connected stretch it came in.
        room_id: The room it belongs to.
        msg_id: TikTok's id: the payload's own, else the envelope's; 0 if neither has one.
        occurred_at: TikTok's clock, microseconds; None where it gave none.
        received_at: Our wall clock, microseconds.
        message: The message itself.
    """

    seq: int
    frame_no: int
    segment_id: int
    room_id: int
    msg_id: int
    occurred_at: int | None
    received_at: int
    message: Message


@dataclass(slots=True)
class Batch:
    """
    What one frame added to a recording.

    Attributes:
        frame_no: Number of the frame, 1-based within the recording.
        segment_id: The connected stretch.
        received_at: Our wall clock, microseconds.
        received_mono_ns: Our monotonic clock, nanoseconds.
        kind: The frame's kind, a :class:`~toolkit.model.frame.FrameKind` value.
        payload_type: ``msg``, ``hb`` ...
        push_seq: TikTok's count of frames on this connection.
        log_id: What the acknowledgement named.
        cursor: TikTok's position.
        size: Bytes of the frame as pushed.
        messages: New messages, numbered, in order.
        events: Their meaning, in the same order; a message without a known meaning has none.
        quarantined: What could not be read.
        duplicates: Messages left out because they were here before.
    """

    frame_no: int
    segment_id: int
    received_at: int
    received_mono_ns: int
    kind: int
    payload_type: str = "msg"
    push_seq: int = 0
    log_id: int = 0
    cursor: str = ""
    size: int = 0
    messages: list[StoredMessage] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    duplicates: int = 0
