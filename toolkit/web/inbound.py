"""
What a client may say on the socket, and how often.

One JSON object per message:

    {"type": "subscribe", "topics": [...], "since": 17, "stream": "...",
     "batch": true, "ack": true, "snapshot": true,
     "public": true, "comments_max": 8}                all but type optional
    {"type": "painted", "seq": 17}                     what a screen shows by now;
       may add "frames": [[seq, milliseconds], ...], when each was on screen, and
       "skipped": how many comments it never showed because more came than fit
    {"type": "screen", "widget": "chat", "visible": true, "active": true,
     "fps": 60, "seq": 17, "obs": true}                what a screen is, every few seconds
    {"type": "ping"}                                   answered with a pong

A topic is a notice type (``comment``), a prefix and a star (``tiktok:*``), or a
star for everything; without ``topics`` it is everything. Who says ``public`` gets only
what moderation lets through, the snapshot included: screens that an audience sees do.
A screen with room for eight comments says so: of a hundred that come at once it gets the
newest eight, and the number of the others.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, TypeGuard

__all__ = ["Painted", "Ping", "Said", "Screen", "Subscribe", "TokenBucket", "Topics", "Unreadable", "parse"]

TOPICS_MAX = 64
FRAMES_MAX = 64
COMMENTS_MAX = 500
_TOPIC = re.compile(r"[a-z0-9_:.-]{0,63}\*?", re.ASCII)
_STREAM = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_WIDGET = re.compile(r"[a-z]{1,16}", re.ASCII)
FPS_MAX = 1_000
_SEQ_MAX = 2**53
"""Largest whole number that a browser can hold."""


class Unreadable(ValueError):
    """A client's message that means nothing to us. Its text is for the client."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Which notices somebody wants. Equal selections compare equal."""

    names: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ("",)

    @classmethod
    def of(cls, topics: list[str]) -> Topics:
        """Return the selection that a list of topics means."""
        stars = sorted({t[:-1] for t in topics if t.endswith("*")})
        return cls(frozenset(t for t in topics if not t.endswith("*")), tuple(stars))

    def __contains__(self, kind: str) -> bool:
        """Return whether notices of type ``kind`` are wanted."""
        return kind in self.names or kind.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """
    Send me these.

    Attributes:
        topics: Which.
        since: Number of the last notice seen; None to begin now.
        stream: Whose numbers these are; empty if not told.
        batch: One JSON array per tick instead of one object per notice.
        ack: ``painted`` will be told.
        snapshot: Begin with the present state when ``since`` leads nowhere.
        public: Only what moderation lets through.
        comments_max: Of the comments that wait, the newest so many; 0 for all.
    """

    topics: Topics
    since: int | None = None
    stream: str = ""
    batch: bool = False
    ack: bool = False
    snapshot: bool = False
    public: bool = False
    comments_max: int = 0


@dataclass(frozen=True, slots=True)
class Painted:
    """
    A screen shows everything up to ``seq``.

    Attributes:
        seq: The number.
        frames: Since it last told: number, and when on the screen's wall clock
            everything up to it was painted, in milliseconds.
        skipped: Comments never shown because more came than fit.
    """

    seq: int
    frames: tuple[tuple[int, int], ...] = ()
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Screen:
    """
    A screen tells that it is there.

    Attributes:
        widget: What it shows: ``all``, ``chat`` ...
        is_visible: Somebody could see it.
        is_active: OBS has it on program; in a browser the same as visible.
        fps: Frames per second it draws; 0 while unknown or hidden.
        seq: What it shows by now.
        is_obs: It runs in OBS.
    """

    widget: str
    is_visible: bool
    is_active: bool
    fps: int
    seq: int
    is_obs: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""


Said = Subscribe | Painted | Screen | Ping
"""What a client may say."""


