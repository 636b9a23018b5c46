"""
Silence on the wire, told from a quiet room.

The client sends a heartbeat every few seconds and the server answers it, so even
a room where nobody speaks yields a frame per interval. Once an answer has been
seen, the next one is due an interval later plus the time a lost packet takes to
be sent again; before that, three intervals are waited for.
"""

from __future__ import annotations

__all__ = ["Watchdog", "clamped_ping_s"]

PING_S_MIN, PING_S_MAX = 3.0, 10.0
"""Between heartbeats, whatever the server announces. Below, we would flood it: a
server that says 0 was sent thousands a second. Above, silence could not be noticed
within 15 s, and 86400 would mean never."""
PING_S_DEFAULT = 5.0
"""TikTokLive's own, where nothing is announced."""
MARGIN_S = 4.0
"""For an answer on its way: two retransmissions of a lost packet (1 s, then 2 s) and
a slow network. Interval and margin together stay below 15 s."""
UNANSWERED_INTERVALS = 3
LOOK_S = 1.0
"""Between looks. What is due changes with every frame, so nobody sleeps until then."""
STALL_S = 1.0
"""A look this late means that our own loop stood still: frames may be waiting unread."""


def clamped_ping_s(announced: str | None) -> float:
    """Return seconds between heartbeats for what a server announced; any text will do."""
    text = (announced or "").strip()
    if not (text.isascii() and text.replace(".", "", 1).isdecimal()) or len(text) > 32:
        return PING_S_DEFAULT
    return min(max(float(text), PING_S_MIN), PING_S_MAX)


class Watchdog:
    """Fed with complete frames only: bytes that trickle in do not count."""

    def __init__(self, ping_s: float, now_s: float) -> None:
        """
        Start watching.

        Args:
            ping_s: Seconds between the client's heartbeats.
            now_s: Monotonic time, seconds.
        """
        self._ping_s = ping_s
        self._fed_s = now_s
        self._look_s = now_s
        self._is_answered = False

    @property
    def limit_s(self) -> float:
        """Longest silence that is still taken for a quiet room, in seconds."""
        if self._is_answered:
            return self._ping_s + MARGIN_S
        return self._ping_s * UNANSWERED_INTERVALS

    def feed(self, now_s: float, *, is_answer: bool = False) -> None:
        """Take in a complete frame; ``is_answer`` if it answers a heartbeat."""
        self._fed_s = now_s
        self._is_answered = self._is_answered or is_answer

    def unseen_s(self, now_s: float) -> float:
        """Return how long nothing has arrived, in seconds."""
        return now_s - self._fed_s

    def look_again_s(self, now_s: float) -> float:
        """Return after how many seconds to look again; 0 if the connection is dead."""
        left_s = self._fed_s + self.limit_s - now_s
        if left_s <= 0 and now_s - self._look_s > STALL_S:
            # We slept, not the server. What has arrived meanwhile is read first.
            left_s = STALL_S
        left_s = min(max(left_s, 0.0), LOOK_S)
        self._look_s = now_s + left_s
        return left_s