def parse(text: str) -> Said:
    """
    Return what a message means.

    Raises:
        Unreadable: It means nothing; the sentence says what was expected.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("That is not JSON.") from None
    if not isinstance(message, dict):
        raise Unreadable('Expected an object such as {"type": "subscribe"}.')
    match message.get("type"):
        case "subscribe":
            return _subscribe(message)
        case "painted":
            return _painted(message)
        case "screen":
            return _screen(message)
        case "ping":
            return Ping()
    raise Unreadable("Unknown type; known are subscribe, painted, screen and ping.")


def _subscribe(message: dict[str, Any]) -> Subscribe:
    stream = message.get("stream") or ""
    if not isinstance(stream, str) or (stream and not _STREAM.fullmatch(stream)):
        raise Unreadable("stream must be the name that hello gave.")
    return Subscribe(
        topics=_topics(message.get("topics")),
        since=None if message.get("since") is None else _seq(message, "since"),
        stream=stream,
        batch=_flag(message, "batch"),
        ack=_flag(message, "ack"),
        snapshot=_flag(message, "snapshot"),
        public=_flag(message, "public"),
        comments_max=_comments_max(message.get("comments_max", 0)),
    )


def _comments_max(value: Any) -> int:
    if not _is_count(value) or value > COMMENTS_MAX:
        raise Unreadable(f"comments_max must be a whole number, 0 to {COMMENTS_MAX}.")
    return value


def _painted(message: dict[str, Any]) -> Painted:
    frames = message.get("frames", [])
    if not isinstance(frames, list) or len(frames) > FRAMES_MAX:
        raise Unreadable(f"frames must be a list of at most {FRAMES_MAX} pairs.")
    for frame in frames:
        if not isinstance(frame, list) or len(frame) != 2 or not all(_is_count(n) for n in frame):
            raise Unreadable("A frame is a pair of whole numbers: seq and milliseconds.")
    skipped = message.get("skipped", 0)
    if not _is_count(skipped):
        raise Unreadable("skipped must be a whole number, 0 or more.")
    return Painted(_seq(message, "seq"), tuple((seq, at) for seq, at in frames), skipped)


def _screen(message: dict[str, Any]) -> Screen:
    widget, fps = message.get("widget"), message.get("fps", 0)
    if not isinstance(widget, str) or not _WIDGET.fullmatch(widget):
        raise Unreadable('widget must be a name such as "chat".')
    if not _is_count(fps) or fps > FPS_MAX:
        raise Unreadable(f"fps must be a whole number, 0 to {FPS_MAX}.")
    visible, active, obs = (_flag(message, name) for name in ("visible", "active", "obs"))
    return Screen(widget, visible, active, fps, _seq(message, "seq"), obs)


def _topics(topics: Any) -> Topics:
    if topics is None:
        return Topics()
    if not isinstance(topics, list) or not 1 <= len(topics) <= TOPICS_MAX:
        raise Unreadable(f"topics must be a list of 1 to {TOPICS_MAX} names.")
    for topic in topics:
        if not isinstance(topic, str) or not topic or not _TOPIC.fullmatch(topic):
            raise Unreadable('A topic is a notice type such as "comment", or a prefix such as "tiktok:*".')
    return Topics.of(topics)


def _seq(message: dict[str, Any], name: str) -> int:
    value = message.get(name)
    if not _is_count(value):
        raise Unreadable(f"{name} must be a whole number, 0 or more.")
    return value


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _SEQ_MAX


def _flag(message: dict[str, Any], name: str) -> bool:
    value = message.get(name, False)
    if not isinstance(value, bool):
        raise Unreadable(f"{name} must be true or false.")
    return value


class TokenBucket:
    """Lets ``burst`` through at once and ``rate_hz`` per second after that."""

    def __init__(self, rate_hz: float, burst: int, now_s: float) -> None:
        self._rate_hz = rate_hz
        self._burst = burst
        self._tokens = float(burst)
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Return whether one more may pass at ``now_s``, any monotonic clock in seconds."""
        self._tokens = min(self._burst, self._tokens + (now_s - self._at_s) * self._rate_hz)
        self._at_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
